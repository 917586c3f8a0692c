"""What may be found in one video, with all that is awkward to write: marks, gaps, overlaps, fractions."""

import numpy as np
import pandas as pd

from microexpr.pipelines.review import Watched
from microexpr.spotting.method import empty_events

NAN = float("nan")
CLASSES = ("happiness", 'odd "x", <y> & --> z')


def events(*, named=True):
    """Seven events out of order; two `micro` overlap, one lasts a single frame, one ends with the video."""
    rows = [
        (61, 70, 89, "macro", 2.5, "mouth", 29 / 29.97),
        (10, 12, 16, "micro", 1 / 3, "left brow; inner", 7 / 29.97),
        (12, 15, 20, "micro", 2e-7, 'a "region", <b>', 9 / 29.97),
        (21, 21, 21, "micro", 12345678.901234567, "", 1 / 29.97),
        (40, 45, 50, "blink", NAN, "", 11 / 29.97),
        (0, 0, 5, "head", 0.5, "", 6 / 29.97),
        (24, 30, 58, "speech", NAN, "mouth", 35 / 29.97),
    ]
    columns = ["onset", "apex", "offset", "kind", "score", "region", "duration"]
    table = pd.DataFrame(rows, columns=columns)
    if named:
        table["label"] = [CLASSES[1], CLASSES[0], CLASSES[1], CLASSES[0], "", "", ""]
        table["action_units"] = ["1+2+R5", "R6+12", "", "12", "", "", ""]
        table[f"proba_{CLASSES[0]}"] = [0.1, 0.7, 1 / 7, 1.0, NAN, NAN, NAN]
        table[f"proba_{CLASSES[1]}"] = [0.9, 0.3, 6 / 7, 0.0, NAN, NAN, NAN]
    return table


def watched(video, *, table=None, n_frames=90, fps=29.97, size=(140, 120), **changed):
    """Return what was found in the file `video`; the scores rise with a gap in the middle."""
    positions = np.arange(0, n_frames, 2)
    scores = positions / n_frames
    scores[len(scores) // 2 : len(scores) // 2 + 3] = NAN
    facts = {
        "name": "a <b>video</b> & more",
        "events": events() if table is None else table,
        "scores": scores,
        "score_positions": positions,
        "threshold": 0.4,
        "method": "flow",
        **changed,
    }
    return Watched(video, fps=fps, n_frames=n_frames, size=size, **facts)


def no_events():
    """Return a table without a row."""
    return empty_events()
