"""Faces brought to one place and size, with one transform per clip so that aligning adds no motion of its own."""

__all__ = ["Align", "align", "alignment", "canonical_landmarks"]


import numpy as np

from microexpr.core.base import ClipMap
from microexpr.core.checks import check_choice, check_float, check_int_tuple
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.filehash import content_digest
from microexpr.core.frames import check_frames
from microexpr.video.faces._frame import check_pixels
from microexpr.video.faces.detect import CHOICES, find_face
from microexpr.video.faces.landmarks import check_backend, landmarks
from microexpr.video.faces.template import TEMPLATE, fit_similarity

# What expressions move least: the corners of the eyes, the bridge of the nose and its base.
_ANCHORS = [36, 39, 42, 45, 27, 28, 29, 30, 33]
_SMALLEST = 16


def canonical_landmarks(size: tuple[int, int] = (280, 230), *, padding: float = 0.1) -> np.ndarray:
    """Return where the mean shape lies in an aligned picture.

    Its bounding box (temple to temple, brows to chin), grown by `padding` of its width and height on every side, fits
    the picture in one direction and is centred in the other.

    Parameters
    ----------
    size : (height, width), ints >= 16, in pixels
    padding : float in [0, 2]

    Returns
    -------
    float64 ndarray of shape (68, 2)
        x and y in pixels.

    Raises
    ------
    ParameterError
        If a parameter is not allowed.
    """
    height, width = check_int_tuple(size, "size", 2, minimum=_SMALLEST)
    padding = check_float(padding, "padding", minimum=0.0, maximum=2.0)
    low, high = TEMPLATE.min(axis=0), TEMPLATE.max(axis=0)
    scale = float((np.array([width, height]) / ((high - low) * (1 + 2 * padding))).min())
    return np.asarray((TEMPLATE - (low + high) / 2) * scale + [(width - 1) / 2, (height - 1) / 2])


def alignment(points: object, *, size: tuple[int, int] = (280, 230), padding: float = 0.1) -> np.ndarray:
    """Find the similarity that brings a face to its canonical place.

    Least squares over the corners of the eyes, the bridge of the nose and its base (landmarks 36, 39, 42, 45, 27-30
    and 33), which expressions move least, onto `canonical_landmarks`. Scale, rotation and translation: proportions of
    the face are kept.

    Parameters
    ----------
    points : FaceLandmarks or float array of shape (68, 2), in pixels
    size : (height, width), ints >= 16, in pixels
    padding : float in [0, 2]
        Margin around brows, chin and temples, as a fraction of the face's height and width.

    Returns
    -------
    float64 ndarray of shape (2, 3)
        A point p = (x, y) of the frame goes to ``matrix[:, :2] @ p + matrix[:, 2]``.

    Raises
    ------
    DataError
        If `points` are not 68 finite points, or all anchors coincide.
    ParameterError
        If `size` or `padding` is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> there = canonical_landmarks((140, 120))
    >>> matrix = alignment(2 * there + [30, 40], size=(140, 120))
    >>> (matrix.round(6) + 0.0).tolist()
    [[0.5, 0.0, -15.0], [0.0, 0.5, -20.0]]
    """
    target = canonical_landmarks(size, padding=padding)
    points = check_points(points)
    if np.ptp(points[_ANCHORS], axis=0).max() < 1e-6:
        raise DataError("the landmarks of eyes and nose all lie in one point: there is no face to align")
    return fit_similarity(points[_ANCHORS], target[_ANCHORS])


def align(
    frames: np.ndarray,
    points: object = None,
    *,
    size: tuple[int, int] = (280, 230),
    padding: float = 0.1,
    backend: str = "opencv",
    model: str | None = None,
    face: str = "only",
    max_roll: float = 0.0,
    stabilize: bool = False,
    name: str = "frames",
) -> np.ndarray:
    """Bring the face of a clip to its canonical place and size.

    1. Find the face and its landmarks in the first frame (unless `points` are given).
    2. Find the one similarity that brings them to the canonical place (`alignment`).
    3. With `stabilize`, find for each later frame how the stable region (bridge of the nose, inner corners of the eyes)
       has moved as a rigid body since the first (`stabilizing`), and take that motion out.
    4. Resample every frame once: blurred as much as shrinking asks for, then with Lanczos' kernel over 8 x 8
       pixels. What lies outside the frame continues its edge.

    Parameters
    ----------
    frames : uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        Channels in the order R, G, B.
    points : FaceLandmarks or float array of shape (68, 2), in pixels, or None
        Landmarks of the first frame.
    size : (height, width), ints >= 16, in pixels
    padding : float in [0, 2]
        Margin around brows, chin and temples, as a fraction of the face's height and width.
    backend, model
        See `landmarks`.
    face : {"only", "largest"}
        See `find_face`.
    max_roll : float in [0, 180], in degrees
        How far the face may be turned in the picture; see `detect_faces`.
    stabilize : bool
        Take out the head's own motion within the picture.
    name : str
        What messages call the clip.

    Returns
    -------
    uint8 ndarray of shape (n_frames, *size) or (n_frames, *size, 3)

    Raises
    ------
    DataError
        If `frames` is no clip of 8-bit frames, or there is no face in the first frame, or several; or a frame
        cannot be stabilised.
    NeedsError
        If the backend or its model file is missing.
    ParameterError
        If a parameter is not allowed.

    Notes
    -----
    Aligning each frame by its own landmarks would add their trembling, some tenths of a pixel at best, to motion
    that is itself no larger. The first frame is the clip's own first frame, whether or not that is the onset.

    Examples
    --------
    >>> import numpy as np
    >>> frames = np.random.default_rng(0).integers(0, 256, (5, 200, 160), dtype=np.uint8)
    >>> points = canonical_landmarks((200, 160))
    >>> align(frames, points, size=(100, 80)).shape
    (5, 100, 80)
    """
    import cv2

    _check_params(size, padding, backend, model, face, max_roll, stabilize)
    check_pixels(frames, name=name)
    frames = check_frames(frames, name=name)
    if points is None:
        box = find_face(frames[0], face=face, max_roll=max_roll, name=f"{name}: frame 0")
        points = landmarks(frames[0], box, backend=backend, model=model, name=f"{name}: frame 0")
    matrix = alignment(points, size=size, padding=padding)
    height, width = size
    back = cv2.invertAffineTransform(matrix)
    ways = [back] * len(frames)
    if stabilize:
        from microexpr.video.faces.stabilize import stabilizing

        region = canonical_landmarks(size, padding=padding)
        moves = stabilizing(frames, matrix, region, name=name)
        ways = [np.asarray(back @ np.vstack([move, (0, 0, 1)])) for move in moves]
    # Frames are sharper than a smaller picture can show; unblurred, fine texture would turn into false motion.
    shrinking = float(np.hypot(*back[:, 0]))
    sigma = 0.5 * float(np.sqrt(max(shrinking**2 - 1.0, 0.0)))
    aligned = np.empty((len(frames), height, width, *frames.shape[3:]), np.uint8)
    for position, (frame, way) in enumerate(zip(frames, ways, strict=True)):
        if sigma > 0.1:
            frame = cv2.GaussianBlur(frame, (0, 0), sigma)
        aligned[position] = cv2.warpAffine(
            np.ascontiguousarray(frame),
            way,
            (width, height),
            flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return aligned


class Align(ClipMap):
    """Bring the face of each clip to its canonical place and size; see `align`.

    Parameters
    ----------
    size : (height, width), ints >= 16, in pixels
    padding : float in [0, 2]
    backend : {"opencv", "mediapipe", "dlib"}
    model : path or None
    face : {"only", "largest"}
    max_roll : float in [0, 180], in degrees
    stabilize : bool

    Notes
    -----
    With "mediapipe" and "dlib", the content of the model file is part of the new clips' fingerprints.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> clips = make_clips(n_subjects=1, clips_per_subject=1, size=(420, 360)).clips
    >>> Align((140, 120)).fit_transform(clips)[0].frames().shape[1:]
    (140, 120)
    """

    version = 1

    def __init__(
        self,
        size: tuple[int, int] = (280, 230),
        padding: float = 0.1,
        backend: str = "opencv",
        model: str | None = None,
        face: str = "only",
        max_roll: float = 0.0,
        stabilize: bool = False,
    ) -> None:
        self.size = size
        self.padding = padding
        self.backend = backend
        self.model = model
        self.face = face
        self.max_roll = max_roll
        self.stabilize = stabilize

    def check_params(self) -> None:  # noqa: D102
        _check_params(self.size, self.padding, self.backend, self.model, self.face, self.max_roll, self.stabilize)

    def map_clip(self, clip: Clip) -> np.ndarray:
        """Return the aligned frames, uint8.

        Raises
        ------
        NeedsError
            If the clip has no pixels, or the backend or its model file is missing.
        DataError
            If the frames cannot be read, the first has no face or several, or a frame cannot be stabilised.
        """
        return align(
            clip.frames(),
            size=self.size,
            padding=self.padding,
            backend=self.backend,
            model=self.model,
            face=self.face,
            max_roll=self.max_roll,
            stabilize=self.stabilize,
            name=clip.clip_id,
        )

    def key_facts(self) -> dict[str, object]:
        """Return the digest of the model file's content, where there is one."""
        if self.backend == "opencv":
            return {}
        from microexpr.video.faces._models import model_path

        return {"model": content_digest((str(model_path(self.backend, self.model)),))}


def check_points(points: object) -> np.ndarray:
    """Return landmarks as float64 (68, 2), refusing whatever are none."""
    array = np.asarray(points, np.float64)
    if array.shape != (68, 2) or not np.isfinite(array).all():
        what = f"an array of shape {array.shape}" if array.shape != (68, 2) else "points that are not finite"
        raise DataError(f"landmarks are {what}; 68 points (x, y) are needed")
    return array


def _check_params(
    size: object, padding: object, backend: str, model: str | None, face: object, max_roll: object, stabilize: object
) -> None:
    check_int_tuple(size, "size", 2, minimum=_SMALLEST)
    check_float(padding, "padding", minimum=0.0, maximum=2.0)
    check_backend(backend, model)
    check_choice(face, "face", CHOICES)
    check_float(max_roll, "max_roll", minimum=0.0, maximum=180.0)
    if not isinstance(stabilize, bool):
        raise ParameterError(f"stabilize is {stabilize!r}: it must be True or False")
