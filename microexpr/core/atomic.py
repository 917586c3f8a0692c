"""Files that appear whole or not at all: written under a temporary name in the same folder, then renamed."""

__all__ = ["remove_stale", "write_atomic"]

import contextlib
import os
import re
import socket
import threading
import time
from pathlib import Path

from microexpr.core.errors import ResultsError

_MARK = ".part-"
_OWNER = re.compile(r"(?P<host>.+)-(?P<pid>\d+)-\d+")
# Whether a process of another machine is alive cannot be told; no file takes this long to write.
_LONGEST_WRITE = 86400.0


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
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ResultsError(f"cannot write {path}: {error.strerror or error}") from error
        raise


def remove_stale(folder: Path, *, name: str = "") -> int:
    """Remove the temporary files that killed processes left in `folder`; return how many.

    Those of this machine go if their process is gone, and whatever is a day old. `name` restricts it to those of one
    file, where the folder is the user's own.
    """
    removed = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            its_name, mark, owner = entry.name.rpartition(_MARK)
            if mark and name in ("", its_name) and _is_stale(entry, owner):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)
                    removed += 1
    return removed


def _is_stale(entry: os.DirEntry[str], owner: str) -> bool:
    """Whether no living process can be writing the file any more."""
    match = _OWNER.fullmatch(owner)
    if match is None:
        return False
    if match["host"] == socket.gethostname() and not _is_alive(int(match["pid"])):
        return True
    try:
        return time.time() - entry.stat().st_mtime > _LONGEST_WRITE
    except OSError:
        return False


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
