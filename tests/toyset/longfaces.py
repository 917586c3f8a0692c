"""Synthetic long videos of a few seconds in which a test says what happens, and when."""

from microexpr.data._timeline import Event, Script
from microexpr.data.syntheticvideo import SyntheticVideoSource


def film(*events, seconds=2.0, fps=30.0, subject=0, sway=0.2, noise=1.5, flicker=0.008, color=False, size=(140, 120)):
    """Return a source of frames of one face, at rest but for these events."""
    script = Script(
        seed=0,
        subject=subject,
        video=0,
        n_frames=round(seconds * fps),
        fps=fps,
        size=size,
        sway=sway,
        flicker=flicker,
        noise=noise,
        color=color,
        events=tuple(sorted(events, key=lambda event: event.onset)),
    )
    return SyntheticVideoSource(script)


def expression(kind, onset, apex, offset, *units, strength=2.5):
    """Return an expression whose action units, such as `L12`, move the skin by `strength` pixels at most."""
    actions = tuple((unit, 1.0) for unit in units)
    return Event(kind, onset, apex, apex, offset, strength, actions=actions)


def head_motion(kind, onset, offset, strength):
    """Return a turn, a nod (in pixels) or a tilt (in radians) that comes and goes."""
    third = (offset - onset) // 3
    return Event(kind, onset, onset + third, offset - third, offset, strength)


def blink(onset, offset):
    """Return a blink; lids close twice as fast as they open."""
    apex = onset + max(1, (offset - onset) // 3)
    return Event("blink", onset, apex, apex, offset, 0.95)
