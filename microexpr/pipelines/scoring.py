"""Scores of files: MEGC logs and predictions tables, each figure recomputed from its rows."""

__all__ = ["Scored", "convert_to_log", "score_files"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from microexpr.core.errors import DataError, ParameterError
from microexpr.pipelines.megclog import read_any, write_megc_log
from microexpr.pipelines.metrics import Scores, by_dataset, confusion, majority_row, per_class, roc_curves, scores
from microexpr.pipelines.statistics import Interval, bootstrap_interval


@dataclass(frozen=True)
class Scored:
    """All figures of one file.

    Parameters
    ----------
    path : Path
    classes : tuple of str
    pooled, majority : Scores
        Of the predictions, and of always answering the most frequent class.
    intervals : dict of metric -> Interval
        UF1 and UAR, 95 %, by bootstrap over subjects.
    datasets, classwise, confusion : DataFrame
    auc : dict of class -> float, or None where the file has no scores
    shared_subjects : bool
        Whether the file shows that a subject's clips were in training and test of one fold; a log never does.
    """

    path: Path
    classes: tuple[str, ...]
    pooled: Scores
    majority: Scores
    intervals: dict[str, Interval]
    datasets: pd.DataFrame
    classwise: pd.DataFrame
    confusion: pd.DataFrame
    auc: dict[str, float] | None
    shared_subjects: bool


def score_files(paths: Sequence[str | Path], classes: Sequence[str] = ()) -> list[Scored]:
    """Recompute every figure of MEGC logs or predictions files.

    Parameters
    ----------
    paths : sequence of path
    classes : sequence of str
        The class order; empty takes the challenge's for a log, and the columns' order for a predictions file.

    Raises
    ------
    DataError
        If a file cannot be read or scored; the message names it.
    """
    return [_score(Path(path), classes) for path in paths]


def convert_to_log(paths: Sequence[str | Path], target: str | Path, classes: Sequence[str] = ()) -> None:
    """Write one predictions file as a MEGC log, classes numbered in their order.

    Raises
    ------
    ParameterError
        If there is not exactly one file.
    DataError
        If it cannot be read, or a name does not fit the format.
    ResultsError
        If the log cannot be written.
    """
    if len(paths) != 1:
        raise ParameterError(f"{len(paths)} files are given: exactly one can be written as a log")
    predictions, names = read_any(paths[0], tuple(classes) or None)
    write_megc_log(predictions, target, names)


def _score(path: Path, classes: Sequence[str]) -> Scored:
    predictions, names = read_any(path, tuple(classes) or None)
    try:
        pooled = scores(predictions, names)
        curves = roc_curves(predictions, names)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return Scored(
        path,
        names,
        pooled,
        majority_row(predictions, names),
        {metric: bootstrap_interval(predictions, names, metric=metric) for metric in ("UF1", "UAR")},
        by_dataset(predictions, names),
        per_class(predictions, names),
        confusion(predictions, names),
        None if curves is None else curves.auc,
        _shares_subjects(predictions),
    )


def _shares_subjects(predictions: pd.DataFrame) -> bool:
    """Whether the protocol named in the table let a subject into training and test of one fold."""
    if not {"protocol", "fold"} <= set(predictions.columns):
        return False
    # A hold-out file holds the test clips only; of folds that cover all clips, a subject in two is shared.
    if predictions["protocol"].str.startswith("holdout").any():
        return True
    return bool((predictions.groupby("subject")["fold"].nunique() > 1).any())
