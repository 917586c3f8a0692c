"""The face of a long video, frame by frame: found, followed, brought to one place, the head's own motion taken out."""

__all__ = ["FACE_SIZE", "FRONT_VERSION", "FaceStream"]

from collections.abc import Iterable, Iterator

import numpy as np

from microexpr.core.checks import check_choice, check_float, check_int_tuple
from microexpr.core.errors import DataError
from microexpr.spotting._cells import CellGrid, Reference, fit_head, pooled
from microexpr.spotting.method import FaceFrame
from microexpr.video.faces._frame import check_frame, grey_of
from microexpr.video.faces.align import alignment, canonical_landmarks
from microexpr.video.faces.detect import CHOICES, FaceBox
from microexpr.video.faces.landmarks import template_landmarks
from microexpr.video.faces.track import FaceTracker

#: Raised when the same video would give other faces; part of the keys of all that is measured in them.
FRONT_VERSION = 1

#: Height and width of the canonical face, in pixels: half a pixel of a face of 640x480 is a fifth here, still seen.
FACE_SIZE = (168, 144)

_PADDING = 0.12
# Frames a second below which a blink, an expression and a turn of the head all look alike: a jump.
_SLOWEST = 5.0
# Faces a second at the least: a micro-expression of a fifth of a second is then seen six times.
_LEAST_RATE = 28.0
# A face is compared with one at most this old, in seconds: errors do not add up frame by frame.
_REFERENCE_AGE = 0.5
# Seconds between two looks at whether there still is a face where it is thought to be.
_LOOK_EVERY = 1.0
# So many looks running without a face, and it is lost.
_PATIENCE = 3
# How far, in distances between the eyes, and by what factor, the face may be off its supposed place at a look.
_DRIFT = 0.3
_GROWTH = 1.3
# What a face must correlate by with the reference, cell by cell; a face that turned away or is covered falls below.
_LEAST_MATCH = 0.6
# What the details of two faces in a row must correlate by: below .65 at cuts between people, above .85 without one.
_LEAST_ALIKE = 0.72
# Blurs between which a detail's size lies, in pixels of the canonical face.
_DETAILS = (1.0, 6.0)
# A smaller face has too few pixels for motion of a part of one: distance between the eyes.
_SMALLEST = 12.0
# Looks for a face cost more than all else: where there is none, only every third face's turn has one.
_SEARCH_EVERY = 3
# Degrees that a head may be tilted by where it is first found.
_MAX_ROLL = 30.0
# A face farther from the supposed place than this is another one: distances between the eyes.
_ELSEWHERE = 1.0
# Of the flow that follows the head: the reference's preset, how often it is repeated, and the shift that needs no more.
_PRESET = 1
_STEPS = 3
_CLOSE = 0.7


class FaceStream:
    """Follow one face through a video of any length.

    1. Of every frame or, at more than 56 frames a second, of every n-th, so that 28 to 56 faces a second remain: where
       no face is known yet, find it, place the mean shape on its eyes and bring it to the canonical place.
    2. Later frames: the picture at the last place of the face is compared with a reference at most half a second old by
       optical flow (dense inverse search), pooled over cells by their texture. The affine motion that most cells
       share, the eyes left out, is the head's; its shift, turn and size move the place.
    3. Every second the face detector is asked whether there still is a face about there. A face that is lost,
       replaced (a cut), or much displaced begins anew, with `restart` set.

    Memory: the last frame and one reference, whatever the length.

    Parameters
    ----------
    frames : iterable of uint8 ndarray of shape (height, width) or (height, width, 3)
        Read one at a time.
    fps : float >= 5, in frames per second
    size : (height, width), ints >= 64, in pixels
        Of the canonical face.
    face : {"only", "largest"}
        Which face to follow where the first frame with a face has several; see `find_face`.
    name : str
        What messages call the video.

    Attributes
    ----------
    stride : int
        Frames from one face to the next: face r is that of frame r * stride.
    rate : float
        Faces per second.
    n_frames : int
        Frames read so far.
    points : float64 ndarray of shape (68, 2)
        The canonical landmarks.
    restarts : list of int
        The frames at which a face began anew after the first.

    Raises
    ------
    ParameterError
        If a parameter is not allowed.
    DataError
        While iterating, if a frame is no frame, has another size than the first, or `face` is "only" and there are
        several.

    Notes
    -----
    The place is followed by the flow of the face itself, not by boxes of a detector, which tremble by pixels. A head
    that turns out of the plane shifts and narrows; parallax stays in the faces, see the method `flow`.

    Examples
    --------
    >>> from microexpr.data import make_videos
    >>> videos = make_videos(1, 1, seconds=5, micro=1, macro=0)
    >>> stream = FaceStream(videos.sources["synthetic-long/sub01/V01"].read(), fps=30)
    >>> faces = list(stream)
    >>> len(faces), faces[70].grey.shape, stream.stride, stream.restarts
    (150, (168, 144), 1, [])
    """

    def __init__(
        self,
        frames: Iterable[np.ndarray],
        *,
        fps: float,
        size: tuple[int, int] = FACE_SIZE,
        face: str = "largest",
        name: str = "video",
    ) -> None:
        self.fps = check_float(fps, "fps", minimum=_SLOWEST)
        height, width = check_int_tuple(size, "size", 2, minimum=64)
        self.size = (height, width)
        check_choice(face, "face", CHOICES)
        self.face = face
        self.name = name
        self.stride = max(1, int(self.fps // _LEAST_RATE))
        self.rate = self.fps / self.stride
        self.points = canonical_landmarks(self.size, padding=_PADDING)
        self.n_frames = 0
        self.restarts: list[int] = []
        self._frames = frames
        self._grid = CellGrid(self.points, self.size)
        self._center = (np.array(self.size[::-1]) - 1.0) / 2
        self._basis = np.column_stack([np.ones(len(self._grid.centers)), self._grid.centers - self._center])
        self._free = np.full((3, 2), np.inf)
        self._begun = False
        self._waited = 0
        self._forget()

    def __iter__(self) -> Iterator[FaceFrame]:
        shape = None
        for position, frame in enumerate(self._frames):
            self.n_frames = position + 1
            if position % self.stride:
                continue
            grey = grey_of(check_frame(frame, name=f"{self.name}: frame {position}"))
            if shape is not None and grey.shape != shape:
                raise DataError(f"{self.name}: frame {position} is of size {grey.shape}, the first one of {shape}")
            shape = grey.shape
            yield self._next(position, np.ascontiguousarray(grey))

    def _forget(self) -> None:
        """Know of no face any more."""
        self._tracker = FaceTracker(face=self.face, max_roll=_MAX_ROLL)
        self._place: np.ndarray | None = None

    def _next(self, position: int, grey: np.ndarray) -> FaceFrame:
        if self._place is not None:
            face = self._follow(position, grey, self._place)
            if face is not None:
                return face
            self._forget()
            self._waited = 0
        self._waited += 1
        if (self._waited - 1) % _SEARCH_EVERY == 0:
            face = self._begin(position, grey)
            if face is not None:
                return face
        return FaceFrame(position, None, self.points, float("nan"), False)

    def _begin(self, position: int, grey: np.ndarray) -> FaceFrame | None:
        """Find a face anew."""
        box = self._tracker.update(grey, name=f"{self.name}: frame {position}")
        if box is None:
            return None
        way = alignment(template_landmarks(grey, box).points, size=self.size, padding=_PADDING)
        place = np.linalg.inv(np.vstack([way, (0.0, 0.0, 1.0)]))
        if _growth(place) * self._grid.unit < _SMALLEST:
            return None
        if self._begun:
            self.restarts.append(position)
        self._begun = True
        self._box, self._first, self._place = box, place, place
        self._head = np.zeros(4)
        self._since_look = self._misses = 0
        picture = self._cut_out(grey, place)
        self._seen = _details(picture)
        self._refer(picture)
        return FaceFrame(position, picture, self.points, 0.0, True, (0.0, 0.0, 0.0, 0.0))

    def _follow(self, position: int, grey: np.ndarray, place: np.ndarray) -> FaceFrame | None:
        """Find the face a moment later, near where it was; None if it is lost."""
        picture = self._cut_out(grey, place)
        for _ in range(_STEPS):
            moved = self._reference.moved(picture)
            motion, sureness = pooled(moved, self._reference.information)
            fitted = fit_head(motion, sureness * self._grid.of_head, self._basis, self._free)
            step = _similarity(fitted, self._center)
            place = place @ step
            picture = self._cut_out(grey, place)
            if np.hypot(*fitted[0]) < _CLOSE:
                break
        if not self._plausible(place, grey.shape) or self._reference.match(picture, self._grid.of_face) < _LEAST_MATCH:
            return None
        details = _details(picture)
        if float(np.corrcoef(details, self._seen)[0, 1]) < _LEAST_ALIKE:
            return None
        self._seen = details
        self._place = place
        head = self._pose(place)
        change = np.abs(head - self._head)
        speed = (float(np.hypot(*change[:2])) + float(change[2:].sum())) * self.rate
        self._head = head
        if not self._looks_right(position, grey, place):
            return None
        self._age += 1
        if self._age >= _REFERENCE_AGE * self.rate:
            self._refer(picture)
        x, y, turn, growth = map(float, head)
        return FaceFrame(position, picture, self.points, speed, False, (x, y, turn, growth))

    def _refer(self, picture: np.ndarray) -> None:
        self._reference = Reference(picture, preset=_PRESET)
        self._age = 0

    def _plausible(self, place: np.ndarray, shape: tuple[int, ...]) -> bool:
        """Whether a face can be at this place at all."""
        if not np.isfinite(place).all() or _growth(place) * self._grid.unit < _SMALLEST:
            return False
        x, y = place[:2, :2] @ self._center + place[:2, 2]
        return bool(0 <= x < shape[1] and 0 <= y < shape[0])

    def _looks_right(self, position: int, grey: np.ndarray, place: np.ndarray) -> bool:
        """Ask the detector, once a second, whether the face is still about where it is thought to be."""
        self._since_look += 1
        if self._since_look < _LOOK_EVERY * self.rate:
            return True
        self._since_look = 0
        since = place @ np.linalg.inv(self._first)
        x, y = since[:2, :2] @ np.array(self._box.center) + since[:2, 2]
        width = self._box.width * _growth(since)
        roll = self._box.roll + float(np.degrees(np.arctan2(since[1, 0], since[0, 0])))
        supposed = FaceBox(x - (width - 1) / 2, y - (width - 1) / 2, width, width, 0.0, roll)
        self._tracker.last = supposed
        seen = self._tracker.update(grey, name=f"{self.name}: frame {position}")
        unit = _growth(place) * self._grid.unit
        apart = np.inf if seen is None else float(np.hypot(*np.subtract(seen.center, supposed.center))) / unit
        if apart > _ELSEWHERE:
            # None, or somebody else's: the one followed may have turned away for a moment.
            self._misses += 1
            return self._misses < _PATIENCE
        self._misses = 0
        growth = seen.width / width  # type: ignore[union-attr]
        return apart < _DRIFT and 1 / _GROWTH < growth < _GROWTH

    def _pose(self, place: np.ndarray) -> np.ndarray:
        """Return shift x and y, turn and size of the head since it was found."""
        since = np.linalg.inv(self._first) @ place
        shift = since[:2, :2] @ self._center + since[:2, 2] - self._center
        turn = np.arctan2(since[1, 0], since[0, 0])
        return np.array([*(shift / self._grid.unit), turn, np.log(_growth(since))])

    def _cut_out(self, grey: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Return the canonical face, blurred first as much as shrinking asks for."""
        import cv2

        height, width = self.size
        shrinking = _growth(place)
        way = place[:2].copy()
        if shrinking > 1.2:
            # Only the part that is read is blurred: frames may be far larger than their face.
            corners = np.array([(0, 0), (width, 0), (0, height), (width, height)]) @ way[:, :2].T + way[:, 2]
            margin = 3 * shrinking
            left, top = np.clip(np.floor(corners.min(axis=0) - margin).astype(int), 0, None)
            right, bottom = np.ceil(corners.max(axis=0) + margin).astype(int) + 1
            part = grey[top : max(bottom, top + 1), left : max(right, left + 1)]
            if part.size:
                grey = cv2.GaussianBlur(part, (0, 0), 0.5 * float(np.sqrt(shrinking**2 - 1)))
                way[:, 2] -= [left, top]
        return np.asarray(
            cv2.warpAffine(
                grey,
                way,
                (width, height),
                flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
        )


def _details(picture: np.ndarray) -> np.ndarray:
    """Return what tells one face from another in the middle part of the canonical face, flattened."""
    import cv2

    fine, coarse = (cv2.GaussianBlur(picture.astype(np.float32), (0, 0), blur) for blur in _DETAILS)
    height, width = picture.shape
    return np.asarray(fine - coarse)[height // 8 : -height // 8, width // 8 : -width // 8].ravel()


def _growth(matrix: np.ndarray) -> float:
    """Return the factor by which a similarity enlarges."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def _similarity(fitted: np.ndarray, center: np.ndarray) -> np.ndarray:
    """Return the shift, turn and growth (3, 3) in an affine motion: coefficients of 1, x and y, about `center`."""
    shift, along_x, along_y = fitted
    growth = 1.0 + (along_x[0] + along_y[1]) / 2
    turn = (along_x[1] - along_y[0]) / 2
    matrix = np.eye(3)
    matrix[:2, :2] = [[growth, -turn], [turn, growth]]
    matrix[:2, 2] = center - matrix[:2, :2] @ center + shift
    return matrix
