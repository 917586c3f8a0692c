"""STLBP-IP: histograms of local binary patterns on the integral projections of a clip's difference images."""

__all__ = ["STLBPIP", "stlbpip"]

from typing import NamedTuple

import numpy as np

from microexpr.core.base import ClipTransformer
from microexpr.core.checks import check_choice, check_int, check_int_tuple
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.frames import check_frames, to_grey
from microexpr.features import _lbptop_geometry as geometry
from microexpr.features._blocks import block_edges

_LONGEST_WINDOW = 15
# What the sparse part is rounded to, in grey levels: as a power of 2, so that sums are exact in any order.
_STEP = 2.0**-20


def stlbpip(
    frames: object,
    *,
    blocks: tuple[int, int] = (1, 1),
    window: int = 9,
    discriminative: bool = False,
) -> np.ndarray:
    """Compute histograms of local binary patterns on integral projections (STLBP-IP, DiSTLBP-RIP).

    1. Images of motion: D_t = I_t - I_0 for t >= 1; with `discriminative`, for t >= 0, frame t of the sparse part of
       the robust principal component analysis of the clip's frames (low rank: the face; sparse: what moves), rounded
       to multiples of 2^-20.
    2. In each block, the horizontal projection of D_t has the sum of each row of the block, the vertical projection
       that of each column.
    3. XY: each value of a projection gets a code with one bit for each of the window - 1 values around it, the first
       the most significant: 1 where it is not below the value in the middle. Only values with a whole window are
       coded. One histogram of 2^(window - 1) bins for the horizontal projections of all t, one for the vertical.
    4. XT and YT: the vertical projections are the rows of an image of time by x, the horizontal ones the columns of
       an image of y by time. Each gives a histogram of local binary patterns (8 neighbours at radius 1, 59 uniform
       bins, the last of non-uniform codes).

    Parameters
    ----------
    frames : uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        The first is the neutral one. Colour becomes luma first. Real-valued frames, as interpolation in time gives
        them, are taken as they are: 0..255, an overshoot of 1 at most allowed.
    blocks : (int, int), each > 0
        Numbers of blocks along (rows, columns). Of L pixels along an axis cut into n, each block takes floor(L / n),
        and the last the remainder too.
    window : odd int from 3 to 15
        Values of a projection that a code is made of, the middle included.
    discriminative : bool
        Project the sparse part (DiSTLBP-RIP) instead of the differences. Its other half, the selection of features by
        Laplacian score, learns from training clips: `microexpr.classifiers.laplacian.LaplacianScoreSelector`.

    Returns
    -------
    float64 ndarray of shape (blocks[0] * blocks[1] * (2 * 2**(window - 1) + 2 * 59),)
        Block by block, row by row; in each the histograms of the horizontal and of the vertical projections, of XT and
        of YT. Each histogram sums to 1.

    Raises
    ------
    ParameterError
        If a parameter is not allowed.
    DataError
        If `frames` is no clip, holds values that are no grey levels, has fewer than 4 frames (6 with `discriminative`)
        or blocks smaller than `window`, or if the robust analysis does not converge.

    Notes
    -----
    Difference images, projections, `window` = 9 and the three parts are [1]_'s, the sparse part is [2]_'s. XT and YT
    equal those of a published re-implementation of [1]_: neighbours on the axes are read exactly, those on the
    diagonals interpolated with weights rounded to 1e-6 and values to 1e-4. The order of the bits on XY is that
    program's too; it divides by the number of frames once too often there, and this gives the mean that is meant.

    Differs from [1]_ in: projections are sums, not means (codes are the same but for that rounding); blocks are cut
    before the images of XT and YT are coded, each losing its own border; those images keep their size, since the
    number of frames is left to interpolation in time.

    A clip in which nothing moves may still have a sparse part: spots that stand still, brighter or darker than what is
    around them, count as sparse as well as spots that move, the more so the fewer frames there are. They are alike in
    all frames.

    Differs from [2]_ in: the analysis is of the whole clip, not of each block, by inexact augmented Lagrange
    multipliers with weight 1 / sqrt(max(pixels, frames)) [3]_, and its sparse part takes the place of the difference
    images for all frames. The paper's abstract leaves this open, and its program was never published.

    References
    ----------
    .. [1] X. Huang, S.-J. Wang, G. Zhao, M. Pietikäinen, "Facial micro-expression recognition using spatiotemporal
       local binary pattern with integral projection", ICCV workshops, 2015.
    .. [2] X. Huang, S.-J. Wang, X. Liu, G. Zhao, X. Feng, M. Pietikäinen, "Discriminative spatiotemporal local binary
       pattern with revisited integral projection for spontaneous facial micro-expression recognition", IEEE TAFFC
       10(1), 2019; arXiv 1608.02255.
    .. [3] Z. Lin, M. Chen, Y. Ma, "The augmented Lagrange multiplier method for exact recovery of corrupted low-rank
       matrices", arXiv 1009.5055, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (6, 30, 24), dtype=np.uint8)
    >>> stlbpip(clip).shape
    (630,)
    >>> stlbpip(clip, blocks=(3, 2), window=5).shape
    (900,)
    """
    return _histograms(frames, _check_settings(blocks, window, discriminative), "frames")


class STLBPIP(ClipTransformer):
    """STLBP-IP histograms of each clip as one row; see `stlbpip`, which takes the same parameters.

    Parameters
    ----------
    blocks : (int, int), each > 0
        Numbers of blocks along (rows, columns).
    window : odd int from 3 to 15
    discriminative : bool
        Project the sparse part of a robust principal component analysis (DiSTLBP-RIP).

    Notes
    -----
    `transform` returns float64 of shape (n_clips, n_blocks * (2 * 2**(window - 1) + 2 * 59)), each row in
    `stlbpip`'s order.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (6, 30, 24), dtype=np.uint8)
    >>> STLBPIP(blocks=(2, 2)).fit_transform([clip, clip[:, ::-1]]).shape
    (2, 2520)
    """

    version = 2

    def __init__(self, blocks: tuple[int, int] = (1, 1), window: int = 9, discriminative: bool = False) -> None:
        self.blocks = blocks
        self.window = window
        self.discriminative = discriminative

    def check_params(self) -> None:  # noqa: D102
        _check_settings(self.blocks, self.window, self.discriminative)

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's histograms as one row.

        Raises
        ------
        NeedsError
            If the clip has no pixels.
        DataError
            If the frames cannot be read, are no grey levels, are too few or too small, or the robust analysis does not
            converge.
        """
        settings = _check_settings(self.blocks, self.window, self.discriminative)
        return _histograms(clip.frames(), settings, clip.clip_id)


class _Settings(NamedTuple):
    """Checked parameters of `stlbpip`."""

    blocks: tuple[int, ...]
    window: int
    discriminative: bool


def _check_settings(blocks: object, window: object, discriminative: object) -> _Settings:
    settings = _Settings(
        blocks=check_int_tuple(blocks, "blocks", 2, minimum=1),
        window=check_int(window, "window", minimum=3, maximum=_LONGEST_WINDOW),
        discriminative=bool(check_choice(discriminative, "discriminative", (False, True))),
    )
    if settings.window % 2 == 0:
        raise ParameterError(f"window is {window!r}: it must be odd")
    return settings


def _histograms(frames: object, settings: _Settings, name: str) -> np.ndarray:
    """Project the images of motion, and code the projections block by block."""
    from microexpr.features import _stlbpip_kernels as kernels

    grey = to_grey(check_frames(frames, name=name, min_frames=6 if settings.discriminative else 4, grey_levels=True))
    rows, columns = (
        _cut(size, n_blocks, settings.window, axis, name)
        for size, n_blocks, axis in zip(grey.shape[1:], settings.blocks, ("rows", "columns"), strict=True)
    )
    horizontal, vertical = _projections(_motion(grey, settings, name), rows[:-1], columns[:-1])
    patterns = geometry.check_settings((1, 1, 1), 8, (1, 1, 1), "u2", "bilinear", 0.0, "unfolding2016")
    weights = geometry.rounded_weights(geometry.displacements(patterns)[0, 1::2], 1)
    bins = geometry.bin_matrix(patterns, range(8))
    parts = []
    for row in range(settings.blocks[0]):
        for column in range(settings.blocks[1]):
            along_y = np.ascontiguousarray(horizontal[:, rows[row] : rows[row + 1], column])
            along_x = np.ascontiguousarray(vertical[:, row, columns[column] : columns[column + 1]])
            for lines in (along_y, along_x):
                counts = np.zeros(2 ** (settings.window - 1), np.int64)
                kernels.count_lines(lines, settings.window // 2, counts)
                parts.append(counts / counts.sum())
            for image in (along_x, np.ascontiguousarray(along_y.T)):
                counts = np.zeros(256, np.int64)
                kernels.count_squares(image, weights, counts)
                parts.append(counts @ bins / counts.sum())
    return np.concatenate(parts)


def _cut(length: int, n_blocks: int, window: int, axis: str, name: str) -> np.ndarray:
    """Return where the blocks along an axis begin, and its length; a DataError if they are shorter than the window."""
    size = length // n_blocks
    if size < window:
        raise DataError(
            f"{name}: {length} {axis} cut into {n_blocks} block{'s' * (n_blocks > 1)} leave {size} each; "
            f"window {window} needs {window}"
        )
    return block_edges(length, n_blocks)


def _motion(grey: np.ndarray, settings: _Settings, name: str) -> np.ndarray:
    """Return the images to project, float64 of shape (n_images, height, width)."""
    if not settings.discriminative:
        return grey[1:] - grey[0].astype(np.float64)
    from microexpr.features._robust_pca import robust_pca

    _, sparse = robust_pca(grey.reshape(len(grey), -1).astype(np.float64), name=name)
    # Where nothing moves, rounding errors of the analysis remain; codes of them would be chance.
    return (np.rint(sparse / _STEP) * _STEP).reshape(grey.shape)


def _projections(images: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums over each block's columns, (n_images, height, n_columns), and rows, (n_images, n_rows, width)."""
    return np.add.reduceat(images, columns, axis=2), np.add.reduceat(images, rows, axis=1)
