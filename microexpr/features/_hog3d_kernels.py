"""Loops of 3D-HOG: votes for orientations in the planes XY, XT and YT, and sums of gradients over boxes."""

# mypy: allow-untyped-defs

__all__ = ["COPIES", "sum_gradients", "vote"]

import numpy as np
from numba import njit

# Each histogram is kept in four parts: equal codes in a row would wait for each other's sum.
COPIES = 4


@njit(nogil=True, cache=True)
def vote(frames, time_edges, row_runs, runs, n_regions, slopes, votes):
    """Add the length of each voxel's gradient in each plane to the code of its direction.

    Gradients are doubled: central differences are not halved, those at the border count twice. A code has the sector
    of the direction, both components taken as positive, in bits 0 and 1, and their signs in bits 2 and 3.

    frames : (n_frames, height, width), at least 2 along each axis
    time_edges : int64 (n_times + 1,), of the blocks in time
    row_runs : int64 (height + 1,), which runs lie in each row
    runs : int64 (n_runs, 3), columns from and to, and the region they belong to
    slopes : (3, 3), of the lines between the sectors of each plane; their dtype is that of gradients and lengths
    n_regions : int
    votes : float64 (n_times * n_regions * 3, COPIES, 16), zeros; added to
    """
    n_frames, height, width = frames.shape
    gradient = np.empty((3, width), slopes.dtype)
    lengths = np.empty((3, width), slopes.dtype)
    codes = np.empty((3, width), np.uint8)
    once, twice = np.ones(1, slopes.dtype)[0], np.full(1, 2, slopes.dtype)[0]
    for block in range(time_edges.size - 1):
        for frame in range(time_edges[block], time_edges[block + 1]):
            before, after = max(frame - 1, 0), min(frame + 1, n_frames - 1)
            for row in range(height):
                if row_runs[row] == row_runs[row + 1]:
                    continue
                above, below = max(row - 1, 0), min(row + 1, height - 1)
                line = frames[frame, row]
                _subtract(line[2:], line[:-2], once, gradient[0, 1:-1])
                _subtract(line[1:2], line[:1], twice, gradient[0, :1])
                _subtract(line[-1:], line[-2:-1], twice, gradient[0, -1:])
                scale = once if below - above == 2 else twice
                _subtract(frames[frame, below], frames[frame, above], scale, gradient[1])
                scale = once if after - before == 2 else twice
                _subtract(frames[after, row], frames[before, row], scale, gradient[2])
                _encode(gradient[0], gradient[1], slopes[0], lengths[0], codes[0])
                _encode(gradient[0], gradient[2], slopes[1], lengths[1], codes[1])
                _encode(gradient[1], gradient[2], slopes[2], lengths[2], codes[2])
                for run in range(row_runs[row], row_runs[row + 1]):
                    histogram = (block * n_regions + runs[run, 2]) * 3
                    _tally(codes, lengths, runs[run, 0], runs[run, 1], votes[histogram : histogram + 3])


@njit(nogil=True, cache=True)
def sum_gradients(frames, time_edges, row_edges, column_edges, sums):
    """Sum forward differences along x, y and t over each box of a grid; those at the clip's far ends are zero.

    Within a box, forward differences along an axis add up to the pixels just behind it less those at its beginning.

    frames : (n_frames, height, width)
    time_edges, row_edges, column_edges : int64, of the boxes
    sums : float64 (n_columns, n_rows, n_times, 3), zeros; added to
    """
    n_frames, height, width = frames.shape
    along_y = np.empty(width, np.float64)
    along_t = np.empty(width, np.float64)
    for time in range(time_edges.size - 1):
        first_frame, next_frame = time_edges[time], min(time_edges[time + 1], n_frames - 1)
        for box_row in range(row_edges.size - 1):
            first_row, next_row = row_edges[box_row], min(row_edges[box_row + 1], height - 1)
            along_y[:] = 0.0
            along_t[:] = 0.0
            for row in range(first_row, row_edges[box_row + 1]):
                _add_difference(frames[next_frame, row], frames[first_frame, row], along_t)
            for frame in range(first_frame, time_edges[time + 1]):
                _add_difference(frames[frame, next_row], frames[frame, first_row], along_y)
            for column in range(column_edges.size - 1):
                first, stop = column_edges[column], column_edges[column + 1]
                last = min(stop, width - 1)
                total = 0.0
                for frame in range(first_frame, time_edges[time + 1]):
                    for row in range(first_row, row_edges[box_row + 1]):
                        total += np.float64(frames[frame, row, last]) - np.float64(frames[frame, row, first])
                box = sums[column, box_row, time]
                box[0] += total
                for position in range(first, stop):
                    box[1] += along_y[position]
                    box[2] += along_t[position]


@njit(nogil=True, cache=True)
def _subtract(later, earlier, scale, out):
    # Each term takes the dtype of `scale`: bytes alone would wrap around.
    for i in range(out.size):
        out[i] = scale * later[i] - scale * earlier[i]


@njit(nogil=True, cache=True)
def _add_difference(later, earlier, total):
    for i in range(total.size):
        total[i] += np.float64(later[i]) - np.float64(earlier[i])


@njit(nogil=True, cache=True)
def _encode(first, second, slopes, lengths, codes):
    """Write the length and the code of each vector (first, second)."""
    slope0, slope1, slope2 = slopes[0], slopes[1], slopes[2]
    for i in range(first.size):
        across, along = first[i], second[i]
        lengths[i] = np.sqrt(across * across + along * along)
        run, rise = abs(across), abs(along)
        # Signs do not pick the sector: a mirrored vector lies in the mirrored sector, on its edges too.
        codes[i] = (
            np.uint8(rise > slope0 * run)
            + np.uint8(rise > slope1 * run)
            + np.uint8(rise > slope2 * run)
            + (np.uint8(across < 0.0) << 2)
            + (np.uint8(along < 0.0) << 3)
        )


@njit(nogil=True, cache=True)
def _tally(codes, lengths, start, stop, votes):
    """Add the lengths of a run to the codes of a region's three histograms, (3, COPIES, 16)."""
    # The planes side by side: their sums do not wait for each other.
    codes_xy, codes_xt, codes_yt = codes[0], codes[1], codes[2]
    lengths_xy, lengths_xt, lengths_yt = lengths[0], lengths[1], lengths[2]
    votes_xy, votes_xt, votes_yt = votes[0], votes[1], votes[2]
    position, one = np.uintp(start), np.uintp(1)
    for index in range(stop - start):
        copy = np.uintp(index) % np.uintp(COPIES)
        votes_xy[copy, codes_xy[position]] += lengths_xy[position]
        votes_xt[copy, codes_xt[position]] += lengths_xt[position]
        votes_yt[copy, codes_yt[position]] += lengths_yt[position]
        position += one
