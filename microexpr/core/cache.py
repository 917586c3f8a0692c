"""Arrays kept on disk under explicit keys, one file an array, safe to share between processes and to kill."""

__all__ = ["ArrayCache", "feature_cache", "motion_cache"]

import contextlib
import io
import os
from pathlib import Path

import numpy as np

from microexpr.core.atomic import remove_stale, write_atomic
from microexpr.core.config import cache_folder
from microexpr.core.errors import ResultsError


class ArrayCache:
    """A folder of arrays, each under a hexadecimal key.

    Parameters
    ----------
    folder : path
        Created at the first write. Keys spread over 256 subfolders by their first two digits.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def path(self, key: str) -> Path:
        """Return the file that holds `key`, whether or not it exists."""
        return self.folder / key[:2] / f"{key}.npy"

    def get(self, key: str) -> np.ndarray | None:
        """Return the array kept under `key`, or None if there is none or its file is damaged."""
        try:
            content = self.path(key).read_bytes()
        except OSError:
            return None
        try:
            return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
        except (ValueError, EOFError, SyntaxError):
            # A file that a failing disk cut short counts as missing: it is computed again and replaced.
            return None

    def put(self, key: str, array: np.ndarray) -> None:
        """Keep `array` under `key`.

        Raises
        ------
        ResultsError
            If the folder cannot be written.
        """
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.asarray(array, order="C"), allow_pickle=False)
        try:
            write_atomic(self.path(key), buffer.getvalue())
        except ResultsError as error:
            raise ResultsError(f"{error}; MICROEXPR_CACHE names another folder for the cache") from error


def feature_cache() -> ArrayCache:
    """Return the cache of features in the user's cache folder, freed of what killed processes left in that folder."""
    root = cache_folder()
    for kind in ("features", "contents", "motion"):
        with contextlib.suppress(OSError), os.scandir(root / kind) as entries:
            for entry in entries:
                remove_stale(Path(entry.path))
    return ArrayCache(root / "features")


def motion_cache() -> ArrayCache:
    """Return the cache of optical flow, which several features are computed from, in the user's cache folder."""
    return ArrayCache(cache_folder() / "motion")
