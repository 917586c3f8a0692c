"""Frames of another size: resized, or padded with a border."""

__all__ = ["Pad", "Resize", "pad_frames", "resize_frames"]

import numpy as np

from microexpr.core.base import ClipMap
from microexpr.core.checks import check_int, check_int_tuple
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError
from microexpr.core.frames import check_frames


def resize_frames(frames: object, size: tuple[int, int]) -> np.ndarray:
    """Resize each frame: averaging over the area where none of its sides grows, else interpolating linearly.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        uint8 or real-valued.
    size : (height, width), ints > 0, in pixels

    Returns
    -------
    uint8 or float64 ndarray of shape (n_frames, *size) or (n_frames, *size, 3)
        uint8 frames stay uint8, rounded as OpenCV rounds them. A clip that has the size already is returned as it is.

    Raises
    ------
    ParameterError
        If `size` breaks its rule.
    DataError
        If `frames` is no clip.

    See Also
    --------
    microexpr.video.resize_flow : scales the vectors of a flow field too.

    Examples
    --------
    >>> import numpy as np
    >>> resize_frames(np.zeros((5, 280, 230), np.uint8), (64, 64)).shape
    (5, 64, 64)
    """
    height, width = check_int_tuple(size, "size", 2, minimum=1)
    values = check_frames(frames)
    if values.shape[1:3] == (height, width):
        return values
    import cv2

    shrinks = height <= values.shape[1] and width <= values.shape[2]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = [cv2.resize(frame, (width, height), interpolation=interpolation) for frame in values]
    return np.stack(resized)


def pad_frames(frames: object, size: tuple[int, int], *, value: int = 0) -> np.ndarray:
    """Put each frame in the middle of a larger one; an odd row or column goes below or to the right.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        uint8 or real-valued.
    size : (height, width), ints > 0, in pixels
        Neither below that of `frames`: nothing is cropped.
    value : int in [0, 255]
        The grey level of the border, in all channels; 0 is black.

    Returns
    -------
    uint8 or float64 ndarray of shape (n_frames, *size) or (n_frames, *size, 3)

    Raises
    ------
    ParameterError
        If a parameter breaks its rule.
    DataError
        If `frames` is no clip, or larger than `size`.

    Examples
    --------
    >>> import numpy as np
    >>> padded = pad_frames(np.full((5, 280, 231), 90, np.uint8), (400, 400))
    >>> padded.shape, int(padded[0, 60, 84]), int(padded[0, 60, 83])
    ((5, 400, 400), 90, 0)
    """
    wanted = check_int_tuple(size, "size", 2, minimum=1)
    check_int(value, "value", minimum=0, maximum=255)
    return _pad(check_frames(frames), wanted, value, "frames")


class Resize(ClipMap):
    """Resize the frames of each clip; see `resize_frames`.

    Parameters
    ----------
    size : (height, width), ints > 0, in pixels

    Examples
    --------
    >>> import numpy as np
    >>> clips = [np.zeros((5, 280, 230), np.uint8), np.zeros((7, 270, 240), np.uint8)]
    >>> [clip.frames().shape for clip in Resize((64, 64)).fit_transform(clips)]
    [(5, 64, 64), (7, 64, 64)]
    """

    version = 1

    def __init__(self, size: tuple[int, int] = (112, 112)) -> None:
        self.size = size

    def check_params(self) -> None:  # noqa: D102
        check_int_tuple(self.size, "size", 2, minimum=1)

    def map_clip(self, clip: Clip) -> np.ndarray:
        """Return the resized frames."""
        return resize_frames(clip.frames(), self.size)


class Pad(ClipMap):
    """Put the frames of each clip in the middle of larger ones, by default black and 400 x 400; see `pad_frames`.

    Parameters
    ----------
    size : (height, width), ints > 0, in pixels
    value : int in [0, 255]

    Notes
    -----
    The default is that of [1]_, which does not say where in the border the frame lies.

    References
    ----------
    .. [1] S. Houlton, "Expression classification in microexpressions", Colorado State University.

    Examples
    --------
    >>> import numpy as np
    >>> clips = [np.zeros((5, 280, 230), np.uint8), np.zeros((7, 270, 240), np.uint8)]
    >>> [clip.frames().shape for clip in Pad().fit_transform(clips)]
    [(5, 400, 400), (7, 400, 400)]
    """

    version = 1

    def __init__(self, size: tuple[int, int] = (400, 400), value: int = 0) -> None:
        self.size = size
        self.value = value

    def check_params(self) -> None:  # noqa: D102
        check_int_tuple(self.size, "size", 2, minimum=1)
        check_int(self.value, "value", minimum=0, maximum=255)

    def map_clip(self, clip: Clip) -> np.ndarray:
        """Return the padded frames.

        Raises
        ------
        DataError
            If the frames cannot be read, or are larger than `size`.
        """
        return _pad(clip.frames(), check_int_tuple(self.size, "size", 2), self.value, clip.clip_id)


def _pad(frames: np.ndarray, size: tuple[int, ...], value: int, name: str) -> np.ndarray:
    height, width = frames.shape[1:3]
    if height > size[0] or width > size[1]:
        raise DataError(
            f"{name}: frames of {height} x {width} pixels do not fit in size {size[0]} x {size[1]}; "
            "padding crops nothing: resize them first, or pad to a larger size"
        )
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    padded = np.full((len(frames), *size, *frames.shape[3:]), value, frames.dtype)
    padded[:, top : top + height, left : left + width] = frames
    return padded
