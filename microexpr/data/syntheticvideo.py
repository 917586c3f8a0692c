"""A synthetic long video as a source of frames: any stretch of it is rendered without the rest."""

__all__ = ["SyntheticVideoSource"]

from collections.abc import Iterator
from dataclasses import asdict
from functools import lru_cache

import numpy as np

from microexpr.core.checks import check_int
from microexpr.core.digest import digest
from microexpr.core.errors import ParameterError
from microexpr.core.sources import FrameSource
from microexpr.data import _longrender
from microexpr.data._timeline import Script

# Frames rendered at once where they are read one at a time.
_AT_ONCE = 64


class SyntheticVideoSource(FrameSource):
    """The frames [start, stop) of a synthetic long video, rendered when they are read.

    A frame depends on the script and its own number alone, so that a stretch equals the same frames of the whole to
    the bit. A video of any length is read in bounded memory window by window.

    Parameters
    ----------
    script : Script
        What happens in the video, and when; `make_videos` writes it.
    start, stop : int >= 0, zero-based frame numbers, start < stop; stop=None reads to the end

    Raises
    ------
    ParameterError
        If the video has no such frames.

    Notes
    -----
    Pickling a source pickles the script, and its fingerprint is a digest of it and of the version of the renderer:
    neither needs the frames.

    Examples
    --------
    >>> from microexpr.data import make_videos
    >>> source = make_videos(1, 1, size=(70, 60)).sources["synthetic-long/sub01/V01"]
    >>> source.count(), source.window(300, 310).read().shape
    (900, (10, 70, 60))
    """

    def __init__(self, script: Script, *, start: int = 0, stop: int | None = None) -> None:
        self.script = script
        self.stop = script.n_frames if stop is None else check_int(stop, "stop", minimum=1, maximum=script.n_frames)
        self.start = check_int(start, "start", minimum=0)
        if self.start >= self.stop:
            raise ParameterError(f"start is {start!r}: it must be below the end of the stretch, {self.stop}")

    def __repr__(self) -> str:
        script = self.script
        return (
            f"SyntheticVideoSource(subject={script.subject}, video={script.video}, frames [{self.start}, {self.stop}))"
        )

    def read(self) -> np.ndarray:
        """Render the frames, uint8 (n_frames, height, width), or (n_frames, height, width, 3) in colour."""
        return _longrender.stage_of(self.script).frames(self.start, self.stop)

    def stream(self) -> Iterator[np.ndarray]:
        """Render the frames and yield them one at a time; a few are in memory at once, however long the video."""
        for start in range(0, self.count(), _AT_ONCE):
            yield from self.window(start, min(start + _AT_ONCE, self.count())).read()

    def window(self, start: int, stop: int) -> "SyntheticVideoSource":
        """Return the frames [start, stop) of this source as a source of their own; nothing is rendered.

        Raises
        ------
        ParameterError
            If this source has no such frames.
        """
        stop = check_int(stop, "stop", minimum=1, maximum=self.count())
        start = check_int(start, "start", minimum=0, maximum=stop - 1)
        return SyntheticVideoSource(self.script, start=self.start + start, stop=self.start + stop)

    def first(self) -> np.ndarray:  # noqa: D102
        return self.window(0, 1).read()[0]

    def fingerprint(self) -> str:  # noqa: D102
        facts = {"script": _script_digest(self.script), "start": self.start, "stop": self.stop}
        return digest({"generator": "synthetic-long", "version": _longrender.VERSION, **facts})

    def count(self) -> int:  # noqa: D102
        return self.stop - self.start

    def describe(self) -> str:  # noqa: D102
        script = self.script
        return f"synthetic long video {script.video + 1} of face {script.subject + 1}, seed {script.seed}"

    def landmarks(self, frame: int) -> np.ndarray:
        """Return the 68 landmarks in `frame`, in the iBUG order; those of the upper lids go down in a blink.

        Returns
        -------
        float64 ndarray of shape (68, 2)
            x and y in pixels; the centre of the pixel in row 0, column 0 is (0, 0).

        Raises
        ------
        ParameterError
            If the source has no such frame.
        """
        return _longrender.stage_of(self.script).landmarks(self._checked(frame, "frame"))

    def true_flow(self, frame: int, *, since: int) -> np.ndarray:
        """Return how far what is seen at each pixel of frame `since` has moved in `frame`.

        All motion counts: the expression, the lids, the mouth and the head. Skin that hides in `frame` moves too, and
        the eyeball, which a lid may hide, moves with the head.

        Parameters
        ----------
        frame, since : int, zero-based positions

        Returns
        -------
        float64 ndarray of shape (height, width, 2)
            u (to the right) and v (downwards), in pixels.

        Raises
        ------
        ParameterError
            If the source has no such frames.
        """
        stage = _longrender.stage_of(self.script)
        return stage.flow(self._checked(frame, "frame"), self._checked(since, "since"))

    def _checked(self, frame: int, name: str) -> int:
        return self.start + check_int(frame, name, minimum=0, maximum=self.count() - 1)


@lru_cache(maxsize=4)
def _script_digest(script: Script) -> str:
    """Return the digest of a script, kept: all clips of a video ask for it."""
    facts = asdict(script)
    # Videos without a pulse keep the fingerprint that they had before there were any with one.
    return digest(facts if script.pulse else {name: value for name, value in facts.items() if name != "pulse"})
