"""Where faces lie in the pictures that a model was trained on, and a stranger's clip brought to the same place."""

__all__ = ["ALIGNMENTS", "Framing", "frame_clip", "measure_framing"]

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from microexpr.core.checks import check_choice
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NoAnswer
from microexpr.core.sources import ArraySource

#: Whether a clip's face is aligned: where it lies elsewhere than in training, always, never.
ALIGNMENTS = ("auto", "always", "never")

# The outer corners of the eyes among the 68 landmarks.
_CORNERS = [36, 45]
# Training clips looked at: their mean place is known to a hundredth of the picture's width or so.
_MOST_LOOKED_AT = 24
# Where fewer than half of the pictures show a face that is found, the mean says nothing of the rest.
_LEAST_SHARE = 0.5
# A face within so many distances of the eyes' corners from its place, and within such a factor of its size, stays.
_NEAR = 0.08
_SAME_SIZE = 1.05
# In pixels between the outer corners of the eyes: less is too small for micro-motion. 24 rendered expressions were
# shrunk by averaging over areas, sensor noise of 1.5 grey levels added, and enlarged again. With TV-L1 maps at 120
# pixels, their u and v correlate by .89 in the median from faces of 64 pixels, .85 from 40, .83 from 32, .75 from 24,
# .72 from 20, .62 from 16; not enlarged .90, .75, .66, .55, .48, .34. Below .7 is too small; compression needs room.
_LEAST_EYES = 24.0
# A model whose own training faces are as small knows them so: of their distance, this share will do.
_LEAST_OF_TRAINING = 0.9
# The smallest side of a face that is searched for only to say that it is too small, in pixels.
_SMALLEST_FACE = 24
# Of a model that learned from stored maps, or whose faces were not found.
_USUAL_SIZE = (280, 230)


@dataclass(frozen=True)
class Framing:
    """Size of the training pictures, and where the outer corners of the eyes lie in them.

    Parameters
    ----------
    size : (height, width), ints > 0, in pixels
        The median of the training clips.
    corners : ((x, y), (x, y))
        Mean places of the outer corners of the eyes, that on the picture's left first, as fractions of width and
        height.
    measured : bool
        False where they could not be found: size and place are then the usual ones of `microexpr.video.faces.align`.
    """

    size: tuple[int, int]
    corners: tuple[tuple[float, float], tuple[float, float]]
    measured: bool

    def facts(self) -> dict[str, Any]:
        """Return them for JSON."""
        return {"size": list(self.size), "corners": [list(one) for one in self.corners], "measured": self.measured}

    @classmethod
    def from_facts(cls, facts: Any) -> "Framing":
        """Read what `facts` returned.

        Raises
        ------
        DataError
            If it is something else.
        """
        try:
            height, width = (int(size) for size in facts["size"])
            first, second = ((float(x), float(y)) for x, y in facts["corners"])
            measured = facts["measured"]
        except (KeyError, OverflowError, TypeError, ValueError):
            raise DataError(f"its framing is {facts!r}: it must have size, corners and measured") from None
        sound = min(height, width) >= 16 and max(height, width) <= 8192 and first[0] < second[0]
        if not sound or not all(-1.0 <= part <= 2.0 for part in (*first, *second)) or type(measured) is not bool:
            raise DataError(f"its framing is {facts!r}: no face can lie there")
        return cls((height, width), (first, second), measured)


def measure_framing(clips: Sequence[Clip]) -> Framing:
    """Find where faces lie in clips: the mean place of their eyes in the first frames of up to 24 clips.

    The places are fractions of each picture's own width and height. Clips are taken evenly from the whole sequence.
    Where there are no pictures, or a face is found in fewer than half of them, size and place are the usual ones.

    Parameters
    ----------
    clips : sequence of Clip

    Returns
    -------
    Framing

    Raises
    ------
    DataError
        If a clip cannot be read.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> measure_framing(make_clips(n_subjects=2, clips_per_subject=2).clips).size
    (140, 120)
    """
    pictured = [clip for clip in clips if clip.has_pixels]
    step = max(1, -(-len(pictured) // _MOST_LOOKED_AT))
    sizes, corners = [], []
    for clip in pictured[::step]:
        frame = clip.source.first()
        sizes.append(frame.shape[:2])
        found = _find_corners(frame, clip.clip_id)
        if found is not None:
            corners.append((found + 0.5) / [frame.shape[1], frame.shape[0]])
    if not sizes or len(corners) < _LEAST_SHARE * len(sizes):
        return _usual(_USUAL_SIZE)
    height, width = (int(size) for size in np.median(sizes, axis=0))
    first, second = np.mean(corners, axis=0).round(4).tolist()
    return Framing((height, width), (tuple(first), tuple(second)), True)


def frame_clip(clip: Clip, framing: Framing, *, align: str = "auto") -> tuple[Clip, bool]:
    """Bring the face of a clip to the place and size that it has in a model's training clips.

    1. Find face and eyes in the first frame, the outer corners of the eyes 24 pixels apart at least, or nine tenths of
    what they are in training where that is less. 2. With "auto", leave the clip as it is if its pictures have the
    training pictures' size to 5 % and the corners lie within .08 of their distance from where they are to be. 3. Else
    resample all frames by the one similarity that brings the corners there; see `microexpr.video.faces.align`.

    Parameters
    ----------
    clip : Clip
        A stored flow map comes back as it is.
    framing : Framing
    align : {"auto", "always", "never"}

    Returns
    -------
    clip : Clip
    aligned : bool
        Whether its frames were resampled.

    Raises
    ------
    DataError
        If the clip cannot be read, or its first frame shows no face.
    NoAnswer
        If the face is too small. With "never" nobody looks.
    ParameterError
        If `align` is not allowed.

    Notes
    -----
    A method's features depend on where the face lies and how large it is. A stranger's video, which shows a room, would
    be measured elsewhere than the training clips were, and named none the less.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> clips = make_clips(n_subjects=2, clips_per_subject=2).clips
    >>> framed, aligned = frame_clip(clips[0], measure_framing(clips))
    >>> framed is clips[0], aligned
    (True, False)
    """
    from microexpr.video.faces import align as align_frames

    check_choice(align, "align", ALIGNMENTS)
    if align == "never" or not clip.has_pixels:
        return clip, False
    frames = clip.frames()
    found = _find_corners(frames[0], clip.clip_id)
    if found is None:
        tiny = _find_corners(frames[0], clip.clip_id, min_size=_SMALLEST_FACE)
        if tiny is not None:
            _check_size(tiny, framing, clip.clip_id)
        raise DataError(
            f"{clip.clip_id}: no face is found in its first frame; align='never' (--align never) takes its pictures as "
            "they are, if they are cut to the face as the training clips are"
        )
    _check_size(found, framing, clip.clip_id)
    if align == "auto" and _is_there(found, frames.shape[1:3], framing):
        return clip, False
    placed = align_frames(frames, _points(found, framing), size=framing.size, name=clip.clip_id)
    return replace(clip, source=ArraySource(placed, name=clip.clip_id)), True


def _find_corners(frame: np.ndarray, name: str, *, min_size: int | None = None) -> np.ndarray | None:
    """Return the outer corners of the eyes of the largest face, (2, 2), in pixels, or None without a face."""
    from microexpr.video.faces import find_face, landmarks

    try:
        box = find_face(frame, face="largest", min_size=min_size, name=name)
        return np.asarray(landmarks(frame, box, name=name), np.float64)[_CORNERS]
    except DataError:
        return None


def _check_size(found: np.ndarray, framing: Framing, name: str) -> None:
    """Refuse a face whose motion cannot be measured."""
    distance, trained = (float(np.linalg.norm(two[1] - two[0])) for two in (found, _target(framing)))
    least = min(_LEAST_EYES, _LEAST_OF_TRAINING * trained)
    if distance < least:
        raise NoAnswer(
            f"{name}: its face is too small: the outer corners of the eyes lie {distance:.3g} pixels apart; "
            f"micro-motion is measured from {least:.3g}"
        )


def _target(framing: Framing) -> np.ndarray:
    """Return where the corners are to be, in pixels, the centre of the first one being (0, 0)."""
    height, width = framing.size
    return np.asarray(framing.corners) * [width, height] - 0.5


def _is_there(found: np.ndarray, size: tuple[int, ...], framing: Framing) -> bool:
    factors = np.asarray(size[:2]) / framing.size
    if not ((factors < _SAME_SIZE) & (factors > 1 / _SAME_SIZE)).all():
        return False
    target = _target(framing)
    scaled = (found + 0.5) / factors[::-1] - 0.5
    off = np.linalg.norm(scaled - target, axis=1).max()
    return bool(off < _NEAR * np.linalg.norm(target[1] - target[0]))


def _points(found: np.ndarray, framing: Framing) -> np.ndarray:
    """Return the landmarks which `align` brings to its own place by the similarity that brings `found` to ours."""
    from microexpr.video.faces import canonical_landmarks
    from microexpr.video.faces.template import fit_similarity, transform_points

    return transform_points(canonical_landmarks(framing.size), fit_similarity(_target(framing), found))


def _usual(size: tuple[int, int]) -> Framing:
    from microexpr.video.faces import canonical_landmarks

    height, width = size
    corners = (canonical_landmarks(size)[_CORNERS] + 0.5) / [width, height]
    first, second = corners.round(4).tolist()
    return Framing(size, (tuple(first), tuple(second)), False)
