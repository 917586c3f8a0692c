"""Keys: canonical JSON and its sha256. What cannot be written down exactly is refused, never guessed at."""

__all__ = ["array_digest", "canonical_json", "digest", "estimator_spec"]

import hashlib
import json
import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from microexpr.core.errors import ParameterError

# Parameters that cannot change numbers; they stay out of every key.
_IRRELEVANT = frozenset({"n_jobs", "device", "verbose", "memory", "pre_dispatch", "cache_size"})


def canonical_json(value: object) -> str:
    """Write `value` as JSON with sorted keys and no spaces, the same text for the same value everywhere.

    Numbers, strings, booleans, None, tuples and lists, mappings with string keys, estimators (as
    `estimator_spec`) and cross-validation splitters are allowed.

    Raises
    ------
    ParameterError
        For any other value: a function, an open file, a random generator, an array.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(value: object) -> str:
    """Return the sha256 of `canonical_json(value)`, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def array_digest(array: np.ndarray) -> str:
    """Return a sha256 over an array's dtype, shape and values."""
    hasher = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    hasher.update(np.ascontiguousarray(array).data)
    return hasher.hexdigest()


def estimator_spec(estimator: Any) -> dict[str, object]:
    """Describe an estimator: its class, its `version` where it has one, and its parameters, nested ones included.

    What else decides its numbers (the content of a model file, say) it tells by a method `key_facts`.

    Raises
    ------
    ParameterError
        If a parameter cannot be written down exactly.
    """
    kind = type(estimator)
    params = {key: value for key, value in estimator.get_params(deep=False).items() if key not in _IRRELEVANT}
    spec: dict[str, object] = {"class": f"{kind.__module__}.{kind.__qualname__}", "params": {}}
    if hasattr(kind, "version"):
        spec["version"] = kind.version
    try:
        spec["params"] = {key: _plain(value) for key, value in params.items()}
    except ParameterError as error:
        raise ParameterError(f"{kind.__name__}: {error}") from None
    # What a step asks its pipeline for (`set_fit_request`) decides what it is fitted on.
    if (request := vars(estimator).get("_metadata_request")) is not None:
        spec["requests"] = _plain(request._serialize())
    facts = estimator.key_facts() if hasattr(estimator, "key_facts") else None
    if facts:
        spec["facts"] = _plain(facts)
    return spec


def _plain(value: Any) -> Any:
    """Return `value` in JSON's own types."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        number = float(value)
        return number if math.isfinite(number) else {"float": repr(number)}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ParameterError("a mapping in a key must have string keys only")
        return {key: _plain(item) for key, item in value.items()}
    if hasattr(value, "get_params") and not isinstance(value, type):
        return estimator_spec(value)
    if hasattr(value, "split") and hasattr(value, "get_n_splits"):
        kind = type(value)
        return {"class": f"{kind.__module__}.{kind.__qualname__}", "params": _plain(vars(value))}
    raise ParameterError(
        f"a value of type {type(value).__name__} cannot be part of a key; "
        "use numbers, strings, tuples, None or nested estimators"
    )
