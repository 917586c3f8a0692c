"""The SAMM long videos as their users hold them: ten rows of preamble, kinds spelt `Macro` and `Micro - 1/2`."""

__all__ = ["write_samm_lv"]

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.progress import progress
from microexpr.core.sources import ImageFilesSource
from microexpr.data._layouts.files import save_jpegs
from microexpr.data._layouts.longvideos import compose, silent_video
from microexpr.data._layouts.naming import save_book
from microexpr.data.videos import KINDS, VideoSet

_FPS = 200.0
_HEADER = (
    "Subject",
    "Filename",
    "Inducement Code",
    "Onset",
    "Apex",
    "Offset",
    "Duration",
    "Type",
    "Action Units",
    "Notes",
)
_PREAMBLE = (
    ("Synthetic clips in the layout of the SAMM long videos",),
    (),
    ("Onset, Apex, Offset: frame numbers at 200 frames per second",),
    ("Type: Macro, or Micro - 1/2 for at most half a second",),
    *[()] * 6,
)


def write_samm_lv(clipset: ClipSet, folder: Path, rng: np.random.Generator, *, quirks: bool) -> ClipSet:
    """Write the clips as parts of long videos; return them, micro and macro, as a loader should read them."""
    rows: list[list[Any]] = []
    videos: dict[str, dict[str, Any]] = {}
    sources: dict[str, ImageFilesSource] = {}
    intervals: dict[str, dict[str, Any]] = {}

    def save(subject: str, number: int, frames: np.ndarray) -> str:
        name = f"{subject}_{number}"
        names = [f"{name}_{step:04d}.jpg" for step in range(1, len(frames) + 1)]
        paths = save_jpegs(folder / "SAMM_longvideos" / name, names, frames)
        video_id = f"samm/{subject}/{name}"
        videos[video_id] = {"dataset": "samm", "subject": f"samm/{subject}", "n_frames": len(paths), "fps": _FPS}
        sources[video_id] = ImageFilesSource(paths)
        return video_id

    silent: tuple[str, np.ndarray] | None = None
    with progress("writing clips", len(clipset)) as advance:
        for video in compose(clipset, fps=_FPS):
            subject = f"{video.subject:03d}"
            video_id = save(subject, video.number, video.frames)
            if silent is None and (before := silent_video(video)) is not None:
                silent = (subject, before)
            for count, event in enumerate(video.events, start=1):
                name = f"{subject}_{video.number}_{count}"
                kind = "macro" if len(rows) % 3 == 2 else "micro"
                spelt = "Macro" if kind == "macro" else "Micro - 1/2"
                apex = None if quirks and len(rows) % 5 == 1 else event.apex
                numbers = [-1 if p is None else p + 1 for p in (event.onset, apex, event.offset)]
                duration = event.offset - event.onset + 1
                rows.append([subject, name, video.number, *numbers, duration, spelt, event.aus or "", ""])
                intervals[f"samm/{subject}/{name}"] = {
                    **{"video_id": video_id, "onset": event.onset, "apex": apex, "offset": event.offset},
                    **{"kind": kind, "aus": event.aus, "type": spelt, "notes": None},
                }
                advance()
    if silent is not None and quirks:
        save(silent[0], 9, silent[1])
    preamble = _PREAMBLE if quirks else ()
    save_book(folder / "SAMM_LongVideos_V2_Release.xlsx", {"Sheet1": [*preamble, _HEADER, *rows]})
    written = VideoSet(
        pd.DataFrame.from_dict(videos, orient="index"), pd.DataFrame.from_dict(intervals, orient="index"), sources
    )
    return written.clips(KINDS)
