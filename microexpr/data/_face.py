"""The geometry of a synthetic face: a few drawn measures and the 68 landmarks they give.

Everything is in design units, the pixels of a face drawn 140 high and 120 wide: x to the right of the nose, y down
from the middle of the picture. `left` and `right` are the person's own, as in the Facial Action Coding System:
the person's right is on the left of the picture.
"""

__all__ = ["DESIGN_HEIGHT", "DESIGN_WIDTH", "Face", "draw_face", "landmarks", "smooth_outline"]

from dataclasses import dataclass

import numpy as np

DESIGN_HEIGHT = 140
DESIGN_WIDTH = 120

# Mean and spread of each measure; a drawn value lies within two spreads of the mean. The means follow the usual
# proportions of a frontal face: eyes half-way down the head, five eye widths across, the mouth a third of the way
# from nose to chin, its corners below the pupils.
_MEASURES = {
    "width": (50.0, 1.8),
    "jaw_roundness": (0.86, 0.04),
    "jaw_fullness": (0.95, 0.04),
    "chin_y": (62.0, 1.3),
    "eye_x": (21.3, 0.8),
    "eye_y": (-17.0, 0.8),
    "eye_width": (9.0, 0.45),
    "eye_opening": (3.5, 0.4),
    "eye_slant": (0.6, 0.5),
    "brow_y": (-29.0, 0.9),
    "brow_arch": (3.6, 0.8),
    "brow_thickness": (3.0, 0.4),
    "brow_shift": (0.0, 0.35),
    "nose_tip_y": (9.5, 0.9),
    "nose_width": (8.6, 0.6),
    "mouth_y": (34.5, 0.8),
    "mouth_width": (17.0, 0.9),
    "mouth_curve": (0.3, 0.5),
    "mouth_tilt": (0.0, 0.3),
    "upper_lip": (4.0, 0.45),
    "lower_lip": (5.6, 0.6),
    "lip_gap": (0.55, 0.12),
    "hairline_y": (-55.0, 2.5),
}


@dataclass(frozen=True)
class Face:
    """The measures of one subject's face, in design units (the two jaw exponents are pure numbers)."""

    width: float
    jaw_roundness: float
    jaw_fullness: float
    chin_y: float
    eye_x: float
    eye_y: float
    eye_width: float
    eye_opening: float
    eye_slant: float
    brow_y: float
    brow_arch: float
    brow_thickness: float
    brow_shift: float
    nose_tip_y: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    mouth_curve: float
    mouth_tilt: float
    upper_lip: float
    lower_lip: float
    lip_gap: float
    hairline_y: float


def draw_face(rng: np.random.Generator) -> Face:
    """Draw the measures of one subject."""
    return Face(
        **{
            name: mean + spread * float(np.clip(rng.standard_normal(), -2.0, 2.0))
            for name, (mean, spread) in _MEASURES.items()
        }
    )


def landmarks(face: Face) -> np.ndarray:
    """Return the 68 landmarks in the iBUG order, float64 of shape (68, 2), x and y in design units."""
    return np.concatenate([_jaw(face), _brows(face), _nose(face), _eyes(face), _mouth(face)])


def smooth_outline(points: np.ndarray, *, closed: bool = True, steps: int = 8) -> np.ndarray:
    """Return the Catmull-Rom curve through `points`, `steps` points a segment."""
    if closed:
        padded = np.concatenate([points[-1:], points, points[:2]])
    else:
        padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    place = (np.arange(steps) / steps)[None, :, None]
    before, start, end, after = (part[:, None, :] for part in (before, start, end, after))
    curve = 0.5 * (
        2 * start
        + (end - before) * place
        + (2 * before - 5 * start + 4 * end - after) * place**2
        + (3 * start - before - 3 * end + after) * place**3
    )
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, points[-1:]])


def _jaw(face: Face) -> np.ndarray:
    angle = np.pi * np.arange(17) / 16
    ear_y = face.eye_y + 3.0
    across = -np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** face.jaw_roundness
    down = np.abs(np.sin(angle)) ** face.jaw_fullness
    return np.column_stack([face.width * across, ear_y + (face.chin_y - ear_y) * down])


def _brows(face: Face) -> np.ndarray:
    place = np.linspace(0.0, 1.0, 5)
    across = face.eye_x + 12.5 - place * (face.eye_x + 12.5 - 9.0)
    height = face.brow_y + 2.4 - face.brow_arch * np.sin(np.pi * (0.12 + 0.68 * place)) ** 1.2
    right = np.column_stack([-across, height + face.brow_shift])
    left = np.column_stack([across, height - face.brow_shift])[::-1]
    return np.concatenate([right, left])


def _nose(face: Face) -> np.ndarray:
    bridge = np.column_stack([np.zeros(4), np.linspace(face.eye_y, face.nose_tip_y, 4)])
    base_y = face.nose_tip_y + 5.5
    across = face.nose_width * np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    base = np.column_stack([across, base_y + np.array([-1.2, 0.4, 1.2, 0.4, -1.2])])
    return np.concatenate([bridge, base])


def _eyes(face: Face) -> np.ndarray:
    # Outer corner, two on the upper lid, inner corner, two on the lower lid, for the eye on the right of the picture.
    across = face.eye_width * np.array([1.0, 0.42, -0.38, -1.0, -0.38, 0.42])
    lids = face.eye_opening * np.array([0.0, -1.0, -0.92, 0.0, 0.72, 0.75])
    slant = -face.eye_slant * across / face.eye_width
    left = np.column_stack([face.eye_x + across, face.eye_y + lids + slant])
    right = left * [-1.0, 1.0]
    return np.concatenate([right, left[[3, 2, 1, 0, 5, 4]]])


def _mouth(face: Face) -> np.ndarray:
    # Fractions of the half width, and of the thickness of the lip.
    outer = [-1.0, -0.62, -0.22, 0.0, 0.22, 0.62, 1.0, 0.6, 0.27, 0.0, -0.27, -0.6]
    rise = [0.0, -0.72, -1.0, -0.86, -1.0, -0.72, 0.0, 0.72, 0.96, 1.0, 0.96, 0.72]
    inner = [-0.86, -0.3, 0.0, 0.3, 0.86, 0.3, 0.0, -0.3]
    gap = [0.0, -1.0, -1.0, -1.0, 0.0, 1.0, 1.0, 1.0]
    across = np.array(outer + inner)
    lips = np.array([value * (face.upper_lip if value < 0 else face.lower_lip) for value in rise])
    height = np.concatenate([lips, face.lip_gap * np.array(gap)])
    # The corners stand a little higher or lower than the middle, and one higher than the other.
    height = height - face.mouth_curve * across**2 + face.mouth_tilt * across
    return np.column_stack([face.mouth_width * across, face.mouth_y + height])
