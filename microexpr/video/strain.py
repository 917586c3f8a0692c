"""Optical strain: how much a flow field stretches and shears the skin."""

__all__ = ["optical_strain"]

import numpy as np

from microexpr.core.errors import DataError

# Squares of larger values could overflow.
_LARGEST = 1e100


def optical_strain(flow: np.ndarray) -> np.ndarray:
    """Compute the magnitude of the infinitesimal strain tensor of a flow field.

    e = (grad w + grad w^T) / 2 for w = (u, v);
    magnitude = sqrt(e_xx^2 + e_yy^2 + e_xy^2 + e_yx^2) = sqrt(u_x^2 + v_y^2 + (u_y + v_x)^2 / 2).

    Parameters
    ----------
    flow : float ndarray of shape (height, width, 2)
        u and v in pixels; at least 2 x 2 pixels.

    Returns
    -------
    float64 ndarray of shape (height, width)
        Dimensionless, >= 0.

    Raises
    ------
    DataError
        If `flow` is no array of numbers, has another shape, is smaller than 2 x 2, or holds NaN, infinity or values
        beyond 1e100.

    Notes
    -----
    Derivatives are central differences inside and one-sided ones at the border (`numpy.gradient`); [1]_ leaves
    the scheme open. There is no compiled loop, as a few operations on whole arrays are all there is to do, once for
    each flow field.

    References
    ----------
    .. [1] M. Shreve, S. Godavarthy, D. Goldgof, S. Sarkar, "Macro- and micro-expression spotting in long videos
       using spatio-temporal strain", FG, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> row, column = np.mgrid[:5, :6].astype(float)
    >>> stretched = np.stack([0.3 * column, 0.4 * row], axis=-1)
    >>> float(optical_strain(stretched)[2, 2].round(6))
    0.5
    """
    try:
        given = np.asarray(flow)
    except ValueError:
        raise DataError("flow is no array of shape (height, width, 2)") from None
    if given.dtype.kind not in "uif":
        raise DataError(f"flow of dtype {given.dtype} is no array of numbers")
    flow = given.astype(np.float64, copy=False)
    if flow.ndim != 3 or flow.shape[2] != 2 or min(flow.shape[:2]) < 2:
        raise DataError(f"flow has shape {flow.shape}; it must be (height, width, 2) with at least 2 x 2 pixels")
    if not (flow.min() >= -_LARGEST and flow.max() <= _LARGEST):
        raise DataError(f"flow holds NaN, infinity or values beyond {_LARGEST:g}")
    u_y, u_x = np.gradient(flow[..., 0])
    v_y, v_x = np.gradient(flow[..., 1])
    return np.asarray(np.sqrt(u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 2))
