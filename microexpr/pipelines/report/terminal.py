"""What all text in the terminal is printed with: a console, a line, a table."""

__all__ = ["new_console", "new_table", "print_line"]

from rich.console import Console
from rich.table import Table


def new_console() -> Console:
    """Return a console that prints text as it is, and whole where no terminal reads it."""
    # Paths and class names may hold what looks like markup or an emoji.
    console = Console(markup=False, emoji=False, highlight=False)
    # Output that is read by a program or kept in a file must not be cut to 80 columns.
    return console if console.is_terminal else Console(markup=False, emoji=False, highlight=False, width=160)


def new_table(*columns: str) -> Table:
    """Return a table whose figures are never cut off; what does not fit is wrapped."""
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def print_line(console: Console, text: str) -> None:
    """Print a line that a pipe gets whole; a terminal wraps it."""
    console.print(text, soft_wrap=not console.is_terminal)
