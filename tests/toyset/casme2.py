"""A CASME II of a few tiny clips on disk, tables and frames laid out as its users hold them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook
from PIL import Image

TABLE_2014 = "CASME2-coding-20140508.xlsx"
TABLE_2019 = "CASME2-coding-20190701.xlsx"


@dataclass(frozen=True)
class Toy:
    """One annotation: cells as they stand in the table, and the numbers of the frames on disk."""

    subject: object
    filename: object
    onset: object
    apex: object
    offset: object
    emotion: object
    aus: object
    numbers: Sequence[int]
    objective: object = 1

    @property
    def folder(self) -> str:
        return f"sub{int(str(self.subject)):02d}/{self.filename}"


#: Subjects as text and as numbers, unpadded frame numbers that pass 9 and 99, an apex "/", AU cells of all kinds.
TOYS = (
    Toy("01", "EP02_01f", 8, 10, 12, "happiness", 12, range(8, 13), 1),
    Toy("01", "EP19_05f", 98, 100, 102, "disgust", "4+L10", range(98, 103), 4),
    Toy(2, "EP01_11f", 46, 46, 48, "repression", "R1+R2", range(46, 49), 5),
    Toy(2, "EP09_01", 1, 2, 3, "others", "?", range(1, 4), 7),
    Toy("04", "EP12_01f", 20, "/", 23, "disgust", "4", range(20, 24), 4),
    Toy(17, "EP03_09", "5", "6", "7", "surprise", "1+2", range(5, 8), 2),
)


def write_table(path: Path, toys: Iterable[Toy] = TOYS, *, objective: bool = False) -> None:
    """Write a coding table with the two blank columns of the real one."""
    workbook = Workbook()
    header = ["Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None]
    rows: list[list[object]] = [[*header, "Action Units", "Estimated Emotion", *["Objective Classes"] * objective]]
    for toy in toys:
        row = [toy.subject, toy.filename, None, toy.onset, toy.apex, toy.offset, None, toy.aus, toy.emotion]
        rows.append([*row, *[toy.objective] * objective])
    for row in rows:
        workbook.active.append(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    workbook.save(path)


def write_frames(folder: Path, toys: Iterable[Toy] = TOYS, *, prefix: str = "reg_img", suffix: str = ".jpg") -> None:
    """Write each clip's frames, 10 rows by 12 columns, every pixel as grey as the frame's number."""
    for toy in toys:
        clip = folder / toy.folder
        clip.mkdir(parents=True)
        for number in toy.numbers:
            Image.new("L", (12, 10), number).save(clip / f"{prefix}{number}{suffix}")


def write_casme2(root: Path, toys: Iterable[Toy] = TOYS) -> Path:
    """Write the 2014 table and the cropped frames; return the folder."""
    toys = tuple(toys)
    write_table(root / TABLE_2014, toys)
    write_frames(root / "Cropped", toys)
    return root
