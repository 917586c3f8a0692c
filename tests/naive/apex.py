"""Slow obvious twin of apex search: patterns pixel by pixel, peaks and halves by lists."""

import math

import numpy as np

OFFSETS = [(0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)]


def is_uniform(code):
    bits = [code >> bit & 1 for bit in range(8)]
    return sum(bits[bit] != bits[bit - 1] for bit in range(8)) <= 2


UNIFORM = [code for code in range(256) if is_uniform(code)]


def block_histograms(frame, blocks):
    """59-bin histograms of the blocks of one frame."""
    height, width = len(frame), len(frame[0])
    histograms = {}
    for block_row in range(blocks[0]):
        for block_column in range(blocks[1]):
            histogram = [0] * 59
            rows = range((height - 2) * block_row // blocks[0], (height - 2) * (block_row + 1) // blocks[0])
            columns = range((width - 2) * block_column // blocks[1], (width - 2) * (block_column + 1) // blocks[1])
            for row in rows:
                for column in columns:
                    centre = int(frame[row + 1][column + 1])
                    code = 0
                    for bit, (down, right) in enumerate(OFFSETS):
                        if int(frame[row + 1 + down][column + 1 + right]) >= centre:
                            code += 2**bit
                    histogram[UNIFORM.index(code) if code in UNIFORM else 58] += 1
            histograms[block_row, block_column] = histogram
    return histograms


def difference(first, second):
    dot = sum(a * b for a, b in zip(first, second, strict=True))
    return 1 - dot / math.sqrt(sum(a * a for a in first) * sum(b * b for b in second))


def pattern_curve(frames, blocks):
    histograms = [block_histograms(frame, blocks) for frame in frames]
    return [
        sum(difference(one[block], histograms[0][block]) for block in one) / (blocks[0] * blocks[1])
        for one in histograms
    ]


def peaks(curve):
    found = []
    for t in range(1, len(curve)):
        if curve[t] > curve[t - 1] and (t == len(curve) - 1 or curve[t] >= curve[t + 1]):
            found.append(t)
    return found


def divide_and_conquer(curve):
    found = peaks(curve)
    stretch = list(range(len(curve)))
    while True:
        inside = [t for t in stretch if t in found]
        if len(inside) == 1:
            return inside[0]
        half = math.ceil(len(stretch) / 2)
        first, second = stretch[:half], stretch[half:]
        early = sum(curve[t] for t in first if t in found)
        late = sum(curve[t] for t in second if t in found)
        stretch = first if early >= late else second


def motion_within(field):
    """Distance of every vector to a similarity fitted by weighted least squares, in four unknowns."""
    height, width = len(field), len(field[0])
    rows, targets = [], []
    for y in range(height):
        for x in range(width):
            rows += [[1, 0, x, -y], [0, 1, y, x]]
            targets += list(field[y][x])
    rows, targets = np.array(rows, float), np.array(targets)
    weights = np.ones(height * width)
    for _ in range(4):
        root = np.sqrt(np.repeat(weights, 2))
        solution = np.linalg.lstsq(rows * root[:, None], targets * root, rcond=None)[0]
        distances = np.linalg.norm((targets - rows @ solution).reshape(-1, 2), axis=1)
        weights = 1 / (distances + 0.05)
    return distances.reshape(height, width)
