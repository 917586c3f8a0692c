"""Apexes for clips that have none, found by a search that the user asks for by name."""

__all__ = ["with_apexes"]

import numpy as np
import pandas as pd

from microexpr.core.base import ClipTransformer
from microexpr.core.cache import feature_cache
from microexpr.core.clip import Clip
from microexpr.core.clipset import ClipSet
from microexpr.pipelines.prefix import extract
from microexpr.video.apex import ApexSearch


class _FoundApex(ClipTransformer):
    """The position that a search finds in a clip, so that it is computed in parallel and kept in the cache."""

    def __init__(self, search: ApexSearch) -> None:
        self.search = search

    def check_params(self) -> None:
        self.search.check_params()

    def transform_clip(self, clip: Clip) -> np.ndarray:
        [found] = self.search.transform([clip])
        return np.array([found.apex])


def with_apexes(clipset: ClipSet, search: ApexSearch, *, n_jobs: int = 1) -> ClipSet:
    """Return the set with an apex for each clip that has frames but no apex; what is annotated stays.

    Parameters
    ----------
    clipset : ClipSet
    search : ApexSearch
    n_jobs : int >= 1, or -1 for all cores

    Returns
    -------
    ClipSet
        Its table has a column `apex_found`, true where the search gave the apex, and its findings say how many.

    Raises
    ------
    MicroexprError
        If a parameter of the search is not allowed, or a clip cannot be read or searched; the message names it.

    Examples
    --------
    >>> from microexpr.core.clipset import ClipSet
    >>> from microexpr.data import make_clips
    >>> known = make_clips(n_subjects=1, clips_per_subject=2)
    >>> unknown = ClipSet(known.table.assign(apex=None), known.sources, classes=known.classes)
    >>> with_apexes(unknown, ApexSearch(feature="strain")).table["apex"].notna().all()
    np.True_
    """
    lacking = [clip for clip in clipset.clips if clip.has_pixels and clip.apex is None]
    if not lacking:
        return clipset
    rows = extract(_FoundApex(search), lacking, cache=feature_cache(), n_jobs=n_jobs, description="searching apexes")
    found = {clip.clip_id: int(row[0]) for clip, row in zip(lacking, rows, strict=True)}
    table = clipset.table.assign(apex_found=clipset.table.index.isin(found))
    table["apex"] = table["apex"].fillna(pd.Series(found, dtype="Int64"))
    notes = [
        {"clip_id": dataset, "finding": f"{len(part)} apexes are not annotated but found by search ({search.feature})"}
        for dataset, part in table[table["apex_found"]].groupby("dataset")
    ]
    return ClipSet(
        table,
        clipset.sources,
        classes=clipset.classes,
        labels=clipset.labels,
        findings=pd.concat([clipset.findings, pd.DataFrame(notes, dtype="str")], ignore_index=True),
        dropped=clipset.dropped,
    )
