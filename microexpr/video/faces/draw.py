"""Landmarks and regions drawn over a frame, to look at."""

__all__ = ["draw"]

import colorsys
from collections.abc import Mapping

import numpy as np

from microexpr.core.checks import check_int
from microexpr.video.faces._frame import check_frame
from microexpr.video.faces.align import check_points

# Positions are drawn at a sixteenth of a pixel.
_SHIFT = 4


def draw(
    frame: np.ndarray,
    points: object = None,
    polygons: Mapping[str, np.ndarray] | None = None,
    *,
    scale: int = 1,
) -> np.ndarray:
    """Draw landmarks and the outlines of regions over a frame.

    Parameters
    ----------
    frame : uint8 ndarray of shape (height, width) or (height, width, 3)
        Channels in the order R, G, B.
    points : FaceLandmarks or float array of shape (68, 2), in pixels, or None
    polygons : mapping of str -> float array of shape (n_corners, 2), in pixels, or None
        As `regions` gives them; each in a colour of its own, the same for the same place in the mapping.
    scale : int >= 1
        Enlarge the picture this many times first.

    Returns
    -------
    uint8 ndarray of shape (height * scale, width * scale, 3)
        A new RGB picture.

    Raises
    ------
    DataError
        If `frame` is no frame or `points` are not 68 finite points.
    ParameterError
        If `scale` is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from microexpr.video.faces import canonical_landmarks, regions
    >>> points = canonical_landmarks((140, 120))
    >>> draw(np.zeros((140, 120), np.uint8), points, regions(points), scale=2).shape
    (280, 240, 3)
    """
    import cv2

    scale = check_int(scale, "scale", minimum=1)
    frame = check_frame(frame)
    picture = np.array(frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2))
    if scale > 1:
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR))
    picture = np.ascontiguousarray(picture)

    def placed(corners: object) -> np.ndarray:
        # The centre of pixel k lies at scale * (k + 1/2) - 1/2 of the enlarged picture.
        moved = scale * (np.asarray(corners, np.float64) + 0.5) - 0.5
        return np.round(moved * 2**_SHIFT).astype(np.int32)

    for number, polygon in enumerate((polygons or {}).values()):
        # Steps of the golden ratio keep neighbours' hues apart.
        colour = tuple(255 * part for part in colorsys.hsv_to_rgb(number * 0.618 % 1.0, 0.75, 1.0))
        cv2.polylines(picture, [placed(polygon)], True, colour, 1, cv2.LINE_AA, _SHIFT)
    if points is not None:
        for x, y in placed(check_points(points)):
            cv2.circle(picture, (int(x), int(y)), scale << _SHIFT, (0, 255, 0), -1, cv2.LINE_AA, _SHIFT)
    return picture
