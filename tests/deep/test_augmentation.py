import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from microexpr.core.errors import DataError, ParameterError
from microexpr.deep.augmentation import flip, flip_flow, jitter, random_crop, rotate, shift


@pytest.fixture
def batch():
    return torch.from_numpy(np.random.default_rng(0).uniform(0, 255, (4, 3, 6, 8)).astype(np.float32))


def draw_always(monkeypatch, value):
    monkeypatch.setattr(torch, "rand", lambda number: torch.full((number,), value))


def test_rotation_is_scipys_with_the_edge_repeated_also_where_the_picture_is_not_square(batch, monkeypatch):
    draw_always(monkeypatch, 0.75)  # of [-30, 30]: 15 degrees
    turned = rotate(batch, 30.0).numpy()
    angle = math.radians(15)
    matrix = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    centre = np.array([2.5, 3.5])
    for clip in range(4):
        for channel in range(3):
            expected = ndimage.affine_transform(
                batch[clip, channel].numpy(), matrix, offset=centre - matrix @ centre, order=1, mode="nearest"
            )
            np.testing.assert_allclose(turned[clip, channel], expected, atol=1e-3)


def test_a_quarter_turn_moves_whole_pixels(monkeypatch):
    square = torch.arange(9.0).reshape(1, 1, 3, 3)
    draw_always(monkeypatch, 1.0)
    np.testing.assert_allclose(rotate(square, 90.0)[0, 0], np.rot90(square[0, 0].numpy(), 1), atol=1e-4)
    draw_always(monkeypatch, 0.0)
    np.testing.assert_allclose(rotate(square, 90.0)[0, 0], np.rot90(square[0, 0].numpy(), -1), atol=1e-4)


def test_clips_turn_by_angles_of_their_own_within_the_bound():
    # A line through the centre: its end lies at tan(angle) times half the width above it.
    line = torch.zeros(200, 1, 41, 41)
    line[:, :, 20, :] = 1
    torch.manual_seed(0)
    turned = rotate(line, 10.0)[:, 0, :, 40]
    heights = (turned * torch.arange(41.0)).sum(1) / turned.sum(1) - 20
    angles = torch.rad2deg(torch.atan(heights / 20))
    assert angles.abs().max() <= 10.3
    assert angles.max() > 9
    assert angles.min() < -9
    assert len(angles.unique()) > 150


def test_brightness_and_contrast_follow_the_formula(batch, monkeypatch):
    draw_always(monkeypatch, 0.25)  # b = .8 + .4 * .25 = .9 and c = .5 + 1 * .25 = .75
    changed = jitter(batch, brightness=0.2, contrast=0.5).numpy()
    for clip, values in enumerate(batch.numpy().astype(float)):
        darker = values * 0.9
        mean = darker.mean()
        np.testing.assert_allclose(changed[clip], mean + 0.75 * (darker - mean), atol=1e-3)


def test_jittered_values_stay_within_0_and_255(batch, monkeypatch):
    draw_always(monkeypatch, 1.0)
    changed = jitter(batch, brightness=1.0, contrast=1.0)
    assert changed.min() == 0
    assert changed.max() == 255


def test_jitter_of_nothing_changes_nothing(batch):
    torch.testing.assert_close(jitter(batch), batch)


def test_a_crop_is_a_window_of_the_enlarged_clip(batch):
    torch.manual_seed(3)
    cropped = random_crop(batch, 1.5)
    enlarged = torch.nn.functional.interpolate(batch, (9, 12), mode="bilinear", align_corners=False)
    for clip in range(4):
        places = [
            (row, column)
            for row in range(4)
            for column in range(5)
            if torch.equal(cropped[clip], enlarged[clip, :, row : row + 6, column : column + 8])
        ]
        assert len(places) == 1


def test_every_window_is_drawn():
    rows = torch.arange(7.0).expand(300, 1, 7, 7)
    torch.manual_seed(0)
    firsts = random_crop(rows, 8 / 7)[:, 0, 0, 0]
    assert sorted(firsts.unique().tolist()) == [0.0, 0.8125]  # of 8 columns, the first or the second: 1.5 * 7/8 - .5


def test_a_crop_at_ratio_1_is_the_clip(batch):
    torch.testing.assert_close(random_crop(batch, 1.0), batch)


def test_flips_mirror_the_columns(batch):
    np.testing.assert_array_equal(flip(batch, 1.0), batch.numpy()[..., ::-1])
    np.testing.assert_array_equal(flip(batch, 0.0), batch)


def test_a_mirrored_flow_map_moves_the_other_way(batch):
    expected = batch.numpy()[..., ::-1].copy()
    expected[:, 0] = 255 - expected[:, 0]
    np.testing.assert_array_equal(flip_flow(batch, 1.0), expected)
    np.testing.assert_array_equal(flip_flow(batch, 0.0), batch)


@pytest.mark.parametrize("change", [flip, flip_flow])
def test_the_share_of_clips_is_mirrored(change):
    clips = torch.arange(3.0).expand(1000, 2, 1, 3)
    torch.manual_seed(0)
    mirrored = (change(clips, 0.3)[:, 1, 0, 0] == 2).float().mean()
    assert abs(mirrored - 0.3) < 0.045  # three standard errors


def test_a_shifted_clip_is_a_window_of_the_clip_with_its_edges_repeated(batch):
    torch.manual_seed(0)
    clips = batch.repeat(50, 1, 1, 1)
    padded = np.pad(clips.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), mode="edge")
    seen = set()
    for clip, moved in enumerate(shift(clips, 2).numpy()):
        places = [
            (row, column)
            for row in range(5)
            for column in range(5)
            if np.array_equal(moved, padded[clip, :, row : row + 6, column : column + 8])
        ]
        assert len(places) == 1
        seen |= set(places)
    assert {row for row, _ in seen} == {column for _, column in seen} == {0, 1, 2, 3, 4}
    assert any(row != column for row, column in seen)


def test_a_shift_by_no_pixel_is_the_clip(batch):
    assert torch.equal(shift(batch, 0), batch)


def all_of_them(batch):
    changed = [rotate(batch, 10.0), jitter(batch, brightness=0.2, contrast=0.2), random_crop(batch, 1.5), flip(batch)]
    return [*changed, shift(batch, 1)]


def test_the_seed_decides_and_the_batch_stays(batch):
    before = batch.clone()
    torch.manual_seed(1)
    first = all_of_them(batch)
    torch.manual_seed(1)
    for one, other in zip(first, all_of_them(batch), strict=True):
        assert torch.equal(one, other)
        assert one.shape == batch.shape
    assert torch.equal(batch, before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda clips: rotate(clips, -1.0), r"degrees is -1.0: it must be at least 0.0"),
        (lambda clips: jitter(clips, contrast=2.0), r"contrast is 2.0: it must be at most 1.0"),
        (lambda clips: random_crop(clips, 0.5), r"ratio is 0.5: it must be at least 1.0"),
        (lambda clips: flip(clips, 1.5), r"share is 1.5: it must be at most 1.0"),
        (lambda clips: shift(clips, -1), r"pixels is -1: it must be at least 0"),
    ],
)
def test_parameters_out_of_bounds_are_named(batch, change, message):
    with pytest.raises(ParameterError, match=message):
        change(batch)


@pytest.mark.parametrize(
    "change", [lambda clips: rotate(clips, 1.0), jitter, flip, flip_flow, lambda clips: shift(clips, 1)]
)
def test_other_batches_are_refused(batch, change):
    with pytest.raises(DataError, match=r"batch is torch.uint8 of shape \(4, 3, 6, 8\): it must be floats"):
        change(batch.to(torch.uint8))
    with pytest.raises(DataError, match=r"shape \(4, 3, 6\)"):
        change(batch[..., 0])
