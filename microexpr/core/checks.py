"""Checks of scalar arguments; each raises a ParameterError that names the parameter, the value and the rule."""

__all__ = ["check_choice", "check_float", "check_int", "check_int_tuple"]

import math
import numbers
from collections.abc import Iterable

import numpy as np

from microexpr.core.errors import ParameterError


def check_int(value: object, name: str, *, minimum: int | None = None, maximum: int | None = None) -> int:
    """Return `value` as an int.

    Raises
    ------
    ParameterError
        If `value` is no integer or lies outside [minimum, maximum].
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ParameterError(f"{name} is {value!r}: it must be an integer")
    return int(_check_bounds(int(value), name, minimum, maximum))


def check_float(value: object, name: str, *, minimum: float | None = None, maximum: float | None = None) -> float:
    """Return `value` as a finite float.

    Raises
    ------
    ParameterError
        If `value` is no finite number or lies outside [minimum, maximum].
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise ParameterError(f"{name} is {value!r}: it must be a finite number")
    return _check_bounds(float(value), name, minimum, maximum)


def check_choice(value: object, name: str, choices: Iterable[object]) -> object:
    """Return `value` if it is one of `choices`.

    Raises
    ------
    ParameterError
        If it is not; the message lists the choices.
    """
    listed = list(choices)
    if isinstance(value, np.generic):  # as a grid over an array has them
        value = value.item()
    # Compare types too: True == 1 would otherwise pass for the integer.
    if not any(type(value) is type(choice) and value == choice for choice in listed):
        raise ParameterError(f"{name} is {value!r}: it must be one of {', '.join(map(repr, listed))}")
    return value


def check_int_tuple(value: object, name: str, length: int, *, minimum: int | None = None) -> tuple[int, ...]:
    """Return `value` as a tuple of `length` integers.

    Raises
    ------
    ParameterError
        If `value` is no sequence of that length, or an element is no integer >= minimum.
    """
    if isinstance(value, str) or not isinstance(value, Iterable) or len(items := tuple(value)) != length:
        raise ParameterError(f"{name} is {value!r}: it must be a tuple of {length} integers")
    return tuple(check_int(item, f"{name}[{position}]", minimum=minimum) for position, item in enumerate(items))


def _check_bounds(value: float, name: str, minimum: float | None, maximum: float | None) -> float:
    if minimum is not None and value < minimum:
        raise ParameterError(f"{name} is {value!r}: it must be at least {minimum}")
    if maximum is not None and value > maximum:
        raise ParameterError(f"{name} is {value!r}: it must be at most {maximum}")
    return value
