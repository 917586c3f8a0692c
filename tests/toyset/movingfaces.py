"""Faces as the front end gives them: skin-like texture in the canonical place, one corner of the mouth moves."""

import cv2
import numpy as np

from microexpr.spotting.method import FaceFrame
from microexpr.video.faces.align import canonical_landmarks

SIZE = (84, 72)
POINTS = canonical_landmarks(SIZE, padding=0.12)


def cosine_course(n_frames, onset, offset):
    """How far an expression has come: 0 at its onset and offset, 1 in the middle, a raised cosine."""
    course = np.zeros(n_frames)
    way = np.linspace(0.0, 1.0, offset - onset + 1)
    course[onset : offset + 1] = 0.5 - 0.5 * np.cos(2 * np.pi * way)
    return course


def pictures(course, *, seed=0, noise=0.0, motion=(0.5, -2.0)):
    """uint8 frames in which the skin about the right corner of the mouth moves by course * motion, in pixels."""
    rng = np.random.default_rng(seed)
    skin = cv2.GaussianBlur(rng.standard_normal(SIZE), (0, 0), 1.5)
    skin = (128 + 45 * skin / skin.std()).clip(0, 255).astype(np.float32)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    bump = np.exp(-((x - POINTS[48, 0]) ** 2 + (y - POINTS[48, 1]) ** 2) / (2 * 7.0**2)).astype(np.float32)
    for height in course:
        moved = cv2.remap(
            *(skin, x - np.float32(motion[0] * height) * bump, y - np.float32(motion[1] * height) * bump),
            interpolation=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        yield np.clip(np.rint(moved + noise * rng.standard_normal(SIZE)), 0, 255).astype(np.uint8)


def faces(greys, *, restarts=(0,), missing=(), fast=()):
    """FaceFrames, one at a time; a restart at some positions, no face at others, a fast head at others."""
    for position, grey in enumerate(greys):
        if position in missing:
            yield FaceFrame(position, None, POINTS, float("nan"), False)
        else:
            yield FaceFrame(position, grey, POINTS, 9.0 if position in fast else 0.0, position in restarts)
