"""Optical flow between two frames."""

__all__ = ["FLOW_METHODS", "optical_flow", "resize_flow"]

import numpy as np

from microexpr.core.checks import check_choice, check_int_tuple
from microexpr.core.errors import DataError

FLOW_METHODS = ("tvl1", "farneback", "dis")


def optical_flow(first: np.ndarray, second: np.ndarray, *, method: str = "tvl1") -> np.ndarray:
    """Estimate where each pixel of `first` is in `second`.

    Parameters
    ----------
    first, second : uint8 ndarray of shape (height, width)
        Grey frames of one size, at least 8 x 8 pixels.
    method : {"tvl1", "farneback", "dis"}
        Dual TV-L1 [1]_, polynomial expansion [2]_ or dense inverse search [3]_, all as OpenCV computes them
        with its own default parameters (`farneback`: scale 0.5, 3 levels, window 15, 3 iterations,
        neighbourhood 5, sigma 1.2; `dis`: preset medium).

    Returns
    -------
    float64 ndarray of shape (height, width, 2)
        u (to the right) and v (downwards), in pixels.

    Raises
    ------
    DataError
        If the frames are not grey uint8 frames of one size, or smaller than 8 x 8.
    ParameterError
        If the method is unknown.

    References
    ----------
    .. [1] C. Zach, T. Pock, H. Bischof, "A duality based approach for realtime TV-L1 optical flow", DAGM, 2007.
    .. [2] G. Farneback, "Two-frame motion estimation based on polynomial expansion", SCIA, 2003.
    .. [3] T. Kroeger, R. Timofte, D. Dai, L. Van Gool, "Fast optical flow using dense inverse search", ECCV, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> frame = np.random.default_rng(0).integers(0, 255, (40, 40), dtype=np.uint8)
    >>> optical_flow(frame, frame, method="dis").shape
    (40, 40, 2)
    """
    check_choice(method, "method", FLOW_METHODS)
    for name, frame in (("first", first), ("second", second)):
        if not isinstance(frame, np.ndarray) or frame.ndim != 2 or frame.dtype != np.uint8:
            raise DataError(f"{name} is no grey uint8 frame; optical flow needs an array of shape (height, width)")
    if first.shape != second.shape or min(first.shape) < 8:
        raise DataError(
            f"frames of shape {first.shape} and {second.shape}; optical flow needs one size of at least 8 x 8 pixels"
        )
    import cv2

    first, second = np.ascontiguousarray(first), np.ascontiguousarray(second)
    if method == "tvl1":
        flow = cv2.optflow.createOptFlow_DualTVL1().calc(first, second, None)
    elif method == "farneback":
        flow = cv2.calcOpticalFlowFarneback(first, second, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    else:
        flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(first, second, None)
    return np.asarray(flow, dtype=np.float64)


def resize_flow(flow: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a flow field, its vectors scaled with it.

    Parameters
    ----------
    flow : float ndarray of shape (height, width, 2), in pixels
    size : (height, width), ints > 0

    Returns
    -------
    float64 ndarray of shape (*size, 2)
        In pixels of the new size. Shrinking averages over the area, enlarging interpolates linearly.

    Raises
    ------
    ParameterError
        If `size` is not allowed.
    DataError
        If `flow` has another shape, or holds NaN or infinity.
    """
    import cv2

    rows, columns = check_int_tuple(size, "size", 2, minimum=1)
    if flow.ndim != 3 or flow.shape[2] != 2 or not flow.size:
        raise DataError(f"flow has shape {flow.shape}; it must be (height, width, 2)")
    if not np.isfinite(flow).all():
        raise DataError("flow holds NaN or infinity")
    height, width = flow.shape[:2]
    shrinks = rows <= height and columns <= width
    resized = cv2.resize(
        np.asarray(flow, np.float64),
        (columns, rows),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
    )
    return np.asarray(resized * np.array([columns / width, rows / height]))
