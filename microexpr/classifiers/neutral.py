"""Onset frames as a class of their own: a classifier of single frames, neutral ones included, that judges clips."""

__all__ = ["NeutralClassifier"]

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from microexpr.classifiers._inner import fit_inner, refuse_one_against_one
from microexpr.core.errors import DataError, ParameterError


def _has_probabilities(self: "NeutralClassifier") -> bool:
    return hasattr(getattr(self, "estimator_", self.estimator), "predict_proba")


class NeutralClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Train a classifier on onset frames as neutral and on apex frames as their clip's class.

    `fit` gives `estimator` two rows a clip: the onset's, labelled `neutral`, and the apex's, labelled with the clip's
    class. Both belong to the clip's subject: `groups` and `domain`, where the estimator requests them, are doubled too,
    so that folds inside the training set keep them together.

    `predict` takes, for the apex row, the class other than `neutral` that scores highest: a clip that holds an
    expression is not neutral. `predict_frames` labels any rows, neutral ones among them.

    Parameters
    ----------
    estimator : classifier with `decision_function` or `predict_proba`
        Of arrays of shape (n, n_features); a pipeline, say. A clone of it is fitted. Its scores must be those of the
        classes: `decision_function_shape="ovo"`, which scores pairs of classes, is refused.
    neutral : str
        The name of the added class; no class of the clips may be called so.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes of the clips, in order; without `neutral`.
    frame_classes_ : ndarray of shape (n_classes + 1,)
        All that `predict_frames` may answer, in the estimator's order.
    estimator_ : the fitted clone
    n_features_in_ : int

    Notes
    -----
    Input is three-dimensional, as `microexpr.features.Gabor(frames="onset-apex")` gives it; scikit-learn's own checks
    of estimators, which are for two dimensions, do not apply.

    Differs from [1]_ in: a neutral class for each clip's own onset is our reading of its seven classes (six emotions
    and neutral); that system was trained on posed expressions of other people.

    References
    ----------
    .. [1] Q. Wu, X. Shen, X. Fu, "The machine knows what you are hiding: an automatic micro-expression recognition
       system", ACII, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> X = np.array([[[0.0], [3.0]], [[0.1], [-3.0]], [[0.2], [3.1]], [[0.0], [-2.9]]])
    >>> classifier = NeutralClassifier(LogisticRegression()).fit(X, ["up", "down", "up", "down"])
    >>> classifier.predict(X).tolist()
    ['up', 'down', 'up', 'down']
    >>> classifier.predict_frames([[0.0], [2.5]]).tolist()
    ['neutral', 'up']
    """

    version = 1
    __metadata_request__fit: ClassVar = {"groups": True, "domain": True}

    def __init__(self, estimator: Any, neutral: str = "neutral") -> None:
        self.estimator = estimator
        self.neutral = neutral

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        if not isinstance(self.neutral, str) or not self.neutral:
            raise ParameterError(f"neutral is {self.neutral!r}: it must be the name of a class")
        methods = ("fit", "predict", "get_params")
        if isinstance(self.estimator, type) or not all(hasattr(self.estimator, name) for name in methods):
            raise ParameterError(f"estimator is {self.estimator!r}: it must be a classifier")
        refuse_one_against_one(self.estimator)

    def fit(self, X: object, y: object, groups: object = None, domain: object = None) -> Self:
        """Train a clone of the estimator.

        Parameters
        ----------
        X : array of shape (n, 2, n_features)
            Rows onset, apex of each clip.
        y : sequence of n str
        groups : array of shape (n,) or None
            Each clip's subject, for an estimator that requests it.
        domain : array of shape (n,) or None
            Each clip's domain, likewise.

        Returns
        -------
        NeutralClassifier

        Raises
        ------
        ParameterError
            If the estimator has no scores to rank classes by, or `neutral` is no name.
        DataError
            If X, y, `groups` or `domain` has another shape, X holds what is no finite number or y what is no text, or a
            class is called `neutral`.
        """
        self.check_params()
        pairs = self._check_pairs(X)
        labels = np.asarray(y)
        if labels.shape != (len(pairs),):
            raise DataError(f"y has shape {labels.shape}: one label for each of the {len(pairs)} clips is needed")
        if wrong := [label for label in labels.tolist() if not isinstance(label, str)]:
            raise DataError(f"y holds {wrong[0]!r}: labels must be text")
        if self.neutral in labels.tolist():
            raise DataError(
                f"a class of y is called {self.neutral!r}, as the class of onset frames; rename one of them"
            )
        known = {name: _twice(values, name, len(pairs)) for name, values in (("groups", groups), ("domain", domain))}
        rows = np.concatenate([pairs[:, 0], pairs[:, 1]])
        fitted = fit_inner(self.estimator, rows, np.array([self.neutral] * len(pairs) + labels.tolist()), **known)
        if not (hasattr(fitted, "decision_function") or hasattr(fitted, "predict_proba")):
            raise ParameterError(
                f"estimator is {self.estimator!r}: it must have decision_function or predict_proba, "
                "to tell the best class other than neutral"
            )
        self.estimator_ = fitted
        self.frame_classes_ = np.asarray(fitted.classes_)
        self.classes_ = self.frame_classes_[self.frame_classes_ != self.neutral]
        self.n_features_in_ = pairs.shape[2]
        return self

    def predict(self, X: object) -> np.ndarray:
        """Return for each clip the class other than neutral that scores highest in its apex row, shape (n,).

        Raises
        ------
        DataError
            If X has another shape than (n, 2, n_features_in_) or holds what is no finite number.
        """
        return np.asarray(self.classes_[self._scores(self._apex_rows(X)).argmax(axis=1)])

    def decision_function(self, X: object) -> np.ndarray:
        """Return the scores of the apex rows for the classes other than neutral.

        They are the estimator's own decision function, or its probabilities where it has none.

        Returns
        -------
        ndarray of shape (n, n_classes), or (n,) for two classes: the second's score less the first's

        Raises
        ------
        DataError
            As `predict`.
        """
        scores = self._scores(self._apex_rows(X))
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    @available_if(_has_probabilities)
    def predict_proba(self, X: object) -> np.ndarray:
        """Return the estimator's probabilities of the classes, given that the apex is not neutral.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Each row sums to 1; a row that is neutral beyond doubt has equal shares.

        Raises
        ------
        DataError
            As `predict`.
        """
        shares = np.asarray(self.estimator_.predict_proba(self._apex_rows(X)), dtype=np.float64)[:, self._expressive()]
        total = shares.sum(axis=1, keepdims=True)
        sure = total > 0
        return np.where(sure, shares / np.where(sure, total, 1.0), 1.0 / shares.shape[1])

    def predict_frames(self, rows: object) -> np.ndarray:
        """Return the estimator's label of each frame, `neutral` among them.

        Parameters
        ----------
        rows : array of shape (m, n_features_in_)

        Returns
        -------
        ndarray of str, shape (m,)

        Raises
        ------
        DataError
            If `rows` has another shape or holds what is no finite number.
        """
        check_is_fitted(self)
        values = _check_numbers(rows, "rows")
        if values.ndim != 2 or values.shape[1] != self.n_features_in_ or not len(values):
            raise DataError(f"rows have shape {values.shape}; (m, {self.n_features_in_}) is needed, one row a frame")
        return np.asarray(self.estimator_.predict(values))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    def _apex_rows(self, X: object) -> np.ndarray:
        check_is_fitted(self)
        pairs = self._check_pairs(X)
        if pairs.shape[2] != self.n_features_in_:
            raise DataError(f"X has {pairs.shape[2]} features a row, but was fitted with {self.n_features_in_}")
        return pairs[:, 1]

    def _expressive(self) -> np.ndarray:
        return self.frame_classes_ != self.neutral

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        """Return the scores of rows for the classes other than neutral, (n, n_classes)."""
        n_classes = len(self.frame_classes_)
        if hasattr(self.estimator_, "decision_function"):
            scores = np.asarray(self.estimator_.decision_function(rows))
            if n_classes == 2:
                scores = np.stack([-scores, scores], axis=1)
            if scores.shape[1] == n_classes:
                return scores[:, self._expressive()]
            if not hasattr(self.estimator_, "predict_proba"):
                raise ParameterError(
                    f"estimator gives {scores.shape[1]} scores for {n_classes} classes: it must give one for each"
                )
        return np.asarray(self.estimator_.predict_proba(rows))[:, self._expressive()]

    @staticmethod
    def _check_pairs(X: object) -> np.ndarray:
        pairs = _check_numbers(X, "X")
        if pairs.ndim != 3 or pairs.shape[1] != 2 or not pairs.size:
            raise DataError(
                f"X has shape {pairs.shape}; (n, 2, n_features) is needed, rows onset and apex of each clip"
            )
        return pairs


def _twice(values: object, name: str, n_clips: int) -> np.ndarray | None:
    """Return what is known of each clip for its onset row and again for its apex row."""
    if values is None:
        return None
    known = np.asarray(values)
    if known.shape != (n_clips,):
        raise DataError(f"{name} has shape {known.shape}: one value for each of the {n_clips} clips is needed")
    return np.tile(known, 2)


def _check_numbers(values: object, name: str) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError(f"{name}: rows differ in length; an array is needed") from None
    if array.dtype.kind not in "uif":
        raise DataError(f"{name} is of dtype {array.dtype}; numbers are needed")
    if not np.isfinite(array).all():
        raise DataError(f"{name} holds NaN or infinity")
    return array
