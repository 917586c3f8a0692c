"""The errors microexpr raises, all derived from one; each message is one line that names thing, value and rule."""

__all__ = [
    "DataError",
    "MicroexprError",
    "NeedsError",
    "NoAnswer",
    "ParameterError",
    "ResultsError",
    "join_names",
    "one_line",
]

from collections.abc import Iterable


class MicroexprError(Exception):
    """Base of all errors of this package; the command line prints it as one line and exits with 1."""


class ParameterError(MicroexprError, ValueError):
    """An argument has a value that its rule does not allow."""


class DataError(MicroexprError, ValueError):
    """Data on disk or in memory is missing, unreadable or contradicts itself."""


class NoAnswer(DataError):
    """A model declines to name a clip, and says why."""


class NeedsError(MicroexprError, ValueError):
    """A step needs something (an apex, pixels, landmarks) that a clip does not have."""


class ResultsError(MicroexprError):
    """A results folder or cache cannot be read or written, or a run in it is incomplete."""


def one_line(error: BaseException) -> str:
    """Return the kind of somebody else's error and the first line of what it says, for a message of one line."""
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__


def join_names(names: Iterable[object], limit: int = 5) -> str:
    """Join names for a message, the first `limit` of them and a count of the rest."""
    listed = [str(name) for name in names]
    shown = ", ".join(listed[:limit])
    return shown if len(listed) <= limit else f"{shown} and {len(listed) - limit} more"
