"""What a single frame is, for searching a face in it."""

__all__ = ["check_frame", "check_pixels", "grey_of"]

import numpy as np

from microexpr.core.errors import DataError
from microexpr.core.frames import to_grey

# The window of the cascades: nothing smaller can be a face to them.
_SMALLEST = 24


def check_frame(frame: object, *, name: str = "frame") -> np.ndarray:
    """Return `frame` if it is a grey or RGB uint8 picture a face can be searched in, else raise a DataError."""
    if not isinstance(frame, np.ndarray):
        raise DataError(
            f"{name}: a {type(frame).__name__} is no frame; an array of shape (height, width[, 3]) is needed"
        )
    if frame.ndim == 3 and frame.shape[2] == 4:
        raise DataError(f"{name}: a frame of shape {frame.shape} has an alpha channel; drop it: frame[..., :3]")
    if frame.ndim not in (2, 3) or (frame.ndim == 3 and frame.shape[2] != 3):
        raise DataError(f"{name}: a frame of shape {frame.shape}; it must be (height, width) or (height, width, 3)")
    if frame.dtype != np.uint8:
        raise DataError(f"{name}: a frame of dtype {frame.dtype}; faces are searched in 8-bit frames (uint8, 0..255)")
    if min(frame.shape[:2]) < _SMALLEST:
        raise DataError(
            f"{name}: a frame of {frame.shape[0]} x {frame.shape[1]} pixels; "
            f"a face needs at least {_SMALLEST} x {_SMALLEST}"
        )
    return frame


def check_pixels(frames: object, *, name: str) -> None:
    """Refuse what `check_frames` would accept or convert but no face can be searched in: 16 bits, floats, alpha."""
    if isinstance(frames, np.ndarray) and len(frames):
        check_frame(frames[0] if frames.ndim > 2 else frames, name=name)


def grey_of(frame: np.ndarray) -> np.ndarray:
    """Return the luma of one checked frame, contiguous."""
    return np.ascontiguousarray(to_grey(frame[None])[0])
