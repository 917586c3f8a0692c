"""The 68 landmarks of a face, by one of several backends."""

__all__ = ["BACKENDS", "FaceLandmarks", "landmarks"]

from dataclasses import dataclass
from typing import Any

import numpy as np

from microexpr.core.checks import check_choice
from microexpr.core.errors import DataError
from microexpr.video.faces._eyes import USUAL_EYES, find_eyes
from microexpr.video.faces._frame import check_frame, grey_of
from microexpr.video.faces.detect import FaceBox, find_face
from microexpr.video.faces.template import place_template

BACKENDS = ("opencv", "mediapipe", "dlib")


@dataclass(frozen=True, eq=False)
class FaceLandmarks:
    """68 points on a face, and what they were found from; `numpy.asarray` gives the points.

    Parameters
    ----------
    points : float64 ndarray of shape (68, 2)
        x and y in pixels, in the iBUG order: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, lips 48-67, each from left
        to right in the picture. The centre of the pixel in row 0, column 0 is (0, 0).
    source : {"eyes", "box", "mediapipe", "dlib"}
        "eyes" and "box": the mean shape, placed on two eyes that were found or, where they were not, on where eyes
        usually are in the box.
    """

    points: np.ndarray
    source: str

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.points, dtype=dtype) if copy else np.asarray(self.points, dtype=dtype)


def landmarks(
    frame: np.ndarray,
    box: FaceBox | None = None,
    *,
    backend: str = "opencv",
    model: str | None = None,
    name: str = "frame",
) -> FaceLandmarks:
    """Find the 68 landmarks of the face in a box.

    With "opencv" (no model file): look for one eye in each upper half of the box with a cascade; take the pair that
    is nearest to where eyes usually are, no more than 0.12 of the box away from there, 0.28 to 0.5 of it apart and
    sloping by 20 degrees at most; if there is none, look again with the head tilted by 15 degrees to either side. Place
    the mean shape on the pair (`place_template`), or else on the usual places, and say so: `source` is "box".

    With "mediapipe": the face mesh of the box grown by a quarter to each side; 68 of its 478 points.
    With "dlib": its 68-point shape predictor on the box.

    Parameters
    ----------
    frame : uint8 ndarray of shape (height, width) or (height, width, 3)
        Channels in the order R, G, B.
    box : FaceBox or None
        None takes the only face in the frame (`find_face`).
    backend : {"opencv", "mediapipe", "dlib"}
    model : path or None
        The model file of "mediapipe" or "dlib"; None reads its path from the environment variable
        MICROEXPR_FACE_LANDMARKER or MICROEXPR_DLIB_SHAPE.
    name : str
        What messages call the frame.

    Returns
    -------
    FaceLandmarks

    Raises
    ------
    DataError
        If `frame` is no frame, `box` is None and there is not exactly one face, the backend finds no landmarks in the
        box, or the model file is missing or not such a model.
    NeedsError
        If the backend's package is not installed, or no model file is named.
    ParameterError
        If `backend` is unknown, or a model is given to "opencv", which reads none.

    Notes
    -----
    The mean shape is a stand-in: good for placing a face and laying regions over it, no measurement of where this
    person's mouth is. `mediapipe` and `dlib` measure.

    References
    ----------
    .. [1] C. Sagonas, G. Tzimiropoulos, S. Zafeiriou, M. Pantic, "300 faces in-the-wild challenge", ICCVW, 2013.
    .. [2] V. Kazemi, J. Sullivan, "One millisecond face alignment with an ensemble of regression trees", CVPR, 2014.
    .. [3] Y. Kartynnik, A. Ablavatski, I. Grishchenko, M. Grundmann, "Real-time facial surface geometry from monocular
       video on mobile GPUs", CVPR workshops, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> found = landmarks(np.full((200, 200), 90, np.uint8), FaceBox(50, 40, 100, 100))
    >>> found.source, found.points.shape
    ('box', (68, 2))
    """
    check_backend(backend, model)
    frame = check_frame(frame, name=name)
    if box is None:
        box = find_face(frame, name=name)
    if backend == "opencv":
        return template_landmarks(grey_of(frame), box)
    from microexpr.video.faces import _models

    find = _models.mediapipe_landmarks if backend == "mediapipe" else _models.dlib_landmarks
    points = find(_as_rgb(frame), box, model)
    if points is None:
        raise DataError(f"{name}: {backend} finds no landmarks in the face at {tuple(map(round, box.center))}")
    return FaceLandmarks(points, backend)


def check_backend(backend: str, model: str | None) -> None:
    """Raise a ParameterError if `backend` is unknown, or `model` is given to one that reads none."""
    check_choice(backend, "backend", BACKENDS)
    if backend == "opencv" and model is not None:
        from microexpr.core.errors import ParameterError

        raise ParameterError(f'model is {model!r}: backend "opencv" reads no model file; leave it out')


def template_landmarks(grey: np.ndarray, box: FaceBox) -> FaceLandmarks:
    """Place the mean shape on the eyes in the box, or on where eyes usually are."""
    # The face cascade stands a tilted head better than the eye cascade does.
    for tilt in (0.0, -15.0, 15.0):
        eyes = find_eyes(grey, box.center, box.width, box.roll + tilt)
        if eyes is not None:
            return FaceLandmarks(place_template(*eyes), "eyes")
    angle = np.deg2rad(box.roll)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    offsets = (np.array(USUAL_EYES) - 0.5) * [box.width, box.height]
    return FaceLandmarks(place_template(*(np.array(box.center) + offsets @ turn.T)), "box")


def _as_rgb(frame: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2))
