"""Slow obvious twins of STLBP-IP and of robust PCA: loops from the formulas, the full singular value decomposition."""

import math

import numpy as np


def differences(clip):
    return [np.asarray(frame, float) - clip[0] for frame in clip[1:]]


def stlbpip(images, blocks, window):
    """The histograms of images of motion, block by block: horizontal, vertical, XT, YT."""
    height, width = images[0].shape
    vector = []
    for row in range(blocks[0]):
        for column in range(blocks[1]):
            top, left = row * (height // blocks[0]), column * (width // blocks[1])
            bottom = height if row == blocks[0] - 1 else top + height // blocks[0]
            right = width if column == blocks[1] - 1 else left + width // blocks[1]
            cut = [image[top:bottom, left:right] for image in images]
            horizontal = [[sum(line) for line in part] for part in cut]
            vertical = [[sum(line) for line in part.T] for part in cut]
            vector += mean_histogram(horizontal, window) + mean_histogram(vertical, window)
            vector += square_histogram(vertical) + square_histogram(np.transpose(horizontal))
    return np.array(vector)


def mean_histogram(lines, window):
    """The mean over the lines of each line's histogram of 1-D codes."""
    reach = window // 2
    mean = [0.0] * 2 ** (window - 1)
    for line in lines:
        for i in range(reach, len(line) - reach):
            around = [*range(i - reach, i), *range(i + 1, i + reach + 1)]
            bits = "".join(str(int(line[j] >= line[i])) for j in around)
            mean[int(bits, 2)] += 1 / (len(line) - window + 1) / len(lines)
    return mean


def square_histogram(image):
    image = np.asarray(image, float)
    uniform = [code for code in range(256) if sum((code >> p & 1) != (code >> (p + 1) % 8 & 1) for p in range(8)) <= 2]
    counts = [0] * 59
    for row in range(1, len(image) - 1):
        for column in range(1, len(image[0]) - 1):
            code = sum(2**p for p in range(8) if neighbor(image, row, column, p) >= image[row, column])
            counts[uniform.index(code) if code in uniform else 58] += 1
    return [count / sum(counts) for count in counts]


def neighbor(image, row, column, p):
    """Neighbour p of 8 on the unit circle, from the right, counter-clockwise, interpolated as in the Oulu program."""
    down, across = -math.sin(2 * math.pi * p / 8), math.cos(2 * math.pi * p / 8)
    if p % 2 == 0:
        return image[row + round(down), column + round(across)]
    top, left = row + math.floor(down), column + math.floor(across)
    part_y, part_x = down - math.floor(down), across - math.floor(across)
    weights = [(1 - part_x) * (1 - part_y), part_x * (1 - part_y), (1 - part_x) * part_y]
    weights = [math.floor(1e6 * weight + 0.5) / 1e6 for weight in weights]
    weights.append(math.floor(1e6 * (1 - sum(weights)) + 0.5) / 1e6)
    corners = [image[top, left], image[top, left + 1], image[top + 1, left], image[top + 1, left + 1]]
    value = sum(weight * corner for weight, corner in zip(weights, corners, strict=True))
    return math.copysign(math.floor(1e4 * abs(value) + 0.5) / 1e4, value)


def robust_pca(matrix):
    """Inexact augmented Lagrange multipliers, for one step more than the constraint asks for; and the steps done."""
    weight = 1 / math.sqrt(max(matrix.shape))
    norm = np.linalg.norm(matrix, 2)
    dual = matrix / max(norm, np.abs(matrix).max() / weight)
    penalty = 1.25 / norm
    last_penalty = 1e7 * penalty
    low_rank = np.zeros(matrix.shape)
    met = False
    for step in range(1, 200):
        target = matrix - low_rank + dual / penalty
        sparse = np.sign(target) * np.maximum(np.abs(target) - weight / penalty, 0)
        left, singular, right = np.linalg.svd(matrix - sparse + dual / penalty, full_matrices=False)
        low_rank = left @ np.diag(np.maximum(singular - 1 / penalty, 0)) @ right
        if met:
            return low_rank, sparse, step
        gap = matrix - low_rank - sparse
        dual = dual + penalty * gap
        penalty = min(1.5 * penalty, last_penalty)
        met = np.linalg.norm(gap) <= 1e-7 * np.linalg.norm(matrix)
    raise AssertionError("no convergence")
