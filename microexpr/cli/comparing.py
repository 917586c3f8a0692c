"""Commands that run methods and score what they predict."""

__all__ = ["COMMANDS"]

from pathlib import Path
from typing import Annotated

import typer

from microexpr.cli._ending import fail, stoppable
from microexpr.cli._options import (
    Auxiliary,
    Backend,
    Corrections,
    Data,
    FindApex,
    Incomplete,
    Jobs,
    Labels,
    Scheduler,
    Seed,
    Set,
)
from microexpr.cli._searching import searched


def compare(
    methods: Annotated[list[str], typer.Argument(help="Names as `microexpr methods` lists them.")],
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="Folder of results and report.")] = Path("results"),
    labels: Labels = None,
    protocol: Annotated[
        str,
        typer.Option(
            "--protocol",
            help="loso, lovo, kfold[:k], kfold-subject[:k], holdout[:share], leave-one-dataset-out, "
            "or paper: each experiment of the methods' own papers.",
        ),
    ] = "loso",
    seed: Seed = 0,
    jobs: Jobs = 1,
    mode: Annotated[str, typer.Option("--mode", help="only-missing, overwrite or read-only")] = "only-missing",
    settings: Set = [],  # noqa: B006  (typer copies it)
    backend: Backend = "local",
    scheduler: Scheduler = None,
    allow_incomplete: Incomplete = False,
    corrections: Corrections = None,
    find_apex: FindApex = None,
    auxiliary: Auxiliary = [],  # noqa: B006  (typer copies it)
) -> None:
    """Run methods on the same clips, print their table and write report.html."""
    again = "the same command with --mode only-missing" if mode == "overwrite" else "the same command"
    with stoppable(f"{again} goes on from here"):
        from microexpr.core.progress import visible_progress
        from microexpr.data.catalog import load_data
        from microexpr.pipelines.papers import run_all
        from microexpr.pipelines.parallel import cluster
        from microexpr.pipelines.report import text, write_reports
        from microexpr.pipelines.results import Store
        from microexpr.pipelines.settings import parse_settings

        params = parse_settings(settings)
        clips = load_data(data, labels=labels, allow_incomplete=allow_incomplete, corrections=corrections)
        macro = load_data(auxiliary, labels=labels, allow_incomplete=allow_incomplete) if auxiliary else None
        with visible_progress(), cluster(backend, scheduler):
            results = run_all(
                methods,
                searched(clips, find_apex, jobs),
                protocol=protocol,
                seed=seed,
                n_jobs=jobs,
                mode=mode,
                store=out,
                params=params,
                allow_incomplete=allow_incomplete,
                auxiliary=macro,
            )
        for comparison in results.comparisons.values():
            text.print_comparison(comparison)
        if protocol == "paper":
            text.print_papers(results)
        for path in write_reports(results.comparisons, Store(out)):
            typer.echo(path)
    fail(results.failures)


def audit(
    method: Annotated[str, typer.Argument(help="A network among those that `microexpr methods` lists.")],
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="Folder of results; the audit has its own in it.")] = Path(
        "results"
    ),
    labels: Labels = None,
    protocol: Annotated[str, typer.Option("--protocol", help="As `microexpr compare` takes it.")] = "loso",
    seed: Seed = 0,
    jobs: Jobs = 1,
    settings: Set = [],  # noqa: B006  (typer copies it)
    backend: Backend = "local",
    scheduler: Scheduler = None,
    allow_incomplete: Incomplete = False,
    corrections: Corrections = None,
    find_apex: FindApex = None,
    auxiliary: Auxiliary = [],  # noqa: B006  (typer copies it)
) -> None:
    """Show how much too high a network's figures are where the test clips choose the epoch."""
    with stoppable("the same command goes on from here"):
        from microexpr.core.progress import visible_progress
        from microexpr.data.catalog import load_data
        from microexpr.pipelines.audit import audit as run_audit
        from microexpr.pipelines.parallel import cluster
        from microexpr.pipelines.report import text
        from microexpr.pipelines.settings import parse_settings
        from microexpr.pipelines.usable import auxiliary_for

        params = parse_settings(settings)
        clips = load_data(data, labels=labels, allow_incomplete=allow_incomplete, corrections=corrections)
        macro = load_data(auxiliary, labels=labels, allow_incomplete=allow_incomplete) if auxiliary else None
        with visible_progress(), cluster(backend, scheduler):
            audited = run_audit(
                method,
                searched(clips, find_apex, jobs),
                protocol=protocol,
                seed=seed,
                n_jobs=jobs,
                auxiliary=auxiliary_for(method, macro),
                out=out,
                params=params,
                allow_incomplete=allow_incomplete,
            )
        text.print_audit(audited)
        if audited.folder is not None:
            typer.echo(audited.folder / "audit.csv")


def score(
    logs: Annotated[list[Path], typer.Argument(help="MEGC logs or predictions.csv files.")],
    classes: Annotated[str, typer.Option("--classes", help="Class order, separated by commas.")] = "",
    to_log: Annotated[
        Path | None, typer.Option("--to-log", help="Also write the one file given as a MEGC log.")
    ] = None,
) -> None:
    """Recompute every metric from MEGC logs or predictions files."""
    from microexpr.pipelines.report import text
    from microexpr.pipelines.scoring import convert_to_log, score_files

    names = [name for name in classes.split(",") if name]
    if to_log is not None:
        convert_to_log(logs, to_log, names)
    text.print_scores(score_files(logs, names))


COMMANDS = (
    compare,
    audit,
    score,
)
