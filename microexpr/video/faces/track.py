"""One face followed through a video, frame by frame."""

__all__ = ["FaceTrack", "FaceTracker", "track_faces"]

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from microexpr.core.checks import check_choice, check_float, check_int
from microexpr.core.errors import DataError, join_names
from microexpr.video.faces._cascades import run_cascade
from microexpr.video.faces._frame import check_frame, grey_of
from microexpr.video.faces._patch import face_patch
from microexpr.video.faces.detect import CHOICES, FRONTAL, FaceBox, detect_faces, find_face, rolls_near
from microexpr.video.faces.landmarks import check_backend, landmarks, template_landmarks
from microexpr.video.faces.template import transform_points

# Around the last box, half a box more; shrunk so that the face is 80 pixels wide there: a millisecond a frame.
_GROWN = 1.5
_FACE_SIDE = 80
# Face sizes searched for, in fractions of the last one.
_SIZES = (0.8, 1.25)
# The place is known, so fewer windows need to agree than in a whole frame.
_NEIGHBORS = 3


class FaceTracker:
    """Follow one face through frames that come one at a time.

    Each frame: search around the last box, at reduced scale and at about its size, first upright as the face was last
    seen, then turned by 15, 30, ... degrees; where that fails, search the whole frame and take the face nearest to
    the last one.

    Parameters
    ----------
    face : {"only", "largest"}
        Which face to follow where the first frame with a face has several; see `find_face`.
    min_size, max_roll
        See `detect_faces`.

    Raises
    ------
    ParameterError
        If a parameter is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> FaceTracker().update(np.full((120, 160), 90, np.uint8)) is None
    True
    """

    def __init__(self, *, face: str = "only", min_size: int | None = None, max_roll: float = 45.0) -> None:
        check_choice(face, "face", CHOICES)
        self.face = face
        self.min_size = min_size
        self.max_roll = check_float(max_roll, "max_roll", minimum=0.0, maximum=180.0)
        self.last: FaceBox | None = None

    def update(self, frame: np.ndarray, *, name: str = "frame") -> FaceBox | None:
        """Return the face in the next frame, or None if there is none.

        Raises
        ------
        DataError
            If `frame` is no frame, or is the first with a face and has several where `face` is "only".
        """
        grey = grey_of(check_frame(frame, name=name))
        box = None if self.last is None else self._near(grey, self.last)
        if box is None:
            found = detect_faces(grey, min_size=self.min_size, max_roll=self.max_roll, name=name)
            if found and self.last is None:
                box = find_face(grey, face=self.face, min_size=self.min_size, max_roll=self.max_roll, name=name)
            elif found:
                last = self.last
                box = min(found, key=lambda face: np.hypot(*np.subtract(face.center, last.center)))  # type: ignore[union-attr]
        if box is not None:
            self.last = box
        return box

    def _near(self, grey: np.ndarray, last: FaceBox) -> FaceBox | None:
        target = round(_FACE_SIDE * _GROWN)
        unit = last.width / _FACE_SIDE
        for roll in rolls_near(last.roll, self.max_roll):
            patch, back = face_patch(grey, last.center, last.width * _GROWN, roll, target)
            smallest, largest = (_FACE_SIDE * size for size in _SIZES)
            found = run_cascade(FRONTAL, patch, min_side=smallest, max_side=largest, neighbors=_NEIGHBORS)
            if found:
                x, y, side, _, score = max(found, key=lambda box: (box[4], box[2]))
                middle = transform_points(np.array([x + (side - 1) / 2, y + (side - 1) / 2]), back)
                width = side * unit
                left, top = (float(value) - (width - 1) / 2 for value in middle)
                return FaceBox(left, top, width, width, float(score), roll)
        return None


@dataclass(frozen=True, eq=False)
class FaceTrack:
    """Where a face is in every frame of a video.

    Parameters
    ----------
    boxes : float64 ndarray of shape (n_frames, 4)
        x, y, width, height as in `FaceBox`, in pixels.
    rolls : float64 ndarray of shape (n_frames,), in degrees, clockwise
    landmarks : float64 ndarray of shape (n_frames, 68, 2)
        x and y in pixels.
    found : bool ndarray of shape (n_frames,)
        False where the face was not found and its place is interpolated.
    sources : tuple of n_frames str
        What the landmarks come from: a `FaceLandmarks.source`, or "interpolated".
    """

    boxes: np.ndarray
    rolls: np.ndarray
    landmarks: np.ndarray
    found: np.ndarray
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.boxes)


def track_faces(
    frames: Iterable[np.ndarray],
    *,
    max_gap: int = 5,
    face: str = "only",
    backend: str = "opencv",
    model: str | None = None,
    min_size: int | None = None,
    max_roll: float = 45.0,
    name: str = "frames",
) -> FaceTrack:
    """Follow one face through a video, bridging short gaps.

    1. Find the face in each frame near where it was last (`FaceTracker`), and its landmarks.
    2. Where it is lost for at most `max_gap` frames running, interpolate box and landmarks linearly between the frames
       around the gap; at the beginning and the end of the video, hold the nearest ones.
    3. Refuse longer gaps.

    Parameters
    ----------
    frames : iterable of uint8 ndarray of shape (height, width) or (height, width, 3)
        Read one at a time: a generator of a long video's frames will do.
    max_gap : int >= 0, in frames
    face, min_size, max_roll
        See `FaceTracker`.
    backend, model
        See `landmarks`.
    name : str
        What messages call the video.

    Returns
    -------
    FaceTrack

    Raises
    ------
    DataError
        If there is no frame or one is no frame, no face is ever found, several are and `face` is "only", or the face is
        lost for more than `max_gap` frames: the message names the frames, from 0.
    NeedsError, ParameterError
        See `landmarks`.

    Notes
    -----
    Boxes of a cascade tremble by some pixels from frame to frame. To measure motion, do not follow the face but
    align the clip once (`align`).

    Examples
    --------
    >>> import numpy as np
    >>> track_faces(np.full((9, 120, 160), 90, np.uint8))
    Traceback (most recent call last):
    microexpr.core.errors.DataError: frames: no face is found in any of the 9 frames
    """
    check_int(max_gap, "max_gap", minimum=0)
    check_backend(backend, model)
    tracker = FaceTracker(face=face, min_size=min_size, max_roll=max_roll)
    boxes: list[tuple[float, ...]] = []
    points: list[np.ndarray] = []
    sources: list[str] = []
    for position, frame in enumerate(frames):
        label = f"{name}: frame {position}"
        box = tracker.update(frame, name=label)
        if box is None:
            boxes.append((np.nan,) * 5)
            points.append(np.full((68, 2), np.nan))
            sources.append("interpolated")
            continue
        if backend == "opencv":
            marks = template_landmarks(grey_of(frame), box)
        else:
            marks = landmarks(frame, box, backend=backend, model=model, name=label)
        boxes.append((box.x, box.y, box.width, box.height, box.roll))
        points.append(marks.points)
        sources.append(marks.source)
    if not boxes:
        raise DataError(f"{name}: there is no frame to find a face in")
    places = np.array(boxes)
    found = ~np.isnan(places[:, 0])
    _check_gaps(found, max_gap, name)
    every = np.arange(len(found))
    values = np.concatenate([places, np.array(points).reshape(len(found), -1)], axis=1)
    for column in values.T:
        column[~found] = np.interp(every[~found], every[found], column[found])
    return FaceTrack(values[:, :4], values[:, 4], values[:, 5:].reshape(-1, 68, 2), found, tuple(sources))


def _check_gaps(found: np.ndarray, max_gap: int, name: str) -> None:
    if not found.any():
        raise DataError(f"{name}: no face is found in any of the {len(found)} frames")
    lost = np.flatnonzero(~found)
    runs = np.split(lost, np.flatnonzero(np.diff(lost) > 1) + 1) if len(lost) else []
    long = [f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs if len(run) > max_gap]
    if long:
        raise DataError(
            f"{name}: the face is lost in frames {join_names(long)}; gaps of at most {max_gap} frames are interpolated"
        )
