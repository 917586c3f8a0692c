"""Loops of Bi-WOOF: optical strain, and sums of flow magnitude by block and bin of orientation.

A vector's bin follows from the signs of u and v and from which is longer; only vectors near an edge between bins,
where rounding decides, are given an angle. A row is coded in one loop and counted in another: the first vectorises.
"""

# mypy: allow-untyped-defs

__all__ = ["LARGEST", "block_sums", "strain_magnitude"]

import math

import numpy as np
from numba import njit

# How near to an edge, relative to the longer component, a vector is given an angle: far above what rounding moves.
_NEAR = 1e-12
# Beyond this, sums of products of magnitude and strain could overflow.
LARGEST = 1e100


@njit(nogil=True, cache=True)
def block_sums(flow, strain, rows, columns, edges, sectors, magnitudes, strains):
    """Add up flow magnitude by block and bin, and strain by block; return False if a value is not within 1e100.

    flow : (2, height, width), u and v; strain : (height, width)
    rows, columns : int64 (n, 2), where the blocks along each axis start and end
    edges : float64 (n_bins + 1,), in degrees, ascending from -180 to 180; the last bin includes 180
    sectors : int64 (8,), the bin of 4 (v < 0) + 2 (u < 0) + (|v| > |u|); or (0,), where bins are no eighths
    magnitudes : float64 (n_rows, n_columns, n_bins), strains : float64 (n_rows, n_columns), zeros; added to
    """
    width = strain.shape[1]
    lengths = np.empty(width, np.float64)
    codes = np.empty(width, np.int64)
    # Four of each sum: equal codes in a row would wait for each other's addition.
    totals = np.empty((columns.shape[0], 4, 8 + edges.size - 1), np.float64)
    for block_row in range(rows.shape[0]):
        totals[:] = 0.0
        for row in range(rows[block_row, 0], rows[block_row, 1]):
            near, within = _code_row(flow[0, row], flow[1, row], lengths, codes)
            if not within:
                return False
            if near or sectors.size == 0:
                _code_by_angle(flow[0, row], flow[1, row], edges, sectors.size == 0, codes)
            for block in range(columns.shape[0]):
                start, stop = columns[block, 0], columns[block, 1]
                _tally(lengths[start:stop], codes[start:stop], totals[block])
                strains[block_row, block] += _sum(strain[row, start:stop])
        for block in range(columns.shape[0]):
            sums = totals[block, 0] + totals[block, 1] + totals[block, 2] + totals[block, 3]
            for sector in range(sectors.size):
                magnitudes[block_row, block, sectors[sector]] += sums[sector]
            for index in range(edges.size - 1):
                magnitudes[block_row, block, index] += sums[8 + index]
    return True


@njit(nogil=True, cache=True)
def strain_magnitude(flow, out):
    """Write the strain magnitude of a flow (2, height, width), to the last bit `optical_strain`'s."""
    height = out.shape[0]
    for row in range(height):
        above, below = max(row - 1, 0), min(row + 1, height - 1)
        # Differences span two pixels inside, one at the border; to halve is exact, so multiplying is as good.
        _strain_row(
            flow[0, above], flow[0, row], flow[0, below], flow[1, above], flow[1, row], flow[1, below],
            1.0 / (below - above), out[row],
        )  # fmt: skip


@njit(nogil=True, cache=True)
def _strain_row(u_above, u_here, u_below, v_above, v_here, v_below, scale, out):
    last = out.size - 1
    for column in range(1, last):
        u_x = (u_here[column + 1] - u_here[column - 1]) * 0.5
        v_x = (v_here[column + 1] - v_here[column - 1]) * 0.5
        v_y = (v_below[column] - v_above[column]) * scale
        shear = (u_below[column] - u_above[column]) * scale + v_x
        out[column] = np.sqrt(u_x * u_x + v_y * v_y + shear * shear * 0.5)
    for column in (0, last):
        left, right = max(column - 1, 0), min(column + 1, last)
        u_x = u_here[right] - u_here[left]
        v_y = (v_below[column] - v_above[column]) * scale
        shear = (u_below[column] - u_above[column]) * scale + (v_here[right] - v_here[left])
        out[column] = np.sqrt(u_x * u_x + v_y * v_y + shear * shear * 0.5)


@njit(nogil=True, cache=True)
def _code_row(u, v, lengths, codes):
    """Write the length and the sector of each vector; return how many are near an edge, and if all are in bounds."""
    near = 0
    within = 0
    for column in range(lengths.size):
        across, down = abs(u[column]), abs(v[column])
        lengths[column] = np.sqrt(u[column] * u[column] + v[column] * v[column])
        codes[column] = 4 * (v[column] < 0) + 2 * (u[column] < 0) + (down > across)
        near += _is_near(across, down)
        within += (across <= LARGEST) & (down <= LARGEST)
    return near, within == lengths.size


@njit(nogil=True, cache=True)
def _code_by_angle(u, v, edges, every, codes):
    """Write 8 + the bin of each vector near an edge, or of every vector."""
    for column in range(codes.size):
        across, down = abs(u[column]), abs(v[column])
        if every or _is_near(across, down):
            codes[column] = 8 + _bin_of(u[column], v[column], edges)


@njit(nogil=True, cache=True)
def _is_near(across, down):
    # Both 0 is near nothing: such a vector counts with the weight 0.
    return (across < _NEAR * down) | (down < _NEAR * across) | (abs(across - down) < _NEAR * down)


@njit(nogil=True, cache=True)
def _bin_of(u, v, edges):
    # A v of -0.0 is made 0.0: the same motion must not have two angles.
    angle = math.atan2(v + 0.0, u) * (180.0 / math.pi)
    last = edges.size - 2
    index = min(max(int((angle + 180.0) / 360.0 * (last + 1)), 0), last)
    while index > 0 and angle < edges[index]:
        index -= 1
    while index < last and angle >= edges[index + 1]:
        index += 1
    return index


@njit(nogil=True, cache=True)
def _tally(lengths, codes, totals):
    quarter = lengths.size // 4
    for index in range(quarter):
        first = 4 * index
        totals[0, codes[first]] += lengths[first]
        totals[1, codes[first + 1]] += lengths[first + 1]
        totals[2, codes[first + 2]] += lengths[first + 2]
        totals[3, codes[first + 3]] += lengths[first + 3]
    for index in range(4 * quarter, lengths.size):
        totals[0, codes[index]] += lengths[index]


@njit(nogil=True, cache=True)
def _sum(values):
    first = second = third = fourth = 0.0
    quarter = values.size // 4
    for index in range(quarter):
        first += values[4 * index]
        second += values[4 * index + 1]
        third += values[4 * index + 2]
        fourth += values[4 * index + 3]
    for index in range(4 * quarter, values.size):
        first += values[index]
    return first + second + third + fourth
