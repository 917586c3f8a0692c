import math

import numpy as np
import pytest
import torch
from toyset.networks import learns_eight_clips, noise, obeys_its_seed, predicts_without_chance, refuses_shape

from microexpr.core.errors import ParameterError
from microexpr.deep.dubey import Dubey3DCNN, DubeyClassifier

SMALL = {"device": "cpu", "random_state": 0}


def test_the_papers_network_has_seven_layers_and_1643267_parameters():
    layers = DubeyClassifier().layers((18, 64, 64), n_classes=3)
    assert [(layer.kind, layer.output_shape, layer.n_parameters) for layer in layers] == [
        ("Conv3d", (32, 4, 62, 62), 32 * 15 * 3 * 3 + 32),
        ("MaxPool3d", (32, 1, 20, 20), 0),
        ("Dropout", (32, 1, 20, 20), 0),
        ("Flatten", (12800,), 0),
        ("Linear", (128,), 12800 * 128 + 128),
        ("Dropout", (128,), 0),
        ("Linear", (3,), 128 * 3 + 3),
    ]
    assert sum(layer.n_parameters for layer in layers) == 1_643_267


@pytest.mark.parametrize("activation", ["relu", "swish"])
def test_the_network_is_the_formula_in_numpy(activation):
    torch.manual_seed(0)
    network = Dubey3DCNN((1, 18, 6, 5), 3, activation=activation).eval()
    clip = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 1, 18, 6, 5)).astype(np.float32)
    weights = {name: value.numpy().astype(float) for name, value in network.state_dict().items()}
    # Four frames of 4 x 3 places are left of the convolution; the pool takes the first three of each axis.
    windows = np.lib.stride_tricks.sliding_window_view(clip[0, 0], (15, 3, 3))
    convolved = np.einsum("trcxij,foxij->ftrc", windows, weights["conv.weight"])
    convolved += weights["conv.bias"][:, None, None, None]

    def activated(values):
        return np.maximum(values, 0) if activation == "relu" else values / (1 + np.exp(-values))

    pooled = activated(convolved)[:, :3, :3, :3].max(axis=(1, 2, 3))
    hidden = activated(weights["dense1.weight"] @ pooled + weights["dense1.bias"])
    logits = weights["dense2.weight"] @ hidden + weights["dense2.bias"]
    with torch.no_grad():
        outputs = network(torch.from_numpy(clip))
    np.testing.assert_allclose(outputs["embedding"][0], hidden, atol=1e-5)
    np.testing.assert_allclose(outputs["logits"][0], logits, atol=1e-5)


def test_weights_start_as_glorots():
    torch.manual_seed(0)
    network = Dubey3DCNN((1, 18, 14, 14), 3)
    # Fan in and out: 1 and 32 filters of 135; 32 * 16 places and 128 features; 128 features and 3 classes.
    for layer, fans in ((network.conv, 135 + 32 * 135), (network.dense1, 512 + 128), (network.dense2, 128 + 3)):
        bound = math.sqrt(6 / fans)
        assert layer.weight.abs().max() <= bound
        assert layer.weight.abs().max() > 0.95 * bound
        assert not layer.bias.any()


def test_grey_levels_become_half_ranges():
    prepared = DubeyClassifier()._prepare(torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(1, 3, 1, 1))
    np.testing.assert_allclose(prepared.reshape(-1), [-0.5, -0.3, 0.5], atol=1e-7)
    assert prepared.shape == (1, 1, 3, 1, 1)


@pytest.mark.parametrize("activation", ["relu", "swish"])
def test_it_learns_eight_clips(activation):
    model = DubeyClassifier(activation=activation, dropout=0.0, epochs=100, lr=0.1, **SMALL)
    learns_eight_clips(model, noise(18, 8, 8))


def test_it_obeys_its_seed():
    obeys_its_seed(DubeyClassifier(epochs=2, **SMALL), noise(18, 8, 8))


def test_dropout_is_off_in_predictions():
    predicts_without_chance(DubeyClassifier(epochs=2, **SMALL), noise(18, 8, 8))


def test_it_is_trained_by_plain_sgd():
    # One step on one batch: the last layer's bias moves by lr times the mean of (one-hot - softmax).
    X, labels = noise(17, 5, 5), np.array(["a", "b", "b", "b"] * 2)
    model = DubeyClassifier(dropout=0.0, epochs=1, lr=0.25, **SMALL)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = model._network((17, 5, 5), 2)
    with torch.no_grad():
        shares = torch.softmax(network(model._prepare(torch.from_numpy(X)))["logits"], dim=1).numpy()
    step = 0.25 * (np.eye(2)[(labels == "b").astype(int)] - shares).mean(axis=0)
    np.testing.assert_allclose(model.fit(X, labels).network_.dense2.bias.detach(), step, atol=1e-6)


def test_other_shapes_are_refused():
    model = DubeyClassifier(epochs=1, **SMALL).fit(noise(17, 5, 5), ["a", "b"] * 4)
    refuses_shape(model, noise(16, 5, 5), r"X has shape \(8, 16, 5, 5\): .* at least 17 frames of 5 x 5 pixels")
    refuses_shape(model, noise(17, 5, 4), r"X has shape \(8, 17, 5, 4\)")
    refuses_shape(model, noise(17, 5, 5, 3), r"X has shape \(8, 17, 5, 5, 3\): it must be grey clips")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"activation": "elu"}, "activation is 'elu'"), ({"dropout": 1.0}, "dropout is 1.0: it must be below 1")],
)
def test_parameters_that_are_not_allowed_are_named(parameters, message):
    with pytest.raises(ParameterError, match=message):
        DubeyClassifier(**parameters).check_params()
