"""Slow obvious twins of GentleBoost: the program as its description reads, and the best stump by its definition.

x is a list of features, each a list of one value a sample; y holds -1 and 1. Both return (feature, threshold, a, b) of
each round, features counted from 0.
"""

import math


def program(x, y, n_rounds, weights=None):
    """Sort, cumulate, take the least error; 0/0 is not-a-number, and no minimum. Ties in x are not grouped."""
    weights = [1.0] * len(y) if weights is None else list(weights)
    stumps = []
    for _ in range(n_rounds):
        best = (math.inf,)
        for feature, values in enumerate(x):
            fitted = program_stump(values, y, weights)
            if fitted[0] < best[0]:
                best = (fitted[0], feature, *fitted[1:])
        stumps.append(best[1:])
        weights = reweighted(x, y, weights, best[1:])
    return stumps


def program_stump(values, targets, weights):
    """(error, threshold, a, b) of one feature."""
    order = sorted(range(len(values)), key=lambda sample: values[sample])
    x = [values[sample] for sample in order]
    z = [targets[sample] for sample in order]
    w = [weights[sample] / sum(weights) for sample in order]
    all_zw = sum(z_i * w_i for z_i, w_i in zip(z, w, strict=True))
    all_wzz = sum(w_i * z_i**2 for z_i, w_i in zip(z, w, strict=True))
    best = (math.inf,)
    for last in range(len(x)):
        s_w, s_zw = sum(w[: last + 1]), sum(z_i * w_i for z_i, w_i in zip(z[: last + 1], w[: last + 1], strict=True))
        if s_w == 0 or 1 - s_w == 0:
            continue
        b = s_zw / s_w
        a = (all_zw - s_zw) / (1 - s_w) - b
        error = all_wzz - 2 * a * (all_zw - s_zw) - 2 * b * all_zw + (a**2 + 2 * a * b) * (1 - s_w) + b**2
        threshold = x[last] if last == len(x) - 1 else (x[last] + x[last + 1]) / 2
        if error < best[0]:
            best = (error, threshold, a, b)
    return best


def by_definition(x, y, n_rounds, weights, group_ties):
    """Of all ways to cut a feature's order in two, the first of least squared error; equal to 1e-12 is equal.

    No cut: in a constant feature, inside a tie if those are grouped, with less than 1e-12 of the weight on a side.
    Where no cut helps: (-1, 0, 0, mean).
    """
    weights = list(weights)
    stumps = []
    for _ in range(n_rounds):
        total = sum(weights)
        everything = range(len(y))
        mean, least = mean_and_error(everything, y, weights, total)
        best = (-1, 0.0, 0.0, mean)
        for feature, values in enumerate(x):
            order = sorted(everything, key=lambda sample, values=values: values[sample])
            for cut in range(1, len(order)):
                left, right = order[:cut], order[cut:]
                low, high = values[left[-1]], values[right[0]]
                if min(values) == max(values) or (group_ties and low == high):
                    continue
                if min(sum(weights[sample] for sample in side) for side in (left, right)) < 1e-12 * total:
                    continue
                b, left_error = mean_and_error(left, y, weights, total)
                c, right_error = mean_and_error(right, y, weights, total)
                if left_error + right_error < least - 1e-12:
                    least = left_error + right_error
                    best = (feature, (low + high) / 2, c - b, b)
        stumps.append(best)
        weights = reweighted(x, y, weights, best)
    return stumps


def mean_and_error(samples, y, weights, total):
    weight = sum(weights[sample] for sample in samples)
    mean = sum(weights[sample] * y[sample] for sample in samples) / weight
    return mean, sum(weights[sample] * (y[sample] - mean) ** 2 for sample in samples) / total


def answer(stump, values):
    """f of one sample, given its values of all features."""
    feature, threshold, a, b = stump
    return a * (values[feature] > threshold) + b


def reweighted(x, y, weights, stump):
    return [
        weight * math.exp(-y[sample] * answer(stump, [values[sample] for values in x]))
        for sample, weight in enumerate(weights)
    ]
