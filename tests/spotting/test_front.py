"""The face that is followed: where it is, frame by frame, and where it begins anew."""

import gc
import weakref
from fractions import Fraction
from itertools import islice

import cv2
import numpy as np
import pytest
from toyset.longfaces import blink, expression, film, head_motion

from microexpr.core.errors import DataError, ParameterError
from microexpr.spotting.front import FACE_SIZE, FaceStream
from microexpr.video.faces.align import alignment, canonical_landmarks

NOTHING = np.full((140, 120), 128, np.uint8)
# What a head moves as a whole: corners of the eyes and the bridge of the nose.
RIGID = [36, 39, 42, 45, 27]


@pytest.fixture(scope="module")
def people():
    """A second of each of four people."""
    return [film(seconds=1, subject=subject).read() for subject in range(4)]


@pytest.fixture(scope="module")
def restless():
    return film(head_motion("tilt", 15, 45, 0.07), head_motion("turn", 50, 80, 5.0), seconds=3)


def follow(frames, **params):
    stream = FaceStream(frames, **{"fps": 30, **params})
    return stream, list(stream)


def begun(faces):
    return [face.position for face in faces if face.restart]


def missing(faces):
    return [face.position for face in faces if face.grey is None]


def true_heads(source, positions):
    """Head poses by least squares over true landmarks: shift of the middle of the canonical face, turn, growth."""
    first = source.landmarks(0)
    there = alignment(first, size=FACE_SIZE, padding=0.12)
    eyes = [canonical_landmarks(FACE_SIZE, padding=0.12)[low : low + 6].mean(axis=0) for low in (36, 42)]
    unit = np.hypot(*(eyes[1] - eyes[0]))
    middle = np.array([FACE_SIZE[1] - 1, FACE_SIZE[0] - 1]) / 2
    heads = []
    for position in positions:
        now = source.landmarks(position)[RIGID] @ there[:, :2].T + there[:, 2]
        before = first[RIGID] @ there[:, :2].T + there[:, 2]
        # x' = a x - b y + c and y' = b x + a y + d, as a plain linear system.
        system = np.zeros((2 * len(now), 4))
        system[0::2] = np.column_stack([before[:, 0], -before[:, 1], np.ones(len(now)), np.zeros(len(now))])
        system[1::2] = np.column_stack([before[:, 1], before[:, 0], np.zeros(len(now)), np.ones(len(now))])
        a, b, c, d = np.linalg.lstsq(system, now.ravel(), rcond=None)[0]
        shift = np.array([[a, -b], [b, a]]) @ middle + [c, d] - middle
        heads.append([*(shift / unit), np.arctan2(b, a), np.log(np.hypot(a, b))])
    return np.array(heads)


# The place


def test_a_swaying_head_is_followed_to_a_tenth_of_a_pixel():
    source = film(seconds=2)
    _, faces = follow(source.stream())
    found, true = np.array([face.head for face in faces]), true_heads(source, range(60))
    # A distance between the eyes is 50 pixels of the canonical face.
    assert np.abs(true[:, :2]).max() * 50 > 0.3
    assert np.abs(found - true)[:, :2].max() * 50 < 0.1
    assert np.abs(found - true)[:, 2:].max() < 0.002


def test_a_tilted_head_is_followed(restless):
    _, faces = follow(islice(restless.stream(), 48))
    found, true = np.array([face.head for face in faces]), true_heads(restless, range(48))
    assert true[25:30, 2].min() > 0.065
    assert np.abs(found - true)[:, 2:].max() < 0.005
    # The head tilts about the neck: the face goes sideways by 4 pixels meanwhile.
    assert np.abs(found - true)[:, :2].max() * 50 < 0.5


def test_a_turned_head_is_followed_but_for_its_depth(restless):
    _, faces = follow(restless.stream())
    found, true = np.array([face.head for face in faces]), true_heads(restless, range(90))
    assert true[60:70, 0].min() * 50 > 5
    assert np.abs(found - true)[:, :2].max() * 50 < 2
    # Back where it was.
    assert np.abs(found - true)[82:, :2].max() * 50 < 0.15


def test_the_head_speed_is_that_of_the_pose(restless):
    _, faces = follow(restless.stream())
    heads = np.array([face.head for face in faces])
    steps = np.diff(heads, axis=0)
    expected = (np.hypot(steps[:, 0], steps[:, 1]) + np.abs(steps[:, 2]) + np.abs(steps[:, 3])) * 30
    assert faces[0].speed == 0.0
    np.testing.assert_allclose([face.speed for face in faces[1:]], expected, atol=1e-9)


def test_the_head_is_taken_out_of_the_faces(restless):
    _, faces = follow(restless.stream())
    apart = np.abs(np.diff(restless.read()[[0, 30]].astype(float), axis=0)).mean()
    left = np.abs(faces[30].grey.astype(float) - faces[0].grey).mean()
    assert left < 0.5 * apart


def test_blinks_and_expressions_do_not_move_the_place():
    quiet = film(seconds=1.5, sway=0.0)
    busy = film(blink(5, 14), expression("macro", 15, 25, 40, "26", "L12", "R12"), seconds=1.5, sway=0.0)
    for source in (quiet, busy):
        _, faces = follow(source.stream())
        assert np.abs([face.head[:2] for face in faces]).max() * 50 < 0.25


# Rates


@pytest.mark.parametrize(
    ("fps", "stride"),
    [(5, 1), (10, 1), (25, 1), (29.97, 1), (30, 1), (50, 1), (55.9, 1), (56, 2), (60, 2), (100, 3), (200, 7)],
)
def test_28_to_56_faces_a_second_are_looked_at(fps, stride):
    stream = FaceStream([], fps=fps)
    assert stream.stride == stride
    assert stream.rate == pytest.approx(float(Fraction(fps) / stride))
    assert stream.rate < 56
    assert stream.rate >= min(fps, 28)


def test_faces_are_those_of_every_stride_th_frame(people):
    stream, faces = follow(people[0], fps=100)
    assert [face.position for face in faces] == list(range(0, 30, 3))
    assert stream.n_frames == 30
    _, others = follow(people[0][::3], fps=100 / 3)
    for face, other in zip(faces, others, strict=True):
        np.testing.assert_array_equal(face.grey, other.grey)


# Where it begins, ends, and begins anew


def test_frames_without_a_face_have_none():
    stream, faces = follow([NOTHING] * 5)
    assert [face.grey for face in faces] == [None] * 5
    assert np.isnan([face.speed for face in faces]).all()
    assert [face.head for face in faces] == [None] * 5
    assert not begun(faces)
    assert stream.restarts == []


def test_a_face_that_appears_late_is_found_within_three_frames(people):
    stream, faces = follow([NOTHING] * 10 + list(people[0][:10]))
    [first] = begun(faces)
    assert 10 <= first <= 12
    assert missing(faces) == list(range(first))
    # The first face is no restart of an earlier one.
    assert stream.restarts == []


@pytest.mark.parametrize(("before", "after"), [(0, 1), (1, 2), (2, 3), (3, 0)])
def test_a_cut_to_another_person_begins_anew_at_once(people, before, after):
    stream, faces = follow(np.concatenate([people[before], people[after]]))
    assert begun(faces) == [0, 30]
    assert stream.restarts == [30]
    assert faces[30].head == (0.0, 0.0, 0.0, 0.0)


def test_a_gap_ends_a_face_and_begins_another(people):
    stream, faces = follow([*people[0][:12], *[NOTHING] * 6, *people[0][12:]])
    [_, second] = begun(faces)
    assert stream.restarts == [second]
    assert missing(faces) == list(range(12, second))
    assert 18 <= second <= 20


def test_a_still_picture_and_a_change_of_light_begin_nothing_anew(people):
    frames = [*people[0][:10], *[people[0][10]] * 10, *(people[0][10:] * 0.85).astype(np.uint8)]
    stream, faces = follow(frames)
    assert begun(faces) == [0]
    assert not missing(faces)
    assert stream.restarts == []


def test_every_face_has_the_canonical_landmarks(people):
    _, faces = follow(people[0][:3])
    for face in faces:
        np.testing.assert_array_equal(face.points, canonical_landmarks(FACE_SIZE, padding=0.12))
        assert face.grey.shape == FACE_SIZE
        assert face.grey.dtype == np.uint8


# Which frames


def test_equal_channels_give_the_faces_of_the_grey_frames(people):
    _, grey = follow(people[0][:10])
    _, colour = follow(np.repeat(people[0][:10, ..., None], 3, axis=3))
    for one, other in zip(grey, colour, strict=True):
        np.testing.assert_array_equal(one.grey, other.grey)
        assert one.head == other.head


def test_a_face_that_is_too_small_is_none(people):
    def shrunk(width):
        frames = np.full((4, 140, 120), 128, np.uint8)
        for frame, whole in zip(frames, people[0], strict=False):
            small = cv2.resize(whole, (width, width * 140 // 120), interpolation=cv2.INTER_AREA)
            frame[20 : 20 + len(small), 20 : 20 + width] = small
        return frames

    # Eyes 40 pixels apart in 120: 23 in 70, 8 in 24.
    assert begun(follow(shrunk(70))[1]) == [0]
    assert begun(follow(shrunk(24))[1]) == []


def test_of_two_faces_the_larger_one_is_followed(people):
    small = [cv2.resize(frame, (90, 105), interpolation=cv2.INTER_AREA) for frame in people[1][:6]]
    beside = [cv2.copyMakeBorder(frame, 0, 35, 0, 0, cv2.BORDER_REPLICATE) for frame in small]
    _, faces = follow([np.hstack([other, frame]) for other, frame in zip(beside, people[0], strict=False)])
    (_, large), (_, little) = follow(people[0][:6]), follow(small)
    for face, larger, smaller in zip(faces, large, little, strict=True):
        alike = [np.corrcoef(face.grey.ravel(), alone.grey.ravel())[0, 1] for alone in (larger, smaller)]
        assert alike[0] > 0.9
        assert alike[0] > alike[1] + 0.1


def test_two_faces_are_refused_where_there_must_be_one(people):
    with pytest.raises(DataError, match=r"^two: frame 0: 2 faces .* choose with face=\"largest\""):
        follow(np.concatenate([people[0], people[1]], axis=2), face="only", name="two")


def test_frames_of_another_size_are_refused(people):
    with pytest.raises(DataError, match=r"^film: frame 2 is of size \(138, 120\), the first one of \(140, 120\)$"):
        follow([*people[0][:2], people[0][2][:-2]], name="film")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"fps": 4.9}, r"fps is 4\.9: it must be .*5"),
        ({"fps": float("nan")}, "fps"),
        ({"size": (63, 64)}, "size"),
        ({"face": "smallest"}, "face"),
    ],
)
def test_parameters_out_of_bounds_are_refused(params, message):
    with pytest.raises(ParameterError, match=message):
        FaceStream([], **{"fps": 30, **params})


# Memory


def test_frames_are_read_one_at_a_time_and_let_go_of(people):
    read = 0
    kept = []

    class Frame(np.ndarray):
        """An array that can be weakly referred to."""

    def frames():
        nonlocal read
        for frame in people[0]:
            read += 1
            made = frame.copy().view(Frame)
            kept.append(weakref.ref(made))
            yield made
            del made

    for count, _ in enumerate(FaceStream(frames(), fps=30), start=1):
        assert read == count
        gc.collect()
        assert sum(frame() is not None for frame in kept) <= 1
