"""Parameters as users type them, `lbptop__blocks=(8,8,1)`, read as Python literals and nothing else."""

__all__ = ["parse_settings"]

import ast
from collections.abc import Sequence
from typing import Any

from microexpr.core.errors import ParameterError


def parse_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Read `name=value` texts; a value that is no Python literal is taken as a string.

    Raises
    ------
    ParameterError
        If a text has no `=` or no name, or a name comes twice.

    Examples
    --------
    >>> parse_settings(["svc__C=0.01", "lbptop__blocks=(8, 8, 1)", "flowmap__method=dis"])
    {'svc__C': 0.01, 'lbptop__blocks': (8, 8, 1), 'flowmap__method': 'dis'}
    """
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise ParameterError(f"setting is {text!r}: it must be written name=value, as in svc__C=0.01")
        if name in settings:
            raise ParameterError(f"setting {name!r} is given twice")
        try:
            settings[name] = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            settings[name] = value.strip()
    return settings
