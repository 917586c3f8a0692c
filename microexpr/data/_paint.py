"""The painted skin, hair and features of a synthetic face, as one picture larger than any frame.

Shapes are filled with soft edges, lit as a curved surface from one direction, and given skin texture at several
scales. Nothing here knows of clips, classes or expressions.
"""

__all__ = ["SUPERSAMPLING", "Picture", "paint"]

from dataclasses import dataclass

import numpy as np

from microexpr.data._face import DESIGN_HEIGHT, DESIGN_WIDTH, Face, landmarks, smooth_outline

# Pixels of the picture a pixel of a frame: frames are read off it by linear interpolation, which is then nearly exact.
SUPERSAMPLING = 2
# Design units painted beyond the frame on each side, so that pose and sway never look outside.
_MARGIN = 14.0

_SKIN = np.array([[0.93, 0.76, 0.66], [0.88, 0.69, 0.56], [0.80, 0.60, 0.46], [0.66, 0.47, 0.35], [0.48, 0.33, 0.25]])
_HAIR = np.array([[0.07, 0.06, 0.06], [0.13, 0.09, 0.07], [0.24, 0.16, 0.10], [0.42, 0.30, 0.18], [0.36, 0.34, 0.33]])
_IRIS = np.array([[0.16, 0.10, 0.07], [0.26, 0.17, 0.10], [0.30, 0.32, 0.22], [0.32, 0.40, 0.46]])


@dataclass(frozen=True)
class Picture:
    """A painted face.

    Parameters
    ----------
    pixels : float32 ndarray of shape (rows, columns, 3), 0..255, in the order R, G, B
    scale : float > 0, pixels of the picture a design unit
    centre : (x, y) of the design origin in the picture, in its pixels
    """

    pixels: np.ndarray
    scale: float
    centre: tuple[float, float]


def paint(face: Face, rng: np.random.Generator, size: tuple[int, int]) -> Picture:
    """Paint `face` for frames of `size` (height, width)."""
    canvas = _Canvas(size)
    points = landmarks(face)
    skin = _blend_row(_SKIN, rng) * rng.uniform(0.95, 1.05)
    hair = _blend_row(_HAIR, rng)
    _paint_behind(canvas, face, skin, hair, rng)
    head = _paint_skin(canvas, face, skin, points, rng)
    _paint_mouth(canvas, face, points, skin, rng)
    _paint_nose(canvas, face, points, skin)
    iris, gaze = _blend_row(_IRIS, rng), float(rng.normal(0, 0.3))
    for side in (-1.0, 1.0):
        _paint_eye(canvas, face, points, side, iris, gaze, rng)
        _paint_brow(canvas, face, points, side, hair, rng)
    _light(canvas, face, head, rng)
    _paint_hair(canvas, face, hair, rng)
    pixels = canvas.blur(np.clip(canvas.colour, 0.0, 1.0).transpose(1, 2, 0), 1.05 / canvas.scale)
    return Picture(pixels * np.float32(255.0), canvas.scale, canvas.centre)


class _Canvas:
    """The picture being painted, and the design coordinates of its pixels."""

    def __init__(self, size: tuple[int, int]) -> None:
        height, width = size
        unit = min(height / DESIGN_HEIGHT, width / DESIGN_WIDTH)
        self.scale = SUPERSAMPLING * unit
        rows = int(np.ceil(SUPERSAMPLING * height + 2 * _MARGIN * self.scale))
        columns = int(np.ceil(SUPERSAMPLING * width + 2 * _MARGIN * self.scale))
        self.centre = ((columns - 1) / 2, (rows - 1) / 2)
        self.x = ((np.arange(columns, dtype=np.float32) - self.centre[0]) / self.scale)[None, :]
        self.y = ((np.arange(rows, dtype=np.float32) - self.centre[1]) / self.scale)[:, None]
        self.shape = (rows, columns)
        # Channels first: arithmetic with a mask then runs over contiguous planes.
        self.colour = np.zeros((3, rows, columns), np.float32)

    def blur(self, image: np.ndarray, sigma: float) -> np.ndarray:
        """Smooth with a Gaussian whose sigma is in design units."""
        import cv2

        return np.asarray(cv2.GaussianBlur(np.asarray(image, np.float32), (0, 0), sigma * self.scale))

    def fill(self, points: np.ndarray, softness: float = 0.0) -> np.ndarray:
        """Return the mask, 0..1, of a polygon in design units, its edge blurred by `softness` design units."""
        import cv2

        mask = np.zeros(self.shape, np.uint8)
        pixels = np.asarray(points) * self.scale + self.centre
        cv2.fillPoly(mask, [np.rint(pixels * 256).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=8)
        soft = mask.astype(np.float32) / 255.0
        return self.blur(soft, softness) if softness else soft

    def bump(self, x: float, y: float, wide: float, high: float) -> np.ndarray:
        """Return a Gaussian hill of height 1 at (x, y)."""
        return np.asarray(np.exp(-0.5 * ((self.x - x) / wide) ** 2) * np.exp(-0.5 * ((self.y - y) / high) ** 2))

    def noise(self, rng: np.random.Generator, sigma_x: float, sigma_y: float | None = None) -> np.ndarray:
        """Return smooth noise of mean 0 and variance 1; sigmas in design units."""
        import cv2

        sigmas = [max(sigma * self.scale, 0.3) for sigma in (sigma_x, sigma_x if sigma_y is None else sigma_y)]
        # Wide noise holds no fine detail: it is made on a coarser grid and enlarged.
        coarser = max(1, int(min(sigmas) / 2))
        rows, columns = (-(-length // coarser) + 1 for length in self.shape)
        white = rng.standard_normal((rows, columns), dtype=np.float32)
        smooth = cv2.GaussianBlur(white, (0, 0), sigmas[0] / coarser, sigmaY=sigmas[1] / coarser)
        if coarser > 1:
            smooth = cv2.resize(smooth, None, fx=coarser, fy=coarser, interpolation=cv2.INTER_CUBIC)
        smooth = smooth[: self.shape[0], : self.shape[1]]
        return np.asarray(smooth / smooth.std())

    def blend(self, colour: np.ndarray, mask: np.ndarray) -> None:
        """Lay `colour`, of shape (3,) or (3, rows, columns), over the picture where `mask` is 1."""
        for plane, value in zip(self.colour, np.asarray(colour, np.float32), strict=True):
            plane += mask * (value - plane)

    def darken(self, mask: np.ndarray, tint: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> None:
        """Multiply the picture by 1 - mask, more in the channels with the larger tint."""
        for plane, share in zip(self.colour, tint, strict=True):
            plane *= 1.0 - share * mask


def _blend_row(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a colour between two neighbouring rows of a palette."""
    place = rng.uniform(0, len(rows) - 1)
    below = min(int(place), len(rows) - 2)
    return np.asarray(rows[below] + (place - below) * (rows[below + 1] - rows[below]))


def _band(line: np.ndarray, first: tuple[float, float], second: tuple[float, float]) -> np.ndarray:
    """Return the polygon between a line shifted by `first` and the same line shifted by `second`."""
    return np.concatenate([line + np.array(first), line[::-1] + np.array(second)])


def _paint_behind(canvas: _Canvas, face: Face, skin: np.ndarray, hair: np.ndarray, rng: np.random.Generator) -> None:
    wall = rng.uniform(0.35, 0.7) * (1.0 + rng.uniform(-0.05, 0.05, 3))
    slope = 1.0 + rng.uniform(-0.002, 0.002) * canvas.x + rng.uniform(-0.002, 0.002) * canvas.y
    canvas.colour[...] = np.multiply.outer(wall, slope)
    fullness = rng.uniform(2.0, 9.0)
    length = rng.uniform(-5.0, 25.0) if rng.random() < 0.6 else 95.0
    angle = np.linspace(0, 2 * np.pi, 60)
    outline = np.column_stack([(face.width + fullness) * np.cos(angle), -8 + (62 + 0.6 * fullness) * np.sin(angle)])
    canvas.blend(hair * 0.7, canvas.fill(outline, 1.2) * (canvas.y < length))
    neck_x, neck_y = face.width * 0.66, 95.0
    neck = [[-neck_x, 20], [neck_x, 20], [neck_x * 1.05, 60], [neck_x * 1.25, neck_y], [-neck_x * 1.25, neck_y]]
    canvas.blend(skin * 0.72, canvas.fill(np.array(neck), 1.0))
    shirt = rng.uniform(0.1, 0.7) * (1.0 + rng.uniform(-0.15, 0.15, 3))
    collar = np.array([[-90, 78], [-neck_x * 0.9, 72], [0, 84], [neck_x * 0.9, 72], [90, 78], [90, 120], [-90, 120]])
    canvas.blend(shirt, canvas.fill(collar, 0.6))
    for side in (-1.0, 1.0):
        ear = np.column_stack([side * (face.width + 0.8) + 5.0 * np.cos(angle), -6 + 12.0 * np.sin(angle)])
        canvas.blend(skin * 0.86, canvas.fill(ear, 0.8))
        canvas.darken(0.35 * canvas.bump(side * (face.width + 2.0), -6, 1.5, 6))


def _head_outline(face: Face, points: np.ndarray) -> np.ndarray:
    """Return the outline of jaw and skull."""
    angle = np.linspace(0, np.pi, 13)[1:-1]
    ear_y = points[0, 1]
    skull = np.column_stack([face.width * np.cos(angle), ear_y - 50.0 * np.sin(angle) ** 0.8])
    return smooth_outline(np.concatenate([points[:17], skull]))


def _paint_skin(
    canvas: _Canvas, face: Face, skin: np.ndarray, points: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Paint the bare skin; return the mask of the head."""
    head = canvas.fill(_head_outline(face, points), 0.7)
    # From pores to blotches: sigma in design units and relative strength.
    scales = ((0.35, 0.020), (0.8, 0.022), (2.0, 0.022), (5.0, 0.025), (14.0, 0.035))
    rough = rng.uniform(0.7, 1.5)
    texture = sum(rough * strength * canvas.noise(rng, sigma) for sigma, strength in scales)
    tint = 1.0 + np.multiply.outer(np.array([0.02, -0.012, -0.016], np.float32), canvas.noise(rng, 6.0))
    canvas.blend(skin[:, None, None] * (1.0 + np.asarray(texture)) * tint, head)
    flush = rng.uniform(0.03, 0.12)
    red = sum(canvas.bump(side * 27, 10, 11, 9) for side in (-1, 1)) + 0.8 * canvas.bump(0, face.nose_tip_y, 7, 6)
    canvas.darken(flush * np.asarray(red), (0.2, 1.0, 0.9))
    if rng.random() < 0.45:  # beard shadow
        strength = rng.uniform(0.08, 0.3)
        area = canvas.bump(0, 52, 38, 14) * (1 - canvas.bump(0, face.mouth_y, 15, 6)) + 0.7 * canvas.bump(0, 24, 16, 4)
        stubble = 1.0 + 0.35 * canvas.noise(rng, 0.3, 0.5)
        canvas.darken(np.clip(strength * area * stubble, 0, 0.6) * head, (1.0, 0.9, 0.8))
    for _ in range(int(rng.integers(1, 7))):  # moles
        x, y = rng.uniform(-38, 38), rng.uniform(-45, 55)
        canvas.darken(rng.uniform(0.15, 0.5) * canvas.bump(x, y, *([rng.uniform(0.5, 0.9)] * 2)))
    if rng.random() < 0.3:  # freckles
        for _ in range(60):
            x, y = rng.normal(0, 24), rng.normal(4, 8)
            canvas.darken(rng.uniform(0.05, 0.15) * canvas.bump(x, y, 0.6, 0.6), (0.7, 1.0, 1.0))
    for line in range(3):  # lines of the forehead
        wave = face.brow_y - 8 - 5.5 * line + 1.2 * np.sin(canvas.x / 11 + rng.uniform(0, 6))
        fall = canvas.bump(rng.uniform(-4, 4), face.brow_y - 12, 17, 30)
        canvas.darken(rng.uniform(0.0, 0.09) * fall * np.exp(-0.5 * ((canvas.y - wave) / 0.55) ** 2))
    return head


def _paint_mouth(canvas: _Canvas, face: Face, points: np.ndarray, skin: np.ndarray, rng: np.random.Generator) -> None:
    outer, inner = points[48:60], points[60:68]
    lip = skin * np.array([0.90, 0.64, 0.64]) * rng.uniform(0.88, 1.0)
    creases = 1.0 + 0.05 * canvas.noise(rng, 0.5, 2.5)
    canvas.blend(np.multiply.outer(lip, creases), 0.9 * canvas.fill(smooth_outline(outer), 0.55))
    middle = (inner[1:4] + inner[[7, 6, 5]]) / 2
    upper = np.concatenate([outer[:7], inner[4:5], middle[::-1], inner[:1]])
    canvas.darken(0.12 * canvas.fill(upper, 0.7))
    canvas.darken(-0.10 * canvas.bump(0, face.mouth_y + 0.55 * face.lower_lip, 8, 1.3))
    line = np.concatenate([outer[:1], inner[:5], outer[6:7], inner[5:]])
    canvas.darken(0.80 * canvas.fill(line, 0.28))
    for x, y in outer[[0, 6]]:
        canvas.darken(0.35 * canvas.bump(x, y, 1.5, 1.1))
    canvas.darken(0.20 * canvas.bump(0, face.mouth_y + face.lower_lip + 2.2, 9, 1.7))
    for side in (-1.0, 1.0):  # nasolabial folds
        fold = smooth_outline(
            np.array([[side * (face.nose_width + 3.0), 13.0], [side * 17.5, 22.0], [side * 22.5, 33.0]]), closed=False
        )
        canvas.darken(rng.uniform(0.08, 0.22) * canvas.fill(_band(fold, (-0.7, 0.0), (0.7, 0.0)), 1.0))


def _paint_nose(canvas: _Canvas, face: Face, points: np.ndarray, skin: np.ndarray) -> None:
    for x, y in points[[32, 34]]:
        canvas.darken(0.62 * canvas.bump(x * 1.05, y - 0.1, 2.1, 1.05), (0.95, 1.0, 1.0))
    for x, y in points[[31, 35]]:
        canvas.darken(0.22 * canvas.bump(x * 1.08, y - 1.2, 1.0, 2.4))
        canvas.darken(0.12 * canvas.bump(x, y + 1.4, 3.5, 1.0))
    canvas.darken(0.22 * canvas.bump(0, points[33, 1] + 0.8, 5.0, 1.2))
    canvas.darken(-0.12 * canvas.bump(0, face.nose_tip_y + 0.5, 2.6, 2.6))


def _paint_eye(
    canvas: _Canvas,
    face: Face,
    points: np.ndarray,
    side: float,
    iris: np.ndarray,
    gaze: float,
    rng: np.random.Generator,
) -> None:
    lids = points[36:42] if side < 0 else points[42:48][[3, 2, 1, 0, 5, 4]]  # outer corner first in both
    x, y = lids.mean(axis=0)
    canvas.darken(0.20 * canvas.bump(x, y - 1.0, face.eye_width + 2.5, 6.0))
    canvas.darken(0.10 * canvas.bump(x, y + 6.0, face.eye_width, 1.6))
    outline = smooth_outline(lids)
    opening = canvas.fill(outline, 0.3)
    canvas.blend(np.array([0.86, 0.84, 0.82]), opening)
    canvas.darken(0.30 * opening * np.clip((face.eye_y - canvas.y + 0.6) / face.eye_opening, 0.0, 1.0))
    radius = 0.50 * face.eye_width
    angle = np.linspace(0, 2 * np.pi, 40)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    middle = np.array([side * face.eye_x + gaze, face.eye_y - 0.15 * face.eye_opening])
    canvas.blend(iris, opening * canvas.fill(middle + radius * circle, 0.25))
    canvas.blend(np.full(3, 0.03), opening * canvas.fill(middle + 0.48 * radius * circle, 0.2))
    glint = canvas.bump(middle[0] + 1.2, middle[1] - 1.1, 0.55, 0.5)
    canvas.blend(np.full(3, 0.95), 0.8 * opening * glint)
    upper = smooth_outline(lids[[0, 1, 2, 3]], closed=False)
    lower = smooth_outline(lids[[3, 4, 5, 0]], closed=False)
    lash = canvas.fill(_band(upper, (0.0, 0.45), (0.0, -0.85)), 0.3)
    canvas.darken(0.78 * lash, (0.95, 1.0, 1.0))
    canvas.darken(0.35 * canvas.fill(_band(lower, (0.0, 0.5), (0.0, -0.1)), 0.35))
    crease = canvas.fill(_band(upper, (0.0, -2.4), (0.0, -3.2)), 0.45)
    canvas.darken(rng.uniform(0.15, 0.4) * crease)


def _paint_brow(
    canvas: _Canvas, face: Face, points: np.ndarray, side: float, hair: np.ndarray, rng: np.random.Generator
) -> None:
    middle = points[17:22] if side < 0 else points[22:27][::-1]  # outer end first
    thickness = face.brow_thickness * np.array([0.25, 0.75, 1.0, 1.05, 0.85])[:, None]
    outline = smooth_outline(np.concatenate([middle - thickness * [0, 0.5], (middle + thickness * [0, 0.5])[::-1]]))
    strands = rng.uniform(0.8, 1.0) * (0.9 + 0.2 * canvas.noise(rng, 0.55, 0.3))
    shade = hair * min(0.7, 0.15 / hair.max())  # brows are dark even where the hair is fair or grey
    canvas.blend(shade, np.clip(strands, 0, 1) * canvas.fill(outline, 0.55))


def _light(canvas: _Canvas, face: Face, head: np.ndarray, rng: np.random.Generator) -> None:
    """Shade the picture as a curved surface lit from one direction."""
    inside = np.clip(1.0 - (canvas.x / (face.width + 7.0)) ** 2 - ((canvas.y + 2.0) / 78.0) ** 2, 0.02, 1.0)
    depth = 44.0 * np.sqrt(inside)
    along = np.clip((canvas.y - face.eye_y) / (face.nose_tip_y - face.eye_y), 0.0, 1.0)
    ridge = 3.0 + 2.2 * along
    under = 1.0 / (1.0 + np.exp((canvas.y - face.nose_tip_y - 4.0) / 1.1))
    above = 1.0 / (1.0 + np.exp(-(canvas.y - face.eye_y) / 4.0))
    depth = depth + (1.5 + 8.0 * along) * np.exp(-0.5 * (canvas.x / ridge) ** 2) * under * above
    for side in (-1.0, 1.0):
        depth = depth + 2.8 * canvas.bump(side * 7.0, face.nose_tip_y + 2.5, 2.8, 2.8)
        depth = depth + 2.0 * canvas.bump(side * 21.0, face.brow_y + 0.5, 12, 4.0)
        depth = depth - 3.2 * canvas.bump(side * face.eye_x, face.eye_y - 3.0, 11, 4.5)
        depth = depth + 1.2 * canvas.bump(side * face.eye_x, face.eye_y + 1.0, 6, 4.0)
        depth = depth + 3.0 * canvas.bump(side * 27.0, 6.0, 11, 9)
        depth = depth - 1.0 * canvas.bump(side * 23.0, 34.0, 4, 6)
    depth = depth + 2.2 * canvas.bump(0, face.mouth_y, 17, 8) - 0.8 * canvas.bump(0, face.mouth_y + 10, 12, 2.5)
    depth = depth + 2.6 * canvas.bump(0, face.chin_y - 9, 11, 6)
    depth = canvas.blur(depth, 0.8)
    slope_y, slope_x = np.gradient(depth, 1.0 / canvas.scale)
    direction = np.array([rng.uniform(-0.45, 0.45), rng.uniform(-0.65, -0.2), 1.0])
    direction /= np.linalg.norm(direction)
    towards = direction[2] - slope_x * direction[0] - slope_y * direction[1]
    lambert = np.clip(towards / np.sqrt(1.0 + slope_x**2 + slope_y**2), 0.0, None)
    ambient = rng.uniform(0.30, 0.5)
    shade = rng.uniform(0.92, 1.1) * (ambient + (1.0 - ambient) * lambert)
    canvas.colour *= 1.0 + head * (shade - 1.0)
    shine = rng.uniform(0.02, 0.10) * np.clip(lambert, 0, 1) ** 24 * head
    canvas.colour += shine


def _paint_hair(canvas: _Canvas, face: Face, hair: np.ndarray, rng: np.random.Generator) -> None:
    peak, temple = rng.uniform(-3.0, 3.0), rng.uniform(0.72, 0.9)
    bend = np.abs(canvas.x) / (face.width * temple)
    jagged = 0.9 * canvas.noise(rng, 0.8, 4.0)
    hairline = face.hairline_y + peak * np.exp(-((canvas.x / 9.0) ** 2)) + 24.0 * bend**5 + jagged
    cap = (face.width + 7.0) * 1.02
    skull = ((canvas.x / cap) ** 2 + ((canvas.y + 8.0) / 68.0) ** 2 < 1.0).astype(np.float32)
    side_end = 1.0 / (1.0 + np.exp((canvas.y - rng.uniform(-22.0, 2.0)) / 2.0))
    mask = canvas.blur((canvas.y < hairline) * skull * side_end, 0.6)
    strands = 1.0 + 0.28 * canvas.noise(rng, 0.5, 5.0) + 0.15 * canvas.noise(rng, 2.0, 9.0)
    sheen = 1.0 + 0.5 * canvas.bump(rng.uniform(-20, 20), -62, 30, 6)
    canvas.blend(np.clip(np.multiply.outer(hair, strands * sheen), 0.0, 1.0), mask)
