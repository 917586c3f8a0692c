"""The report of a comparison of spotting methods: one HTML file that asks nothing of the network."""

__all__ = ["render_spotting", "write_spotting_report"]

from pathlib import Path
from typing import Any

import pandas as pd

from microexpr.core.atomic import write_atomic
from microexpr.core.errors import ResultsError
from microexpr.data.videos import KINDS
from microexpr.pipelines.report.figures import forest_svg
from microexpr.pipelines.report.spotting_figures import FoundInVideo, thresholds_svg, video_svg
from microexpr.pipelines.report.words import count, figure, interval
from microexpr.pipelines.spotters import spotter_summary
from microexpr.pipelines.spottingcomparison import SpottingComparison
from microexpr.spotting import EXPRESSIONS, match_intervals

# Of the videos with most and with fewest errors so many each are drawn.
_DRAWN = 2


def write_spotting_report(comparison: SpottingComparison, folder: str | Path) -> Path:
    """Write the report, `spotting.html`, into a folder and return its path.

    Raises
    ------
    ResultsError
        If no method has a complete run, or the folder cannot be written.
    """
    path = Path(folder) / "spotting.html"
    write_atomic(path, render_spotting(comparison).encode())
    return path


def render_spotting(comparison: SpottingComparison) -> str:
    """Return the report's HTML.

    Raises
    ------
    ResultsError
        If no method has a complete run.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    if not comparison.found:
        raise ResultsError("no method has a complete run: there is nothing to report")
    environment = Environment(
        loader=PackageLoader("microexpr.pipelines.report", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.filters.update(figure=figure)
    environment.globals.update(count=count, interval=interval)
    table = comparison.table()
    alarms = comparison.alarms()
    return environment.get_template("spotting.html").render(
        comparison=comparison,
        n_subjects=comparison.videos["subject"].nunique(),
        n_empty=int((~comparison.videos.index.isin(comparison.true["video_id"])).sum()),
        kinds={kind: int((comparison.true["kind"] == kind).sum()) for kind in KINDS},
        minutes=float((comparison.videos["n_frames"] / comparison.videos["fps"]).sum() / 60),
        table=list(table.iterrows()),
        forest=forest_svg(table, metric="F1"),
        notes={name: note for name in comparison.found if (note := comparison.scores(name)["note"])},
        alarms=list(alarms.iterrows()),
        knows_distractors=comparison.distractors is not None,
        pictures=_pictures(comparison),
        methods=[_method(name, comparison) for name in comparison.found],
        subjects=_subjects(comparison),
        runs={name: run.facts for name, run in comparison.runs.items()},
    )


def _method(name: str, comparison: SpottingComparison) -> dict[str, Any]:
    records = comparison.runs[name].records
    return {
        "name": name,
        "summary": spotter_summary(name),
        "params": comparison.params.get(name, {}),
        "thresholds": sorted({float(record["threshold"]) for record in records}),
        "drawing": thresholds_svg(records),
        "others": comparison.found[name]["kind"].value_counts().drop(list(EXPRESSIONS), errors="ignore").to_dict(),
    }


def _subjects(comparison: SpottingComparison) -> list[dict[str, Any]]:
    """Return TP, FP and FN of each subject under each method."""
    counts = {name: comparison.scores(name)["by_subject"] for name in comparison.found}
    subjects = next(iter(counts.values()))
    return [{"subject": subject, "counts": [counts[name][subject] for name in counts]} for subject in subjects]


def _pictures(comparison: SpottingComparison) -> list[dict[str, Any]]:
    """Return drawings of the videos with most and with fewest errors of all methods together."""
    split = {
        (name, video_id): _split(comparison, name, video_id)
        for name in comparison.found
        for video_id in comparison.videos.index
    }
    errors = {
        video_id: sum(split[name, video_id][2] + len(split[name, video_id][1]) for name in comparison.found)
        for video_id in comparison.videos.index
    }
    ranked = sorted(errors, key=lambda video_id: -errors[video_id])
    chosen = ranked if len(ranked) <= 2 * _DRAWN else [*ranked[:_DRAWN], *ranked[-_DRAWN:]]
    drawn = []
    for video_id in chosen:
        video = comparison.videos.loc[video_id]
        true = comparison.true[comparison.true["video_id"] == video_id]
        found = []
        for name in comparison.found:
            record = next(one for one in comparison.runs[name].records if video_id in one["curves"])
            hits, alarms, _ = split[name, video_id]
            every = comparison.found[name]
            others = every[(every["video_id"] == video_id) & ~every["kind"].isin(EXPRESSIONS)]
            found.append(FoundInVideo(name, record["curves"][video_id], record["threshold"], hits, alarms, others))
        drawing = video_svg(found, true, fps=float(video["fps"]), n_frames=int(video["n_frames"]))
        drawn.append({"video_id": video_id, "errors": errors[video_id], "drawing": drawing})
    return drawn


def _split(comparison: SpottingComparison, name: str, video_id: str) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Return a video's hits, its false positives, and how many true expressions were missed."""
    found = comparison.expressions(name)
    found = found[found["video_id"] == video_id]
    true = comparison.true[comparison.true["video_id"] == video_id]
    hit = match_intervals(true[["onset", "offset"]], found[["onset", "offset"]])["found"].to_numpy()
    return found.iloc[hit], found.drop(index=found.index[hit]), len(true) - len(hit)
