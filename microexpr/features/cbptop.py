"""CBP-TOP: histograms of centralised binary patterns on the XY, XT and YT planes of a clip."""

__all__ = ["CBPTOP", "cbptop"]

import math

import numpy as np

from microexpr.core.base import ClipTransformer
from microexpr.core.checks import check_float
from microexpr.core.clip import Clip
from microexpr.core.errors import ParameterError
from microexpr.core.frames import check_frames, to_grey
from microexpr.features import _lbptop_geometry as geometry

_N_BINS = 32


def cbptop(
    frames: object,
    *,
    radii: tuple[int, int, int] = (1, 1, 1),
    threshold: float = 3.0,
    blocks: tuple[int, int, int] = (1, 1, 1),
) -> np.ndarray:
    """Compute histograms of centralised binary patterns on three orthogonal planes (CBP-TOP).

    1. Centres are all pixels at least `radii[2]` frames from both ends and max(radii[0], radii[1]) pixels from the
       border. 2. On each plane, g_0 .. g_7 are the pixels nearest to eight points around the centre g_c, at the
       angles 2 pi p / 8 on an ellipse, and m is the mean of all nine. The centre's code is
       sum over p = 0 .. 3 of s(g_p - g_(p+4)) 2^p + s(g_c - m) 2^4, where s(x) = 1 if abs(x) >= threshold, else 0.
    3. The codes of each block of centres are counted, one histogram of 32 bins a plane.

    Parameters
    ----------
    frames : uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        Colour becomes luma first. Real-valued frames, as interpolation in time gives them, are taken as they are:
        0..255, an overshoot of 1 at most allowed.
    radii : (int, int, int), each > 0, along x and y in pixels and along t in frames
    threshold : float > 0, in grey levels
    blocks : (int, int, int), each > 0
        Numbers of blocks along (rows, columns, time). Of L centres along an axis cut into n, each block takes
        floor(L / n), and the last the remainder too.

    Returns
    -------
    float64 ndarray of shape (3, 32), or (blocks[0] * blocks[1] * blocks[2] * 3 * 32,)
        One block: the rows XY, XT, YT. Several: all histograms, one after the other, in the order time, row, column,
        plane from slowest to fastest. Each sums to 1.

    Raises
    ------
    ParameterError
        If a parameter is not allowed.
    DataError
        If `frames` is no clip, holds values that are no grey levels, or is too small for `radii` and `blocks`.

    Notes
    -----
    The pattern is [1]_'s, the three planes and the application to micro-expressions [2]_'s. The directions are those
    of `lbptop` under its convention "zhao2009" with interpolation "nearest", so that p = 0 is the row on XY and XT and
    time on YT, and p = 2 the column on XY and YT and time on XT.

    `threshold` is in grey levels of 0..255: frames scaled to 0..1 stay below it everywhere, and all codes are 0.

    Published ports differ on m: here, as in [1]_, the centre is one of the nine pixels it averages; a C++ port
    averages the eight neighbours, in whole numbers.

    Differs from [2]_ in: blocks, scale and the default of `threshold`, which are our choice. Noise of standard
    deviation n moves a difference of two pixels by 1.4 n, and cameras of 8 bits have n of 1 to 2, so at 3 few bits are
    noise; and on synthetic clips and on a photograph of a face with noise of 1.5, the 32 bins' entropy is at or near
    its largest there (it falls at 1, where nearly all bits are set, and from 5 on, where nearly none are).

    References
    ----------
    .. [1] X. Fu, W. Wei, "Centralized binary patterns embedded with image Euclidean distance for facial expression
       recognition", ICNC, 2008.
    .. [2] Y. Guo, C. Xue, Y. Wang, M. Yu, "Micro-expression recognition based on CBP-TOP feature with ELM", Optik
       126(23), 2015.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (6, 30, 24), dtype=np.uint8)
    >>> cbptop(clip).shape
    (3, 32)
    >>> cbptop(clip, blocks=(5, 5, 1)).shape
    (2400,)
    """
    settings = _check_settings(radii, threshold, blocks)
    return _histograms(frames, settings, float(threshold), "frames")


class CBPTOP(ClipTransformer):
    """CBP-TOP histograms of each clip as one row; see `cbptop`, which takes the same parameters.

    Parameters
    ----------
    radii : (int, int, int), each > 0, along x and y in pixels and along t in frames
    threshold : float > 0, in grey levels
    blocks : (int, int, int), each > 0
        Numbers of blocks along (rows, columns, time).

    Notes
    -----
    `transform` returns float64 of shape (n_clips, n_blocks * 3 * 32), each row in `cbptop`'s order.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (6, 30, 24), dtype=np.uint8)
    >>> CBPTOP(blocks=(2, 2, 1)).fit_transform([clip, clip[:, ::-1]]).shape
    (2, 384)
    """

    version = 1

    def __init__(
        self,
        radii: tuple[int, int, int] = (1, 1, 1),
        threshold: float = 3.0,
        blocks: tuple[int, int, int] = (1, 1, 1),
    ) -> None:
        self.radii = radii
        self.threshold = threshold
        self.blocks = blocks

    def check_params(self) -> None:  # noqa: D102
        _check_settings(self.radii, self.threshold, self.blocks)

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's histograms, float64 of shape (n_blocks * 3 * 32,).

        Raises
        ------
        NeedsError
            If the clip has no pixels.
        DataError
            If the frames cannot be read, are no grey levels, or are too few or too small.
        """
        settings = _check_settings(self.radii, self.threshold, self.blocks)
        return _histograms(clip.frames(), settings, float(self.threshold), clip.clip_id).ravel()


def _check_settings(radii: object, threshold: object, blocks: object) -> geometry.Settings:
    if check_float(threshold, "threshold") <= 0:
        raise ParameterError(f"threshold is {threshold!r}: it must be above 0, or every bit is set")
    return geometry.check_settings(radii, 8, blocks, "basic", "nearest", 0.0, "zhao2009")


def _histograms(frames: object, settings: geometry.Settings, threshold: float, name: str) -> np.ndarray:
    """Count the codes of each block of centres, and scale."""
    from microexpr.features import _cbptop_kernels as kernels

    grey = to_grey(check_frames(frames, name=name, grey_levels=True))
    time, row, column = geometry.cut_centres(grey.shape, settings, name)
    least = np.array([threshold, 9 * threshold])
    if grey.dtype == np.uint8:
        # Single precision holds the sums of nine whole numbers exactly. What these must reach may be rounded up to a
        # whole number too, and need not be above all they can reach.
        grey = grey.astype(np.float32)
        least = np.ceil(np.minimum(least, [256, 9 * 256])).astype(np.float32)
    n_frames, height, width = grey.shape
    flat = np.ascontiguousarray(grey).reshape(n_frames, height * width)
    shifts = geometry.shifts(np.floor(geometry.displacements(settings) + 0.5), width)
    row_edges = row.edges + settings.border
    bands = geometry.bands(row_edges, row_edges, width)
    time_cells = np.repeat(np.arange(len(time.first)), np.diff(time.edges))
    counts = np.zeros((*(len(cells.first) for cells in (time, row, column)), 3, kernels.COPIES, _N_BINS), np.uint32)
    kernels.count_codes(
        flat, shifts, least, width, settings.border, settings.radii[2], bands, column.edges, time_cells, counts
    )
    totals = counts.sum(axis=-2, dtype=np.float64)
    totals /= totals.sum(axis=-1, keepdims=True)
    return totals.reshape(3, _N_BINS) if math.prod(settings.blocks) == 1 else totals.ravel()
