"""Where faces lie in training pictures, and a stranger's clip brought to that place."""

import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NoAnswer, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.data import make_clips
from microexpr.pipelines import framing
from microexpr.pipelines.framing import Framing, frame_clip, measure_framing
from microexpr.video.faces import canonical_landmarks, find_face, landmarks

CLIPS = make_clips(n_subjects=3, clips_per_subject=1, duration=(0.04, 0.05), fps=100.0).clips
FRAMING = measure_framing(CLIPS)
CORNERS = [36, 45]


def _corners(frame):
    return np.asarray(landmarks(frame, find_face(frame, face="largest")))[CORNERS]


def _in_a_room(clip, *, scale, left, top, size=(360, 480)):
    """Return the clip's pictures, enlarged, within larger ones."""
    frames = clip.frames()
    room = np.full((len(frames), *size), 90, np.uint8)
    for there, frame in zip(room, frames, strict=True):
        larger = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else 1)
        there[top : top + larger.shape[0], left : left + larger.shape[1]] = larger
    return Clip("room", ArraySource(room), onset=0, offset=len(room) - 1)


def test_the_place_is_the_mean_of_the_corners_of_the_eyes():
    found = [(_corners(clip.frames()[0]) + 0.5) / [120, 140] for clip in CLIPS]
    assert FRAMING.size == (140, 120)
    assert FRAMING.measured
    assert np.asarray(FRAMING.corners) == pytest.approx(np.mean(found, axis=0), abs=1e-4)


def test_a_clip_like_those_of_the_training_is_left_as_it_is():
    for clip in CLIPS:
        assert frame_clip(clip, FRAMING) == (clip, False)


def test_a_face_in_a_room_comes_where_training_faces_are():
    room = _in_a_room(CLIPS[0], scale=1.6, left=200, top=60)
    framed, aligned = frame_clip(room, FRAMING)
    assert aligned
    frames = framed.frames()
    assert frames.shape == (room.n_frames, 140, 120)
    target = np.asarray(FRAMING.corners) * [120, 140] - 0.5
    # The eyes are found again to a pixel or two of 64 between them.
    assert np.abs(_corners(frames[0]) - target).max() < 3


def test_all_frames_move_alike():
    room = _in_a_room(CLIPS[0], scale=1.6, left=200, top=60)
    still = Clip("still", ArraySource(np.repeat(room.frames()[:1], 4, axis=0)))
    frames = frame_clip(still, FRAMING)[0].frames()
    assert (frames == frames[0]).all()


def test_the_similarity_is_that_of_the_corners():
    room = _in_a_room(CLIPS[0], scale=1.6, left=200, top=60)
    first = room.frames()[0]
    here, target = _corners(first), np.asarray(FRAMING.corners) * [120, 140] - 0.5
    # The same by OpenCV: two points decide scale, turn and shift.
    matrix, _ = cv2.estimateAffinePartial2D(here, target)
    blurred = cv2.GaussianBlur(first, (0, 0), 0.5 * np.sqrt(np.linalg.norm(matrix[:, 0]) ** -2 - 1))
    expected = cv2.warpAffine(blurred, matrix, (120, 140), flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    given = frame_clip(room, FRAMING)[0].frames()[0]
    assert np.abs(given.astype(int) - expected.astype(int)).max() <= 2


def test_always_resamples_and_never_does_not():
    room = _in_a_room(CLIPS[0], scale=1.6, left=200, top=60)
    assert frame_clip(CLIPS[0], FRAMING, align="always")[1]
    assert frame_clip(room, FRAMING, align="never") == (room, False)


def test_a_clip_of_another_size_is_resampled_though_its_face_fills_it():
    frames = np.stack([cv2.resize(frame, (240, 280)) for frame in CLIPS[0].frames()])
    framed, aligned = frame_clip(Clip("large", ArraySource(frames)), FRAMING)
    assert aligned
    assert framed.frames().shape[1:] == (140, 120)


def test_a_clip_without_a_face_is_an_error():
    empty = Clip("wall", ArraySource(np.full((3, 200, 200), 90, np.uint8)))
    with pytest.raises(DataError, match="wall: no face is found in its first frame; align='never'"):
        frame_clip(empty, FRAMING)


@pytest.mark.parametrize("size", [(360, 480), (200, 300)], ids=["large room", "small room"])
def test_a_face_too_small_has_no_answer_but_its_size_and_the_rule(size):
    # The eyes lie some 64 pixels apart in the clips: 27 here, and 19.
    assert frame_clip(_in_a_room(CLIPS[0], scale=0.42, left=200, top=60, size=size), FRAMING)[1]
    room = _in_a_room(CLIPS[0], scale=0.3, left=200, top=60, size=size)
    with pytest.raises(NoAnswer) as caught:
        frame_clip(room, FRAMING)
    said = re.fullmatch(
        r"room: its face is too small: the outer corners of the eyes lie ([\d.]+) pixels apart; micro-motion is "
        r"measured from 24",
        str(caught.value),
    )
    assert 18 < float(said[1]) < 21
    assert frame_clip(room, FRAMING, align="never") == (room, False)


def test_training_faces_that_are_smaller_set_the_rule():
    # A fifth of 120 x 140: eyes some 13 pixels apart, nine tenths of them 12.
    small = replace(FRAMING, size=(28, 24))
    assert frame_clip(_in_a_room(CLIPS[0], scale=0.3, left=200, top=60, size=(200, 300)), small)[1]
    first, second = np.asarray(FRAMING.corners) * [24, 28]
    tiny = _in_a_room(CLIPS[0], scale=0.15, left=60, top=60, size=(100, 100))
    with pytest.MonkeyPatch.context() as patch:
        # Faces as small are hard to find: this one is where it was put.
        patch.setattr(framing, "_find_corners", lambda *_, **__: np.array([[0.0, 0.0], [9.0, 0.0]]))
        with pytest.raises(NoAnswer, match=rf"lie 9 pixels apart; .* from {0.9 * np.linalg.norm(second - first):.3g}$"):
            frame_clip(tiny, small)


def test_a_flow_map_is_left_as_it_is():
    stored = Clip("map", FlowMapSource("map.png"))
    assert frame_clip(stored, FRAMING) == (stored, False)


def test_without_pictures_the_place_is_the_usual_one():
    framing = measure_framing([Clip("map", FlowMapSource("map.png"))])
    assert (framing.size, framing.measured) == ((280, 230), False)
    usual = canonical_landmarks((280, 230))[CORNERS]
    assert np.asarray(framing.corners) * [230, 280] - 0.5 == pytest.approx(usual, abs=0.02)


def test_where_most_pictures_show_no_face_the_place_is_the_usual_one():
    walls = [Clip(f"wall {number}", ArraySource(np.full((2, 140, 120), 90, np.uint8))) for number in range(2)]
    assert not measure_framing([CLIPS[0], *walls]).measured
    assert measure_framing([*CLIPS[:2], walls[0]]).measured


def test_facts_come_back():
    assert Framing.from_facts(FRAMING.facts()) == FRAMING


def test_another_alignment_is_refused():
    with pytest.raises(ParameterError, match="align is 'sometimes'"):
        frame_clip(CLIPS[0], FRAMING, align="sometimes")
