"""The weights of the network that reads motion maps: the file that comes with the package, and others like it."""

__all__ = ["GAINS", "SIGMA", "SIZE", "MotionWeights", "member_shapes", "read_motion_weights", "write_motion_weights"]

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from microexpr.core.atomic import write_atomic
from microexpr.core.digest import array_digest, canonical_json, digest
from microexpr.core.errors import DataError, one_line

#: Height and width of the maps that the network reads, in pixels.
SIZE = 28
#: What each channel of a map, its mean subtracted, is divided by: grey levels. Strain is mostly near its least.
GAINS = (45.0, 45.0, 15.0)
#: Standard deviation of the Gaussian that smooths a map first, in pixels.
SIGMA = 1.0

_SHIPPED = Path(__file__).parent / "weights" / "motionnet.safetensors"
_HEADER = "microexpr"
_FORMAT = 1
_FILTERS = (16, 32, 32)
_HIDDEN = 48


@dataclass(frozen=True, eq=False)
class MotionWeights:
    """Weights of several networks of one shape, whose answers are averaged.

    Parameters
    ----------
    tensors : mapping of str -> float32 ndarray of shape (n_networks, ...)
        By the names and shapes of `member_shapes`.
    classes : tuple of str
    actions : tuple of str
        `L12` and `R12` for action units that have sides, `25` for those on the midline.
    temperature : float > 0
        What logarithms of probabilities are divided by, so that they say how often an answer is right.
    made : dict
        The recipe: what JSON can hold.
    """

    tensors: Mapping[str, np.ndarray]
    classes: tuple[str, ...]
    actions: tuple[str, ...]
    temperature: float
    made: dict[str, Any]

    @property
    def n_networks(self) -> int:
        """How many networks there are."""
        return len(self.tensors["conv1.weight"])

    def digest(self) -> str:
        """Return what tells these weights from others, a sha256."""
        facts = {"classes": self.classes, "actions": self.actions, "temperature": self.temperature}
        return digest({**facts, "tensors": {name: array_digest(array) for name, array in self.tensors.items()}})


def member_shapes(n_classes: int, n_actions: int) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of one network's weights: three convolutions, each with batch norm, and two layers.

    Parameters
    ----------
    n_classes, n_actions : int >= 1
    """
    shapes: dict[str, tuple[int, ...]] = {}
    n_inputs, side = 3, SIZE // 4
    for number, n_filters in enumerate(_FILTERS, start=1):
        width = 5 if number == 1 else 3
        shapes[f"conv{number}.weight"] = (n_filters, n_inputs, width, width)
        shapes[f"conv{number}.bias"] = (n_filters,)
        for name in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"bn{number}.{name}"] = (n_filters,)
        n_inputs = n_filters
    for layer, n_in, n_out in (
        ("fc", n_inputs * side * side, _HIDDEN),
        ("classes", _HIDDEN, n_classes),
        ("strengths", _HIDDEN, n_actions),
    ):
        shapes[f"{layer}.weight"], shapes[f"{layer}.bias"] = (n_in, n_out), (n_out,)
    return shapes


def read_motion_weights(path: str | Path | None = None) -> MotionWeights:
    """Read a file of weights.

    Parameters
    ----------
    path : path, optional
        As `microexpr pretrain` writes it. None reads the file that comes with the package, once.

    Returns
    -------
    MotionWeights

    Raises
    ------
    DataError
        If the file is missing, is no such file, or its numbers do not fit the network or its actions have other names.

    Examples
    --------
    >>> read_motion_weights().classes
    ('negative', 'positive', 'surprise')
    """
    return _shipped() if path is None else _read(Path(path))


def write_motion_weights(weights: MotionWeights, path: str | Path) -> None:
    """Write a file that `read_motion_weights` reads; the same weights give the same bytes.

    Raises
    ------
    ResultsError
        If the file cannot be written; nothing is left behind then.
    """
    from safetensors.numpy import save

    facts = {
        "format": _FORMAT,
        "classes": list(weights.classes),
        "actions": list(weights.actions),
        "temperature": weights.temperature,
        "made": weights.made,
    }
    tensors = {name: np.ascontiguousarray(weights.tensors[name], np.float32) for name in sorted(weights.tensors)}
    write_atomic(Path(path), save(tensors, metadata={_HEADER: canonical_json(facts)}))


@lru_cache(maxsize=1)
def _shipped() -> MotionWeights:
    return _read(_SHIPPED)


def _read(path: Path) -> MotionWeights:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  (no mapping)
        facts = json.loads(metadata[_HEADER])
        found = MotionWeights(
            tensors,
            tuple(map(str, facts["classes"])),
            tuple(map(str, facts["actions"])),
            float(facts["temperature"]),
            dict(facts["made"]),
        )
        readable = facts["format"] == _FORMAT
    except FileNotFoundError:
        raise DataError(f"{path} is not there: weights of the motion network are a .safetensors file") from None
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} holds no weights of the motion network: {one_line(error)}") from None
    if not readable:
        raise DataError(f"{path} has format {facts['format']}: this version reads format {_FORMAT}")
    _check(found, path)
    return found


def _check(weights: MotionWeights, path: Path) -> None:
    shapes = member_shapes(len(weights.classes), len(weights.actions))
    if set(shapes) != set(weights.tensors):
        odd = sorted(set(shapes) ^ set(weights.tensors))
        raise DataError(f"{path}: the network's weights and the file's differ in {odd[0]!r}")
    n_networks = len(np.atleast_1d(weights.tensors["conv1.bias"]))
    for name, shape in shapes.items():
        tensor = weights.tensors[name]
        if tensor.shape != (n_networks, *shape) or tensor.dtype != np.float32:
            raise DataError(
                f"{path}: {name} is {tensor.dtype} of shape {tensor.shape}: it must be float32 of shape "
                f"{(n_networks, *shape)}"
            )
        if not np.isfinite(tensor).all():
            raise DataError(f"{path}: {name} holds NaN or infinity")
    if odd := [name for name in weights.actions if not re.fullmatch("[LR]?[0-9]{1,3}", name)]:
        raise DataError(f"{path}: it has an action {odd[0]!r}: each must be named like L12, R12 or 25")
    if not n_networks or not 0 < weights.temperature < np.inf:
        raise DataError(f"{path}: it has {n_networks} networks and temperature {weights.temperature}: both must be > 0")
