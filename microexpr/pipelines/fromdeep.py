"""What only the extra `deep` provides, taken when it is called for."""

__all__ = ["from_deep"]

from typing import Any

from microexpr.core.errors import MicroexprError


def from_deep(name: str) -> Any:
    """Return a class or function of `microexpr.deep` by name.

    Raises
    ------
    MicroexprError
        If the extra `deep` is not installed.
    """
    try:
        from microexpr import deep

        return getattr(deep, name)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "skorch"):
            raise
        raise MicroexprError("networks need the extra `deep`: pip install 'microexpr[deep]'") from None
