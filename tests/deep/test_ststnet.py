import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from toyset.networks import EIGHT, learns_eight_clips, noise, obeys_its_seed, predicts_without_chance, refuses_shape

from microexpr.deep import STSTNetClassifier
from microexpr.deep.ststnet import STSTNet

FAST = {"epochs": 60, "lr": 0.01, "device": "cpu", "random_state": 0}


def test_it_has_the_parameters_of_the_paper():
    """Streams of 3, 5 and 8 filters 3x3 over 3 channels, batch norm, and 400 features to 3 classes."""
    own = sum(parameter.numel() for parameter in STSTNet(3).parameters())
    assert own == (3 + 5 + 8) * (3 * 9 + 1) + 2 * 16 + 400 * 3 + 3 == 1683


def test_one_convolution_of_16_filters_is_three_streams_side_by_side():
    torch.manual_seed(0)
    network = STSTNet(3, dropout=0.0).train()
    inputs = 255 * torch.rand(6, 3, 28, 28)
    streams, first = [], 0
    for width in (3, 5, 8):
        part = slice(first, first + width)
        conv, norm = nn.Conv2d(3, width, 3, padding=2), nn.BatchNorm2d(width)
        conv.weight.data, conv.bias.data = network.conv.weight.data[part], network.conv.bias.data[part]
        norm.weight.data, norm.bias.data = network.bn.weight.data[part], network.bn.bias.data[part]
        streams.append(F.max_pool2d(norm(F.relu(conv(inputs))), 3, stride=3, padding=1))
        first += width
    pooled = F.avg_pool2d(torch.cat(streams, 1), 2)
    assert pooled.shape == (6, 16, 5, 5)
    torch.testing.assert_close(network(inputs)["logits"], network.fc(pooled.flatten(1)), rtol=1e-5, atol=1e-5)


def test_it_learns_eight_clips():
    learns_eight_clips(STSTNetClassifier(**{**FAST, "dropout": 0.0}), noise(2352))


def test_it_obeys_its_seed_and_predicts_without_chance():
    model = STSTNetClassifier(**{**FAST, "epochs": 2, "batch_size": 3})
    obeys_its_seed(model, noise(2352))
    predicts_without_chance(model, noise(2352))


def test_rows_and_maps_are_the_same_clips():
    X = noise(2352)
    model = STSTNetClassifier(**{**FAST, "epochs": 2}).fit(X, ["negative", "positive"] * 4)
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X.reshape(8, 28, 28, 3)))


def test_maps_of_another_size_are_refused():
    model = STSTNetClassifier(**{**FAST, "epochs": 1}).fit(noise(2352), EIGHT)
    refuses_shape(model, noise(27 * 27 * 3), "maps of 27 x 27: this network takes 28 x 28")
    refuses_shape(model, noise(2000), r"X has shape \(8, 2000\): it must be flow maps")
