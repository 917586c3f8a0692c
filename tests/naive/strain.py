"""Slow obvious twin of optical strain: one loop over pixels, from the strain tensor."""

import math


def optical_strain(u, v):
    """Lists of rows of u and v -> rows of the strain tensor's magnitude."""
    height, width = len(u), len(u[0])
    strain = []
    for y in range(height):
        row = []
        for x in range(width):
            e_xx = along_x(u, y, x)
            e_yy = along_y(v, y, x)
            e_xy = (along_y(u, y, x) + along_x(v, y, x)) / 2
            e_yx = e_xy
            row.append(math.sqrt(e_xx**2 + e_yy**2 + e_xy**2 + e_yx**2))
        strain.append(row)
    return strain


def along_x(field, y, x):
    """The difference over two pixels, over one at the left and right border."""
    return slope([field[y][column] for column in range(len(field[0]))], x)


def along_y(field, y, x):
    """The difference over two pixels, over one at the upper and lower border."""
    return slope([field[row][x] for row in range(len(field))], y)


def slope(line, place):
    if place == 0:
        return line[1] - line[0]
    if place == len(line) - 1:
        return line[-1] - line[-2]
    return (line[place + 1] - line[place - 1]) / 2
