"""MMEW as its users hold it: the table of its 300 micro-expressions and their frames, sorted by emotion."""

__all__ = ["load_mmew"]

import re
from collections.abc import Iterator
from pathlib import Path

from microexpr.core.clipset import ClipSet
from microexpr.data._annotations import Rows, clipset_of, join_frames, parse_rows
from microexpr.data._folders import checked_root, chosen_frames, chosen_table, entries, search
from microexpr.data._tables import named_columns, with_corrections
from microexpr.data.corrections import correction_notes

_TITLE = "MMEW"
_FPS = 90.0
_TABLE = "MMEW_Micro_Exp.xlsx"
_FRAMES = "Micro_Expression/happiness/S01-01-001/1.jpg"
_COLUMNS = {
    "subject": "Subject",
    "filename": "Filename",
    "onset": "OnsetFrame",
    "apex": "ApexFrame",
    "offset": "OffsetFrame",
    "aus": "Action Units",
    "emotion": "Estimated Emotion",
}

_TABLE_NAMES = {"table": re.compile(r"mmew.*micro.*\.xlsx?", re.IGNORECASE)}
_SUBJECT = re.compile(r"(?:s(?:ub)?[ _-]*)?0*(\d{1,3})(?:\.0+)?", re.IGNORECASE)
_EMOTION_FOLDER = re.compile(r"anger|contempt|disgust|fear|happiness|others?|sadness|surprise", re.IGNORECASE)


def load_mmew(
    root: str | Path,
    *,
    annotation: str | Path | None = None,
    corrections: str | Path | None = None,
    allow_incomplete: bool = False,
) -> ClipSet:
    """Load the micro-expressions of MMEW from the folder it was unpacked to; no image is opened.

    1. The table is read as text. 2. Each row is joined with the folder of its clip,
    `Micro_Expression/happiness/S01-01-001`, by the clip's name; the folder's emotion must be the table's. 3. The
    frame numbers of onset, apex and offset become zero-based positions among the clip's own files (`1.jpg`, `2.jpg`,
    ..., sorted by value). The macro-expressions, which have no table, are not read.

    Parameters
    ----------
    root : path
        The folder that holds table and frames, up to three levels deep; or the folder of the frames themselves, with
        the table in it or in one of the two folders above.
    annotation : path, optional
        The table, where it lies elsewhere or has another name.
    corrections : str or path, optional
        Repairs of annotations to apply, by name or a .csv of your own; see `microexpr.data.corrections`.
    allow_incomplete : bool
        Whether to go on without the clips that have a finding. They are listed in the set's `findings` either way.

    Returns
    -------
    ClipSet
        Clips `mmew/S01/S01-01-001` in the order of the table; `emotion` as spelt there, `aus` verbatim, `remarks` where
        the table has them. No labels: see `ClipSet.relabel`.

    Raises
    ------
    ParameterError
        If there are no such corrections.
    DataError
        If the folder, the table or the frames are missing, a column is missing, corrections do not fit the table, or
        (unless `allow_incomplete`) something is amiss: an annotation without frames, frames without annotation, frames
        in the folder of another emotion, a clip annotated twice, an empty folder, gaps in the frame numbers, onset,
        apex or offset that are no number, out of order or without a file.

    References
    ----------
    .. [1] X. Ben, Y. Ren, J. Zhang, S.-J. Wang, K. Kpalma, W. Meng, Y.-J. Liu, "Video-based facial micro-expression
       analysis: a survey of datasets, features and algorithms", IEEE Transactions on Pattern Analysis and Machine
       Intelligence, 2022.

    Examples
    --------
    >>> clips = load_mmew("MMEW_Final")  # doctest: +SKIP
    """
    root = checked_root(root, _TITLE)
    found = search(root, _TABLE_NAMES, _EMOTION_FOLDER)
    table_path = chosen_table(root, found.of("table"), _TITLE, _TABLE, annotation)
    frames = chosen_frames(root, found.frames, _TITLE, _FRAMES)
    coding = named_columns(table_path, _COLUMNS, optional={"remarks": "remarks"})
    pairs = zip(coding["subject"], coding["filename"], strict=True)
    clip_ids = [f"{_qualified(subject)}/{filename}" for subject, filename in pairs]
    coding = with_corrections(coding, clip_ids, corrections)
    parsed = parse_rows(coding, table_path, "mmew", _qualified)
    folders = list(_clip_folders(frames, parsed))
    _compare_emotions(parsed, folders)
    join_frames(parsed, ((clip_id, path) for clip_id, _, path in folders), table=table_path, frames=frames, fps=_FPS)
    if "remarks" in coding:
        remarks = dict(zip(coding["clip_id"], coding["remarks"], strict=True))
        for clip_id, row in parsed.kept.items():
            row["remarks"] = remarks[clip_id] or None
    corrected = correction_notes(coding).items()
    parsed.notes.update({clip_id: note for clip_id, note in corrected if clip_id in parsed.kept})
    return clipset_of(parsed, root=root, title=_TITLE, table=table_path, allow_incomplete=allow_incomplete)


def _qualified(subject: str) -> str | None:
    """Return mmew/S01 for the cells 1, 01 and S01."""
    match = _SUBJECT.fullmatch(subject)
    return f"mmew/S{int(match[1]):02d}" if match else None


def _clip_folders(frames: Path, parsed: Rows) -> Iterator[tuple[str, str, str]]:
    """Yield the clip_id, the emotion and the path of every clip folder; the table tells whose clip it is."""
    clip_ids = {clip_id.rpartition("/")[2].lower(): clip_id for clip_id in parsed.rows}
    for entry in entries(frames):
        if entry.is_dir() and _EMOTION_FOLDER.fullmatch(entry.name):
            for clip in entries(entry.path):
                if clip.is_dir():
                    name = clip.name.strip()
                    clip_id = clip_ids.get(name.lower(), f"{_qualified(name.partition('-')[0]) or 'mmew'}/{name}")
                    yield clip_id, entry.name.lower(), clip.path


def _compare_emotions(parsed: Rows, folders: list[tuple[str, str, str]]) -> None:
    """Add a fault for every clip whose folder is that of another emotion than the table's."""
    for clip_id, emotion, path in folders:
        annotated = (parsed.rows.get(clip_id, {}).get("emotion") or "").lower()
        if clip_id in parsed.rows and annotated.removesuffix("s") != emotion.removesuffix("s"):
            parsed.faults.setdefault(clip_id, f"emotion {annotated!r} in the table, but its frames are in {path}")
