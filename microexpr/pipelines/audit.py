"""The audit of a network: how much too high its figures are where the test clips choose the epoch."""

__all__ = ["Audit", "EveryEpoch", "audit"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object

from microexpr.core.atomic import write_atomic
from microexpr.core.cache import feature_cache
from microexpr.core.clipset import ClipSet
from microexpr.core.digest import digest
from microexpr.core.errors import ParameterError
from microexpr.core.resume import resumable
from microexpr.pipelines.foldruns import resolve_method, run_missing, run_settings, stored_records
from microexpr.pipelines.harness import check_settings
from microexpr.pipelines.metrics import METRICS, scores
from microexpr.pipelines.prefix import split_prefix
from microexpr.pipelines.provenance import provenance
from microexpr.pipelines.registry import protocol_of
from microexpr.pipelines.results import Run, Store
from microexpr.pipelines.splits import Fold, canonical_protocol, make_folds
from microexpr.pipelines.usable import usable_clips

# Raised when folds kept by an older audit can no longer be read.
_SCHEMA = 1


@dataclass(frozen=True)
class Audit:
    """What an audit gave.

    Parameters
    ----------
    method : str
    table : DataFrame, one row a test clip
        clip_id, subject, y_true; `honest`, predicted by the last epoch; `leaked`, predicted by the epoch of its fold
        with the most test clips right; and `leaked_epoch`, which that was, counted from 1. In the order of the clips.
    curve : Series of float, indexed by epoch from 1
        Pooled UF1 had every fold stopped there; a fold that ended earlier stays at its last epoch.
    n_folds, n_earlier : int
        Folds, and those among them whose best epoch is not the last.
    classes : tuple of str
    labels, protocol : str
    seed : int
    shared_subjects : bool
        Whether the protocol lets a subject's clips into training and test of one fold.
    folder : Path or None
        Where `audit.csv` and `curve.csv` lie.
    """

    method: str
    table: pd.DataFrame
    curve: pd.Series
    n_folds: int
    n_earlier: int
    classes: tuple[str, ...]
    labels: str
    protocol: str
    seed: int
    shared_subjects: bool
    folder: Path | None = None

    def figures(self) -> pd.DataFrame:
        """Return the pooled figures, and by how much the leaked ones are higher.

        Returns
        -------
        DataFrame of float, indexed by "honest", "leaked", "inflation"
            Columns UF1, UAR, accuracy.
        """
        rows = {kind: _pooled(self.table, self.table[kind], self.classes) for kind in ("honest", "leaked")}
        table = pd.DataFrame.from_dict(rows, orient="index")
        table.loc["inflation"] = table.loc["leaked"] - table.loc["honest"]
        return table


def audit(
    method: str | Any,
    clipset: ClipSet,
    *,
    protocol: str = "loso",
    seed: int = 0,
    n_jobs: int = 1,
    auxiliary: ClipSet | None = None,
    out: str | Path | Store | None = None,
    params: Mapping[str, Any] | None = None,
    allow_incomplete: bool = False,
) -> Audit:
    """Train each fold once, and compare its last epoch with the one that its test clips would have chosen.

    1. Features, folds, seeds and training are those of `microexpr.pipelines.run`; the honest predictions equal its own.
    2. After each epoch the test clips are predicted. Their labels stay outside: the training has ended everywhere
       before they are looked at.
    3. Per fold, the first of the epochs with the most test clips right gives the leaked predictions, which is what
       programs report that keep the best epoch on the left-out subject.

    Parameters
    ----------
    method : str or scikit-learn classifier
        Its last step has `fit_epochs`, a generator that yields it after each epoch, ready to predict.
    clipset, protocol, seed, n_jobs, auxiliary, params
        See `microexpr.pipelines.run`.
    out : path or Store, optional
        A results folder. Folds are kept in its `audit-<method>-<key>`, apart from the runs, so that a killed audit
        goes on and no comparison reads it. None keeps nothing but cached features.
    allow_incomplete : bool
        Whether to go on without the clips that lack what a registered method needs.

    Returns
    -------
    Audit

    Raises
    ------
    ParameterError
        If a name or value is not allowed, or the method is not trained in epochs.
    DataError
        If a clip cannot be read, or the protocol cannot split the clips.
    NeedsError
        If the method needs something that a clip lacks.
    ResultsError
        If folds failed, or the folder cannot be written.

    Notes
    -----
    A fold is the unit that is kept: unlike a run's, a fold begun anew starts at its first epoch, since the predictions
    of all of them are needed.

    With early stopping (`patience`) the last epoch's predictions are those of the weights that it took.
    """
    check_settings("only-missing", seed, n_jobs)
    cache = feature_cache()
    if isinstance(method, str):
        clipset = usable_clips(method, clipset, allow_incomplete=allow_incomplete)
    name, estimator = resolve_method(method, clipset, auxiliary=auxiliary, seed=seed, params=params or {})
    audited = _audited(name, estimator)
    protocol = protocol_of(protocol, [method]) if isinstance(method, str) else canonical_protocol(protocol)
    folds = make_folds(clipset, protocol, seed=seed)
    settings = run_settings(name, estimator, clipset, folds, protocol=protocol, seed=seed, auxiliary=auxiliary)
    kept = None if out is None else _folder(out, digest({"audit": _SCHEMA, **settings}), name)
    if kept is not None:
        kept.open(settings)
    stored = stored_records(kept, clipset, folds)
    records = run_missing(
        name, audited, clipset, folds, stored, auxiliary=auxiliary, kept=kept, cache=cache, n_jobs=n_jobs
    )
    answers = [_by_epoch(record) for record in records]
    table, curve, n_earlier = _judged(answers, folds, clipset)
    if kept is not None:
        if None in stored or not kept.is_described:
            kept.describe({"provenance": provenance()}, replace=True)
        _write(table, kept.folder / "audit.csv")
        _write(curve.reset_index(), kept.folder / "curve.csv")
    return Audit(
        name,
        table,
        curve,
        len(folds),
        n_earlier,
        clipset.classes,
        clipset.labels,
        protocol,
        seed,
        settings["shared_subjects"],
        None if kept is None else kept.folder,
    )


class EveryEpoch(ClassifierMixin, BaseEstimator):
    """A learner whose `predict` gives what it would have predicted after each epoch, one epoch after the other.

    The harness shows test clips to `predict` alone, and their labels to nobody. So `fit` keeps the training clips, and
    `predict` trains on them.

    Parameters
    ----------
    learner : estimator with `fit_epochs`, or a Pipeline that ends in one
    """

    __metadata_request__fit: ClassVar = {"groups": True, "domain": True}

    def __init__(self, learner: Any) -> None:
        self.learner = learner

    def fit(self, X: Any, y: np.ndarray, groups: np.ndarray, domain: np.ndarray) -> Self:
        """Keep what there is to learn from; see `microexpr.pipelines.folds.FoldTask`."""
        self.classes_ = np.unique(y)
        self.training_ = (X, y, {"groups": groups, "domain": domain})
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Train, and return the classes of all clips after epoch 1, then of all after epoch 2, and so on."""
        train_X, y, known = self.training_
        steps = clone(self.learner).steps if isinstance(self.learner, Pipeline) else [("", clone(self.learner))]
        *before, (_, network) = steps
        if before:
            first = Pipeline(before)
            train_X = first.fit_transform(train_X, y, **_requested(first, "fit_transform", known))
            X = first.transform(X)
        # A training taken up from a checkpoint would not show its first epochs.
        with resumable(None):
            epochs = network.fit_epochs(train_X, y, **_requested(network, "fit", known))
            return np.concatenate([np.asarray(trained.predict(X)) for trained in epochs])


def _requested(estimator: Any, method: str, known: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what a method of the estimator requests of what is known of the rows beside X and y."""
    return {name: known[name] for name in get_routing_for_object(estimator).consumes(method, known)}


def _audited(name: str, estimator: Any) -> Any:
    """Return the estimator with `EveryEpoch` in place of all that learns."""
    prefix, learner = split_prefix(estimator)
    last = learner.steps[-1][1] if isinstance(learner, Pipeline) else learner
    if not hasattr(last, "fit_epochs"):
        raise ParameterError(
            f"method {name!r} cannot be audited: its {type(last).__name__} is not trained in epochs (no fit_epochs)"
        )
    return EveryEpoch(learner) if prefix is None else Pipeline([*prefix.steps, ("learner", EveryEpoch(learner))])


def _folder(out: str | Path | Store, key: str, name: str) -> Run:
    """Return where the audit is kept: beside the store's runs, not among them."""
    store = out if isinstance(out, Store) else Store(out)
    return Run(store.folder / store.find(key, f"audit-{name}").folder.name, key)


def _by_epoch(record: Mapping[str, Any]) -> np.ndarray:
    """Return a fold's predictions, (n_epochs, n_clips)."""
    return np.array(record["y_pred"], object).reshape(-1, len(record["clip_ids"]))


def _judged(
    answers: Sequence[np.ndarray], folds: Sequence[Fold], clipset: ClipSet
) -> tuple[pd.DataFrame, pd.Series, int]:
    """Return the table of clips, the curve, and in how many folds the best epoch is not the last."""
    labels = clipset.y
    n_epochs = max(len(epochs) for epochs in answers)
    by_epoch = np.empty((n_epochs, len(labels)), object)
    leaked, leaked_epoch = np.empty(len(labels), object), np.zeros(len(labels), int)
    n_earlier = 0
    for epochs, fold in zip(answers, folds, strict=True):
        by_epoch[:, fold.test] = epochs[np.minimum(np.arange(n_epochs), len(epochs) - 1)]
        best = int((epochs == labels[fold.test]).sum(axis=1).argmax())
        leaked[fold.test], leaked_epoch[fold.test] = epochs[best], best + 1
        n_earlier += best + 1 < len(epochs)
    tested = np.sort(np.concatenate([fold.test for fold in folds]))
    table = pd.DataFrame(
        {
            "clip_id": clipset.table.index[tested].to_numpy(),
            "subject": clipset.groups[tested],
            "y_true": labels[tested],
            "honest": by_epoch[-1, tested],
            "leaked": leaked[tested],
            "leaked_epoch": leaked_epoch[tested],
        }
    )
    pooled = [_pooled(table, row, clipset.classes)["UF1"] for row in by_epoch[:, tested]]
    return table, pd.Series(pooled, pd.RangeIndex(1, n_epochs + 1, name="epoch"), name="UF1"), n_earlier


def _pooled(table: pd.DataFrame, predicted: Any, classes: Sequence[str]) -> dict[str, float]:
    # Of data sets nothing is asked here; a table that is scored names one.
    pooled = scores(table.assign(dataset="all", y_pred=predicted), classes)
    return {metric: pooled[metric] for metric in METRICS}  # type: ignore[literal-required]


def _write(table: pd.DataFrame, path: Path) -> None:
    write_atomic(path, table.to_csv(index=False, lineterminator="\n").encode())
