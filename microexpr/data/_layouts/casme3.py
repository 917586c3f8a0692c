"""CAS(ME)^3 as its users hold it: part A as clips or long videos, part C; names that repeat, spelling that varies."""

__all__ = ["write_casme3", "write_casme3_videos"]

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.progress import progress
from microexpr.core.sources import ImageFilesSource
from microexpr.data._layouts.files import checked_frames, save_jpegs
from microexpr.data._layouts.longvideos import compose
from microexpr.data._layouts.naming import clip_entry, save_book, spelt_emotion, subject_number
from microexpr.data.videos import VideoSet

_FPS = 30.0
_TABLES = {"A": "annotation/cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", "C": "annotation/CAS(ME)3_part_C_ME.xlsx"}
_HEADERS = {
    "A": ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"),
    "C": ("sub", "count", "onset", "offset", "AU", "emotion"),
}
_SPELLING = {"happiness": "happy", "sadness": "sad"}
# How long the clip lasts that stands for those of seconds.
_LONG = 2 * int(_FPS)


def write_casme3(clipset: ClipSet, folder: Path, rng: np.random.Generator, *, quirks: bool) -> ClipSet:
    """Write part A as clips; return them as a loader should read them. See `microexpr.data.layouts.write_layout`."""
    rows: list[list[Any]] = []
    entries, sources = [], []
    counts: dict[int, int] = {}
    onsets: dict[tuple[int, str], int] = {}
    with progress("writing clips", len(clipset)) as advance:
        for place, (clip, row) in enumerate(zip(clipset.clips, clipset.table.itertuples(), strict=True)):
            number = subject_number(clip)
            count = counts[number] = counts.get(number, -1) + 1
            # Two clips share a subject and a file name: the video they were cut from.
            letter = chr(ord("a") + count // 2)
            frames = checked_frames(clip, fps=_FPS)[int(row.onset) : int(row.offset) + 1]
            apex = None if clip.apex is None else clip.apex - int(row.onset)
            if quirks and place == len(clipset) - 1:
                slower = -(-_LONG // len(frames))
                frames, apex = np.repeat(frames, slower, axis=0), None if apex is None else apex * slower
            first = onsets.get((number, letter), 0) + int(rng.integers(1, 200))
            onsets[number, letter] = first + len(frames)
            name = f"spNO.{number}_{letter}_{first}"
            names = [f"{first + step}.jpg" for step in range(len(frames))]
            paths = save_jpegs(folder / "Part_A_ME_clip" / "frame" / name, names, frames)
            if quirks and place == 0:
                save_jpegs(folder / "Part_A_ME_clip" / "depth" / name, names, frames // 2)
            emotion = _emotion(clip.clip_id, row.emotion, place, quirks=quirks)
            aus = None if pd.isna(row.aus) else str(row.aus)
            positions = [0, apex, len(frames) - 1]
            numbers = [0 if p is None else first + p for p in positions]
            objective = str(1 + place % 7)
            rows.append([f"spNO.{number}", letter, *numbers, aus or "", objective, emotion])
            entry = clip_entry(
                f"casme3/spNO.{number}/{letter}_{first}",
                positions,
                emotion=emotion,
                aus=aus,
                n_frames=len(paths),
                fps=_FPS,
            )
            entries.append({**entry, "objective": objective})
            sources.append(ImageFilesSource(paths))
            advance()
    save_book(folder / _TABLES["A"], {"label": [_HEADERS["A"], *rows]})
    return ClipSet(pd.DataFrame(entries).set_index("clip_id"), sources)


def write_casme3_videos(
    clipset: ClipSet, folder: Path, rng: np.random.Generator, *, quirks: bool, part: str = "A"
) -> ClipSet:
    """Write part A or C as long videos; return their clips as a loader should read them."""
    rows: list[list[Any]] = []
    videos: dict[str, dict[str, Any]] = {}
    sources: dict[str, ImageFilesSource] = {}
    intervals: dict[str, dict[str, Any]] = {}
    per_video = 2 if part == "A" else max(1, len(clipset))
    with progress("writing clips", len(clipset)) as advance:
        for video in compose(clipset, fps=_FPS, per_video=per_video):
            letter = chr(ord("a") + video.number - 1)
            named = f"spNO.{video.subject}" if part == "A" else f"{video.subject:02d}"
            subject = f"casme3/{named if part == 'A' else f'C{named}'}"
            # Frames are numbered from 0, as an index is.
            names = [f"{step}.jpg" for step in range(len(video.frames))]
            place = folder / f"part_{part}" / named / letter
            paths = save_jpegs(place / "color", names, video.frames)
            if quirks and not videos:
                save_jpegs(place / "depth", names, video.frames // 2)
            video_id = f"{subject}/{letter}"
            videos[video_id] = {"dataset": "casme3", "subject": subject, "n_frames": len(paths), "fps": _FPS}
            sources[video_id] = ImageFilesSource(paths)
            for count, event in enumerate(video.events, start=1):
                emotion = _emotion(event.clip.clip_id, event.emotion, len(rows), quirks=quirks)
                aus, apex = event.aus, event.apex if part == "A" else None
                if quirks and not rows and part == "C":
                    aus = "1，2"
                kept: dict[str, Any] = {
                    "video_id": video_id,
                    "onset": event.onset,
                    "apex": apex,
                    "offset": event.offset,
                }
                kept |= {"kind": "micro", "emotion": emotion, "aus": aus}
                if part == "A":
                    kept["objective"] = str(1 + len(rows) % 7)
                    numbers = [event.onset, 0 if apex is None else apex, event.offset]
                    rows.append([named, letter, *numbers, aus or "", kept["objective"], emotion])
                else:
                    rows.append([str(video.subject), count, event.onset, event.offset, aus or "", emotion])
                intervals[f"{subject}/{letter}_{event.onset}"] = kept
                advance()
    save_book(folder / _TABLES[part], {"label": [_HEADERS[part], *rows]})
    written = VideoSet(
        pd.DataFrame.from_dict(videos, orient="index"), pd.DataFrame.from_dict(intervals, orient="index"), sources
    )
    return written.clips()


def _emotion(clip_id: str, emotion: Any, place: int, *, quirks: bool) -> str:
    spelt = spelt_emotion(clip_id, emotion, _SPELLING)
    return spelt.capitalize() if quirks and place % 4 == 0 else spelt
