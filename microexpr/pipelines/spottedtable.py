"""The table of intervals found in videos: one row an interval, its columns, and its CSV file."""

__all__ = ["SPOTTED_COLUMNS", "read_spotted", "spotted_table", "write_spotted"]

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.atomic import write_atomic
from microexpr.core.errors import DataError, join_names
from microexpr.pipelines.predictions import read_text

SPOTTED_COLUMNS = (
    "run_key",
    "method",
    "dataset",
    "protocol",
    "seed",
    "fold",
    "video_id",
    "subject",
    "onset",
    "apex",
    "offset",
    "kind",
    "score",
    "region",
    "duration",
    "threshold",
)
"""The columns of a stored run, in order; with a recognizer `label` and `proba_<class>` or `score_<class>` follow."""

_WHOLE = ("seed", "onset", "apex", "offset")
_NUMBERS = ("score", "duration", "threshold")
_CLASS_PREFIXES = ("proba_", "score_")


def spotted_table(rows: Sequence[Mapping[str, Any]], class_columns: Sequence[str] = ()) -> pd.DataFrame:
    """Return found intervals as a table whose columns are of the right kinds, even without a row.

    Parameters
    ----------
    rows : sequence of mappings with the keys `SPOTTED_COLUMNS`
    class_columns : sequence of str
        `label` and those of the classes, where a recognizer named the intervals; a row may lack the latter.

    Returns
    -------
    DataFrame
    """
    columns = [*SPOTTED_COLUMNS, *class_columns]
    table = pd.DataFrame([dict(row) for row in rows], columns=columns)
    return table.astype({name: _kind(name) for name in columns})


def write_spotted(table: pd.DataFrame, path: str | Path) -> None:
    """Write the table as CSV, whole or not at all; numbers with as many digits as bring back the same double.

    Raises
    ------
    DataError
        If a column is missing.
    ResultsError
        If the file cannot be written.
    """
    if missing := [name for name in SPOTTED_COLUMNS if name not in table]:
        raise DataError(f"the table of intervals lacks the column {join_names(missing)}")
    write_atomic(Path(path), table.to_csv(index=False, lineterminator="\n").encode())


def read_spotted(path: str | Path) -> pd.DataFrame:
    """Read a table of found intervals from CSV; names are text, whatever they look like.

    Raises
    ------
    DataError
        If the file is missing, is no CSV file, lacks a column, or a cell holds no number where one belongs; the
        message names file, line and rule.

    Examples
    --------
    >>> import tempfile
    >>> row = dict.fromkeys(SPOTTED_COLUMNS, "x") | dict.fromkeys(("seed", "onset", "apex", "offset", "score"), 7)
    >>> table = spotted_table([row | {"duration": 0.2, "threshold": 0.1}])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_spotted(table, f"{folder}/intervals.csv")
    ...     read_spotted(f"{folder}/intervals.csv").equals(table)
    True
    """
    source = Path(path)
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(source), newline=""), strict=True))
        header = list(next(csv.reader(io.StringIO(read_text(source), newline="")), []))
    except csv.Error as error:
        raise DataError(f"{source}: not readable as CSV ({error})") from None
    if missing := [name for name in SPOTTED_COLUMNS if name not in header]:
        raise DataError(f"{source}: the header lacks the column {join_names(missing)}")
    for line, row in enumerate(rows, start=2):
        for name, cell in row.items():
            if name is None or cell is None:
                raise DataError(f"{source} line {line}: more or fewer cells than the header's {len(header)}")
            row[name] = _read_cell(name, cell, f"{source} line {line}")
    return spotted_table(rows, header[len(SPOTTED_COLUMNS) :])


def _read_cell(name: str, cell: str, place: str) -> Any:
    kind = _kind(name)
    if kind == "str":
        return cell
    if not cell and name.startswith(_CLASS_PREFIXES):
        return np.nan
    try:
        return int(cell) if kind == "int64" else float(cell)
    except ValueError:
        rule = "an integer" if kind == "int64" else "a number"
        raise DataError(f"{place}: {name} is {cell!r}: it must be {rule}") from None


def _kind(name: str) -> str:
    if name in _WHOLE:
        return "int64"
    return "float64" if name in _NUMBERS or name.startswith(_CLASS_PREFIXES) else "str"
