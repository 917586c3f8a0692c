"""The scores of a video of any length, few enough to be drawn."""

__all__ = ["reduce_scores"]

import numpy as np

from microexpr.core.checks import check_int


def reduce_scores(
    positions: np.ndarray, scores: np.ndarray, *, most: int = 40_000
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the least and the largest score of each stretch of rows, so that no peak is lost.

    Parameters
    ----------
    positions : int64 ndarray of shape (n_rows,)
        The frame of each score, ascending.
    scores : float64 ndarray of shape (n_rows,)
        NaN where there is none.
    most : int > 0
        Of stretches; up to so many rows stand for themselves.

    Returns
    -------
    starts : int64 ndarray of shape (n_stretches,)
        The frame of each stretch's first row.
    low, high : float64 ndarrays of shape (n_stretches,)
        NaN where a stretch has no score.

    Raises
    ------
    ParameterError
        If `most` is no integer > 0.

    Examples
    --------
    >>> import numpy as np
    >>> starts, low, high = reduce_scores(np.arange(5), np.array([1.0, 3.0, np.nan, 2.0, np.nan]), most=3)
    >>> starts.tolist(), low.tolist(), high.tolist()
    ([0, 2, 4], [1.0, 2.0, nan], [3.0, 2.0, nan])
    """
    check_int(most, "most", minimum=1)
    each = -(-len(scores) // most)
    if each <= 1:
        return positions, scores, scores
    n_stretches = -(-len(scores) // each)
    padded = np.full(n_stretches * each, np.nan)
    padded[: len(scores)] = scores
    rows = padded.reshape(n_stretches, each)
    # fmin and fmax pass over NaN, and give it where there is nothing else.
    return positions[::each], np.fmin.reduce(rows, axis=1), np.fmax.reduce(rows, axis=1)
