"""How each region of the face moves against the head, face by face: what the method `flow` and the distractors read."""

__all__ = ["REGIONS", "RegionMotion"]

from collections.abc import Iterable, Iterator

import numpy as np

from microexpr.spotting._cells import CellGrid, Reference, fit_head, pooled
from microexpr.spotting.method import FaceFrame

# Left, right, upper and lower edge in distances between the eyes, from the point between them; right is the person's.
_ON_THE_RIGHT = {
    "outer_brow": (-0.98, -0.62, -0.55, -0.17),
    "inner_brow": (-0.64, -0.20, -0.55, -0.17),
    "lid": (-0.78, -0.26, -0.13, 0.12),
    "temple": (-1.10, -0.85, -0.15, 0.40),
    "cheek": (-0.85, -0.35, 0.20, 0.70),
    "nose_wing": (-0.36, -0.12, 0.50, 0.85),
    "mouth_corner": (-0.62, -0.26, 0.95, 1.40),
    "jaw": (-0.75, -0.30, 1.30, 1.70),
}
_IN_THE_MIDDLE = {
    "between_brows": (-0.20, 0.20, -0.50, -0.12),
    "nose_bridge": (-0.16, 0.16, -0.10, 0.50),
    "upper_lip": (-0.26, 0.26, 0.85, 1.12),
    "lower_lip": (-0.26, 0.26, 1.20, 1.50),
    "chin": (-0.30, 0.30, 1.45, 1.85),
}

#: The regions, in the order of the columns: left, right, upper and lower edge as above.
REGIONS: dict[str, tuple[float, float, float, float]] = {
    **{f"right_{name}": edges for name, edges in _ON_THE_RIGHT.items()},
    **{f"left_{name}": (-right, -left, up, low) for name, (left, right, up, low) in _ON_THE_RIGHT.items()},
    **_IN_THE_MIDDLE,
}

_REFERENCE_AGE = 0.5
_PRESET = 2
# Depth shifts a part of the face by up to this part of the head's own shift more than the rest, or less.
_PARALLAX = 0.7
# A cell whose middle is this much outside still counts.
_EDGE = 0.02


class RegionMotion:
    """Measure the motion of the face's regions against the head.

    1. The flow from a reference, a face at most half a second old, pooled over cells by their texture.
    2. The head's share of it is fitted robustly over all cells but the eyes: affine motion, and two more terms for
       depth (the nose is nearer than the face, the face bulges), bounded by how far the head has shifted meanwhile: a
       turning head moves near parts further.
    3. What is left is pooled over each region, and summed up from reference to reference.

    So the numbers are displacements since the face was found, up to a slow drift; an expression is what comes and goes.

    Notes
    -----
    The head as what most of the face shares, and local motion beside it, is how training-free methods lead the public
    tables of spotting; [1]_ takes the nose alone for the head. References, the structure tensor as weight, and the
    terms for depth are ours.

    References
    ----------
    .. [1] Y. He, "Research on micro-expression spotting method based on optical flow features", ACM Multimedia, 2021.
    """

    version = 1

    #: x and y of each region, in distances between the eyes, to the right and down; `FaceFrame.head` and `.speed`; and
    #: which run of comparable faces the row is of.
    columns: tuple[str, ...] = (
        *(f"{name}_{axis}" for name in REGIONS for axis in "xy"),
        *("head_x", "head_y", "head_turn", "head_growth", "speed", "segment"),
    )

    def measure(self, faces: Iterable[FaceFrame], *, rate: float) -> Iterator[np.ndarray]:
        """Yield one row of `columns` for each face, NaN where there is none.

        Parameters
        ----------
        faces : iterable of FaceFrame
        rate : float > 0, in faces per second

        Yields
        ------
        float64 ndarray of shape (n_columns,)
        """
        grid: CellGrid | None = None
        reference: Reference | None = None
        segment = -1
        for face in faces:
            row = np.full(len(self.columns), np.nan)
            if face.grey is None:
                reference = None
                yield row
                continue
            if grid is None:
                grid = CellGrid(face.points, face.grey.shape)
                basis, groups = _basis(grid), _groups(grid)
            head = np.array(face.head or (0.0, 0.0, 0.0, 0.0))
            if reference is None or face.restart:
                segment += 1
                reference, age, told = Reference(face.grey, preset=_PRESET), 0, head
                base = np.zeros((len(REGIONS), 2))
                here = base
            else:
                age += 1
                spread = np.full((basis.shape[1], 2), np.inf)
                spread[3:] = _PARALLAX * grid.unit * np.abs(head - told)[:2]
                moved = reference.moved(face.grey)
                motion, sureness = pooled(moved, reference.information)
                fitted = basis @ fit_head(motion, sureness * grid.of_head, basis, spread)
                left, _ = pooled(moved - _weighed(reference.information, fitted), reference.information, groups)
                here = base + left / grid.unit
                if age >= _REFERENCE_AGE * rate:
                    reference, age, told, base = Reference(face.grey, preset=_PRESET), 0, head, here
            row[:] = (*here.ravel(), *head, face.speed, segment)
            yield row


def _basis(grid: CellGrid) -> np.ndarray:
    """Return the terms of the head's motion at each cell: shift, two of the linear part, two of depth."""
    x, y = grid.places.T
    nose = np.exp(-((x / 0.35) ** 2) - ((y - 0.5) / 0.45) ** 2)
    bulge = np.sqrt(np.maximum(1.0 - (x / 1.3) ** 2 - ((y - 0.5) / 1.8) ** 2, 0.0))
    return np.column_stack([np.ones_like(x), x, y, nose, bulge])


def _groups(grid: CellGrid) -> np.ndarray:
    """Return which cells are of each region, (n_regions, n_cells)."""
    x, y = grid.places.T
    return np.array(
        [
            (x >= left - _EDGE) & (x <= right + _EDGE) & (y >= upper - _EDGE) & (y <= lower + _EDGE)
            for left, right, upper, lower in REGIONS.values()
        ],
        np.float64,
    )


def _weighed(information: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Return the structure tensor times a motion, cell by cell."""
    xx, xy, yy = information.T
    u, v = motion.T
    return np.stack([xx * u + xy * v, xy * u + yy * v], axis=-1)
