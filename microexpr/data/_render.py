"""Rendering of one synthetic clip: a painted face, moved by action units and head sway, lit and made noisy.

The position of a point p of the onset frame in frame t is S_t(p + a(t) F(p)): the expression F grows and fades with
the time course a, and the head then sways by the similarity S_t. Every frame is read off the painted picture at the
points p that arrive at its pixels.
"""

__all__ = [
    "VERSION",
    "Shot",
    "expression",
    "frames",
    "landmarks_at",
    "pose",
    "stream",
    "strengths",
    "sway",
    "time_course",
]

from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np

from microexpr.data._face import DESIGN_HEIGHT, DESIGN_WIDTH, Face, draw_face, landmarks
from microexpr.data._paint import Picture, paint
from microexpr.data.actionunits import Motion, action_names, invert, joined, motion_of

# Raised whenever a pixel, a landmark or a label of the same parameters changes; part of every fingerprint.
VERSION = 1

# Independent streams of random numbers: what is drawn from one never depends on how much is drawn from another.
_STREAMS = ("face", "paint", "style", "order", "expression", "timing", "pose", "camera", "noise")
# The inverse motion is a polynomial of this degree in the strength a, exact at a = 0, 1/4, 1/2, 3/4 and 1.
_DEGREE = 4
# Pixels of the frame a pixel of the grid on which the inverse motion is tabulated.
_STEP = 0.5
# The inverse motion is iterated until no point moves by more, in pixels.
_TOLERANCE = 2e-3
_MAX_STEPS = 100


@dataclass(frozen=True)
class Shot:
    """All that a clip is rendered from; `actions` are (name, strength) pairs, motions are in pixels of the frame."""

    actions: tuple[tuple[str, float], ...]
    seed: int
    subject: int
    clip: int
    n_frames: int
    onset: int
    apex: int
    offset: int
    peak: float
    size: tuple[int, int]
    fps: float
    sway: float
    flicker: float
    noise: float
    color: bool


def stream(name: str, seed: int, *keys: int) -> np.random.Generator:
    """Return the generator of one stream for one subject, or one clip of a subject."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_STREAMS.index(name), *keys)))


def design_unit(size: tuple[int, int]) -> float:
    """Return how many pixels of a frame of `size` (height, width) a design unit has."""
    return min(size[0] / DESIGN_HEIGHT, size[1] / DESIGN_WIDTH)


def pose(shot: Shot) -> tuple[np.ndarray, np.ndarray]:
    """Return how the face stands in the onset frame: pixel = linear @ design point + shift."""
    rng = stream("pose", shot.seed, shot.subject, shot.clip)
    unit = design_unit(shot.size)
    scale = unit * (1.0 + 0.02 * float(np.clip(rng.standard_normal(), -2, 2)))
    roll = 0.02 * float(np.clip(rng.standard_normal(), -2, 2))
    middle = (np.array(shot.size[::-1]) - 1) / 2 + unit * 1.2 * np.clip(rng.standard_normal(2), -2, 2)
    return scale * _rotation(roll), middle


def landmarks_at(shot: Shot, frame: int) -> np.ndarray:
    """Return the 68 landmarks in a frame, float64 of shape (68, 2), in pixels."""
    linear, shift = pose(shot)
    points = landmarks(_face(shot.seed, shot.subject)) @ linear.T + shift
    return points + displacement(shot, frame, points)


def displacement(shot: Shot, frame: int, points: np.ndarray, *, with_sway: bool = True) -> np.ndarray:
    """Return how far points (..., 2) of the onset frame have moved in `frame`, in pixels."""
    moved = points + time_course(shot)[frame] * expression(shot).at(points)
    if with_sway:
        linear, shift = sway(shot)
        moved = moved @ linear[frame].T + shift[frame]
    return np.asarray(moved - points)


@lru_cache(maxsize=8)
def expression(shot: Shot) -> Motion:
    """Return the expression at the apex, in pixels of the onset frame; its largest displacement is `shot.peak`."""
    whole = joined(_parts(shot))
    return whole.scaled(shot.peak / _largest(whole, shot.size))


def strengths(shot: Shot) -> dict[str, float]:
    """Return, for each action, the largest displacement that it alone causes at the apex, in pixels."""
    parts = _parts(shot)
    factor = shot.peak / _largest(joined(parts), shot.size)
    return {action: factor * _largest(part, shot.size) for (action, _), part in zip(shot.actions, parts, strict=True)}


def time_course(shot: Shot) -> np.ndarray:
    """Return the strength a(t) of the expression, float64 of shape (n_frames,): 0 at the onset, 1 at the apex."""
    rng = stream("timing", shot.seed, shot.subject, shot.clip, 1)
    rise, fall = rng.uniform(0.85, 1.25), rng.uniform(0.75, 1.1)
    position = np.arange(shot.n_frames)
    up = np.clip((position - shot.onset) / (shot.apex - shot.onset), 0.0, 1.0)
    down = np.clip((position - shot.apex) / max(shot.offset - shot.apex, 1), 0.0, 1.0)
    course = np.where(
        position <= shot.apex, 0.5 - 0.5 * np.cos(np.pi * up**rise), 0.5 + 0.5 * np.cos(np.pi * down**fall)
    )
    return np.asarray(course)


def sway(shot: Shot) -> tuple[np.ndarray, np.ndarray]:
    """Return the sway of the head since the onset: pixel in frame t = linear[t] @ pixel + shift[t].

    Returns
    -------
    linear : float64 ndarray of shape (n_frames, 2, 2)
    shift : float64 ndarray of shape (n_frames, 2), in pixels
    """
    rng = stream("camera", shot.seed, shot.subject, shot.clip, 0)
    frequency = rng.uniform(0.4, 3.0, (4, 3))
    phase = rng.uniform(0, 2 * np.pi, (4, 3))
    seconds = (np.arange(shot.n_frames) - shot.onset) / shot.fps
    waves = np.sin(2 * np.pi * frequency * seconds[:, None, None] + phase).sum(axis=2) - np.sin(phase).sum(axis=1)
    # Each of the four drifts has a standard deviation of 1 over a long time.
    drift = shot.sway * waves * np.sqrt(2.0 / 3.0)
    # Turning and nearing move the rim of the face about half as far as the head itself moves.
    rim = 60.0 * design_unit(shot.size)
    angle, zoom = 0.5 * drift[:, 2] / rim, 1.0 + 0.3 * drift[:, 3] / rim
    middle = (np.array(shot.size[::-1]) - 1) / 2
    linear = zoom[:, None, None] * np.stack([_rotation(turn) for turn in angle])
    return linear, drift[:, :2] + middle - linear @ middle


def frames(shot: Shot) -> np.ndarray:
    """Render the clip: uint8 (n_frames, height, width), or (n_frames, height, width, 3) in colour."""
    import cv2

    height, width = shot.size
    picture = _portrait(shot.seed, shot.subject, shot.size, shot.color)
    posed, placed = pose(shot)
    to_picture = picture.scale * invert(posed)
    origins = Origins(shot, to_picture, np.array(picture.centre) - to_picture @ placed)
    gain = _gain(shot)
    generator = stream("noise", shot.seed, shot.subject, shot.clip)
    result = np.empty((shot.n_frames, height, width, *((3,) if shot.color else ())), np.uint8)
    grain = np.empty(result.shape[1:], np.float32)
    for position in range(shot.n_frames):
        image = cv2.remap(picture.pixels, origins.at(position), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        image *= gain[position]
        generator.standard_normal(out=grain, dtype=np.float32)
        grain *= np.float32(shot.noise)
        grain += image
        np.rint(grain, out=grain)
        np.clip(grain, 0, 255, out=grain)
        result[position] = grain
    return result


class Origins:
    """Where the skin seen at each pixel of a frame was in the onset frame, as matrix @ point + origin.

    Parameters
    ----------
    shot : Shot
    matrix : ndarray of shape (2, 2)
    origin : ndarray of shape (2,)
    """

    def __init__(self, shot: Shot, matrix: np.ndarray, origin: np.ndarray) -> None:
        linear, shift = sway(shot)
        inverse = invert(linear)
        back = np.concatenate([inverse, -(inverse @ shift[:, :, None])], axis=2)
        height, width = shot.size
        corners = np.array([[0, 0, 1], [width - 1, 0, 1], [0, height - 1, 1], [width - 1, height - 1, 1]], float)
        border = int(np.ceil(np.abs(np.einsum("fij,cj->fci", back, corners) - corners[:, :2]).max())) + 2
        table = _inverse_motion(shot, border)
        self._table_shape = (*table.shape[2:], 2)
        turned = np.einsum("ij,njp->npi", matrix, table.reshape(_DEGREE, 2, -1))
        mixed = np.einsum("mn,nk->mk", _from_nodes(), turned.reshape(_DEGREE, -1))
        self._coefficients = mixed.astype(np.float32)
        self._weights = _powers(time_course(shot)).astype(np.float32)
        # Affine maps of each frame's pixels: to the table of the expression, and to the point that sway alone gives.
        self._look_up = back / _STEP + np.array([[0, 0, border / _STEP]])
        self._still = (matrix @ back + np.array([[0.0, 0.0, 1.0]]) * origin[:, None]).astype(np.float32)
        self._across = np.arange(width, dtype=np.float32)[None, :]
        self._down = np.arange(height, dtype=np.float32)[:, None]
        self._result = np.empty((height, width, 2), np.float32)

    def at(self, frame: int) -> np.ndarray:
        """Return the points of one frame, float32 of shape (height, width, 2), valid until the next call."""
        import cv2

        # Not a matrix product: BLAS would start its threads for every frame.
        moved = np.einsum("k,kn->n", self._weights[frame], self._coefficients).reshape(self._table_shape)
        size = (self._across.size, self._down.size)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(moved, self._look_up[frame], size, flags=flags)
        for axis, row in enumerate(self._still[frame]):
            np.add(
                moved[..., axis], row[0] * self._across + (row[1] * self._down + row[2]), out=self._result[..., axis]
            )
        return self._result


@lru_cache(maxsize=256)
def _face(seed: int, subject: int) -> Face:
    return draw_face(stream("face", seed, subject))


@lru_cache(maxsize=8)
def _portrait(seed: int, subject: int, size: tuple[int, int], color: bool) -> Picture:
    picture = paint(_face(seed, subject), stream("paint", seed, subject), size)
    if color:
        return picture
    grey = np.ascontiguousarray(picture.pixels @ np.array([0.299, 0.587, 0.114], np.float32))
    return Picture(grey, picture.scale, picture.centre)


def _parts(shot: Shot) -> list[Motion]:
    """Return each action's motion at its relative strength, in pixels of the onset frame."""
    points = landmarks(_face(shot.seed, shot.subject))
    linear, shift = pose(shot)
    order = action_names()
    parts = []
    for action, strength in shot.actions:
        style = stream("style", shot.seed, shot.subject, order.index(action))
        parts.append(motion_of(action, points, style).moved(linear, shift).scaled(strength))
    return parts


def _largest(motion: Motion, size: tuple[int, int]) -> float:
    """Return the largest displacement over the pixels of the onset frame."""
    across, down = np.arange(size[1], dtype=float), np.arange(size[0], dtype=float)
    field = motion.on_grid(np.zeros((2, *size)), across, down, 0.0)
    return float(np.hypot(*field).max())


def _powers(course: np.ndarray) -> np.ndarray:
    return np.asarray(course[:, None] ** np.arange(1, _DEGREE + 1))


@lru_cache(maxsize=1)
def _from_nodes() -> np.ndarray:
    """Return the matrix that takes a polynomial's values at 1/4, 1/2, 3/4, 1 to its coefficients."""
    return np.linalg.inv(_powers(np.arange(1, _DEGREE + 1) / _DEGREE))


def _inverse_motion(shot: Shot, border: int) -> np.ndarray:
    """Return p - q where p + a F(p) = q, for a = 1/4, 1/2, 3/4, 1 and q on a fine grid around the onset frame.

    The result has the shape (4, 2, rows, columns).
    """
    motion = expression(shot)
    height, width = shot.size
    across = np.arange(-border, width - 1 + border + _STEP / 2, _STEP)
    down = np.arange(-border, height - 1 + border + _STEP / 2, _STEP)
    table = np.zeros((_DEGREE, 2, down.size, across.size))
    for node in range(_DEGREE):
        # The polynomial through the nodes before this one, and through 0 at a = 0, is a good first guess.
        guess = np.zeros(table.shape[1:])
        for earlier in range(node):
            guess += (-1) ** (node - earlier + 1) * comb(node + 1, earlier + 1) * table[earlier]
        for _ in range(_MAX_STEPS):
            better = motion.on_grid(guess, across, down, shot.peak)
            better *= -(node + 1) / _DEGREE
            change = np.abs(better - guess).max()
            guess = better
            if change < _TOLERANCE:
                break
        table[node] = guess
    return table


def _gain(shot: Shot) -> np.ndarray:
    """Return the brightness of each frame, float32 of shape (n_frames,): the clip's own, and flicker."""
    rng = stream("camera", shot.seed, shot.subject, shot.clip, 1)
    level = rng.uniform(0.92, 1.08)
    frequency, phase = rng.uniform(4.0, 40.0), rng.uniform(0, 2 * np.pi)
    hum = np.sin(2 * np.pi * frequency * np.arange(shot.n_frames) / shot.fps + phase)
    unsteady = hum + 0.5 * rng.standard_normal(shot.n_frames)
    return np.asarray(level * (1.0 + shot.flicker * unsteady), dtype=np.float32)


def _rotation(angle: float) -> np.ndarray:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])
