"""Hits, false positives and misses of each subject's long videos, from checked tables of intervals."""

__all__ = ["SpottingCounts", "count_hits"]

import numbers
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from microexpr.core.checks import check_choice
from microexpr.core.errors import DataError, join_names
from microexpr.data.videos import KINDS
from microexpr.spotting.matching import check_intervals, match_intervals


@dataclass(frozen=True)
class SpottingCounts:
    """What spotting and recognition on hits are scored from.

    Attributes
    ----------
    subjects : tuple of str, sorted
    counts : int64 ndarray of shape (n_subjects, 3)
        TP, FP and FN of each subject.
    matrices : int64 ndarray of shape (n_subjects, n_classes, n_classes), or None
        The hits by true (rows) and found label (columns), without those whose true label is missing; None if a table
        has no labels.
    classes : tuple of str, sorted
        The labels of either table.
    true_classes : tuple of str, sorted
        Those of true intervals, hit or not.
    n_to_apex : int
        How many true intervals end at their apex, as their offset is missing.
    lacks_labels : tuple of str
        The tables without a column label.
    """

    subjects: tuple[str, ...]
    counts: np.ndarray
    matrices: np.ndarray | None
    classes: tuple[str, ...]
    true_classes: tuple[str, ...]
    n_to_apex: int
    lacks_labels: tuple[str, ...]


def count_hits(
    true: pd.DataFrame, found: pd.DataFrame, videos: pd.DataFrame, *, iou: float = 0.5, kind: str | None = None
) -> SpottingCounts:
    """Count hits, false positives and misses of each subject, matched one to one in each video.

    Parameters
    ----------
    true, found, videos, iou, kind
        As in `spottingmetrics.spotting_scores`.

    Returns
    -------
    SpottingCounts

    Raises
    ------
    ParameterError, DataError
        As `spottingmetrics.spotting_scores`.
    """
    if kind is not None:
        check_choice(kind, "kind", KINDS)
    _check_videos(videos)
    closed, to_apex = _closed(true)
    truth, claims = _prepared(closed, "true", videos, kind), _prepared(found, "found", videos, kind)
    pairs = match_intervals(truth, claims, iou=iou)
    codes, subjects = pd.factorize(videos["subject"].astype("str"), sort=True)
    owner = pd.Series(codes, index=videos.index)
    # As integers whatever the tables hold: an empty one has no type.
    owner_true, owner_found = (owner.reindex(table["video_id"]).to_numpy(dtype=np.intp) for table in (truth, claims))
    hit = pairs["true"].to_numpy()
    n_hits, n_true, n_found = (
        np.bincount(owners, minlength=len(subjects)) for owners in (owner_true[hit], owner_true, owner_found)
    )
    lacks = tuple(name for name, table in (("true", truth), ("found", claims)) if "label" not in table)
    true_classes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    matrices = None
    if not lacks:
        true_classes = tuple(sorted(truth["label"].dropna().unique()))
        classes = tuple(sorted({*true_classes, *claims["label"]}))
        named = pd.Index(classes, dtype="object")
        pair_true = named.get_indexer(pd.Index(truth["label"].iloc[hit], dtype="object"))
        pair_found = named.get_indexer(pd.Index(claims["label"].iloc[pairs["found"]], dtype="object"))
        known = pair_true >= 0
        matrices = np.zeros((len(subjects), len(classes), len(classes)), dtype=np.int64)
        np.add.at(matrices, (owner_true[hit][known], pair_true[known], pair_found[known]), 1)
    return SpottingCounts(
        tuple(subjects),
        np.stack([n_hits, n_found - n_hits, n_true - n_hits], axis=1),
        matrices,
        classes,
        true_classes,
        int(to_apex[truth["position"]].sum()),
        lacks,
    )


def _check_videos(videos: pd.DataFrame) -> None:
    if not isinstance(videos, pd.DataFrame):
        raise DataError(f"videos is a {type(videos).__name__}: it must be a DataFrame indexed by video_id")
    if missing := [column for column in ("subject", "n_frames") if column not in videos]:
        raise DataError(f"videos lacks the column {join_names(missing)}")
    if videos.empty:
        raise DataError("videos is empty: there is no video to score")
    if (repeated := videos.index.duplicated()).any():
        raise DataError(f"videos names a video more than once: {join_names(videos.index[repeated].unique())}")
    if (gaps := videos["subject"].isna().to_numpy()).any():
        raise DataError(f"videos has no subject for {join_names(videos.index[gaps])}")
    for video_id, value in videos["n_frames"].items():
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not float(value).is_integer() or value < 1:
            raise DataError(f"videos, {video_id}: n_frames is {value!r}: it must be a whole number, at least 1")


def _closed(true: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the table with the apex where an offset is missing, and which rows those are."""
    if not isinstance(true, pd.DataFrame):
        return true, np.zeros(0, dtype=bool)  # refused with the other table's faults
    if "offset" not in true or "apex" not in true:
        return true, np.zeros(len(true), dtype=bool)
    open_ended = true["offset"].isna().to_numpy(dtype=bool)
    if (endless := open_ended & true["apex"].isna().to_numpy(dtype=bool)).any():
        rows = join_names(map(repr, true.index[endless]))
        raise DataError(f"true, row {rows}: neither offset nor apex is known; an interval needs an end")
    return true.assign(offset=true["offset"].astype("object").where(~open_ended, true["apex"])), open_ended


def _prepared(table: pd.DataFrame, name: str, videos: pd.DataFrame, kind: str | None) -> pd.DataFrame:
    """Return the checked rows of one kind, sorted so that the order of rows cannot settle what ties."""
    spans = check_intervals(table, name)
    if "video_id" not in table:
        raise DataError(f"{name} lacks the column video_id")
    for row, video_id, offset in zip(table.index, table["video_id"], spans[:, 1], strict=True):
        if video_id not in videos.index:
            raise DataError(f"{name}, row {row!r}: there is no video {video_id!r}")
        if offset >= (n_frames := int(videos.at[video_id, "n_frames"])):
            raise DataError(
                f"{name}, row {row!r}: offset {offset} lies outside {video_id}, which has {n_frames} frames"
            )
    kept = np.ones(len(table), dtype=bool)
    if "kind" in table:
        for row, value in zip(table.index, table["kind"], strict=True):
            _check_text(value, name, row, "kind", KINDS)
        kept = kept if kind is None else (table["kind"] == kind).to_numpy(dtype=bool)
    elif kind is not None and name == "true":
        raise DataError(f"true lacks the column kind, which choosing {kind!r} needs")
    if "label" in table:
        for row, value in zip(table.index, table["label"], strict=True):
            if name == "found" or not pd.isna(value):
                _check_text(value, name, row, "label", ())
    ends = table.assign(onset=spans[:, 0], offset=spans[:, 1], position=np.arange(len(table)))[kept].reset_index(
        drop=True
    )
    order = [column for column in ("video_id", "onset", "offset", "label") if column in ends]
    return ends.sort_values(order, kind="stable", ignore_index=True)


def _check_text(value: object, name: str, row: Hashable, column: str, choices: tuple[str, ...]) -> None:
    if not isinstance(value, str) or not value or (choices and value not in choices):
        rule = f"one of {', '.join(map(repr, choices))}" if choices else "a name"
        raise DataError(f"{name}, row {row!r}: {column} is {value!r}: it must be {rule}")
