"""The annotation table of SMIC-E: a sheet a camera, formulas in cells, absolute frame numbers, second expressions."""

__all__ = ["join_extended", "read_annotation"]

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from microexpr.core.errors import DataError, join_names
from microexpr.core.sources import ImageFilesSource
from microexpr.data._annotations import Rows
from microexpr.data._folders import chosen_table, numbered_images
from microexpr.data.spreadsheet import read_columns, sheet_names

_REQUIRED = ("Subject", "Filename", "OnsetF", "OffsetF")
_FIRST = "FirstF"
# The second expression's columns are spelt in several ways by those who hold the table.
_SECOND = {"onset2": ("OnsetF2", "Onset2F", "Onset2"), "offset2": ("OffsetF2", "Offset2F", "Offset2")}
_CLIP = re.compile(r"s\d+_(?:ne|po|sur)_\d+", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)(?:\.0+)?")


def read_annotation(
    root: Path, tables: list[Path], title: str, modality: str, annotation: str | Path | None
) -> tuple[Path, list[tuple[str, dict[str, str]]]]:
    """Return the table of a camera and its rows: the clip's name, and its cells with the row's number as `place`.

    A workbook with a sheet named after the camera is read there; else a workbook named after the camera, in whatever
    sheet holds the columns. Rows that name no clip and no onset are remarks below the table: they are passed over.

    Raises
    ------
    DataError
        If there is no table, a column is missing, a row's clip has no name, or formulas have no stored values.
    """
    name = f"SMIC-{modality}-E_annotation.xlsx"
    own = [path for path in tables if modality.lower() in path.name.lower()]
    path = chosen_table(root, own or tables, title, name, annotation)
    sheet = _sheet(path, modality)
    optional = [*(spelling for spellings in _SECOND.values() for spelling in spellings), _FIRST, "Emotion"]
    table = read_columns(path, _REQUIRED, optional=optional, sheet=sheet)
    rows = []
    for place, cells in zip(table.index, table.to_dict("records"), strict=True):
        cells = {str(column): cell.strip() for column, cell in cells.items()}
        clip = cells["Filename"]
        if not _CLIP.fullmatch(clip):
            if clip or cells["OnsetF"]:
                raise DataError(f"{path}: row {place}: file name {clip!r} is no clip of SMIC, such as s1_ne_01")
            continue
        rows.append((clip, {**cells, "place": str(place)}))
    if any(not cells["OnsetF"] or not cells["OffsetF"] for _, cells in rows):
        _refuse_formulas(path, sheet)
    return path, rows


def _sheet(path: Path, modality: str) -> str | None:
    """Return the sheet named after the camera; None, any, in a workbook of this camera alone."""
    names = sheet_names(path)
    if chosen := [name for name in names if name.strip().upper() == modality]:
        return chosen[0]
    others = [name for name in names if name.strip().upper() in ("HS", "VIS", "NIR")]
    if modality.lower() in path.name.lower() and not others:
        return None
    raise DataError(f"{path}: no sheet {modality!r}; there are {join_names(map(repr, names))}")


def _refuse_formulas(path: Path, sheet: str | None) -> None:
    """Raise an error if the blank cells are formulas that no spreadsheet program has computed."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True)
    try:
        for one in book.worksheets:
            if sheet is None or one.title == sheet:
                for row in one.iter_rows():
                    if formula := next((cell for cell in row if cell.data_type == "f"), None):
                        raise DataError(
                            f"{path}: cell {formula.coordinate} of sheet {one.title!r} is a formula without a stored "
                            "value; open the workbook in a spreadsheet program and save it"
                        )
    finally:
        book.close()


def join_extended(
    parsed: Rows,
    rows: Mapping[str, Mapping[str, str]],
    clips: Mapping[str, Mapping[str, Any]],
    *,
    table: Path,
    frames: Path,
    fps: float,
) -> None:
    """Give every row its frames and positions: fill `kept` and `sources`, and add to the faults.

    Frame numbers are absolute. Where a clip's files bear them, they are looked up; where the files are numbered
    otherwise, the table's first frame of the clip is the first file.
    """
    for clip_id, cells in rows.items():
        if clip_id in parsed.faults:
            continue
        if clip_id not in clips:
            parsed.faults[clip_id] = f"an annotation without frames (no folder in {frames})"
            continue
        files, fault = numbered_images(clips[clip_id]["path"])
        positions: dict[str, int | None] = {}
        if fault is None:
            positions, unclear = _positions(cells, list(files))
            fault = f"{'; '.join(unclear)} (row {cells['place']} of {table.name})" if unclear else None
        if fault:
            parsed.faults[clip_id] = fault
            continue
        positions |= {"apex": None}
        parsed.kept[clip_id] = {**clips[clip_id]["row"], **positions, "n_frames": len(files), "fps": fps}
        parsed.sources[clip_id] = ImageFilesSource(list(files.values()))
    for clip_id, clip in clips.items():
        if clip_id not in rows:
            parsed.faults.setdefault(clip_id, f"frames without an annotation in {table.name} (in {clip['path']})")


def _positions(cells: Mapping[str, str], numbers: list[int]) -> tuple[dict[str, int | None], list[str]]:
    """Return the positions of both expressions' onset and offset, and what is unclear about them."""
    wanted = {"onset": cells["OnsetF"], "offset": cells["OffsetF"]}
    for name, spellings in _SECOND.items():
        wanted[name] = next((cells[spelling] for spelling in spellings if cells.get(spelling)), "")
    values: dict[str, int | None] = {}
    unclear = []
    for name, cell in wanted.items():
        match = _NUMBER.fullmatch(cell)
        values[name] = int(match[1]) if match else None
        if match is None and (cell or name in ("onset", "offset")):
            unclear.append(f"{name} {cell!r} is no frame number")
    if (values["onset2"] is None) != (values["offset2"] is None) and not unclear:
        unclear.append("its second expression lacks an onset or an offset")
    for onset, offset in (("onset", "offset"), ("onset2", "offset2")):
        first, last = values[onset], values[offset]
        if first is not None and last is not None and last < first:
            unclear.append(f"{offset} {last} lies before {onset} {first}")
    if unclear:
        return values, unclear
    order = {number: place for place, number in enumerate(numbers)}
    start = _NUMBER.fullmatch(cells.get(_FIRST, ""))
    if values["onset"] not in order and start is not None:
        order = {int(start[1]) + place: place for place in range(len(numbers))}
    for name, value in values.items():
        if value is not None and value not in order:
            first, last = min(order), max(order)
            unclear.append(f"{name} {value} has no file, the clip's frames run from {first} to {last}")
    return {name: None if value is None else order.get(value) for name, value in values.items()}, unclear
