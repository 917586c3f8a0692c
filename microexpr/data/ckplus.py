"""CK+ (extended Cohn-Kanade) as its users hold it: posed expressions from neutral to their peak, and emotion files."""

__all__ = ["load_ckplus"]

import os
import re
from pathlib import Path

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, join_names
from microexpr.core.sources import ImageFilesSource
from microexpr.data._annotations import Rows, clipset_of
from microexpr.data._folders import DEPTH, IMAGES, checked_root, chosen_frames, entries, numbered_images, search

_TITLE = "CK+"
_FPS = 30.0
_FRAMES = "cohn-kanade-images/S005/001/S005_001_00000001.png"
_EMOTION = "Emotion/S005/001/S005_001_00000011_emotion.txt"
#: The emotions by their number in the files, as the data set's own text spells them.
_EMOTIONS = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")

_SUBJECT_FOLDER = re.compile(r"S\d{3}", re.IGNORECASE)
_SEQUENCE_FOLDER = re.compile(r"\d{3}")


def load_ckplus(root: str | Path, *, allow_incomplete: bool = False) -> ClipSet:
    """Load CK+ from the folder it was unpacked to; no image is opened.

    Every sequence runs from a neutral face to the peak of the expression: onset is the first frame, apex the last, and
    the offset, which was not recorded, stays missing. The emotion is the number in the sequence's `_emotion.txt`.

    Parameters
    ----------
    root : path
        The folder that holds `cohn-kanade-images` and `Emotion`, each up to three levels deep.
    allow_incomplete : bool
        Whether to go on without the clips that have a finding. They are listed in the set's `findings` either way.

    Returns
    -------
    ClipSet
        Clips `ckplus/S005/001`, by subject and number; `emotion` is anger, contempt, disgust, fear, happy, sadness,
        surprise, or missing: 266 of the 593 sequences were given none. These are no findings; a label map drops
        them with the reason "no emotion is given". No labels: see `ClipSet.relabel`.

    Raises
    ------
    DataError
        If the folder, the images or the emotion files are missing, or (unless `allow_incomplete`) something is amiss:
        an emotion without frames, an empty folder, gaps in the frame numbers, several emotion files for one
        sequence, an emotion file that holds no number from 1 to 7.

    References
    ----------
    .. [1] P. Lucey, J. F. Cohn, T. Kanade, J. Saragih, Z. Ambadar, I. Matthews, "The extended Cohn-Kanade dataset
       (CK+): a complete dataset for action unit and emotion-specified expression", CVPR Workshops, 2010.

    Examples
    --------
    >>> clips = load_ckplus("CK+")  # doctest: +SKIP
    """
    root = checked_root(root, _TITLE)
    candidates = search(root, {}, _SUBJECT_FOLDER).frames
    kinds = [(folder, _kind(folder)) for folder in candidates]
    images = chosen_frames(root, [folder for folder, kind in kinds if kind == "images"], _TITLE, _FRAMES)
    labelled = [folder for folder, kind in kinds if kind == "emotion"]
    if not labelled:
        raise DataError(f"{root}: no emotions of CK+; looked for {_EMOTION} in this folder and {DEPTH} levels below")
    if len(labelled) > 1:
        raise DataError(f"{root}: several folders hold emotions of CK+: {join_names(labelled)}; keep one of them")
    parsed = Rows()
    emotions = _read_emotions(labelled[0], parsed)
    for clip_id, path in _sequences(images).items():
        emotion = emotions.pop(clip_id, None)
        files, fault = numbered_images(path)
        if fault is None and len(files) != max(files) - min(files) + 1:
            gap = next(number for number in range(min(files), max(files)) if number not in files)
            fault = f"frame {gap} has no file, the clip's frames run from {min(files)} to {max(files)}"
        if fault:
            parsed.faults.setdefault(clip_id, fault)
        if clip_id in parsed.faults:
            continue
        parsed.kept[clip_id] = {
            **{"dataset": "ckplus", "subject": clip_id.rpartition("/")[0], "emotion": emotion},
            **{"onset": 0, "apex": len(files) - 1, "offset": None, "n_frames": len(files), "fps": _FPS},
        }
        parsed.sources[clip_id] = ImageFilesSource(list(files.values()))
    for clip_id in emotions:
        parsed.faults[clip_id] = f"an emotion without frames (no folder in {images})"
    return clipset_of(parsed, root=root, title=_TITLE, table=None, allow_incomplete=allow_incomplete)


def _sequences(folder: Path) -> dict[str, str]:
    """Return the paths of the sequences' folders by clip_id."""
    found = {}
    for subject in entries(folder):
        if subject.is_dir() and _SUBJECT_FOLDER.fullmatch(subject.name):
            for sequence in entries(subject.path):
                if sequence.is_dir() and _SEQUENCE_FOLDER.fullmatch(sequence.name):
                    found[f"ckplus/{subject.name.upper()}/{sequence.name}"] = sequence.path
    return found


def _kind(folder: Path) -> str:
    """Tell images from emotions, and both from the FACS codes and landmarks in the same layout, by the first file."""
    for path in _sequences(folder).values():
        for entry in entries(path):
            if os.path.splitext(entry.name)[1].lower() in IMAGES:
                return "images"
            if entry.name.lower().endswith(".txt"):
                return "emotion" if entry.name.lower().endswith("_emotion.txt") else "other"
    return "none"


def _read_emotions(folder: Path, parsed: Rows) -> dict[str, str]:
    """Return the emotions by clip_id; add to the faults."""
    emotions = {}
    for clip_id, path in _sequences(folder).items():
        files = [entry.path for entry in entries(path) if entry.name.lower().endswith("_emotion.txt")]
        if len(files) > 1:
            parsed.faults[clip_id] = f"several emotion files: {join_names(files)}"
        elif files:
            number = _read_number(files[0])
            if number in range(1, len(_EMOTIONS) + 1):
                emotions[clip_id] = _EMOTIONS[int(number) - 1]
            else:
                parsed.faults[clip_id] = f"no emotion from 1 to {len(_EMOTIONS)} in {files[0]}"
    return emotions


def _read_number(path: str) -> float:
    """Return the one number in a file; NaN for anything else."""
    try:
        return float(Path(path).read_text(encoding="utf-8").strip())
    except (UnicodeDecodeError, ValueError):
        return float("nan")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
