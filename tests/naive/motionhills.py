"""Hills of displacement on a grid, pixel by pixel."""

import numpy as np


def add_hills(hills, fields):
    for field, own in zip(fields, hills, strict=True):
        for x, y, right, down, across, along, turn, steepness in own:
            for row in range(field.shape[1]):
                for column in range(field.shape[2]):
                    back = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
                    first, second = back @ [column - x, row - y] / [across, along]
                    height = max(0.0, 1.0 - first**2 - second**2) ** (3 if steepness >= 0.5 else 2)
                    field[:, row, column] += height * np.array([right, down])
