"""Scores of a predictions table: all folds are pooled first, then scored."""

__all__ = [
    "METRICS",
    "RocCurves",
    "Scores",
    "by_dataset",
    "by_subject",
    "confusion",
    "figures",
    "group_confusions",
    "majority_predictions",
    "majority_row",
    "per_class",
    "roc_curves",
    "scores",
]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd

from microexpr.core.errors import DataError, join_names
from microexpr.pipelines.predictions import check_predictions, class_columns

METRICS = ("UF1", "UAR", "accuracy")
"""The figures that intervals and comparisons are made for."""


class Scores(TypedDict):
    """The figures of a set of clips; each is a plain number between 0 and 1 except the counts and the note."""

    n_clips: int
    n_subjects: int
    UF1: float
    UAR: float
    accuracy: float
    macro_precision: float
    weighted_f1: float
    absent: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class RocCurves:
    """One-versus-rest ROC curves.

    Attributes
    ----------
    curves : dict of str to (ndarray, ndarray)
        False and true positive rates of each class, from (0, 0) to (1, 1).
    auc : dict of str to float
        Area under each curve.
    macro_auc : float
        Mean of `auc`; NaN if no class has a curve.
    undefined : tuple of str
        Classes without a curve, as all clips or none belong to them.
    """

    curves: dict[str, tuple[np.ndarray, np.ndarray]]
    auc: dict[str, float]
    macro_auc: float
    undefined: tuple[str, ...]


def scores(predictions: pd.DataFrame, classes: Sequence[str]) -> Scores:
    """Compute the figures of a predictions table, pooled over all its folds.

    TP_c, FP_c and FN_c are summed over all rows; then F1_c = 2 TP_c / (2 TP_c + FP_c + FN_c), recall_c = TP_c / n_c
    and precision_c = TP_c / (TP_c + FP_c). UF1, UAR and `macro_precision` are the unweighted means of F1, recall and
    precision over the classes, `weighted_f1` is the mean of F1 weighted by n_c, and accuracy is sum_c TP_c / n.

    Parameters
    ----------
    predictions : DataFrame with one row per clip
        Columns `clip_id`, `dataset`, `subject`, `y_true`, `y_pred`; others are not looked at.
    classes : sequence of str
        The class order.

    Returns
    -------
    dict
        n_clips, n_subjects, UF1, UAR, accuracy, macro_precision, weighted_f1; `absent`, the classes that no clip
        truly belongs to; and `note`, a sentence that says so ("" if there are none).

    Raises
    ------
    ParameterError
        If `classes` is no sequence of distinct names.
    DataError
        If the table is empty, lacks a column or a value, repeats a clip, or has a label outside `classes`.

    Notes
    -----
    A class absent from `y_true` is left out of every mean. A clip predicted as such a class is still an error of its
    own class (a miss, in recall and F1) and of accuracy; the absent class's own F1 of 0 is not averaged in, which is
    scikit-learn's result for `labels=` the classes present. The precision of a class never predicted is 0.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({
    ...     "clip_id": ["toy/s1/a", "toy/s1/b", "toy/s2/a", "toy/s2/b"], "dataset": "toy",
    ...     "subject": ["toy/s1", "toy/s1", "toy/s2", "toy/s2"],
    ...     "y_true": ["negative", "negative", "positive", "positive"],
    ...     "y_pred": ["negative", "negative", "positive", "negative"]})
    >>> pooled = scores(table, ("negative", "positive", "surprise"))
    >>> round(pooled["UF1"], 3), pooled["UAR"]
    (0.733, 0.75)
    >>> pooled["note"]
    'no clip is surprise: scored over negative, positive'
    """
    names = check_predictions(predictions, classes)
    _, matrices = _confusions(predictions, names, None)
    return _rows(matrices, names, [predictions["subject"].nunique()])[0]


def by_dataset(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Compute `scores` of each data set's clips, pooled over its folds.

    Returns
    -------
    DataFrame
        Indexed by `dataset`, sorted; columns as the keys of `scores`.

    Raises
    ------
    ParameterError, DataError
        As `scores`.
    """
    return _grouped(predictions, classes, "dataset")


def by_subject(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Compute `scores` of each subject's clips, to see where errors lie.

    Most subjects lack a class, so these figures are not to be averaged: see `scores` for the figure of the whole.

    Returns
    -------
    DataFrame
        Indexed by `subject`, sorted; columns as the keys of `scores`.

    Raises
    ------
    ParameterError, DataError
        As `scores`.
    """
    return _grouped(predictions, classes, "subject")


def confusion(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Count clips by true class (rows) and predicted class (columns).

    Returns
    -------
    DataFrame of int64, shape (n_classes, n_classes)
        Rows named `y_true` and columns named `y_pred`, both in class order; absent classes included.

    Raises
    ------
    ParameterError, DataError
        As `scores`.
    """
    names = check_predictions(predictions, classes)
    _, matrices = _confusions(predictions, names, None)
    return pd.DataFrame(matrices[0], index=pd.Index(names, name="y_true"), columns=pd.Index(names, name="y_pred"))


def per_class(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Compute each class's figures, one versus rest.

    accuracy = (TP + TN) / n, precision = TP / (TP + FP), recall = TP / (TP + FN), f1 = 2 TP / (2 TP + FP + FN).

    Returns
    -------
    DataFrame of shape (n_classes, 5)
        Indexed by `class` in class order; columns accuracy, precision, recall, f1, support. Precision, recall and f1
        of a class with support 0 are NaN, so that the columns' means are `macro_precision`, UAR and UF1. The precision
        of a class that has clips but is never predicted is 0.

    Raises
    ------
    ParameterError, DataError
        As `scores`.
    """
    names = check_predictions(predictions, classes)
    _, matrices = _confusions(predictions, names, None)
    hits, truth, predicted = _margins(matrices[0].astype(np.float64))
    precision, recall, f1 = _class_figures(hits, truth, predicted)
    present = truth > 0
    n_clips = truth.sum()
    table = {
        "accuracy": (n_clips - truth - predicted + 2 * hits) / n_clips,
        "precision": np.where(present, precision, np.nan),
        "recall": np.where(present, recall, np.nan),
        "f1": np.where(present, f1, np.nan),
        "support": truth.astype(np.int64),
    }
    return pd.DataFrame(table, index=pd.Index(names, name="class"))


def roc_curves(predictions: pd.DataFrame, classes: Sequence[str]) -> RocCurves | None:
    """Compute one-versus-rest ROC curves from the `proba_<class>` columns, else the `score_<class>` columns.

    The clips of all folds are pooled, as for every score. Only the order of a column's values matters.

    Returns
    -------
    RocCurves or None
        None if the table has no such columns.

    Raises
    ------
    ParameterError
        If `classes` is no sequence of distinct names.
    DataError
        As `scores`; also if some but not all classes have a column, or a column holds NaN or no numbers. Infinite
        values are ranks like others: a class unknown to a fold's training set may carry -inf.

    Notes
    -----
    Decision values of different folds come from different models. Pooling them takes their scales as comparable, so
    the area of uncalibrated decision values is a lower estimate of what each fold's model achieves.
    """
    names = check_predictions(predictions, classes)
    columns = class_columns(predictions)
    if not columns:
        return None
    from scipy.stats import rankdata
    from sklearn.metrics import auc, roc_curve

    prefix = next(iter(columns.values()))[: len("proba_")]
    if missing := [f"{prefix}{name}" for name in names if name not in columns]:
        raise DataError(f"predictions lack the column {join_names(missing)}; every class needs one for a ROC curve")
    curves: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    areas: dict[str, float] = {}
    for name in names:
        values = _class_values(predictions, columns[name])
        positive = predictions["y_true"].eq(name).to_numpy(dtype=bool)
        if positive.all() or not positive.any():
            continue
        # Ranks give the same curve and let infinite values through.
        false_rate, true_rate, _ = roc_curve(positive, rankdata(values, method="dense"))
        curves[name] = (false_rate, true_rate)
        areas[name] = float(auc(false_rate, true_rate))
    macro = float(np.mean(list(areas.values()))) if areas else float("nan")
    return RocCurves(curves, areas, macro, tuple(name for name in names if name not in areas))


def majority_predictions(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return the table with every prediction replaced by the most frequent true class of the whole table.

    Ties go to the class that comes first in `classes`. Class columns are left out. Unlike a dummy classifier inside
    the folds, this knows the test labels' counts: it is a fixed reference, not a method.

    Raises
    ------
    ParameterError, DataError
        As `scores`.
    """
    names = check_predictions(predictions, classes)
    counts = [int(predictions["y_true"].eq(name).sum()) for name in names]
    kept = [column for column in predictions.columns if not str(column).startswith(("proba_", "score_"))]
    return predictions[kept].assign(y_pred=names[int(np.argmax(counts))])


def majority_row(predictions: pd.DataFrame, classes: Sequence[str]) -> Scores:
    """Compute `scores` of `majority_predictions`: what always answering the most frequent class would give.

    Raises
    ------
    ParameterError, DataError
        As `scores`.
    """
    return scores(majority_predictions(predictions, classes), classes)


def figures(matrices: np.ndarray) -> dict[str, np.ndarray]:
    """Compute the figures of confusion matrices, many at a time; the formulas are those of `scores`.

    Parameters
    ----------
    matrices : ndarray of shape (..., n_classes, n_classes)
        Counts, rows truth and columns prediction; each matrix holds at least one clip.

    Returns
    -------
    dict of str to float64 ndarray of shape (...)
        UF1, UAR, accuracy, macro_precision, weighted_f1, over the classes whose row is not empty.
    """
    hits, truth, predicted = _margins(np.asarray(matrices, dtype=np.float64))
    precision, recall, f1 = _class_figures(hits, truth, predicted)
    n_present = (truth > 0).sum(axis=-1)
    n_clips = truth.sum(axis=-1)
    # The three are 0 for an absent class, so plain sums leave it out.
    return {
        "UF1": f1.sum(axis=-1) / n_present,
        "UAR": recall.sum(axis=-1) / n_present,
        "accuracy": hits.sum(axis=-1) / n_clips,
        "macro_precision": precision.sum(axis=-1) / n_present,
        "weighted_f1": (f1 * truth).sum(axis=-1) / n_clips,
    }


def group_confusions(predictions: pd.DataFrame, classes: Sequence[str], by: str) -> tuple[list[str], np.ndarray]:
    """Return one confusion matrix for each value of the column `by`.

    Returns
    -------
    groups : list of str, sorted
    matrices : int64 ndarray of shape (n_groups, n_classes, n_classes)
        Rows truth, columns prediction.

    Raises
    ------
    ParameterError, DataError
        As `scores`.
    """
    return _confusions(predictions, check_predictions(predictions, classes), by)


def _margins(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return hits, true counts and predicted counts of each class."""
    return np.diagonal(matrices, axis1=-2, axis2=-1), matrices.sum(axis=-1), matrices.sum(axis=-2)


def _class_figures(
    hits: np.ndarray, truth: np.ndarray, predicted: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return precision, recall and F1 of each class, 0 where undefined; an absent class has no hits, so 0 as well."""
    # Where a divisor is 0 so are the hits, and 0 / 1 is the wanted 0.
    precision = hits / np.maximum(predicted, 1)
    recall = hits / np.maximum(truth, 1)
    f1 = 2 * hits / np.maximum(truth + predicted, 1)
    return precision, recall, f1


def _confusions(predictions: pd.DataFrame, names: tuple[str, ...], by: str | None) -> tuple[list[str], np.ndarray]:
    """Return the confusion matrix of each group of a checked table; one for all rows if `by` is None."""
    order = pd.Index(names)
    truth = order.get_indexer(pd.Index(predictions["y_true"]))
    predicted = order.get_indexer(pd.Index(predictions["y_pred"]))
    if by is None:
        codes, groups = np.zeros(len(predictions), dtype=np.intp), ["all"]
    else:
        codes, values = pd.factorize(predictions[by], sort=True)
        groups = [str(value) for value in values]
    shape = (len(groups), len(names), len(names))
    cells = np.ravel_multi_index((codes, truth, predicted), shape)
    return groups, np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape)


def _rows(matrices: np.ndarray, names: tuple[str, ...], n_subjects: Sequence[int]) -> list[Scores]:
    """Return the scores of each matrix."""
    values = figures(matrices)
    rows = []
    for i, matrix in enumerate(matrices):
        present = matrix.sum(axis=-1) > 0
        absent = tuple(name for name, there in zip(names, present, strict=True) if not there)
        over = ", ".join(name for name in names if name not in absent)
        rows.append(
            Scores(
                n_clips=int(matrix.sum()),
                n_subjects=int(n_subjects[i]),
                UF1=float(values["UF1"][i]),
                UAR=float(values["UAR"][i]),
                accuracy=float(values["accuracy"][i]),
                macro_precision=float(values["macro_precision"][i]),
                weighted_f1=float(values["weighted_f1"][i]),
                absent=absent,
                note=f"no clip is {' or '.join(absent)}: scored over {over}" if absent else "",
            )
        )
    return rows


def _grouped(predictions: pd.DataFrame, classes: Sequence[str], by: str) -> pd.DataFrame:
    """Return `scores` of each group as a table."""
    names = check_predictions(predictions, classes)
    groups, matrices = _confusions(predictions, names, by)
    members = predictions[[by]].assign(person=predictions["subject"]).groupby(by, sort=True, observed=True)
    n_subjects = members["person"].nunique().tolist()
    return pd.DataFrame(_rows(matrices, names, n_subjects), index=pd.Index(groups, name=by))


def _class_values(predictions: pd.DataFrame, column: str) -> np.ndarray:
    """Return a class column as floats, refusing NaN."""
    try:
        values = predictions[column].to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"predictions have text in {column}; it must hold numbers") from None
    if (gaps := np.isnan(values)).any():
        raise DataError(f"predictions have NaN in {column} for {join_names(predictions['clip_id'][gaps])}")
    return values
