"""What writers share beside files: subjects' numbers, spelling of emotions, the row a loader should find, workbooks."""

__all__ = ["CATEGORIES", "clip_entry", "save_book", "spelt_emotion", "subject_number"]

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError

# The emotions of synthetic clips that other data sets sum up.
CATEGORIES = {"happiness": "positive", "surprise": "surprise", "others": "others"}


def subject_number(clip: Clip) -> int:
    """Return the number in a subject's name, 1 for `synthetic/sub01`.

    Raises
    ------
    DataError
        If there is none.
    """
    number = re.fullmatch(r".*/sub(\d+)", clip.subject)
    if number is None:
        raise DataError(
            f"{clip.clip_id}: subject {clip.subject!r}; this layout numbers its subjects: sub01, sub02, ..."
        )
    return int(number[1])


def spelt_emotion(clip_id: str, emotion: Any, spelling: Mapping[str, str], default: str | None = None) -> str:
    """Return an emotion as the data set spells it.

    Raises
    ------
    DataError
        If the clip has none.
    """
    if pd.isna(emotion):
        raise DataError(f"{clip_id}: no emotion; this layout needs one for every clip")
    return spelling.get(str(emotion), default or str(emotion))


def clip_entry(
    clip_id: str, positions: Sequence[int | None], *, emotion: str, aus: str | None, n_frames: int, fps: float
) -> dict[str, Any]:
    """Return the row of a clip, as its loader should find it."""
    dataset, subject, _ = clip_id.split("/", 2)
    return {
        "clip_id": clip_id,
        "dataset": dataset,
        "subject": f"{dataset}/{subject}",
        "emotion": emotion,
        **dict(zip(("onset", "apex", "offset"), positions, strict=True)),
        "n_frames": n_frames,
        "fps": fps,
        "aus": aus,
    }


def save_book(path: Path, sheets: Mapping[str, Sequence[Sequence[str | int | None]]]) -> None:
    """Write a workbook of several sheets of bare rows; text cells stay text, even those that look like numbers.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row, start=1):
                cell = sheet.cell(row=number, column=column, value=value)
                if isinstance(value, str):
                    cell.number_format = "@"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        book.save(path)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        book.close()
