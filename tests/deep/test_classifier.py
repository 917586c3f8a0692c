"""The classifier around every network, tried on one of a single linear layer whose training is known by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from torch import nn
from toyset.estimators import Spy

from microexpr.core.errors import DataError, MicroexprError, ParameterError
from microexpr.core.progress import visible_progress
from microexpr.core.resume import resumable
from microexpr.deep import _checkpoints, devices
from microexpr.deep._stopping import hold_out
from microexpr.deep.classifier import NetworkClassifier
from microexpr.deep.network import Network
from microexpr.deep.ststnet import STSTNetClassifier

LABELS = np.array(["negative", "positive"] * 4)
SUBJECTS = np.array([f"s{number // 2}" for number in range(8)])


class Linear(Network):
    """One linear layer without bias, of zeros at first, then dropout; it writes down its progress."""

    def __init__(self, n_inputs, n_classes, dropout):
        super().__init__()
        self.layer = nn.Linear(n_inputs, n_classes, bias=False)
        nn.init.zeros_(self.layer.weight)
        self.dropout = nn.Dropout(dropout)
        self.seen = []

    def forward(self, inputs):
        if self.training:
            self.seen.append(self.progress)
        flat = inputs.flatten(1)
        return {"logits": self.dropout(self.layer(flat)), "embedding": flat}


class LinearClassifier(NetworkClassifier):
    version = 1
    INPUT_SHAPE = (2,)
    _OPTIMIZER = torch.optim.SGD

    def __init__(
        self,
        epochs=3,
        lr=0.1,
        batch_size=8,
        weight_decay=0.0,
        class_weight=None,
        patience=None,
        device="cpu",
        precision="auto",
        random_state=0,
        dropout=0.0,
        noise=0.0,
    ):
        self.epochs = epochs
        self.lr = lr
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.class_weight = class_weight
        self.patience = patience
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.dropout = dropout
        self.noise = noise

    def _network(self, input_shape, n_classes):
        return Linear(math.prod(input_shape), n_classes, self.dropout)

    def _shape(self, X):
        return X

    def _augment(self, inputs):
        return inputs + self.noise * torch.randn_like(inputs)


def rows(seed=0, n_clips=8):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n_clips, 2)) + np.where(np.arange(n_clips) % 2, 1.5, -1.5)[:, None]).astype(np.float32)


def softmax(logits):
    shares = np.exp(logits)
    return shares / shares.sum(axis=1, keepdims=True)


def descended(X, codes, weights, n_steps, lr, decay=0.0):
    """Weights after full gradient steps on the mean weighted cross-entropy, in NumPy, and the losses before each."""
    matrix, losses = np.zeros((2, X.shape[1])), []
    for _ in range(n_steps):
        shares = softmax(X @ matrix.T)
        losses.append(float(np.mean(weights * -np.log(shares[np.arange(len(X)), codes]))))
        slopes = (weights[:, None] * (shares - np.eye(2)[codes])).T @ X / len(X) + decay * matrix
        matrix = matrix - lr * slopes
    return matrix, losses


def test_a_training_is_the_descent_that_it_claims_to_be():
    X = rows()
    model = LinearClassifier(epochs=4, lr=0.2, weight_decay=0.05).fit(X, LABELS)
    matrix, losses = descended(X, (LABELS == "positive").astype(int), np.ones(8), 4, 0.2, 0.05)
    np.testing.assert_allclose(model.network_.layer.weight.detach().numpy(), matrix, rtol=1e-5)
    np.testing.assert_allclose(model.history_["train_class"], losses, rtol=1e-5)
    np.testing.assert_allclose(model.predict_proba(X), softmax(X @ matrix.T), rtol=1e-5)


def test_balanced_weights_make_every_class_count_alike():
    X, labels = rows(), np.array(["negative"] * 6 + ["positive"] * 2)
    model = LinearClassifier(epochs=2, class_weight="balanced").fit(X, labels)
    codes = (labels == "positive").astype(int)
    # By hand: 8 / (2 classes * 6 clips) and 8 / (2 * 2).
    matrix, losses = descended(X, codes, np.where(codes, 2.0, 2 / 3), 2, 0.1)
    np.testing.assert_allclose(model.network_.layer.weight.detach().numpy(), matrix, rtol=1e-5)
    np.testing.assert_allclose(model.history_["train_class"], losses, rtol=1e-5)


def test_losses_of_an_epoch_are_means_over_its_clips_whatever_the_batches():
    # Batches of 3, 3 and 2; with a learning rate of next to nothing the loss stays log 2.
    model = LinearClassifier(epochs=1, lr=1e-9, batch_size=3).fit(rows(), LABELS)
    assert model.history_["train_class"] == pytest.approx([math.log(2)], rel=1e-6)
    assert model.history_["train_loss"] == model.history_["train_class"]


def test_progress_runs_from_0_towards_1_over_all_batches():
    model = LinearClassifier(epochs=2, batch_size=4).fit(rows(), LABELS)
    assert model.network_.seen == [0.0, 0.25, 0.5, 0.75]


def test_a_single_clip_left_over_joins_the_batch_before():
    model = LinearClassifier(epochs=1, batch_size=7).fit(rows(), LABELS)
    assert len(model.network_.seen) == 1


def test_the_same_seed_gives_the_same_network_and_another_one_another():
    X = rows()
    first, again, other = (
        LinearClassifier(epochs=3, batch_size=3, dropout=0.5, noise=1.0, random_state=seed).fit(X, LABELS)
        for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))


def test_a_training_draws_from_nobodys_generator_and_changes_nobodys():
    X = rows()
    expected = LinearClassifier(noise=1.0).fit(X, LABELS).predict_proba(X)
    torch.manual_seed(123)
    before = torch.get_rng_state()
    model = LinearClassifier(noise=1.0).fit(X, LABELS)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(model.predict_proba(X), expected)


def test_what_is_done_between_epochs_does_not_change_the_training():
    X = rows()
    whole = LinearClassifier(epochs=4, batch_size=3, dropout=0.5, noise=1.0).fit(X, LABELS)
    watched = LinearClassifier(epochs=4, batch_size=3, dropout=0.5, noise=1.0)
    seen = []
    for state in watched.fit_epochs(X, LABELS):
        torch.rand(7)
        seen.append(state.predict_proba(X))
    assert len(seen) == 4
    np.testing.assert_array_equal(seen[-1], whole.predict_proba(X))
    assert not np.array_equal(seen[0], seen[-1])


def test_it_trains_with_one_thread_and_gives_the_others_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        seen = [torch.get_num_threads() for _ in LinearClassifier(epochs=2).fit_epochs(rows(), LABELS)]
        assert seen == [2, 2]
        with devices.one_cpu_thread():
            assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_the_bar_of_a_training_tells_its_losses_by_name(capsys):
    with visible_progress():
        LinearClassifier(epochs=2, lr=1e-9).fit(rows(), LABELS)
    assert "epochs class 0.693" in capsys.readouterr().err


# Early stopping


def test_early_stopping_holds_out_training_subjects_and_takes_their_best_epoch():
    X = rows(n_clips=20)
    labels, subjects = np.array(["negative", "positive"] * 10), np.repeat([f"s{n}" for n in range(10)], 2)
    # Noise in training and a large step: the held-out loss soon rises again.
    settings = {"epochs": 60, "lr": 3.0, "noise": 6.0, "patience": 5}
    model = LinearClassifier(**settings).fit(X, labels, groups=subjects)
    held_out = model.history_["valid_loss"]
    best = int(np.argmin(held_out)) + 1
    assert len(held_out) < 60
    assert (model.n_epochs_, len(held_out)) == (best, best + 5)
    short = LinearClassifier(**{**settings, "epochs": best}).fit(X, labels, groups=subjects)
    np.testing.assert_array_equal(model.predict_proba(X), short.predict_proba(X))


def test_the_held_out_subjects_do_not_train():
    X = rows(n_clips=20)
    labels, subjects = np.array(["negative", "positive"] * 10), np.repeat([f"s{n}" for n in range(10)], 2)
    model = LinearClassifier(epochs=1, patience=1)
    train, held_out = hold_out(labels, subjects, None)
    assert not set(subjects[train]) & set(subjects[held_out])
    assert 2 <= len(held_out) < 10
    other = X.copy()
    other[held_out] = 100.0
    first = model.fit(X, labels, groups=subjects).network_.layer.weight.detach().clone()
    second = model.fit(other, labels, groups=subjects).network_.layer.weight.detach()
    assert torch.equal(first, second)


def test_auxiliary_clips_never_decide_when_to_stop():
    labels, subjects = np.array(["negative", "positive"] * 10), np.repeat([f"s{n}" for n in range(10)], 2)
    domain = np.repeat([0, 1], 10)
    _, held_out = hold_out(labels, subjects, domain)
    assert (domain[held_out] == 0).all()


def test_early_stopping_without_subjects_is_refused():
    with pytest.raises(ParameterError, match="groups is None: early stopping needs each training clip's subject"):
        LinearClassifier(patience=2).fit(rows(), LABELS)
    with pytest.raises(DataError, match="early stopping needs clips of at least 2 training subjects"):
        LinearClassifier(patience=2).fit(rows(), LABELS, groups=["one"] * 8)


# Going on after a kill


class _Stopped(Exception):
    pass


def _killed_after(model, n_epochs, X, folder, **known):
    with resumable(folder):
        for number, _ in enumerate(model.fit_epochs(X, LABELS, **known), start=1):
            if number == n_epochs:
                break


@pytest.mark.parametrize("settings", [{}, {"patience": 3}])
def test_a_killed_training_goes_on_to_the_same_end(tmp_path, monkeypatch, settings):
    monkeypatch.setattr(_checkpoints, "_SECONDS_BETWEEN", 0.0)
    X = rows()
    known = {"groups": SUBJECTS} if settings else {}
    model = STSTNetClassifier(epochs=7, batch_size=3, lr=1e-3, random_state=1, device="cpu", **settings)
    maps = np.random.default_rng(0).integers(0, 256, (8, 2352)).astype(np.float32)
    whole = STSTNetClassifier(**model.get_params()).fit(maps, LABELS, **known)
    _killed_after(model, 4, maps, tmp_path, **known)
    assert len(list(tmp_path.iterdir())) == 1
    resumed = STSTNetClassifier(**model.get_params())
    n_trained = 0
    with resumable(tmp_path):
        for _ in resumed.fit_epochs(maps, LABELS, **known):
            n_trained += 1
    assert n_trained == len(whole.history_["train_class"]) - 4
    assert resumed.history_ == whole.history_
    np.testing.assert_array_equal(resumed.predict_proba(maps), whole.predict_proba(maps))
    assert list(tmp_path.iterdir()) == []
    assert len(X) == 8


def test_a_checkpoint_of_other_data_or_settings_is_not_taken_up(tmp_path, monkeypatch):
    monkeypatch.setattr(_checkpoints, "_SECONDS_BETWEEN", 0.0)
    _killed_after(LinearClassifier(epochs=5), 3, rows(), tmp_path)
    for X, model in ((rows(seed=1), LinearClassifier(epochs=5)), (rows(), LinearClassifier(epochs=5, lr=0.2))):
        with resumable(tmp_path):
            assert sum(1 for _ in model.fit_epochs(X, LABELS)) == 5


def test_a_damaged_checkpoint_counts_as_none(tmp_path, monkeypatch):
    monkeypatch.setattr(_checkpoints, "_SECONDS_BETWEEN", 0.0)
    _killed_after(LinearClassifier(epochs=5), 3, rows(), tmp_path)
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-40])
    with resumable(tmp_path):
        assert sum(1 for _ in LinearClassifier(epochs=5).fit_epochs(rows(), LABELS)) == 5


def test_without_a_folder_or_a_seed_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(_checkpoints, "_SECONDS_BETWEEN", 0.0)
    monkeypatch.chdir(tmp_path)
    LinearClassifier().fit(rows(), LABELS)
    with resumable(tmp_path / "kept"):
        LinearClassifier(random_state=None).fit(rows(), LABELS)
    assert list(Path().iterdir()) == []


# What is refused


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs", 0, "epochs is 0: it must be at least 1"),
        ("lr", 0.0, "lr is 0: it must be above 0"),
        ("batch_size", 1.5, "batch_size is 1.5: it must be an integer"),
        ("weight_decay", -1.0, r"weight_decay is -1\.0: it must be at least 0"),
        ("class_weight", "even", "class_weight is 'even': it must be one of None, 'balanced'"),
        ("patience", 0, "patience is 0: it must be at least 1"),
        ("device", "tpu", "device is 'tpu': it must be one of 'auto', 'cpu', 'cuda', 'mps'"),
        ("precision", "float16", "precision is 'float16': it must be one of"),
        ("random_state", -1, "random_state is -1: it must be at least 0"),
    ],
)
def test_a_parameter_that_is_not_allowed_is_named(name, value, message):
    with pytest.raises(ParameterError, match=message):
        LinearClassifier(**{name: value}).fit(rows(), LABELS)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (rows(), LABELS[:5], r"y has shape \(5,\): it must hold one label for each of 8 clips"),
        (rows(), np.array(["negative"] * 8), "y has 1 class, 'negative'"),
        (np.full((8, 2), np.nan), LABELS, "X holds NaN or infinity"),
        (np.array([["a", "b"]] * 8), LABELS, "X is <U1 of shape"),
        (rows()[:0], LABELS[:0], "X is float32 of shape"),
        (rows(), np.linspace(0, 1, 8), "Unknown label type"),
    ],
)
def test_data_that_cannot_be_learned_from_is_refused(X, y, message):
    with pytest.raises(DataError, match=message):
        LinearClassifier().fit(X, y)


def test_clips_of_another_shape_than_in_training_are_refused():
    model = LinearClassifier().fit(rows(), LABELS)
    with pytest.raises(DataError, match=r"X has clips of shape \(3,\): the network was fitted on \(2,\)"):
        model.predict(np.zeros((2, 3)))


def test_rows_that_must_not_be_written_to_are_predicted_without_a_warning():
    X = rows()
    model = LinearClassifier().fit(X, LABELS)
    expected = model.predict_proba(X)
    X.setflags(write=False)
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    try:
        np.testing.assert_array_equal(model.predict_proba(X), expected)
    finally:
        torch.set_warn_always(before)


@pytest.mark.parametrize("use", ["predict", "predict_proba", "embed", "attention"])
def test_what_is_not_fitted_says_so(use):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        getattr(LinearClassifier(), use)(rows())


def test_a_loss_that_is_not_finite_stops_and_names_the_epoch():
    with pytest.raises(
        MicroexprError, match=r"the loss is (nan|inf) in epoch [2-9].*training stopped; a smaller lr may"
    ):
        LinearClassifier(epochs=9, lr=1e38).fit(100 * rows(), np.roll(LABELS, 3))


def test_keeping_freed_memory_is_no_more_than_a_wish(monkeypatch):
    devices.keep_freed_memory.cache_clear()
    devices.keep_freed_memory()
    for platform in ("darwin", "win32"):
        monkeypatch.setattr(devices.sys, "platform", platform)
        monkeypatch.setattr(devices.ctypes, "CDLL", None)
        devices.keep_freed_memory.cache_clear()
        devices.keep_freed_memory()


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ParameterError, match="device is 'cuda': there is no GPU that this PyTorch can use"):
        LinearClassifier(device="cuda").fit(rows(), LABELS)
    assert devices.choose_device("auto").type in ("cpu", "mps")


def test_too_little_memory_says_which_batch_size_to_try(monkeypatch):
    def full(self, inputs):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore words.")

    monkeypatch.setattr(Linear, "forward", full)
    with pytest.raises(MicroexprError, match="out of GPU memory at batch_size 8; try batch_size=4"):
        LinearClassifier().fit(rows(), LABELS)
    with pytest.raises(MicroexprError, match="at batch_size 1; the network needs a GPU with more memory"):
        LinearClassifier(batch_size=1).fit(rows(), LABELS)


def test_bfloat16_is_taken_when_asked_for():
    X = rows()
    exact, coarse = (LinearClassifier(precision=name, epochs=2).fit(X, LABELS) for name in ("float32", "bfloat16"))
    assert not np.array_equal(exact.predict_proba(X), coarse.predict_proba(X))
    np.testing.assert_allclose(exact.predict_proba(X), coarse.predict_proba(X), atol=0.02)


def test_a_fitted_network_is_the_same_after_pickling():
    model = STSTNetClassifier(epochs=1, random_state=0).fit(np.zeros((8, 2352)), LABELS)
    first, second = (Spy(model).fit(np.zeros((8, 2352)), LABELS).predict_proba([0])[0, 0] for _ in range(2))
    assert first == second
