"""The table that a reviewer fills in: what was found, and what a person says of it; written and read as CSV."""

__all__ = ["REVIEWS", "check_review", "read_events_csv", "review_columns", "review_table", "write_events_csv"]

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from microexpr.core.atomic import write_atomic
from microexpr.core.errors import DataError, join_names
from microexpr.pipelines.review.watched import KINDS, Watched

#: What a person may have said of an event; nothing yet is "".
REVIEWS = ("", "accepted", "rejected", "added")

_FRAMES = ("onset", "apex", "offset")
_NUMBERS = ("onset_s", "apex_s", "offset_s", "duration", "score")
_BEFORE = ("event", "kind", *_FRAMES, *_NUMBERS, "region", "label", "action_units")
_AFTER = ("review", "reviewer_label", "comment")
# Tables that were written before there was this column do not have it.
_MAY_LACK = ("action_units",)


def review_columns(classes: Sequence[str] = ()) -> list[str]:
    """Return the columns of the table, in order.

    Parameters
    ----------
    classes : sequence of str
        Those that the model has probabilities for.
    """
    return [*_BEFORE, *(f"proba_{name}" for name in classes), *_AFTER]


def review_table(watched: Watched) -> pd.DataFrame:
    """Return the events of a video as the table that a reviewer fills in.

    Parameters
    ----------
    watched : Watched

    Returns
    -------
    DataFrame
        One row an event, by onset: event (`E001`, `E002`, ...); kind; onset, apex, offset (int64, zero-based frames,
        both ends inclusive); onset_s, apex_s, offset_s (float64, seconds: when these frames are shown); duration
        (seconds, from the onset frame to the end of the offset frame); score; region; label (what the model said, ""
        without one); action_units (those that act as the model says, in CASME II's notation, "" where it told none);
        `proba_<class>` (float64, NaN where there is none); review, reviewer_label and comment, all "".
    """
    events = watched.events.sort_values(["onset", "offset"], kind="stable", ignore_index=True)
    n_digits = max(3, len(str(len(events))))
    table = pd.DataFrame(
        {
            "event": [f"E{number:0{n_digits}d}" for number in range(1, len(events) + 1)],
            **{name: events[name] for name in ("kind", *_FRAMES, "score", "region")},
            **{name: events[name].fillna("") if name in events else "" for name in ("label", "action_units")},
            **{f"proba_{name}": events[f"proba_{name}"] for name in watched.classes},
            **dict.fromkeys(_AFTER, ""),
        },
        index=events.index,
    )
    return with_times(table, watched.fps)


def with_times(table: pd.DataFrame, fps: float) -> pd.DataFrame:
    """Return the table with its times in seconds, the columns in order and of their kinds."""
    frames = table[list(_FRAMES)].astype(np.int64)
    times = {f"{name}_s": frames[name] / fps for name in _FRAMES}
    table = table.assign(**times, duration=(frames["offset"] - frames["onset"] + 1) / fps)
    classes = [str(name).removeprefix("proba_") for name in table if str(name).startswith("proba_")]
    table = table[review_columns(classes)].reset_index(drop=True)
    return table.astype({name: _kind_of(name) for name in table})


def write_events_csv(path: str | Path, watched: Watched) -> Path:
    """Write the events of a video as CSV, for a person or the review page to fill in.

    Parameters
    ----------
    path : path
        Replaced if it is there.
    watched : Watched

    Returns
    -------
    Path

    Raises
    ------
    ResultsError
        If the file cannot be written; what was there stays then.

    See Also
    --------
    review_table : the columns

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from microexpr.spotting.method import empty_events
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "video.mp4").touch()
    >>> nothing = dict(events=empty_events(), scores=np.zeros(0), score_positions=np.zeros(0, np.int64))
    >>> size = (120, 160)
    >>> watched = Watched(folder / "video.mp4", "video", 30.0, 90, size, **nothing, threshold=1.0, method="flow")
    >>> list(read_events_csv(write_events_csv(folder / "events.csv", watched)))[:5]
    ['event', 'kind', 'onset', 'apex', 'offset']
    """
    path = Path(path)
    write_atomic(path, csv_text(review_table(watched)).encode())
    return path


def csv_text(table: pd.DataFrame) -> str:
    """Return the table as CSV; numbers in the shortest form that reads back as the same."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.itertuples(index=False, name=None):
        writer.writerow(["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in row])
    return buffer.getvalue()


def read_events_csv(path: str | Path) -> pd.DataFrame:
    """Read a table of events, reviewed or not.

    Parameters
    ----------
    path : path
        As `write_events_csv` or the review page wrote it; a person may have filled in review, reviewer_label and
        comment, and added rows.

    Returns
    -------
    DataFrame
        See `review_table`; what was written comes back to the last bit. A table without the column action_units, as
        earlier versions wrote it, has "" there.

    Raises
    ------
    DataError
        If the file is missing or no such table, or a row contradicts itself; the message names row and column.
    """
    try:
        # A spreadsheet may have put a mark of the byte order before the first name.
        text = Path(path).read_bytes().decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: no table of events: {error}") from error
    header = rows[0] if rows else []
    if missing := [name for name in (*_BEFORE, *_AFTER) if name not in (*header, *_MAY_LACK)]:
        raise DataError(f"{path}: no table of events: it lacks the column {join_names(missing)}")
    classes = [name.removeprefix("proba_") for name in header if name.startswith("proba_")]
    columns = review_columns(classes)
    if len(set(header)) < len(header) or set(header) - set(columns):
        raise DataError(f"{path}: columns {join_names(header, 20)}: each must be one of the table's, and there once")
    body = [(line, row) for line, row in enumerate(rows[1:], start=2) if row]
    for line, row in body:
        if len(row) != len(header):
            raise DataError(f"{path}, row {line}: {len(row)} cells, but {len(header)} columns")
    places = {name: header.index(name) for name in columns if name in header}
    cells = {
        name: [_value(row[places[name]] if name in places else "", name, f"{path}, row {line}") for line, row in body]
        for name in columns
    }
    table = pd.DataFrame({name: pd.Series(values, dtype=_kind_of(name)) for name, values in cells.items()})
    return check_review(table, str(path))


def check_review(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table of reviewed events, refusing what contradicts itself.

    Parameters
    ----------
    table : DataFrame
        See `review_table`.
    name : str
        What messages call it.

    Raises
    ------
    DataError
        If events share a name, their frames are out of order, or a kind or review is none of those allowed.
    """
    if (repeated := table["event"][table["event"].duplicated()]).size:
        raise DataError(f"{name}: the event {join_names(repeated.unique())} is there more than once")
    for row in table.itertuples():
        if not 0 <= row.onset <= row.apex <= row.offset:
            raise DataError(
                f"{name}, event {row.event}: onset {row.onset}, apex {row.apex}, offset {row.offset} are out of order"
            )
        for column, value, allowed in (("kind", row.kind, KINDS), ("review", row.review, REVIEWS)):
            if value not in allowed:
                listed = ", ".join(map(repr, allowed))
                raise DataError(f"{name}, event {row.event}: {column} is {value!r}: it must be one of {listed}")
    return table


def _kind_of(column: str) -> str:
    if column in _FRAMES:
        return "int64"
    return "float64" if column in _NUMBERS or column.startswith("proba_") else "str"


def _value(cell: str, column: str, place: str) -> object:
    """Return a cell as what its column holds."""
    kind = _kind_of(column)
    if kind == "str":
        return cell
    if kind == "float64" and not cell:
        return math.nan
    try:
        return int(cell) if kind == "int64" else float(cell)
    except ValueError:
        wanted = "a whole number" if kind == "int64" else "a number, or empty"
        raise DataError(f"{place}: {column} is {cell!r}: it must be {wanted}") from None
