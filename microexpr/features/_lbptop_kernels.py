"""Loops of LBP-TOP: the codes of all centre pixels and their histograms, one per cell of a grid.

A frame is flattened, so that a neighbour is a constant shift and one loop over array slices serves a whole band of
rows: such loops vectorise, loops over computed indices do not. What lies between two rows' centres is coded along
and never counted.

Every kernel counts internal codes: the quad of neighbours compared last is in bits 0 to 3, the one before in bits 4
to 7. Arguments they share:

centres : (n_frames, height * width), the values to compare with
border, first : the first centre column and row, the first centre frame
bands : int64 (n_bands, 3), rows from and to, and their cell along the rows
columns : int64 (n_cells + 1,), edges of the cells along a row, relative to the first centre
time_cells : int64 (n_centre_frames,)
counts : uint32 (n_time_cells, n_row_cells, n_column_cells, 3, COPIES, 256), zeros; added to
A shift is int64 (2,): frames, then pixels in the flattened frame.
"""

# mypy: allow-untyped-defs

__all__ = ["COPIES", "count_interpolated", "count_pixels", "count_weighted"]

import numpy as np
from numba import njit

# Each histogram is kept in four parts: equal codes in a row would wait for each other's increment.
COPIES = 4


@njit(nogil=True, cache=True)
def count_pixels(centres, source, shifts, width, border, first, bands, columns, time_cells, counts):
    """Compare with single pixels of source; shifts : (3, n_quads, 4, 2), the quad to compare last first."""
    codes = np.zeros(_longest(bands) * width, np.uint8)
    for band in range(bands.shape[0]):
        start = bands[band, 0] * width + border
        stop = bands[band, 1] * width - border
        for index in range(time_cells.size):
            frame = first + index
            for plane in range(3):
                for quad in range(shifts.shape[1] - 1, -1, -1):
                    _compare_pixels(centres, source, shifts[plane, quad], frame, start, stop, codes)
                cell = counts[time_cells[index], bands[band, 2], :, plane]
                _tally(codes, bands[band, 1] - bands[band, 0], width, columns, cell)


@njit(nogil=True, cache=True)
def count_interpolated(
    centres,
    source,
    whole,
    shifts,
    corners,
    sides,
    across,
    down,
    ahead,
    width,
    border,
    first,
    bands,
    columns,
    time_cells,
    counts,
):
    """Compare with single pixels of whole (bits 0 to 3) and floored single-precision interpolations of source.

    shifts : (3, 4, 2); corners : (3, 4, 4, 2), floor-floor, floor-ceil, ceil-floor, ceil-ceil of the two axes
    sides : int64 (3, 4, 2), which fraction each interpolated neighbour takes along the plane's first and second axis
    across, down, ahead : float32 (2, width), (2, height), (2, n_frames), fractions along x, y, t; `down` is constant
        within a band
    """
    longest = _longest(bands) * width
    codes = np.zeros(longest, np.uint8)
    near = np.empty((4, longest), whole.dtype)
    along_x = np.empty((2, longest), np.float32)
    along_y = np.empty((2, longest), np.float32)
    for side in range(2):
        for position in range(longest):
            along_x[side, position] = across[side, (border + position) % width]
    for band in range(bands.shape[0]):
        start = bands[band, 0] * width + border
        stop = bands[band, 1] * width - border
        row = bands[band, 0]
        for side in range(2):
            along_y[side, :] = down[side, row]
        for index in range(time_cells.size):
            frame = first + index
            for plane in range(3):
                for diagonal in range(4):
                    side = sides[plane, diagonal, 0]
                    other = sides[plane, diagonal, 1]
                    corner = corners[plane, diagonal]
                    _interpolate(
                        _shifted(source, corner[0], frame, start, stop),
                        _shifted(source, corner[1], frame, start, stop),
                        _shifted(source, corner[2], frame, start, stop),
                        _shifted(source, corner[3], frame, start, stop),
                        along_y[side] if plane == 2 else along_x[side],
                        down[other, row] if plane == 0 else ahead[other, frame],
                        near[diagonal],
                    )
                _compare(centres[frame, start:stop], near[0], near[1], near[2], near[3], codes)
                _compare_pixels(centres, whole, shifts[plane], frame, start, stop, codes)
                cell = counts[time_cells[index], bands[band, 2], :, plane]
                _tally(codes, bands[band, 1] - bands[band, 0], width, columns, cell)


@njit(nogil=True, cache=True)
def count_weighted(centres, shifts, corners, weights, width, border, first, bands, columns, time_cells, counts):
    """Compare with single pixels (bits 0 to 3) and with sums of four pixels, rounded to 1e-4.

    shifts : (3, 4, 2); corners : (3, 4, 4, 2); weights : float64 (4, 4), of the corners of each diagonal
    """
    longest = _longest(bands) * width
    codes = np.zeros(longest, np.uint8)
    near = np.empty((4, longest), np.float64)
    for band in range(bands.shape[0]):
        start = bands[band, 0] * width + border
        stop = bands[band, 1] * width - border
        for index in range(time_cells.size):
            frame = first + index
            for plane in range(3):
                for diagonal in range(4):
                    corner = corners[plane, diagonal]
                    _weigh(
                        _shifted(centres, corner[0], frame, start, stop),
                        _shifted(centres, corner[1], frame, start, stop),
                        _shifted(centres, corner[2], frame, start, stop),
                        _shifted(centres, corner[3], frame, start, stop),
                        weights[diagonal],
                        near[diagonal],
                    )
                _compare(centres[frame, start:stop], near[0], near[1], near[2], near[3], codes)
                _compare_pixels(centres, centres, shifts[plane], frame, start, stop, codes)
                cell = counts[time_cells[index], bands[band, 2], :, plane]
                _tally(codes, bands[band, 1] - bands[band, 0], width, columns, cell)


@njit(nogil=True, cache=True)
def _longest(bands):
    longest = 0
    for band in range(bands.shape[0]):
        longest = max(longest, bands[band, 1] - bands[band, 0])
    return longest


@njit(nogil=True, cache=True)
def _shifted(source, shift, frame, start, stop):
    return source[frame + shift[0], start + shift[1] : stop + shift[1]]


@njit(nogil=True, cache=True)
def _compare_pixels(centres, source, shifts, frame, start, stop, codes):
    _compare(
        centres[frame, start:stop],
        _shifted(source, shifts[0], frame, start, stop),
        _shifted(source, shifts[1], frame, start, stop),
        _shifted(source, shifts[2], frame, start, stop),
        _shifted(source, shifts[3], frame, start, stop),
        codes,
    )


@njit(nogil=True, cache=True)
def _compare(centres, first, second, third, fourth, codes):
    """Move the codes' bits up by four and put four comparisons below them."""
    for i in range(centres.size):
        centre = centres[i]
        codes[i] = (
            np.uint8(codes[i] << 4)
            | np.uint8(first[i] >= centre)
            | (np.uint8(second[i] >= centre) << 1)
            | (np.uint8(third[i] >= centre) << 2)
            | (np.uint8(fourth[i] >= centre) << 3)
        )


@njit(nogil=True, cache=True)
def _interpolate(floor_floor, floor_ceil, ceil_floor, ceil_ceil, first, second, out):
    """Interpolate bilinearly, every step rounded to single precision, and floor."""
    one = np.float32(1)
    rest = one - second
    for i in range(floor_floor.size):
        other = one - first[i]
        out[i] = np.floor(
            np.float32(floor_floor[i]) * other * rest
            + np.float32(floor_ceil[i]) * other * second
            + np.float32(ceil_floor[i]) * first[i] * rest
            + np.float32(ceil_ceil[i]) * first[i] * second
        )


@njit(nogil=True, cache=True)
def _weigh(first, second, third, fourth, weights, out):
    """Sum four weighted pixels and round to four decimals, half away from zero."""
    weight0, weight1, weight2, weight3 = weights[0], weights[1], weights[2], weights[3]
    for i in range(first.size):
        value = weight0 * first[i] + weight1 * second[i] + weight2 * third[i] + weight3 * fourth[i]
        scaled = 1e4 * value
        whole = np.trunc(scaled)
        part = scaled - whole
        if part >= 0.5:
            whole += 1.0
        elif part <= -0.5:
            whole -= 1.0
        out[i] = whole / 1e4


@njit(nogil=True, cache=True)
def _tally(codes, n_rows, width, columns, counts):
    """Add the codes of n_rows rows to the histograms of the cells along the row."""
    one = np.uint32(1)
    for cell in range(columns.size - 1):
        histogram = counts[cell]
        for row in range(n_rows):
            run = codes[row * width + columns[cell] : row * width + columns[cell + 1]]
            fours = run.size // 4
            for i in range(fours):
                histogram[0, run[4 * i]] += one
                histogram[1, run[4 * i + 1]] += one
                histogram[2, run[4 * i + 2]] += one
                histogram[3, run[4 * i + 3]] += one
            for i in range(4 * fours, run.size):
                histogram[0, run[i]] += one
