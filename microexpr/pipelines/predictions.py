"""The predictions table: one row per clip, its columns, its checks, and its CSV file."""

__all__ = [
    "COLUMNS",
    "KEY_COLUMNS",
    "check_classes",
    "check_predictions",
    "class_columns",
    "infer_classes",
    "predictions_csv",
    "read_predictions",
    "read_text",
    "write_predictions",
]

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from microexpr.core.atomic import write_atomic
from microexpr.core.errors import DataError, ParameterError, join_names

COLUMNS = (
    "run_key",
    "method",
    "dataset",
    "labels",
    "protocol",
    "seed",
    "fold",
    "clip_id",
    "subject",
    "y_true",
    "y_pred",
)
"""The columns of a stored run, in order; `proba_<class>` or `score_<class>` columns follow them."""

KEY_COLUMNS = ("dataset", "clip_id", "subject", "y_true", "y_pred")
"""The columns without which nothing can be scored; a MEGC log has just these."""

_PREFIXES = ("proba_", "score_")


def check_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """Return the class order as a tuple.

    Raises
    ------
    ParameterError
        If `classes` is one string, is empty, repeats a class, or holds anything but non-empty strings.
    """
    names = () if isinstance(classes, str) else tuple(classes)
    if not names or len(set(names)) != len(names) or not all(isinstance(name, str) and name for name in names):
        raise ParameterError(f"classes is {classes!r}: it must be a sequence of distinct class names")
    return names


def check_predictions(predictions: pd.DataFrame, classes: Sequence[str]) -> tuple[str, ...]:
    """Check that a table can be scored over `classes`, and return them as a tuple.

    Raises
    ------
    ParameterError
        If `classes` is no sequence of distinct names.
    DataError
        If the table is empty, lacks a key column or a value in it, repeats a clip, or holds a label that
        is none of `classes`.
    """
    names = check_classes(classes)
    if missing := [column for column in KEY_COLUMNS if column not in predictions.columns]:
        raise DataError(f"predictions lack the column {join_names(missing)}")
    if predictions.empty:
        raise DataError("predictions are empty: there is no clip to score")
    clips = predictions["clip_id"]
    for column in KEY_COLUMNS:
        if (gaps := predictions[column].isna().to_numpy()).any():
            raise DataError(f"predictions have no {column} for {join_names(clips[gaps])}")
    if (repeated := clips.duplicated().to_numpy()).any():
        raise DataError(
            f"predictions name a clip more than once: {join_names(clips[repeated].unique())}; "
            "one method and one seed are scored at a time"
        )
    for column in ("y_true", "y_pred"):
        if (strange := ~predictions[column].isin(names).to_numpy()).any():
            labels = join_names(map(repr, predictions[column][strange].unique()))
            raise DataError(
                f"predictions have {column} {labels} ({join_names(clips[strange], limit=3)}), "
                f"which is none of the classes {join_names(names, limit=10)}"
            )
    return names


def class_columns(predictions: pd.DataFrame) -> dict[str, str]:
    """Return the column of each class, `{class: column}`, in the table's order; empty where there are none.

    Probabilities (`proba_<class>`) are taken before decision values (`score_<class>`) where both are there.
    """
    for prefix in _PREFIXES:
        columns = [str(column) for column in predictions.columns if str(column).startswith(prefix)]
        if columns:
            return {column.removeprefix(prefix): column for column in columns}
    return {}


def infer_classes(predictions: pd.DataFrame) -> tuple[str, ...]:
    """Return a class order for a table that comes without one.

    The classes with a column of their own come first, in the table's order; labels of `y_true` and `y_pred`
    beyond those follow by name. A class that has neither column nor clip cannot be known.
    """
    classes = dict.fromkeys(class_columns(predictions))
    seen = pd.concat([predictions["y_true"], predictions["y_pred"]]).dropna().unique()
    classes.update(dict.fromkeys(sorted(map(str, seen))))
    return tuple(classes)


def predictions_csv(predictions: pd.DataFrame) -> bytes:
    """Return a predictions table as the content of a CSV file.

    Numbers are written with as many digits as bring back the same double; the index is left out.

    Raises
    ------
    DataError
        If a key column is missing, or a column of text lacks a value.
    """
    if missing := [column for column in KEY_COLUMNS if column not in predictions.columns]:
        raise DataError(f"predictions lack the column {join_names(missing)}")
    table = predictions.copy()
    for column in table.columns:
        if str(column).startswith(_PREFIXES):
            # A float32 is written with the digits of the double it equals, which is how it is read.
            table[column] = table[column].astype(np.float64)
        elif (gaps := table[column].isna().to_numpy()).any():
            raise DataError(f"predictions have no {column} for {join_names(table['clip_id'][gaps])}")
    content = table.to_csv(index=False, lineterminator="\n")
    if "\r" in content:
        # The writer leaves a carriage return bare, and readers take it for a line end.
        content = table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return content.encode()


def write_predictions(predictions: pd.DataFrame, path: str | Path) -> None:
    """Write a predictions table as CSV (`predictions_csv`), whole or not at all.

    Raises
    ------
    DataError
        If a key column is missing, or a column of text lacks a value.
    ResultsError
        If the file cannot be written.
    """
    write_atomic(Path(path), predictions_csv(predictions))


def read_predictions(path: str | Path) -> pd.DataFrame:
    """Read a predictions table from CSV.

    Every column is text, so that subjects 6, 006 and s6 stay three people and a class called "NA" stays a
    class. Only `seed` (integer) and the class columns (float64, the exact doubles written) are numbers. An
    empty cell of a class column is NaN. Of `COLUMNS`, only `KEY_COLUMNS` must be there.

    Returns
    -------
    DataFrame
        The rows and columns in the file's order.

    Raises
    ------
    DataError
        If the file is missing, is no UTF-8 CSV file, lacks a key column, repeats a column, or a row has
        another number of cells or no number where one belongs; the message names file, line and rule.
    """
    source = Path(path)
    reader = csv.reader(io.StringIO(read_text(source), newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{source} line {reader.line_num}: not readable as CSV ({error})") from None
    if not rows:
        raise DataError(f"{source} is empty: a header line with {', '.join(KEY_COLUMNS)} is expected")
    header = rows[0]
    if missing := [column for column in KEY_COLUMNS if column not in header]:
        raise DataError(f"{source} line {lines[0]}: the header lacks the column {join_names(missing)}")
    if len(set(header)) != len(header):
        repeated = dict.fromkeys(column for column in header if header.count(column) > 1)
        raise DataError(f"{source} line {lines[0]}: the header repeats the column {join_names(repeated)}")
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(header):
            raise DataError(f"{source} line {line}: {len(row)} cells, where the header has {len(header)}")
    cells = list(zip(*rows[1:], strict=True)) or [()] * len(header)
    places = [f"{source} line {line}" for line in lines[1:]]
    return pd.DataFrame({column: _column(column, cells[i], places) for i, column in enumerate(header)})


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, without a byte order mark and with its line ends as they are.

    Raises
    ------
    DataError
        If it is missing, a folder, unreadable or not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise DataError(f"cannot read {path}: it is not UTF-8 text") from None


def _column(name: str, cells: Sequence[str], places: Sequence[str]) -> pd.Series:
    """Return one column of the file in its type."""
    if name != "seed" and not name.startswith(_PREFIXES):
        return pd.Series(list(cells), dtype="str")
    kind: type[int] | type[float] = int if name == "seed" else float
    numbers = []
    for cell, place in zip(cells, places, strict=True):
        try:
            numbers.append(math.nan if kind is float and not cell else kind(cell))
        except ValueError:
            rule = "an integer" if kind is int else "a number"
            raise DataError(f"{place}: {name} is {cell!r}; it must be {rule}") from None
    return pd.Series(numbers, dtype=np.int64 if kind is int else np.float64)
