"""How sure a score is: intervals by bootstrap over subjects, and comparisons of methods over subjects."""

__all__ = [
    "Interval",
    "PairedDifference",
    "bootstrap_interval",
    "compare_all",
    "paired_difference",
    "subject_interval",
]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from microexpr.core.checks import check_choice, check_float, check_int
from microexpr.core.errors import DataError, ParameterError, join_names
from microexpr.pipelines.metrics import METRICS, figures, group_confusions
from microexpr.pipelines.predictions import check_predictions

# Resampled subjects held in memory at once.
_BATCH = 2_000_000


@dataclass(frozen=True)
class Interval:
    """A score with its confidence interval; `low` and `high` are NaN where there is one subject only."""

    metric: str
    estimate: float
    low: float
    high: float
    confidence: float
    n_clips: int
    n_subjects: int


@dataclass(frozen=True)
class PairedDifference:
    """The score of one method minus another's on the same clips; `low` and `high` are NaN for one subject."""

    metric: str
    score_a: float
    score_b: float
    difference: float
    low: float
    high: float
    p_value: float
    confidence: float
    n_clips: int
    n_subjects: int


def bootstrap_interval(
    predictions: pd.DataFrame,
    classes: Sequence[str],
    *,
    metric: str = "UF1",
    n_resamples: int = 2000,
    confidence: float = 0.95,
    random_state: int = 0,
) -> Interval:
    """Compute a score and its percentile bootstrap interval over subjects.

    As many subjects as there are drawn with replacement, each with all its clips; the clips drawn are pooled and scored
    as `metrics.scores` does. The interval runs between the (1 - confidence) / 2 and (1 + confidence) / 2 quantiles of
    the resampled scores.

    Parameters
    ----------
    predictions : DataFrame with one row per clip
        Columns `clip_id`, `dataset`, `subject`, `y_true`, `y_pred`.
    classes : sequence of str
    metric : {"UF1", "UAR", "accuracy"}
    n_resamples : int >= 1
    confidence : float in (0, 1)
    random_state : int >= 0
        Tables with as many subjects get the same draws, whatever the order of their rows.

    Returns
    -------
    Interval

    Raises
    ------
    ParameterError
        If an argument breaks its rule.
    DataError
        If the table cannot be scored over `classes`.

    Notes
    -----
    Subjects, not clips, are drawn: the clips of one person are alike, and an interval over clips comes out too narrow.
    A resample without any clip of a class is scored over the classes it has. With one subject the interval is NaN:
    nothing is known of how subjects differ. What another training run would change is not in it.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall, 1993.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({
    ...     "clip_id": ["toy/s1/a", "toy/s2/a", "toy/s3/a", "toy/s4/a"], "dataset": "toy",
    ...     "subject": ["toy/s1", "toy/s2", "toy/s3", "toy/s4"],
    ...     "y_true": ["negative", "positive", "negative", "positive"],
    ...     "y_pred": ["negative", "positive", "negative", "negative"]})
    >>> interval = bootstrap_interval(table, ("negative", "positive"), metric="accuracy")
    >>> interval.estimate, interval.low, interval.high
    (0.75, 0.25, 1.0)
    """
    _check_arguments(metric, n_resamples, confidence, random_state)
    subjects, matrices = group_confusions(predictions, classes, "subject")

    def score(pooled: np.ndarray) -> np.ndarray:
        return figures(pooled)[metric]

    low, high = subject_interval(matrices, score, n_resamples, confidence, random_state)
    estimate = float(score(matrices.sum(axis=0)))
    return Interval(metric, estimate, low, high, confidence, len(predictions), len(subjects))


def paired_difference(
    predictions_a: pd.DataFrame,
    predictions_b: pd.DataFrame,
    classes: Sequence[str],
    *,
    metric: str = "UF1",
    n_resamples: int = 2000,
    n_permutations: int = 9999,
    confidence: float = 0.95,
    random_state: int = 0,
) -> PairedDifference:
    """Compare two methods on the same clips: score of a minus score of b, over subjects.

    The interval is a percentile bootstrap in which both methods are scored on the same drawn subjects. The p-value is
    that of a permutation test: if the methods were alike, exchanging their predictions for all clips of a subject would
    change nothing; it is twice the smaller share of such exchanges (each subject exchanged or not) whose difference
    reaches the observed one on either side, at most 1. All 2 ** n_subjects exchanges are made where they are no more
    than `n_permutations`, random ones otherwise, the observed one counted among them.

    Parameters
    ----------
    predictions_a, predictions_b : DataFrame with one row per clip
        Joined by `clip_id`; the order of rows does not matter.
    classes : sequence of str
    metric : {"UF1", "UAR", "accuracy"}
    n_resamples, n_permutations : int >= 1
    confidence : float in (0, 1)
    random_state : int >= 0

    Returns
    -------
    PairedDifference

    Raises
    ------
    ParameterError
        If an argument breaks its rule.
    DataError
        If a table cannot be scored over `classes`, or the tables differ in clips, or in a clip's truth or subject.

    Notes
    -----
    A resample without any clip of a class scores both methods over the classes it has. With one subject the interval is
    NaN and the p-value 1.
    """
    _check_arguments(metric, n_resamples, confidence, random_state)
    check_int(n_permutations, "n_permutations", minimum=1)
    names = check_predictions(predictions_a, classes)
    check_predictions(predictions_b, classes)
    _check_same_clips(predictions_a, predictions_b)
    subjects, matrices_a = group_confusions(predictions_a, names, "subject")
    _, matrices_b = group_confusions(predictions_b, names, "subject")

    def difference(pooled: np.ndarray) -> np.ndarray:
        return figures(pooled[..., 0, :, :])[metric] - figures(pooled[..., 1, :, :])[metric]

    matrices = np.stack([matrices_a, matrices_b], axis=1)
    low, high = subject_interval(matrices, difference, n_resamples, confidence, random_state)
    score_a, score_b = (float(figures(total)[metric]) for total in matrices.sum(axis=0))
    return PairedDifference(
        metric,
        score_a,
        score_b,
        score_a - score_b,
        low,
        high,
        _exchange_p_value(matrices, difference, n_permutations, random_state),
        confidence,
        len(predictions_a),
        len(subjects),
    )


def compare_all(
    predictions: Mapping[str, pd.DataFrame],
    classes: Sequence[str],
    *,
    metric: str = "UF1",
    n_resamples: int = 2000,
    n_permutations: int = 9999,
    confidence: float = 0.95,
    random_state: int = 0,
) -> pd.DataFrame:
    """Compare every pair of methods by `paired_difference`, with p-values adjusted for their number.

    Returns
    -------
    DataFrame of n * (n - 1) / 2 rows, pairs in the mapping's order
        Columns method_a, method_b, metric, score_a, score_b, difference, low, high, p_value, p_adjusted, n_clips,
        n_subjects. `p_adjusted` controls the false discovery rate over all rows [1]_.

    Raises
    ------
    ParameterError, DataError
        As `paired_difference`; what concerns one pair names it.

    References
    ----------
    .. [1] Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", J. R. Stat. Soc. B, 1995.
    """
    columns = ["method_a", "method_b", "metric", "score_a", "score_b", "difference", "low", "high"]
    columns += ["p_value", "p_adjusted", "n_clips", "n_subjects"]
    rows = []
    for method_a, method_b in combinations(predictions, 2):
        try:
            pair = paired_difference(
                predictions[method_a],
                predictions[method_b],
                classes,
                metric=metric,
                n_resamples=n_resamples,
                n_permutations=n_permutations,
                confidence=confidence,
                random_state=random_state,
            )
        except DataError as error:
            raise DataError(f"{method_a} and {method_b}: {error}") from None
        rows.append({"method_a": method_a, "method_b": method_b, **vars(pair)})
    table = pd.DataFrame(rows, columns=columns)
    if rows:
        from scipy.stats import false_discovery_control

        table["p_adjusted"] = false_discovery_control(table["p_value"].to_numpy(), method="bh")
    return table


def subject_interval(
    matrices: np.ndarray,
    score: Callable[[np.ndarray], np.ndarray],
    n_resamples: int,
    confidence: float,
    random_state: int,
) -> tuple[float, float]:
    """Return the percentile interval of a score, subjects drawn with replacement.

    Parameters
    ----------
    matrices : integer ndarray of shape (n_subjects, ...)
        Each subject's counts.
    score : callable
        From sums of drawn subjects' counts, (..., *matrices.shape[1:]), to scores.
    n_resamples : int >= 1
    confidence : float in (0, 1)
    random_state : int >= 0

    Returns
    -------
    low, high : float
        NaN with fewer than two subjects.
    """
    n_subjects = len(matrices)
    if n_subjects < 2:
        return float("nan"), float("nan")
    from scipy.stats import bootstrap

    flat = matrices.reshape(n_subjects, -1).astype(np.float64)

    def statistic(drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        # How often each subject was drawn, then one matrix product: exact, as all are integers.
        draws = drawn.reshape(-1, n_subjects)
        offsets = n_subjects * np.arange(len(draws))[:, np.newaxis]
        times = np.bincount((draws + offsets).ravel(), minlength=draws.size).reshape(draws.shape)
        return score((times @ flat).reshape(*drawn.shape[:-1], *matrices.shape[1:]))

    result = bootstrap(
        (np.arange(n_subjects),),
        statistic,
        n_resamples=n_resamples,
        batch=max(1, _BATCH // n_subjects),
        vectorized=True,
        confidence_level=confidence,
        method="percentile",
        random_state=np.random.default_rng(random_state),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def _exchange_p_value(
    matrices: np.ndarray,
    difference: Callable[[np.ndarray], np.ndarray],
    n_permutations: int,
    random_state: int,
) -> float:
    """Return the p-value of exchanging the two methods' matrices (second axis) subject by subject."""
    n_subjects = len(matrices)
    if n_subjects < 2:
        return 1.0
    from scipy.stats import permutation_test

    as_it_is = matrices.sum(axis=0).astype(np.float64)
    change = (matrices[:, ::-1] - matrices).reshape(n_subjects, -1).astype(np.float64)

    def statistic(first: np.ndarray, second: np.ndarray, axis: int = -1) -> np.ndarray:
        # Sample a holds 0 and sample b holds 1 for every subject: a 1 in the first marks an exchange.
        pooled = as_it_is + (first @ change).reshape(*first.shape[:-1], *as_it_is.shape)
        # Equal differences reached by different sums must compare as equal.
        return np.round(difference(pooled), 12)

    result = permutation_test(
        (np.zeros(n_subjects), np.ones(n_subjects)),
        statistic,
        permutation_type="samples",
        vectorized=True,
        n_resamples=n_permutations,
        batch=max(1, _BATCH // n_subjects),
        random_state=np.random.default_rng(random_state),
    )
    return float(result.pvalue)


def _check_arguments(metric: str, n_resamples: int, confidence: float, random_state: int) -> None:
    check_choice(metric, "metric", METRICS)
    check_int(n_resamples, "n_resamples", minimum=1)
    if not 0.0 < check_float(confidence, "confidence") < 1.0:
        raise ParameterError(f"confidence is {confidence!r}: it must lie between 0 and 1")
    check_int(random_state, "random_state", minimum=0)


def _check_same_clips(predictions_a: pd.DataFrame, predictions_b: pd.DataFrame) -> None:
    """Refuse two tables that do not hold the same clips with the same truth and subject."""
    table_a = predictions_a.set_index("clip_id")
    table_b = predictions_b.set_index("clip_id")
    if not (alone := table_a.index.symmetric_difference(table_b.index)).empty:
        raise DataError(f"only one of the two tables has the clip {join_names(alone)}; they must hold the same clips")
    table_b = table_b.loc[table_a.index]
    for column in ("y_true", "subject"):
        if (differs := table_a[column].to_numpy() != table_b[column].to_numpy()).any():
            raise DataError(f"the two tables differ in {column} of {join_names(table_a.index[differs])}")
