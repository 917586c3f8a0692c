"""What this machine offers: versions, cores, threads, GPU, and whether the folders can be written."""

__all__ = ["examine"]

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from joblib import effective_n_jobs

from microexpr.core.config import cache_folder
from microexpr.pipelines.provenance import versions


def examine() -> list[tuple[str, str, bool]]:
    """Return (what, what was found, whether it is in order) for each thing that long work depends on."""
    found = versions()
    rows = [(name, version, True) for name, version in found.items()]
    rows.append(("machine", f"{platform.system()} {platform.release()} {platform.machine()}", True))
    rows.append(("cores", f"{os.cpu_count()}, of which usable {effective_n_jobs(-1)}", True))
    rows.append(_threads())
    rows.append(("GPU", f"{_gpu()}; {_use_of_gpu(found.get('torch'))}", True))
    rows.append(_folder("cache", cache_folder()))
    rows.append(_folder("current folder", Path.cwd()))
    rows.append(_folder("temporary folder", Path(tempfile.gettempdir())))
    return rows


def _threads() -> tuple[str, str, bool]:
    import numpy  # noqa: F401  (loads the libraries that are asked)
    from threadpoolctl import threadpool_info

    pools = [f"{pool['internal_api']} {pool['num_threads']}" for pool in threadpool_info()]
    return "threads", f"{', '.join(pools) or 'no pool'}; folds run with one each", True


def _gpu() -> str:
    """Ask the driver's own tool: this package imports torch nowhere outside its networks."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "none found (no nvidia-smi)"
    try:
        answer = subprocess.run([tool, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        return f"nvidia-smi does not answer ({error})"
    return answer.stdout.decode().strip().replace("\n", ", ") or "none found"


def _use_of_gpu(torch_version: str | None) -> str:
    if torch_version is None:
        return "networks need the extra deep, which is not installed: pip install 'microexpr[deep]'"
    return f"torch {torch_version} is installed: networks use a GPU where PyTorch finds one"


def _folder(what: str, folder: Path) -> tuple[str, str, bool]:
    """Try to write in a folder, or in the nearest parent that exists."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return what, f"{folder}: cannot be written ({error.strerror})", False
    usage = os.statvfs(existing)
    free = usage.f_bavail * usage.f_frsize / 2**30
    return what, f"{folder}: writable, {free:.1f} GiB free", True
