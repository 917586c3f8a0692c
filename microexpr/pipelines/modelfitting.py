"""A method fitted on all subjects, measured beforehand leave one subject out, and written to a file."""

__all__ = ["fit_and_save", "fit_model"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from microexpr.classifiers._inner import fit_inner, refuse_one_against_one
from microexpr.core.cache import feature_cache
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import ParameterError
from microexpr.core.resume import resumable
from microexpr.pipelines.foldruns import resolve_method
from microexpr.pipelines.framing import measure_framing
from microexpr.pipelines.harness import check_settings, run
from microexpr.pipelines.modelcards import check_measured, make_card
from microexpr.pipelines.models import Model
from microexpr.pipelines.modelsaving import save_model
from microexpr.pipelines.prefix import extract, for_auxiliary, split_prefix
from microexpr.pipelines.registry import get_method
from microexpr.pipelines.results import Store
from microexpr.pipelines.usable import auxiliary_for, usable_clips


def fit_model(
    method: str,
    clipset: ClipSet,
    *,
    seed: int = 0,
    params: Mapping[str, Any] | None = None,
    auxiliary: ClipSet | None = None,
    scores: pd.DataFrame | None = None,
    n_jobs: int = 1,
    checkpoints: Path | None = None,
) -> Model:
    """Fit a method on all clips, as the harness fits a fold on its training clips.

    Parameters
    ----------
    method : str
        A registered name.
    clipset : ClipSet with labels
    seed : int in [0, 2**32 - 1]
    params : mapping, optional
        Nested parameters, `{"lbptop__blocks": (8, 8, 1)}`.
    auxiliary : ClipSet with labels, optional
        Macro-expressions that join the training, for a method that learns from them.
    scores : DataFrame, optional
        Predictions of the same method on the same clips, leave one subject out, as `microexpr.run` gives them, for the
        card. Without them the card says "not measured".
    n_jobs : int >= 1, or -1 for all cores
        Threads over clips.
    checkpoints : path, optional
        A folder where a network's training may keep its state, so that a killed one goes on from there.

    Returns
    -------
    Model

    Raises
    ------
    ParameterError
        If the method is unknown, or a parameter is not allowed.
    NeedsError
        If the method needs something that a clip lacks.
    DataError
        If a clip cannot be read, the clips cannot be learned from, or `scores` are of something else.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> model = fit_model("flow-svm", make_clips(n_subjects=2, clips_per_subject=3))
    >>> model.classes, model.card["measured"]
    (('negative', 'positive', 'surprise'), 'not measured')
    """
    if not isinstance(method, str):
        raise ParameterError(f"method is a {type(method).__name__}: it must be a registered name")
    check_settings("only-missing", seed, n_jobs)
    auxiliary = auxiliary_for(method, auxiliary)
    params = dict(params or {})
    name, estimator = resolve_method(method, clipset, auxiliary=auxiliary, seed=seed, params=params)
    if scores is not None:
        check_measured(scores, name, seed, clipset)
    fitted = _fit(name, estimator, clipset, auxiliary, n_jobs, checkpoints)
    learned = {str(label) for label in fitted.classes_}
    return Model(
        method=name,
        estimator=fitted,
        classes=tuple(label for label in clipset.classes if label in learned),
        needs=get_method(name).needs,
        framing=measure_framing(clipset.clips),
        card=make_card(name, estimator, clipset, seed=seed, params=params, auxiliary=auxiliary, measured=scores),
    )


def fit_and_save(
    method: str,
    clipset: ClipSet,
    path: str | Path,
    *,
    store: str | Path | None = None,
    measure: bool = True,
    seed: int = 0,
    params: Mapping[str, Any] | None = None,
    auxiliary: ClipSet | None = None,
    n_jobs: int = 1,
    allow_incomplete: bool = False,
) -> Model:
    """Measure a method leave one subject out, fit it on all clips and write the model.

    Parameters
    ----------
    method, clipset, seed, params, auxiliary, n_jobs
        See `fit_model`.
    path : path
        A file ending in .mxm.
    store : path, optional
        Folder of results: folds that are there are not run again, and a killed training goes on.
    measure : bool
        False leaves the measuring out; the card then says so.
    allow_incomplete : bool
        Whether to go on without the clips that lack what the method needs.

    Returns
    -------
    Model

    Raises
    ------
    ParameterError, NeedsError, DataError
        As `fit_model`; a path that does not end in .mxm is refused before anything is computed.
    ResultsError
        If folds fail, or the store or the file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".mxm":
        raise ParameterError(f"out is {str(path)!r}: it must end in .mxm")
    clipset = usable_clips(method, clipset, allow_incomplete=allow_incomplete)
    auxiliary = auxiliary_for(method, auxiliary)
    chosen: dict[str, Any] = {"seed": seed, "params": params, "auxiliary": auxiliary, "n_jobs": n_jobs}
    kept = None if store is None else Store(store)
    scores = run(method, clipset, protocol="loso", store=kept, **chosen) if measure else None
    checkpoints = None if kept is None else kept.folder.absolute() / "checkpoints"
    model = fit_model(method, clipset, scores=scores, checkpoints=checkpoints, **chosen)
    save_model(model, path)
    return model


def _fit(
    name: str, estimator: Any, clipset: ClipSet, auxiliary: ClipSet | None, n_jobs: int, checkpoints: Path | None
) -> Any:
    """Return the estimator fitted on all clips, under the conditions of a fold."""
    prefix, learner = split_prefix(estimator)
    cache = feature_cache()
    own: Any = clipset.clips
    if prefix is not None:
        own = extract(prefix, own, cache=cache, n_jobs=n_jobs, description=f"{name}: features")
    labels, groups = clipset.y, clipset.groups
    domain = np.zeros(len(labels), int)
    if auxiliary is not None:
        extra: Any = auxiliary.clips
        if prefix is not None:
            told = f"{name}, auxiliary: features"
            extra = extract(for_auxiliary(prefix), extra, cache=cache, n_jobs=n_jobs, description=told)
        own = [*own, *extra] if prefix is None else np.concatenate([own, extra])
        labels, groups = np.append(labels, auxiliary.y), np.append(groups, auxiliary.groups)
        domain = np.append(domain, np.ones(len(auxiliary), int))
    refuse_one_against_one(learner)
    with threadpool_limits(1), resumable(checkpoints):
        fitted = fit_inner(learner, own, labels, groups=groups, domain=domain)
    return fitted if prefix is None else Pipeline([*prefix.steps, *fitted.steps])
