"""Faces in a frame: where they are, how large, and which one is meant."""

__all__ = ["FaceBox", "detect_faces", "find_face"]

from dataclasses import dataclass

import numpy as np

from microexpr.core.checks import check_choice, check_float, check_int
from microexpr.core.errors import DataError, join_names
from microexpr.video.faces._cascades import SMALLEST_WINDOW, run_cascade
from microexpr.video.faces._frame import check_frame, grey_of
from microexpr.video.faces.template import transform_points

DETECTORS = ("opencv",)
CHOICES = ("only", "largest")
FRONTAL = "frontalface_alt2"

# A false face is rarely found by more windows than this; a true one by ten or more.
_NEIGHBORS = 5
# The cascade takes some faces for upright ones that are upside down, but with few windows.
_DOUBTFUL = 25.0
_UPSIDE_DOWN = "no upright face is found, but one upside down; turn the frames by 180 degrees"
# The cascade stands a turn of some 15 degrees, so steps of 15 leave no gap.
ROLL_STEP = 15


@dataclass(frozen=True)
class FaceBox:
    """A square around a face, from the middle of the forehead to the chin.

    Parameters
    ----------
    x, y : float, in pixels
        Left and upper edge; of a turned face, those of the square turned back about its centre.
    width, height : float > 0, in pixels
    score : float >= 0
        How many search windows agreed on the face; comparable within one frame, no probability.
    roll : float, in degrees
        How far the face is turned clockwise in the picture.
    """

    x: float
    y: float
    width: float
    height: float
    score: float = 0.0
    roll: float = 0.0

    @property
    def center(self) -> tuple[float, float]:
        """x and y of the middle, in pixels; the centre of the first pixel is (0, 0)."""
        return self.x + (self.width - 1) / 2, self.y + (self.height - 1) / 2


def detect_faces(
    frame: np.ndarray,
    *,
    backend: str = "opencv",
    min_size: int | None = None,
    max_roll: float = 0.0,
    name: str = "frame",
) -> list[FaceBox]:
    """Find all upright frontal faces in a frame.

    1. Search the grey frame with OpenCV's cascade `frontalface_alt2` [1]_, windows growing by a tenth from `min_size`;
       a face is where at least 5 windows agree.
    2. Of faces whose middle lies within a larger one, keep the larger.
    3. If there is none, and `max_roll` allows it, search the frame turned by 15, 30, ... degrees to either side, and
       keep the turn whose best face has the highest score.

    Parameters
    ----------
    frame : uint8 ndarray of shape (height, width) or (height, width, 3)
        At least 24 x 24 pixels; channels in the order R, G, B.
    backend : {"opencv"}
    min_size : int >= 24 or None, in pixels
        The smallest side of a face; None takes an eighth of the frame's shorter side, at least 24. Small patches of
        background are what cascades take for faces most often.
    max_roll : float in [0, 180], in degrees
        How far a face may be turned in the picture.
    name : str
        What messages call the frame.

    Returns
    -------
    list of FaceBox
        The largest first; empty where there is no face.

    Raises
    ------
    DataError
        If `frame` is no such array.
    ParameterError
        If a parameter is not allowed.
    NeedsError
        If this OpenCV brings no cascades.

    References
    ----------
    .. [1] R. Lienhart, A. Kuranov, V. Pisarevsky, "Empirical analysis of detection cascades of boosted classifiers
       for rapid object detection", DAGM, 2003.

    Examples
    --------
    >>> import numpy as np
    >>> detect_faces(np.full((120, 160), 90, np.uint8))
    []
    """
    check_choice(backend, "backend", DETECTORS)
    max_roll = check_float(max_roll, "max_roll", minimum=0.0, maximum=180.0)
    grey = grey_of(check_frame(frame, name=name))
    smallest = smallest_face(grey, min_size)
    found = _upright(grey, smallest)
    if found or max_roll == 0:
        return found
    best: list[FaceBox] = []
    for roll in rolls_near(0.0, max_roll)[1:]:
        turned = _turned_faces(grey, smallest, roll)
        if turned and (not best or max(box.score for box in turned) > max(box.score for box in best)):
            best = turned
    return best


def find_face(
    frame: np.ndarray,
    *,
    face: str = "only",
    backend: str = "opencv",
    min_size: int | None = None,
    max_roll: float = 0.0,
    name: str = "frame",
) -> FaceBox:
    """Find the one face that is meant.

    Parameters
    ----------
    frame, backend, min_size, max_roll, name
        See `detect_faces`.
    face : {"only", "largest"}
        Which face to take of several: "only" refuses several, "largest" takes the one with the largest box (of equal
        ones, the one further left).

    Returns
    -------
    FaceBox

    Raises
    ------
    DataError
        If `frame` is no frame, there is no upright face (the message says whether a turned, upside-down or profile
        one is there), or several and `face` is "only" (the message gives their positions).
    ParameterError, NeedsError
        See `detect_faces`.

    Examples
    --------
    >>> import numpy as np
    >>> find_face(np.full((120, 160), 90, np.uint8))
    Traceback (most recent call last):
    microexpr.core.errors.DataError: frame: no face is found (faces under 24 pixels are not searched for)
    """
    check_choice(face, "face", CHOICES)
    found = detect_faces(frame, backend=backend, min_size=min_size, max_roll=max_roll, name=name)
    if not found:
        grey = grey_of(frame)
        raise DataError(f"{name}: {_what_is_there(grey, smallest_face(grey, min_size), max_roll)}")
    best = max(box.score for box in found)
    if best < _DOUBTFUL and found[0].roll == 0:
        grey = grey_of(frame)
        turned = _turned_faces(grey, smallest_face(grey, min_size), 180.0)
        if turned and max(box.score for box in turned) > 2 * best:
            raise DataError(f"{name}: {_UPSIDE_DOWN}")
    if len(found) > 1 and face == "only":
        places = [f"{box.width:.0f} pixels wide around x={box.center[0]:.0f}, y={box.center[1]:.0f}" for box in found]
        raise DataError(
            f'{name}: {len(found)} faces ({join_names(places)}); choose with face="largest", or crop the frames to one'
        )
    return found[0]


def smallest_face(grey: np.ndarray, min_size: int | None) -> int:
    """Return the smallest side of a face to search for in a frame, in pixels."""
    if min_size is None:
        return max(SMALLEST_WINDOW, min(grey.shape) // 8)
    return check_int(min_size, "min_size", minimum=SMALLEST_WINDOW)


def rolls_near(roll: float, max_roll: float) -> list[float]:
    """Return the turns to try, the nearest to `roll` first: it, and multiples of 15 degrees up to `max_roll`."""
    steps = int(max_roll // ROLL_STEP)
    grid = [float(ROLL_STEP * step) for step in range(-steps, steps + 1)]
    return [
        roll,
        *sorted((step for step in grid if abs(step - roll) > 1e-9), key=lambda step: (abs(step - roll), step)),
    ]


def _upright(grey: np.ndarray, smallest: int) -> list[FaceBox]:
    boxes = run_cascade(FRONTAL, grey, min_side=smallest, neighbors=_NEIGHBORS)
    found = [FaceBox(*map(float, box)) for box in boxes]
    found.sort(key=lambda box: (-box.width * box.height, box.x, box.y))
    kept: list[FaceBox] = []
    for box in found:
        x, y = box.center
        if not any(big.x <= x < big.x + big.width and big.y <= y < big.y + big.height for big in kept):
            kept.append(box)
    return kept


def _turned_faces(grey: np.ndarray, smallest: int, roll: float) -> list[FaceBox]:
    """Return the faces turned clockwise by `roll` degrees."""
    picture, back = turn_back(grey, roll)
    faces = []
    for box in _upright(picture, smallest):
        x, y = transform_points(np.array(box.center), back)
        left, top = float(x) - (box.width - 1) / 2, float(y) - (box.height - 1) / 2
        faces.append(FaceBox(left, top, box.width, box.height, box.score, roll))
    return faces


def turn_back(grey: np.ndarray, roll: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the picture turned counter-clockwise by `roll` degrees, nothing cut off, and the matrix (2, 3) back."""
    import cv2

    height, width = grey.shape
    angle = np.deg2rad(roll)
    cos, sin = abs(np.cos(angle)), abs(np.sin(angle))
    new_width, new_height = round(width * cos + height * sin), round(width * sin + height * cos)
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), roll, 1.0)
    matrix[:, 2] += [(new_width - width) / 2, (new_height - height) / 2]
    # The edge is continued, not black: a black edge makes false corners.
    picture = cv2.warpAffine(grey, matrix, (new_width, new_height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(picture), np.asarray(cv2.invertAffineTransform(matrix))


def _what_is_there(grey: np.ndarray, smallest: int, max_roll: float) -> str:
    """Say why no upright frontal face was found."""
    turns = [roll for roll in rolls_near(0.0, 180.0)[1:] if abs(roll) > max_roll and roll != -180.0]
    scores = {
        roll: max((box.score for box in _turned_faces(grey, smallest, roll)), default=0.0)
        for roll in turns
        if abs(roll) % 30 == 0
    }
    best = max(scores, key=lambda roll: scores[roll]) if scores else 0.0
    upside_down = scores.get(180.0, 0.0)
    if upside_down and upside_down >= 0.8 * scores[best]:
        return _UPSIDE_DOWN
    if scores.get(best):
        way = "clockwise" if best > 0 else "counter-clockwise"
        return (
            f"no upright face is found, but one turned {way} by about {abs(best):.0f} degrees; "
            f"turn the frames back, or pass max_roll={abs(best):.0f}"
        )
    for picture in (grey, np.ascontiguousarray(grey[:, ::-1])):
        if run_cascade("profileface", picture, min_side=smallest, neighbors=_NEIGHBORS):
            return "no frontal face is found, but one in profile; a frontal view is needed"
    return f"no face is found (faces under {smallest} pixels are not searched for)"
