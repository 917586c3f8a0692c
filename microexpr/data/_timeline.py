"""What happens in a synthetic long video, and when: expressions, and what a spotter may take for one.

Everything is drawn here, and nothing is rendered: each kind from its own stream of random numbers, so that leaving one
kind out leaves the others as they were.
"""

__all__ = [
    "DISTRACTORS",
    "LONGEST",
    "SMALLEST_FPS",
    "Event",
    "Script",
    "course",
    "draw_distractors",
    "draw_expressions",
    "random_stream",
    "seconds_needed",
]

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from microexpr.data._render import design_unit
from microexpr.data.actionunits import draw_actions

#: The kinds of each distractor that can be switched off.
DISTRACTORS: dict[str, tuple[str, ...]] = {
    "blinks": ("blink",),
    "speech": ("speech",),
    "head_motion": ("turn", "nod", "tilt"),
    "light_changes": ("light drift", "light step"),
}

# Shortest and longest, in seconds from the first frame to the last, both included.
_SECONDS = {
    "micro": (0.15, 0.45),
    "macro": (0.6, 2.0),
    "blink": (0.1, 0.4),
    "speech": (2.0, 6.0),
    "head": (0.8, 2.5),
}
#: The longest expression of each kind, in seconds.
LONGEST = {kind: _SECONDS[kind][1] for kind in ("micro", "macro")}
#: Slower cameras see no three frames of a blink or a micro-expression: its start, its height and its end.
SMALLEST_FPS = 10.0

# How many a minute: least and most; a video has its own rate. People blink 10 to 20 times a minute.
_RATES = {"blink": (10.0, 20.0), "speech": (1.0, 3.0), "head": (1.5, 3.0), "light": (0.5, 1.5)}
# Seconds without another event of the same kind; expressions keep them to both ends of the video too.
_GAPS = {"expression": 0.5, "blink": 0.25, "speech": 0.25, "head": 0.3}

# Added to a seed, it gives faces that no set of clips of a user's seed shows.
_OTHER_PEOPLE = 2_000_000_011
# Streams of their own. The first number keeps them apart from those of the clips, which count from 0.
_FIRST_STREAM = 1000
_STREAMS = ("expressions", "expression", "blink", "speech", "head", "light", "camera", "noise", "pulse")


@dataclass(frozen=True)
class Event:
    """Something that happens once: it grows from onset to apex, stays until release, and is over at the offset.

    `strength` is what it comes to at the apex: the largest displacement of an expression or of the opening mouth, in
    pixels; the part of the eye that the lid covers; the shift of a turning (to the right) or nodding (down) head, in
    pixels; the angle of a tilt, in radians; the relative size of a drift of light; the brightness from a step on,
    relative to that of the start.
    """

    kind: str
    onset: int
    apex: int
    release: int
    offset: int
    strength: float
    ease: tuple[float, float] = (1.0, 1.0)
    details: tuple[float, ...] = ()
    emotion: str | None = None
    actions: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Script:
    """All that a long video is rendered from; motions are in pixels of the frame, events in the order of onsets."""

    seed: int
    subject: int
    video: int
    n_frames: int
    fps: float
    size: tuple[int, int]
    sway: float
    flicker: float
    noise: float
    color: bool
    events: tuple[Event, ...] = ()
    #: Beats per minute and their strength, empty without a pulse.
    pulse: tuple[float, ...] = ()

    @property
    def people(self) -> int:
        """The seed from which the faces are drawn."""
        return self.seed + _OTHER_PEOPLE


def random_stream(name: str, script: Script, *keys: int) -> np.random.Generator:
    """Return the generator of one stream of one video."""
    place = (_FIRST_STREAM + _STREAMS.index(name), script.subject, script.video, *keys)
    return np.random.default_rng(np.random.SeedSequence(script.people, spawn_key=place))


def course(event: Event, frame: int) -> float:
    """Return how far an event has come in `frame`: 0 at its onset and offset, 1 from apex to release."""
    up = float(np.clip((frame - event.onset) / max(event.apex - event.onset, 1), 0.0, 1.0))
    down = float(np.clip((frame - event.release) / max(event.offset - event.release, 1), 0.0, 1.0))
    rise, fall = event.ease
    return float((0.5 - 0.5 * np.cos(np.pi * up**rise)) * (0.5 + 0.5 * np.cos(np.pi * down**fall)))


def seconds_needed(micro: int, macro: int) -> float:
    """Return the least length of a video that holds so many expressions, however long they are drawn."""
    return micro * LONGEST["micro"] + macro * LONGEST["macro"] + (micro + macro + 1) * _GAPS["expression"]


def draw_expressions(
    script: Script,
    counts: dict[str, int],
    motions: dict[str, tuple[float, float]],
    emotions: Sequence[str],
) -> list[Event]:
    """Draw the expressions of a video, `counts` of each kind, in the order of their onsets.

    `motions` are the least and the largest displacement of each kind, in design units.
    """
    rng = random_stream("expressions", script)
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    kinds = [kinds[place] for place in rng.permutation(len(kinds))]
    lengths = [_draw_length(rng, kind, script.fps) for kind in kinds]
    events = []
    starts = _spread(rng, lengths, script.n_frames, round(_GAPS["expression"] * script.fps))
    for number, (kind, length, onset) in enumerate(zip(kinds, lengths, starts, strict=True)):
        own = random_stream("expression", script, number)
        apex = onset + int(np.clip(round(float(own.uniform(0.3, 0.6)) * (length - 1)), 1, length - 2))
        weakest, strongest = motions[kind]
        peak = weakest * (strongest / weakest) ** float(own.random()) * design_unit(script.size)
        ease = (float(own.uniform(0.85, 1.25)), float(own.uniform(0.75, 1.1)))
        emotion = str(emotions[int(own.integers(len(emotions)))])
        actions = tuple(draw_actions(emotion, own).items())
        offset = onset + length - 1
        events.append(Event(kind, onset, apex, apex, offset, peak, ease, emotion=emotion, actions=actions))
    return events


def draw_distractors(script: Script, wanted: Sequence[str], expressions: Sequence[Event]) -> list[Event]:
    """Draw the distractors of a video, `wanted` out of `DISTRACTORS`; speech keeps clear of the expressions."""
    events: list[Event] = []
    if "blinks" in wanted:
        events += _draw_blinks(script)
    if "speech" in wanted:
        events += _draw_speech(script, expressions)
    if "head_motion" in wanted:
        events += _draw_head(script)
    if "light_changes" in wanted:
        events += _draw_light(script)
    return events


def _draw_blinks(script: Script) -> list[Event]:
    rng = random_stream("blink", script)
    events = []
    for onset, length in _draw_times(rng, "blink", script):
        # Lids close about twice as fast as they open.
        apex = onset + int(np.clip(round(float(rng.uniform(0.25, 0.4)) * (length - 1)), 1, length - 2))
        events.append(Event("blink", onset, apex, apex, onset + length - 1, float(rng.uniform(0.9, 1.0))))
    return events


def _draw_head(script: Script) -> list[Event]:
    rng = random_stream("head", script)
    events = []
    for onset, length in _draw_times(rng, "head", script):
        kind = DISTRACTORS["head_motion"][int(rng.integers(3))]
        rise, hold = rng.uniform(0.25, 0.45), rng.uniform(0.0, 0.2)
        apex = onset + max(1, round(float(rise) * (length - 1)))
        release = min(apex + round(float(hold) * (length - 1)), onset + length - 2)
        sign = 1.0 if rng.random() < 0.5 else -1.0
        # Larger than any expression, which moves at most 3.2 design units; a tilt moves the eyes as far as a nod does.
        amount = float(rng.uniform(4.0, 7.0))
        strength = sign * (amount / 75.0 if kind == "tilt" else amount * design_unit(script.size))
        events.append(Event(kind, onset, apex, release, onset + length - 1, strength))
    return events


def _draw_speech(script: Script, expressions: Sequence[Event]) -> list[Event]:
    rng = random_stream("speech", script)
    gap, ramp = round(_GAPS["speech"] * script.fps), max(1, round(0.2 * script.fps))
    taken = [(event.onset, event.offset) for event in expressions]
    events = []
    for _ in range(_draw_count(rng, "speech", script)):
        length = _draw_length(rng, "speech", script.fps)
        place, strength = float(rng.random()), float(rng.uniform(1.6, 2.8)) * design_unit(script.size)
        # Syllables a second and their phase; how fast some come out louder than others; how far the corners go.
        low, high = np.array([3.0, 0.0, 0.5, 0.0, 0.2]), np.array([6.0, 2 * np.pi, 1.5, 2 * np.pi, 0.35])
        details = tuple(float(value) for value in rng.uniform(low, high))
        # Drawn before a place is sought: a stretch that finds none leaves the next as it was.
        onset = _clear_place(place, length, script.n_frames, taken, gap)
        if onset is None:
            continue
        offset = onset + length - 1
        taken.append((onset, offset))
        events.append(Event("speech", onset, onset + ramp, offset - ramp, offset, strength, details=details))
    return events


def _draw_light(script: Script) -> list[Event]:
    rng = random_stream("light", script)
    periods, phases = rng.uniform(20.0, 60.0, 3), rng.uniform(0.0, 2 * np.pi, 3)
    details = tuple(float(value) for value in (*periods, *phases))
    last = script.n_frames - 1
    events = [Event("light drift", 0, 0, last, last, float(rng.uniform(0.03, 0.08)), details=details)]
    count = min(_draw_count(rng, "light", script), last)
    frames = np.sort(rng.choice(np.arange(1, last + 1), count, replace=False))
    for number, frame in enumerate(frames.tolist()):
        level, slope = float(rng.uniform(0.06, 0.15)), float(rng.uniform(-0.1, 0.1))
        sign = -1.0 if rng.random() < 0.7 else 1.0
        # Every second step takes the light back to where it was: a long video stays well lit.
        away = (1.0 + sign * level, (slope,)) if number % 2 == 0 else (1.0, (0.0,))
        events.append(Event("light step", frame, frame, frame, frame, away[0], details=away[1]))
    return events


def _draw_count(rng: np.random.Generator, name: str, script: Script) -> int:
    """Draw a rate and return how many events that makes; the fraction that is left over decides by chance."""
    expected = float(rng.uniform(*_RATES[name])) * script.n_frames / script.fps / 60.0
    return int(expected + rng.random())


def _draw_length(rng: np.random.Generator, name: str, fps: float) -> int:
    """Draw a length in frames, at least 3, whose seconds lie within the kind's bounds."""
    shortest, longest = _SECONDS[name]
    # What is left of a whole number by binary fractions must not cost a frame.
    low, high = max(3, int(np.ceil(shortest * fps - 1e-9))), int(np.floor(longest * fps + 1e-9))
    return int(np.clip(round(float(rng.uniform(shortest, longest)) * fps), low, high))


def _draw_times(rng: np.random.Generator, name: str, script: Script) -> list[tuple[int, int]]:
    """Draw (onset, length) of events of one kind, all over the video; those that do not fit into it are left out."""
    gap = round(_GAPS[name] * script.fps)
    lengths = [_draw_length(rng, name, script.fps) for _ in range(_draw_count(rng, name, script))]
    while lengths and sum(lengths) + gap * (len(lengths) + 1) > script.n_frames:
        lengths.pop()
    return list(zip(_spread(rng, lengths, script.n_frames, gap), lengths, strict=True))


def _spread(rng: np.random.Generator, lengths: Sequence[int], total: int, gap: int) -> list[int]:
    """Draw where pieces of these lengths start in `total` frames, at least `gap` frames apart and from both ends."""
    free = total - sum(lengths) - gap * (len(lengths) + 1)
    before = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if lengths else np.zeros(0)
    cuts = np.sort(rng.integers(0, free + 1, len(lengths)))
    return [int(start) for start in gap * np.arange(1, len(lengths) + 1) + before + cuts]


def _clear_place(place: float, length: int, total: int, taken: Sequence[tuple[int, int]], gap: int) -> int | None:
    """Return the start of a piece, `place` (0..1) of the way through all that keep clear of the taken intervals."""
    bounds = [(-gap - 1, -gap - 1), *sorted(taken), (total + gap, total + gap)]
    starts: list[range] = []
    for (_, before), (after, _) in pairwise(bounds):
        starts.append(range(before + 1 + gap, after - gap - length + 1))
    rank = int(place * sum(map(len, starts)))
    for choice in starts:
        if rank < len(choice):
            return choice[rank]
        rank -= len(choice)
    return None
