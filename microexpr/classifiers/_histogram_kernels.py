"""Compiled sums over pairs of histograms: chi-square distances and intersections."""

__all__ = ["add_chi2", "add_intersection"]

import numpy as np
from numba import njit

# Features worked on at a time, so that a band of all histograms stays in the processor's cache.
_BAND = 64
# Added to x + y: leaves every sum above 1e-284 as it is, and makes 0 / 0 come out as 0.
_TINY = 1e-300


# A division that raised for 0, as Python's does, would be carried out one by one; here none has 0 below the line.
@njit(nogil=True, cache=True, error_model="numpy")
def add_chi2(rows: np.ndarray, columns: np.ndarray, same: bool, totals: np.ndarray) -> None:
    """Add sum (x - y)^2 / (x + y) to `totals[x, y]`.

    `rows` is (n_rows, n_features), `columns` (n_features, n_columns); `same` says that they hold the same histograms,
    and only the pairs with y >= x are then computed.
    """
    n_rows, n_features = rows.shape
    n_columns = columns.shape[1]
    for first in range(0, n_features, _BAND):
        last = min(first + _BAND, n_features)
        for row in range(n_rows):
            start = row if same else 0
            # One sum a column, all side by side: sums along the features could not be taken several at a time.
            sums = totals[row, start:]
            for feature in range(first, last):
                value = rows[row, feature]
                others = columns[feature, start:]
                for column in range(n_columns - start):
                    other = others[column]
                    difference = value - other
                    sums[column] += difference * difference / (value + other + _TINY)


@njit(nogil=True, cache=True)
def add_intersection(rows: np.ndarray, columns: np.ndarray, same: bool, totals: np.ndarray) -> None:
    """Add sum min(x, y) to `totals[x, y]`; shapes and `same` as for `add_chi2`."""
    n_rows, n_features = rows.shape
    n_columns = columns.shape[1]
    for first in range(0, n_features, _BAND):
        last = min(first + _BAND, n_features)
        for row in range(n_rows):
            start = row if same else 0
            sums = totals[row, start:]
            for feature in range(first, last):
                value = rows[row, feature]
                others = columns[feature, start:]
                for column in range(n_columns - start):
                    other = others[column]
                    sums[column] += value if value < other else other
