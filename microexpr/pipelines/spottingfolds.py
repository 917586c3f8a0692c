"""One fold of spotting: the threshold from the training subjects' videos, the events of the left-out subject's."""

__all__ = [
    "UNNAMED",
    "KnownVideo",
    "NamingTask",
    "SeenVideo",
    "SpottingTask",
    "choose_threshold",
    "count_events",
    "run_spotting_fold",
]

import copy
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from microexpr.core.cache import ArrayCache
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, MicroexprError, one_line
from microexpr.data.videos import KINDS, VideoSet
from microexpr.pipelines.folds import FoldTask, run_fold
from microexpr.pipelines.prefix import extract
from microexpr.pipelines.review.scorecurve import reduce_scores
from microexpr.pipelines.spottingcounts import count_hits
from microexpr.spotting import EXPRESSIONS, Signals, SpottingMethod, decide_events

#: What an interval is called that a recognizer cannot name: no class, so that it counts as wrong.
UNNAMED = "unnamed"

# The least IoU of a hit, here as in the scores.
_IOU = 0.5
# Folds within the training subjects of a method that learns.
_INNER_FOLDS = 3
# Score curves are kept for drawings this many points wide.
_POINTS = 600
_SPANS = ["onset", "apex", "offset"]


@dataclass(frozen=True, eq=False)
class KnownVideo:
    """A training video of a method that learns: what was measured of it, and its true expressions.

    Parameters
    ----------
    video_id, subject : str
    signals : Signals
    true : DataFrame
        Columns video_id, onset, apex, offset, kind (and label where there are labels), in frames; each has an end.
    """

    video_id: str
    subject: str
    signals: Signals
    true: pd.DataFrame


@dataclass(frozen=True, eq=False)
class SeenVideo:
    """A video of the left-out subject: no truth comes with it."""

    video_id: str
    signals: Signals


@dataclass(frozen=True, eq=False)
class NamingTask:
    """What names the found expressions of a fold.

    Parameters
    ----------
    prefix : stateless transformer or None
    learner : seeded, unfitted estimator
    train_X : ndarray or list of Clip
        True expressions of the training subjects.
    train_y, groups : str ndarrays of shape (n_train,)
    test : VideoSet
        The left-out subject's videos, without intervals.
    lacks : callable
        Returns what a clip lacks that the recognizer needs, or None.
    cache : ArrayCache
    """

    prefix: Any
    learner: Any
    train_X: Any
    train_y: np.ndarray
    groups: np.ndarray
    test: VideoSet
    lacks: Callable[[Clip], str | None]
    cache: ArrayCache


@dataclass(frozen=True, eq=False)
class SpottingTask:
    """All that a fold may know.

    Parameters
    ----------
    method : SpottingMethod
    train : sequence of KnownVideo, or int64 ndarray of shape (n_thresholds, 3)
        What a method learns from; of one that does not, TP, FP and FN at each threshold, pooled over the training
        videos.
    test : sequence of SeenVideo
    naming : NamingTask or None
    """

    method: SpottingMethod
    train: Sequence[KnownVideo] | np.ndarray
    test: Sequence[SeenVideo]
    naming: NamingTask | None = None


def count_events(method: SpottingMethod, signals: Signals, true: pd.DataFrame) -> np.ndarray:
    """Count hits, false positives and misses of one video at each threshold of a method.

    Parameters
    ----------
    method : SpottingMethod
        Fitted, where it learns; its own threshold is not used.
    signals : Signals
    true : DataFrame
        As `KnownVideo.true`.

    Returns
    -------
    int64 ndarray of shape (n_thresholds, 3)
        TP, FP and FN; micro- and macro-expressions together, hits at an IoU of .5.
    """
    video = pd.DataFrame({"subject": ["video"], "n_frames": [signals.n_frames]}, index=["video"])
    spans = true[["onset", "offset"]].assign(video_id="video")
    counts = []
    for threshold in method.thresholds():
        found = _expressions(_with_threshold(method, float(threshold)), signals)
        counts.append(count_hits(spans, found[["onset", "offset"]].assign(video_id="video"), video, iou=_IOU).counts[0])
    return np.array(counts, dtype=np.int64).reshape(-1, 3)


def choose_threshold(thresholds: np.ndarray, counts: np.ndarray) -> tuple[float, np.ndarray]:
    """Choose the threshold of the largest F1; of several the one in the middle of the widest stretch.

    Parameters
    ----------
    thresholds : float64 ndarray of shape (n_thresholds,), ascending
    counts : int64 ndarray of shape (n_thresholds, 3)
        TP, FP and FN, pooled over the training videos.

    Returns
    -------
    threshold : float
        F1 moves in steps. Of the longest run of neighbours that share the largest F1 (the lower of two as long) the
        one in the middle is taken (the lower of two): it is the farthest from where F1 falls.
    curve : float64 ndarray of shape (n_thresholds,)
        F1 at each threshold.

    Raises
    ------
    DataError
        If nothing is true: F1 then says nothing of a threshold.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([[3, 9, 1], [3, 1, 1], [3, 1, 1], [3, 1, 1], [1, 0, 3]])
    >>> choose_threshold(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), counts)[0]
    3.0
    """
    hits, alarms, misses = counts.T
    if not (hits + misses).any():
        raise DataError("the training videos hold no expression: no threshold can be learned from them")
    # The quotients of equal fractions are equal numbers: ties are told exactly.
    curve = 2 * hits / (2 * hits + alarms + misses)
    best = np.flatnonzero(curve == curve.max())
    stretches = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    widest = max(stretches, key=len)
    return float(thresholds[widest[(len(widest) - 1) // 2]]), curve


def run_spotting_fold(task: SpottingTask) -> dict[str, Any]:
    """Learn from the training videos, then decide on the others.

    1. A method that learns is fitted on the training videos. 2. The threshold is the one of the largest F1, pooled over
    the training videos (`choose_threshold`); a method that learns is asked in 3 inner folds of subjects, each about
    videos that it was not fitted on. 3. The events of the test videos are decided with it. 4. A recognizer, if there is
    one, is fitted on the true expressions of the training videos and names the found ones.

    Parameters
    ----------
    task : SpottingTask

    Returns
    -------
    dict
        `threshold`; `thresholds` and `train_F1`, what it was chosen from; `events` (list of dicts: video_id, the
        columns of `microexpr.spotting.EVENT_COLUMNS`, and with a recognizer label and the classes' scores);
        `score_kind`; `curves`, the scores of each video, few enough to be drawn; `seconds`. Or, where something raised,
        `error` (one line) and `traceback`.
    """
    start = time.perf_counter()
    try:
        with threadpool_limits(1):
            record = _run(task)
    # The method is the user's code: whatever it raises is recorded, and the other folds go on.
    except Exception as error:  # noqa: BLE001
        said = str(error) if isinstance(error, MicroexprError) else one_line(error)
        return {"error": said, "traceback": traceback.format_exc()}
    return record if "error" in record else {**record, "seconds": round(time.perf_counter() - start, 4)}


def _run(task: SpottingTask) -> dict[str, Any]:
    thresholds = np.asarray(task.method.thresholds(), np.float64)
    method = task.method
    if isinstance(task.train, np.ndarray):
        counts = task.train
    else:
        method = _fitted(method, task.train)
        counts = _inner_counts(task.method, task.train)
    threshold, curve = choose_threshold(thresholds, counts)
    method = _with_threshold(method, threshold)
    events: list[dict[str, Any]] = []
    curves = {}
    for video in task.test:
        found = decide_events(method, video.signals)
        events += [{"video_id": video.video_id, **row} for row in found.to_dict("records")]
        curves[video.video_id] = _curve(method, video.signals)
    record: dict[str, Any] = {
        "threshold": threshold,
        "thresholds": thresholds.tolist(),
        "train_F1": curve.tolist(),
        "events": events,
        "score_kind": None,
        "curves": curves,
    }
    return record if task.naming is None else _named(record, task.naming)


def _with_threshold(method: SpottingMethod, threshold: float) -> SpottingMethod:
    """Return a copy with another threshold; what it has learned goes along."""
    return copy.copy(method).set_params(threshold=threshold)


def _expressions(method: SpottingMethod, signals: Signals) -> pd.DataFrame:
    events = decide_events(method, signals)
    return events[events["kind"].isin(EXPRESSIONS)]


def _fitted(method: SpottingMethod, videos: Sequence[KnownVideo]) -> SpottingMethod:
    fitted: SpottingMethod = clone(method)
    true = [_in_rows(video) for video in videos]
    return fitted.fit([video.signals.rows for video in videos], true, rates=[video.signals.rate for video in videos])


def _in_rows(video: KnownVideo) -> pd.DataFrame:
    """Return the true expressions with their positions in rows: the last face at or before a frame."""
    table = video.true.drop(columns="video_id").reset_index(drop=True)
    table[_SPANS] = table[_SPANS].astype("Int64") // video.signals.stride
    return table


def _inner_counts(method: SpottingMethod, videos: Sequence[KnownVideo]) -> np.ndarray:
    """Count over inner folds, each video by a method that was fitted without its subject."""
    subjects = sorted({video.subject for video in videos})
    if len(subjects) < 2:
        raise DataError(f"{method.name} learns: its threshold needs 2 training subjects, there is {len(subjects)}")
    counts = []
    for fold in range(min(_INNER_FOLDS, len(subjects))):
        held = set(subjects[fold::_INNER_FOLDS])
        fitted = _fitted(method, [video for video in videos if video.subject not in held])
        counts += [count_events(fitted, video.signals, video.true) for video in videos if video.subject in held]
    return np.asarray(np.sum(counts, axis=0))


def _curve(method: SpottingMethod, signals: Signals) -> dict[str, Any]:
    """Return the scores of a video for a drawing: positions in frames, the least and largest score from each on."""
    scores = np.asarray(method.scores(signals.rows, rate=signals.rate), np.float64)
    positions = np.arange(len(scores), dtype=np.int64) * signals.stride
    starts, low, high = reduce_scores(positions, scores, most=_POINTS)
    return {"positions": starts.tolist(), "low": _plain(low), "high": _plain(high)}


def _plain(values: np.ndarray) -> list[float | None]:
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]


def _named(record: dict[str, Any], task: NamingTask) -> dict[str, Any]:
    """Return the record with labels of its expressions; those that cannot be named are `unnamed`."""
    places = [place for place, event in enumerate(record["events"]) if event["kind"] in EXPRESSIONS]
    for event in record["events"]:
        event["label"] = UNNAMED if event["kind"] in EXPRESSIONS else ""
    inputs, able = [], []
    for place, clip in zip(places, _cut([record["events"][place] for place in places], task.test), strict=True):
        if task.lacks(clip) is None and (row := _input(task, clip)) is not None:
            inputs.append(row)
            able.append(place)
    if not able:
        return record
    test_X = inputs if task.prefix is None else np.concatenate(inputs)
    domain = np.zeros(len(task.train_y), int)
    answer = run_fold(task.learner, FoldTask(task.train_X, task.train_y, test_X, task.groups, domain))
    if "error" in answer:
        return answer
    record["score_kind"] = answer["score_kind"]
    for row, place in enumerate(able):
        event = record["events"][place]
        event["label"] = answer["y_pred"][row]
        event |= {f"{answer['score_kind']}_{name}": values[row] for name, values in answer["scores"].items()}
    return record


def _cut(events: Sequence[dict[str, Any]], videos: VideoSet) -> list[Clip]:
    """Return the found expressions as clips, as `VideoSet.clips` cuts out true ones."""
    if not events:
        return []
    intervals = pd.DataFrame(events)[["video_id", *_SPANS, "kind"]]
    intervals.index = pd.Index([f"{event['video_id']}_F{place:04d}" for place, event in enumerate(events)], dtype="str")
    return VideoSet(videos.videos, intervals, videos.sources).clips(KINDS).clips


def _input(task: NamingTask, clip: Clip) -> Any:
    """Return what the recognizer's learning part takes for a clip, or None if that cannot be computed."""
    if task.prefix is None:
        return clip
    try:
        return extract(task.prefix, [clip], cache=task.cache)
    except MicroexprError:
        return None
