"""Loops of GentleBoost: all rounds of one two-class problem over presorted features.

Most features cannot give a round's best stump. With the weights w summing to 1, E the sum of all z w, and S and W the
sums of z w and w up to a position in a feature's order, the stump that splits there leaves the squared error
1 - E^2 - (S - E W)^2 / (W (1 - W)). So one pass without a division tells whether a feature comes near the best stump
so far; the few that do are evaluated by the program's own formula, in its order, and that alone decides.

Errors closer than MARGIN are equal, and the first stands: otherwise the order of the samples, by way of rounding, would
choose among splits that are the same.
"""

# mypy: allow-untyped-defs

__all__ = ["fit_stumps"]

import math

import numpy as np
from numba import njit

# Sums of doubles near 1 lose some 1e-16 a term. A smaller gap between errors may be rounding; so may be a weight right
# of a split that is smaller, and no mean is formed over that.
MARGIN = 1e-12


@njit(nogil=True, cache=True)
def fit_stumps(values, order, features, targets, weights, n_rounds, tol, group_ties, stumps):
    """Boost on one problem; return how many stumps there are.

    values : float64 (n_features, n_samples)
    order : uint16 or uint32 (n_used, n_samples), the samples from the least to the greatest value of each used feature
    features : int64 (n_used,), the rows of those in values
    targets : float64 (n_samples,), each -1 or 1
    weights : float64 (n_samples,), each > 0, mean 1; changed in place
    tol : stop after a round that lowers the mean of exp(-y F) by less; negative infinity to go on
    stumps : float64 (n_rounds, 5), receives feature, threshold, a, b and the reduction of the squared error
    """
    n_samples = targets.size
    scaled = np.empty((n_samples, 2))
    loss = _sum(weights) / n_samples
    for done in range(n_rounds):
        total = _sum(weights)
        # Below the least normal number the weights lose their digits, and then vanish.
        if total < 2.3e-308:
            return done
        for sample in range(n_samples):
            scaled[sample, 0] = targets[sample] * (weights[sample] / total)
            scaled[sample, 1] = weights[sample] / total
        _best_stump(values, order, features, scaled, group_ties, stumps[done])
        feature = int(stumps[done, 0])
        threshold, slope, base = stumps[done, 1], stumps[done, 2], stumps[done, 3]
        for sample in range(n_samples):
            answer = slope * (1.0 if values[feature, sample] > threshold else 0.0) + base
            weights[sample] *= math.exp(-targets[sample] * answer)
        before, loss = loss, _sum(weights) / n_samples
        if before - loss < tol:
            return done + 1
    return n_rounds


@njit(nogil=True, cache=True)
def _sum(values):
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


@njit(nogil=True, cache=True)
def _best_stump(values, order, features, scaled, group_ties, stump):
    """Write the stump of the least error, the first of equal ones, into stump."""
    mean = 0.0
    for sample in range(scaled.shape[0]):
        mean += scaled[sample, 0]
    # To begin with, the mean for every value.
    stump[0], stump[1], stump[2], stump[3], stump[4] = -1.0, 0.0, 0.0, mean, 0.0
    best_error = 1.0 - mean * mean
    for used in range(features.size):
        column = values[features[used]]
        need = 1.0 - mean * mean - best_error
        if not _comes_near(column, order[used], scaled, mean, need, group_ties):
            continue
        position, error, slope, base = _split(column, order[used], scaled, group_ties)
        if error < best_error - MARGIN:
            best_error = error
            low = column[order[used, position]]
            high = column[order[used, position + 1]]
            threshold = 0.5 * low + 0.5 * high
            # Between neighbouring doubles the midpoint may round up, and would then split nothing.
            stump[0], stump[1] = features[used], low if threshold >= high else threshold
            stump[2], stump[3], stump[4] = slope, base, 1.0 - mean * mean - error


@njit(nogil=True, cache=True)
def _comes_near(column, row, scaled, mean, need, group_ties):
    """Return whether some split reduces the error by more than need."""
    moment = 0.0
    weight = 0.0
    for position in range(row.size - 1):
        sample = row[position]
        moment += scaled[sample, 0]
        weight += scaled[sample, 1]
        gap = moment - mean * weight
        # Rarely true, so that all else is asked then.
        if gap * gap > need * (weight * (1.0 - weight)) and _may_split(column, row, position, weight, group_ties):
            return True
    return False


@njit(nogil=True, cache=True)
def _may_split(column, row, position, weight, group_ties):
    if weight < MARGIN or 1.0 - weight < MARGIN:
        return False
    return not group_ties or column[row[position]] < column[row[position + 1]]


@njit(nogil=True, cache=True)
def _split(column, row, scaled, group_ties):
    """Return position, error, a and b of a feature's best split, as the program computes them."""
    square = 0.0
    mean = 0.0
    for position in range(row.size):
        mean += scaled[row[position], 0]
        square += scaled[row[position], 1]
    best, best_error, best_slope, best_base = 0, np.inf, 0.0, 0.0
    moment = 0.0
    weight = 0.0
    for position in range(row.size - 1):
        moment += scaled[row[position], 0]
        weight += scaled[row[position], 1]
        if not _may_split(column, row, position, weight, group_ties):
            continue
        rest = 1.0 - weight
        base = moment / weight
        slope = (mean - moment) / rest - base
        error = (
            square
            - 2.0 * slope * (mean - moment)
            - 2.0 * base * mean
            + (slope * slope + 2.0 * slope * base) * rest
            + base * base
        )
        if error < best_error - MARGIN:
            best, best_error, best_slope, best_base = position, error, slope, base
    return best, best_error, best_slope, best_base
