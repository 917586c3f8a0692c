"""SMIC in a few tiny clips on disk: the classic release and SMIC-E, laid out as their users hold them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from toyset.tables import write_book, write_numbered

TABLE = "SMIC-HS-E_annotation.xlsx"
HEADER = ("Subject", "Filename", None, "OnsetF", "OffsetF", "OnsetF2", "OffsetF2", "FirstF", "LastF", "Emotion")
#: Folders of clips below a camera's, un-padded as in the real set, and the numbers of their frames.
CLIPS: Mapping[str, Sequence[int]] = {
    "s1/micro/negative/s1_ne_01": range(98, 103),
    "s1/micro/negative/s1_ne_02": range(7, 12),
    "s1/micro/surprise/s1_sur_01": range(5, 9),
    "s20/micro/positive/s20_po_01": range(1, 5),
}
NAMES = ("smic/s01/s01_ne_01", "smic/s01/s01_ne_02", "smic/s01/s01_sur_01", "smic/s20/s20_po_01")


def write_smic(root: Path, clips: Mapping[str, Sequence[int]] = CLIPS, *, below: str = "SMIC_all_cropped/HS") -> Path:
    """Write the classic release; return the folder."""
    for folder, numbers in clips.items():
        write_numbered(root / below / folder, [f"reg_image{number}.bmp" for number in numbers])
    return root


#: Rows of SMIC-E; frame numbers are absolute, and one clip holds a second expression.
ROWS: tuple[tuple[object, ...], ...] = (
    (1, "s1_ne_01", None, 17581040, 17581042, None, None, 17581039, 17581044, "negative"),
    (1, "s1_ne_02", None, 17600003, 17600004, 17600006, 17600007, 17600001, 17600008, "negative"),
    ("20", "s20_sur_01", None, "300", "302", None, None, "298", "303", "surprise"),
)


def write_extended(root: Path, rows: Iterable[Sequence[object]] = ROWS, *, renumbered: bool = False) -> Path:
    """Write SMIC-E, its frames from FirstF to LastF (or `renumbered` from 1); return the folder."""
    rows = tuple(rows)
    write_book(root / "HS_long" / TABLE, [HEADER, *rows], sheet="HS")
    for subject, name, *_, first, last, _ in rows:
        shift = int(str(first)) - 1 if renumbered else 0
        numbers = range(int(str(first)) - shift, int(str(last)) - shift + 1)
        folder = root / "HS_long" / "SMIC-HS-E" / "HS" / f"s{int(str(subject)):02d}" / str(name)
        write_numbered(folder, [f"image{number}.bmp" for number in numbers])
    return root
