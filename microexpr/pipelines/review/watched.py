"""What was found in one video, and what was seen on the way: all that is written for the person who reviews it."""

__all__ = ["KINDS", "Watched"]

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from microexpr.core.checks import check_float, check_int, check_int_tuple
from microexpr.core.errors import DataError, ParameterError, join_names
from microexpr.spotting.matching import check_intervals
from microexpr.spotting.method import EVENT_COLUMNS, EXPRESSIONS

#: The kinds of events, in the order of their rows and tiers.
KINDS = (*EXPRESSIONS, "blink", "head", "speech")

# Times in files for reviewers are whole milliseconds: a frame must last one at least.
_FASTEST = 1000.0
_PROBA = "proba_"


@dataclass(frozen=True, eq=False)
class Watched:
    """The events of one video, with what a reviewer needs beside them.

    Parameters
    ----------
    video : path of a readable file
    name : str
        What the video is called on pages.
    fps : float in (0, 1000], in frames per second
    n_frames : int > 0
        How many frames were read.
    size : (height, width), ints > 0, in pixels
    events : DataFrame
        One row an event: onset, apex, offset (int64, zero-based frames, both ends inclusive), kind (`micro`, `macro`,
        `blink`, `head`, `speech`), score (float64; NaN where a kind has none), region (str), duration (in seconds).
        If a model named the expressions: label (str, "" for what it did not name), `proba_<class>` (float64 in
        [0, 1], NaN for what it did not name) and perhaps action_units (str, those that act, "" where none is told).
    scores : float64 ndarray of shape (n_rows,)
        What the threshold was compared with; NaN where there is no face.
    score_positions : int64 ndarray of shape (n_rows,)
        The frame of each score, ascending.
    threshold : float
    method : str
        The name of the method that spotted.
    model_card : mapping or None
        What a model says of itself; None without a model.
    notes : tuple of str
        What a reader must know: where the video broke off, for instance.

    Raises
    ------
    DataError
        If the video is no file, or the events or scores contradict themselves or each other.
    ParameterError
        If a number or a text is none, or breaks its rule.

    Examples
    --------
    >>> import numpy as np
    >>> from microexpr.spotting.method import empty_events
    >>> nothing = dict(events=empty_events(), scores=np.zeros(0), score_positions=np.zeros(0, np.int64))
    >>> Watched("gone.mp4", "gone", 30.0, 90, (120, 160), **nothing, threshold=1.0, method="flow")
    Traceback (most recent call last):
    microexpr.core.errors.DataError: gone.mp4: there is no such file
    """

    video: str | Path
    name: str
    fps: float
    n_frames: int
    size: tuple[int, int]
    events: pd.DataFrame
    scores: np.ndarray
    score_positions: np.ndarray
    threshold: float
    method: str
    model_card: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not Path(self.video).is_file():
            raise DataError(f"{self.video}: there is no such file")
        for name in ("name", "method"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise ParameterError(f"{name} is {value!r}: it must be text")
        check_int(self.n_frames, "n_frames", minimum=1)
        check_int_tuple(self.size, "size", 2, minimum=1)
        check_float(self.threshold, "threshold")
        if check_float(self.fps, "fps", maximum=_FASTEST) <= 0:
            raise ParameterError(f"fps is {self.fps!r}: it must be greater than 0")
        if self.model_card is not None and not isinstance(self.model_card, Mapping):
            raise ParameterError(f"model_card is a {type(self.model_card).__name__}: it must be a mapping or None")
        if not isinstance(self.notes, tuple) or not all(isinstance(note, str) for note in self.notes):
            raise ParameterError(f"notes is {self.notes!r}: it must be a tuple of texts")
        _check_events(self.events, self.n_frames)
        _check_scores(self.scores, self.score_positions, self.n_frames)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the model, in the order of their columns; none without a model."""
        return tuple(name.removeprefix(_PROBA) for name in self.events if str(name).startswith(_PROBA))


def _check_events(events: pd.DataFrame, n_frames: int) -> None:
    spans = check_intervals(events, "events")
    if missing := [name for name in EVENT_COLUMNS if name not in events]:
        raise DataError(f"events lacks the column {join_names(missing)}")
    for name in ("onset", "apex", "offset"):
        if len(events) and events[name].dtype != np.int64:
            raise DataError(f"events: {name} holds {events[name].dtype}: it must hold int64")
    apexes = events["apex"].to_numpy(dtype=np.int64)
    for row, (onset, offset), apex, kind in zip(events.index, spans, apexes, events["kind"], strict=True):
        if offset >= n_frames:
            raise DataError(f"events, row {row!r}: offset {offset} lies beyond the {n_frames} frames of the video")
        if not onset <= apex <= offset:
            raise DataError(f"events, row {row!r}: apex {apex} lies outside of onset {onset} to offset {offset}")
        if kind not in KINDS:
            raise DataError(f"events, row {row!r}: kind is {kind!r}: it must be one of {', '.join(map(repr, KINDS))}")
    probabilities = [str(name) for name in events if str(name).startswith(_PROBA)]
    for name in ("score", *probabilities):
        if len(events) and not is_numeric_dtype(events[name]):
            raise DataError(f"events: {name} holds {events[name].dtype}: it must hold numbers")
    for name in probabilities:
        values = events[name].to_numpy(dtype=np.float64)
        if wrong := [value for value in values.tolist() if not (np.isnan(value) or 0.0 <= value <= 1.0)]:
            raise DataError(f"events: {name} holds {wrong[0]!r}: a probability lies in [0, 1]")
    if np.isinf(events["score"].to_numpy(dtype=np.float64)).any():
        raise DataError("events: score holds infinity: it must be finite, or NaN where there is none")


def _check_scores(scores: np.ndarray, positions: np.ndarray, n_frames: int) -> None:
    for name, array, dtype in (("scores", scores, np.float64), ("score_positions", positions, np.int64)):
        if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype != dtype:
            raise DataError(f"{name} must be an array of one axis and of {np.dtype(dtype)}")
    if len(scores) != len(positions):
        raise DataError(f"there are {len(scores)} scores and {len(positions)} score_positions: one for each is needed")
    if np.isinf(scores).any():
        raise DataError("scores holds infinity: it must be finite, or NaN where there is no face")
    if len(positions) and (positions[0] < 0 or positions[-1] >= n_frames or (np.diff(positions) <= 0).any()):
        raise DataError(f"score_positions must ascend within the {n_frames} frames of the video")
