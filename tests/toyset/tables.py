"""What the toy data sets share: workbooks, and folders of numbered frames."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from openpyxl import Workbook
from PIL import Image


def write_book(path: Path, rows: Iterable[Sequence[object]], *, sheet: str = "Sheet1") -> None:
    """Write a workbook of one sheet."""
    workbook = Workbook()
    workbook.active.title = sheet
    for row in rows:
        workbook.active.append(list(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    workbook.save(path)


def write_numbered(folder: Path, names: Iterable[str]) -> None:
    """Write one frame a name, 10 rows by 12 columns; every pixel as grey as the number that ends its name."""
    folder.mkdir(parents=True)
    for name in names:
        number = re.search(r"(\d+)\.\w+$", name)
        assert number is not None
        Image.new("L", (12, 10), int(number[1]) % 256).save(folder / name)


def write_empty(folder: Path, names: Iterable[str]) -> None:
    """Write empty files: loaders open no image."""
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
