"""Long videos opened for reading frame by frame: a file, a pipe or a camera."""

__all__ = ["OpenVideo"]

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
# Formats in which FFmpeg draws characters, whatever the text: of any file called note.txt it makes a film.
_DRAWN_TEXT = ("tty", "bin", "xbin", "adf", "idf")
# A video that ends by so many seconds before its declared end was cut off: clocks of containers differ by less.
_CUT_OFF = 0.5


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
        As the container declares it; once a frame has been read, as shown: rotation that the file asks for is carried
        out.
    uneven : int
        How many frames so far came more than 1.5 times later than usual: lost ones, or a variable rate.

    Raises
    ------
    DataError
        If it cannot be opened, holds no video or does not say its rate; while iterating, if a frame cannot be decoded
        or frames that the container declares are missing: the message says after which one; or a second time.
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
        if not self._container.streams.video or self._container.format.name in _DRAWN_TEXT:
            self.close()
            raise DataError(f"{self.name}: there is no video in it")
        stream = self._container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate
        if not rate:
            self.close()
            raise DataError(f"{self.name}: it does not say how many frames a second it has")
        self.fps = float(rate)
        self.n_declared: int | None = stream.frames or None
        self._declared_end = _declared_end(self._container)
        self._begun = False
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

        if self._begun:
            raise DataError(f"{self.name}: its frames have been read; they come once, open it anew")
        self._begun = True
        position, before, usual = 0, None, 1.0 / self.fps
        end = float("inf")
        try:
            for frame in self._container.decode(video=0):
                if before is not None and frame.time is not None and frame.time - before > _UNEVEN * usual:
                    self.uneven += 1
                before = frame.time
                if before is not None:
                    end = before + max(usual, float((frame.duration or 0) * (frame.time_base or 0)))
                # Counter-clockwise quarter turns, as NumPy turns too.
                turns = round((frame.rotation or 0) / 90) % 4
                picture = frame.to_ndarray(format="rgb24" if self.color else "gray")
                picture = np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture
                self.size = (picture.shape[0], picture.shape[1])
                yield picture
                position += 1
        except (OSError, av.FFmpegError) as error:
            where = f"breaks off after frame {position - 1}" if position else "no frame can be decoded"
            raise DataError(f"{self.name}: {where}: {_reason(error)}") from None
        if not position:
            raise DataError(f"{self.name}: there is no frame in it")
        if self.n_declared is not None and position < self.n_declared:
            raise DataError(
                f"{self.name}: breaks off after frame {position - 1}: {self.n_declared} frames were declared"
            )
        if self._declared_end is not None and end + _CUT_OFF < self._declared_end:
            raise DataError(
                f"{self.name}: breaks off after frame {position - 1}: {self._declared_end:.2f} seconds were declared"
            )


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
    # A file may be a list of others: those on this disk are read, nothing is fetched from anywhere.
    return av.open(source, options={"protocol_whitelist": "file"})


def _declared_end(container: Any) -> float | None:
    """Return when the last frame ends by what Matroska and WebM say, which do not count frames; None if unknown."""
    said = container.streams.video[0].metadata.get("DURATION", "")
    try:
        hours, minutes, seconds = map(float, said.split(":"))
    except ValueError:
        return None
    return 3600 * hours + 60 * minutes + seconds


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or one_line(error)
