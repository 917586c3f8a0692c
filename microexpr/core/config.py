"""Where things are kept, read from the environment when asked and never at import."""

__all__ = ["cache_folder"]

import os
from pathlib import Path

from microexpr.core.errors import ResultsError


def cache_folder() -> Path:
    """Return the folder of the cache: $MICROEXPR_CACHE, else $XDG_CACHE_HOME/microexpr, else ~/.cache/microexpr.

    Raises
    ------
    ResultsError
        If neither variable is set and the user has no home folder.
    """
    if chosen := os.environ.get("MICROEXPR_CACHE"):
        return Path(chosen)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "microexpr"
    try:
        return Path.home() / ".cache" / "microexpr"
    except RuntimeError:
        raise ResultsError("no cache folder: the user has no home; set MICROEXPR_CACHE to a writable folder") from None
