"""The spotting methods by name."""

__all__ = ["SPOTTERS", "build_spotter", "with_params"]

from collections.abc import Mapping
from importlib import import_module

from microexpr.core.checks import check_choice
from microexpr.core.errors import ParameterError, join_names
from microexpr.spotting.method import SpottingMethod

#: Name -> module and class of each method; a module is imported when its method is asked for.
SPOTTERS: dict[str, tuple[str, str]] = {
    "flow": ("flow", "FlowSpotter"),
    "strain": ("strain", "OpticalStrain"),
    "mdmd": ("mdmd", "MDMD"),
    "lbp": ("lbpchi", "LBPDistance"),
}


def build_spotter(name: str, **params: object) -> SpottingMethod:
    """Return the spotting method of that name.

    Parameters
    ----------
    name : str
    **params
        The method's own, `threshold` above all.

    Raises
    ------
    ParameterError
        If there is no such method or parameter, or a value is not allowed.

    Examples
    --------
    >>> build_spotter("flow", threshold=8.0)
    FlowSpotter(threshold=8.0)
    """
    check_choice(name, "method", tuple(SPOTTERS))
    module, class_name = SPOTTERS[name]
    return with_params(getattr(import_module(f"microexpr.spotting.{module}"), class_name)(), params)


def with_params(method: SpottingMethod, params: Mapping[str, object]) -> SpottingMethod:
    """Set parameters of a method and return it.

    Raises
    ------
    ParameterError
        If there is no such parameter, or a value is not allowed.
    """
    if unknown := [param for param in params if param not in method.get_params()]:
        raise ParameterError(
            f"{method.name} has no parameter {join_names(unknown)}; it has {join_names(method.get_params(), 20)}"
        )
    method.set_params(**params)
    method.check_params()
    return method
