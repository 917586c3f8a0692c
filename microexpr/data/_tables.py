"""Annotation tables with their columns named as loaders call them, and corrected where that is asked for."""

__all__ = ["named_columns", "with_corrections", "xlsx_first"]

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from microexpr.data.corrections import apply_corrections
from microexpr.data.spreadsheet import read_columns


def named_columns(
    path: Path, columns: Mapping[str, str], *, optional: Mapping[str, str | Sequence[str]] | None = None
) -> pd.DataFrame:
    """Read columns of a workbook as text, stripped (the action units apart) and named as loaders call them.

    Parameters
    ----------
    path : path of an .xlsx workbook
    columns : mapping of our name -> the table's
    optional : mapping of our name -> the table's name, or several of which the first that exists counts

    Raises
    ------
    DataError
        If the file is no workbook that can be read or lacks a column.
    """
    spelt = {name: [given] if isinstance(given, str) else list(given) for name, given in (optional or {}).items()}
    table = read_columns(path, list(columns.values()), optional=[one for given in spelt.values() for one in given])
    chosen = {table_name: name for name, table_name in columns.items()}
    for name, given in spelt.items():
        chosen.update(dict.fromkeys([one for one in given if one in table][:1], name))
    table = table[list(chosen)].rename(columns=chosen)
    plain = table.columns.difference(["aus"])
    table[plain] = table[plain].apply(lambda column: column.str.strip())
    return table


def with_corrections(table: pd.DataFrame, clip_ids: Sequence[str], corrections: str | Path | None) -> pd.DataFrame:
    """Return the table with its clip_ids as a column and, where asked for, with corrections made."""
    table = table.assign(clip_id=list(clip_ids))
    return table if corrections is None else apply_corrections(table, corrections)


def xlsx_first(paths: Iterable[Path]) -> list[Path]:
    """Return the paths, each .xls last: it is read by nobody here, but its name explains what is wrong."""
    return sorted(paths, key=lambda path: path.suffix.lower() != ".xlsx")
