"""Slow obvious twin of the chi-square distance of local binary patterns: one pixel at a time, bits as text."""

import math


def pattern(grey, y, x, radius):
    """The neighbours from the right on, counter-clockwise, as text of eight digits."""
    bits = ""
    for place in range(8):
        angle = math.radians(45 * place)
        row, column = y + round(-radius * math.sin(angle)), x + round(radius * math.cos(angle))
        bits += "1" if grey[row][column] >= grey[y][x] else "0"
    return bits


def changes(bits):
    return sum(bits[place] != bits[place - 1] for place in range(8))


def uniform():
    """The 58 uniform patterns by their value, the first neighbour the lowest bit."""
    patterns = [format(value, "08b")[::-1] for value in range(256)]
    return [bits for bits in patterns if changes(bits) <= 2]


def histograms(grey, labels, n_blocks, radius):
    bins = {bits: place for place, bits in enumerate(uniform())}
    counts = [[0] * 59 for _ in range(n_blocks)]
    for y, row in enumerate(labels):
        for x, label in enumerate(row):
            if label >= 0:
                counts[label][bins.get(pattern(grey, y, x, radius), 58)] += 1
    return [[count / max(sum(histogram), 1) for count in histogram] for histogram in counts]


def chi_square(first, second):
    return sum((a - b) ** 2 / (a + b) for a, b in zip(first, second, strict=True) if a + b > 0)


def frame_distance(before, here, after):
    """Histograms of the blocks of three faces -> mean of the largest third of the blocks' distances."""
    distances = []
    for earlier, current, later in zip(before, here, after, strict=True):
        average = [(a + b) / 2 for a, b in zip(earlier, later, strict=True)]
        distances.append(chi_square(current, average))
    largest = sorted(distances, reverse=True)[: max(1, round(len(distances) / 3))]
    return sum(largest) / len(largest)
