"""Checks of what classifiers of arrays are fitted on and asked about."""

from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from microexpr.core.errors import DataError


def check_training(estimator: Any, X: object, y: object) -> tuple[np.ndarray, np.ndarray]:
    """Return X as float64 (n_samples, n_features) and y of class labels (n_samples,), or raise a DataError."""
    try:
        values, labels = validate_data(estimator, X, y, dtype=np.float64)
        check_classification_targets(labels)
    except ValueError as error:
        raise DataError(" ".join(str(error).split())) from error
    return values, labels


def check_classes(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted classes of y and each sample's index into them, or raise a DataError if there is one class."""
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise DataError(f"y has 1 class, {classes[0]!r}: there must be at least 2 classes")
    return classes, codes


def check_asked(estimator: Any, X: object) -> np.ndarray:
    """Return X as float64 (n_samples, n_features) with the features of the fit, or raise a DataError."""
    check_is_fitted(estimator)
    try:
        return validate_data(estimator, X, dtype=np.float64, reset=False)
    except ValueError as error:
        # scikit-learn's contract fixes these messages, line breaks included.
        raise DataError(str(error)) from error
