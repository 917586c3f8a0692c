"""CASME II as its users hold it: the 2014 or the 2019 coding table, and the frames cropped or raw."""

__all__ = ["load_casme2", "read_coding_table"]

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from microexpr.core.checks import check_choice
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, join_names
from microexpr.core.sources import FrameSource, ImageFilesSource
from microexpr.data.spreadsheet import read_columns

_FPS = 200.0
_POSITIONS = ("onset", "apex", "offset")
_DEPTH = 3
_IMAGES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"})
_TABLES = {"2014": "CASME2-coding-20140508.xlsx", "2019": "CASME2-coding-20190701.xlsx"}
_FRAMES = {"cropped": "Cropped/sub01/EP02_01f/reg_img46.jpg", "raw": "CASME2_RAW_selected/sub01/EP02_01f/img46.jpg"}
_COLUMNS = {
    "subject": "Subject",
    "filename": "Filename",
    "onset": "OnsetFrame",
    "apex": "ApexFrame",
    "offset": "OffsetFrame",
    "aus": "Action Units",
    "emotion": "Estimated Emotion",
}
_OBJECTIVE = ("Objective Classes", "Objective Class")
# The data set is handed out with this clip cut short: (annotated offset, last frame). Its offset stays missing.
_CUT_SHORT = {"casme2/sub16/EP01_08": (110, 96)}

_TABLE_NAME = re.compile(r"casme\W?(?:2|ii)\W?.*coding.*(2014|2019).*\.xlsx", re.IGNORECASE)
_OBJECTIVE_NAME = re.compile(r"casme\W?(?:2|ii)\W?.*objective.*class.*\.xlsx", re.IGNORECASE)
_SUBJECT = re.compile(r"(?:sub(?:ject)?[ _-]*)?0*(\d+)(?:\.0+)?", re.IGNORECASE)
_SUBJECT_FOLDER = re.compile(r"sub(?:ject)?[ _-]*0*(\d+)", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)(?:\.0+)?")
_FRAME_NUMBER = re.compile(r"(\d+)\s*$")


def load_casme2(
    root: str | Path,
    *,
    annotation: str | Path | None = None,
    frames: str | None = None,
    allow_incomplete: bool = False,
) -> ClipSet:
    """Load CASME II from the folder it was unpacked to; no image is opened.

    1. The coding table is read as text. 2. Each row is joined with the folder of its clip by subject and name. 3. The
    frame numbers of onset, apex and offset become zero-based positions among the clip's own files, which are sorted by
    the number in their name.

    Parameters
    ----------
    root : path
        The folder that holds table and frames, up to three levels deep; or the folder of the frames themselves, with
        the table in it or in one of the two folders above.
    annotation : {"2014", "2019"} or path, optional
        The coding table. By default `CASME2-coding-20140508.xlsx`, and where that is missing
        `CASME2-coding-20190701.xlsx`.
    frames : {"cropped", "raw"}, optional
        `Cropped/sub01/EP02_01f/reg_img46.jpg` or `CASME2_RAW_selected/sub01/EP02_01f/img46.jpg`. By default the
        cropped ones, and where these are missing the raw ones.
    allow_incomplete : bool
        Whether to go on without the clips that have a finding. They are listed in the set's `findings` either way.

    Returns
    -------
    ClipSet
        In the order of the table. `emotion` as spelt there, `aus` verbatim, `objective` (the objective class) where
        the table has it or `CASME2-ObjectiveClasses.xlsx` lies beside it. No labels: see `ClipSet.relabel`.

    Raises
    ------
    ParameterError
        If `frames` is neither "cropped" nor "raw".
    DataError
        If the folder, the table or the frames are missing, a column is missing, or (unless `allow_incomplete`)
        something is amiss: an annotation without frames, frames without annotation, a clip annotated twice, an empty
        folder, gaps in the frame numbers, onset, apex or offset that are no number, out of order or without a file.

    Notes
    -----
    An apex `/` (sub04 EP12_01f), or a blank one, is a missing apex and not a finding. One clip, sub16 EP01_08, is
    handed out without its last 14 frames: it is kept with its offset missing, and listed in `findings`.

    References
    ----------
    .. [1] W.-J. Yan, X. Li, S.-J. Wang, G. Zhao, Y.-J. Liu, Y.-H. Chen, X. Fu, "CASME II: an improved spontaneous
       micro-expression database and the baseline evaluation", PLOS ONE, 2014.

    Examples
    --------
    >>> clips = load_casme2("CASME2", frames="raw")  # doctest: +SKIP
    """
    if frames is not None:
        check_choice(frames, "frames", _FRAMES)
    root = Path(root).expanduser()
    if not root.is_dir():
        raise DataError(f"{root}: {'a file; CASME II is a folder' if root.exists() else 'no such folder'}")
    found = _search(root)
    table_path = _choose_table(root, found, annotation)
    frames_folder = _choose_frames(root, found, frames)
    coding = read_coding_table(table_path)
    rows, faults = _parse(coding, table_path)
    kept, sources, notes = _join(rows, faults, table_path, frames_folder)
    if "objective" not in coding and found.objective:
        try:
            _add_objective(kept, found.objective[0])
        except DataError as error:
            # Most protocols do without these classes: that they cannot be read is listed and stops none of them.
            notes[found.objective[0].name] = f"not used: {error}"
    if faults and not allow_incomplete:
        _refuse(root, faults)
    if not kept:
        first = next((f"; {clip_id}: {fault}" for clip_id, fault in faults.items()), f"; {table_path} has no rows")
        raise DataError(f"{root}: no clip of CASME II is left{first}")
    findings = pd.DataFrame({**notes, **faults}.items(), columns=["clip_id", "finding"], dtype="str")
    return ClipSet(pd.DataFrame.from_dict(kept, orient="index"), sources, findings=findings)


def read_coding_table(path: str | Path) -> pd.DataFrame:
    """Read a CASME II coding table as text, every cell as it stands.

    Parameters
    ----------
    path : path of an .xlsx workbook
        See `microexpr.data.spreadsheet.read_columns` for how its header is found.

    Returns
    -------
    DataFrame of str, indexed by the row's number in the sheet
        Columns subject, filename, onset, apex, offset, aus, emotion and, where the table has it, objective.

    Raises
    ------
    DataError
        If the file is missing, no workbook, or lacks a column.
    """
    table = read_columns(path, list(_COLUMNS.values()), optional=_OBJECTIVE)
    table = table.rename(columns={name: column for column, name in _COLUMNS.items()})
    table = table.rename(columns=dict.fromkeys(_OBJECTIVE, "objective"))
    plain = table.columns.difference(["aus"])
    table[plain] = table[plain].apply(lambda column: column.str.strip())
    return table


@dataclass
class _Found:
    """What lies in and below a folder (tables also above it), nearest first."""

    tables: list[tuple[str, Path]] = field(default_factory=list)
    objective: list[Path] = field(default_factory=list)
    frames: list[Path] = field(default_factory=list)


def _search(root: Path) -> _Found:
    """Look through `root`, three levels of folders below it and the files of the two folders above."""
    found = _Found()
    level = [root]
    for depth in range(_DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            subfolders = _look(folder, found)
            if any(_SUBJECT_FOLDER.fullmatch(name) for name in subfolders):
                found.frames.append(folder)
            below += [folder / name for name in subfolders if not _SUBJECT_FOLDER.fullmatch(name)]
        level = below if depth < _DEPTH else []
    for above in root.resolve().parents[:2]:
        with contextlib.suppress(DataError):
            _look(above, found)
    return found


def _look(folder: Path, found: _Found) -> list[str]:
    """Note the tables in a folder; return the names of its subfolders."""
    subfolders = []
    for entry in _entries(folder):
        if entry.is_dir():
            subfolders.append(entry.name)
        elif match := _TABLE_NAME.fullmatch(entry.name):
            found.tables.append((match[1], Path(entry.path)))
        elif _OBJECTIVE_NAME.fullmatch(entry.name):
            found.objective.append(Path(entry.path))
    return subfolders


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    """Return a folder's entries by name, without hidden files (`._x`, `.DS_Store`) and Office's locks (`~$x`)."""
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if not e.name.startswith((".", "~$"))), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}") from None


def _choose_table(root: Path, found: _Found, annotation: str | Path | None) -> Path:
    if annotation is not None and str(annotation) not in _TABLES:
        path = Path(annotation).expanduser()
        if not path.is_file():
            raise DataError(f"annotation {path}: no such file; give a path, or one of {', '.join(_TABLES)}")
        return path
    years = list(_TABLES) if annotation is None else [str(annotation)]
    for year in years:
        candidates = [path for found_year, path in found.tables if found_year == year]
        exact = [path for path in candidates if path.name.lower() == _TABLES[year].lower()]
        if candidates:
            return (exact or candidates)[0]
    there = f"; there is {join_names(path for _, path in found.tables)}" if found.tables else ""
    raise DataError(
        f"{root}: no coding table of CASME II; looked for {' or '.join(_TABLES[year] for year in years)} in this "
        f"folder, {_DEPTH} levels below and in the two folders above{there}"
    )


def _choose_frames(root: Path, found: _Found, wanted: str | None) -> Path:
    kinds = [(folder, _kind(folder)) for folder in found.frames]
    for kind in _FRAMES if wanted is None else [wanted]:
        candidates = [folder for folder, its_kind in kinds if its_kind == kind]
        # Users who unpacked more than they need hold CASME2-RAW beside CASME2_RAW_selected: the documented name wins.
        documented = [folder for folder in candidates if _FRAMES[kind].split("/")[0].lower() == folder.name.lower()]
        chosen = documented or candidates
        if len(chosen) > 1:
            raise DataError(f"{root}: several folders hold {kind} frames: {join_names(chosen)}; name one of them")
        if chosen:
            return chosen[0]
    there = f"; there are {join_names(f'{kind} frames in {folder}' for folder, kind in kinds)}" if kinds else ""
    looked_for = " or ".join(_FRAMES[kind] for kind in ([wanted] if wanted else _FRAMES))
    raise DataError(
        f"{root}: no {wanted + ' ' if wanted else ''}frames of CASME II; looked for {looked_for} in this folder and "
        f"{_DEPTH} levels below{there}"
    )


def _kind(folder: Path) -> str:
    """Tell cropped from raw frames by the first image's name, or the folder's where there is none."""
    for _, _, clip in _clip_folders(folder):
        for entry in _entries(clip):
            if Path(entry.name).suffix.lower() in _IMAGES:
                return "cropped" if entry.name.lower().startswith("reg") else "raw"
    return "cropped" if "crop" in folder.name.lower() else "raw"


def _clip_folders(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the qualified subject, the clip's name and the path of every clip folder."""
    for entry in _entries(folder):
        if entry.is_dir() and (match := _SUBJECT_FOLDER.fullmatch(entry.name)):
            for clip in _entries(entry.path):
                if clip.is_dir():
                    yield f"casme2/sub{int(match[1]):02d}", clip.name.strip(), clip.path


def _parse(coding: pd.DataFrame, path: Path) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return the rows by clip_id, their frame numbers as integers, and the faults by clip_id or row."""
    rows: dict[str, dict[str, Any]] = {}
    places: dict[str, list[int]] = {}
    faults: dict[str, str] = {}
    for place, cells in zip(coding.index, coding.to_dict("records"), strict=True):
        subject = _qualified(cells["subject"])
        if subject is None or not cells["filename"]:
            what = f"subject {cells['subject']!r} is no number" if subject is None else "the file name is blank"
            faults[f"row {place} of {path.name}"] = what
            continue
        clip_id = f"{subject}/{cells['filename']}"
        places.setdefault(clip_id, []).append(place)
        row: dict[str, Any] = {"dataset": "casme2", "subject": subject}
        row |= {name: cells[name] or None for name in ("emotion", "aus", "objective") if name in cells}
        unclear = []
        for name in _POSITIONS:
            match = _NUMBER.fullmatch(cells[name])
            row[name] = int(match[1]) if match else None
            if match is None and not (name == "apex" and cells[name] in ("/", "")):
                unclear.append(f"{name} {cells[name]!r} is no frame number")
        known = [name for name in _POSITIONS if row[name] is not None]
        unclear += [
            f"{later} {row[later]} lies before {earlier} {row[earlier]}"
            for earlier, later in pairwise(known)
            if row[later] < row[earlier]
        ]
        if unclear:
            faults[clip_id] = f"{'; '.join(unclear)} (row {place} of {path.name})"
        rows[clip_id] = row
    for clip_id, lines in places.items():
        if len(lines) > 1:
            faults[clip_id] = f"annotated more than once (rows {join_names(lines)} of {path.name})"
    return rows, faults


def _qualified(subject: str) -> str | None:
    """Return casme2/sub01 for the cells 1, 01, 1.0 and sub01."""
    match = _SUBJECT.fullmatch(subject)
    return f"casme2/sub{int(match[1]):02d}" if match else None


def _add_objective(rows: dict[str, dict[str, Any]], path: Path) -> None:
    """Add the objective classes of CASME2-ObjectiveClasses.xlsx, by clip."""
    table = read_columns(path, ["Subject", "Filename"], optional=_OBJECTIVE)
    if (name := next((name for name in _OBJECTIVE if name in table), None)) is None:
        raise DataError(f"{path}: no column {_OBJECTIVE[1]!r}")
    classes = {
        f"{_qualified(subject.strip())}/{filename.strip()}": objective.strip() or None
        for subject, filename, objective in zip(table["Subject"], table["Filename"], table[name], strict=True)
    }
    for clip_id, row in rows.items():
        row["objective"] = classes.get(clip_id)


def _join(
    rows: dict[str, dict[str, Any]], faults: dict[str, str], table_path: Path, frames_folder: Path
) -> tuple[dict[str, dict[str, Any]], dict[str, FrameSource], dict[str, str]]:
    """Give every row its frames and positions: return the rows that fit, their sources, and notes; add to `faults`."""
    folders: dict[str, list[tuple[str, str]]] = {}
    for subject, name, path in _clip_folders(frames_folder):
        # The table decides the spelling: copies through other file systems change the case of folders.
        folders.setdefault(f"{subject}/{name}".lower(), []).append((f"{subject}/{name}", path))
    kept: dict[str, dict[str, Any]] = {}
    sources: dict[str, FrameSource] = {}
    notes: dict[str, str] = {}
    for clip_id, row in rows.items():
        its_folders = folders.pop(clip_id.lower(), [])
        if clip_id in faults:
            continue
        if len(its_folders) != 1:
            several = f"frames in several folders: {join_names(path for _, path in its_folders)}"
            faults[clip_id] = several if its_folders else f"an annotation without frames (no folder in {frames_folder})"
            continue
        files, fault = _numbered(its_folders[0][1])
        if _CUT_SHORT.get(clip_id) == (row["offset"], max(files, default=None)):
            notes[clip_id] = (
                f"kept without an offset: offset {row['offset']} has no file, the clip ends at {max(files)}"
            )
            row = {**row, "offset": None}
        fault = fault or _misfit(row, files)
        if fault:
            faults[clip_id] = fault
            continue
        order = {number: position for position, number in enumerate(files)}
        positions = {name: None if row[name] is None else order[row[name]] for name in _POSITIONS}
        kept[clip_id] = {**row, **positions, "n_frames": len(files), "fps": _FPS}
        sources[clip_id] = ImageFilesSource(list(files.values()))
    for clip_id, path in (pair for pairs in folders.values() for pair in pairs):
        faults[clip_id] = f"frames without an annotation in {table_path.name} (in {path})"
    return kept, sources, notes


def _refuse(root: Path, faults: dict[str, str]) -> None:
    listed = [f"{clip_id}: {fault}" for clip_id, fault in faults.items()]
    shown = "; ".join(listed[:3]) + (f"; and {len(listed) - 3} more" if len(listed) > 3 else "")
    raise DataError(
        f"{root}: {len(listed)} finding{'s' * (len(listed) > 1)} in CASME II: {shown}; "
        "allow_incomplete=True (--allow-incomplete) goes on without these clips"
    )


def _numbered(folder: str) -> tuple[dict[int, str], str | None]:
    """Return a clip's image files by frame number, in order, and what is wrong with their names."""
    files: dict[int, str] = {}
    for entry in _entries(folder):
        stem, suffix = os.path.splitext(entry.name)
        if suffix.lower() not in _IMAGES or entry.is_dir():
            continue
        match = _FRAME_NUMBER.search(stem)
        if match is None:
            return files, f"no frame number in the name of {entry.path}"
        number = int(match[1])
        if number in files:
            return files, f"frame {number} occurs twice: {files[number]} and {entry.path}"
        files[number] = entry.path
    return dict(sorted(files.items())), None if files else f"an empty folder, no images in {folder}"


def _misfit(row: dict[str, Any], files: dict[int, str]) -> str | None:
    """Return how the annotated frame numbers and the clip's files disagree."""
    first, last = min(files), max(files)
    for name in _POSITIONS:
        if row[name] is not None and row[name] not in files:
            return f"{name} {row[name]} has no file, the clip's frames run from {first} to {last}"
    if gap := next((number for number in range(first, last) if number not in files), None):
        missing = last - first + 1 - len(files)
        return f"frame {gap} has no file; {missing} of the frames from {first} to {last} are missing"
    return None
