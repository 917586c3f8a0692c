"""The head's own motion within a clip, measured where expressions hardly reach."""

__all__ = ["stabilizing"]

import numpy as np

from microexpr.core.errors import DataError
from microexpr.core.frames import to_grey
from microexpr.video.faces.template import eye_centers

# Corners of the stable region in distances between the eyes, from the point between them: from the inner corners of
# the eyes down the bridge of the nose to its base. Brows, lids and the wings of the nose are left out.
_REGION = np.array(
    [(-0.32, -0.12), (0.32, -0.12), (0.32, 0.12), (0.17, 0.3), (0.17, 0.82), (-0.17, 0.82), (-0.17, 0.3), (-0.32, 0.12)]
)
# Blur, in distances between the eyes: wide enough that noise gives no gradients, narrow enough to keep the corners.
_BLUR = 0.025
_STEPS = 12
_ENOUGH = 0.002
# The part of the first frame's contrast that a frame must share with it.
_LEAST_MATCH = 0.5
# Fewer differences than these do not tell noise from motion.
_FEWEST_STEPS = 8


def stabilizing(frames: np.ndarray, matrix: np.ndarray, canonical: np.ndarray, *, name: str = "frames") -> np.ndarray:
    """Measure how the stable region of each frame has moved since the first one.

    1. For each frame, starting from the previous frame's motion, find the shift d, angle and scale (a matrix S) that
       minimise ::

           sum of w(p) (frame(d + S p) - gain first(p) - bias)^2

       over the pixels p of the region in the aligned picture, both blurred: Gauss-Newton steps [1]_ with Huber's
       weights w, so that a blink at the region's edge counts little. Gain and bias are fitted too: flicker is no
       motion.
    2. Smooth each of the four numbers over time by as much as its own course says is noise of measuring: the noise and
       the motion are told apart by how neighbouring differences covary. A head that holds still is left quite still;
       a course without noise is left as it is. Clips of fewer than 9 frames are not smoothed.

    Parameters
    ----------
    frames : uint8 ndarray of shape (n_frames, height, width[, 3])
    matrix : float64 ndarray of shape (2, 3)
        From a frame to the aligned picture; see `alignment`.
    canonical : float64 ndarray of shape (68, 2)
        Landmarks in the aligned picture.
    name : str
        What messages call the clip.

    Returns
    -------
    float64 ndarray of shape (n_frames, 2, 3)
        From a point of the first aligned picture to where it is in the aligned picture of each frame.

    Raises
    ------
    DataError
        If the region has no texture to follow, or a frame's does not match the first one's (the face is turned away
        or covered).

    Notes
    -----
    Scale is part of it because a head that nears by a thousandth moves its chin by a tenth of a pixel. The region is
    small, so its angle and scale are measured less well than its place: hence step 2.

    References
    ----------
    .. [1] S. Baker, I. Matthews, "Lucas-Kanade 20 years on: a unifying framework", International Journal of Computer
       Vision 56 (3), 2004.
    """
    region = _Region(matrix, canonical)
    first = region.patch(frames[0], np.eye(3))
    if float(first[region.inside].std()) < 1.0:
        raise DataError(f"{name}: frame 0: the bridge of the nose has no texture to follow; leave stabilize off")
    region.set_reference(first)
    move = np.eye(3)
    motions = np.zeros((len(frames), 4))
    for position, frame in enumerate(frames[1:], start=1):
        move, match = region.follow(frame, move)
        if not match >= _LEAST_MATCH:
            raise DataError(
                f"{name}: frame {position}: the bridge of the nose does not match the first frame's; "
                "is the face turned away or covered?"
            )
        motions[position] = _numbers(move, region.center)
    motions = np.stack([_denoised(course) for course in motions.T], axis=1)
    return np.stack([_turn(x, y, angle, growth, region.center)[:2] for x, y, angle, growth in motions])


def _denoised(course: np.ndarray) -> np.ndarray:
    """Return one number's course over the frames without the noise of measuring it, beginning at 0.

    A random walk (steps of variance q) seen through white noise (variance r) has differences of variance q + 2 r, and
    neighbouring differences covary by -r: both follow from the course itself, and with them the smoothest likely walk.
    """
    steps = np.diff(course)
    if len(steps) < _FEWEST_STEPS:
        return course
    noise = -float(np.mean(steps[1:] * steps[:-1]))
    if noise <= 0.0:
        return course
    walk = max(float(np.mean(steps**2)) - 2.0 * noise, 0.02 * noise)
    # Minimise sum (x - course)^2 / noise + sum (differences of x)^2 / walk.
    from scipy.linalg import solveh_banded

    stiffness = noise / walk
    bands = np.empty((2, len(course)))
    bands[0] = -stiffness
    bands[1] = 1.0 + 2.0 * stiffness
    bands[1, [0, -1]] = 1.0 + stiffness
    smooth = solveh_banded(bands, course)
    return np.asarray(smooth - smooth[0])


class _Region:
    """The stable region of one clip, and the least-squares system of its first frame."""

    def __init__(self, matrix: np.ndarray, canonical: np.ndarray) -> None:
        import cv2

        right, left = eye_centers(canonical)
        self.unit = float(np.hypot(*(left - right)))
        self.blur = max(0.8, _BLUR * self.unit)
        outline = _REGION * self.unit + (right + left) / 2
        self.low = np.floor(outline.min(axis=0) - 3 * self.blur - 1)
        width, height = np.ceil(outline.max(axis=0) + 3 * self.blur + 1) - self.low + 1
        self.size = (int(width), int(height))
        mask = np.zeros(self.size[::-1], np.uint8)
        cv2.fillPoly(mask, [np.round(outline - self.low).astype(np.int32)], 1)
        self.inside = mask > 0
        self.center = outline.mean(axis=0)
        self.back = np.vstack([cv2.invertAffineTransform(matrix), (0, 0, 1)])
        self.corner = np.eye(3)
        self.corner[:2, 2] = self.low

    def patch(self, frame: np.ndarray, move: np.ndarray) -> np.ndarray:
        """Return the region and a margin of the aligned picture, float32, blurred, read off at moved points."""
        import cv2

        grey = np.ascontiguousarray(to_grey(frame[None])[0])
        way = self.back @ move @ self.corner
        # Area sampling first where the aligned picture is the smaller one.
        shrinking = float(np.hypot(*self.back[:2, 0]))
        if shrinking > 1.2:
            grey = cv2.GaussianBlur(grey, (0, 0), 0.5 * float(np.sqrt(shrinking**2 - 1)))
        patch = cv2.warpAffine(
            grey.astype(np.float32),
            way[:2],
            self.size,
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(cv2.GaussianBlur(patch, (0, 0), self.blur))

    def set_reference(self, first: np.ndarray) -> None:
        along_x, along_y = (np.gradient(first.astype(np.float64), axis=axis) for axis in (1, 0))
        rows, columns = np.nonzero(self.inside)
        x, y = (np.stack([columns, rows], axis=1) + self.low - self.center).T
        along_x, along_y = along_x[self.inside], along_y[self.inside]
        self.values = first[self.inside].astype(np.float64)
        # Turning by an angle moves (x, y) by angle times (-y, x), growing by a part by that part of (x, y).
        self.system = np.stack(
            [
                along_x,
                along_y,
                along_y * x - along_x * y,
                along_x * x + along_y * y,
                self.values,
                np.ones_like(self.values),
            ],
            axis=1,
        )

    def follow(self, frame: np.ndarray, move: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the motion (3, 3) of a frame and the correlation that is left with the first one."""
        radius = float(self.unit) / 2
        match = 0.0
        for _ in range(_STEPS):
            seen = self.patch(frame, move)[self.inside].astype(np.float64)
            weights = np.ones_like(seen)
            for _ in range(3):
                weighted = self.system * weights[:, None]
                solution = np.linalg.lstsq(weighted.T @ self.system, weighted.T @ seen, rcond=None)[0]
                residual = np.abs(seen - self.system @ solution)
                limit = 2.0 * float(np.median(residual)) + 1e-9
                weights = np.minimum(1.0, limit / np.maximum(residual, 1e-9))
            gain = solution[4]
            if not gain > 0.05:
                return move, 0.0
            # seen(p) = gain first(p - d): the solution holds gain times the motion still left, reversed.
            shift_x, shift_y, angle, growth = -solution[:4] / gain
            move = move @ _turn(shift_x, shift_y, angle, growth, self.center)
            match = float(np.corrcoef(seen, self.values)[0, 1])
            if np.hypot(shift_x, shift_y) + (abs(angle) + abs(growth)) * radius < _ENOUGH:
                break
        inside = np.hypot(*move[:2, 2]) if np.isfinite(move).all() else np.inf
        return move, match if inside < 4 * self.unit else 0.0


def _turn(shift_x: float, shift_y: float, angle: float, growth: float, center: np.ndarray) -> np.ndarray:
    """Return the motion (3, 3) that turns and scales by exp(growth) around `center`, and then shifts."""
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.exp(growth) * np.array([[cos, -sin], [sin, cos]])
    motion = np.eye(3)
    motion[:2, :2] = linear
    motion[:2, 2] = center - linear @ center + [shift_x, shift_y]
    return motion


def _numbers(motion: np.ndarray, center: np.ndarray) -> tuple[float, float, float, float]:
    """Return the four numbers of which `_turn` makes this motion."""
    cos, sin = motion[0, 0], motion[1, 0]
    shift_x, shift_y = motion[:2, :2] @ center + motion[:2, 2] - center
    return float(shift_x), float(shift_y), float(np.arctan2(sin, cos)), float(np.log(np.hypot(cos, sin)))
