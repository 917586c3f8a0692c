"""Which intervals found in long videos hit which true ones: one to one, by the frames they share."""

__all__ = ["check_intervals", "match_intervals"]

import numbers
from collections.abc import Hashable

import numpy as np
import pandas as pd

from microexpr.core.checks import check_float
from microexpr.core.errors import DataError, ParameterError, join_names


def match_intervals(true: pd.DataFrame, found: pd.DataFrame, *, iou: float = 0.5) -> pd.DataFrame:
    """Match true and found intervals one to one.

    IoU = n_shared / n_either, the frames in both intervals over the frames in at least one. Two intervals of one video
    may be a pair if their IoU is at least `iou`, and no interval is in two pairs. Of all such matchings one of the most
    pairs is returned, and among those one of the largest total IoU.

    Parameters
    ----------
    true, found : DataFrame with one row per interval
        Columns onset and offset: zero-based positions, both inclusive (from onset 3 to offset 5 are 3 frames). With a
        column `video_id` in both, only intervals of the same video meet; without one in either, all are of one video.
        Further columns are not looked at. Either table may have no rows.
    iou : float in (0, 1]
        The least IoU of a pair. At 0 intervals apart from each other would be pairs, so it is refused.

    Returns
    -------
    DataFrame
        One row per pair, in the order of `true`: `true` and `found` (int64, positions of the rows, as `iloc` takes
        them) and `iou` (float64). What is in no pair is a miss or a false positive.

    Raises
    ------
    ParameterError
        If `iou` is no number in (0, 1].
    DataError
        As `check_intervals`; also if one table alone has a column `video_id`, or a value is missing in it.

    Notes
    -----
    One interval over two true ones is one hit and one miss; two intervals over one true one are one hit and one false
    positive. Counting each true interval that meets any found one would let one long interval over everything pass as
    many hits.

    The matching is that of the assignment problem [1]_ over the gain IoU + n for pairs that may be and 0 for others,
    with n the largest number of pairs. A pair more gains n; what p pairs' IoU add up to is at most p, so fewer pairs
    never gain as much. Taking the largest IoU first is not the same: it can spend an interval that was another's only
    partner. It only differs where intervals of one table overlap, as a micro-expression within a macro-expression does,
    or `iou` is at most .5: above that an interval has at most one partner among intervals that do not overlap.

    Total IoU is compared to the precision of a float64. What ties even there is settled by the solver from rows sorted
    by onset and offset, the same way each time; the order of the rows counts for equal intervals only.

    [2]_ counts a hit at an IoU of .5 or more. How an interval over two true ones counts is our choice.

    References
    ----------
    .. [1] D. F. Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Transactions on Aerospace and
       Electronic Systems, 2016.
    .. [2] J. Li, S.-J. Wang, M. H. Yap, J. See, X. Hong, X. Li, "MEGC2020: the third facial micro-expression grand
       challenge", FG, 2020.

    Examples
    --------
    >>> import pandas as pd
    >>> true = pd.DataFrame({"onset": [10, 40], "offset": [19, 49]})
    >>> found = pd.DataFrame({"onset": [70, 12], "offset": [75, 19]})
    >>> match_intervals(true, found)
       true  found  iou
    0     0      1  0.8
    """
    if (least := check_float(iou, "iou", maximum=1)) <= 0:
        raise ParameterError(f"iou is {iou!r}: it must be greater than 0")
    spans_true, spans_found = check_intervals(true, "true"), check_intervals(found, "found")
    if ("video_id" in true) != ("video_id" in found):
        alone, lacking = ("true", "found") if "video_id" in true else ("found", "true")
        raise DataError(f"{lacking} lacks the column video_id, which {alone} has; both need it, or neither")
    rows_found = _rows_by_video(found, "found")
    pairs: list[tuple[int, int, float]] = []
    for video_id, rows in _rows_by_video(true, "true").items():
        if video_id in rows_found:
            own = rows_found[video_id]
            best = _best_pairs(spans_true[rows], spans_found[own], least)
            pairs += [(int(rows[row]), int(own[column]), ratio) for row, column, ratio in best]
    table = pd.DataFrame(sorted(pairs), columns=["true", "found", "iou"])
    return table.astype({"true": np.int64, "found": np.int64, "iou": np.float64})


def check_intervals(table: pd.DataFrame, name: str) -> np.ndarray:
    """Check a table of intervals, and return their ends.

    Parameters
    ----------
    table : DataFrame with columns onset and offset
    name : str
        What messages call the table.

    Returns
    -------
    int64 ndarray of shape (n_intervals, 2)
        Onset and offset, both inclusive.

    Raises
    ------
    DataError
        If `table` is no DataFrame or lacks a column, or an onset or offset is missing, no whole number >= 0, or the
        onset comes after the offset.
    """
    if not isinstance(table, pd.DataFrame):
        raise DataError(f"{name} is a {type(table).__name__}: it must be a DataFrame of intervals")
    if missing := [column for column in ("onset", "offset") if column not in table]:
        raise DataError(f"{name} lacks the column {join_names(missing)}")
    spans = np.empty((len(table), 2), dtype=np.int64)
    for position, (row, onset, offset) in enumerate(zip(table.index, table["onset"], table["offset"], strict=True)):
        spans[position] = _frame(onset, "onset", name, row), _frame(offset, "offset", name, row)
        if onset > offset:
            raise DataError(f"{name}, row {row!r}: onset {onset} comes after offset {offset}")
    return spans


def _frame(value: object, column: str, name: str, row: Hashable) -> int:
    if value is None or value is pd.NA or value != value:
        raise DataError(f"{name}, row {row!r}: {column} is missing; an interval needs both its ends")
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not float(value).is_integer() or value < 0:
        raise DataError(f"{name}, row {row!r}: {column} is {value!r}: it must be a whole number of frames, at least 0")
    return int(float(value))


def _rows_by_video(table: pd.DataFrame, name: str) -> dict[Hashable, np.ndarray]:
    """Return the positions of each video's rows, in order."""
    if "video_id" not in table:
        return {"": np.arange(len(table))}
    if (gaps := table["video_id"].isna().to_numpy(dtype=bool)).any():
        raise DataError(f"{name}, row {join_names(map(repr, table.index[gaps]))}: video_id is missing")
    codes, video_ids = pd.factorize(table["video_id"])
    return {video_id: np.flatnonzero(codes == code) for code, video_id in enumerate(video_ids)}


def _best_pairs(spans_true: np.ndarray, spans_found: np.ndarray, least: float) -> list[tuple[int, int, float]]:
    """Return row, column and IoU of the pairs of one video."""
    from scipy.optimize import linear_sum_assignment

    # Sorted, so that equal solutions are settled alike whatever the order of the rows.
    order_true, order_found = np.lexsort(spans_true.T[::-1]), np.lexsort(spans_found.T[::-1])
    ratios = _ious(spans_true[order_true], spans_found[order_found])
    may = ratios >= least
    # Most intervals of a long video meet none: leaving them out keeps the problem small.
    rows, columns = np.flatnonzero(may.any(axis=1)), np.flatnonzero(may.any(axis=0))
    ratios, may = ratios[np.ix_(rows, columns)], may[np.ix_(rows, columns)]
    gain = np.where(may, ratios + min(may.shape), 0.0)
    chosen = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
    return [
        (int(order_true[rows[row]]), int(order_found[columns[column]]), float(ratios[row, column]))
        for row, column in chosen
        if may[row, column]
    ]


def _ious(spans_true: np.ndarray, spans_found: np.ndarray) -> np.ndarray:
    """Return the IoU of each true (rows) with each found interval; the correctly rounded quotient of two counts."""
    onsets = np.maximum(spans_true[:, np.newaxis, 0], spans_found[np.newaxis, :, 0])
    offsets = np.minimum(spans_true[:, np.newaxis, 1], spans_found[np.newaxis, :, 1])
    shared = np.maximum(offsets - onsets + 1, 0)
    lengths_true, lengths_found = (spans[:, 1] - spans[:, 0] + 1 for spans in (spans_true, spans_found))
    return shared / (lengths_true[:, np.newaxis] + lengths_found[np.newaxis, :] - shared)
