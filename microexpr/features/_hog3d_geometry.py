"""The geometry of 3D-HOG: its parameters' rules, the axes and planes of its bins, and how a clip is cut into cells."""

__all__ = [
    "BINNINGS",
    "PLANE_BINS",
    "SUBBLOCKS",
    "Settings",
    "cell_runs",
    "check_settings",
    "cut",
    "mask_runs",
    "plane_matrix",
    "plane_slopes",
    "polyhedron",
]

import math
from typing import NamedTuple

import numpy as np

from microexpr.core.checks import check_choice, check_int_tuple
from microexpr.core.errors import DataError, ParameterError

BINNINGS = ("polikovsky", "icosahedron", "dodecahedron")
#: Bins of the planes XY, XT and YT.
PLANE_BINS = (8, 12, 12)
#: Gradients of a cell vote by subblocks, this many along each axis.
SUBBLOCKS = 3

# The golden ratio with the digits that the program has.
_GOLDEN = 1.6180339887


class Settings(NamedTuple):
    """Checked parameters of `hog3d`."""

    binning: str
    cells: tuple[int, ...]
    box: tuple[int, ...] | None
    orientation: str


def check_settings(binning: object, cells: object, box: object, orientation: object, divider: str | None) -> Settings:
    """Return the parameters, or raise a ParameterError; `divider` names what divides the picture instead of cells."""
    binning = str(check_choice(binning, "binning", BINNINGS))
    if divider is not None and binning != "polikovsky":
        raise ParameterError(f"{divider}: it must not be given, binning {binning!r} divides the clip into cells alone")
    checked: tuple[int, ...]
    if cells is None:
        checked = (1, 1, 1) if divider is not None else (5, 5, 1) if binning == "polikovsky" else (4, 4, 3)
    else:
        checked = check_int_tuple(cells, "cells", 3, minimum=1)
        if divider is not None and checked[:2] != (1, 1):
            raise ParameterError(f"cells is {cells!r}: it must be (1, 1, n), the picture is divided by {divider}")
    if box is not None:
        if divider is not None:
            raise ParameterError(f"box is {box!r}: it must be None, the picture is divided by {divider}")
        box = check_int_tuple(box, "box", 6, minimum=0)
        for word, size in zip(("width", "height", "length"), box[3:], strict=True):
            if size < 1:
                raise ParameterError(f"box is {box!r}: its {word} must be at least 1")
    orientation = str(check_choice(orientation, "orientation", ("full", "half")))
    return Settings(binning, checked, box, orientation)


def cut(shape: tuple[int, ...], settings: Settings, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edges of cells, or of their subblocks, along time, rows and columns; a DataError if they do not fit.

    Part k of n of a length L begins at k L / n, rounded to the nearest whole number, a half down.
    """
    n_frames, height, width = shape
    x, y, t, box_width, box_height, length = settings.box or (0, 0, 0, width, height, n_frames)
    if x + box_width > width or y + box_height > height or t + length > n_frames:
        raise DataError(
            f"{name}: the box (x, y, t, width, height, length) {settings.box} reaches beyond a clip of {n_frames} "
            f"frames of {height} x {width} pixels"
        )
    parts = 1 if settings.binning == "polikovsky" else SUBBLOCKS
    n_rows, n_columns, n_times = settings.cells
    axes = (("frames", t, length, n_times), ("rows", y, box_height, n_rows), ("columns", x, box_width, n_columns))
    found = []
    for axis, start, size, n_cells in axes:
        if size < n_cells * parts:
            raise DataError(
                f"{name}: {size} {axis} cannot be cut into {n_cells} cells of {parts} or more; "
                f"{n_cells * parts} {axis} are needed"
            )
        count = n_cells * parts
        found.append(np.array([start - (count - 2 * part * size) // (2 * count) for part in range(count + 1)]))
    return found[0], found[1], found[2]


def cell_runs(row_edges: np.ndarray, column_edges: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the runs of pixels of a grid of cells, row by row, and which of them lie in each row of the picture."""
    n_columns = len(column_edges) - 1
    cell_row = np.repeat(np.arange(len(row_edges) - 1), np.diff(row_edges))
    region = cell_row[:, None] * n_columns + np.arange(n_columns)
    runs = np.stack(np.broadcast_arrays(column_edges[:-1], column_edges[1:], region), axis=-1).reshape(-1, 3)
    rows_before = np.clip(np.arange(height + 1), row_edges[0], row_edges[-1]) - row_edges[0]
    return rows_before * n_columns, runs


def mask_runs(masks: object, shape: tuple[int, ...], name: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the runs of pixels of each mask, row by row, which of them lie in each row, and the number of masks."""
    try:
        array = np.asarray(masks)
    except ValueError:
        raise DataError(f"{name}: masks differ in size; they must be one array (n_regions, height, width)") from None
    if array.dtype != bool or array.ndim != 3 or len(array) == 0 or array.shape[1:] != shape[1:]:
        raise DataError(
            f"{name}: masks are {array.dtype} of shape {array.shape}; they must be bool of shape "
            f"(n_regions, {shape[1]}, {shape[2]})"
        )
    empty = np.flatnonzero(~array.any(axis=(1, 2)))
    if empty.size:
        raise DataError(f"{name}: masks[{empty[0]}] holds no pixel")
    steps = np.diff(array.transpose(1, 0, 2).astype(np.int8), axis=2, prepend=0, append=0)
    row, region, start = np.nonzero(steps == 1)
    stop = np.nonzero(steps == -1)[2]
    runs = np.stack([start, stop, region], axis=1).astype(np.int64)
    return np.searchsorted(row, np.arange(shape[1] + 1)), runs, len(array)


def plane_slopes() -> np.ndarray:
    """Return the slopes of the lines between the sectors of each plane's first quadrant, float64 of shape (3, 3)."""
    # Bins are centred on multiples of 45 or 30 degrees: tan 22.5, tan 67.5 (once more: there is no third), and
    # tan 15, tan 45, tan 75, of which the middle one must be 1 to the last bit for ties to be seen.
    eight = [math.sqrt(2) - 1, math.sqrt(2) + 1, math.sqrt(2) + 1]
    twelve = [2 - math.sqrt(3), 1.0, 2 + math.sqrt(3)]
    return np.array([eight, twelve, twelve])


def plane_matrix(n_bins: int) -> np.ndarray:
    """Return a (16, n_bins) matrix with a 1 where a code of the kernel belongs in a bin."""
    matrix = np.zeros((16, n_bins))
    for code in range(16):
        place = min(code & 3, n_bins // 4)
        if code & 4:
            place = n_bins // 2 - place
        if code & 8:
            place = -place
        matrix[code, place % n_bins] = 1.0
    return matrix


def polyhedron(binning: str) -> tuple[np.ndarray, float]:
    """Return the axes (x, y, t) through the faces' centres, half of them, and the share of |axis| |g| votes exceed."""
    golden, inverse = _GOLDEN, 1 / _GOLDEN
    if binning == "icosahedron":
        corners = [(1.0, 1.0, 1.0), (-1.0, -1.0, 1.0), (-1.0, 1.0, 1.0), (1.0, -1.0, 1.0)]
        pairs = [(0.0, inverse, golden), (0.0, -inverse, golden), (inverse, golden, 0.0)]
        pairs += [(inverse, -golden, 0.0), (golden, 0.0, inverse), (-golden, 0.0, inverse)]
        # The axes of a dodecahedron's corners are sqrt(3) long; neighbours' cosine is sqrt(5) / 3.
        return np.array(corners + pairs), math.sqrt(5) / 3 * math.sqrt(3)
    pairs = [(0.0, 1.0, golden), (0.0, -1.0, golden), (1.0, golden, 0.0)]
    pairs += [(-1.0, golden, 0.0), (golden, 0.0, 1.0), (-golden, 0.0, 1.0)]
    # The cosine between neighbours is 1 / sqrt(5).
    return np.array(pairs), math.sqrt(1 + golden**2) / math.sqrt(5)
