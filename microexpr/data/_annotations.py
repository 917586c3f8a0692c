"""Rows of an annotation table joined with the folders of their clips, and what is amiss with either."""

__all__ = ["POSITIONS", "Rows", "clipset_of", "frame_positions", "join_frames", "misfit", "parse_rows"]

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, join_names
from microexpr.core.sources import FrameSource, ImageFilesSource
from microexpr.data._folders import numbered_images

#: In their order in time.
POSITIONS = ("onset", "apex", "offset")

_NUMBER = re.compile(r"(\d+)(?:\.0+)?")
_EXTRAS = ("emotion", "aus", "objective")


@dataclass
class Rows:
    """A table's rows and what became of them, by clip_id (or, where a row names no clip, by `row 8 of table.xlsx`).

    Parameters
    ----------
    rows : what the table says of each clip; onset, apex and offset are frame numbers
    faults : why a clip cannot be used
    notes : what is to be known of a clip that is used all the same
    kept : the rows that have frames; onset, apex and offset are positions
    sources : the frames of those
    """

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    sources: dict[str, FrameSource] = field(default_factory=dict)


def parse_rows(
    table: pd.DataFrame,
    path: Path,
    dataset: str,
    qualified: Callable[[str], str | None],
    *,
    blanks: Collection[str] = ("/", ""),
) -> Rows:
    """Read a table of text cells: clips by their clip_id, frame numbers as integers; faulty rows become faults.

    Parameters
    ----------
    table : DataFrame of str indexed by the row's number in the sheet
        Columns subject, filename, onset, apex, offset; emotion, aus, objective where there are.
    path : path
        Of the table, for messages.
    dataset : str
    qualified : callable
        Gives `casme2/sub01` for a cell of the column subject, None for one that is no subject.
    blanks : collection of str
        Cells that stand for an unknown apex.
    """
    parsed = Rows()
    places: dict[str, list[int]] = {}
    for place, cells in zip(table.index, table.to_dict("records"), strict=True):
        subject = qualified(cells["subject"])
        if subject is None or not cells["filename"]:
            what = f"subject {cells['subject']!r} is no number" if subject is None else "the file name is blank"
            parsed.faults[f"row {place} of {path.name}"] = what
            continue
        clip_id = f"{subject}/{cells['filename']}"
        places.setdefault(clip_id, []).append(place)
        row: dict[str, Any] = {"dataset": dataset, "subject": subject}
        row |= {name: cells[name] or None for name in _EXTRAS if name in cells}
        numbers, unclear = frame_positions(cells, blanks=blanks)
        if unclear:
            parsed.faults[clip_id] = f"{'; '.join(unclear)} (row {place} of {path.name})"
        parsed.rows[clip_id] = row | numbers
    for clip_id, lines in places.items():
        if len(lines) > 1:
            parsed.faults[clip_id] = f"annotated more than once (rows {join_names(lines)} of {path.name})"
    return parsed


def frame_positions(
    cells: Mapping[str, str], *, blanks: Collection[str] = ("/", "")
) -> tuple[dict[str, int | None], list[str]]:
    """Return the frame numbers in the cells onset, apex and offset, and what is unclear about them."""
    row: dict[str, int | None] = {}
    unclear = []
    for name in POSITIONS:
        match = _NUMBER.fullmatch(cells[name])
        row[name] = int(match[1]) if match else None
        if match is None and not (name == "apex" and cells[name] in blanks):
            unclear.append(f"{name} {cells[name]!r} is no frame number")
    known = [(name, number) for name, number in row.items() if number is not None]
    unclear += [
        f"{later} {number} lies before {earlier} {before}"
        for (earlier, before), (later, number) in pairwise(known)
        if number < before
    ]
    return row, unclear


def join_frames(
    parsed: Rows,
    folders: Iterable[tuple[str, str]],
    *,
    table: Path,
    frames: Path,
    fps: float,
    cut_short: Mapping[str, tuple[int, int]] | None = None,
) -> None:
    """Give every row its frames and positions: fill `kept`, `sources`, `notes`, and add to `faults`.

    Parameters
    ----------
    parsed : Rows
    folders : iterable of (clip_id, path)
        The folders of images; the case of letters does not matter.
    table, frames : path
        The table and the folder of all frames, for messages.
    fps : float
    cut_short : mapping of clip_id -> (offset, last frame)
        Clips that are handed out with their end missing: they are kept without an offset, with a note.

    Raises
    ------
    DataError
        If a folder cannot be read.
    """
    waiting: dict[str, list[tuple[str, str]]] = {}
    for clip_id, path in folders:
        # The table decides the spelling: copies through other file systems change the case of folders.
        waiting.setdefault(clip_id.lower(), []).append((clip_id, path))
    for clip_id, row in parsed.rows.items():
        its_folders = waiting.pop(clip_id.lower(), [])
        if clip_id in parsed.faults:
            continue
        if len(its_folders) != 1:
            several = f"frames in several folders: {join_names(path for _, path in its_folders)}"
            none = f"an annotation without frames (no folder in {frames})"
            parsed.faults[clip_id] = several if its_folders else none
            continue
        files, fault = numbered_images(its_folders[0][1])
        if (cut_short or {}).get(clip_id) == (row["offset"], max(files, default=None)):
            parsed.notes[clip_id] = (
                f"kept without an offset: offset {row['offset']} has no file, the clip ends at {max(files)}"
            )
            row = {**row, "offset": None}
        if fault := fault or misfit(row, files):
            parsed.faults[clip_id] = fault
            continue
        order = {number: position for position, number in enumerate(files)}
        positions = {name: None if row[name] is None else order[row[name]] for name in POSITIONS}
        parsed.kept[clip_id] = {**row, **positions, "n_frames": len(files), "fps": fps}
        parsed.sources[clip_id] = ImageFilesSource(list(files.values()))
    for clip_id, path in (pair for pairs in waiting.values() for pair in pairs):
        parsed.faults[clip_id] = f"frames without an annotation in {table.name} (in {path})"


def misfit(row: Mapping[str, Any], files: Mapping[int, str]) -> str | None:
    """Return how the annotated frame numbers and the clip's files disagree."""
    first, last = min(files), max(files)
    for name in POSITIONS:
        if row[name] is not None and row[name] not in files:
            return f"{name} {row[name]} has no file, the clip's frames run from {first} to {last}"
    if gap := next((number for number in range(first, last) if number not in files), None):
        missing = last - first + 1 - len(files)
        return f"frame {gap} has no file; {missing} of the frames from {first} to {last} are missing"
    return None


def clipset_of(parsed: Rows, *, root: Path, title: str, table: Path | None, allow_incomplete: bool) -> ClipSet:
    """Return the clips that are kept, with notes and faults as `findings`.

    Parameters
    ----------
    parsed : Rows
    root : path
    title : str
        What the data set is called, for messages.
    table : path or None
        The annotation table, where there is one, for messages.
    allow_incomplete : bool

    Raises
    ------
    DataError
        If there are faults (unless `allow_incomplete`), or no clip is left.
    """
    listed = [f"{clip_id}: {fault}" for clip_id, fault in parsed.faults.items()]
    if listed and not allow_incomplete:
        shown = "; ".join(listed[:3]) + (f"; and {len(listed) - 3} more" if len(listed) > 3 else "")
        raise DataError(
            f"{root}: {len(listed)} finding{'s' * (len(listed) > 1)} in {title}: {shown}; "
            "allow_incomplete=True (--allow-incomplete) goes on without these clips"
        )
    if not parsed.kept:
        why = f"; {listed[0]}" if listed else f"; {table} has no rows" if table else ""
        raise DataError(f"{root}: no clip of {title} is left{why}")
    listing = {**parsed.notes, **parsed.faults}
    findings = pd.DataFrame(listing.items(), columns=["clip_id", "finding"], dtype="str")
    return ClipSet(pd.DataFrame.from_dict(parsed.kept, orient="index"), parsed.sources, findings=findings)
