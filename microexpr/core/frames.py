"""What an array of frames is: its checks and its conversion to grey."""

__all__ = ["check_frames", "to_grey"]

import numpy as np

from microexpr.core.errors import DataError

# How far an interpolation may overshoot 0..255, in grey levels.
_OVERSHOOT = 1.0


def check_frames(frames: object, *, name: str = "frames", min_frames: int = 1, grey_levels: bool = False) -> np.ndarray:
    """Return `frames` as an array of frames, refusing whatever is none.

    Parameters
    ----------
    frames : array-like of shape (n_frames, height, width) or (n_frames, height, width, 3)
        Grey or RGB frames, uint8 as a rule; real-valued frames (interpolated ones, say) must be finite.
    name : str
        What the message calls the array: a clip's id, or the parameter's name.
    min_frames : int >= 1
        The least number of frames.
    grey_levels : bool
        Whether values must be grey levels: within 0..255, or beyond by 1 at most, as interpolation in time overshoots.

    Returns
    -------
    ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        uint8 stays uint8; other real types become float64. Not copied where it already is such an array.

    Raises
    ------
    DataError
        If the array has another shape, is not numeric, holds NaN or infinity, has too few frames, or values that are
        no grey levels where they must be.
    """
    try:
        array = np.asarray(frames)
    except ValueError:
        raise DataError(f"{name}: frames differ in size; all frames of a clip must have one size") from None
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[3] != 3):
        raise DataError(
            f"{name}: an array of shape {array.shape} is no clip; "
            "it must be (n_frames, height, width) or (n_frames, height, width, 3)"
        )
    if array.dtype.kind not in "uif":
        raise DataError(f"{name}: frames of dtype {array.dtype} are not numeric; uint8 is expected")
    if array.size == 0:
        raise DataError(f"{name}: the clip is empty (shape {array.shape})")
    if len(array) < min_frames:
        raise DataError(f"{name}: the clip has {len(array)} frame{'s' * (len(array) > 1)}, {min_frames} are needed")
    if array.dtype == np.uint8:
        return array
    array = array.astype(np.float64, copy=False)
    if not np.isfinite(array).all():
        raise DataError(f"{name}: frames hold NaN or infinity")
    low, high = array.min(), array.max()
    if grey_levels and (low < -_OVERSHOOT or high > 255.0 + _OVERSHOOT):
        raise DataError(f"{name}: frames hold values from {low:g} to {high:g}; grey levels are within 0..255")
    return array


def to_grey(frames: np.ndarray) -> np.ndarray:
    """Return the luma of frames (Rec. 601: 0.299 R + 0.587 G + 0.114 B); grey frames come back as they are.

    Parameters
    ----------
    frames : uint8 or float64 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        Channels in the order R, G, B.

    Returns
    -------
    ndarray of shape (n_frames, height, width)
        The dtype of `frames`; uint8 is rounded as OpenCV rounds it.
    """
    if frames.ndim == 3:
        return frames
    if frames.dtype == np.uint8:
        import cv2

        n_frames, height, width, _ = frames.shape
        tall = np.ascontiguousarray(frames).reshape(n_frames * height, width, 3)
        return np.asarray(cv2.cvtColor(tall, cv2.COLOR_RGB2GRAY)).reshape(n_frames, height, width)
    return np.asarray(frames @ np.array([0.299, 0.587, 0.114]))
