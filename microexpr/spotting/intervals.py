"""From numbers row by row to intervals: levels of a moving window, peaks and how far they reach, tables of events."""

__all__ = ["LONGEST_MICRO", "cosine_skirt", "event_table", "kind_of", "peak_intervals", "window_levels"]

from collections.abc import Iterable

import numpy as np
import pandas as pd

from microexpr.core.checks import check_float, check_int
from microexpr.core.errors import DataError
from microexpr.spotting.method import EVENT_COLUMNS, empty_events

#: Longer expressions are macro-expressions, in seconds.
LONGEST_MICRO = 0.5

# Rows whose windows are laid side by side at once: some 10 MB at 50 rows a second and windows of a minute.
_CHUNK = 512
# Durations are whole rows over a rate: half a second at 29.97 rows a second must not be a macro-expression by rounding.
_ROUNDING = 1e-9


def window_levels(values: np.ndarray, *, half: int) -> tuple[np.ndarray, np.ndarray]:
    """Compute the mean and the maximum of the rows around each row.

    The window of row i holds the rows from i - half to i + half, as far as there are any; NaN are left out.

    Parameters
    ----------
    values : float64 ndarray of shape (n_rows,)
    half : int >= 0, in rows

    Returns
    -------
    mean, largest : float64 ndarray of shape (n_rows,)
        NaN where the window holds nothing else.

    Raises
    ------
    DataError
        If `values` has another shape.
    ParameterError
        If `half` is no integer >= 0.

    Notes
    -----
    Every window is summed by itself: a piece of a long video gives the same numbers as the whole to the last bit, which
    running sums do not.

    Examples
    --------
    >>> import numpy as np
    >>> mean, largest = window_levels(np.array([0.0, 3.0, 0.0, np.nan]), half=1)
    >>> mean.tolist(), largest.tolist()
    ([1.5, 1.0, 1.5, 0.0], [3.0, 3.0, 3.0, 0.0])
    """
    check_int(half, "half", minimum=0)
    values = _checked_column(values, "values")
    padded = np.pad(values, half, constant_values=np.nan)
    mean, largest = np.empty(len(values)), np.empty(len(values))
    for start in range(0, len(values), _CHUNK):
        stop = min(start + _CHUNK, len(values))
        windows = np.lib.stride_tricks.sliding_window_view(padded[start : stop + 2 * half], 2 * half + 1)
        known = ~np.isnan(windows)
        counts = known.sum(axis=1)
        sums = np.where(known, windows, 0.0).sum(axis=1)
        mean[start:stop] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        largest[start:stop] = np.where(counts > 0, np.where(known, windows, -np.inf).max(axis=1), np.nan)
    return mean, largest


def peak_intervals(
    values: np.ndarray,
    scores: np.ndarray | None = None,
    *,
    threshold: float,
    edge: float,
    longest: int,
    base: np.ndarray | float = 0.0,
    widen: float = 0.0,
) -> np.ndarray:
    """Find the peaks that reach a threshold, and the interval that each stands for.

    1. Peaks are rows that are higher than the row before and not lower than the one after, with a score of at least
       `threshold`.
    2. The interval of a peak goes on, both ways, while rows are at least base + edge * (peak - base); a single row
       below is bridged. Where it meets a row higher than the peak it ends at the lowest row in between.
    3. One that is longer than `longest` rows, once widened, is dropped, and so is one that meets no end within so many
       rows on either side.
    4. So is a peak inside the interval of a higher one; of equal peaks the first stays.
    5. A row in two intervals is the higher peak's.
    6. Intervals are widened at both ends by a part of their length, as far as rows are known; two that would meet end
       in the middle between them.

    So a peak starts and ends an event at a part of its own height (hysteresis), and what is found depends on no row
    farther from the peak than 5 * longest + 1.

    Parameters
    ----------
    values : float64 ndarray of shape (n_rows,)
        NaN where nothing is known; no interval begins or ends there.
    scores : float64 ndarray of shape (n_rows,), optional
        What is compared with the threshold; `values` by default.
    threshold : float
    edge : float in [0, 1]
        Where an event starts and ends, as a part of the peak's height over `base`.
    longest : int > 0, in rows
    base : float or float64 ndarray of shape (n_rows,)
        What heights are measured from; of an array, the peak's row counts.
    widen : float in [0, 1]
        Part of the length from 2. that is added at each end, rounded to whole rows; see `cosine_skirt`.

    Returns
    -------
    int64 ndarray of shape (n_events, 3)
        Onset, apex and offset, by apex; both ends inclusive. Intervals share no row.

    Raises
    ------
    DataError
        If arrays are not of one length.
    ParameterError
        If a parameter is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> peak_intervals(np.array([0.0, 1, 4, 8, 4, 1, 0, 0]), threshold=5, edge=0.25, longest=10).tolist()
    [[2, 3, 4]]
    """
    check_float(edge, "edge", minimum=0.0, maximum=1.0)
    check_float(widen, "widen", minimum=0.0, maximum=1.0)
    check_int(longest, "longest", minimum=1)
    check_float(threshold, "threshold")
    values = _checked_column(values, "values")
    told = values if scores is None else _checked_column(scores, "scores")
    bases = _checked_column(np.full(values.shape, base) if np.ndim(base) == 0 else np.asarray(base), "base")
    if not len(values) == len(told) == len(bases):
        raise DataError(f"values, scores and base have {len(values)}, {len(told)} and {len(bases)} rows: one is needed")
    # Nothing known is as low as can be.
    heights = np.where(np.isnan(values), -np.inf, values)
    framed = np.concatenate([[-np.inf], heights, [-np.inf]])
    peaks = np.flatnonzero((heights > framed[:-2]) & (heights >= framed[2:]) & (told >= threshold))
    plain = heights.tolist()
    found = []
    for apex in peaks.tolist():
        level = float(bases[apex] + edge * (values[apex] - bases[apex]))
        onset, offset = _edge(plain, apex, -1, level, longest), _edge(plain, apex, 1, level, longest)
        length = offset - onset + 1
        if length + 2 * round(widen * length) <= longest:
            found.append((onset, apex, offset))
    return np.array(_widened(_disjoint(found, plain), plain, widen), np.int64).reshape(-1, 3)


def cosine_skirt(edge: float) -> float:
    """Return what to widen an interval by, if it ends at a part of the height of what rises and falls as a cosine.

    (1 - cos(2 pi x)) / 2 reaches `edge` at x = arccos(1 - 2 edge) / (2 pi), so that x / (1 - 2 x) of the length above
    it is missing at each end.

    Parameters
    ----------
    edge : float in [0, 0.5]

    Returns
    -------
    float
        In [0, 0.5].

    Examples
    --------
    >>> cosine_skirt(0.0), round(cosine_skirt(0.25), 6), round(cosine_skirt(0.5), 6)
    (0.0, 0.25, 0.5)
    """
    missing = float(np.arccos(1.0 - 2.0 * check_float(edge, "edge", minimum=0.0, maximum=0.5))) / (2 * np.pi)
    return missing / (1.0 - 2.0 * missing)


def kind_of(n_rows: int, rate: float) -> str:
    """Return whether an expression of so many rows is a `micro` or a `macro` one."""
    return "micro" if n_rows / rate <= LONGEST_MICRO + _ROUNDING else "macro"


def event_table(events: Iterable[tuple[int, int, int, str, float, str]], *, rate: float) -> pd.DataFrame:
    """Make the table of events, by onset.

    Parameters
    ----------
    events : iterable of (onset, apex, offset, kind, score, region)
        Rows, both ends inclusive.
    rate : float > 0, in rows per second

    Returns
    -------
    DataFrame
        Columns `EVENT_COLUMNS`; duration is that from the start of the onset's row to the end of the offset's.

    Examples
    --------
    >>> event_table([(3, 5, 8, "micro", 0.9, "chin")], rate=30.0)
       onset  apex  offset   kind  score region  duration
    0      3     5       8  micro    0.9   chin       0.2
    """
    rows = [(*event, (event[2] - event[0] + 1) / rate) for event in sorted(events, key=lambda event: event[:3])]
    empty = empty_events()
    return pd.DataFrame(rows, columns=list(EVENT_COLUMNS)).astype(empty.dtypes.to_dict()) if rows else empty


def _edge(heights: list[float], apex: int, step: int, level: float, longest: int) -> int:
    """Return the last row of a peak's interval in one direction; a row too many if it is longer than allowed."""
    peak, last, lowest, row = heights[apex], apex, apex, apex
    while abs(last - apex) < longest:
        row += step
        if not 0 <= row < len(heights):
            break
        height = heights[row]
        if height > peak or (height == peak and step < 0):
            # Another's slope begins at the lowest row between the two.
            return lowest
        if height >= level:
            last = row
            if lowest == apex or height < heights[lowest]:
                lowest = row
        elif row - step != last:
            break
    return last


def _disjoint(found: list[tuple[int, int, int]], heights: list[float]) -> list[tuple[int, int, int]]:
    """Return the spans whose peak is in no higher one's, by apex; rows that they share go to the higher one."""
    # Higher ones are written over lower ones, the first of equal ones over the others.
    ranked = sorted(found, key=lambda span: (heights[span[1]], -span[1]))
    owner = np.full(len(heights), -1)
    for rank, (onset, _, offset) in enumerate(ranked):
        owner[onset : offset + 1] = rank
    kept = []
    for rank, (onset, apex, offset) in enumerate(ranked):
        if owner[apex] == rank:
            lost = np.flatnonzero(owner[onset : offset + 1] != rank) + onset
            before, after = lost[lost < apex], lost[lost > apex]
            first = int(before[-1]) + 1 if len(before) else onset
            kept.append((first, apex, int(after[0]) - 1 if len(after) else offset))
    return sorted(kept, key=lambda span: span[1])


def _widened(spans: list[tuple[int, int, int]], heights: list[float], widen: float) -> list[tuple[int, int, int]]:
    """Return the spans with a part of their length added at both ends, as far as there is room."""
    wide = []
    for place, (onset, apex, offset) in enumerate(spans):
        more = round(widen * (offset - onset + 1))
        first, last = 0, len(heights) - 1
        if place > 0:
            first = (spans[place - 1][2] + onset) // 2 + 1
        if place + 1 < len(spans):
            last = (offset + spans[place + 1][0]) // 2
        for _ in range(more):
            onset -= onset > first and heights[onset - 1] > -np.inf
            offset += offset < last and heights[offset + 1] > -np.inf
        wide.append((onset, apex, offset))
    return wide


def _checked_column(values: np.ndarray, name: str) -> np.ndarray:
    column = np.asarray(values, np.float64)
    if column.ndim != 1:
        raise DataError(f"{name} has shape {column.shape}; it must be (n_rows,)")
    return column
