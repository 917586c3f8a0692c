"""Clips of strangers named by a model: videos, folders of frames, stored flow maps."""

__all__ = ["Named", "Prepared", "predict_files", "prepare_file", "write_named"]

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from microexpr.core.atomic import write_atomic
from microexpr.core.checks import check_choice, check_int
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, MicroexprError, NoAnswer, ParameterError
from microexpr.core.progress import progress
from microexpr.core.sources import ArraySource, FlowMapSource, FrameSource, ImageFilesSource, read_image
from microexpr.data._folders import IMAGES, numbered_images
from microexpr.pipelines.framing import ALIGNMENTS, frame_clip
from microexpr.pipelines.models import Model
from microexpr.pipelines.refusing import NO_ANSWER, reason_of
from microexpr.video.apex import APEX_FEATURES, ApexSearch
from microexpr.video.opening import OpenVideo

# Fifteen seconds at 200 frames a second; what is longer holds more than one expression.
_MOST_FRAMES = 3000
# No stored map is as large as this, or shows a face.
_LARGEST_MAP = 64
# Of the search's curve, in seconds: 3 frames at 200 a second, as `ApexSearch` advises where there is sensor noise.
_SMOOTHING = 0.015


@dataclass(frozen=True)
class Prepared:
    """A clip that a model can be asked about.

    Parameters
    ----------
    clip : Clip
    notes : tuple of str
        What was done to it or guessed: aligned, the apex searched.
    """

    clip: Clip
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Named:
    """What a model says of some files.

    Parameters
    ----------
    table : DataFrame, one row a file that could be read
        clip_id (the path as given), label, `proba_<class>` where the method gives probabilities, onset and apex (Int64,
        zero-based frames, missing where there is none), notes. Of a clip that the model declines to name the label is
        "no answer", the notes say why, and all else is missing.
    failures : dict of str -> str
        What is wrong with the other files.
    """

    table: pd.DataFrame
    failures: dict[str, str]


def predict_files(
    model: Model,
    paths: Sequence[str | Path],
    *,
    align: str = "auto",
    onset: int | None = None,
    apex: int | None = None,
    find_apex: str = "strain",
) -> Named:
    """Name clips on disk, each by itself; one that cannot be named, or has no answer, does not stop the others.

    Parameters
    ----------
    model : Model
    paths : sequence of path
        Of each clip a video file, a folder of numbered images, or a stored flow map (.png).
    align : {"auto", "always", "never"}
        Whether the face is brought to the place that it has in the training clips; see `frame_clip`.
    onset, apex : int >= 0, zero-based frames, or None
        Of all the clips. None takes the first frame for the onset, and searches for the apex if the method needs one.
    find_apex : {"lbp", "flow", "strain"}
        What frames are compared by in the search; see `microexpr.video.apex.find_apex`.

    Returns
    -------
    Named

    Raises
    ------
    ParameterError
        If there is no path, or an option is not allowed.

    Examples
    --------
    >>> predict_files(load_model("flow.mxm"), ["smile.mp4"]).table  # doctest: +SKIP
    """
    if not paths:
        raise ParameterError("no clip is named: name at least one")
    _check_options(align, onset, apex, find_apex)
    rows: list[pd.DataFrame] = []
    failures: dict[str, str] = {}
    with progress("clips", len(paths)) as advance:
        for path in paths:
            try:
                prepared = prepare_file(path, model, align=align, onset=onset, apex=apex, find_apex=find_apex)
                row = model.predict([prepared.clip])
                rows.append(
                    row.assign(onset=prepared.clip.onset, apex=prepared.clip.apex, notes="; ".join(prepared.notes))
                )
            except NoAnswer as error:
                notes = reason_of(error, str(path))
                rows.append(pd.DataFrame({"clip_id": [str(path)], "label": [NO_ANSWER], "notes": [notes]}))
            except MicroexprError as error:
                failures[str(path)] = str(error)
            advance()
    return Named(_joined(rows), failures)


def prepare_file(
    path: str | Path,
    model: Model,
    *,
    align: str = "auto",
    onset: int | None = None,
    apex: int | None = None,
    find_apex: str = "strain",
) -> Prepared:
    """Read a clip and give it what a model needs: its face in place, its onset and apex.

    1. Read the frames of a video or of a folder (in the order of the numbers that end their names), or a flow map.
    2. Bring the face to its place (`frame_clip`). 3. If the method needs an apex and none is given, search for it.

    Parameters
    ----------
    path, model, align, onset, apex, find_apex
        See `predict_files`.

    Returns
    -------
    Prepared

    Raises
    ------
    ParameterError
        If an option is not allowed, or given for a flow map.
    DataError
        If the file cannot be read, is a single picture, has fewer than 2 frames or more than 3,000, or no face; or if
        onset and apex lie outside it or in the wrong order.
    NoAnswer
        If its face is too small (`frame_clip`), or all frames are the same where an apex is to be searched for.
    NeedsError
        If it lacks what the method needs and nobody can give it.
    """
    _check_options(align, onset, apex, find_apex)
    path = Path(path)
    name = str(path)
    if path.suffix.lower() in IMAGES:
        if onset is not None or apex is not None:
            raise ParameterError(f"{name}: a stored flow map has no frames, so onset and apex cannot be given")
        clip = Clip(name, _flow_map(path))
        model.check_clip(clip)
        return Prepared(clip, ())
    clip, notes = _read(path)
    n_frames = clip.n_frames
    for what, position in (("onset", onset), ("apex", apex)):
        if position is not None and position >= n_frames:
            raise DataError(f"{name}: {what} {position} lies outside the clip's {n_frames} frames")
    first = 0 if onset is None else onset
    if apex is not None and apex <= first:
        raise DataError(f"{name}: apex {apex} must come after the onset {first}")
    clip = replace(clip, onset=first, offset=n_frames - 1)
    clip, aligned = frame_clip(clip, model.framing, align=align)
    if aligned:
        notes.append("aligned" if model.framing.measured else "aligned to the usual place, that of training is unknown")
    if apex is None and {"apex", "motion"} & set(model.needs):
        _check_change(clip)
        smoothing = _SMOOTHING * clip.fps if clip.fps else 0.0
        [found] = ApexSearch(feature=find_apex, smoothing=smoothing).transform([clip])
        apex = found.apex
        notes.append("apex searched")
    clip = replace(clip, apex=apex)
    model.check_clip(clip)
    return Prepared(clip, tuple(notes))


def write_named(named: Named, path: str | Path) -> None:
    """Write the table as CSV (UTF-8, comma, header).

    Raises
    ------
    ResultsError
        If the file cannot be written; nothing is left behind then.
    """
    write_atomic(Path(path), named.table.to_csv(index=False, lineterminator="\n").encode())


def _joined(rows: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows as one table; those of no answer lack columns that others have."""
    found = list(dict.fromkeys(name for row in rows for name in row))
    ends = ("clip_id", "label", "onset", "apex", "notes")
    columns = [*ends[:2], *(name for name in found if name not in ends), *ends[2:]]
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)
    return table.reindex(columns=columns).astype({"onset": "Int64", "apex": "Int64"})


def _check_options(align: str, onset: int | None, apex: int | None, find_apex: str) -> None:
    check_choice(align, "align", ALIGNMENTS)
    check_choice(find_apex, "find_apex", APEX_FEATURES)
    for what, position in (("onset", onset), ("apex", apex)):
        if position is not None:
            check_int(position, what, minimum=0)


def _check_change(clip: Clip) -> None:
    """Refuse a clip whose frames are all the same: there is no apex to search for."""
    frames = clip.frames()[clip.onset :]
    if (frames == frames[0]).all():
        raise NoAnswer(f"{clip.clip_id}: it shows no motion: all {len(frames)} frames are the same")


def _read(path: Path) -> tuple[Clip, list[str]]:
    """Return the frames of a folder or a video as a clip without positions, and what is to be said of them."""
    name, notes = str(path), []
    source: FrameSource
    fps: float | None = None
    if path.is_dir():
        files, fault = numbered_images(path)
        if fault is not None:
            raise DataError(f"{name}: {fault}")
        _check_length(len(files), name)
        source = ImageFilesSource(list(files.values()))
    else:
        frames = []
        with OpenVideo(path, color=True) as opened:
            for frame in opened:
                frames.append(frame)
                _check_length(max(len(frames), 2), name)
            fps, uneven = opened.fps, opened.uneven
        source = ArraySource(np.stack(frames), name=name)
        if uneven:
            notes.append(f"{uneven} frames came late")
    _check_length(source.count(), name)
    return Clip(name, source, fps=fps), notes


def _check_length(n_frames: int, name: str) -> None:
    if n_frames < 2:
        raise DataError(f"{name}: it has {n_frames} frame: a clip has 2 at least")
    if n_frames > _MOST_FRAMES:
        raise DataError(
            f"{name}: it has more than {_MOST_FRAMES} frames: a clip shows one expression; `microexpr watch` finds "
            "those of a long video"
        )


def _flow_map(path: Path) -> FlowMapSource:
    """Return a stored flow map, refusing pictures of faces."""
    from microexpr.video.faces import detect_faces

    source = FlowMapSource(path)
    # A photograph would be measured as if it were motion.
    picture = read_image(path)
    rule = "a clip is a video, a folder of numbered images, or a flow map (.png)"
    if path.suffix.lower() != ".png":
        raise DataError(f"{path}: a single picture shows no motion: {rule}")
    if min(picture.shape[:2]) > _LARGEST_MAP and detect_faces(picture, name=str(path)):
        raise DataError(f"{path}: it shows a face, so it is a picture and no flow map: {rule}")
    source.read_map()
    return source
