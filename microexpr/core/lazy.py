"""Public names of a package, imported at first use (PEP 562), so that importing the package stays cheap."""

__all__ = ["lazy_names"]

from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_names(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for a package whose public `names` live in the given modules."""

    def get(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(names[name]), name)

    def listing() -> list[str]:
        return sorted(names)

    return get, listing
