"""Where things are kept, read from the environment when asked and never at import."""

__all__ = ["cache_folder"]

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of the cache: $MICROEXPR_CACHE, else $XDG_CACHE_HOME/microexpr, else ~/.cache/microexpr."""
    if chosen := os.environ.get("MICROEXPR_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "microexpr"
