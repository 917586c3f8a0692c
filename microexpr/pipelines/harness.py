"""The harness: one method on one set of clips under one protocol, each clip predicted by a model that never saw it."""

__all__ = ["MODES", "check_settings", "run"]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.cache import feature_cache
from microexpr.core.checks import check_choice, check_int
from microexpr.core.clipset import ClipSet
from microexpr.core.digest import digest
from microexpr.core.errors import MicroexprError, ResultsError
from microexpr.pipelines.foldruns import resolve_method, run_missing, run_settings, stored_records
from microexpr.pipelines.parallel import check_n_jobs
from microexpr.pipelines.predictions import read_predictions, write_predictions
from microexpr.pipelines.provenance import provenance
from microexpr.pipelines.registry import protocol_of
from microexpr.pipelines.results import Run, Store
from microexpr.pipelines.splits import Fold, canonical_protocol, make_folds

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
    name, estimator = resolve_method(method, clipset, auxiliary=auxiliary, seed=seed, params=params or {})
    protocol = protocol_of(protocol, [method]) if isinstance(method, str) else canonical_protocol(protocol)
    folds = make_folds(clipset, protocol, seed=seed)
    settings = run_settings(name, estimator, clipset, folds, protocol=protocol, seed=seed, auxiliary=auxiliary)
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
    stored = stored_records(kept, clipset, folds)
    n_missing = stored.count(None)
    if n_missing and mode == "read-only":
        where = "" if kept is None else f" in {kept.folder}"
        raise ResultsError(f"{name}: {n_missing} of {len(folds)} folds are missing{where}, and mode is 'read-only'")
    records = run_missing(
        name, estimator, clipset, folds, stored, auxiliary=auxiliary, kept=kept, cache=cache, n_jobs=n_jobs
    )
    table = _table(records, folds, clipset, {**settings, "run_key": key})
    if kept is not None:
        kept.clear_checkpoints()
        kept.describe(settings)
        seconds = sum(record["seconds"] for record in records)
        devices = sorted({record["computed_on"] for record in records if record.get("computed_on")})
        facts = {"provenance": provenance(), "fold_seconds": round(seconds, 3), "computed_on": devices}
        kept.describe(facts, replace=True)
        write_predictions(table, kept.predictions_path)
    return table


def check_settings(mode: str, seed: int, n_jobs: int) -> None:
    """Raise a ParameterError unless `run` takes these."""
    check_choice(mode, "mode", MODES)
    check_int(seed, "seed", minimum=0, maximum=_LARGEST_SEED)
    check_n_jobs(n_jobs)


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


def _table(
    records: Sequence[Mapping[str, Any]], folds: Sequence[Fold], clipset: ClipSet, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """Join the folds' records with the clips' annotations, by clip_id."""
    parts = []
    for fold, record in zip(folds, records, strict=True):
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
