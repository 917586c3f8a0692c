"""Slow obvious twins of the two descriptors called 3D-HOG: loops over voxels and bins, from their formulas.

A clip is indexed [frame][row][column]; a region is a function of (row, column).
"""

import math


def central(values, i):
    if i == 0:
        return float(values[1]) - float(values[0])
    if i == len(values) - 1:
        return float(values[i]) - float(values[i - 1])
    return (float(values[i + 1]) - float(values[i - 1])) / 2


def nearest_bin(first, second, n_bins):
    """The bin whose centre the direction is nearest to; between two, the one nearer to the first axis."""
    # The angle from the nearer end of the first axis, 0 to 90 degrees.
    angle = math.degrees(math.atan2(abs(second), abs(first)))
    width = 360 / n_bins
    steps = max(math.ceil((angle - width / 2) / width), 0)
    centre = steps * width
    if first < 0:
        centre = 180 - centre
    if second < 0:
        centre = -centre
    return round(centre / width) % n_bins


def bounds(start, size, n_parts):
    """Edges of parts along an axis: exact fractions rounded to the nearest, a half down."""
    return [start + math.ceil(part * size / n_parts - 0.5) for part in range(n_parts + 1)]


def polikovsky(clip, masks, n_times, orientation="full", frame_range=None):
    """One list of values; masks is a list of nested lists of bool."""
    n_frames, height, width = len(clip), len(clip[0]), len(clip[0][0])
    start, stop = frame_range or (0, n_frames)
    edges = bounds(start, stop - start, n_times)
    values = []
    for mask in masks:
        for block in range(n_times):
            planes = [[0.0] * 8, [0.0] * 12, [0.0] * 12]
            for t in range(edges[block], edges[block + 1]):
                for y in range(height):
                    for x in range(width):
                        if not mask[y][x]:
                            continue
                        along_x = central([clip[t][y][other] for other in range(width)], x)
                        along_y = central([clip[t][other][x] for other in range(height)], y)
                        along_t = central([clip[other][y][x] for other in range(n_frames)], t)
                        pairs = ((along_x, along_y), (along_x, along_t), (along_y, along_t))
                        for histogram, (first, second) in zip(planes, pairs, strict=True):
                            histogram[nearest_bin(first, second, len(histogram))] += math.hypot(first, second)
            for histogram in planes:
                if orientation == "half":
                    half = len(histogram) // 2
                    histogram = [histogram[k] + histogram[k + half] for k in range(half)]
                total = sum(histogram)
                values += [value / total if total else 0.0 for value in histogram]
    return values


GOLDEN = 1.6180339887
AXES = {
    "icosahedron": [
        *((1, 1, 1), (-1, -1, 1), (-1, 1, 1), (1, -1, 1)),
        *((0, 1 / GOLDEN, GOLDEN), (0, -1 / GOLDEN, GOLDEN), (1 / GOLDEN, GOLDEN, 0), (1 / GOLDEN, -GOLDEN, 0)),
        *((GOLDEN, 0, 1 / GOLDEN), (-GOLDEN, 0, 1 / GOLDEN)),
    ],
    "dodecahedron": [
        *((0, 1, GOLDEN), (0, -1, GOLDEN), (1, GOLDEN, 0), (-1, GOLDEN, 0), (GOLDEN, 0, 1), (-GOLDEN, 0, 1)),
    ],
}
# The cosine between neighbouring axes times the length of an axis: sqrt(3) by definition, not by the digits above.
SHARE = {"icosahedron": 0.745355992499930 * math.sqrt(3), "dodecahedron": 0.447213595499958 * math.hypot(1, GOLDEN)}


def klaeser(clip, binning, cells, orientation="full", box=None):
    """One list of values; differences are taken and summed voxel by voxel."""
    n_frames, height, width = len(clip), len(clip[0]), len(clip[0][0])
    x0, y0, t0, box_width, box_height, length = box or (0, 0, 0, width, height, n_frames)
    n_rows, n_columns, n_times = cells
    columns = bounds(x0, box_width, 3 * n_columns)
    rows = bounds(y0, box_height, 3 * n_rows)
    times = bounds(t0, length, 3 * n_times)
    axes = AXES[binning]

    def voxel(t, y, x):
        here = float(clip[t][y][x])
        return (
            float(clip[t][y][x + 1]) - here if x + 1 < width else 0.0,
            float(clip[t][y + 1][x]) - here if y + 1 < height else 0.0,
            float(clip[t + 1][y][x]) - here if t + 1 < n_frames else 0.0,
        )

    def subblock(i, j, k):
        total = [0.0, 0.0, 0.0]
        for t in range(times[k], times[k + 1]):
            for y in range(rows[j], rows[j + 1]):
                for x in range(columns[i], columns[i + 1]):
                    total = [a + b for a, b in zip(total, voxel(t, y, x), strict=True)]
        return total

    values = []
    for column in range(n_columns):
        for row in range(n_rows):
            for time in range(n_times):
                histogram = [0.0] * (2 * len(axes))
                for i in range(3 * column, 3 * column + 3):
                    for j in range(3 * row, 3 * row + 3):
                        for k in range(3 * time, 3 * time + 3):
                            vote(subblock(i, j, k), axes, SHARE[binning], histogram)
                if orientation == "half":
                    histogram = [histogram[i] + histogram[i + len(axes)] for i in range(len(axes))]
                values += histogram
    return unit([min(value, 0.25) for value in unit(values)])


def vote(gradient, axes, share, histogram):
    length = math.hypot(*gradient)
    votes = []
    for sign in (1, -1):
        for axis in axes:
            projection = sign * sum(a * g for a, g in zip(axis, gradient, strict=True))
            threshold = share * length
            votes.append(projection - threshold if projection > threshold else 0.0)
    for i, value in enumerate(votes):
        if value:
            histogram[i] += value * length / sum(votes)


def unit(values):
    length = math.hypot(*values)
    return [value / length for value in values] if length else values
