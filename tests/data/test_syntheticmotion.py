"""Synthetic motion maps: the hills they are made of, what they show of each class, and that seeds are kept."""

import numpy as np
import pytest
from naive import motionhills

from microexpr.core.errors import ParameterError
from microexpr.data import actionunits, syntheticmotion
from microexpr.data._motion_kernels import add_hills
from microexpr.data.syntheticmotion import ACTIONS, make_motion_maps

N_MAPS = 1024


@pytest.fixture(scope="module")
def drawn():
    return make_motion_maps(N_MAPS, seed=3)


def test_hills_equal_those_of_a_plain_loop():
    rng = np.random.default_rng(0)
    hills = rng.uniform([0, 0, -2, -2, 1, 1, -0.5, 0], [11, 9, 2, 2, 7, 5, 0.5, 1], (3, 6, 8))
    hills[1, 2, 2:4] = 0.0
    fast, slow = (np.full((3, 2, 9, 11), 0.25) for _ in range(2))
    add_hills(hills, fast)
    motionhills.add_hills(hills, slow)
    np.testing.assert_allclose(fast, slow, atol=1e-12)


def test_maps_are_stretched_and_of_three_classes_alike(drawn):
    assert drawn.maps.shape == (N_MAPS, 28, 28, 3)
    assert drawn.maps.dtype == np.uint8
    assert (drawn.maps.min(axis=(1, 2)) == 0).all()
    assert (drawn.maps.max(axis=(1, 2)) == 255).all()
    names, counts = np.unique(drawn.labels, return_counts=True)
    assert names.tolist() == ["negative", "positive", "surprise"]
    # Three standard deviations of a binomial count of a third.
    assert np.abs(counts - N_MAPS / 3).max() < 3 * np.sqrt(N_MAPS * 2 / 9)


def test_more_maps_leave_the_earlier_ones_and_another_seed_gives_others(drawn):
    again = make_motion_maps(300, seed=3)
    assert np.array_equal(again.maps, drawn.maps[:300])
    assert np.array_equal(again.strengths, drawn.strengths[:300])
    assert not np.array_equal(make_motion_maps(300, seed=4).maps, again.maps)


def test_each_map_shows_a_combination_of_its_class(drawn):
    allowed = {
        name: {frozenset(combination.split("+")) for rows in emotions.values() for combination, _ in rows}
        for name, emotions in syntheticmotion._COMBINATIONS.items()
    }
    for label, strengths in zip(drawn.labels, drawn.strengths, strict=True):
        acting = {actionunits.unit_of(action) for action, value in zip(ACTIONS, strengths, strict=True) if value > 0}
        assert frozenset(acting) in allowed[label]


def test_the_strongest_action_is_1_and_sides_are_balanced(drawn):
    assert np.allclose(drawn.strengths.max(axis=1), 1.0)
    left, right = (drawn.strengths[:, [name.startswith(side) for name in ACTIONS]].mean() for side in "LR")
    assert left == pytest.approx(right, rel=0.1)


def test_combinations_come_as_often_as_their_shares_say(drawn):
    surprised = drawn.strengths[drawn.labels == "surprise"]
    rows = syntheticmotion._COMBINATIONS["surprise"]["surprise"]
    share = sum(weight for combination, weight in rows if "1" in combination.split("+")) / sum(w for _, w in rows)
    brows = (surprised[:, [ACTIONS.index("L1"), ACTIONS.index("R1")]] > 0).any(axis=1).mean()
    assert abs(brows - share) < 3 * np.sqrt(share * (1 - share) / len(surprised))


def test_smiles_lift_the_corners_of_the_mouth_and_surprise_the_brows(drawn):
    """Mean vertical motion against the middle of the map, in the lower and in the uppermost part."""
    vertical = drawn.maps[..., 1].astype(float)
    vertical -= np.median(vertical, axis=(1, 2), keepdims=True)
    corners = vertical[:, 19:24][:, :, [5, 6, 7, 8, 19, 20, 21, 22]].mean(axis=(1, 2))
    brows = vertical[:, 2:6].mean(axis=(1, 2))
    positive, surprise = drawn.labels == "positive", drawn.labels == "surprise"
    assert corners[positive].mean() < -20 < corners[surprise].mean()
    assert brows[surprise].mean() < -20 < brows[positive].mean()


def test_strain_is_that_of_the_flow():
    fields = np.zeros((1, 2, 28, 28))
    fields[0, 0] = 0.5 * np.arange(28)
    fields[0, 0, :, 14:] = 7.0
    stretched = syntheticmotion._stretched(fields)
    # u grows by .5 a column up to column 14 and then not at all; central differences halve at the bend.
    expected = np.where(np.arange(28) < 14, 255, 0)
    expected[14] = 128
    assert np.abs(stretched[0, :, :, 2].astype(int) - expected).max() <= 1


@pytest.mark.parametrize(("arguments", "words"), [((0,), "n_maps"), ((5, -1), "seed"), ((2.5,), "n_maps")])
def test_wrong_arguments_are_refused(arguments, words):
    with pytest.raises(ParameterError, match=words):
        make_motion_maps(*arguments)
