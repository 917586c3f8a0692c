"""Motion maps that cannot be what they are taken for."""

from itertools import permutations

import numpy as np
import pytest

from microexpr.core.errors import DataError
from microexpr.data import load_flowmaps
from microexpr.data.syntheticmotion import make_motion_maps
from microexpr.features.mapcheck import map_fault

DRAWN = make_motion_maps(60, seed=4).maps
WRONG = [order for order in permutations(range(3)) if order[2] != 2]


def _stretched(channel):
    return np.rint((channel - channel.min()) / np.ptp(channel) * 255).astype(np.uint8)


def _place(order):
    return ("first", "second")[order.index(2)]


def test_nothing_is_wrong_with_maps_as_they_are_drawn():
    assert [map_fault(channels) for channels in DRAWN] == [None] * len(DRAWN)


@pytest.mark.parametrize("order", WRONG)
def test_strain_in_another_place_is_found_and_named(order):
    said = f"its channels are not in the order u, v, strain: the {_place(order)} one looks like strain (correlation "
    for channels in DRAWN[:20]:
        assert map_fault(channels[..., list(order)]).startswith(said)


def test_strain_of_one_hill_by_hand():
    # All of v moves by the column, u by a hill: strain is made here from the derivatives as formulas, not differences.
    row, column = np.mgrid[-14:14, -14:14] / 6.0
    hill = np.exp(-(row**2 + column**2) / 2)
    strain = np.sqrt((column * hill) ** 2 + (0.2 - row * hill) ** 2 / 2)
    channels = [_stretched(hill), _stretched(column), _stretched(strain)]
    assert map_fault(np.dstack(channels)) is None
    assert "the first one looks like strain" in map_fault(np.dstack(channels[::-1]))


def test_the_message_does_not_depend_on_how_channels_are_stretched():
    channels = DRAWN[0].copy()
    channels[..., 0] = channels[..., 0] // 4 + 100
    assert map_fault(channels) is None
    assert "the first one looks like strain" in map_fault(channels[..., ::-1])


@pytest.mark.parametrize("axis", [0, 1])
def test_a_map_that_is_mirrored_with_its_flow_has_no_fault(axis):
    for channels in DRAWN[:10]:
        mirrored = np.flip(channels, axis=axis).copy()
        mirrored[..., 1 - axis] = 255 - mirrored[..., 1 - axis]
        assert map_fault(mirrored) is None


@pytest.mark.parametrize(
    ("constant", "names"),
    [([0, 1, 2], "u, v, strain"), ([0], "u"), ([1], "v"), ([2], "strain")],
)
def test_a_constant_channel_shows_no_motion(constant, names):
    channels = DRAWN[0].copy()
    channels[..., constant] = 7
    assert map_fault(channels) == f"it shows no motion: of its channels u, v and strain, {names} is constant"


def test_a_strain_with_a_sign_is_told_by_its_background():
    found = []
    for channels in DRAWN:
        u, v = channels[..., 0].astype(float), channels[..., 1].astype(float)
        signed = channels.copy()
        signed[..., 2] = _stretched(np.gradient(u, axis=1) + np.gradient(v, axis=0))
        found.append(map_fault(signed) or "")
    told = [said for said in found if "its third channel is no strain: its background lies at" in said]
    assert len(told) >= 0.8 * len(DRAWN)


def test_a_strain_upside_down_is_told_by_its_background():
    channels = DRAWN[0].copy()
    channels[..., 2] = 255 - channels[..., 2]
    background = np.median(channels[..., 2])
    assert map_fault(channels).startswith(
        f"its third channel is no strain: its background lies at {background:g} of 255"
    )


def test_what_tells_nothing_raises_no_alarm():
    rng = np.random.default_rng(0)
    assert all(map_fault(rng.integers(0, 256, (28, 28, 3), dtype=np.uint8)) is None for _ in range(20))


def test_a_map_of_another_size_is_judged_alike():
    channels = np.repeat(np.repeat(DRAWN[1], 2, axis=0), 3, axis=1)
    assert map_fault(channels) is None
    assert "the first one looks like strain" in map_fault(channels[..., ::-1])
    assert map_fault(np.arange(12, dtype=np.uint8).reshape(2, 2, 3)) is None


@pytest.mark.parametrize(
    ("channels", "match"),
    [
        ([[1, 2], [3, 4]], "a motion map is a uint8 array"),
        (np.zeros((28, 28, 3)), "a motion map is a uint8 array"),
        (np.zeros((28, 28), np.uint8), "a motion map is a uint8 array"),
        (np.zeros((28, 28, 4), np.uint8), r"a motion map has shape \(28, 28, 4\)"),
        (np.zeros((1, 28, 3), np.uint8), r"a motion map has shape \(1, 28, 3\)"),
    ],
)
def test_what_is_no_map_is_an_error(channels, match):
    with pytest.raises(DataError, match=match):
        map_fault(channels)


@pytest.mark.real
def test_real_maps_are_right_as_they_are_and_wrong_in_any_other_order(real_maps):
    for clip in load_flowmaps(real_maps).clips[::10]:
        channels = clip.flow_map()
        assert map_fault(channels) is None
        for order in WRONG:
            assert f"the {_place(order)} one looks like strain" in map_fault(channels[..., list(order)])
