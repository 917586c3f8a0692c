"""Each event from near: the face in slow motion beside the same face magnified, and how it moved up to the apex."""

__all__ = ["CLOSEUP_SETTINGS", "Closeup", "CloseupFilm"]

import io
import math
from dataclasses import dataclass

import numpy as np

from microexpr.core.frames import to_grey
from microexpr.pipelines.review.webm import Webm, even_size
from microexpr.video import magnify, optical_flow
from microexpr.video.faces import detect_faces

_SIDE = 240
# More frames are thinned out: memory and page stay small, and nobody looks at more.
_MOST_FRAMES = 160
_FASTEST_SHOWN = 60.0
_SLOWER = 4
_AROUND = 0.2
_ALPHA, _LAMBDA_C, _LOW, _HIGH = 5.0, 16.0, 0.3, 4.0
_FLOW = "dis"
# The face with its chin and brow, and room to move.
_GROWN = 1.45
# Arrows are drawn where the face is: its box, a little wider.
_FACE = 1.1
_ROLL = 45.0
_BITS = 0.2
_ARROW_EVERY, _LEAST_MOTION = 12, 0.25
# In pixels of the close-up: of a usual arrow, of the shortest and of the longest.
_USUAL_ARROW, _SHORTEST_ARROW, _LONGEST_ARROW = 9.0, 2.0, 15.0

#: What was done to the frames, for those who look at them.
CLOSEUP_SETTINGS = {
    "slower": _SLOWER,
    "around": _AROUND,
    "alpha": _ALPHA,
    "lambda_c": _LAMBDA_C,
    "low": _LOW,
    "high": _HIGH,
    "flow": _FLOW,
    "least_motion": _LEAST_MOTION,
}


@dataclass(frozen=True, eq=False)
class Closeup:
    """An event from near.

    Parameters
    ----------
    clip : bytes
        WebM: the face as filmed on the left, magnified on the right, four times slower than it was.
    arrows : bytes
        JPEG: the apex frame, with arrows along the motion from the onset frame; empty where both are the same.
    found : bool
        Whether a face was found; if not, the whole frame is shown.
    n_frames, every : int > 0
        How many frames the clip has, and that one out of `every` of the video's was taken.
    gain : float > 0
        How many times longer than the motion the arrows are; the longest are cut.
    largest : float >= 0, in pixels of the close-up
        The largest motion that is drawn.
    """

    clip: bytes
    arrows: bytes
    found: bool
    n_frames: int
    every: int
    gain: float
    largest: float


class CloseupFilm:
    """Takes the frames around one event as they are decoded, and makes a close-up of them.

    Parameters
    ----------
    onset, apex, offset : int >= 0, frames
    fps : float > 0, in frames per second
    n_frames : int > 0
        Of the video.
    """

    def __init__(self, onset: int, apex: int, offset: int, *, fps: float, n_frames: int) -> None:
        around = max(2, round(_AROUND * fps))
        self.start, self.stop = max(0, onset - around), min(n_frames, offset + around + 1)
        self._onset, self._apex, self._fps = onset, apex, fps
        length = self.stop - self.start
        self._every = max(1, math.ceil(length / _MOST_FRAMES), math.ceil(fps / _SLOWER / _FASTEST_SHOWN))
        self._frames: list[np.ndarray] = []
        self._kept: dict[int, np.ndarray] = {}
        # Where the face is in close-ups: x and y of its middle, and how far it reaches.
        self._face: np.ndarray | None = None
        self._crop: tuple[slice, slice] | None = None

    def add(self, position: int, frame: np.ndarray) -> None:
        """Take a frame, uint8 of shape (height, width, 3); those before `start` and from `stop` on are not for it."""
        if self._crop is None:
            self._crop = self._find(frame)
        wanted = (position - self.start) % self._every == 0
        if wanted or position in (self._onset, self._apex):
            small = _resized(frame[self._crop])
            if wanted:
                self._frames.append(small)
            if position in (self._onset, self._apex):
                self._kept[position] = small

    def _find(self, frame: np.ndarray) -> tuple[slice, slice]:
        """Return the rows and columns of the largest face and what is near it; all of them where there is none."""
        faces = detect_faces(frame, max_roll=_ROLL) if min(frame.shape[:2]) >= 24 else []
        if not faces:
            return slice(None), slice(None)
        rows, columns = _around(faces[0].center, faces[0].width, frame.shape)
        x, y = faces[0].center
        scale = _SIDE / max(rows.stop - rows.start, columns.stop - columns.start)
        self._face = scale * np.array([x - columns.start, y - rows.start, faces[0].width / 2 * _FACE])
        return rows, columns

    def develop(self) -> Closeup | None:
        """Return the close-up of what was taken, or None where that is nothing."""
        if not self._frames:
            return None
        frames = np.stack(self._frames)
        self._frames = []
        arrows, gain, largest = b"", 1.0, 0.0
        if self._onset != self._apex and len(self._kept) == 2:
            arrows, gain, largest = _draw_motion(self._kept[self._onset], self._kept[self._apex], self._face)
        clip = _side_by_side(frames, self._fps / self._every)
        return Closeup(clip, arrows, self._face is not None, len(frames), self._every, gain, largest)


def _around(center: tuple[float, float], width: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rows and columns of a face and what is near it."""
    reach = width * _GROWN / 2
    edges = []
    for middle, length in ((center[1], shape[0]), (center[0], shape[1])):
        low = max(0, min(length - 16, round(middle - reach)))
        edges.append(slice(low, max(low + 16, min(length, round(middle + reach)))))
    return edges[0], edges[1]


def _resized(picture: np.ndarray) -> np.ndarray:
    """Return the picture at the size of close-ups: its longer side is `_SIDE`, even if it was smaller."""
    import cv2

    height, width = picture.shape[:2]
    grown = (round(height * _SIDE / max(height, width)), round(width * _SIDE / max(height, width)))
    height, width = even_size(grown, _SIDE)
    shrinks = height <= picture.shape[0]
    return np.asarray(
        cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    )


def _side_by_side(frames: np.ndarray, fps: float) -> bytes:
    grey = to_grey(frames)
    # The luma alone: colour flickers when it is magnified, and costs three times as much.
    high = min(_HIGH, 0.45 * fps)
    low = min(_LOW, high / 4)
    more = magnify(grey, alpha=_ALPHA, lambda_c=_LAMBDA_C, method="butterworth", low=low, high=high, fps=fps) - grey
    height, width = grey.shape[1:]
    buffer = io.BytesIO()
    film = Webm(buffer, size=(height, 2 * width), fps=fps / _SLOWER, bits=_BITS)
    for frame, change in zip(frames, more, strict=True):
        larger = np.clip(np.rint(frame + change[:, :, np.newaxis]), 0, 255).astype(np.uint8)
        film.add(np.concatenate([frame, larger], axis=1))
    film.close()
    return buffer.getvalue()


def _draw_motion(onset: np.ndarray, apex: np.ndarray, face: np.ndarray | None) -> tuple[bytes, float, float]:
    """Return the apex frame with arrows as JPEG, how much longer they are than the motion, and the largest motion."""
    import cv2
    from PIL import Image

    before, after = to_grey(np.stack([onset, apex]))
    # Noise is uneven from pixel to pixel, skin moves together.
    flow = cv2.blur(optical_flow(before, after, method=_FLOW), (_ARROW_EVERY, _ARROW_EVERY))
    rows, columns = (np.arange(_ARROW_EVERY // 2, side, _ARROW_EVERY) for side in flow.shape[:2])
    spots = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    if face is not None:
        spots = spots[np.hypot(*(spots - face[:2]).T) <= face[2]]
    motion = flow[spots[:, 1], spots[:, 0]]
    # What all of the face does is the head's motion.
    motion = motion - np.median(motion, axis=0)
    lengths = np.hypot(*motion.T)
    moving = lengths[lengths >= _LEAST_MOTION]
    largest = float(moving.max(initial=0.0))
    gain = round(float(np.clip(_USUAL_ARROW / np.quantile(moving, 0.9), 1, 20)), 1) if moving.size else 1.0
    picture = cv2.resize(apex, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    drawn = (lengths >= _LEAST_MOTION) & (gain * lengths >= _SHORTEST_ARROW)
    for foot, step, length in zip(spots[drawn], motion[drawn], lengths[drawn], strict=True):
        tip = foot + step * min(gain, _LONGEST_ARROW / length)
        # A dark line below a light one is seen on any skin.
        for colour, thickness in (((0, 0, 0), 3), ((255, 225, 0), 1)):
            start, end = ([round(2 * 16 * value) for value in place] for place in (foot, tip))
            cv2.arrowedLine(picture, start, end, colour, thickness, cv2.LINE_AA, shift=4, tipLength=0.3)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="jpeg", quality=82)
    return buffer.getvalue(), gain, largest
