"""Faces in frames: found, followed, marked with 68 landmarks, aligned once per clip, divided into regions."""

# Imported here, not at first use: a function named as its module would be hidden by the module otherwise.
from microexpr.video.faces.align import Align, align, alignment, canonical_landmarks
from microexpr.video.faces.detect import FaceBox, detect_faces, find_face
from microexpr.video.faces.draw import draw
from microexpr.video.faces.landmarks import FaceLandmarks, landmarks
from microexpr.video.faces.regions import region_masks, regions
from microexpr.video.faces.template import mirror_landmarks
from microexpr.video.faces.track import FaceTrack, FaceTracker, track_faces

__all__ = [
    "Align",
    "FaceBox",
    "FaceLandmarks",
    "FaceTrack",
    "FaceTracker",
    "align",
    "alignment",
    "canonical_landmarks",
    "detect_faces",
    "draw",
    "find_face",
    "landmarks",
    "mirror_landmarks",
    "region_masks",
    "regions",
    "track_faces",
]
