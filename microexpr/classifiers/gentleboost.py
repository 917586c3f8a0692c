"""GentleBoost on regression stumps, one class against the rest."""

__all__ = ["GentleBoostClassifier"]

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from scipy.special import expit, log_expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from microexpr.classifiers._arrays import check_asked, check_training
from microexpr.core.checks import check_choice, check_float, check_int
from microexpr.core.errors import DataError
from microexpr.core.training import check_classes

_FIELDS = {"feature": "i8", "threshold": "f8", "a": "f8", "b": "f8", "reduction": "f8"}

# Features sorted at a time: numpy sorts to 64-bit indices, which for all features at once would take twice the data.
_SORTED_AT_ONCE = 512


class GentleBoostClassifier(ClassifierMixin, BaseEstimator):
    """GentleBoost with regression stumps: sums, over rounds, of f(x) = a [x_k > threshold] + b.

    For two classes coded z = -1 (the first) and z = 1:

    1. The weights w start at 1 (or at `sample_weight`, scaled to the mean 1).
    2. In each round, of all features k and all places to split the samples in the order of x_k, take the stump of the
       least weighted squared error, sum w (z - f)^2 / sum w; b is the weighted mean of z up to the split, a + b that
       beyond. The threshold is midway between the values on both sides. Of equal errors (to 1e-12) the first
       feature's first split is taken.
    3. F := F + f and w := w exp(-z f).

    The class is the sign of F. With more than two classes each is boosted against the rest, and the largest F decides.

    Parameters
    ----------
    n_estimators : int > 0
        Rounds for each class.
    group_ties : bool
        Whether samples of equal value stay on one side of a split. If not, as in [2]_, a split between them is
        considered although no threshold makes it, and the order of the samples then changes the result: set it where
        features have many equal values, as histograms do.
    tol : float >= 0 or None
        Stop after a round that lowers the mean of w, the exponential loss on the training set, by less than this.
        None never stops so. No held-out data decides.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    stumps_ : list of structured ndarrays, each of shape (n_rounds,)
        One array for two classes (of the second against the first), else one for each class (against the rest). Fields:
        ``feature`` k counted from 0, ``threshold``, ``a``, ``b``, and ``reduction``, by how much the stump's weighted
        squared error is below that of a constant, the weights scaled to the sum 1. Where no split reduces it, feature
        is -1, a is 0 and b the mean of z.
    feature_importances_ : float64 ndarray of shape (n_features,)
        Sums of ``reduction`` over all stumps, scaled to the sum 1; all 0 if no feature varies.
    n_features_in_ : int

    Notes
    -----
    The stump, its formulas and the order of their sums are [2]_'s. Ours is what happens where rounding would decide: a
    split with less than 1e-12 of the weight on a side is none; errors within 1e-12 are equal; where no split is better
    than the mean of z by more, f is that mean. Boosting ends when the sum of the weights falls below 2e-308, as it does
    after some 700 rounds on a perfect separation. A sample of weight 0 is left out.

    A feature with one value is never chosen. If none varies, every f is the mean of z, and F goes to half the log-odds
    of the classes.

    Sorting happens once a fit, for all classes and rounds. It takes 2 bytes for each value (4 beyond 65,536 samples),
    beside one copy of the data in double precision. The time of a fit is proportional to samples times features times
    rounds times classes. Nothing is left to chance.

    Differs from [1]_ in: weights keep the scale that exp(-z f) leaves (stumps depend on their ratios alone); more than
    two classes go one against the rest.

    Differs from [2]_ in: what the first paragraph says is ours; no split after the last sample, which cannot reduce the
    error; features with one value, which it may choose for the order of their samples; a midpoint that rounds up to the
    value above it becomes the value below.

    References
    ----------
    .. [1] J. Friedman, T. Hastie, R. Tibshirani, "Additive logistic regression: a statistical view of boosting", Annals
       of Statistics 28(2), 2000 (algorithm 4).
    .. [2] A. Torralba, GentleBoost with regression stumps, MATLAB program, 2003.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 5.0], [2.0, 3.0], [3.0, 6.0], [4.0, 4.0]])
    >>> boost = GentleBoostClassifier(n_estimators=1).fit(X, ["neutral", "neutral", "smile", "smile"])
    >>> [float(boost.stumps_[0][0][field]) for field in ("feature", "threshold", "a", "b")]
    [0.0, 2.5, 2.0, -1.0]
    >>> boost.predict([[2.4, 9.0], [2.6, 0.0]]).tolist()
    ['neutral', 'smile']
    """

    version = 1

    def __init__(self, n_estimators: int = 100, group_ties: bool = False, tol: float | None = None) -> None:
        self.n_estimators = n_estimators
        self.group_ties = group_ties
        self.tol = tol

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        check_int(self.n_estimators, "n_estimators", minimum=1)
        check_choice(self.group_ties, "group_ties", (False, True))
        if self.tol is not None:
            check_float(self.tol, "tol", minimum=0)

    def fit(self, X: object, y: object, sample_weight: object = None) -> Self:
        """Boost on a training set.

        Parameters
        ----------
        X : float ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
            Class labels, of at least two classes.
        sample_weight : float ndarray of shape (n_samples,), each >= 0, or None
            None counts every sample alike.

        Returns
        -------
        GentleBoostClassifier

        Raises
        ------
        ParameterError
            If a parameter is not allowed.
        DataError
            If X is no finite two-dimensional array of numbers, y does not fit it or has one class, or the weights are
            not finite, negative or all 0.
        """
        self.check_params()
        n_rounds = int(self.n_estimators)
        tol = -np.inf if self.tol is None else float(self.tol)
        X, y = check_training(self, X, y)
        weights = _check_weights(sample_weight, len(X))
        counted = weights > 0
        X, y, weights = X[counted], y[counted], weights[counted]
        self.classes_, codes = check_classes(y)
        # A row for each feature, so that a pass over a feature reads on; a copy, so that its type is always the same.
        values = np.array(X.T, order="C", copy=True)
        features = np.flatnonzero(values.min(axis=1) < values.max(axis=1))
        order = _sort_samples(values, features)
        weights *= len(weights) / weights.sum()
        positives = (1,) if len(self.classes_) == 2 else range(len(self.classes_))
        self.stumps_ = [
            _boost(
                values, order, features, np.where(codes == positive, 1.0, -1.0), weights, n_rounds, tol, self.group_ties
            )
            for positive in positives
        ]
        return self

    def decision_function(self, X: object) -> np.ndarray:
        """Return F, the sum of all stumps.

        Parameters
        ----------
        X : float ndarray of shape (n_samples, n_features)

        Returns
        -------
        float64 ndarray of shape (n_samples,) for two classes, above 0 for the second, else (n_samples, n_classes)
            Rounded to 1e-11, so that equal sums of stumps are equal numbers; of equal scores the first class wins.

        Raises
        ------
        DataError
            If X is no finite array with the features of the training set.
        """
        X = check_asked(self, X)
        return _scores([_answers(X, stumps).sum(axis=1) for stumps in self.stumps_])

    def predict(self, X: object) -> np.ndarray:
        """Return the class of each sample; arguments and errors as for `decision_function`."""
        return self._decide(self.decision_function(X))

    def predict_proba(self, X: object) -> np.ndarray:
        """Return 1 / (1 + exp(-2 F)) of each class, for more than two classes scaled to the sum 1.

        The link is [1]_'s for two classes; the scaling is ours. Arguments and errors as for `decision_function`.

        Returns
        -------
        float64 ndarray of shape (n_samples, n_classes), each row with sum 1
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.column_stack([expit(-2 * scores), expit(2 * scores)])
        # Scaled as logarithms, since all may vanish as numbers.
        return softmax(log_expit(2 * scores), axis=1)

    def staged_predict(self, X: object) -> Iterator[np.ndarray]:
        """Yield what `predict` returns after the first round, the first two, and so on to the last.

        A class whose boosting ended before the others keeps its F. Arguments and errors as for `decision_function`.
        """
        X = check_asked(self, X)
        sums = [np.cumsum(_answers(X, stumps), axis=1) for stumps in self.stumps_]
        for stage in range(max(total.shape[1] for total in sums)):
            yield self._decide(_scores([total[:, min(stage, total.shape[1] - 1)] for total in sums]))

    @property
    def feature_importances_(self) -> np.ndarray:
        """Sums of the stumps' reductions for each feature, scaled to the sum 1; all 0 if no feature varies."""
        check_is_fitted(self, "stumps_")
        sums = np.zeros(self.n_features_in_)
        for stumps in self.stumps_:
            # A constant, feature -1, has no reduction: it adds nothing to the last feature.
            np.add.at(sums, stumps["feature"], stumps["reduction"])
        total = sums.sum()
        return sums / total if total > 0 else sums

    def _decide(self, scores: np.ndarray) -> np.ndarray:
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]


def _check_weights(sample_weight: Any, n_samples: int) -> np.ndarray:
    if sample_weight is None:
        return np.ones(n_samples)
    weights = np.array(sample_weight, dtype=np.float64)
    if weights.shape != (n_samples,):
        raise DataError(f"sample_weight has shape {weights.shape}: it must have shape ({n_samples},), as X has samples")
    if not np.isfinite(weights).all() or weights.min() < 0 or weights.max() == 0:
        raise DataError("sample_weight must be finite weights, at least 0 and not all zero")
    # So that their sum is finite.
    return weights / weights.max()


def _sort_samples(values: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return the samples in ascending order of each feature, equal ones in theirs; shape (n_features, n_samples)."""
    n_samples = values.shape[1]
    order = np.empty((len(features), n_samples), np.uint16 if n_samples <= 2**16 else np.uint32)
    for start in range(0, len(features), _SORTED_AT_ONCE):
        some = slice(start, start + _SORTED_AT_ONCE)
        order[some] = np.argsort(values[features[some]], axis=1, kind="stable")
    return order


def _boost(
    values: np.ndarray,
    order: np.ndarray,
    features: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    n_rounds: int,
    tol: float,
    group_ties: bool,
) -> np.ndarray:
    from microexpr.classifiers._gentleboost_kernels import fit_stumps

    table = np.empty((n_rounds, len(_FIELDS)))
    found = fit_stumps(values, order, features, targets, weights.copy(), n_rounds, tol, group_ties, table)
    stumps = np.empty(found, list(_FIELDS.items()))
    for field, column in zip(_FIELDS, table.T, strict=True):
        stumps[field] = column[:found]
    return stumps


def _answers(X: np.ndarray, stumps: np.ndarray) -> np.ndarray:
    """Return f of each sample and stump, (n_samples, n_stumps); of a constant, feature -1, a is 0."""
    return np.where(X[:, stumps["feature"]] > stumps["threshold"], stumps["a"], 0.0) + stumps["b"]


def _scores(sums: list[np.ndarray]) -> np.ndarray:
    return np.round(sums[0] if len(sums) == 1 else np.stack(sums, axis=1), 11)
