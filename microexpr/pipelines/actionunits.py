"""The action units that a model says act, out of the strengths that it tells."""

__all__ = ["STRENGTH", "acting_units"]

from collections.abc import Mapping
from typing import Any

from microexpr.data.actionunits import notation

#: What the columns of strengths begin with, before the action: `strength_L12`.
STRENGTH = "strength_"

# Relative to the strongest action, which is 1.
_ACTS = 1 / 3


def acting_units(row: Mapping[str, Any]) -> str:
    """Return the action units that act at a third of the strongest one's strength or more, as CASME II writes them.

    How strongly each acts is not part of that notation: the table of `Model.predict` has it.

    Parameters
    ----------
    row : mapping
        A row of `Model.predict`; what begins with `strength_` is read, in [0, 1], NaN where nothing was told.

    Returns
    -------
    str
        Units in ascending order, `L` and `R` before those of one side only, the person's own; "" where none acts or
        the model tells of none.

    Examples
    --------
    >>> acting_units({"label": "positive", "strength_L6": 0.2, "strength_R6": 0.5, "strength_L12": 1.0})
    'R6+L12'
    """
    names = [column for column in row if column.startswith(STRENGTH) and row[column] >= _ACTS]
    return notation(column.removeprefix(STRENGTH) for column in names)
