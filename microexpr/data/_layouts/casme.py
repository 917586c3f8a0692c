"""CASME as its users hold it: two apex columns, file names that repeat from subject to subject, two sections."""

__all__ = ["write_casme"]

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError
from microexpr.core.progress import progress
from microexpr.core.sources import ImageFilesSource
from microexpr.data._layouts.files import checked_frames, save_jpegs, save_sheet
from microexpr.data._layouts.naming import clip_entry, spelt_emotion, subject_number

_FPS = 60.0
_HEADER = ("Subject", "Filename", None, "OnsetF", "ApexF1", "ApexF2", "OffsetF", None, "AU", "Emotion")


def write_casme(clipset: ClipSet, folder: Path, rng: np.random.Generator, *, quirks: bool) -> ClipSet:
    """Write the clips; return them as a loader should read them. See `microexpr.data.layouts.write_layout`."""
    rows: list[list[Any]] = []
    entries, sources, seen = [], [], set()
    with progress("writing clips", len(clipset)) as advance:
        for place, (clip, row) in enumerate(zip(clipset.clips, clipset.table.itertuples(), strict=True)):
            number = subject_number(clip)
            name = re.sub(r"_0*(\d+)$", r"_\1", clip.clip_id.rpartition("/")[2])
            if (number, name) in seen:
                raise DataError(f"{clip.clip_id}: file name {name} occurs twice; CASME tells a subject's clips by it")
            seen.add((number, name))
            emotion = spelt_emotion(clip.clip_id, row.emotion, {"others": "tense"})
            frames = checked_frames(clip, fps=_FPS)
            onset, offset = int(row.onset), int(row.offset)
            apex = clip.apex
            # Every third apex lasts: its last frame is the second apex.
            lasts = quirks and place % 3 == 0 and apex is not None and apex < offset
            first = int(rng.integers(1, 300))
            section = "B" if number % 2 == 0 else "A"
            target = folder / "Cropped" / f"Section {section}" / f"sub{number:02d}" / name
            kept = frames[onset : offset + 1]
            paths = save_jpegs(target, [f"reg_img{first + step}.jpg" for step in range(len(kept))], kept)
            positions = [None if p is None else p - onset for p in (onset, apex, offset)]
            second = positions[1] + 1 if lasts and positions[1] is not None else None
            cells = ["" if p is None else first + p for p in (*positions[:2], second, positions[2])]
            aus = "" if pd.isna(row.aus) else str(row.aus)
            rows.append([str(number) if quirks else f"{number:02d}", name, None, *cells, None, aus, emotion])
            clip_id = f"casme/sub{number:02d}/{name}"
            entry = clip_entry(clip_id, positions, emotion=emotion, aus=aus or None, n_frames=len(paths), fps=_FPS)
            entries.append({**entry, "apex2": second, "section": section})
            sources.append(ImageFilesSource(paths))
            advance()
    save_sheet(folder / "CASME-coding.xlsx", _HEADER, rows)
    table = pd.DataFrame(entries).set_index("clip_id")
    return ClipSet(table.astype({"apex2": "Int64"}), sources)
