"""What a method of spotting is: it turns faces into numbers as they come, and numbers into events."""

__all__ = ["EVENT_COLUMNS", "EXPRESSIONS", "FaceFrame", "SpottingMethod", "empty_events"]

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

#: The columns of every table of events, in order.
EVENT_COLUMNS = ("onset", "apex", "offset", "kind", "score", "region", "duration")

#: The kinds of events that are expressions; others (blink, head, speech) are listed, so as not to be taken for one.
EXPRESSIONS = ("micro", "macro")


@dataclass(frozen=True, eq=False)
class FaceFrame:
    """One frame's face, brought to its canonical place; the head's own motion is taken out of it.

    Parameters
    ----------
    position : int >= 0
        Of the frame among the video's own.
    grey : uint8 ndarray of shape (height, width), or None
        The face as if the head stood still; None where there is none.
    points : float64 ndarray of shape (68, 2)
        Where the canonical landmarks lie in `grey`, x and y in pixels: the same for every frame.
    speed : float >= 0
        How fast the head moves in this frame, in distances between the eyes a second; NaN where there is no face.
    restart : bool
        Whether this face cannot be compared with the frames before it: the first one, one after a gap or a cut.
    head : (x, y, turn, growth), floats, or None
        How the head has moved since the last restart: shift in distances between the eyes, turn in radians, logarithm
        of its size.
    """

    position: int
    grey: np.ndarray | None
    points: np.ndarray
    speed: float
    restart: bool
    head: tuple[float, float, float, float] | None = None


class SpottingMethod(BaseEstimator, ABC):
    """Base of the methods: `measure` sees each face once, in order; `decide` sees numbers alone.

    Subclasses have explicit keyword arguments in `__init__`, `threshold` among them, check them in `check_params`, and
    raise the integer `version` whenever the same video would give other numbers.

    Attributes
    ----------
    name : str
        What the method is called on the command line.
    version : int
    decision_params : tuple of str
        The parameters that `measure` does not depend on.
    reads_motion : bool
        Whether its rows are those of `RegionMotion`, which are measured in any case: blinks are told by them.
    told_apart : tuple of str
        The kinds of distractors that it does not take for expressions by itself.
    is_learned : bool
        Whether `decide` needs what `fit` learns from videos whose expressions are known.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    decision_params: ClassVar[tuple[str, ...]] = ("threshold",)
    reads_motion: ClassVar[bool] = False
    told_apart: ClassVar[tuple[str, ...]] = ()
    is_learned: ClassVar[bool] = False
    threshold: float

    @abstractmethod
    def check_params(self) -> None:
        """Refuse parameters that are not allowed.

        Raises
        ------
        ParameterError
            Names parameter, value and rule.
        """

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The names of the numbers that `measure` gives for each frame."""

    @abstractmethod
    def measure(self, faces: Iterable[FaceFrame], *, rate: float) -> Iterator[np.ndarray]:
        """Yield one row of numbers for each face, in order; a row may come some faces late.

        Parameters
        ----------
        faces : iterable of FaceFrame
            Read one at a time; only the few that later rows need are kept.
        rate : float > 0, in faces per second

        Yields
        ------
        float64 ndarray of shape (n_columns,)
            NaN where a face has no number: there is none, or too few before or after it without a restart between.
        """

    def fit(self, rows: Sequence[np.ndarray], expressions: Sequence[pd.DataFrame], *, rates: Sequence[float]) -> Self:
        """Learn from videos whose expressions are known; a method that does not learn has nothing to do.

        What `measure` gives must not depend on it: rows are measured once, whoever is left out of training.

        Parameters
        ----------
        rows : sequence of n_videos float64 ndarrays of shape (n_rows, n_columns)
            What `measure` gave.
        expressions : sequence of n_videos DataFrames
            Columns onset, apex (missing where unknown) and offset, in rows, both ends inclusive; kind; label where
            there are labels.
        rates : sequence of n_videos floats > 0, in rows per second
        """
        return self

    @abstractmethod
    def reach(self, rate: float) -> tuple[int, int]:
        """Return how many rows before its onset and after its offset decide about an event.

        Whether an event is found, and all that is said of it, must depend on no other rows: long videos are decided
        piece by piece.
        """

    @abstractmethod
    def decide(self, rows: np.ndarray, *, rate: float) -> pd.DataFrame:
        """Find the events in rows of numbers.

        Parameters
        ----------
        rows : float64 ndarray of shape (n_rows, n_columns)
            What `measure` gave.
        rate : float > 0, in rows per second

        Returns
        -------
        DataFrame
            Columns `EVENT_COLUMNS`, by onset: onset, apex and offset (int64, rows, both ends inclusive), kind (`micro`
            or `macro`), score (float64, at least `threshold`: larger is surer), region (str, where the face moved
            most), duration (in seconds).
        """

    @abstractmethod
    def scores(self, rows: np.ndarray, *, rate: float) -> np.ndarray:
        """Return what the threshold is compared with, row by row: float64 of shape (n_rows,), for drawing."""

    @abstractmethod
    def thresholds(self) -> np.ndarray:
        """Return the thresholds among which training videos may choose, float64, ascending."""


def empty_events() -> pd.DataFrame:
    """Return a table of no events, its columns of the right kinds."""
    kinds = ("int64", "int64", "int64", "str", "float64", "str", "float64")
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in zip(EVENT_COLUMNS, kinds, strict=True)})
