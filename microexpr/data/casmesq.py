"""CAS(ME)^2 as its users hold it: long videos, and a coding table without a header."""

__all__ = ["load_casmesq", "load_casmesq_videos"]

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError
from microexpr.data._folders import checked_root, chosen_frames, chosen_table, entries, search
from microexpr.data._intervals import interval_positions, join_videos
from microexpr.data._tables import with_corrections, xlsx_first
from microexpr.data.corrections import correction_notes
from microexpr.data.spreadsheet import read_sheets
from microexpr.data.videos import VideoSet

_TITLE = "CAS(ME)^2"
_FPS = 30.0
_TABLE = "CAS(ME)^2code_final.xlsx"
_FRAMES = "rawpic/s15/15_0101disgustingteeth/img1.jpg"
_COLUMNS = ("subject", "filename", "onset", "apex", "offset", "aus", "emotion", "type", "self_report")
_UNKNOWN = frozenset({"0", "0.0", "/", ""})

_TABLE_NAME = re.compile(r"cas\W?me\W*(?:2|sq)[\W_]*code.*final.*\.xlsx?", re.IGNORECASE)
_SUBJECT_FOLDER = re.compile(r"s0*(\d+)", re.IGNORECASE)
_VIDEO_FOLDER = re.compile(r"(\d+)_(\d{4})(?!\d).*")
_VIDEO_CODE = re.compile(r"\d{3,4}")
_NUMBER = re.compile(r"0*(\d+)(?:\.0+)?")


def load_casmesq(
    root: str | Path,
    *,
    kinds: Sequence[str] = ("micro",),
    annotation: str | Path | None = None,
    corrections: str | Path | None = None,
    allow_incomplete: bool = False,
) -> ClipSet:
    """Load the expressions of CAS(ME)^2, cut out of its long videos, as clips; no image is opened.

    Parameters
    ----------
    root, annotation, corrections, allow_incomplete
        See `load_casmesq_videos`.
    kinds : sequence of {"micro", "macro"}

    Returns
    -------
    ClipSet
        From onset to offset; see `VideoSet.clips` for expressions whose offset is unknown. `emotion` is negative,
        positive, surprise or others; `self_report` is the emotion the subject named.

    Raises
    ------
    ParameterError
        If a kind or the corrections do not exist.
    DataError
        As `load_casmesq_videos`, or if no clip is left.

    Examples
    --------
    >>> clips = load_casmesq("CAS(ME)^2")  # doctest: +SKIP
    """
    videos = load_casmesq_videos(
        root, annotation=annotation, corrections=corrections, allow_incomplete=allow_incomplete
    )
    return videos.clips(kinds)


def load_casmesq_videos(
    root: str | Path,
    *,
    annotation: str | Path | None = None,
    corrections: str | Path | None = None,
    allow_incomplete: bool = False,
) -> VideoSet:
    """Load the long videos of CAS(ME)^2 with the intervals of their micro- and macro-expressions.

    Parameters
    ----------
    root : path
        The folder that holds the table and `rawpic/s15/15_0101disgustingteeth/img1.jpg`, up to three levels deep.
    annotation : path, optional
        The coding table, by default `CAS(ME)^2code_final.xlsx`.
    corrections : str or path, optional
        Repairs of the annotation, by name: see `microexpr.data.corrections`.
    allow_incomplete : bool
        Whether to go on without what has a finding. It is listed in the set's `findings` either way.

    Returns
    -------
    VideoSet
        Videos `casmesq/s15/15_0101`, intervals `casmesq/s15/disgust1_1`, named as in the table.

    Raises
    ------
    ParameterError
        If there are no such corrections.
    DataError
        If the folder, the table or the frames are missing, the workbook lacks a column or a sheet of codes, or (unless
        `allow_incomplete`) an annotation has no video, an unknown code or kind, or positions that are no number, out of
        order or without a file, or a video has gaps.

    Notes
    -----
    The coding sheet has no header: subject, expression (`disgust1_1`: first expression in the video called disgust1),
    onset, apex, offset, action units, emotion, kind, self-report. Two further sheets map the subject's number to its
    folder (1 to s15) and the video's name to its code (disgust1 to 0101); they are told by what they hold, so the order
    of sheets does not matter. An apex or offset of 0 is unknown. A video that lies in the folder of another subject
    (s19/23_0502funnyerrors) belongs to the one its own name tells, with a note.

    References
    ----------
    .. [1] F. Qu, S.-J. Wang, W.-J. Yan, H. Li, S. Wu, X. Fu, "CAS(ME)^2: a database for spontaneous macro-expression
       and micro-expression spotting and recognition", IEEE Transactions on Affective Computing, 2018.

    Examples
    --------
    >>> videos = load_casmesq_videos("CAS(ME)^2")  # doctest: +SKIP
    """
    root = checked_root(root, _TITLE)
    found = search(root, {"coding": _TABLE_NAME}, _SUBJECT_FOLDER)
    path = chosen_table(root, xlsx_first(found.of("coding")), _TITLE, _TABLE, annotation)
    coding, subjects, names = _read(path)
    clip_ids = [f"casmesq/{subjects.get(row.subject, '?')}/{row.filename}" for row in coding.itertuples()]
    coding = with_corrections(coding, clip_ids, corrections)
    holding = [folder for folder in found.frames if _video_folders(folder)]
    frames = chosen_frames(root, holding, _TITLE, _FRAMES)
    notes: dict[str, str] = {}
    videos = _videos(frames, notes)
    rows, faults = _parse(coding, path, subjects, names)
    notes.update(correction_notes(coding))
    return join_videos(
        rows, faults, notes, videos, fps=_FPS, title=_TITLE, root=root, table=path, frames=frames,
        allow_incomplete=allow_incomplete,
    )  # fmt: skip


def _read(path: Path) -> tuple[pd.DataFrame, dict[str, str], dict[str, str]]:
    """Return the coding sheet, the folder of each subject's number and the code of each video's name."""
    coding: pd.DataFrame | None = None
    subjects: dict[str, str] = {}
    names: dict[str, str] = {}
    widest = 0
    for sheet in read_sheets(path).values():
        cells = sheet.apply(lambda column: column.str.strip())
        numeric = cells.apply(lambda column: column.str.fullmatch(_NUMBER)) if len(cells) else cells
        widest = max(widest, cells.shape[1])
        if coding is None and cells.shape[1] >= len(_COLUMNS) - 1 and numeric.iloc[:, 2:5].all(axis=1).mean() > 0.5:
            coding = _coding_sheet(cells)
            continue
        for row in cells.itertuples(index=False):
            texts = [cell for cell in row if cell]
            folder = next((cell for cell in texts if _SUBJECT_FOLDER.fullmatch(cell)), None)
            numbers = [match[1] for cell in texts if (match := _NUMBER.fullmatch(cell))]
            codes = [cell for cell in texts if _VIDEO_CODE.fullmatch(cell)]
            if folder and numbers:
                subjects[numbers[-1]] = folder.lower()
            elif codes:
                called = [cell for cell in texts if not _VIDEO_CODE.fullmatch(cell)]
                names.update({cell.lower(): codes[0].zfill(4) for cell in called})
    if coding is None:
        raise DataError(
            f"{path}: no sheet of codes; it has {len(_COLUMNS)} columns and no header: {', '.join(_COLUMNS)}; "
            f"the widest sheet has {widest}"
        )
    for what, codes_of in (("subjects' numbers to folders (1, s15)", subjects), ("videos' names to codes", names)):
        if not codes_of:
            raise DataError(f"{path}: no sheet that maps {what}")
    return coding, subjects, names


def _coding_sheet(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the sheet with its columns named; a header that somebody added is left out."""
    table = cells.iloc[:, : len(_COLUMNS)].set_axis(list(_COLUMNS[: min(cells.shape[1], len(_COLUMNS))]), axis=1)
    if "self_report" not in table:
        table["self_report"] = ""
    table = table[(table != "").any(axis=1)]
    if len(table) and "onset" in table.iloc[0]["onset"].lower():
        table = table.iloc[1:]
    table["subject"] = table["subject"].str.replace(_NUMBER, r"\1", regex=True)
    return table


def _parse(
    coding: pd.DataFrame, path: Path, subjects: dict[str, str], names: dict[str, str]
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    rows: dict[str, dict[str, Any]] = {}
    faults: dict[str, str] = {}
    for place, cells in zip(coding.index, coding.to_dict("records"), strict=True):
        where = f"row {place} of {path.name}"
        folder, called = subjects.get(cells["subject"]), cells["filename"].partition("_")[0].lower()
        if folder is None or not cells["filename"]:
            what = f"subject {cells['subject']!r} has no folder among the codes" if folder is None else "no file name"
            faults[where] = what
            continue
        clip_id = cells["clip_id"]
        if clip_id in rows:
            faults[clip_id] = f"annotated more than once ({where} and before)"
            continue
        numbers, unclear = interval_positions(cells, unknown=_UNKNOWN)
        kind = next((kind for kind in ("micro", "macro") if cells["type"].lower().startswith(kind)), None)
        if kind is None:
            unclear.append(f"type {cells['type']!r} is neither micro- nor macro-expression")
        if called not in names:
            unclear.append(f"video {called!r} has no code")
        if unclear:
            faults[clip_id] = f"{'; '.join(unclear)} ({where})"
        number = int(folder[1:])
        rows[clip_id] = {
            "video_id": f"casmesq/s{number:02d}/{number}_{names.get(called, '?')}",
            **numbers,
            "kind": kind,
            **{name: cells[name] or None for name in ("emotion", "aus", "self_report")},
        }
    return rows, faults


def _video_folders(folder: Path) -> list[tuple[str, int, str, str]]:
    """Return the subject's folder, and of each video in it subject number, code and path."""
    found = []
    for entry in entries(folder):
        if entry.is_dir() and _SUBJECT_FOLDER.fullmatch(entry.name):
            for video in entries(entry.path):
                if video.is_dir() and (match := _VIDEO_FOLDER.fullmatch(video.name)):
                    found.append((entry.name, int(match[1]), match[2], video.path))
    return found


def _videos(frames: Path, notes: dict[str, str]) -> dict[str, dict[str, Any]]:
    videos: dict[str, dict[str, Any]] = {}
    for parent, number, code, path in _video_folders(frames):
        subject = f"casmesq/s{number:02d}"
        video_id = f"{subject}/{number}_{code}"
        match = _SUBJECT_FOLDER.fullmatch(parent)
        if match and int(match[1]) != number:
            notes[video_id] = f"lies in the folder {parent}, but its name tells subject s{number:02d}, which is taken"
        videos.setdefault(video_id, {"dataset": "casmesq", "subject": subject, "folders": []})["folders"].append(path)
    return videos
