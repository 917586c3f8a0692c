"""Selection of features by the ratio of their variance between classes to that within them."""

__all__ = ["VarianceRatioSelector"]

import numbers
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted

from microexpr.classifiers._arrays import check_classes, check_training
from microexpr.core.checks import check_float, check_int
from microexpr.core.errors import DataError, ParameterError


class VarianceRatioSelector(SelectorMixin, BaseEstimator):
    """Keeps the features whose variance between classes is largest against that within them.

    The score of a feature is F = sum_c n_c (mu_c - mu)^2 / sum_c n_c s_c^2, with n_c the samples of class c, mu_c and
    s_c^2 their mean and (biased) variance, and mu the mean of all samples. It is learned from what `fit` is given, so
    that inside a pipeline only training clips decide.

    Parameters
    ----------
    n_features : int > 0, float in (0, 1] or "all"
        How many of the best features to keep: a number, or a share of those there are, rounded and at least one. Of
        equal scores the first feature comes first.

    Attributes
    ----------
    scores_ : float64 ndarray of shape (n_features,)
        F of each feature: 0 where the feature is constant, infinite where only the classes' means differ.
    n_features_in_ : int

    Notes
    -----
    The criterion is [1]_'s; how many features to keep is ours, half of them. The scores times
    (n_samples - n_classes) / (n_classes - 1) are the statistic of the one-way analysis of variance.

    References
    ----------
    .. [1] K. Kato, H. Takano, M. Saiko, M. Kubo, H. Imaoka, "Comparative study of feature extraction method for
       emotional classification by micro-expression", APSIPA ASC, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 0.0, 3.0], [3.0, 1.0, 3.0], [5.0, 0.0, 3.0], [7.0, 1.0, 3.0]])
    >>> selector = VarianceRatioSelector(n_features=1).fit(X, ["neutral", "neutral", "smile", "smile"])
    >>> selector.scores_.tolist()
    [4.0, 0.0, 0.0]
    >>> selector.transform(X).tolist()
    [[1.0], [3.0], [5.0], [7.0]]
    """

    def __init__(self, n_features: int | float | str = 0.5) -> None:
        self.n_features = n_features

    def fit(self, X: object, y: object) -> Self:
        """Score the features.

        Parameters
        ----------
        X : float ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
            Class labels, of at least two classes, one of them with at least two samples.

        Returns
        -------
        VarianceRatioSelector

        Raises
        ------
        ParameterError
            If `n_features` is not allowed, or more than X has.
        DataError
            If X is no finite two-dimensional array of numbers, or y does not fit it, has one class, or as many classes
            as samples.
        """
        _check_count(self.n_features)
        X, y = check_training(self, X, y)
        n_features = X.shape[1]
        classes, codes = check_classes(y)
        if len(classes) == len(y):
            raise DataError(
                f"y has {len(y)} samples of as many classes: some class must have 2 samples to vary within it"
            )
        if isinstance(self.n_features, str):
            self._n_kept = n_features
        elif isinstance(self.n_features, numbers.Integral):
            self._n_kept = int(self.n_features)
            if self._n_kept > n_features:
                raise ParameterError(
                    f"n_features is {self._n_kept}: it must be at most {n_features}, the features of X"
                )
        else:
            self._n_kept = max(1, round(float(self.n_features) * n_features))
        self.scores_ = _variance_ratios(X, codes, len(classes))
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        mask = np.zeros(len(self.scores_), dtype=bool)
        mask[np.argsort(-self.scores_, kind="stable")[: self._n_kept]] = True
        return mask

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _check_count(n_features: object) -> None:
    """Raise a ParameterError unless n_features is a count, a share or "all"."""
    if isinstance(n_features, str):
        if n_features != "all":
            raise ParameterError(f"n_features is {n_features!r}: as a string it must be 'all'")
    elif isinstance(n_features, numbers.Integral):
        check_int(n_features, "n_features", minimum=1)
    elif check_float(n_features, "n_features", maximum=1.0) <= 0:
        raise ParameterError(f"n_features is {n_features!r}: a share must be greater than 0")


def _variance_ratios(X: np.ndarray, codes: np.ndarray, n_classes: int) -> np.ndarray:
    """Return F of each column; codes are 0 to n_classes - 1."""
    # The ratio does not depend on scale or place; squares of values as they come might overflow. By a power of two,
    # so that no digit changes.
    X = np.ldexp(X, -np.frexp(np.abs(X).max(axis=0))[1])
    X = X - X.mean(axis=0)
    between = np.zeros(X.shape[1])
    within = np.zeros(X.shape[1])
    for code in range(n_classes):
        members = X[codes == code]
        mean = members.mean(axis=0)
        between += len(members) * mean**2
        # Equal values have no variance, whatever rounding makes of their mean.
        within += np.where(np.ptp(members, axis=0) > 0, ((members - mean) ** 2).sum(axis=0), 0.0)
    varies = np.ptp(X, axis=0) > 0
    separates = varies & (within == 0)
    ratios = between / np.where(varies & ~separates, within, 1.0)
    ratios[~varies] = 0.0
    ratios[separates] = np.inf
    return ratios
