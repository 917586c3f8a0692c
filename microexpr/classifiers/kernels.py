"""Kernels between histograms: chi-square and intersection."""

__all__ = ["chi2_distances", "chi2_kernel", "intersection_kernel"]

from collections.abc import Callable

import numpy as np

from microexpr.core.checks import check_float
from microexpr.core.errors import DataError, ParameterError


def chi2_distances(X: object, Y: object = None) -> np.ndarray:
    """Compute the chi-square distance of each histogram of X to each of Y.

    d(x, y) = sum over bins of (x_k - y_k)^2 / (x_k + y_k), where a bin that is empty in both counts 0.

    Parameters
    ----------
    X : array of shape (n_X, n_features), finite numbers >= 0
    Y : array of shape (n_Y, n_features), finite numbers >= 0, optional
        X itself by default.

    Returns
    -------
    float64 ndarray of shape (n_X, n_Y)
        Symmetric with zeros on the diagonal where Y is left out.

    Raises
    ------
    DataError
        If an array is no such matrix, or the two differ in width.

    Notes
    -----
    There is no factor 1/2 before the sum, as in scikit-learn and [1]_'s additive form; some papers have one.

    References
    ----------
    .. [1] A. Vedaldi, A. Zisserman, "Efficient additive kernels via explicit feature maps", IEEE TPAMI 34(3), 2012.

    Examples
    --------
    >>> chi2_distances([[1, 0], [0.5, 0.5]])[0].round(4).tolist()
    [0.0, 0.6667]
    """
    from microexpr.classifiers._histogram_kernels import add_chi2

    return _over_pairs(add_chi2, X, Y)


def chi2_kernel(X: object, Y: object = None, *, gamma: float) -> np.ndarray:
    """Compute exp(-gamma d(x, y)), d being the chi-square distance of `chi2_distances`.

    Parameters
    ----------
    X, Y
        See `chi2_distances`.
    gamma : float > 0

    Returns
    -------
    float64 ndarray of shape (n_X, n_Y), values in [0, 1]

    Raises
    ------
    ParameterError
        If `gamma` is not allowed.
    DataError
        As `chi2_distances`.

    References
    ----------
    .. [1] J. Zhang, M. Marszalek, S. Lazebnik, C. Schmid, "Local features and kernels for classification of texture and
       object categories", IJCV 73(2), 2007.

    Examples
    --------
    >>> chi2_kernel([[1, 0], [0.5, 0.5]], gamma=1.5)[0].round(4).tolist()
    [1.0, 0.3679]
    """
    if check_float(gamma, "gamma") <= 0:
        raise ParameterError(f"gamma is {gamma!r}: it must be above 0")
    return np.asarray(np.exp(-gamma * chi2_distances(X, Y)))


def intersection_kernel(X: object, Y: object = None) -> np.ndarray:
    """Compute the intersection of each histogram of X with each of Y: sum over bins of min(x_k, y_k).

    Parameters
    ----------
    X, Y
        See `chi2_distances`.

    Returns
    -------
    float64 ndarray of shape (n_X, n_Y)

    Raises
    ------
    DataError
        As `chi2_distances`.

    References
    ----------
    .. [1] M. J. Swain, D. H. Ballard, "Color indexing", IJCV 7(1), 1991.

    Examples
    --------
    >>> intersection_kernel([[1, 0], [0.5, 0.5]]).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    from microexpr.classifiers._histogram_kernels import add_intersection

    return _over_pairs(add_intersection, X, Y)


def _over_pairs(add: Callable[..., None], X: object, Y: object) -> np.ndarray:
    rows = _histograms(X, "X")
    columns = rows if Y is None else _histograms(Y, "Y")
    if rows.shape[1] != columns.shape[1]:
        raise DataError(f"X has histograms of {rows.shape[1]} bins and Y of {columns.shape[1]}; they must be equal")
    totals = np.zeros((len(rows), len(columns)))
    add(rows, np.ascontiguousarray(columns.T), Y is None, totals)
    return totals if Y is not None else np.triu(totals) + np.triu(totals, 1).T


def _histograms(values: object, name: str) -> np.ndarray:
    try:
        array = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name} is no array of numbers; histograms are needed") from None
    if array.ndim != 2:
        raise DataError(f"{name} has shape {array.shape}: histograms are (n_rows, n_features)")
    if not np.isfinite(array).all() or (array < 0).any():
        raise DataError(f"{name} holds numbers that are negative or not finite: no histogram does")
    return array
