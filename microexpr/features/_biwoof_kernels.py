"""Loops of Bi-WOOF: optical strain, and sums of flow magnitude by block and bin of orientation.

A vector's bin follows from the signs of u and v and from which is longer; only vectors near an edge between bins,
where rounding decides, are given an angle. A row is coded in one loop and counted in another: the first vectorises.
"""

# mypy: allow-untyped-defs

__all__ = ["LARGEST", "block_sums"]

import math

import numpy as np
from numba import njit

# How near to an edge, as a part of its squared length, a vector is given an angle: far above what rounding moves.
_NEAR = 1e-12
# Beyond this, sums of products of magnitude and strain could overflow.
LARGEST = 1e100


@njit(nogil=True, cache=True)
def block_sums(flow, strain, rows, columns, edges, sectors, magnitudes, strains):
    """Add up flow magnitude by block and bin, and strain by block; return False if a value is not within 1e100.

    flow : (height, width, 2), u and v; strain : (height, width), or (0, 0) to compute it from the flow, to the last
        bit as `optical_strain` does
    rows, columns : int64 (n, 2), where the blocks along each axis start and end
    edges : float64 (n_bins + 1,), in degrees, ascending from -180 to 180; the last bin includes 180
    sectors : int64 (8,), the bin of 4 (v < 0) + 2 (u < 0) + (|v| > |u|); or (0,), where bins are no eighths
    magnitudes : float64 (n_rows, n_columns, n_bins), strains : float64 (n_rows, n_columns), zeros; added to
    """
    height, width = flow.shape[:2]
    # The row, the one above and the one below, taken apart; row r is in place r % 3. Memory for the whole picture
    # would take longer to get than to fill.
    u, v = np.empty((3, width), np.float64), np.empty((3, width), np.float64)
    computed = np.empty(width, np.float64)
    lengths = np.empty(width, np.float64)
    # Without a sign, as an index that may be negative has to be looked at first.
    codes = np.empty(width, np.uint64)
    strain_sums = np.empty(width, np.float64)
    # Four of each sum: equal codes in a row would wait for each other's addition.
    totals = np.empty((columns.shape[0], 4, 8 + edges.size - 1), np.float64)
    for block_row in range(rows.shape[0]):
        totals[:] = 0.0
        strain_sums[:] = 0.0
        first = rows[block_row, 0]
        for row in range(max(first - 1, 0), first + 1):
            _take_apart(flow[row], u[row % 3], v[row % 3])
        for row in range(first, rows[block_row, 1]):
            above, here, below = max(row - 1, 0) % 3, row % 3, min(row + 1, height - 1) % 3
            if row + 1 < height:
                _take_apart(flow[row + 1], u[below], v[below])
            near, within = _code_row(u[here], v[here], lengths, codes)
            if not within:
                return False
            if near or sectors.size == 0:
                _code_by_angle(u[here], v[here], edges, sectors.size == 0, codes)
            for block in range(columns.shape[0]):
                start, stop = columns[block, 0], columns[block, 1]
                _tally(lengths[start:stop], codes[start:stop], totals[block])
            if strain.size:
                _add(strain[row], strain_sums)
            else:
                # Differences span two pixels inside, one at the border; to halve is exact, so multiplying is as good.
                scale = 1.0 if row == 0 or row == height - 1 else 0.5
                _strain_row(u[above], u[here], u[below], v[above], v[here], v[below], scale, computed)
                _add(computed, strain_sums)
        for block in range(columns.shape[0]):
            strains[block_row, block] += strain_sums[columns[block, 0] : columns[block, 1]].sum()
            sums = totals[block, 0] + totals[block, 1] + totals[block, 2] + totals[block, 3]
            for sector in range(sectors.size):
                magnitudes[block_row, block, sectors[sector]] += sums[sector]
            for index in range(edges.size - 1):
                magnitudes[block_row, block, index] += sums[8 + index]
    return True


@njit(nogil=True, cache=True)
def _take_apart(vectors, u, v):
    for column in range(u.size):
        u[column] = vectors[column, 0]
        v[column] = vectors[column, 1]


# Optical strain once more, row by row: a sweep over the picture of its own would read the flow twice. A test holds it
# to `optical_strain`, bit by bit.
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
        across, down = u[column] * u[column], v[column] * v[column]
        lengths[column] = np.sqrt(across + down)
        codes[column] = 4 * (v[column] < 0) + 2 * (u[column] < 0) + (down > across)
        near += _is_near(u[column], v[column])
        within += across + down <= LARGEST * LARGEST
    return near, within == lengths.size


@njit(nogil=True, cache=True)
def _code_by_angle(u, v, edges, every, codes):
    """Write 8 + the bin of each vector near an edge, or of every vector."""
    for column in range(codes.size):
        if every or _is_near(u[column], v[column]):
            codes[column] = 8 + _bin_of(u[column], v[column], edges)


@njit(nogil=True, cache=True)
def _is_near(u, v):
    # Both 0 is near nothing: such a vector counts with the weight 0.
    across, down = u * u, v * v
    nearness = _NEAR * (across + down)
    return (abs(u * v) < nearness) | (abs(across - down) < nearness)


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
def _add(values, sums):
    for index in range(sums.size):
        sums[index] += values[index]
