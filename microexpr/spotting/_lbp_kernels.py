"""The loop of local binary patterns over a labelled picture, for spotting."""

# mypy: allow-untyped-defs

__all__ = ["count_patterns"]

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def count_patterns(grey, labels, rows, columns, bins, counts):
    """Add the patterns of all labelled pixels to the histograms of their labels.

    grey : uint8 (height, width)
    labels : int64 (height, width); -1 is not counted, and nothing is labelled whose neighbours lie outside
    rows, columns : int64 (8,), from a pixel to its neighbours; a neighbour that is not darker sets its bit
    bins : int64 (256,), the bin of each pattern
    counts : float64 (n_labels, n_bins), zeros; added to
    """
    for row in range(grey.shape[0]):
        for column in range(grey.shape[1]):
            label = labels[row, column]
            if label < 0:
                continue
            pattern = 0
            middle = grey[row, column]
            for place in range(8):
                pattern |= np.int64(grey[row + rows[place], column + columns[place]] >= middle) << place
            counts[label, bins[pattern]] += 1.0
