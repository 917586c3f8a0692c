"""LBP-SIP: histograms of local binary patterns with the six intersection points around each pixel of a clip."""

__all__ = ["LBPSIP", "lbpsip"]

import numpy as np

from microexpr.core.base import ClipTransformer
from microexpr.core.clip import Clip
from microexpr.core.frames import check_frames, to_grey
from microexpr.features import _lbptop_geometry as geometry


def lbpsip(
    frames: object,
    *,
    radii: tuple[int, int, int] = (1, 1, 1),
    blocks: tuple[int, int, int] = (1, 1, 1),
) -> np.ndarray:
    """Compute histograms of local binary patterns with six intersection points (LBP-SIP).

    LBP-TOP with four neighbours a plane compares each centre with twelve points, of which only six differ: those on
    the lines in which two planes intersect. 1. Centres are all pixels at least `radii[2]` frames from both ends and
    max(radii[0], radii[1]) pixels from the border. 2. The spatial code has a bit for each of the neighbours to the
    right, above, to the left and below (bits 0 to 3), the temporal code for the same pixel in the later and the
    earlier frame (bits 0 and 1): 1 where the neighbour is not darker than the centre. 3. The codes of each block of
    centres are counted: 16 + 4 = 20 bins.

    Parameters
    ----------
    frames : uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        Colour becomes luma first. Real-valued frames, as interpolation in time gives them, are taken as they are:
        0..255, an overshoot of 1 at most allowed.
    radii : (int, int, int), each > 0, along x and y in pixels and along t in frames
    blocks : (int, int, int), each > 0
        Numbers of blocks along (rows, columns, time). Of L centres along an axis cut into n, each block takes
        floor(L / n), and the last the remainder too.

    Returns
    -------
    float64 ndarray of shape (blocks[0] * blocks[1] * blocks[2] * 20,)
        The blocks in the order time, row, column from slowest to fastest; in each the 16 spatial bins and the 4
        temporal ones. Either part sums to 1.

    Raises
    ------
    ParameterError
        If a parameter is not allowed.
    DataError
        If `frames` is no clip, holds values that are no grey levels, or is too small for `radii` and `blocks`.

    Notes
    -----
    The six points and the split into four and two are [1]_'s. Equal greys give 1, as in LBP-TOP; a published port
    demands that the neighbour be brighter.

    Differs from [1]_ in: the order of the bits, blocks and scale, which are `lbptop`'s (its convention "zhao2009"), so
    that the spatial part equals its XY histogram for 4 neighbours without interpolation, and the temporal part the
    sums of its XT histogram over bits 0 and 2. Different radii along x and y are ours.

    References
    ----------
    .. [1] Y. Wang, J. See, R. C.-W. Phan, Y.-H. Oh, "LBP with six intersection points: reducing redundant information
       in LBP-TOP for micro-expression recognition", ACCV, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (6, 30, 24), dtype=np.uint8)
    >>> lbpsip(clip).shape
    (20,)
    >>> lbpsip(clip, blocks=(5, 5, 1)).shape
    (500,)
    """
    return _histograms(frames, _check_settings(radii, blocks), "frames")


class LBPSIP(ClipTransformer):
    """LBP-SIP histograms of each clip as one row; see `lbpsip`, which takes the same parameters.

    Parameters
    ----------
    radii : (int, int, int), each > 0, along x and y in pixels and along t in frames
    blocks : (int, int, int), each > 0
        Numbers of blocks along (rows, columns, time).

    Notes
    -----
    `transform` returns float64 of shape (n_clips, n_blocks * 20), each row in `lbpsip`'s order.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (6, 30, 24), dtype=np.uint8)
    >>> LBPSIP(blocks=(2, 2, 1)).fit_transform([clip, clip[:, ::-1]]).shape
    (2, 80)
    """

    version = 1

    def __init__(self, radii: tuple[int, int, int] = (1, 1, 1), blocks: tuple[int, int, int] = (1, 1, 1)) -> None:
        self.radii = radii
        self.blocks = blocks

    def check_params(self) -> None:  # noqa: D102
        _check_settings(self.radii, self.blocks)

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's histograms, float64 of shape (n_blocks * 20,).

        Raises
        ------
        NeedsError
            If the clip has no pixels.
        DataError
            If the frames cannot be read, are no grey levels, or are too few or too small.
        """
        return _histograms(clip.frames(), _check_settings(self.radii, self.blocks), clip.clip_id)


def _check_settings(radii: object, blocks: object) -> geometry.Settings:
    return geometry.check_settings(radii, 4, blocks, "basic", "nearest", 0.0, "zhao2009")


def _histograms(frames: object, settings: geometry.Settings, name: str) -> np.ndarray:
    """Count the codes of each block of centres, split them into their two parts, and scale."""
    from microexpr.features import _lbpsip_kernels as kernels

    grey = np.ascontiguousarray(to_grey(check_frames(frames, name=name, grey_levels=True)))
    time, row, column = geometry.cut_centres(grey.shape, settings, name)
    n_frames, height, width = grey.shape
    radius_x, radius_y, radius_t = settings.radii
    shifts = np.array([[0, radius_x], [0, -radius_y * width], [0, -radius_x], [0, radius_y * width]])
    shifts = np.concatenate([shifts, [[radius_t, 0], [-radius_t, 0]]])
    row_edges = row.edges + settings.border
    bands = geometry.bands(row_edges, row_edges, width)
    time_cells = np.repeat(np.arange(len(time.first)), np.diff(time.edges))
    counts = np.zeros((*(len(cells.first) for cells in (time, row, column)), kernels.COPIES, 64), np.uint32)
    flat = grey.reshape(n_frames, height * width)
    kernels.count_codes(flat, shifts, width, settings.border, radius_t, bands, column.edges, time_cells, counts)
    joint = counts.sum(axis=-2, dtype=np.float64).reshape(*counts.shape[:3], 4, 16)
    parts = np.concatenate([joint.sum(axis=-2), joint.sum(axis=-1)], axis=-1)
    return np.asarray(parts / joint.sum(axis=(-1, -2))[..., None]).ravel()
