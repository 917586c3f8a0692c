"""Slow obvious twin of Bi-WOOF: one loop over blocks and pixels, from its description."""

import math


def biwoof(u, v, strain, n_rows, n_columns, n_bins=8, convention="paper"):
    """Lists of rows of u, v and strain -> the list of features."""
    features = []
    for block_row in range(n_rows):
        for block_column in range(n_columns):
            histogram, strains = [0.0] * n_bins, []
            for y in span(len(u), n_rows, block_row, convention):
                for x in span(len(u[0]), n_columns, block_column, convention):
                    index = bin_of(u[y][x], v[y][x], n_bins, convention)
                    if index is not None:
                        histogram[index] += math.sqrt(u[y][x] ** 2 + v[y][x] ** 2)
                    strains.append(strain[y][x])
            if convention == "paper":
                features += [value * (sum(strains) / len(strains)) for value in histogram]
            elif sum(histogram) > 0:
                features += [value / sum(histogram) * sum(strains) for value in histogram]
            else:
                features += histogram
    if convention == "liong2018":
        length = math.sqrt(sum(value**2 for value in features))
        features = [value / length if length > 0 else 0.0 for value in features]
    return features


def span(size, n_blocks, block, convention):
    """The pixels of one block along an axis."""
    length = size // n_blocks
    if convention == "paper":
        return range(block * length, size if block == n_blocks - 1 else (block + 1) * length)
    # As the program has it, from 1 and with both ends: 1..h+1, then (k-1)h..kh+1, and (n-1)h..size in the end.
    first, last = block * length, (block + 1) * length + 1
    if block == 0:
        first = 1
    if block == n_blocks - 1:
        last = size
    return range(first - 1, last)


def bin_of(u, v, n_bins, convention):
    angle = math.degrees(math.atan2(v + 0.0, u))
    if convention == "liong2018":
        if angle > 135:
            return None
        return max(index for index in range(8) if angle >= -180 + 45 * index)
    for index in range(n_bins - 1, -1, -1):
        if angle >= -180 + 360 * index / n_bins:
            return index
    raise AssertionError(angle)
