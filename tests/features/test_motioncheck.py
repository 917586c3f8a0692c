"""Motion between onset and apex that is too small or too large for an expression."""

import cv2
import numpy as np
import pytest

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.data import make_clips, make_macro_clips
from microexpr.data.synthetic import SyntheticSource
from microexpr.features.motioncheck import clip_fault, motion_fault

# In pixels of a picture of 140 x 120.
EYES = 64.0
SIZE = (140, 120)
CLIPS = make_clips(4, 1, seed=2, duration=(0.02, 0.03), peak_motion=(1.5, 3.0)).clips
# Smaller ones, for what is far from the bounds.
FACE, OTHER = (
    clip.frames()[0] for clip in make_clips(2, 1, seed=3, duration=(0.02, 0.03), size=(70, 60), sway=0.0).clips
)


def _square(speed, *, side=32, place=(50, 40)):
    """Return a flow in which a square moves down, and nothing else."""
    flow = np.zeros((*SIZE, 2))
    flow[place[0] : place[0] + side, place[1] : place[1] + side, 1] = speed
    return flow


def _pair(first, second):
    return Clip("pair", ArraySource(np.stack([first, second])), onset=0, apex=1)


def _eyes(clip):
    corners = clip.source.landmarks(0)[[36, 45]]
    return float(np.linalg.norm(corners[1] - corners[0]))


def test_no_motion_names_value_and_bound():
    # .0035 of 64 pixels are .224.
    said = "it shows no motion: at most {} pixels, and 0.224 (0.0035 of the distance of the eyes) is what noise may be"
    assert motion_fault(np.zeros((*SIZE, 2)), eye_distance=EYES) == said.format("0")
    assert motion_fault(_square(0.2), eye_distance=EYES) == said.format("0.2")
    assert motion_fault(_square(0.25), eye_distance=EYES) is None


def test_motion_is_averaged_over_an_eighth_of_the_distance():
    # A square of 4 x 4 pixels is a quarter of the 8 x 8 averaged over: 1 / 4 pixel and 2 / 4 pixel.
    assert motion_fault(_square(0.8, side=4), eye_distance=EYES).startswith("it shows no motion: at most 0.2 pixels")
    assert motion_fault(_square(2.0, side=4), eye_distance=EYES) is None


def test_a_shift_of_all_is_no_motion_of_the_face_while_it_is_small():
    assert motion_fault(np.full((*SIZE, 2), 2.0), eye_distance=EYES).startswith("it shows no motion: at most 0 pixels")


def test_half_of_the_face_may_move_by_a_bound():
    # .06 of 64 pixels are 3.84.
    flow = _square(1.0)
    flow[..., 0] += 3.8
    assert motion_fault(flow, eye_distance=EYES) is None
    flow[..., 0] += 0.1
    assert motion_fault(flow, eye_distance=EYES) == (
        "motion too large: half of the face moves by 3.9 pixels or more, 0.0609 of the distance of the eyes; at most "
        "0.06 is no turn of the head"
    )


def test_a_part_of_the_face_may_move_by_another():
    # .16 of 64 pixels are 10.24.
    assert motion_fault(_square(-10.0), eye_distance=EYES) is None
    assert motion_fault(_square(-10.5), eye_distance=EYES) == (
        "motion too large: a part of the face moves by 10.5 pixels, 0.164 of the distance of the eyes; at most 0.16 is "
        "an expression"
    )


def test_the_margin_of_the_picture_does_not_count():
    flow = _square(1.0)
    assert motion_fault(flow, eye_distance=EYES) is None
    # 8 x 8 pixels are averaged over: what lies within 8 of the edge does not reach the middle, which begins at 12.
    flow[:, :8] = 30.0
    assert motion_fault(flow, eye_distance=EYES) is None


def test_bounds_grow_with_the_picture():
    for factor in (0.5, 1.0, 3.0):
        for speed, kind in ((0.002, "it shows no motion"), (0.05, None), (0.2, "motion too large")):
            said = motion_fault(_square(speed * EYES * factor), eye_distance=EYES * factor)
            assert (said is None) if kind is None else said.startswith(kind)


@pytest.mark.parametrize("clip", [*CLIPS, *make_macro_clips(2, 1, seed=5).clips], ids=lambda clip: clip.clip_id)
def test_expressions_have_no_fault(clip):
    frames = clip.frames()[[clip.onset, clip.apex]]
    pair = Clip(clip.clip_id, ArraySource(frames), onset=0, apex=1)
    assert clip_fault(pair, eye_distance=_eyes(clip)) is None


def test_noise_of_a_camera_is_no_motion():
    still = {"n_frames": 3, "apex": 1, "offset": 2, "peak": 1e-6, "sway": 0.0}
    for subject in range(2):
        source = SyntheticSource({"L12": 1.0}, subject=subject, noise=1.5, **still)
        clip = Clip("still", source, onset=0, apex=1)
        assert clip_fault(clip, eye_distance=_eyes(clip)).startswith("it shows no motion")


def test_the_same_picture_twice_is_no_motion():
    for picture in (FACE, np.full((70, 60), 90, np.uint8)):
        assert clip_fault(_pair(picture, picture), eye_distance=EYES / 2).startswith(
            "it shows no motion: at most 0 pixels"
        )


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_a_face_that_is_shifted_moves_too_much(share):
    moved = np.roll(FACE, round(share * EYES / 2), axis=1)
    said = clip_fault(_pair(FACE, moved), eye_distance=EYES / 2)
    assert said.startswith("motion too large: ")


def test_a_face_that_comes_nearer_moves_too_much():
    nearer = cv2.warpAffine(FACE, cv2.getRotationMatrix2D((30, 35), 5, 1.2), (60, 70), borderMode=cv2.BORDER_REPLICATE)
    assert clip_fault(_pair(FACE, nearer), eye_distance=EYES / 2).startswith(
        "motion too large: half of the face moves by"
    )


@pytest.mark.parametrize(
    "picture",
    [OTHER, np.full((70, 60), 90, np.uint8), 255 - FACE, FACE[::-1]],
    ids=["person", "wall", "negative", "upside down"],
)
def test_another_picture_is_a_cut(picture):
    said = clip_fault(_pair(FACE, np.ascontiguousarray(picture)), eye_distance=EYES / 2)
    assert said.startswith("motion too large: its apex, moved back, does not give its onset")
    assert said.endswith("at most 0.03 is allowed): a cut, or more motion than can be followed")


@pytest.mark.parametrize("gain", [0.8, 0.93, 1.06])
def test_light_that_changes_is_named(gain):
    lit = np.clip(np.rint(FACE * gain), 0, 255).astype(np.uint8)
    said = clip_fault(_pair(FACE, lit), eye_distance=EYES / 2)
    assert said.startswith("its light changes from onset to apex, which is taken for motion: the mean grey level is")


def test_pictures_may_be_coloured():
    pair = _pair(*(np.repeat(picture[..., None], 3, axis=2) for picture in (FACE, OTHER)))
    assert "does not give its onset" in clip_fault(pair, eye_distance=EYES / 2)


def test_a_clip_without_apex_or_frames_is_an_error():
    with pytest.raises(NeedsError, match="pair: the apex is unknown"):
        clip_fault(Clip("pair", ArraySource(np.stack([FACE, FACE]))), eye_distance=EYES / 2)
    with pytest.raises(NeedsError, match="map: a stored flow map has no frames"):
        clip_fault(Clip("map", FlowMapSource("map.png")), eye_distance=EYES / 2)


@pytest.mark.parametrize("eye_distance", [0, -3.0, float("nan"), float("inf"), "64", None])
def test_a_distance_that_cannot_be_is_an_error(eye_distance):
    with pytest.raises(ParameterError, match="eye_distance is"):
        motion_fault(np.zeros((*SIZE, 2)), eye_distance=eye_distance)


@pytest.mark.parametrize(
    ("flow", "match"),
    [
        (np.zeros((9, 9, 3)), "flow is no float array"),
        (np.zeros((9, 9, 2), int), "flow is no float array"),
        ([[0.0]], "flow is no float array"),
        (np.zeros((0, 9, 2)), "is empty"),
        (np.full((9, 9, 2), np.nan), "holds NaN or infinity"),
    ],
)
def test_what_is_no_flow_is_an_error(flow, match):
    with pytest.raises(DataError, match=match):
        motion_fault(flow, eye_distance=EYES)
