"""CAS(ME)^2 as its users hold it: long videos, a table without a header, sheets of codes, 0 for what is unknown."""

__all__ = ["write_casmesq"]

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.progress import progress
from microexpr.core.sources import ImageFilesSource
from microexpr.data._layouts.files import save_jpegs
from microexpr.data._layouts.longvideos import LongVideo, compose, silent_video
from microexpr.data._layouts.naming import CATEGORIES, save_book, spelt_emotion
from microexpr.data.videos import VideoSet

_FPS = 30.0
# Subject 1 of the table is the folder s15.
_FIRST = 14
_FILMS = (("disgust", "01", "disgustingteeth"), ("anger", "04", "girlcrashing"), ("happy", "05", "funnyerrors"))


def write_casmesq(clipset: ClipSet, folder: Path, rng: np.random.Generator, *, quirks: bool) -> ClipSet:
    """Write the clips as parts of long videos; return the micro-expressions as a loader should read them."""
    coding: list[list[Any]] = []
    films: dict[str, str] = {}
    subjects: dict[int, int] = {}
    videos: dict[str, dict[str, Any]] = {}
    sources: dict[str, ImageFilesSource] = {}
    intervals: dict[str, dict[str, Any]] = {}

    def save(video: LongVideo, frames: np.ndarray, number: int) -> tuple[str, str]:
        """Write one video; return its id and its film's name."""
        kind, code, title = _FILMS[(number - 1) % len(_FILMS)]
        turn = (number - 1) // len(_FILMS) + 1
        film, code = f"{kind}{turn}", f"{code}{turn:02d}"
        films[film] = code
        real = subjects.setdefault(video.subject, video.subject + _FIRST)
        parent = folder / "rawpic" / f"s{real:02d}"
        names = [f"img{step}.jpg" for step in range(1, len(frames) + 1)]
        paths = save_jpegs(parent / f"{real}_{code}{title}", names, frames)
        video_id = f"casmesq/s{real:02d}/{real}_{code}"
        videos[video_id] = {
            "dataset": "casmesq",
            "subject": f"casmesq/s{real:02d}",
            "n_frames": len(paths),
            "fps": _FPS,
        }
        sources[video_id] = ImageFilesSource(paths)
        return video_id, film

    silent: tuple[LongVideo, np.ndarray] | None = None
    numbers_used = 0
    with progress("writing clips", len(clipset)) as advance:
        for video in compose(clipset, fps=_FPS):
            video_id, film = save(video, video.frames, video.number)
            numbers_used = max(numbers_used, video.number)
            if silent is None and (before := silent_video(video)) is not None:
                silent = (video, before)
            for count, event in enumerate(video.events, start=1):
                category = spelt_emotion(event.clip.clip_id, event.emotion, CATEGORIES, "negative")
                place = len(coding)
                kind = "macro" if quirks and place % 4 == 3 else "micro"
                apex = None if quirks and place % 5 == 1 else event.apex
                offset = None if quirks and place % 5 == 2 and apex is not None else event.offset
                numbers = [0 if p is None else p + 1 for p in (event.onset, apex, offset)]
                name = f"{film}_{count}"
                cells = [video.subject, name, *numbers, event.aus or "", category, f"{kind}-expression", event.emotion]
                coding.append(cells)
                intervals[f"{videos[video_id]['subject']}/{name}"] = {
                    **{"video_id": video_id, "onset": event.onset, "apex": apex, "offset": offset, "kind": kind},
                    **{"emotion": category, "aus": event.aus, "self_report": event.emotion},
                }
                advance()
    if silent is not None and quirks:
        save(*silent, numbers_used + 1)
    sheets = {
        "CODE FINAL": coding,
        "naming rule1": [[str(real), f"s{real:02d}", ours] for ours, real in subjects.items()],
        "naming rule2": [[code, film] for film, code in films.items()],
    }
    save_book(folder / "CAS(ME)^2code_final.xlsx", sheets)
    written = VideoSet(
        pd.DataFrame.from_dict(videos, orient="index"), pd.DataFrame.from_dict(intervals, orient="index"), sources
    )
    return written.clips()
