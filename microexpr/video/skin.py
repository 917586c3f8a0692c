"""The mean colour of a face's skin, frame by frame: what a pulse is read from."""

__all__ = ["SKINS", "skin_traces"]

from array import array
from collections.abc import Iterable

import numpy as np

from microexpr.core.checks import check_choice, check_float
from microexpr.core.errors import DataError
from microexpr.video.faces._frame import check_frame, grey_of
from microexpr.video.faces.landmarks import check_backend, landmarks, template_landmarks
from microexpr.video.faces.regions import regions
from microexpr.video.faces.template import eye_centers
from microexpr.video.faces.track import FaceTracker

#: Where the skin is: on the forehead and cheeks of a face that is followed, or all over the picture.
SKINS = ("face", "frame")

#: Slower cameras do not resolve the fastest pulse, 4 Hz, with some room below half their rate.
SMALLEST_FPS = 10.0

# Regions without brows, lids, lips or nostrils, whose motion would be taken for a pulse, by kind of division.
_REGIONS = {"polikovsky12": ("forehead",), "kato15": ("right_cheek", "left_cheek")}
# Looks for the face, a second: heads move slowly, and a look costs more than all else. Fewer while there is no face.
_LOOKS = 15.0
_SEARCHES = 3.0
# Boxes of a cascade tremble by pixels; places are averaged over about this many seconds.
_CALM = 0.3
# A face that is not seen for so many seconds is gone; shorter, it has but blinked or turned.
_PATIENCE = 0.5
# Who is this much further off, in distances between the eyes, or larger by this factor, is another face.
_JUMP = 0.5
_GROWTH = 1.3
# Fractions of a pixel that corners are drawn with, as a power of two.
_SHIFT = 4


def skin_traces(
    frames: Iterable[np.ndarray],
    *,
    fps: float,
    skin: str = "face",
    face: str = "largest",
    backend: str = "opencv",
    model: str | None = None,
    name: str = "video",
) -> np.ndarray:
    """Average the colour of the skin in each frame of a video.

    1. Follow the face (`FaceTracker`), 15 looks a second; its forehead and cheeks are polygons over its landmarks.
       2. Average the polygons over some 0.3 seconds: boxes of a detector tremble. 3. Average R, G and B over all pixels
       of the three.

    Parameters
    ----------
    frames : iterable of uint8 ndarray of shape (height, width, 3)
        Channels in the order R, G, B. Read one at a time; only the three numbers of each frame are kept.
    fps : float >= 10, in frames per second
    skin : {"face", "frame"}
        "frame" averages the whole picture, for clips that are cut to the skin already; no face is looked for.
    face : {"only", "largest"}
        Which face to follow where the first frame with a face has several; see `find_face`.
    backend, model
        See `landmarks`.
    name : str
        What messages call the video.

    Returns
    -------
    float64 ndarray of shape (n_frames, 3), within 0..255
        NaN in the frames without a face. A face that is not seen for at most half a second is taken to be where it was;
        where another one takes its place, one frame is NaN, so that the two are kept apart.

    Raises
    ------
    DataError
        If there is no frame, one is no frame, a frame is grey, no face is ever found, or several are and `face` is
        "only".
    NeedsError, ParameterError
        See `landmarks`; also if `fps` or `skin` is not allowed.

    Notes
    -----
    Forehead and cheeks are where the pulse shows best, and where expressions move the least that has edges. Pixels are
    not told apart further: hair over the forehead, glasses and highlights are averaged in.

    Examples
    --------
    >>> from microexpr.data import make_videos
    >>> videos = make_videos(1, 1, seconds=2, fps=10, micro=0, macro=0, color=True)
    >>> traces = skin_traces(videos.sources["synthetic-long/sub01/V01"].read(), fps=10)
    >>> traces.shape, bool((traces[:, 0] > traces[:, 2]).all())  # skin is redder than it is blue
    ((20, 3), True)
    """
    rate = check_float(fps, "fps", minimum=SMALLEST_FPS)
    check_choice(skin, "skin", SKINS)
    check_backend(backend, model)
    follower = _Follower(rate, face, backend, model) if skin == "face" else None
    # Three numbers a frame, the only thing that grows with the video: 24 bytes.
    values = array("d")
    for position, frame in enumerate(frames):
        label = f"{name}: frame {position}"
        if not isinstance(frame, np.ndarray) or frame.ndim != 2:
            frame = _check_colour(frame, label, skin)
        else:
            raise DataError(f"{label} is grey: a pulse shows in the colour of the skin; colour video is needed")
        if follower is None:
            values.extend(frame.mean(axis=(0, 1)))
            continue
        values.extend(follower.colour(frame, position, label))
        if follower.lost_at == position:
            # What was taken for the face since it was last seen was none.
            for place in range(3 * (follower.seen_at + 1), 3 * position):
                values[place] = float("nan")
    if not values:
        raise DataError(f"{name}: there is no frame to find skin in")
    traces = np.array(values).reshape(-1, 3)
    if np.isnan(traces).all():
        raise DataError(f"{name}: no face is found in any of the {len(traces)} frames")
    return traces


_NOTHING = (float("nan"),) * 3


class _Follower:
    """Where the skin of one face is, frame by frame."""

    def __init__(self, fps: float, face: str, backend: str, model: str | None) -> None:
        self._tracker = FaceTracker(face=face)
        self._backend, self._model = backend, model
        self._look_every = max(1, round(fps / _LOOKS))
        self._search_every = max(1, round(fps / _SEARCHES))
        self._patience = _PATIENCE * fps
        self._step = 1.0 - float(np.exp(-self._look_every / fps / _CALM))
        self._corners: np.ndarray | None = None
        self._unit = 0.0
        self._next_look = 0
        self.seen_at = self.lost_at = -1

    def colour(self, frame: np.ndarray, position: int, label: str) -> tuple[float, ...]:
        """Return the mean R, G and B of the skin in the next frame, NaN without a face."""
        if position >= self._next_look and self._look(frame, position, label):
            return _NOTHING
        return _NOTHING if self._corners is None else _mean_colour(frame, self._corners)

    def _look(self, frame: np.ndarray, position: int, label: str) -> bool:
        """Look where the face is; return whether another one has taken its place."""
        self._next_look = position + self._look_every
        box = self._tracker.update(frame, name=label)
        if box is None:
            if self._corners is not None and position - self.seen_at > self._patience:
                self._corners, self.lost_at = None, position
            if self._corners is None:
                self._next_look = position + self._search_every
            return False
        if self._backend == "opencv":
            points = template_landmarks(grey_of(frame), box).points
        else:
            points = landmarks(frame, box, backend=self._backend, model=self._model, name=label).points
        corners = _skin_corners(points)
        unit = float(np.hypot(*np.subtract(*eye_centers(points))))
        before, last, self.seen_at = self._corners, self._unit, position
        if before is not None:
            away = float(np.hypot(*(corners - before).mean(axis=(0, 1))))
            if away < _JUMP * last and 1 / _GROWTH < unit / last < _GROWTH:
                self._corners = before + self._step * (corners - before)
                self._unit = last + self._step * (unit - last)
                return False
        self._corners, self._unit = corners, unit
        return before is not None


def _skin_corners(points: np.ndarray) -> np.ndarray:
    """Return the corners of forehead and cheeks, float64 (3, 4, 2)."""
    found = []
    for kind, names in _REGIONS.items():
        polygons = regions(points, kind=kind)
        found += [polygons[name] for name in names]
    return np.stack(found)


def _mean_colour(frame: np.ndarray, polygons: np.ndarray) -> tuple[float, ...]:
    """Return the mean R, G and B over all pixels of the polygons, NaN where none lies in the frame."""
    import cv2

    total, count = np.zeros(3), 0
    for corners in polygons:
        left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, None)
        right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
        part = frame[top : max(bottom, top), left : max(right, left)]
        if not part.size:
            continue
        mask = np.zeros(part.shape[:2], np.uint8)
        fixed = np.rint((corners - [left, top]) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillConvexPoly(mask, fixed, 255, shift=_SHIFT)
        inside = cv2.countNonZero(mask)
        total += inside * np.array(cv2.mean(np.ascontiguousarray(part), mask)[:3])
        count += inside
    return tuple(total / count) if count else _NOTHING


def _check_colour(frame: object, label: str, skin: str) -> np.ndarray:
    """Return the frame if it is an RGB one, of any size where no face is looked for."""
    if skin == "frame" and isinstance(frame, np.ndarray) and frame.ndim == 3 and frame.shape[2] == 3 and frame.size:
        if frame.dtype != np.uint8:
            raise DataError(f"{label}: a frame of dtype {frame.dtype}; 8-bit frames (uint8, 0..255) are needed")
        return frame
    return check_frame(frame, name=label)
