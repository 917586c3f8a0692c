"""Annotation tables in Excel workbooks, read as text: what looks like a number must not become one unasked."""

__all__ = ["read_columns"]

import re
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from microexpr.core.errors import DataError, join_names

_HEADER_ROWS = 30


def read_columns(path: str | Path, required: Sequence[str], *, optional: Sequence[str] = ()) -> pd.DataFrame:
    """Read columns of a workbook by their names, every cell as text.

    The sheet and the row that hold most of the required names are the header, among the first 30 rows of each sheet;
    names are compared without case, blanks and punctuation. Rows that are blank in these columns are passed over.

    Parameters
    ----------
    path : path of an .xlsx workbook
    required, optional : sequence of str
        The columns' names. Of several columns of one name the first counts.

    Returns
    -------
    DataFrame of str, indexed by the row's number in the sheet
        The required columns and those optional ones that exist, named as asked for. A blank cell is "".

    Raises
    ------
    DataError
        If the file is missing, no workbook that can be read, or lacks a required column.

    Examples
    --------
    >>> read_columns("CASME2-ObjectiveClasses.xlsx", ["Subject", "Filename", "Objective Class"])  # doctest: +SKIP
    """
    path = Path(path)
    wanted = {_reduced(name): name for name in required}
    hits, header, body = 0, [""], pd.DataFrame()
    for sheet in _sheets(path):
        for position in range(min(_HEADER_ROWS, len(sheet))):
            names = [_reduced(cell) for cell in sheet.iloc[position]]
            if len(wanted.keys() & set(names)) > hits:
                hits, header, body = len(wanted.keys() & set(names)), names, sheet.iloc[position + 1 :]
                shown = [cell for cell in sheet.iloc[position] if cell]
    if missing := [name for key, name in wanted.items() if key not in header]:
        there = f"the header has {join_names(map(repr, shown), 12)}" if hits > 1 else "no row holds the columns' names"
        raise DataError(f"{path}: no column {join_names(map(repr, missing), 12)}; {there}")
    wanted.update({_reduced(name): name for name in optional if _reduced(name) in header})
    table = pd.DataFrame({name: body.iloc[:, header.index(key)] for key, name in wanted.items()})
    return table[(table.apply(lambda column: column.str.strip()) != "").any(axis=1)]


def _reduced(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _sheets(path: Path) -> list[pd.DataFrame]:
    """Return the cells of every sheet as text, rows numbered as in the sheet."""
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
    return [sheet.fillna("") for sheet in sheets.values()]
