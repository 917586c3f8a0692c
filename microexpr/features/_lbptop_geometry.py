"""The geometry of LBP-TOP: its parameters' rules, where neighbours lie, and which blocks centres belong to."""

__all__ = [
    "Cells",
    "Settings",
    "bands",
    "bin_matrix",
    "check_settings",
    "corners",
    "cut_centres",
    "displacements",
    "fractions",
    "rounded_weights",
    "shifts",
]

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import numpy as np

from microexpr.core.checks import check_choice, check_float, check_int_tuple
from microexpr.core.errors import DataError, ParameterError
from microexpr.features._blocks import block_edges

# The axes (0 time, 1 row, 2 column) that the planes XY, XT, YT run along, first and second.
_PLANE_AXES = ((2, 1), (2, 0), (1, 0))
# Pixels coded at a stretch: few enough to stay in the processor's fastest memory.
_BAND_PIXELS = 8192


class Settings(NamedTuple):
    """Checked parameters of `lbptop`."""

    radii: tuple[int, ...]
    neighbors: int
    blocks: tuple[int, ...]
    bins: str
    interpolation: str
    overlap: float
    convention: str

    @property
    def border(self) -> int:
        """Pixels at each border that are no centres."""
        return max(self.radii[:2])

    @property
    def interpolates(self) -> bool:
        """Whether neighbours between pixels are interpolated."""
        return self.convention != "blocks2015" and self.interpolation == "bilinear"


class Cells(NamedTuple):
    """Stretches of centres along one axis, each within the same blocks."""

    edges: np.ndarray  # n_cells + 1, counted from the first centre
    first: np.ndarray  # a block of each cell
    second: np.ndarray  # another block it is in; the same again where there is none


def check_settings(
    radii: object,
    neighbors: object,
    blocks: object,
    bins: object,
    interpolation: object,
    overlap: object,
    convention: object,
) -> Settings:
    """Return the parameters, or raise a ParameterError for one that is not allowed or contradicts the convention."""
    settings = Settings(
        radii=check_int_tuple(radii, "radii", 3, minimum=1),
        neighbors=cast(int, check_choice(neighbors, "neighbors", (8, 4))),
        blocks=check_int_tuple(blocks, "blocks", 3, minimum=1),
        bins=str(check_choice(bins, "bins", ("u2", "basic"))),
        interpolation=str(check_choice(interpolation, "interpolation", ("bilinear", "nearest"))),
        overlap=check_float(overlap, "overlap", minimum=0.0),
        convention=str(check_choice(convention, "convention", ("zhao2009", "unfolding2016", "blocks2015"))),
    )
    if settings.overlap >= 1.0:
        raise ParameterError(f"overlap is {overlap!r}: it must be below 1")
    if settings.overlap and settings.convention != "blocks2015":
        raise ParameterError(f"overlap is {overlap!r}: it must be 0, only convention 'blocks2015' lets blocks overlap")
    if settings.convention == "unfolding2016":
        if len(set(settings.radii)) > 1:
            raise ParameterError(f"radii is {radii!r}: convention 'unfolding2016' has one radius for all three axes")
        if settings.interpolation != "bilinear":
            raise ParameterError(f"interpolation is {interpolation!r}: convention 'unfolding2016' is always 'bilinear'")
    return settings


def cut_centres(shape: tuple[int, ...], settings: Settings, name: str) -> tuple[Cells, Cells, Cells]:
    """Cut the centres of a clip along time, rows and columns; a DataError says what does not fit."""
    margins = (settings.radii[2], settings.border, settings.border)
    lengths = [size - 2 * margin for size, margin in zip(shape, margins, strict=True)]
    if min(lengths) < 1:
        raise DataError(
            f"{name}: a clip of {shape[0]} frames of {shape[1]} x {shape[2]} pixels is too small for radii "
            f"{settings.radii}; at least {2 * margins[0] + 1} frames of {2 * margins[1] + 1} x {2 * margins[2] + 1} "
            "are needed"
        )
    n_rows, n_columns, n_times = settings.blocks
    return (
        _cut(lengths[0], n_times, settings, "frames", name),
        _cut(lengths[1], n_rows, settings, "rows", name),
        _cut(lengths[2], n_columns, settings, "columns", name),
    )


def _cut(length: int, n_blocks: int, settings: Settings, axis: str, name: str) -> Cells:
    refusal = f"{name}: {length} {axis} of centres (radii {settings.radii}) cannot be cut into {n_blocks} blocks"
    if length < n_blocks:
        raise DataError(f"{refusal}; each block needs one at least")
    centres = np.arange(length)
    if settings.convention == "unfolding2016":
        size = -(-length // n_blocks)
        if (n_blocks - 1) * size >= length:
            raise DataError(
                f"{refusal}; convention 'unfolding2016' makes each {size} long, which leaves the last empty"
            )
        first = second = centres // size
    elif settings.convention == "blocks2015" and axis == "frames":
        size = (length + n_blocks - 1) // n_blocks
        if size < 2 <= n_blocks:
            raise DataError(f"{refusal}; convention 'blocks2015', whose blocks share a frame, needs {n_blocks + 1}")
        later = -(-(centres - size) // max(size - 1, 1))
        first = np.minimum(np.where(centres < size, 0, later), n_blocks - 1)
        second = -(-(centres + first + 1) // size) - 1
    elif settings.convention == "blocks2015":
        shared = max(math.ceil((-(-length // n_blocks) - 1) * settings.overlap) - 1, 0)
        size = (length + shared * (n_blocks - 1)) // n_blocks
        later = (centres - size) // (size - shared) + 1
        first = np.minimum(np.where(centres < size, 0, later), n_blocks - 1)
        second = -(-(centres + 1 + (first + 1) * shared) // size) - 1
    else:
        first = second = np.repeat(np.arange(n_blocks), np.diff(block_edges(length, n_blocks)))
    second = np.minimum(second, n_blocks - 1)
    starts = np.flatnonzero((np.diff(first, prepend=-1) != 0) | (np.diff(second, prepend=-1) != 0))
    return Cells(np.append(starts, length), first[starts], second[starts])


def bands(row_edges: np.ndarray, cuts: np.ndarray, width: int) -> np.ndarray:
    """Cut the rows of centres at `cuts`, and where bands grow too large: rows from and to, and the cell they are in."""
    height = max(_BAND_PIXELS // width, 1)
    starts = np.unique(np.concatenate([np.arange(start, stop, height) for start, stop in pairwise(cuts)]))
    starts = starts[(starts >= row_edges[0]) & (starts < row_edges[-1])]
    cell = np.searchsorted(row_edges, starts, side="right") - 1
    return np.stack([starts, np.append(starts[1:], row_edges[-1]), cell], axis=1)


def displacements(settings: Settings) -> np.ndarray:
    """Return where neighbours lie along each plane's first and second axis, float64 of shape (3, neighbors, 2)."""
    radius_x, radius_y, radius_t = settings.radii
    angles = [2 * math.pi * neighbor / settings.neighbors for neighbor in range(settings.neighbors)]
    cosines = np.array([math.cos(angle) for angle in angles])
    sines = np.array([math.sin(angle) for angle in angles])
    xy = (radius_x * cosines, -radius_y * sines)
    if settings.convention == "zhao2009":
        planes = [xy, (radius_x * cosines, radius_t * sines), (-radius_y * sines, radius_t * cosines)]
    elif settings.convention == "unfolding2016":
        planes = [xy, (radius_x * cosines, -radius_t * sines), (radius_y * cosines, -radius_t * sines)]
    else:
        planes = [xy, (radius_x * cosines, -radius_t * sines), (-radius_x * cosines, -radius_t * sines)]
    return np.array([np.stack(plane, axis=1) for plane in planes])


def shifts(moves: np.ndarray, width: int) -> np.ndarray:
    """Turn whole moves along the planes' axes, (3, ..., 2), into moves in frames and in pixels of a flat frame."""
    result = np.empty(moves.shape, np.int64)
    for plane, axes in enumerate(_PLANE_AXES):
        by_axis = np.zeros((3, *moves.shape[1:-1]), np.int64)
        by_axis[list(axes)] = np.moveaxis(moves[plane], -1, 0)
        result[plane] = np.stack([by_axis[0], by_axis[1] * width + by_axis[2]], axis=-1)
    return result


def corners(moves: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the four whole moves around each move, (3, ..., 4, 2), in the order in which the program sums them."""
    second_first = [[0, 0], [0, 1], [1, 0], [1, 1]]
    first_first = [[0, 0], [1, 0], [0, 1], [1, 1]]
    return np.floor(moves)[..., None, :] + (second_first if settings.convention == "zhao2009" else first_first)


def fractions(size: int, radius: int) -> np.ndarray:
    """Return what interpolation at +- radius / sqrt(2) takes of the farther pixel, float32 of shape (2, size).

    Coordinates are single precision and start at 1: fractions lose digits as coordinates grow.
    """
    positions = np.arange(1.0, size + 1.0)
    moves = (radius * math.cos(math.pi / 4), radius * math.cos(3 * math.pi / 4))
    return np.array([np.float32(positions + move) - np.float32(positions + math.floor(move)) for move in moves])


def rounded_weights(moves: np.ndarray, radius: int) -> np.ndarray:
    """Return the weights of the pixels around each move, float64 of shape (n_moves, 4), as `unfolding2016` has them."""
    # Its program adds the centre's coordinate before it takes fractions, and gives the last pixel what is left.
    column, row = np.moveaxis(moves + (radius + 1), -1, 0)
    column, row = column - np.floor(column), row - np.floor(row)
    weights = _rounded([(1 - column) * (1 - row), column * (1 - row), (1 - column) * row])
    return np.stack([*weights, _rounded(1 - weights[0] - weights[1] - weights[2])], axis=1)


def _rounded(weights: object) -> np.ndarray:
    return np.floor(1e6 * np.asarray(weights) + 0.5) / 1e6


def bin_matrix(settings: Settings, order: Sequence[int]) -> np.ndarray:
    """Return a (256, n_bins) matrix with a 1 where a code belongs in a bin; bit i is of the neighbour `order`[i]."""
    n_codes = 2**settings.neighbors
    codes = np.arange(n_codes)
    if settings.bins == "u2":
        bits = codes[:, None] >> np.arange(settings.neighbors) & 1
        uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
        n_bins = int(uniform.sum()) + 1
        lowest, rest = (1, 0) if settings.convention == "zhao2009" else (0, n_bins - 1)
        bin_of_code = np.where(uniform, np.cumsum(uniform) - 1 + lowest, rest)
    else:
        n_bins = n_codes
        bin_of_code = codes
    bits = np.arange(256)[:, None] >> np.arange(settings.neighbors) & 1
    return np.eye(n_bins)[bin_of_code[(bits << np.array(order)).sum(axis=1)]]
