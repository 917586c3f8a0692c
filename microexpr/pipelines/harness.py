"""The harness: one method on one set of clips under one protocol, each clip predicted by a model that never saw it."""

__all__ = ["MODES", "check_auxiliary", "check_settings", "run"]

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.cache import ArrayCache, feature_cache
from microexpr.core.checks import check_choice, check_int
from microexpr.core.clip import Clip
from microexpr.core.clipset import ClipSet
from microexpr.core.digest import digest, estimator_spec
from microexpr.core.errors import DataError, MicroexprError, NeedsError, ParameterError, ResultsError, join_names
from microexpr.core.progress import progress
from microexpr.pipelines.folds import FoldTask, run_fold, seeded
from microexpr.pipelines.parallel import check_n_jobs, in_parallel
from microexpr.pipelines.predictions import read_predictions, write_predictions
from microexpr.pipelines.prefix import extract, for_auxiliary, split_prefix
from microexpr.pipelines.provenance import provenance
from microexpr.pipelines.registry import build, get_method, protocol_of, unmet_needs
from microexpr.pipelines.results import Run, Store
from microexpr.pipelines.splits import Fold, canonical_protocol, make_folds, shares_subjects

MODES = ("only-missing", "overwrite", "read-only")

# Raised when the same settings would give other predictions for reasons that no `version` of a step tells.
_SCHEMA = 1
# What NumPy's and scikit-learn's random states take.
_LARGEST_SEED = 2**32 - 1


def run(
    method: str | Any,
    clipset: ClipSet,
    *,
    protocol: str = "loso",
    seed: int = 0,
    n_jobs: int = 1,
    mode: str = "only-missing",
    auxiliary: ClipSet | None = None,
    store: str | Path | Store | None = None,
    params: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Evaluate a method: fit on each fold's training clips, predict its test clips, return one row a clip.

    1. The stateless beginning of the pipeline runs once over all clips, in parallel, through the feature cache.
    2. Each fold clones, seeds and fits the rest on the training clips and predicts the test clips, whose labels
       it is not given. `groups` (subjects) and `domain` reach those steps whose `fit` requests them by
       scikit-learn's metadata routing; both cover training clips only.
    3. Each fold is kept at once. A killed run goes on where it stopped.

    Parameters
    ----------
    method : str or scikit-learn classifier
        A registered name, or any unfitted classifier or Pipeline whose input is a list of clips.
    clipset : ClipSet with labels
    protocol : str
        See `microexpr.pipelines.splits.PROTOCOLS`; "paper" is the protocol of a registered method's own paper.
    seed : int in [0, 2**32 - 1]
        Seeds the splits that shuffle and every `random_state` that is None.
    n_jobs : int >= 1, or -1 for all cores
        Threads over clips and processes over folds; the predictions do not depend on it.
    mode : {"only-missing", "overwrite", "read-only"}
        Compute what the store lacks; compute everything anew; compute nothing and fail if something is missing.
    auxiliary : ClipSet with labels, optional
        Clips that join every training set and no test set, with `domain` 1. No subject may occur in both sets. Steps of
        the pipeline that have a parameter `domain` get 1 for them.
    store : path or Store, optional
        Where folds are kept. None keeps nothing but cached features.
    params : mapping, optional
        Nested parameters to set on a registered method, `{"lbptop__blocks": (8, 8, 1)}`.

    Returns
    -------
    DataFrame, one row a test clip
        run_key, method, dataset, labels, protocol, seed, fold, clip_id, subject, y_true, y_pred, and per class
        `proba_<class>` or `score_<class>` (decision values) where the classifier gives them. Rows are in the
        order of the clips.

    Raises
    ------
    ParameterError
        If a name or value is not allowed.
    DataError
        If a clip cannot be read, or the protocol cannot split the clips.
    NeedsError
        If the method needs something that a clip lacks.
    ResultsError
        If folds failed (the run is then incomplete and has no predictions), or the store cannot be written.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> clips = make_clips(n_subjects=3, clips_per_subject=3)
    >>> list(run("majority", clips)["fold"].unique())
    ['synthetic/sub01', 'synthetic/sub02', 'synthetic/sub03']
    """
    check_settings(mode, seed, n_jobs)
    cache = feature_cache()
    name, estimator = _resolve(method, clipset, auxiliary, seed, params or {})
    protocol = protocol_of(protocol, [method]) if isinstance(method, str) else canonical_protocol(protocol)
    folds = make_folds(clipset, protocol, seed=seed)
    settings = _settings(name, estimator, clipset, protocol, seed, auxiliary)
    settings["shared_subjects"] = shares_subjects(folds, clipset.groups)
    key = digest({"schema": _SCHEMA, **settings})
    kept = None
    if store is not None:
        kept = (store if isinstance(store, Store) else Store(store)).find(key, name)
        if mode != "read-only":
            kept.open(settings)
        if mode == "overwrite":
            kept.clear()
        elif (complete := _complete(kept, clipset, folds)) is not None:
            return complete
    records = _stored(kept, clipset, folds)
    missing = [number for number, record in enumerate(records) if record is None]
    if missing and mode == "read-only":
        where = "" if kept is None else f" in {kept.folder}"
        raise ResultsError(f"{name}: {len(missing)} of {len(folds)} folds are missing{where}, and mode is 'read-only'")
    if missing:
        _compute(name, estimator, clipset, auxiliary, folds, records, missing, kept, cache, n_jobs)
    table = _table(records, folds, clipset, {**settings, "run_key": key})
    if kept is not None:
        kept.clear_checkpoints()
        kept.describe(settings)
        seconds = sum(record["seconds"] for record in records if record is not None)
        kept.describe({"provenance": provenance(), "fold_seconds": round(seconds, 3)}, replace=True)
        write_predictions(table, kept.predictions_path)
    return table


def check_settings(mode: str, seed: int, n_jobs: int) -> None:
    """Raise a ParameterError unless `run` takes these."""
    check_choice(mode, "mode", MODES)
    check_int(seed, "seed", minimum=0, maximum=_LARGEST_SEED)
    check_n_jobs(n_jobs)


def check_auxiliary(method: str, auxiliary: ClipSet | None) -> None:
    """Raise a NeedsError if a registered method cannot work with these auxiliary clips, or not without any."""
    record = get_method(method)
    if auxiliary is None:
        if record.auxiliary == "required":
            raise NeedsError(f"{method} learns from macro-expressions too: give it auxiliary clips (--auxiliary)")
    elif record.auxiliary != "ignored" and (reason := unmet_needs(record, auxiliary)):
        raise NeedsError(f"auxiliary clips: {reason}")


def _resolve(
    method: str | Any, clipset: ClipSet, auxiliary: ClipSet | None, seed: int, params: Mapping[str, Any]
) -> tuple[str, Any]:
    """Return the method's name and its seeded estimator, after checking that it can run on these clips."""
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


def _settings(
    name: str, estimator: Any, clipset: ClipSet, protocol: str, seed: int, auxiliary: ClipSet | None
) -> dict[str, Any]:
    """Return all that decides the predictions; the run key is its digest."""
    return {
        "method": name,
        "estimator": estimator_spec(estimator),
        "labels": clipset.labels,
        "classes": list(clipset.classes),
        "protocol": protocol,
        "seed": seed,
        "clips": clipset.digest(),
        "auxiliary": None if auxiliary is None else auxiliary.digest(),
    }


def _stored(kept: Run | None, clipset: ClipSet, folds: Sequence[Fold]) -> list[dict[str, Any] | None]:
    if kept is None:
        return [None] * len(folds)
    ids = clipset.table.index.to_numpy()
    return [kept.fold(number, fold.name, ids[fold.test]) for number, fold in enumerate(folds)]


def _complete(kept: Run, clipset: ClipSet, folds: Sequence[Fold]) -> pd.DataFrame | None:
    """Return the predictions of a complete run, or None."""
    if not kept.predictions_path.exists() or not kept.is_described:
        return None
    try:
        table = read_predictions(kept.predictions_path)
    except MicroexprError:
        # Damaged: the folds still tell, and the table is written again from them.
        return None
    tested = np.sort(np.concatenate([fold.test for fold in folds]))
    same = list(table["clip_id"]) == list(clipset.table.index[tested]) and set(table["run_key"]) == {kept.key}
    return table if same else None


def _compute(
    name: str,
    estimator: Any,
    clipset: ClipSet,
    auxiliary: ClipSet | None,
    folds: Sequence[Fold],
    records: list[dict[str, Any] | None],
    missing: Sequence[int],
    kept: Run | None,
    cache: ArrayCache,
    n_jobs: int,
) -> None:
    """Run the missing folds, filling `records` and the store.

    Raises
    ------
    ResultsError
        If a fold fails; the others are run and kept all the same.
    """
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
                records[number] = record
                if kept is not None:
                    kept.write_fold(number, fold.name, record)
            advance()
    if failed:
        raise ResultsError(f"{name}: {len(failed)} of {len(folds)} folds failed, so it has no score; {failed[0]}")


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


def _table(
    records: Sequence[dict[str, Any] | None], folds: Sequence[Fold], clipset: ClipSet, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """Join the folds' records with the clips' annotations, by clip_id."""
    parts = []
    for fold, record in zip(folds, records, strict=True):
        assert record is not None
        scores = _score_columns(record, clipset.classes)
        parts.append(
            pd.DataFrame({"clip_id": record["clip_ids"], "fold": fold.name, "y_pred": record["y_pred"], **scores})
        )
    joined = pd.concat(parts).set_index("clip_id")
    tested = clipset.table.loc[[clip_id for clip_id in clipset.table.index if clip_id in joined.index]]
    joined = joined.loc[tested.index]
    table = pd.DataFrame(
        {
            "run_key": settings["run_key"],
            "method": settings["method"],
            "dataset": tested["dataset"].to_numpy(),
            "labels": settings["labels"],
            "protocol": settings["protocol"],
            "seed": settings["seed"],
            "fold": joined["fold"].to_numpy(),
            "clip_id": tested.index.to_numpy(),
            "subject": tested["subject"].to_numpy(),
            "y_true": tested["label"].to_numpy(),
            "y_pred": joined["y_pred"].to_numpy(),
        }
    )
    columns = list(joined.columns.drop(["fold", "y_pred"]))
    return pd.concat([table, joined[columns].reset_index(drop=True)], axis=1)


def _score_columns(record: Mapping[str, Any], classes: Sequence[str]) -> dict[str, list[float]]:
    """Return a column for each class; one that no clip has ranks below all others."""
    kind, scores = record["score_kind"], record["scores"]
    if kind is None:
        return {}
    nothing = [0.0 if kind == "proba" else -np.inf] * len(record["y_pred"])
    return {f"{kind}_{label}": scores.get(label, nothing) for label in classes}
