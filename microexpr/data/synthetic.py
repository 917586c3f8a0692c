"""Synthetic clips of micro-expressions, rendered when they are read, with the true motion beside them."""

__all__ = ["CLASSES", "SyntheticSource", "make_clips", "make_macro_clips"]

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from microexpr.core.checks import check_float, check_int, check_int_tuple
from microexpr.core.clipset import ClipSet
from microexpr.core.digest import digest
from microexpr.core.errors import ParameterError
from microexpr.core.sources import FrameSource
from microexpr.data import _render
from microexpr.data.actionunits import EMOTIONS, LARGEST_PEAK, action_names, draw_actions, notation, peak_limit

# The emotions of each class and how often each occurs, in proportion. Negative holds the two emotions that make up
# the negative class of CASME II in the MEGC 2019 protocol, with their counts there.
_MEMBERS: dict[str, tuple[tuple[str, float], ...]] = {
    "negative": (("disgust", 63), ("repression", 27)),
    "positive": (("happiness", 1),),
    **{emotion: ((emotion, 1),) for emotion in EMOTIONS},
}

#: What `classes` of `make_clips` may name.
CLASSES: tuple[str, ...] = tuple(_MEMBERS)

_SMALLEST = 32
# Added to a seed, it gives faces that no seed of a user's gives.
_OTHER_PEOPLE = 1_000_000_007


class SyntheticSource(FrameSource):
    """A clip of one synthetic face that shows given action units once, rendered when it is read.

    Parameters
    ----------
    actions : mapping of action -> float in (0, 1]
        The relative strength of each action. `L12` and `R12` are unit 12 on the left and the right of the person
        (the person's left is on the right of the picture); the units of the midline, 17, 25 and 26, have no side.
    seed, subject, clip : int >= 0
        Together they name all that is random: `seed` and `subject` the face, its skin and light and its manner of
        moving; `clip` the pose, sway, flicker and noise.
    n_frames : int > 0
    onset, apex, offset : int >= 0, zero-based positions, onset < apex <= offset < n_frames
    peak : float > 0, in pixels
        The largest displacement, over the face at the apex, that the expression causes.
    size : (height, width), ints >= 32, in pixels
    fps : float > 0, in frames per second
    sway : float >= 0, in pixels
        Long-term standard deviation of each translation of the head; it also turns and nears a little.
    flicker : float in [0, 0.5]
        Relative change of brightness from frame to frame.
    noise : float >= 0, in grey levels
        Standard deviation of the sensor noise.
    color : bool
        RGB frames instead of grey ones.

    Raises
    ------
    ParameterError
        If an argument breaks its rule, or the peak is so large that the skin would fold over.

    Notes
    -----
    The point p of the onset frame lies in frame t at ``S_t(p + a(t) F(p))``: the expression F is a sum of smooth hills
    of displacement, a(t) its time course, and S_t the sway of the head since the onset, a similarity of the whole
    picture. `true_flow`, `landmarks` and `au_strengths` evaluate these formulas; a frame is the painted face read
    off at the points that arrive at its pixels, found by fixed-point iteration to about 0.01 pixel. Skin
    moves but its brightness does not change with it: there are no wrinkles.

    Pickling a source pickles these arguments, and its fingerprint is a digest of them and of the version of the
    generator: neither needs the frames.

    Examples
    --------
    >>> source = SyntheticSource({"L12": 1.0, "R12": 0.8}, n_frames=30, apex=12, offset=29, peak=2.0)
    >>> source.read().shape
    (30, 140, 120)
    >>> flow = source.true_flow(12, include_sway=False)
    >>> float(np.hypot(flow[..., 0], flow[..., 1]).max().round(6))
    2.0
    """

    def __init__(
        self,
        actions: Mapping[str, float],
        *,
        seed: int = 0,
        subject: int = 0,
        clip: int = 0,
        n_frames: int = 60,
        onset: int = 0,
        apex: int = 24,
        offset: int = 59,
        peak: float = 1.5,
        size: tuple[int, int] = (140, 120),
        fps: float = 200.0,
        sway: float = 0.2,
        flicker: float = 0.008,
        noise: float = 1.5,
        color: bool = False,
    ) -> None:
        height, width = check_int_tuple(size, "size", 2, minimum=_SMALLEST)
        n_frames = check_int(n_frames, "n_frames", minimum=2)
        offset = check_int(offset, "offset", minimum=1, maximum=n_frames - 1)
        apex = check_int(apex, "apex", minimum=1, maximum=offset)
        if not isinstance(color, bool):
            raise ParameterError(f"color is {color!r}: it must be True or False")
        self.shot = _render.Shot(
            actions=_check_actions(actions),
            seed=check_int(seed, "seed", minimum=0),
            subject=check_int(subject, "subject", minimum=0),
            clip=check_int(clip, "clip", minimum=0),
            n_frames=n_frames,
            onset=check_int(onset, "onset", minimum=0, maximum=apex - 1),
            apex=apex,
            offset=offset,
            peak=_check_positive(peak, "peak"),
            size=(height, width),
            fps=_check_positive(fps, "fps"),
            sway=check_float(sway, "sway", minimum=0.0),
            flicker=check_float(flicker, "flicker", minimum=0.0, maximum=0.5),
            noise=check_float(noise, "noise", minimum=0.0),
            color=color,
        )
        limit = peak_limit(dict(self.shot.actions)) * _render.design_unit(self.shot.size)
        if self.shot.peak > limit:
            raise ParameterError(
                f"peak is {peak!r}: it must be at most {limit:.3g} for {self.aus} at size {self.shot.size}, "
                "or the skin would fold over"
            )

    def __repr__(self) -> str:
        return f"SyntheticSource(subject={self.shot.subject}, clip={self.shot.clip}, aus={self.aus!r})"

    @property
    def aus(self) -> str:
        """The action units in CASME II's notation: `1+2`, `4+L10`."""
        return notation(name for name, _ in self.shot.actions)

    def read(self) -> np.ndarray:
        """Render the frames, uint8 (n_frames, height, width), or (n_frames, height, width, 3) in colour."""
        return _render.frames(self.shot)

    def fingerprint(self) -> str:  # noqa: D102
        return digest({"generator": "synthetic", "version": _render.VERSION, **asdict(self.shot)})

    def count(self) -> int:  # noqa: D102
        return self.shot.n_frames

    def describe(self) -> str:  # noqa: D102
        shot = self.shot
        return f"synthetic face {shot.subject + 1}, clip {shot.clip + 1}, seed {shot.seed}"

    def true_flow(self, frame: int, *, include_sway: bool = True) -> np.ndarray:
        """Return how far each pixel of the onset frame has moved in `frame`.

        Parameters
        ----------
        frame : int, zero-based position
        include_sway : bool
            True gives what the pixels do, False the expression alone.

        Returns
        -------
        float64 ndarray of shape (height, width, 2)
            u (to the right) and v (downwards), in pixels.

        Raises
        ------
        ParameterError
            If the clip has no such frame.
        """
        height, width = self.shot.size
        pixels = np.stack(np.meshgrid(np.arange(width, dtype=float), np.arange(height, dtype=float)), axis=-1)
        return _render.displacement(self.shot, self._checked(frame), pixels, with_sway=include_sway)

    def landmarks(self, frame: int) -> np.ndarray:
        """Return the 68 landmarks in `frame`, in the iBUG order.

        Returns
        -------
        float64 ndarray of shape (68, 2)
            x and y in pixels; the centre of the pixel in row 0, column 0 is (0, 0).

        Raises
        ------
        ParameterError
            If the clip has no such frame.
        """
        return _render.landmarks_at(self.shot, self._checked(frame))

    def au_strengths(self) -> dict[str, float]:
        """Return, for each action (`L12`, `R12`, `25`), the largest displacement that it alone causes at the apex.

        In pixels. Actions that overlap add up or work against each other: `peak` is the largest displacement of all
        together.
        """
        return _render.strengths(self.shot)

    def time_course(self) -> np.ndarray:
        """Return the strength of the expression in each frame, float64 of shape (n_frames,).

        0 up to the onset, 1 at the apex, back to 0 at the offset (unless the offset is the apex).
        """
        return _render.time_course(self.shot)

    def _checked(self, frame: int) -> int:
        return check_int(frame, "frame", minimum=0, maximum=self.shot.n_frames - 1)


def make_clips(
    n_subjects: int = 8,
    clips_per_subject: int = 6,
    classes: Sequence[str] = ("negative", "positive", "surprise"),
    seed: int = 0,
    *,
    size: tuple[int, int] = (140, 120),
    fps: float = 200.0,
    dataset: str = "synthetic",
    duration: tuple[float, float] = (0.1, 0.5),
    peak_motion: tuple[float, float] = (0.5, 3.0),
    sway: float = 0.2,
    flicker: float = 0.008,
    noise: float = 1.5,
    margin: int = 0,
    color: bool = False,
) -> ClipSet:
    """Make a labelled set of synthetic clips; no frame is rendered before it is read.

    Each subject shows the classes equally often, as far as the counts allow, in random order. For every clip an emotion
    of its class is drawn, for the emotion a combination of action units, and for these strengths, sides and asymmetry.
    Everything else (face, skin, light, pose, sway, flicker, noise, duration, time course, peak) is drawn from other
    random streams, so that it says nothing about the class: the onset frame of a clip is the same to
    the bit whatever its class.

    Parameters
    ----------
    n_subjects, clips_per_subject : int > 0
    classes : sequence of str
        Emotions (`happiness`, `surprise`, `disgust`, `repression`, `sadness`, `fear`, `anger`, `contempt`, `others`)
        or classes of emotions: `negative` (disgust or repression) and `positive` (happiness).
    seed : int >= 0
    size : (height, width), ints >= 32, in pixels
    fps : float > 0, in frames per second
    dataset : str
        The name that qualifies clips and subjects.
    duration : (low, high), floats > 0, in seconds
        From onset to offset, uniform.
    peak_motion : (low, high), floats > 0, in pixels of a frame of 140 x 120
        The largest displacement of each expression, log-uniform. Larger frames move in proportion.
    sway : float >= 0, in pixels of a frame of 140 x 120
    flicker, noise, color
        See `SyntheticSource`.
    margin : int >= 0
        Neutral frames before the onset and after the offset. With 0 a clip runs from onset to offset, as the
        cropped clips of CASME II do.

    Returns
    -------
    ClipSet
        Clips `synthetic/sub01/EP01_01`, their sources SyntheticSource; `emotion` as CASME II spells it, `label` the
        class.

    Raises
    ------
    ParameterError
        If an argument breaks its rule; an unknown class is named together with those there are.

    Notes
    -----
    A clip depends on `seed`, its subject and its number alone: more subjects, more clips or other classes leave the
    appearance of the earlier ones as it was.

    Examples
    --------
    >>> clipset = make_clips(n_subjects=3, clips_per_subject=6, seed=1)
    >>> clipset
    ClipSet(18 clips, 3 subjects, classes=['negative', 'positive', 'surprise'])
    >>> source = clipset.sources["synthetic/sub01/EP01_01"]
    >>> source.true_flow(0).any(), source.landmarks(0).shape
    (np.False_, (68, 2))
    """
    check_int(n_subjects, "n_subjects", minimum=1)
    check_int(clips_per_subject, "clips_per_subject", minimum=1)
    check_int(seed, "seed", minimum=0)
    names = _check_classes(classes)
    height, width = check_int_tuple(size, "size", 2, minimum=_SMALLEST)
    fps = _check_positive(fps, "fps")
    if not isinstance(dataset, str) or not dataset or "/" in dataset:
        raise ParameterError(f"dataset is {dataset!r}: it must be a name without '/'")
    shortest, longest = _check_range(duration, "duration")
    weakest, strongest = _check_range(peak_motion, "peak_motion", maximum=LARGEST_PEAK)
    sway = check_float(sway, "sway", minimum=0.0)
    margin = check_int(margin, "margin", minimum=0)
    unit = _render.design_unit((height, width))
    rows, sources = [], []
    for subject in range(n_subjects):
        for clip, label in enumerate(_class_order(names, clips_per_subject, seed, subject)):
            timing = _render.stream("timing", seed, subject, clip, 0)
            length = max(3, round(float(timing.uniform(shortest, longest)) * fps))
            apex = int(np.clip(round(float(timing.uniform(0.3, 0.6)) * (length - 1)), 1, length - 2))
            peak = weakest * (strongest / weakest) ** float(timing.random())
            expression = _render.stream("expression", seed, subject, clip)
            emotion = _draw_emotion(label, expression)
            source = SyntheticSource(
                draw_actions(emotion, expression),
                seed=seed,
                subject=subject,
                clip=clip,
                n_frames=length + 2 * margin,
                onset=margin,
                apex=margin + apex,
                offset=margin + length - 1,
                peak=peak * unit,
                size=(height, width),
                fps=fps,
                sway=sway * unit,
                flicker=flicker,
                noise=noise,
                color=color,
            )
            name = f"{dataset}/sub{subject + 1:02d}"
            rows.append(
                {
                    "clip_id": f"{name}/EP{1 + clip // 4:02d}_{1 + clip % 4:02d}",
                    "dataset": dataset,
                    "subject": name,
                    "emotion": emotion,
                    "label": label,
                    "onset": margin,
                    "apex": margin + apex,
                    "offset": margin + length - 1,
                    "n_frames": length + 2 * margin,
                    "fps": fps,
                    "aus": source.aus,
                }
            )
            sources.append(source)
    return ClipSet(pd.DataFrame(rows).set_index("clip_id"), sources, classes=names)


def make_macro_clips(
    n_subjects: int = 8,
    clips_per_subject: int = 6,
    classes: Sequence[str] = ("negative", "positive", "surprise"),
    seed: int = 0,
    *,
    size: tuple[int, int] = (140, 120),
) -> ClipSet:
    """Make a labelled set of synthetic macro-expressions, for methods that learn from such clips too.

    The clips of `make_clips` at 30 frames a second, lasting .6 to 2 seconds and moving 2.6 to 3.2 pixels (of a frame of
    140 x 120), close to the most that a synthetic face can, by people whom no set of `make_clips` shows.

    Parameters
    ----------
    n_subjects, clips_per_subject, classes, seed, size
        See `make_clips`.

    Returns
    -------
    ClipSet
        Clips `synthetic-macro/sub01/EP01_01`.

    Raises
    ------
    ParameterError
        As `make_clips`.

    Examples
    --------
    >>> make_macro_clips(n_subjects=2, clips_per_subject=3)
    ClipSet(6 clips, 2 subjects, classes=['negative', 'positive', 'surprise'])
    """
    return make_clips(
        n_subjects,
        clips_per_subject,
        classes,
        check_int(seed, "seed", minimum=0) + _OTHER_PEOPLE,
        size=size,
        fps=30.0,
        dataset="synthetic-macro",
        duration=(0.6, 2.0),
        peak_motion=(2.6, LARGEST_PEAK),
    )


def _class_order(names: tuple[str, ...], count: int, seed: int, subject: int) -> list[str]:
    """Return the classes of one subject's clips: shuffled rounds of all classes, the last one cut short."""
    order: list[str] = []
    while len(order) < count:
        rng = _render.stream("order", seed, subject, len(order) // len(names))
        order += [names[place] for place in rng.permutation(len(names))]
    return order[:count]


def _draw_emotion(label: str, rng: np.random.Generator) -> str:
    emotions, weights = zip(*_MEMBERS[label], strict=True)
    return str(emotions[int(rng.choice(len(emotions), p=np.array(weights) / sum(weights)))])


def _check_classes(classes: Sequence[str]) -> tuple[str, ...]:
    if isinstance(classes, str) or not isinstance(classes, Sequence) or not classes:
        raise ParameterError(f"classes is {classes!r}: it must be a sequence of class names")
    for name in classes:
        if name not in _MEMBERS:
            raise ParameterError(f"class {name!r} is unknown; there are {', '.join(CLASSES)}")
    emotions = [emotion for name in classes for emotion, _ in _MEMBERS[name]]
    if twice := sorted({emotion for emotion in emotions if emotions.count(emotion) > 1}):
        raise ParameterError(f"classes is {tuple(classes)!r}: {', '.join(twice)} would belong to more than one class")
    return tuple(classes)


def _check_actions(actions: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    if not isinstance(actions, Mapping) or not actions:
        raise ParameterError(f"actions is {actions!r}: it must be a mapping of action to strength")
    known = action_names()
    for name, strength in actions.items():
        if name not in known:
            raise ParameterError(f"action {name!r} is unknown; there are {', '.join(known)}")
        if check_float(strength, f"the strength of {name}", minimum=0.0, maximum=1.0) == 0.0:
            raise ParameterError(f"the strength of {name} is 0: leave out what does not act")
    return tuple((name, float(actions[name])) for name in known if name in actions)


def _check_positive(value: float, name: str) -> float:
    if check_float(value, name, minimum=0.0) == 0.0:
        raise ParameterError(f"{name} is {value!r}: it must be greater than 0")
    return float(value)


def _check_range(value: tuple[float, float], name: str, *, maximum: float | None = None) -> tuple[float, float]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ParameterError(f"{name} is {value!r}: it must be a pair (low, high)")
    low, high = (_check_positive(end, f"{name}[{place}]") for place, end in enumerate(value))
    if low > high:
        raise ParameterError(f"{name} is {value!r}: low must not exceed high")
    if maximum is not None and high > maximum:
        raise ParameterError(f"{name} is {value!r}: high must be at most {maximum}")
    return low, high
