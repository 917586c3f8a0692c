"""CASME II as its users hold it: the 2014 or the 2019 coding table, and the frames cropped or raw."""

__all__ = ["load_casme2", "read_coding_table"]

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from microexpr.core.checks import check_choice
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, join_names
from microexpr.data._annotations import clipset_of, join_frames, parse_rows
from microexpr.data._folders import DEPTH, IMAGES, Found, checked_root, entries, search
from microexpr.data.spreadsheet import read_columns

_FPS = 200.0
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

_TABLE_NAMES = {
    **{year: re.compile(rf"casme\W?(?:2|ii)\W?.*coding.*{year}.*\.xlsx", re.IGNORECASE) for year in _TABLES},
    "objective": re.compile(r"casme\W?(?:2|ii)\W?.*objective.*class.*\.xlsx", re.IGNORECASE),
}
_SUBJECT = re.compile(r"(?:sub(?:ject)?[ _-]*)?0*(\d+)(?:\.0+)?", re.IGNORECASE)
_SUBJECT_FOLDER = re.compile(r"sub(?:ject)?[ _-]*0*(\d+)", re.IGNORECASE)


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
    root = checked_root(root, "CASME II")
    found = search(root, _TABLE_NAMES, _SUBJECT_FOLDER)
    table_path = _choose_table(root, found, annotation)
    frames_folder = _choose_frames(root, found, frames)
    coding = read_coding_table(table_path)
    parsed = parse_rows(coding, table_path, "casme2", _qualified)
    clips = ((f"{subject}/{name}", path) for subject, name, path in _clip_folders(frames_folder))
    join_frames(parsed, clips, table=table_path, frames=frames_folder, fps=_FPS, cut_short=_CUT_SHORT)
    if "objective" not in coding and (objective := found.of("objective")):
        try:
            _add_objective(parsed.kept, objective[0])
        except DataError as error:
            # Most protocols do without these classes: that they cannot be read is listed and stops none of them.
            parsed.notes[objective[0].name] = f"not used: {error}"
    return clipset_of(parsed, root=root, title="CASME II", table=table_path, allow_incomplete=allow_incomplete)


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


def _choose_table(root: Path, found: Found, annotation: str | Path | None) -> Path:
    if annotation is not None and str(annotation) not in _TABLES:
        path = Path(annotation).expanduser()
        if not path.is_file():
            raise DataError(f"annotation {path}: no such file; give a path, or one of {', '.join(_TABLES)}")
        return path
    years = list(_TABLES) if annotation is None else [str(annotation)]
    for year in years:
        candidates = found.of(year)
        exact = [path for path in candidates if path.name.lower() == _TABLES[year].lower()]
        if candidates:
            return (exact or candidates)[0]
    tables = found.of(*_TABLES)
    there = f"; there is {join_names(tables)}" if tables else ""
    raise DataError(
        f"{root}: no coding table of CASME II; looked for {' or '.join(_TABLES[year] for year in years)} in this "
        f"folder, {DEPTH} levels below and in the two folders above{there}"
    )


def _choose_frames(root: Path, found: Found, wanted: str | None) -> Path:
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
        f"{DEPTH} levels below{there}"
    )


def _kind(folder: Path) -> str:
    """Tell cropped from raw frames by the first image's name, or the folder's where there is none."""
    for _, _, clip in _clip_folders(folder):
        for entry in entries(clip):
            if Path(entry.name).suffix.lower() in IMAGES:
                return "cropped" if entry.name.lower().startswith("reg") else "raw"
    return "cropped" if "crop" in folder.name.lower() else "raw"


def _clip_folders(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the qualified subject, the clip's name and the path of every clip folder."""
    for entry in entries(folder):
        if entry.is_dir() and (match := _SUBJECT_FOLDER.fullmatch(entry.name)):
            for clip in entries(entry.path):
                if clip.is_dir():
                    yield f"casme2/sub{int(match[1]):02d}", clip.name.strip(), clip.path


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
