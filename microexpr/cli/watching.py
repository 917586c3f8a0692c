"""Commands on videos: expressions spotted and reviewed, spotting methods compared, the pulse."""

__all__ = ["COMMANDS"]

from pathlib import Path
from typing import Annotated

import typer

from microexpr.cli._ending import fail, stoppable

_Video = Annotated[str, typer.Argument(help="A file, - for a video through standard input, or camera:0.")]
_Face = Annotated[str, typer.Option("--face", help="Which of several faces: largest, or only to refuse several.")]


def watch(
    video: _Video,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the results; by default NAME-events in this folder.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="A file that `microexpr fit` wrote; without one nothing is named.")
    ] = None,
    method: Annotated[str, typer.Option("--method", help="flow, strain, mdmd or lbp")] = "flow",
    threshold: Annotated[float | None, typer.Option("--threshold", help="The method's own by default.")] = None,
    face: _Face = "largest",
    fps: Annotated[float | None, typer.Option("--fps", help="Where the file says it wrongly.")] = None,
) -> None:
    """Spot the expressions in a video, name them by a model, and write a table, ELAN, subtitles and a review page."""
    with stoppable("what had been found is in events.csv"):
        from microexpr.core.progress import visible_progress
        from microexpr.pipelines.models import load_model
        from microexpr.pipelines.report.spotting_text import print_events
        from microexpr.pipelines.watching import watch as watch_video
        from microexpr.spotting import build_spotter

        spotter = build_spotter(method, **({} if threshold is None else {"threshold": threshold}))
        loaded = None if model is None else load_model(model)
        with visible_progress():
            done = watch_video(
                video, out or _folder(video), model=loaded, method=spotter, face=face, fps=fps, tell=print_events
            )
        for path in done.paths:
            typer.echo(path)
        if done.stopped is not None:
            fail({video: done.stopped})


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


COMMANDS = (watch, pulse)
