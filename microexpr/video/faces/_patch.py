"""A face cut out of a frame upright and at a fixed size, to search in."""

__all__ = ["face_patch"]

import numpy as np


def face_patch(
    grey: np.ndarray, center: tuple[float, float], side: float, roll: float, target: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cut the square of `side` pixels around `center`, turned clockwise by `roll` degrees, and resize it.

    Returns
    -------
    patch : uint8 ndarray of shape (target, target)
        What lies outside the frame continues its edge.
    back : float64 ndarray of shape (2, 3)
        From coordinates in the patch to coordinates in the frame.
    """
    import cv2

    scale = target / side
    angle = np.deg2rad(roll)
    cos, sin = np.cos(angle), np.sin(angle)
    # Shrink first, over areas, as much as leaves at least the patch's resolution: sampling alone would alias.
    reach = side / 2 * (abs(cos) + abs(sin)) + 2
    height, width = grey.shape
    left, top = max(0, int(center[0] - reach)), max(0, int(center[1] - reach))
    right, bottom = min(width, int(center[0] + reach) + 2), min(height, int(center[1] + reach) + 2)
    if right - left < 2 or bottom - top < 2:
        left, top, right, bottom = 0, 0, width, height
    piece = grey[top:bottom, left:right]
    along_x = along_y = 1.0
    if scale < 1:
        new_width, new_height = (max(2, round(length * scale)) for length in (right - left, bottom - top))
        along_x, along_y = new_width / (right - left), new_height / (bottom - top)
        piece = cv2.resize(piece, (new_width, new_height), interpolation=cv2.INTER_AREA)
    middle = (target - 1) / 2
    linear = np.array([[cos, -sin], [sin, cos]]) / scale
    back = np.column_stack([linear, np.array(center) - linear @ [middle, middle]])
    # From the patch into the shrunk piece; pixel centres lie at whole numbers in both.
    shrink = np.array([along_x, along_y])
    into = back.copy()
    into[:, 2] = (into[:, 2] - [left, top] + 0.5) * shrink - 0.5
    into[:, :2] *= shrink[:, None]
    patch = cv2.warpAffine(
        piece, into, (target, target), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(patch), back
