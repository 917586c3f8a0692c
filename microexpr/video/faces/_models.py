"""Landmarks by MediaPipe and dlib: their packages and model files, loaded at first use."""

__all__ = ["MEDIAPIPE_TO_68", "dlib_landmarks", "mediapipe_landmarks", "model_path"]

import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from microexpr.core.errors import DataError, NeedsError

if TYPE_CHECKING:
    from microexpr.video.faces.detect import FaceBox

#: Which of the 478 points of MediaPipe's face mesh stands for each of the 68 landmarks. Lips, lids and corners are
#: the same places in both. The mesh has no brow line or jaw line as such: brows are its row along their upper edge, the
#: jaw nine points of the oval from temple to chin and their mirror images, about evenly spaced.
MEDIAPIPE_TO_68: tuple[int, ...] = (
    *(127, 234, 93, 58, 172, 136, 149, 148, 152),  # jaw: temple left in the picture to chin
    *(377, 378, 365, 397, 288, 323, 454, 356),  # and on to the other temple
    *(70, 63, 105, 66, 107),  # the person's right brow
    *(336, 296, 334, 293, 300),  # the left brow
    *(168, 6, 195, 4),  # bridge of the nose to its tip
    *(98, 97, 2, 326, 327),  # base of the nose
    *(33, 160, 158, 133, 153, 144),  # the right eye
    *(362, 385, 387, 263, 373, 380),  # the left eye
    *(61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91),  # outer outline of the lips
    *(78, 81, 13, 311, 308, 402, 14, 178),  # inner outline
)

_MODELS = {
    "mediapipe": (
        "MICROEXPR_FACE_LANDMARKER",
        "face_landmarker.task",
        "the Face Landmarker page of the MediaPipe documentation",
    ),
    "dlib": (
        "MICROEXPR_DLIB_SHAPE",
        "shape_predictor_68_face_landmarks.dat",
        "the dlib project's site, under its model files (packed: unpack it)",
    ),
}

# Model objects are slow to make and not safe to share between threads.
_loaded = threading.local()


def model_path(backend: str, model: str | None) -> Path:
    """Return the model file of a backend: `model`, else what its environment variable names.

    Raises
    ------
    NeedsError
        If neither names a file.
    DataError
        If the file does not exist or is visibly another kind of file.
    """
    variable, file_name, where = _MODELS[backend]
    chosen = model or os.environ.get(variable)
    if not chosen:
        raise NeedsError(
            f"backend {backend!r} needs the model file {file_name}: pass model=PATH or set {variable}; "
            f"it is published on {where}"
        )
    path = Path(chosen)
    origin = "model" if model else variable
    if not path.is_file():
        raise DataError(f"{path}: no such model file ({origin}); {backend!r} wants {file_name}, from {where}")
    with open(path, "rb") as file:
        start = file.read(4)
    if start.startswith(b"BZh"):
        raise DataError(f"{path}: the model file is still packed with bzip2 ({origin}); unpack it first")
    # A .task bundle is a zip archive.
    if backend == "mediapipe" and start[:2] != b"PK":
        raise DataError(f"{path}: not a MediaPipe task bundle ({origin}); {file_name} is wanted, from {where}")
    return path


def mediapipe_landmarks(rgb: np.ndarray, box: "FaceBox", model: str | None) -> np.ndarray | None:
    """Return the 68 landmarks, float64 (68, 2), or None if MediaPipe sees no face in the box."""
    mediapipe = _package("mediapipe")
    path = model_path("mediapipe", model)
    landmarker = _once("mediapipe", path, lambda: _open_landmarker(mediapipe, path))
    height, width = rgb.shape[:2]
    margin = box.width / 4
    left, top = max(0, int(box.x - margin)), max(0, int(box.y - margin))
    right, bottom = min(width, int(box.x + box.width + margin) + 1), min(height, int(box.y + box.height + margin) + 1)
    piece = np.ascontiguousarray(rgb[top:bottom, left:right])
    image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=piece)
    faces = landmarker.detect(image).face_landmarks
    if not faces:
        return None
    mesh = np.array([(point.x, point.y) for point in faces[0]])
    if len(mesh) <= max(MEDIAPIPE_TO_68):
        raise DataError(f"{path}: the model gives {len(mesh)} points; the face mesh of 478 is wanted")
    # Coordinates run from 0 to 1 over the picture, edge to edge.
    return mesh[list(MEDIAPIPE_TO_68)] * [right - left, bottom - top] - 0.5 + [left, top]


def dlib_landmarks(rgb: np.ndarray, box: "FaceBox", model: str | None) -> np.ndarray | None:
    """Return the 68 landmarks, float64 (68, 2)."""
    dlib = _package("dlib")
    path = model_path("dlib", model)
    predictor = _once("dlib", path, lambda: _open_predictor(dlib, path))
    edges = (box.x, box.y, box.x + box.width - 1, box.y + box.height - 1)
    shape = predictor(rgb, dlib.rectangle(*map(round, edges)))
    if shape.num_parts != 68:
        raise DataError(f"{path}: the model gives {shape.num_parts} landmarks; the predictor of 68 is wanted")
    return np.array([(shape.part(k).x, shape.part(k).y) for k in range(68)], np.float64)


def _open_landmarker(mediapipe: Any, path: Path) -> Any:
    tasks = mediapipe.tasks
    options = tasks.vision.FaceLandmarkerOptions(
        base_options=tasks.BaseOptions(model_asset_path=str(path)),
        running_mode=tasks.vision.RunningMode.IMAGE,
        num_faces=1,
    )
    try:
        return tasks.vision.FaceLandmarker.create_from_options(options)
    except (RuntimeError, ValueError) as error:
        raise DataError(f"{path}: not a face landmarker model ({_first_line(error)})") from None


def _open_predictor(dlib: Any, path: Path) -> Any:
    try:
        return dlib.shape_predictor(str(path))
    except (RuntimeError, ValueError) as error:
        raise DataError(f"{path}: not a dlib shape predictor ({_first_line(error)})") from None


def _once(backend: str, path: Path, load: Callable[[], Any]) -> Any:
    """Load a model at its first use in this thread; another file, or a changed one, is loaded anew."""
    stat = path.stat()
    key = (str(path.resolve()), stat.st_size, stat.st_mtime_ns)
    held = _loaded.__dict__.get(backend)
    if held is None or held[0] != key:
        held = (key, load())
        _loaded.__dict__[backend] = held
    return held[1]


def _package(name: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise NeedsError(
            f'backend {name!r} needs the package {name}: pip install "microexpr[{name}]" ({_first_line(error)})'
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
