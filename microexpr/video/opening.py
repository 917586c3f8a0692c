"""Long videos opened for reading frame by frame: a file, a pipe or a camera."""

__all__ = ["OpenVideo", "open_video"]

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from microexpr.core.errors import DataError, ParameterError, one_line

# How each system calls its cameras: the format's name and the device's.
_CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}"), "win32": ("dshow", "video={}")}
_CAMERA = "camera:"
_PIPE = "-"
# A frame that comes this much later than usual was lost, or the rate is not constant.
_UNEVEN = 1.5


class OpenVideo:
    """A video whose frames are read one at a time, once; use it in a `with` block, or `close` it.

    Parameters
    ----------
    source : str or path
        A file; `-` for a video that comes through standard input; `camera:0` for the first camera.
    color : bool
        Whether frames are RGB rather than grey.

    Attributes
    ----------
    name : str
    fps : float
        Frames per second, as the container declares them.
    size : (height, width)
        As shown: rotation that the file asks for is carried out.
    uneven : int
        How many frames so far came more than 1.5 times later than usual: lost ones, or a variable rate.

    Raises
    ------
    DataError
        If it cannot be opened, holds no video or does not say its rate; while iterating, if a frame cannot be decoded:
        the message says after which one.
    ParameterError
        If a camera has no number.
    """

    def __init__(self, source: str | Path, *, color: bool = False) -> None:
        import av

        self.name = _name(source)
        self.color = color
        self.uneven = 0
        try:
            self._container: Any = _open(str(source))
        except (OSError, av.FFmpegError) as error:
            raise DataError(f"{self.name}: cannot be opened as a video: {_reason(error)}") from None
        if not self._container.streams.video:
            self.close()
            raise DataError(f"{self.name}: there is no video in it")
        stream = self._container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate
        if not rate:
            self.close()
            raise DataError(f"{self.name}: it does not say how many frames a second it has")
        self.fps = float(rate)
        self.n_declared: int | None = stream.frames or None
        self.size = (int(stream.height), int(stream.width))

    def __enter__(self) -> "OpenVideo":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file or the camera."""
        self._container.close()

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield frames: uint8 (height, width), or (height, width, 3) with `color`."""
        import av

        position, before, usual = 0, None, 1.0 / self.fps
        try:
            for frame in self._container.decode(video=0):
                if before is not None and frame.time is not None and frame.time - before > _UNEVEN * usual:
                    self.uneven += 1
                before = frame.time
                # Counter-clockwise quarter turns, as NumPy turns too.
                turns = round((frame.rotation or 0) / 90) % 4
                picture = frame.to_ndarray(format="rgb24" if self.color else "gray")
                yield np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture
                position += 1
        except (OSError, av.FFmpegError) as error:
            raise DataError(f"{self.name}: breaks off after frame {position - 1}: {_reason(error)}") from None
        if not position:
            raise DataError(f"{self.name}: there is no frame in it")
        if self.n_declared is not None and position < self.n_declared:
            raise DataError(
                f"{self.name}: breaks off after frame {position - 1}: {self.n_declared} frames were declared"
            )


def open_video(source: str | Path, *, color: bool = False) -> OpenVideo:
    """Open a video; see `OpenVideo`."""
    return OpenVideo(source, color=color)


def _name(source: str | Path) -> str:
    return "standard input" if str(source) == _PIPE else str(source)


def _open(source: str) -> Any:
    import av

    if source == _PIPE:
        return av.open(sys.stdin.buffer)
    if source.startswith(_CAMERA):
        number = source.removeprefix(_CAMERA)
        if not number.isdecimal() or sys.platform not in _CAMERAS:
            raise ParameterError(f"camera is {source!r}: it must be camera:0, camera:1, ... on Linux, macOS or Windows")
        form, device = _CAMERAS[sys.platform]
        return av.open(device.format(number), format=form)
    if not Path(source).is_file():
        raise FileNotFoundError(2, "no such file")
    return av.open(source)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or one_line(error)
