"""Slow obvious twin of Gabor magnitudes: the sum over the kernel, one pixel of one channel at a time."""

import cmath
import math


def kernel(wavelength, angle, sigma):
    """{(x, y): value} over the square that reaches three standard deviations of the envelope."""
    k = 2 * math.pi / wavelength
    reach = math.ceil(3 * sigma / k)
    places = [(x, y) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)]
    envelope = {(x, y): math.exp(-(k**2) * (x**2 + y**2) / (2 * sigma**2)) for x, y in places}
    wave = {(x, y): cmath.exp(1j * k * (x * math.cos(angle) + y * math.sin(angle))) for x, y in places}
    total = sum(envelope.values())
    even = sum(envelope[place] * wave[place] for place in places) / total
    return {place: envelope[place] / total * (wave[place] - even) for place in places}


def mirrored(position, length):
    while not 0 <= position < length:
        position = -position if position < 0 else 2 * (length - 1) - position
    return position


def magnitude(image, row, column, scale, orientation, *, n_orientations=8, wavelength=2.0, sigma=math.pi):
    """Of the response of one channel at one pixel of a square image of the size wanted."""
    values = kernel(wavelength * 2 ** (scale / 2), math.pi * orientation / n_orientations, sigma)
    size = len(image)
    return abs(
        sum(
            value * float(image[mirrored(row - y, size)][mirrored(column - x, size)])
            for (x, y), value in values.items()
        )
    )
