"""What classifiers of classifiers share: fits, folds of subjects inside the training set, scores on one scale."""

from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold
from sklearn.utils.metadata_routing import get_routing_for_object

from microexpr.core.errors import DataError, ParameterError, join_names


def fit_inner(estimator: Any, X: Any, y: np.ndarray, **known: np.ndarray | None) -> Any:
    """Fit a copy of `estimator`; of what is known of the rows beside X and y it gets what its `fit` requests."""
    given = {name: values for name, values in known.items() if values is not None}
    with config_context(enable_metadata_routing=True):
        copy = clone(estimator)
        wanted = get_routing_for_object(copy).consumes("fit", given)
        return copy.fit(X, y, **{name: given[name] for name in wanted})


def check_groups(groups: object, n_rows: int, purpose: str) -> np.ndarray:
    """Return the subjects of the training rows, refusing that they are not given."""
    if groups is None:
        raise ParameterError(f"groups is None: {purpose} needs each training clip's subject, fit(X, y, groups=...)")
    subjects = np.asarray(groups)
    if subjects.shape != (n_rows,):
        raise ParameterError(f"groups has shape {subjects.shape}: it must hold one subject for each of {n_rows} clips")
    return subjects


def subject_folds(
    y: np.ndarray, groups: np.ndarray, n_splits: int, purpose: str
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split the training rows by subject so that every inner training set has every class.

    There are as many folds as the class with the fewest subjects allows, at most `n_splits`. Where stratified folds
    leave an inner training set without a class, each subject is a fold of its own: that always works.
    """
    n_subjects = {label: len(np.unique(groups[y == label])) for label in np.unique(y)}
    if alone := [label for label, count in n_subjects.items() if count < 2]:
        raise DataError(
            f"{purpose} needs clips of at least 2 training subjects for each class; "
            f"of {join_names(alone)} there are those of 1 only"
        )
    rows = np.zeros((len(y), 1))
    stratified = StratifiedGroupKFold(min(n_splits, *n_subjects.values()))
    folds = list(stratified.split(rows, y, groups))
    if all(len(np.unique(y[train])) == len(n_subjects) and len(test) for train, test in folds):
        return folds
    return list(LeaveOneGroupOut().split(rows, y, groups))


def class_scores(fitted: Any, X: Any, classes: np.ndarray) -> np.ndarray:
    """Return scores that sum to 1 in each row, one column for each of `classes`, 0 for one that `fitted` lacks."""
    if hasattr(fitted, "predict_proba"):
        own = np.asarray(fitted.predict_proba(X), dtype=np.float64)
    else:
        values = np.asarray(fitted.decision_function(X), dtype=np.float64)
        if values.ndim == 1:
            positive = expit(values)
            own = np.column_stack([1.0 - positive, positive])
        else:
            own = softmax(values, axis=1)
    scores = np.zeros((len(own), len(classes)))
    scores[:, np.searchsorted(classes, fitted.classes_)] = own
    return scores
