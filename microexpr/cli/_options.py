"""Options that several commands have."""

__all__ = [
    "Auxiliary",
    "Backend",
    "Corrections",
    "Data",
    "FindApex",
    "Incomplete",
    "Jobs",
    "Labels",
    "Scheduler",
    "Seed",
    "Set",
]

from typing import Annotated

import typer

Data = Annotated[
    list[str],
    typer.Option("--data", help="synthetic, or NAME=DIR as `microexpr datasets` lists; may be repeated."),
]
Labels = Annotated[str | None, typer.Option("--labels", help="Label map: megc2019, casme2-5, casme2-7, ...")]
Incomplete = Annotated[
    bool, typer.Option("--allow-incomplete", help="Go on without clips whose frames or annotation are missing.")
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Parallel workers; -1 for all cores.")]
Seed = Annotated[int, typer.Option("--seed", help="Seeds the splits and every random state.")]
Corrections = Annotated[
    str | None, typer.Option("--corrections", help="Repairs of the annotations, by name: samm-apex, or a CSV file.")
]
FindApex = Annotated[
    str | None,
    typer.Option("--find-apex", help="Search the apex of clips that have none (SMIC): by lbp, flow or strain."),
]
Auxiliary = Annotated[
    list[str],
    typer.Option(
        "--auxiliary",
        help="Macro-expressions that join every training set and no test set: synthetic-macro, ckplus=DIR, ...",
    ),
]
Backend = Annotated[str, typer.Option("--backend", help="local, or dask")]
Scheduler = Annotated[str | None, typer.Option("--scheduler", help="Address of the Dask scheduler.")]
Set = Annotated[list[str], typer.Option("--set", help="A parameter, as in svc__C=0.01; may be repeated.")]
