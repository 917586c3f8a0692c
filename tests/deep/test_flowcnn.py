import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from toyset.networks import EIGHT, learns_eight_clips, noise, obeys_its_seed, predicts_without_chance, refuses_shape

from microexpr.core.errors import ParameterError
from microexpr.deep.flowcnn import FlowCNN, FlowCNNClassifier, StackedLinear

SMALL = {"n_networks": 2, "device": "cpu", "random_state": 0}
N_NETWORKS = 3


def network_alone(together, number):
    """Return network `number` as one of torch's own layers, with copies of its weights."""
    alone = nn.Sequential(
        nn.Conv2d(3, 16, 5, stride=2, padding=2), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 7 * 7, 3),
    )  # fmt: skip
    for place, layer in ((0, together.conv1), (1, together.bn1), (4, together.conv2), (5, together.bn2)):
        for name, values in layer.state_dict().items():
            if values.ndim > 0:
                alone[place].state_dict()[name].copy_(values.chunk(N_NETWORKS)[number])
    alone[8].weight.data.copy_(together.fc.weight[number].T)
    alone[8].bias.data.copy_(together.fc.bias[number, 0])
    return alone


def own_parts(together, number):
    """Return the parts of every parameter, or of its gradient, that belong to network `number`."""
    own = {}
    for name, parameter in together.named_parameters():
        own[name] = parameter.chunk(N_NETWORKS)[number], parameter.grad.chunk(N_NETWORKS)[number]
    return own


def standardised_by_hand(maps):
    return (maps - maps.mean((2, 3), keepdim=True)) / maps.std((2, 3), correction=0, keepdim=True)


@pytest.fixture
def together():
    torch.manual_seed(0)
    network = FlowCNN(3, N_NETWORKS, dropout=0.0)
    for norm in (network.bn1, network.bn2):  # as after some training, so that the parts differ
        for values in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
            values.uniform_(0.5, 1.5)
    return network


@pytest.fixture
def batch():
    maps = torch.from_numpy(noise(3, 28, 28)).float()
    return maps, torch.tensor([0, 1, 2, 0, 1, 2, 0, 0]), torch.rand(8) + 0.5, torch.zeros(8, dtype=torch.int64)


def test_parameters_and_layers_by_hand():
    one = (3 * 25 * 16 + 16) + 2 * 16 + (16 * 9 * 32 + 32) + 2 * 32 + (7 * 7 * 32 * 3 + 3)
    assert one == 10_659
    layers = FlowCNNClassifier().layers((3, 28, 28), n_classes=3)
    assert sum(layer.n_parameters for layer in layers) == 5 * one
    assert [(layer.kind, layer.output_shape) for layer in layers] == [
        ("Conv2d", (80, 14, 14)),
        ("BatchNorm2d", (80, 14, 14)),
        ("ReLU", (80, 14, 14)),
        ("MaxPool2d", (80, 7, 7)),
        ("Conv2d", (160, 7, 7)),
        ("BatchNorm2d", (160, 7, 7)),
        ("ReLU", (160, 7, 7)),
        ("Dropout", (160, 7, 7)),
        ("StackedLinear", (5, 3)),
    ]


@pytest.mark.parametrize("training", [False, True])
def test_the_groups_compute_what_separate_networks_do(together, batch, training):
    outputs = together.train(training)(batch[0])
    shares = []
    for number in range(N_NETWORKS):
        logits = network_alone(together, number).train(training)(standardised_by_hand(batch[0]))
        torch.testing.assert_close(outputs["members"][:, number], logits, atol=1e-4, rtol=1e-4)
        shares.append(torch.softmax(logits, dim=1))
    torch.testing.assert_close(torch.softmax(outputs["logits"], 1), torch.stack(shares).mean(0), atol=1e-5, rtol=1e-4)
    assert outputs["embedding"].shape == (8, N_NETWORKS * 1568)


def test_trained_together_each_becomes_what_it_would_alone(together, batch):
    maps, codes, weights, domain = batch
    apart = [network_alone(together, number) for number in range(N_NETWORKS)]
    settings = {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1}
    optimizers = [torch.optim.SGD(network.parameters(), **settings) for network in (together, *apart)]
    for _ in range(3):
        losses = [together.losses(together(maps), codes, weights, domain)["class"]]
        for network in apart:
            logits = network(standardised_by_hand(maps))
            losses.append((F.cross_entropy(logits, codes, reduction="none") * weights).mean())
        torch.testing.assert_close(losses[0], torch.stack(losses[1:]).sum(), atol=1e-4, rtol=1e-4)
        for loss, optimizer in zip(losses, optimizers, strict=True):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    for number, network in enumerate(apart):
        grouped = network_alone(together, number)
        for name, values in network.state_dict().items():
            if values.ndim > 0:
                torch.testing.assert_close(grouped.state_dict()[name], values, atol=1e-4, rtol=1e-3, msg=name)


def test_the_gradient_of_one_network_does_not_reach_the_others(together, batch):
    together(batch[0])["members"][:, 1].square().sum().backward()
    for number in range(N_NETWORKS):
        for name, (_, gradient) in own_parts(together, number).items():
            assert bool(gradient.any()) == (number == 1), (number, name)


def test_each_network_can_have_a_map_of_its_own(together, batch):
    other = torch.from_numpy(noise(3, 28, 28, seed=1)).float()
    alike = together.eval()(batch[0])["members"]
    mixed = together(torch.cat([batch[0], other, batch[0]], dim=1))["members"]
    torch.testing.assert_close(mixed[:, [0, 2]], alike[:, [0, 2]])
    torch.testing.assert_close(mixed[:, 1], together(other)["members"][:, 1])


def test_the_stacked_layer_starts_as_torchs_own():
    torch.manual_seed(0)
    layer = StackedLinear(4, 25, 30)
    for values in (layer.weight, layer.bias):
        assert values.abs().max() <= 0.2  # 1 / sqrt(25)
        assert values.abs().max() > 0.19
    assert not torch.equal(layer.weight[0], layer.weight[1])


def test_probabilities_are_the_mean_of_the_networks():
    X = noise(28 * 28 * 3)
    model = FlowCNNClassifier(epochs=2, **SMALL).fit(X, EIGHT)
    with torch.no_grad():
        members = model.network_(model._prepare(torch.from_numpy(model._shape(X).copy())))["members"].double().numpy()
    shares = np.exp(members) / np.exp(members).sum(axis=2, keepdims=True)
    assert np.abs(shares[:, 0] - shares[:, 1]).max() > 1e-3
    np.testing.assert_allclose(model.predict_proba(X), shares.mean(axis=1), atol=1e-5)


def test_training_maps_are_mirrored_half_of_the_time_for_each_network_anew(batch):
    maps = batch[0].repeat(25, 1, 1, 1)
    mirrored = maps.flip(-1)
    mirrored[:, 0] = 255 - mirrored[:, 0]
    torch.manual_seed(0)
    parts = FlowCNNClassifier(n_networks=2, shift=0)._augment(maps).split(3, dim=1)
    choices = []
    for part in parts:
        is_mirrored = (part == mirrored).all(dim=(1, 2, 3))
        assert ((part == maps).all(dim=(1, 2, 3)) ^ is_mirrored).all()
        assert 0.39 < is_mirrored.float().mean() < 0.61  # three standard errors
        choices.append(is_mirrored)
    assert 0.39 < (choices[0] == choices[1]).float().mean() < 0.61


def test_training_maps_are_shifted_by_up_to_shift_pixels(batch):
    maps = batch[0].repeat(25, 1, 1, 1)
    mirrored = maps.flip(-1)
    mirrored[:, 0] = 255 - mirrored[:, 0]
    torch.manual_seed(0)
    inner = FlowCNNClassifier(n_networks=1, shift=1)._augment(maps)[:, :, 1:-1, 1:-1]
    seen = torch.zeros(len(maps), 9, dtype=torch.bool)
    for place in range(9):
        row, column = divmod(place, 3)
        for source in (maps, mirrored):
            window = source[:, :, row : row + 26, column : column + 26]
            seen[:, place] |= (inner == window).all(dim=(1, 2, 3))
    assert (seen.sum(dim=1) == 1).all()
    assert seen.any(dim=0).all()


def test_scale_and_offset_of_a_channel_do_not_matter():
    X = noise(28 * 28 * 3) // 2
    model = FlowCNNClassifier(epochs=1, **SMALL).fit(X, EIGHT)
    brighter = (X.reshape(8, 28, 28, 3) * [2, 1, 1] + [0, 0, 100]).astype(np.uint8)
    np.testing.assert_allclose(model.predict_proba(brighter), model.predict_proba(X), atol=1e-5)


def test_it_learns_eight_clips():
    learns_eight_clips(FlowCNNClassifier(epochs=40, lr=3e-3, **SMALL), noise(28 * 28 * 3))


def test_it_obeys_its_seed():
    obeys_its_seed(FlowCNNClassifier(epochs=2, **SMALL), noise(28 * 28 * 3))


def test_dropout_is_off_in_predictions():
    predicts_without_chance(FlowCNNClassifier(epochs=2, **SMALL), noise(28 * 28 * 3))


def test_other_shapes_are_refused():
    model = FlowCNNClassifier(epochs=1, **SMALL).fit(noise(28 * 28 * 3), ["a", "b"] * 4)
    refuses_shape(model, noise(7), r"X has shape \(8, 7\): it must be flow maps")
    refuses_shape(model, noise(14, 14, 3), "X holds maps of 14 x 14: this network takes 28 x 28")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_networks": 0}, "n_networks is 0: it must be at least 1"),
        ({"shift": -1}, "shift is -1: it must be at least 0"),
        ({"dropout": 1.0}, "dropout is 1.0: it must be below 1"),
    ],
)
def test_parameters_that_are_not_allowed_are_named(parameters, message):
    with pytest.raises(ParameterError, match=message):
        FlowCNNClassifier(**parameters).check_params()
