"""How commands end: on an interruption, on failures, with one line each."""

__all__ = ["fail", "quit_with", "stoppable"]

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import typer


@contextmanager
def stoppable(consequence: str) -> Iterator[None]:
    """End with one line, not a traceback, when the user interrupts what the block does."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"stopped; {consequence}", err=True)
        raise typer.Exit(130) from None


def fail(failures: Mapping[str, str]) -> None:
    """Print one line for each reason, whatever it concerns, and exit with 1 if there are any."""
    for reason in dict.fromkeys(failures.values()):
        names = ", ".join(name for name, its_reason in failures.items() if its_reason == reason)
        typer.echo(f"error: {names}: {_one_line(reason.removeprefix(f'{names}: '))}", err=True)
    if failures:
        raise typer.Exit(1)


def quit_with(reason: str) -> None:
    typer.echo(f"error: {_one_line(reason)}", err=True)
    sys.exit(1)


def _one_line(reason: str) -> str:
    return " ".join(reason.split())
