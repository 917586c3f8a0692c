"""Tables for the terminal."""

__all__ = [
    "print_audit",
    "print_comparison",
    "print_datasets",
    "print_method",
    "print_methods",
    "print_papers",
    "print_rows",
    "print_scores",
]

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from microexpr.core.errors import join_names
from microexpr.pipelines.audit import Audit
from microexpr.pipelines.comparison import Comparison
from microexpr.pipelines.papers import PaperResults
from microexpr.pipelines.registry import NEEDS, Method, build, get_method, layers_of, settable_params
from microexpr.pipelines.report.terminal import new_console, new_table, print_line
from microexpr.pipelines.report.words import LEAK_WARNING, SHARED_WARNING, count, difference, figure, interval
from microexpr.pipelines.scoring import Scored

# Of the curve by epoch, as many as a line holds; all are in curve.csv.
_CURVE_POINTS = 11


def print_comparison(comparison: Comparison) -> None:
    """Print one row a method, then what a reader must know of the figures."""
    console = new_console()
    title = f"{count(len(comparison.clips), 'clip')}, {count(comparison.clips['subject'].nunique(), 'subject')}, "
    title += f"{comparison.protocol}, labels {comparison.labels}, seed {comparison.seed}"
    if comparison.predictions:
        frame = comparison.table()
        parts = [column.removesuffix("_UF1") for column in frame if column.endswith("_UF1")]
        table = new_table("method", "UF1 [95% CI]", "UAR [95% CI]", "accuracy")
        # Apart, so that no figure is cut off where the window is narrow.
        by_part = new_table("UF1/UAR", *parts)
        for name, row in frame.iterrows():
            shown = f"{name} *" if comparison.shared_subjects else str(name)
            table.add_row(shown, interval(row, "UF1"), interval(row, "UAR"), figure(row["accuracy"]))
            by_part.add_row(shown, *(f"{figure(row[f'{part}_UF1'])}/{figure(row[f'{part}_UAR'])}" for part in parts))
        print_line(console, title)
        console.print(table)
        if parts:
            console.print(by_part)
        for note in comparison.notes():
            print_line(console, f"note: {note}")
        for name in comparison.predictions:
            if caution := get_method(name).caution:
                print_line(console, f"note: {name}: {caution}")
        if comparison.of_paper:
            _print_published(console, comparison.predictions)
    if comparison.shared_subjects:
        print_line(console, f"* {SHARED_WARNING}")
    if len(comparison.dropped):
        dropped = count(len(comparison.dropped), "clip")
        print_line(console, f"{dropped} dropped by label map {comparison.labels}; see the report")
    if len(comparison.findings):
        listed = [f"{row.clip_id}: {row.finding}" for row in comparison.findings.itertuples()]
        print_line(console, f"{count(len(listed), 'finding')} in the data: {join_names(listed, 3)}")
    for name in comparison.failures:
        print_line(console, f"{name}: no score")


def print_papers(results: PaperResults) -> None:
    """Print published, ours and the majority class of each experiment of the papers."""
    console = new_console()
    table = new_table("method", "protocol", "metric", "published", "ours", "majority")
    rows = results.table()
    for row in rows.itertuples():
        flag = " *" if row.subjects_shared else ""
        figures = [figure(value) for value in (row.published, row.ours, row.majority)]
        table.add_row(f"{row.method}{flag}", row.protocol, row.metric, *figures)
    print_line(console, "the papers' experiments (published figures are of the papers' own clips):")
    console.print(table)
    if rows["subjects_shared"].any():
        print_line(console, f"* {SHARED_WARNING}")


def print_scores(scored: Sequence[Scored]) -> None:
    """Print pooled figures, figures per data set and class, and the confusion matrix of each file."""
    console = new_console()
    for one in scored:
        table = new_table("", "clips", "subjects", "UF1", "UAR", "accuracy", "macro precision", "weighted F1")
        rows: list[tuple[str, Any]] = [("all", one.pooled)]
        if len(one.datasets) > 1:
            rows += [(str(name), row) for name, row in one.datasets.iterrows()]
        rows.append(("majority class", one.majority))
        for name, row in rows:
            figures = [figure(row[key]) for key in ("UF1", "UAR", "accuracy", "macro_precision", "weighted_f1")]
            flag = " *" if one.shared_subjects and row is not one.majority else ""
            table.add_row(f"{name}{flag}", str(row["n_clips"]), str(row["n_subjects"]), *figures)
        print_line(console, str(one.path))
        console.print(table)
        for metric, estimate in one.intervals.items():
            print_line(console, f"{metric} 95% CI over subjects: {figure(estimate.low)} to {figure(estimate.high)}")
        for note in dict.fromkeys(row["note"] for _, row in rows if row["note"]):
            print_line(console, f"note: {note}")
        if one.shared_subjects:
            print_line(console, f"* {SHARED_WARNING}")
        classwise = one.classwise if one.auc is None else one.classwise.assign(AUC=pd.Series(one.auc))
        console.print(_frame_table(classwise, "class"))
        console.print(_frame_table(one.confusion, "truth \\ predicted"))


def print_audit(audit: Audit) -> None:
    """Print honest and leaked figures, what lies between them, and the curve they come from."""
    console = new_console()
    clips, subjects = count(len(audit.table), "clip"), count(audit.table["subject"].nunique(), "subject")
    print_line(
        console,
        f"{audit.method}: {clips}, {subjects}, {audit.protocol}, labels {audit.labels}, seed {audit.seed}",
    )
    figures = audit.figures()
    table = new_table("epoch", *figures.columns)
    flag = " *" if audit.shared_subjects else ""
    for kind, what in (("honest", "the last"), ("leaked", "the best on the fold's test clips")):
        table.add_row(f"{kind}: {what}{flag}", *map(figure, figures.loc[kind]))
    table.add_row("inflation: leaked - honest", *map(difference, figures.loc["inflation"]))
    console.print(table)
    print_line(console, f"in {audit.n_earlier} of {count(audit.n_folds, 'fold')} the best epoch is not the last")
    epochs = audit.curve.index[np.unique(np.linspace(0, len(audit.curve) - 1, _CURVE_POINTS).round().astype(int))]
    points = ", ".join(f"{epoch} {figure(audit.curve[epoch])}" for epoch in epochs)
    print_line(console, f"pooled UF1 by epoch, the same in all folds: {points}")
    print_line(console, LEAK_WARNING)
    if audit.shared_subjects:
        print_line(console, f"* {SHARED_WARNING}")


def print_methods(methods: Iterable[Method]) -> None:
    """Print name, summary and needs of each method."""
    table = new_table("method", "what", "needs of every clip")
    for one in methods:
        table.add_row(one.name, one.summary, ", ".join(NEEDS[need][0] for need in one.needs) or "nothing")
    new_console().print(table)


def print_method(method: Method) -> None:
    """Print all that is known of one method, its parameters with their values included."""
    console = new_console()
    console.print(f"{method.name}\n\n{method.description}\n\nReference: {method.reference}")
    if method.caution:
        print_line(console, f"Note: {method.caution}")
    console.print(f"Needs: {', '.join(NEEDS[need][0] for need in method.needs) or 'nothing'}")
    known = ", ".join(dict.fromkeys(one.protocol for one in method.paper))
    console.print(f"--protocol paper: {known or 'loso, as no protocol of a paper is known to us'}")
    _print_published(console, [method.name])
    if method.auxiliary != "ignored":
        console.print(f"Macro-expressions (--auxiliary): {method.auxiliary}")
    estimator = build(method.name)
    values = {**method.options, **estimator.get_params(deep=True)}
    table = new_table("parameter (--set name=value)", "value")
    for name in [*method.options, *settable_params(estimator)]:
        table.add_row(name, repr(values[name]))
    console.print(table)
    if rows := layers_of(estimator):
        layers = new_table("layer", "kind", "output shape", "parameters")
        for row in rows:
            layers.add_row(row.name, row.kind, " x ".join(map(str, row.output_shape)), f"{row.n_parameters:,}")
        console.print(layers)
        total = sum(row.n_parameters for row in rows)
        print_line(console, f"{count(len(rows), 'layer')}, {total:,} parameters, with 3 classes")


def _print_published(console: Console, names: Iterable[str]) -> None:
    """Print what papers report of the methods; their data and protocols are seldom those of our table."""
    reported = new_table("method", "published", "data", "protocol", "read in")
    for name in dict.fromkeys(name.partition("[")[0] for name in names):  # a variant's papers are its method's
        for one in get_method(name).published:
            reported.add_row(name, one.figure, one.data, one.protocol, one.source)
    if reported.row_count:
        console.print(reported)
    else:
        print_line(console, "published figures: none")


def print_datasets(records: Iterable[Any]) -> None:
    """Print how each data set is given to --data and where to apply for it."""
    table = new_table("--data", "what", "where to apply", "licence")
    table.show_lines = True
    for record in records:
        table.add_row(record.usage, record.title, record.access, record.licence)
    new_console().print(table)


def print_rows(rows: Sequence[tuple[str, str, bool]]) -> None:
    """Print what was examined, one row each."""
    table = new_table("what", "found", "")
    for what, found, in_order in rows:
        table.add_row(what, found, "ok" if in_order else "PROBLEM")
    new_console().print(table)


def _frame_table(frame: pd.DataFrame, corner: str) -> Table:
    table = new_table(corner, *map(str, frame.columns))
    for name, row in zip(frame.index, frame.itertuples(index=False), strict=True):
        table.add_row(str(name), *(figure(value) if isinstance(value, float) else str(value) for value in row))
    return table
