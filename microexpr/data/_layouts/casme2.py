"""CASME II as its users hold it: folders of numbered JPEG files, and the annotation table of 2014 or of 2019."""

__all__ = ["objective_class", "write_casme2"]

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

_FPS = 200.0
_TABLES = {"2014": "CASME2-coding-20140508.xlsx", "2019": "CASME2-coding-20190701.xlsx"}
_HEADER = (
    "Subject",
    "Filename",
    None,
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    None,
    "Action Units",
    "Estimated Emotion",
)
# Where the real table has its one apex `/`.
_NO_APEX = ("04", "EP12_01f")

# Action units of the objective classes I to VI; all other combinations are class VII [Davison, Merghani & Yap,
# "Objective classes for micro-facial expression recognition", J. Imaging 4(10), 2018, table 2].
_OBJECTIVE = (
    "6 12 6+12 6+7+12 7+12",
    "1+2 5 25 1+2+25 25+26 5+24",
    "23 4 4+7 4+5 4+5+7 17+24 4+6+7 4+38",
    "10 9 4+9 4+40 4+5+40 4+7+9 4+9+17 4+7+10 4+5+7+9 7+10",
    "1 15 1+4 6+15 15+17",
    "1+2+4 20",
)


def write_casme2(
    clipset: ClipSet, folder: Path, rng: np.random.Generator, *, quirks: bool, raw: bool = False, year: str = "2014"
) -> ClipSet:
    """Write the clips; return them as a loader should read them. See `microexpr.data.layouts.write_layout`."""
    rows, entries, sources = [], [], []
    names = _file_names(clipset, quirks=quirks)
    with progress("writing clips", len(clipset)) as advance:
        for clip, row in zip(clipset.clips, clipset.table.itertuples(), strict=True):
            subject, name = names[clip.clip_id]
            if pd.isna(row.emotion):
                raise DataError(f"{clip.clip_id}: no emotion; the CASME II table needs one for every clip")
            frames = checked_frames(clip, fps=_FPS)
            onset, offset = int(row.onset), int(row.offset)
            apex = None if clip.apex is None or (quirks and names[clip.clip_id] == _slash(names)) else clip.apex
            first = int(rng.integers(1, 300))
            if raw:
                path, stem, kept = folder / "CASME2_RAW_selected", "img", slice(None)
            else:
                path, stem, kept = folder / "Cropped", "reg_img", slice(onset, offset + 1)
            files = [f"{stem}{first + place}.jpg" for place in range(len(frames[kept]))]
            paths = save_jpegs(path / f"sub{subject}" / name, files, frames[kept])
            start = 0 if raw else onset  # position in the clip of the first file
            positions = [None if place is None else place - start for place in (onset, apex, offset)]
            numbers = ["/" if place is None else first + place for place in positions]
            units = "" if pd.isna(row.aus) else str(row.aus)
            cells: list[Any] = [subject, name, None, *numbers, None, int(units) if units.isdigit() else units]
            entry = {
                "clip_id": f"casme2/sub{subject}/{name}",
                "dataset": "casme2",
                "subject": f"casme2/sub{subject}",
                "emotion": str(row.emotion),
                **dict(zip(("onset", "apex", "offset"), positions, strict=True)),
                "n_frames": len(paths),
                "fps": _FPS,
                "aus": units or None,
            }
            cells.append(str(row.emotion))
            if year == "2019":
                cells.append(objective_class(units))
                entry["objective"] = str(cells[-1])
            rows.append(cells)
            entries.append(entry)
            sources.append(ImageFilesSource(paths))
            advance()
    header = (*_HEADER, "Objective Classes") if year == "2019" else _HEADER
    save_sheet(folder / _TABLES[year], header, rows)
    return ClipSet(pd.DataFrame(entries).set_index("clip_id"), sources)


def _file_names(clipset: ClipSet, *, quirks: bool) -> dict[str, tuple[str, str]]:
    """Return the subject's number and the file name of each clip."""
    names = {}
    for clip in clipset.clips:
        number = re.fullmatch(r".*/sub(\d+)", clip.subject)
        if number is None:
            raise DataError(
                f"{clip.clip_id}: subject {clip.subject!r}; CASME II numbers its subjects sub01, sub02, ..."
            )
        names[clip.clip_id] = (f"{int(number[1]):02d}", f"{clip.clip_id.rpartition('/')[2].removesuffix('f')}f")
    # With the quirk, one clip of subject 4 takes the name of the real one, which label maps leave out by name.
    ours = [clip_id for clip_id, (subject, _) in names.items() if subject == _NO_APEX[0]]
    if quirks and len(names) > 1 and ours and _NO_APEX not in names.values():
        names[ours[-1]] = _NO_APEX
    if len(set(names.values())) < len(names):
        raise DataError("two clips of one subject have the same file name; CASME II tells clips apart by it")
    return names


def _slash(names: dict[str, tuple[str, str]]) -> tuple[str, str] | None:
    """Return the clip whose apex is written as `/`: the real one's namesake, or else the last; None for a lone clip."""
    if len(names) < 2:
        return None
    return _NO_APEX if _NO_APEX in names.values() else list(names.values())[-1]


def objective_class(units: str) -> int:
    """Return the objective class, 1 to 7, of action units; sides do not matter."""
    plain = "+".join(part.lstrip("LR") for part in units.split("+"))
    return next((number for number, group in enumerate(_OBJECTIVE, start=1) if plain in group.split()), 7)
