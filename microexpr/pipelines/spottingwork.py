"""The folds of a spotting run that have no record yet, run; what each is given."""

__all__ = ["SubjectFold", "left_out", "run_missing_folds"]

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.cache import ArrayCache, feature_cache
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, ParameterError, ResultsError
from microexpr.core.progress import progress
from microexpr.data.videos import VideoSet
from microexpr.pipelines.needs import NEEDS
from microexpr.pipelines.parallel import in_parallel
from microexpr.pipelines.prefix import extract, split_prefix
from microexpr.pipelines.registry import get_method
from microexpr.pipelines.results import Run
from microexpr.pipelines.spottingfolds import (
    KnownVideo,
    NamingTask,
    SeenVideo,
    SpottingTask,
    count_events,
    run_spotting_fold,
)
from microexpr.pipelines.spottingsignals import measure_all
from microexpr.pipelines.spottingtruth import NamingSet
from microexpr.spotting import Signals, SpottingMethod


@dataclass(frozen=True, eq=False)
class SubjectFold:
    """A left-out subject and its videos."""

    subject: str
    video_ids: tuple[str, ...]


def left_out(videos: VideoSet) -> list[SubjectFold]:
    """Return a fold for each subject, by name.

    Raises
    ------
    DataError
        If there are fewer than 2 subjects.
    """
    by_subject = videos.videos.groupby("subject", sort=True).groups
    if len(by_subject) < 2:
        raise DataError(f"the videos show {len(by_subject)} subject; leaving one out needs 2 at least")
    return [SubjectFold(str(subject), tuple(map(str, ids))) for subject, ids in by_subject.items()]


def run_missing_folds(
    spotter: SpottingMethod,
    videos: VideoSet,
    truth: pd.DataFrame,
    naming: NamingSet | None,
    folds: Sequence[SubjectFold],
    records: Sequence[dict[str, Any] | None],
    kept: Run | None,
    n_jobs: int,
) -> list[dict[str, Any] | None]:
    """Run the folds without a record, keep each at once, and return the records of all."""
    cache = feature_cache()
    signals = measure_all(spotter, videos, cache=cache, n_jobs=n_jobs)
    known = _known(spotter, truth, signals, n_jobs)
    inputs = _naming_inputs(naming, cache, n_jobs)
    missing = [number for number, record in enumerate(records) if record is None]
    tasks = ((_task(spotter, folds[number], videos, signals, known, naming, inputs, cache),) for number in missing)
    complete = dict(enumerate(records))
    failed: list[str] = []
    with (
        progress(f"{spotter.name}: folds", len(folds), done=len(folds) - len(missing)) as advance,
        closing(in_parallel(run_spotting_fold, tasks, n_jobs=n_jobs, prefer="processes")) as results,
    ):
        for position, record in results:
            number = missing[position]
            fold = folds[number]
            if "error" in record:
                where = "" if kept is None else f" (see {kept.write_failure(number, fold.subject, record)})"
                failed.append(f"fold {fold.subject}: {record['error']}{where}")
            else:
                record["video_ids"] = list(fold.video_ids)
                complete[number] = record
                if kept is not None:
                    kept.write_fold(number, fold.subject, record)
            advance()
    if failed:
        raise ResultsError(
            f"{spotter.name}: {len(failed)} of {len(folds)} folds failed, so it has no score; {failed[0]}"
        )
    return [complete[number] for number in range(len(folds))]


def _known(
    spotter: SpottingMethod, truth: pd.DataFrame, signals: Mapping[str, Signals], n_jobs: int
) -> dict[str, pd.DataFrame | np.ndarray]:
    """Return what training takes of each video: its truth if the method learns, else its counts at each threshold."""
    own: dict[str, pd.DataFrame | np.ndarray] = {video_id: truth[truth["video_id"] == video_id] for video_id in signals}
    if spotter.is_learned:
        return own
    listed = list(signals)
    tasks = ((spotter, signals[video_id], own[video_id]) for video_id in listed)
    with (
        progress(f"{spotter.name}: thresholds", len(listed)) as advance,
        closing(in_parallel(count_events, tasks, n_jobs=n_jobs, prefer="processes")) as results,
    ):
        counts = {}
        for place, counted in results:
            counts[listed[place]] = counted
            advance()
    return counts


def _naming_inputs(naming: NamingSet | None, cache: ArrayCache, n_jobs: int) -> tuple[Any, Any, Any]:
    """Return prefix and learner of the recognizer, and what the latter takes for the true clips."""
    if naming is None:
        return None, None, None
    prefix, learner = split_prefix(naming.estimator)
    clips = naming.clips.clips
    if prefix is None:
        return None, learner, clips
    return prefix, learner, extract(prefix, clips, cache=cache, n_jobs=n_jobs, description=f"{naming.name}: features")


def _task(
    spotter: SpottingMethod,
    fold: SubjectFold,
    videos: VideoSet,
    signals: Mapping[str, Signals],
    known: Mapping[str, pd.DataFrame | np.ndarray],
    naming: NamingSet | None,
    inputs: tuple[Any, Any, Any],
    cache: ArrayCache,
) -> SpottingTask:
    """Return what one fold is given; of the left-out subject no more than what was measured, and frames."""
    subjects = videos.videos["subject"]
    others_ids = [video_id for video_id in signals if subjects[video_id] != fold.subject]
    train: list[KnownVideo] | np.ndarray
    if spotter.is_learned:
        train = [
            KnownVideo(video_id, str(subjects[video_id]), signals[video_id], known[video_id]) for video_id in others_ids
        ]
    else:
        train = np.sum([known[video_id] for video_id in others_ids], axis=0)
    test = [SeenVideo(video_id, signals[video_id]) for video_id in fold.video_ids]
    if naming is None:
        return SpottingTask(spotter, train, test)
    prefix, learner, every = inputs
    others = np.flatnonzero(naming.clips.groups != fold.subject)
    return SpottingTask(
        spotter,
        train,
        test,
        NamingTask(
            prefix,
            learner,
            every[others] if isinstance(every, np.ndarray) else [every[place] for place in others],
            naming.clips.y[others],
            naming.clips.groups[others],
            VideoSet(
                videos.videos.loc[list(fold.video_ids)],
                videos.intervals.iloc[:0],
                {video_id: videos.sources[video_id] for video_id in fold.video_ids},
            ),
            partial(_lacking, naming.name),
            cache,
        ),
    )


def _lacking(name: str, clip: Clip) -> str | None:
    """Return what a clip lacks that a registered recognizer needs, or None."""
    try:
        needs = get_method(name).needs
    except ParameterError:
        return None  # somebody's own classifier: nobody knows
    return next((NEEDS[need][0] for need in needs if not NEEDS[need][1](clip)), None)
