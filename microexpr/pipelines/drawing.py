"""Pictures of what the programs see in a clip's first frame: landmarks and regions."""

__all__ = ["draw_faces"]

import io
from pathlib import Path

from microexpr.core.atomic import write_atomic
from microexpr.core.clip import Clip
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, MicroexprError
from microexpr.core.progress import progress
from microexpr.video.faces import canonical_landmarks, draw, landmarks, regions


def draw_faces(clipset: ClipSet, folder: str | Path, *, kind: str = "mdmo36") -> int:
    """Write each clip's onset frame with its landmarks and regions drawn over it, one PNG a clip.

    Parameters
    ----------
    clipset : ClipSet
    folder : path
        `<dataset>/<subject>/<clip>.png` are written into it; files of the same names are replaced.
    kind : {"mdmo36", "kato15", "polikovsky12", "grid"}
        See `microexpr.video.faces.regions`.

    Returns
    -------
    int
        How many pictures were written.

    Raises
    ------
    ParameterError
        If `kind` is none of these.
    DataError
        If the face of a clip is not found; the pictures of all others are written first.
    ResultsError
        If the folder cannot be written.
    """
    regions(canonical_landmarks(), kind=kind)  # refuses an unknown kind before any clip is read
    failed: list[str] = []
    clips = clipset.clips
    with progress("drawing faces", len(clips)) as advance:
        for clip in clips:
            try:
                write_atomic(Path(folder) / f"{clip.clip_id}.png", _picture(clip, kind))
            except DataError as error:
                failed.append(str(error))
            advance()
    if failed:
        raise DataError(f"{len(failed)} of {len(clips)} clips cannot be drawn, the others are in {folder}; {failed[0]}")
    return len(clips)


def _picture(clip: Clip, kind: str) -> bytes:
    from PIL import Image

    frame = clip.frames()[clip.onset or 0]
    try:
        points = landmarks(frame)
    except MicroexprError as error:
        raise DataError(f"{clip.clip_id}: {error}") from None
    buffer = io.BytesIO()
    Image.fromarray(draw(frame, points, regions(points, kind=kind), scale=3)).save(buffer, format="png")
    return buffer.getvalue()
