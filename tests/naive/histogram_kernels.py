"""Distances and kernels between histograms, pair by pair and bin by bin, from their formulas."""

import numpy as np


def chi2_distances(rows, columns):
    return np.array([[_chi2(row, column) for column in columns] for row in rows])


def intersections(rows, columns):
    return np.array([[sum(min(x, y) for x, y in zip(row, column, strict=True)) for column in columns] for row in rows])


def _chi2(row, column):
    total = 0.0
    for x, y in zip(row, column, strict=True):
        if x + y > 0:
            total += (x - y) ** 2 / (x + y)
    return total
