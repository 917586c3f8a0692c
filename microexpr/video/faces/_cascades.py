"""OpenCV's Haar cascades: loaded once a thread, and run so that the same picture gives the same boxes."""

__all__ = ["SMALLEST_WINDOW", "run_cascade"]

import threading
from pathlib import Path
from typing import Any

import numpy as np

from microexpr.core.errors import NeedsError

#: The side of the window that the face cascades were trained on, in pixels.
SMALLEST_WINDOW = 24

# A cascade keeps state while it runs, so threads must not share one.
_loaded = threading.local()


def run_cascade(
    cascade: str,
    picture: np.ndarray,
    *,
    min_side: float,
    max_side: float | None = None,
    scale: float = 1.1,
    neighbors: int,
) -> list[tuple[int, int, int, int, int]]:
    """Return (x, y, width, height, n) of every object, sorted; n is the number of windows that agreed on it.

    Raises
    ------
    NeedsError
        If this OpenCV brings no such cascade.
    """
    limit = (0, 0) if max_side is None else (round(max_side), round(max_side))
    boxes, counts = _cascade(cascade).detectMultiScale2(
        picture, scale, neighbors, minSize=(round(min_side), round(min_side)), maxSize=limit
    )
    # OpenCV searches in several threads; the order of what they find is not fixed.
    return sorted((int(x), int(y), int(w), int(h), int(n)) for (x, y, w, h), n in zip(boxes, counts, strict=True))


def _cascade(name: str) -> Any:
    cascades = _loaded.__dict__
    if name not in cascades:
        import cv2

        # OpenCV 5 has neither the class nor the files.
        folder = getattr(getattr(cv2, "data", None), "haarcascades", "")
        path = Path(folder) / f"haarcascade_{name}.xml"
        if not hasattr(cv2, "CascadeClassifier") or not path.is_file():
            raise NeedsError(
                f"OpenCV {cv2.__version__} brings no Haar cascade {name!r}; "
                'install "opencv-contrib-python-headless>=4.12,<5"'
            )
        cascades[name] = cv2.CascadeClassifier(str(path))
    return cascades[name]
