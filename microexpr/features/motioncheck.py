"""Whether the motion between a clip's onset and its apex can be that of an expression: some, and not too much."""

__all__ = ["clip_fault", "motion_fault"]

import numpy as np

from microexpr.core.checks import check_float
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.frames import check_frames, to_grey
from microexpr.video.motion import onset_apex_motion

# All bounds are shares of the distance between the outer corners of the eyes; what they were measured on is in Notes.
# Of the largest motion: less is what optical flow makes of sensor noise.
_LEAST = 0.0035
# Of the median motion: more is a head that turns or moves.
_MEDIAN = 0.06
# Of the largest motion, that of the median taken off: more is no expression.
_LARGEST = 0.16
# The share of the onset's variance that the apex, moved back, leaves unexplained: more is another picture.
_UNEXPLAINED = 0.03
# Of the mean grey level, and the share that the apex as it is leaves unexplained: light that changes by more makes flow
# out of nothing where little else changes.
_LIGHT = 0.04
_SAME = 0.02

# The largest motion is that of means over squares of this side.
_SMOOTHING = 1 / 8
# Pictures are compared at this blur (a standard deviation), which leaves little of sensor noise.
_BLUR = 1 / 64
# Of height and width: a margin shows hair and background, and flow is worst there.
_MARGIN = 0.1


def motion_fault(flow: np.ndarray, *, eye_distance: float) -> str | None:
    """Say whether motion is too small or too large for an expression.

    Looked at is the middle of the picture, without a tenth on each side. 1. The median speed may be .06 of the distance
    of the eyes' corners: an expression moves parts of a face, a turn of the head all of it. 2. Take the median of u and
    of v off, and average over squares of an eighth of the distance. The largest speed left may be .16 and must be
    .0035 of the distance.

    Parameters
    ----------
    flow : float ndarray of shape (height, width, 2), in pixels
        u and v from onset to apex, of pictures that are cut to the face.
    eye_distance : float > 0, in pixels of the same pictures
        Between the outer corners of the eyes.

    Returns
    -------
    str or None
        A clause to go behind the name of the clip; None where nothing is found.

    Raises
    ------
    ParameterError
        If `eye_distance` is not a finite number greater than 0.
    DataError
        If `flow` has another shape, or holds NaN or infinity.

    Notes
    -----
    Measured on TV-L1 flow of rendered faces with eyes 62 and 122 pixels apart (sensor noise of 1.5 grey levels, changes
    of light of .8 % and a little sway of the head, where not said otherwise). In shares of that distance:

    - Stills with noise of 1.5 or 3 grey levels: a largest motion of .008, 60 of 64 below the bound; with noise of 6,
      .011, and 16 of 32 below. 32 micro-expressions (peaks of .008 to .05): .004 at least. At 62 pixels the bound is
      .22 pixels.
    - Expressions with peaks up to .12: a largest motion of .105, a median of .004 (all 98 pass, micro-expressions among
      them).
    - Shifts of .08 and more, turns of the head by 6 degrees, rolls of 8 and a face nearer by a tenth and more: all 165
      are refused. Below that some pass: shifts change nothing in a map, and turns of 4 degrees reach .05.

    Examples
    --------
    >>> import numpy as np
    >>> flow = np.zeros((140, 120, 2))
    >>> motion_fault(flow, eye_distance=64.0)
    'it shows no motion: at most 0 pixels, and 0.224 (0.0035 of the distance of the eyes) is what noise may be'
    >>> flow[60:80, 40:80] = 2.0
    >>> motion_fault(flow, eye_distance=64.0) is None
    True
    """
    distance = _check_distance(eye_distance)
    if not isinstance(flow, np.ndarray) or flow.dtype.kind != "f" or flow.ndim != 3 or flow.shape[2] != 2:
        raise DataError("flow is no float array of shape (height, width, 2)")
    if not flow.size or not np.isfinite(flow).all():
        raise DataError(f"flow of shape {flow.shape} is empty, or holds NaN or infinity")
    median = float(np.median(np.hypot(*np.moveaxis(_middle(flow), -1, 0))))
    if median > _MEDIAN * distance:
        return (
            f"motion too large: half of the face moves by {median:.3g} pixels or more, {median / distance:.3g} of the "
            f"distance of the eyes; at most {_MEDIAN:g} is no turn of the head"
        )
    largest = _largest_motion(flow, distance)
    if largest > _LARGEST * distance:
        return (
            f"motion too large: a part of the face moves by {largest:.3g} pixels, {largest / distance:.3g} of the "
            f"distance of the eyes; at most {_LARGEST:g} is an expression"
        )
    if largest < _LEAST * distance:
        return (
            f"it shows no motion: at most {largest:.2g} pixels, and {_LEAST * distance:.3g} ({_LEAST:g} of the "
            "distance of the eyes) is what noise may be"
        )
    return None


def clip_fault(clip: Clip, *, eye_distance: float, method: str = "tvl1") -> str | None:
    """Say whether onset and apex of a clip show one face that moves as in an expression.

    1. Correlate apex and onset, both a little blurred: where 2 % of the variance is left or less, but the mean has
    changed by more than 4 %, it is the light that has changed. 2. Move the apex back by the flow from onset to apex,
    and correlate again: 3 % may be left. More is a cut, or motion that flow cannot follow. 3. `motion_fault`.

    Parameters
    ----------
    clip : Clip
        With frames, cut to the face, and an apex.
    eye_distance : float > 0, in pixels of its frames
        Between the outer corners of the eyes.
    method : {"tvl1", "farneback", "dis"}
        See `microexpr.video.optical_flow`. TV-L1 is what the bounds were measured with.

    Returns
    -------
    str or None
        A clause to go behind the name of the clip; None where nothing is found.

    Raises
    ------
    NeedsError
        If the clip has no frames or no apex.
    ParameterError
        If `eye_distance` or `method` is not allowed.
    DataError
        If the frames cannot be read, or the apex does not come after the onset.

    Notes
    -----
    Measured as in `motion_fault`: the share that is left is .004 at most for expressions with peaks up to .12 of the
    distance of the eyes (.008 with noise of 6 grey levels), .044 at least for the faces of two people (22 pairs). The
    mean changes by 2.3 % at most in 98 clips of expressions; light that changes by 3 % moves still faces by up to .06
    of that distance, by 5 % .15.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> clip = make_clips(1, 1, duration=(0.02, 0.03), size=(70, 60), peak_motion=(3.0, 3.0)).clips[0]
    >>> clip_fault(clip, eye_distance=32.0) is None
    True
    """
    if not clip.has_pixels:
        raise NeedsError(f"{clip.clip_id}: a stored flow map has no frames; look at it with `map_fault`")
    distance = _check_distance(eye_distance)
    onset, apex = clip.onset_apex()
    frames = clip.frames()
    first, last = to_grey(check_frames([frames[onset], frames[apex]], name=clip.clip_id))
    blur = _BLUR * distance
    before, after = (float(_middle(frame).mean()) for frame in (first, last))
    if abs(after - before) > _LIGHT * before and _unexplained(first, last, blur) < _SAME:
        return (
            f"its light changes from onset to apex, which is taken for motion: the mean grey level is {before:.3g} and "
            f"then {after:.3g}; a change of {_LIGHT:g} is allowed"
        )
    flow, _ = onset_apex_motion(clip, method=method)
    left = _unexplained(first, _moved_back(last, flow), blur)
    if left > _UNEXPLAINED:
        return (
            f"motion too large: its apex, moved back, does not give its onset ({left:.2g} of the variance is left, at "
            f"most {_UNEXPLAINED:g} is allowed): a cut, or more motion than can be followed"
        )
    return motion_fault(flow, eye_distance=distance)


def _check_distance(eye_distance: float) -> float:
    distance = check_float(eye_distance, "eye_distance")
    if distance <= 0:
        raise ParameterError(f"eye_distance is {eye_distance!r}: it must be greater than 0")
    return distance


def _middle(picture: np.ndarray) -> np.ndarray:
    rows, columns = (int(_MARGIN * size) for size in picture.shape[:2])
    return picture[rows : picture.shape[0] - rows, columns : picture.shape[1] - columns]


def _largest_motion(flow: np.ndarray, distance: float) -> float:
    """Return the largest speed of the smoothed flow of the middle, less its median."""
    import cv2

    side = max(1, round(_SMOOTHING * distance))
    smooth = cv2.blur(np.asarray(flow, np.float64), (side, side))
    still = np.median(_middle(flow), axis=(0, 1))
    return float(np.hypot(*np.moveaxis(_middle(smooth) - still, -1, 0)).max())


def _moved_back(apex: np.ndarray, flow: np.ndarray) -> np.ndarray:
    import cv2

    height, width = apex.shape
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    places = (np.stack([columns, rows], axis=-1) + flow).astype(np.float32)
    return np.asarray(cv2.remap(apex, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _unexplained(first: np.ndarray, second: np.ndarray, blur: float) -> float:
    """Return the share of the variance of one picture that no positive multiple of the other explains."""
    import cv2

    parts = [_middle(cv2.GaussianBlur(frame.astype(np.float64), (0, 0), blur)) for frame in (first, second)]
    here, there = (part - part.mean() for part in parts)
    spread = float((here**2).mean() * (there**2).mean())
    if spread <= 1e-6:  # one of them shows nothing; two that show nothing are alike
        return float(abs(np.ptp(parts[0]) - np.ptp(parts[1])) > 1.0)
    return 1.0 - max(0.0, float((here * there).mean())) ** 2 / spread
