"""How many features a selector keeps: a number of them, a share, or all."""

__all__ = ["check_count", "count_features"]

import numbers

from microexpr.core.checks import check_float, check_int
from microexpr.core.errors import ParameterError


def check_count(n_features: object) -> None:
    """Raise a ParameterError unless n_features is an int > 0, a share in (0, 1] or "all"."""
    if isinstance(n_features, str):
        if n_features != "all":
            raise ParameterError(f"n_features is {n_features!r}: as a string it must be 'all'")
    elif isinstance(n_features, numbers.Integral):
        check_int(n_features, "n_features", minimum=1)
    elif check_float(n_features, "n_features", maximum=1.0) <= 0:
        raise ParameterError(f"n_features is {n_features!r}: a share must be greater than 0")


def count_features(n_features: int | float | str, available: int) -> int:
    """Return how many of the available features are kept; a share is rounded, halves to even, and keeps at least one.

    Raises a ParameterError if there are fewer than asked for.
    """
    if isinstance(n_features, str):
        return available
    if not isinstance(n_features, numbers.Integral):
        return max(1, round(float(n_features) * available))
    if n_features > available:
        raise ParameterError(f"n_features is {n_features}: it must be at most {available}, the features of X")
    return int(n_features)
