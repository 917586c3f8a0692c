"""Flow maps as the networks take them: rows of (row, column, channel) become images of three channels."""

import numpy as np

from microexpr.core.errors import DataError


def as_maps(X: np.ndarray, size: int | None = None) -> np.ndarray:
    """Return maps of shape (n, 3, size, size) from rows (n, size * size * 3) or maps (n, size, size, 3).

    Raises
    ------
    DataError
        If X has another shape, or `size` is given and the maps have another.
    """
    flat = X.reshape(len(X), -1)
    side = round((flat.shape[1] / 3) ** 0.5)
    if X.ndim not in (2, 4) or 3 * side * side != flat.shape[1] or (X.ndim == 4 and X.shape[1:] != (side, side, 3)):
        raise DataError(
            f"X has shape {X.shape}: it must be flow maps, (n_clips, size * size * 3) or (.., size, size, 3)"
        )
    if size is not None and side != size:
        raise DataError(f"X holds maps of {side} x {side}: this network takes {size} x {size}")
    return np.moveaxis(flat.reshape(-1, side, side, 3), 3, 1)
