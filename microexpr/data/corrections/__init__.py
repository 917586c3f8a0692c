"""Repairs of annotations: named tables of old cell, new cell and reason, applied only when asked for."""

__all__ = ["Correction", "apply_corrections", "correction_notes", "corrections", "read_corrections"]

import csv
import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from microexpr.core.errors import DataError, ParameterError

_FOLDER = Path(__file__).parent
_COLUMNS = ("dataset", "clip", "column", "old", "new", "reason")
_NOTE = "corrected"
_WHOLE = re.compile(r"(\d+)(?:\.0+)?")


@dataclass(frozen=True)
class Correction:
    """One cell of an annotation table that is to be read otherwise.

    Parameters
    ----------
    dataset : str
        `samm`
    clip : str
        The qualified clip_id, `samm/028/028_4_1`.
    column : str
        As loaders call it: onset, apex, offset, emotion, aus, ...
    old, new : str
        The cell as it stands and as it is to be read; an empty `new` is an unknown value. Where the old value is not
        published, `old` may say how it compares with another cell of the row, both whole numbers: `>offset`.
    reason : str
    """

    dataset: str
    clip: str
    column: str
    old: str
    new: str
    reason: str


def corrections(dataset: str | None = None) -> tuple[str, ...]:
    """Return the names of the corrections there are, or of those that concern one data set.

    Examples
    --------
    >>> corrections("no-such-set")
    ()
    """
    names = sorted(path.stem for path in _FOLDER.glob("*.csv"))
    return tuple(name for name in names if dataset is None or any(c.dataset == dataset for c in read_corrections(name)))


def read_corrections(name: str | Path) -> tuple[Correction, ...]:
    """Read the corrections called `name`, or those of a file of your own.

    Parameters
    ----------
    name : str or path
        One of `corrections()`, or the path of a file ending in .csv: UTF-8, with a header and the columns dataset,
        clip, column, old, new, reason.

    Raises
    ------
    ParameterError
        If there are no such corrections; the message lists those there are.
    DataError
        If the file cannot be read, lacks a column, has a row without a reason, names a clip that is not of its data
        set, or corrects one cell twice.
    """
    if str(name).lower().endswith(".csv"):
        path = Path(name).expanduser()
    elif (path := _FOLDER / f"{name}.csv").parent != _FOLDER or not path.is_file():
        there = ", ".join(sorted(one.stem for one in _FOLDER.glob("*.csv"))) or "none"
        raise ParameterError(f"corrections {str(name)!r} do not exist; there are {there}; or give the path of a .csv")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if missing := [column for column in _COLUMNS if column not in (reader.fieldnames or ())]:
                raise DataError(f"{path}: no column {', '.join(missing)}; corrections have {', '.join(_COLUMNS)}")
            rows = [[(row[column] or "").strip() for column in _COLUMNS] for row in reader]
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error):
        raise DataError(f"{path}: not a CSV file in UTF-8") from None
    found = tuple(Correction(*row) for row in rows)
    seen: set[tuple[str, str]] = set()
    for number, one in enumerate(found, start=1):
        what = f"{path}: correction {number} ({one.clip}, {one.column})"
        if not one.reason:
            raise DataError(f"{what} has no reason")
        if not one.dataset or not one.clip.startswith(f"{one.dataset}/"):
            raise DataError(f"{what}: the clip is not of data set {one.dataset!r}")
        if (one.clip, one.column) in seen:
            raise DataError(f"{what}: the cell is corrected twice")
        seen.add((one.clip, one.column))
    return found


def apply_corrections(table: pd.DataFrame, name: str | Path) -> pd.DataFrame:
    """Return a copy of an annotation table in which the corrections called `name` are made.

    Parameters
    ----------
    table : DataFrame of str
        One row a clip, named by the column `clip_id` or, without such a column, by the index; cells as they stand in
        the annotation.
    name : str or path
        See `read_corrections`. Corrections of other data sets than the table's are passed over.

    Returns
    -------
    DataFrame of str
        With a further column `corrected`: what was changed and why, "" in rows that are as they were.

    Raises
    ------
    ParameterError
        If there are no such corrections.
    DataError
        If the table lacks the clip or column, has the clip twice, or a cell does not hold the old value: the
        corrections are made for another version of the table.

    Examples
    --------
    >>> table = pd.DataFrame({"apex": ["7"]}, index=["samm/006/006_1_2"])
    >>> apply_corrections(table, "mine.csv")  # doctest: +SKIP
    """
    repaired = table.copy()
    clip_ids = table["clip_id"] if "clip_id" in table else pd.Series(table.index, index=table.index)
    places: dict[str, list[int]] = {}
    for place, clip_id in enumerate(clip_ids):
        places.setdefault(str(clip_id), []).append(place)
    datasets = {clip_id.partition("/")[0] for clip_id in places}
    notes = [""] * len(table)
    if _NOTE in table:
        notes = table[_NOTE].to_list()
    for one in read_corrections(name):
        if one.dataset not in datasets:
            continue
        its_places = places.get(one.clip, [])
        if len(its_places) != 1:
            how = f"occurs in {len(its_places)} rows" if its_places else "is not in the annotation table"
            raise DataError(f"corrections {name}: clip {one.clip} {how}")
        if one.column not in table:
            raise DataError(f"corrections {name}: {one.clip}: the annotation table has no column {one.column!r}")
        place, column = its_places[0], _position(table.columns, one.column)
        found = str(table.iat[place, column]).strip()
        if not _matches(found, one.old, table.iloc[place]):
            raise DataError(
                f"corrections {name}: {one.clip}: {one.column} is {found!r}, the corrections expect {one.old!r}; "
                "they are made for another version of the table"
            )
        repaired.iat[place, column] = one.new
        new = repr(one.new) if one.new else "unknown"
        note = f"{one.column} {found!r} read as {new} (corrections {Path(name).stem}: {one.reason})"
        notes[place] = f"{notes[place]}; {note}" if notes[place] else note
    repaired[_NOTE] = pd.Series(notes, index=table.index, dtype="str")
    return repaired


def correction_notes(table: pd.DataFrame) -> dict[str, str]:
    """Return what `apply_corrections` changed, by clip_id: what a loader lists among its findings."""
    if _NOTE not in table:
        return {}
    clip_ids = table.get("clip_id", table.index)
    return {str(clip_id): str(note) for clip_id, note in zip(clip_ids, table[_NOTE], strict=True) if note}


def _matches(found: str, old: str, row: pd.Series) -> bool:
    """Tell whether a cell holds the old value, or compares with another cell as `>offset` or `<onset` say."""
    if old[:1] not in (">", "<") or old[1:] not in row:
        return found == old
    numbers = [_WHOLE.fullmatch(cell.strip()) for cell in (found, str(row[old[1:]]))]
    if numbers[0] is None or numbers[1] is None:
        return False
    here, there = int(numbers[0][1]), int(numbers[1][1])
    return here > there if old[0] == ">" else here < there


def _position(columns: pd.Index, name: Hashable) -> int:
    return columns.to_list().index(name)
