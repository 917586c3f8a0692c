"""What all writers of layouts share: image files, workbooks, and clips checked for what their table must say."""

__all__ = ["checked_frames", "save_images", "save_jpegs", "save_sheet"]

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError

# Little enough loss that a motion of a tenth of a pixel survives.
_QUALITY = 95


def checked_frames(clip: Clip, *, fps: float) -> np.ndarray:
    """Return the clip's frames, uint8 (n_frames, height, width[, 3]).

    Raises
    ------
    DataError
        If the clip has no onset or offset, its frames are not uint8, or its frame rate is not the data set's.
    """
    for name in ("onset", "offset"):
        if getattr(clip, name) is None:
            raise DataError(f"{clip.clip_id}: no {name}; this layout needs one for every clip")
    if clip.fps is not None and clip.fps != fps:
        raise DataError(f"{clip.clip_id}: {clip.fps:g} frames per second; the data set of this layout has {fps:g}")
    frames = clip.frames()
    if frames.dtype != np.uint8:
        raise DataError(f"{clip.clip_id}: frames of dtype {frames.dtype}; image files hold uint8")
    return frames


def save_jpegs(folder: Path, names: Sequence[str], frames: np.ndarray) -> list[Path]:
    """Write one JPEG a frame, colour at full resolution; return the paths.

    Raises
    ------
    DataError
        If the folder cannot be written.
    """
    from PIL import Image

    paths = [folder / name for name in names]
    try:
        folder.mkdir(parents=True)
        for path, frame in zip(paths, frames, strict=True):
            Image.fromarray(frame).save(path, format="JPEG", quality=_QUALITY, subsampling=0)
    except OSError as error:
        raise DataError(f"cannot write {error.filename or folder}: {error.strerror or error}") from error
    return paths


def save_images(folder: Path, names: Sequence[str], frames: np.ndarray) -> list[Path]:
    """Write one image a frame, without loss, in the format of the names' suffix (.bmp, .png); return the paths.

    Raises
    ------
    DataError
        If the folder cannot be written.
    """
    from PIL import Image

    paths = [folder / name for name in names]
    try:
        folder.mkdir(parents=True)
        for path, frame in zip(paths, frames, strict=True):
            Image.fromarray(frame).save(path)
    except OSError as error:
        raise DataError(f"cannot write {error.filename or folder}: {error.strerror or error}") from error
    return paths


def save_sheet(path: Path, header: Sequence[str | None], rows: Sequence[Sequence[str | int | None]]) -> None:
    """Write a workbook of one sheet; text cells stay text, even those that look like numbers.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = "Sheet1"
    for number, row in enumerate([header, *rows], start=1):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(row=number, column=column, value=value)
            if isinstance(value, str):
                cell.number_format = "@"
    try:
        book.save(path)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        book.close()
