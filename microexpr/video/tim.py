"""Temporal interpolation (TIM): a clip resampled to a given number of frames."""

__all__ = ["TIM", "tim"]

import numpy as np

from microexpr.core.base import ClipMap
from microexpr.core.checks import check_choice, check_int
from microexpr.core.clip import Clip
from microexpr.core.frames import check_frames

_METHODS = ("laplacian", "linear")


def tim(frames: object, n_frames: int, *, method: str = "laplacian") -> np.ndarray:
    """Interpolate a clip in time at `n_frames` evenly spaced instants, the first and the last frame among them.

    New frame n (from 0) lies at s = 1 + (T - 1) n / (n_frames - 1) among the old frames 1..T. With "laplacian", the
    frames are points on the curve that the Laplacian eigenmap of a path graph with T nodes makes continuous [1]_:
    new frame n = sum over j of w(n, j) times old frame j, where

        w(n, j) = 1/T + 2/T sum_{k=1}^{T-1} cos(pi k (s - 1/2) / T) cos(pi k (j - 1/2) / T).

    With "linear", it is the mean of the two old frames around s, weighted by nearness.

    Parameters
    ----------
    frames : ndarray of shape (T, height, width) or (T, height, width, 3), T >= 2
        uint8 or real-valued.
    n_frames : int >= 2
    method : {"laplacian", "linear"}
        "linear" is cheaper in long clips and never leaves the range of the values.

    Returns
    -------
    float64 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        With "laplacian", values may overshoot those of `frames` a little: neither rounded nor cut here.

    Raises
    ------
    ParameterError
        If `n_frames` or `method` is not allowed.
    DataError
        If `frames` is no clip, or a single frame.

    Notes
    -----
    Differs from [1]_ in: the closed form above, which does not depend on the frames, in place of the authors' program
    (a singular value decomposition of the frames, a regression onto the eigenvectors, and the way back). Both agree
    where the program works; it stops where frames are linearly dependent, as two equal frames are.

    References
    ----------
    .. [1] Z. Zhou, G. Zhao, M. Pietikäinen, "Towards a practical lipreading system", CVPR, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (23, 30, 24), dtype=np.uint8)
    >>> tim(clip, 10).shape
    (10, 30, 24)
    """
    check_int(n_frames, "n_frames", minimum=2)
    check_choice(method, "method", _METHODS)
    return _interpolate(check_frames(frames, min_frames=2), n_frames, method)


class TIM(ClipMap):
    """Interpolate each clip in time to the same number of frames; see `tim`.

    Parameters
    ----------
    n_frames : int >= 2
    method : {"laplacian", "linear"}

    Notes
    -----
    The new clips' frames are uint8: values are rounded, half away from zero, and cut to 0..255, as the demonstration
    that comes with the authors' program does. Onset, apex and offset move to the nearest new frame: position p of
    T frames becomes p (n_frames - 1) / (T - 1), rounded half up.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (23, 30, 24), dtype=np.uint8)
    >>> TIM(10).fit_transform([clip])[0].frames().shape
    (10, 30, 24)
    """

    version = 1

    def __init__(self, n_frames: int = 10, method: str = "laplacian") -> None:
        self.n_frames = n_frames
        self.method = method

    def check_params(self) -> None:  # noqa: D102
        check_int(self.n_frames, "n_frames", minimum=2)
        check_choice(self.method, "method", _METHODS)

    def map_clip(self, clip: Clip) -> np.ndarray:
        """Return the interpolated frames, uint8.

        Raises
        ------
        NeedsError
            If the clip has no pixels.
        DataError
            If the frames cannot be read, or there is only one.
        """
        frames = check_frames(clip.frames(), name=clip.clip_id, min_frames=2)
        values = np.clip(_interpolate(frames, self.n_frames, self.method), 0.0, 255.0)
        # Halves are frequent (the middle of two frames); the noise of summing must not decide where they go.
        values = np.round(values, 9)
        whole = np.trunc(values)
        return (whole + (values - whole >= 0.5)).astype(np.uint8)

    def map_position(self, position: int, n_frames: int) -> int:
        """Return the new position nearest to `position` in a clip of `n_frames`."""
        # A clip of one frame has nowhere to go; reading its frames says so.
        steps = max(n_frames - 1, 1)
        return (2 * position * (self.n_frames - 1) + steps) // (2 * steps)

    def count(self, n_frames: int) -> int:
        """Return the number of new frames, whatever that of the old ones."""
        return self.n_frames

    def map_fps(self, fps: float, n_frames: int) -> float:
        """Return the rate at which the new frames sample the same stretch of time."""
        return fps * (self.n_frames - 1) / max(n_frames - 1, 1)


def _interpolate(frames: np.ndarray, n_frames: int, method: str) -> np.ndarray:
    n_old = len(frames)
    instants = np.arange(n_frames) * (n_old - 1) / (n_frames - 1)
    weights = (_laplacian_weights if method == "laplacian" else _linear_weights)(instants, n_old)
    values = weights @ frames.reshape(n_old, -1).astype(np.float64, copy=False)
    return values.reshape(n_frames, *frames.shape[1:])


def _laplacian_weights(instants: np.ndarray, n_old: int) -> np.ndarray:
    """Return w(n, j), of shape (n_frames, n_old); instants count from 0."""
    waves = np.pi * np.arange(1, n_old) / n_old
    new = np.cos(np.outer(instants + 0.5, waves))
    old = np.cos(np.outer(np.arange(n_old) + 0.5, waves))
    return (1.0 + 2.0 * new @ old.T) / n_old


def _linear_weights(instants: np.ndarray, n_old: int) -> np.ndarray:
    return np.maximum(1.0 - np.abs(instants[:, None] - np.arange(n_old)), 0.0)
