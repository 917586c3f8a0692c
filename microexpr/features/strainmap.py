"""Optical strain as features: the strain image of onset to apex, or of all frames pooled over time."""

__all__ = ["OpticalStrain", "pooled_strain", "strain_image"]

import numpy as np

from microexpr.core.base import ClipTransformer
from microexpr.core.checks import check_choice, check_int
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError
from microexpr.core.frames import check_frames, to_grey
from microexpr.video.flow import FLOW_METHODS
from microexpr.video.motion import FLOW_VERSION, onset_apex_motion, onset_flows
from microexpr.video.strain import optical_strain


def strain_image(strain: object, *, size: int = 28) -> np.ndarray:
    """Resize the optical strain between two frames to a square.

    Parameters
    ----------
    strain : float ndarray of shape (height, width), >= 0
        As `microexpr.video.optical_strain` gives it.
    size : int > 0, in pixels

    Returns
    -------
    float64 ndarray of shape (size, size)
        Shrinking averages over the area of each new pixel, enlarging interpolates linearly.

    Raises
    ------
    ParameterError
        If `size` is not allowed.
    DataError
        If `strain` has another shape, is negative somewhere, or holds NaN or infinity.

    Examples
    --------
    >>> import numpy as np
    >>> strain_image(np.arange(16.0).reshape(4, 4), size=2)
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    check_int(size, "size", minimum=1)
    return _resized(_check_strain(strain, 2, "(height, width)"), size)


def pooled_strain(strains: object, *, size: int = 50) -> np.ndarray:
    """Pool the optical strain of a clip's frames over time.

    1. The mean over time of each pixel's strain. 2. Divided by its largest value over the picture. 3. Resized to a
    square.

    Parameters
    ----------
    strains : float ndarray of shape (n, height, width), >= 0
        The strain of each pair of successive frames.
    size : int > 0, in pixels

    Returns
    -------
    float64 ndarray of shape (size, size), within 0..1
        Zeros where there is no strain at all. Shrinking averages over the area of each new pixel, enlarging
        interpolates linearly.

    Raises
    ------
    ParameterError
        If `size` is not allowed.
    DataError
        If `strains` has another shape, is empty, is negative somewhere, or holds NaN or infinity.

    Notes
    -----
    The mean over time, the division by the largest value and 50 x 50 pixels are of [1]_; [2]_ adds up over time
    instead, which the division makes the same. We know both at second hand.

    Differs from [1]_ in: no filtering of the strain (thresholds there, Wiener and Gaussian filters in [2]_) and no
    masking of the eyes; resizing by area averaging, which the paper leaves open.

    References
    ----------
    .. [1] S.-T. Liong, J. See, R. C.-W. Phan, Y.-H. Oh, A. C. Le Ngo, K. Wong, S.-W. Tan, "Spontaneous subtle
       expression detection and recognition based on facial strain", Signal Processing: Image Communication 47, 2016.
    .. [2] S.-T. Liong, R. C.-W. Phan, J. See, Y.-H. Oh, K. Wong, "Optical strain based recognition of subtle
       emotions", ISPACS, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> strains = np.array([[[0.0, 1.0], [2.0, 3.0]], [[0.0, 1.0], [4.0, 1.0]]])
    >>> pooled_strain(strains, size=2).round(3)
    array([[0.   , 0.333],
           [1.   , 0.667]])
    """
    check_int(size, "size", minimum=1)
    pooled = _check_strain(strains, 3, "(n, height, width)").mean(axis=0)
    largest = pooled.max()
    return _resized(pooled / largest if largest > 0 else pooled, size)


class OpticalStrain(ClipTransformer):
    """The optical strain of each clip as one row.

    Parameters
    ----------
    size : int > 0, in pixels
        Height and width of the strain image. A stored map of another size is refused, not resized.
    frames : {"apex", "all"}
        "apex": `strain_image` of the strain between onset and apex, or the strain channel of a stored flow map as it
        is. "all": `pooled_strain` of each two successive frames from onset to offset (the clip's first and last frame
        where they are not given); needs the clip's frames, but no apex. `size` is 50 in that method's paper.
    method : {"tvl1", "farneback", "dis"}
        The optical flow; see `microexpr.video.optical_flow`. "all" with "tvl1" takes long, and finds mostly noise in
        noisy clips of a high frame rate, where successive frames differ little; "farneback" smooths more.

    Notes
    -----
    `transform` returns float64 of shape (n_clips, size * size), row by row of the picture. Values of frames are
    strain ("apex") or shares of the largest ("all"); of stored maps grey levels 0..255, each map stretched on its own.

    Examples
    --------
    >>> import numpy as np
    >>> from microexpr.core.clip import Clip
    >>> from microexpr.core.sources import ArraySource
    >>> frames = np.random.default_rng(0).integers(0, 255, (9, 60, 50), dtype=np.uint8)
    >>> clips = [Clip("a", ArraySource(frames), onset=0, apex=4)]
    >>> OpticalStrain(method="dis").transform(clips).shape
    (1, 784)
    >>> OpticalStrain(size=50, frames="all", method="dis").transform(clips).shape
    (1, 2500)
    """

    version = 1

    def __init__(self, size: int = 28, frames: str = "apex", method: str = "tvl1") -> None:
        self.size = size
        self.frames = frames
        self.method = method

    def check_params(self) -> None:  # noqa: D102
        check_int(self.size, "size", minimum=1)
        check_choice(self.frames, "frames", ("apex", "all"))
        check_choice(self.method, "method", FLOW_METHODS)

    def key_facts(self) -> dict[str, object]:  # noqa: D102
        return {"flow": FLOW_VERSION}

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's strain image, float64 of shape (size * size,).

        Raises
        ------
        NeedsError
            If `frames` is "apex" and the clip has frames but no apex, or it is "all" and the clip is a stored map.
        DataError
            If a stored map has another size, the frames cannot be read, or there are no two from onset to offset.
        """
        if self.frames == "all":
            return pooled_strain(_successive_strains(clip, self.method), size=self.size).ravel()
        _, strain = onset_apex_motion(clip, method=self.method)
        if clip.has_pixels:
            return strain_image(strain, size=self.size).ravel()
        if strain.shape != (self.size, self.size):
            height, width = strain.shape
            raise DataError(f"{clip.clip_id}: the stored map is {height} x {width}, size is {self.size}")
        return strain.ravel()


def _successive_strains(clip: Clip, method: str) -> np.ndarray:
    grey = to_grey(check_frames(clip.frames(), name=clip.clip_id, min_frames=2))
    onset = 0 if clip.onset is None else clip.onset
    offset = len(grey) - 1 if clip.offset is None else clip.offset
    if offset <= onset:
        raise DataError(f"{clip.clip_id}: onset {onset} and offset {offset} leave no two successive frames")
    pairs = [
        onset_flows(grey, [position], onset=position - 1, method=method, name=clip.clip_id)[0]
        for position in range(onset + 1, offset + 1)
    ]
    return np.stack([optical_strain(flow) for flow in pairs])


def _check_strain(strain: object, n_axes: int, shape: str) -> np.ndarray:
    try:
        array = np.asarray(strain)
    except ValueError:
        raise DataError(f"strain is no array of shape {shape}") from None
    if array.dtype.kind not in "uif" or array.ndim != n_axes or not array.size:
        raise DataError(f"strain of dtype {array.dtype} and shape {array.shape} must be numbers of shape {shape}")
    if not (array.min() >= 0 and array.max() < np.inf):
        raise DataError("strain holds NaN, infinity or negative values")
    return array.astype(np.float64)


def _resized(strain: np.ndarray, size: int) -> np.ndarray:
    import cv2

    shrinks = min(strain.shape) >= size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(strain, (size, size), interpolation=interpolation), np.float64)
