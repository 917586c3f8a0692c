import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from sklearn.base import clone

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource, VideoSource
from microexpr.video import optical_flow
from microexpr.video.faces import Align, align, alignment, canonical_landmarks, landmarks
from microexpr.video.faces.stabilize import _denoised, stabilizing
from microexpr.video.faces.template import transform_points

ANCHORS = [36, 39, 42, 45, 27, 28, 29, 30, 33]


def noisy(frame, n_frames, sigma=2.0, seed=0):
    noise = np.random.default_rng(seed).normal(0, sigma, (n_frames, *frame.shape))
    return np.clip(np.round(frame + noise), 0, 255).astype(np.uint8)


def mean_flow(frames, step=1):
    grey = frames if frames.ndim == 3 else frames[..., 1]
    pairs = list(pairwise(grey))[::step]
    return np.mean([np.linalg.norm(optical_flow(*(np.array(f) for f in pair)), axis=-1).mean() for pair in pairs])


def test_the_canonical_face_fits_the_picture_with_its_padding():
    for size in ((280, 230), (100, 200), (64, 64)):
        points = canonical_landmarks(size, padding=0.1)
        low, high = points.min(axis=0), points.max(axis=0)
        np.testing.assert_allclose((low + high) / 2, [(size[1] - 1) / 2, (size[0] - 1) / 2])
        filled = (high - low) * 1.2 / [size[1], size[0]]
        assert filled.max() == pytest.approx(1.0)


def test_alignment_brings_a_turned_and_shrunk_face_to_its_place():
    there = canonical_landmarks()
    angle = np.deg2rad(20)
    turn = 0.7 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = there @ turn.T + [50, 9]
    np.testing.assert_allclose(transform_points(points, alignment(points)), there, atol=1e-9)


def test_expressions_do_not_move_the_alignment():
    points = canonical_landmarks() * 1.3
    moved = points.copy()
    moved[17:27] += [0, -9]
    moved[48:68] += [4, 7]
    np.testing.assert_array_equal(alignment(points), alignment(moved))


def test_a_known_face_lands_on_its_canonical_place(synthetic):
    source, frames = synthetic()
    aligned = align(frames, source.landmarks(0), size=(280, 230))
    found = landmarks(aligned[0])
    assert found.source == "eyes"
    error = np.linalg.norm(found.points - canonical_landmarks(), axis=1)
    assert error[ANCHORS].mean() < 3.0


@pytest.mark.parametrize("stabilize", [False, True])
def test_a_still_face_stays_still(face, stabilize):
    frames = noisy(face, 50)
    aligned = align(frames, stabilize=stabilize, size=(140, 120))
    assert mean_flow(aligned, step=5) < 0.05


@pytest.mark.real
@pytest.mark.parametrize("stabilize", [False, True])
def test_a_still_real_face_stays_still(real_videos, stabilize):
    frame = VideoSource(real_videos / "single_face.mp4", stop=1).read()[0]
    aligned = align(noisy(frame, 50), stabilize=stabilize)
    assert mean_flow(aligned, step=5) < 0.05


def test_without_stabilisation_every_frame_gets_the_same_transform(face):
    frames = np.stack([face, 255 - face, face])
    aligned = align(frames, size=(140, 120))
    np.testing.assert_array_equal(aligned[0], aligned[2])
    # Rounding, and values cut to 0..255, are all that is not linear.
    assert np.median(np.abs(255 - aligned[1].astype(int) - aligned[0])) <= 1


@pytest.mark.parametrize("subject", [0, 1])
def test_stabilisation_finds_a_known_sway(synthetic, subject):
    source, frames = synthetic(subject, sway=1.0, n_frames=30)
    truth = [source.landmarks(number) for number in range(30)]
    matrix = alignment(truth[0])
    start = transform_points(truth[0], matrix)[ANCHORS]
    moves = stabilizing(frames, matrix, canonical_landmarks())
    ends = [transform_points(points, matrix)[ANCHORS] for points in truth]
    motion = np.mean([np.linalg.norm(end - start, axis=1) for end in ends])
    error = np.mean(
        [np.linalg.norm(transform_points(start, move) - end, axis=1) for move, end in zip(moves, ends, strict=True)]
    )
    assert motion > 0.2
    assert error < 0.08
    assert error < 0.4 * motion


def test_stabilisation_does_not_take_flicker_for_motion(face):
    gains = 1 + 0.1 * np.sin(np.arange(12))
    frames = np.stack([np.clip(gain * face, 0, 255).astype(np.uint8) for gain in gains])
    matrix = alignment(landmarks(face))
    moves = stabilizing(frames, matrix, canonical_landmarks())
    corners = canonical_landmarks()[:17]
    assert max(np.abs(transform_points(corners, move) - corners).max() for move in moves) < 0.05


def test_stabilisation_that_cannot_follow_names_the_frame(face):
    frames = np.stack([face, face, np.random.default_rng(0).integers(0, 256, face.shape, dtype=np.uint8)])
    with pytest.raises(DataError, match=r"^clip7: frame 2: the bridge of the nose does not match the first frame's"):
        align(frames, stabilize=True, name="clip7")
    blank = np.full((2, 280, 230), 90, np.uint8)
    with pytest.raises(DataError, match="frame 0: the bridge of the nose has no texture"):
        align(blank, canonical_landmarks(), stabilize=True)


def test_smoothing_removes_noise_and_keeps_a_course_without():
    rng = np.random.default_rng(0)
    still = rng.normal(0, 0.1, 60)
    assert np.abs(np.diff(_denoised(still))).mean() < 0.2 * np.abs(np.diff(still)).mean()
    ramp = np.linspace(0, 5, 60) ** 2
    np.testing.assert_array_equal(_denoised(ramp), ramp)


def test_colour_stays_colour(face):
    assert align(np.repeat(face[None, ..., None], 3, axis=3), size=(60, 50)).shape == (1, 60, 50, 3)


def test_no_face_or_several_in_the_first_frame_are_refused_by_clip(face):
    with pytest.raises(DataError, match=r"^clip7: frame 0: no face is found"):
        align(np.full((2, 100, 100), 90, np.uint8), name="clip7")
    two = np.concatenate([face, face], axis=1)
    with pytest.raises(DataError, match=r"^clip7: frame 0: 2 faces"):
        align(two[None], name="clip7")
    assert align(two[None], face="largest").shape == (1, 280, 230)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((2, 60, 60), np.uint16), "dtype uint16"),
        (np.zeros((2, 60, 60, 4), np.uint8), "alpha channel"),
        (np.zeros((2, 60, 60)), "dtype float64"),
        (np.zeros((0, 60, 60), np.uint8), "empty"),
    ],
)
def test_frames_of_another_kind_are_refused(frames, message):
    with pytest.raises(DataError, match=message):
        align(frames)


def test_landmarks_that_are_none_are_refused(face):
    with pytest.raises(DataError, match=r"landmarks are an array of shape \(5, 2\); 68 points"):
        align(face[None], np.zeros((5, 2)))
    with pytest.raises(DataError, match="points that are not finite"):
        alignment(np.full((68, 2), np.nan))
    with pytest.raises(DataError, match="all lie in one point"):
        alignment(np.ones((68, 2)))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"size": (280, 8)}, r"size\[1\] is 8"),
        ({"padding": -0.1}, "padding is -0.1"),
        ({"backend": "x"}, "backend is 'x'"),
        ({"model": "x"}, 'backend "opencv" reads no model file'),
        ({"face": "x"}, "face is 'x'"),
        ({"stabilize": 1}, "stabilize is 1"),
        ({"max_roll": -1}, "max_roll is -1"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(face, params, message):
    with pytest.raises(ParameterError, match=message):
        align(face[None], **params)
    with pytest.raises(ParameterError, match=message):
        Align(**params).fit([face[None]])


def test_the_step_gives_what_the_function_gives_and_keeps_positions(synthetic):
    frames = synthetic()[1]
    clip = Clip("toy/sub01/a", ArraySource(frames), onset=0, apex=1, offset=2, fps=200.0)
    (mapped,) = Align((140, 120)).fit_transform([clip])
    np.testing.assert_array_equal(mapped.frames(), align(frames, size=(140, 120)))
    assert (mapped.onset, mapped.apex, mapped.offset, mapped.fps) == (0, 1, 2, 200.0)


def test_the_step_names_the_clip_and_refuses_flow_maps():
    (mapped,) = Align().transform([Clip("toy/sub01/a", ArraySource(np.zeros((2, 60, 60), np.uint8)))])
    with pytest.raises(DataError, match=r"^toy/sub01/a: frame 0: no face is found"):
        mapped.frames()
    with pytest.raises(NeedsError, match="toy/sub01/map"):
        Align().transform([Clip("toy/sub01/map", FlowMapSource("map.png"))])


def test_the_step_clones_and_its_parameters_change_the_fingerprint(face):
    steps = (Align(), Align((140, 120)), Align(padding=0.2), Align(stabilize=True), Align(face="largest"))
    assert len({step.transform([face[None]])[0].fingerprint() for step in steps}) == 5
    assert clone(Align((140, 120), stabilize=True)).get_params()["stabilize"] is True


def test_importing_the_package_imports_neither_opencv_nor_a_backend():
    code = (
        "import sys, microexpr.video.faces; print([m for m in ('cv2', 'mediapipe', 'dlib', 'av') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_fingerprint_follows_the_model_files_content(face, tmp_path, monkeypatch):
    prints = []
    for content in (b"one", b"two"):
        (tmp_path / "shape.dat").write_bytes(content)
        monkeypatch.setenv("MICROEXPR_DLIB_SHAPE", str(tmp_path / "shape.dat"))
        prints.append(Align(backend="dlib").transform([face[None]])[0].fingerprint())
    assert prints[0] != prints[1]


@pytest.mark.real
def test_a_broken_off_video_says_where(real_videos, tmp_path):
    whole = (real_videos / "single_face.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    clip = Clip("toy/sub01/a", VideoSource(tmp_path / "cut.mp4"))
    with pytest.raises(DataError, match=r"cut\.mp4: cannot be decoded"):
        Align().transform([clip])
