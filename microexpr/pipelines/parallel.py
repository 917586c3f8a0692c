"""The one place where work is spread: over clips by threads, over folds by processes, or over a Dask cluster."""

__all__ = ["check_n_jobs", "cluster", "in_parallel"]

import signal
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs, parallel_config

import microexpr
from microexpr.core.checks import check_int
from microexpr.core.errors import MicroexprError, ParameterError, one_line

_on_cluster: ContextVar[bool] = ContextVar("microexpr_on_cluster", default=False)


def in_parallel(
    function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], *, n_jobs: int, prefer: str
) -> Generator[tuple[int, Any]]:
    """Call `function(*task)` for each task and yield (position, result) as results come; closing it stops the work.

    Parameters
    ----------
    function : callable; importable by name when it runs in other processes
    tasks : iterable of tuples of arguments
    n_jobs : int >= 1, or -1 for all cores; an active cluster uses all its workers whatever it is
    prefer : {"threads", "processes"}
        What runs the tasks unless a cluster does.

    Raises
    ------
    ParameterError
        If `n_jobs` is 0 or below -1.
    MicroexprError
        If a worker process dies.
    """
    check_n_jobs(n_jobs)
    if _on_cluster.get():
        n_jobs = -1
    elif effective_n_jobs(n_jobs) == 1:
        for position, task in enumerate(tasks):
            yield position, function(*task)
        return
    elif prefer == "threads":
        yield from _in_threads(function, tasks, effective_n_jobs(n_jobs))
        return
    calls = (delayed(_numbered)(position, function, task) for position, task in enumerate(tasks))
    # No memory maps: their files outlive a killed run, and estimators that write into their input would fail.
    pool = Parallel(n_jobs=n_jobs, prefer=prefer, return_as="generator_unordered", max_nbytes=None)
    with _interrupts_ignored():
        results = pool(calls)
    # Workers that have grown large (networks make them so) are replaced by new ones, and no job is lost by it.
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given", category=UserWarning)
    try:
        # Not `yield from`: that would close `results` itself, outside the block below that keeps it quiet.
        for result in results:  # noqa: UP028
            yield result
    except BrokenExecutor:
        raise MicroexprError(
            "a worker process died, killed or out of memory; what was done so far is kept, fewer jobs take less memory"
        ) from None
    finally:
        with warnings.catch_warnings():
            # That stopping early wastes work is no news to whoever stops.
            warnings.filterwarnings("ignore", message=".*have been cancelled")
            results.close()


def check_n_jobs(n_jobs: int) -> int:
    """Return `n_jobs` if it is a number of workers or -1."""
    check_int(n_jobs, "n_jobs", minimum=-1)
    if n_jobs == 0:
        raise ParameterError("n_jobs is 0: it must be at least 1, or -1 for all cores")
    return n_jobs


def _in_threads(
    function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], n_threads: int
) -> Generator[tuple[int, Any]]:
    """Run tasks in threads that have ended when this does, whatever stops it.

    Not so joblib's: the interpreter would stop one in the middle of C++ code, which aborts the process.
    """
    left = enumerate(tasks)
    with ThreadPoolExecutor(n_threads) as pool:
        running = {pool.submit(function, *task): position for position, task in islice(left, 2 * n_threads)}
        try:
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    done = running.pop(future)
                    running |= {pool.submit(function, *task): position for position, task in islice(left, 1)}
                    yield done, future.result()
        finally:
            for future in running:
                future.cancel()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let the processes that the block starts inherit deafness to Ctrl-C: it is for us, and we stop them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def cluster(backend: str, scheduler: str | None) -> Iterator[None]:
    """Run what the block spreads on `backend`: "local", or "dask" with the address of its scheduler.

    Raises
    ------
    ParameterError
        If the backend is unknown, or the address is missing or superfluous.
    MicroexprError
        If the extra `dask` is not installed, or no scheduler answers.
    """
    if backend == "local":
        if scheduler is not None:
            raise ParameterError(f"scheduler is {scheduler!r}: only backend 'dask' takes one")
        yield
        return
    if backend != "dask":
        raise ParameterError(f"backend is {backend!r}: it must be one of 'local', 'dask'")
    if scheduler is None:
        raise ParameterError("backend 'dask' needs the scheduler's address, as in --scheduler tcp://127.0.0.1:8786")
    try:
        from distributed import Client
    except ImportError:
        raise MicroexprError("backend 'dask' needs the extra of that name: pip install 'microexpr[dask]'") from None
    try:
        client = Client(scheduler, timeout="10s", set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise MicroexprError(f"no Dask scheduler answers at {scheduler}: {str(error).splitlines()[0]}") from None
    token = _on_cluster.set(True)
    try:
        _check_workers(client, scheduler)
        with client, parallel_config(backend="dask", client=client, wait_for_workers_timeout=10):
            yield
    finally:
        _on_cluster.reset(token)


def _check_workers(client: Any, scheduler: str) -> None:
    """Refuse a cluster whose workers cannot do the work: joblib would wait for them for ever."""
    try:
        found = client.run(_version)
    except Exception as error:  # noqa: BLE001  (whatever a worker answers, it cannot run this package)
        client.close()
        reason = one_line(error)
        raise MicroexprError(f"workers of {scheduler} cannot import microexpr: {reason}") from None
    if not found or set(found.values()) != {_version()}:
        client.close()
        listed = ", ".join(sorted(set(found.values()))) or "no workers"
        raise MicroexprError(f"{scheduler} has {listed}; workers with microexpr {_version()} are needed")


def _version() -> str:
    return microexpr.__version__


def _numbered(position: int, function: Callable[..., Any], task: tuple[Any, ...]) -> tuple[int, Any]:
    return position, function(*task)
