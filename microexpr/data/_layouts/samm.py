"""SAMM as its users hold it: subjects of three digits, padded frame numbers, a table below 13 rows of preamble."""

__all__ = ["write_samm"]

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError
from microexpr.core.progress import progress
from microexpr.core.sources import ImageFilesSource
from microexpr.data._layouts.casme2 import objective_class
from microexpr.data._layouts.files import checked_frames, save_jpegs, save_sheet
from microexpr.data._layouts.naming import subject_number

_FPS = 200.0
_TABLE = "SAMM_Micro_FACS_Codes_v2.xlsx"
_PREAMBLE = (
    "SAMM: micro-facial movements, coded by three coders",
    None,
    "Subject: the participant, as the folders are called",
    "Filename: participant, stimulus, movement",
    "Inducement Code: the stimulus that was shown",
    "Onset Frame, Apex Frame, Offset Frame: numbers of the image files",
    "Duration: in frames",
    "Micro: below half a second",
    "Action Units: L and R are sides, A to E intensities",
    "Estimated Emotion: from stimulus, codes and self-report",
    "Objective Classes: from the action units alone",
    "Notes",
    None,
)
_HEADER = (
    *("Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame", "Duration", "Micro"),
    *("Action Units", "Estimated Emotion", "Objective Classes", "Notes"),
)
# The real set's participants.
_SUBJECTS = (6, 7, *range(9, 27), 28, *range(30, 38))
_EMOTIONS = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
_NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII")
# The two clips whose apex is wrong in the real table, and by how many frames here: past the offset, before the onset.
_TYPOS = {"028_4_1": 40, "032_3_1": -40}
_INTENSITIES = ("", "A", "A/B", "B")


def write_samm(
    clipset: ClipSet, folder: Path, rng: np.random.Generator, *, quirks: bool, typos: bool = False
) -> ClipSet:
    """Write the clips; return them as a loader should read them. See `microexpr.data.layouts.write_layout`.

    With `typos` subjects 028 and 032 come first, and the apexes of 028_4_1 and 032_3_1 are as impossible as in the real
    table: the clips are returned as the corrections `samm-apex` leave them.
    """
    subjects = sorted(_SUBJECTS, key=lambda number: (typos and number not in (28, 32), number))
    rows: list[list[Any]] = []
    entries, sources = [], []
    counts: dict[str, int] = {}
    with progress("writing clips", len(clipset)) as advance:
        for clip, row in zip(clipset.clips, clipset.table.itertuples(), strict=True):
            place = subject_number(clip)
            if not 1 <= place <= len(subjects):
                raise DataError(f"{clip.clip_id}: subject {clip.subject!r}; SAMM has {len(subjects)} subjects")
            subject = f"{subjects[place - 1]:03d}"
            number = counts[subject] = counts.get(subject, -1) + 1
            name = f"{subject}_{1 + number // 4}_{1 + number % 4}"
            if typos and number == 0:
                name = next((typo for typo in _TYPOS if typo.startswith(subject)), name)
            frames = checked_frames(clip, fps=_FPS)
            onset, offset = int(row.onset), int(row.offset)
            frames = frames[onset : offset + 1]
            first = int(rng.integers(100, 9000))
            files = [f"{subject}_{first + step:05d}.jpg" for step in range(len(frames))]
            paths = save_jpegs(folder / subject / name, files, frames)
            apex = None if clip.apex is None else clip.apex - onset
            apex_cell: int | None = None if apex is None else first + apex
            if typos and name in _TYPOS:
                apex_cell = first + _TYPOS[name] + (len(frames) - 1 if _TYPOS[name] > 0 else 0)
                apex = None
            emotion = _emotion(clip.clip_id, row.emotion)
            plain = "" if pd.isna(row.aus) else str(row.aus)
            units = _with_intensity(plain, len(rows)) if quirks else plain
            objective = _NUMERALS[objective_class(plain) - 1]
            cells: list[Any] = [subject, name, name.split("_")[1], first, apex_cell, first + len(frames) - 1]
            cells += [len(frames), "Micro - 1/2", int(units) if units.isdigit() else units, emotion, objective, None]
            rows.append(cells)
            entries.append(
                {
                    "clip_id": f"samm/{subject}/{name}",
                    **{"dataset": "samm", "subject": f"samm/{subject}", "emotion": emotion},
                    **{"onset": 0, "apex": apex, "offset": len(frames) - 1, "n_frames": len(frames), "fps": _FPS},
                    **{"aus": units or None, "objective": objective},
                }
            )
            sources.append(ImageFilesSource(paths))
            advance()
    preamble = [[line] for line in _PREAMBLE]
    save_sheet(folder / _TABLE, preamble[0], [*preamble[1:], list(_HEADER), *rows])
    return ClipSet(pd.DataFrame(entries).set_index("clip_id"), sources)


def _emotion(clip_id: str, emotion: object) -> str:
    """Return the emotion as SAMM's table spells it."""
    if emotion == "others":
        return "Other"
    if emotion not in _EMOTIONS:
        raise DataError(f"{clip_id}: emotion {emotion!r}; SAMM has {', '.join(_EMOTIONS)} and others")
    return str(emotion).capitalize()


def _with_intensity(units: str, place: int) -> str:
    """Return the action units with the intensity of the last one, as some of SAMM's cells have it: 4A/B, 1+2B."""
    return f"{units}{_INTENSITIES[place % len(_INTENSITIES)]}" if units else units
