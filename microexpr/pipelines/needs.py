"""What a method can need of every clip."""

__all__ = ["NEEDS"]

from collections.abc import Callable, Mapping

import numpy as np

from microexpr.core.clip import Clip
from microexpr.video.heartrate import LEAST_SECONDS


def _moves(clip: Clip) -> bool:
    return clip.apex is not None and clip.apex > (clip.onset or 0)


def _lasts(clip: Clip) -> bool:
    return clip.has_pixels and clip.fps is not None and clip.n_frames >= LEAST_SECONDS * clip.fps


def _has_colour(clip: Clip) -> bool:
    if not clip.has_pixels:
        return False
    first = clip.source.first()
    # A grey picture may be stored as three channels, compressed ones that differ here and there.
    return first.ndim == 3 and float(np.ptp(first, axis=2).mean()) >= 1.0


#: What a method can need of every clip, and how to tell that a clip has it.
NEEDS: Mapping[str, tuple[str, Callable[[Clip], bool]]] = {
    "pixels": ("frames, not a stored flow map", lambda clip: clip.has_pixels),
    "apex": ("an apex", lambda clip: clip.apex is not None),
    "motion": ("an apex after the onset or a stored flow map", lambda clip: not clip.has_pixels or _moves(clip)),
    "seconds": (f"{LEAST_SECONDS:g} seconds of frames and their frame rate", _lasts),
    "colour": ("frames in colour", _has_colour),
}
