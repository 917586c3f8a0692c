"""Slow obvious twin of LBP-SIP: loops over centres and their six neighbours, from the formula."""

import numpy as np


def lbpsip(clip, radii, blocks):
    """The histograms (time, row, column, bin): 16 spatial bins, then 4 temporal ones."""
    radius_x, radius_y, radius_t = radii
    border = max(radius_x, radius_y)
    n_frames, height, width = clip.shape
    n_rows, n_columns, n_times = blocks
    counts = np.zeros((n_times, n_rows, n_columns, 20))
    for t in range(radius_t, n_frames - radius_t):
        for y in range(border, height - border):
            for x in range(border, width - border):
                centre = clip[t, y, x]
                beside = [clip[t, y, x + radius_x], clip[t, y - radius_y, x]]
                beside += [clip[t, y, x - radius_x], clip[t, y + radius_y, x]]
                in_time = [clip[t + radius_t, y, x], clip[t - radius_t, y, x]]
                member = (
                    block_of(t - radius_t, n_frames - 2 * radius_t, n_times),
                    block_of(y - border, height - 2 * border, n_rows),
                    block_of(x - border, width - 2 * border, n_columns),
                )
                counts[member][sum(2**bit for bit, value in enumerate(beside) if value >= centre)] += 1
                counts[member][16 + sum(2**bit for bit, value in enumerate(in_time) if value >= centre)] += 1
    return counts / (counts.sum(axis=-1, keepdims=True) / 2)


def block_of(centre, length, n_blocks):
    return min(centre // (length // n_blocks), n_blocks - 1)
