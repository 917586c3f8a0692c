"""Where long work may keep what it has done so far, so that a killed process goes on from there."""

__all__ = ["checkpoint_folder", "resumable"]

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_folder: ContextVar[Path | None] = ContextVar("microexpr_checkpoint_folder", default=None)


@contextmanager
def resumable(folder: Path | None) -> Iterator[None]:
    """Let the work inside the `with` block keep checkpoints in `folder`; None keeps none."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def checkpoint_folder() -> Path | None:
    """Return the folder for checkpoints, or None where none are wanted."""
    return _folder.get()
