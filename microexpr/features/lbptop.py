"""LBP-TOP: histograms of local binary patterns on the XY, XT and YT planes of a clip."""

__all__ = ["LBPTOP", "lbptop"]

import numpy as np

from microexpr.core.base import ClipTransformer
from microexpr.core.clip import Clip
from microexpr.core.frames import check_frames, to_grey
from microexpr.features import _lbptop_geometry as geometry


def lbptop(
    frames: object,
    *,
    radii: tuple[int, int, int] = (1, 1, 4),
    neighbors: int = 8,
    blocks: tuple[int, int, int] = (1, 1, 1),
    bins: str = "u2",
    interpolation: str = "bilinear",
    overlap: float = 0.0,
    convention: str = "zhao2009",
) -> np.ndarray:
    """Compute histograms of local binary patterns on three orthogonal planes (LBP-TOP).

    1. Centres are all pixels at least `radii[2]` frames from both ends and max(radii[0], radii[1]) pixels from the
       border. 2. On each plane, neighbour p of a centre lies at the angle a = 2 pi p / neighbors on an ellipse; bit p
       of the centre's code is 1 where the neighbour is not darker than the centre. 3. The codes of each block of
       centres are counted, one histogram a plane.

    Three published programs do this, and no two of them agree. `convention` says which one is followed, to the last
    bit; they differ in all of this (a is the angle, L the number of centres along an axis):

    ============== ============================= ============================ =============================
    convention     ``zhao2009`` [1]_             ``unfolding2016`` [2]_       ``blocks2015`` [3]_
    ============== ============================= ============================ =============================
    radii          any                           one for all three axes       any; y of YT takes radii[0]
    between pixels as `interpolation` says       bilinear                     the nearest pixel
    XY: (x, y)     (cos a, -sin a)               (cos a, -sin a)              (cos a, -sin a)
    XT: (x, t)     (cos a, sin a)                (cos a, -sin a)              (cos a, -sin a)
    YT: (y, t)     (-sin a, cos a)               (cos a, -sin a)              (-cos a, -sin a)
    u2             non-uniform codes first       non-uniform codes last       non-uniform codes last
    n blocks       of floor(L / n) centres, the  of ceil(L / n), the last     as ``zhao2009`` but for
                   last takes the remainder      takes what is left           `overlap`; in time, blocks
                                                                              share one frame
    order          time, row, column, plane      plane, time, column, row     time, row, column, plane
    sum is 1 of    each histogram                each histogram               the whole array
    ============== ============================= ============================ =============================

    Parameters
    ----------
    frames : uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        Colour becomes luma first. Real-valued frames, as interpolation in time gives them, are taken as they are:
        0..255, an overshoot of 1 at most allowed.
    radii : (int, int, int), each > 0, along x and y in pixels and along t in frames
    neighbors : {8, 4}
        Neighbours on each plane.
    blocks : (int, int, int), each > 0
        Numbers of blocks along (rows, columns, time): (5, 5, 1) is a 5 x 5 grid over the whole clip.
    bins : {"u2", "basic"}
        "u2" has one bin for each uniform code (at most two changes between 0 and 1 around the circle), ascending,
        and one for all others: 59 bins for 8 neighbours, 15 for 4. "basic" has one for each code: 256 or 16.
    interpolation : {"bilinear", "nearest"}
        How ``zhao2009`` reads neighbours between pixels. ``unfolding2016`` always interpolates and refuses
        "nearest"; ``blocks2015`` never does, and takes both words.
    overlap : float in [0, 1)
        Of neighbouring blocks, as a part of their height and width; other than 0 for ``blocks2015`` alone.
    convention : {"zhao2009", "unfolding2016", "blocks2015"}

    Returns
    -------
    float64 ndarray of shape (3, n_bins), or (blocks[0] * blocks[1] * blocks[2] * 3 * n_bins,)
        One block: the rows XY, XT, YT. Several: all histograms, one after the other, in the order that the table
        gives from slowest to fastest. With ``unfolding2016``, `reshape(3, -1)` gives its program's three vectors.

    Raises
    ------
    ParameterError
        If a parameter is not allowed, or contradicts the convention.
    DataError
        If `frames` is no clip, holds values that are no grey levels, or is too small for `radii` and `blocks`;
        ``unfolding2016`` also fails on sizes L with (n - 1) ceil(L / n) >= L, which leave no centre for the last of n
        blocks.

    Notes
    -----
    ``zhao2009`` interpolates at single precision, at coordinates counted from 1, and rounds the value down, as its
    program does. Hence equal pixels do not always count as equal: a diagonal neighbour in a flat region may come out
    just below the centre, depending on where the centre lies. ``unfolding2016`` rounds weights to 1e-6 and values to
    1e-4 instead.

    Differs from [1]_ in: blocks, which that program does not have (it is called once a region; here the borders of
    blocks lie inside the clip, so no centre is lost at them); 15 bins for 4 neighbours, by the rule of its table for 8.

    Differs from [3]_ in: sizes with fewer centres than blocks, or a single frame to a block in time, are refused, where
    that program divides by zero or leaves blocks empty. With overlap, a centre in two blocks each way is counted in
    two of the four blocks, as there.

    References
    ----------
    .. [1] G. Zhao, M. Pietikäinen, "Dynamic texture recognition using local binary patterns with an application to
       facial expressions", IEEE TPAMI 29(6), 2007; the authors' program of 2009.
    .. [2] X. Hong, Y. Xu, G. Zhao, "LBP-TOP: a tensor unfolding revisit", ACCV workshops, 2016; the authors' program.
    .. [3] X. Huang, block version of [1]_'s program, 2010-2015.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (12, 30, 24), dtype=np.uint8)
    >>> lbptop(clip).shape
    (3, 59)
    >>> lbptop(clip, radii=(1, 1, 1), blocks=(5, 5, 1)).shape
    (4425,)
    """
    settings = geometry.check_settings(radii, neighbors, blocks, bins, interpolation, overlap, convention)
    return _histograms(frames, settings, "frames")


class LBPTOP(ClipTransformer):
    """LBP-TOP histograms of each clip as one row; see `lbptop`, which takes the same parameters.

    Parameters
    ----------
    radii : (int, int, int), each > 0, along x and y in pixels and along t in frames
    neighbors : {8, 4}
    blocks : (int, int, int), each > 0
        Numbers of blocks along (rows, columns, time).
    bins : {"u2", "basic"}
    interpolation : {"bilinear", "nearest"}
    overlap : float in [0, 1)
    convention : {"zhao2009", "unfolding2016", "blocks2015"}

    Notes
    -----
    `transform` returns float64 of shape (n_clips, n_blocks * 3 * n_bins), each row in `lbptop`'s order.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (12, 30, 24), dtype=np.uint8)
    >>> LBPTOP(blocks=(2, 2, 1)).fit_transform([clip, clip[:, ::-1]]).shape
    (2, 708)
    """

    version = 1

    def __init__(
        self,
        radii: tuple[int, int, int] = (1, 1, 4),
        neighbors: int = 8,
        blocks: tuple[int, int, int] = (1, 1, 1),
        bins: str = "u2",
        interpolation: str = "bilinear",
        overlap: float = 0.0,
        convention: str = "zhao2009",
    ) -> None:
        self.radii = radii
        self.neighbors = neighbors
        self.blocks = blocks
        self.bins = bins
        self.interpolation = interpolation
        self.overlap = overlap
        self.convention = convention

    def check_params(self) -> None:  # noqa: D102
        self._settings()

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's histograms, float64 of shape (n_blocks * 3 * n_bins,).

        Raises
        ------
        NeedsError
            If the clip has no pixels.
        DataError
            If the frames cannot be read, are no grey levels, or are too few or too small.
        """
        return _histograms(clip.frames(), self._settings(), clip.clip_id).ravel()

    def _settings(self) -> geometry.Settings:
        return geometry.check_settings(
            self.radii, self.neighbors, self.blocks, self.bins, self.interpolation, self.overlap, self.convention
        )


def _histograms(frames: object, settings: geometry.Settings, name: str) -> np.ndarray:
    """Count the cells of the grid, add them up to blocks, and scale."""
    grey = np.ascontiguousarray(to_grey(check_frames(frames, name=name, grey_levels=True)))
    cells = geometry.cut_centres(grey.shape, settings, name)
    counts = _count(grey, settings, cells)
    n_rows, n_columns, n_times = settings.blocks
    totals = np.zeros((n_times, n_rows, n_columns, *counts.shape[3:]))
    first = np.meshgrid(*(cell.first for cell in cells), indexing="ij")
    second = np.meshgrid(*(cell.second for cell in cells), indexing="ij")
    np.add.at(totals, tuple(first), counts)
    twice = np.any([one != other for one, other in zip(first, second, strict=True)], axis=0)
    np.add.at(totals, tuple(index[twice] for index in second), counts[twice])
    if settings.convention == "blocks2015":
        totals /= totals.sum()
    else:
        totals /= totals.sum(axis=-1, keepdims=True)
    if settings.convention == "unfolding2016":
        totals = totals.transpose(3, 0, 2, 1, 4)
    return totals.reshape(3, -1) if settings.blocks == (1, 1, 1) else totals.ravel()


def _count(frames: np.ndarray, settings: geometry.Settings, cells: tuple[geometry.Cells, ...]) -> np.ndarray:
    """Return how often each bin occurs, float64 of shape (time cells, row cells, column cells, 3, n_bins)."""
    from microexpr.features import _lbptop_kernels as kernels

    time, row, column = cells
    n_frames, height, width = frames.shape
    centres = frames.reshape(n_frames, height * width)
    counts = np.zeros((len(time.first), len(row.first), len(column.first), 3, kernels.COPIES, 256), np.uint32)
    margins = (width, settings.border, settings.radii[2])
    grid = (column.edges, np.repeat(np.arange(len(time.first)), np.diff(time.edges)), counts)
    row_edges = row.edges + settings.border
    bands = geometry.bands(row_edges, row_edges, width)
    moves = geometry.displacements(settings)
    shifts = geometry.shifts(np.floor(moves + 0.5), width)
    source = whole = centres
    if settings.interpolates and settings.convention == "zhao2009" and frames.dtype != np.uint8:
        source = centres.astype(np.float32)
        whole = np.floor(source)
    if not settings.interpolates or settings.neighbors == 4:
        order = list(range(settings.neighbors))
        kernels.count_pixels(centres, whole, shifts.reshape(3, -1, 4, 2), *margins, bands, *grid)
    else:
        # Half of the neighbours lie on pixels, the other half on the diagonals between them.
        order = [0, 2, 4, 6, 1, 3, 5, 7]
        shifts, moves = shifts[:, 0::2].copy(), moves[:, 1::2]
        corners = geometry.shifts(geometry.corners(moves, settings), width)
        if settings.convention == "unfolding2016":
            weights = geometry.rounded_weights(moves[0], settings.radii[0])
            kernels.count_weighted(centres, shifts, corners, weights, *margins, bands, *grid)
        else:
            across, down, ahead = (
                geometry.fractions(size, radius)
                for size, radius in zip((width, height, n_frames), settings.radii, strict=True)
            )
            changes = 1 + np.flatnonzero(np.any(np.diff(down) != 0, axis=0))
            bands = geometry.bands(row_edges, np.union1d(row_edges, changes), width)
            sides = (moves < 0).astype(np.int64)
            kernels.count_interpolated(
                centres, source, whole, shifts, corners, sides, across, down, ahead, *margins, bands, *grid
            )
    return counts.sum(axis=-2, dtype=np.float64) @ geometry.bin_matrix(settings, order)
