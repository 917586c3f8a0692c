"""Features of the pulse that shows in the colour of a face: how fast, how even, how clear, how strong."""

__all__ = ["PULSE_FEATURES", "PulseFeatures", "pulse_features"]

from collections.abc import Iterable

import numpy as np

from microexpr.core.base import ClipTransformer
from microexpr.core.checks import check_choice, check_float
from microexpr.core.clip import Clip
from microexpr.core.errors import NeedsError
from microexpr.video.heartrate import LEAST_SECONDS
from microexpr.video.pulse import PULSE_VERSION, Pulse, pulse
from microexpr.video.pulsesignal import PULSE_METHODS
from microexpr.video.skin import SKINS

#: The names of the features, in order.
PULSE_FEATURES = ("rate", "variability", "change", "quality", "amplitude")

# Seconds from the beginning of one window to that of the next.
_STEP = 1.0


def pulse_features(
    frames: Iterable[np.ndarray],
    *,
    fps: float,
    method: str = "pos",
    window: float = 5.0,
    skin: str = "face",
    name: str = "frames",
) -> np.ndarray:
    """Describe the pulse in a video of a face by five numbers.

    1. rate, the median over windows of `window` seconds, in beats per minute; 2. variability, the standard deviation of
    the rate over the windows; 3. change, the rate of the last window minus that of the first; 4. quality, the pulse's
    share of the power, 0..1; 5. amplitude, the standard deviation of the pulse signal, in percent of the skin's
    brightness. See `microexpr.video.pulse`.

    Parameters
    ----------
    frames : iterable of uint8 ndarray of shape (height, width, 3)
        5 seconds of them at least, in colour.
    fps : float >= 10, in frames per second
    method : {"pos", "chrom"}
    window : float >= 5, in seconds
        Of a video that is shorter, the whole is one window: variability and change are then 0.
    skin : {"face", "frame"}
        Where the skin is: on forehead and cheeks of a face that is looked for, or all over the picture.
    name : str
        What messages call the video.

    Returns
    -------
    float64 ndarray of shape (5,)
        In the order of `PULSE_FEATURES`.

    Raises
    ------
    ParameterError
        If an argument breaks its rule.
    DataError
        If a frame is no frame or grey, there are no 5 seconds of them with a face, or the skin never changes.

    Notes
    -----
    Where no window is reliable, the numbers are those of noise, and only quality says so. Variability is of means over
    seconds, not of the time from beat to beat.

    Examples
    --------
    >>> import numpy as np
    >>> beat = np.sin(2 * np.pi * 1.2 * np.arange(150) / 20)[:, None, None, None]
    >>> noise = np.random.default_rng(0).normal(0, 4, (150, 20, 20, 3))
    >>> frames = np.clip([150, 110, 90] * (1 - 0.01 * beat * [0.3, 0.8, 0.5]) + noise, 0, 255).astype(np.uint8)
    >>> pulse_features(frames, fps=20, skin="frame").round()[0]
    np.float64(72.0)
    """
    return _described(pulse(frames, fps=fps, method=method, window=window, step=_STEP, skin=skin, name=name))


class PulseFeatures(ClipTransformer):
    """Five numbers of the pulse in each clip; see `pulse_features`.

    Parameters
    ----------
    method : {"pos", "chrom"}
    window : float >= 5, in seconds
    skin : {"face", "frame"}
        "frame" for clips that are cut to the face so closely that no face is found in them.

    Notes
    -----
    `transform` returns float64 of shape (n_clips, 5): rate, variability, change, quality, amplitude.

    Nothing published supports that an emotion shows in a pulse over a second or a few: heart rate follows feelings
    within seconds, and the beats of 5 seconds tell it to a few a minute. The numbers are offered as a signal only.
    Micro-expression clips are shorter than that as a rule; the video around them is what has a pulse.

    Examples
    --------
    >>> from microexpr.core.clip import Clip
    >>> from microexpr.data import make_videos
    >>> source = make_videos(1, 1, seconds=6, fps=15, color=True, pulse=(90, 90)).sources["synthetic-long/sub01/V01"]
    >>> PulseFeatures().transform([Clip("a", source, fps=15.0)]).shape
    (1, 5)
    """

    version = 1

    def __init__(self, method: str = "pos", window: float = 5.0, skin: str = "face") -> None:
        self.method = method
        self.window = window
        self.skin = skin

    def check_params(self) -> None:  # noqa: D102
        check_choice(self.method, "method", PULSE_METHODS)
        check_float(self.window, "window", minimum=LEAST_SECONDS)
        check_choice(self.skin, "skin", SKINS)

    def key_facts(self) -> dict[str, object]:  # noqa: D102
        return {"pulse": PULSE_VERSION}

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's five numbers, float64.

        Raises
        ------
        NeedsError
            If the clip has no frames, no frame rate, or lasts less than 5 seconds.
        DataError
            If its frames cannot be read or are grey, or there is no face in them for 5 seconds running.
        """
        if clip.has_pixels and clip.fps is None:
            raise NeedsError(f"{clip.clip_id}: the frame rate is unknown; a pulse is counted by time")
        frames = clip.frames()
        lasting = len(frames) / (clip.fps or 1.0)
        if lasting < LEAST_SECONDS:
            raise NeedsError(
                f"{clip.clip_id}: the clip lasts {lasting:.2f} seconds; a heart rate needs at least {LEAST_SECONDS:g}"
            )
        return pulse_features(
            frames, fps=clip.fps or 0.0, method=self.method, window=self.window, skin=self.skin, name=clip.clip_id
        )


def _described(found: Pulse) -> np.ndarray:
    rates = found.windows["rate"].dropna().to_numpy()
    amplitude = 100.0 * float(np.nanstd(found.signal))
    return np.array([np.median(rates), rates.std(), rates[-1] - rates[0], found.quality, amplitude])
