"""Files of weights: reading checkpoints of others, writing and reading our networks; no code in a file is ever run."""

__all__ = ["check_weights", "load_network", "read_weights", "save_network"]

import json
import pickle
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from microexpr.core.atomic import write_atomic
from microexpr.core.checks import check_int
from microexpr.core.digest import canonical_json
from microexpr.core.errors import DataError, ParameterError, join_names, one_line
from microexpr.deep.classifier import NetworkClassifier
from microexpr.deep.devices import channels_last

_HEADER = "microexpr"
_FORMAT = 1
_FACTS = {"format", "class", "version", "params", "classes", "input_shape", "n_epochs"}
# What torch.load raises at files that are no checkpoint, or none any more.
_UNREADABLE = (
    pickle.UnpicklingError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a file of weights: a name and a tensor each.

    Parameters
    ----------
    path : str or path
        A .safetensors file, or whatever torch.save writes of a state dict (zip or the older pickle).

    Returns
    -------
    dict of str -> tensor, on the CPU

    Raises
    ------
    DataError
        If the file is missing, is no such file, or holds anything but tensors by name. What a pickle would run is
        refused, not run.

    Examples
    --------
    >>> import tempfile, torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch.save({"fc.bias": torch.ones(2)}, f"{folder}/weights.pth")
    ...     read_weights(f"{folder}/weights.pth")
    {'fc.bias': tensor([1., 1.])}
    """
    path = _existing(path)
    if path.suffix == ".safetensors":
        try:
            return dict(load_file(path))
        except (SafetensorError, OSError, ValueError) as error:
            raise DataError(f"{path} is no safetensors file: {one_line(error)}") from None
    try:
        with warnings.catch_warnings():
            # Of a pickle's protocol: it is read or refused, whichever it is.
            warnings.simplefilter("ignore")
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE:
        # torch's own messages offer to run the file after all.
        raise DataError(
            f"{path} is no checkpoint of weights: it is damaged, of another kind, or holds code, which is not run"
        ) from None
    if not isinstance(loaded, Mapping) or not loaded:
        raise DataError(f"{path} holds a {type(loaded).__name__}: a checkpoint must hold tensors by name")
    for name, value in loaded.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise DataError(
                f"{path} holds {name!r}, a {type(value).__name__}: a checkpoint must hold nothing but tensors by name"
            )
        if value.layout is not torch.strided or value.device.type != "cpu":
            raise DataError(f"{path}: {name} is {value.layout} on {value.device}: it must be a plain tensor")
    return {name: value.detach() for name, value in loaded.items()}


def check_weights(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor], source: str | Path) -> None:
    """Raise a DataError that names the first difference unless the weights are of the network that is expected.

    Parameters
    ----------
    weights : mapping of str -> tensor
    expected : mapping of str -> tensor
        The network's state dict; of its tensors, names, shapes and kinds count.
    source : str or path
        Where the weights come from, for the message.

    Raises
    ------
    DataError
        If a name is missing or unknown, a tensor has another shape or kind, or one holds NaN or infinity.
    """
    if missing := [name for name in expected if name not in weights]:
        raise DataError(f"{source} lacks {join_names(missing)}: it must hold all weights of the network")
    if unknown := [name for name in weights if name not in expected]:
        raise DataError(f"{source} holds {join_names(unknown)}: the network has no such weights")
    for name, ours in expected.items():
        theirs = weights[name]
        if theirs.shape != ours.shape:
            raise DataError(f"{source}: {name} has shape {tuple(theirs.shape)}: it must be {tuple(ours.shape)}")
        if theirs.is_complex() or theirs.is_floating_point() != ours.is_floating_point():
            raise DataError(f"{source}: {name} is {theirs.dtype}: it must be {ours.dtype}")
        if theirs.is_floating_point() and not torch.isfinite(theirs).all():
            raise DataError(f"{source}: {name} holds NaN or infinity")


def save_network(classifier: NetworkClassifier, path: str | Path) -> None:
    """Write a fitted classifier to one .safetensors file, which `load_network` reads.

    The file holds the weights, and as JSON the class's name, parameters, labels, input shape and number of epochs. The
    device is left out: the network may be read elsewhere.

    Parameters
    ----------
    classifier : fitted classifier, one of `microexpr.deep`
    path : str or path
        Its name ends in .safetensors. What is there is replaced.

    Raises
    ------
    ParameterError
        If the path ends otherwise, or the classifier is none of `microexpr.deep`'s.
    DataError
        If its labels are not strings.
    NotFittedError
        If it is not fitted.
    ResultsError
        If the file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ParameterError(f"path is {str(path)!r}: it must end in .safetensors")
    kind = type(classifier)
    if kind.__name__ not in _names() or _kind(kind.__name__) is not kind:
        raise ParameterError(f"classifier is a {kind.__name__}: it must be one of {', '.join(_names())}")
    check_is_fitted(classifier, "network_")
    labels = np.asarray(classifier.classes_).tolist()
    if not all(isinstance(label, str) for label in labels):
        raise DataError(f"classes_ holds {labels[0]!r}: in a network's file labels must be strings")
    params = classifier.get_params(deep=False)
    del params["device"]
    facts = {
        "format": _FORMAT,
        "class": kind.__name__,
        "version": kind.version,
        "params": params,
        "classes": labels,
        "input_shape": classifier.input_shape_,
        "n_epochs": classifier.n_epochs_,
    }
    # As on disk: contiguous, and each tensor with memory of its own.
    tensors = {
        name: value.detach().cpu().contiguous().clone() for name, value in classifier.network_.state_dict().items()
    }
    write_atomic(path, save(tensors, metadata={_HEADER: canonical_json(facts)}))


def load_network(path: str | Path) -> NetworkClassifier:
    """Read what `save_network` wrote: a fitted classifier, ready to predict.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    classifier of `microexpr.deep`
        On device "auto". Its history is not kept: `history_` is empty.

    Raises
    ------
    DataError
        If the file is missing or damaged, was not written by `save_network`, names a class that is none of
        `microexpr.deep`'s or another version of it, or its parameters, labels, shape or weights do not fit.
    """
    path = _existing(path)
    facts, tensors = _contents(path)
    classifier = _rebuilt(facts, path)
    # The network is first built without memory: what the header asks for is believed once the weights bear it out.
    with torch.device("meta"):
        expected = _tried(classifier, path)
    check_weights(tensors, expected, path)
    with torch.random.fork_rng():
        network = classifier.blank_network()
    network.load_state_dict(tensors)
    # As in training: another layout would add in another order, and predictions differ in their last bits.
    classifier.network_ = channels_last(network).eval()
    return classifier


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    return path


def _contents(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the header's facts, complete but unchecked, and the tensors."""
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_HEADER)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(f"{path} is no safetensors file: {one_line(error)}") from None
    if text is None:
        raise DataError(f"{path} holds weights alone: it must be a file that save_network wrote")
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} has a damaged header: {one_line(error)}") from None
    if not isinstance(facts, dict) or (lacks := sorted(_FACTS - facts.keys())):
        what = join_names(lacks) if isinstance(facts, dict) else "all that it must hold"
        raise DataError(f"{path} has a header that lacks {what}")
    if facts["format"] != _FORMAT:
        raise DataError(f"{path} is of format {facts['format']!r}: this version reads format {_FORMAT}")
    return facts, tensors


def _rebuilt(facts: dict[str, Any], path: Path) -> NetworkClassifier:
    """Return the classifier that the header describes, all but its network."""
    name, params, labels, shape = facts["class"], facts["params"], facts["classes"], facts["input_shape"]
    if name not in _names():
        raise DataError(f"{path} holds a {name!r}: it must be one of {', '.join(_names())}")
    kind = _kind(name)
    if facts["version"] != kind.version:
        raise DataError(f"{path} was written by version {facts['version']!r} of {name}: this is version {kind.version}")
    allowed = set(kind().get_params(deep=False)) - {"device"}
    if not isinstance(params, dict) or params.keys() != allowed:
        given = set(params) if isinstance(params, dict) else set()
        raise DataError(f"{path}: the parameters of {name} differ in {join_names(sorted(given ^ allowed)) or 'kind'}")
    if (
        not isinstance(labels, list)
        or not all(isinstance(label, str) for label in labels)
        or len(labels) < 2
        or labels != sorted(set(labels))
    ):
        raise DataError(f"{path} has the labels {labels!r}: they must be two or more different strings, sorted")
    if not isinstance(shape, list) or not shape:
        raise DataError(f"{path} has the input shape {shape!r}: it must be a list of sizes")
    classifier = kind(**{key: _as_tuple(value) for key, value in params.items()})
    try:
        classifier.check_params()
        classifier.input_shape_ = tuple(check_int(size, "input_shape", minimum=1) for size in shape)
        classifier.n_epochs_ = check_int(facts["n_epochs"], "n_epochs", minimum=1)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: {error}") from None
    classifier.classes_ = np.array(labels)
    classifier.history_ = {}
    return classifier


def _tried(classifier: NetworkClassifier, path: Path) -> dict[str, Tensor]:
    """Return the state of the classifier's network, through which input of its shape has gone."""
    shape = classifier.input_shape_
    try:
        network = classifier.blank_network().eval()
        with torch.no_grad():
            network(classifier._prepare(torch.zeros(1, *shape)))
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        name = type(classifier).__name__
        raise DataError(f"{path}: {name} takes no input of shape {shape}: {one_line(error)}") from None
    return network.state_dict()


def _as_tuple(value: Any) -> Any:
    """Return JSON's lists as the tuples that they were."""
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value


def _names() -> list[str]:
    """Return the names of the classes that a file may hold: the public classifiers of `microexpr.deep`."""
    from microexpr import deep

    return [name for name in sorted(deep.__all__) if name.endswith("Classifier")]


def _kind(name: str) -> type[NetworkClassifier]:
    from microexpr import deep

    return getattr(deep, name)
