"""CAS(ME)^3, parts A and C: clips or long videos, names that repeat, tables spelt in several ways."""

__all__ = ["load_casme3", "load_casme3_videos"]

import re
from pathlib import Path
from typing import Any

import pandas as pd

from microexpr.core.checks import check_choice
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError
from microexpr.data._annotations import clipset_of, join_frames, parse_rows
from microexpr.data._folders import checked_root, chosen_table, search
from microexpr.data._intervals import image_folders, interval_positions, join_videos
from microexpr.data._tables import named_columns, with_corrections, xlsx_first
from microexpr.data.corrections import correction_notes
from microexpr.data.videos import VideoSet

_FPS = 30.0
_DEPTH = 6
_PARTS = ("A", "C")
_TABLES = {"A": "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", "C": "CAS(ME)3_part_C_ME.xlsx"}
_EXAMPLES = {
    ("A", "clips"): "Part_A_ME_clip/frame/spNO.1_a_126/126.jpg",
    ("A", "videos"): "part_A/spNO.1/a/color/126.jpg",
    ("C", "videos"): "part_C/01/a/color/126.jpg",
}
_COLUMNS = {
    "A": {"subject": "Subject", "filename": "Filename", "onset": "Onset", "apex": "Apex", "offset": "Offset"},
    "C": {"subject": "sub", "onset": "onset", "offset": "offset"},
}
_OPTIONAL = {
    "aus": ("AU", "AUs", "Action Units"),
    "objective": ("Objective class", "Objective"),
    "emotion": ("emotion", "Estimated Emotion"),
}
_UNKNOWN = frozenset({"0", "0.0", "/", ""})

_TABLE_NAMES = {
    part: re.compile(rf"cas\W?me\W*3[\W_]*part[\W_]*{part}[\W_]*ME(?:[\W_].*)?\.xlsx?", re.IGNORECASE)
    for part in _PARTS
}
_DEPTH_MAPS = re.compile(r"depth.*", re.IGNORECASE)
# Not entered in search of tables: they hold thousands of images.
_FULL_FOLDERS = re.compile(r"spno.*|depth|color|\d+", re.IGNORECASE)
_SUBJECT = {
    "A": re.compile(r"(?:spno\W*)?0*(\d+)(?:\.0+)?", re.IGNORECASE),
    "C": re.compile(r"(?:spno\W*|sub|s)?0*(\d+)(?:\.0+)?", re.IGNORECASE),
}
_CLIP_FOLDER = re.compile(r"spno\W*0*(\d+)_(\w+)_(\d+)", re.IGNORECASE)
_SUBJECT_FOLDER = {
    "A": re.compile(r"spno\W*0*(\d+)", re.IGNORECASE),
    "C": re.compile(r"(?:spno\W*|sub|s)?0*(\d+)", re.IGNORECASE),
}
_VIDEO_FOLDER = re.compile(r"[a-z]\d?", re.IGNORECASE)


def load_casme3(
    root: str | Path,
    *,
    part: str = "A",
    frames: str | None = None,
    annotation: str | Path | None = None,
    corrections: str | Path | None = None,
    allow_incomplete: bool = False,
) -> ClipSet:
    """Load the micro-expressions of part A or part C of CAS(ME)^3 as clips; no image is opened.

    Parameters
    ----------
    root : path
        The folder that holds table and frames. Read are the colour frames; depth maps are passed over.
    part : {"A", "C"}
        A is elicited by films (860 clips), C in a mock crime.
    frames : {"clips", "videos"}, optional
        `Part_A_ME_clip/frame/spNO.1_a_126/126.jpg`, or the long videos `part_A/spNO.1/a/color/126.jpg`, of which the
        clips are cut out. By default the clips, and where these are missing the videos. Part C has videos only.
    annotation : path, optional
        By default `cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx`, or `CAS(ME)3_part_C_ME.xlsx`.
    corrections : str or path, optional
        Repairs of the annotation, by name: see `microexpr.data.corrections`.
    allow_incomplete : bool
        Whether to go on without what has a finding. It is listed in the set's `findings` either way.

    Returns
    -------
    ClipSet
        Clips `casme3/spNO.1/a_126`, of part C `casme3/C01/a_126`: subject and file name repeat, the onset tells their
        clips apart. `emotion` as spelt there (`others`, `Others`), `aus` verbatim (one holds a full-width comma),
        `objective` where the table has it.

    Raises
    ------
    ParameterError
        If `part` or `frames` is none of its choices, or there are no such corrections.
    DataError
        If the folder, the table or the frames are missing, a column is missing, or (unless `allow_incomplete`)
        something is amiss: an annotation without frames, frames without annotation, a clip annotated twice, gaps in
        the frame numbers, positions that are no number, out of order or without a file.

    Notes
    -----
    Some clips last for seconds: they are kept, `microexpr check` counts them. Part C has no apex. Both parts run at 30
    frames per second.

    References
    ----------
    .. [1] J. Li, Z. Dong, S. Lu, S.-J. Wang, W.-J. Yan, Y. Ma, Y. Liu, C. Huang, X. Fu, "CAS(ME)^3: a third generation
       facial spontaneous micro-expression database with depth information and high ecological validity", IEEE
       Transactions on Pattern Analysis and Machine Intelligence, 2023.

    Examples
    --------
    >>> clips = load_casme3("CAS(ME)^3", part="C")  # doctest: +SKIP
    """
    check_choice(part, "part", _PARTS)
    choices = [kind for its_part, kind in _EXAMPLES if its_part == part]
    if frames is not None:
        check_choice(frames, "frames", choices)
    root = checked_root(root, _title(part))
    path, table = _read(root, part, annotation, corrections)
    folders = list(image_folders(root, depth=_DEPTH, skip=_DEPTH_MAPS))
    clips = _clip_folders(root, folders) if part == "A" and frames != "videos" else []
    if not clips and frames != "clips" and (videos := _video_folders(root, folders, part)):
        found = _videoset(root, part, path, table, videos, allow_incomplete=allow_incomplete)
        return found.clips()
    if not clips:
        raise _no_frames(root, part, choices if frames is None else [frames])
    parsed = parse_rows(
        table.assign(filename=[clip_id.rpartition("/")[2] for clip_id in table["clip_id"]]),
        path, "casme3", lambda cell: _qualified(part, cell), blanks=_UNKNOWN,
    )  # fmt: skip
    parsed.notes.update(correction_notes(table))
    join_frames(parsed, clips, table=path, frames=Path(clips[0][1]).parent, fps=_FPS)
    return clipset_of(parsed, root=root, title=_title(part), table=path, allow_incomplete=allow_incomplete)


def load_casme3_videos(
    root: str | Path,
    *,
    part: str = "A",
    annotation: str | Path | None = None,
    corrections: str | Path | None = None,
    allow_incomplete: bool = False,
) -> VideoSet:
    """Load the long videos of part A or part C of CAS(ME)^3 with the intervals of their micro-expressions.

    Parameters
    ----------
    root, part, annotation, corrections, allow_incomplete
        See `load_casme3`.

    Returns
    -------
    VideoSet
        Videos `casme3/spNO.1/a` or `casme3/C01/a`.

    Raises
    ------
    ParameterError, DataError
        As `load_casme3` does.

    Examples
    --------
    >>> videos = load_casme3_videos("CAS(ME)^3", part="C")  # doctest: +SKIP
    """
    check_choice(part, "part", _PARTS)
    root = checked_root(root, _title(part))
    path, table = _read(root, part, annotation, corrections)
    videos = _video_folders(root, list(image_folders(root, depth=_DEPTH, skip=_DEPTH_MAPS)), part)
    if not videos:
        raise _no_frames(root, part, ["videos"])
    return _videoset(root, part, path, table, videos, allow_incomplete=allow_incomplete)


def _title(part: str) -> str:
    return f"CAS(ME)^3, part {part}"


def _no_frames(root: Path, part: str, kinds: list[str]) -> DataError:
    examples = " or ".join(_EXAMPLES[part, kind] for kind in kinds)
    return DataError(
        f"{root}: no frames of {_title(part)}; looked for {examples} in this folder and {_DEPTH} levels below"
    )


def _read(
    root: Path, part: str, annotation: str | Path | None, corrections: str | Path | None
) -> tuple[Path, pd.DataFrame]:
    found = search(root, {"table": _TABLE_NAMES[part]}, _FULL_FOLDERS)
    path = chosen_table(root, xlsx_first(found.of("table")), _title(part), _TABLES[part], annotation)
    optional = _OPTIONAL if part == "A" else {**_OPTIONAL, "filename": ("Filename", "video")}
    table = named_columns(path, _COLUMNS[part], optional=optional)
    for name in ("filename", "apex"):
        if name not in table:
            table[name] = ""
    clip_ids = [
        f"{_qualified(part, row.subject)}/{f'{row.filename}_' if row.filename else ''}{row.onset.removesuffix('.0')}"
        for row in table.itertuples()
    ]
    return path, with_corrections(table, clip_ids, corrections)


def _qualified(part: str, cell: str) -> str | None:
    """Return casme3/spNO.1 for the cells spNO.1 and 1 of part A, casme3/C01 for 1 of part C: they are other people."""
    match = _SUBJECT[part].fullmatch(cell)
    if match is None:
        return None
    return f"casme3/spNO.{int(match[1])}" if part == "A" else f"casme3/C{int(match[1]):02d}"


def _clip_folders(root: Path, folders: list[tuple[str, ...]]) -> list[tuple[str, str]]:
    """Return clip_id and path of the folders of clips; those of depth maps have the same names."""
    return [
        (f"casme3/spNO.{int(match[1])}/{match[2]}_{match[3]}", str(root.joinpath(*parts)))
        for parts in folders
        if parts and (match := _CLIP_FOLDER.fullmatch(parts[-1])) and not _is_depth(parts)
    ]


def _video_folders(root: Path, folders: list[tuple[str, ...]], part: str) -> dict[str, dict[str, Any]]:
    """Return the long videos: subject, letter and, in most copies, color."""
    other = re.compile(rf"part[\W_]*[{'BC' if part == 'A' else 'AB'}](?:[\W_].*)?", re.IGNORECASE)
    videos: dict[str, dict[str, Any]] = {}
    for parts in folders:
        names = parts[:-1] if parts and parts[-1].lower() in ("color", "colour", "rgb") else parts
        if len(names) < 2 or _is_depth(parts) or any(other.fullmatch(name) for name in parts):
            continue
        match = _SUBJECT_FOLDER[part].fullmatch(names[-2])
        if match and _VIDEO_FOLDER.fullmatch(names[-1]):
            subject = str(_qualified(part, match[1]))
            video = videos.setdefault(
                f"{subject}/{names[-1].lower()}", {"dataset": "casme3", "subject": subject, "folders": []}
            )
            video["folders"].append(str(root.joinpath(*parts)))
    return videos


def _is_depth(parts: tuple[str, ...]) -> bool:
    return any("depth" in name.lower() and "rgb" not in name.lower() for name in parts)


def _videoset(
    root: Path, part: str, path: Path, table: pd.DataFrame, videos: dict[str, dict[str, Any]], *, allow_incomplete: bool
) -> VideoSet:
    rows: dict[str, dict[str, Any]] = {}
    faults: dict[str, str] = {}
    notes = correction_notes(table)
    for place, cells in zip(table.index, table.to_dict("records"), strict=True):
        where = f"row {place} of {path.name}"
        subject, letter = _qualified(part, cells["subject"]), cells["filename"].lower()
        if subject is None or (part == "A" and not letter):
            what = f"subject {cells['subject']!r} is no number" if subject is None else "the file name is blank"
            faults[where] = what
            continue
        clip_id = cells["clip_id"]
        numbers, unclear = interval_positions({**cells, "apex": cells["apex"]}, unknown=_UNKNOWN)
        if not letter:
            ours = [video_id for video_id, video in videos.items() if video["subject"] == subject]
            letter = ours[0].rpartition("/")[2] if ours else "a"
            clip_id = f"{subject}/{letter}_{clip_id.rpartition('/')[2]}"
            if len(ours) > 1:
                unclear.append(f"the table names no video and the subject has {len(ours)}")
        if clip_id in rows:
            faults[clip_id] = f"annotated more than once ({where} and before)"
            continue
        if unclear:
            faults[clip_id] = f"{'; '.join(unclear)} ({where})"
        extra = {name: cells[name] or None for name in ("emotion", "aus", "objective") if name in cells}
        rows[clip_id] = {"video_id": f"{subject}/{letter}", **numbers, "kind": "micro", **extra}
    return join_videos(
        rows, faults, notes, videos, root=root, title=_title(part), table=path, frames=root, fps=_FPS,
        allow_incomplete=allow_incomplete,
    )  # fmt: skip
