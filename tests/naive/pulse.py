"""Slow obvious twins of POS and CHROM, from the papers' formulas: one loop over windows, numbers one by one."""

import math


def mean(values):
    return sum(values) / len(values)


def deviation(values):
    middle = mean(values)
    return math.sqrt(mean([(value - middle) ** 2 for value in values]))


def pos(colours, length):
    """Wang et al. 2017, algorithm 1: a list of (R, G, B) -> the overlap-added sum, and how many windows each frame had.

    Frames are counted from 0; the window that ends at frame n begins at n - length + 1.
    """
    total, count = [0.0] * len(colours), [0] * len(colours)
    for n in range(len(colours)):
        m = n - length + 1
        if m < 0:
            continue
        normalized = []
        for channel in range(3):
            values = [colours[k][channel] for k in range(m, n + 1)]
            normalized.append([value / mean(values) for value in values])
        red, green, blue = normalized
        s1 = [0 * r + 1 * g - 1 * b for r, g, b in zip(red, green, blue, strict=True)]
        s2 = [-2 * r + 1 * g + 1 * b for r, g, b in zip(red, green, blue, strict=True)]
        h = [one + deviation(s1) / deviation(s2) * two for one, two in zip(s1, s2, strict=True)]
        for k in range(length):
            total[m + k] += h[k] - mean(h)
            count[m + k] += 1
    return total, count


def chrom(colours, length, filtered):
    """De Haan and Jeanne 2013, equations of X, Y, alpha and S: windows that overlap by half, Hann weights.

    `filtered` takes a list of numbers, a whole channel divided by a constant, and gives its part within the band.
    """
    total = [0.0] * len(colours)
    first = 0
    while first + length <= len(colours):
        parts = []
        for channel in range(3):
            level = mean([colours[k][channel] for k in range(first, first + length)])
            parts.append(filtered([colour[channel] / level for colour in colours])[first : first + length])
        red, green, blue = parts
        x = [3 * r - 2 * g for r, g in zip(red, green, strict=True)]
        y = [1.5 * r + g - 1.5 * b for r, g, b in zip(red, green, blue, strict=True)]
        alpha = deviation(x) / deviation(y)
        for k in range(length):
            s = x[k] - alpha * y[k]
            total[first + k] += s * (0.5 - 0.5 * math.cos(2 * math.pi * k / length))
        first += length // 2
    return total
