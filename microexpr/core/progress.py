"""Progress bars with the time left; silent unless a caller, such as the command line, makes them visible."""

__all__ = ["progress", "visible_progress"]

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_visible: ContextVar[bool] = ContextVar("microexpr_progress_visible", default=False)
_display: ContextVar[Any] = ContextVar("microexpr_progress_display", default=None)


@contextmanager
def visible_progress() -> Iterator[None]:
    """Show the progress bars of all work done inside the `with` block, on standard error."""
    token = _visible.set(True)
    try:
        yield
    finally:
        _visible.reset(token)


@contextmanager
def progress(description: str, total: int, *, done: int = 0) -> Iterator[Callable[..., None]]:
    """Yield a function to call after each of `total` pieces of work, `done` of which are there already.

    The function takes what the bar shall say beside the description, losses for instance. A bar inside the work of
    another one stands below it and goes when its work is done.
    """
    if not _visible.get() or total == done:
        yield _ignore
        return
    outer = _display.get()
    if outer is not None:
        task, advance = _bar(outer, description, total, done)
        try:
            yield advance
        finally:
            outer.remove_task(task)
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
        token = _display.set(display)
        try:
            yield _bar(display, description, total, done)[1]
        finally:
            _display.reset(token)


def _ignore(text: str = "") -> None:
    """Advance a bar that is not shown."""


def _bar(display: Any, description: str, total: int, done: int) -> tuple[Any, Callable[..., None]]:
    task = display.add_task(description, total=total, completed=done)

    def advance(text: str = "") -> None:
        display.update(task, advance=1, description=f"{description} {text}".strip())

    return task, advance
