"""One fold: fit on the training clips, predict the test clips, in whatever process it runs."""

__all__ = ["FoldTask", "run_fold", "seeded"]

import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from threadpoolctl import threadpool_limits

from microexpr.classifiers._inner import refuse_one_against_one
from microexpr.core.errors import MicroexprError, one_line
from microexpr.core.resume import resumable


@dataclass(frozen=True, eq=False)
class FoldTask:
    """All that a fold may know: the test clips come without labels.

    Parameters
    ----------
    train_X, test_X : ndarray or list of Clip
    train_y : str ndarray of shape (n_train,)
    groups : str ndarray of shape (n_train,)
        The training clips' subjects, for tuning and early stopping inside the fold.
    domain : int ndarray of shape (n_train,)
        0 for the data set's own clips, 1 for auxiliary ones.
    checkpoints : path or None
        Where a long fit may keep its state, so that a killed one goes on.
    """

    train_X: Any
    train_y: np.ndarray
    test_X: Any
    groups: np.ndarray
    domain: np.ndarray
    checkpoints: Path | None = None


def seeded(estimator: Any, seed: int) -> Any:
    """Return a copy of an estimator, every `random_state` that is None set to `seed`, nested ones too."""
    copy = clone(estimator)
    open_states = {
        key: seed
        for key, value in copy.get_params(deep=True).items()
        if value is None and (key == "random_state" or key.endswith("__random_state"))
    }
    return copy.set_params(**open_states) if open_states else copy


def run_fold(estimator: Any, task: FoldTask) -> dict[str, Any]:
    """Fit a copy of `estimator` and predict.

    Parameters
    ----------
    estimator : seeded, unfitted estimator; is not changed
    task : FoldTask

    Returns
    -------
    dict
        `y_pred` (list of str), `scores` (per class, a list of floats), `score_kind` ("proba", "score" or None)
        and `seconds`; of a network also `curves`, its losses by epoch, and `attention`, where it looked in each test
        clip, if it can tell; or, where the estimator raised, `error` (one line) and `traceback`.
    """
    start = time.perf_counter()
    try:
        # One thread a fold: the parallelism is over folds, and sums in one order give the same numbers everywhere.
        with threadpool_limits(1), config_context(enable_metadata_routing=True), resumable(task.checkpoints):
            fitted = clone(estimator)
            refuse_one_against_one(fitted)
            known = {"groups": task.groups, "domain": task.domain}
            wanted = get_routing_for_object(fitted).consumes("fit", known)
            fitted.fit(task.train_X, task.train_y, **{name: known[name] for name in wanted})
            record = _predict(fitted, task.test_X) | _looked_inside(fitted, task.test_X)
    # The estimator is the user's code: whatever it raises is recorded, and the other folds go on.
    except Exception as error:  # noqa: BLE001
        return {"error": one_line(error), "traceback": traceback.format_exc()}
    return {**record, "seconds": round(time.perf_counter() - start, 4)}


def _looked_inside(fitted: Any, test_X: Any) -> dict[str, Any]:
    """Return the training curves of a network that ends a pipeline, and its attention to each test clip."""
    *before, network = [step for _, step in fitted.steps] if isinstance(fitted, Pipeline) else [fitted]
    if not hasattr(network, "fit_epochs") or any(not hasattr(step, "transform") for step in before):
        return {}
    record: dict[str, Any] = {
        "curves": {name: [_rounded(loss) for loss in losses] for name, losses in network.history_.items()}
    }
    if hasattr(network, "attention"):
        for step in before:
            test_X = step.transform(test_X)
        # One without feature maps, or without memory enough for their gradients, has predictions worth keeping.
        with suppress(MicroexprError):
            record["attention"] = np.round(np.asarray(network.attention(test_X), float), 3).tolist()
    return record


def _rounded(number: float) -> float:
    return float(f"{number:.5g}")


def _predict(fitted: Any, test_X: Any) -> dict[str, Any]:
    predicted = [str(label) for label in fitted.predict(test_X)]
    if hasattr(fitted, "predict_proba"):
        kind, values = "proba", np.asarray(fitted.predict_proba(test_X), float)
    elif hasattr(fitted, "decision_function"):
        kind, values = "score", np.asarray(fitted.decision_function(test_X), float)
        if values.ndim == 1:
            values = np.column_stack([-values, values])
    else:
        return {"y_pred": predicted, "scores": {}, "score_kind": None}
    classes = [str(label) for label in fitted.classes_]
    if values.shape != (len(predicted), len(classes)) or not np.isfinite(values).all():
        raise ValueError(
            f"{kind} of shape {values.shape} for {len(predicted)} clips of {len(classes)} classes, or not finite"
        )
    return {"y_pred": predicted, "scores": dict(zip(classes, values.T.tolist(), strict=True)), "score_kind": kind}
