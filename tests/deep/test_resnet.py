import math

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from microexpr.core.errors import DataError, ParameterError
from microexpr.deep import resnet
from microexpr.deep.resnet import ResNet18, load_imagenet

# Of the four layers: channels in and out, stride.
LAYERS = [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]


def n_parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def imagenet_names():
    """The names in the checkpoint, written from its layout: five values of a batch norm after each convolution."""
    convolutions = ["conv1"]
    norms = ["bn1"]
    for layer in range(1, 5):
        for block in range(2):
            prefix = f"layer{layer}.{block}"
            convolutions += [f"{prefix}.conv1", f"{prefix}.conv2"]
            norms += [f"{prefix}.bn1", f"{prefix}.bn2"]
        if layer > 1:
            convolutions.append(f"layer{layer}.0.downsample.0")
            norms.append(f"layer{layer}.0.downsample.1")
    values = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    return {
        *(f"{name}.weight" for name in convolutions),
        *(f"{name}.{value}" for name in norms for value in values),
        "fc.weight",
        "fc.bias",
    }


@pytest.fixture(scope="module")
def trained():
    """A ResNet-18 whose batch norms have seen something, in evaluation mode."""
    torch.manual_seed(0)
    network = ResNet18().eval()
    for name, value in network.state_dict().items():
        if "running_mean" in name or name.endswith("bias"):
            value.uniform_(-0.2, 0.2)
        elif "running_var" in name:
            value.uniform_(0.5, 1.5)
    return network


@pytest.fixture(scope="module")
def checkpoints(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("imagenet")
    torch.save(trained.state_dict(), folder / "zip.pth")
    torch.save(trained.state_dict(), folder / "legacy.pth", _use_new_zipfile_serialization=False)
    save_file(trained.state_dict(), folder / "weights.safetensors")
    return folder


def slow_forward(state, pictures):
    """ResNet-18 written out from its weights: the last maps and the logits."""

    def norm(maps, name):
        mean, variance, weight, bias = (
            state[f"{name}.{value}"][:, None, None] for value in ("running_mean", "running_var", "weight", "bias")
        )
        return (maps - mean) / (variance + 1e-5).sqrt() * weight + bias

    def convolve(maps, name, stride, padding):
        return F.conv2d(maps, state[f"{name}.weight"], stride=stride, padding=padding)

    maps = norm(convolve(pictures, "conv1", 2, 3), "bn1").clamp(min=0)
    maps = F.max_pool2d(maps, 3, 2, 1)
    for layer, (_, _, first_stride) in enumerate(LAYERS, 1):
        for block in range(2):
            prefix = f"layer{layer}.{block}"
            stride = first_stride if block == 0 else 1
            inner = norm(convolve(maps, f"{prefix}.conv1", stride, 1), f"{prefix}.bn1").clamp(min=0)
            inner = norm(convolve(inner, f"{prefix}.conv2", 1, 1), f"{prefix}.bn2")
            if layer > 1 and block == 0:
                maps = norm(convolve(maps, f"{prefix}.downsample.0", stride, 0), f"{prefix}.downsample.1")
            maps = (inner + maps).clamp(min=0)
    return maps, maps.mean(dim=(2, 3)) @ state["fc.weight"].T + state["fc.bias"]


def test_names_are_the_checkpoints_122(trained):
    assert trained.state_dict().keys() == imagenet_names()
    assert len(imagenet_names()) == 122


def test_parameters_are_counted_by_hand():
    by_layer = [
        9 * n_in * n_out + 3 * 9 * n_out * n_out + 4 * 2 * n_out + (n_in * n_out + 2 * n_out if stride == 2 else 0)
        for n_in, n_out, stride in LAYERS
    ]
    backbone = 3 * 64 * 7 * 7 + 2 * 64 + sum(by_layer)
    assert n_parameters(ResNet18()) == backbone + 512 * 1000 + 1000 == 11_689_512
    assert n_parameters(ResNet18(None)) == backbone == 11_176_512
    assert n_parameters(ResNet18(None, in_channels=1)) == backbone - 2 * 64 * 49
    assert n_parameters(ResNet18(None, in_channels=1, n_frames=5)) == backbone + 2 * 64 * 49


def test_it_computes_what_the_layers_written_out_compute(trained):
    pictures = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, 45, 64)).astype(np.float32))
    with torch.no_grad():
        maps, logits = slow_forward(trained.state_dict(), pictures)
        assert maps.shape == (2, 512, 2, 2)
        torch.testing.assert_close(trained.features(pictures), maps, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(trained(pictures), logits, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(trained.layer4(trained.middle(pictures)), maps, rtol=1e-3, atol=1e-3)


def test_the_last_maps_are_a_thirty_second_and_the_middle_ones_a_sixteenth():
    network = ResNet18(None).eval()
    with torch.no_grad():
        assert network.features(torch.zeros(1, 3, 224, 224)).shape == (1, 512, 7, 7)
        assert network.middle(torch.zeros(1, 3, 112, 100)).shape == (1, 256, 7, 7)
        assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 512)


def test_a_first_layer_in_time_sums_over_the_frames():
    torch.manual_seed(0)
    network = ResNet18(None, in_channels=1, n_frames=3).eval()
    assert network.conv1.weight.shape == (64, 1, 3, 7, 7)
    clips = torch.randn(2, 1, 3, 40, 32)
    with torch.no_grad():
        first = network.conv1(clips)
        assert first.shape == (2, 64, 1, 20, 16)
        flat = ResNet18(None, in_channels=3).eval()
        state = network.state_dict()
        flat.load_state_dict({**state, "conv1.weight": state["conv1.weight"][:, 0]})
        torch.testing.assert_close(network.features(clips), flat.features(clips[:, 0]), rtol=1e-4, atol=1e-4)


def test_weights_are_drawn_by_their_fan_out():
    torch.manual_seed(0)
    flat, in_time = ResNet18(None), ResNet18(None, in_channels=1, n_frames=3)
    expected = {
        flat.conv1: 64 * 49,
        in_time.conv1: 64 * 3 * 49,
        flat.layer1[0].conv2: 64 * 9,
        flat.layer2[0].downsample[0]: 128,
        flat.layer4[1].conv2: 512 * 9,
    }
    for convolution, fan_out in expected.items():
        ratio = convolution.weight.std().item() / math.sqrt(2 / fan_out)
        assert abs(ratio - 1) < 4 / math.sqrt(2 * convolution.weight.numel())
    for name, value in flat.named_parameters():
        if "bn" in name:
            assert (value == (1 if name.endswith("weight") else 0)).all()


@pytest.mark.parametrize("kwargs", [{"in_channels": 0}, {"n_frames": 0}, {"n_classes": 0}])
def test_sizes_below_1_are_refused(kwargs):
    (name,) = kwargs
    with pytest.raises(ParameterError, match=f"{name} is 0: it must be at least 1"):
        ResNet18(**kwargs)


@pytest.mark.parametrize("name", ["zip.pth", "legacy.pth", "weights.safetensors"])
def test_the_checkpoint_fills_a_backbone_in_every_format(trained, checkpoints, name):
    backbone = ResNet18(None)
    load_imagenet(backbone, str(checkpoints / name))
    state = backbone.state_dict()
    assert len(state) == 120
    for key, value in state.items():
        assert torch.equal(value, trained.state_dict()[key]), key


def test_classes_of_its_own_stay(trained, checkpoints):
    network = ResNet18(3)
    before = network.fc.weight.clone()
    load_imagenet(network, str(checkpoints / "zip.pth"))
    assert torch.equal(network.fc.weight, before)
    assert torch.equal(network.conv1.weight, trained.conv1.weight)


def holding(monkeypatch, weights):
    monkeypatch.setattr(resnet, "read_weights", lambda path: dict(weights))


def test_a_file_from_before_the_counters_is_read(trained, monkeypatch):
    old = {name: value for name, value in trained.state_dict().items() if "num_batches" not in name}
    assert len(old) == 102
    holding(monkeypatch, old)
    backbone = ResNet18(None)
    load_imagenet(backbone, "old.pth")
    assert torch.equal(backbone.layer4[1].bn2.running_var, old["layer4.1.bn2.running_var"])
    assert backbone.bn1.num_batches_tracked == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layer3.0.conv1.weight": None}, "x.pth lacks layer3.0.conv1.weight"),
        ({"bn1.num_batches_tracked": None}, "x.pth lacks bn1.num_batches_tracked"),
        ({"layer5.weight": torch.zeros(1)}, "x.pth holds layer5.weight: the network has no such weights"),
        ({"fc.weight": torch.zeros(3, 512)}, r"fc.weight has shape \(3, 512\): it must be \(1000, 512\)"),
        ({"conv1.weight": torch.zeros(64, 1, 7, 7)}, r"conv1.weight has shape \(64, 1, 7, 7\)"),
        ({"bn1.bias": torch.zeros(64, dtype=torch.int64)}, "bn1.bias is torch.int64: it must be torch.float32"),
        ({"bn1.bias": torch.full((64,), torch.nan)}, "bn1.bias holds NaN or infinity"),
    ],
)
def test_other_networks_are_refused_and_nothing_is_loaded(trained, monkeypatch, change, message):
    weights = {**trained.state_dict(), **change}
    holding(monkeypatch, {name: value for name, value in weights.items() if value is not None})
    backbone = ResNet18(None)
    before = backbone.conv1.weight.clone()
    with pytest.raises(DataError, match=message) as caught:
        load_imagenet(backbone, "x.pth")
    assert "\n" not in str(caught.value)
    assert torch.equal(backbone.conv1.weight, before)


@pytest.mark.parametrize("kwargs", [{"in_channels": 1}, {"in_channels": 1, "n_frames": 3}])
def test_a_backbone_of_another_first_layer_is_refused_before_the_file_is_read(kwargs):
    with pytest.raises(DataError, match=r"the first layer has weights of shape .*: those of ImageNet fit"):
        load_imagenet(ResNet18(None, **kwargs), "nowhere.pth")
