"""The motion network in torch: the same numbers as in NumPy, weights taken over and given back, fine-tuning."""

import numpy as np
import pytest
import torch
from toyset.networks import EIGHT, learns_eight_clips, noise, obeys_its_seed, predicts_without_chance, refuses_shape

from microexpr.classifiers.zeroshot import ZeroShotClassifier, prepared_maps
from microexpr.core.errors import ParameterError
from microexpr.core.motionweights import read_motion_weights
from microexpr.data.syntheticmotion import make_motion_maps
from microexpr.deep import MotionNetClassifier
from microexpr.deep.motionnet import MotionNet, prepared


@pytest.fixture(scope="module")
def drawn():
    return make_motion_maps(40, seed=12)


@pytest.fixture(scope="module")
def rows(drawn):
    return drawn.maps.reshape(len(drawn), -1)


def batch(maps):
    return torch.from_numpy(np.moveaxis(maps, 3, 1).copy()).float()


def shipped_network():
    weights = read_motion_weights()
    network = MotionNet(3, len(weights.actions), weights.n_networks)
    network.take(weights)
    return network.eval()


def test_maps_are_prepared_as_in_numpy(drawn):
    ours = prepared(batch(drawn.maps)).numpy()
    np.testing.assert_allclose(ours, prepared_maps(drawn.maps.astype(float)), atol=1e-4)


def test_probabilities_and_strengths_are_those_of_numpy(drawn, rows):
    weights = read_motion_weights()
    flipped = drawn.maps[:, :, ::-1].copy()
    flipped[..., 0] = 255 - flipped[..., 0]
    with torch.inference_mode():
        plain, other = (shipped_network()(batch(maps)) for maps in (drawn.maps, flipped))
    shares = (plain["logits"].exp() + other["logits"].exp()).numpy() / 2
    scaled = shares ** (1 / weights.temperature)
    model = ZeroShotClassifier()
    np.testing.assert_allclose(model.predict_proba(rows), scaled / scaled.sum(axis=1, keepdims=True), atol=1e-4)
    swap = [weights.actions.index(name.translate({76: "R", 82: "L"})) for name in weights.actions]
    acting = [torch.sigmoid(one["strengths"]).mean(dim=1).numpy() for one in (plain, other)]
    np.testing.assert_allclose(model.action_strengths(rows), (acting[0] + acting[1][:, swap]) / 2, atol=1e-4)


def test_weights_come_back_as_they_were_taken():
    weights = read_motion_weights()
    back = shipped_network().tensors()
    assert back.keys() == weights.tensors.keys()
    for name, array in weights.tensors.items():
        np.testing.assert_array_equal(back[name], array)


def test_fine_tuning_begins_from_the_shipped_weights(drawn, rows):
    """After one epoch at a tiny learning rate it still answers as before; from random weights it does not."""
    options = {"epochs": 1, "lr": 1e-9, "random_state": 0, "device": "cpu"}
    tuned = MotionNetClassifier(**options).fit(rows, drawn.labels)
    fresh = MotionNetClassifier(start="random", **options).fit(rows, drawn.labels)
    assert (tuned.predict(rows) == drawn.labels).mean() > 0.8
    assert (fresh.predict(rows) == drawn.labels).mean() < 0.7


def test_other_labels_begin_with_a_layer_of_their_own(rows):
    labels = np.array(["disgust", "happiness", "others", "repression"] * 10)
    model = MotionNetClassifier(epochs=1, lr=1e-9, random_state=0, device="cpu").fit(rows, labels)
    shipped = read_motion_weights().tensors["conv1.weight"]
    np.testing.assert_allclose(model.network_.tensors()["conv1.weight"], shipped, atol=1e-6)
    assert model.predict_proba(rows).shape == (40, 4)


def test_the_key_tells_the_weights_it_begins_from():
    assert MotionNetClassifier().key_facts() == ZeroShotClassifier().key_facts()
    assert MotionNetClassifier(start="random").key_facts() == {}


def test_parameters_are_checked():
    with pytest.raises(ParameterError, match="start is 'zero': it must be one of"):
        MotionNetClassifier(start="zero").check_params()


SMALL = {"start": "random", "n_networks": 2, "device": "cpu", "random_state": 0}


@pytest.mark.parametrize("start", ["shipped", "random"])
def test_it_learns_eight_clips(start):
    options = {**SMALL, "start": start, "shift": 0, "dropout": 0.0}
    learns_eight_clips(MotionNetClassifier(**options, epochs=60, lr=3e-3), noise(28, 28, 3))


def test_it_obeys_its_seed_and_predicts_without_chance():
    obeys_its_seed(MotionNetClassifier(**SMALL, epochs=2), noise(28, 28, 3))
    predicts_without_chance(MotionNetClassifier(**SMALL, epochs=1), noise(28, 28, 3))


def test_other_shapes_are_refused():
    model = MotionNetClassifier(**SMALL, epochs=1).fit(noise(28, 28, 3), EIGHT)
    refuses_shape(model, noise(30, 30, 3), "this network takes 28 x 28")


def test_in_training_noise_is_added_and_otherwise_not():
    network = MotionNet(3, 5, noise=0.5, dropout=0.0).eval()
    maps = batch(noise(28, 28, 3))
    assert torch.equal(network(maps)["logits"], network(maps)["logits"])
    network.train()
    assert not torch.equal(network(maps)["logits"], network(maps)["logits"])


def test_the_loss_is_the_sum_of_the_networks_by_hand():
    torch.manual_seed(0)
    network = MotionNet(3, 5, n_networks=2).eval()
    outputs = network(batch(noise(28, 28, 3)))
    codes, weights = torch.tensor([0, 1, 2, 0, 1, 2, 0, 0]), torch.rand(8)
    loss = network.losses(outputs, codes, weights, torch.zeros(8))["class"].item()
    shares = torch.softmax(outputs["members"].detach(), dim=2).numpy()
    own = [-np.log(shares[row, :, code]) * weights[row].item() for row, code in enumerate(codes.tolist())]
    assert loss == pytest.approx(np.mean(own, axis=0).sum(), rel=1e-5)
    np.testing.assert_allclose(outputs["logits"].detach().exp().numpy(), shares.mean(axis=1), rtol=1e-5)
