"""Videos that every browser plays: VP9 in WebM, without sound."""

__all__ = ["Webm", "even_size"]

from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np

# Frames between two that are stored whole: stepping backwards must decode that many at most.
_WHOLE_EVERY = 48


class Webm:
    """A WebM file that takes frames one at a time; number n is shown at n / `fps` seconds.

    Parameters
    ----------
    file : path, or a binary file open for writing
    size : (height, width), even ints > 0, in pixels
    fps : float > 0, in frames per second
    bits : float > 0
        How many a pixel and frame, about.

    Notes
    -----
    Errors of writing are those of PyAV, which derive from OSError.
    """

    def __init__(self, file: str | BinaryIO, *, size: tuple[int, int], fps: float, bits: float = 0.06) -> None:
        import av

        rate = Fraction(fps).limit_denominator(100_000)
        self.size = size
        self.count = 0
        self._container = av.open(file, "w", format="webm")
        # One thread: the same frames give the same bytes on every machine.
        options = {"deadline": "realtime", "cpu-used": "7", "row-mt": "0"}
        self._stream: Any = self._container.add_stream("libvpx-vp9", rate=rate, options=options)
        self._stream.height, self._stream.width = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.bit_rate = max(20_000, int(bits * size[0] * size[1] * fps))
        self._stream.gop_size = _WHOLE_EVERY
        self._stream.thread_count = 1
        self._tick = 1 / rate

    def add(self, frame: Any) -> None:
        """Append a frame: a decoded one, resized here, or a uint8 ndarray of shape (*size, 3)."""
        import av

        if isinstance(frame, np.ndarray):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        height, width = self.size
        frame = frame.reformat(width=width, height=height, format="yuv420p")
        frame.pts, frame.time_base = self.count, self._tick
        self.count += 1
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is left, and the index by which a player seeks."""
        try:
            if self.count:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


def even_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Return a size of the same proportions, even, its longer side at most `longest` pixels."""
    scale = min(1.0, longest / max(size))
    height, width = (max(16, int(side * scale) // 2 * 2) for side in size)
    return height, width
