"""The expressions found in a video, named by a model in one more pass through its frames."""

__all__ = ["name_events"]

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, MicroexprError, NoAnswer
from microexpr.core.progress import progress
from microexpr.core.sources import ArraySource
from microexpr.pipelines.actionunits import acting_units
from microexpr.pipelines.refusing import NO_ANSWER
from microexpr.pipelines.review import Watched
from microexpr.spotting import EXPRESSIONS
from microexpr.video.opening import OpenVideo

if TYPE_CHECKING:
    from microexpr.pipelines.models import Model

# So many unnamed events are listed by a note; the others are counted.
_MOST_NAMED = 3


def name_events(watched: Watched, model: "Model") -> Watched:
    """Cut each expression out of its video, bring the face to where the model knows faces, and name it.

    The clip runs from the onset to the offset, its apex where it was spotted. Frames are read once, in order; a clip is
    held in memory until it is named.

    Parameters
    ----------
    watched : Watched
    model : Model

    Returns
    -------
    Watched
        Its events have columns label, action_units (see `acting_units`) and `proba_<class>`. Where the model declines
        to name an expression the label is "no answer", where something went wrong it is ""; the notes say which these
        are, and why.

    Raises
    ------
    DataError
        If the video cannot be opened again.
    """
    events = watched.events.copy()
    wanted = np.flatnonzero(events["kind"].isin(EXPRESSIONS)).tolist()
    events["label"] = events["action_units"] = ""
    for name in model.classes:
        events[f"proba_{name}"] = np.nan
    failures: list[str] = []
    named = set()
    with progress("naming", len(wanted)) as advance:
        for place, clip in _clips(watched, wanted):
            named.add(place)
            try:
                answer = _answer(model, clip)
            except NoAnswer as error:
                events.loc[events.index[place], "label"] = NO_ANSWER
                failures.append(f"No answer: {error}.")
            except MicroexprError as error:
                failures.append(f"Not named: {error}.")
            else:
                [row] = answer.to_dict("records")
                row["action_units"] = acting_units(row)
                for column in events.columns.intersection(list(row)):
                    events.loc[events.index[place], column] = row[column]
            advance()
    late = [place for place in wanted if place not in named]
    failures += [f"Not named: {_called(watched, place)}: the video ends before it." for place in late]
    return replace(watched, events=events, model_card=model.card, notes=(*watched.notes, *_notes(failures)))


def _answer(model: "Model", clip: Clip) -> pd.DataFrame:
    from microexpr.pipelines.framing import frame_clip

    model.check_clip(clip)
    return model.predict([frame_clip(clip, model.framing)[0]])


def _clips(watched: Watched, wanted: list[int]) -> Iterator[tuple[int, Clip]]:
    """Yield the place of each event and its clip, as soon as its last frame has been read."""
    spans = watched.events[["onset", "apex", "offset"]].to_numpy()
    waiting = sorted(wanted, key=lambda place: -spans[place, 0])
    rolling: dict[int, list[np.ndarray]] = {}
    with OpenVideo(watched.video, color=True) as opened:
        frames = iter(opened)
        position = -1
        while waiting or rolling:
            try:
                frame = next(frames, None)
            except DataError:
                frame = None
            if frame is None:
                return
            position += 1
            while waiting and spans[waiting[-1], 0] == position:
                rolling[waiting.pop()] = []
            for place, held in list(rolling.items()):
                held.append(frame)
                if position == spans[place, 2]:
                    onset, apex, offset = map(int, spans[place])
                    source = ArraySource(np.stack(rolling.pop(place)), name=_called(watched, place))
                    name = _called(watched, place)
                    yield place, Clip(name, source, fps=watched.fps, onset=0, apex=apex - onset, offset=offset - onset)


def _called(watched: Watched, place: int) -> str:
    onset = int(watched.events["onset"].iloc[place])
    return f"{watched.name}, expression at {onset / watched.fps:.2f} s"


def _notes(failures: list[str]) -> Iterator[str]:
    yield from failures[:_MOST_NAMED]
    if len(failures) > _MOST_NAMED:
        yield f"{len(failures) - _MOST_NAMED} more expressions are not named."
