"""What is true of long videos, as spotting runs need it: intervals that have an end, and the clips that name them."""

__all__ = ["NamingSet", "naming_set", "true_intervals"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.data.labels import label_map
from microexpr.data.videos import KINDS, VideoSet
from microexpr.pipelines.foldruns import resolve_method
from microexpr.pipelines.usable import usable_clips


@dataclass(frozen=True, eq=False)
class NamingSet:
    """The true expressions that a recognizer learns from, and what it is.

    Parameters
    ----------
    name : str
    estimator : seeded, unfitted estimator
    clips : ClipSet with labels
        Cut from onset to offset; what the label map drops, or lacks what the recognizer needs, is left out.
    """

    name: str
    estimator: Any
    clips: ClipSet


def true_intervals(videos: VideoSet, *, labels: str | None = None) -> pd.DataFrame:
    """Return the true intervals that have an end, by video and onset.

    Parameters
    ----------
    videos : VideoSet
    labels : str or None
        The label map that gives the column label; None gives none.

    Returns
    -------
    DataFrame indexed by clip_id
        The columns of `VideoSet.intervals`; one without an offset ends at its apex, all that the annotation vouches
        for, and one with neither is left out. label is missing where the map has no class.

    Raises
    ------
    ParameterError
        If there is no such label map, or it has no rule for these videos.

    Examples
    --------
    >>> from microexpr.data import make_videos
    >>> videos = make_videos(1, 1, emotions=["happiness"])
    >>> true_intervals(videos, labels="megc2019")["label"].tolist()
    ['positive', 'positive', 'positive']
    """
    table = videos.intervals.copy()
    table["offset"] = table["offset"].fillna(table["apex"])
    table = table[table["offset"].notna()]
    places = {video_id: place for place, video_id in enumerate(videos.videos.index)}
    order = np.lexsort(
        [table["onset"].to_numpy(dtype=np.int64), table["video_id"].map(places).to_numpy(dtype=np.int64)]
    )
    table = table.iloc[order]
    if labels is None:
        return table.drop(columns="label", errors="ignore")
    # By the data set's name a map knows what its emotions are.
    dataset = videos.videos["dataset"].reindex(table["video_id"]).to_numpy()
    found, _ = label_map(labels).apply(table.assign(dataset=dataset))
    return table.assign(label=found)


def naming_set(
    recognizer: str | Any,
    videos: VideoSet,
    *,
    labels: str,
    seed: int,
    params: Mapping[str, Any],
    allow_incomplete: bool = False,
) -> NamingSet:
    """Return what names found expressions, checked against all that can be checked beforehand.

    Parameters
    ----------
    recognizer : str or scikit-learn classifier
        As the method of `microexpr.pipelines.run`.
    videos : VideoSet
    labels : str
        A label map.
    seed : int
    params : mapping
        Nested parameters of a registered recognizer.
    allow_incomplete : bool
        Whether to go on without the clips that lack what a registered recognizer needs.

    Raises
    ------
    ParameterError
        If a name or value is not allowed.
    NeedsError
        If the recognizer needs what a clip lacks, or macro-expressions as auxiliary clips.
    DataError
        If there is no clip.
    """
    clips = videos.clips(KINDS).relabel(label_map(labels))
    if isinstance(recognizer, str):
        clips = usable_clips(recognizer, clips, allow_incomplete=allow_incomplete)
    name, estimator = resolve_method(recognizer, clips, auxiliary=None, seed=seed, params=params)
    return NamingSet(name, estimator, clips)
