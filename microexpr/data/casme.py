"""CASME as its users hold it: a coding table with two apex columns, and the frames of classes A and B."""

__all__ = ["load_casme"]

import re
from collections.abc import Iterator
from pathlib import Path

from microexpr.core.checks import check_choice
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, join_names
from microexpr.data._annotations import Rows, clipset_of, join_frames, parse_rows
from microexpr.data._folders import DEPTH, IMAGES, checked_root, chosen_table, entries, search
from microexpr.data._tables import named_columns, with_corrections, xlsx_first
from microexpr.data.corrections import correction_notes

_TITLE = "CASME"
_FPS = 60.0
_TABLE = "CASME-coding.xlsx"
_COLUMNS = {
    "subject": "Subject",
    "filename": "Filename",
    "onset": "OnsetF",
    "apex": "ApexF1",
    "apex2": "ApexF2",
    "offset": "OffsetF",
    "aus": "AU",
    "emotion": "Emotion",
}
_FRAMES = {"cropped": "Cropped/sub01/EP01_5/reg_img46.jpg", "raw": "Section A/sub01/EP01_5/img46.jpg"}

# Not the tables of CASME II, CAS(ME)^2 and CAS(ME)^3, which users keep beside it.
_TABLE_NAME = re.compile(r"casme(?![\W_]*(?:2|3|ii|sq)).*\.xlsx?", re.IGNORECASE)
_SUBJECT = re.compile(r"(?:sub(?:ject)?[ _-]*)?0*(\d+)(?:\.0+)?", re.IGNORECASE)
_SUBJECT_FOLDER = re.compile(r"sub(?:ject)?[ _-]*0*(\d+)", re.IGNORECASE)
_SECTION = re.compile(r"(?:(?:section|class|part)[ _-]*)?([AB])", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)(?:\.0+)?")


def load_casme(
    root: str | Path,
    *,
    annotation: str | Path | None = None,
    frames: str | None = None,
    corrections: str | Path | None = None,
    allow_incomplete: bool = False,
) -> ClipSet:
    """Load CASME from the folder it was unpacked to; no image is opened.

    1. The coding table is read as text. 2. Each row is joined with the folder of its clip by subject and name: names
    repeat from subject to subject. 3. The frame numbers become zero-based positions among the clip's own files.

    Parameters
    ----------
    root : path
        The folder that holds table and frames, up to three levels deep; the table may lie in one of the two folders
        above. Frames of class A and of class B, recorded with two cameras, may lie in two folders.
    annotation : path, optional
        The coding table, where its name does not begin with CASME.
    frames : {"cropped", "raw"}, optional
        By default the cropped ones, and where these are missing the raw ones.
    corrections : str or path, optional
        Repairs of the annotation, by name: see `microexpr.data.corrections`.
    allow_incomplete : bool
        Whether to go on without the clips that have a finding. They are listed in the set's `findings` either way.

    Returns
    -------
    ClipSet
        In the order of the table. `apex` is ApexF1; `apex2` is the position of ApexF2, where the table has one;
        `section` is A or B where a folder's name tells.

    Raises
    ------
    ParameterError
        If `frames` is neither "cropped" nor "raw", or there are no such corrections.
    DataError
        If the folder, the table or the frames are missing, a column is missing, or (unless `allow_incomplete`)
        something is amiss, as in `load_casme2`.

    Notes
    -----
    The table does not say why there are two apexes. We take ApexF1: a method that needs one frame gets the first at
    which the expression is full, and the second is there for who reads the table otherwise. A second apex outside the
    clip is a note, and missing. The name of the table differs from copy to copy: any workbook whose name begins with
    CASME, and is not that of a later data set, is taken. Both cameras ran at 60 frames per second.

    References
    ----------
    .. [1] W.-J. Yan, Q. Wu, Y.-J. Liu, S.-J. Wang, X. Fu, "CASME database: a dataset of spontaneous micro-expressions
       collected from neutralized faces", IEEE FG, 2013.

    Examples
    --------
    >>> clips = load_casme("CASME")  # doctest: +SKIP
    """
    if frames is not None:
        check_choice(frames, "frames", _FRAMES)
    root = checked_root(root, _TITLE)
    found = search(root, {"coding": _TABLE_NAME}, _SUBJECT_FOLDER)
    path = chosen_table(root, xlsx_first(found.of("coding")), _TITLE, _TABLE, annotation)
    table = named_columns(path, _COLUMNS)
    clip_ids = [f"{_qualified(row.subject)}/{row.filename}" for row in table.itertuples()]
    table = with_corrections(table, clip_ids, corrections)
    folders = _choose_frames(root, found.frames, frames)
    parsed = parse_rows(table, path, "casme", _qualified)
    clips = [clip for folder in folders for clip in _clip_folders(root, folder)]
    where = folders[0] if len(folders) == 1 else root
    join_frames(parsed, [(clip_id, at) for clip_id, at, _ in clips], table=path, frames=where, fps=_FPS)
    sections = {clip_id.lower(): section for clip_id, _, section in clips}
    seconds = dict(zip(table["clip_id"], table["apex2"], strict=True))
    for clip_id, row in parsed.kept.items():
        row["apex2"] = _second_apex(parsed, clip_id, seconds[clip_id])
        row["section"] = sections.get(clip_id.lower())
    parsed.notes.update(correction_notes(table))
    clipset = clipset_of(parsed, root=root, title=_TITLE, table=path, allow_incomplete=allow_incomplete)
    clipset.table["apex2"] = clipset.table["apex2"].astype("Int64")
    return clipset


def _qualified(subject: str) -> str | None:
    """Return casme/sub01 for the cells 1, 01, 1.0 and sub01."""
    match = _SUBJECT.fullmatch(subject)
    return f"casme/sub{int(match[1]):02d}" if match else None


def _second_apex(parsed: Rows, clip_id: str, cell: str) -> int | None:
    """Return the position of ApexF2; what is no frame of the clip becomes a note."""
    row, numbers = parsed.kept[clip_id], parsed.rows[clip_id]
    if cell in ("", "/", "0"):
        return None
    match = _NUMBER.fullmatch(cell)
    position = None if match is None else int(match[1]) - numbers["onset"] + row["onset"]
    if position is None or not 0 <= position < row["n_frames"]:
        parsed.notes[clip_id] = f"second apex {cell!r} is no frame of the clip; it stays missing"
        return None
    return int(position)


def _choose_frames(root: Path, found: list[Path], wanted: str | None) -> list[Path]:
    """Return the folders of the wanted kind; several are several sections."""
    kinds = [(folder, _kind(root, folder)) for folder in found]
    for kind in _FRAMES if wanted is None else [wanted]:
        if chosen := [folder for folder, its_kind in kinds if its_kind == kind]:
            return chosen
    there = f"; there are {join_names(f'{kind} frames in {folder}' for folder, kind in kinds)}" if kinds else ""
    looked_for = " or ".join(_FRAMES[kind] for kind in ([wanted] if wanted else _FRAMES))
    raise DataError(
        f"{root}: no {wanted + ' ' if wanted else ''}frames of {_TITLE}; looked for {looked_for} in this folder and "
        f"{DEPTH} levels below{there}"
    )


def _kind(root: Path, folder: Path) -> str:
    """Tell cropped from raw frames by the folders' names, or the first image's."""
    if any("crop" in part.lower() for part in (folder.name, *folder.relative_to(root).parts)):
        return "cropped"
    for _, clip, _ in _clip_folders(root, folder):
        for entry in entries(clip):
            if Path(entry.name).suffix.lower() in IMAGES:
                return "cropped" if entry.name.lower().startswith("reg") else "raw"
    return "raw"


def _clip_folders(root: Path, folder: Path) -> Iterator[tuple[str, str, str | None]]:
    """Yield the clip_id, the path and the section of every clip folder."""
    parts = (folder.name, *reversed(folder.relative_to(root).parts))
    section = next((match[1].upper() for part in parts if (match := _SECTION.fullmatch(part))), None)
    for entry in entries(folder):
        if entry.is_dir() and (match := _SUBJECT_FOLDER.fullmatch(entry.name)):
            for clip in entries(entry.path):
                if clip.is_dir():
                    yield f"casme/sub{int(match[1]):02d}/{clip.name.strip()}", clip.path, section
