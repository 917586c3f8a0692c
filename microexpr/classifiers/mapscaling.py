"""Flow maps brought to one contrast and smoothed, each on its own."""

__all__ = ["MapScaling", "as_maps", "check_size"]

import math
from typing import Any, Self

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.base import BaseEstimator, TransformerMixin

from microexpr.core.checks import check_float, check_int
from microexpr.core.errors import DataError


class MapScaling(TransformerMixin, BaseEstimator):
    """Scale, centre and blur flow maps; row i of the result depends on row i alone.

    For each channel c of each map: 1. x_c / |x_c|, the Euclidean length over all pixels, so that each channel has unit
    length; a channel of zeros stays. 2. Minus its mean over the pixels. 3. Gaussian blur.

    Parameters
    ----------
    size : int > 0, in pixels, or None
        Height and width of the maps; None takes it from the width of X.
    sigma : float >= 0, in pixels
        Standard deviation of the blur, cut off at 4 sigma, the map reflected at its border (its edge pixels repeated).
        0 leaves it out.

    Notes
    -----
    X is of shape (n_maps, size * size * 3), values 0..255, in the order (row, column, channel) as `FlowMap` gives
    them; so is the float64 result. Nothing is learned.

    The method `flow-rbf` comes with a sentence and no program: "scaled to unit length per clip and channel-centred,
    Gaussian blur sigma 1". It is read here as: unit length for each clip and channel; then centred; then blurred. The
    border is our choice.

    Examples
    --------
    >>> import numpy as np
    >>> maps = np.random.default_rng(0).integers(0, 256, (2, 28 * 28 * 3))
    >>> scaled = MapScaling().transform(maps)
    >>> scaled.shape, bool(abs(scaled.reshape(2, -1, 3).mean(axis=1)).max() < 1e-12)
    ((2, 2352), True)
    """

    version = 1

    def __init__(self, size: int | None = None, sigma: float = 1.0) -> None:
        self.size = size
        self.sigma = sigma

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        check_size(self.size)
        check_float(self.sigma, "sigma", minimum=0.0)

    def fit(self, X: object = None, y: object = None) -> Self:
        """Check the parameters; nothing is learned."""
        self.check_params()
        return self

    def transform(self, X: object) -> np.ndarray:
        """Return the scaled maps, float64 of shape (n_maps, size * size * 3).

        Raises
        ------
        ParameterError
            If a parameter is not allowed.
        DataError
            If X is no array of such maps.
        """
        self.check_params()
        maps = as_maps(X, self.size)
        length = np.sqrt(np.square(maps).sum(axis=(1, 2), keepdims=True))
        scaled = maps / np.where(length > 0, length, 1.0)
        scaled -= scaled.mean(axis=(1, 2), keepdims=True)
        blurred = gaussian_filter(scaled, sigma=(0, self.sigma, self.sigma, 0)) if self.sigma > 0 else scaled
        return np.asarray(blurred).reshape(len(maps), -1)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


def check_size(size: object) -> None:
    """Check the size of flow maps, None where their width tells it.

    Raises
    ------
    ParameterError
        If `size` is neither None nor an integer > 0.
    """
    if size is not None:
        check_int(size, "size", minimum=1)


def as_maps(X: object, size: int | None = None) -> np.ndarray:
    """Return rows of flow maps as float64 of shape (n_maps, size, size, 3).

    Parameters
    ----------
    X : array of shape (n_maps, size * size * 3), values 0..255
    size : int > 0, in pixels, or None
        None takes it from the width of X.

    Raises
    ------
    ParameterError
        If `size` is neither None nor an integer > 0.
    DataError
        If X is not of shape (n_maps, size * size * 3), or holds values outside 0..255.

    Examples
    --------
    >>> as_maps([range(12)])[0, 0, 1].tolist()
    [3.0, 4.0, 5.0]
    """
    check_size(size)
    try:
        rows = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("X is no array of numbers; rows of flow maps are needed") from None
    if rows.ndim != 2:
        raise DataError(f"X has shape {rows.shape}: flow maps are rows, (n_maps, size * size * 3)")
    side = math.isqrt(rows.shape[1] // 3) if size is None else size
    if side < 1 or rows.shape[1] != side * side * 3:
        rule = "size * size * 3), size an integer > 0" if size is None else f"{size * size * 3}) of size {size}"
        raise DataError(f"X has shape {rows.shape}: flow maps are (n_maps, {rule}")
    # Written so that NaN fails too.
    if not ((rows >= 0) & (rows <= 255)).all():
        raise DataError("X holds values outside 0..255: raw flow maps are needed, not scaled ones")
    return rows.reshape(-1, side, side, 3)
