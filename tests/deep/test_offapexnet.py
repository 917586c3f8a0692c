import numpy as np
import pytest
import torch
from torch import nn
from toyset.networks import learns_eight_clips, noise, obeys_its_seed, predicts_without_chance, refuses_shape

from microexpr.core.errors import ParameterError
from microexpr.deep.offapexnet import OFFApexNet, OFFApexNetClassifier

SMALL = {"device": "cpu", "random_state": 0}


def test_the_network_has_the_published_number_of_parameters():
    layers = OFFApexNetClassifier().layers((3, 28, 28), n_classes=3)
    streams = 2 * (5 * 5 * 6 + 6) + 2 * (5 * 5 * 6 * 16 + 16)
    joined = (1568 * 1024 + 1024) + (1024 * 1024 + 1024) + (1024 * 3 + 3)
    assert streams + joined == 2_664_475
    assert sum(layer.n_parameters for layer in layers) == 2_664_475
    shapes = [layer.output_shape for layer in layers if layer.kind in ("Conv2d", "MaxPool2d", "Linear")]
    assert shapes == [(12, 28, 28), (12, 14, 14), (32, 14, 14), (32, 7, 7), (1024,), (1024,), (3,)]


def test_the_groups_are_two_streams_that_do_not_see_each_other():
    torch.manual_seed(0)
    network = OFFApexNet(3).eval()
    maps = torch.rand(4, 2, 28, 28)
    features = []
    for stream, (first, second) in enumerate([((0, 6), (0, 16)), ((6, 12), (16, 32))]):
        alone = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        )  # fmt: skip
        for number, own, (start, stop) in ((0, network.conv1, first), (3, network.conv2, second)):
            alone[number].weight.data = own.weight[start:stop].detach()
            alone[number].bias.data = own.bias[start:stop].detach()
        features.append(alone(maps[:, stream : stream + 1]))
    hidden = torch.relu(network.fc2(torch.relu(network.fc1(torch.cat(features, dim=1)))))
    outputs = network(maps)
    torch.testing.assert_close(outputs["embedding"], hidden)
    torch.testing.assert_close(outputs["logits"], network.fc3(hidden))


def test_u_and_v_are_divided_by_255_and_strain_is_left_out():
    X = noise(28 * 28 * 3)
    model = OFFApexNetClassifier(epochs=1, **SMALL)
    prepared = model._prepare(torch.from_numpy(model._shape(X)))
    expected = X.reshape(8, 28, 28, 3)[..., :2].transpose(0, 3, 1, 2) / 255
    np.testing.assert_allclose(prepared, expected, atol=1e-6)
    strained = X.copy().reshape(8, 28, 28, 3)
    strained[..., 2] = 255 - strained[..., 2]
    model.fit(X, ["a", "b"] * 4)
    np.testing.assert_array_equal(model.predict_proba(strained), model.predict_proba(X))


def test_it_learns_eight_clips():
    learns_eight_clips(OFFApexNetClassifier(epochs=20, lr=3e-3, dropout=0.0, **SMALL), noise(28 * 28 * 3))


def test_it_obeys_its_seed():
    obeys_its_seed(OFFApexNetClassifier(epochs=2, **SMALL), noise(28 * 28 * 3))


def test_dropout_is_off_in_predictions():
    predicts_without_chance(OFFApexNetClassifier(epochs=2, **SMALL), noise(28 * 28 * 3))


def test_other_shapes_are_refused():
    model = OFFApexNetClassifier(epochs=1, **SMALL).fit(noise(28 * 28 * 3), ["a", "b"] * 4)
    refuses_shape(model, noise(28 * 28), r"X has shape \(8, 784\): it must be flow maps")
    refuses_shape(model, noise(30, 30, 3), "X holds maps of 30 x 30: this network takes 28 x 28")


def test_a_dropout_that_is_not_allowed_is_named():
    with pytest.raises(ParameterError, match=r"dropout is -0\.1: it must be at least 0\.0"):
        OFFApexNetClassifier(dropout=-0.1).check_params()
