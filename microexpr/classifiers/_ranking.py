"""What selectors that rank features by a score share: how many are kept, which, and the transformation."""

__all__ = ["RankedSelector"]

import numbers
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted

from microexpr.classifiers._arrays import refuse_data
from microexpr.core.checks import check_float, check_int
from microexpr.core.errors import ParameterError


class RankedSelector(SelectorMixin, BaseEstimator):
    """Keep the features of the best scores; a subclass's `fit` calls `_keep` and sets `scores_`.

    `n_features` is how many: an int > 0, a share in (0, 1], or "all".
    """

    #: Whether the highest scores are the best, or the lowest.
    _highest: ClassVar[bool]

    n_features: int | float | str
    scores_: np.ndarray

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        _check_count(self.n_features)

    def transform(self, X: object) -> np.ndarray:
        """Return the features that are kept.

        Parameters
        ----------
        X : array of shape (n_rows, n_features)

        Returns
        -------
        ndarray of shape (n_rows, n_kept), dtype as X

        Raises
        ------
        DataError
            If X is no finite array with the features of the training set.
        """
        check_is_fitted(self, "scores_")
        with refuse_data():
            return np.asarray(super().transform(X))

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self, "scores_")
        mask = np.zeros(len(self.scores_), dtype=bool)
        ranked = np.argsort(-self.scores_ if self._highest else self.scores_, kind="stable")
        mask[ranked[: self._n_kept]] = True
        return mask

    def _keep(self, available: int) -> None:
        """Settle how many of the available features are kept, before they are scored."""
        self._n_kept = _count_features(self.n_features, available)


def _check_count(n_features: object) -> None:
    """Raise a ParameterError unless n_features is an int > 0, a share in (0, 1] or "all"."""
    if isinstance(n_features, str):
        if n_features != "all":
            raise ParameterError(f"n_features is {n_features!r}: as a string it must be 'all'")
    elif isinstance(n_features, numbers.Integral):
        check_int(n_features, "n_features", minimum=1)
    elif check_float(n_features, "n_features", maximum=1.0) <= 0:
        raise ParameterError(f"n_features is {n_features!r}: a share must be greater than 0")


def _count_features(n_features: int | float | str, available: int) -> int:
    """Return how many of the available features are kept; a share is rounded, halves to even, and keeps at least one.

    Raises a ParameterError if there are fewer than asked for.
    """
    if isinstance(n_features, str):
        return available
    if not isinstance(n_features, numbers.Integral):
        return max(1, round(float(n_features) * available))
    if n_features > available:
        raise ParameterError(f"n_features is {n_features}: it must be at most {available}, the features of X")
    return int(n_features)
