"""SMIC as its users hold it: the classic release, sorted by emotion, and SMIC-E with its table of formulas."""

__all__ = ["write_smic", "write_smic_extended"]

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.clip import Clip
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError
from microexpr.core.progress import progress
from microexpr.core.sources import ImageFilesSource
from microexpr.data._layouts.files import checked_frames, save_images
from microexpr.data._layouts.naming import subject_number

_FPS = {"HS": 100.0, "VIS": 25.0, "NIR": 25.0}
_CODES = {"negative": "ne", "positive": "po", "surprise": "sur"}
_HEADER = (
    *("Subject", "Filename", None, "OnsetF", "OffsetF", "OnsetF2", "OffsetF2", None, None, None),
    *("FirstF", "LastF", "TotalMF", "TotalVL", "Emotion"),
)


def write_smic(
    clipset: ClipSet, folder: Path, rng: np.random.Generator, *, quirks: bool, modality: str = "HS"
) -> ClipSet:
    """Write the clips from onset to offset; return them as a loader should read them.

    With quirks, numbers of subjects and clips' names are not padded: s1, s1_ne_01.
    """
    entries, sources = [], []
    with progress("writing clips", len(clipset)) as advance:
        for clip, number, emotion, count in _numbered(clipset):
            frames = checked_frames(clip, fps=_FPS[modality])
            frames = frames[int(clip.onset or 0) : int(clip.offset or 0) + 1]
            first = int(rng.integers(1_000, 2_000_000))
            subject = f"s{number}" if quirks else f"s{number:02d}"
            name = f"{subject}_{_CODES[emotion]}_{count:02d}"
            place = folder / "SMIC_all_cropped" / modality / subject / "micro" / emotion / name
            paths = save_images(place, [f"reg_image{first + step}.bmp" for step in range(len(frames))], frames)
            entry = _entry(number, emotion, count, modality)
            entries.append({**entry, "onset": 0, "offset": len(frames) - 1, "n_frames": len(frames)})
            sources.append(ImageFilesSource(paths))
            advance()
    return ClipSet(pd.DataFrame(entries).set_index("clip_id"), sources)


def write_smic_extended(
    clipset: ClipSet, folder: Path, rng: np.random.Generator, *, quirks: bool, modality: str = "HS"
) -> ClipSet:
    """Write the clips whole, with a table that holds formulas; return them as a loader should read them.

    With quirks, clips' names are not padded, one clip holds a second expression after the first, a sheet is there for
    the camera VIS too, and remarks stand below the table.
    """
    rows: list[list[Any]] = []
    entries, sources = [], []
    formulas: dict[str, str] = {}
    with progress("writing clips", len(clipset)) as advance:
        for clip, number, emotion, count in _numbered(clipset):
            frames = checked_frames(clip, fps=_FPS[modality])
            onset, offset, last = int(clip.onset or 0), int(clip.offset or 0), len(frames) - 1
            first = int(rng.integers(17_000_000, 18_000_000))
            name = (
                f"s{number}_{_CODES[emotion]}_{count:02d}" if quirks else f"s{number:02d}_{_CODES[emotion]}_{count:02d}"
            )
            place = folder / f"{modality}_long" / f"SMIC-{modality}-E" / modality / f"s{number:02d}" / name
            paths = save_images(place, [f"image{first + step}.bmp" for step in range(len(frames))], frames)
            second: tuple[int | None, int | None] = (None, None)
            if quirks and not rows and last - offset >= 4:
                second = (offset + 2, last - 1)
            cells: list[Any] = [number, name, None, first + onset, first + offset]
            cells += [None if one is None else first + one for one in second]
            cells += [None, None, None, first, first + last, offset - onset + 1, last + 1, emotion]
            line = len(rows) + 2
            formulas |= {f"D{line}": f"K{line}+{onset}", f"E{line}": f"D{line}+M{line}-1"}
            formulas |= {f"L{line}": f"K{line}+N{line}-1"}
            rows.append(cells)
            positions = {"onset": onset, "offset": offset, "onset2": second[0], "offset2": second[1]}
            entries.append({**_entry(number, emotion, count, modality), **positions, "n_frames": len(frames)})
            sources.append(ImageFilesSource(paths))
            advance()
    sheets: dict[str, list[Sequence[Any]]] = {modality: [_HEADER, *rows]}
    if quirks:
        sheets[modality] += [[], ["* first expression; the second one, where there is one, begins in OnsetF2"]]
        sheets.setdefault("VIS", [_HEADER, [11, "s11_ne_01", None, 1600, 1609, None, None, None, None, None, 1588]])
    _save_formulas(folder / f"{modality}_long" / f"SMIC-{modality}-E_annotation.xlsx", sheets, formulas)
    table = pd.DataFrame(entries).set_index("clip_id")
    return ClipSet(table.astype({"onset2": "Int64", "offset2": "Int64"}), sources)


def _numbered(clipset: ClipSet) -> Iterator[tuple[Clip, int, str, int]]:
    """Yield each clip with its subject, its emotion and its number among those of subject and emotion."""
    counts: dict[tuple[int, str], int] = {}
    for clip, row in zip(clipset.clips, clipset.table.itertuples(), strict=True):
        emotion = next((str(said) for said in (row.label, row.emotion) if said in _CODES), None)
        if emotion is None:
            raise DataError(f"{clip.clip_id}: emotion {row.emotion!r}; SMIC has {', '.join(_CODES)}")
        number = subject_number(clip)
        counts[number, emotion] = counts.get((number, emotion), 0) + 1
        yield clip, number, emotion, counts[number, emotion]


def _entry(number: int, emotion: str, count: int, modality: str) -> dict[str, Any]:
    """Return what a loader should say of a clip whatever its frames."""
    subject = f"s{number:02d}"
    name = f"{'' if modality == 'HS' else modality.lower() + '_'}{subject}_{_CODES[emotion]}_{count:02d}"
    return {
        **{"clip_id": f"smic/{subject}/{name}", "dataset": "smic", "subject": f"smic/{subject}", "emotion": emotion},
        **{"modality": modality, "apex": None, "fps": _FPS[modality]},
    }


def _save_formulas(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], formulas: Mapping[str, str]) -> None:
    """Write a workbook; cells of the first sheet named in `formulas` hold a formula and, as its stored value, the cell.

    A spreadsheet program stores both; openpyxl writes formulas without their values, so they are put into the file.
    """
    from openpyxl import Workbook

    book = Workbook()
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    book.remove(book.worksheets[0])
    draft = path.with_suffix(".draft")
    try:
        book.save(draft)
        with zipfile.ZipFile(draft) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
            for name in source.namelist():
                content = source.read(name)
                if name == "xl/worksheets/sheet1.xml":
                    content = _insert(content.decode(), formulas).encode()
                target.writestr(name, content)
        draft.unlink()
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        book.close()


def _insert(xml: str, formulas: Mapping[str, str]) -> str:
    def put(match: re.Match[str]) -> str:
        formula = formulas.get(match[2])
        return f"{match[1]}<f>{formula}</f><v>" if formula else match[0]

    return re.sub(r'(<c r="([A-Z]+\d+)"[^>]*>)<v>', put, xml)
