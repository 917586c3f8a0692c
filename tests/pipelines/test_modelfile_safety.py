"""Model files of strangers: whatever they hold, nothing of it is run, and one line says what is wrong."""

import builtins
import io
import json
import os
import pickle
import struct
import subprocess
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from sklearn.svm import SVC

from microexpr.core.errors import DataError, MicroexprError
from microexpr.data import make_clips
from microexpr.pipelines.modelfile import read_model_file, write_model_file
from microexpr.pipelines.modelfitting import fit_model
from microexpr.pipelines.modelsaving import load_model, read_card, save_model
from microexpr.pipelines.modelstate import dump_state, restore_state
from microexpr.pipelines.report.model_text import print_card

CLIPS = make_clips(n_subjects=2, clips_per_subject=3, size=(64, 56), duration=(0.08, 0.12), fps=100.0)


def _entries(folder, name, **params):
    """Return the bytes of the entries of a sound model file, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROEXPR_CACHE", str(folder / "cache"))
        save_model(fit_model(name, CLIPS, params={"flowmap__method": "dis", **params}), folder / "model.mxm")
    with zipfile.ZipFile(folder / "model.mxm") as archive:
        return {entry: archive.read(entry) for entry in archive.namelist()}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return _entries(tmp_path_factory.mktemp("sound"), "flow-svm")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return _entries(tmp_path_factory.mktemp("network"), "ststnet", ststnetclassifier__epochs=1)


@pytest.fixture
def trapped(monkeypatch):
    """What a malicious file could call is replaced by what fails the test."""

    def sprung(*_, **__):
        pytest.fail("code named by a file was run")

    for module, name in ((os, "system"), (builtins, "eval"), (builtins, "exec"), (subprocess, "Popen")):
        monkeypatch.setattr(module, name, sprung)
    monkeypatch.setattr(pickle, "load", sprung)
    monkeypatch.setattr(pickle, "loads", sprung)


def _write(path, entries, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def _refused(path, match):
    with pytest.raises(DataError, match=match) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


class _Malicious:
    def __reduce__(self):
        return os.system, ("echo",)


PICKLE = pickle.dumps(_Malicious())


@pytest.mark.usefixtures("trapped")
def test_a_pickle_under_our_name_is_refused(tmp_path):
    path = tmp_path / "model.mxm"
    path.write_bytes(PICKLE)
    _refused(path, "is no model file, or a damaged one")


@pytest.mark.usefixtures("trapped")
@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "posix.system",
        "builtins.eval",
        "builtins.object",
        "subprocess.Popen",
        "functools.partial",
        "numpy.load",
        "sklearn.preprocessing.FunctionTransformer",
        "sklearn.feature_extraction.text.CountVectorizer",
        "microexpr.core.atomic.write_atomic",
        "microexpr.pipelines.modelfitting.fit_and_save",
        "microexpr.core.sources.VideoSource",
        "antigravity.fly",
        "SVC",
        "",
        ["sklearn.svm.SVC"],
        {"object": "sklearn.svm.SVC"},
        None,
    ],
    ids=str,
)
def test_a_type_that_is_not_listed_is_named_and_not_imported(name, sound, tmp_path):
    tree = {"object": name, "state": {"args": ["echo"]}}
    path = _write(tmp_path / "model.mxm", sound | {"estimator.json": json.dumps(tree)})
    _refused(path, "it names the type .*: a model holds none but")
    assert "antigravity" not in __import__("sys").modules


@pytest.mark.parametrize("name", ["os.system", "microexpr.core.atomic.write_atomic"])
def test_a_type_is_refused_wherever_it_stands(name, sound, tmp_path):
    tree = json.loads(sound["estimator.json"])
    scaler = tree["state"]["steps"][1]["tuple"][1]
    scaler["state"]["mean_"] = {"dict": {"inside": [{"tuple": [{"object": name, "state": {}}]}]}}
    _refused(
        _write(tmp_path / "model.mxm", sound | {"estimator.json": json.dumps(tree)}), f"it names the type '{name}'"
    )


@pytest.mark.parametrize(
    "node",
    [
        {"function": "os.system"},
        {"reduce": ["os.system", ["echo"]]},
        {"type": "builtins.int"},
        {"tuple": {"0": 1}},
        {"dict": [1]},
        {"float": "1_0"},
        {"float": 5},
        {"array": "0"},
        {"array": True},
        {"tuple": [], "dict": {}},
        {},
    ],
    ids=str,
)
def test_an_entry_of_an_unknown_kind_is_refused(node):
    with pytest.raises(DataError, match="its state has an entry"):
        restore_state(node, None, None)


@pytest.mark.parametrize("name", ["grad_cam", "load_network", "NetworkClassifier", "os.system", 5, "NoneClassifier"])
def test_a_network_that_is_not_ours_is_refused(name):
    with pytest.raises(DataError, match=r"a model holds none but those of microexpr\.deep"):
        restore_state({"blank": name, "version": 1, "state": {}}, None, None)


def test_the_parameters_of_a_network_are_checked():
    from microexpr.deep import STSTNetClassifier

    state = dump_state(STSTNetClassifier(), None, None)
    restored = restore_state(state, None, None)
    assert restored.get_params() == STSTNetClassifier().get_params()
    with pytest.raises(DataError, match="its STSTNetClassifier is not allowed: epochs is 0"):
        restore_state(state | {"state": state["state"] | {"epochs": 0}}, None, None)
    with pytest.raises(DataError, match="its STSTNetClassifier, not fitted, must have the parameters batch_size, "):
        restore_state(state | {"state": state["state"] | {"device": "cuda"}}, None, None)
    with pytest.raises(DataError, match="it was written by version 99 of STSTNetClassifier"):
        restore_state(state | {"version": 99}, None, None)


@pytest.mark.parametrize(
    ("scalar", "value"),
    [("object", 1), ("int64", 2**70), ("int64", 1.5), ("bool", 1), ("float64", "1"), ("float64", [1.0])],
)
def test_a_scalar_of_another_kind_is_refused(scalar, value):
    with pytest.raises(DataError, match=r"its state has"):
        restore_state({"scalar": scalar, "value": value}, None, None)


@pytest.mark.parametrize(
    "attribute", ["predict", "__class__", "__dict__", "__reduce__", "fit", "get_params", "_impl", "coef_"]
)
def test_an_attribute_that_hides_the_classs_own_is_refused(attribute):
    state = dump_state(SVC(), None, None)
    state["state"][attribute] = "anything"
    with pytest.raises(DataError, match=f"its SVC has the attribute '{attribute}', which would hide"):
        restore_state(state, None, None)


def test_a_parameter_that_is_missing_or_not_allowed_is_refused():
    state = dump_state(SVC(), None, None)
    del state["state"]["C"]
    with pytest.raises(DataError, match="its SVC lacks the parameter 'C'"):
        restore_state(state, None, None)
    state["state"]["C"] = -1.0
    with pytest.raises(DataError, match="its SVC is not allowed: The 'C' parameter"):
        restore_state(state, None, None)


def test_a_step_that_names_a_file_is_refused():
    from microexpr.video import TIM

    state = dump_state(TIM(), None, None)
    state["state"]["model"] = "//server/share/face.task"
    with pytest.raises(DataError, match=r"its TIM names the file '//server/share/face\.task'"):
        restore_state(state, None, None)


def test_another_version_of_a_step_is_refused():
    from microexpr.video import TIM

    state = dump_state(TIM(), None, None)
    state["version"] = 99
    with pytest.raises(DataError, match="it was written by version 99 of TIM: this is version"):
        restore_state(state, None, None)


def _machine(kernel="linear"):
    X = np.random.default_rng(0).normal(size=(12, 3))
    gram = X @ X.T if kernel == "precomputed" else X
    fitted = SVC(kernel=kernel).fit(gram, ["a", "b", "c"] * 4)
    arrays = []
    state = dump_state(fitted, lambda array: arrays.append(array) or len(arrays) - 1, None)
    return state, arrays, fitted, gram


@pytest.mark.parametrize("kernel", ["linear", "rbf", "precomputed"])
def test_a_sound_machine_is_read(kernel):
    state, arrays, fitted, rows = _machine(kernel)
    read = restore_state(state, arrays.__getitem__, None)
    assert np.array_equal(read.decision_function(rows), fitted.decision_function(rows))


@pytest.mark.parametrize("kernel", ["linear", "precomputed"])
@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("_n_support", lambda counts: counts + np.int32(1000)),
        ("_n_support", lambda counts: np.array([-5, 2, 15], np.int32)),
        ("_n_support", lambda counts: counts[:1]),
        ("support_", lambda positions: positions + np.int32(10**6)),
        ("support_", lambda positions: -positions - np.int32(1)),
        ("support_", lambda positions: positions.astype(np.int64)),
        ("_dual_coef_", lambda weights: weights[:, :1]),
        ("_intercept_", lambda offsets: offsets[:1]),
        ("_probA", lambda empty: np.ones(1)),
        ("support_vectors_", lambda rows: np.ones((2, 3))),
        ("classes_", lambda names: names[:2]),
        ("classes_", lambda names: None),
    ],
)
def test_a_machine_whose_sizes_would_lead_native_code_astray_is_refused(kernel, key, change):
    state, arrays, fitted, _ = _machine(kernel)
    arrays.append(change(vars(fitted)[key]))
    state["state"][key] = {"array": len(arrays) - 1} if arrays[-1] is not None else None
    with pytest.raises(DataError, match=r"its SVC (has arrays whose sizes or types do not fit|is incomplete)"):
        restore_state(state, arrays.__getitem__, None)


def test_a_machine_said_to_be_sparse_is_refused():
    state, arrays, _, _ = _machine()
    state["state"]["_sparse"] = True
    with pytest.raises(DataError, match="its SVC has arrays whose"):
        restore_state(state, arrays.__getitem__, None)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.99])
def test_a_file_that_breaks_off_is_refused(keep, sound, tmp_path):
    path = _write(tmp_path / "model.mxm", sound)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    _refused(path, "is no model file, or a damaged one")


def test_a_file_with_a_changed_byte_is_refused(sound, tmp_path):
    path = _write(tmp_path / "model.mxm", sound)
    content = bytearray(path.read_bytes())
    content[content.index(b"\x93NUMPY") + 200] ^= 0xFF
    path.write_bytes(content)
    _refused(path, r"is no model file, or a damaged one: BadZipFile: Bad CRC-32 for file 'arrays/")


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text.mxm").write_text("hello")
    (tmp_path / "empty.mxm").write_bytes(b"")
    for name in ("text", "empty"):
        _refused(tmp_path / f"{name}.mxm", "is no model file, or a damaged one")
    with pytest.raises(DataError, match=r"none\.mxm: there is no such file"):
        load_model(tmp_path / "none.mxm")
    with pytest.raises(DataError, match="there is no such file"):
        load_model(tmp_path)
    _refused(_write(tmp_path / "zip.mxm", {}), "it lacks estimator.json: it is no model file")


@pytest.mark.parametrize(
    "name", ["../../evil.py", "/etc/passwd", "..\\evil.py", "arrays/../../x.npy", "arrays/0000.npy.exe", "model.json/"]
)
def test_an_entry_of_another_name_is_refused_and_written_nowhere(name, sound, tmp_path):
    folder = tmp_path / "deep" / "down"
    folder.mkdir(parents=True)
    _refused(_write(folder / "model.mxm", sound | {name: b"evil"}), "it holds an entry .*: a model file has none")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["model.mxm"]


def test_a_bomb_is_refused_before_it_is_read(sound, tmp_path, monkeypatch):
    bomb = sound | {"arrays/0099.npy": bytes(20_000_000)}
    path = _write(tmp_path / "model.mxm", bomb, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1_000_000
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("an entry was read"))
    _refused(path, "is compressed or encrypted: those of a model file are not")


def test_a_size_that_lies_is_refused(sound, tmp_path):
    path = _write(tmp_path / "model.mxm", sound)
    content = bytearray(path.read_bytes())
    # In the central directory, compressed and plain size of the first entry stand 20 and 24 bytes after its mark.
    place = content.index(b"PK\x01\x02")
    content[place + 20 : place + 28] = struct.pack("<II", 2**31, 2**31)
    path.write_bytes(content)
    _refused(path, "its entries overlap: they are longer than the file|damaged")


def test_two_entries_of_one_name_are_refused(sound, tmp_path):
    path = tmp_path / "model.mxm"
    _write(path, sound | {"model.jsoN": sound["model.json"]})
    path.write_bytes(path.read_bytes().replace(b"model.jsoN", b"model.json"))
    _refused(path, "it holds two entries of one name")


def _npy(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


@pytest.mark.usefixtures("trapped")
@pytest.mark.parametrize(
    ("content", "match"),
    [
        (_npy(np.array([_Malicious()], dtype=object)), "is an array of object: it must hold numbers or text"),
        (
            _npy(np.zeros(1, [("a", "f8"), ("b", "O")])),
            r"is an array of .*object.*|is an array of .*'O'.*: it must hold numbers or text",
        ),
        (_npy(np.zeros(4))[:-8], "does not hold the numbers that its shape"),
        (_npy(np.zeros(4)) + b"more", "does not hold the numbers that its shape"),
        (_npy(np.zeros(4)).replace(b"(4,), }   ", b"(2**2,), }"), "is damaged: ValueError"),
        (_npy(np.zeros(4)).replace(b"(4,), }", b"((((((("), "is damaged: TokenError"),
        (_npy(np.zeros(4)).replace(b"(4,), }          ", b"(99999999999,), }"), "does not hold the numbers that its"),
        (_npy(np.zeros(4)).replace(b"(4,), }    ", b"(-4,-1,), }"), "does not hold the numbers that its"),
        (_npy(np.zeros(4), version=(2, 0)), "is of another version of NumPy's format"),
        (b"no array", "is damaged: ValueError"),
        (b"", "is damaged: ValueError"),
    ],
    ids=["objects", "field", "short", "long", "sum", "broken", "huge", "negative", "version", "text", "empty"],
)
def test_an_array_that_is_none_is_refused(content, match, sound, tmp_path):
    _refused(_write(tmp_path / "model.mxm", sound | {"arrays/0000.npy": content}), match)


def test_an_array_that_is_missing_is_an_error(sound, tmp_path):
    entries = {name: content for name, content in sound.items() if name != "arrays/0001.npy"}
    _refused(_write(tmp_path / "model.mxm", entries), "it lacks arrays/0001.npy: it is damaged")


@pytest.mark.parametrize(
    "tree", [b"{", b"\xff\xfe", b"[" * 100_000, b"[" * 500 + b"]" * 500, b"NaN", b'{"object": Infinity}']
)
def test_a_damaged_or_endless_tree_is_refused(tree, sound, tmp_path):
    path = _write(tmp_path / "model.mxm", sound | {"estimator.json": tree})
    _refused(path, "its estimator.json is damaged|nested more than 100 levels|it holds the number")


@pytest.mark.parametrize("tree", ["5", "null", '"text"', "[]", '{"dict":{}}', '{"array":0}'])
def test_what_is_no_classifier_is_refused(tree, sound, tmp_path):
    path = _write(tmp_path / "model.mxm", sound | {"estimator.json": tree})
    _refused(path, "its header names the classes negative, positive, surprise, which its classifier does not")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"format": 2}, "it is of format 2: this version reads format 1"),
        ({"format": "1"}, "does not say its format"),
        ({"classes": ["a", "a"]}, "does not say its method and classes"),
        ({"classes": ["\x1b[2J"]}, "does not say its method and classes"),
        ({"classes": ["other"]}, "its header names the classes other"),
        ({"method": 5}, "does not say its method and classes"),
        ({"needs": ["a soul"]}, "known needs are pixels"),
        ({"needs": 5}, "known needs are pixels"),
        ({"card": {}}, "its card is incomplete"),
        ({"card": None}, "its card is incomplete"),
        ({"framing": None}, "it must have size, corners and measured"),
        ({"framing": {"size": [10**9, 10**9], "corners": [[0, 0], [1, 1]], "measured": True}}, "no face can lie there"),
        ({"framing": {"size": [100, 100], "corners": [[1, 0], [0, 0]], "measured": True}}, "no face can lie there"),
    ],
)
def test_a_header_that_is_not_whole_is_refused(changes, match, sound, tmp_path):
    header = json.loads(sound["model.json"]) | changes
    _refused(_write(tmp_path / "model.mxm", sound | {"model.json": json.dumps(header)}), match)


@pytest.mark.parametrize("seed", range(60))
def test_a_file_changed_at_random_is_read_or_refused(seed, sound, tmp_path):
    rng = np.random.default_rng(seed)
    entries = dict(sound)
    name = rng.choice(["model.json", "estimator.json", "arrays/0000.npy", "arrays/0003.npy"])
    content = bytearray(entries[name])
    content[rng.integers(len(content))] = rng.choice(list(b'0123456789-[]{}",:eN\x00\xff'))
    path = _write(tmp_path / "model.mxm", entries | {name: bytes(content)})
    with suppress(MicroexprError):
        assert set(load_model(path).predict(CLIPS.clips[:1])["label"]) <= set(CLIPS.classes)


def test_a_card_is_read_without_the_model(sound, tmp_path):
    path = _write(tmp_path / "model.mxm", sound | {"estimator.json": b"not read"})
    assert read_card(path)["method"]["name"] == "flow-svm"


def test_a_card_cannot_command_the_terminal(sound, capsys):
    card = json.loads(sound["model.json"])["card"]
    card["method"]["summary"] = "\x1b]0;owned\x07\x1b[2J[bold]text[/bold]"
    card["trained_on"]["datasets"][0]["name"] = "\x1b[31mred"
    card["measured"] = {"UF1": {"estimate": "x"}, "per_class": [1], "majority": 3}
    print_card(card)
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\x07" not in printed
    assert "[bold]text[/bold]" in printed


def test_numbers_that_lead_nowhere_are_an_error_of_ours(sound, tmp_path):
    tree = json.loads(sound["estimator.json"])
    tree["state"]["steps"][1]["tuple"][1]["state"]["mean_"] = "text"
    model = load_model(_write(tmp_path / "model.mxm", sound | {"estimator.json": json.dumps(tree)}))
    with pytest.raises(MicroexprError, match="the model cannot name it"):
        model.predict(CLIPS.clips[:1])


@pytest.mark.usefixtures("trapped")
def test_weights_that_are_a_pickle_are_refused(network, tmp_path):
    evil = network | {"networks/0000.safetensors": PICKLE}
    _refused(_write(tmp_path / "model.mxm", evil), "its entry networks/0000.safetensors is no safetensors file")


def test_a_network_of_another_class_is_refused(network, tmp_path):
    content = network["networks/0000.safetensors"]
    changed = content.replace(b"STSTNetClassifier", b"SubprocessPopenXX")
    assert changed != content
    evil = network | {"networks/0000.safetensors": changed}
    _refused(_write(tmp_path / "model.mxm", evil), r"its entry networks/0000\.safetensors holds a 'SubprocessPopenXX'")


def test_what_is_written_twice_is_the_same(tmp_path):
    for name in ("one", "two"):
        write_model_file(tmp_path / f"{name}.mxm", {"method": "x"}, _machine()[2])
    assert (tmp_path / "one.mxm").read_bytes() == (tmp_path / "two.mxm").read_bytes()


def test_python_values_come_back_as_they_were(tmp_path):
    value = {
        "floats": (0.1, -0.0, float("inf"), float("-inf"), 5e-324),
        "numbers": [np.float64(0.1), np.float32(0.1), np.int64(-(2**63)), np.bool_(True), True, None, 2**80],
        "text": "\u00e9\n\x1b",
        "arrays": [np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.array(["a", "bc"]), np.zeros((0, 3), np.int32)],
    }
    write_model_file(tmp_path / "x.mxm", {}, value)
    _, read = read_model_file(tmp_path / "x.mxm")
    assert (read["floats"], read["text"]) == (value["floats"], value["text"])
    assert str(read["floats"]) == str(value["floats"])
    assert [(type(one), one) for one in read["numbers"]] == [(type(one), one) for one in value["numbers"]]
    for one, other in zip(read["arrays"], value["arrays"], strict=True):
        assert (one.dtype, one.shape, one.flags.f_contiguous) == (other.dtype, other.shape, other.flags.f_contiguous)
        assert np.array_equal(one, other)
