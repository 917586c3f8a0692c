"""Eulerian video magnification (EVM): small motion made larger, without computing it."""

__all__ = ["EVM", "magnify"]

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from microexpr.core.base import ClipMap
from microexpr.core.checks import check_choice, check_float
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.frames import check_frames

_METHODS = ("iir", "butterworth")
_TAPS = np.sqrt(2.0) * np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0
# Below this, floor(size / 2) cannot be taken twice, and every level is the coarsest or the finest.
_SMALLEST = 10
# R, G, B of Y, I and Q, as MATLAB's ntsc2rgb has them.
_RGB_OF_YIQ = np.array([[1.0, 0.956, 0.621], [1.0, -0.272, -0.647], [1.0, -1.106, 1.703]])


def magnify(
    frames: object,
    *,
    alpha: float,
    lambda_c: float,
    method: str = "iir",
    r1: float = 0.4,
    r2: float = 0.05,
    low: float = 0.4,
    high: float = 3.0,
    fps: float | None = None,
    chroma: float = 0.1,
) -> np.ndarray:
    """Magnify the small motion of a clip: its spatial frequencies, filtered in time, amplified and added to it.

    1. Each frame becomes a Laplacian pyramid: filtered along rows and columns with sqrt(2) [1 4 6 4 1] / 16, mirrored
       at the border without repeating it; every second sample kept; put back between zeros, filtered again and
       subtracted. There are 1 + n levels, the residual among them, n being how often height and width can be halved,
       rounding down, while both are at least 5.
    2. Every value p(t) of the pyramid is filtered in time, from l1 = l2 = p(0):

       - "iir": l1 = (1 - r1) l1 + r1 p(t), l2 = (1 - r2) l2 + r2 p(t);
       - "butterworth": l1 and l2 are first-order Butterworth low-passes of `high` and of `low`,
         l = (b0 p(t) + b1 p(t - 1) - a1 l) / a0;

       and the band is l1 - l2.
    3. The band of each level is multiplied by min(alpha, c), c = 2 (lambda (1 + alpha) / lambda_c - 1). lambda is
       sqrt(height^2 + width^2) / 3 at the coarsest level and half that of the next coarser one at each other. The
       coarsest and the finest level get 0.
    4. The pyramid is collapsed and added to the frame. The first frame stays as it is.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        uint8 or real-valued, at least 10 x 10 pixels; channels R, G, B.
    alpha : float >= 0
        The largest gain; with it, motion is 1 + alpha times as large.
    lambda_c : float > 0, in pixels
        Spatial wavelengths below it are amplified less.
    method : {"iir", "butterworth"}
    r1, r2 : floats, 0 < r2 < r1 <= 1
        Of "iir" only: the rates of the fast and the slow average, a frame.
    low, high : floats, 0 < low < high < fps, in Hz
        Of "butterworth" only. See Notes: the cut-offs lie at half of these frequencies.
    fps : float > 0, in frames per second
        Of "butterworth" only, which needs it.
    chroma : float in [0, 1]
        Of colour clips only: the gain of I and Q of the YIQ colour space relative to that of the luma Y. With 0, the
        luma alone is magnified.

    Returns
    -------
    float64 ndarray of the shape of `frames`
        In the units of `frames`, neither rounded nor cut to their range.

    Raises
    ------
    ParameterError
        If a parameter breaks its rule.
    DataError
        If `frames` is no clip, or smaller than 10 x 10 pixels: no level would be left to amplify.

    Notes
    -----
    Differs from [1]_ in: what the authors' published program does and the paper does not say is done here as the
    program does it. It hands the Butterworth design `f / fps`, where a fraction of fps / 2 is expected: the cut-offs
    are f / 2. c is twice what the paper's bound gives. At fine levels c may be negative: motion there is reversed, not
    left alone (with `alpha` 0 too, where lambda < lambda_c). The program takes colour clips to YIQ, cuts
    the result to 0..1 and drops the last frames; here nothing is cut or dropped.

    References
    ----------
    .. [1] H.-Y. Wu, M. Rubinstein, E. Shih, J. Guttag, F. Durand, W. Freeman, "Eulerian video magnification for
       revealing subtle changes in the world", ACM Transactions on Graphics 31(4), 2012.

    Examples
    --------
    >>> import numpy as np
    >>> row, column = np.mgrid[:48, :40]
    >>> clip = np.stack([np.sin((column - 0.05 * t) / 4) for t in range(10)])
    >>> larger = magnify(clip, alpha=10, lambda_c=16)
    >>> bool(np.abs(larger[9] - larger[0]).mean() > 4 * np.abs(clip[9] - clip[0]).mean())
    True
    """
    settings = _check_settings(alpha, lambda_c, method, r1, r2, low, high, chroma)
    if method == "butterworth":
        settings = settings._replace(fps=_check_rate(fps, settings.high))
    return _magnify(check_frames(frames), settings, "frames")


class EVM(ClipMap):
    """Magnify the small motion of each clip; see `magnify`.

    Parameters
    ----------
    alpha : float >= 0
    lambda_c : float > 0, in pixels
    method : {"iir", "butterworth"}
    r1, r2 : floats, 0 < r2 < r1 <= 1
        Of "iir" only, a frame.
    low, high : floats, 0 < low < high < fps, in Hz
        Of "butterworth" only. As in the authors' program, the cut-offs lie at half of these frequencies.
    fps : float > 0, in frames per second, or None
        Of "butterworth" only. None takes the frame rate of each clip.
    chroma : float in [0, 1]
        Of colour clips only.

    Notes
    -----
    The new clips' frames are uint8: rounded and cut to 0..255. Onset, apex, offset and frame rate stay.

    The defaults of `alpha`, `lambda_c`, `r1`, `r2` and `chroma` are those of the authors' first example [1]_ (10, 16,
    0.4, 0.05, 0.1); they need no frame rate, but mean a slower band in faster clips. For micro-expressions at 200
    frames per second, gains of 8 to 16, `lambda_c` 16 and a band of 0.3 to 4 Hz are in use:
    `EVM(alpha=16, method="butterworth", low=0.3, high=4)`.

    References
    ----------
    .. [1] H.-Y. Wu, M. Rubinstein, E. Shih, J. Guttag, F. Durand, W. Freeman, "Eulerian video magnification for
       revealing subtle changes in the world", ACM Transactions on Graphics 31(4), 2012.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> clip = make_clips(n_subjects=1, clips_per_subject=1).clips[0]
    >>> magnified = EVM(method="butterworth", low=0.3, high=4).fit_transform([clip])[0]
    >>> magnified.frames().shape == clip.frames().shape
    True
    """

    version = 1

    def __init__(
        self,
        alpha: float = 10.0,
        lambda_c: float = 16.0,
        method: str = "iir",
        r1: float = 0.4,
        r2: float = 0.05,
        low: float = 0.3,
        high: float = 4.0,
        fps: float | None = None,
        chroma: float = 0.1,
    ) -> None:
        self.alpha = alpha
        self.lambda_c = lambda_c
        self.method = method
        self.r1 = r1
        self.r2 = r2
        self.low = low
        self.high = high
        self.fps = fps
        self.chroma = chroma

    def check_params(self) -> None:  # noqa: D102
        self._settings()
        if self.method == "butterworth" and self.fps is not None:
            _check_rate(self.fps, self.high)

    def map_clip(self, clip: Clip) -> np.ndarray:
        """Return the magnified frames, uint8.

        Raises
        ------
        NeedsError
            If the clip has no pixels, or the method needs a frame rate and neither clip nor step has one.
        ParameterError
            If the clip's frame rate is not above `high`.
        DataError
            If the frames cannot be read, or are smaller than 10 x 10 pixels.
        """
        settings = self._settings()
        if self.method == "butterworth":
            fps = clip.fps if self.fps is None else self.fps
            if fps is None:
                raise NeedsError(f"{clip.clip_id}: the frame rate is unknown; EVM(method='butterworth') needs fps")
            settings = settings._replace(fps=_check_rate(fps, self.high))
        values = _magnify(clip.frames(), settings, clip.clip_id)
        return np.rint(np.clip(values, 0.0, 255.0)).astype(np.uint8)

    def _settings(self) -> "_Settings":
        return _check_settings(
            self.alpha, self.lambda_c, self.method, self.r1, self.r2, self.low, self.high, self.chroma
        )


class _Settings(NamedTuple):
    """Checked parameters of `magnify`."""

    alpha: float
    lambda_c: float
    method: str
    r1: float
    r2: float
    low: float
    high: float
    chroma: float
    fps: float = 0.0


def _check_settings(
    alpha: float, lambda_c: float, method: str, r1: float, r2: float, low: float, high: float, chroma: float
) -> _Settings:
    settings = _Settings(
        alpha=check_float(alpha, "alpha", minimum=0.0),
        lambda_c=_check_positive(lambda_c, "lambda_c"),
        method=str(check_choice(method, "method", _METHODS)),
        r1=check_float(r1, "r1", maximum=1.0),
        r2=_check_positive(r2, "r2"),
        low=_check_positive(low, "low"),
        high=check_float(high, "high"),
        chroma=check_float(chroma, "chroma", minimum=0.0, maximum=1.0),
    )
    if settings.r2 >= settings.r1:
        raise ParameterError(f"r2 is {r2!r}: it must be below r1, {r1!r}")
    if settings.low >= settings.high:
        raise ParameterError(f"low is {low!r}: it must be below high, {high!r}")
    return settings


def _check_positive(value: float, name: str) -> float:
    if check_float(value, name, minimum=0.0) == 0.0:
        raise ParameterError(f"{name} is {value!r}: it must be greater than 0")
    return float(value)


def _check_rate(fps: float | None, high: float) -> float:
    if fps is None:
        raise ParameterError("fps is None: method 'butterworth' needs the frames per second")
    if _check_positive(fps, "fps") <= high:
        raise ParameterError(f"high is {high!r}: it must be below fps, {fps!r}")
    return float(fps)


def _magnify(frames: np.ndarray, settings: _Settings, name: str) -> np.ndarray:
    height, width = frames.shape[1:3]
    if min(height, width) < _SMALLEST:
        raise DataError(
            f"{name}: frames of {height} x {width} pixels have no level between the coarsest and the finest; "
            f"magnification needs at least {_SMALLEST} x {_SMALLEST}"
        )
    values = frames.astype(np.float64)
    gains = _gains(height, width, settings.alpha, settings.lambda_c)
    mix = _RGB_OF_YIQ @ np.diag([1.0, settings.chroma, settings.chroma]) @ np.linalg.inv(_RGB_OF_YIQ)
    result = values.copy()
    # Filtering in time and the pyramid are both linear and can change places: one frame is kept, not one pyramid.
    for frame, band in enumerate(_bands(values, settings), start=1):
        amplified = _amplify(band, gains)
        result[frame] += amplified if frames.ndim == 3 else amplified @ mix.T
    return result


def _bands(values: np.ndarray, settings: _Settings) -> Iterator[np.ndarray]:
    """Yield the difference of the two low-passes, from the second frame on."""
    if settings.method == "iir":
        filters = [(rate, 0.0, 1.0 - rate) for rate in (settings.r1, settings.r2)]
    else:
        filters = [_low_pass(cutoff / settings.fps) for cutoff in (settings.high, settings.low)]
    states = [values[0], values[0]]
    for before, now in pairwise(values):
        states = [b0 * now + b1 * before + kept * state for (b0, b1, kept), state in zip(filters, states, strict=True)]
        yield states[0] - states[1]


def _low_pass(cutoff: float) -> tuple[float, float, float]:
    """Return b0, b1 and -a1 (a0 = 1) of the first-order Butterworth low-pass; cutoff in half cycles a sample."""
    warped = math.tan(math.pi * cutoff / 2)
    return warped / (1 + warped), warped / (1 + warped), (1 - warped) / (1 + warped)


def _gains(height: int, width: int, alpha: float, lambda_c: float) -> list[float]:
    """Return the factor of each level, the finest first."""
    n_levels = _count_levels(height, width)
    gains = []
    for level in range(n_levels):
        wavelength = math.hypot(height, width) / 3 / 2 ** (n_levels - 1 - level)
        largest = 2.0 * (wavelength * (1.0 + alpha) / lambda_c - 1.0)
        gains.append(0.0 if level in (0, n_levels - 1) else min(alpha, largest))
    return gains


def _count_levels(height: int, width: int) -> int:
    n_levels = 1
    while min(height, width) >= 5:
        n_levels, height, width = n_levels + 1, height // 2, width // 2
    return n_levels


def _laplacian_pyramid(image: np.ndarray) -> list[np.ndarray]:
    """Return the levels of a float64 image (height, width[, 3]), the finest first, the residual last."""
    levels = []
    for _ in range(_count_levels(*image.shape[:2]) - 1):
        smaller = _reduce(image)
        levels.append(image - _expand(smaller, image.shape))
        image = smaller
    return [*levels, image]


def _amplify(image: np.ndarray, gains: list[float]) -> np.ndarray:
    """Return the image made of its levels, each multiplied by its gain."""
    levels = _laplacian_pyramid(image)
    # The coarsest has gain 0: nothing to start from but zeros.
    total = np.zeros_like(levels[-1])
    for level, gain in zip(levels[-2::-1], gains[-2::-1], strict=True):
        total = _expand(total, level.shape) + gain * level
    return total


def _reduce(image: np.ndarray) -> np.ndarray:
    return _blur(image)[::2, ::2]


def _expand(image: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    spread = np.zeros(shape)
    spread[::2, ::2] = image
    return _blur(spread)


def _blur(image: np.ndarray) -> np.ndarray:
    import cv2

    return np.asarray(cv2.sepFilter2D(image, cv2.CV_64F, _TAPS, _TAPS, borderType=cv2.BORDER_REFLECT_101))
