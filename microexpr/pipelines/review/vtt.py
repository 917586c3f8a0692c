"""Events as WebVTT: subtitles that any player shows at their time."""

__all__ = ["write_vtt"]

import html
import io
from pathlib import Path
from typing import Any

from microexpr.core.atomic import write_atomic
from microexpr.pipelines.review.elan import milliseconds
from microexpr.pipelines.review.tables import review_table
from microexpr.pipelines.review.watched import Watched


def write_vtt(path: str | Path, watched: Watched) -> Path:
    """Write the events of a video as subtitles.

    Each event is one cue, from the onset frame to the end of the offset frame, called by its number: its kind, what
    the model named it with that class's probability, its score and the region that moved.

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
    """
    from webvtt import Caption, WebVTT

    captions = [
        Caption(
            _clock(milliseconds(row["onset"], watched.fps)),
            _clock(milliseconds(row["offset"] + 1, watched.fps)),
            html.escape(_text(row), quote=False),
            identifier=row["event"],
        )
        for row in review_table(watched).to_dict("records")
    ]
    buffer = io.StringIO()
    WebVTT(captions=captions).write(buffer)
    path = Path(path)
    write_atomic(path, buffer.getvalue().encode())
    return path


def _text(row: dict[str, Any]) -> str:
    """Return what is shown of an event, in one line."""
    named = " ".join(row["label"].split())
    chance = row.get(f"proba_{row['label']}")
    if named and chance is not None and chance == chance:
        named += f" {100 * chance:.0f}%"
    score = f"score {row['score']:.3g}" if row["score"] == row["score"] else ""
    said = ", ".join(part for part in (named, score, " ".join(row["region"].split())) if part)
    return f"{row['kind']}: {said}" if said else row["kind"]


def _clock(time: int) -> str:
    seconds, rest = divmod(time, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"
