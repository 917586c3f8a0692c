import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save, save_file
from sklearn.exceptions import NotFittedError

from microexpr import deep
from microexpr.core.errors import DataError, ParameterError
from microexpr.deep import STSTNetClassifier
from microexpr.deep.weights import check_weights, load_network, read_weights, save_network

STATE = {"conv.weight": torch.arange(6.0).reshape(2, 3), "steps": torch.tensor(7)}


class Bomb:
    """What creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def refusal(use, path):
    with pytest.raises(DataError) as caught:
        use(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize("name", ["zip.pth", "legacy.pth", "weights.safetensors"])
def test_every_format_is_read(tmp_path, name):
    path = tmp_path / name
    if name.endswith("safetensors"):
        save_file(STATE, path)
    else:
        torch.save(STATE, path, _use_new_zipfile_serialization=name == "zip.pth")
    weights = read_weights(str(path))
    assert weights.keys() == STATE.keys()
    for key, value in STATE.items():
        assert torch.equal(weights[key], value)


def test_parameters_are_read_as_plain_tensors(tmp_path):
    torch.save({"weight": torch.nn.Parameter(torch.ones(2))}, tmp_path / "x.pth")
    value = read_weights(tmp_path / "x.pth")["weight"]
    assert not value.requires_grad


def write_zip(path, bomb):
    torch.save({"weight": torch.ones(1), "more": bomb}, path)


def write_legacy(path, bomb):
    torch.save({"weight": torch.ones(1), "more": bomb}, path, _use_new_zipfile_serialization=False)


def write_pickle(path, bomb):
    path.write_bytes(pickle.dumps({"weight": bomb}))


def write_pickle_in_a_zip(path, bomb):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", pickle.dumps(bomb, protocol=2))
        archive.writestr("x/version", "3\n")


@pytest.mark.parametrize("write", [write_zip, write_legacy, write_pickle, write_pickle_in_a_zip])
@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("use", [read_weights, load_network])
def test_code_in_a_pickle_is_refused_and_never_run(tmp_path, write, name, use):
    made, path = tmp_path / "made", tmp_path / name
    write(path, Bomb(made))
    refusal(use, path)
    assert not made.exists()


def test_the_bomb_of_these_tests_goes_off_where_pickles_are_trusted(tmp_path):
    write_pickle(tmp_path / "x.pth", Bomb(tmp_path / "made"))
    pickle.loads((tmp_path / "x.pth").read_bytes())
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize("use", [read_weights, load_network])
def test_a_missing_file_and_a_folder_are_named(tmp_path, use):
    assert refusal(use, tmp_path / "none.pth").endswith("there is no such file")
    assert refusal(use, tmp_path).endswith("there is no such file")


@pytest.mark.parametrize(
    "content", [b"", b"no weights at all\n", b"\x80\x02", b"PK\x03\x04", bytes(100), b"\x00" * 8 + b"{}"]
)
@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_files_that_are_no_checkpoint_are_refused(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content)
    assert " is no " in refusal(read_weights, path)


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ([torch.ones(1)], "holds a list: a checkpoint must hold tensors by name"),
        ({}, "holds a dict: a checkpoint must hold tensors by name"),
        (torch.ones(1), "holds a Tensor: a checkpoint must hold tensors by name"),
        ({"state_dict": STATE}, "holds 'state_dict', a dict: a checkpoint must hold nothing but tensors by name"),
        ({1: torch.ones(1)}, "holds 1, a Tensor: a checkpoint must hold nothing but tensors by name"),
        ({"x": torch.ones(2, device="meta")}, "x is torch.strided on meta: it must be a plain tensor"),
    ],
)
def test_checkpoints_of_something_else_are_refused(tmp_path, held, message):
    torch.save(held, tmp_path / "x.pth")
    assert refusal(read_weights, tmp_path / "x.pth").endswith(message)


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_no_damage_goes_by_as_another_error(tmp_path, form):
    if form == "safetensors":
        whole = save(STATE)
    else:
        buffer = io.BytesIO()
        torch.save(STATE, buffer, _use_new_zipfile_serialization=form == "zip")
        whole = buffer.getvalue()
    path = tmp_path / ("x.safetensors" if form == "safetensors" else "x.pth")
    for length in np.linspace(0, len(whole) - 1, 40).astype(int):
        path.write_bytes(whole[:length])
        refusal(read_weights, path)
    generator = np.random.default_rng(0)
    messages = []
    for _ in range(150):
        damaged = bytearray(whole)
        for place in generator.integers(0, len(whole), 3):
            damaged[place] = generator.integers(256)
        path.write_bytes(damaged)
        try:
            read_weights(path)  # where a value alone was hit, the file is sound
        except DataError as error:
            messages.append(str(error))
    assert len(messages) > 20
    assert "\n" not in "".join(messages)


def test_weights_that_fit_pass_and_those_that_do_not_are_named():
    check_weights(STATE, STATE, "file")
    for weights, message in [
        ({"steps": STATE["steps"]}, "file lacks conv.weight: it must hold all weights of the network"),
        ({**STATE, "bias": STATE["steps"]}, "file holds bias: the network has no such weights"),
        ({**STATE, "conv.weight": torch.ones(6)}, r"file: conv.weight has shape (6,): it must be (2, 3)"),
        ({**STATE, "conv.weight": torch.ones(2, 3, dtype=torch.complex64)}, "it must be torch.float32"),
        ({**STATE, "conv.weight": torch.full((2, 3), torch.inf)}, "file: conv.weight holds NaN or infinity"),
    ]:
        with pytest.raises(DataError) as caught:
            check_weights(weights, STATE, "file")
        assert str(caught.value).endswith(message)


# Whole networks


@pytest.fixture(scope="module")
def maps():
    return np.random.default_rng(0).integers(0, 256, (8, 28 * 28 * 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def fitted(maps):
    labels = ["negative", "positive", "surprise", "negative"] * 2
    return STSTNetClassifier(dropout=0.25, epochs=1, device="cpu", random_state=3).fit(maps, labels)


@pytest.fixture
def path(fitted, tmp_path):
    save_network(fitted, tmp_path / "network.safetensors")
    return tmp_path / "network.safetensors"


def contents(path):
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        return tensors, json.loads(file.metadata()["microexpr"])


def rewrite(path, tensors, facts):
    save_file(tensors, path, {"microexpr": facts if isinstance(facts, str) else json.dumps(facts)})


def test_a_network_comes_back_bit_by_bit(fitted, path, maps):
    read = load_network(path)
    assert type(read) is STSTNetClassifier
    np.testing.assert_array_equal(read.predict_proba(maps), fitted.predict_proba(maps))
    np.testing.assert_array_equal(read.embed(maps), fitted.embed(maps))
    assert read.predict(maps).tolist() == fitted.predict(maps).tolist()
    assert read.classes_.tolist() == ["negative", "positive", "surprise"]
    assert (read.n_epochs_, read.input_shape_, read.history_) == (1, (3, 28, 28), {})
    assert read.get_params() == {**fitted.get_params(), "device": "auto"}


def test_a_network_that_was_read_is_written_the_same(path):
    before = path.read_bytes()
    save_network(load_network(path), path)
    assert path.read_bytes() == before


def test_reading_draws_no_random_numbers(path):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    load_network(path)
    assert torch.equal(torch.get_rng_state(), before)


def test_reading_does_not_touch_pickle(path, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a network's file was unpickled")

    monkeypatch.setattr(pickle, "loads", refuse)
    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    load_network(path)


def test_every_network_of_the_package_may_be_written():
    from microexpr.deep import weights

    assert weights._names() == sorted(name for name in deep.__all__ if name.endswith("Classifier"))
    for name in weights._names():
        assert weights._kind(name).__name__ == name


@pytest.mark.parametrize("name", [name for name in deep.__all__ if name.endswith("Classifier")])
def test_each_of_them_comes_back(tmp_path, name):
    model = getattr(deep, name)(epochs=3)
    model.classes_, model.input_shape_, model.n_epochs_ = np.array(["a", "b", "c"]), model.INPUT_SHAPE, 3
    model.network_ = model.blank_network()
    save_network(model, tmp_path / "x.safetensors")
    read = load_network(tmp_path / "x.safetensors")
    assert type(read) is type(model)
    assert read.get_params() == model.get_params()
    assert read.network_.state_dict().keys() == model.network_.state_dict().keys()
    for key, value in model.network_.state_dict().items():
        assert torch.equal(read.network_.state_dict()[key], value), key
    assert not read.network_.training


def test_what_cannot_be_written_is_refused(fitted, tmp_path, maps):
    with pytest.raises(ParameterError, match=r"path is '.*x.pth': it must end in .safetensors"):
        save_network(fitted, tmp_path / "x.pth")
    with pytest.raises(NotFittedError):
        save_network(STSTNetClassifier(), tmp_path / "x.safetensors")
    numbered = STSTNetClassifier(epochs=1, random_state=0).fit(maps, [0, 1] * 4)
    with pytest.raises(DataError, match="classes_ holds 0: in a network's file labels must be strings"):
        save_network(numbered, tmp_path / "x.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_class_of_somebody_elses_is_not_written_even_under_our_name(fitted, tmp_path):
    stranger = type("STSTNetClassifier", (STSTNetClassifier,), {})
    own = type("MyClassifier", (STSTNetClassifier,), {})
    for kind in (stranger, own):
        with pytest.raises(ParameterError, match=f"classifier is a {kind.__name__}: it must be one of .*STSTNet"):
            save_network(kind(), tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class": "Popen"}, "holds a 'Popen': it must be one of "),
        ({"class": "os.system"}, "holds a 'os.system': it must be one of "),
        ({"class": ["STSTNetClassifier"]}, "it must be one of "),
        ({"version": 99}, "was written by version 99 of STSTNetClassifier: this is version 1"),
        ({"format": 2}, "is of format 2: this version reads format 1"),
        ({"params": {}}, "the parameters of STSTNetClassifier differ in batch_size, class_weight, "),
        ({"params": None}, "the parameters of STSTNetClassifier differ in "),
        ({"classes": [1, 2, 3]}, "has the labels [1, 2, 3]: they must be two or more different strings, sorted"),
        ({"classes": ["one"]}, "two or more different strings"),
        ({"classes": ["b", "a", "c"]}, "two or more different strings"),
        ({"classes": ["a", "a", "b"]}, "two or more different strings"),
        ({"classes": ["a", "b"]}, "fc.weight has shape (3, 400): it must be (2, 400)"),
        ({"classes": None}, "has the labels None"),
        ({"input_shape": [3, 28]}, "STSTNetClassifier takes no input of shape (3, 28)"),
        ({"input_shape": [1, 28, 28]}, "STSTNetClassifier takes no input of shape (1, 28, 28)"),
        ({"input_shape": [3, 10**9, 10**9]}, "STSTNetClassifier takes no input of shape (3, 1000000000, 1000000000)"),
        ({"input_shape": [3, 28, "28"]}, "input_shape is '28': it must be an integer"),
        ({"input_shape": []}, "has the input shape []: it must be a list of sizes"),
        ({"n_epochs": 0}, "n_epochs is 0: it must be at least 1"),
    ],
)
def test_headers_that_do_not_fit_are_refused(path, change, message):
    tensors, facts = contents(path)
    rewrite(path, tensors, {**facts, **change})
    assert message in refusal(load_network, path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("lr", -1.0, "lr is -1.0: it must be at least 0.0"),
        ("dropout", [1, 2], "dropout is (1, 2)"),
        ("class_weight", {"a": 1}, "class_weight is {'a': 1}"),
        ("more", 1, "differ in more"),
    ],
)
def test_parameters_that_are_not_allowed_are_named(path, key, value, message):
    tensors, facts = contents(path)
    rewrite(path, tensors, {**facts, "params": {**facts["params"], key: value}})
    assert message in refusal(load_network, path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "has a damaged header"),
        ("[1]", "has a header that lacks all that it must hold"),
        ("{}", "has a header that lacks class, classes, format, input_shape, n_epochs and 2 more"),
        ("[" * 100_000, "has a damaged header"),
    ],
)
def test_damaged_headers_are_told(path, text, message):
    rewrite(path, contents(path)[0], text)
    assert message in refusal(load_network, path)


def test_weights_that_do_not_fit_are_named(path):
    tensors, facts = contents(path)
    for changed, message in [
        ({name: value for name, value in tensors.items() if name != "fc.bias"}, "lacks fc.bias"),
        ({**tensors, "more": torch.ones(1)}, "holds more: the network has no such weights"),
        ({**tensors, "conv.weight": torch.ones(8, 3, 3, 3)}, "conv.weight has shape (8, 3, 3, 3)"),
    ]:
        rewrite(path, changed, facts)
        assert message in refusal(load_network, path)


def test_a_file_of_weights_alone_and_a_damaged_one_are_told(path):
    whole = path.read_bytes()
    save_file(contents(path)[0], path)
    assert refusal(load_network, path).endswith("holds weights alone: it must be a file that save_network wrote")
    for length in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "is no safetensors file" in refusal(load_network, path)
