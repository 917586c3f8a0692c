import numpy as np
import pytest
import torch
from toyset.networks import learns_eight_clips, noise, obeys_its_seed, predicts_without_chance, refuses_shape

from microexpr.core.errors import ParameterError
from microexpr.deep.houlton import HoultonClassifier, HoultonCNN

SMALL = {"width": 4, "device": "cpu", "random_state": 0}


def test_the_papers_network_has_47_layers_and_sees_12_x_12_places():
    layers = HoultonClassifier(width=1).layers((3, 400, 400), n_classes=7)
    kinds = [layer.kind for layer in layers]
    assert len(layers) == 47
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "Conv2d": 14,
        "BatchNorm2d": 14,
        "ReLU": 14,
        "MaxPool2d": 3,
        "AvgPool2d": 1,
        "Linear": 1,
    }
    pools = [layer.output_shape for layer in layers if "Pool" in layer.kind]
    assert pools == [(1, 200, 200), (2, 100, 100), (4, 50, 50), (4, 12, 12)]


def test_parameters_of_the_papers_network_by_hand():
    convolutions = 9 * (3 * 32 + 2 * 32 * 32 + 32 * 64 + 3 * 64 * 64 + 64 * 128 + 3 * 128 * 128 + 3 * 128 * 128)
    norms = 2 * (3 * 32 + 4 * 64 + 4 * 128 + 3 * 128)
    last = 12 * 12 * 128 * 7 + 7
    network = HoultonCNN((3, 400, 400), 7)
    assert sum(parameter.numel() for parameter in network.parameters()) == convolutions + norms + last


@pytest.mark.parametrize(
    ("size", "depth", "places"),
    [
        ((16, 16), (3, 4, 4, 3), 1),  # 2 x 2 are left, averaged
        ((8, 70), (3, 4, 4, 3), 2),  # 1 x 8, in windows of 1 x 4
        ((9, 19), (1, 1), 2),  # 4 x 9
        ((5, 6), (2,), 1),  # 5 x 6
    ],
)
def test_the_last_layer_follows_the_size_of_the_input(size, depth, places):
    layers = HoultonClassifier(depth=depth, width=2).layers((1, *size), n_classes=3)
    widest = 2 * {1: 1, 2: 2, 4: 4}[len(depth)]
    assert layers[-1].output_shape == (3,)
    assert layers[-1].n_parameters == places * widest * 3 + 3


def test_swish_takes_the_place_of_relu():
    layers = HoultonClassifier(depth=(1, 2), width=2, activation="swish").layers((1, 8, 8))
    assert [layer.kind for layer in layers].count("SiLU") == 3
    assert "ReLU" not in [layer.kind for layer in layers]


def test_light_and_contrast_do_not_matter():
    model = HoultonClassifier(**SMALL)
    dim = torch.from_numpy(noise(3, 8, 8) // 2)
    prepared = model._prepare(dim)
    torch.testing.assert_close(model._prepare(dim + 100), prepared, atol=1e-4, rtol=0)
    torch.testing.assert_close(model._prepare(dim * 2), prepared, atol=1e-4, rtol=0)
    flat = dim.numpy().reshape(8, -1).astype(float)
    expected = (flat - flat.mean(1, keepdims=True)) / flat.std(1, keepdims=True)
    np.testing.assert_allclose(prepared.reshape(8, -1), expected, atol=1e-4)


def test_it_learns_eight_clips():
    learns_eight_clips(HoultonClassifier(epochs=60, lr=3e-3, **SMALL), noise(3, 16, 16))


def test_it_obeys_its_seed():
    obeys_its_seed(HoultonClassifier(epochs=2, **SMALL), noise(1, 8, 8))


def test_a_prediction_hangs_on_its_clip_alone():
    predicts_without_chance(HoultonClassifier(epochs=2, **SMALL), noise(1, 8, 8))


def test_the_learning_rate_falls_to_a_tenth_every_30_epochs():
    assert HoultonClassifier._DECAY == (30, 0.1)


def test_other_shapes_are_refused():
    model = HoultonClassifier(epochs=1, **SMALL).fit(noise(1, 8, 8), ["a", "b"] * 4)
    refuses_shape(model, noise(8, 8), r"X has shape \(8, 8, 8\): it must be frames of \(n_clips, channels, rows")
    refuses_shape(model, noise(1, 8, 7), r"X has shape \(8, 1, 8, 7\): .* at least 8 x 8 pixels for 4 blocks")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"depth": ()}, r"depth is \(\): it must hold one block or more"),
        ({"depth": (3, 0)}, r"depth\[1\] is 0: it must be at least 1"),
        ({"depth": 14}, "depth is 14: it must be a tuple"),
        ({"width": 0}, "width is 0: it must be at least 1"),
        ({"activation": "tanh"}, "activation is 'tanh': it must be one of 'relu', 'swish'"),
    ],
)
def test_parameters_that_are_not_allowed_are_named(parameters, message):
    with pytest.raises(ParameterError, match=message):
        HoultonClassifier(**parameters).fit(noise(1, 8, 8), ["a", "b"] * 4)
