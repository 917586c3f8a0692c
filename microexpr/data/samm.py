"""SAMM as its users hold it: the table of FACS codes and the frames of its 159 micro-movements."""

__all__ = ["load_samm"]

import re
from collections.abc import Iterator
from pathlib import Path

from microexpr.core.clipset import ClipSet
from microexpr.data._annotations import clipset_of, join_frames, parse_rows
from microexpr.data._folders import checked_root, chosen_frames, chosen_table, entries, search
from microexpr.data._tables import named_columns, with_corrections
from microexpr.data.corrections import correction_notes

_TITLE = "SAMM"
_FPS = 200.0
_TABLE = "SAMM_Micro_FACS_Codes_v2.xlsx"
_FRAMES = "006/006_1_2/006_05562.jpg"
_COLUMNS = {
    "subject": "Subject",
    "filename": "Filename",
    "onset": "Onset Frame",
    "apex": "Apex Frame",
    "offset": "Offset Frame",
    "aus": "Action Units",
    "emotion": "Estimated Emotion",
}
_OBJECTIVE = ("Objective Classes", "Objective Class")
_TYPOS = ("samm/028/028_4_1", "samm/032/032_3_1")

_TABLE_NAMES = {"table": re.compile(r"samm.*micro.*facs.*codes.*\.xlsx?", re.IGNORECASE)}
_SUBJECT = re.compile(r"0*(\d{1,3})(?:\.0+)?")
_SUBJECT_FOLDER = re.compile(r"\d{1,3}")


def load_samm(
    root: str | Path,
    *,
    annotation: str | Path | None = None,
    corrections: str | Path | None = None,
    allow_incomplete: bool = False,
) -> ClipSet:
    """Load SAMM from the folder it was unpacked to; no image is opened.

    1. The table of FACS codes is read as text; its header is found by its names, below 13 rows of preamble. 2. Each row
    is joined with the folder of its clip, `006/006_1_2`. 3. The frame numbers of onset, apex and offset become
    zero-based positions among the clip's own files (`006_05562.jpg` is frame 5562).

    Parameters
    ----------
    root : path
        The folder that holds table and frames, up to three levels deep; or the folder of the frames themselves, with
        the table in it or in one of the two folders above.
    annotation : path, optional
        The table, where it lies elsewhere or has another name.
    corrections : str or path, optional
        Repairs of annotations to apply, `samm-apex` or a .csv of your own; see `microexpr.data.corrections`. What
        they change is listed in the set's `findings`.
    allow_incomplete : bool
        Whether to go on without the clips that have a finding. They are listed in the set's `findings` either way.

    Returns
    -------
    ClipSet
        In the order of the table. `emotion` as spelt there (`Anger`, `Other`), `aus` verbatim (`4A/B`, `A/L12`,
        `(R6 or R12)+R15`), `objective` the objective class. No labels: see `ClipSet.relabel`.

    Raises
    ------
    ParameterError
        If there are no such corrections.
    DataError
        If the folder, the table or the frames are missing, a column is missing, corrections do not fit the table, or
        (unless `allow_incomplete`) something is amiss: an annotation without frames, frames without annotation, a clip
        annotated twice, an empty folder, gaps in the frame numbers, onset, apex or offset that are no number, out of
        order or without a file.

    Notes
    -----
    Subjects are three digits, as the folders are called: a cell that a spreadsheet program has turned from 006 into 6
    is subject 006.

    The table as it is handed out holds two impossible apexes: after the offset in 028_4_1, before the onset in 032_3_1.
    Both are findings, unless the corrections `samm-apex` are asked for: these read them as unknown, since
    nothing that is published says which frame was meant.

    References
    ----------
    .. [1] A. K. Davison, C. Lansley, N. Costen, K. Tan, M. H. Yap, "SAMM: a spontaneous micro-facial movement dataset",
       IEEE Transactions on Affective Computing, 2018.

    Examples
    --------
    >>> clips = load_samm("SAMM", corrections="samm-apex")  # doctest: +SKIP
    """
    root = checked_root(root, _TITLE)
    found = search(root, _TABLE_NAMES, _SUBJECT_FOLDER)
    table_path = chosen_table(root, found.of("table"), _TITLE, _TABLE, annotation)
    frames = chosen_frames(root, found.frames, _TITLE, _FRAMES)
    coding = named_columns(table_path, _COLUMNS, optional={"objective": _OBJECTIVE})
    pairs = zip(coding["subject"], coding["filename"], strict=True)
    clip_ids = [f"{_qualified(subject)}/{filename}" for subject, filename in pairs]
    coding = with_corrections(coding, clip_ids, corrections)
    parsed = parse_rows(coding, table_path, "samm", _qualified)
    if corrections is None:
        for clip_id in _TYPOS:
            if "apex" in parsed.faults.get(clip_id, ""):
                parsed.faults[clip_id] += "; corrections='samm-apex' (samm:corrections=samm-apex=DIR) repairs it"
    join_frames(parsed, _clip_folders(frames), table=table_path, frames=frames, fps=_FPS)
    corrected = correction_notes(coding).items()
    parsed.notes.update({clip_id: note for clip_id, note in corrected if clip_id in parsed.kept})
    return clipset_of(parsed, root=root, title=_TITLE, table=table_path, allow_incomplete=allow_incomplete)


def _qualified(subject: str) -> str | None:
    """Return samm/006 for the cells 006, 6 and 6.0."""
    match = _SUBJECT.fullmatch(subject)
    return f"samm/{int(match[1]):03d}" if match else None


def _clip_folders(frames: Path) -> Iterator[tuple[str, str]]:
    """Yield the clip_id and the path of every clip folder."""
    for entry in entries(frames):
        if entry.is_dir() and _SUBJECT_FOLDER.fullmatch(entry.name):
            for clip in entries(entry.path):
                if clip.is_dir():
                    yield f"{_qualified(entry.name)}/{clip.name.strip()}", clip.path
