"""Robust principal component analysis: a matrix as the sum of one of low rank and a sparse one."""

__all__ = ["robust_pca"]

import numpy as np
from threadpoolctl import threadpool_limits

from microexpr.core.errors import DataError

# The first penalty times the spectral norm, its growth each step and its largest growth; the residual, as a part of
# the matrix's Frobenius norm, at which the constraint counts as met; and the most steps.
_FIRST_PENALTY, _GROWTH, _LARGEST_GROWTH = 1.25, 1.5, 1e7
_TOLERANCE = 1e-7
_MAX_STEPS = 1000
# Columns worked on at a stretch: few enough to stay in the processor's cache.
_PART = 1024


def robust_pca(matrix: np.ndarray, *, name: str = "matrix") -> tuple[np.ndarray, np.ndarray]:
    """Split a matrix D into A of low rank and a sparse E: min |A|_* + |E|_1 / sqrt(max(shape)) with A + E = D.

    Inexact augmented Lagrange multipliers, with dual Y and penalty mu. Each step draws all values of D - A + Y / mu
    towards 0 by 1 / (mu sqrt(max(shape))), which gives E; draws all singular values of M = D - E + Y / mu towards 0 by
    1 / mu, which gives A; adds mu (D - A - E) to Y, and raises mu.

    Parameters
    ----------
    matrix : float64 ndarray of shape (n_rows, n_columns), finite
    name : str
        What the message calls the matrix.

    Returns
    -------
    low_rank, sparse : float64 ndarray of shape (n_rows, n_columns)
        They add up to the matrix but for 1e-7 of its Frobenius norm.

    Raises
    ------
    DataError
        If that is not reached in 1000 steps.

    Notes
    -----
    The constants are those of the authors' program. The sparse part holds what noise there is: few of its values are
    0 for frames of a camera.

    Differs from [1]_ in: singular vectors come from the smaller Gram matrix of M, which is quicker where pixels are
    many and frames are few (benchmarks/bench_lbpkin.py). Singular values below some 1e-8 of the largest are lost in
    it; the least that matter, 1 / mu, are about ten times that at the end. The result is that of the step after the
    constraint is met, since one sweep over the pixels ends a step and begins the next.

    References
    ----------
    .. [1] Z. Lin, M. Chen, Y. Ma, "The augmented Lagrange multiplier method for exact recovery of corrupted low-rank
       matrices", arXiv 1009.5055, 2010.
    """
    if matrix.shape[0] > matrix.shape[1]:
        low_rank, sparse = robust_pca(matrix.T, name=name)
        return low_rank.T, sparse.T
    scale = np.abs(matrix).max()
    if scale == 0:
        return np.zeros(matrix.shape), np.zeros(matrix.shape)
    # More threads gain nothing on products this small, and would sum in another order.
    with threadpool_limits(1):
        low_rank, sparse = _split(np.ascontiguousarray(matrix / scale), name)
    return low_rank * scale, sparse * scale


def _split(data: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Do the steps on a matrix whose largest absolute value is 1."""
    from microexpr.features import _stlbpip_kernels as kernels

    weight = 1 / np.sqrt(data.shape[1])
    gram = data @ data.T
    spectral_norm = np.sqrt(np.linalg.eigvalsh(gram)[-1])
    largest_residual = _TOLERANCE * np.sqrt(np.trace(gram))
    penalty = _FIRST_PENALTY / spectral_norm
    last_penalty = penalty * _LARGEST_GROWTH
    # The first step: A is 0, Y the data over this norm.
    target = data * (1 + 1 / (penalty * max(spectral_norm, 1 / weight)))
    shrunk = np.clip(target, -weight / penalty, weight / penalty)
    sparse = target - shrunk
    gram = shrunk @ shrunk.T
    parts = [slice(start, start + _PART) for start in range(0, data.shape[1], _PART)]
    for _ in range(_MAX_STEPS):
        outer, inner = _shrinkage(gram, 1 / penalty)
        raised = min(penalty * _GROWTH, last_penalty)
        gram = np.zeros(gram.shape)
        residual = 0.0
        for part in parts:
            low_rank = outer @ (inner @ shrunk[:, part])
            residual += kernels.draw_apart(
                data[:, part], low_rank, shrunk[:, part], sparse[:, part], penalty / raised, weight / raised
            )
            gram += shrunk[:, part] @ shrunk[:, part].T
        penalty = raised
        if np.sqrt(residual) <= largest_residual:
            outer, inner = _shrinkage(gram, 1 / penalty)
            return outer @ (inner @ shrunk), sparse
    raise DataError(f"{name}: robust PCA did not converge in {_MAX_STEPS} steps")


def _shrinkage(gram: np.ndarray, amount: float) -> tuple[np.ndarray, np.ndarray]:
    """Return two matrices whose product draws the singular values of M towards 0 by `amount`, from M M^T."""
    values, vectors = np.linalg.eigh(gram)
    singular = np.sqrt(np.maximum(values, 0))
    kept = singular > amount
    vectors, singular = vectors[:, kept], singular[kept]
    return vectors * (1 - amount / singular), vectors.T
