"""Loops of CBP-TOP: the codes of all centre pixels and their histograms, one per cell of a grid.

As for LBP-TOP, a frame is flattened: a neighbour is a constant shift, and one loop over array slices serves a whole
band of rows. What lies between two rows' centres is coded along and never counted.
"""

# mypy: allow-untyped-defs

__all__ = ["COPIES", "count_codes"]

import numpy as np
from numba import njit

# Each histogram is kept in four parts: equal codes in a row would wait for each other's increment.
COPIES = 4


@njit(nogil=True, cache=True)
def count_codes(frames, shifts, least, width, border, first, bands, columns, time_cells, counts):
    """Add the codes of all centres to counts.

    frames : float32 or float64 (n_frames, height * width)
    shifts : int64 (3, 8, 2), frames and pixels of a flat frame from the centre to each neighbour, plane by plane
    least : as frames, (2,), what differences of two neighbours, and nine times that of centre and mean, must reach
    border, first : the first centre column and row, the first centre frame
    bands : int64 (n_bands, 3), rows from and to, and their cell along the rows
    columns : int64 (n_cells + 1,), edges of the cells along a row, relative to the first centre
    time_cells : int64 (n_centre_frames,)
    counts : uint32 (n_time_cells, n_row_cells, n_column_cells, 3, COPIES, 32), zeros; added to
    """
    longest = 0
    for band in range(bands.shape[0]):
        longest = max(longest, bands[band, 1] - bands[band, 0])
    codes = np.zeros(longest * width, np.uint8)
    for band in range(bands.shape[0]):
        start = bands[band, 0] * width + border
        stop = bands[band, 1] * width - border
        for index in range(time_cells.size):
            frame = first + index
            for plane in range(3):
                around = shifts[plane]
                _encode(
                    frames[frame, start:stop],
                    _shifted(frames, around[0], frame, start, stop),
                    _shifted(frames, around[1], frame, start, stop),
                    _shifted(frames, around[2], frame, start, stop),
                    _shifted(frames, around[3], frame, start, stop),
                    _shifted(frames, around[4], frame, start, stop),
                    _shifted(frames, around[5], frame, start, stop),
                    _shifted(frames, around[6], frame, start, stop),
                    _shifted(frames, around[7], frame, start, stop),
                    least[0],
                    least[1],
                    codes,
                )
                cell = counts[time_cells[index], bands[band, 2], :, plane]
                _tally(codes, bands[band, 1] - bands[band, 0], width, columns, cell)


@njit(nogil=True, cache=True)
def _shifted(frames, shift, frame, start, stop):
    return frames[frame + shift[0], start + shift[1] : stop + shift[1]]


@njit(nogil=True, cache=True)
def _encode(centres, near0, near1, near2, near3, near4, near5, near6, near7, least, ninefold, codes):
    """Compare each pair of opposite neighbours, and the centre with the mean of the nine pixels."""
    for i in range(centres.size):
        around = near0[i] + near4[i] + near1[i] + near5[i] + near2[i] + near6[i] + near3[i] + near7[i]
        codes[i] = (
            np.uint8(abs(near0[i] - near4[i]) >= least)
            | (np.uint8(abs(near1[i] - near5[i]) >= least) << 1)
            | (np.uint8(abs(near2[i] - near6[i]) >= least) << 2)
            | (np.uint8(abs(near3[i] - near7[i]) >= least) << 3)
            # 9 (centre - mean) without a division: the centre is one of the nine.
            | (np.uint8(abs(8 * centres[i] - around) >= ninefold) << 4)
        )


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
