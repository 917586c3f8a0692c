"""Optical strain: how much a flow field stretches and shears the skin."""

__all__ = ["optical_strain"]

import numpy as np

from microexpr.core.errors import DataError


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
        If `flow` has another shape or is smaller than 2 x 2.

    Notes
    -----
    Derivatives are central differences inside and one-sided ones at the border (`numpy.gradient`); [1]_ leaves
    the scheme open.

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
    flow = np.asarray(flow, np.float64)
    if flow.ndim != 3 or flow.shape[2] != 2 or min(flow.shape[:2]) < 2:
        raise DataError(f"flow has shape {flow.shape}; it must be (height, width, 2) with at least 2 x 2 pixels")
    u_y, u_x = np.gradient(flow[..., 0])
    v_y, v_x = np.gradient(flow[..., 1])
    return np.asarray(np.sqrt(u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 2))
