"""MMEW as its users hold it: clips sorted by emotion, un-padded frame numbers from 1, subjects that are numbers."""

__all__ = ["write_mmew"]

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError
from microexpr.core.progress import progress
from microexpr.core.sources import ImageFilesSource
from microexpr.data._layouts.files import checked_frames, save_jpegs, save_sheet
from microexpr.data._layouts.naming import subject_number

_FPS = 90.0
_TABLE = "MMEW_Micro_Exp.xlsx"
_HEADER = (
    *("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion"),
    "remarks",
)
#: The emotions by the number in a clip's name.
_CODES = {"happiness": 1, "surprise": 2, "disgust": 3, "others": 4, "fear": 5, "sadness": 6, "anger": 7}


def write_mmew(clipset: ClipSet, folder: Path, rng: np.random.Generator, *, quirks: bool) -> ClipSet:
    """Write the clips; return them as a loader should read them. See `microexpr.data.layouts.write_layout`."""
    rows: list[list[Any]] = []
    entries, sources = [], []
    counts: dict[tuple[int, str], int] = {}
    with progress("writing clips", len(clipset)) as advance:
        for clip, row in zip(clipset.clips, clipset.table.itertuples(), strict=True):
            number, emotion = subject_number(clip), str(row.emotion)
            if emotion not in _CODES:
                raise DataError(f"{clip.clip_id}: emotion {row.emotion!r}; MMEW has {', '.join(_CODES)}")
            counts[number, emotion] = counts.get((number, emotion), 0) + 1
            name = f"S{number:02d}-{_CODES[emotion]:02d}-{counts[number, emotion]:03d}"
            frames = checked_frames(clip, fps=_FPS)
            onset, offset = int(row.onset), int(row.offset)
            frames = frames[onset : offset + 1]
            files = [f"{place}.jpg" for place in range(1, len(frames) + 1)]
            paths = save_jpegs(folder / "Micro_Expression" / emotion / name, files, frames)
            apex = None if clip.apex is None else clip.apex - onset
            units = "" if pd.isna(row.aus) else str(row.aus)
            remark = "glasses" if quirks and not rows else None
            cells: list[Any] = [number if quirks else f"S{number:02d}", name]
            cells += [1, None if apex is None else apex + 1, len(frames)]
            cells += [int(units) if units.isdigit() else units, emotion, remark]
            rows.append(cells)
            entries.append(
                {
                    "clip_id": f"mmew/S{number:02d}/{name}",
                    **{"dataset": "mmew", "subject": f"mmew/S{number:02d}", "emotion": emotion},
                    **{"onset": 0, "apex": apex, "offset": len(frames) - 1, "n_frames": len(frames), "fps": _FPS},
                    **{"aus": units or None, "remarks": remark},
                }
            )
            sources.append(ImageFilesSource(paths))
            advance()
    save_sheet(folder / _TABLE, _HEADER, rows)
    return ClipSet(pd.DataFrame(entries).set_index("clip_id"), sources)
