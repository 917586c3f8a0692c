"""Rows that annotate intervals of long videos, joined with the folders of the videos."""

__all__ = ["image_folders", "interval_positions", "join_videos"]

import os
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from microexpr.core.errors import DataError, join_names
from microexpr.core.sources import FrameSource, ImageFilesSource
from microexpr.data._annotations import POSITIONS, misfit
from microexpr.data._folders import IMAGES, entries, numbered_images
from microexpr.data.videos import VideoSet

_NUMBER = re.compile(r"(\d+)(?:\.0+)?")


def image_folders(root: Path, *, depth: int, skip: re.Pattern[str] | None = None) -> Iterator[tuple[str, ...]]:
    """Yield, as their path's parts below `root`, the folders that hold images, down to `depth` levels.

    Folders of images are not entered further, hidden ones and those whose whole name matches `skip` not at all.

    Raises
    ------
    DataError
        If a folder cannot be read.
    """
    level: list[tuple[str, ...]] = [()]
    for step in range(depth + 1):
        below: list[tuple[str, ...]] = []
        for parts in level:
            found = entries(root.joinpath(*parts))
            if any(os.path.splitext(entry.name)[1].lower() in IMAGES and not entry.is_dir() for entry in found):
                yield parts
            else:
                names = [entry.name for entry in found if entry.is_dir()]
                below += [(*parts, name) for name in names if not (skip and skip.fullmatch(name))]
        level = below if step < depth else []


def interval_positions(
    cells: Mapping[str, str], *, unknown: Collection[str]
) -> tuple[dict[str, int | None], list[str]]:
    """Return the frame numbers in the cells onset, apex and offset, and what is unclear about them.

    Parameters
    ----------
    cells : mapping of column -> str
        A column that is absent is unknown.
    unknown : collection of str
        Cells that stand for an unknown apex or offset; an onset must be a number.
    """
    numbers: dict[str, int | None] = {}
    unclear = []
    for name in POSITIONS:
        cell = cells.get(name, "")
        match = None if name != "onset" and cell in unknown else _NUMBER.fullmatch(cell)
        numbers[name] = int(match[1]) if match else None
        if match is None and name in cells and (name == "onset" or cell not in unknown):
            unclear.append(f"{name} {cell!r} is no frame number")
    known = [(name, number) for name, number in numbers.items() if number is not None]
    unclear += [
        f"{later} {number} lies before {earlier} {before}"
        for (earlier, before), (later, number) in pairwise(known)
        if number < before
    ]
    return numbers, unclear


def join_videos(
    rows: Mapping[str, dict[str, Any]],
    faults: dict[str, str],
    notes: Mapping[str, str],
    videos: Mapping[str, Mapping[str, Any]],
    *,
    root: Path,
    title: str,
    table: Path,
    frames: Path,
    fps: float,
    allow_incomplete: bool,
) -> VideoSet:
    """Return the videos with their intervals; what does not fit is refused, or listed and left out.

    Parameters
    ----------
    rows : mapping of clip_id -> row
        Columns video_id, onset, apex, offset (frame numbers), kind, and what else is known.
    faults, notes : mapping of clip_id -> what is wrong, or to be known
        Rows with a fault are left out; `faults` is added to.
    videos : mapping of video_id -> {dataset, subject, folders}
        The folders of each video's images, a list of paths: one, or something is wrong.
    root, table, frames : path
        For messages: what the user named, the table, the folder of all frames.
    title : str
    fps : float
    allow_incomplete : bool

    Raises
    ------
    DataError
        If there are faults (unless `allow_incomplete`), or no interval is left.
    """
    sources: dict[str, FrameSource] = {}
    numbered: dict[str, dict[int, str]] = {}
    described: dict[str, dict[str, Any]] = {}
    for video_id, video in videos.items():
        folders = list(video["folders"])
        files, fault = numbered_images(folders[0]) if len(folders) == 1 else ({}, None)
        if len(folders) != 1:
            fault = f"frames in several folders: {join_names(folders)}"
        if fault := fault or misfit(dict.fromkeys(POSITIONS), files):
            faults[video_id] = fault
            continue
        numbered[video_id] = files
        sources[video_id] = ImageFilesSource(list(files.values()))
        extra = {name: value for name, value in video.items() if name != "folders"}
        described[video_id] = {**extra, "n_frames": len(files), "fps": fps}
    kept: dict[str, dict[str, Any]] = {}
    for clip_id, row in rows.items():
        if clip_id in faults:
            continue
        files = numbered.get(row["video_id"], {})
        if not files:
            lost = row["video_id"] in faults
            faults[clip_id] = (
                f"its video {row['video_id']} cannot be used"
                if lost
                else f"an annotation without frames (no folder of video {row['video_id']} in {frames})"
            )
        elif fault := misfit(row, files):
            faults[clip_id] = fault
        else:
            first = min(files)
            kept[clip_id] = row | {name: None if row[name] is None else row[name] - first for name in POSITIONS}
    listed = [f"{clip_id}: {fault}" for clip_id, fault in faults.items()]
    if listed and not allow_incomplete:
        raise DataError(
            f"{root}: {len(listed)} finding{'s' * (len(listed) > 1)} in {title}: {'; '.join(listed[:3])}"
            + (f"; and {len(listed) - 3} more" if len(listed) > 3 else "")
            + "; allow_incomplete=True (--allow-incomplete) goes on without these clips"
        )
    if not kept:
        raise DataError(f"{root}: no interval of {title} is left; {listed[0] if listed else f'{table} has no rows'}")
    findings = pd.DataFrame({**notes, **faults}.items(), columns=["clip_id", "finding"], dtype="str")
    return VideoSet(
        pd.DataFrame.from_dict(described, orient="index"),
        pd.DataFrame.from_dict(kept, orient="index"),
        sources,
        findings=findings,
    )
