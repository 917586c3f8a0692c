"""Clips of which a model says nothing rather than guess."""

__all__ = ["NO_ANSWER", "reason_of", "refuse"]

import numpy as np

from microexpr.core.clip import Clip
from microexpr.core.errors import NoAnswer
from microexpr.features.mapcheck import map_fault
from microexpr.features.motioncheck import clip_fault
from microexpr.pipelines.framing import Framing

#: What stands in place of a label.
NO_ANSWER = "no answer"


def refuse(clip: Clip, framing: Framing) -> None:
    """Raise where the motion from onset to apex cannot be that of an expression, or a stored map is none.

    Parameters
    ----------
    clip : Clip
        A stored map (see `map_fault`); or frames with an apex, the face where `frame_clip` brings it (`clip_fault`).
    framing : Framing
        Where the corners of the eyes lie in its pictures.

    Raises
    ------
    NoAnswer
        If something is wrong with it: the clip's name and the reason.
    NeedsError
        If it has frames but no apex.
    DataError
        If it cannot be read, or the apex does not come after the onset.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> from microexpr.pipelines.framing import measure_framing
    >>> clips = make_clips(2, 1, duration=(0.02, 0.03), peak_motion=(3.0, 3.0)).clips
    >>> refuse(clips[0], measure_framing(clips))
    """
    if clip.has_pixels:
        fault = clip_fault(clip, eye_distance=_eye_distance(clip, framing))
    else:
        fault = map_fault(clip.flow_map())
    if fault is not None:
        raise NoAnswer(f"{clip.clip_id}: {fault}")


def reason_of(error: NoAnswer, name: str) -> str:
    """Return what an error says behind the name of the clip."""
    return str(error).removeprefix(f"{name}: ")


def _eye_distance(clip: Clip, framing: Framing) -> float:
    height, width = clip.source.first().shape[:2]
    first, second = np.asarray(framing.corners) * [width, height]
    return float(np.linalg.norm(second - first))
