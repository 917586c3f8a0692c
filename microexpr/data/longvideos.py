"""Synthetic long videos: micro- and macro-expressions among blinks, speech, turns of the head and changes of light."""

__all__ = ["SyntheticVideoSet", "make_video_clips", "make_videos"]

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil

import pandas as pd

from microexpr.core.checks import check_float, check_int, check_int_tuple
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import ParameterError
from microexpr.core.sources import FrameSource
from microexpr.data._render import design_unit
from microexpr.data._timeline import (
    DISTRACTORS,
    SMALLEST_FPS,
    Event,
    Script,
    draw_distractors,
    draw_expressions,
    random_stream,
    seconds_needed,
)
from microexpr.data.actionunits import EMOTIONS, LARGEST_PEAK, notation
from microexpr.data.syntheticvideo import SyntheticVideoSource
from microexpr.data.videos import KINDS, VideoSet

_SMALLEST = 32
_INTERVAL_COLUMNS = ("video_id", "onset", "apex", "offset", "kind", "emotion", "aus", "peak")
_DISTRACTOR_COLUMNS = ("video_id", "kind", "onset", "apex", "offset")
# What lasts or happens at once has no height.
_FLAT = ("speech", "light drift", "light step")


class SyntheticVideoSet(VideoSet):
    """A `VideoSet` that also knows what distracts from the expressions.

    Parameters
    ----------
    videos, intervals, sources
        See `VideoSet`.
    distractors : DataFrame
        One row a distractor, video by video in the order of onsets: video_id; kind (`blink`, `speech`, `turn`, `nod`,
        `tilt`, `light drift`, `light step`); onset, apex, offset: zero-based positions, both ends inclusive. Speech
        and light have no apex; a step is the first frame in the new light.
    """

    def __init__(
        self,
        videos: pd.DataFrame,
        intervals: pd.DataFrame,
        sources: Mapping[str, FrameSource],
        distractors: pd.DataFrame,
    ) -> None:
        super().__init__(videos, intervals, sources)
        self.distractors = distractors


def make_videos(
    n_subjects: int = 8,
    videos_per_subject: int = 2,
    seed: int = 0,
    *,
    seconds: float = 30.0,
    fps: float = 30.0,
    size: tuple[int, int] = (140, 120),
    micro: int = 2,
    macro: int = 1,
    emotions: Sequence[str] = ("disgust", "happiness", "repression", "surprise"),
    micro_motion: tuple[float, float] = (0.8, 2.0),
    macro_motion: tuple[float, float] = (2.4, LARGEST_PEAK),
    blinks: bool = True,
    speech: bool = True,
    head_motion: bool = True,
    light_changes: bool = True,
    sway: float = 0.2,
    flicker: float = 0.008,
    noise: float = 1.5,
    color: bool = False,
    pulse: tuple[float, float] | None = None,
    pulse_strength: float = 0.005,
    dataset: str = "synthetic-long",
) -> SyntheticVideoSet:
    """Make long videos with the true intervals of their expressions; no frame is rendered before it is read.

    Each video shows one face, at rest but for

    1. expressions, each of an emotion drawn from `emotions`: micro-expressions of 0.15 to 0.45 seconds and
       macro-expressions of 0.6 to 2 seconds, counted from the onset frame to the offset frame, both included. At least
       half a second lies between two of them, and between them and the ends of the video;
    2. blinks of 0.1 to 0.4 seconds, 10 to 20 a minute: both upper lids close and open;
    3. speech, one to three stretches of 2 to 6 seconds a minute: the mouth opens 3 to 6 times a second. It keeps clear
       of the expressions;
    4. motions of the head, 1.5 to 3 a minute, 0.8 to 2.5 seconds long: turns, nods and tilts of 4 to 7 pixels of a
       frame of 140 x 120, more than the 3.2 that an expression moves at most;
    5. changes of light: a slow drift of 3 to 8 % and a few steps of 6 to 15 %, from a new direction;
    6. sway of the head, flicker and noise throughout.

    Blinks, motions of the head and changes of light come at any time, during expressions too.

    Parameters
    ----------
    n_subjects, videos_per_subject : int > 0
    seed : int >= 0
    seconds : float > 0
        Length of each video.
    fps : float >= 10, in frames per second
    size : (height, width), ints >= 32, in pixels
    micro, macro : int >= 0
        Expressions of each kind in each video.
    emotions : sequence of str
        Out of `happiness`, `surprise`, `disgust`, `repression`, `sadness`, `fear`, `anger`, `contempt`, `others`; each
        is as likely.
    micro_motion, macro_motion : (low, high), floats > 0, in pixels of a frame of 140 x 120
        The largest displacement of each expression, log-uniform; at most 3.2, where skin begins to fold. Larger frames
        move in proportion.
    blinks, speech, head_motion, light_changes : bool
        Whether there are any.
    sway : float >= 0, in pixels of a frame of 140 x 120
        Long-term standard deviation of each translation of the head; it also turns and nears a little.
    flicker : float in [0, 0.5]
        Relative change of brightness from frame to frame.
    noise : float >= 0, in grey levels
        Standard deviation of the sensor noise.
    color : bool
        RGB frames instead of grey ones.
    pulse : (low, high), floats > 0, in beats per minute, or None
        Blood fills the skin at an even rate, drawn for each video and told in the column pulse of `videos`; for colour
        only.
    pulse_strength : float in [0, 0.1]
        The relative change of green that a beat makes, to either side; red shows 0.43 of it and blue 0.69.
    dataset : str
        The name that qualifies videos and subjects.

    Returns
    -------
    SyntheticVideoSet
        Videos `synthetic-long/sub01/V01` and intervals `synthetic-long/sub01/V01_E01`, with a column peak, the largest
        displacement in pixels of the frame; sources are SyntheticVideoSource.

    Raises
    ------
    ParameterError
        If an argument breaks its rule, or so many expressions need a longer video.

    Notes
    -----
    A video depends on `seed`, its subject and its number: more videos or subjects leave the earlier ones as they were.
    Each kind of event has random numbers of its own: switching one distractor off leaves the expressions and the other
    distractors as they were. The people are others than those of `make_clips` and `make_macro_clips`.

    What is not modelled: teeth and tongue (an opening mouth stretches the line between the lips), a background that
    stands still (the whole picture moves with the head), motion blur, half blinks, and what has no pulse: hair and eyes
    beat with the skin.

    Examples
    --------
    >>> videos = make_videos(n_subjects=3, videos_per_subject=1, seed=1)
    >>> videos
    VideoSet(3 videos, 3 subjects, intervals: 6 micro, 3 macro)
    >>> videos.of("synthetic-long/sub01/V01")["kind"].to_list()
    ['macro', 'micro', 'micro']
    >>> videos.sources["synthetic-long/sub01/V01"].window(60, 90).read().shape
    (30, 140, 120)
    """
    check_int(n_subjects, "n_subjects", minimum=1)
    check_int(videos_per_subject, "videos_per_subject", minimum=1)
    if not isinstance(dataset, str) or not dataset or "/" in dataset:
        raise ParameterError(f"dataset is {dataset!r}: it must be a name without '/'")
    height, width = check_int_tuple(size, "size", 2, minimum=_SMALLEST)
    counts = dict(zip(KINDS, (check_int(micro, "micro", minimum=0), check_int(macro, "macro", minimum=0)), strict=True))
    motions = {
        "micro": _check_motion(micro_motion, "micro_motion"),
        "macro": _check_motion(macro_motion, "macro_motion"),
    }
    switches = {"blinks": blinks, "speech": speech, "head_motion": head_motion, "light_changes": light_changes}
    for name, value in {**switches, "color": color}.items():
        if not isinstance(value, bool):
            raise ParameterError(f"{name} is {value!r}: it must be True or False")
    names = _check_emotions(emotions)
    fps = check_float(fps, "fps", minimum=SMALLEST_FPS)
    least = seconds_needed(micro, macro)
    if check_float(seconds, "seconds") < least:
        raise ParameterError(
            f"seconds is {seconds!r}: it must be at least {least:g} for {micro} micro- and {macro} macro-expressions"
        )
    plain = Script(
        seed=check_int(seed, "seed", minimum=0),
        subject=0,
        video=0,
        # Rounded up: a frame less might be one too few for what the seconds hold.
        n_frames=ceil(round(seconds * fps, 6)),
        fps=fps,
        size=(height, width),
        sway=check_float(sway, "sway", minimum=0.0) * design_unit((height, width)),
        flicker=check_float(flicker, "flicker", minimum=0.0, maximum=0.5),
        noise=check_float(noise, "noise", minimum=0.0),
        color=color,
    )
    beats = _check_pulse(pulse, color)
    strength = check_float(pulse_strength, "pulse_strength", minimum=0.0, maximum=0.1)
    wanted = tuple(name for name in DISTRACTORS if switches[name])
    videos, intervals, sources, distractors = {}, {}, {}, []
    for subject in range(n_subjects):
        for video in range(videos_per_subject):
            script = replace(plain, subject=subject, video=video)
            if beats is not None:
                script = replace(script, pulse=(float(random_stream("pulse", script, 0).uniform(*beats)), strength))
            expressions = draw_expressions(script, counts, motions, names)
            others = sorted(draw_distractors(script, wanted, expressions), key=lambda event: event.onset)
            events = sorted((*expressions, *others), key=lambda event: event.onset)
            name = f"{dataset}/sub{subject + 1:02d}"
            video_id = f"{name}/V{video + 1:02d}"
            videos[video_id] = {"dataset": dataset, "subject": name, "n_frames": plain.n_frames, "fps": fps}
            if script.pulse:
                videos[video_id]["pulse"] = script.pulse[0]
            for number, event in enumerate(expressions, start=1):
                intervals[f"{video_id}_E{number:02d}"] = _interval(video_id, event)
            distractors += [_distractor(video_id, event) for event in others]
            sources[video_id] = SyntheticVideoSource(replace(script, events=tuple(events)))
    truth = pd.DataFrame.from_dict(intervals, orient="index", columns=list(_INTERVAL_COLUMNS)).astype({"peak": float})
    return SyntheticVideoSet(
        pd.DataFrame.from_dict(videos, orient="index"), truth, sources, _distractor_table(distractors)
    )


def make_video_clips(
    n_subjects: int = 8,
    videos_per_subject: int = 2,
    seed: int = 0,
    *,
    kinds: Sequence[str] = ("micro",),
    seconds: float = 30.0,
    fps: float = 30.0,
    micro: int = 2,
    macro: int = 1,
    emotions: Sequence[str] = ("disgust", "happiness", "repression", "surprise"),
    blinks: bool = True,
    speech: bool = True,
    head_motion: bool = True,
    light_changes: bool = True,
) -> ClipSet:
    """Make long videos and cut out their expressions, as recognition takes them.

    Parameters
    ----------
    kinds : sequence of {"micro", "macro"}
        Which to cut out.
    n_subjects, videos_per_subject, seed, seconds, fps, micro, macro, emotions
        As in `make_videos`.
    blinks, speech, head_motion, light_changes
        As in `make_videos`.

    Returns
    -------
    ClipSet
        Without labels; clips `synthetic-long/sub01/V01_E01`.

    Raises
    ------
    ParameterError
        As `make_videos`, or if a kind does not exist.
    DataError
        If the videos hold no expression of these kinds.

    Examples
    --------
    >>> len(make_video_clips(2, 1, kinds=("micro", "macro")))
    6
    """
    videos = make_videos(
        n_subjects,
        videos_per_subject,
        seed,
        seconds=seconds,
        fps=fps,
        micro=micro,
        macro=macro,
        emotions=emotions,
        blinks=blinks,
        speech=speech,
        head_motion=head_motion,
        light_changes=light_changes,
    )
    return videos.clips(kinds)


def _interval(video_id: str, event: Event) -> tuple[object, ...]:
    aus = notation(name for name, _ in event.actions)
    return (video_id, event.onset, event.apex, event.offset, event.kind, event.emotion, aus, event.strength)


def _distractor(video_id: str, event: Event) -> tuple[object, ...]:
    return (video_id, event.kind, event.onset, None if event.kind in _FLAT else event.apex, event.offset)


def _distractor_table(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(_DISTRACTOR_COLUMNS))
    kinds = {name: "str" if name in ("video_id", "kind") else "Int64" for name in _DISTRACTOR_COLUMNS}
    return table.astype(kinds)


def _check_emotions(emotions: Sequence[str]) -> tuple[str, ...]:
    if isinstance(emotions, str) or not isinstance(emotions, Sequence) or not emotions:
        raise ParameterError(f"emotions is {emotions!r}: it must be a sequence of names of emotions")
    for name in emotions:
        if name not in EMOTIONS:
            raise ParameterError(f"emotion {name!r} is unknown; there are {', '.join(EMOTIONS)}")
    return tuple(emotions)


def _check_pulse(value: tuple[float, float] | None, color: bool) -> tuple[float, float] | None:
    if value is None:
        return None
    if not color:
        raise ParameterError(f"pulse is {value!r}: a pulse shows in colour alone; it must be None unless color=True")
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ParameterError(f"pulse is {value!r}: it must be a pair (low, high)")
    low, high = (check_float(end, f"pulse[{place}]", maximum=300.0) for place, end in enumerate(value))
    if not 0.0 < low <= high:
        raise ParameterError(f"pulse is {value!r}: it must be 0 < low <= high")
    return low, high


def _check_motion(value: tuple[float, float], name: str) -> tuple[float, float]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ParameterError(f"{name} is {value!r}: it must be a pair (low, high)")
    low, high = (check_float(end, f"{name}[{place}]", maximum=LARGEST_PEAK) for place, end in enumerate(value))
    if not 0.0 < low <= high:
        raise ParameterError(f"{name} is {value!r}: it must be 0 < low <= high")
    return low, high
