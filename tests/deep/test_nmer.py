import hashlib
import math

import numpy as np
import pytest
import torch
from toyset.networks import EIGHT, learns_eight_clips, obeys_its_seed, refuses_shape

from microexpr.core.digest import digest, estimator_spec
from microexpr.core.errors import DataError, ParameterError
from microexpr.deep import NMERClassifier
from microexpr.deep._training import new_loop
from microexpr.deep.nmer import NMER
from microexpr.deep.resnet import ResNet18

CODES = [["negative", "positive", "surprise"].index(name) for name in EIGHT]
BACKBONE = 11_176_512


@pytest.fixture(scope="module")
def images():
    """Noise, and in each class one channel that is brighter."""
    values = np.random.default_rng(0).integers(90, 110, (8, 32, 32, 3), dtype=np.uint8)
    for clip, code in enumerate(CODES):
        values[clip, :, :, code] += 120
    return values


def quick(**params):
    settings = {"epochs": 1, "batch_size": 8, "device": "cpu", "random_state": 0}
    return NMERClassifier(**{**settings, **params})


def n_parameters(*args, **kwargs):
    with torch.device("meta"):
        network = NMER(*args, **kwargs)
    return sum(parameter.numel() for parameter in network.parameters())


def test_parameters_are_counted_by_hand():
    parts = 2 * (512 * 64 + 64)
    classes = 2 * (64 * 3 + 3) + 128 * 3 + 3
    discriminator = (128 * 64 + 64) + (64 * 32 + 32) + (32 + 1)
    assert n_parameters(3) == BACKBONE + parts + classes == 11_242_953
    assert n_parameters(3, adversarial=True) == 11_242_953 + discriminator == 11_253_322


def with_maps(network, maps):
    """Have the backbone give these maps; return what it was asked for."""
    asked = []

    def features(inputs):
        asked.append(inputs)
        return maps

    network.backbone.features = features
    return asked


@pytest.mark.parametrize(("n_rows", "n_top"), [(7, 3), (14, 6), (5, 2), (4, 1), (2, 1)])
def test_top_and_bottom_rows_are_averaged_apart(n_rows, n_top):
    torch.manual_seed(0)
    network = NMER(3).eval()
    maps = torch.randn(2, 512, n_rows, 4)
    with_maps(network, maps)
    with torch.no_grad():
        outputs = network(torch.zeros(2, 3, 28, 28))
    state = {
        name: value.numpy().astype(float) for name, value in network.state_dict().items() if "backbone" not in name
    }

    def linear(values, name):
        return values @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    values = maps.numpy().astype(float)
    top = np.tanh(linear(values[:, :, :n_top].mean(axis=(2, 3)), "top.0"))
    bottom = np.tanh(linear(values[:, :, n_top:].mean(axis=(2, 3)), "bottom.0"))
    joined = np.concatenate([top, bottom], axis=1)
    np.testing.assert_allclose(outputs["embedding"], joined, atol=1e-5)
    np.testing.assert_allclose(outputs["top"], linear(top, "top_classes"), atol=1e-5)
    np.testing.assert_allclose(outputs["bottom"], linear(bottom, "bottom_classes"), atol=1e-5)
    np.testing.assert_allclose(outputs["logits"], linear(joined, "classes"), atol=1e-5)


def test_a_map_of_one_row_is_both_parts():
    network = NMER(2).eval()
    network.bottom.load_state_dict(network.top.state_dict())
    with_maps(network, torch.randn(1, 512, 1, 1))
    with torch.no_grad():
        joined = network(torch.zeros(1, 3, 28, 28))["embedding"]
    assert torch.equal(joined[:, :64], joined[:, 64:])


def test_inputs_are_scaled_as_imagenets():
    network = NMER(2).eval()
    asked = with_maps(network, torch.zeros(1, 512, 1, 1))
    network(torch.tensor([255.0, 0.0, 102.0])[None, :, None, None].expand(1, 3, 2, 2))
    expected = [(1 - 0.485) / 0.229, (0 - 0.456) / 0.224, (0.4 - 0.406) / 0.225]
    np.testing.assert_allclose(asked[0][0, :, 1, 1], expected, rtol=1e-5)


def test_the_strength_grows_from_0_to_almost_1():
    network = NMER(2)
    values = []
    for network.progress in (0.0, 0.1, 1.0):
        values.append(network.strength)
    assert values == pytest.approx([0, 2 / (1 + math.exp(-1)) - 1, 0.9999092])


def test_losses_are_cross_entropies_and_the_domains():
    generator = np.random.default_rng(0)
    outputs = {name: generator.normal(size=(4, 3)) for name in ("logits", "top", "bottom")}
    outputs["domain"] = generator.normal(size=4)
    codes, weights, domain = np.array([0, 1, 2, 1]), np.array([0.5, 1.0, 1.5, 1.0]), np.array([0, 1, 1, 0])
    losses = NMER(3, adversarial=True).losses(
        {name: torch.from_numpy(values) for name, values in outputs.items()},
        *(torch.from_numpy(values) for values in (codes, weights, domain)),
    )
    expected = {}
    for name, key in (("top", "top"), ("bottom", "bottom"), ("joint", "logits")):
        shares = np.exp(outputs[key]) / np.exp(outputs[key]).sum(axis=1, keepdims=True)
        expected[name] = -(weights * np.log(shares[np.arange(4), codes])).mean()
    macro = 1 / (1 + np.exp(-outputs["domain"]))
    expected["adversarial"] = -np.log(np.where(domain == 1, macro, 1 - macro)).mean()
    assert list(losses) == list(expected)
    assert {name: value.item() for name, value in losses.items()} == pytest.approx(expected, rel=1e-5)


def test_the_backbone_minimises_the_papers_sum_and_the_discriminator_its_own_loss():
    torch.manual_seed(0)
    network = NMER(3, dropout=0.0, adversarial=True)
    network.progress = 0.1
    strength = 2 / (1 + math.exp(-1)) - 1
    maps = torch.randn(4, 512, 7, 7, requires_grad=True)
    with_maps(network, maps)
    codes, weights, domain = torch.tensor([0, 1, 2, 0]), torch.ones(4), torch.tensor([0, 0, 1, 1])
    features = [maps, network.top[0].weight, network.bottom[0].weight]
    discriminator = list(network.discriminator.parameters())

    outputs = network(torch.zeros(4, 3, 28, 28))
    terms = network.losses(outputs, codes, weights, domain)
    got = torch.autograd.grad(sum(terms.values()), features + discriminator, retain_graph=True)

    classes = terms["top"] + terms["bottom"] + terms["joint"]
    logits = network.discriminator(outputs["embedding"]).squeeze(1)  # with no reversal in between
    adversarial = torch.nn.functional.binary_cross_entropy_with_logits(logits, domain.float())
    wanted = torch.autograd.grad(classes - strength * adversarial, features, retain_graph=True)
    wanted += torch.autograd.grad(adversarial, discriminator)
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other)
        assert other.abs().max() > 0


def test_the_discriminator_does_not_decide_when_to_stop(images):
    settings = {"adversarial": True, "patience": 3, "epochs": 2, "batch_size": 4}
    subjects, domain = np.repeat(["s0", "s1", "s2", "macro"], 2), np.repeat([0, 1], [6, 2])
    history = quick(**settings).fit(images, ["negative", "positive"] * 4, groups=subjects, domain=domain).history_
    assert len(history["train_adversarial"]) == len(history["valid_loss"]) == 2
    parts = [history[f"valid_{name}"] for name in ("top", "bottom", "joint")]
    np.testing.assert_allclose(history["valid_loss"], np.sum(parts, axis=0), rtol=1e-5)


def test_it_learns_eight_clips(images):
    learns_eight_clips(quick(epochs=12, backbone_lr=1e-3), images)


def test_its_seed_decides(images):
    obeys_its_seed(quick(), images)


def test_the_backbone_learns_at_a_rate_of_its_own():
    model = quick(backbone_lr=1e-5, lr=1e-3, adversarial=True)
    network = model._network((3, 32, 32), 3)
    loop = new_loop(model, network, torch.device("cpu"), None).initialize()
    rates = {}
    for group in loop.optimizer_.param_groups:
        assert group["weight_decay"] == 1e-6
        rates |= dict.fromkeys(map(id, group["params"]), group["lr"])
    assert len(rates) == len(list(network.parameters()))
    for name, parameter in network.named_parameters():
        assert rates[id(parameter)] == (1e-5 if name.startswith("backbone.") else 1e-3), name


def test_adversarial_training_needs_auxiliary_clips(images):
    for domain in (None, np.zeros(8, int)):
        with pytest.raises(
            ParameterError, match="adversarial is True: it needs auxiliary clips, rows of domain 1 in fit"
        ):
            quick(adversarial=True).fit(images, EIGHT, domain=domain)


def test_the_adversarial_part_is_there_only_when_asked_for(images):
    domain = np.repeat([0, 1], 4)
    asked = quick(adversarial=True).fit(images, EIGHT, domain=domain)
    assert asked.history_.keys() == {f"train_{name}" for name in ("top", "bottom", "joint", "adversarial", "loss")}
    # One batch, before which nothing was learnt: the discriminator guesses.
    assert asked.history_["train_adversarial"][0] == pytest.approx(math.log(2), abs=0.1)
    plain = quick().fit(images, EIGHT, domain=domain)
    assert plain.history_.keys() == {f"train_{name}" for name in ("top", "bottom", "joint", "loss")}


def test_training_batches_change_and_stay_maps_of_0_to_255(images):
    model = quick()
    batch = torch.from_numpy(model._shape(images)).float()
    torch.manual_seed(0)
    changed = model._augment(batch)
    assert changed.shape == batch.shape
    assert 0 <= changed.min() <= changed.max() <= 255
    assert all(not torch.equal(one, other) for one, other in zip(changed, batch, strict=True))


@pytest.mark.parametrize(
    ("shape", "message"),
    [((8, 27, 27, 3), "images of 27 x 27: they must be at least 28 x 28"), ((8, 32, 31, 3), r"\(8, 32, 31, 3\)")],
)
def test_other_shapes_are_refused(images, shape, message):
    model = quick()
    model.network_, model.input_shape_, model.classes_ = NMER(3), (3, 32, 32), np.unique(EIGHT)
    refuses_shape(model, np.zeros(shape, np.uint8), message)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"adversarial": 1}, "adversarial is 1: it must be one of False, True"),
        ({"weights": 5}, "weights is 5: it must be the path of a checkpoint, a string, or None"),
        ({"dropout": 1.0}, "dropout is 1.0: it must be below 1"),
        ({"backbone_lr": 0}, "backbone_lr is 0: it must be above 0"),
    ],
)
def test_parameters_out_of_bounds_are_named(images, params, message):
    with pytest.raises(ParameterError, match=message):
        quick(**params).fit(images, EIGHT)


def test_training_starts_from_a_checkpoint(tmp_path):
    torch.manual_seed(0)
    source = ResNet18()
    torch.save(source.state_dict(), tmp_path / "imagenet.pth")
    network = quick(weights=str(tmp_path / "imagenet.pth"))._network((3, 32, 32), 3)
    assert torch.equal(network.backbone.layer4[1].conv2.weight, source.layer4[1].conv2.weight)


def test_a_missing_checkpoint_is_told(images, tmp_path):
    with pytest.raises(DataError, match=r"none.pth: there is no such file"):
        quick(weights=str(tmp_path / "none.pth")).fit(images, EIGHT)


def test_the_checkpoints_content_is_part_of_the_key(tmp_path):
    path = tmp_path / "x.pth"
    path.write_bytes(b"first")
    model = quick(weights=str(path))
    assert model.key_facts() == {"weights": hashlib.sha256(hashlib.sha256(b"first").digest()).hexdigest()}
    before = digest(estimator_spec(model))
    path.write_bytes(b"other")
    assert digest(estimator_spec(model)) != before
    assert quick().key_facts() == {}
