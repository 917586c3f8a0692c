"""Events in videos, for the terminal."""

__all__ = ["print_events"]

import pandas as pd

from microexpr.pipelines.report.terminal import new_console, print_line
from microexpr.spotting import EXPRESSIONS


def print_events(events: pd.DataFrame, *, fps: float) -> None:
    """Print one line an expression; blinks and other distractors are in the files."""
    console = new_console()
    for event in events[events["kind"].isin(EXPRESSIONS)].itertuples():
        place = str(event.region).replace("_", " ")
        print_line(
            console,
            f"{event.onset / fps:8.2f} s  {event.kind}-expression of {event.duration:.2f} s, {place}, "
            f"score {event.score:.1f}",
        )
