"""4DME as its users hold it: clips in folders named by the table, action units spelt `AU4(k)`."""

__all__ = ["write_4dme"]

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.progress import progress
from microexpr.core.sources import ImageFilesSource
from microexpr.data._layouts.files import checked_frames, save_jpegs
from microexpr.data._layouts.naming import CATEGORIES, clip_entry, save_book, spelt_emotion, subject_number

_FPS = 60.0
_HEADER = ("sub_ID", "fold_name", "Emotion", "Onset", "Apex", "Offset", "AUs")


def write_4dme(clipset: ClipSet, folder: Path, rng: np.random.Generator, *, quirks: bool) -> ClipSet:
    """Write the clips; return them as a loader should read them. See `microexpr.data.layouts.write_layout`."""
    rows: list[list[Any]] = []
    entries, sources = [], []
    counts: dict[int, int] = {}
    with progress("writing clips", len(clipset)) as advance:
        for place, (clip, row) in enumerate(zip(clipset.clips, clipset.table.itertuples(), strict=True)):
            number = subject_number(clip)
            count = counts[number] = counts.get(number, 0) + 1
            name = f"{number}_{count}"
            emotion = spelt_emotion(clip.clip_id, row.emotion, CATEGORIES, "negative").capitalize()
            if quirks and place == 0:
                emotion = f"{emotion}&Others"
            frames = checked_frames(clip, fps=_FPS)
            first = int(rng.integers(1, 300))
            names = [f"{first + step}.jpg" for step in range(len(frames))]
            paths = save_jpegs(folder / "gray_micro" / name, names, frames)
            if quirks and place == 0:
                save_jpegs(folder / "rgb_micro" / name, names, frames)
            positions = [int(row.onset), clip.apex, int(row.offset)]
            numbers = ["" if p is None else first + p for p in positions]
            units = [] if pd.isna(row.aus) else re.findall(r"\d+", str(row.aus))
            aus = "+".join(f"AU{unit}({'k' if quirks else 'a'})" for unit in dict.fromkeys(units))
            rows.append([str(number), name, emotion, *numbers, aus])
            clip_id = f"4dme/sub{number:02d}/{name}"
            entries.append(
                clip_entry(clip_id, positions, emotion=emotion, aus=aus or None, n_frames=len(paths), fps=_FPS)
            )
            sources.append(ImageFilesSource(paths))
            advance()
    save_book(folder / "4DME_annotation.xlsx", {"micro": [_HEADER, *rows]})
    return ClipSet(pd.DataFrame(entries).set_index("clip_id"), sources)
