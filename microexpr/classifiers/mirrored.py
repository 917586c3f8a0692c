"""Mirrored copies of flow maps in the training set."""

__all__ = ["MirroredTraining", "mirror_maps"]

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from microexpr.classifiers._inner import check_classifier, fit_inner, inner_has
from microexpr.classifiers.mapscaling import as_maps, check_size
from microexpr.core.training import check_beside, check_classes, check_domain


def mirror_maps(X: object, *, size: int | None = None) -> np.ndarray:
    """Mirror flow maps: flip each left to right and take 255 - u, as motion to the left becomes motion to the right.

    Parameters
    ----------
    X : array of shape (n_maps, size * size * 3), values 0..255
        In the order (row, column, channel) with channels u, v, strain, as `FlowMap` gives them.
    size : int > 0, in pixels, or None
        Height and width of the maps; None takes it from the width of X.

    Returns
    -------
    float64 ndarray of shape (n_maps, size * size * 3)

    Raises
    ------
    ParameterError
        If `size` is not allowed.
    DataError
        If X is no such array.

    Notes
    -----
    A map stretches its least u to 0 and its greatest to 255. On the mirrored face least and greatest change places and
    sign, so that u becomes 255 - u; v and strain only change places.

    Examples
    --------
    >>> mirror_maps([[10, 1, 2, 20, 3, 4, 30, 5, 6, 40, 7, 8]]).astype(int).tolist()
    [[235, 3, 4, 245, 1, 2, 215, 7, 8, 225, 5, 6]]
    """
    maps = as_maps(X, size)[:, :, ::-1].copy()
    maps[..., 0] = 255.0 - maps[..., 0]
    return maps.reshape(len(maps), -1)


class MirroredTraining(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """Fit a classifier on flow maps and their mirror images; predict each map alone.

    The copies follow the maps, with the same classes, and belong to the same subjects: `groups` and `domain`, where the
    classifier requests them, are doubled too, so that folds inside the training set keep a map and its copy together.

    Parameters
    ----------
    estimator : classifier
    size : int > 0, in pixels, or None
        Height and width of the maps; rows of X are (size * size * 3,), values 0..255, as `FlowMap` gives them. None
        takes it from the width of X in `fit`.

    Attributes
    ----------
    estimator_ : the fitted classifier
    size_ : int
        Height and width of the maps of `fit`.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
        size_ * size_ * 3

    Raises
    ------
    ParameterError
        From `fit`, if `estimator` is no classifier or `size` is not allowed.
    DataError
        If X is no such array. From `fit`, if y, `groups` or `domain` is not one value a map, y has one class, or
        `domain` holds other than 0 and 1.

    Notes
    -----
    A step that scales maps belongs inside, as the first step of a Pipeline: mirroring takes raw maps.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> maps = np.random.default_rng(0).integers(0, 256, (4, 28 * 28 * 3))
    >>> model = MirroredTraining(KNeighborsClassifier(1)).fit(maps, ["negative", "positive", "surprise", "surprise"])
    >>> model.predict(mirror_maps(maps)).tolist()
    ['negative', 'positive', 'surprise', 'surprise']
    """

    version = 1
    __metadata_request__fit: ClassVar = {"groups": True, "domain": True}

    def __init__(self, estimator: Any, size: int | None = None) -> None:
        self.estimator = estimator
        self.size = size

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        check_classifier(self.estimator, "estimator", scores=False)
        check_size(self.size)

    def fit(self, X: object, y: object, groups: object = None, domain: object = None) -> Self:
        """Learn from the maps X, array of shape (n_maps, size * size * 3), and their mirror images."""
        self.check_params()
        maps = as_maps(X, self.size)
        labels = check_beside(y, "y", len(maps))
        check_classes(labels)
        known = {
            "groups": None if groups is None else check_beside(groups, "groups", len(maps)),
            "domain": check_domain(domain, len(maps)),
        }
        self.size_ = maps.shape[1]
        self.n_features_in_ = self.size_ * self.size_ * 3
        rows = maps.reshape(len(maps), -1)
        doubled = {name: None if values is None else np.tile(values, 2) for name, values in known.items()}
        both = np.concatenate([rows, mirror_maps(rows, size=self.size_)])
        self.estimator_ = fit_inner(self.estimator, both, np.tile(labels, 2), **doubled)
        return self

    def predict(self, X: object) -> np.ndarray:
        """Return the class of each map."""
        return np.asarray(self._fitted.predict(self._rows(X)))

    @available_if(inner_has("predict_proba"))
    def predict_proba(self, X: object) -> np.ndarray:
        """Return the classifier's probabilities, float64 of shape (n_maps, n_classes)."""
        return np.asarray(self._fitted.predict_proba(self._rows(X)))

    @available_if(inner_has("decision_function"))
    def decision_function(self, X: object) -> np.ndarray:
        """Return the classifier's decision values, float64 of shape (n_maps, n_classes), of two classes (n_maps,)."""
        return np.asarray(self._fitted.decision_function(self._rows(X)))

    @property
    def classes_(self) -> np.ndarray:
        """The classes of the training set, sorted."""
        return np.asarray(self.estimator_.classes_)

    @property
    def _fitted(self) -> Any:
        check_is_fitted(self)
        return self.estimator_

    def _rows(self, X: object) -> np.ndarray:
        maps = as_maps(X, self.size_)
        return maps.reshape(len(maps), -1)
