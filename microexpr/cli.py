"""The commands. Each reads its arguments, calls one function of the package and prints what it returns."""

__all__ = ["app", "main"]

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import microexpr
from microexpr.core.errors import MicroexprError

if TYPE_CHECKING:
    from microexpr.core.clipset import ClipSet

app = typer.Typer(
    help="Facial micro-expression recognition: honest comparisons under leave-one-subject-out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_Data = Annotated[
    list[str],
    typer.Option("--data", help="synthetic, or NAME=DIR as `microexpr datasets` lists; may be repeated."),
]
_Labels = Annotated[str | None, typer.Option("--labels", help="Label map: megc2019, casme2-5, casme2-7, ...")]
_Incomplete = Annotated[
    bool, typer.Option("--allow-incomplete", help="Go on without clips whose frames or annotation are missing.")
]
_Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Parallel workers; -1 for all cores.")]
_Seed = Annotated[int, typer.Option("--seed", help="Seeds the splits and every random state.")]
_Corrections = Annotated[
    str | None, typer.Option("--corrections", help="Repairs of the annotations, by name: samm-apex, or a CSV file.")
]
_FindApex = Annotated[
    str | None,
    typer.Option("--find-apex", help="Search the apex of clips that have none (SMIC): by lbp, flow or strain."),
]
_Auxiliary = Annotated[
    list[str],
    typer.Option(
        "--auxiliary",
        help="Macro-expressions that join every training set and no test set: synthetic-macro, ckplus=DIR, ...",
    ),
]
_Backend = Annotated[str, typer.Option("--backend", help="local, or dask")]
_Scheduler = Annotated[str | None, typer.Option("--scheduler", help="Address of the Dask scheduler.")]
_Set = Annotated[list[str], typer.Option("--set", help="A parameter, as in svc__C=0.01; may be repeated.")]


@app.callback()
def _root() -> None:
    """Commands print results on standard output; progress and errors go to standard error."""


@app.command()
def compare(
    methods: Annotated[list[str], typer.Argument(help="Names as `microexpr methods` lists them.")],
    data: _Data,
    out: Annotated[Path, typer.Option("--out", help="Folder of results and report.")] = Path("results"),
    labels: _Labels = None,
    protocol: Annotated[
        str,
        typer.Option(
            "--protocol",
            help="loso, lovo, kfold[:k], kfold-subject[:k], holdout[:share], leave-one-dataset-out, "
            "or paper: each experiment of the methods' own papers.",
        ),
    ] = "loso",
    seed: _Seed = 0,
    jobs: _Jobs = 1,
    mode: Annotated[str, typer.Option("--mode", help="only-missing, overwrite or read-only")] = "only-missing",
    settings: _Set = [],  # noqa: B006  (typer copies it)
    backend: _Backend = "local",
    scheduler: _Scheduler = None,
    allow_incomplete: _Incomplete = False,
    corrections: _Corrections = None,
    find_apex: _FindApex = None,
    auxiliary: _Auxiliary = [],  # noqa: B006  (typer copies it)
) -> None:
    """Run methods on the same clips, print their table and write report.html."""
    again = "the same command with --mode only-missing" if mode == "overwrite" else "the same command"
    with _stoppable(f"{again} goes on from here"):
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
                _searched(clips, find_apex, jobs),
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
    _fail(results.failures)


@app.command()
def audit(
    method: Annotated[str, typer.Argument(help="A network among those that `microexpr methods` lists.")],
    data: _Data,
    out: Annotated[Path, typer.Option("--out", help="Folder of results; the audit has its own in it.")] = Path(
        "results"
    ),
    labels: _Labels = None,
    protocol: Annotated[str, typer.Option("--protocol", help="As `microexpr compare` takes it.")] = "loso",
    seed: _Seed = 0,
    jobs: _Jobs = 1,
    settings: _Set = [],  # noqa: B006  (typer copies it)
    backend: _Backend = "local",
    scheduler: _Scheduler = None,
    allow_incomplete: _Incomplete = False,
    corrections: _Corrections = None,
    find_apex: _FindApex = None,
    auxiliary: _Auxiliary = [],  # noqa: B006  (typer copies it)
) -> None:
    """Show how much too high a network's figures are where the test clips choose the epoch."""
    with _stoppable("the same command goes on from here"):
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
                _searched(clips, find_apex, jobs),
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


@app.command()
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


@app.command()
def synth(
    out: Annotated[Path, typer.Option("--out", help="A new or empty folder.")],
    layout: Annotated[str, typer.Option("--layout", help="The data set whose files to imitate.")] = "casme2",
    subjects: Annotated[int, typer.Option("--subjects")] = 8,
    clips: Annotated[int, typer.Option("--clips", help="Clips of each subject.")] = 6,
    seed: _Seed = 0,
) -> None:
    """Write synthetic clips to disk as users hold a data set, annotation table included."""
    with _stoppable(f"{out} is incomplete"):
        from microexpr.core.progress import visible_progress
        from microexpr.data.layouts import synthesize

        with visible_progress():
            typer.echo(synthesize(layout, out, n_subjects=subjects, clips_per_subject=clips, seed=seed))


@app.command()
def extract(
    feature: Annotated[
        str,
        typer.Argument(
            help="biwoof, cbptop, flowimage, flowmap, gabor, hog3d, lbpsip, lbptop, mdmo, stills, stlbpip or strain"
        ),
    ],
    data: _Data,
    out: Annotated[Path, typer.Option("--out", help="A file ending in .npz; for flowmap also a new folder of images.")],
    labels: _Labels = None,
    layout: Annotated[
        str | None, typer.Option("--layout", help="Of the folder of flow maps: stsnet (default), truth or three_norm.")
    ] = None,
    draw: Annotated[
        Path | None, typer.Option("--draw", help="Also draw landmarks and regions of each clip into this folder.")
    ] = None,
    regions: Annotated[
        str, typer.Option("--regions", help="What --draw draws: mdmo36, kato15, polikovsky12 or grid.")
    ] = "mdmo36",
    jobs: _Jobs = 1,
    settings: _Set = [],  # noqa: B006  (typer copies it)
    allow_incomplete: _Incomplete = False,
    corrections: _Corrections = None,
    find_apex: _FindApex = None,
) -> None:
    """Compute a feature of every clip and write it with clip ids, subjects and labels."""
    with _stoppable("the same command goes on from here"):
        from microexpr.core.progress import visible_progress
        from microexpr.data.catalog import load_data
        from microexpr.pipelines.drawing import draw_faces
        from microexpr.pipelines.extraction import extract_out
        from microexpr.pipelines.settings import parse_settings

        params = parse_settings(settings)
        clips = load_data(data, labels=labels, allow_incomplete=allow_incomplete, corrections=corrections)
        with visible_progress():
            clips = _searched(clips, find_apex, jobs)
            typer.echo(extract_out(out, feature, clips, params=params, layout=layout, n_jobs=jobs))
            if draw is not None:
                typer.echo(f"{draw}: {draw_faces(clips, draw, kind=regions)} pictures")


@app.command()
def check(
    data: Annotated[str, typer.Argument(help="NAME=DIR, with options as --data takes them.")],
    read_frames: Annotated[bool, typer.Option("--read-frames", help="Open every image, to find damaged ones.")] = False,
    corrections: _Corrections = None,
) -> None:
    """Say what a folder of data holds, what is amiss with it, and what each label map keeps and drops."""
    with _stoppable("nothing was changed"):
        from microexpr.core.progress import visible_progress
        from microexpr.data.check import check_dataset

        with visible_progress():
            report = check_dataset(data, read_frames=read_frames, corrections=corrections)
        typer.echo("\n".join(report.lines()))
        if not report.ok:
            raise typer.Exit(1)


@app.command()
def methods(name: Annotated[str | None, typer.Argument(help="A method, to see it whole.")] = None) -> None:
    """List the methods, or describe one."""
    from microexpr.pipelines.registry import all_methods, get_method
    from microexpr.pipelines.report import text

    if name is None:
        text.print_methods(all_methods().values())
    else:
        text.print_method(get_method(name))


@app.command()
def datasets() -> None:
    """List the data sets that can be read, and where to apply for them."""
    from microexpr.data.catalog import datasets as catalog
    from microexpr.pipelines.report import text

    text.print_datasets(catalog())


@app.command()
def doctor() -> None:
    """Show versions, cores, threads, GPU, cache and which folders can be written."""
    from microexpr.pipelines.doctor import examine
    from microexpr.pipelines.report import text

    rows = examine()
    text.print_rows(rows)
    _fail({what: found for what, found, in_order in rows if not in_order})


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(microexpr.__version__)


def main() -> None:
    """Run the command line; errors of ours, and of the disk, are one line each, without a traceback."""
    try:
        app(prog_name="microexpr")
    except MicroexprError as error:
        _quit(str(error))
    except OSError as error:
        _quit(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def _searched(clips: "ClipSet", feature: str | None, jobs: int) -> "ClipSet":
    """Return the clips, with the apexes that the user asked to be searched."""
    if feature is None:
        return clips
    from microexpr.pipelines.apexes import with_apexes
    from microexpr.video import ApexSearch

    return with_apexes(clips, ApexSearch(feature=feature), n_jobs=jobs)


@contextmanager
def _stoppable(consequence: str) -> Iterator[None]:
    """End with one line, not a traceback, when the user interrupts what the block does."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"stopped; {consequence}", err=True)
        raise typer.Exit(130) from None


def _fail(failures: Mapping[str, str]) -> None:
    """Print one line for each reason, whatever it concerns, and exit with 1 if there are any."""
    for reason in dict.fromkeys(failures.values()):
        names = ", ".join(name for name, its_reason in failures.items() if its_reason == reason)
        typer.echo(f"error: {names}: {_one_line(reason.removeprefix(f'{names}: '))}", err=True)
    if failures:
        raise typer.Exit(1)


def _quit(reason: str) -> None:
    typer.echo(f"error: {_one_line(reason)}", err=True)
    sys.exit(1)


def _one_line(reason: str) -> str:
    return " ".join(reason.split())
