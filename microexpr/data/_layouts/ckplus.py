"""CK+ as its users hold it: sequences that end at their apex, and emotions in one small text file each."""

__all__ = ["write_ckplus"]

from pathlib import Path

import numpy as np
import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError
from microexpr.core.progress import progress
from microexpr.core.sources import ImageFilesSource
from microexpr.data._layouts.files import checked_frames, save_images
from microexpr.data._layouts.naming import subject_number

_FPS = 30.0
_EMOTIONS = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
# The data set numbers its subjects from 5.
_FIRST_SUBJECT = 5


def write_ckplus(clipset: ClipSet, folder: Path, rng: np.random.Generator, *, quirks: bool) -> ClipSet:
    """Write the clips up to their apex; return them as a loader should. See `microexpr.data.layouts.write_layout`.

    With quirks the last of several clips has no emotion, as 266 of the real ones, but an empty folder for it.
    """
    entries, sources = [], []
    counts: dict[str, int] = {}
    with progress("writing clips", len(clipset)) as advance:
        for place, (clip, row) in enumerate(zip(clipset.clips, clipset.table.itertuples(), strict=True)):
            subject = f"S{subject_number(clip) + _FIRST_SUBJECT - 1:03d}"
            if row.emotion not in _EMOTIONS:
                raise DataError(f"{clip.clip_id}: emotion {row.emotion!r}; CK+ has {', '.join(_EMOTIONS)}")
            onset, apex = clip.onset_apex()
            counts[subject] = counts.get(subject, 0) + 1
            sequence = f"{counts[subject]:03d}"
            frames = checked_frames(clip, fps=_FPS)[onset : apex + 1]
            stems = [f"{subject}_{sequence}_{number:08d}" for number in range(1, len(frames) + 1)]
            names = [f"{stem}.png" for stem in stems]
            paths = save_images(folder / "cohn-kanade-images" / subject / sequence, names, frames)
            unlabelled = quirks and place == len(clipset) - 1 > 0
            code = _EMOTIONS.index(str(row.emotion)) + 1
            _write_emotion(folder / "Emotion" / subject / sequence, stems[-1], None if unlabelled else code)
            emotion = "happy" if row.emotion == "happiness" else str(row.emotion)
            entries.append(
                {
                    "clip_id": f"ckplus/{subject}/{sequence}",
                    **{"dataset": "ckplus", "subject": f"ckplus/{subject}", "emotion": None if unlabelled else emotion},
                    **{"onset": 0, "apex": len(frames) - 1, "offset": None, "n_frames": len(frames), "fps": _FPS},
                }
            )
            sources.append(ImageFilesSource(paths))
            advance()
    return ClipSet(pd.DataFrame(entries).set_index("clip_id"), sources)


def _write_emotion(folder: Path, stem: str, code: int | None) -> None:
    """Write the file of an emotion, one number in the real files' notation; only the folder where there is none."""
    try:
        folder.mkdir(parents=True)
        if code is not None:
            (folder / f"{stem}_emotion.txt").write_text(f"   {code:.7e}\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot write {error.filename or folder}: {error.strerror or error}") from error
