"""Features of all clips of a data set, written to one file."""

__all__ = ["FEATURES", "extract_to", "feature_steps"]

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from microexpr.core.atomic import remove_stale, write_atomic
from microexpr.core.cache import feature_cache
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import ParameterError, join_names
from microexpr.features.flowmap import FlowMap
from microexpr.features.lbptop import LBPTOP
from microexpr.pipelines.prefix import extract

#: Name on the command line -> transformer.
FEATURES: Mapping[str, type[BaseEstimator]] = {"flowmap": FlowMap, "lbptop": LBPTOP}


def feature_steps(name: str, params: Mapping[str, Any]) -> BaseEstimator:
    """Return the transformer of a name with its parameters set.

    Raises
    ------
    ParameterError
        If the feature or a parameter is unknown, or a value is not allowed.
    """
    if name not in FEATURES:
        raise ParameterError(f"feature is {name!r}: it must be one of {join_names(FEATURES, 30)}")
    transformer = FEATURES[name]()
    known = transformer.get_params()
    if unknown := [key for key in params if key not in known]:
        raise ParameterError(f"feature {name!r} has no parameter {unknown[0]!r}; it has {join_names(known, 30)}")
    return transformer.set_params(**params).fit()


def extract_to(
    path: str | Path, name: str, clipset: ClipSet, *, params: Mapping[str, Any] | None = None, n_jobs: int = 1
) -> np.ndarray:
    """Compute a feature of every clip and write it as an `.npz` file.

    Parameters
    ----------
    path : path ending in .npz
        Holds `features` (n_clips, ...), `clip_ids`, `subjects` and `labels`, all in the order of the clips.
    name : str
        A key of `FEATURES`.
    clipset : ClipSet
    params : mapping, optional
        The transformer's parameters.
    n_jobs : int

    Returns
    -------
    ndarray of shape (n_clips, ...)
        The features.

    Raises
    ------
    MicroexprError
        If a name or value is not allowed, a clip cannot be read, or the file cannot be written.
    """
    target = Path(path)
    if target.suffix != ".npz":
        raise ParameterError(f"out is {str(path)!r}: features are written to a file ending in .npz")
    transformer = feature_steps(name, params or {})
    remove_stale(target.parent, name=target.name)
    cache = feature_cache()
    features = extract(transformer, clipset.clips, cache=cache, n_jobs=n_jobs, description=f"{name}: features")
    buffer = io.BytesIO()
    labels = clipset.table["label"].fillna("").to_numpy(dtype=str)
    ids = clipset.table.index.to_numpy(dtype=str)
    np.savez(buffer, features=features, clip_ids=ids, subjects=clipset.groups, labels=labels)
    write_atomic(target, buffer.getvalue())
    return features
