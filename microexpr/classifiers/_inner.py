"""What classifiers of classifiers share: fits, folds of subjects inside the training set, scores on one scale."""

from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.utils.metadata_routing import get_routing_for_object

from microexpr.core.errors import ParameterError


def fit_inner(estimator: Any, X: Any, y: np.ndarray, **known: np.ndarray | None) -> Any:
    """Fit a copy of `estimator`; of what is known of the rows beside X and y it gets what its `fit` requests."""
    given = {name: values for name, values in known.items() if values is not None}
    with config_context(enable_metadata_routing=True):
        copy = clone(estimator)
        wanted = get_routing_for_object(copy).consumes("fit", given)
        return copy.fit(X, y, **{name: given[name] for name in wanted})


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
