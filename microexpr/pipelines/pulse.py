"""The heart rate in a video: measured, written as a table and drawn."""

__all__ = ["draw_pulse", "measure_pulse"]

import io
from pathlib import Path
from typing import Any

import numpy as np

from microexpr.core.atomic import remove_stale, write_atomic
from microexpr.video.pulse import Pulse, pulse
from microexpr.video.pulsesignal import BAND

# Colours that are told apart in print and by colour-blind readers (Okabe and Ito).
_SURE, _DOUBTFUL = "#0072B2", "#D55E00"
# Seconds of the signal that are drawn, the clearest ones.
_SHOWN = 10.0
# Rates are drawn within this range at the least, in beats per minute: noise of one beat must not look like a storm.
_LEAST_RANGE = 20.0


def measure_pulse(
    path: str | Path,
    out: str | Path | None = None,
    *,
    method: str = "pos",
    window: float = 10.0,
    step: float = 1.0,
    skin: str = "face",
    face: str = "largest",
) -> Pulse:
    """Measure the heart rate in a video; with `out`, write what was found there.

    Parameters
    ----------
    path : str or path
        A file, `-` for standard input, or `camera:0`; see `microexpr.video.pulse`.
    out : path or None
        A folder for `pulse.csv`, one row a window, and `pulse.png`, a drawing.
    method : {"pos", "chrom"}
    window, step : floats, in seconds
    skin, face
        See `microexpr.video.skin_traces`.

    Returns
    -------
    Pulse

    Raises
    ------
    DataError, NeedsError, ParameterError
        See `microexpr.video.pulse`.
    ResultsError
        If the folder cannot be written.

    Examples
    --------
    >>> measure_pulse("no-such-video.mp4")
    Traceback (most recent call last):
    microexpr.core.errors.DataError: no-such-video.mp4: cannot be opened as a video: no such file
    """
    found = pulse(path, method=method, window=window, step=step, skin=skin, face=face)
    if out is not None:
        folder = Path(out)
        for name, content in (
            ("pulse.csv", found.windows.to_csv(index=False, lineterminator="\n").encode()),
            ("pulse.png", draw_pulse(found)),
        ):
            remove_stale(folder, name=name)
            write_atomic(folder / name, content)
    return found


def draw_pulse(found: Pulse) -> bytes:
    """Draw the rate of each window over time, and below it the clearest ten seconds of the pulse signal.

    Parameters
    ----------
    found : Pulse

    Returns
    -------
    bytes
        A PNG image.

    Examples
    --------
    >>> import numpy as np
    >>> from microexpr.video import pulse_of_traces
    >>> beat = np.sin(2 * np.pi * 1.2 * np.arange(300) / 30)[:, None]
    >>> found = pulse_of_traces(np.array([150.0, 110.0, 90.0]) * (1 - 0.005 * beat * [0.3, 0.8, 0.5]), fps=30)
    >>> draw_pulse(found)[1:4]
    b'PNG'
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1)
    _draw_rates(above, found)
    _draw_signal(below, found)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def _draw_rates(axes: Any, found: Pulse) -> None:
    rows = found.windows
    axes.axhline(found.rate, color="#999999", linewidth=0.8, linestyle="--")
    for sure, colour, face, name in ((True, _SURE, _SURE, "reliable"), (False, _DOUBTFUL, "none", "not reliable")):
        some = rows[rows["reliable"] == sure]
        if len(some):
            axes.plot(some["time"], some["rate"], "o", color=colour, markerfacecolor=face, markersize=5, label=name)
    low, high = rows["rate"].min(), rows["rate"].max()
    middle, half = (low + high) / 2, max(0.6 * (high - low), _LEAST_RANGE / 2)
    axes.set(ylim=(middle - half, middle + half), xlabel="middle of the window, seconds", ylabel="beats per minute")
    axes.set_title(f"{found.rate:.1f} beats per minute, quality {found.quality:.2f} ({found.method})", fontsize=10)
    axes.set_xlim(0, len(found.signal) / found.fps)
    axes.legend(frameon=False, fontsize=8, loc="upper right", ncols=2)


def _draw_signal(axes: Any, found: Pulse) -> None:
    from scipy.signal import butter, sosfiltfilt

    best = found.windows.loc[found.windows["snr"].idxmax()]
    first = int(best["first"])
    last = min(int(best["last"]), first + round(_SHOWN * found.fps) - 1)
    seconds, values = np.arange(first, last + 1) / found.fps, 100.0 * found.signal[first : last + 1]
    within = sosfiltfilt(butter(2, BAND, btype="bandpass", fs=found.fps, output="sos"), values)
    axes.plot(seconds, values, color="#bbbbbb", linewidth=0.8, label="as it is")
    axes.plot(seconds, within, color=_SURE, linewidth=1.3, label=f"{BAND[0]:g} to {BAND[1]:g} Hz")
    axes.set(xlim=(seconds[0], seconds[-1]), xlabel="seconds", ylabel="pulse, % of brightness")
    axes.set_title(f"the clearest window: {best['rate']:.1f} beats per minute, SNR {best['snr']:.1f} dB", fontsize=10)
    axes.legend(frameon=False, fontsize=8, loc="upper right", ncols=2)
