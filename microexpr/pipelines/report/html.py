"""The report of a comparison: one HTML file that asks nothing of the network."""

__all__ = ["render_report", "write_report", "write_reports"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from microexpr.core.atomic import write_atomic
from microexpr.core.errors import ResultsError
from microexpr.pipelines.comparison import Comparison
from microexpr.pipelines.metrics import by_dataset, by_subject, confusion, per_class, roc_curves, scores
from microexpr.pipelines.registry import get_method
from microexpr.pipelines.report.attention import attention_pictures
from microexpr.pipelines.report.figures import curves_svg, forest_svg, roc_svg
from microexpr.pipelines.report.words import SHARED_WARNING, count, figure, interval
from microexpr.pipelines.results import Store
from microexpr.pipelines.statistics import compare_all

_REFERENCE = "majority"


def write_reports(comparisons: Mapping[str, Comparison], store: Store) -> list[Path]:
    """Write a report for each protocol: `report.html`, or `report-<protocol>.html` where there are several.

    Raises
    ------
    ResultsError
        If the folder cannot be written.
    """
    several = len(comparisons) > 1
    return [
        write_report(comparison, store, name=f"report-{protocol.replace(':', '-')}.html" if several else "report.html")
        for protocol, comparison in comparisons.items()
        if comparison.predictions
    ]


def write_report(comparison: Comparison, store: Store, *, name: str = "report.html") -> Path:
    """Write a comparison's report into the store's folder and return its path.

    Raises
    ------
    ResultsError
        If the folder cannot be written.
    """
    path = store.folder / name
    kept = {
        method: store.find(str(table["run_key"].iloc[0]), method) for method, table in comparison.predictions.items()
    }
    runs = {method: run.read_settings() for method, run in kept.items()}
    folds = {method: run.records() for method, run in kept.items()}
    write_atomic(path, render_report(comparison, runs, folds).encode())
    return path


def render_report(
    comparison: Comparison,
    runs: Mapping[str, dict[str, Any]],
    folds: Mapping[str, list[dict[str, Any]]] | None = None,
) -> str:
    """Return the report's HTML.

    Parameters
    ----------
    comparison : Comparison
    runs : mapping of method -> what its run.json says
    folds : mapping of method -> records of its folds, optional
        From which come training curves and attention of networks.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    if not comparison.predictions:
        raise ResultsError("no method has a complete run: there is nothing to report")
    environment = Environment(
        loader=PackageLoader("microexpr.pipelines.report", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.filters.update(figure=figure)
    environment.globals.update(count=count, interval=interval)
    table = comparison.table()
    several = len(comparison.predictions) > 1
    return environment.get_template("template.html").render(
        comparison=comparison,
        n_subjects=comparison.clips["subject"].nunique(),
        datasets=_datasets(comparison),
        warning=SHARED_WARNING if comparison.shared_subjects else "",
        table=list(table.iterrows()),
        forest=forest_svg(table),
        pairs=compare_all(comparison.predictions, comparison.classes).to_dict("records") if several else [],
        methods=[_method(name, comparison, (folds or {}).get(name, [])) for name in comparison.predictions],
        by_dataset=_by_dataset(comparison),
        by_subject=_by_subject(comparison),
        hard=_hard_clips(comparison),
        runs=runs,
    )


def _datasets(comparison: Comparison) -> list[dict[str, Any]]:
    """Count clips by data set and class."""
    return [
        {
            "name": name,
            "subjects": part["subject"].nunique(),
            "counts": [int((part["label"] == label).sum()) for label in comparison.classes],
            "total": len(part),
        }
        for name, part in comparison.clips.groupby("dataset")
    ]


def _method(name: str, comparison: Comparison, folds: list[dict[str, Any]]) -> dict[str, Any]:
    classes, predictions = comparison.classes, comparison.predictions[name]
    curves_of_folds = [record["curves"] for record in folds if record.get("curves")]
    counts = confusion(predictions, classes)
    curves = roc_curves(predictions, classes)
    return {
        "name": name,
        "summary": get_method(name).summary,
        "reference": get_method(name).reference,
        "published": get_method(name).published,
        "caution": get_method(name).caution,
        "params": comparison.params.get(name, {}),
        "scores": scores(predictions, classes),
        "confusion": [(label, [(int(n), n / max(row.sum(), 1)) for n in row]) for label, row in counts.iterrows()],
        "classwise": list(per_class(predictions, classes).iterrows()),
        "auc": {} if curves is None else curves.auc,
        # A reference that scores every clip alike has no curve worth drawing.
        "roc": "" if curves is None or name == _REFERENCE else roc_svg(curves),
        "curves": curves_svg(curves_of_folds) if curves_of_folds else "",
        "attention": attention_pictures(comparison, name, folds),
        "is_proba": any(column.startswith("proba_") for column in predictions),
    }


def _by_dataset(comparison: Comparison) -> list[dict[str, Any]]:
    rows = []
    for name, predictions in comparison.predictions.items():
        for dataset, row in by_dataset(predictions, comparison.classes).iterrows():
            rows.append({"method": name, "dataset": dataset, **row.to_dict()})
    return rows


def _by_subject(comparison: Comparison) -> list[dict[str, Any]]:
    """Return clips and hits of each subject under each method."""
    accuracies = {
        name: by_subject(predictions, comparison.classes) for name, predictions in comparison.predictions.items()
    }
    first = next(iter(accuracies.values()))
    return [
        {
            "subject": subject,
            "clips": int(first.loc[subject, "n_clips"]),
            "accuracies": [float(frame.loc[subject, "accuracy"]) for frame in accuracies.values()],
        }
        for subject in first.index
    ]


def _hard_clips(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the clips that every method but the majority row gets wrong."""
    tables = {name: table for name, table in comparison.predictions.items() if name != _REFERENCE}
    if not tables:
        return []
    predicted = pd.DataFrame({name: table.set_index("clip_id")["y_pred"] for name, table in tables.items()})
    truth = next(iter(tables.values())).set_index("clip_id")["y_true"].reindex(predicted.index)
    wrong = predicted.ne(truth, axis=0).all(axis=1)
    return [
        {"clip_id": clip_id, "truth": truth[clip_id], "predicted": list(predicted.loc[clip_id])}
        for clip_id in predicted.index[wrong]
    ]
