"""Where a clip's frames come from: an array, image files, a video file, a stored flow map. Read only when asked."""

__all__ = ["ArraySource", "FlowMapSource", "FrameSource", "ImageFilesSource", "VideoSource", "read_image"]

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from microexpr.core.digest import array_digest, digest
from microexpr.core.errors import DataError, NeedsError
from microexpr.core.filehash import content_digest
from microexpr.core.frames import check_frames

# Times are rounded to the container's clock; a lost frame doubles the gap.
_UNEVEN = 1.5


class FrameSource(ABC):
    """Something frames can be read from; pickling it pickles paths, not pixels, where there are paths."""

    has_pixels = True

    @abstractmethod
    def read(self) -> np.ndarray:
        """Return the frames: uint8 (n_frames, height, width) or (n_frames, height, width, 3)."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a digest of what `read` would return; the same content has the same fingerprint on every machine."""

    @abstractmethod
    def count(self) -> int:
        """Return the number of frames, reading no more than it must."""

    @abstractmethod
    def describe(self) -> str:
        """Return where the frames are, for tables and messages."""

    def first(self) -> np.ndarray:
        """Return the first frame, reading no more than it must."""
        return np.asarray(self.read()[0])

    def stream(self) -> Iterator[np.ndarray]:
        """Yield the frames one at a time; sources on disk hold no more than one in memory."""
        yield from self.read()


class ArraySource(FrameSource):
    """Frames held in memory.

    Parameters
    ----------
    frames : array of shape (n_frames, height, width) or (n_frames, height, width, 3)
    """

    def __init__(self, frames: np.ndarray, *, name: str = "frames") -> None:
        self._frames = check_frames(frames, name=name)

    def read(self) -> np.ndarray:  # noqa: D102
        return self._frames

    def fingerprint(self) -> str:  # noqa: D102
        return array_digest(self._frames)

    def count(self) -> int:  # noqa: D102
        return len(self._frames)

    def describe(self) -> str:  # noqa: D102
        return f"array {self._frames.shape}"


class ImageFilesSource(FrameSource):
    """One image file a frame, in the order given; 8-bit grey or RGB, any format Pillow reads.

    Parameters
    ----------
    paths : sequence of paths
        Sorted by the caller: file names of frames are rarely padded with zeros.
    """

    def __init__(self, paths: Sequence[str | Path]) -> None:
        if not paths:
            raise DataError("a clip of no image files is empty")
        self.paths = tuple(str(path) for path in paths)

    def read(self) -> np.ndarray:
        """Return the frames.

        Raises
        ------
        DataError
            If a file is missing, unreadable, truncated, not 8-bit, or differs from the first in size or colour.
        """
        first = read_image(self.paths[0])
        frames = np.empty((len(self.paths), *first.shape), np.uint8)
        frames[0] = first
        for position, path in enumerate(self.paths[1:], start=1):
            frame = read_image(path)
            if frame.shape != first.shape:
                raise DataError(
                    f"{path}: frame of shape {frame.shape}, but the clip's first frame has {first.shape}; "
                    "all frames of a clip must have one size"
                )
            frames[position] = frame
        return frames

    def first(self) -> np.ndarray:  # noqa: D102
        return read_image(self.paths[0])

    def stream(self) -> Iterator[np.ndarray]:  # noqa: D102
        for path in self.paths:
            yield read_image(path)

    def fingerprint(self) -> str:  # noqa: D102
        return content_digest(self.paths)

    def count(self) -> int:  # noqa: D102
        return len(self.paths)

    def describe(self) -> str:  # noqa: D102
        return str(Path(self.paths[0]).parent)


class VideoSource(FrameSource):
    """Frames [start, stop) of a video file, decoded with PyAV.

    Parameters
    ----------
    path : path
    start, stop : int >= 0, zero-based frame numbers; stop=None reads to the end
    variable_rate : bool
        Whether frames may be unevenly spaced in time. All that measures motion takes the spacing as even, so a
        video of variable frame rate is refused unless this says that it is known.
    """

    def __init__(
        self, path: str | Path, *, start: int = 0, stop: int | None = None, variable_rate: bool = False
    ) -> None:
        self.path = str(path)
        self.start = start
        self.stop = stop
        self.variable_rate = variable_rate

    def read(self) -> np.ndarray:
        """Return the frames as RGB.

        Raises
        ------
        DataError
            If the file is missing or no video, breaks off, ends before `stop`, or has a variable frame rate.
        """
        return np.stack(list(self.stream()))

    def stream(self) -> Iterator[np.ndarray]:
        """Yield the frames as RGB one at a time.

        Raises
        ------
        DataError
            As `read`, when it comes to the frame in question: those before it have been given.
        """
        for frame in self._decode():
            yield frame.to_ndarray(format="rgb24")

    def first(self) -> np.ndarray:  # noqa: D102
        one = VideoSource(self.path, start=self.start, stop=self.start + 1, variable_rate=self.variable_rate)
        return np.asarray(one.read()[0])

    def fingerprint(self) -> str:  # noqa: D102
        return digest({"video": content_digest((self.path,)), "start": self.start, "stop": self.stop})

    def count(self) -> int:  # noqa: D102
        # The frame count a container declares is often absent or wrong: only decoding tells.
        return sum(1 for _ in self._decode()) if self.stop is None else self.stop - self.start

    def describe(self) -> str:  # noqa: D102
        return self.path

    def _decode(self):  # type: ignore[no-untyped-def]
        import av

        position = 0
        try:
            with av.open(self.path) as container:
                if not container.streams.video:
                    raise DataError(f"{self.path}: the file holds no video stream")
                usual = before = None
                for position, frame in enumerate(container.decode(video=0), start=1):
                    if self.stop is not None and position > self.stop:
                        return
                    if before is not None and frame.time is not None:
                        gap = frame.time - before
                        usual = usual or gap
                        self._check_gap(gap, usual, position - 1)
                    before = frame.time
                    if position > self.start:
                        yield frame
        except (OSError, av.FFmpegError) as error:
            raise DataError(f"{self.path}: cannot be decoded after frame {position}: {error.strerror}") from error
        if position <= self.start or (self.stop is not None and position < self.stop):
            wanted = "end" if self.stop is None else self.stop
            raise DataError(f"{self.path}: the video has {position} frames, {self.start} to {wanted} were asked for")

    def _check_gap(self, gap: float, usual: float, number: int) -> None:
        """Refuse a frame that comes much sooner or later than the first ones tell; rounded times pass."""
        if not self.variable_rate and not usual / _UNEVEN < gap < usual * _UNEVEN:
            raise DataError(
                f"{self.path}: variable frame rate: frame {number} comes {1000 * gap:.1f} ms after the one before, "
                f"the first ones {1000 * usual:.1f} ms; convert it to a constant rate, or pass variable_rate=True"
            )


class FlowMapSource(FrameSource):
    """A stored onset-apex flow map: an RGB image, R = horizontal flow u, G = vertical flow v, B = optical strain.

    Parameters
    ----------
    path : path of the image
    """

    has_pixels = False

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)

    def read(self) -> np.ndarray:  # noqa: D102
        raise NeedsError(f"{self.path} is a stored flow map: it has no frames to read")

    def read_map(self) -> np.ndarray:
        """Return the map, uint8 of shape (height, width, 3), channels u, v, strain.

        Raises
        ------
        DataError
            If the file is missing, unreadable or has no three channels.
        """
        stored = read_image(self.path)
        if stored.ndim != 3:
            raise DataError(f"{self.path}: a grey image; a flow map has three channels (u, v, strain)")
        return stored

    def fingerprint(self) -> str:  # noqa: D102
        return content_digest((self.path,))

    def count(self) -> int:  # noqa: D102
        return 0

    def describe(self) -> str:  # noqa: D102
        return self.path


def read_image(path: str | Path) -> np.ndarray:
    """Read an image file as uint8, (height, width) or (height, width, 3) in the order R, G, B.

    Raises
    ------
    DataError
        If the file is missing, unreadable, truncated or not 8-bit.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        # Opened by us: Pillow leaves its own file open when the header is damaged.
        with open(path, "rb") as file, Image.open(file) as image:
            if image.mode in ("RGBA", "P", "CMYK", "YCbCr"):
                return np.asarray(image.convert("RGB"))
            if image.mode == "1":
                return np.asarray(image.convert("L"))
            if image.mode in ("L", "RGB"):
                return np.asarray(image)
            mode = image.mode
    except FileNotFoundError:
        raise DataError(f"{path}: no such image file") from None
    except UnidentifiedImageError:
        raise DataError(f"{path}: not an image that can be read") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path}: unreadable image ({str(error).splitlines()[0]})") from None
    raise DataError(f"{path}: an image of mode {mode}; 8-bit grey or RGB is needed")
