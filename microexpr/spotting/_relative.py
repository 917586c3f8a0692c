"""What the methods share whose thresholds are relative: contrasts at two lags against the levels of a moving window."""

__all__ = ["RelativeMethod", "against_neighbors", "whole_rows"]

from abc import abstractmethod
from collections.abc import Iterable

import numpy as np
import pandas as pd

from microexpr.core.checks import check_float
from microexpr.core.errors import DataError, ParameterError
from microexpr.spotting.intervals import cosine_skirt, event_table, kind_of, peak_intervals, window_levels
from microexpr.spotting.method import SpottingMethod


def whole_rows(seconds: float, rate: float) -> int:
    """Return the number of rows nearest to a time, at least one."""
    return max(1, round(seconds * rate))


def against_neighbors(numbers: np.ndarray, lag: int) -> np.ndarray:
    """Return each number less the mean of those `lag` rows before and after; NaN where one of them is not known."""
    padded = np.pad(numbers, lag, constant_values=np.nan)
    return np.asarray(numbers - (padded[: -2 * lag] + padded[2 * lag :]) / 2)


class RelativeMethod(SpottingMethod):
    """Base of `OpticalStrain`, `MDMD` and `LBPDistance`: each measures a number and a region at each of two lags.

    Rows hold the numbers at the short and at the long lag, then the regions: positions in `region_names()`.
    """

    # Explicit parameters are the subclasses'; their types are told here once.
    lags: tuple[float, float]
    window: float
    floor: float
    edge: float
    min_duration: float
    max_duration: float
    max_speed: float

    decision_params = ("threshold", "window", "floor", "edge", "min_duration", "max_duration")
    columns = ("short", "long", "short_region", "long_region")

    def check_params(self) -> None:
        """Refuse parameters that are not allowed.

        Raises
        ------
        ParameterError
            Names parameter, value and rule.
        """
        if check_float(self.threshold, "threshold", maximum=1.0) <= 0.0:
            raise ParameterError(f"threshold is {self.threshold!r}: it must be greater than 0")
        if isinstance(self.lags, str) or not isinstance(self.lags, Iterable) or len(tuple(self.lags)) != 2:
            raise ParameterError(f"lags is {self.lags!r}: it must be a tuple of two times in seconds")
        times = {"lags[0]": self.lags[0], "lags[1]": self.lags[1], "window": self.window}
        for name, value in {**times, "max_duration": self.max_duration, "max_speed": self.max_speed}.items():
            if check_float(value, name) <= 0.0:
                raise ParameterError(f"{name} is {value!r}: it must be greater than 0")
        if self.lags[0] > self.lags[1]:
            raise ParameterError(f"lags is {self.lags!r}: the first must be at most the second")
        check_float(self.floor, "floor", minimum=0.0)
        check_float(self.edge, "edge", minimum=0.0, maximum=0.5)
        check_float(self.min_duration, "min_duration", minimum=0.0)
        if self.min_duration > self.max_duration:
            raise ParameterError(f"min_duration is {self.min_duration!r}: it must be at most max_duration")

    @abstractmethod
    def contrast(self, numbers: np.ndarray, lag: int) -> np.ndarray:
        """Return what stands out, row by row, from the numbers measured at a lag: larger is more."""

    @abstractmethod
    def region_names(self) -> tuple[str, ...]:
        """Return the names of the regions whose positions are in the rows."""

    def contrast_reach(self, lag: int) -> int:
        """Return how many rows before and after a row its contrast depends on."""
        return lag

    def reach(self, rate: float) -> tuple[int, int]:
        self.check_params()
        # What hides a micro-expression is at most two of the longest away, and known from five more: `peak_intervals`.
        longest = whole_rows(self.max_duration, rate)
        side = 7 * longest + 1 + self._half(rate) + self.contrast_reach(whole_rows(self.lags[1], rate))
        return side, side

    def scores(self, rows: np.ndarray, *, rate: float) -> np.ndarray:
        """Return the contrast as a part of the way from the window's mean to its maximum, the better of both lags.

        Parameters
        ----------
        rows : float64 ndarray of shape (n_rows, 4)
        rate : float > 0, in rows per second

        Returns
        -------
        float64 ndarray of shape (n_rows,)
            In [0, 1]; 0 for what is below the mean, or above it by less than `floor`; NaN where nothing was measured.
        """
        self.check_params()
        both = np.stack([scores for _, _, scores in self._measured(rows, rate)])
        best = np.where(np.isnan(both), -np.inf, both).max(axis=0)
        return np.where(np.isinf(best), np.nan, best)

    def decide(self, rows: np.ndarray, *, rate: float) -> pd.DataFrame:
        self.check_params()
        longest, names = whole_rows(self.max_duration, rate), self.region_names()
        found: dict[str, list[tuple[int, int, int, str, float, str]]] = {"micro": [], "macro": []}
        for kind, column, (contrast, mean, scores) in zip(found, (2, 3), self._measured(rows, rate), strict=True):
            spans = peak_intervals(
                contrast,
                scores,
                threshold=self.threshold,
                edge=self.edge,
                longest=longest,
                base=mean,
                widen=cosine_skirt(self.edge),
            )
            for onset, apex, offset in spans.tolist():
                length = offset - onset + 1
                if kind_of(length, rate) == kind and length >= self.min_duration * rate - 1e-9:
                    region = names[int(rows[apex, column])]
                    found[kind].append((onset, apex, offset, kind, float(scores[apex]), region))
        # Part of a macro-expression looks like a micro-expression to the short lag.
        covered = np.zeros(len(rows), bool)
        for onset, _, offset, *_ in found["macro"]:
            covered[onset : offset + 1] = True
        alone = [event for event in found["micro"] if not covered[event[0] : event[2] + 1].any()]
        return event_table([*alone, *found["macro"]], rate=rate)

    def thresholds(self) -> np.ndarray:
        return np.round(np.concatenate([[0.01], np.arange(1, 20) * 0.05]), 2)

    def _half(self, rate: float) -> int:
        return whole_rows(self.window / 2, rate)

    def _measured(self, rows: np.ndarray, rate: float) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return contrast, mean and score of each row, for each lag."""
        rows = np.asarray(rows, np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.columns):
            raise DataError(f"rows have shape {rows.shape}; they must be (n_rows, {len(self.columns)})")
        measured = []
        for column, lag in enumerate(self.lags):
            contrast = self.contrast(rows[:, column], whole_rows(lag, rate))
            mean, largest = window_levels(contrast, half=self._half(rate))
            rise = contrast - mean
            # Where all rows are alike nothing stands out.
            scores = np.clip(rise / np.where(largest > mean, largest - mean, np.inf), 0.0, 1.0)
            measured.append((contrast, mean, np.where(rise < self.floor, 0.0, scores)))
        return measured
