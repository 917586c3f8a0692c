"""The folds of a run: what decides them, which of them are kept, and the missing ones run.

The harness and the audit share this, so that both train alike.
"""

__all__ = ["resolve_method", "run_missing", "run_settings", "stored_records"]

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from microexpr.core.cache import ArrayCache
from microexpr.core.clip import Clip
from microexpr.core.clipset import ClipSet
from microexpr.core.digest import estimator_spec
from microexpr.core.errors import DataError, NeedsError, ParameterError, ResultsError, join_names
from microexpr.core.progress import progress
from microexpr.pipelines.folds import FoldTask, run_fold, seeded
from microexpr.pipelines.parallel import in_parallel
from microexpr.pipelines.prefix import extract, for_auxiliary, split_prefix
from microexpr.pipelines.registry import build, get_method, unmet_needs
from microexpr.pipelines.results import Run
from microexpr.pipelines.splits import Fold, shares_subjects
from microexpr.pipelines.usable import check_auxiliary


def resolve_method(
    method: str | Any, clipset: ClipSet, *, auxiliary: ClipSet | None, seed: int, params: Mapping[str, Any]
) -> tuple[str, Any]:
    """Return a method's name and its seeded estimator, after checking that it can run on these clips.

    Parameters
    ----------
    method, clipset, auxiliary, seed, params
        See `microexpr.pipelines.run`.

    Raises
    ------
    ParameterError
        If a name or value is not allowed.
    DataError
        If the auxiliary clips have classes that the clips have not, or subjects that they have.
    NeedsError
        If the method needs something that a clip lacks.
    """
    if auxiliary is not None and (unknown := sorted(set(auxiliary.y) - set(clipset.classes))):
        raise DataError(
            f"auxiliary clips have the class {str(unknown[0])!r}: the clips' own are {join_names(clipset.classes)}"
        )
    if auxiliary is not None and (shared := sorted(set(clipset.groups) & set(auxiliary.groups))):
        raise DataError(f"auxiliary clips show subjects of the test sets: {join_names(shared)}")
    if isinstance(method, str):
        record = get_method(method)
        if reason := unmet_needs(record, clipset):
            raise NeedsError(reason)
        check_auxiliary(method, auxiliary)
        return method, seeded(build(method, random_state=seed, **params), seed)
    if not all(hasattr(method, name) for name in ("fit", "predict", "get_params")):
        raise ParameterError(f"method is a {type(method).__name__}: it must be a registered name or a classifier")
    if params:
        raise ParameterError("params are for registered methods; set them on the classifier itself")
    return type(method).__name__, seeded(method, seed)


def run_settings(
    name: str,
    estimator: Any,
    clipset: ClipSet,
    folds: list[Fold],
    *,
    protocol: str,
    seed: int,
    auxiliary: ClipSet | None,
) -> dict[str, Any]:
    """Return all that decides the predictions; keys are digests of it."""
    return {
        "method": name,
        "estimator": estimator_spec(estimator),
        "labels": clipset.labels,
        "classes": list(clipset.classes),
        "protocol": protocol,
        "seed": seed,
        "clips": clipset.digest(),
        "auxiliary": None if auxiliary is None else auxiliary.digest(),
        "shared_subjects": shares_subjects(folds, clipset.groups),
    }


def stored_records(kept: Run | None, clipset: ClipSet, folds: Sequence[Fold]) -> list[dict[str, Any] | None]:
    """Return the record of each fold that is kept, None for one that is missing; `kept` is None without a store."""
    if kept is None:
        return [None] * len(folds)
    ids = clipset.table.index.to_numpy()
    return [kept.fold(number, fold.name, ids[fold.test]) for number, fold in enumerate(folds)]


def run_missing(
    name: str,
    estimator: Any,
    clipset: ClipSet,
    folds: Sequence[Fold],
    records: Sequence[dict[str, Any] | None],
    *,
    auxiliary: ClipSet | None,
    kept: Run | None,
    cache: ArrayCache,
    n_jobs: int,
) -> list[dict[str, Any]]:
    """Run the folds that have no record, keep each at once, and return the records of all.

    Parameters
    ----------
    name, estimator
        As `resolve_method` gives them.
    clipset, folds
        The clips, and how they are split.
    records : sequence of dict or None, one a fold
        As `stored_records` gives them; without a None among them nothing is computed.
    auxiliary : ClipSet or None
    kept : Run or None
        Where folds are kept; None keeps none.
    cache : ArrayCache
    n_jobs : int >= 1, or -1 for all cores

    Returns
    -------
    list of dict
        See `microexpr.pipelines.folds.run_fold`; `clip_ids` beside.

    Raises
    ------
    DataError
        If a clip cannot be read.
    ResultsError
        If a fold fails; the others are run and kept all the same.

    Examples
    --------
    >>> from microexpr.core.cache import feature_cache
    >>> from microexpr.data import make_clips
    >>> from microexpr.pipelines.splits import make_folds
    >>> clips = make_clips(n_subjects=3, clips_per_subject=3)
    >>> folds = make_folds(clips, "loso", seed=0)
    >>> name, estimator = resolve_method("majority", clips, auxiliary=None, seed=0, params={})
    >>> missing, alone = [None] * 3, {"auxiliary": None, "kept": None}
    >>> records = run_missing(name, estimator, clips, folds, missing, **alone, cache=feature_cache(), n_jobs=1)
    >>> [len(record["y_pred"]) for record in records]
    [3, 3, 3]
    """
    complete = {number: record for number, record in enumerate(records) if record is not None}
    missing = [number for number in range(len(folds)) if number not in complete]
    if not missing:
        return list(complete.values())
    prefix, learner = split_prefix(estimator)
    own = _inputs(name, prefix, clipset.clips, cache, n_jobs)
    extra = None
    if auxiliary is not None:
        its_prefix = None if prefix is None else for_auxiliary(prefix)
        extra = _inputs(f"{name}, auxiliary", its_prefix, auxiliary.clips, cache, n_jobs)
    labels, groups = clipset.y, clipset.groups
    checkpoints = None if kept is None else kept.checkpoints.absolute()
    tasks = (
        (learner, _fold_task(folds[number], own, labels, groups, extra, auxiliary, checkpoints)) for number in missing
    )
    failed: list[str] = []
    with (
        progress(f"{name}: folds", len(folds), done=len(folds) - len(missing)) as advance,
        closing(in_parallel(run_fold, tasks, n_jobs=n_jobs, prefer="processes")) as results,
    ):
        for position, record in results:
            number = missing[position]
            fold = folds[number]
            if "error" in record:
                where = "" if kept is None else f" (see {kept.write_failure(number, fold.name, record)})"
                failed.append(f"fold {fold.name}: {record['error']}{where}")
            else:
                record["clip_ids"] = list(clipset.table.index[fold.test])
                complete[number] = record
                if kept is not None:
                    kept.write_fold(number, fold.name, record)
            advance()
    if failed:
        raise ResultsError(f"{name}: {len(failed)} of {len(folds)} folds failed, so it has no score; {failed[0]}")
    return [complete[number] for number in range(len(folds))]


def _inputs(name: str, prefix: Any | None, clips: list[Clip], cache: ArrayCache, n_jobs: int) -> Any:
    """Return what the learning part of the pipeline sees: features, or the clips themselves."""
    if prefix is None:
        return clips
    return extract(prefix, clips, cache=cache, n_jobs=n_jobs, description=f"{name}: features")


def _fold_task(
    fold: Fold,
    own: Any,
    labels: np.ndarray,
    groups: np.ndarray,
    extra: Any,
    auxiliary: ClipSet | None,
    checkpoints: Path | None,
) -> FoldTask:
    train_X, train_y, groups = _take(own, fold.train), labels[fold.train], groups[fold.train]
    domain = np.zeros(len(train_y), int)
    if auxiliary is not None:
        train_X = np.concatenate([train_X, extra]) if isinstance(own, np.ndarray) else train_X + extra
        train_y, groups = np.append(train_y, auxiliary.y), np.append(groups, auxiliary.groups)
        domain = np.append(domain, np.ones(len(auxiliary), int))
    return FoldTask(train_X, train_y, _take(own, fold.test), groups, domain, checkpoints)


def _take(items: Any, positions: np.ndarray) -> Any:
    return items[positions] if isinstance(items, np.ndarray) else [items[position] for position in positions]
