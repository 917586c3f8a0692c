"""The commands. Each reads its arguments, calls one function of the package and prints what it returns."""

__all__ = ["app", "main"]

import typer

from microexpr.cli import comparing, describing, modelling, preparing, watching
from microexpr.cli._ending import quit_with
from microexpr.core.errors import MicroexprError

app = typer.Typer(
    help="Facial micro-expression recognition: honest comparisons under leave-one-subject-out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root() -> None:
    """Commands print results on standard output; progress and errors go to standard error."""


# In the order in which the help lists them.
for _module in (comparing, modelling, watching, preparing, describing):
    for _command in _module.COMMANDS:
        app.command()(_command)


def main() -> None:
    """Run the command line; errors of ours, and of the disk, are one line each, without a traceback."""
    try:
        app(prog_name="microexpr")
    except MicroexprError as error:
        quit_with(str(error))
    except OSError as error:
        quit_with(f"{error.filename}: {error.strerror}" if error.filename else str(error))
