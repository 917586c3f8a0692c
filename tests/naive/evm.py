"""Slow obvious twin of Eulerian video magnification: a pyramid of every frame, every value filtered on its own."""

import math

import numpy as np
from scipy.signal import butter

TAPS = [math.sqrt(2) * weight / 16 for weight in (1, 4, 6, 4, 1)]


def mirrored(index, size):
    """The index that `index` is mirrored to, the edge not repeated."""
    if index < 0:
        return mirrored(-index, size)
    if index > size - 1:
        return mirrored(2 * (size - 1) - index, size)
    return index


def filtered_line(line):
    size = len(line)
    return [sum(TAPS[k] * line[mirrored(i + k - 2, size)] for k in range(5)) for i in range(size)]


def filtered(image):
    rows = np.array([filtered_line(list(row)) for row in image])
    return np.array([filtered_line(list(column)) for column in rows.T]).T


def expanded(image, shape):
    spread = np.zeros(shape)
    for row in range(len(image)):
        for column in range(len(image[0])):
            spread[2 * row, 2 * column] = image[row, column]
    return filtered(spread)


def pyramid(image):
    height, width = image.shape
    levels = []
    while min(height, width) >= 5:
        height, width = height // 2, width // 2
        smaller = filtered(image)[::2, ::2]
        levels.append(image - expanded(smaller, image.shape))
        image = smaller
    return [*levels, image]


def magnify(frames, *, alpha, lambda_c, method, r1=0.4, r2=0.05, low=0.4, high=3.0, fps=30.0):
    pyramids = [pyramid(np.asarray(frame, float)) for frame in frames]
    n_levels = len(pyramids[0])
    # butter() wants a fraction of fps / 2; the authors hand it a fraction of fps.
    (low_b, low_a), (high_b, high_a) = butter(1, low / fps), butter(1, high / fps)
    result = [np.asarray(frames[0], float)]
    first = [level.copy() for level in pyramids[0]]
    second = [level.copy() for level in pyramids[0]]
    delta = lambda_c / 8 / (1 + alpha)
    for t in range(1, len(frames)):
        wavelength = math.sqrt(frames[0].shape[0] ** 2 + frames[0].shape[1] ** 2) / 3
        bands = [None] * n_levels
        for level in reversed(range(n_levels)):
            now, before = pyramids[t][level], pyramids[t - 1][level]
            if method == "iir":
                first[level] = (1 - r1) * first[level] + r1 * now
                second[level] = (1 - r2) * second[level] + r2 * now
            else:
                first[level] = (high_b[0] * now + high_b[1] * before - high_a[1] * first[level]) / high_a[0]
                second[level] = (low_b[0] * now + low_b[1] * before - low_a[1] * second[level]) / low_a[0]
            gain = min(alpha, (wavelength / delta / 8 - 1) * 2)
            if level in (0, n_levels - 1):
                gain = 0
            bands[level] = gain * (first[level] - second[level])
            wavelength /= 2
        total = bands[-1]
        for band in bands[-2::-1]:
            total = expanded(total, band.shape) + band
        result.append(np.asarray(frames[t], float) + total)
    return np.array(result)
