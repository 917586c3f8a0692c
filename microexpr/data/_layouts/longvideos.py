"""Long videos put together from clips of one person: what the writers of the data sets for spotting share."""

__all__ = ["Event", "LongVideo", "compose", "silent_video"]

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from microexpr.core.clip import Clip
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError
from microexpr.data._layouts.files import checked_frames
from microexpr.data._layouts.naming import subject_number


@dataclass
class Event:
    """One clip in its video; onset, apex and offset are positions in the video."""

    clip: Clip
    emotion: str | None
    aus: str | None
    onset: int
    apex: int | None
    offset: int


@dataclass
class LongVideo:
    """A video of a subject, the `number`-th (from 1) of this subject."""

    subject: int
    number: int
    frames: np.ndarray
    events: list[Event] = field(default_factory=list)


def compose(clipset: ClipSet, *, fps: float, per_video: int = 2) -> Iterator[LongVideo]:
    """Yield videos of up to `per_video` consecutive clips of a subject, one video in memory at a time.

    Raises
    ------
    DataError
        If a clip lacks what the layout needs, or clips of one subject differ in size.
    """
    clips: dict[int, list[tuple[Clip, str | None, str | None]]] = {}
    for clip, emotion, aus in zip(clipset.clips, clipset.table["emotion"], clipset.table["aus"], strict=True):
        text = [str(value) if isinstance(value, str) else None for value in (emotion, aus)]
        clips.setdefault(subject_number(clip), []).append((clip, text[0], text[1]))
    for subject, ours in clips.items():
        for number, start in enumerate(range(0, len(ours), per_video), start=1):
            parts: list[np.ndarray] = []
            events: list[Event] = []
            length = 0
            for clip, emotion, aus in ours[start : start + per_video]:
                frames = checked_frames(clip, fps=fps)
                if parts and frames.shape[1:] != parts[0].shape[1:]:
                    raise DataError(
                        f"{clip.clip_id}: frames of another size than the clip before; a video has one size"
                    )
                onset, offset = (length + (p or 0) for p in (clip.onset, clip.offset))
                apex = None if clip.apex is None else length + clip.apex
                events.append(Event(clip, emotion, aus, onset, apex, offset))
                parts.append(frames)
                length += len(frames)
            yield LongVideo(subject, number, np.concatenate(parts), events)


def silent_video(video: LongVideo) -> np.ndarray | None:
    """Return the frames before the video's first onset: a video without an expression; None where there are none."""
    before = video.frames[: video.events[0].onset]
    return before if len(before) else None
