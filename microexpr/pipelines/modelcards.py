"""A model's card: what it was trained on, how, how well it does on people it has not seen, and what it is not for."""

__all__ = ["NOT_FOR", "WHY_NOT", "check_measured", "figures_of", "how_good", "make_card"]

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, join_names
from microexpr.pipelines.metrics import majority_row, per_class, scores
from microexpr.pipelines.provenance import versions
from microexpr.pipelines.registry import get_method, settable_params
from microexpr.pipelines.statistics import bootstrap_interval

#: What a model must not be used for.
NOT_FOR = (
    "detecting lies, intent or guilt",
    "hiring, or rating people at work or school",
    "policing and surveillance",
    "border control",
    "medical diagnosis",
    "judging a person in any other way",
)

#: Why not.
WHY_NOT = (
    "It names a facial movement, which a person may make for many reasons, not what the person feels, thinks or means "
    "to do. It learned from a few hundred clips of a few dozen people in laboratories: on other people, cameras and "
    "situations its errors are unknown and probably many."
)

# Support vectors and histograms of training clips are among what a fitted classifier keeps.
_HOLDS = (
    "The file holds numbers computed from training clips, no pictures. The data sets' agreements may forbid to pass it "
    "on all the same: ask those who gave you the data."
)


def make_card(
    method: str,
    estimator: Any,
    clipset: ClipSet,
    *,
    seed: int,
    params: Mapping[str, Any],
    auxiliary: ClipSet | None,
    measured: pd.DataFrame | None,
) -> dict[str, Any]:
    """Describe a model by what JSON can hold.

    Parameters
    ----------
    method : str
    estimator : the method's estimator
    clipset, auxiliary : the ClipSets it was trained on
    seed : int
    params : mapping
        What the user has set.
    measured : DataFrame or None
        Predictions of the same method on the same clips, leave one subject out, as `microexpr.run` gives them.

    Returns
    -------
    dict
        `method`, `settings`, `trained_on`, `auxiliary`, `measured` (a dict, or "not measured"), `not_for`, `why_not`,
        `holds`, `made`.

    Raises
    ------
    DataError
        If the predictions are of another method, seed, protocol or other clips.
    """
    record = get_method(method)
    everything = estimator.get_params(deep=True)
    return {
        "method": {
            "name": method,
            "summary": record.summary,
            "reference": record.reference,
            "caution": record.caution,
            "seed": seed,
        },
        "settings": {
            "set": {key: _written(key, value) for key, value in params.items()},
            "all": {key: _written(key, everything[key]) for key in settable_params(estimator)},
        },
        "trained_on": _described(clipset),
        "auxiliary": None if auxiliary is None else _described(auxiliary),
        "measured": "not measured" if measured is None else _figures(measured, method, seed, clipset),
        "not_for": list(NOT_FOR),
        "why_not": WHY_NOT,
        "holds": _HOLDS,
        "made": {"date": datetime.now(UTC).date().isoformat(), "versions": versions()},
    }


def check_measured(predictions: pd.DataFrame, method: str, seed: int, clipset: ClipSet) -> None:
    """Raise a DataError unless predictions are of this method and seed on just these clips, leave one subject out."""
    for column, expected in (("method", method), ("seed", seed), ("protocol", "loso"), ("labels", clipset.labels)):
        found = predictions[column].unique().tolist() if column in predictions else []
        if found != [expected]:
            raise DataError(
                f"predictions have the {column} {join_names(map(repr, found)) or 'none'}: it must be {expected!r}, as "
                "the model's"
            )
    ids = set(predictions["clip_id"])
    if odd := sorted(ids ^ set(clipset.table.index)):
        raise DataError(f"predictions and the model's clips differ in {join_names(odd)}: they must be the same")


def figures_of(predictions: pd.DataFrame, classes: tuple[str, ...]) -> dict[str, Any]:
    """Return the figures of predictions as a card holds them.

    Returns
    -------
    dict
        `clips`, `subjects`, `accuracy`; `UF1` and `UAR` with `estimate`, `low` and `high`; `majority`; `per_class`.
    """
    pooled = scores(predictions, classes)
    always = majority_row(predictions, classes)
    figures: dict[str, Any] = {
        "clips": pooled["n_clips"],
        "subjects": pooled["n_subjects"],
        "accuracy": pooled["accuracy"],
    }
    for metric in ("UF1", "UAR"):
        found = bootstrap_interval(predictions, classes, metric=metric)
        figures[metric] = {"estimate": found.estimate, "low": found.low, "high": found.high}
    figures["majority"] = {"UF1": always["UF1"], "UAR": always["UAR"]}
    rows = per_class(predictions, classes)
    figures["per_class"] = {
        str(name): {key: _or_none(row[key]) for key in ("precision", "recall", "f1")} | {"clips": int(row["support"])}
        for name, row in rows.iterrows()
    }
    return figures


def how_good(measured: Mapping[str, Any]) -> str:
    """Return a clause that tells the figures of a card's `measured`, or that there are none."""
    try:
        found, always = measured["UF1"], measured["majority"]["UF1"]
        its = f"{found['estimate']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"
        return f"on people that it had not seen its UF1 was {its}, always naming the most frequent class {always:.2f}"
    except (KeyError, TypeError, ValueError):
        return "its card does not say how well it does on people that it has not seen"


def _described(clipset: ClipSet) -> dict[str, Any]:
    table = clipset.table
    parts = {str(name): part for name, part in table.groupby("dataset", sort=True)}
    return {
        "datasets": [
            {"name": name, **_counts(part, clipset.classes), "fps": _median(part["fps"])}
            for name, part in parts.items()
        ],
        **_counts(table, clipset.classes),
        "labels": clipset.labels,
        "apexes_searched": int(table["apex_found"].sum()) if "apex_found" in table else 0,
        "digest": clipset.digest(),
    }


def _counts(table: pd.DataFrame, classes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "clips": len(table),
        "subjects": int(table["subject"].nunique()),
        "classes": {name: int(table["label"].eq(name).sum()) for name in classes},
    }


def _median(values: pd.Series) -> float | None:
    known = values.dropna()
    return float(known.median()) if len(known) else None


def _figures(predictions: pd.DataFrame, method: str, seed: int, clipset: ClipSet) -> dict[str, Any]:
    check_measured(predictions, method, seed, clipset)
    run_key = str(predictions["run_key"].iloc[0]) if "run_key" in predictions else None
    return {"protocol": "loso", **figures_of(predictions, clipset.classes), "run_key": run_key}


def _or_none(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _written(key: str, value: Any) -> Any:
    """Return a parameter as JSON holds it; of a file's path its name alone."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (str, Path)):
        return Path(value).name if key.endswith(("__weights", "__model")) else str(value)
    if isinstance(value, (tuple, list)):
        return [_written(key, item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _written(key, item) for name, item in value.items()}
    return value.item() if hasattr(value, "item") else str(value)
