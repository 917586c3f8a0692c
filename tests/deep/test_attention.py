"""Grad-CAM against hand arithmetic and a NumPy twin, and that it leaves the network as it was."""

import numpy as np
import pytest
import torch
from torch import nn

from microexpr.core.errors import DataError, ParameterError
from microexpr.deep.attention import grad_cam
from microexpr.deep.network import Network
from microexpr.deep.ststnet import STSTNet


class Pooled(Network):
    """Feature maps as they come; a logit is a weighted sum of their means over all places."""

    attention_layer = "maps"

    def __init__(self, weights):
        super().__init__()
        self.maps = nn.Identity()
        self.last = nn.Linear(2, len(weights), bias=False)
        self.last.weight.data = torch.tensor(weights)

    def forward(self, inputs):
        means = self.maps(inputs).flatten(2).mean(dim=2)
        return {"logits": self.last(means), "embedding": means}


class Small(Network):
    """Convolution, ReLU in place, batch norm, dropout, two layers with tanh between."""

    attention_layer = "conv"

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.relu = nn.ReLU(inplace=True)
        self.bn = nn.BatchNorm2d(3)
        self.dropout = nn.Dropout(0.5)
        self.hidden = nn.Linear(3 * 2 * 3, 4)
        self.last = nn.Linear(4, 2)

    def forward(self, inputs):
        features = self.dropout(self.bn(self.relu(self.conv(inputs))))
        embedding = torch.tanh(self.hidden(features.flatten(1)))
        return {"logits": self.last(embedding), "embedding": embedding}


class Recurrent(Network):
    """A recurrent layer over the rows of the feature map, whose hidden state decides."""

    attention_layer = "conv"

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)
        # So that the map has both signs.
        nn.init.ones_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)
        self.lstm = nn.LSTM(5, 4, batch_first=True)
        self.last = nn.Linear(4, 2)

    def forward(self, inputs):
        states, _ = self.lstm(self.conv(inputs)[:, 0])
        return {"logits": self.last(states[:, -1]), "embedding": states[:, -1]}


def _small(seed=0):
    torch.manual_seed(seed)
    network = Small()
    network.bn.running_mean.uniform_(-1, 1)
    network.bn.running_var.uniform_(0.5, 2)
    network.bn.weight.data.uniform_(0.5, 2)
    return network


def _inputs(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# One clip of two maps 2 x 2; the gradient of a logit is its weights / 4 everywhere.
HAND = torch.tensor([[[[1.0, 2.0], [0.0, 4.0]], [[3.0, 1.0], [1.0, 0.0]]]])


def test_the_maps_are_those_computed_by_hand():
    network = Pooled([[2.0, -1.0], [-4.0, 4.0], [-1.0, -1.0]])
    maps = grad_cam(network, HAND.repeat(3, 1, 1, 1), torch.tensor([0, 1, 2]))
    # 2 A - B = [[-1, 3], [-1, 8]] before ReLU; 4 (B - A) = [[8, -4], [4, -16]]; -A - B is nowhere above 0.
    expected = [[[0, 3 / 8], [0, 1]], [[1, 0], [1 / 2, 0]], [[0, 0], [0, 0]]]
    assert maps.dtype == torch.float32
    np.testing.assert_allclose(maps, expected, atol=1e-6)


def test_maps_with_time_are_averaged_over_it_after_relu():
    network = Pooled([[2.0, -1.0], [-4.0, 4.0]])
    later = torch.tensor([[[[0.0, 0.0], [3.0, 0.0]], [[2.0, 0.0], [0.0, 4.0]]]])
    both = torch.stack([HAND, later], dim=2)
    # ReLU(2 A - B): [[0, 3], [0, 8]] and [[0, 0], [6, 0]], of mean [[0, 1.5], [3, 4]].
    np.testing.assert_allclose(grad_cam(network, both, torch.tensor([0])), [[[0, 3 / 8], [3 / 4, 1]]], atol=1e-6)


def _twin(network, image, code):
    """Grad-CAM of one image by loops and the chain rule written out."""
    state = {name: value.double().numpy() for name, value in network.state_dict().items()}
    kernel, bias = state["conv.weight"][:, 0], state["conv.bias"]
    n_rows, n_columns = image.shape[0] - 2, image.shape[1] - 2
    features = np.zeros((3, n_rows, n_columns))
    for channel, row, column in np.ndindex(features.shape):
        patch = image[row : row + 3, column : column + 3]
        features[channel, row, column] = (patch * kernel[channel]).sum() + bias[channel]
    scale = (state["bn.weight"] / np.sqrt(state["bn.running_var"] + network.bn.eps))[:, None, None]
    shift = state["bn.bias"][:, None, None] - scale * state["bn.running_mean"][:, None, None]
    flat = (scale * np.maximum(features, 0) + shift).ravel()
    embedding = np.tanh(state["hidden.weight"] @ flat + state["hidden.bias"])
    before_tanh = state["last.weight"][code] * (1 - embedding**2)
    gradient = (before_tanh @ state["hidden.weight"]).reshape(features.shape) * scale * (features > 0)
    weights = gradient.mean(axis=(1, 2))
    cam = np.maximum((weights[:, None, None] * features).sum(axis=0), 0)
    return cam / cam.max() if cam.max() > 0 else cam


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_maps_of_a_convolutional_network_are_those_of_the_chain_rule(seed):
    network, inputs = _small(seed), _inputs(6, 1, 4, 5)
    codes = torch.tensor([0, 1] * 3)
    expected = [_twin(network, image.numpy(), code) for image, code in zip(inputs[:, 0].double(), codes, strict=True)]
    assert any(cam.max() == 1 for cam in expected)
    np.testing.assert_allclose(grad_cam(network.train(), inputs, codes), expected, atol=1e-5)


def test_a_clips_map_does_not_depend_on_the_batch():
    network, inputs, codes = _small(), _inputs(5, 1, 4, 5), torch.tensor([0, 1, 1, 0, 1])
    alone = [grad_cam(network, inputs[[row]], codes[[row]]) for row in range(5)]
    np.testing.assert_allclose(grad_cam(network, inputs, codes), torch.cat(alone), atol=1e-6)


def test_the_network_is_left_as_it_was():
    network = _small().train()
    network.bn.eval()
    inputs, codes = _inputs(4, 1, 4, 5), torch.tensor([0, 1, 0, 1])
    network(inputs)["logits"].sum().backward()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    gradients = {name: parameter.grad.clone() for name, parameter in network.named_parameters()}
    modes = [module.training for module in network.modules()]
    generator = torch.get_rng_state()
    grad_cam(network, inputs, codes)
    assert [module.training for module in network.modules()] == modes
    assert network.training
    assert not network.bn.training
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert all(torch.equal(parameter.grad, gradients[name]) for name, parameter in network.named_parameters())
    assert torch.equal(torch.get_rng_state(), generator)
    assert not network.conv._forward_hooks
    assert not inputs.requires_grad


def test_a_network_that_fails_is_left_as_it_was_too():
    network = _small().train()
    with pytest.raises(RuntimeError):
        grad_cam(network, _inputs(2, 1, 9, 9), torch.tensor([0, 1]))
    assert all(module.training for module in network.modules())
    assert not network.conv._forward_hooks


def test_neither_frozen_parameters_nor_a_block_without_gradients_change_the_maps():
    network, inputs, codes = _small(), _inputs(4, 1, 4, 5), torch.tensor([0, 1, 0, 1])
    expected = grad_cam(network, inputs, codes)
    network.requires_grad_(False)
    with torch.no_grad():
        frozen = grad_cam(network, inputs, codes)
    assert torch.equal(frozen, expected)
    assert not frozen.requires_grad


def test_recurrent_layers_behind_the_maps_are_differentiated_in_evaluation_mode():
    torch.manual_seed(0)
    network, inputs, before = Recurrent(), _inputs(4, 1, 6, 5), torch.backends.cudnn.enabled
    maps = grad_cam(network, inputs, torch.tensor([0, 1] * 2))
    assert torch.backends.cudnn.enabled == before
    # The derivative along a change of the whole map, by differences; with one channel it is all that is asked.
    features = network.conv(inputs).detach().double()
    network.double()

    def logits(shift):
        states, _ = network.lstm((features + shift)[:, 0])
        return network.last(states[:, -1]).detach().gather(1, torch.tensor([[0], [1]] * 2))

    slopes = (logits(1e-5) - logits(-1e-5))[:, :, None]
    expected = (slopes.sign() * features[:, 0]).relu()
    largest = expected.amax(dim=(1, 2), keepdim=True)
    assert (largest > 0).any()
    np.testing.assert_allclose(maps, expected / largest.clamp(min=1e-12), atol=1e-5)


def test_the_maps_of_ststnet_lie_in_0_to_1():
    torch.manual_seed(0)
    maps = grad_cam(STSTNet(3), 255 * torch.rand(6, 3, 28, 28), torch.tensor([0, 1, 2] * 2))
    assert maps.shape == (6, 10, 10)
    assert maps.min() >= 0
    assert set(maps.amax(dim=(1, 2)).tolist()) <= {0.0, 1.0}
    assert maps.max() == 1


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("", "Small has no attention_layer: it has no feature maps to look at"),
        ("cnov", "attention_layer is 'cnov': Small has no submodule of that name"),
    ],
)
def test_a_network_without_such_a_layer_is_refused(layer, message):
    network = _small()
    network.attention_layer = layer
    with pytest.raises(ParameterError, match=f"^{message}$"):
        grad_cam(network, _inputs(2, 1, 4, 5), torch.tensor([0, 1]))


def test_a_layer_without_places_is_refused():
    network = _small()
    network.attention_layer = "hidden"
    with pytest.raises(
        DataError, match=r"^attention_layer 'hidden' gave \(2, 4\) in a pass over 2 clips: it must give"
    ):
        grad_cam(network, _inputs(2, 1, 4, 5), torch.tensor([0, 1]))


@pytest.mark.parametrize("codes", [[0], [0, 2], [-1, 0], [0.0, 1.0]])
def test_codes_that_name_no_class_of_each_clip_are_refused(codes):
    with pytest.raises(DataError, match=r"must be int64, one for each of 2 clips, in 0\.\.1$"):
        grad_cam(_small(), _inputs(2, 1, 4, 5), torch.tensor(codes))
