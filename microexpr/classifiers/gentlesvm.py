"""GentleSVM: GentleBoost picks the features, a linear support vector machine decides on them."""

__all__ = ["GentleSVM"]

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from microexpr.classifiers._arrays import check_asked, check_training
from microexpr.classifiers.gentleboost import GentleBoostClassifier
from microexpr.classifiers.svm import check_svm_params
from microexpr.core.checks import check_int
from microexpr.core.errors import ParameterError


class GentleSVM(ClassifierMixin, BaseEstimator):
    """Linear SVM on the features that GentleBoost's stumps use.

    1. `GentleBoostClassifier` is fitted, each class against the rest, with ties grouped. 2. The features of its stumps,
       of all classes together, are ordered by importance and, if `n_features` says so, only the first are kept.
    3. These are standardised by mean and deviation of the training set, and a linear SVM is fitted on them alone.

    Parameters
    ----------
    n_features : int > 0 or None
        At most so many features; None takes all that the stumps use.
    n_estimators : int > 0
        Rounds of boosting for each class, and so at most as many features for each.
    C : float > 0
        Penalty of margin violations.
    class_weight : {None, "balanced"} or dict of class to weight
        For the SVM; "balanced" weights each class by the inverse of its frequency in the training set. The boosting
        counts every sample alike.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    selected_features_ : int ndarray of shape (n_selected,)
        The columns of X that the SVM sees, the most important first; none where no stump splits the samples.
    boost_ : GentleBoostClassifier
        As fitted in step 1.
    svm_ : Pipeline
        Standardisation and SVC (one against one), as fitted in step 3 on ``X[:, selected_features_]``. Where no stump
        splits, a DummyClassifier that knows the classes' frequencies.
    n_features_in_ : int

    Notes
    -----
    Where no stump splits, since no feature varies or none tells the classes apart, the most frequent class of the
    training set is predicted, of equally frequent ones the first; `class_weight` does not matter then, and the scores
    are the classes' shares, for two classes the second's less the first's.

    [1]_ names GentleBoost and the SVM; [2]_ describes selection by boosting for AdaBoost. Their figures for rounds, C
    and the number of features are not given in a form to follow: the defaults are ours, and so are the order by
    importance, the union over classes and the standardisation.

    Differs from [2]_ in: GentleBoost instead of AdaBoost, and rounds stop at a number instead of at a threshold on what
    they gain.

    References
    ----------
    .. [1] Q. Wu, X. Shen, X. Fu, "The machine knows what you are hiding: an automatic micro-expression recognition
       system", ACII, 2011.
    .. [2] M. Bartlett, G. Littlewort, M. Frank, C. Lainscsek, I. Fasel, J. Movellan, "Recognizing facial expression:
       machine learning and application to spontaneous behavior", CVPR, 2005.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(60, 20))
    >>> y = np.where(X[:, 4] + X[:, 7] > 0, "smile", "neutral")
    >>> model = GentleSVM(n_features=2, n_estimators=10).fit(X, y)
    >>> sorted(model.selected_features_.tolist())
    [4, 7]
    """

    version = 1

    def __init__(
        self,
        n_features: int | None = None,
        n_estimators: int = 100,
        C: float = 1.0,
        class_weight: str | dict[Any, float] | None = None,
    ) -> None:
        self.n_features = n_features
        self.n_estimators = n_estimators
        self.C = C
        self.class_weight = class_weight

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        if self.n_features is not None:
            check_int(self.n_features, "n_features", minimum=1)
        self._boosting().check_params()
        check_svm_params(self.C, self.class_weight)

    def key_facts(self) -> dict[str, object]:
        """Return the version of the boosting inside, on which the numbers depend too; part of every key."""
        return {"boost": GentleBoostClassifier.version}

    def fit(self, X: object, y: object) -> Self:
        """Select features and fit the SVM on them.

        Parameters
        ----------
        X : float ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
            Class labels, of at least two classes.

        Returns
        -------
        GentleSVM

        Raises
        ------
        ParameterError
            If a parameter is not allowed, or `n_features` is more than X has.
        DataError
            If X is no finite two-dimensional array of numbers, or y does not fit it or has one class.
        """
        self.check_params()
        X, y = check_training(self, X, y)
        if self.n_features is not None and self.n_features > X.shape[1]:
            raise ParameterError(f"n_features is {self.n_features}: it must be at most {X.shape[1]}, the features of X")
        self.boost_ = self._boosting().fit(X, y)
        self.classes_ = self.boost_.classes_
        importances = self.boost_.feature_importances_
        # Every stump that splits reduces the error, so that its feature has some importance.
        n_used = int(np.count_nonzero(importances))
        self.selected_features_ = np.argsort(-importances, kind="stable")[:n_used][: self.n_features]
        machine = SVC(kernel="linear", C=float(self.C), class_weight=self.class_weight)
        decider = make_pipeline(StandardScaler(), machine) if n_used else DummyClassifier(strategy="prior")
        self.svm_ = decider.fit(X[:, self.selected_features_], y)
        return self

    def decision_function(self, X: object) -> np.ndarray:
        """Return the SVM's scores; see the Notes for where there is none.

        Parameters
        ----------
        X : float ndarray of shape (n_samples, n_features)

        Returns
        -------
        float64 ndarray of shape (n_samples,) for two classes, above 0 for the second, else (n_samples, n_classes)

        Raises
        ------
        DataError
            If X is no finite array with the features of the training set.
        """
        selected = self._selected(X)
        if hasattr(self.svm_, "decision_function"):
            return self.svm_.decision_function(selected)
        shares = self.svm_.predict_proba(selected)
        return shares[:, 1] - shares[:, 0] if len(self.classes_) == 2 else shares

    def predict(self, X: object) -> np.ndarray:
        """Return the class of each sample; arguments and errors as for `decision_function`."""
        selected = self._selected(X)
        return self.svm_.predict(selected)

    def _boosting(self) -> GentleBoostClassifier:
        return GentleBoostClassifier(n_estimators=self.n_estimators, group_ties=True)

    def _selected(self, X: object) -> np.ndarray:
        return check_asked(self, X)[:, self.selected_features_]
