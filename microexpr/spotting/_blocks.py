"""The grid of blocks over a canonical face that methods average in, and what each block is called."""

__all__ = ["BlockGrid", "block_names", "eyelids"]

import numpy as np

from microexpr.spotting.motion import REGIONS
from microexpr.video.faces.template import TEMPLATE, eye_centers

# Half width and height around the middle of an eye where lids move, in distances between the eyes.
_LIDS = (0.45, 0.26)


class BlockGrid:
    """Equal blocks over the box around all landmarks; rows and columns of pixels that are left over belong to none.

    Parameters
    ----------
    points : float64 ndarray of shape (68, 2)
        The canonical landmarks.
    shape : (height, width), in pixels
    blocks : int > 0
        Along each side.
    eyes : bool
        Whether the pixels around the eyes count.
    margin : int >= 0, in pixels
        How far the box must stay from the picture's border.

    Attributes
    ----------
    unit : float
        Distance between the eyes, in pixels.
    labels : int64 ndarray of shape (height, width)
        Which block a pixel is of; -1 for none.
    n_blocks : int
        How many blocks there are.
    """

    def __init__(self, points: np.ndarray, shape: tuple[int, int], *, blocks: int, eyes: bool, margin: int = 0) -> None:
        limits = np.array(shape[::-1])
        left, top = np.clip(np.floor(points.min(axis=0)).astype(int), margin, limits - margin)
        right, bottom = np.clip(np.ceil(points.max(axis=0)).astype(int) + 1, margin, limits - margin)
        height, width = (bottom - top) // blocks, (right - left) // blocks
        self.unit = float(np.hypot(*np.subtract(*eye_centers(points))))
        self.labels = np.full(shape, -1, np.int64)
        grid = np.arange(blocks * blocks).reshape(blocks, blocks)
        inner = np.repeat(np.repeat(grid, height, axis=0), width, axis=1)
        self.labels[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
        if not eyes:
            self.labels[eyelids(points, shape)] = -1
        self.n_blocks = grid.size


def block_names(blocks: int) -> tuple[str, ...]:
    """Return the region of `REGIONS` whose middle is nearest to that of each block."""
    low, high = TEMPLATE.min(axis=0), TEMPLATE.max(axis=0)
    rows, columns = np.divmod(np.arange(blocks * blocks), blocks)
    places = low + (np.stack([columns, rows], axis=-1) + 0.5) * (high - low) / blocks
    edges = np.array(list(REGIONS.values()))
    middles = np.stack([edges[:, :2].mean(axis=1), edges[:, 2:].mean(axis=1)], axis=-1)
    nearest = np.linalg.norm(places[:, None] - middles, axis=-1).argmin(axis=1)
    return tuple(list(REGIONS)[place] for place in nearest)


def eyelids(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the pixels around the eyes, where lids move: bool (height, width)."""
    centers = eye_centers(points)
    unit = np.hypot(*np.subtract(*centers))
    y, x = np.mgrid[: shape[0], : shape[1]]
    near = np.zeros(shape, bool)
    for eye_x, eye_y in centers:
        near |= (np.abs(x - eye_x) <= _LIDS[0] * unit) & (np.abs(y - eye_y) <= _LIDS[1] * unit)
    return near
