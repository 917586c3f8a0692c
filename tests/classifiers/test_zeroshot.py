"""The network that reads motion maps, in NumPy: convolutions by hand, mirror images, what it refuses."""

import numpy as np
import pytest
from sklearn.base import clone

from microexpr.classifiers.zeroshot import ZeroShotClassifier, prepared_maps
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.motionweights import MotionWeights, member_shapes, write_motion_weights
from microexpr.data.syntheticmotion import make_motion_maps


@pytest.fixture(scope="module")
def drawn():
    return make_motion_maps(300, seed=11)


@pytest.fixture(scope="module")
def rows(drawn):
    return drawn.maps.reshape(len(drawn), -1)


def mirrored(maps):
    turned = maps[:, :, ::-1].copy()
    turned[..., 0] = 255 - turned[..., 0]
    return turned


def other_sides(actions):
    swap = {"L": "R", "R": "L"}
    return [actions.index(swap.get(name[0], name[0]) + name[1:]) for name in actions]


def test_it_names_most_of_what_it_was_trained_on(drawn, rows):
    model = ZeroShotClassifier()
    named = model.predict(rows)
    shares = model.predict_proba(rows)
    assert (named == drawn.labels).mean() > 0.8
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-12)
    assert (model.classes_[shares.argmax(axis=1)] == named).all()


def test_the_strongest_action_stands_out(drawn, rows):
    strengths = ZeroShotClassifier().action_strengths(rows)
    assert strengths.shape == drawn.strengths.shape
    assert strengths.min() >= 0
    assert strengths.max() <= 1
    acting, resting = strengths[drawn.strengths > 0.8], strengths[drawn.strengths == 0]
    assert acting.mean() > 0.5 > 0.1 > resting.mean()


def test_a_mirror_image_has_the_same_class_and_mirrored_strengths(drawn, rows):
    model = ZeroShotClassifier()
    turned = mirrored(drawn.maps).reshape(len(drawn), -1)
    np.testing.assert_allclose(model.predict_proba(turned), model.predict_proba(rows), atol=1e-9)
    swapped = model.action_strengths(rows)[:, other_sides(model.actions_)]
    np.testing.assert_allclose(model.action_strengths(turned), swapped, atol=1e-9)


def test_a_level_added_to_a_channel_changes_nothing(drawn):
    maps = drawn.maps[:20] // 2
    brighter = maps + np.array([40, 90, 120], np.uint8)
    model = ZeroShotClassifier()
    first, second = (model.predict_proba(one.reshape(20, -1)) for one in (maps, brighter))
    np.testing.assert_allclose(first, second, atol=1e-9)


def test_each_row_is_answered_by_itself(rows):
    model = ZeroShotClassifier()
    np.testing.assert_allclose(model.predict_proba(rows[:70])[65:], model.predict_proba(rows[65:70]), atol=1e-12)


def test_maps_are_prepared_by_hand():
    maps = np.full((1, 28, 28, 3), 100.0)
    maps[0, 14, 14] = [100 + 784, 100 + 784, 100 + 784]
    prepared = prepared_maps(maps)
    # A peak of 784 in 784 pixels: the mean rises by 1; the Gaussian of sigma 1 has 1 / (2 pi) at its centre.
    for channel, gain in enumerate((45, 45, 15)):
        assert prepared[0, channel, 14, 14] == pytest.approx((784 / (2 * np.pi) - 1) / gain, rel=2e-3)
        assert prepared[0, channel, 0, 0] == pytest.approx(-1 / gain)


def test_a_network_of_ones_is_summed_by_hand(tmp_path):
    """One filter path kept alive: each layer's output can be written down."""
    tensors = {name: np.zeros((1, *shape), np.float32) for name, shape in member_shapes(3, 27).items()}
    for number in (1, 2, 3):
        tensors[f"bn{number}.weight"][:] = np.sqrt(1 + 1e-5)
        tensors[f"bn{number}.running_var"][:] = 1.0
    tensors["conv1.bias"][0, 0] = 2.0  # the first filter says 2 everywhere
    tensors["conv2.weight"][0, 0, 0] = 1.0  # sums 3x3 of it: 18 inside, 12 on edges, 8 in corners
    tensors["conv3.weight"][0, 0, 0, 1, 1] = 0.5  # the centre alone, after max pooling 18: 9
    tensors["fc.weight"][0, :49, 0] = 1.0  # 49 pooled pixels of 9
    tensors["fc.bias"][0, 0] = -440.0  # 441 - 440 = 1
    tensors["classes.weight"][0, 0] = np.log([1.0, 2.0, 5.0])
    tensors["strengths.bias"][0] = np.linspace(-2, 2, 27)
    actions = tuple(map(str, range(27)))
    path = tmp_path / "hand.safetensors"
    write_motion_weights(MotionWeights(tensors, ("a", "b", "c"), actions, 0.5, {}), path)
    model = ZeroShotClassifier(str(path))
    rows = np.zeros((2, 28 * 28 * 3))
    # Shares 1 : 2 : 5, and squared by the temperature of a half.
    np.testing.assert_allclose(model.predict_proba(rows), [[1 / 30, 4 / 30, 25 / 30]] * 2, atol=1e-5)
    expected = 1 / (1 + np.exp(-np.linspace(-2, 2, 27)))
    np.testing.assert_allclose(model.action_strengths(rows)[0], expected, atol=1e-6)


def test_fit_learns_nothing_and_other_labels_are_refused(rows):
    model = ZeroShotClassifier()
    fitted = clone(model).fit(rows[:4], ["surprise"] * 4)
    np.testing.assert_array_equal(fitted.predict_proba(rows[:9]), model.predict_proba(rows[:9]))
    with pytest.raises(DataError, match="the labels disgust are none of negative, positive, surprise"):
        model.fit(rows[:2], ["disgust", "positive"])


def test_the_key_tells_the_weights():
    assert ZeroShotClassifier().key_facts() == ZeroShotClassifier().key_facts()
    assert len(str(ZeroShotClassifier().key_facts()["weights"])) == 64


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((2, 100)), "X has shape"),
        (np.full((1, 2352), 300.0), "outside 0..255"),
        (np.full((1, 2352), np.nan), "outside 0..255"),
    ],
)
def test_what_is_no_map_is_refused(rows, message):
    with pytest.raises(DataError, match=message):
        ZeroShotClassifier().predict(rows)


def test_the_model_must_be_a_path():
    with pytest.raises(ParameterError, match="model is 3: it must be the path of a file, or None"):
        ZeroShotClassifier(model=3).fit()
