"""Slow obvious twin of the main directional maximal difference: one pixel, one block at a time."""

import math


def difference(flow, later, blocks, angles="atan"):
    """Nested lists [row][column] of (u, v) -> the value of the frame, over a grid of blocks x blocks."""
    height, width = len(flow) // blocks, len(flow[0]) // blocks
    values = []
    for row in range(blocks):
        for column in range(blocks):
            pixels = [
                (flow[y][x], later[y][x])
                for y in range(row * height, (row + 1) * height)
                for x in range(column * width, (column + 1) * width)
            ]
            values.append(of_block(pixels, angles))
    return mean_of_third(values)


def of_block(pixels, angles):
    quadrants = [[] for _ in range(4)]
    for (u, v), (u_later, v_later) in pixels:
        quadrant = quadrant_of(u, v, angles)
        if quadrant is not None:
            quadrants[quadrant].append(math.sqrt(u**2 + v**2) - math.sqrt(u_later**2 + v_later**2))
    fullest = quadrants[0]
    for quadrant in quadrants[1:]:
        if len(quadrant) > len(fullest):
            fullest = quadrant
    return mean_of_third(fullest) if fullest else 0.0


def quadrant_of(u, v, angles):
    if u == 0 and v == 0:
        return None
    if angles == "atan2":
        return (0 if u > 0 else 1) if (v > 0 or (v == 0 and u > 0)) and u != 0 else of_axis(u, v)
    # atan(u / v): only the sign of the quotient counts, and what lies along the x axis is at plus or minus 90 degrees.
    if v == 0:
        return 1 if (u > 0) == (math.copysign(1, v) > 0) else 3
    return 0 if u / v >= 0 else 3


def of_axis(u, v):
    """The quadrant of a vector that does not point downwards, in the picture's sense, off the axes."""
    if u == 0:
        return 1 if v > 0 else 3
    if v == 0:
        return 2
    return 2 if u < 0 else 3


def mean_of_third(values):
    largest = sorted(values, reverse=True)[: max(1, round(len(values) / 3))]
    return sum(largest) / len(largest)


def contrast(values, lag):
    """C_i = F_i - (F_(i-m) + F_(i+m)) / 2, None where a number is missing."""
    numbers = dict(enumerate(values))
    result = []
    for row, value in numbers.items():
        three = [value, numbers.get(row - lag), numbers.get(row + lag)]
        result.append(
            None if any(one is None or math.isnan(one) for one in three) else value - (three[1] + three[2]) / 2
        )
    return result
