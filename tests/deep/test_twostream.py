import numpy as np
import pytest
import torch
from torch.nn import functional as F
from toyset.networks import learns_eight_clips, obeys_its_seed, predicts_without_chance, refuses_shape

from microexpr.core.errors import ParameterError
from microexpr.deep.twostream import TwoStreamClassifier, TwoStreamNet

SMALL = {"width": 4, "device": "cpu", "random_state": 0}


def stacks(n_flows=3, rows=8, columns=8, seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (8, 1, rows, columns))
    return np.concatenate([pixels, rng.normal(0, 0.3, (8, 2 * n_flows, rows, columns))], axis=1).astype(np.float32)


def test_layers_and_parameters_by_hand():
    layers = TwoStreamClassifier().layers((1 + 2 * 9, 64, 64), n_classes=5)
    kinds = [layer.kind for layer in layers]
    # Per stream four modules of three layers, three max pools and an average; then dropout and the last layer.
    assert len(layers) == 2 * (4 * 3 + 3 + 1) + 2
    assert (kinds.count("Conv2d"), kinds.count("MaxPool2d"), kinds[-2:]) == (8, 6, ["Dropout", "Linear"])
    shared = 9 * (32 * 64 + 64 * 128 + 128 * 128) + 2 * (32 + 64 + 128 + 128)
    expected = 9 * (1 + 18) * 32 + 2 * shared + 256 * 5 + 5
    assert sum(layer.n_parameters for layer in layers) == expected
    assert [layer.output_shape for layer in layers if layer.kind == "AdaptiveAvgPool2d"] == [(128, 1, 1)] * 2


def test_each_stream_sees_its_own_channels():
    torch.manual_seed(0)
    network = TwoStreamNet(5, 2, width=4).eval()
    inputs = torch.randn(3, 5, 8, 8)
    embedding = network(inputs)["embedding"]
    assert embedding.shape == (3, 32)
    inputs[:, 0] += torch.randn(3, 8, 8)
    pixels_changed = network(inputs)["embedding"]
    assert not torch.equal(pixels_changed[:, :16], embedding[:, :16])
    assert torch.equal(pixels_changed[:, 16:], embedding[:, 16:])


def test_a_stream_is_the_formula_layer_by_layer():
    torch.manual_seed(0)
    network = TwoStreamNet(3, 2, width=2)
    inputs = torch.randn(4, 3, 16, 8)
    with torch.no_grad():
        outputs = network.train()(inputs)
    state = network.state_dict()
    features = inputs[:, 1:]
    for convolution, norm in ((0, 1), (4, 5), (8, 9), (12, 13)):
        if convolution > 0:
            features = features.unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(4, 5))
        features = F.conv2d(features, state[f"temporal.{convolution}.weight"], padding=1)
        mean, variance = features.mean((0, 2, 3), keepdim=True), features.var((0, 2, 3), correction=0, keepdim=True)
        features = ((features - mean) / (variance + network.temporal[norm].eps).sqrt()).clamp(min=0)
    own = outputs["embedding"][:, 8:]
    kept = own != 0  # dropout doubles what it keeps
    torch.testing.assert_close(own[kept], 2 * features.mean((2, 3))[kept], atol=1e-4, rtol=1e-4)
    assert kept.any()


def test_pixels_are_standardised_and_flow_is_in_tenths_of_a_pixel():
    X = stacks()
    prepared = TwoStreamClassifier()._prepare(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(prepared[:, 1:], 10 * X[:, 1:], rtol=1e-6)
    for clip in range(8):
        expected = (X[clip, 0] - X[clip, 0].mean()) / X[clip, 0].std()
        np.testing.assert_allclose(prepared[clip, 0], expected, atol=1e-4)


def test_it_learns_eight_clips():
    learns_eight_clips(TwoStreamClassifier(epochs=40, lr=1e-2, dropout=0.0, **SMALL), stacks())


def test_it_obeys_its_seed():
    obeys_its_seed(TwoStreamClassifier(epochs=2, **SMALL), stacks())


def test_dropout_is_off_in_predictions():
    predicts_without_chance(TwoStreamClassifier(epochs=2, **SMALL), stacks())


def test_other_shapes_are_refused():
    model = TwoStreamClassifier(epochs=1, **SMALL).fit(stacks(), ["a", "b"] * 4)
    refuses_shape(model, stacks()[:, :6], r"X has shape \(8, 6, 8, 8\): .*1 \+ 2 \* n_flows")
    refuses_shape(model, stacks(n_flows=0), r"X has shape \(8, 1, 8, 8\)")
    refuses_shape(model, stacks(columns=7), r"X has shape \(8, 7, 8, 7\): .* at least 8 x 8 pixels")
    refuses_shape(model, stacks()[:, 0], r"X has shape \(8, 8, 8\)")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"width": 0}, "width is 0: it must be at least 1"), ({"dropout": 1.0}, "dropout is 1.0: it must be below 1")],
)
def test_parameters_that_are_not_allowed_are_named(parameters, message):
    with pytest.raises(ParameterError, match=message):
        TwoStreamClassifier(**parameters).check_params()
