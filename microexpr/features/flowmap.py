"""Onset-apex flow maps: horizontal flow, vertical flow and optical strain on a small grid."""

__all__ = ["FlowMap", "clip_flow_map", "flow_map"]

import numpy as np

from microexpr.core.base import ClipTransformer
from microexpr.core.checks import check_choice, check_int
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError
from microexpr.core.frames import check_frames, to_grey
from microexpr.features.strainmap import strain_image
from microexpr.video.flow import FLOW_METHODS, optical_flow, resize_flow
from microexpr.video.motion import FLOW_VERSION, onset_apex_motion
from microexpr.video.strain import optical_strain


def flow_map(onset: np.ndarray, apex: np.ndarray, *, size: int = 28, method: str = "tvl1") -> np.ndarray:
    """Compute the u / v / strain map between the onset and the apex frame.

    1. Optical flow from onset to apex. 2. Optical strain of the flow, at full size. 3. All three resized to
    `size` x `size`: shrinking averages over the area of each new pixel, enlarging interpolates linearly. 4. Each
    stretched to 0..255 on its own (a constant channel becomes 0) and rounded, as in the maps that are passed around as
    image files.

    Parameters
    ----------
    onset, apex : uint8 ndarray of shape (height, width) or (height, width, 3)
        Frames of one size.
    size : int > 0, in pixels
    method : {"tvl1", "farneback", "dis"}
        See `microexpr.video.optical_flow`.

    Returns
    -------
    uint8 ndarray of shape (size, size, 3)
        Channels u, v, strain.

    Raises
    ------
    ParameterError
        If `size` or `method` is not allowed.
    DataError
        If the frames differ in size or are smaller than 8 x 8 pixels.

    Notes
    -----
    Differs from [1]_ in: the order (strain is computed before resizing, from OpenCV's TV-L1 with its default
    parameters); the paper leaves both open.

    References
    ----------
    .. [1] S.-T. Liong, Y. S. Gan, J. See, H.-Q. Khor, Y.-C. Huang, "Shallow triple stream three-dimensional CNN
       (STSTNet) for micro-expression recognition", FG, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> frames = np.random.default_rng(0).integers(0, 255, (2, 60, 50), dtype=np.uint8)
    >>> flow_map(frames[0], frames[1]).shape
    (28, 28, 3)
    """
    check_int(size, "size", minimum=1)
    check_choice(method, "method", FLOW_METHODS)
    pair = to_grey(check_frames([onset, apex], name="onset and apex"))
    flow = optical_flow(pair[0], pair[1], method=method)
    return _as_map(flow, optical_strain(flow), size)


def clip_flow_map(clip: Clip, *, size: int, method: str = "tvl1") -> np.ndarray:
    """Return the u / v / strain map of a clip: the `flow_map` of its onset and apex, or its stored map as it is.

    Parameters
    ----------
    clip : Clip
        With frames and an apex, or a stored flow map.
    size : int > 0, in pixels
        Of a map that is computed; a stored one keeps its own size.
    method : {"tvl1", "farneback", "dis"}
        The optical flow of clips that have frames.

    Returns
    -------
    uint8 ndarray of shape (size, size, 3), or of the stored map's shape (height, width, 3)

    Raises
    ------
    NeedsError
        If the clip has frames but no apex.
    ParameterError
        If the method is unknown.
    DataError
        If the apex does not come after the onset, the frames or the stored map cannot be read, or frames are smaller
        than 8 x 8 pixels.
    """
    if clip.has_pixels:
        return _as_map(*onset_apex_motion(clip, method=method), size)
    return clip.flow_map()


def _as_map(flow: np.ndarray, strain: np.ndarray, size: int) -> np.ndarray:
    """Resize flow and strain to size x size and stretch each channel to 0..255."""
    channels = np.dstack([resize_flow(flow, (size, size)), strain_image(strain, size=size)])
    low = channels.min(axis=(0, 1))
    span = channels.max(axis=(0, 1)) - low
    stretched = (channels - low) / np.where(span > 0, span, 1.0) * 255.0
    return np.asarray(np.rint(stretched), dtype=np.uint8)


class FlowMap(ClipTransformer):
    """Onset-apex flow and strain of each clip, or its stored flow map as it is, as one row.

    Parameters
    ----------
    size : int > 0, in pixels
        Height and width of the map. A stored map of another size is refused, not resized; `FlowImage` resizes.
    method : {"tvl1", "farneback", "dis"}
        The optical flow of clips that have frames; stored maps are as their maker computed them.

    Notes
    -----
    `transform` returns float32 of shape (n_clips, size * size * 3), values 0..255, in the order (row, column,
    channel) with channels u, v, strain: `reshape(-1, size, size, 3)` gives the maps back.

    Examples
    --------
    >>> import numpy as np
    >>> from microexpr.core.clip import Clip
    >>> from microexpr.core.sources import ArraySource
    >>> frames = np.random.default_rng(0).integers(0, 255, (9, 60, 50), dtype=np.uint8)
    >>> FlowMap().transform([Clip("a", ArraySource(frames), onset=0, apex=4)]).shape
    (1, 2352)
    """

    version = 2

    def __init__(self, size: int = 28, method: str = "tvl1") -> None:
        self.size = size
        self.method = method

    def check_params(self) -> None:  # noqa: D102
        check_int(self.size, "size", minimum=1)
        check_choice(self.method, "method", FLOW_METHODS)

    def key_facts(self) -> dict[str, object]:  # noqa: D102
        return {"flow": FLOW_VERSION}

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's map, float32 of shape (size * size * 3,).

        Raises
        ------
        NeedsError
            If the clip has frames but no apex.
        DataError
            If a stored map has another size, or the frames cannot be read or there is only one.
        """
        channels = clip_flow_map(clip, size=self.size, method=self.method)
        height, width = channels.shape[:2]
        if (height, width) != (self.size, self.size):
            raise DataError(f"{clip.clip_id}: the stored map is {height} x {width}, size is {self.size}")
        return channels.astype(np.float32).ravel()
