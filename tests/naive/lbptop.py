"""Slow obvious twins of the three LBP-TOP programs: loops over centres, planes and neighbours, from their description.

A clip is a nested list or an array, indexed [frame][row][column]. Each program gives, for every centre, the three
codes; blocks and bins are counted from those.
"""

import math

import numpy as np

PLANES = ("XY", "XT", "YT")


def zhao2009_codes(clip, radii, neighbors, interpolation):
    """(t, y, x) -> [code XY, code XT, code YT]; coordinates count from 1 as in the program."""
    radius_x, radius_y, radius_t = radii
    border = max(radius_x, radius_y)
    n_frames, height, width = len(clip), len(clip[0]), len(clip[0][0])

    def pixel(t, y, x):
        return clip[int(t) - 1][int(y) - 1][int(x) - 1]

    codes = {}
    for t in range(radius_t + 1, n_frames - radius_t + 1):
        for y in range(border + 1, height - border + 1):
            for x in range(border + 1, width - border + 1):
                centre = pixel(t, y, x)
                code = [0, 0, 0]
                for p in range(neighbors):
                    sine, cosine = math.sin(2 * math.pi * p / neighbors), math.cos(2 * math.pi * p / neighbors)
                    places = (
                        (x + radius_x * cosine, y - radius_y * sine, lambda u, v, t=t: pixel(t, v, u)),
                        (x + radius_x * cosine, t + radius_t * sine, lambda u, v, y=y: pixel(v, y, u)),
                        (y - radius_y * sine, t + radius_t * cosine, lambda u, v, x=x: pixel(v, u, x)),
                    )
                    for plane, (first, second, read) in enumerate(places):
                        if interpolation == "nearest":
                            value = read(math.floor(first + 0.5), math.floor(second + 0.5))
                        else:
                            value = single_bilinear(first, second, read)
                        code[plane] += (value >= centre) * 2**p
                codes[t - 1 - radius_t, y - 1 - border, x - 1 - border] = code
    return codes


def single_bilinear(first, second, read):
    single, one = np.float32, np.float32(1)
    first, second = single(first), single(second)
    low, high = np.floor(first), np.ceil(first)
    below, above = np.floor(second), np.ceil(second)
    u, v = first - low, second - below
    return math.floor(
        single(read(low, below)) * (one - u) * (one - v)
        + single(read(low, above)) * (one - u) * v
        + single(read(high, below)) * u * (one - v)
        + single(read(high, above)) * u * v
    )


def unfolding2016_codes(clip, radii, neighbors, interpolation):
    """Each plane is an image: XY has rows y and columns x, XT rows t and columns x, YT rows t and columns y."""
    assert interpolation == "bilinear"
    (radius,) = set(radii)
    clip = np.asarray(clip)
    n_frames, height, width = clip.shape
    codes = {}
    for t in range(radius, n_frames - radius):
        for y in range(radius, height - radius):
            for x in range(radius, width - radius):
                codes[t - radius, y - radius, x - radius] = [
                    oulu_code(clip[t], y, x, radius, neighbors),
                    oulu_code(clip[:, y], t, x, radius, neighbors),
                    oulu_code(clip[:, :, x], t, y, radius, neighbors),
                ]
    return codes


def oulu_code(image, row, column, radius, neighbors):
    code = 0
    for p in range(neighbors):
        y = -radius * math.sin(2 * math.pi * p / neighbors) + radius + 1
        x = radius * math.cos(2 * math.pi * p / neighbors) + radius + 1
        move_y, move_x = y - radius - 1, x - radius - 1
        if abs(move_y - round(move_y)) < 1e-6 and abs(move_x - round(move_x)) < 1e-6:
            value = image[row + round(move_y)][column + round(move_x)]
        else:
            ty, tx = y - math.floor(y), x - math.floor(x)
            w1 = half_away((1 - tx) * (1 - ty), 6)
            w2 = half_away(tx * (1 - ty), 6)
            w3 = half_away((1 - tx) * ty, 6)
            w4 = half_away(1 - w1 - w2 - w3, 6)
            top, left = row + math.floor(move_y), column + math.floor(move_x)
            value = half_away(
                w1 * image[top][left]
                + w2 * image[top][left + 1]
                + w3 * image[top + 1][left]
                + w4 * image[top + 1][left + 1],
                4,
            )
        code += (value >= image[row][column]) * 2**p
    return int(code)


def half_away(value, decimals):
    scaled = abs(value) * 10**decimals
    whole = math.floor(scaled)
    return math.copysign(whole + (scaled - whole >= 0.5), value) / 10**decimals


def blocks2015_codes(clip, radii, neighbors, interpolation):
    radius_x, radius_y, radius_t = radii
    border = max(radius_x, radius_y)
    n_frames, height, width = len(clip), len(clip[0]), len(clip[0][0])
    codes = {}
    for t in range(radius_t, n_frames - radius_t):
        for y in range(border, height - border):
            for x in range(border, width - border):
                code = [0, 0, 0]
                for p in range(neighbors):
                    s, c = math.sin(2 * math.pi * p / neighbors), math.cos(2 * math.pi * p / neighbors)
                    places = (
                        (t, to_pixel(y - radius_y * s), to_pixel(x + radius_x * c)),
                        (to_pixel(t - radius_t * s), y, to_pixel(x + radius_x * c)),
                        (to_pixel(t - radius_t * s), to_pixel(y - radius_x * c), x),
                    )
                    for plane, (frame, row, column) in enumerate(places):
                        code[plane] += int(clip[frame][row][column] >= clip[t][y][x]) * 2**p
                codes[t - radius_t, y - border, x - border] = code
    return codes


def to_pixel(coordinate):
    # Nearest pixel; the 1e-9 keeps sin(pi) = 1e-16 from counting at coordinate 0.
    return math.floor(coordinate + 0.5 + 1e-9)


def floor_blocks(length, n_blocks):
    """[blocks of centre 0], [blocks of centre 1], ...: floor(length / n) centres each, the rest in the last."""
    return [[min(i // (length // n_blocks), n_blocks - 1)] for i in range(length)]


def ceil_blocks(length, n_blocks):
    """The 2016 program: starts 0, step, 2 step, ...; if there is one too few, one more; the last ends at the end."""
    step = math.ceil(length / n_blocks)
    size = max(step, math.floor(length / n_blocks + 0.5))
    starts = list(range(0, length - size + 1, step))
    if len(starts) == n_blocks - 1:
        starts.append(starts[-1] + step)
    if len(starts) != n_blocks or starts[-1] >= length:
        return None
    ends = [start + size for start in starts[:-1]] + [length]
    return [[k for k in range(n_blocks) if starts[k] <= i < ends[k]] for i in range(length)]


def overlapping_blocks(length, n_blocks, overlap):
    """The 2015 program along rows or columns: (current, next) of each centre."""
    shared = max(math.ceil((math.ceil(length / n_blocks) - 1) * overlap) - 1, 0)
    size = math.floor((length + shared * (n_blocks - 1)) / n_blocks)
    blocks = []
    for i in range(1, length + 1):
        current = 0 if i <= size else math.floor((i - size - 1) / (size - shared) + 1)
        current = min(current, n_blocks - 1)
        following = math.ceil((i + (current + 1) * shared) / size) - 1
        blocks.append((current, min(following, n_blocks - 1)))
    return blocks


def overlapping_times(length, n_blocks):
    """The 2015 program along time: blocks share one frame."""
    size = math.floor((length + n_blocks - 1) / n_blocks)
    blocks = []
    for i in range(length):
        current = 0 if i < size else math.ceil((i - size) / (size - 1) + 1) - 1
        current = min(current, n_blocks - 1)
        following = math.ceil((i + current + 1) / size) - 1
        blocks.append((current, min(following, n_blocks - 1)))
    return blocks


def is_uniform(code, neighbors):
    bits = [code >> p & 1 for p in range(neighbors)]
    return sum(bits[p] != bits[p - 1] for p in range(neighbors)) <= 2


def bin_of(code, neighbors, bins, convention):
    if bins == "basic":
        return code
    uniform = [other for other in range(2**neighbors) if is_uniform(other, neighbors)]
    if convention == "zhao2009":
        return uniform.index(code) + 1 if code in uniform else 0
    return uniform.index(code) if code in uniform else len(uniform)


def lbptop(clip, radii, neighbors, blocks, bins, interpolation, overlap, convention):
    """The histograms, in the order and scale that `microexpr.features.lbptop` states."""
    program = {"zhao2009": zhao2009_codes, "unfolding2016": unfolding2016_codes, "blocks2015": blocks2015_codes}
    codes = program[convention](clip, radii, neighbors, interpolation)
    lengths = [last + 1 for last in max(codes)]
    n_rows, n_columns, n_times = blocks
    n_bins = 2**neighbors if bins == "basic" else neighbors * (neighbors - 1) + 3
    histograms = np.zeros((n_times, n_rows, n_columns, 3, n_bins))
    for (t, y, x), code in codes.items():
        if convention == "blocks2015":
            time = overlapping_times(lengths[0], n_times)[t]
            row = overlapping_blocks(lengths[1], n_rows, overlap)[y]
            column = overlapping_blocks(lengths[2], n_columns, overlap)[x]
            members = {(time[0], row[0], column[0]), (time[1], row[1], column[1])}
        else:
            cut = floor_blocks if convention == "zhao2009" else ceil_blocks
            axes = cut(lengths[0], n_times)[t], cut(lengths[1], n_rows)[y], cut(lengths[2], n_columns)[x]
            members = {(k, r, c) for k in axes[0] for r in axes[1] for c in axes[2]}
        for member in members:
            for plane in range(3):
                histograms[member][plane][bin_of(code[plane], neighbors, bins, convention)] += 1
    if convention == "blocks2015":
        histograms = histograms / histograms.sum()
    else:
        histograms = histograms / histograms.sum(axis=-1, keepdims=True)
    if blocks == (1, 1, 1):
        return histograms[0, 0, 0]
    if convention == "unfolding2016":
        order = [(k, r, c) for k in range(n_times) for c in range(n_columns) for r in range(n_rows)]
        return np.concatenate([histograms[member][plane] for plane in range(3) for member in order])
    order = [(k, r, c) for k in range(n_times) for r in range(n_rows) for c in range(n_columns)]
    return np.concatenate([histograms[member][plane] for member in order for plane in range(3)])
