"""Models' cards and what they say of clips, for the terminal."""

__all__ = ["print_card", "print_named"]

from collections.abc import Mapping
from typing import Any

import pandas as pd

from microexpr.pipelines.actionunits import STRENGTH, acting_units
from microexpr.pipelines.models import Model
from microexpr.pipelines.predicting import Named
from microexpr.pipelines.report.terminal import new_console, new_table, print_line
from microexpr.pipelines.report.words import figure


def print_card(card: Mapping[str, Any]) -> None:
    """Print a model's card; one that a stranger wrote is shown as plain text, whatever it holds."""
    console = new_console()
    method = _dict(card.get("method"))
    print_line(console, f"method     {_text(method.get('name'))}, seed {_text(method.get('seed'))}")
    print_line(console, f"           {_text(method.get('summary'))}")
    print_line(console, f"reference  {_text(method.get('reference'))}")
    if chosen := _dict(_dict(card.get("settings")).get("set")):
        print_line(console, "set        " + ", ".join(f"{_text(key)}={_text(value)}" for key, value in chosen.items()))
    for title, what in (("trained on", card.get("trained_on")), ("auxiliary", card.get("auxiliary"))):
        if isinstance(what, Mapping):
            _print_clips(console, title, what)
    _print_measured(console, card.get("measured"))
    _print_measured_on(console, _dict(card.get("measured_on")))
    made = _dict(card.get("made"))
    versions = _dict(made.get("versions"))
    print_line(console, f"made       {_text(made.get('date'))} with microexpr {_text(versions.get('microexpr'))}")
    if errors := card.get("errors"):
        print_line(console, f"errors: {_text(errors)}")
    if caution := method.get("caution"):
        print_line(console, f"note: {_text(caution)}")
    if holds := card.get("holds"):
        print_line(console, f"note: {_text(holds)}")
    not_for = card.get("not_for")
    if isinstance(not_for, list):
        print_line(console, f"Not for: {'; '.join(map(_text, not_for))}.")
    print_line(console, _text(card.get("why_not")))


def print_named(named: Named, model: Model) -> None:
    """Print one row a clip, and what must be known beside."""
    console = new_console()
    if len(named.table):
        told = any(column.startswith(STRENGTH) for column in named.table.columns)
        acting = ["action units"] if told else []
        table = new_table("clip", "label", "probability", *acting, "onset", "apex", "notes")
        for row in named.table.to_dict("records"):
            share = row.get(f"proba_{row['label']}")
            places = ["-" if pd.isna(row[key]) else str(row[key]) for key in ("onset", "apex")]
            shown = "-" if share is None else figure(float(share))
            units = [acting_units(row) or "-"] if told else []
            table.add_row(row["clip_id"], _text(row["label"]), shown, *units, *places, row["notes"])
        console.print(table)
        for caution in model.cautions():
            print_line(console, f"note: {_text(caution)}")


def _print_clips(console: Any, title: str, what: Mapping[str, Any]) -> None:
    table = new_table(title, "clips", "subjects", "classes")
    parts = what.get("datasets")
    for part in parts if isinstance(parts, list) else []:
        part = _dict(part)
        counts = ", ".join(f"{_text(name)} {_text(number)}" for name, number in _dict(part.get("classes")).items())
        table.add_row(*(_text(part.get(key)) for key in ("name", "clips", "subjects")), counts)
    console.print(table)
    print_line(console, f"label map {_text(what.get('labels')) or 'none'}; digest {_text(what.get('digest'))}")
    if what.get("apexes_searched"):
        print_line(console, f"{_text(what['apexes_searched'])} apexes are not annotated but found by search")


def _print_measured(console: Any, measured: Any) -> None:
    if not isinstance(measured, Mapping):
        print_line(console, "on people that it has not seen: not measured")
        return
    how = "leave one subject out" if measured.get("protocol") == "loso" else _text(measured.get("protocol"))
    table = new_table(how, "figure [95% CI]", "majority")
    always = _dict(measured.get("majority"))
    for metric in ("UF1", "UAR"):
        found = _dict(measured.get(metric))
        table.add_row(metric, _range(found), _figure(always.get(metric)))
    console.print(table)
    classwise = new_table("class", "clips", "precision", "recall", "F1")
    for name, row in _dict(measured.get("per_class")).items():
        row = _dict(row)
        figures = [_figure(row.get(key)) for key in ("precision", "recall", "f1")]
        classwise.add_row(_text(name), _text(row.get("clips")), *figures)
    console.print(classwise)


def _print_measured_on(console: Any, measured: Mapping[str, Any]) -> None:
    """Print figures by data set, which class was taken for which, and how far the sureness can be trusted."""
    table = new_table("tried on", "clips", "people", "UF1 [95% CI]", "UAR [95% CI]", "mean sureness", "right")
    for name, found in measured.items():
        one = _dict(found)
        if name != "all" and "UF1" in one:
            ranges = (_range(_dict(one.get(metric))) for metric in ("UF1", "UAR"))
            sure = _dict(one.get("sureness"))
            known = (_figure(sure.get(key)) for key in ("mean", "right"))
            table.add_row(_text(name), _text(one.get("clips")), _text(one.get("subjects")), *ranges, *known)
    if not table.row_count:
        return
    console.print(table)
    counts = _dict(_dict(measured.get("all")).get("confusion"))
    taken = new_table("true class, named ...", *map(_text, counts))
    for true, row in counts.items():
        taken.add_row(_text(true), *(_text(_dict(row).get(named)) for named in counts))
    console.print(taken)


def _range(found: Mapping[str, Any]) -> str:
    return f"{_figure(found.get('estimate'))} [{_figure(found.get('low'))}, {_figure(found.get('high'))}]"


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _figure(value: Any) -> str:
    return figure(float(value)) if isinstance(value, (int, float)) else "-"


def _text(value: Any) -> str:
    """Return what a file says without what would command a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in str(value))
