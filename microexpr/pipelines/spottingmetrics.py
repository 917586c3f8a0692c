"""Scores of intervals found in long videos: counts pooled over all videos, recognition on the hits, and both in one."""

__all__ = ["SPOTTING_METRICS", "SpottingScores", "spotting_interval", "spotting_scores"]

from typing import TypedDict

import numpy as np
import pandas as pd

from microexpr.core.checks import check_choice, check_float, check_int
from microexpr.core.errors import DataError, ParameterError
from microexpr.pipelines.metrics import figures
from microexpr.pipelines.spottingcounts import SpottingCounts, count_hits

# The one way of drawing subjects, whatever is scored: another copy would drift from it.
from microexpr.pipelines.statistics import Interval, subject_interval

SPOTTING_METRICS = ("F1", "STRS")
"""The figures that intervals over subjects are made for."""


class SpottingScores(TypedDict):
    """The figures of a set of videos; see `spotting_scores`."""

    n_videos: int
    n_subjects: int
    n_true: int
    n_found: int
    TP: int
    FP: int
    FN: int
    precision: float
    recall: float
    F1: float
    n_recognized: int
    UF1: float
    UAR: float
    accuracy: float
    STRS: float
    absent: tuple[str, ...]
    by_subject: dict[str, tuple[int, int, int]]
    note: str


def spotting_scores(
    true: pd.DataFrame, found: pd.DataFrame, videos: pd.DataFrame, *, iou: float = 0.5, kind: str | None = None
) -> SpottingScores:
    """Compute the figures of intervals found in long videos, pooled over all videos.

    1. In each video the intervals are matched one to one by `match_intervals`. 2. TP is the number of pairs, FP that of
    found and FN that of true intervals without a partner, each summed over all videos: a video without an expression
    adds its false positives. 3. precision = TP / (TP + FP), recall = TP / (TP + FN), F1 = 2 TP / (2 TP + FP + FN).
    4. The labels of the pairs are scored as `metrics.scores` does: UF1, UAR, accuracy. 5. STRS = F1 * UF1.

    Parameters
    ----------
    true : DataFrame with one row per true interval
        Columns video_id, onset, offset: zero-based positions in the video's own frames, both inclusive. `apex` is read
        where an offset is missing: the interval then ends at its apex, all that the annotation vouches for, as in
        `VideoSet.clips`. `kind` (micro or macro) and `label` may be there; `VideoSet.intervals` with a column label
        will do.
    found : DataFrame with one row per found interval
        Columns video_id, onset, offset; `kind` and `label` may be there. Blinks and other movements that a method lists
        are no expressions: leave them out.
    videos : DataFrame indexed by video_id
        Columns subject and n_frames, as `VideoSet.videos`: every video that was searched, with expressions or without.
    iou : float in (0, 1]
        The least IoU of a hit.
    kind : {"micro", "macro"}, optional
        Score the intervals of one kind only. Intervals found without a column `kind` are all taken to be of it. With
        None every interval is scored, and kinds are not compared: a micro-expression may be hit by what was taken for
        a macro-expression.

    Returns
    -------
    dict
        n_videos, n_subjects, n_true, n_found; TP, FP, FN; precision, recall, F1; n_recognized (the hits whose true
        label is known), UF1, UAR, accuracy and STRS; `absent`, the true labels that no hit has; `by_subject`, TP, FP
        and FN of each subject, `{subject: (TP, FP, FN)}`; and `note`, sentences on what could not be scored ("" if
        there is nothing to say).

    Raises
    ------
    ParameterError
        If `iou` or `kind` breaks its rule.
    DataError
        If a table lacks a column, names an unknown video, or has an interval that is not one: an end missing or no
        whole number, onset after offset, or outside its video; if a kind is neither micro nor macro, or a label no
        text, or missing in `found`; if there is no video, one repeats, has no subject or no number of frames.

    Notes
    -----
    A quotient of 0 / 0 is NaN, and `note` says so. Nothing true and nothing found has no F1: 1 would be praise for
    silence, which a search of empty videos earns without looking. Nothing found where something is true, and something
    found where nothing is, are an F1 of 0. STRS is 0 without a hit, whatever recognition would be, and NaN where
    a table has no labels or no hit has a true one.

    A hit whose true label is missing (`others` under a map that drops them) counts for spotting and is left out of
    recognition. UF1 and UAR are means over the labels that the hits truly have; those they lack are in `absent`.

    No figure depends on the order of rows.

    Differs from the program to [1]_ in: the pairs (there one found interval may hit several true ones, and the first
    that reaches the IoU is taken); videos without a true interval and subjects without a found one, which it leaves
    out; the F1 of recognition, UF1 here and there the harmonic mean of mean precision and mean recall over all labels,
    those without a hit included. [2]_ pools F1 over videos as here, and counts a hit at .5 or more.

    References
    ----------
    .. [1] G.-B. Liong, J. See, C. S. Chan, "Spot-then-recognize: a micro-expression analysis network for seamless
       evaluation of long videos", Signal Processing: Image Communication, 2023.
    .. [2] J. Li, S.-J. Wang, M. H. Yap, J. See, X. Hong, X. Li, "MEGC2020: the third facial micro-expression grand
       challenge", FG, 2020.

    Examples
    --------
    >>> import pandas as pd
    >>> videos = pd.DataFrame({"subject": ["toy/a", "toy/b"], "n_frames": 90}, index=["toy/a/1", "toy/b/1"])
    >>> true = pd.DataFrame({"video_id": "toy/a/1", "onset": [10, 40], "offset": [19, 49], "label": "fear"})
    >>> found = pd.DataFrame({
    ...     "video_id": ["toy/a/1", "toy/b/1"], "onset": [12, 60], "offset": [19, 65], "label": ["fear", "disgust"]})
    >>> pooled = spotting_scores(true, found, videos)
    >>> pooled["TP"], pooled["FP"], pooled["FN"], pooled["F1"], pooled["STRS"]
    (1, 1, 1, 0.5, 0.5)
    >>> pooled["by_subject"]
    {'toy/a': (1, 0, 1), 'toy/b': (0, 1, 0)}
    """
    tally = count_hits(true, found, videos, iou=iou, kind=kind)
    total = tally.counts.sum(axis=0)
    hits, alarms, misses = (int(count) for count in total)
    matrix = None if tally.matrices is None else tally.matrices.sum(axis=0)
    n_recognized = 0 if matrix is None else int(matrix.sum())
    recognition = dict.fromkeys(("UF1", "UAR", "accuracy"), float("nan"))
    absent: tuple[str, ...] = ()
    if matrix is not None and n_recognized:
        recognition = {name: float(value) for name, value in figures(matrix).items() if name in recognition}
        had = dict(zip(tally.classes, matrix.sum(axis=-1), strict=True))
        absent = tuple(name for name in tally.true_classes if not had[name])
    return SpottingScores(
        n_videos=len(videos),
        n_subjects=len(tally.subjects),
        n_true=hits + misses,
        n_found=hits + alarms,
        TP=hits,
        FP=alarms,
        FN=misses,
        precision=_ratio(hits, hits + alarms),
        recall=_ratio(hits, hits + misses),
        F1=float(_f1(total)),
        n_recognized=n_recognized,
        UF1=recognition["UF1"],
        UAR=recognition["UAR"],
        accuracy=recognition["accuracy"],
        STRS=float("nan") if matrix is None else float(_strs(total, matrix)),
        absent=absent,
        by_subject={
            subject: (int(row[0]), int(row[1]), int(row[2]))
            for subject, row in zip(tally.subjects, tally.counts, strict=True)
        },
        note=_note(tally, n_recognized, absent),
    )


def spotting_interval(
    true: pd.DataFrame,
    found: pd.DataFrame,
    videos: pd.DataFrame,
    *,
    metric: str = "F1",
    iou: float = 0.5,
    kind: str | None = None,
    n_resamples: int = 2000,
    confidence: float = 0.95,
    random_state: int = 0,
) -> Interval:
    """Compute a spotting score and its percentile bootstrap interval over subjects.

    As many subjects as there are in `videos` are drawn with replacement, each with all its videos; what was drawn is
    pooled and scored as `spotting_scores` does, as `statistics.bootstrap_interval` does for clips.

    Parameters
    ----------
    true, found, videos, iou, kind
        As in `spotting_scores`.
    metric : {"F1", "STRS"}
        STRS needs a column `label` in both tables.
    n_resamples : int >= 1
    confidence : float in (0, 1)
    random_state : int >= 0

    Returns
    -------
    Interval
        `n_clips` is the number of true intervals.

    Raises
    ------
    ParameterError
        If an argument breaks its rule.
    DataError
        As `spotting_scores`; also if `metric` is STRS and a table has no labels.

    Notes
    -----
    The matching is done once: it never crosses subjects. With one subject the ends are NaN. They are also NaN if a
    resample has no score (nothing true and nothing found, or hits without any label), which takes few subjects, most
    of them with empty videos: the interval would be one over some resamples only.

    Examples
    --------
    >>> import pandas as pd
    >>> videos = pd.DataFrame({"subject": ["toy/a", "toy/b"], "n_frames": 90}, index=["toy/a/1", "toy/b/1"])
    >>> true = pd.DataFrame({"video_id": ["toy/a/1", "toy/b/1"], "onset": 10, "offset": 19})
    >>> found = pd.DataFrame({"video_id": ["toy/a/1", "toy/b/1"], "onset": [10, 50], "offset": [19, 59]})
    >>> interval = spotting_interval(true, found, videos)
    >>> interval.estimate, interval.low, interval.high
    (0.5, 0.0, 1.0)
    """
    check_choice(metric, "metric", SPOTTING_METRICS)
    check_int(n_resamples, "n_resamples", minimum=1)
    if not 0.0 < check_float(confidence, "confidence") < 1.0:
        raise ParameterError(f"confidence is {confidence!r}: it must lie between 0 and 1")
    check_int(random_state, "random_state", minimum=0)
    tally = count_hits(true, found, videos, iou=iou, kind=kind)
    if metric == "STRS" and tally.matrices is None:
        raise DataError(f"STRS needs labels: no column label in {' and '.join(tally.lacks_labels)}")
    n_subjects, n_classes = len(tally.subjects), len(tally.classes)
    # Counts and confusions side by side, so that one draw of subjects serves both factors of STRS.
    cells = np.zeros((n_subjects, 0)) if tally.matrices is None else tally.matrices.reshape(n_subjects, -1)
    rows = np.concatenate([tally.counts, cells], axis=1)

    def score(pooled: np.ndarray) -> np.ndarray:
        counts = pooled[..., :3]
        if metric == "F1":
            return _f1(counts)
        return _strs(counts, pooled[..., 3:].reshape(*pooled.shape[:-1], n_classes, n_classes))

    gaps: list[bool] = []

    def finite(pooled: np.ndarray) -> np.ndarray:
        values = score(pooled)
        gaps.append(bool(np.isnan(values).any()))
        return np.nan_to_num(values)  # scipy would warn, of something else

    low, high = subject_interval(rows, finite, n_resamples, confidence, random_state)
    if any(gaps):
        low = high = float("nan")
    n_true = int(tally.counts[:, 0].sum() + tally.counts[:, 2].sum())
    return Interval(metric, float(score(rows.sum(axis=0))), low, high, confidence, n_true, n_subjects)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _f1(counts: np.ndarray) -> np.ndarray:
    """Return F1 of counts (..., 3) of TP, FP, FN; NaN where all are 0."""
    twice = 2 * counts[..., 0]
    whole = twice + counts[..., 1] + counts[..., 2]
    return np.where(whole > 0, twice / np.maximum(whole, 1), np.nan)


def _strs(counts: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Return F1 * UF1 of counts (..., 3) and confusions (..., n_classes, n_classes) of the hits."""
    spotting = _f1(counts)
    hit = counts[..., 0] > 0
    if not matrices.shape[-1]:
        return spotting  # nobody named anything, so nothing was hit: 0 or NaN
    labelled = matrices.sum(axis=(-2, -1)) > 0
    # One made-up clip where there is none keeps the division defined; its figure is not used.
    filled = np.array(matrices, dtype=np.float64)
    filled[..., 0, 0] += ~labelled
    recognition = np.where(labelled, figures(filled)["UF1"], np.nan)
    return np.where(hit, spotting * recognition, spotting)


def _note(tally: SpottingCounts, n_recognized: int, absent: tuple[str, ...]) -> str:
    """Return what the figures do not say themselves."""
    hits, alarms, misses = tally.counts.sum(axis=0).tolist()
    said = []
    if not hits + alarms + misses:
        said.append("nothing is true and nothing was found: there is no F1")
    elif not hits + misses:
        said.append("nothing is true: there is no recall")
    elif not hits + alarms:
        said.append("nothing was found: there is no precision")
    if tally.n_to_apex:
        said.append(f"{tally.n_to_apex} of the true intervals end at the apex, as no offset is known")
    if tally.lacks_labels:
        said.append(f"no column label in {' and '.join(tally.lacks_labels)}: recognition is not scored")
    elif not hits:
        said.append("there is no hit: recognition is not scored")
    elif not n_recognized:
        said.append("no hit has a true label: recognition is not scored")
    elif n_recognized < hits:
        said.append(f"{hits - n_recognized} of {hits} hits have no true label: recognition is scored without them")
    if absent:
        over = ", ".join(name for name in tally.true_classes if name not in absent)
        said.append(f"no hit is {' or '.join(absent)}: recognition is scored over {over}")
    return "; ".join(said)
