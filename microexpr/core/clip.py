"""A clip: frames to read and where its onset, apex and offset are. It carries no label and no emotion."""

__all__ = ["Clip", "as_clip", "as_clips"]

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from microexpr.core.digest import digest
from microexpr.core.errors import DataError, NeedsError
from microexpr.core.frames import check_frames
from microexpr.core.sources import ArraySource, FlowMapSource, FrameSource


@dataclass(frozen=True, eq=False)
class Clip:
    """A frozen view of one row of a `ClipSet`, without label, emotion or action units.

    What is not here cannot leak: a transformer or classifier that receives clips finds no answer in them.
    (Names of clips and folders may still spell one, as SMIC's do: a step must not read them.)

    Parameters
    ----------
    clip_id : str
        Qualified name, `casme2/sub01/EP02_01f`; for messages and for joining, never an input.
    source : FrameSource
    dataset, subject : str
        `casme2` and `casme2/sub01`.
    onset, apex, offset : int >= 0 or None
        Zero-based positions in the clip's own frames; None where the data set does not say.
    fps : float > 0 or None, in frames per second
    """

    clip_id: str
    source: FrameSource
    dataset: str = ""
    subject: str = ""
    onset: int | None = None
    apex: int | None = None
    offset: int | None = None
    fps: float | None = None

    @property
    def has_pixels(self) -> bool:
        """Whether the clip has frames, or only precomputed motion."""
        return self.source.has_pixels

    @property
    def n_frames(self) -> int:
        """The number of frames; 0 for a stored flow map."""
        return self.source.count()

    def frames(self) -> np.ndarray:
        """Read the frames.

        Returns
        -------
        uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)

        Raises
        ------
        NeedsError
            If the clip is a stored flow map.
        DataError
            If the frames cannot be read, or onset, apex or offset lie outside them.
        """
        if not self.has_pixels:
            raise NeedsError(f"{self.clip_id}: a stored flow map has no frames; this step needs the clip's pixels")
        frames = check_frames(self.source.read(), name=self.clip_id)
        for name in ("onset", "apex", "offset"):
            position = getattr(self, name)
            if position is not None and not 0 <= position < len(frames):
                raise DataError(f"{self.clip_id}: {name} {position} lies outside the clip's {len(frames)} frames")
        return frames

    def flow_map(self) -> np.ndarray:
        """Read the stored flow map.

        Returns
        -------
        uint8 ndarray of shape (height, width, 3)
            Channels u, v, strain, each stretched to 0..255.

        Raises
        ------
        NeedsError
            If the clip has frames and no stored map.
        """
        if not isinstance(self.source, FlowMapSource):
            raise NeedsError(f"{self.clip_id}: the clip has frames, not a stored flow map")
        return self.source.read_map()

    def onset_apex(self) -> tuple[int, int]:
        """Return the positions of onset and apex; the first frame counts as the onset where none is given.

        Raises
        ------
        NeedsError
            If the apex is unknown: no step guesses it.
        """
        if self.apex is None:
            raise NeedsError(f"{self.clip_id}: the apex is unknown; add a step that finds it, or use a method without")
        return (0 if self.onset is None else self.onset), self.apex

    def fingerprint(self) -> str:
        """Return a digest of all a step may use: the frames' content, onset, apex, offset and frame rate."""
        positions = [self.onset, self.apex, self.offset]
        return digest({"source": self.source.fingerprint(), "positions": positions, "fps": self.fps})


def as_clip(item: object, position: int = 0) -> Clip:
    """Return `item` if it is a clip, else wrap an array of frames as one that runs from its first to its last frame."""
    if isinstance(item, Clip):
        return item
    name = f"clip {position}"
    if not isinstance(item, (np.ndarray, list, tuple)):
        raise DataError(f"{name}: a {type(item).__name__} is no clip; pass clips or arrays of frames")
    frames = check_frames(item, name=name)
    return Clip(name, ArraySource(frames), onset=0, offset=len(frames) - 1)


def as_clips(items: object) -> list[Clip]:
    """Return the clips of a list of clips or arrays; one bare clip or string is refused, being no list.

    Raises
    ------
    DataError
        If `items` is no sequence of clips or of arrays of frames.
    """
    if isinstance(items, Clip) or not isinstance(items, Iterable) or isinstance(items, (str, bytes)):
        raise DataError(f"a list of clips is needed, not a {type(items).__name__}; wrap a single clip as [clip]")
    return [as_clip(item, position) for position, item in enumerate(items)]
