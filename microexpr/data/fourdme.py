"""4DME as its users hold it: micro-expressions named by folder, recorded by several cameras."""

__all__ = ["load_4dme"]

import re
from pathlib import Path

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, join_names
from microexpr.data._annotations import clipset_of, join_frames, parse_rows
from microexpr.data._folders import checked_root, chosen_table, search
from microexpr.data._intervals import image_folders
from microexpr.data._tables import named_columns, with_corrections, xlsx_first
from microexpr.data.corrections import correction_notes

_TITLE = "4DME"
_DEPTH = 5
_TABLE = "4DME_annotation.xlsx"
_EXAMPLE = "gray_micro/1_0_12/1.jpg"
_COLUMNS = {
    "subject": "sub_ID",
    "filename": "fold_name",
    "emotion": "Emotion",
    "onset": "Onset",
    "apex": "Apex",
    "offset": "Offset",
    "aus": "AUs",
}
_KINECT = re.compile(r"kinect|rgb|depth", re.IGNORECASE)

_TABLE_NAME = re.compile(r".*4d[\W_]*me.*\.xlsx?", re.IGNORECASE)
_NEVER = re.compile(r"(?!)")
_SUBJECT = re.compile(r"(?:sub(?:ject)?[ _-]*|s)?0*(\d+)(?:\.0+)?", re.IGNORECASE)


def load_4dme(
    root: str | Path,
    *,
    frames: str | None = None,
    annotation: str | Path | None = None,
    corrections: str | Path | None = None,
    allow_incomplete: bool = False,
) -> ClipSet:
    """Load the micro-expressions of 4DME from the folder it was unpacked to; no image is opened.

    Parameters
    ----------
    root : path
        The folder that holds the table, and below it a folder of images for each `fold_name` of the table.
    frames : str, optional
        A word in the path of the camera's folders, `gray`, `rgb` or `depth`, where the folders of several cameras are
        there. By default the grey ones.
    annotation : path, optional
        The table, where its name does not hold 4DME.
    corrections : str or path, optional
        Repairs of the annotation, by name: see `microexpr.data.corrections`.
    allow_incomplete : bool
        Whether to go on without what has a finding. It is listed in the set's `findings` either way.

    Returns
    -------
    ClipSet
        Clips `4dme/sub01/1_0_12`; `emotion` as spelt in the table (several may be joined), `aus` verbatim (`AU4(k)`).

    Raises
    ------
    ParameterError
        If there are no such corrections.
    DataError
        If the folder, the table or the frames are missing, a column is missing, or (unless `allow_incomplete`)
        something is amiss, as in `load_casme2`.

    Notes
    -----
    Frames of the Kinect (`kinect`, `rgb` or `depth` in the path) count as 30 per second, all others as 60. How folders
    are nested is not published: any folder of images that bears the clip's name, up to five levels deep, is its own;
    where subjects repeat names, the folder above must tell the subject's number.

    References
    ----------
    .. [1] X. Li, S. Cheng, Y. Li, M. Behzad, J. Shen, S. Zafeiriou, M. Pantic, G. Zhao, "4DME: a spontaneous 4D
       micro-expression dataset with multimodalities", IEEE Transactions on Affective Computing, 2023.

    Examples
    --------
    >>> clips = load_4dme("4DME", frames="gray")  # doctest: +SKIP
    """
    root = checked_root(root, _TITLE)
    found = search(root, {"table": _TABLE_NAME}, _NEVER)
    path = chosen_table(root, xlsx_first(found.of("table")), _TITLE, _TABLE, annotation)
    table = named_columns(path, _COLUMNS)
    clip_ids = [f"{_qualified(row.subject)}/{row.filename}" for row in table.itertuples()]
    table = with_corrections(table, clip_ids, corrections)
    folders = _camera(root, [parts for parts in image_folders(root, depth=_DEPTH) if parts], frames)
    named: dict[str, list[tuple[str, ...]]] = {}
    for parts in folders:
        named.setdefault(parts[-1].strip().lower(), []).append(parts)
    clips = []
    for row in table.drop_duplicates("clip_id").itertuples():
        candidates = named.get(row.filename.lower(), [])
        ours = [parts for parts in candidates if len(parts) > 1 and _qualified(parts[-2]) == _qualified(row.subject)]
        for parts in ours or [parts for parts in candidates if len(parts) < 2 or _qualified(parts[-2]) is None]:
            clips.append((row.clip_id, parts))
    used = {parts for _, parts in clips}
    clips += [(f"4dme/{'/'.join(parts[-2:])}", parts) for parts in folders if parts not in used]
    parsed = parse_rows(table, path, "4dme", _qualified)
    parsed.notes.update(correction_notes(table))
    fps = 30.0 if folders and all(_KINECT.search("/".join(parts)) for parts in folders) else 60.0
    paths = [(clip_id, str(root.joinpath(*parts))) for clip_id, parts in clips]
    join_frames(parsed, paths, table=path, frames=root, fps=fps)
    return clipset_of(parsed, root=root, title=_TITLE, table=path, allow_incomplete=allow_incomplete)


def _qualified(subject: str) -> str | None:
    """Return 4dme/sub01 for the cells 1, 01, s1 and sub01."""
    match = _SUBJECT.fullmatch(subject)
    return f"4dme/sub{int(match[1]):02d}" if match else None


def _camera(root: Path, folders: list[tuple[str, ...]], wanted: str | None) -> list[tuple[str, ...]]:
    """Return the folders of one camera: that of the wanted word, else the grey one where there is one."""
    word = wanted or "gr[ae]y"
    chosen = [
        parts for parts in folders if re.search(word if wanted is None else re.escape(word), "/".join(parts), re.I)
    ]
    if wanted is None and not chosen:
        chosen = folders
    if chosen:
        return chosen
    there = f"; there is {join_names(sorted({parts[0] for parts in folders}))}" if folders else ""
    word = f"{wanted} " if wanted else ""
    raise DataError(
        f"{root}: no {word}frames of {_TITLE}; looked for folders of images like {_EXAMPLE} in this folder and "
        f"{_DEPTH} levels below{there}"
    )
