"""Commands on videos: expressions spotted and reviewed, spotting methods compared, the pulse."""

__all__ = ["COMMANDS"]

from pathlib import Path
from typing import Annotated

import typer

from microexpr.cli._ending import fail, stoppable
from microexpr.cli._options import Incomplete, Jobs, Labels, Seed, Set

_Video = Annotated[str, typer.Argument(help="A file, - for a video through standard input, or camera:0.")]
_Face = Annotated[str, typer.Option("--face", help="Which of several faces: largest, or only to refuse several.")]


def watch(
    video: _Video,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the results; by default NAME-events in this folder.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option("--model", help="A file of `fit` or `pretrain`; by default the model that comes along."),
    ] = None,
    name: Annotated[bool, typer.Option("--name/--no-name", help="Whether expressions are named by a model.")] = True,
    method: Annotated[str, typer.Option("--method", help="flow, strain, mdmd or lbp")] = "flow",
    threshold: Annotated[float | None, typer.Option("--threshold", help="The method's own by default.")] = None,
    face: _Face = "largest",
    fps: Annotated[float | None, typer.Option("--fps", help="Where the file says it wrongly.")] = None,
) -> None:
    """Spot the expressions in a video, name them by a model, and write a table, ELAN, subtitles and a review page."""
    with stoppable("what had been found is in events.csv"):
        from microexpr.core.errors import ParameterError
        from microexpr.core.progress import visible_progress
        from microexpr.pipelines.report.spotting_text import print_events
        from microexpr.pipelines.watching import watch as watch_video
        from microexpr.pipelines.zeroshot import model_at
        from microexpr.spotting import build_spotter

        if model is not None and not name:
            raise ParameterError(f"--no-name and --model {model} contradict each other: leave one out")
        spotter = build_spotter(method, **({} if threshold is None else {"threshold": threshold}))
        loaded = model_at(model) if name else None
        with visible_progress():
            done = watch_video(
                video, out or _folder(video), model=loaded, method=spotter, face=face, fps=fps, tell=print_events
            )
        for path in done.paths:
            typer.echo(path)
        if done.stopped is not None:
            fail({video: done.stopped})


def spot(
    methods: Annotated[list[str], typer.Argument(help="flow, strain, mdmd, lbp or gentlesvm; several are compared.")],
    data: Annotated[
        str, typer.Option("--data", help="synthetic-long, or NAME=DIR of long videos: samm-lv, casmesq, casme3.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of results and report.")] = Path("results"),
    recognise: Annotated[
        str | None, typer.Option("--recognise", help="Also name what is found, by this method; gives the STRS.")
    ] = None,
    labels: Labels = None,
    seed: Seed = 0,
    jobs: Jobs = 1,
    mode: Annotated[str, typer.Option("--mode", help="only-missing, overwrite or read-only")] = "only-missing",
    settings: Set = [],  # noqa: B006  (typer copies it)
    allow_incomplete: Incomplete = False,
) -> None:
    """Evaluate spotting methods leave-one-subject-out, thresholds learned from the others; print their table."""
    with stoppable("the same command goes on from here"):
        from microexpr.core.progress import visible_progress
        from microexpr.data.catalog import load_videos, parse_spec
        from microexpr.pipelines.report.spotting_html import write_spotting_report
        from microexpr.pipelines.report.spottingruns_text import print_spotting
        from microexpr.pipelines.settings import parse_settings
        from microexpr.pipelines.spottingcomparison import compare_spotting

        params = parse_settings(settings)
        videos = load_videos(data, allow_incomplete=allow_incomplete)
        if recognise is not None and labels is None:
            labels = parse_spec(data)[0].labels
        with visible_progress():
            comparison = compare_spotting(
                methods,
                videos,
                recognizer=recognise,
                labels=labels,
                seed=seed,
                n_jobs=jobs,
                mode=mode,
                store=out,
                params=params,
                allow_incomplete=allow_incomplete,
            )
        print_spotting(comparison)
        if comparison.found:
            typer.echo(write_spotting_report(comparison, out))
    fail(comparison.failures)


def pulse(
    video: _Video,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for pulse.csv and pulse.png.")] = None,
    method: Annotated[str, typer.Option("--method", help="pos or chrom")] = "pos",
    face: _Face = "largest",
) -> None:
    """Measure the heart rate in a colour video, with how sure it is."""
    with stoppable("nothing was written"):
        from microexpr.pipelines.pulse import measure_pulse
        from microexpr.pipelines.report.pulse_text import print_pulse

        print_pulse(measure_pulse(video, out, method=method, face=face))
        if out is not None:
            typer.echo(out / "pulse.csv")
            typer.echo(out / "pulse.png")


def _folder(video: str) -> Path:
    """Return where the events of a video go if nobody says where."""
    name = "video" if video == "-" else Path(video.replace(":", "")).stem
    return Path(f"{name}-events")


COMMANDS = (watch, spot, pulse)
