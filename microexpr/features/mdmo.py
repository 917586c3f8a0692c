"""MDMO: the main direction of optical flow in each region of the face, averaged over a clip."""

__all__ = ["MDMO", "mdmo"]

import numpy as np

from microexpr.core.base import ClipTransformer
from microexpr.core.checks import check_choice, check_float
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError
from microexpr.core.frames import check_frames
from microexpr.features._face_regions import FACE_REGIONS, check_grid, region_masks
from microexpr.video.flow import FLOW_METHODS
from microexpr.video.motion import FLOW_VERSION, onset_flows

# Rows and columns of regions="grid" where none are given: as many regions as the paper has.
_GRID = (6, 6)


def mdmo(flows: object, regions: object, *, alpha: float = 0.9) -> np.ndarray:
    """Compute the main directional mean optical flow (MDMO) of a clip.

    1. In each flow field, the vectors of each region are counted in eight bins of direction, centred on 0, 45, ..., 315
    degrees. 2. The mean of the vectors in the fullest bin (the first on ties) is the region's motion in that frame.
    3. The mean of these motions over the frames has length rho and direction theta. 4. Every rho is divided by the
    largest.

    Parameters
    ----------
    flows : float ndarray of shape (n_frames, height, width, 2)
        u (to the right) and v (downwards), in pixels: the flow from the first frame to each later one.
    regions : bool ndarray of shape (n_regions, height, width)
        Which pixels are in each region, one at least; regions may overlap.
    alpha : float in [0, 1]
        The weight of rho; theta has the weight 1 - alpha.

    Returns
    -------
    float64 ndarray of shape (2 * n_regions,)
        alpha * rho of all regions, rho within 0..1, and then (1 - alpha) * theta of all regions, theta in radians
        within (-pi, pi]: 0 is to the right, negative upwards, positive downwards. A region without motion has 0, 0.

    Raises
    ------
    ParameterError
        If `alpha` is not allowed.
    DataError
        If `flows` or `regions` has the wrong shape or type, the flow holds NaN, infinity or values beyond 1e100, or a
        region has no pixel.

    Notes
    -----
    Of [1]_ are the steps, the eight bins and alpha = 0.9. That means are of vectors (nowhere of angles), and that a
    frame without motion in a region counts there as a zero vector, is how we read it. Ours are: ties go to the first
    bin (so where a bin ties with the fullest, a mirrored clip need not give mirrored directions); vectors of length 0
    have no direction and are in no bin; the range of theta, symmetric so that no motion has the value in the middle and
    the sign says up or down.

    theta as a number jumps by 2 pi where a motion to the left turns from slightly downwards to slightly upwards, and
    it is noise where rho is small: so it is in [1]_ too, whose weight of 0.1 keeps that small.

    Differs from [1]_ in: the affine alignment of the flow fields by 13 inner landmarks against head motion is left out;
    align or stabilise the frames before instead.

    References
    ----------
    .. [1] Y.-J. Liu, J.-K. Zhang, W.-J. Yan, S.-J. Wang, G. Zhao, X. Fu, "A main directional mean optical flow feature
       for spontaneous micro-expression recognition", IEEE Transactions on Affective Computing 7(4), 2016.

    Examples
    --------
    >>> import numpy as np
    >>> flows = np.zeros((3, 10, 12, 2))
    >>> flows[:, :5, :, 1] = -2.0  # the upper half moves up by 2
    >>> flows[:, 5:, :, 0] = 1.0  # the lower half moves right by 1
    >>> halves = np.zeros((2, 10, 12), bool)
    >>> halves[0, :5] = halves[1, 5:] = True
    >>> mdmo(flows, halves, alpha=0.5).round(3)
    array([ 0.5  ,  0.25 , -0.785,  0.   ])
    """
    alpha = check_float(alpha, "alpha", minimum=0.0, maximum=1.0)
    return _polar_motions(flows, regions, alpha, "flows")


class MDMO(ClipTransformer):
    """MDMO of each clip as one row; see `mdmo`.

    The face is divided once, in the onset frame (the clip's first where none is given); flow is from there to every
    later frame up to the offset (the last frame where none is given).

    Parameters
    ----------
    regions : {"mdmo36", "kato15", "polikovsky12", "grid"}
        See `microexpr.video.faces.regions`; "grid" divides the whole picture and looks for no face.
    grid : (rows, columns), ints > 0, or None
        For "grid" alone, where None is (6, 6).
    alpha : float in [0, 1]
        The weight of the lengths; directions have 1 - alpha.
    method : {"tvl1", "farneback", "dis"}
        The optical flow; see `microexpr.video.optical_flow`.

    Notes
    -----
    `transform` returns float64 of shape (n_clips, 2 * n_regions), 72 values with "mdmo36". It needs the clip's frames,
    but no apex.

    Lengths are divided by the clip's largest, so a clip without motion shows the noise of its flow as if it were
    motion. Farneback's flow of two equal frames is such noise (a tenth of a pixel has been seen); that of the other two
    methods is zero.

    Differs from [1]_ in: the regions and landmarks, which are `microexpr.video.faces.regions`' reading of the paper's
    figure; the optical flow (Farneback's).

    References
    ----------
    .. [1] Y.-J. Liu, J.-K. Zhang, W.-J. Yan, S.-J. Wang, G. Zhao, X. Fu, "A main directional mean optical flow feature
       for spontaneous micro-expression recognition", IEEE Transactions on Affective Computing 7(4), 2016.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (5, 40, 30), dtype=np.uint8)
    >>> MDMO(regions="grid", grid=(6, 6)).transform([clip]).shape
    (1, 72)
    """

    version = 1

    def __init__(
        self,
        regions: str = "mdmo36",
        grid: tuple[int, int] | None = None,
        alpha: float = 0.9,
        method: str = "farneback",
    ) -> None:
        self.regions = regions
        self.grid = grid
        self.alpha = alpha
        self.method = method

    def check_params(self) -> None:  # noqa: D102
        check_choice(self.regions, "regions", FACE_REGIONS)
        check_grid(self.grid, self.regions, _GRID)
        check_float(self.alpha, "alpha", minimum=0.0, maximum=1.0)
        check_choice(self.method, "method", FLOW_METHODS)

    def key_facts(self) -> dict[str, object]:  # noqa: D102
        return {"flow": FLOW_VERSION}

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's main motions, float64 of shape (2 * n_regions,).

        Raises
        ------
        NeedsError
            If the clip has no pixels.
        DataError
            If the frames cannot be read, there is none after the onset, no face or more than one is found, the
            grid has more rows or columns than the picture, or a region has no pixel.
        """
        frames = check_frames(clip.frames(), name=clip.clip_id, min_frames=2)
        onset = 0 if clip.onset is None else clip.onset
        offset = len(frames) - 1 if clip.offset is None else clip.offset
        grid = check_grid(self.grid, self.regions, _GRID)
        masks = region_masks(frames[onset], self.regions, grid=grid, name=clip.clip_id)
        flows = onset_flows(frames, range(onset + 1, offset + 1), onset=onset, method=self.method, name=clip.clip_id)
        return _polar_motions(flows, masks, self.alpha, clip.clip_id)


def _polar_motions(flows: object, regions: object, alpha: float, name: str) -> np.ndarray:
    from microexpr.features import _mdmo_kernels as kernels

    vectors = _check_flows(flows, name)
    masks = _check_regions(regions, vectors.shape[1:3], name)
    n_frames, height, width, _ = vectors.shape
    # Positions among all regions' pixels; the remainder is the place in the picture.
    positions = np.flatnonzero(masks)
    starts = np.searchsorted(positions, np.arange(len(masks) + 1) * (height * width))
    if (np.diff(starts) == 0).any():
        empty = np.flatnonzero(np.diff(starts) == 0).tolist()
        raise DataError(f"{name}: regions {empty} have no pixel")
    motions = np.zeros((n_frames, len(masks), 2))
    pixels = (positions % (height * width)).astype(np.uint64)
    if not kernels.main_motions(vectors.reshape(n_frames, -1, 2), pixels, starts, motions):
        raise DataError(f"{name}: the flow holds NaN, infinity or values beyond {kernels.LARGEST:g}")
    u, v = motions.mean(axis=0).T
    rho = np.hypot(u, v)
    theta = np.arctan2(v, u)
    # A v of -0.0, or one too small to show, would put the same motion at the other end of the range.
    theta[theta == -np.pi] = np.pi
    largest = rho.max()
    return np.concatenate([alpha * (rho / largest if largest > 0 else rho), (1 - alpha) * theta])


def _check_flows(flows: object, name: str) -> np.ndarray:
    try:
        array = np.asarray(flows)
    except ValueError:
        raise DataError(f"{name}: flow fields differ in size; all of a clip must have one size") from None
    if array.dtype.kind not in "uif" or array.ndim != 4 or array.shape[3] != 2 or not array.size:
        raise DataError(
            f"{name}: an array of dtype {array.dtype} and shape {array.shape} is no flow; "
            "it must be numbers of shape (n_frames, height, width, 2)"
        )
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    return np.ascontiguousarray(array)


def _check_regions(regions: object, shape: tuple[int, ...], name: str) -> np.ndarray:
    try:
        masks = np.asarray(regions)
    except ValueError:
        raise DataError(f"{name}: regions differ in size; all masks must have one size") from None
    if masks.dtype != bool or masks.ndim != 3 or not len(masks) or masks.shape[1:] != shape:
        raise DataError(
            f"{name}: regions of dtype {masks.dtype} and shape {masks.shape} are no masks; they must be bool of shape "
            f"(n_regions, {shape[0]}, {shape[1]})"
        )
    return masks
