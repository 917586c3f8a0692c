"""Probabilities from decision values, calibrated on left-out subjects of the training set."""

__all__ = ["SubjectCalibrated"]

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from microexpr.classifiers._inner import check_groups, fit_inner, subject_folds
from microexpr.core.checks import check_int


class SubjectCalibrated(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """Give a classifier probabilities by Platt scaling on subjects that its inner fits did not see.

    1. The training subjects are dealt to folds. 2. Each fold's clips are scored by a copy of the classifier that is
    fitted on the other folds. 3. On all these scores together, one sigmoid 1 / (1 + exp(a score + b)) a class is
    fitted, one class against the rest [1]_. 4. The classifier is fitted on all training clips; its scores go through
    the sigmoids, and each row is divided by its sum.

    Parameters
    ----------
    estimator : classifier with `decision_function` or `predict_proba`
    n_splits : int >= 2
        The most folds. There are fewer where a class has clips of fewer subjects than that, so that every inner fit
        sees every class.

    Attributes
    ----------
    calibrated_ : sklearn.calibration.CalibratedClassifierCV
    folds_ : list of (train, test), integer ndarrays
        Positions of the training clips in each inner fold.
    classes_ : ndarray of shape (n_classes,)

    Notes
    -----
    `fit` takes the subjects as `groups` and requests them by metadata routing, so that the harness gives them; without
    them it raises a ParameterError. What the classifier inside requests (`groups`, `domain`) is passed on to it.

    `predict` gives the most probable class, which can differ from what the classifier alone predicts. The decision
    values of an SVM for more than two classes are numbers of won votes with a small remainder, so that probabilities
    made of them come in steps.

    Scores and sigmoids are scikit-learn's, and so are the smoothed targets of [1]_. Folds of subjects, how many, and
    the pooling of their scores (which come from inner fits on fewer subjects than the last one's) are our choice:
    folds of clips would calibrate on faces that the inner fits know.

    References
    ----------
    .. [1] J. C. Platt, "Probabilistic outputs for support vector machines", in Advances in Large Margin Classifiers,
       2000.

    Examples
    --------
    >>> import numpy as np
    >>> from microexpr.classifiers.svm import linear_svm
    >>> rng = np.random.default_rng(0)
    >>> labels, subjects = np.tile(["negative", "positive"], 20), np.repeat(["s1", "s2", "s3", "s4"], 10)
    >>> features = rng.normal(size=(40, 3)) + (labels == "positive")[:, None]
    >>> shares = SubjectCalibrated(linear_svm()).fit(features, labels, groups=subjects).predict_proba(features)
    >>> np.allclose(shares.sum(axis=1), 1)
    True
    """

    version = 1
    __metadata_request__fit: ClassVar = {"groups": True, "domain": True}

    def __init__(self, estimator: Any, n_splits: int = 5) -> None:
        self.estimator = estimator
        self.n_splits = n_splits

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        check_int(self.n_splits, "n_splits", minimum=2)

    def fit(self, X: Any, y: object, groups: object = None, domain: np.ndarray | None = None) -> Self:
        """Calibrate inside the training subjects, then learn from all training clips.

        Parameters
        ----------
        X : array of shape (n_clips, ...), or whatever `estimator` takes
        y : array of shape (n_clips,)
        groups : array of shape (n_clips,)
            The subject of each clip.
        domain : int array of shape (n_clips,), optional
            Passed on to an estimator that requests it.

        Raises
        ------
        ParameterError
            If `n_splits` is not allowed or `groups` is missing.
        DataError
            If a class has clips of one subject only.
        """
        self.check_params()
        labels = column_or_1d(y)
        check_classification_targets(labels)
        subjects = check_groups(groups, len(labels), "calibration inside the training subjects")
        self.folds_ = subject_folds(labels, subjects, self.n_splits, "calibration inside the training subjects")
        pooled = CalibratedClassifierCV(self.estimator, method="sigmoid", cv=self.folds_, ensemble=False)
        self.calibrated_ = fit_inner(pooled, X, labels, groups=subjects, domain=domain)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities, float64 of shape (n_clips, n_classes), each row of sum 1."""
        check_is_fitted(self)
        return np.asarray(self.calibrated_.predict_proba(X), dtype=np.float64)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each clip."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    @property
    def classes_(self) -> np.ndarray:
        """The classes of the training set, sorted."""
        return np.asarray(self.calibrated_.classes_)
