"""The regions of a clip's face, as boxes and masks in its frames; shared by the descriptors that work by region."""

__all__ = ["FACE_REGIONS", "check_grid", "frame_regions", "region_boxes", "region_masks"]

from collections.abc import Mapping

import numpy as np

from microexpr.core.checks import check_choice, check_int_tuple
from microexpr.core.errors import DataError, ParameterError
from microexpr.video import faces

#: Kinds of regions: three that need a face, and a grid over the whole picture, which needs none.
FACE_REGIONS = ("mdmo36", "kato15", "polikovsky12", "grid")


def check_grid(grid: object, regions: object, default: tuple[int, int]) -> tuple[int, int]:
    """Return the (rows, columns) that a grid has, `default` for None; a ParameterError if regions of a face get one."""
    if grid is None:
        return default
    rows, columns = check_int_tuple(grid, "grid", 2, minimum=1)
    if regions != "grid":
        raise ParameterError(f"grid is {grid!r}: it must be None, regions={regions!r} has no grid")
    return rows, columns


def frame_regions(
    frame: np.ndarray, kind: str, *, grid: tuple[int, int] = (5, 5), name: str = "frame"
) -> dict[str, np.ndarray]:
    """Divide a picture of a face into named regions.

    Parameters
    ----------
    frame : ndarray of shape (height, width) or (height, width, 3), values 0..255
    kind : {"mdmo36", "kato15", "polikovsky12", "grid"}
        See `microexpr.video.faces.regions`; the face is found and marked with the default backend. "grid" divides
        the whole picture and looks for no face.
    grid : (rows, columns), ints > 0
    name : str
        What messages call the frame.

    Returns
    -------
    dict of str -> float64 ndarray of shape (4, 2)
        Corners x, y in pixels, always in the same order.

    Raises
    ------
    ParameterError
        If `kind` or `grid` is not allowed.
    DataError
        If no face, or more than one, is found, or the grid has more rows or columns than the picture.
    """
    check_choice(kind, "regions", FACE_REGIONS)
    rows, columns = check_int_tuple(grid, "grid", 2, minimum=1)
    if kind != "grid":
        if frame.dtype != np.uint8:
            # Frames interpolated in time: whole grey levels are enough to find a face by.
            frame = np.rint(np.clip(frame, 0, 255)).astype(np.uint8)
        try:
            return faces.regions(faces.landmarks(frame, name=name), kind=kind)
        except DataError as error:
            raise DataError(f"{error}; regions='grid' divides the whole picture instead") from None
    height, width = frame.shape[:2]
    for size, n_blocks, axis in ((height, rows, "rows"), (width, columns, "columns")):
        if size < n_blocks:
            raise DataError(f"{name}: {size} {axis} of pixels cannot be cut into {n_blocks} blocks")
    # Pixel centres are at whole numbers, so the picture reaches from -0.5 to its size - 0.5.
    y, x = np.linspace(-0.5, height - 0.5, rows + 1), np.linspace(-0.5, width - 0.5, columns + 1)
    return {
        f"row{row + 1}_column{column + 1}": np.array(
            [(x[column], y[row]), (x[column + 1], y[row]), (x[column + 1], y[row + 1]), (x[column], y[row + 1])]
        )
        for row in range(rows)
        for column in range(columns)
    }


def region_boxes(
    polygons: Mapping[str, np.ndarray], shape: tuple[int, int], *, name: str = "frame"
) -> dict[str, tuple[slice, slice]]:
    """Return the smallest upright box of pixels around each region, cut at the picture's border.

    Parameters
    ----------
    polygons : mapping of str -> float array of shape (n_corners, 2), x and y in pixels
    shape : (height, width), in pixels
    name : str
        What messages call the picture.

    Returns
    -------
    dict of str -> (rows, columns), slices

    Raises
    ------
    DataError
        If a region lies outside the picture.
    """
    height, width = shape
    boxes = {}
    for region, polygon in polygons.items():
        left, top = np.maximum(np.ceil(polygon.min(axis=0)).astype(int), 0)
        # A pixel on the edge between two regions belongs to the later one alone.
        right, bottom = np.minimum(np.ceil(polygon.max(axis=0)).astype(int), [width, height])
        if top >= bottom or left >= right:
            raise DataError(f"{name}: the region {region} lies outside the {height} x {width} picture")
        boxes[region] = (slice(int(top), int(bottom)), slice(int(left), int(right)))
    return boxes


def region_masks(frame: np.ndarray, kind: str, *, grid: tuple[int, int] = (5, 5), name: str = "frame") -> np.ndarray:
    """Return the regions of `frame_regions`, which takes the same arguments, as masks of its pixels.

    Returns
    -------
    bool ndarray of shape (n_regions, height, width)

    Raises
    ------
    ParameterError
        If `kind` or `grid` is not allowed.
    DataError
        If there is no face to divide, the grid does not fit, or a region has no pixel.
    """
    polygons = frame_regions(frame, kind, grid=grid, name=name)
    try:
        return faces.region_masks(polygons, (frame.shape[0], frame.shape[1]))
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
