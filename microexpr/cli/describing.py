"""Commands that say what there is."""

__all__ = ["COMMANDS"]

from typing import Annotated

import typer

import microexpr
from microexpr.cli._ending import fail


def methods(name: Annotated[str | None, typer.Argument(help="A method, to see it whole.")] = None) -> None:
    """List the methods, or describe one."""
    from microexpr.pipelines.registry import all_methods, get_method
    from microexpr.pipelines.report import text

    if name is None:
        text.print_methods(all_methods().values())
    else:
        text.print_method(get_method(name))
        if name == "zero-shot":
            from microexpr.pipelines.report.model_text import print_card
            from microexpr.pipelines.zeroshot import shipped_card

            print_card(shipped_card())


def datasets() -> None:
    """List the data sets that can be read, and where to apply for them."""
    from microexpr.data.catalog import datasets as catalog
    from microexpr.pipelines.report import text

    text.print_datasets(catalog())


def doctor() -> None:
    """Show versions, cores, threads, GPU, cache and which folders can be written."""
    from microexpr.pipelines.doctor import examine
    from microexpr.pipelines.report import text

    rows = examine()
    text.print_rows(rows)
    fail({what: found for what, found, in_order in rows if not in_order})


def version() -> None:
    """Print the version."""
    typer.echo(microexpr.__version__)


COMMANDS = (
    methods,
    datasets,
    doctor,
    version,
)
