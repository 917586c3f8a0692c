"""Progress bars with the time left; silent unless a caller, such as the command line, makes them visible."""

__all__ = ["progress", "visible_progress"]

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_visible: ContextVar[bool] = ContextVar("microexpr_progress_visible", default=False)


@contextmanager
def visible_progress() -> Iterator[None]:
    """Show the progress bars of all work done inside the `with` block, on standard error."""
    token = _visible.set(True)
    try:
        yield
    finally:
        _visible.reset(token)


@contextmanager
def progress(description: str, total: int, *, done: int = 0) -> Iterator[Callable[[], None]]:
    """Yield a function to call after each of `total` pieces of work, `done` of which are there already."""
    if not _visible.get() or total == done:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as display:
        task = display.add_task(description, total=total, completed=done)
        yield lambda: display.update(task, advance=1)
