"""The inner loop of synthetic motion: hills of displacement added up on a small grid."""

__all__ = ["add_hills"]

from math import cos, sin

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def add_hills(hills: np.ndarray, fields: np.ndarray) -> None:
    """Add the hills (n_maps, n_hills, 8) to the fields (n_maps, 2, rows, columns).

    A hill: x and y of its centre in pixels, displacement there, radius along x and y, how far it is turned, and its
    steepness: (1 - r^2)^2 below .5, (1 - r^2)^3 from there on, 0 where r >= 1. A hill without displacement is skipped.
    """
    n_maps, n_hills = hills.shape[0], hills.shape[1]
    rows, columns = fields.shape[2], fields.shape[3]
    for place in range(n_maps):
        for number in range(n_hills):
            right, down = hills[place, number, 2], hills[place, number, 3]
            if right == 0.0 and down == 0.0:
                continue
            x, y = hills[place, number, 0], hills[place, number, 1]
            across, along = hills[place, number, 4], hills[place, number, 5]
            cosine, sine = cos(hills[place, number, 6]), sin(hills[place, number, 6])
            steep = hills[place, number, 7] >= 0.5
            reach = max(across, along)
            for row in range(max(0, int(y - reach)), min(rows, int(y + reach) + 2)):
                for column in range(max(0, int(x - reach)), min(columns, int(x + reach) + 2)):
                    aside, below = column - x, row - y
                    first = (cosine * aside + sine * below) / across
                    second = (cosine * below - sine * aside) / along
                    inside = 1.0 - first * first - second * second
                    if inside > 0.0:
                        height = inside * inside * (inside if steep else 1.0)
                        fields[place, 0, row, column] += right * height
                        fields[place, 1, row, column] += down * height
