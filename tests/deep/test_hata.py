import numpy as np
import pytest
import torch
from sklearn.base import clone
from toyset.networks import EIGHT, learns_eight_clips, noise, obeys_its_seed, refuses_shape

from microexpr.core.errors import DataError, ParameterError
from microexpr.core.resume import resumable
from microexpr.deep import HataClassifier, _checkpoints, classifier
from microexpr.deep.hata import AttentionBranch, HataNet

CODES = [["negative", "positive", "surprise"].index(name) for name in EIGHT]
BACKBONE = 11_176_512  # with 3 channels


@pytest.fixture(scope="module")
def apexes():
    """Noise, and in each class a band of rows that is brighter."""
    values = np.random.default_rng(0).integers(90, 110, (8, 1, 32, 32), dtype=np.uint8)
    for clip, code in enumerate(CODES):
        values[clip, :, 8 * code + 2 : 8 * code + 10] += 120
    return values


def quick(**params):
    settings = {"epochs": 1, "lr": 0.02, "batch_size": 8, "device": "cpu", "random_state": 0}
    return HataClassifier(**{**settings, **params})


@pytest.fixture
def once(monkeypatch):
    """Each clip once an epoch, so that an epoch is one batch."""
    monkeypatch.setattr(HataClassifier, "_COPIES", 1)


def n_parameters(*args, **kwargs):
    with torch.device("meta"):
        network = HataNet(*args, **kwargs)
    return sum(parameter.numel() for parameter in network.parameters())


def test_parameters_are_counted_by_hand():
    flat = BACKBONE - 2 * 64 * 49  # one channel of three
    branch = (9 * 256 * 512 + 3 * 9 * 512 * 512 + 4 * 2 * 512 + 256 * 512 + 2 * 512) + 2 * 512
    branch += 512 * 3 + 2 * 3 + 3 * 3 + 3 + 2
    assert n_parameters(3, 1, abn=False) == flat + 512 * 3 + 3 == 11_171_779
    assert n_parameters(3, 3, abn=False) == BACKBONE + 512 * 3 + 3 == 11_178_051
    assert n_parameters(3, 1, abn=False, arcface=True) == flat + 512 * 3
    assert n_parameters(3, 1) == 11_171_779 + branch == 19_568_087


def test_one_frame_has_a_flat_first_layer_and_three_one_in_time():
    with torch.device("meta"):
        flat, in_time = (HataNet(2, n_frames).backbone.conv1 for n_frames in (1, 3))
    assert flat.weight.shape == (64, 1, 7, 7)
    assert in_time.weight.shape == (64, 1, 3, 7, 7)
    assert (in_time.stride, in_time.padding) == ((1, 2, 2), (0, 3, 3))
    assert [row.output_shape for row in quick().layers((3, 32, 32)) if row.name == "backbone.conv1"] == [
        (64, 1, 16, 16)
    ]


@pytest.mark.parametrize("n_frames", [1, 3])
def test_outputs_have_their_shapes(n_frames):
    network = HataNet(3, n_frames).eval()
    with torch.no_grad():
        outputs = network(torch.zeros(2, n_frames, 48, 70))
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        "logits": (2, 3),
        "embedding": (2, 512),
        "attention_logits": (2, 3),
        "attention": (2, 3, 5),
    }


def test_the_attention_branch_is_its_layers_written_out():
    torch.manual_seed(0)
    branch = AttentionBranch(3).eval()
    branch.class_bn.running_mean.uniform_(-1, 1)
    branch.map_bn.running_var.fill_(4.0)
    maps = torch.randn(2, 256, 4, 5)
    with torch.no_grad():
        logits, attention = branch(maps)
        inner = branch.layer(maps).numpy() / np.sqrt(1 + 1e-5)
    state = {name: value.numpy() for name, value in branch.state_dict().items()}
    of_classes = np.einsum("kc,ncij->nkij", state["class_maps.weight"][:, :, 0, 0], inner)
    of_classes = (of_classes - state["class_bn.running_mean"][:, None, None]) / np.sqrt(1 + 1e-5)
    of_classes = np.maximum(of_classes, 0)
    by_class = np.einsum("lk,nkij->nlij", state["classes.weight"][:, :, 0, 0], of_classes)
    single = np.einsum("k,nkij->nij", state["map.weight"][0, :, 0, 0], of_classes) / np.sqrt(4 + 1e-5)
    np.testing.assert_allclose(logits, by_class.mean(axis=(2, 3)), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(attention, 1 / (1 + np.exp(-single)), rtol=1e-3, atol=1e-4)


def test_attention_weights_what_the_last_layer_sees():
    torch.manual_seed(0)
    network = HataNet(2, 1).eval()
    inputs = torch.rand(1, 1, 40, 48) * 255
    with torch.no_grad():
        outputs = network(inputs)
        maps = network.backbone.middle((inputs - 127.5) / 127.5)
        seen = network.backbone.layer4(maps + maps * outputs["attention"][:, None])
    torch.testing.assert_close(outputs["embedding"], seen.mean(dim=(2, 3)), rtol=1e-4, atol=1e-4)


def test_without_the_branch_there_is_a_resnet_alone():
    network = HataNet(2, 1, abn=False).eval()
    with torch.no_grad():
        outputs = network(torch.zeros(1, 1, 32, 32))
    assert outputs.keys() == {"logits", "embedding"}
    losses = network.losses(outputs, torch.tensor([0]), torch.ones(1), torch.tensor([0]))
    assert losses.keys() == {"class"}


def test_the_margin_counts_in_training_alone():
    torch.manual_seed(0)
    network = HataNet(2, 1, abn=False, arcface=True, margin=0.5, scale=4.0)
    embedding = torch.randn(3, 512)
    codes = torch.tensor([0, 1, 1])
    weight = network.head.weight.detach().double().numpy()
    vectors = embedding.double().numpy()
    cosines = vectors @ weight.T / np.linalg.norm(vectors, axis=1)[:, None] / np.linalg.norm(weight, axis=1)
    logits = network.head(embedding)
    np.testing.assert_allclose(logits.detach(), 4 * cosines, atol=1e-5)

    def loss(angles):
        values = 4 * np.cos(angles)
        return np.mean(np.log(np.exp(values).sum(axis=1)) - values[np.arange(3), codes])

    angles = np.arccos(cosines)
    widened = angles.copy()
    widened[np.arange(3), codes] += 0.5
    outputs = {"logits": logits, "embedding": embedding}
    for mode, expected in ((True, loss(widened)), (False, loss(angles))):
        network.train(mode)
        terms = network.losses(outputs, codes, torch.ones(3), torch.zeros(3, dtype=torch.int64))
        assert terms["class"].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("params", "n_frames"), [({}, 3), ({"arcface": True, "scale": 8.0, "abn": False}, 1)])
def test_it_learns_eight_clips(apexes, params, n_frames):
    learns_eight_clips(quick(batch_size=4, **params), np.repeat(apexes, n_frames, axis=1))


def test_its_seed_decides(apexes, once):
    obeys_its_seed(quick(abn=False), apexes)


def test_each_clip_comes_ten_times_an_epoch_and_changed(apexes, monkeypatch):
    batches = []
    plain = HataClassifier._augment

    def augment(self, inputs):
        batches.append((inputs.clone(), plain(self, inputs)))
        return batches[-1][1]

    monkeypatch.setattr(HataClassifier, "_augment", augment)
    quick(abn=False).fit(apexes, EIGHT)
    before, after = (torch.cat(parts) for parts in zip(*batches, strict=True))
    assert len(before) == 80
    for clip in torch.from_numpy(apexes).float():
        same = (before == clip).all(dim=(1, 2, 3))
        assert same.sum() == 10
        assert len(after[same].flatten(1).unique(dim=0)) == 10


def test_attention_maps_are_given_of_every_clip(apexes, once):
    model = quick().fit(apexes, EIGHT)
    maps = model.attention(apexes)
    assert maps.shape == (8, 2, 2)
    assert 0 <= maps.min() < maps.max() <= 1


# Fine-tuning


def macro_and_own(apexes, macro_labels=EIGHT):
    return np.concatenate([apexes, 255 - apexes]), np.array([*macro_labels, *EIGHT]), np.repeat([1, 0], 8)


def test_fine_tuning_starts_from_what_the_macro_clips_taught(apexes, once):
    first = quick(epochs=2, abn=False).fit(apexes, EIGHT)
    learned = first.network_.state_dict()
    model = quick(finetune=True, pretrain_epochs=2, abn=False)
    model._start = model._learned(apexes, np.array(EIGHT), np.unique(EIGHT))
    state = model._network((1, 32, 32), 3).state_dict()
    assert state.keys() == learned.keys()
    for name, value in state.items():
        assert torch.equal(value, learned[name]), name


def test_own_clips_alone_end_the_training(apexes, once, monkeypatch):
    X, y, domain = macro_and_own(apexes)
    seen = []
    plain = classifier.train_epochs

    def train(model, clips, *rest):
        seen.append((model.epochs, model.finetune, clips.inputs.copy(), clips.domain.tolist()))
        yield from plain(model, clips, *rest)

    monkeypatch.setattr(classifier, "train_epochs", train)
    model = quick(finetune=True, pretrain_epochs=2, abn=False)
    epochs = [(fitted.n_epochs_, hasattr(fitted, "_start")) for fitted in model.fit_epochs(X, y, domain=domain)]
    assert epochs == [(1, False)]
    assert [(n_epochs, finetune, own) for n_epochs, finetune, _, own in seen] == [
        (2, False, [0] * 8),
        (1, True, [0] * 8),
    ]
    np.testing.assert_array_equal(seen[0][2], apexes)
    np.testing.assert_array_equal(seen[1][2], 255 - apexes)


def test_the_first_training_decides_predictions(apexes, once):
    X, y, domain = macro_and_own(apexes)
    model = quick(finetune=True, pretrain_epochs=1, abn=False)
    tuned = model.fit(X, y, domain=domain).predict_proba(X)
    again = clone(model).fit(X, y, domain=domain).predict_proba(X)
    alone = quick(abn=False).fit(X[8:], y[8:]).predict_proba(X)
    np.testing.assert_array_equal(tuned, again)
    assert np.abs(tuned - alone).max() > 1e-3


def test_a_training_after_that_on_other_auxiliary_clips_is_not_taken_up(apexes, once, monkeypatch, tmp_path):
    monkeypatch.setattr(_checkpoints, "_SECONDS_BETWEEN", 0.0)
    X, y, domain = macro_and_own(apexes)
    model = quick(finetune=True, pretrain_epochs=1, epochs=2, abn=False)
    with resumable(tmp_path):
        next(model.fit_epochs(X, y, domain=domain))
        for expected, macro in ((2, X[:8, :, ::-1]), (1, X[:8])):
            again = clone(model).fit_epochs(np.concatenate([macro, X[8:]]), y, domain=domain)
            assert sum(1 for _ in again) == expected


def test_layers_that_mean_other_classes_begin_anew(apexes, once, monkeypatch):
    starts = []
    plain = HataClassifier._learned
    monkeypatch.setattr(HataClassifier, "_learned", lambda *args: starts.append(plain(*args)) or starts[0])
    X, y, domain = macro_and_own(apexes, ["anger", "contempt"] * 4)
    model = quick(finetune=True, pretrain_epochs=1).fit(X, y, domain=domain)
    assert model.classes_.tolist() == ["negative", "positive", "surprise"]
    norm = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert model.network_.state_dict().keys() - starts[0].keys() == {
        "head.weight",
        "head.bias",
        "branch.class_maps.weight",
        "branch.classes.weight",
        "branch.map.weight",
        *(f"branch.{layer}.{value}" for layer in ("class_bn", "map_bn") for value in norm),
    }


def test_without_fine_tuning_auxiliary_clips_are_left_out():
    X, labels = noise(1, 32, 32), np.array(EIGHT)
    domain = np.repeat([0, 1], [6, 2])
    labels[:6] = ["negative", "positive", "surprise"] * 2
    model = HataClassifier(epochs=1, abn=False, random_state=0)
    beside = model.fit(X, labels, domain=domain).predict_proba(X)
    np.testing.assert_array_equal(clone(model).fit(X[:6], labels[:6]).predict_proba(X), beside)


def test_fine_tuning_needs_clips_of_both_kinds(apexes):
    for domain in (None, np.zeros(8, int)):
        with pytest.raises(ParameterError, match="finetune is True: it needs auxiliary clips, rows of domain 1 in fit"):
            quick(finetune=True).fit(apexes, EIGHT, domain=domain)
    with pytest.raises(DataError, match="domain is 1 of all clips: own clips"):
        quick(finetune=True).fit(apexes, EIGHT, domain=np.ones(8, int))


def test_a_training_that_failed_leaves_no_start_behind(apexes, once):
    X, _, domain = macro_and_own(apexes)
    model = quick(finetune=True, pretrain_epochs=1, abn=False)
    with pytest.raises(DataError, match="y has 1 class"):
        model.fit(X, [*EIGHT, *["negative"] * 8], domain=domain)
    assert not hasattr(model, "_start")


@pytest.mark.parametrize(
    ("shape", "message"),
    [((8, 2, 32, 32), r"\(8, 2, 32, 32\)"), ((8, 1, 27, 32), r"\(8, 1, 27, 32\)"), ((8, 32, 32), r"\(8, 32, 32\)")],
)
def test_other_shapes_are_refused(shape, message):
    model = quick(abn=False)
    model.network_, model.input_shape_, model.classes_ = HataNet(3, 1, abn=False), (1, 32, 32), np.unique(EIGHT)
    refuses_shape(model, np.zeros(shape, np.uint8), message)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"abn": 1}, "abn is 1: it must be one of False, True"),
        ({"arcface": None}, "arcface is None: it must be one of False, True"),
        ({"pretrain_epochs": 0}, "pretrain_epochs is 0: it must be at least 1"),
        ({"margin": 3.2}, "margin is 3.2: it must be below pi"),
        ({"scale": 0}, "scale is 0: it must be above 0"),
    ],
)
def test_parameters_out_of_bounds_are_named(apexes, params, message):
    with pytest.raises(ParameterError, match=message):
        quick(**params).fit(apexes, EIGHT)
