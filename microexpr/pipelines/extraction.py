"""Features of all clips of a data set, written to one file."""

__all__ = ["FEATURES", "extract_out", "extract_to", "feature_steps"]

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
from microexpr.features import (
    CBPTOP,
    HOG3D,
    LBPSIP,
    LBPTOP,
    MDMO,
    STLBPIP,
    BiWOOF,
    FlowImage,
    FlowMap,
    Gabor,
    OpticalStrain,
    PulseFeatures,
    Stills,
)
from microexpr.pipelines.flowmap_export import export_flowmaps
from microexpr.pipelines.prefix import extract

#: Name on the command line -> transformer.
FEATURES: Mapping[str, type[BaseEstimator]] = {
    "biwoof": BiWOOF,
    "cbptop": CBPTOP,
    "flowimage": FlowImage,
    "flowmap": FlowMap,
    "gabor": Gabor,
    "hog3d": HOG3D,
    "lbpsip": LBPSIP,
    "lbptop": LBPTOP,
    "mdmo": MDMO,
    "pulse": PulseFeatures,
    "stills": Stills,
    "stlbpip": STLBPIP,
    "strain": OpticalStrain,
}


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


def extract_out(
    path: str | Path,
    name: str,
    clipset: ClipSet,
    *,
    params: Mapping[str, Any] | None = None,
    layout: str | None = None,
    n_jobs: int = 1,
) -> str:
    """Write a feature of every clip: to an `.npz` file, or flow maps as images to a folder; return what was written.

    Parameters
    ----------
    path : path
        A file ending in .npz, see `extract_to`; for `flowmap` also a new folder, see `export_flowmaps`.
    name, clipset, params, n_jobs
        See `extract_to`.
    layout : str, optional
        Of a folder of flow maps; "stsnet" by default.

    Raises
    ------
    MicroexprError
        As `extract_to` and `export_flowmaps`; also if a layout is given for anything but a folder of flow maps.
    """
    target = Path(path)
    if target.suffix == ".npz" or name != "flowmap":
        if layout is not None:
            raise ParameterError(f"layout is {layout!r}: only a folder of flow maps has one, not {target}")
        features = extract_to(target, name, clipset, params=params, n_jobs=n_jobs)
        return f"{target}: features of shape {features.shape}"
    transformer = feature_steps(name, params or {})
    chosen = layout or "stsnet"
    count = export_flowmaps(
        clipset, target, size=transformer.size, method=transformer.method, layout=chosen, n_jobs=n_jobs
    )
    return f"{target}: {count} flow maps, layout {chosen}"


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
