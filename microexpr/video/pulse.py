"""The pulse in the colour of a face's skin, and the heart rate that it tells."""

__all__ = ["PULSE_METHODS", "PULSE_VERSION", "Pulse", "pulse", "pulse_of_traces"]

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from microexpr.core.checks import check_choice, check_float
from microexpr.core.errors import DataError, ParameterError, join_names
from microexpr.core.sources import FrameSource
from microexpr.video.heartrate import LEAST_SECONDS, heart_rate, reliable_snr, snr_quality
from microexpr.video.opening import OpenVideo
from microexpr.video.pulsesignal import PULSE_METHODS, pulse_signal, runs_of
from microexpr.video.skin import skin_traces

#: Raised when the same video would give another pulse; part of the keys of all that is computed from it.
PULSE_VERSION = 1

# Skin is never grey: channels that differ by less, in grey levels, are copies of one.
_GREY = 0.5

_COLUMNS = ("first", "last", "time", "rate", "snr", "quality", "reliable")


@dataclass(frozen=True, eq=False)
class Pulse:
    """The pulse of one face in one video.

    Parameters
    ----------
    rate : float, in beats per minute
        The median over the reliable windows, or over all where none is.
    quality : float in [0, 1]
        The median over all windows: the part of the signal's power that is the pulse's.
    reliable : bool
        Whether at least half of the windows are.
    windows : DataFrame
        One row a window: first and last (int64, frames, both included), time (its middle, in seconds), rate (beats per
        minute), snr (dB), quality (0..1), reliable (bool). See `microexpr.video.heartrate.heart_rate`.
    signal : float64 ndarray of shape (n_frames,)
        See `pulse_signal`; NaN where there is none.
    traces : float64 ndarray of shape (n_frames, 3)
        The mean R, G and B of the skin; NaN where there is no face.
    fps : float, in frames per second
    method : {"pos", "chrom"}
    notes : tuple of str
        What a reader must know: parts left out, and where a broken video stopped.
    """

    rate: float
    quality: float
    reliable: bool
    windows: pd.DataFrame
    signal: np.ndarray
    traces: np.ndarray
    fps: float
    method: str
    notes: tuple[str, ...] = field(default=())

    @property
    def snr(self) -> float:
        """The median over all windows, in dB."""
        return float(self.windows["snr"].median())

    @property
    def variability(self) -> float:
        """The standard deviation of the rate over the windows that the rate is of, in beats per minute."""
        return float(_counted(self.windows)["rate"].std(ddof=0))


def pulse(
    video: str | Path | FrameSource | Iterable[np.ndarray],
    *,
    fps: float | None = None,
    method: str = "pos",
    window: float = 10.0,
    step: float = 1.0,
    skin: str = "face",
    face: str = "largest",
    backend: str = "opencv",
    model: str | None = None,
    name: str | None = None,
) -> Pulse:
    """Measure the heart rate in a video of a face.

    1. The mean colour of forehead and cheeks, frame by frame (`skin_traces`). 2. The pulse in it (`pulse_signal`).
    3. Its rate in sliding windows (`heart_rate`), and how far each is to be trusted.

    Parameters
    ----------
    video : path, FrameSource, or iterable of uint8 ndarray of shape (height, width, 3)
        A file, a pipe or a camera, as `microexpr.video.opening.OpenVideo` takes them, is decoded frame by frame; of a
        video of any length only three numbers a frame are kept.
    fps : float >= 10, in frames per second
        None reads it from the file; frames need it.
    method : {"pos", "chrom"}
    window : float >= 5, in seconds
    step : float > 0, in seconds
    skin, face, backend, model
        See `skin_traces`.
    name : str or None
        What messages call the video; None takes the file's path.

    Returns
    -------
    Pulse

    Raises
    ------
    DataError
        If the video cannot be read, is grey or shows no face, if there are no 5 seconds of it with a face throughout,
        or if the skin's colour never changes.
    NeedsError
        See `landmarks`.
    ParameterError
        If an argument breaks its rule.

    Notes
    -----
    A video that breaks off is measured up to there, and `notes` says where that is.

    This is no medical device. Compression takes the pulse out of a video first: what is left of it in a strongly
    compressed file is seldom reliable.

    Examples
    --------
    >>> from microexpr.data import make_videos
    >>> videos = make_videos(1, 1, seconds=8, fps=15, micro=0, macro=0, color=True, pulse=(72, 72))
    >>> found = pulse(videos.sources["synthetic-long/sub01/V01"], fps=15)
    >>> bool(abs(found.rate - 72) < 2), found.reliable
    (True, True)
    """
    _check_settings(method, window, step)
    notes: list[str] = []
    if isinstance(video, (str, Path)):
        with OpenVideo(video, color=True) as opened:
            called = opened.name if name is None else name
            rate = opened.fps if fps is None else fps
            frames: Iterable[np.ndarray] = _until_broken(opened, notes)
            traces = skin_traces(frames, fps=rate, skin=skin, face=face, backend=backend, model=model, name=called)
    else:
        called = "video" if name is None else name
        if fps is None:
            raise ParameterError("fps is None: frames do not say how many of them make a second; give fps")
        rate, frames = fps, video.stream() if isinstance(video, FrameSource) else video
        traces = skin_traces(frames, fps=rate, skin=skin, face=face, backend=backend, model=model, name=called)
    return pulse_of_traces(traces, fps=rate, method=method, window=window, step=step, name=called, notes=tuple(notes))


def pulse_of_traces(
    traces: object,
    *,
    fps: float,
    method: str = "pos",
    window: float = 10.0,
    step: float = 1.0,
    name: str = "traces",
    notes: tuple[str, ...] = (),
) -> Pulse:
    """Measure the heart rate in the mean colours of skin; see `pulse`.

    Parameters
    ----------
    traces : float array of shape (n_frames, 3), >= 0
        Mean R, G and B; NaN where there is no face.
    fps : float >= 10, in frames per second
    method : {"pos", "chrom"}
    window : float >= 5, in seconds
        Stretches that are shorter, but no shorter than 5 seconds, make one window.
    step : float > 0, in seconds
        From the beginning of one window to that of the next. Windows never reach over a gap.
    name : str
        What messages call the video.
    notes : tuple of str
        What is known of the video already.

    Returns
    -------
    Pulse

    Raises
    ------
    DataError
        If `traces` are no such array, are grey, have no 5 seconds without a gap, or never change.
    ParameterError
        If an argument breaks its rule.

    Examples
    --------
    >>> import numpy as np
    >>> beat = np.sin(2 * np.pi * 1.5 * np.arange(300) / 30)[:, None]
    >>> found = pulse_of_traces(np.array([150.0, 110.0, 90.0]) * (1 - 0.005 * beat * [0.3, 0.8, 0.5]), fps=30)
    >>> round(found.rate, 1), found.reliable, len(found.windows)
    (90.0, True, 1)
    """
    _check_settings(method, window, step)
    signal = pulse_signal(traces, fps=fps, method=method, name=name)
    colours = np.asarray(traces, np.float64)
    if np.nanmax(np.ptp(colours, axis=1)) < _GREY:
        raise DataError(f"{name}: the video is grey: a pulse shows in the colour of the skin; colour video is needed")
    runs = runs_of(~np.isnan(colours[:, 0]))
    long = [(start, stop) for start, stop in runs if stop - start >= LEAST_SECONDS * fps - 1e-6]
    if not long:
        longest = max(stop - start for start, stop in runs)
        what = "the video lasts" if longest == len(colours) else "a face is seen for no more running than"
        raise DataError(f"{name}: {what} {longest / fps:.2f} seconds; a heart rate needs at least {LEAST_SECONDS:g}")
    windows = _windows(signal, long, fps, window, step)
    counted = _counted(windows)
    if counted["rate"].isna().all():
        raise DataError(f"{name}: the skin's colour never changes: there is no pulse in a still picture")
    left_out = [(start, stop) for start, stop in _complement(long, len(colours)) if stop > start]
    if left_out:
        share = sum(stop - start for start, stop in left_out) / len(colours)
        said = join_names([f"{start} to {stop - 1}" if stop - start > 1 else f"{start}" for start, stop in left_out])
        notes = (*notes, f"left out, no face for long enough: frames {said} ({100 * share:.0f} % of the video)")
    return Pulse(
        rate=float(counted["rate"].median()),
        quality=float(windows["quality"].median()),
        reliable=bool(windows["reliable"].mean() >= 0.5),
        windows=windows,
        signal=signal,
        traces=colours,
        fps=float(fps),
        method=method,
        notes=notes,
    )


def _windows(signal: np.ndarray, runs: list[tuple[int, int]], fps: float, seconds: float, step: float) -> pd.DataFrame:
    """Return the rate in each window of each run."""
    rows = []
    for start, stop in runs:
        length = min(round(seconds * fps), stop - start)
        begins = start + np.arange(0, (stop - start - length) / fps + 1e-9, step) * fps
        for first in np.rint(begins).astype(int).tolist():
            rate, snr = heart_rate(signal[first : first + length], fps=fps)
            last = first + length - 1
            reliable = bool(snr >= reliable_snr(length / fps))
            rows.append((first, last, (first + last) / 2 / fps, rate, snr, snr_quality(snr), reliable))
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"first": "int64", "last": "int64"})


def _counted(windows: pd.DataFrame) -> pd.DataFrame:
    """Return the windows that the rate is of: the reliable ones, or all where none is."""
    return windows[windows["reliable"]] if windows["reliable"].any() else windows


def _complement(runs: list[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Return the stretches between runs, and before and after them; some may be empty."""
    edges = [0, *(edge for run in runs for edge in run), length]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _check_settings(method: object, window: object, step: object) -> None:
    check_choice(method, "method", PULSE_METHODS)
    check_float(window, "window", minimum=LEAST_SECONDS)
    if check_float(step, "step") <= 0:
        raise ParameterError(f"step is {step!r}: it must be greater than 0")


def _until_broken(opened: OpenVideo, notes: list[str]) -> Iterator[np.ndarray]:
    """Yield the frames up to where the video breaks off, and note that; a video without any frame is refused."""
    count = 0
    try:
        for frame in opened:
            yield frame
            count += 1
    except DataError as error:
        if not count:
            raise
        notes.append(f"stopped after {count} frames: {error}")
    if opened.uneven:
        notes.append(f"{opened.uneven} of {count} frames came late: rates are as if frames were evenly spaced")
