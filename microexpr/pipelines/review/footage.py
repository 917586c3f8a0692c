"""The frames of a video for its page: read once, in order, and never all in memory."""

__all__ = ["Footage", "film"]

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from microexpr.core.errors import DataError, ResultsError, one_line
from microexpr.core.progress import progress
from microexpr.pipelines.review.closeups import Closeup, CloseupFilm
from microexpr.pipelines.review.watched import Watched
from microexpr.pipelines.review.webm import Webm, even_size
from microexpr.spotting.method import EXPRESSIONS

_Result = TypeVar("_Result")

_LONGEST_SIDE = 640
# Each film holds some 30 MB: so many at once, whatever overlaps.
_MOST_OPEN = 8


@dataclass(frozen=True, eq=False)
class Footage:
    """What a video gave for its page.

    Parameters
    ----------
    n_frames : int > 0
        How many could be read.
    size : (height, width), in pixels
        Of the video that was written.
    closeups : dict of event -> Closeup
    broken : str
        Why reading ended early; "" if it did not.
    """

    n_frames: int
    size: tuple[int, int]
    closeups: dict[str, Closeup]
    broken: str


def film(watched: Watched, table: pd.DataFrame, path: Path, *, n_closeups: int) -> Footage:
    """Write the video as WebM, its longer side at most 640 pixels, and make close-ups of its surest expressions.

    Parameters
    ----------
    watched : Watched
    table : DataFrame
        See `review_table`.
    path : path
        Of the WebM, replaced; half of it may be there after an error.
    n_closeups : int >= 0
        Of how many expressions, those of the highest scores.

    Returns
    -------
    Footage

    Raises
    ------
    DataError
        If not one frame can be read.
    ResultsError
        If the WebM cannot be written.
    """
    waiting = _films(watched, table, n_closeups)
    rolling: dict[str, CloseupFilm] = {}
    closeups: dict[str, Closeup] = {}
    broken: list[str] = []
    webm = None
    position = -1
    with progress("writing the page", watched.n_frames) as advance:
        try:
            for position, frame in enumerate(_frames(watched, broken)):
                if webm is None:
                    size = even_size((frame.height, frame.width), _LONGEST_SIDE)
                    webm = _written(path, Webm, str(path), size=size, fps=watched.fps)
                _written(path, webm.add, frame)
                while waiting and waiting[-1][1].start == position:
                    name, starting = waiting.pop()
                    if len(rolling) < _MOST_OPEN:
                        rolling[name] = starting
                if rolling:
                    picture = frame.to_ndarray(format="rgb24")
                    for name, running in list(rolling.items()):
                        running.add(position, picture)
                        if position + 1 == running.stop:
                            _develop(name, rolling.pop(name), closeups)
                advance()
        finally:
            if webm is not None:
                _written(path, webm.close)
    if webm is None:
        raise DataError(f"{watched.video}: not one frame can be read{': ' if broken else ''}{''.join(broken)}")
    for name, running in rolling.items():
        _develop(name, running, closeups)
    return Footage(position + 1, webm.size, closeups, "".join(broken))


def _films(watched: Watched, table: pd.DataFrame, n_closeups: int) -> list[tuple[str, CloseupFilm]]:
    """Return a film for each event that gets one, the first to start at the end."""
    expressions = table[table["kind"].isin(EXPRESSIONS)]
    surest = expressions.sort_values("score", ascending=False, kind="stable", na_position="last").head(n_closeups)
    films = [
        (row.event, CloseupFilm(row.onset, row.apex, row.offset, fps=watched.fps, n_frames=watched.n_frames))
        for row in surest.itertuples()
    ]
    return sorted(films, key=lambda film: -film[1].start)


def _frames(watched: Watched, broken: list[str]) -> Iterator[Any]:
    """Yield the decoded frames up to the last that was watched; say in `broken` why there are fewer."""
    import av

    try:
        with av.open(str(watched.video)) as container:
            if not container.streams.video:
                broken.append("it holds no video stream")
                return
            container.streams.video[0].thread_type = "AUTO"
            for number, frame in enumerate(container.decode(video=0), start=1):
                yield frame
                if number == watched.n_frames:
                    return
    except (OSError, av.FFmpegError) as error:
        broken.append(error.strerror or one_line(error))


def _develop(name: str, running: CloseupFilm, closeups: dict[str, Closeup]) -> None:
    closeup = running.develop()
    if closeup is not None:
        closeups[name] = closeup


def _written(path: Path, write: Callable[..., _Result], *arguments: Any, **settings: Any) -> _Result:
    """Call what writes; an error of the disk is one line."""
    try:
        return write(*arguments, **settings)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror or error}") from error
