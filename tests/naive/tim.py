"""Slow obvious twin of temporal interpolation: the sums as they are written, one new pixel at a time."""

import math

import numpy as np


def weight(s, j, n_old):
    """Of old frame j in a new frame at s, both counted from 1."""
    total = sum(
        math.cos(math.pi * k * (s - 0.5) / n_old) * math.cos(math.pi * k * (j - 0.5) / n_old) for k in range(1, n_old)
    )
    return 1 / n_old + 2 / n_old * total


def tim(frames, n_frames):
    n_old = len(frames)
    result = np.zeros((n_frames, *np.shape(frames)[1:]))
    for n in range(n_frames):
        s = 1 + (n_old - 1) * n / (n_frames - 1)
        for j in range(1, n_old + 1):
            result[n] += weight(s, j, n_old) * np.asarray(frames[j - 1], dtype=float)
    return result


def linear(frames, n_frames):
    n_old = len(frames)
    result = []
    for n in range(n_frames):
        s = (n_old - 1) * n / (n_frames - 1)
        before = min(math.floor(s), n_old - 2)
        part = s - before
        result.append((1 - part) * np.asarray(frames[before], float) + part * np.asarray(frames[before + 1], float))
    return np.array(result)


def round_half_away(value):
    return math.floor(value + 0.5) if value >= 0 else -math.floor(-value + 0.5)


def to_uint8(value):
    return min(max(round_half_away(value), 0), 255)
