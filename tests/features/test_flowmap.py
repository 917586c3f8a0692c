from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.features.flowmap import FlowMap, flow_map
from microexpr.testing import check_clip_transformer
from microexpr.video.flow import optical_flow
from microexpr.video.strain import optical_strain

RNG = np.random.default_rng(0)


def _textured(height=90, width=80):
    return cv2.GaussianBlur(RNG.integers(0, 255, (height, width), dtype=np.uint8), (0, 0), 2)


def _clip(frames, **positions):
    return Clip("toy/s1/a", ArraySource(frames), **{"onset": 0, "apex": 1, "offset": len(frames) - 1, **positions})


def test_a_region_that_moves_right_is_bright_in_u_and_one_that_moves_down_in_v():
    first = _textured()
    rows, columns = np.mgrid[:90, :80].astype(np.float32)
    for channel, (by_x, by_y) in enumerate(((2.0, 0.0), (0.0, 2.0))):
        bump = np.exp(-(((rows - 45) ** 2 + (columns - 40) ** 2) / 400)).astype(np.float32)
        second = cv2.remap(first, columns - by_x * bump, rows - by_y * bump, cv2.INTER_LINEAR)
        stretched = flow_map(first, second)
        assert stretched[12:16, 12:16, channel].mean() > 200
        assert stretched[:4, :4, channel].mean() < 90


def test_each_channel_is_stretched_to_the_whole_range():
    first = _textured()
    stretched = flow_map(first, np.roll(first, 1, axis=1))
    assert stretched.shape == (28, 28, 3)
    assert stretched.dtype == np.uint8
    assert stretched.min(axis=(0, 1)).tolist() == [0, 0, 0]
    assert stretched.max(axis=(0, 1)).tolist() == [255, 255, 255]


def test_enlarging_interpolates_all_three_channels_linearly():
    first = _textured(20, 16)
    second = np.roll(first, 1, axis=1)
    flow = optical_flow(first, second)
    channels = [flow[..., 0], flow[..., 1], optical_strain(flow)]
    for found, channel in zip(np.moveaxis(flow_map(first, second), -1, 0), channels, strict=True):
        # New centres among the old ones; outside these the border goes on.
        rows, columns = (np.clip((np.arange(28) + 0.5) * size / 28 - 0.5, 0, size - 1) for size in (20, 16))
        large = ndimage.map_coordinates(channel, np.meshgrid(rows, columns, indexing="ij"), order=1)
        expected = (large - large.min()) / (large.max() - large.min()) * 255
        np.testing.assert_allclose(found, expected, atol=0.51)


def test_a_still_pair_gives_zeros_not_amplified_noise():
    first = _textured()
    assert not flow_map(first, first).any()


def test_a_stored_map_comes_as_it_is(tmp_path):
    stored = RNG.integers(0, 255, (28, 28, 3), dtype=np.uint8)
    Image.fromarray(stored).save(tmp_path / "m .png")
    clip = Clip("casme2/sub01/a", FlowMapSource(tmp_path / "m .png"))
    [row] = FlowMap().transform([clip])
    np.testing.assert_array_equal(row.reshape(28, 28, 3), stored)
    with pytest.raises(DataError, match="casme2/sub01/a: the stored map is 28 x 28, size is 32"):
        FlowMap(size=32).transform([clip])


def test_the_row_is_the_map_in_row_column_channel_order():
    frames = np.stack([_textured(), _textured()])
    [row] = FlowMap(size=14).transform([_clip(frames)])
    np.testing.assert_array_equal(row.reshape(14, 14, 3), flow_map(frames[0], frames[1], size=14))


def test_onset_and_apex_are_the_frames_that_count():
    frames = np.stack([_textured() for _ in range(4)])
    clip = _clip(frames, onset=1, apex=3)
    other = replace(clip, source=ArraySource(np.stack([frames[2], frames[1], frames[0], frames[3]])))
    np.testing.assert_array_equal(FlowMap().transform([clip]), FlowMap().transform([other]))


def test_an_unknown_apex_is_an_error_that_names_the_clip():
    with pytest.raises(NeedsError, match="toy/s1/a: the apex is unknown; add a step that finds it"):
        FlowMap().transform([_clip(np.stack([_textured()] * 3), apex=None)])


def test_colour_is_read_as_its_luma():
    grey = np.stack([_textured(), _textured()])
    colour = np.repeat(grey[..., None], 3, axis=3)
    np.testing.assert_array_equal(FlowMap().transform([_clip(grey)]), FlowMap().transform([_clip(colour)]))


@pytest.mark.parametrize("method", ["tvl1", "farneback", "dis"])
def test_the_contract_of_transformers_is_kept(method):
    clips = [_clip(np.stack([_textured(40, 36), _textured(40, 36)])) for _ in range(3)]
    check_clip_transformer(FlowMap(size=10, method=method), clips)


@pytest.mark.parametrize(
    ("params", "message"),
    [({"size": 0}, "size is 0: it must be at least 1"), ({"method": "lucas"}, "method is 'lucas': it must be one of")],
)
def test_a_parameter_against_the_rules_is_refused(params, message):
    with pytest.raises(ParameterError, match=message):
        FlowMap(**params).transform([_clip(np.stack([_textured()] * 2))])


def test_frames_too_small_for_flow_are_refused():
    with pytest.raises(DataError, match="at least 8 x 8"):
        flow_map(np.zeros((7, 9), np.uint8), np.zeros((7, 9), np.uint8))
