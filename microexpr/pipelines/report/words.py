"""Wordings and number formats that the terminal and the HTML report share."""

__all__ = ["LEAK_WARNING", "SHARED_WARNING", "count", "difference", "figure", "interval"]

import math
from typing import Any

SHARED_WARNING = (
    "subjects shared: this protocol puts clips of one person into training and test, so its figures "
    "are too high for people the model has not seen; compare them with leave-one-subject-out (loso) figures only "
    "to see by how much"
)

LEAK_WARNING = (
    "the leaked figures are a lie: the test clips themselves chose the epoch that is scored on them; they only show by "
    "how much published figures that were made so may be too high"
)


def count(number: int, noun: str) -> str:
    """Return `1 clip`, `2 clips`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def figure(value: float) -> str:
    """Return a score with three digits and no leading zero, or a dash where there is none."""
    if math.isnan(value):
        return "-"
    text = f"{value:.3f}"
    return text.removeprefix("0") if 0 <= value < 1 else text


def difference(value: float) -> str:
    """Return the difference of two scores with its sign, `+.045`."""
    return f"{'-' if value < 0 else '+'}{figure(abs(value))}"


def interval(row: Any, metric: str) -> str:
    """Return `.756 [.689, .817]` from a row with `metric`, `metric_low` and `metric_high`."""
    low, high = row[f"{metric}_low"], row[f"{metric}_high"]
    return f"{figure(row[metric])} [{figure(low)}, {figure(high)}]"
