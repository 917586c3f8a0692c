"""The pulse signal in the mean colours of skin, by POS or by CHROM."""

__all__ = ["BAND", "PULSE_METHODS", "pulse_signal", "runs_of"]

from itertools import pairwise
from math import ceil

import numpy as np

from microexpr.core.checks import check_choice, check_float
from microexpr.core.errors import DataError
from microexpr.video.skin import SMALLEST_FPS

PULSE_METHODS = ("pos", "chrom")

#: Where a pulse can be, in Hz: 42 to 240 beats per minute.
BAND = (0.7, 4.0)

# The length of a window in both papers: 32 frames at 20 frames per second.
_SECONDS = 1.6
# Of the Butterworth filter of CHROM; run forwards and backwards, it is of twice this order and shifts nothing.
_ORDER = 3
# Numbers of a block of windows worked on at once.
_BLOCK = 1 << 18


def pulse_signal(traces: object, *, fps: float, method: str = "pos", name: str = "traces") -> np.ndarray:
    """Compute the pulse in the mean colours of skin.

    "pos" [1]_, in every window of l = ceil(1.6 fps) frames, one beginning at each frame:

    1. R, G and B are divided by their means over the window. 2. Projected: ``s1 = G - B``, ``s2 = -2 R + G + B``. 3.
    Tuned: ``h = s1 + std(s1) / std(s2) s2``. 4. Overlap-added: the signal is the sum of ``h - mean(h)`` over the
    windows.

    "chrom" [2]_, in windows of the same length, rounded up to an even number, that overlap by half:

    1. R, G and B are divided by their means over the window and band-passed, 0.7 to 4 Hz. 2. ``x = 3 R - 2 G``,
    ``y = 1.5 R + G - 1.5 B``. 3. ``h = x - std(x) / std(y) y``. 4. The signal is the sum of h times a Hann window.

    Parameters
    ----------
    traces : float array of shape (n_frames, 3), >= 0
        Mean R, G and B; rows of NaN where there is no skin.
    fps : float >= 10, in frames per second
    method : {"pos", "chrom"}
    name : str
        What messages call the traces.

    Returns
    -------
    float64 ndarray of shape (n_frames,)
        Relative to the skin's brightness: 0.01 is a percent of it. NaN where `traces` are, and in stretches between
        gaps that are shorter than a window. More blood absorbs more light; the sign is as in the papers.

    Raises
    ------
    ParameterError
        If an argument breaks its rule.
    DataError
        If `traces` are no such array, hold infinity or negative values, NaN in some channels only, or are black
        throughout a window, or if they are NaN throughout.

    Notes
    -----
    Differs from [1]_ in: the sum is divided by the number of windows over each frame, so that the amplitude does not
    depend on the frame rate and does not fade in the first and last 1.6 seconds. A window whose s2 does not change has
    h = s1.

    Differs from [2]_ in: the filter, a Butterworth of order 3 run forwards and backwards over the whole stretch, where
    the paper has a linear-phase one; since it is linear, dividing by the window's means after it is the same as
    before. A window whose y does not change has h = x. As in the paper, the signal fades in over the first half window
    and out over the last; the frames after the last whole window are 0.

    References
    ----------
    .. [1] W. Wang, A. C. den Brinker, S. Stuijk, G. de Haan, "Algorithmic principles of remote PPG", IEEE Transactions
       on Biomedical Engineering 64 (7), 2017.
    .. [2] G. de Haan, V. Jeanne, "Robust pulse rate from chrominance-based rPPG", IEEE Transactions on Biomedical
       Engineering 60 (10), 2013.

    Examples
    --------
    >>> import numpy as np
    >>> beat = np.sin(2 * np.pi * np.arange(200) / 20)
    >>> traces = np.array([150.0, 110.0, 90.0]) * (1 - 0.01 * beat[:, None] * [0.3, 0.8, 0.5])
    >>> found = pulse_signal(traces, fps=20)
    >>> bool(np.corrcoef(found, -beat)[0, 1] > 0.999)
    True
    """
    rate = check_float(fps, "fps", minimum=SMALLEST_FPS)
    check_choice(method, "method", PULSE_METHODS)
    colours = _check_traces(traces, name)
    compute = _pos if method == "pos" else _chrom
    length = ceil(round(_SECONDS * rate, 6))
    length += length % 2 if method == "chrom" else 0
    signal = np.full(len(colours), np.nan)
    for start, stop in runs_of(~np.isnan(colours[:, 0])):
        if stop - start >= length:
            signal[start:stop] = compute(colours[start:stop], length, rate, name)
    return signal


def runs_of(there: np.ndarray) -> list[tuple[int, int]]:
    """Return where the runs of True begin and, exclusively, end."""
    edges = np.flatnonzero(np.diff(there.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(stop)) for start, stop in list(pairwise(edges))[::2]]


def _pos(colours: np.ndarray, length: int, fps: float, name: str) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(colours, length, axis=0)
    total, count = np.zeros(len(colours)), np.zeros(len(colours))
    for first in range(0, len(windows), max(1, _BLOCK // length)):
        part = windows[first : first + max(1, _BLOCK // length)]
        means = _means(part, name)
        red, green, blue = np.moveaxis(part / means[..., None], 1, 0)
        one, two = green - blue, green + blue - 2.0 * red
        found = one + _ratio(one, two)[:, None] * two
        found -= found.mean(axis=1, keepdims=True)
        for place in range(length):
            total[first + place : first + place + len(part)] += found[:, place]
            count[first + place : first + place + len(part)] += 1.0
    return np.asarray(total / count)


def _chrom(colours: np.ndarray, length: int, fps: float, name: str) -> np.ndarray:
    from scipy.signal import butter, sosfiltfilt
    from scipy.signal.windows import hann

    sections = butter(_ORDER, BAND, btype="bandpass", fs=fps, output="sos")
    # The mean carries no pulse, and its edges would ring.
    level = colours.mean(axis=0)
    # A second of continuation at each end; shorter stretches have as much of it as they can.
    filtered = sosfiltfilt(sections, colours - level, axis=0, padlen=min(round(fps), len(colours) - 1))
    weights = hann(length, sym=False)
    total = np.zeros(len(colours))
    for first in range(0, len(colours) - length + 1, length // 2):
        stop = first + length
        means = _means(colours[first:stop].T[None], name)[0]
        red, green, blue = (filtered[first:stop] / means).T
        one, two = 3.0 * red - 2.0 * green, 1.5 * red + green - 1.5 * blue
        total[first:stop] += weights * (one - _ratio(one[None], two[None])[0] * two)
    return total


def _means(windows: np.ndarray, name: str) -> np.ndarray:
    """Return the mean of each channel over each window, (n, 3, length) to (n, 3)."""
    means = np.asarray(windows.mean(axis=2))
    if not (means > 0).all():
        raise DataError(f"{name}: a colour of the skin is 0 for {_SECONDS:g} seconds: what is black has no pulse")
    return means


def _ratio(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Return std(one) / std(two) of each row, 0 where the second does not change."""
    below = two.std(axis=1)
    # What is left of a constant after dividing by its own mean is rounding.
    still = below < 1e-12
    return np.asarray(np.where(still, 0.0, one.std(axis=1) / np.where(still, 1.0, below)))


def _check_traces(traces: object, name: str) -> np.ndarray:
    try:
        colours = np.asarray(traces, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name}: colours are no array of numbers of shape (n_frames, 3)") from None
    if colours.ndim != 2 or colours.shape[1] != 3 or not len(colours):
        raise DataError(f"{name}: an array of shape {colours.shape} is no colours of skin; it must be (n_frames, 3)")
    missing = np.isnan(colours)
    if (missing.any(axis=1) != missing.all(axis=1)).any():
        raise DataError(f"{name}: a frame has NaN in some of its colours; all three are NaN where there is no skin")
    if missing.all():
        raise DataError(f"{name}: there is no skin in any of the {len(colours)} frames: all are NaN")
    if np.nanmin(colours) < 0 or np.nanmax(colours) == np.inf:
        raise DataError(f"{name}: colours of skin are negative or infinite; they are finite numbers of at least 0")
    return colours
