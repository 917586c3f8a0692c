"""The mean shape that stands in where a backend gives no landmarks, and the order of the 68 points."""

__all__ = [
    "MIRROR",
    "TEMPLATE",
    "eye_centers",
    "fit_similarity",
    "mirror_landmarks",
    "place_template",
    "transform_points",
]

import numpy as np

# The right half of the face (left of the picture) and the midline, in the iBUG order: x to the right, y down, in
# distances between the eye centres, from the point between them.
_RIGHT_HALF: dict[int, tuple[float, float]] = {
    # jaw, from the temple to the chin
    0: (-1.15, 0.02), 1: (-1.14, 0.33), 2: (-1.10, 0.64), 3: (-1.03, 0.94), 4: (-0.90, 1.22),
    5: (-0.70, 1.47), 6: (-0.48, 1.67), 7: (-0.25, 1.80), 8: (0.0, 1.85),
    # brow, from the temple inwards
    17: (-0.93, -0.24), 18: (-0.78, -0.37), 19: (-0.58, -0.42), 20: (-0.38, -0.38), 21: (-0.19, -0.29),
    # bridge and base of the nose
    27: (0.0, -0.05), 28: (0.0, 0.17), 29: (0.0, 0.38), 30: (0.0, 0.58),
    31: (-0.24, 0.72), 32: (-0.12, 0.76), 33: (0.0, 0.79),
    # eye: outer corner, upper lid, inner corner, lower lid
    36: (-0.735, 0.01), 37: (-0.59, -0.08), 38: (-0.41, -0.08), 39: (-0.265, 0.02), 40: (-0.41, 0.065),
    41: (-0.59, 0.065),
    # outer and inner outline of the lips
    48: (-0.42, 1.15), 49: (-0.26, 1.06), 50: (-0.10, 1.01), 51: (0.0, 1.03), 57: (0.0, 1.32), 58: (-0.11, 1.31),
    59: (-0.27, 1.25), 60: (-0.36, 1.15), 61: (-0.11, 1.12), 62: (0.0, 1.13), 66: (0.0, 1.19), 67: (-0.11, 1.18),
}  # fmt: skip

#: MIRROR[k] is the landmark that k becomes when left and right are exchanged.
MIRROR: tuple[int, ...] = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *(27, 28, 29, 30),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46),
    *(39, 38, 37, 36, 41, 40),
    *range(54, 47, -1),
    *range(59, 54, -1),
    *range(64, 59, -1),
    *(67, 66, 65),
)


def _whole_face() -> np.ndarray:
    points = np.array([_RIGHT_HALF.get(k, (0.0, 0.0)) for k in range(68)])
    for k in range(68):
        if k not in _RIGHT_HALF:
            points[k] = np.array(_RIGHT_HALF[MIRROR[k]]) * [-1.0, 1.0]
    # In the unit and from the origin that the first line of this file's table promises.
    right, left = eye_centers(points)
    shape: np.ndarray = (points - (right + left) / 2) / (left - right)[0]
    shape.setflags(write=False)
    return shape


def eye_centers(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the centres of the person's right and left eye (left and right in the picture), each (x, y).

    Parameters
    ----------
    points : float ndarray of shape (68, 2)
    """
    return points[36:42].mean(axis=0), points[42:48].mean(axis=0)


#: Mean shape of 68 points in the iBUG order, read-only float64 (68, 2): x and y in distances between the eye centres.
TEMPLATE: np.ndarray = _whole_face()


def mirror_landmarks(points: np.ndarray, width: int) -> np.ndarray:
    """Return the landmarks of the frame mirrored left to right, again in the iBUG order.

    Parameters
    ----------
    points : float ndarray of shape (68, 2), in pixels
    width : int > 0
        Of the frame.

    Returns
    -------
    float64 ndarray of shape (68, 2)
    """
    mirrored = np.array(points, np.float64)[list(MIRROR)]
    mirrored[:, 0] = width - 1 - mirrored[:, 0]
    return mirrored


def place_template(right_eye: np.ndarray, left_eye: np.ndarray) -> np.ndarray:
    """Return the mean shape, turned, scaled and moved so that its eye centres lie on the given ones.

    Parameters
    ----------
    right_eye, left_eye : float ndarray of shape (2,)
        x and y of the centres of the person's right and left eye, in pixels.

    Returns
    -------
    float64 ndarray of shape (68, 2)

    Notes
    -----
    The shape is our own: drawn after the usual proportions of adult faces (eye fissures half as wide as the
    distance between the pupils, the mouth 1.15 and the chin 1.85 such distances below the eyes, the face 2.3 wide)
    and symmetric. It knows nothing of the person or the expression: brows, mouth and chin of a real face lie up to
    some 0.2 of the distance between the eyes away from it.
    """
    right_eye, left_eye = np.asarray(right_eye, np.float64), np.asarray(left_eye, np.float64)
    across = left_eye - right_eye
    linear = np.array([[across[0], -across[1]], [across[1], across[0]]])
    return np.asarray(TEMPLATE @ linear.T + (right_eye + left_eye) / 2)


def fit_similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the similarity (scale, rotation, translation) that brings `source` nearest to `target`.

    Parameters
    ----------
    source, target : float ndarray of shape (n, 2), n >= 2
        Corresponding points.

    Returns
    -------
    float64 ndarray of shape (2, 3)
        Least squares over all points; a point p goes to ``matrix[:, :2] @ p + matrix[:, 2]``. Never a reflection.
    """
    here, there = source.mean(axis=0), target.mean(axis=0)
    # As complex numbers a similarity is one factor, and the best factor a quotient of inner products.
    z = (source - here) @ np.array([1.0, 1.0j])
    w = (target - there) @ np.array([1.0, 1.0j])
    factor = np.vdot(z, w) / np.vdot(z, z).real
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([linear, there - linear @ here])


def transform_points(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return points (..., 2) moved by an affine matrix (2, 3)."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])
