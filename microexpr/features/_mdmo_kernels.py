"""Loops of MDMO: in each region of each flow field, the mean vector of the direction that most vectors have.

Directions are eighths of the circle around the multiples of 45 degrees. A vector's follows from the signs of u and v,
and from whether one of them is shorter than tan(22.5 degrees) times the other: no angle is computed. A region's vectors
are put side by side, coded, counted and added up in a loop each: the simple ones vectorise.
"""

# mypy: allow-untyped-defs

__all__ = ["LARGEST", "main_motions"]

import math

import numpy as np
from numba import njit

_TANGENT = math.sqrt(2.0) - 1.0
# Sums of that many vectors of this length stay finite.
LARGEST = 1e100
# The codes of the directions 0, 45, ..., 315 degrees: 8 (v is short) + 4 (u is short) + 2 (v < 0) + (u < 0). Without
# motion both are short.
_CODES = np.array([(8, 10), (0, 0), (4, 5), (1, 1), (9, 11), (3, 3), (6, 7), (2, 2)])


@njit(nogil=True, cache=True)
def main_motions(flows, positions, starts, out):
    """Write the mean vector of each region's fullest bin; return False if a value is not within 1e100.

    flows : float32 or float64 (n_frames, n_pixels, 2)
    positions : uint64, the pixels of all regions, region by region
    starts : int64 (n_regions + 1,), into positions
    out : float64 (n_frames, n_regions, 2), zeros; stays so where there is no motion
    """
    size = np.diff(starts).max()
    u, v, codes = np.empty(size, np.float64), np.empty(size, np.float64), np.empty(size, np.int64)
    # Four counts of each: equal codes in a row would wait for each other's increment.
    counts = np.empty((4, 16), np.int64)
    for frame in range(flows.shape[0]):
        # This also fetches the frame into nearby memory, in order: the gathering below then takes half as long.
        if not _is_within(flows[frame].reshape(-1)):
            return False
        for region in range(starts.size - 1):
            size = starts[region + 1] - starts[region]
            _gather(flows[frame], positions[starts[region] : starts[region + 1]], u, v)
            _code(u[:size], v[:size], codes[:size])
            _count(codes[:size], counts)
            code, other, count = _fullest(counts)
            if count > 0:
                u_sum, v_sum = _sums(u[:size], v[:size], codes[:size], code, other)
                out[frame, region, 0] = u_sum / count
                out[frame, region, 1] = v_sum / count
    return True


@njit(nogil=True, cache=True)
def _is_within(values):
    count = 0
    for index in range(values.size):
        count += abs(values[index]) <= LARGEST
    return count == values.size


@njit(nogil=True, cache=True)
def _gather(vectors, positions, u, v):
    for index in range(positions.size):
        position = positions[index]
        u[index] = vectors[position, 0]
        v[index] = vectors[position, 1]


@njit(nogil=True, cache=True)
def _code(u, v, codes):
    for index in range(codes.size):
        across, down = abs(u[index]), abs(v[index])
        codes[index] = (
            8 * (down <= _TANGENT * across) + 4 * (across <= _TANGENT * down) + 2 * (v[index] < 0) + (u[index] < 0)
        )


@njit(nogil=True, cache=True)
def _count(codes, counts):
    counts[:] = 0
    quarter = codes.size // 4
    for index in range(quarter):
        first = 4 * index
        counts[0, codes[first]] += 1
        counts[1, codes[first + 1]] += 1
        counts[2, codes[first + 2]] += 1
        counts[3, codes[first + 3]] += 1
    for index in range(4 * quarter, codes.size):
        counts[0, codes[index]] += 1


@njit(nogil=True, cache=True)
def _fullest(counts):
    """Return the codes of the bin that has most vectors, the first on ties, and how many it has."""
    best_code, best_other, best_count = 0, 0, 0
    for index in range(_CODES.shape[0]):
        code, other = _CODES[index, 0], _CODES[index, 1]
        count = 0
        for copy in range(counts.shape[0]):
            count += counts[copy, code]
            if other != code:
                count += counts[copy, other]
        if count > best_count:
            best_code, best_other, best_count = code, other, count
    return best_code, best_other, best_count


@njit(nogil=True, cache=True)
def _sums(u, v, codes, code, other):
    """Add up the vectors that have one of two codes."""
    u_even = v_even = u_odd = v_odd = 0.0
    for index in range(codes.size // 2):
        even, odd = 2 * index, 2 * index + 1
        # Products, not branches: which vectors count changes too often for the processor to foresee it.
        counts_even = 1.0 * ((codes[even] == code) | (codes[even] == other))
        counts_odd = 1.0 * ((codes[odd] == code) | (codes[odd] == other))
        u_even += counts_even * u[even]
        v_even += counts_even * v[even]
        u_odd += counts_odd * u[odd]
        v_odd += counts_odd * v[odd]
    if codes.size % 2 and (codes[-1] == code or codes[-1] == other):
        u_even += u[-1]
        v_even += v[-1]
    return u_even + u_odd, v_even + v_odd
