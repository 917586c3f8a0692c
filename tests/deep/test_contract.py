"""What every public network keeps: explicit parameters, a version, layers, keys, tests of its own."""

import inspect
import pickle
from math import prod
from pathlib import Path

import pytest

from microexpr import deep
from microexpr.core.checks import check_int
from microexpr.core.digest import digest, estimator_spec
from microexpr.core.errors import ParameterError
from microexpr.deep.classifier import NetworkClassifier

KINDS = {name: getattr(deep, name) for name in deep.__all__ if name.endswith("Classifier")}
#: What the base takes, by its docstring; the two defaults that all networks share.
BASE = {
    "epochs",
    "lr",
    "batch_size",
    "weight_decay",
    "class_weight",
    "patience",
    "device",
    "precision",
    "random_state",
}
SHARED = {"device": "auto", "precision": "auto", "patience": None, "random_state": None}
#: Parameters at the paper's input and three classes, of those that build in a moment; by hand, layer by layer.
N_PARAMETERS = {
    "STSTNetClassifier": (27 * 16 + 16) + 2 * 16 + (400 * 3 + 3),
    "FlowCNNClassifier": 5 * ((75 * 16 + 16) + 2 * 16 + (144 * 32 + 32) + 2 * 32 + (1568 * 3 + 3)),
    "OFFApexNetClassifier": 2 * (25 * 6 + 6) + 2 * (150 * 16 + 16) + 1569 * 1024 + 1025 * 1024 + 1025 * 3,
    "DubeyClassifier": (15 * 3 * 3 * 32 + 32) + (20 * 20 * 32 * 128 + 128) + (128 * 3 + 3),
}

each = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def test_there_are_networks_to_check():
    assert set(N_PARAMETERS) < set(KINDS)
    assert all(issubclass(kind, NetworkClassifier) for kind in KINDS.values())


@each
def test_it_states_a_version_of_its_own(kind):
    assert check_int(vars(kind)["version"], "version", minimum=1) >= 1


@each
def test_it_states_its_papers_input(kind):
    shape = vars(kind)["INPUT_SHAPE"]
    assert len(shape) >= 2
    assert all(isinstance(size, int) and size >= 1 for size in shape)


@each
def test_its_parameters_are_explicit_and_hold_those_of_the_base(kind):
    parameters = inspect.signature(vars(kind)["__init__"]).parameters
    kinds = {parameter.kind for parameter in parameters.values()}
    assert kinds == {inspect.Parameter.POSITIONAL_OR_KEYWORD}
    assert set(parameters) >= BASE
    assert SHARED.items() <= {name: parameter.default for name, parameter in parameters.items()}.items()
    assert all(p.default is not p.empty and p.annotation is not p.empty for p in list(parameters.values())[1:])


@each
def test_what_it_was_given_is_what_it_holds(kind):
    given = kind().get_params()
    given |= {"epochs": 3, "lr": 0.25, "batch_size": 5, "weight_decay": 0.5, "class_weight": "balanced"}
    given |= {"patience": 4, "device": "cpu", "precision": "float32", "random_state": 7}
    model = kind(**given)
    assert {name: getattr(model, name) for name in given} == given


@each
def test_its_docstring_names_every_parameter_and_where_it_comes_from(kind):
    text = inspect.getdoc(kind)
    parameters = text[text.index("Parameters\n") : text.index("Notes\n")]
    for name in inspect.signature(kind).parameters:
        assert name in parameters
    assert "Examples\n" in text
    assert "References\n" in text or "No paper." in text


@each
def test_a_file_of_tests_is_about_it(kind):
    here = Path(__file__)
    naming = [path.name for path in here.parent.glob("test_*.py") if path != here and kind.__name__ in path.read_text()]
    assert naming, f"no file beside {here.name} names {kind.__name__}"


@pytest.mark.parametrize("name", N_PARAMETERS)
def test_its_layers_hold_all_its_parameters(name):
    layers = KINDS[name]().layers()
    last = layers[-1]
    assert sum(layer.n_parameters for layer in layers) == N_PARAMETERS[name]
    assert last.output_shape[-1] == 3
    assert all(prod(layer.output_shape) >= 1 for layer in layers)


@each
def test_it_can_be_sent_to_another_process_before_it_is_fitted(kind):
    model = kind(epochs=3, random_state=5)
    twin = pickle.loads(pickle.dumps(model))
    assert type(twin) is kind
    assert twin.get_params() == model.get_params()


@each
def test_its_key_tells_settings_apart_and_forgets_the_device(kind):
    key = digest(estimator_spec(kind()))
    assert key == digest(estimator_spec(kind(device="cpu")))
    changed = [{"epochs": 3}, {"lr": 0.25}, {"batch_size": 5}, {"precision": "bfloat16"}, {"random_state": 1}]
    assert len({key, *(digest(estimator_spec(kind(**settings))) for settings in changed)}) == 1 + len(changed)


@each
def test_the_defaults_are_allowed_and_what_is_not_is_named(kind):
    kind().check_params()
    with pytest.raises(ParameterError, match="device is 'abacus': it must be one of"):
        kind(device="abacus").check_params()
    with pytest.raises(ParameterError, match="epochs is 0: it must be at least 1"):
        kind(epochs=0).check_params()
