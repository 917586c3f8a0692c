"""The motion of a clip between its onset and its apex, whether measured from frames or read from a stored map."""

__all__ = ["FLOW_VERSION", "onset_apex_motion", "onset_flows"]

import contextlib
from collections.abc import Sequence

import numpy as np

from microexpr.core.cache import motion_cache
from microexpr.core.clip import Clip
from microexpr.core.digest import digest
from microexpr.core.errors import DataError, ResultsError
from microexpr.core.frames import check_frames, to_grey
from microexpr.video.flow import optical_flow
from microexpr.video.strain import optical_strain

#: Raised when the same frames would give another flow; part of the keys of all that is computed from it.
FLOW_VERSION = 1


def onset_apex_motion(clip: Clip, *, method: str = "tvl1") -> tuple[np.ndarray, np.ndarray]:
    """Return optical flow and optical strain between a clip's onset and its apex.

    Of a clip with frames, the flow is computed once and kept in the cache: several descriptors work from it. Of a
    stored flow map, the channels u and v are read as flow of which neither zero nor scale is known: the median of
    each channel counts as no motion (most of a face is still), and the unit is the map's own grey level.

    Parameters
    ----------
    clip : Clip
        With frames and an apex, or a stored flow map.
    method : {"tvl1", "farneback", "dis"}
        See `microexpr.video.optical_flow`; without effect on stored maps, which are as their maker computed them.

    Returns
    -------
    flow : float64 ndarray of shape (height, width, 2)
        u (to the right) and v (downwards), in pixels; of a stored map in grey levels.
    strain : float64 ndarray of shape (height, width)
        `microexpr.video.optical_strain` of the flow; of a stored map its third channel, in grey levels.

    Raises
    ------
    NeedsError
        If the clip has frames but no apex.
    ParameterError
        If the method is unknown.
    DataError
        If the apex does not come after the onset, or the frames cannot be read or are too small.
    """
    if not clip.has_pixels:
        channels = clip.flow_map().astype(np.float64)
        flow = channels[..., :2] - np.median(channels[..., :2], axis=(0, 1))
        return flow, channels[..., 2]
    onset, apex = clip.onset_apex()
    if apex <= onset:
        raise DataError(f"{clip.clip_id}: the apex {apex} does not come after the onset {onset}: nothing moves")
    cache = motion_cache()
    key = digest({"flow": method, "version": FLOW_VERSION, "clip": clip.source.fingerprint(), "frames": [onset, apex]})
    kept = cache.get(key)
    if kept is None:
        frames = check_frames(clip.frames(), name=clip.clip_id, min_frames=2)
        [flow] = onset_flows(frames, [apex], onset=onset, method=method, name=clip.clip_id)
        # OpenCV's flow is single precision: nothing is lost by keeping it as such.
        with contextlib.suppress(ResultsError):  # a cache that cannot be written costs time, no more
            cache.put(key, flow.astype(np.float32))
    else:
        flow = kept.astype(np.float64)
    return flow, optical_strain(flow)


def onset_flows(
    frames: np.ndarray,
    positions: Sequence[int],
    *,
    onset: int = 0,
    method: str = "tvl1",
    name: str = "frames",
) -> np.ndarray:
    """Return the optical flow from the onset frame to each of the frames at `positions`.

    Parameters
    ----------
    frames : uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
    positions : sequence of n int
        Zero-based; may not be empty.
    onset : int
        The frame that all flow starts from.
    method : {"tvl1", "farneback", "dis"}
    name : str
        What messages call the frames.

    Returns
    -------
    float64 ndarray of shape (n, height, width, 2)
        u (to the right) and v (downwards), in pixels.

    Raises
    ------
    ParameterError
        If the method is unknown.
    DataError
        If the frames are not uint8, or smaller than 8 x 8, or there is no position, or one outside the frames.
    """
    grey = to_grey(check_frames(frames, name=name))
    if not len(positions):
        raise DataError(f"{name}: there is no frame to compute the flow to")
    if outside := [position for position in (onset, *positions) if not 0 <= position < len(grey)]:
        raise DataError(f"{name}: there is no frame {outside[0]} among the {len(grey)}")
    try:
        return np.stack([optical_flow(grey[onset], grey[position], method=method) for position in positions])
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
