"""Bi-WOOF: histograms of flow orientation by block, weighted by magnitude and by optical strain."""

__all__ = ["BiWOOF", "biwoof"]

from functools import lru_cache

import numpy as np

from microexpr.core.base import ClipTransformer
from microexpr.core.checks import check_choice, check_int, check_int_tuple
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, ParameterError
from microexpr.features._blocks import block_edges
from microexpr.video.flow import FLOW_METHODS
from microexpr.video.motion import FLOW_VERSION, onset_apex_motion

# The eighth of the circle, counted from -180 degrees, of 4 (v < 0) + 2 (u < 0) + (|v| > |u|).
_SECTORS = (4, 5, 7, 6, 3, 2, 0, 1)


def biwoof(
    flow: object,
    *,
    strain: object = None,
    blocks: tuple[int, int] = (8, 8),
    n_bins: int = 8,
    convention: str = "paper",
) -> np.ndarray:
    """Compute the bi-weighted oriented optical flow (Bi-WOOF) of a flow field.

    With w = (u, v) the flow of a pixel, its orientation atan2(v, u) in degrees, e its optical strain:

    1. The picture is cut into blocks. 2. Each block gets a histogram of orientation from -180 to 180 degrees, to which
    a pixel adds its magnitude ``|w|`` (the local weight). 3. The histogram is multiplied by the strain of the block
    (the global weight). 4. All histograms are put one after the other.

    The paper and the authors' program differ; `convention` says which is followed:

    ============ ====================================== =========================================================
    convention   ``paper`` [1]_                         ``liong2018`` [2]_
    ============ ====================================== =========================================================
    blocks       any; floor(size / n) pixels each, the  n x n, n > 1; of floor(size / n) pixels and one more at
                 last takes the remainder               each inner border, so neighbours share two rows or
                                                        columns; the last takes the remainder
    bins         `n_bins` of equal width, lower edge    of 45 degrees from -180; the eighth counts 135 degrees
                 included; 180 is in the last           alone, and whatever is above 135 counts nowhere
    of a block   the magnitudes' sums as they are       divided by their sum
    strain       the block's mean                       the block's sum
    in the end   nothing                                divided by the Euclidean length of the whole
    ============ ====================================== =========================================================

    Parameters
    ----------
    flow : float ndarray of shape (height, width, 2)
        u (to the right) and v (downwards), in pixels; at least 2 x 2 pixels.
    strain : float ndarray of shape (height, width), >= 0, or None
        None computes `microexpr.video.optical_strain` of the flow.
    blocks : (rows, columns), ints > 0
    n_bins : int > 0
    convention : {"paper", "liong2018"}

    Returns
    -------
    float64 ndarray of shape (blocks[0] * blocks[1] * n_bins,), >= 0
        In the order (row of blocks, column, bin); bin 0 begins at -180 degrees: of 8 bins, motion to the right is on
        the edge of bins 3 and 4, motion downwards on that of 5 and 6.

    Raises
    ------
    ParameterError
        If a parameter is not allowed, or contradicts the convention.
    DataError
        If `flow` or `strain` has the wrong shape, holds NaN, infinity or values beyond 1e100, if the strain is
        negative, or if there are more blocks than pixels along an axis.

    Notes
    -----
    From the paper are the two weights and the bins; from the program all that the table says of it. Ours are the
    blocks of ``paper`` where sizes do not divide (the paper leaves that open), and its lack of any scaling, since the
    paper's formula, as far as we know it, has none: features grow with the square of the motion, so scale them before
    a classifier that minds.

    Differs from [2]_ in: a block without counted motion gives zeros, where that program divides by zero; a v of -0.0
    counts as 0.0, so that motion straight to the left has the one orientation 180, which ``liong2018`` does not count;
    strain, which the program reads from a file.

    References
    ----------
    .. [1] S.-T. Liong, J. See, K. Wong, R. C.-W. Phan, "Less is more: micro-expression recognition from video using
       apex frame", Signal Processing: Image Communication 62, 2018.
    .. [2] The authors' program, with a weighted histogram by P. Kovesi.

    Examples
    --------
    >>> import numpy as np
    >>> flow = np.zeros((40, 32, 2))
    >>> flow[..., 1] = -np.linspace(0, 2, 32)  # upwards, more so on the right
    >>> histograms = biwoof(flow).reshape(8, 8, 8)
    >>> int(histograms.sum(axis=(0, 1)).argmax()), bool(histograms[0, 7].sum() > histograms[0, 0].sum())
    (2, True)
    """
    cut = _check_settings(blocks, n_bins, convention)
    return _weighted_histograms(flow, strain, cut, n_bins, convention, "flow")


class BiWOOF(ClipTransformer):
    """Bi-WOOF of the motion between onset and apex of each clip, as one row; see `biwoof`.

    Parameters
    ----------
    blocks : (rows, columns), ints > 0
        (8, 8) is common for CASME II and SMIC, (5, 5) for SAMM.
    n_bins : int > 0
    convention : {"paper", "liong2018"}
    method : {"tvl1", "farneback", "dis"}
        The optical flow; see `microexpr.video.optical_flow`.

    Notes
    -----
    `transform` returns float64 of shape (n_clips, blocks[0] * blocks[1] * n_bins).

    Stored flow maps are taken too, as `microexpr.video.motion.onset_apex_motion` reads them: u and v in grey levels
    from each channel's median, strain as it is stored. Each channel of such a map was stretched on its own, so angles
    are of a plane stretched along u or v, another one for each clip, and the strain of different clips has different
    units. On 28 x 28 pixels, 8 x 8 blocks have 3 pixels a side, the last ones 7. Values are not comparable with those
    of clips that have frames.

    Examples
    --------
    >>> import numpy as np
    >>> from microexpr.core.clip import Clip
    >>> from microexpr.core.sources import ArraySource
    >>> frames = np.random.default_rng(0).integers(0, 255, (9, 60, 50), dtype=np.uint8)
    >>> BiWOOF(method="dis").transform([Clip("a", ArraySource(frames), onset=0, apex=4)]).shape
    (1, 512)
    """

    version = 1

    def __init__(
        self,
        blocks: tuple[int, int] = (8, 8),
        n_bins: int = 8,
        convention: str = "paper",
        method: str = "tvl1",
    ) -> None:
        self.blocks = blocks
        self.n_bins = n_bins
        self.convention = convention
        self.method = method

    def check_params(self) -> None:  # noqa: D102
        _check_settings(self.blocks, self.n_bins, self.convention)
        check_choice(self.method, "method", FLOW_METHODS)

    def key_facts(self) -> dict[str, object]:  # noqa: D102
        return {"flow": FLOW_VERSION}

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's histograms, float64 of shape (blocks[0] * blocks[1] * n_bins,).

        Raises
        ------
        NeedsError
            If the clip has frames but no apex.
        DataError
            If the frames cannot be read, or are smaller than the blocks.
        """
        cut = _check_settings(self.blocks, self.n_bins, self.convention)
        flow, strain = onset_apex_motion(clip, method=self.method)
        return _weighted_histograms(flow, strain, cut, self.n_bins, self.convention, clip.clip_id)


def _check_settings(blocks: object, n_bins: object, convention: object) -> tuple[int, ...]:
    """Return the numbers of blocks, or raise a ParameterError for what is not allowed."""
    cut = check_int_tuple(blocks, "blocks", 2, minimum=1)
    check_int(n_bins, "n_bins", minimum=1)
    check_choice(convention, "convention", ("paper", "liong2018"))
    if convention == "liong2018":
        if n_bins != 8:
            raise ParameterError(f"n_bins is {n_bins!r}: it must be 8 for convention 'liong2018'")
        if cut[0] != cut[1] or cut[0] < 2:
            raise ParameterError(f"blocks is {blocks!r}: it must be (n, n) with n > 1 for convention 'liong2018'")
    return cut


def _weighted_histograms(
    flow: object, strain: object, cut: tuple[int, ...], n_bins: int, convention: str, name: str
) -> np.ndarray:
    from microexpr.features import _biwoof_kernels as kernels

    vectors = _check_field(flow, name, "flow", "height, width, 2")
    if vectors.ndim != 3 or vectors.shape[2] != 2 or min(vectors.shape[:2]) < 2:
        raise DataError(f"{name}: flow has shape {vectors.shape}; it must be (height, width, 2), at least 2 x 2 pixels")
    height, width = vectors.shape[:2]
    for size, n_blocks, axis in ((height, cut[0], "rows"), (width, cut[1], "columns")):
        if size < n_blocks:
            raise DataError(f"{name}: {size} {axis} of pixels cannot be cut into {n_blocks} blocks")
    weights = np.empty((0, 0))
    if strain is not None:
        weights = np.ascontiguousarray(_check_field(strain, name, "strain", "height, width"))
        if weights.shape != (height, width):
            raise DataError(f"{name}: strain has shape {weights.shape}; it must be that of the flow, {height, width}")
        if not (weights.min() >= 0 and weights.max() <= kernels.LARGEST):
            raise DataError(f"{name}: strain holds NaN, or values that are negative or beyond {kernels.LARGEST:g}")
    rows, columns, counts, edges, sectors = _plan(height, width, cut, n_bins, convention)
    histograms = np.zeros((*cut, len(edges) - 1))
    strains = np.zeros(cut)
    if not kernels.block_sums(
        np.ascontiguousarray(vectors), weights, rows, columns, edges, sectors, histograms, strains
    ):
        raise DataError(f"{name}: flow holds NaN, infinity or values beyond {kernels.LARGEST:g}")
    if convention == "paper":
        return np.asarray(histograms * (strains / counts)[..., None]).ravel()
    histograms = histograms[..., :8]
    totals = histograms.sum(axis=-1)
    histograms = histograms * (strains / np.where(totals > 0, totals, 1.0))[..., None]
    length = np.sqrt((histograms**2).sum())
    return np.asarray(histograms / (length if length > 0 else 1.0)).ravel()


def _check_field(values: object, name: str, what: str, shape: str) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError(f"{name}: {what} is no array of shape ({shape})") from None
    if array.dtype.kind not in "uif" or not array.size:
        raise DataError(f"{name}: {what} of dtype {array.dtype} and shape {array.shape} is no array of numbers")
    return np.asarray(array, np.float64)


@lru_cache(maxsize=64)
def _plan(
    height: int, width: int, cut: tuple[int, ...], n_bins: int, convention: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the blocks' rows and columns, their numbers of pixels, the bins' edges and the eighths' bins.

    Kept, since the clips of a data set share them.
    """
    rows, columns = (_cut(size, n, convention) for size, n in zip((height, width), cut, strict=True))
    counts = np.outer(*(np.diff(spans)[:, 0] for spans in (rows, columns)))
    edges = np.linspace(-180.0, 180.0, n_bins + 1)
    sectors = np.array(_SECTORS if n_bins == 8 else (), np.int64)
    if convention == "liong2018":
        # One bin more: 135 degrees alone are in the eighth, and what is above in the ninth, to be dropped.
        edges = np.insert(edges, 8, np.nextafter(135.0, 180.0))
        sectors = np.where(sectors == 7, 8, sectors)
    return rows, columns, counts, edges, sectors


def _cut(size: int, n_blocks: int, convention: str) -> np.ndarray:
    """Return where the blocks along an axis start and end, int64 of shape (n_blocks, 2)."""
    edges = block_edges(size, n_blocks)
    starts, stops = edges[:-1].copy(), edges[1:].copy()
    if convention == "liong2018":
        starts[1:] -= 1
        stops[:-1] += 1
    return np.stack([starts, stops], axis=1)
