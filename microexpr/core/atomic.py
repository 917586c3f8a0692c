"""Files that appear whole or not at all: written under a temporary name in the same folder, then renamed."""

__all__ = ["remove_stale", "write_atomic"]

import contextlib
import os
import socket
import threading
from pathlib import Path

from microexpr.core.errors import ResultsError

_MARK = ".part-"


def write_atomic(path: Path, content: bytes) -> None:
    """Write `content` to `path`, replacing what is there, so that no reader ever sees half of it.

    Raises
    ------
    ResultsError
        If the folder cannot be written (read-only, full, no permission); nothing is left behind then.
    """
    # Host, process and thread: parallel writers of one path must not share a temporary name.
    name = f"{path.name}{_MARK}{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
    temporary = path.with_name(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise ResultsError(f"cannot write {path}: {error.strerror or error}") from error


def remove_stale(folder: Path) -> int:
    """Remove the temporary files that killed processes of this machine left in `folder`; return how many."""
    removed = 0
    prefix = f"{socket.gethostname()}-"
    for path in folder.glob(f"*{_MARK}*"):
        owner = path.name.rpartition(_MARK)[2]
        if not owner.startswith(prefix):
            continue
        pid = owner.removeprefix(prefix).split("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            with contextlib.suppress(OSError):
                path.unlink()
                removed += 1
    return removed


def _is_alive(pid: int) -> bool:
    if pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
