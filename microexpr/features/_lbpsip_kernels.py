"""Loops of LBP-SIP: the codes of all centre pixels and their histograms, one per cell of a grid.

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
def count_codes(frames, shifts, width, border, first, bands, columns, time_cells, counts):
    """Add the codes of all centres to counts: bits 0 to 3 of the neighbours in the frame, 4 and 5 of those in time.

    frames : (n_frames, height * width)
    shifts : int64 (6, 2), frames and pixels of a flat frame from the centre to each neighbour
    border, first : the first centre column and row, the first centre frame
    bands : int64 (n_bands, 3), rows from and to, and their cell along the rows
    columns : int64 (n_cells + 1,), edges of the cells along a row, relative to the first centre
    time_cells : int64 (n_centre_frames,)
    counts : uint32 (n_time_cells, n_row_cells, n_column_cells, COPIES, 64), zeros; added to
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
            _encode(
                frames[frame, start:stop],
                _shifted(frames, shifts[0], frame, start, stop),
                _shifted(frames, shifts[1], frame, start, stop),
                _shifted(frames, shifts[2], frame, start, stop),
                _shifted(frames, shifts[3], frame, start, stop),
                _shifted(frames, shifts[4], frame, start, stop),
                _shifted(frames, shifts[5], frame, start, stop),
                codes,
            )
            cell = counts[time_cells[index], bands[band, 2]]
            _tally(codes, bands[band, 1] - bands[band, 0], width, columns, cell)


@njit(nogil=True, cache=True)
def _shifted(frames, shift, frame, start, stop):
    return frames[frame + shift[0], start + shift[1] : stop + shift[1]]


@njit(nogil=True, cache=True)
def _encode(centres, right, up, left, down, later, earlier, codes):
    """Compare the six neighbours with the centre."""
    for i in range(centres.size):
        centre = centres[i]
        codes[i] = (
            np.uint8(right[i] >= centre)
            | (np.uint8(up[i] >= centre) << 1)
            | (np.uint8(left[i] >= centre) << 2)
            | (np.uint8(down[i] >= centre) << 3)
            | (np.uint8(later[i] >= centre) << 4)
            | (np.uint8(earlier[i] >= centre) << 5)
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
