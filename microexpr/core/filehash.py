"""The content digest of files, remembered under their path, size and time so that unchanged files are read once."""

__all__ = ["content_digest"]

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from microexpr.core.atomic import write_atomic
from microexpr.core.config import cache_folder
from microexpr.core.digest import digest
from microexpr.core.errors import DataError, ResultsError

# Hashing a file this small costs no more than looking its digest up.
_SMALL = 65536


def content_digest(paths: Sequence[str]) -> str:
    """Return a digest of the files' contents in order; it does not depend on where they lie or what they are called.

    The digest is remembered in the cache folder under (absolute path, size, modification time) of every file.

    Raises
    ------
    DataError
        If a file cannot be read.
    """
    try:
        stats = [os.stat(path) for path in paths]
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}") from None
    if sum(stat.st_size for stat in stats) <= _SMALL:
        return _hash(paths)
    identity = [
        [os.path.abspath(path), stat.st_size, stat.st_mtime_ns] for path, stat in zip(paths, stats, strict=True)
    ]
    memory = _memory(digest(identity))
    try:
        remembered = memory.read_text()
    except OSError:
        remembered = ""
    if len(remembered) == 64:
        return remembered
    computed = _hash(paths)
    try:
        write_atomic(memory, computed.encode())
    except ResultsError:
        # Remembering only saves time; a cache that cannot be written is reported where it must be.
        return computed
    return computed


def _memory(key: str) -> Path:
    return cache_folder() / "contents" / key[:2] / f"{key}.txt"


def _hash(paths: Sequence[str]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        try:
            with open(path, "rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}") from None
    return whole.hexdigest()
