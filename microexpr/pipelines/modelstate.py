"""A fitted estimator as JSON and arrays: plain values and objects of listed classes, and nothing that could run."""

__all__ = ["STORABLE", "dump_state", "networks_room", "restore_state"]

import inspect
import math
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from microexpr.core.errors import DataError, NeedsError, ParameterError

#: The classes of which a model file may hold objects; networks of `microexpr.deep` come beside, as weights.
STORABLE = (
    "microexpr.classifiers.calibration.SubjectCalibrated",
    "microexpr.classifiers.calibration._GivenScores",
    "microexpr.classifiers.featurefusion.FeatureFusion",
    "microexpr.classifiers.fusion.ScoreFusion",
    "microexpr.classifiers.gentleboost.GentleBoostClassifier",
    "microexpr.classifiers.gentlesvm.GentleSVM",
    "microexpr.classifiers.laplacian.LaplacianScoreSelector",
    "microexpr.classifiers.mapscaling.MapScaling",
    "microexpr.classifiers.mirrored.MirroredTraining",
    "microexpr.classifiers.neutral.NeutralClassifier",
    "microexpr.classifiers.selection.VarianceRatioSelector",
    "microexpr.classifiers.svm.HistogramSVM",
    "microexpr.classifiers.svm.RBFSVM",
    "microexpr.classifiers.zeroshot.ZeroShotClassifier",
    "microexpr.features.biwoof.BiWOOF",
    "microexpr.features.cbptop.CBPTOP",
    "microexpr.features.flowmap.FlowMap",
    "microexpr.features.gabor.Gabor",
    "microexpr.features.hog3d.HOG3D",
    "microexpr.features.lbpsip.LBPSIP",
    "microexpr.features.lbptop.LBPTOP",
    "microexpr.features.maskedregions.OnlyRegions",
    "microexpr.features.mdmo.MDMO",
    "microexpr.features.pulse.PulseFeatures",
    "microexpr.features.regionwise.InRegions",
    "microexpr.features.stlbpip.STLBPIP",
    "microexpr.features.strainmap.OpticalStrain",
    "microexpr.features.tensors.FlowImage",
    "microexpr.features.tensors.FrameAndFlow",
    "microexpr.features.tensors.Stills",
    "microexpr.features.tensors.Volume",
    "microexpr.pipelines.views.ClipViews",
    "microexpr.video.emr.EMR",
    "microexpr.video.resize.Pad",
    "microexpr.video.resize.Resize",
    "microexpr.video.tim.TIM",
    "sklearn.calibration.CalibratedClassifierCV",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.dummy.DummyClassifier",
    "sklearn.pipeline.Pipeline",
    "sklearn.preprocessing.Normalizer",
    "sklearn.preprocessing.StandardScaler",
    "sklearn.svm.SVC",
)

_NETWORKS = "microexpr.deep."
# A parameter of that name is the path of a file, which would be read on the machine of whoever loads the model.
_PATH = "model"
# Pipelines of fusions of pipelines come to some twenty.
_MAX_DEPTH = 100
_SCALARS = ("float64", "float32", "int64", "int32", "bool")


def dump_state(value: Any, add_array: Callable[[np.ndarray], int], add_network: Callable[[Any], int]) -> Any:
    """Describe a value by what JSON knows, arrays and networks put elsewhere.

    Parameters
    ----------
    value : fitted estimator, or whatever one holds
    add_array : callable(ndarray) -> int
        Keeps an array and returns its number.
    add_network : callable(NetworkClassifier) -> int
        The same for a network.

    Returns
    -------
    None, bool, int, finite float, str, list, or a dict of one key that says what it is

    Raises
    ------
    ParameterError
        If the value holds an object of a class that is not in `STORABLE`, a function, a file's path, or an array of
        objects.

    Examples
    --------
    >>> dump_state({"C": (1.0, None)}, len, len)
    {'dict': {'C': {'tuple': [1.0, None]}}}
    """
    return _Writer(add_array, add_network).of(value)


def restore_state(state: Any, get_array: Callable[[int], np.ndarray], get_network: Callable[[int], Any]) -> Any:
    """Build what `dump_state` described; of a state that was made by somebody else, nothing is run.

    Objects are made without calling their constructor: their attributes are set, their parameters checked as `fit`
    would, and what native code is going to rely on (sizes of an SVM's arrays) is checked too. A class is looked up in
    `STORABLE`; the name in the state itself is imported by nobody.

    Parameters
    ----------
    state : as `dump_state` returns it, unchecked
    get_array, get_network : callable(int) -> value
        Return what is kept under a number, or raise a DataError.

    Raises
    ------
    DataError
        If the state names a class that is not listed, or another version of one; or an object lacks a parameter, has
        one that is not allowed, an attribute that hides a method, or arrays that do not fit each other.

    Examples
    --------
    >>> restore_state({"dict": {"C": {"tuple": [1.0, None]}}}, None, None)
    {'C': (1.0, None)}
    """
    return _Reader(get_array, get_network).of(state, 0)


@cache
def _classes() -> dict[str, type]:
    """Return the storable classes by the name that files have for them."""
    parts = (name.rpartition(".") for name in STORABLE)
    return {f"{module}.{name}": getattr(import_module(module), name) for module, _, name in parts}


@cache
def _names() -> dict[type, str]:
    return {kind: name for name, kind in _classes().items()}


class _Writer:
    def __init__(self, add_array: Callable[[np.ndarray], int], add_network: Callable[[Any], int]) -> None:
        self._add_array, self._add_network = add_array, add_network

    def of(self, value: Any) -> Any:
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is list:
            return [self.of(item) for item in value]
        if kind is tuple:
            return {"tuple": [self.of(item) for item in value]}
        if kind is dict:
            if odd := [key for key in value if type(key) is not str]:
                raise ParameterError(f"a dict with the key {odd[0]!r} cannot be stored in a model file: keys are text")
            return {"dict": {key: self.of(item) for key, item in value.items()}}
        if isinstance(value, np.generic) and value.dtype.name in _SCALARS:
            return {"scalar": value.dtype.name, "value": self.of(value.item())}
        if kind is np.ndarray:
            return {"array": self._add_array(_without_objects(value))}
        if kind.__module__.startswith(_NETWORKS):
            return {"network": self._add_network(value)} if hasattr(value, "network_") else self._blank(value)
        return self._object(value, kind)

    def _blank(self, network: Any) -> dict[str, Any]:
        """Describe a network that is not fitted, as fusions keep it among their parameters."""
        kind, params = type(network), network.get_params(deep=False)
        # As with a fitted one: where it computes is the reader's to choose, where its first weights lay is private.
        params = {key: self.of(params[key]) for key in sorted(params) if key not in ("device", "weights")}
        return {"blank": kind.__name__, "version": kind.version, "state": params}

    def _object(self, value: Any, kind: type) -> dict[str, Any]:
        if kind not in _names():
            raise ParameterError(
                f"{kind.__module__}.{kind.__qualname__} cannot be stored in a model file: "
                "it holds plain values, arrays and the estimators of registered methods"
            )
        attributes = vars(value)
        if attributes.get(_PATH) is not None:
            raise ParameterError(
                f"{kind.__name__} has {_PATH}={attributes[_PATH]!r}, a file of this machine: "
                "a model file cannot hold it, use the backend without one"
            )
        node: dict[str, Any] = {"object": _names()[kind]}
        if hasattr(kind, "version"):
            node["version"] = kind.version
        # In one order, so that the same model gives the same file.
        return node | {"state": {key: self.of(attributes[key]) for key in sorted(attributes)}}


def _without_objects(array: np.ndarray) -> np.ndarray:
    """Return an array of numbers or text; one of Python's own text is turned into such."""
    if array.dtype == object:
        if not all(type(item) is str for item in array.ravel().tolist()):
            raise ParameterError("an array of objects cannot be stored in a model file: it must hold numbers or text")
        return array.astype(str)
    if array.dtype.hasobject:
        raise ParameterError("an array of objects cannot be stored in a model file: it must hold numbers or text")
    return array


class _Reader:
    def __init__(self, get_array: Callable[[int], np.ndarray], get_network: Callable[[int], Any]) -> None:
        self._get_array, self._get_network = get_array, get_network

    def of(self, state: Any, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise DataError(f"its state is nested more than {_MAX_DEPTH} levels deep")
        if state is None or type(state) in (bool, int, float, str):
            return state
        if type(state) is list:
            return [self.of(item, depth + 1) for item in state]
        if "object" in state:
            return self._object(state, depth)
        if "blank" in state:
            return self._blank(state, depth)
        if state.keys() == {"scalar", "value"} and state["scalar"] in _SCALARS:
            return self._scalar(state["scalar"], self.of(state["value"], depth + 1))
        if len(state) != 1:
            raise DataError(f"its state has an entry with the keys {', '.join(sorted(state)) or 'none'}")
        [(what, content)] = state.items()
        if what == "tuple" and type(content) is list:
            return tuple(self.of(item, depth + 1) for item in content)
        if what == "dict" and type(content) is dict:
            return {key: self.of(item, depth + 1) for key, item in content.items()}
        if what == "float" and content in ("nan", "inf", "-inf"):
            return float(content)
        if what in ("array", "network") and type(content) is int:
            return self._get_array(content) if what == "array" else self._get_network(content)
        raise DataError(f"its state has an entry of an unknown kind, {what!r}")

    @staticmethod
    def _scalar(name: str, value: Any) -> Any:
        allowed = {"f": (int, float), "i": (int,), "b": (bool,)}[np.dtype(name).kind]
        if type(value) not in allowed:
            raise DataError(f"its state has {value!r} for a {name}")
        try:
            return np.dtype(name).type(value)
        except OverflowError:
            raise DataError(f"its state has {value!r} for a {name}") from None

    def _blank(self, node: Mapping[str, Any], depth: int) -> Any:
        room = networks_room()
        name, params = node["blank"], node.get("state")
        if type(name) is not str or name not in room.__all__ or not name.endswith("Classifier"):
            raise DataError(f"it names the network {name!r}: a model holds none but those of microexpr.deep")
        kind = getattr(room, name)
        _check_version(node, kind)
        expected = _arguments(kind) - {"device", "weights"}
        if type(params) is not dict or params.keys() != expected:
            raise DataError(f"its {name}, not fitted, must have the parameters {', '.join(sorted(expected))}")
        made = kind(**{key: self.of(item, depth + 1) for key, item in params.items()})
        _check(made)
        return made

    def _object(self, node: Mapping[str, Any], depth: int) -> Any:
        name, attributes = node["object"], node.get("state")
        if type(name) is not str or name not in _classes():
            raise DataError(f"it names the type {name!r}: a model holds none but microexpr's own estimators' types")
        kind = _classes()[name]
        _check_version(node, kind)
        if type(attributes) is not dict:
            raise DataError(f"its {kind.__name__} has no attributes")
        if hidden := [key for key in attributes if hasattr(kind, key)]:
            raise DataError(f"its {kind.__name__} has the attribute {hidden[0]!r}, which would hide the class's own")
        if lacking := sorted(_arguments(kind) - attributes.keys()):
            raise DataError(f"its {kind.__name__} lacks the parameter {lacking[0]!r}")
        if attributes.get(_PATH) is not None:
            raise DataError(f"its {kind.__name__} names the file {attributes[_PATH]!r}: a model reads no other files")
        made: Any = object.__new__(kind)
        vars(made).update({key: self.of(item, depth + 1) for key, item in attributes.items()})
        _check(made)
        return made


def networks_room() -> Any:
    """Return `microexpr.deep`.

    Raises
    ------
    NeedsError
        If the extra `deep` is not installed.
    """
    for name in ("torch", "skorch"):
        if find_spec(name) is None:
            raise NeedsError("the model is a network: it needs the extra `deep`, pip install 'microexpr[deep]'")
    return import_module("microexpr.deep")


def _check_version(node: Mapping[str, Any], kind: Any) -> None:
    version = getattr(kind, "version", None)
    if node.get("version") != version:
        raise DataError(
            f"it was written by version {node.get('version')!r} of {kind.__name__}: this is version {version}"
        )


def _arguments(kind: type) -> set[str]:
    """Return the names of what the class's constructor takes."""
    known = inspect.signature(kind.__init__).parameters.values()  # type: ignore[misc]
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {one.name for one in known if one.name != "self" and one.kind not in variable}


def _check(made: Any) -> None:
    """Raise a DataError if an object would refuse its parameters, or its arrays could lead native code astray."""
    name = type(made).__name__
    try:
        if hasattr(made, "check_params"):
            made.check_params()
        elif hasattr(made, "_parameter_constraints") and isinstance(made, BaseEstimator):
            made._validate_params()
        if name == "Pipeline":
            made._validate_steps()
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(f"its {name} is not allowed: {' '.join(str(error).split())}") from None
    if name == "SVC":
        _check_machine(vars(made))


def _check_machine(parts: Mapping[str, Any]) -> None:
    """Raise a DataError unless all sizes of a fitted SVC agree: LIBSVM reads memory as they say, and does not look."""
    if "support_" not in parts:
        return
    try:
        n_classes, n_rows = len(parts["classes_"]), len(parts["support_"])
        pairs, width = n_classes * (n_classes - 1) // 2, int(parts["n_features_in_"])
        support, counts = parts["support_"], parts["_n_support"]
        is_given = parts["kernel"] == "precomputed"
        # LIBSVM keeps no rows of a kernel that it is given.
        expected = {
            "support_": (np.int32, (n_rows,)),
            "_n_support": (np.int32, (n_classes,)),
            "support_vectors_": (np.float64, parts["support_vectors_"].shape if is_given else (n_rows, width)),
            "_dual_coef_": (np.float64, (n_classes - 1, n_rows)),
            "_intercept_": (np.float64, (pairs,)),
            "_probA": (np.float64, (0,)),
            "_probB": (np.float64, (0,)),
        }
        sound = n_classes >= 2 and n_rows >= 1 and parts["_sparse"] is False and parts["probability"] is not True
        sound &= all(
            type(parts[key]) is np.ndarray and parts[key].dtype == dtype and parts[key].shape == shape
            for key, (dtype, shape) in expected.items()
        )
        sound = sound and bool((counts >= 0).all()) and int(counts.sum(dtype=np.int64)) == n_rows
        sound = sound and bool((support >= 0).all()) and bool((support < parts["shape_fit_"][0]).all())
        if is_given:
            sound = sound and parts["support_vectors_"].size == 0 and width == parts["shape_fit_"][0]
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(f"its SVC is incomplete: {' '.join(str(error).split())}") from None
    if not sound:
        raise DataError("its SVC has arrays whose sizes or types do not fit each other")
