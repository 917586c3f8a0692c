"""The spotting methods by name, those that learn among them."""

__all__ = ["LEARNED_SPOTTERS", "all_spotters", "build_any_spotter", "spotter_summary"]

import inspect
import re
from importlib import import_module

from microexpr.core.checks import check_choice
from microexpr.spotting import SPOTTERS, SpottingMethod, build_spotter
from microexpr.spotting.methods import with_params

#: Name -> module and class of each method that learns: made of features and classifiers, so it lives in `pipelines`.
LEARNED_SPOTTERS: dict[str, tuple[str, str]] = {"gentlesvm": ("framespotting", "FrameLabels")}


def all_spotters() -> tuple[str, ...]:
    """Return the names of all spotting methods."""
    return (*SPOTTERS, *LEARNED_SPOTTERS)


def build_any_spotter(name: str, **params: object) -> SpottingMethod:
    """Return the spotting method of that name, one that learns unfitted.

    Parameters
    ----------
    name : str
        As `all_spotters` lists them.
    **params
        The method's own.

    Raises
    ------
    ParameterError
        If there is no such method or parameter, or a value is not allowed.

    Examples
    --------
    >>> build_any_spotter("gentlesvm", pool=12).is_learned, build_any_spotter("flow").is_learned
    (True, False)
    """
    check_choice(name, "method", all_spotters())
    if name in SPOTTERS:
        return build_spotter(name, **params)
    module, class_name = LEARNED_SPOTTERS[name]
    return with_params(getattr(import_module(f"microexpr.pipelines.{module}"), class_name)(), params)


def spotter_summary(name: str) -> str:
    """Return what a spotting method does, in one sentence.

    Examples
    --------
    >>> spotter_summary("flow")
    'Spot expressions by optical flow against the head.'
    """
    described = inspect.getdoc(type(build_any_spotter(name))) or ""
    return re.sub(r" \[\d+\]_", "", described.partition("\n\n")[0]).replace("\n", " ")
