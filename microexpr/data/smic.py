"""SMIC as its users hold it: three cameras, the classic release without a table and the extended SMIC-E with one."""

__all__ = ["load_smic"]

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from microexpr.core.checks import check_choice
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, join_names
from microexpr.core.sources import ImageFilesSource
from microexpr.data._annotations import Rows, clipset_of
from microexpr.data._folders import DEPTH, checked_root, entries, numbered_images, search
from microexpr.data._smic_annotation import join_extended, read_annotation

#: The cameras and their frames per second.
_FPS = {"HS": 100.0, "VIS": 25.0, "NIR": 25.0}
_EXAMPLES = {
    "classic": "SMIC_all_cropped/{}/s1/micro/negative/s1_ne_01/*.bmp",
    "extended": "{0}_long/SMIC-{0}-E/{0}/s01/s1_ne_01/*.bmp",
}
_KINDS = ("cropped", "raw")
_DEPTHS = {"classic": DEPTH, "extended": DEPTH + 1}
#: The emotions by the code in a clip's name.
_EMOTIONS = {"ne": "negative", "po": "positive", "sur": "surprise"}

_SUBJECT = re.compile(r"s?0*(\d+)(?:\.0+)?", re.IGNORECASE)
_SUBJECT_FOLDER = re.compile(r"s0*(\d+)", re.IGNORECASE)
_CLIP = re.compile(r"s0*(\d+)_(ne|po|sur)_0*(\d+)", re.IGNORECASE)
_KIND = re.compile(r"\b(crop|raw)", re.IGNORECASE)
_MODALITY = re.compile(r"(?:^|[^a-z])(HS|VIS|NIR)(?:[^a-z]|$)", re.IGNORECASE)


def load_smic(
    root: str | Path,
    *,
    modality: str = "HS",
    edition: str = "classic",
    frames: str | None = None,
    annotation: str | Path | None = None,
    allow_incomplete: bool = False,
) -> ClipSet:
    """Load the micro-expressions of one camera of SMIC from the folder it was unpacked to; no image is opened.

    The classic release has no table: a clip runs from its onset, the first frame, to its offset, the last, and the
    folder tells the emotion. The extended release (SMIC-E) holds longer clips, and a table with the frames of onset and
    offset, which become zero-based positions in the clip. Neither has an apex: it stays missing, and methods
    that need one say so.

    Parameters
    ----------
    root : path
        The folder that holds the frames, up to three levels deep (four for SMIC-E, with its table), or part of it such
        as `SMIC_all_cropped`. The camera is told by the nearest folder, above the subjects', whose name holds
        HS, VIS or NIR.
    modality : {"HS", "VIS", "NIR"}
        High speed (100 frames per second), visual and near infrared (25 each).
    edition : {"classic", "extended"}
        `SMIC_all_cropped/HS/s1/micro/negative/s1_ne_01/*.bmp`, or SMIC-E, `SMIC-HS-E/HS/s01/s1_ne_01/*.bmp` with
        `SMIC-HS-E_annotation.xlsx`.
    frames : {"cropped", "raw"}, optional
        Which frames of the classic release: those below a folder with this word in its name. By default the cropped
        ones, and where these are missing what there is.
    annotation : path, optional
        The table of SMIC-E, where it lies elsewhere or has another name.
    allow_incomplete : bool
        Whether to go on without the clips that have a finding. They are listed in the set's `findings` either way.

    Returns
    -------
    ClipSet
        Clips `smic/s01/s01_ne_01`, numbers padded to two digits as in the official list of MEGC 2019 whatever the
        folders write; in the order of subject and name (SMIC-E: of the table). `emotion` is negative, positive or
        surprise; `modality` the camera. SMIC-E adds `onset2` and `offset2`, the positions of a second expression in the
        same clip, where there is one. No labels: see `ClipSet.relabel`.

    Raises
    ------
    ParameterError
        If `modality`, `edition` or `frames` is none of those.
    DataError
        If the folder, the frames or the table are missing, a column is missing, the table's cells are formulas without
        stored values, or (unless `allow_incomplete`) something is amiss: an empty folder, a clip twice, a clip in the
        folder of another subject or emotion; in SMIC-E an annotation without frames, frames without
        annotation, onset or offset that are no number, out of order or without a frame.

    Notes
    -----
    One person has one name whatever the camera: the subject is `smic/s11` in all three, so that no split takes HS and
    VIS clips of a person for two people. Clips of VIS and NIR carry the camera in their name,
    `smic/s11/vis_s11_ne_01`, and the three can be joined into one set; the two editions of one camera share
    their names, and cannot.

    Frame numbers that leave gaps are listed in `findings`; such clips are kept, for nothing is counted in them.

    References
    ----------
    .. [1] X. Li, T. Pfister, X. Huang, G. Zhao, M. Pietikäinen, "A spontaneous micro-expression database: inducement,
       collection and baseline", FG, 2013.

    Examples
    --------
    >>> clips = load_smic("SMIC", modality="VIS")  # doctest: +SKIP
    """
    check_choice(modality, "modality", _FPS)
    check_choice(edition, "edition", _EXAMPLES)
    if frames is not None:
        check_choice(frames, "frames", _KINDS)
    root = checked_root(root, "SMIC")
    title = f"SMIC-{modality}" if edition == "classic" else f"SMIC-{modality}-E"
    tables = {"table": re.compile(r"smic.*annotation.*\.xlsx?", re.IGNORECASE)}
    found = search(root, tables, _SUBJECT_FOLDER, depth=_DEPTHS[edition])
    folder = _choose(root, found.frames, title, modality, edition, frames)
    parsed = Rows()
    clips = _clips(folder, parsed, modality, edition)
    if edition == "classic":
        _add_classic(parsed, clips, _FPS[modality])
        return clipset_of(parsed, root=root, title=title, table=None, allow_incomplete=allow_incomplete)
    table, rows = read_annotation(root, found.of("table"), title, modality, annotation)
    named = _by_clip(rows, parsed, modality, table.name)
    join_extended(parsed, named, clips, table=table, frames=folder, fps=_FPS[modality])
    clipset = clipset_of(parsed, root=root, title=title, table=table, allow_incomplete=allow_incomplete)
    clipset.table = clipset.table.astype({"onset2": "Int64", "offset2": "Int64"})
    return clipset


def _choose(root: Path, candidates: list[Path], title: str, modality: str, edition: str, wanted: str | None) -> Path:
    """Return the folder that holds the subjects' folders of a camera and an edition."""
    described = [(folder, _modality(folder, root), _edition(folder), _kind(folder, root)) for folder in candidates]
    fitting = [one for one in described if one[1:3] == (modality, edition)]
    for kind in (wanted,) if wanted else (*_KINDS, None):
        chosen = [folder for folder, _, _, its_kind in fitting if its_kind == kind]
        if len(chosen) > 1:
            raise DataError(f"{root}: several folders hold frames of {title}: {join_names(chosen)}; name one of them")
        if chosen:
            return chosen[0]
    there = join_names(
        f"{its_edition} {its_kind or ''} frames of {camera or 'an unnamed camera'} in {folder}".replace("  ", " ")
        for folder, camera, its_edition, its_kind in described
    )
    looked_for = _EXAMPLES[edition].format(modality)
    kind = f"{wanted} " if wanted else ""
    raise DataError(
        f"{root}: no {kind}frames of {title}; looked for {looked_for} in this folder and {_DEPTHS[edition]} levels "
        + "below"
        + (f"; there are {there}" if there else "")
    )


def _names(folder: Path, root: Path) -> list[str]:
    """Return the names of a folder and those above it, nearest first, up to the one that holds the root."""
    below = folder.relative_to(root).parts
    place = root.resolve()
    return [name.replace("_", " ") for name in (*reversed(below), place.name, place.parent.name)]


def _modality(folder: Path, root: Path) -> str | None:
    """Return the camera that the nearest folder names."""
    for name in _names(folder, root):
        if found := set(map(str.upper, _MODALITY.findall(name))):
            return found.pop() if len(found) == 1 else None
    return None


def _kind(folder: Path, root: Path) -> str | None:
    """Return "cropped" or "raw" by the nearest folder that says so."""
    for name in _names(folder, root):
        if match := _KIND.search(name):
            return next(kind for kind in _KINDS if kind.startswith(match[1].lower()))
    return None


def _edition(folder: Path) -> str:
    """Tell the extended release, whose clips lie in the subject's folder, from the classic one."""
    for subject in entries(folder):
        if subject.is_dir() and _SUBJECT_FOLDER.fullmatch(subject.name):
            names = [entry.name for entry in entries(subject.path) if entry.is_dir()]
            if any(name.lower() == "micro" for name in names):
                return "classic"
            if any(_CLIP.fullmatch(name.strip()) for name in names):
                return "extended"
    return "classic"


def _clip_id(name: str, modality: str) -> str:
    """Return smic/s01/s01_ne_01 for s1_ne_01, and smic/s01/vis_s01_ne_01 if it is of VIS."""
    match = _CLIP.fullmatch(name.strip())
    if match is None:
        raise DataError(f"{name!r} is no name of a clip of SMIC")
    subject = f"s{int(match[1]):02d}"
    camera = "" if modality == "HS" else f"{modality.lower()}_"
    return f"smic/{subject}/{camera}{subject}_{match[2].lower()}_{int(match[3]):02d}"


def _by_clip(
    rows: list[tuple[str, dict[str, str]]], parsed: Rows, modality: str, table: str
) -> dict[str, dict[str, str]]:
    """Return the rows of SMIC-E by clip_id; what they say twice or against the clip's name is a fault."""
    named: dict[str, dict[str, str]] = {}
    for name, cells in rows:
        clip_id = _clip_id(name, modality)
        subject, code, _ = name.lower().split("_")
        person = _SUBJECT.fullmatch(cells["Subject"])
        emotion = cells.get("Emotion", "").lower()
        if clip_id in named:
            places = f"{named[clip_id]['place']}, {cells['place']}"
            parsed.faults[clip_id] = f"annotated more than once (rows {places} of {table})"
        elif person is None or int(person[1]) != int(subject.lstrip("s")):
            parsed.faults[clip_id] = (
                f"subject {cells['Subject']!r} is not that of its name (row {cells['place']} of {table})"
            )
        elif emotion in _EMOTIONS.values() and emotion != _EMOTIONS[code]:
            said = f"its name says {_EMOTIONS[code]}, its row {emotion}"
            parsed.faults[clip_id] = f"{said} (row {cells['place']} of {table})"
        named[clip_id] = cells
    return named


def _clips(folder: Path, parsed: Rows, modality: str, edition: str) -> dict[str, dict[str, Any]]:
    """Return the clips' folders by clip_id, with what their names say, by subject and name; add to the faults."""
    found: dict[str, dict[str, Any]] = {}
    for subject, emotion, name, path in _walk(folder, edition):
        match = _CLIP.fullmatch(name.strip())
        if match is None:
            parsed.faults[f"smic/s{subject:02d}/{name}"] = f"no name of a clip of SMIC, such as s1_ne_01 (in {path})"
            continue
        clip_id = _clip_id(name, modality)
        said = _EMOTIONS[match[2].lower()]
        if int(match[1]) != subject:
            parsed.faults[clip_id] = f"a clip of subject s{int(match[1]):02d} in the folder of s{subject:02d} ({path})"
        elif emotion is not None and emotion != said:
            parsed.faults[clip_id] = f"its name says {said}, but it lies in the folder {emotion!r} ({path})"
        elif clip_id in found:
            parsed.faults[clip_id] = f"frames in several folders: {found[clip_id]['path']}, {path}"
        person = f"smic/s{int(match[1]):02d}"
        row = {"dataset": "smic", "subject": person, "emotion": said, "modality": modality}
        found[clip_id] = {"path": path, "row": row}
    return dict(sorted(found.items()))


def _walk(folder: Path, edition: str) -> Iterator[tuple[int, str | None, str, str]]:
    """Yield subject, emotion (of the folder, in the classic release), name and path of every clip's folder."""
    for subject in entries(folder):
        match = _SUBJECT_FOLDER.fullmatch(subject.name)
        if match is None or not subject.is_dir():
            continue
        if edition == "extended":
            for clip in entries(subject.path):
                if clip.is_dir():
                    yield int(match[1]), None, clip.name, clip.path
            continue
        for micro in entries(subject.path):
            if micro.name.lower() == "micro" and micro.is_dir():
                for emotion in (entry for entry in entries(micro.path) if entry.is_dir()):
                    for clip in entries(emotion.path):
                        if clip.is_dir():
                            yield int(match[1]), emotion.name.strip().lower(), clip.name, clip.path


def _add_classic(parsed: Rows, clips: dict[str, dict[str, Any]], fps: float) -> None:
    """Keep every clip from its first frame, the onset, to its last, the offset."""
    for clip_id, clip in clips.items():
        files, fault = numbered_images(clip["path"])
        if fault:
            parsed.faults.setdefault(clip_id, fault)
        if clip_id in parsed.faults:
            continue
        numbers = list(files)
        steps = {later - earlier for earlier, later in pairwise(numbers)}
        if len(steps) > 1:
            parsed.notes[clip_id] = (
                f"kept; its {len(files)} frame numbers leave gaps between {numbers[0]} and {numbers[-1]}"
            )
        positions = {"onset": 0, "apex": None, "offset": len(files) - 1}
        parsed.kept[clip_id] = {**clip["row"], **positions, "n_frames": len(files), "fps": fps}
        parsed.sources[clip_id] = ImageFilesSource(list(files.values()))
