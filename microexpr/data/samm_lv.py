"""The long videos of SAMM as their users hold them: frames, and a table with ten rows before its header."""

__all__ = ["load_samm_lv", "load_samm_lv_videos"]

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from microexpr.core.clipset import ClipSet
from microexpr.data._folders import checked_root, chosen_frames, chosen_table, entries, search
from microexpr.data._intervals import interval_positions, join_videos
from microexpr.data._tables import named_columns, with_corrections, xlsx_first
from microexpr.data.corrections import correction_notes
from microexpr.data.videos import KINDS, VideoSet

_TITLE = "the SAMM long videos"
_FPS = 200.0
_TABLE = "SAMM_LongVideos_V2_Release.xlsx"
_FRAMES = "SAMM_longvideos/006_1/006_1_0001.jpg"
_COLUMNS = {
    "subject": "Subject",
    "filename": "Filename",
    "onset": "Onset",
    "apex": "Apex",
    "offset": "Offset",
    "type": "Type",
    "aus": "Action Units",
}
_UNKNOWN = frozenset({"0", "-1", "/", ""})

_TABLE_NAME = re.compile(r"samm[\W_]*long[\W_]*videos.*\.xlsx?", re.IGNORECASE)
_SUBJECT = re.compile(r"0*(\d+)(?:\.0+)?")
_FILENAME = re.compile(r"0*(\d+)_(\d+)_\d+")
_VIDEO_FOLDER = re.compile(r"0*(\d+)_(\d+)")


def load_samm_lv(
    root: str | Path,
    *,
    kinds: Sequence[str] = KINDS,
    annotation: str | Path | None = None,
    corrections: str | Path | None = None,
    allow_incomplete: bool = False,
) -> ClipSet:
    """Load the expressions of the SAMM long videos, cut out of them, as clips; no image is opened.

    Parameters
    ----------
    root, annotation, corrections, allow_incomplete
        See `load_samm_lv_videos`.
    kinds : sequence of {"micro", "macro"}
        The table gives no emotions: what these clips can be told apart by is their kind.

    Returns
    -------
    ClipSet
        From onset to offset; see `VideoSet.clips` for expressions whose offset is unknown.

    Raises
    ------
    ParameterError
        If a kind or the corrections do not exist.
    DataError
        As `load_samm_lv_videos`, or if no clip is left.

    Examples
    --------
    >>> clips = load_samm_lv("SAMM_LV")  # doctest: +SKIP
    """
    videos = load_samm_lv_videos(
        root, annotation=annotation, corrections=corrections, allow_incomplete=allow_incomplete
    )
    return videos.clips(kinds)


def load_samm_lv_videos(
    root: str | Path,
    *,
    annotation: str | Path | None = None,
    corrections: str | Path | None = None,
    allow_incomplete: bool = False,
) -> VideoSet:
    """Load the long videos of SAMM with the intervals of their micro- and macro-expressions.

    Parameters
    ----------
    root : path
        The folder that holds the table and `SAMM_longvideos/006_1/006_1_0001.jpg`, up to three levels deep.
    annotation : path, optional
        The table, by default `SAMM_LongVideos_V2_Release.xlsx` or, without it, any other release's.
    corrections : str or path, optional
        Repairs of the annotation, by name: see `microexpr.data.corrections`.
    allow_incomplete : bool
        Whether to go on without what has a finding. It is listed in the set's `findings` either way.

    Returns
    -------
    VideoSet
        Videos `samm/006/006_1`, intervals `samm/006/006_1_2`, both of the data set `samm`: the people are those of
        SAMM, and its micro-expressions are parts of these videos. `type` is the kind as the table spells it.

    Raises
    ------
    ParameterError
        If there are no such corrections.
    DataError
        If the folder, the table or the frames are missing, a column is missing, or (unless `allow_incomplete`) an
        annotation has no video or another subject's, an unknown type, or positions that are no number, out of order or
        without a file, or a video has gaps.

    Notes
    -----
    The ten rows before the header are passed over. Types are `Macro` and `Micro - 1/2`, which means that the expression
    lasts at most half a second. An apex or offset of 0 or -1 is unknown.

    References
    ----------
    .. [1] C. H. Yap, C. Kendrick, M. H. Yap, "SAMM long videos: a spontaneous facial micro- and macro-expressions
       dataset", IEEE FG, 2020.

    Examples
    --------
    >>> videos = load_samm_lv_videos("SAMM_LV")  # doctest: +SKIP
    """
    root = checked_root(root, _TITLE)
    found = search(root, {"table": _TABLE_NAME}, _VIDEO_FOLDER)
    path = chosen_table(root, xlsx_first(found.of("table")), _TITLE, _TABLE, annotation)
    table = named_columns(path, _COLUMNS, optional={"notes": "Notes"})
    table = with_corrections(
        table, [f"{_subject(row.subject)}/{row.filename}" for row in table.itertuples()], corrections
    )
    frames = chosen_frames(root, found.frames, _TITLE, _FRAMES)
    videos: dict[str, dict[str, Any]] = {}
    for video_id, folder in _video_folders(frames):
        video = {"dataset": "samm", "subject": video_id.rpartition("/")[0], "folders": []}
        videos.setdefault(video_id, video)["folders"].append(folder)
    rows: dict[str, dict[str, Any]] = {}
    faults: dict[str, str] = {}
    for place, cells in zip(table.index, table.to_dict("records"), strict=True):
        where = f"row {place} of {path.name}"
        subject, named = _subject(cells["subject"]), _FILENAME.fullmatch(cells["filename"])
        if subject is None or named is None:
            what = f"subject {cells['subject']!r} is no number"
            faults[where] = what if subject is None else f"file name {cells['filename']!r} is not like 006_1_2"
            continue
        clip_id = cells["clip_id"]
        if clip_id in rows:
            faults[clip_id] = f"annotated more than once ({where} and before)"
            continue
        numbers, unclear = interval_positions(cells, unknown=_UNKNOWN)
        kind = next((kind for kind in KINDS if cells["type"].lower().startswith(kind)), None)
        if kind is None:
            unclear.append(f"type {cells['type']!r} is neither Micro nor Macro")
        if subject != _subject(named[1]):
            unclear.append(f"subject {cells['subject']!r} is not that of its file name")
        if unclear:
            faults[clip_id] = f"{'; '.join(unclear)} ({where})"
        extra = {name: cells[name] or None for name in ("aus", "type", "notes") if name in cells}
        rows[clip_id] = {"video_id": f"{subject}/{int(named[1]):03d}_{named[2]}", **numbers, "kind": kind, **extra}
    return join_videos(
        rows, faults, correction_notes(table), videos, root=root, title=_TITLE, table=path, frames=frames, fps=_FPS,
        allow_incomplete=allow_incomplete,
    )  # fmt: skip


def _subject(cell: str) -> str | None:
    """Return samm/006 for the cells 6, 006 and 6.0."""
    match = _SUBJECT.fullmatch(cell)
    return f"samm/{int(match[1]):03d}" if match else None


def _video_folders(folder: Path) -> list[tuple[str, str]]:
    """Return video_id and path of every folder that is named as a video."""
    return [
        (f"samm/{int(match[1]):03d}/{int(match[1]):03d}_{match[2]}", entry.path)
        for entry in entries(folder)
        if entry.is_dir() and (match := _VIDEO_FOLDER.fullmatch(entry.name))
    ]
