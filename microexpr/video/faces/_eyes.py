"""Eye centres inside a face box, by a cascade."""

__all__ = ["find_eyes"]

import numpy as np

from microexpr.video.faces._cascades import run_cascade
from microexpr.video.faces._patch import face_patch
from microexpr.video.faces.template import transform_points

# Side of the patch in which eyes are searched: eyes are then some 30 pixels wide, and the cascade needs 20.
_SIDE = 120
# Where eyes lie in a box of the face cascade, as fractions of its sides: the mean over faces whose eyes were found.
USUAL_EYES = ((0.305, 0.40), (0.695, 0.40))
# Rows and columns of the patch searched, as fractions: each eye in its own half, with some overlap.
_ROWS = (0.17, 0.62)
_COLUMNS = ((0.08, 0.55), (0.45, 0.92))
# How far, in fractions of the box, an eye may be from its usual place.
_REACH = 0.12
# The cascade's windows lie this much to the left of and above the eye, in fractions of their width: measured on faces
# whose eyes are known and, to the left, between pictures and their mirror images.
_OFFSET = np.array([0.04, 0.024])
# Allowed distances between the eyes, in fractions of the box, and their slope, in radians.
_APART = (0.28, 0.50)
_SLOPE = 0.36


def find_eyes(grey: np.ndarray, center: tuple[float, float], side: float, roll: float) -> np.ndarray | None:
    """Return the centres of the right and the left eye, float64 (2, 2), or None where no plausible pair is found.

    `center`, `side` and `roll` are the box's, in pixels and degrees.
    """
    patch, back = face_patch(grey, center, side, roll, _SIDE)
    candidates = [
        _candidates(patch, columns, usual) for columns, usual in zip(_COLUMNS, np.array(USUAL_EYES), strict=True)
    ]
    best, best_cost = None, np.inf
    for right, right_cost in candidates[0]:
        for left, left_cost in candidates[1]:
            across = (left - right) / _SIDE
            plausible = _APART[0] <= np.hypot(*across) <= _APART[1] and abs(np.arctan2(across[1], across[0])) <= _SLOPE
            if plausible and right_cost + left_cost < best_cost:
                best, best_cost = np.stack([right, left]), right_cost + left_cost
    return None if best is None else transform_points(best, back)


def _candidates(patch: np.ndarray, columns: tuple[float, float], usual: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Return (centre in the patch, how far it is from where an eye usually is)."""
    top, bottom = (round(part * _SIDE) for part in _ROWS)
    start, stop = (round(part * _SIDE) for part in columns)
    window = np.ascontiguousarray(patch[top:bottom, start:stop])
    found = []
    for x, y, width, height, _ in run_cascade("eye", window, min_side=20, max_side=46, neighbors=3):
        place = np.array([start + x + (width - 1) / 2, top + y + (height - 1) / 2]) + _OFFSET * width
        distance = float(np.hypot(*((place + 0.5) / _SIDE - usual)))
        if distance <= _REACH:
            found.append((place, distance))
    return found
