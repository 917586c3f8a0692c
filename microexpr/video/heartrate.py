"""The heart rate in a pulse signal, and how far it is to be trusted."""

__all__ = ["LEAST_SECONDS", "heart_rate", "reliable_snr", "snr_quality"]

import numpy as np

from microexpr.core.checks import check_float
from microexpr.core.errors import DataError
from microexpr.video.pulsesignal import BAND
from microexpr.video.skin import SMALLEST_FPS

#: Less holds only three beats of a slow heart.
LEAST_SECONDS = 5.0

# Half the width of the main lobe of a Hann window of T seconds, times T: a steady rate spreads no further.
_LOBE = 2.0
# The spectrum is read off this many times more finely than the signal's length gives.
_FINER = 8


def heart_rate(signal: object, *, fps: float) -> tuple[float, float]:
    """Find the heart rate in a pulse signal, and the signal's share in the noise around it.

    With T the length of the signal in seconds and P(f) its power spectrum (the straight line taken out, Hann window,
    zero-padded eightfold):

    1. The rate is where P is largest within 0.7 to 4 Hz, between the bins by the parabola through the logarithms of the
    three highest. 2. The signal is what lies within 2 / T of the rate and of twice the rate; the noise is the rest of
    0.7 to 4 Hz: SNR = 10 log10(signal / noise) [1]_.

    Parameters
    ----------
    signal : float array of shape (n_frames,)
        At least 5 seconds of it, without NaN; see `pulse_signal`.
    fps : float >= 10, in frames per second

    Returns
    -------
    rate : float within 42..240, in beats per minute
        NaN where the signal does not change.
    snr : float, in dB
        -inf where the signal does not change.

    Raises
    ------
    ParameterError
        If `fps` is not allowed.
    DataError
        If `signal` is no such array.

    Notes
    -----
    Differs from [1]_ in: the rate is the signal's own instead of a reference's, since there is none; so noise has an
    SNR too, that of its largest peak. The half-width of 2 / T is that of the main lobe of the window: a steady pulse
    spreads no further, whatever T is; the paper's widths belong to its own length of signal.

    References
    ----------
    .. [1] G. de Haan, V. Jeanne, "Robust pulse rate from chrominance-based rPPG", IEEE Transactions on Biomedical
       Engineering 60 (10), 2013.

    Examples
    --------
    >>> import numpy as np
    >>> rate, snr = heart_rate(np.sin(2 * np.pi * 1.234 * np.arange(300) / 30), fps=30)
    >>> round(rate, 1), bool(snr > 20)
    (74.0, True)
    """
    rate = check_float(fps, "fps", minimum=SMALLEST_FPS)
    values = np.asarray(signal, np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise DataError(f"signal of shape {values.shape} is no pulse; it must be (n_frames,), without NaN or infinity")
    if len(values) < LEAST_SECONDS * rate - 1e-6:
        raise DataError(
            f"signal lasts {len(values) / rate:.2f} seconds; a heart rate needs at least {LEAST_SECONDS:g} seconds"
        )
    from scipy.signal import periodogram

    n_points = 1 << int(np.ceil(np.log2(_FINER * len(values))))
    frequencies, power = periodogram(values, rate, window="hann", detrend="linear", nfft=n_points)
    inside = (frequencies >= BAND[0]) & (frequencies <= BAND[1])
    # What is left of a straight line after it is taken out is rounding.
    if power[inside].sum() * frequencies[1] <= 1e-24 * max(float(np.square(values).mean()), 1e-30):
        return float("nan"), float("-inf")
    places = np.flatnonzero(inside)
    peak = _between_bins(power, int(places[np.argmax(power[places])])) * frequencies[1]
    peak = float(np.clip(peak, *BAND))
    reach = _LOBE * rate / len(values)
    of_pulse = (np.abs(frequencies - peak) <= reach) | (np.abs(frequencies - 2.0 * peak) <= reach)
    noise = float(power[inside & ~of_pulse].sum())
    snr = 10.0 * np.log10(float(power[inside & of_pulse].sum()) / noise) if noise > 0 else np.inf
    return 60.0 * peak, float(snr)


def snr_quality(snr: float) -> float:
    """Return the part of the power within 0.7 to 4 Hz that is the pulse's, 0..1, of an SNR in dB.

    Examples
    --------
    >>> snr_quality(0.0), round(snr_quality(10.0), 2)
    (0.5, 0.91)
    """
    # 1 / (1 + 10^(-snr / 10)), written so that no power overflows.
    return float(0.5 * (1.0 + np.tanh(0.05 * np.log(10.0) * snr)))


def reliable_snr(seconds: float) -> float:
    """Return the SNR from which a rate is called reliable, in dB, for a signal of so many seconds.

    7 dB for 5 seconds, falling by 4 dB as the length doubles, to 3 dB, two thirds of the power, from 10 seconds on. Of
    1500 signals that POS and CHROM made of white noise in the colours, at 15 and 30 frames per second, fewer than 1 in
    100 reach that in 5 seconds and fewer than 1 in 1000 in 10: a short signal has few bins, and its largest peak always
    holds much of the power. The noise of a moving head is not white: what is reliable is steady and alone in its
    band, no more.

    Examples
    --------
    >>> reliable_snr(5.0), reliable_snr(10.0), reliable_snr(60.0)
    (7.0, 3.0, 3.0)
    """
    return max(7.0 - 4.0 * float(np.log2(seconds / 5.0)), 3.0)


def _between_bins(power: np.ndarray, place: int) -> float:
    """Return where the parabola through the logarithms of three bins is highest, in bins."""
    around = power[place - 1 : place + 2]
    if len(around) < 3 or around.min() <= 0:
        return float(place)
    before, here, after = np.log(around)
    curvature = before - 2.0 * here + after
    # At the edge of the band the largest bin need not be a peak: beyond it lies a larger one.
    return place + float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5)) if curvature < 0 else float(place)
