"""Support vector machines as the field uses them, built from scikit-learn's."""

__all__ = ["RBFSVM", "HistogramSVM", "linear_svm"]

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.svm import SVC

from microexpr.classifiers._arrays import check_asked, check_training
from microexpr.classifiers.kernels import chi2_distances, chi2_kernel, intersection_kernel
from microexpr.core.checks import check_choice, check_float
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.training import check_classes


def linear_svm(*, C: float = 1.0, class_weight: str | None = None, random_state: int | None = None) -> SVC:
    """Return a linear SVM (LIBSVM, one against one), the classifier of the handcrafted baselines.

    Parameters
    ----------
    C : float > 0
        Penalty of margin violations.
    class_weight : {None, "balanced"}
        "balanced" weights each class by the inverse of its frequency in the training set.
    random_state : int or None
        Without effect on this deterministic classifier; taken so that every builder takes it.
    """
    return SVC(kernel="linear", C=C, class_weight=class_weight, random_state=random_state)


def check_svm_params(C: object, class_weight: object) -> None:
    """Raise a ParameterError unless C is above 0 and class_weight None, "balanced" or a dict of weights >= 0."""
    if check_float(C, "C") <= 0:
        raise ParameterError(f"C is {C!r}: it must be greater than 0")
    if isinstance(class_weight, dict):
        for label, weight in class_weight.items():
            check_float(weight, f"class_weight[{label!r}]", minimum=0)
    elif not (class_weight is None or (isinstance(class_weight, str) and class_weight == "balanced")):
        raise ParameterError(f"class_weight is {class_weight!r}: it must be None, 'balanced' or a dict of weights")


class _KernelSVM(ClassifierMixin, BaseEstimator, ABC):
    """What the SVMs with a kernel of the training rows share: checks, and the answers of the machine inside."""

    #: The word that stands for a gamma taken from the training rows.
    _measured: ClassVar[str]

    C: float
    gamma: str | float
    class_weight: str | dict[Any, float] | None

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        check_svm_params(self.C, self.class_weight)
        if isinstance(self.gamma, str):
            check_choice(self.gamma, "gamma", (self._measured,))
        elif check_float(self.gamma, "gamma") <= 0:
            raise ParameterError(f"gamma is {self.gamma!r}: it must be greater than 0, or {self._measured!r}")

    def predict(self, X: object) -> np.ndarray:
        """Return the class of each row: the one with most votes of the machines one against one."""
        kernel_rows = self._kernel_rows(X)
        return np.asarray(self.svm_.predict(kernel_rows))

    def decision_function(self, X: object) -> np.ndarray:
        """Return decision values, float64 of shape (n_rows, n_classes), of two classes (n_rows,)."""
        kernel_rows = self._kernel_rows(X)
        return np.asarray(self.svm_.decision_function(kernel_rows))

    @abstractmethod
    def _kernel_rows(self, X: object) -> np.ndarray:
        """Return what the machine inside takes for the rows of X."""

    @property
    def classes_(self) -> np.ndarray:
        """The classes of the training set, sorted."""
        return np.asarray(self.svm_.classes_)


class RBFSVM(_KernelSVM):
    """SVM with the Gaussian kernel exp(-gamma |x - y|^2), its width taken from the training rows.

    Parameters
    ----------
    C : float > 0
        Penalty of margin violations.
    gamma : "median", or float > 0
        "median" is 1 / (median of the squared Euclidean distance over all pairs of different training rows); 1 where
        more than half of the pairs are equal rows.
    class_weight : {None, "balanced"}, or dict of class -> float >= 0
        "balanced" weights each class by the inverse of its frequency in the training set.

    Attributes
    ----------
    gamma_ : float
    svm_ : sklearn.svm.SVC
    classes_ : ndarray of shape (n_classes,)

    Raises
    ------
    ParameterError
        From `fit`, if a parameter is not allowed.
    DataError
        If X is no finite matrix or has other columns than in `fit`, or y does not fit it or has one class.

    Notes
    -----
    The median is the rule usually called the median heuristic [1]_; of the squared distance, without a factor 2, is
    our choice.

    References
    ----------
    .. [1] A. Gretton et al., "A kernel two-sample test", JMLR 13, 2012.

    Examples
    --------
    >>> machine = RBFSVM().fit([[0.0], [1.0], [4.0]], ["negative", "negative", "positive"])
    >>> round(1 / machine.gamma_, 6)
    9.0
    >>> machine.predict([[3.5]]).tolist()
    ['positive']
    """

    version = 1
    _measured = "median"

    def __init__(
        self,
        C: float = 1.0,
        gamma: str | float = "median",
        class_weight: str | dict[Any, float] | None = None,
    ) -> None:
        self.C = C
        self.gamma = gamma
        self.class_weight = class_weight

    def fit(self, X: object, y: object) -> Self:
        """Learn from the rows X, float array of shape (n_rows, n_features), and their classes y."""
        self.check_params()
        rows, labels = check_training(self, X, y)
        check_classes(labels)
        self.gamma_ = float(self.gamma) if not isinstance(self.gamma, str) else 1.0 / _median_squared_distance(rows)
        self.svm_ = SVC(kernel="rbf", C=self.C, gamma=self.gamma_, class_weight=self.class_weight).fit(rows, labels)
        return self

    def _kernel_rows(self, X: object) -> np.ndarray:
        return check_asked(self, X)


class HistogramSVM(_KernelSVM):
    """SVM with a kernel between histograms: chi-square or intersection.

    "chi2" is exp(-gamma sum_k (x_k - y_k)^2 / (x_k + y_k)), "intersection" is sum_k min(x_k, y_k).

    Parameters
    ----------
    kernel : {"chi2", "intersection"}
    C : float > 0
        Penalty of margin violations.
    gamma : "mean", or float > 0
        Of "chi2"; "intersection" takes "mean" alone and has none. "mean" is 1 / (mean chi-square distance over all
        pairs of different training rows); 1 where all rows are equal.
    class_weight : {None, "balanced"}, or dict of class -> float >= 0
        "balanced" weights each class by the inverse of its frequency in the training set.

    Attributes
    ----------
    gamma_ : float
        Of "chi2" alone.
    histograms_ : float64 ndarray of shape (n_rows, n_features)
        The training rows, which new ones are compared with.
    svm_ : sklearn.svm.SVC
        With the kernel "precomputed".
    classes_ : ndarray of shape (n_classes,)

    Raises
    ------
    ParameterError
        From `fit`, if a parameter is not allowed.
    DataError
        If X is no finite matrix, holds negative numbers or has other columns than in `fit`, or y does not fit it or has
        one class.

    Notes
    -----
    The histograms are taken as they are and not scaled: the intersection of histograms of 75 blocks is at most 75
    where each sums to 1. The mean distance as the width is the rule of [1]_.

    References
    ----------
    .. [1] J. Zhang, M. Marszalek, S. Lazebnik, C. Schmid, "Local features and kernels for classification of texture and
       object categories", IJCV 73(2), 2007.

    Examples
    --------
    >>> histograms = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]]
    >>> HistogramSVM().fit(histograms, ["negative", "negative", "positive"]).predict([[0.2, 0.8]]).tolist()
    ['positive']
    """

    version = 1
    _measured = "mean"

    def __init__(
        self,
        kernel: str = "chi2",
        C: float = 1.0,
        gamma: str | float = "mean",
        class_weight: str | dict[Any, float] | None = None,
    ) -> None:
        self.kernel = kernel
        self.C = C
        self.gamma = gamma
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        check_choice(self.kernel, "kernel", ("chi2", "intersection"))
        super().check_params()
        if self.kernel == "intersection" and self.gamma != self._measured:
            raise ParameterError(
                f"gamma is {self.gamma!r}: it must be {self._measured!r} with kernel 'intersection', which has no width"
            )

    def fit(self, X: object, y: object) -> Self:
        """Learn from the histograms X, float array >= 0 of shape (n_rows, n_features), and their classes y."""
        self.check_params()
        rows, labels = check_training(self, X, y)
        check_classes(labels)
        self.histograms_ = _not_negative(rows)
        if self.kernel == "intersection":
            gram = intersection_kernel(rows)
        else:
            distances = chi2_distances(rows)
            mean = distances.sum() / (len(rows) * (len(rows) - 1))
            self.gamma_ = float(self.gamma) if not isinstance(self.gamma, str) else 1.0 / (mean or 1.0)
            gram = np.exp(-self.gamma_ * distances)
        self.svm_ = SVC(kernel="precomputed", C=self.C, class_weight=self.class_weight).fit(gram, labels)
        return self

    def _kernel_rows(self, X: object) -> np.ndarray:
        rows = _not_negative(check_asked(self, X))
        if self.kernel == "intersection":
            return intersection_kernel(rows, self.histograms_)
        return chi2_kernel(rows, self.histograms_, gamma=self.gamma_)


def _median_squared_distance(X: np.ndarray) -> float:
    """Return the median over all pairs of different rows, or 1 where it is 0."""
    distances = euclidean_distances(X - X.mean(axis=0), squared=True)
    pairs = distances[np.triu_indices(len(X), 1)]
    median = float(np.median(pairs))
    # Equal rows may come out a rounding error apart.
    return median if median > 1e-12 * pairs.max() else 1.0


def _not_negative(X: np.ndarray) -> np.ndarray:
    if (X < 0).any():
        raise DataError("Negative values in data passed to HistogramSVM: a histogram has none")
    return X
