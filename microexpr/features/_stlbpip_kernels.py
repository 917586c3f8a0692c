"""Loops of STLBP-IP: codes of projections and of images of projections, and one sweep of its robust PCA."""

# mypy: allow-untyped-defs

__all__ = ["count_lines", "count_squares", "draw_apart"]

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def count_lines(lines, reach, counts):
    """Add the 1-D codes of each line to counts: the values to the left first, then those to the right.

    lines : float64 (n_lines, length)
    reach : values compared on each side; those nearer to an end than that are no centres
    counts : int64 (2 ** (2 * reach),); added to
    """
    for line in range(lines.shape[0]):
        values = lines[line]
        for centre in range(reach, values.size - reach):
            code = 0
            for neighbor in range(centre - reach, centre + reach + 1):
                if neighbor != centre:
                    code = 2 * code + (values[neighbor] >= values[centre])
            counts[code] += 1


@njit(nogil=True, cache=True)
def count_squares(image, weights, counts):
    """Add the codes of all inner pixels to counts; neighbours start at the right and go on counter-clockwise.

    image : float64 (height, width)
    weights : float64 (4, 4), for each diagonal (up right, up left, down left, down right) those of the upper left,
        upper right, lower left and lower right of the four pixels that it lies between
    counts : int64 (256,); added to
    """
    for row in range(1, image.shape[0] - 1):
        for column in range(1, image.shape[1] - 1):
            centre = image[row, column]
            code = (
                (image[row, column + 1] >= centre)
                | (image[row - 1, column] >= centre) << 2
                | (image[row, column - 1] >= centre) << 4
                | (image[row + 1, column] >= centre) << 6
            )
            for diagonal in range(4):
                top = row - 1 if diagonal < 2 else row
                left = column if diagonal in (0, 3) else column - 1
                value = _rounded(
                    weights[diagonal, 0] * image[top, left]
                    + weights[diagonal, 1] * image[top, left + 1]
                    + weights[diagonal, 2] * image[top + 1, left]
                    + weights[diagonal, 3] * image[top + 1, left + 1]
                )
                code |= (value >= centre) << (2 * diagonal + 1)
            counts[code] += 1


@njit(nogil=True, cache=True)
def _rounded(value):
    """Round to four decimals, half away from zero."""
    scaled = 1e4 * value
    whole = np.trunc(scaled)
    part = scaled - whole
    if part >= 0.5:
        whole += 1.0
    elif part <= -0.5:
        whole -= 1.0
    return whole / 1e4


@njit(nogil=True, cache=True)
def draw_apart(data, low_rank, shrunk, sparse, share, bound):
    """Begin the next step of robust PCA: new values of shrunk (M) and sparse (E); return the squared norm of D - A - E.

    The dual needs no memory: after a step, Y = mu (M - A). All arrays are float64 (n_rows, n_columns).

    share : mu of the step that ends over mu of the next
    bound : by how much values are drawn towards 0
    """
    residual = 0.0
    for row in range(data.shape[0]):
        whole = data[row]
        low = low_rank[row]
        before = shrunk[row]
        apart = sparse[row]
        for i in range(whole.size):
            left = whole[i] - low[i]
            gap = left - apart[i]
            residual += gap * gap
            target = left + share * (before[i] - low[i])
            within = min(max(target, -bound), bound)
            apart[i] = target - within
            before[i] = low[i] + within
    return residual
