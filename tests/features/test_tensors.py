from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.features.flowmap import FlowMap, flow_map
from microexpr.features.tensors import FlowImage, FrameAndFlow, Stills, Volume, frame_and_flow
from microexpr.testing import check_clip_transformer
from microexpr.video import TIM, Pad, Resize, optical_flow

STEPS = [Stills(), Volume(), FlowImage(size=12, method="dis"), FrameAndFlow(size=(10, 12))]


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def numbered(n_frames=9):
    """Frames whose grey level is ten times their position."""
    return np.repeat(10 * np.arange(n_frames, dtype=np.uint8), 12).reshape(n_frames, 3, 4)


def clip_of(frames, **positions):
    return Clip("toy/s1/a", ArraySource(frames), **{"onset": 1, "apex": 4, "offset": 7, **positions})


def stored(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "map.png")
    return Clip("toy/s1/map", FlowMapSource(tmp_path / "map.png"))


def textured(height=48, width=40, seed=0):
    return cv2.GaussianBlur(noise(height, width, seed=seed), (0, 0), 2)


# Stills


@pytest.mark.parametrize(
    ("positions", "greys"),
    [
        (("apex",), [40]),
        (("onset", "apex", "offset"), [10, 40, 70]),
        (("offset", "onset"), [70, 10]),
        # Halfway between 1 and 4 lies 2.5.
        (("onset", "middle", "apex"), [10, 30, 40]),
    ],
)
def test_stills_are_the_frames_named_in_the_order_named(positions, greys):
    [row] = Stills(positions).transform([clip_of(numbered())])
    assert row.dtype == np.uint8
    assert row.shape == (len(greys), 3, 4)
    np.testing.assert_array_equal(row, np.broadcast_to(np.reshape(greys, (-1, 1, 1)), row.shape))


def test_the_apex_alone_is_the_default():
    [row] = Stills().transform([clip_of(numbered())])
    np.testing.assert_array_equal(row, np.full((1, 3, 4), 40))


@pytest.mark.parametrize(("apex", "middle"), [(1, 10), (2, 10), (3, 20), (8, 40)])
def test_without_an_onset_the_first_frame_counts_as_it(apex, middle):
    [row] = Stills(("onset", "middle")).transform([clip_of(numbered(), onset=None, apex=apex)])
    assert row[:, 0, 0].tolist() == [0, middle]


def test_colour_gives_red_green_and_blue_of_each_frame_in_turn():
    frames = noise(9, 3, 4, 3)
    [row] = Stills(("onset", "apex"), colour=True).transform([clip_of(frames)])
    assert row.dtype == np.uint8
    for channel, (position, colour) in enumerate([(1, 0), (1, 1), (1, 2), (4, 0), (4, 1), (4, 2)]):
        np.testing.assert_array_equal(row[channel], frames[position, :, :, colour])


def test_colour_of_a_grey_clip_is_its_grey_three_times():
    [row] = Stills(("onset", "apex"), colour=True).transform([clip_of(numbered())])
    assert row[:, 0, 0].tolist() == [10, 10, 10, 40, 40, 40]


def test_without_colour_a_colour_clip_gives_its_luma():
    frames = np.zeros((9, 3, 4, 3), np.uint8)
    frames[4] = 200, 100, 50
    # 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2
    np.testing.assert_array_equal(Stills().transform([clip_of(frames)])[0], np.full((1, 3, 4), 124))


@pytest.mark.parametrize(
    ("position", "unknown", "message"),
    [
        ("apex", "apex", "toy/s1/a: the apex is unknown; add a step that finds it"),
        ("middle", "apex", "toy/s1/a: the apex, and with it the middle, is unknown"),
        ("offset", "offset", "toy/s1/a: the offset is unknown"),
    ],
)
def test_a_position_that_a_clip_lacks_is_named_with_the_clip(position, unknown, message):
    with pytest.raises(NeedsError, match=f"^{message}"):
        Stills((position,)).transform([clip_of(numbered(), **{unknown: None})])


def test_a_position_that_is_not_asked_for_may_be_unknown():
    assert Stills(("onset",)).transform([clip_of(numbered(), apex=None, offset=None)])[0, 0, 0, 0] == 10


def test_clips_of_different_sizes_are_refused_and_padding_makes_them_one():
    clips = [clip_of(noise(9, 30, 24)), clip_of(noise(9, 28, 26))]
    with pytest.raises(DataError, match=r"features of shape \(1, 28, 26\).*brings all clips to one size"):
        Stills().transform(clips)
    rows = make_pipeline(Pad((32, 32)), Stills()).transform(clips)
    np.testing.assert_array_equal(rows[1, 0, 2:30, 3:29], clips[1].frames()[4])


# Volume


def test_a_volume_is_all_frames():
    frames = noise(9, 11, 13)
    rows = Volume().transform([frames])
    assert rows.dtype == np.uint8
    np.testing.assert_array_equal(rows, frames[None])


def test_a_volume_of_colour_is_its_luma():
    frames = np.zeros((3, 4, 5, 3), np.uint8)
    frames[1] = 200, 100, 50
    np.testing.assert_array_equal(Volume().transform([frames])[0], np.repeat([0, 124, 0], 20).reshape(3, 4, 5))


def test_volumes_of_one_length_are_needed_and_interpolation_makes_them_so():
    clips = [noise(20, 30, 24), noise(25, 40, 24)]
    with pytest.raises(DataError, match=r"features of shape \(25, 40, 24\)"):
        Volume().transform(clips)
    assert make_pipeline(TIM(18), Resize((64, 64)), Volume()).transform(clips).shape == (2, 18, 64, 64)


# Flow images


def test_at_one_size_a_flow_image_is_the_flow_map():
    clip = clip_of(np.stack([textured(seed=number) for number in range(9)]))
    found = FlowImage(size=28, method="farneback").transform([clip])
    assert found.dtype == np.uint8
    expected = FlowMap(size=28, method="farneback").transform([clip]).reshape(1, 28, 28, 3)
    np.testing.assert_array_equal(found, expected)


def test_a_flow_image_of_frames_is_computed_at_its_own_size():
    frames = np.stack([textured(), np.roll(textured(), 1, axis=1)])
    [image] = FlowImage(method="dis").transform([clip_of(frames, onset=0, apex=1, offset=1)])
    assert image.shape == (224, 224, 3)
    np.testing.assert_array_equal(image, flow_map(frames[0], frames[1], size=224, method="dis"))


def test_a_stored_map_of_the_size_comes_as_it_is(tmp_path):
    pixels = noise(28, 28, 3)
    np.testing.assert_array_equal(FlowImage(size=28).transform([stored(tmp_path, pixels)])[0], pixels)


def test_a_larger_stored_map_is_averaged_and_not_stretched_again(tmp_path):
    pixels = (noise(8, 8, 3) // 4 * 2).astype(np.uint8)
    [image] = FlowImage(size=4).transform([stored(tmp_path, pixels)])
    means = pixels.astype(float).reshape(4, 2, 4, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(image, means, atol=0.5)
    assert image.max() < 128


def test_a_smaller_stored_map_is_interpolated_linearly(tmp_path):
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[:, 1] = 80, 160, 240
    [image] = FlowImage(size=4).transform([stored(tmp_path, pixels)])
    # New centres lie at -1/4, 1/4, 3/4 and 5/4 of the old ones; the border goes on.
    expected = np.array([0, 0.25, 0.75, 1])[None, :, None] * np.array([80, 160, 240])
    np.testing.assert_array_equal(image, np.repeat(expected, 4, axis=0))


def test_a_stored_map_that_is_no_square_becomes_one(tmp_path):
    assert FlowImage(size=6).transform([stored(tmp_path, noise(9, 5, 3))]).shape == (1, 6, 6, 3)


def test_a_flow_image_needs_the_apex_of_frames():
    with pytest.raises(NeedsError, match="toy/s1/a: the apex is unknown"):
        FlowImage().transform([clip_of(noise(9, 12, 12), apex=None)])


# Frame and flow


def shifted(by_x, by_y):
    """Two frames of which the second shows the first moved."""
    texture = textured(80, 80)
    return np.stack([texture[10:70, 10:70], texture[10 - by_y : 70 - by_y, 10 - by_x : 70 - by_x]])


@pytest.mark.parametrize("method", ["tvl1", "farneback", "dis"])
def test_flow_is_in_pixels_of_the_new_size_u_before_v(method):
    right, down = shifted(4, 0), shifted(0, 4)
    for frames, expected in ((right, (2, 0)), (down, (0, 1))):
        channels = frame_and_flow(frames, size=(15, 30), method=method)
        assert channels.shape == (3, 15, 30)
        assert channels.dtype == np.float32
        # Half as many columns, a quarter as many rows; the border moved in from outside.
        inner = channels[1:, 4:-4, 8:-8].mean(axis=(1, 2))
        np.testing.assert_allclose(inner, expected, atol=0.15)


def test_pairs_follow_one_another_each_u_before_v():
    frames = np.stack([textured(seed=number) for number in range(4)])
    channels = frame_and_flow(frames, size=(24, 20))
    assert channels.shape == (7, 24, 20)
    for pair in range(3):
        flow = optical_flow(frames[pair], frames[pair + 1], method="farneback")
        for axis in range(2):
            # Halved: squares of four pixels are averaged, and each vector is half as long.
            half = flow[..., axis].reshape(24, 2, 20, 2).mean(axis=(1, 3)) / 2
            np.testing.assert_allclose(channels[1 + 2 * pair + axis], half, atol=1e-4)


@pytest.mark.parametrize(("n_frames", "middle"), [(2, 1), (3, 1), (4, 2), (9, 4)])
def test_channel_0_is_the_middle_frame_resized(n_frames, middle):
    frames = noise(n_frames, 16, 20)
    [row] = FrameAndFlow(size=(8, 10)).transform([frames])
    means = frames[middle].astype(float).reshape(8, 2, 10, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(row[0], means, atol=0.5)


def test_the_still_may_be_the_apex_or_any_frame():
    frames = noise(9, 16, 20)
    [row] = FrameAndFlow(size=(16, 20), still="apex").transform([clip_of(frames, apex=6)])
    np.testing.assert_array_equal(row[0], frames[6])
    np.testing.assert_array_equal(row, frame_and_flow(frames, size=(16, 20), still=6))


def test_only_the_apex_as_still_needs_one():
    clip = clip_of(noise(5, 16, 20), apex=None, offset=None)
    assert FrameAndFlow(size=(8, 8)).transform([clip]).shape == (1, 9, 8, 8)
    with pytest.raises(NeedsError, match=r"^toy/s1/a: the apex is unknown"):
        FrameAndFlow(still="apex").transform([clip])


def test_flow_of_colour_is_that_of_its_luma():
    grey = noise(3, 16, 20)
    colour = np.repeat(grey[..., None], 3, axis=3)
    np.testing.assert_array_equal(frame_and_flow(colour), frame_and_flow(grey))


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (noise(1, 16, 20), "toy/s1/a: the clip has 1 frame, 2 are needed"),
        (noise(3, 7, 20), "toy/s1/a: frames of shape .* at least 8 x 8 pixels"),
    ],
)
def test_clips_without_flow_are_refused_by_name(frames, message):
    with pytest.raises(DataError, match=f"^{message}"):
        FrameAndFlow().transform([clip_of(frames, onset=0, apex=None, offset=None)])


# All


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
def test_the_contract_of_transformers_is_kept(step):
    check_clip_transformer(step, [clip_of(noise(9, 24, 20, seed=number)) for number in range(3)])


@pytest.mark.parametrize("step", [Stills(), Volume(), FrameAndFlow()], ids=lambda step: type(step).__name__)
def test_a_stored_flow_map_has_no_frames(step, tmp_path):
    with pytest.raises(NeedsError, match="toy/s1/map: a stored flow map has no frames"):
        step.transform([stored(tmp_path, noise(28, 28, 3))])


@pytest.mark.parametrize("step", [Stills(), Volume(), FrameAndFlow()], ids=lambda step: type(step).__name__)
def test_values_between_grey_levels_are_refused(step):
    clip = clip_of(noise(9, 24, 20))
    with pytest.raises(DataError, match="toy/s1/a: frames of dtype float64; a network's input needs uint8"):
        step.transform([replace(clip, source=ArraySource(clip.frames() / 2))])


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Stills(()), r"positions is \(\): it must be a tuple of at least one position"),
        (Stills("apex"), "positions is 'apex': it must be a tuple of at least one position"),
        (Stills(("apex", "peak")), r"positions\[1\] is 'peak': it must be one of 'onset', 'middle', 'apex', 'offset'"),
        (Stills(colour=1), "colour is 1: it must be True or False"),
        (FlowImage(size=0), "size is 0: it must be at least 1"),
        (FlowImage(method="lucas"), "method is 'lucas': it must be one of"),
        (FrameAndFlow(size=(64, 0)), r"size\[1\] is 0: it must be at least 1"),
        (FrameAndFlow(size=64), "size is 64: it must be a tuple of 2 integers"),
        (FrameAndFlow(still="offset"), "still is 'offset': it must be one of 'middle', 'apex'"),
        (FrameAndFlow(method="lucas"), "method is 'lucas': it must be one of"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=f"^{message}"):
        step.fit([])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"still": 3}, "still is 3: it must be at most 2"),
        ({"still": -1}, "still is -1: it must be at least 0"),
        ({"size": (8,)}, "size is .*: it must be a tuple of 2 integers"),
        ({"method": "lucas"}, "method is 'lucas'"),
    ],
)
def test_the_function_refuses_what_is_not_allowed(params, message):
    with pytest.raises(ParameterError, match=f"^{message}"):
        frame_and_flow(noise(3, 16, 20), **params)
