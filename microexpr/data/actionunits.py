"""Action units as smooth motions of a face, and the combinations of them that each emotion shows.

A motion is a sum of hills, each a displacement that falls to zero at a finite radius. Sides are the person's own:
the person's right is on the left of the picture.
"""

__all__ = [
    "ANCHORS",
    "EMOTIONS",
    "GAIN",
    "LARGEST_PEAK",
    "MIDLINE",
    "ONE_SIDED",
    "UNITS",
    "Motion",
    "action_names",
    "draw_actions",
    "invert",
    "joined",
    "motion_of",
    "notation",
    "peak_limit",
    "unit_of",
]

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

# Largest displacement, in design units, at which every unit below still maps the face one to one.
LARGEST_PEAK = 3.2


class _Hill(NamedTuple):
    """One part of an action unit, in design units; `out` is away from the midline, `down` towards the chin."""

    anchor: str
    offset: tuple[float, float]  # of the centre from the anchor: out, down
    motion: tuple[float, float]  # at the centre: out, down
    radius: tuple[float, float]  # where the motion ends: across, along the face


# Where each unit moves the skin, from the descriptions of the Facial Action Coding System [Ekman, Friesen, Hager,
# "Facial Action Coding System", 2002]. The first hill is what defines the unit, the others what goes with it.
UNITS: dict[str, tuple[_Hill, ...]] = {
    "1": (  # inner brow raiser
        _Hill("inner brow", (0, -1), (-0.10, -1.00), (15, 14)),
        _Hill("inner brow", (-2, -13), (0.00, -0.50), (16, 15)),
    ),
    "2": (  # outer brow raiser
        _Hill("outer brow", (-4, -1), (0.08, -1.00), (17, 14)),
        _Hill("outer brow", (-6, -13), (0.00, -0.45), (16, 14)),
    ),
    "4": (  # brow lowerer
        _Hill("inner brow", (0, 0), (-0.60, 0.80), (15, 14)),
        _Hill("middle brow", (0, 0), (-0.15, 0.45), (15, 13)),
    ),
    "5": (_Hill("upper lid", (0, -0.5), (0.00, -1.00), (13, 7)),),  # upper lid raiser
    "6": (  # cheek raiser
        _Hill("cheek", (0, 0), (0.05, -1.00), (20, 16)),
        _Hill("lower lid", (0, 2), (0.00, -0.35), (12, 7)),
        _Hill("outer eye", (6, 1), (-0.45, -0.20), (11, 11)),
    ),
    "7": (  # lid tightener
        _Hill("lower lid", (0, 0.5), (-0.20, -1.00), (13, 7)),
        _Hill("upper lid", (0, -0.5), (0.00, 0.30), (13, 7)),
    ),
    "9": (  # nose wrinkler
        _Hill("nose wing", (-1, -8), (0.05, -1.00), (10, 14)),
        _Hill("nose wing", (1, 1), (0.10, -0.60), (10, 11)),
        _Hill("inner brow", (-2, 2), (-0.25, 0.50), (12, 11)),
    ),
    "10": (  # upper lip raiser
        _Hill("upper lip", (2, -1), (0.10, -1.00), (13, 11)),
        _Hill("nose wing", (7, 7), (0.15, -0.60), (12, 12)),
    ),
    "12": (  # lip corner puller
        _Hill("lip corner", (0, 0), (0.65, -0.85), (16, 15)),
        _Hill("lip corner", (6, -13), (0.20, -0.50), (16, 14)),
    ),
    "14": (  # dimpler: the corner is drawn back and the cheek beside it drawn in, so that the skin bunches
        _Hill("lip corner", (-1, 0), (1.00, -0.05), (15, 12)),
        _Hill("lip corner", (14, 1), (-0.50, 0.00), (14, 15)),
    ),
    "15": (  # lip corner depressor
        _Hill("lip corner", (0, 0), (0.10, 1.00), (14, 13)),
        _Hill("lip corner", (-1, 10), (0.00, 0.45), (14, 12)),
    ),
    "17": (  # chin raiser
        _Hill("chin", (0, 0), (0.00, -1.00), (24, 15)),
        _Hill("lower lip", (0, 1), (0.00, -0.45), (20, 10)),
        _Hill("upper lip middle", (0, 1), (0.00, -0.15), (18, 9)),
    ),
    "20": (_Hill("lip corner", (0, 1), (1.00, 0.20), (18, 14)),),  # lip stretcher
    "25": (  # lips part
        _Hill("lower lip", (0, 2), (0.00, 1.00), (21, 13)),
        _Hill("upper lip middle", (0, -1.5), (0.00, -0.50), (20, 11)),
    ),
    "26": (  # jaw drop
        _Hill("chin", (0, 2), (0.00, 1.00), (36, 27)),
        _Hill("lower lip", (0, 2), (0.00, 0.45), (20, 12)),
    ),
}

# These act on the midline and have no side; all others exist on the left and on the right.
MIDLINE = ("17", "25", "26")
# The lids have little room: they move less than the rest of a face that moves at full strength.
GAIN = {"5": 0.4, "7": 0.4}

# Landmarks (iBUG numbers) whose mean is the anchor: the person's right, left.
ANCHORS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "inner brow": ((21,), (22,)),
    "middle brow": ((19,), (24,)),
    "outer brow": ((17,), (26,)),
    "upper lid": ((37, 38), (43, 44)),
    "lower lid": ((40, 41), (46, 47)),
    "outer eye": ((36,), (45,)),
    "cheek": ((36, 31, 41, 48), (45, 35, 46, 54)),
    "nose wing": ((31,), (35,)),
    "upper lip": ((49, 50), (52, 53)),
    "lip corner": ((48,), (54,)),
    "upper lip middle": ((51, 62), (51, 62)),
    "lower lip": ((57, 66), (57, 66)),
    "chin": ((8, 8, 57), (8, 8, 57)),
}

# How often a unit that has sides acts on one side only.
ONE_SIDED = {"14": 0.5, "10": 0.3, "2": 0.2, "12": 0.15, "4": 0.1, "9": 0.1, "15": 0.1, "20": 0.1}

# Combinations each emotion shows, and how often in proportion. Happiness, disgust, surprise and repression follow the
# criteria by which CASME II was labelled (AU6 or 12; AU9, 10 or 4+7; AU1+2, 25 or 2; AU15 or 17) and the frequent
# rows of its table [Yan et al., "CASME II", PLoS ONE 9(1), 2014]; sadness, fear, anger and contempt the prototypes and
# major variants of EMFACS [Ekman & Friesen, 1983; Ekman, Friesen & Hager, "FACS Investigator's Guide", 2002] without
# the units not modelled here (16, 23, 24); others the combinations that Yan et al. leave to no emotion.
EMOTIONS: dict[str, tuple[tuple[str, float], ...]] = {
    "happiness": (("12", 4), ("6+12", 4), ("7+12", 1), ("6", 1), ("12+25", 1), ("4+12", 1), ("12+14", 1)),
    "surprise": (("1+2", 5), ("2", 1.5), ("25", 1.5), ("1+2+25", 2), ("1+2+5", 1), ("25+26", 1), ("1+2+14", 0.5)),
    "disgust": (("4+7", 4), ("4+9", 2), ("9", 1), ("4+7+9", 1.5), ("10", 1), ("4+10", 1), ("4+7+10", 1)),
    "repression": (("15", 2), ("17", 3), ("15+17", 2), ("4+15", 0.7), ("14+17", 1), ("4+17", 0.7)),
    "sadness": (("1+4", 3), ("1+4+15", 2), ("15", 1), ("1", 1), ("15+17", 1)),
    "fear": (("1+2+4", 3), ("1+2+4+5", 2), ("20", 1.5), ("1+2+4+20", 1), ("20+25", 1), ("1+2+4+5+20+25", 0.5)),
    "anger": (("4+7", 2), ("4+5", 2), ("4+5+7", 3), ("4+17", 1), ("4+5+7+17", 1)),
    "contempt": (("14", 4), ("12+14", 2), ("4+14", 1)),
    "others": (("4", 4), ("4+14", 1), ("14", 2), ("14+17", 1), ("1+4", 1), ("4+6", 1), ("2+7", 0.5)),
}


@dataclass(frozen=True)
class Motion:
    """A displacement field: a sum of hills (1 - r^2)^3 with r^2 = |shape (point - centre)|^2, zero where r >= 1.

    Parameters
    ----------
    centre, vector : float64 ndarray of shape (n_hills, 2)
        Where each hill stands, and the displacement there.
    shape : float64 ndarray of shape (n_hills, 2, 2)
    """

    centre: np.ndarray
    vector: np.ndarray
    shape: np.ndarray

    def scaled(self, factor: float) -> "Motion":
        """Return the motion with every displacement multiplied by `factor`."""
        return Motion(self.centre, factor * self.vector, self.shape)

    def moved(self, linear: np.ndarray, shift: np.ndarray) -> "Motion":
        """Return the motion as seen after the similarity point -> linear @ point + shift."""
        return Motion(self.centre @ linear.T + shift, self.vector @ linear.T, self.shape @ invert(linear))

    def at(self, points: np.ndarray) -> np.ndarray:
        """Return the displacement at `points` (..., 2), float64 of the same shape."""
        total = np.zeros(np.shape(points))
        for centre, vector, shape in zip(self.centre, self.vector, self.shape, strict=True):
            total += _hill(points[..., 0] - centre[0], points[..., 1] - centre[1], shape)[..., None] * vector
        return total

    def on_grid(self, moved: np.ndarray, across: np.ndarray, down: np.ndarray, reach: float) -> np.ndarray:
        """Return the displacement at the points of the grid across x down after each was moved by up to `reach`.

        The same as `at`, x and y in planes: `moved` and the result have the shape (2, rows, columns). Each hill is
        computed only where it can be seen.
        """
        total = np.zeros(moved.shape)
        for centre, vector, shape in zip(self.centre, self.vector, self.shape, strict=True):
            extent = np.sqrt((invert(shape) ** 2).sum(axis=1)) + reach
            columns = slice(*np.searchsorted(across, [centre[0] - extent[0], centre[0] + extent[0]]))
            rows = slice(*np.searchsorted(down, [centre[1] - extent[1], centre[1] + extent[1]]))
            x = moved[0, rows, columns] + (across[columns] - centre[0])
            y = moved[1, rows, columns] + (down[rows] - centre[1])[:, None]
            hill = _hill(x, y, shape)
            for plane, component in zip(total, vector, strict=True):
                plane[rows, columns] += component * hill
        return total


def joined(parts: Sequence[Motion]) -> Motion:
    """Return the sum of motions."""
    return Motion(
        np.concatenate([part.centre for part in parts]),
        np.concatenate([part.vector for part in parts]),
        np.concatenate([part.shape for part in parts]),
    )


def invert(matrices: np.ndarray) -> np.ndarray:
    """Return the inverses of 2 x 2 matrices (..., 2, 2), without waking the threads of a linear algebra library."""
    (first, second), (third, fourth) = np.moveaxis(matrices, (-2, -1), (0, 1))
    adjugate = np.moveaxis(np.array([[fourth, -second], [-third, first]]), (0, 1), (-2, -1))
    return np.asarray(adjugate / (first * fourth - second * third)[..., None, None])


def _hill(x: np.ndarray, y: np.ndarray, shape: np.ndarray) -> np.ndarray:
    inside = np.maximum(1.0 - (shape[0, 0] * x + shape[0, 1] * y) ** 2 - (shape[1, 0] * x + shape[1, 1] * y) ** 2, 0.0)
    return np.asarray(inside * inside * inside)


def action_names() -> tuple[str, ...]:
    """Return the names of all actions: `L12` and `R12` for units that have sides, `25` for those on the midline."""
    return tuple(name for unit in UNITS for name in ((unit,) if unit in MIDLINE else (f"L{unit}", f"R{unit}")))


def unit_of(action: str) -> str:
    """Return the action unit of an action: `12` of `L12`."""
    return action.lstrip("LR")


def peak_limit(actions: Mapping[str, float]) -> float:
    """Return the largest displacement, in design units, at which these actions still map the face one to one."""
    gains = [strength * GAIN.get(unit_of(action), 1.0) for action, strength in actions.items()]
    return LARGEST_PEAK * max(gains) / max(actions.values())


def draw_actions(emotion: str, rng: np.random.Generator) -> dict[str, float]:
    """Draw the actions of one expression and their relative strengths, in (0, 1]."""
    combinations, weights = zip(*EMOTIONS[emotion], strict=True)
    shares = np.array(weights) / sum(weights)
    chosen = str(combinations[int(rng.choice(len(combinations), p=shares))])
    # The strongest unit sets the scale, but a lid never does: it has little room to move.
    strength = {unit: float(rng.uniform(0.4, 1.0)) for unit in chosen.split("+")}
    scale = max(value for unit, value in strength.items() if unit not in GAIN)
    actions: dict[str, float] = {}
    for unit, value in strength.items():
        relative = value if unit in GAIN else value / scale
        if unit in MIDLINE:
            actions[unit] = relative
            continue
        stronger, weaker = ("L", "R") if rng.random() < 0.5 else ("R", "L")
        actions[stronger + unit] = relative
        balance = float(rng.uniform(0.55, 1.0))
        if rng.random() >= ONE_SIDED.get(unit, 0.0):
            actions[weaker + unit] = balance * relative
    return {name: actions[name] for name in action_names() if name in actions}


def motion_of(action: str, points: np.ndarray, style: np.random.Generator) -> Motion:
    """Return the motion of one action at unit strength on the face with these landmarks, in design units.

    `style` gives what is the subject's own: the place, direction and reach of the motion.
    """
    unit, side = unit_of(action), -1.0 if action.startswith("R") else 1.0
    shift, turn = style.normal(0.0, 0.8, 2), style.normal(0.0, 0.10)
    reach = float(np.clip(1.0 + 0.08 * style.standard_normal(), 0.88, 1.15))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    mirror = np.array([side, 1.0])
    hills = UNITS[unit]
    centre = [points[list(ANCHORS[hill.anchor][side > 0])].mean(axis=0) + mirror * hill.offset for hill in hills]
    vector = np.array([mirror * hill.motion for hill in hills]) @ rotation.T
    shape = [np.diag(1.0 / (reach * np.array(hill.radius))) for hill in hills]
    return Motion(np.array(centre) + shift, GAIN.get(unit, 1.0) * vector, np.array(shape))


def notation(actions: Iterable[str]) -> str:
    """Write actions as CASME II does: `1+2`, `4+L10`; both sides together have no letter."""
    sides: dict[str, set[str]] = {}
    for action in actions:
        sides.setdefault(unit_of(action), set()).add(action[0] if action[0] in "LR" else "")
    parts = []
    for unit in sorted(sides, key=int):
        letters = sides[unit]
        parts.append(f"{letters.copy().pop()}{unit}" if len(letters) == 1 else unit)
    return "+".join(parts)
