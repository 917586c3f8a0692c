"""What classifiers of classifiers share: fits, folds of subjects inside the training set, scores on one scale."""

from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn import config_context
from sklearn.base import clone, is_classifier
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
    return check_beside(groups, "groups", n_rows)


def check_domain(domain: object, n_rows: int) -> np.ndarray | None:
    """Return what the training rows are, 0 for the data set's own and 1 for auxiliary ones; None stays None."""
    if domain is None:
        return None
    values = check_beside(domain, "domain", n_rows)
    if odd := sorted(set(values.tolist()) - {0, 1}, key=str):
        raise DataError(f"domain holds {odd[0]!r}: it must hold 0 for own clips and 1 for auxiliary ones")
    return values


def check_beside(values: object, name: str, n_rows: int) -> np.ndarray:
    """Return what is known of the rows beside X as an array, refusing that it is not one value for each row."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError(f"{name} is no array: it must hold one value for each of {n_rows} clips") from None
    if array.shape != (n_rows,):
        raise DataError(f"{name} has shape {array.shape}: it must hold one value for each of {n_rows} clips")
    return array


def check_classifier(estimator: Any, name: str, *, scores: bool = True) -> None:
    """Refuse what is no classifier, or, with `scores`, one without scores of its classes."""
    scored = not scores or hasattr(estimator, "predict_proba") or hasattr(estimator, "decision_function")
    if isinstance(estimator, type) or not is_classifier(estimator) or not scored:
        rule = "a classifier with predict_proba or decision_function" if scores else "a classifier"
        raise ParameterError(f"{name} must be {rule}")
    if scores:
        refuse_one_against_one(estimator)


def inner_has(method: str) -> Any:
    """Return a condition for `available_if`: the classifier inside, fitted or not yet, has `method`."""

    def check(self: Any) -> bool:
        # An AttributeError of the classifier inside says more than False would.
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check


def subject_folds(
    y: np.ndarray, groups: np.ndarray, n_splits: int, purpose: str, domain: np.ndarray | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split the training rows by subject so that every inner training set has every class.

    There are as many folds as the class with the fewest subjects allows, at most `n_splits`. Where stratified folds
    leave an inner training set without a class, each subject is a fold of its own: that always works.

    Auxiliary rows (`domain` 1) are in every inner training set and in no test half, and their subjects do not count.
    """
    own = np.arange(len(y)) if domain is None else np.flatnonzero(domain == 0)
    if shared := np.intersect1d(groups[own], np.delete(groups, own)).tolist():
        raise DataError(f"subjects have both own and auxiliary clips: {join_names(shared)}")
    own_y, own_groups = y[own], groups[own]
    n_subjects = {label: len(np.unique(own_groups[own_y == label])) for label in np.unique(y)}
    if few := [label for label, count in n_subjects.items() if count < 2]:
        counted = "" if len(own) == len(y) else ", auxiliary clips not counted"
        raise DataError(
            f"{purpose} needs clips of at least 2 training subjects for each class; "
            f"of {join_names(few)} there are those of fewer{counted}"
        )
    rows = np.zeros((len(own), 1))
    stratified = StratifiedGroupKFold(min(n_splits, *n_subjects.values()))
    folds = list(stratified.split(rows, own_y, own_groups))
    if not all(len(np.unique(own_y[train])) == len(n_subjects) and len(test) for train, test in folds):
        folds = list(LeaveOneGroupOut().split(rows, own_y, own_groups))
    return [(np.delete(np.arange(len(y)), own[test]), own[test]) for _, test in folds]


def refuse_one_against_one(estimator: Any) -> None:
    """Refuse an SVM, also one inside `estimator`, that scores pairs of classes: of 3 classes there are 3 pairs."""
    for key, value in estimator.get_params(deep=True).items():
        if key.endswith("decision_function_shape") and value == "ovo":
            raise ParameterError(
                f"{key} is 'ovo': it must be 'ovr', as scores of pairs of classes would be taken for scores of classes"
            )


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
