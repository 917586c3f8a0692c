"""Checks of what classifiers and selectors of arrays are fitted on and asked about."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from microexpr.core.errors import DataError


def check_training(estimator: Any, X: object, y: object, *, min_samples: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return X as float64 (n_samples, n_features) and y of class labels (n_samples,), or raise a DataError."""
    with refuse_data():
        values, labels = validate_data(estimator, X, y, dtype=np.float64, ensure_min_samples=min_samples)
        check_classification_targets(labels)
    return values, labels


def check_unlabelled(estimator: Any, X: object, *, min_samples: int = 1) -> np.ndarray:
    """Return X to be fitted on as float64 (n_samples, n_features), or raise a DataError."""
    with refuse_data():
        values: np.ndarray = validate_data(estimator, X, dtype=np.float64, ensure_min_samples=min_samples)
    return values


def check_asked(estimator: Any, X: object) -> np.ndarray:
    """Return X as float64 (n_samples, n_features) with the features of the fit, or raise a DataError."""
    check_is_fitted(estimator)
    with refuse_data():
        values: np.ndarray = validate_data(estimator, X, dtype=np.float64, reset=False)
    return values


@contextmanager
def refuse_data() -> Iterator[None]:
    """Turn what scikit-learn's checks of data raise into a DataError of one line."""
    try:
        yield
    except ValueError as error:
        message = str(error)
        # scikit-learn's contract fixes these messages, line breaks included: they list the columns that differ.
        if not message.startswith("The feature names should match"):
            message = " ".join(message.split())
        raise DataError(message) from error
