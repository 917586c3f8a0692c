"""Probabilities from decision values, calibrated on left-out subjects of the training set."""

__all__ = ["SubjectCalibrated"]

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _num_samples, check_is_fitted, column_or_1d

from microexpr.classifiers._inner import check_classifier, fit_inner
from microexpr.core.checks import check_int
from microexpr.core.errors import DataError
from microexpr.core.training import check_classes, check_domain, check_groups, subject_folds

_PURPOSE = "calibration inside the training subjects"


class SubjectCalibrated(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """Give a classifier probabilities by Platt scaling on subjects that its inner fits did not see.

    1. The training subjects are dealt to folds. 2. Each fold's clips are scored by a copy of the classifier that is
    fitted on the other folds. 3. On all these scores together, one sigmoid 1 / (1 + exp(a score + b)) a class is
    fitted, one class against the rest [1]_. 4. The classifier is fitted on all training clips; its scores go through
    the sigmoids, and each row is divided by its sum.

    Parameters
    ----------
    estimator : classifier with `decision_function` or `predict_proba`
        The first of the two that it has is calibrated. Not an SVM with `decision_function_shape="ovo"`, whose scores
        are of pairs of classes.
    n_splits : int >= 2
        The most folds. There are fewer where a class has clips of fewer subjects than that, so that every inner fit
        sees every class.

    Attributes
    ----------
    estimator_ : the classifier fitted on all training clips
    calibrated_ : sklearn.calibration.CalibratedClassifierCV
        The sigmoids, from scores of `estimator_` to probabilities.
    folds_ : list of (train, test), integer ndarrays
        Positions of the training clips in each inner fold; auxiliary clips are in every `train` and in no `test`.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
        Where the classifier inside has it.

    Notes
    -----
    `fit` takes the subjects as `groups` and requests them by metadata routing, so that the harness gives them; without
    them it raises a ParameterError. What the classifier inside requests (`groups`, `domain`) is passed on to it.

    Auxiliary clips (`domain` 1, such as macro-expressions that join training) are in every inner training set, but
    the sigmoids are fitted on scores of the data set's own clips alone: of the others nobody asks for probabilities.

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
        check_classifier(self.estimator, "estimator")
        check_int(self.n_splits, "n_splits", minimum=2)

    def fit(self, X: Any, y: object, groups: object = None, domain: object = None) -> Self:
        """Calibrate inside the training subjects, then learn from all training clips.

        Parameters
        ----------
        X : array of shape (n_clips, ...), or whatever `estimator` takes
        y : array of shape (n_clips,)
        groups : array of shape (n_clips,)
            The subject of each clip.
        domain : int array of shape (n_clips,), optional
            0 for the data set's own clips, 1 for auxiliary ones; all are own if it is not given.

        Raises
        ------
        ParameterError
            If a parameter is not allowed or `groups` is missing.
        DataError
            If X, y, `groups` and `domain` are not of one length, X is an array with NaN or infinity that `estimator`
            does not take, y is no column of classes or has one class, `domain` holds other than 0 and 1, a subject has
            both own and auxiliary clips, or a class has own clips of fewer than two subjects.
        """
        self.check_params()
        labels = _check_labels(y)
        _check_rows(self.estimator, X, len(labels))
        classes, _ = check_classes(labels)
        subjects = check_groups(groups, len(labels), _PURPOSE)
        known = {"groups": subjects, "domain": check_domain(domain, len(labels))}
        self.folds_ = subject_folds(labels, subjects, self.n_splits, _PURPOSE, known["domain"])
        scores = np.empty(len(labels) if len(classes) == 2 else (len(labels), len(classes)))
        for train, test in self.folds_:
            train_X, train_y = _safe_split(self.estimator, X, labels, train)
            test_X, _ = _safe_split(self.estimator, X, labels, test, train)
            inner_known = {name: None if values is None else values[train] for name, values in known.items()}
            scores[test] = _raw_scores(fit_inner(self.estimator, train_X, train_y, **inner_known), test_X)
        self.estimator_ = fit_inner(self.estimator, X, labels, **known)
        scored = np.sort(np.concatenate([test for _, test in self.folds_]))
        # One fold of all rows: the scores come from left-out subjects already.
        everything = [(np.arange(len(scored)), np.arange(len(scored)))]
        sigmoids = CalibratedClassifierCV(_GivenScores(), method="sigmoid", cv=everything, ensemble=False)
        self.calibrated_ = sigmoids.fit(scores[scored], labels[scored])
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities, float64 of shape (n_clips, n_classes), each row of sum 1."""
        check_is_fitted(self)
        return np.asarray(self.calibrated_.predict_proba(_raw_scores(self.estimator_, X)), dtype=np.float64)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each clip."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    @property
    def classes_(self) -> np.ndarray:
        """The classes of the training set, sorted."""
        return np.asarray(self.calibrated_.classes_)

    @property
    def n_features_in_(self) -> int:
        """The number of features that the classifier inside was fitted with."""
        return int(self.estimator_.n_features_in_)


class _GivenScores(ClassifierMixin, BaseEstimator):
    """Its decision values are the rows it is given, so that scikit-learn calibrates them."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        return X

    def predict(self, X: np.ndarray) -> np.ndarray:
        # scikit-learn asks that it is there and does not call it.
        best = X.argmax(axis=1) if X.ndim == 2 else (X > 0).astype(int)
        return np.asarray(self.classes_[best])


def _raw_scores(fitted: Any, X: Any) -> np.ndarray:
    """Return decision values or else probabilities, (n_clips, n_classes), of two classes the second's, (n_clips,)."""
    if hasattr(fitted, "decision_function"):
        return np.asarray(fitted.decision_function(X), dtype=np.float64)
    shares = np.asarray(fitted.predict_proba(X), dtype=np.float64)
    return shares[:, 1] if shares.shape[1] == 2 else shares


def _check_labels(y: object) -> np.ndarray:
    try:
        labels = column_or_1d(y)
        check_classification_targets(labels)
    except ValueError as error:
        raise DataError(" ".join(str(error).split())) from error
    return np.asarray(labels)


def _check_rows(estimator: Any, X: Any, n_labels: int) -> None:
    if _num_samples(X) != n_labels:
        raise DataError(f"X has {_num_samples(X)} clips and y {n_labels} labels; they must be as many")
    numbers = isinstance(X, np.ndarray) and X.dtype.kind == "f"
    if numbers and not get_tags(estimator).input_tags.allow_nan and not np.isfinite(X).all():
        raise DataError("X holds NaN or infinity")
