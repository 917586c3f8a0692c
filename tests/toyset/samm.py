"""A SAMM of a few tiny clips on disk, table and frames laid out as its users hold them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from toyset.tables import write_book, write_numbered

TABLE = "SAMM_Micro_FACS_Codes_v2.xlsx"
HEADER = (
    *("Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame", "Duration", "Micro"),
    *("Action Units", "Estimated Emotion", "Objective Classes", "Notes"),
)


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
    objective: object
    numbers: Sequence[int]

    @property
    def folder(self) -> str:
        return f"{str(self.filename)[:3]}/{self.filename}"

    @property
    def row(self) -> tuple[object, ...]:
        parts = (self.subject, self.filename, 1, self.onset, self.apex, self.offset, 5, "Micro - 1/2")
        return (*parts, self.aus, self.emotion, self.objective, None)


#: Subjects as text and as numbers, action units of all kinds, classes as numerals.
TOYS = (
    Toy("006", "006_1_2", 98, 100, 102, "Anger", "4A/B", "III", range(98, 103)),
    Toy("006", "006_1_3", 5562, 5563, 5565, "Happiness", 12, "I", range(5562, 5566)),
    Toy(7, "007_3_1", "9", "10", "11", "Other", "A/L12", "VII", range(8, 13)),
    Toy("028", "028_2_1", 20, 22, 23, "Surprise", "(R6 or R12)+R15", "II", range(20, 24)),
)
#: The two impossible apexes of the real table: after the offset, before the onset.
TYPOS = (
    Toy("028", "028_4_1", 40, 99, 43, "Contempt", "R14", "VII", range(40, 44)),
    Toy("032", "032_3_1", 50, 31, 53, "Anger", "4", "III", range(50, 54)),
)


def write_table(path: Path, toys: Iterable[Toy] = TOYS, *, header: Sequence[object] = HEADER) -> None:
    """Write the table of FACS codes below 13 rows of preamble."""
    preamble: list[Sequence[object]] = [["SAMM: micro-facial movements"], *([f"line {n}"] for n in range(2, 13)), []]
    write_book(path, [*preamble, header, *(toy.row for toy in toys)])


def write_frames(folder: Path, toys: Iterable[Toy] = TOYS) -> None:
    """Write each clip's frames, padded to five digits."""
    for toy in toys:
        write_numbered(folder / toy.folder, [f"{toy.folder[:3]}_{number:05d}.jpg" for number in toy.numbers])


def write_samm(root: Path, toys: Iterable[Toy] = TOYS) -> Path:
    """Write table and frames; return the folder."""
    toys = tuple(toys)
    write_table(root / TABLE, toys)
    write_frames(root, toys)
    return root
