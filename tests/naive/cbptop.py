"""Slow obvious twin of CBP-TOP: loops over centres, planes and pairs, with exact fractions, from the formula."""

import math
from fractions import Fraction

import numpy as np


def cbptop(clip, radii, threshold, blocks):
    """The histograms (time, row, column, plane, bin), for whole-number clips."""
    radius_x, radius_y, radius_t = radii
    border = max(radius_x, radius_y)
    n_frames, height, width = clip.shape
    n_rows, n_columns, n_times = blocks
    counts = np.zeros((n_times, n_rows, n_columns, 3, 32))
    for t in range(radius_t, n_frames - radius_t):
        for y in range(border, height - border):
            for x in range(border, width - border):
                member = (
                    block_of(t - radius_t, n_frames - 2 * radius_t, n_times),
                    block_of(y - border, height - 2 * border, n_rows),
                    block_of(x - border, width - 2 * border, n_columns),
                )
                for plane in range(3):
                    around = []
                    for p in range(8):
                        cosine, sine = math.cos(2 * math.pi * p / 8), math.sin(2 * math.pi * p / 8)
                        dt, dy, dx = (
                            (0, -radius_y * sine, radius_x * cosine),
                            (radius_t * sine, 0, radius_x * cosine),
                            (radius_t * cosine, -radius_y * sine, 0),
                        )[plane]
                        around.append(int(clip[t + round(dt), y + round(dy), x + round(dx)]))
                    counts[member][plane][code_of(int(clip[t, y, x]), around, threshold)] += 1
    return counts / counts.sum(axis=-1, keepdims=True)


def code_of(centre, around, threshold):
    mean = Fraction(sum(around) + centre, 9)
    differences = [Fraction(around[p] - around[p + 4]) for p in range(4)] + [centre - mean]
    return sum((abs(difference) >= Fraction(threshold)) << bit for bit, difference in enumerate(differences))


def block_of(centre, length, n_blocks):
    return min(centre // (length // n_blocks), n_blocks - 1)
