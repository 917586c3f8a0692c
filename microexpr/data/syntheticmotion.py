"""Synthetic motion maps: what optical flow shows between onset and apex of an expression, drawn and not filmed."""

__all__ = ["ACTIONS", "CLASSES", "GENERATOR_VERSION", "SIZE", "MotionMaps", "make_motion_maps"]

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from microexpr.core.checks import check_float, check_int
from microexpr.data._face import draw_face, landmarks
from microexpr.data.actionunits import ANCHORS, GAIN, ONE_SIDED, UNITS, action_names, unit_of

#: Height and width of a map, in pixels: that of the maps that are passed around.
SIZE = 28
#: The actions whose strengths a map knows, `R` and `L` the person's right and left.
ACTIONS: tuple[str, ...] = action_names()
#: The classes of expressions.
CLASSES = ("negative", "positive", "surprise")
#: Raised when the same seed would give other maps.
GENERATOR_VERSION = 2

# The combinations of action units that each emotion shows, and how often in proportion: those of
# `actionunits.EMOTIONS`, which clips are drawn from, but that lips that part are rarely a surprise by themselves
# (EMFACS has none without a brow), and part in smiles more often.
_COMBINATIONS: dict[str, dict[str, tuple[tuple[str, float], ...]]] = {
    "positive": {
        "happiness": (
            *(("12", 4), ("6+12", 4), ("7+12", 1), ("6", 1)),
            *(("12+25", 2), ("6+12+25", 1), ("4+12", 0.5), ("12+14", 1)),
        ),
    },
    "surprise": {
        "surprise": (
            *(("1+2", 5), ("2", 1.5), ("25", 0.4), ("1+2+25", 2)),
            *(("1+2+5", 1), ("1+2+26", 0.5), ("1+2+14", 0.5)),
        ),
    },
    "negative": {
        "disgust": (("4+7", 4), ("4+9", 2), ("9", 1), ("4+7+9", 1.5), ("10", 1), ("4+10", 1), ("4+7+10", 1)),
        "repression": (("15", 2), ("17", 3), ("15+17", 2), ("4+15", 0.7), ("14+17", 1), ("4+17", 0.7)),
        "sadness": (("1+4", 3), ("1+4+15", 2), ("15", 1), ("1", 1), ("15+17", 1)),
        "fear": (("1+2+4", 3), ("1+2+4+5", 2), ("20", 1.5), ("1+2+4+20", 1), ("20+25", 1), ("1+2+4+5+20+25", 0.5)),
        "anger": (("4+7", 2), ("4+5", 2), ("4+5+7", 3), ("4+17", 1), ("4+5+7+17", 1)),
        "contempt": (("14", 4), ("12+14", 2), ("4+14", 1)),
    },
}
# How often negative clips show each emotion, in proportion: in CASME II and SMIC disgust leads.
_EMOTIONS = {"disgust": 4.0, "repression": 2.0, "sadness": 1.5, "fear": 1.5, "anger": 1.5, "contempt": 1.0}

# Maps drawn from one stream of random numbers: what is drawn does not depend on how many are asked for.
_BLOCK = 256
_N_FACES = 1000

# Where faces lie in the cut-out pictures that maps are made of: pixels of a map for one design unit (42.6 between the
# eyes), where the eyes' line crosses the middle, and by how much all that varies.
_ACROSS, _DOWN, _GROWTH = 0.369, 0.30, 0.06
_EYES_X, _EYES_Y, _JITTER = 13.5, 7.3, 1.0
_DESIGN_EYES = (21.3, -17.0)


@dataclass(frozen=True, eq=False)
class MotionMaps:
    """Motion maps and what they show.

    Parameters
    ----------
    maps : uint8 ndarray of shape (n_maps, 28, 28, 3)
        Channels u (to the right), v (downwards) and optical strain, each stretched to 0..255 on its own, as
        `microexpr.features.flow_map` gives them.
    labels : str ndarray of shape (n_maps,)
        negative, positive or surprise; "" where one action unit acts alone (see `alone`).
    strengths : float32 ndarray of shape (n_maps, n_actions)
        The largest displacement that each of `ACTIONS` causes, relative to that of the strongest in the map: 0 where it
        does not act.
    """

    maps: np.ndarray
    labels: np.ndarray
    strengths: np.ndarray

    def __len__(self) -> int:
        return len(self.maps)


def make_motion_maps(n_maps: int, seed: int = 0, *, alone: float = 0.0) -> MotionMaps:
    """Draw motion maps of expressions; no face is rendered and no flow computed.

    For each map:

    1. a class, an emotion of it, a combination of action units that the emotion shows, their strengths (one side
       weaker, some on one side only), and a face (its landmarks in a cut-out picture, place and size varying);
    2. the displacement of each action, a sum of hills over the face whose place, direction and reach vary;
    3. what else moves: lids that blink, pupils, the head (shift, turn, growth, narrowing), and what is beyond the face
       (neck and collar, hair, background);
    4. errors of the flow: smooth noise of three scales, spikes, above all at the border, and smoothing;
    5. strain from the flow, and each channel stretched to 0..255.

    Parameters
    ----------
    n_maps : int > 0
    seed : int >= 0
    alone : float in [0, 1]
        The share of maps that show one action unit, any of them, and no class: for learning strengths.

    Returns
    -------
    MotionMaps
        Classes are equally likely. Maps come in blocks of 256, each from random numbers of its own: more maps leave the
        earlier ones as they were.

    Raises
    ------
    ParameterError
        If an argument breaks its rule.

    Notes
    -----
    Amounts are relative to the strongest motion of the expression, as the stretched channels know no other scale:
    blinks in 4 maps of 10 (standard deviation 1.8, closing or opening), pupils in 2 of 10 (1.6), head .1 (faces are
    cut out and registered before flow is computed), surroundings in 4 of 10, noise .2, .16 and .08 at scales of a
    third, a sixth and a twelfth of the map, times .1 to 3 from one map to another.

    What is not modelled: wrinkles, light, occlusion, and that flow is piecewise smooth with edges along features.
    Learning from rendered faces whose motion was measured by real flow programs changed nothing that could be told
    (`benchmarks/zero_shot.md`), so those errors are drawn too.

    References
    ----------
    .. [1] P. Ekman, W. V. Friesen, J. C. Hager, "Facial Action Coding System", 2002, and "FACS Investigator's Guide".
    .. [2] W.-J. Yan, X. Li, S.-J. Wang, G. Zhao, Y.-J. Liu, Y.-H. Chen, X. Fu, "CASME II: an improved spontaneous
       micro-expression database and the baseline evaluation", PLoS ONE 9 (1), 2014.

    Examples
    --------
    >>> drawn = make_motion_maps(500, seed=1)
    >>> drawn.maps.shape, sorted(set(drawn.labels.tolist()))
    ((500, 28, 28, 3), ['negative', 'positive', 'surprise'])
    >>> (make_motion_maps(9, seed=1).maps == drawn.maps[:9]).all()
    np.True_
    """
    check_int(n_maps, "n_maps", minimum=1)
    check_int(seed, "seed", minimum=0)
    check_float(alone, "alone", minimum=0.0, maximum=1.0)
    blocks = list(_blocks(-(-n_maps // _BLOCK), seed, alone))
    maps, labels, strengths = (np.concatenate(parts)[:n_maps] for parts in zip(*blocks, strict=True))
    return MotionMaps(maps, labels, strengths)


def _blocks(n_blocks: int, seed: int, alone: float) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    from microexpr.data._motion_kernels import add_hills

    for block in range(n_blocks):
        rng = np.random.default_rng([seed, block])
        codes, strengths = _draw_actions(rng, alone)
        frame = _draw_frame(rng)
        fields = np.zeros((_BLOCK, 2, SIZE, SIZE))
        add_hills(_expression_hills(rng, strengths, frame), fields)
        peak = np.maximum(np.hypot(fields[:, 0], fields[:, 1]).max(axis=(1, 2)), 1e-6)
        add_hills(_other_hills(rng, peak, frame), fields)
        fields += _head_motion(rng, peak) + _noise(rng, peak)
        _add_surroundings(rng, peak, frame, fields)
        fields = _smoothed(rng, fields)
        acting = strengths / strengths.max(axis=1, keepdims=True)
        yield _stretched(fields), np.array([*CLASSES, ""])[codes], acting.astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Frame:
    """Where the face of each map lies: anchors (n, n_anchors, 2, 2), pixels a design unit (n, 2), the eyes' middle."""

    anchors: np.ndarray
    unit: np.ndarray
    middle: np.ndarray
    turn: np.ndarray

    def place(self, points: np.ndarray) -> np.ndarray:
        """Return points (n, ..., 2) in design units as pixels."""
        shape = (_BLOCK,) + (1,) * (points.ndim - 2) + (2,)
        below = points - [0.0, _DESIGN_EYES[1]]
        return np.asarray(self.middle.reshape(shape) + below * self.unit.reshape(shape))


def _draw_actions(rng: np.random.Generator, alone: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the class of each map, -1 for none, and the strength of each action, at most 1."""
    acts, cumulated = _combination_table()
    codes = rng.integers(len(CLASSES), size=_BLOCK)
    chosen = (rng.random(_BLOCK)[:, None] >= cumulated[codes]).sum(axis=1)
    unit_names = list(UNITS)
    single = rng.random(_BLOCK) < alone
    codes = np.where(single, -1, codes)
    acts = np.where(single[:, None], np.eye(len(unit_names))[rng.integers(len(unit_names), size=_BLOCK)], acts[chosen])
    units = acts * rng.uniform(0.4, 1.0, acts.shape)
    # The strongest unit sets the scale, but a lid never does: it has little room to move.
    sets_scale = np.array([name not in GAIN for name in unit_names])
    largest = (units * sets_scale).max(axis=1, keepdims=True)
    units = np.where(sets_scale, units / np.where(largest > 0, largest, 1.0), units)
    units *= [GAIN.get(name, 1.0) for name in unit_names]
    left_leads = rng.random(units.shape) < 0.5
    balance = rng.uniform(0.55, 1.0, units.shape)
    balance *= rng.random(units.shape) >= [ONE_SIDED.get(name, 0.0) for name in unit_names]
    strengths = np.empty((_BLOCK, len(ACTIONS)))
    for number, action in enumerate(ACTIONS):
        unit = unit_names.index(unit_of(action))
        strengths[:, number] = units[:, unit]
        if action.startswith("R"):
            strengths[:, number] *= np.where(left_leads[:, unit], balance[:, unit], 1.0)
        elif action.startswith("L"):
            strengths[:, number] *= np.where(left_leads[:, unit], 1.0, balance[:, unit])
    return codes, strengths


def _draw_frame(rng: np.random.Generator) -> _Frame:
    anchors = _faces()[rng.integers(_N_FACES, size=_BLOCK)]
    unit = np.array([_ACROSS, _DOWN]) * np.exp(_GROWTH * rng.standard_normal((_BLOCK, 2)))
    middle = np.array([_EYES_X, _EYES_Y]) + _JITTER * rng.standard_normal((_BLOCK, 2))
    return _Frame(anchors, unit, middle, 0.03 * rng.standard_normal(_BLOCK))


def _expression_hills(rng: np.random.Generator, strengths: np.ndarray, frame: _Frame) -> np.ndarray:
    """Return the hills of all actions, those that do not act without displacement."""
    action, anchor, side, offset, motion, radius = _hill_table()
    n_hills, n_actions = len(action), len(ACTIONS)
    turn = 0.15 * rng.standard_normal((_BLOCK, n_actions))[:, action]
    cosine, sine = np.cos(turn), np.sin(turn)
    shift = 1.2 * rng.standard_normal((_BLOCK, n_actions, 2))[:, action]
    reach = 1.3 * np.exp(0.2 * rng.standard_normal((_BLOCK, 1)) + 0.12 * rng.standard_normal((_BLOCK, n_actions)))
    height = strengths[:, action] * np.exp(0.2 * rng.standard_normal((_BLOCK, n_hills)))
    turned = np.stack([cosine * motion[:, 0] - sine * motion[:, 1], sine * motion[:, 0] + cosine * motion[:, 1]], -1)
    hills = np.empty((_BLOCK, n_hills, 8))
    hills[..., 0:2] = frame.place(frame.anchors[:, anchor, side] + offset + shift)
    hills[..., 2:4] = height[..., None] * turned * frame.unit[:, None]
    hills[..., 4:6] = reach[:, action, None] * radius * frame.unit[:, None]
    hills[..., 6] = frame.turn[:, None]
    hills[..., 7] = rng.random(_BLOCK)[:, None]
    return hills


def _other_hills(rng: np.random.Generator, peak: np.ndarray, frame: _Frame) -> np.ndarray:
    """Return the hills of blinks, of moving pupils, and of spikes."""
    eyes = np.array([[-_DESIGN_EYES[0], _DESIGN_EYES[1]], list(_DESIGN_EYES)])
    centers = frame.place(np.broadcast_to(eyes, (_BLOCK, 2, 2)))
    hills = np.zeros((_BLOCK, 8, 8))
    hills[:, 0:2, 0:2] = hills[:, 2:4, 0:2] = centers
    lids = (rng.random(_BLOCK) < 0.4) * 1.8 * peak * rng.standard_normal(_BLOCK)
    hills[:, 0:2, 3] = lids[:, None] * rng.uniform(0.8, 1.2, (_BLOCK, 2))
    hills[:, 0:2, 4:6] = np.array([12.0, 6.5]) * frame.unit[:, None] * rng.uniform(0.8, 1.2, (_BLOCK, 2, 2))
    gaze = ((rng.random(_BLOCK) < 0.2) * peak)[:, None] * rng.standard_normal((_BLOCK, 2)) * [1.6, 0.8]
    hills[:, 2:4, 2:4] = gaze[:, None]
    hills[:, 2:4, 4:6] = np.array([8.0, 5.0]) * frame.unit[:, None]
    # Spikes lie anywhere, two in five of them on the border.
    place = rng.uniform(0.0, SIZE - 1.0, (_BLOCK, 4, 2))
    axis, end = rng.integers(2, size=(_BLOCK, 4)), rng.integers(2, size=(_BLOCK, 4)) * (SIZE - 1.0)
    edge = rng.random((_BLOCK, 4)) < 0.4
    for number in (0, 1):
        place[..., number] = np.where(edge & (axis == number), end, place[..., number])
    angle = rng.uniform(0.0, 2 * np.pi, (_BLOCK, 4))
    size = (rng.random((_BLOCK, 4)) < 0.4) * 2.0 * peak[:, None] * np.abs(rng.standard_normal((_BLOCK, 4)))
    hills[:, 4:, 0:2] = place
    hills[:, 4:, 2], hills[:, 4:, 3] = size * np.cos(angle), size * np.sin(angle)
    hills[:, 4:, 4:6] = rng.uniform(1.2, 3.0, (_BLOCK, 4))[..., None]
    hills[..., 7] = 1.0
    hills[..., 4:6] = np.maximum(hills[..., 4:6], 1.0)
    return hills


def _head_motion(rng: np.random.Generator, peak: np.ndarray) -> np.ndarray:
    """Return the motion of the head: shift, turn, growth and narrowing."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    shift = 0.1 * rng.standard_normal((_BLOCK, 2, 1, 1))
    turn, growth, narrowing = (
        0.1 / (SIZE / 2) * rng.standard_normal((3, _BLOCK, 1, 1)) * [[[[1.0]]], [[[1.0]]], [[[0.5]]]]
    )
    moved = np.stack([growth * x - turn * y + narrowing * x, turn * x + growth * y - narrowing * y], axis=1)
    return np.asarray((moved + shift) * peak[:, None, None, None])


def _noise(rng: np.random.Generator, peak: np.ndarray) -> np.ndarray:
    """Return smooth noise of three scales, much in some maps and hardly any in others."""
    total = np.zeros((_BLOCK, 2, SIZE, SIZE))
    peak = peak * np.exp(rng.uniform(np.log(0.1), np.log(3.0), _BLOCK))
    for n_cells, amount in ((3, 0.2), (6, 0.16), (12, 0.08)):
        spread = _spreading(n_cells)
        nodes = rng.standard_normal((_BLOCK, 2, n_cells + 1, n_cells + 1))
        size = amount * peak * np.abs(rng.standard_normal(_BLOCK))
        total += size[:, None, None, None] * (spread @ nodes @ spread.T)
    return total


def _add_surroundings(rng: np.random.Generator, peak: np.ndarray, frame: _Frame, fields: np.ndarray) -> None:
    """Add a shift of all that is beyond the oval of the face."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float64)
    aside = (x - frame.middle[:, 0, None, None]) / (50.0 * frame.unit[:, 0, None, None] + 0.5)
    center = frame.middle[:, 1] + 14.0 * frame.unit[:, 1]
    below = (y - center[:, None, None]) / (48.0 * frame.unit[:, 1, None, None] + 1.0)
    beyond = np.clip(2.5 * (aside**2 + below**2 - 1.0), 0.0, 1.0)
    shift = ((rng.random(_BLOCK) < 0.4) * 0.5 * peak)[:, None] * rng.standard_normal((_BLOCK, 2))
    fields += beyond[:, None] * shift[..., None, None]


def _smoothed(rng: np.random.Generator, fields: np.ndarray) -> np.ndarray:
    """Return the fields blurred, each by as much as it happens."""
    widths = _blurs()
    blur = widths[rng.integers(len(widths), size=_BLOCK)][:, None]
    return np.asarray(blur @ fields @ blur.transpose(0, 1, 3, 2))


def _stretched(fields: np.ndarray) -> np.ndarray:
    """Return flow and its strain, each channel stretched to 0..255: uint8 (n, 28, 28, 3)."""
    u_y, u_x = np.gradient(fields[:, 0], axis=(1, 2))
    v_y, v_x = np.gradient(fields[:, 1], axis=(1, 2))
    strain = np.sqrt(u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 2)
    channels = np.stack([fields[:, 0], fields[:, 1], strain], axis=-1)
    low = channels.min(axis=(1, 2), keepdims=True)
    span = np.maximum(channels.max(axis=(1, 2), keepdims=True) - low, 1e-12)
    return np.rint((channels - low) / span * 255.0).astype(np.uint8)


@lru_cache(maxsize=1)
def _combination_table() -> tuple[np.ndarray, np.ndarray]:
    """Return which units each combination has, and for each class the cumulated shares of the combinations."""
    unit_names = list(UNITS)
    acts, shares = [], []
    for code, name in enumerate(CLASSES):
        for emotion, combinations in _COMBINATIONS[name].items():
            whole = sum(weight for _, weight in combinations)
            for combination, weight in combinations:
                acts.append([unit in combination.split("+") for unit in unit_names])
                share = np.zeros(len(CLASSES))
                share[code] = _EMOTIONS.get(emotion, 1.0) * weight / whole
                shares.append(share)
    table = np.array(shares).T
    cumulated = np.cumsum(table / table.sum(axis=1, keepdims=True), axis=1)
    cumulated[:, -1] = 1.0
    return np.array(acts, np.float64), np.minimum(cumulated, 1.0)


@lru_cache(maxsize=1)
def _hill_table() -> tuple[np.ndarray, ...]:
    """Return of each hill its action, anchor, side, and in design units offset, motion and radius."""
    names = list(ANCHORS)
    rows = []
    for number, action in enumerate(ACTIONS):
        mirror = np.array([-1.0 if action.startswith("R") else 1.0, 1.0])
        for hill in UNITS[unit_of(action)]:
            side = 0 if action.startswith("R") else 1
            rows.append(
                (number, names.index(hill.anchor), side, mirror * hill.offset, mirror * hill.motion, hill.radius)
            )
    return tuple(np.array(column) for column in zip(*rows, strict=True))


@lru_cache(maxsize=1)
def _faces() -> np.ndarray:
    """Return the anchors of many faces in design units: (n_faces, n_anchors, 2 sides, 2)."""
    rng = np.random.default_rng(20_140_128)
    places = [landmarks(draw_face(rng)) for _ in range(_N_FACES)]
    sides = [(list(right), list(left)) for right, left in ANCHORS.values()]
    return np.array([[[points[side].mean(axis=0) for side in pair] for pair in sides] for points in places])


@lru_cache(maxsize=8)
def _spreading(n_cells: int) -> np.ndarray:
    """Return the matrix (28, n_cells + 1) that interpolates smoothly between nodes."""
    place = np.arange(SIZE) / (SIZE - 1) * n_cells
    left = np.minimum(place.astype(int), n_cells - 1)
    share = place - left
    share = share * share * (3.0 - 2.0 * share)
    matrix = np.zeros((SIZE, n_cells + 1))
    matrix[np.arange(SIZE), left] = 1.0 - share
    matrix[np.arange(SIZE), left + 1] = share
    return matrix


@lru_cache(maxsize=1)
def _blurs() -> np.ndarray:
    """Return matrices (n_widths, 28, 28) that blur a row, by .3 to 1 pixel; beyond the edge the picture goes on."""
    rows = np.arange(SIZE)
    matrices = []
    for width in np.linspace(0.32, 1.04, 9):
        offsets = np.arange(-4, 5)
        weights = np.exp(-(offsets**2) / (2 * width**2))
        matrix = np.zeros((SIZE, SIZE))
        for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
            matrix[rows, np.clip(rows + offset, 0, SIZE - 1)] += weight
        matrices.append(matrix)
    return np.array(matrices)
