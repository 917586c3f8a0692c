"""Expressions read off the labels of single frames: runs of one label, the brief ones micro-expressions."""

__all__ = ["read_expressions"]

from collections.abc import Sequence

import numpy as np
import pandas as pd

from microexpr.core.checks import check_float, check_int
from microexpr.core.errors import DataError, ParameterError


def read_expressions(
    labels: Sequence[str] | np.ndarray | pd.Series,
    *,
    fps: float,
    neutral: str = "neutral",
    max_duration: float = 0.5,
    min_frames: int = 1,
) -> pd.DataFrame:
    """Find the expressions in a video whose frames have a label each.

    1. Each longest run of frames with one label other than `neutral` is an expression. 2. Runs of fewer than
    `min_frames` frames are left out. 3. An expression of n frames lasts n / `fps` seconds; it is a micro-expression if
    that is at most `max_duration`.

    Parameters
    ----------
    labels : sequence of n str
        One for each frame, in order.
    fps : float > 0, in frames per second
    neutral : str
    max_duration : float > 0, in seconds
        Half a second is the field's common bound.
    min_frames : int > 0
        1 keeps every run; more leaves out what lasts too briefly to be a face's doing, single wrong labels above all.

    Returns
    -------
    DataFrame
        One row an expression, by time: onset and offset (zero-based positions, both inclusive), duration (in seconds),
        label, micro (bool).

    Raises
    ------
    ParameterError
        If a parameter is not allowed.
    DataError
        If there is no label, or one is not text.

    Notes
    -----
    Two expressions of different labels may follow each other without a neutral frame between. One neutral frame within
    an expression makes two of it. A run at either end of the video may have been longer than what is seen; it counts
    with the frames that are there.

    From [1]_: frames labelled one by one, and that duration tells a micro-expression from another. Our choices:
    `max_duration` (its own figure could not be established) and `min_frames`.

    References
    ----------
    .. [1] Q. Wu, X. Shen, X. Fu, "The machine knows what you are hiding: an automatic micro-expression recognition
       system", ACII, 2011.

    Examples
    --------
    >>> labels = ["neutral"] * 2 + ["happiness"] * 3 + ["neutral"] + ["surprise"] * 6
    >>> read_expressions(labels, fps=10, max_duration=0.4)
       onset  offset  duration      label  micro
    0      2       4       0.3  happiness   True
    1      6      11       0.6   surprise  False
    """
    rate = check_float(fps, "fps")
    longest = check_float(max_duration, "max_duration")
    for name, value in (("fps", rate), ("max_duration", longest)):
        if value <= 0:
            raise ParameterError(f"{name} is {value!r}: it must be greater than 0")
    if not isinstance(neutral, str) or not neutral:
        raise ParameterError(f"neutral is {neutral!r}: it must be the name of a class")
    fewest = check_int(min_frames, "min_frames", minimum=1)
    names = _check_labels(labels)
    # A run starts where a label differs from the one before it.
    starts = np.flatnonzero(np.concatenate([[True], names[1:] != names[:-1]]))
    stops = np.append(starts[1:], len(names))
    kept = (names[starts] != neutral) & (stops - starts >= fewest)
    starts, stops = starts[kept], stops[kept]
    durations = (stops - starts) / rate
    return pd.DataFrame(
        {
            "onset": starts.astype(np.int64),
            "offset": (stops - 1).astype(np.int64),
            "duration": durations,
            "label": pd.Series(names[starts], dtype="str"),
            "micro": durations <= longest,
        }
    )


def _check_labels(labels: object) -> np.ndarray:
    if isinstance(labels, str) or not isinstance(labels, Sequence | np.ndarray | pd.Series):
        raise DataError(f"labels is a {type(labels).__name__}: a sequence of one label for each frame is needed")
    listed = list(labels)
    if not listed:
        raise DataError("labels is empty: there is no frame to read")
    for position, label in enumerate(listed):
        if not isinstance(label, str):
            raise DataError(f"labels[{position}] is {label!r}: it must be text")
    return np.array(listed)
