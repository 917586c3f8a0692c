"""What a run ran on: versions, machine, commit."""

__all__ = ["provenance", "versions"]

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import microexpr

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "numba", "opencv-contrib-python-headless", "joblib", "pandas", "torch")


def versions() -> dict[str, str]:
    """Return the versions of microexpr, Python and the libraries whose code makes the numbers."""
    found = {"microexpr": microexpr.__version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def provenance() -> dict[str, object]:
    """Return versions, machine, number of cores, commit of the source (where it is a checkout) and time."""
    return {
        "versions": versions(),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "commit": _commit(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _commit() -> str | None:
    """Return the commit of the checkout this package runs from; None for an installed package."""
    root = Path(microexpr.__file__).parent.parent
    if not (root / ".git").exists():
        return None
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None
