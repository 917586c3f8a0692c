"""Regions of a face as named polygons over the 68 landmarks, and their pixels."""

__all__ = ["REGION_KINDS", "region_masks", "regions"]

from collections.abc import Mapping

import numpy as np

from microexpr.core.checks import check_choice, check_int_tuple
from microexpr.core.errors import DataError
from microexpr.video.faces._region_tables import KATO15, MDMO36, MDMO36_ORDER, POLIKOVSKY12
from microexpr.video.faces.align import check_points
from microexpr.video.faces.template import MIRROR, eye_centers

REGION_KINDS = ("mdmo36", "kato15", "polikovsky12", "grid")

# How far above the brows the upper corners of the forehead's regions lie, in distances between the eyes.
_FOREHEAD = 0.25


def regions(points: object, *, kind: str = "mdmo36", grid: tuple[int, int] = (5, 5)) -> dict[str, np.ndarray]:
    """Divide a face into named regions.

    Parameters
    ----------
    points : FaceLandmarks or float array of shape (68, 2), in pixels
    kind : {"mdmo36", "kato15", "polikovsky12", "grid"}
        36 quadrilaterals that cover the face from above the brows to the jaw, as MDMO uses [1]_; 15 rectangles where
        expressions show, as P. Kato's method [2]_ and the networks built on it [3]_ use; 12 rectangles for 3D-HOG [4]_;
        or a regular grid over the box around all landmarks.
    grid : (rows, columns), ints > 0
        For "grid" only.

    Returns
    -------
    dict of str -> float64 ndarray of shape (4, 2)
        The corners of each region in order around it, x and y in pixels; regions always come in the same order.
        `right_` and `left_` are the person's own: the person's right is on the left of the picture. Regions of a grid
        are named `row1_column1` from the upper left of the picture.

    Raises
    ------
    DataError
        If `points` are not 68 finite points, or the eyes coincide.
    ParameterError
        If `kind` or `grid` is not allowed.

    Notes
    -----
    All directions are the face's own: rectangles are parallel to the line between the eyes and `up` is at a right
    angle to it, so a turned face has turned regions and a mirrored face mirrored ones, left and right exchanged.

    "mdmo36" follows the mesh that programs of the method in circulation use, in their order. Differs from them in: the
    regions above the brows reach 0.25 of the distance between the eyes up instead of a fixed 20 pixels. [1]_ has
    66 landmarks, without the inner corners of the lips; the mesh does not use those.

    [2]_ and [3]_ show their 15 regions in a picture only and [4]_ its 12: the choice here is ours. Each rectangle spans
    named landmarks with a margin (the tables beside this file give both). "kato15": brows, between the
    brows, eyes, root of the nose, cheeks, the folds beside the nose, corners of the mouth, upper lip, lower lip, chin.
    "polikovsky12": forehead, brows, between the brows, eyes, below the eyes, nose, corners of the mouth, chin.

    References
    ----------
    .. [1] Y.-J. Liu, J.-K. Zhang, W.-J. Yan, S.-J. Wang, G. Zhao, X. Fu, "A main directional mean optical flow feature
       for spontaneous micro-expression recognition", IEEE Transactions on Affective Computing 7 (4), 2016.
    .. [2] K. Kato, H. Takano, M. Saiko, M. Kubo, H. Imaoka, "Comparative study of feature extraction method for
       emotional classification by micro-expression", APSIPA ASC, 2021.
    .. [3] K. Hata, T. Hirose, H. Takano, "Performance evaluation of micro-expression recognition with various network
       design variations in deep learning".
    .. [4] S. Polikovsky, Y. Kameda, Y. Ohta, "Facial micro-expressions recognition using high speed camera and
       3D-gradient descriptor", ICDP, 2009.

    Examples
    --------
    >>> from microexpr.video.faces import canonical_landmarks
    >>> found = regions(canonical_landmarks(), kind="polikovsky12")
    >>> len(found), list(found)[:3]
    (12, ['forehead', 'right_brow', 'left_brow'])
    """
    check_choice(kind, "kind", REGION_KINDS)
    rows, columns = check_int_tuple(grid, "grid", 2, minimum=1)
    points = check_points(points)
    right, left = eye_centers(points)
    unit = float(np.hypot(*(left - right)))
    if unit < 1e-6:
        raise DataError("the landmarks of both eyes lie in one point: there is no face to divide")
    if kind == "mdmo36":
        return _mesh(points)
    if kind == "grid":
        return _grid(points, rows, columns)
    table = KATO15 if kind == "kato15" else POLIKOVSKY12
    found: dict[str, np.ndarray] = {}
    for name, (marks, margins) in table.items():
        found[name] = _rectangle(points, marks, margins)
        if name.startswith("right_"):
            top, outer, bottom, inner = margins
            mirrored = tuple(MIRROR[mark] for mark in marks)
            found[name.replace("right_", "left_")] = _rectangle(points, mirrored, (top, inner, bottom, outer))
    return found


def region_masks(polygons: Mapping[str, np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Return which pixels lie in each region.

    Parameters
    ----------
    polygons : mapping of str -> float array of shape (n_corners, 2), in pixels
    shape : (height, width), ints > 0

    Returns
    -------
    bool ndarray of shape (n_regions, height, width)
        In the order of `polygons`. A pixel belongs to a region if its centre lies inside (even-odd rule); regions that
        share an edge share no pixel.

    Raises
    ------
    DataError
        If a region holds no pixel of the picture; the message names all such regions.
    ParameterError
        If `shape` is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> square = np.array([(0.5, 0.5), (2.5, 0.5), (2.5, 3.5), (0.5, 3.5)])
    >>> region_masks({"square": square}, (5, 4))[0].astype(int).tolist()
    [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    height, width = check_int_tuple(shape, "shape", 2, minimum=1)
    masks = np.zeros((len(polygons), height, width), bool)
    for mask, polygon in zip(masks, polygons.values(), strict=True):
        corners = np.asarray(polygon, np.float64)
        left, top = np.clip(np.ceil(corners.min(axis=0)).astype(int), 0, [width, height])
        right, bottom = np.clip(np.floor(corners.max(axis=0)).astype(int) + 1, 0, [width, height])
        x, y = np.arange(left, right), np.arange(top, bottom)[:, None]
        inside = np.zeros((max(bottom - top, 0), max(right - left, 0)), bool)
        for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if y0 == y1:
                continue
            # Both neighbours of an edge must compute the same crossing, so its ends are taken in one order.
            (xa, ya), (xb, yb) = sorted(((x0, y0), (x1, y1)), key=lambda end: (end[1], end[0]))
            inside ^= (y >= ya) & (y < yb) & (x < xa + (y - ya) / (yb - ya) * (xb - xa))
        mask[top:bottom, left:right] = inside
    empty = [name for name, mask in zip(polygons, masks, strict=True) if not mask.any()]
    if empty:
        raise DataError(
            f"no pixel of the {height} x {width} picture lies in the region{'s' * (len(empty) > 1)} "
            f"{', '.join(empty)}; is the face too small, or cut off?"
        )
    return masks


def _mesh(points: np.ndarray) -> dict[str, np.ndarray]:
    right, left = eye_centers(points)
    across = left - right
    # At a right angle to the line between the eyes, towards the forehead; a quarter of its length.
    up = _FOREHEAD * np.array([across[1], -across[0]])
    # From brow to nose is up in a mirrored picture too.
    if up @ (points[27] - points[8]) < 0:
        up = -up

    def corner(code: int | tuple[int, int] | str, flip: bool) -> np.ndarray:
        def mark(number: int) -> np.ndarray:
            return np.asarray(points[MIRROR[number] if flip else number])

        if isinstance(code, str):
            # "^19": above landmark 19; "^21+22": above the middle of two.
            return np.asarray(np.mean([mark(int(number)) for number in code[1:].split("+")], axis=0) + up)
        return mark(code) if isinstance(code, int) else (mark(code[0]) + mark(code[1])) / 2

    found = {}
    for name in MDMO36_ORDER:
        flip = name.startswith("left_")
        codes = MDMO36[name.split("_", 1)[1]]
        found[name] = np.stack([corner(code, flip) for code in codes])
    return found


def _axes(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the face's own directions, right to left and down, and the distance between the eyes."""
    right, left = eye_centers(points)
    unit = float(np.hypot(*(left - right)))
    across = (left - right) / unit
    down = np.array([-across[1], across[0]])
    if down @ (points[8] - points[27]) < 0:
        down = -down
    return across, down, unit


def _rectangle(points: np.ndarray, marks: tuple[int, ...], margins: tuple[float, float, float, float]) -> np.ndarray:
    """Return the rectangle along the face's axes around `marks`; margins above, right, below, left of the person."""
    across, down, unit = _axes(points)
    axes = np.stack([across, down])
    places = points[list(marks)] @ axes.T
    above, right, below, left = (unit * margin for margin in margins)
    x0, y0 = places.min(axis=0) - np.array([right, above])
    x1, y1 = places.max(axis=0) + np.array([left, below])
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) @ axes


def _grid(points: np.ndarray, rows: int, columns: int) -> dict[str, np.ndarray]:
    across, down, _ = _axes(points)
    axes = np.stack([across, down])
    places = points @ axes.T
    low, high = places.min(axis=0), places.max(axis=0)
    x, y = np.linspace(low[0], high[0], columns + 1), np.linspace(low[1], high[1], rows + 1)
    return {
        f"row{row + 1}_column{column + 1}": np.array(
            [(x[column], y[row]), (x[column + 1], y[row]), (x[column + 1], y[row + 1]), (x[column], y[row + 1])]
        )
        @ axes
        for row in range(rows)
        for column in range(columns)
    }
