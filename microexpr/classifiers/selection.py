"""Selection of features by the ratio of their variance between classes to that within them."""

__all__ = ["VarianceRatioSelector"]

from typing import Any, Self

import numpy as np

from microexpr.classifiers._arrays import check_training
from microexpr.classifiers._ranking import RankedSelector
from microexpr.core.errors import DataError
from microexpr.core.training import check_classes


class VarianceRatioSelector(RankedSelector):
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

    version = 1
    _highest = True

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
        self.check_params()
        X, y = check_training(self, X, y)
        classes, codes = check_classes(y)
        if len(classes) == len(y):
            raise DataError(
                f"y has {len(y)} samples of as many classes: some class must have 2 samples to vary within it"
            )
        self._keep(X.shape[1])
        self.scores_ = _variance_ratios(X, codes, len(classes))
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


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
