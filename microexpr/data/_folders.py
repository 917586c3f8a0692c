"""Folders of clips on disk: finding tables and subjects' folders below a root, and numbering a clip's images."""

__all__ = [
    "DEPTH",
    "IMAGES",
    "Found",
    "checked_root",
    "chosen_frames",
    "chosen_table",
    "entries",
    "holds_images",
    "numbered_images",
    "search",
]

import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from microexpr.core.errors import DataError, join_names

#: How many levels of folders below the root are looked through.
DEPTH = 3
#: The suffixes of image files, in lower case.
IMAGES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"})

_FRAME_NUMBER = re.compile(r"(\d+)\s*$")


@dataclass
class Found:
    """What lies in and below a folder (tables also above it), nearest first.

    Parameters
    ----------
    tables : list of (kind, path)
    frames : list of folders that hold subjects' (or classes') folders
    """

    tables: list[tuple[str, Path]] = field(default_factory=list)
    frames: list[Path] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Path]:
        """Return the paths of the tables of these kinds."""
        return [path for kind, path in self.tables if kind in kinds]


def checked_root(root: str | Path, title: str) -> Path:
    """Return `root` with its `~` expanded.

    Raises
    ------
    DataError
        If it is no folder.
    """
    path = Path(root).expanduser()
    if not path.is_dir():
        raise DataError(f"{path}: {f'a file; {title} is a folder' if path.exists() else 'no such folder'}")
    return path


def search(root: Path, tables: Mapping[str, re.Pattern[str]], subject: re.Pattern[str], *, depth: int = DEPTH) -> Found:
    """Look through `root`, `depth` levels of folders below it and the files of the two folders above.

    A folder with a subfolder whose whole name matches `subject` holds frames; such subfolders are not entered. A file
    whose whole name matches a pattern of `tables` is a table of that kind, the first that matches.

    Raises
    ------
    DataError
        If a folder cannot be read.
    """
    found = Found()
    level = [root]
    for step in range(depth + 1):
        below: list[Path] = []
        for folder in level:
            subfolders = _look(folder, tables, found)
            if any(subject.fullmatch(name) for name in subfolders):
                found.frames.append(folder)
            below += [folder / name for name in subfolders if not subject.fullmatch(name)]
        level = below if step < depth else []
    for above in root.resolve().parents[:2]:
        with contextlib.suppress(DataError):
            _look(above, tables, found)
    return found


def _look(folder: Path, tables: Mapping[str, re.Pattern[str]], found: Found) -> list[str]:
    """Note the tables in a folder; return the names of its subfolders."""
    subfolders = []
    for entry in entries(folder):
        if entry.is_dir():
            subfolders.append(entry.name)
        elif kind := next((kind for kind, pattern in tables.items() if pattern.fullmatch(entry.name)), None):
            found.tables.append((kind, Path(entry.path)))
    return subfolders


def chosen_table(root: Path, candidates: list[Path], title: str, name: str, annotation: str | Path | None) -> Path:
    """Return the annotation table: `annotation` if given, else the candidate of the documented name, else the nearest.

    Raises
    ------
    DataError
        If there is none.
    """
    if annotation is not None:
        path = Path(annotation).expanduser()
        if not path.is_file():
            raise DataError(f"annotation {path}: no such file")
        return path
    documented = [path for path in candidates if path.name.lower() == name.lower()]
    if not candidates:
        raise DataError(
            f"{root}: no annotation table of {title}; looked for {name} in this folder, {DEPTH} levels below and in "
            "the two folders above"
        )
    # An .xls is chosen only where there is nothing else: nobody here reads it, but the refusal tells what is wrong.
    return min(documented or candidates, key=lambda path: path.suffix.lower() != ".xlsx")


def chosen_frames(root: Path, candidates: list[Path], title: str, example: str) -> Path:
    """Return the one folder of frames; of several that of the documented name, the first part of `example`.

    Raises
    ------
    DataError
        If there is none, or no telling which.
    """
    documented = [folder for folder in candidates if folder.name.lower() == example.split("/")[0].lower()]
    chosen = documented or candidates
    if not chosen:
        raise DataError(f"{root}: no frames of {title}; looked for {example} in this folder and {DEPTH} levels below")
    if len(chosen) > 1:
        raise DataError(f"{root}: several folders hold frames of {title}: {join_names(chosen)}; name one of them")
    return chosen[0]


def entries(folder: str | Path) -> list[os.DirEntry[str]]:
    """Return a folder's entries by name, without hidden files (`._x`, `.DS_Store`) and Office's locks (`~$x`).

    Raises
    ------
    DataError
        If the folder cannot be read.
    """
    try:
        with os.scandir(folder) as found:
            return sorted((e for e in found if not e.name.startswith((".", "~$"))), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}") from None


def holds_images(folder: str | Path) -> bool:
    """Return whether a folder holds an image file."""
    return any(os.path.splitext(entry.name)[1].lower() in IMAGES and not entry.is_dir() for entry in entries(folder))


def numbered_images(folder: str | Path) -> tuple[dict[int, str], str | None]:
    """Return a clip's image files by the number that ends their name, in order, and what is wrong with their names.

    Raises
    ------
    DataError
        If the folder cannot be read.
    """
    files: dict[int, str] = {}
    for entry in entries(folder):
        stem, suffix = os.path.splitext(entry.name)
        if suffix.lower() not in IMAGES or entry.is_dir():
            continue
        match = _FRAME_NUMBER.search(stem)
        if match is None:
            return files, f"no frame number in the name of {entry.path}"
        number = int(match[1])
        if number in files:
            return files, f"frame {number} occurs twice: {files[number]} and {entry.path}"
        files[number] = entry.path
    return dict(sorted(files.items())), None if files else f"an empty folder, no images in {folder}"
