"""Commands on data sets: synthetic ones, features, checks."""

__all__ = ["COMMANDS"]

from pathlib import Path
from typing import Annotated

import typer

from microexpr.cli._ending import stoppable
from microexpr.cli._options import Corrections, Data, FindApex, Incomplete, Jobs, Labels, Seed, Set
from microexpr.cli._searching import searched


def synth(
    out: Annotated[Path, typer.Option("--out", help="A new or empty folder.")],
    layout: Annotated[str, typer.Option("--layout", help="The data set whose files to imitate.")] = "casme2",
    subjects: Annotated[int, typer.Option("--subjects")] = 8,
    clips: Annotated[int, typer.Option("--clips", help="Clips of each subject.")] = 6,
    seed: Seed = 0,
) -> None:
    """Write synthetic clips to disk as users hold a data set, annotation table included."""
    with stoppable(f"{out} is incomplete"):
        from microexpr.core.progress import visible_progress
        from microexpr.data.layouts import synthesize

        with visible_progress():
            typer.echo(synthesize(layout, out, n_subjects=subjects, clips_per_subject=clips, seed=seed))


def extract(
    feature: Annotated[
        str,
        typer.Argument(
            help="biwoof, cbptop, flowimage, flowmap, gabor, hog3d, lbpsip, lbptop, mdmo, pulse, stills, stlbpip "
            "or strain"
        ),
    ],
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="A file ending in .npz; for flowmap also a new folder of images.")],
    labels: Labels = None,
    layout: Annotated[
        str | None, typer.Option("--layout", help="Of the folder of flow maps: stsnet (default), truth or three_norm.")
    ] = None,
    draw: Annotated[
        Path | None, typer.Option("--draw", help="Also draw landmarks and regions of each clip into this folder.")
    ] = None,
    regions: Annotated[
        str, typer.Option("--regions", help="What --draw draws: mdmo36, kato15, polikovsky12 or grid.")
    ] = "mdmo36",
    jobs: Jobs = 1,
    settings: Set = [],  # noqa: B006  (typer copies it)
    allow_incomplete: Incomplete = False,
    corrections: Corrections = None,
    find_apex: FindApex = None,
) -> None:
    """Compute a feature of every clip and write it with clip ids, subjects and labels."""
    with stoppable("the same command goes on from here"):
        from microexpr.core.progress import visible_progress
        from microexpr.data.catalog import load_data
        from microexpr.pipelines.drawing import draw_faces
        from microexpr.pipelines.extraction import extract_out
        from microexpr.pipelines.settings import parse_settings

        params = parse_settings(settings)
        clips = load_data(data, labels=labels, allow_incomplete=allow_incomplete, corrections=corrections)
        with visible_progress():
            clips = searched(clips, find_apex, jobs)
            typer.echo(extract_out(out, feature, clips, params=params, layout=layout, n_jobs=jobs))
            if draw is not None:
                typer.echo(f"{draw}: {draw_faces(clips, draw, kind=regions)} pictures")


def check(
    data: Annotated[str, typer.Argument(help="NAME=DIR, with options as --data takes them.")],
    read_frames: Annotated[bool, typer.Option("--read-frames", help="Open every image, to find damaged ones.")] = False,
    corrections: Corrections = None,
) -> None:
    """Say what a folder of data holds, what is amiss with it, and what each label map keeps and drops."""
    with stoppable("nothing was changed"):
        from microexpr.core.progress import visible_progress
        from microexpr.data.check import check_dataset

        with visible_progress():
            report = check_dataset(data, read_frames=read_frames, corrections=corrections)
        typer.echo("\n".join(report.lines()))
        if not report.ok:
            raise typer.Exit(1)


COMMANDS = (
    synth,
    extract,
    check,
)
