"""Selection of features by Laplacian score: those that vary least between clips that belong together."""

__all__ = ["LaplacianScoreSelector"]

from typing import Any, Self

import numpy as np

from microexpr.classifiers._arrays import check_training, check_unlabelled
from microexpr.classifiers._ranking import RankedSelector
from microexpr.core.checks import check_choice, check_int
from microexpr.core.errors import DataError


class LaplacianScoreSelector(RankedSelector):
    """Keep the features with the lowest Laplacian scores, learned from the training rows.

    1. Edges join each row to its `n_neighbors` nearest by Euclidean distance, among those of its own class if
       `supervised`. 2. The weight of an edge is S_ij = exp(-|x_i - x_j|^2 / t), t the mean of |x_i - x_j|^2 over all
       edges; without an edge it is 0. 3. With D the diagonal matrix of the sums of S and L = D - S, a feature f is
       centred, g = f - 1 (f^T D 1) / (1^T D 1), and its score is (g^T L g) / (g^T D g): the lower, the less it varies
       along edges for its variance as a whole.

    A step of a pipeline between a transformer and a classifier, it is fitted inside each fold, so that it never sees
    the subject left out.

    Parameters
    ----------
    n_features : int > 0, float in (0, 1] or "all"
        How many of the best features to keep: a number, or a share of those there are, rounded and at least one. Of
        equal scores the first feature comes first.
    n_neighbors : int > 0
        A class, or a set of rows, that has fewer others is joined throughout. Rows as near as the last are joined too,
        so that the order of the rows does not matter; so are two rows of which only one is near the other.
    supervised : bool
        Join rows of one class only; False ignores the labels.

    Attributes
    ----------
    scores_ : float64 ndarray of shape (n_features_in_,), >= 0
        Infinite for a feature that is the same in all rows that have an edge.
    n_features_in_ : int

    Notes
    -----
    The score, and edges between near rows or rows of one class, are [1]_'s. [2]_ selects features of DiSTLBP-RIP by a
    method based on the Laplacian, to tell two classes of micro-expressions apart; hence `supervised` is the default.

    Differs from [1]_ in: t, a constant to be chosen there; no row is joined to itself.

    Differs from [2]_ in: scores are of single features for all classes at once. How the paper groups features and
    pairs of classes is not in its abstract, and its program was never published.

    References
    ----------
    .. [1] X. He, D. Cai, P. Niyogi, "Laplacian score for feature selection", NIPS, 2005.
    .. [2] X. Huang, S.-J. Wang, X. Liu, G. Zhao, X. Feng, M. Pietikäinen, "Discriminative spatiotemporal local binary
       pattern with revisited integral projection for spontaneous facial micro-expression recognition", IEEE TAFFC
       10(1), 2019; arXiv 1608.02255.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.repeat(["negative", "positive"], 10)
    >>> features = np.random.default_rng(0).normal(size=(20, 4))
    >>> features[10:, 2] += 5
    >>> LaplacianScoreSelector(n_features=1).fit(features, labels).get_support()
    array([False, False,  True, False])
    """

    version = 1
    _highest = False

    def __init__(self, n_features: int | float | str = 0.5, n_neighbors: int = 5, supervised: bool = True) -> None:
        self.n_features = n_features
        self.n_neighbors = n_neighbors
        self.supervised = supervised

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        super().check_params()
        check_int(self.n_neighbors, "n_neighbors", minimum=1)
        check_choice(self.supervised, "supervised", (True, False))

    def fit(self, X: object, y: object = None) -> Self:
        """Compute the scores.

        Parameters
        ----------
        X : float ndarray of shape (n_rows, n_features)
            At least two rows.
        y : ndarray of shape (n_rows,)
            Class labels; not read unless `supervised`. One class is as good as none.

        Returns
        -------
        LaplacianScoreSelector

        Raises
        ------
        ParameterError
            If a parameter is not allowed, or `n_features` is more than X has.
        DataError
            If X is no finite two-dimensional array of numbers with two rows, or, if `supervised`, y does not fit it or
            has no class of two rows: no row has an edge.
        """
        self.check_params()
        labels: np.ndarray | None = None
        if self.supervised:
            features, labels = check_training(self, X, y, min_samples=2)
        else:
            features = check_unlabelled(self, X, min_samples=2)
        self._keep(features.shape[1])
        self.scores_ = _scores(features, _edges(features, labels, self.n_neighbors))
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = bool(self.supervised)
        return tags


def _edges(features: np.ndarray, labels: np.ndarray | None, n_neighbors: int) -> Any:
    """Return the weights S as a sparse matrix of shape (n_rows, n_rows)."""
    from scipy.sparse import csr_array
    from scipy.spatial.distance import pdist, squareform

    # Not by way of scalar products: equal distances must come out equal for ties to be seen.
    distances = squareform(pdist(features, "sqeuclidean"))
    allowed = ~np.eye(len(features), dtype=bool)
    if labels is not None:
        allowed &= labels[:, None] == labels
    if not allowed.any():
        raise DataError("no two rows of X have the same label: there is nothing to learn from their differences")
    ranked = np.sort(np.where(allowed, distances, np.inf), axis=1)
    farthest = ranked[:, min(n_neighbors, len(features) - 1) - 1]
    joined = allowed & (distances <= farthest[:, None])
    joined |= joined.T
    scale = distances[joined].mean()
    weights = np.exp(-distances / scale) if scale > 0 else np.ones(distances.shape)
    return csr_array(np.where(joined, weights, 0))


def _scores(features: np.ndarray, weights: Any) -> np.ndarray:
    """Return the Laplacian score of each column."""
    degrees = np.asarray(weights.sum(axis=1)).ravel()
    centred = features - degrees @ features / degrees.sum()
    spread = degrees @ centred**2
    # g^T L g = g^T D g - g^T S g; rounding alone can bring it below 0.
    roughness = np.maximum(spread - (centred * (weights @ centred)).sum(axis=0), 0)
    varies = np.ptp(features[degrees > 0], axis=0) > 0
    scores = np.full(features.shape[1], np.inf)
    return np.divide(roughness, spread, out=scores, where=varies & (spread > 0))
