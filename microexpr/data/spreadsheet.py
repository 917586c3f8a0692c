"""Annotation tables in Excel workbooks, read as text: what looks like a number must not become one unasked."""

__all__ = ["read_columns", "read_sheets", "sheet_names"]

import re
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from microexpr.core.errors import DataError, join_names

_HEADER_ROWS = 30


def read_columns(
    path: str | Path, required: Sequence[str], *, optional: Sequence[str] = (), sheet: str | None = None
) -> pd.DataFrame:
    """Read columns of a workbook by their names, every cell as text.

    The sheet and the row that hold most of the required names are the header, among the first 30 rows of each sheet;
    names are compared without case, blanks and punctuation. Rows that are blank in these columns are passed over.

    Parameters
    ----------
    path : path of an .xlsx workbook
    required, optional : sequence of str
        The columns' names. Of several columns of one name the first counts.
    sheet : str, optional
        Look in the sheets alone whose name holds this word, in capitals or not.

    Returns
    -------
    DataFrame of str, indexed by the row's number in the sheet
        The required columns and those optional ones that exist, named as asked for. A blank cell is "".

    Raises
    ------
    DataError
        If the file is missing, no workbook that can be read, lacks the sheet or a required column, or two of its sheets
        hold rows under all of these columns.

    Examples
    --------
    >>> read_columns("CASME2-ObjectiveClasses.xlsx", ["Subject", "Filename", "Objective Class"])  # doctest: +SKIP
    """
    path = Path(path)
    wanted = {_reduced(name): name for name in required}
    hits, header, shown, body = 0, [""], [""], pd.DataFrame()
    complete: list[str] = []
    for title, cells in _chosen(path, sheet).items():
        best, start = 0, 0
        for position in range(min(_HEADER_ROWS, len(cells))):
            count = len(wanted.keys() & {_reduced(cell) for cell in cells.iloc[position]})
            best, start = (count, position) if count > best else (best, start)
        if best == len(wanted) and start + 1 < len(cells):
            complete.append(title)
        if best > hits:
            hits, body = best, cells.iloc[start + 1 :]
            header = [_reduced(cell) for cell in cells.iloc[start]]
            shown = [cell for cell in cells.iloc[start] if cell]
    if len(complete) > 1:
        raise DataError(f"{path}: several sheets hold the table: {join_names(map(repr, complete))}; keep one of them")
    if missing := [name for key, name in wanted.items() if key not in header]:
        there = f"the header has {join_names(map(repr, shown), 12)}" if hits > 1 else "no row holds the columns' names"
        raise DataError(f"{path}: no column {join_names(map(repr, missing), 12)}; {there}")
    wanted.update({_reduced(name): name for name in optional if _reduced(name) in header})
    table = pd.DataFrame({name: body.iloc[:, header.index(key)] for key, name in wanted.items()})
    return table[(table.apply(lambda column: column.str.strip()) != "").any(axis=1)]


def sheet_names(path: str | Path) -> tuple[str, ...]:
    """Return the names of a workbook's sheets, in order.

    Raises
    ------
    DataError
        If the file is missing or no workbook that can be read.
    """
    return tuple(read_sheets(path))


def _reduced(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _chosen(path: Path, word: str | None) -> dict[str, pd.DataFrame]:
    """Return the sheets whose name holds a word, or all."""
    sheets = read_sheets(path)
    chosen = {title: cells for title, cells in sheets.items() if word is None or word.lower() in title.lower()}
    if not chosen:
        raise DataError(f"{path}: no sheet {word!r}; there are {join_names(map(repr, sheets), 12)}")
    return chosen


def read_sheets(path: str | Path) -> dict[str, pd.DataFrame]:
    """Read every sheet of a workbook, every cell as text; for tables without a header.

    Parameters
    ----------
    path : path of an .xlsx workbook

    Returns
    -------
    dict of sheet's name -> DataFrame of str
        In the workbook's order, rows numbered from 1 as in the sheet. A blank cell is "".

    Raises
    ------
    DataError
        If the file is missing or no workbook that can be read.

    Examples
    --------
    >>> coding, *codes = read_sheets("CAS(ME)^2code_final.xlsx").values()  # doctest: +SKIP
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    if path.suffix.lower() != ".xlsx":
        raise DataError(f"{path}: not an .xlsx workbook; open it in a spreadsheet program and save it as one")
    try:
        with open(path, "rb") as file, warnings.catch_warnings():
            # openpyxl warns of styles and validation rules it does not keep; only the cells are read here.
            warnings.filterwarnings("ignore", module="openpyxl")
            sheets = pd.read_excel(
                file, sheet_name=None, header=None, dtype=str, keep_default_na=False, engine="openpyxl"
            )
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, SyntaxError):
        raise DataError(
            f"{path}: not a workbook that can be read; is it damaged, or an .xls under another name?"
        ) from None
    for sheet in sheets.values():
        sheet.index = pd.RangeIndex(1, len(sheet) + 1)
    return {str(title): sheet.fillna("") for title, sheet in sheets.items()}
