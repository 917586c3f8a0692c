"""What is no expression and looks like one: blinks, motion of the head, speech."""

__all__ = ["DISTRACTORS", "find_distractors", "sift"]

import numpy as np
import pandas as pd

from microexpr.spotting._resting import LIDS, MOUTH, NAMES, RESTING_REACH, Activity, activity, segments
from microexpr.spotting.method import EVENT_COLUMNS, empty_events

#: The kinds of events that are listed beside expressions.
DISTRACTORS = ("blink", "head", "speech")

# Both lids move at least so far, in distances between the eyes; a lid that closes moves by .05 and more as a whole,
# and its region, which holds the eye's corners too, by a part of that.
_BLINK = 0.012
_LONGEST_BLINK = 0.6
# The part of its height at which a movement is taken to begin and end.
_FOOT = 0.12
# A head that holds still sways by less, in distances between the eyes a second.
_HEAD_SPEED = 0.15
_SHORTEST_HEAD = 0.2
_HEAD_PAUSE = 0.6
# Syllables: peaks of the mouth's motion above so many times its noise, each at most so many seconds after the other.
_SYLLABLE = 3.0
_SYLLABLE_GAP = 0.7
_FEWEST_SYLLABLES = 4

#: Seconds before and after an event that decide about it.
DISTRACTOR_REACH = tuple(side + 4.0 for side in RESTING_REACH)


def find_distractors(rows: np.ndarray, *, rate: float) -> pd.DataFrame:
    """Find blinks, motions of the head, and speech.

    - blink: both lids' regions move from rest by at least .012 distances between the eyes, and are back within .6 s;
    - head: it moves faster than .15 such distances a second (median over .2 s) for at least .2 s; pauses up to .6 s
      belong to it;
    - speech: at least 4 peaks of the mouth's motion, each within .7 s of the next, that rise above their surroundings
      by 3 times the noise. A syllable lasts a sixth to a third of a second; an expression comes and goes once.

    Parameters
    ----------
    rows : float64 ndarray of shape (n_rows, n_columns)
        Of `RegionMotion`.
    rate : float > 0, in rows per second

    Returns
    -------
    DataFrame
        Columns `EVENT_COLUMNS`, by onset, in rows; the score of a blink is the lids' motion and that of speech the
        mouth's largest, in distances between the eyes; that of the head its speed in such distances a second.

    Notes
    -----
    The bounds are ours: set on synthetic videos, looked at on real ones.
    """
    found: list[dict[str, object]] = []
    for start, stop in segments(rows):
        active = activity(rows[start:stop], rate=rate)
        for event in (*_blinks(active, rate), *_head_motions(active, rate), *_speech(active, rate)):
            for name in ("onset", "apex", "offset"):
                event[name] = int(event[name]) + start  # type: ignore[call-overload]
            event["duration"] = (event["offset"] - event["onset"] + 1) / rate  # type: ignore[operator]
            found.append(event)
    if not found:
        return empty_events()
    table = pd.DataFrame(found, columns=list(EVENT_COLUMNS)).astype(empty_events().dtypes.to_dict())
    return table.sort_values(["onset", "kind"], kind="stable").reset_index(drop=True)


def sift(events: pd.DataFrame, distractors: pd.DataFrame, *, told_apart: tuple[str, ...] = ()) -> pd.DataFrame:
    """Leave out the events that are a distractor's doing.

    An event goes if a distractor covers at least half of it and could have made it: speech what the mouth does, a blink
    what is seen next to the eyes (or no region is known), motion of the head anything.

    Parameters
    ----------
    events, distractors : DataFrame with columns `EVENT_COLUMNS`
    told_apart : tuple of str
        Kinds of distractors that the method itself does not fall for.

    Returns
    -------
    DataFrame
        The rows of `events` that stay, numbered anew.
    """
    kept = []
    others = distractors[~distractors["kind"].isin(told_apart)]
    for event in events.itertuples():
        shared = np.minimum(others["offset"], event.offset) - np.maximum(others["onset"], event.onset) + 1
        over = others[shared * 2 >= event.offset - event.onset + 1]
        kept.append(not any(_could(kind, str(event.region)) for kind in over["kind"]))
    return events[np.array(kept, dtype=bool)].reset_index(drop=True)


def _could(kind: str, region: str) -> bool:
    """Whether a distractor can make this region move."""
    if kind == "speech":
        return region in _OF_THE_MOUTH or region not in NAMES
    if kind == "blink":
        return region not in _OF_THE_MOUTH
    return True


_OF_THE_MOUTH = frozenset(NAMES[place] for place in MOUTH)


def _blinks(active: Activity, rate: float) -> list[dict[str, object]]:
    from scipy.signal import find_peaks

    lids = active.size[:, LIDS].min(axis=1)
    peaks, _ = find_peaks(lids, height=_BLINK, prominence=_BLINK / 2, wlen=int(2 * rate) | 1)
    events = []
    for peak in map(int, peaks):
        onset, offset = foot(lids, peak, _FOOT * lids[peak], farthest=int(_LONGEST_BLINK * rate))
        if offset - onset + 1 <= _LONGEST_BLINK * rate:
            events.append(_event("blink", onset, peak, offset, lids[peak], "lids"))
    return [event for place, event in enumerate(events) if not place or event["onset"] > events[place - 1]["offset"]]  # type: ignore[operator]


def _head_motions(active: Activity, rate: float) -> list[dict[str, object]]:
    width = max(1, int(0.2 * rate)) | 1
    speed = pd.Series(active.speed).rolling(width, center=True, min_periods=1).median().to_numpy()
    events = []
    for start, stop in runs(speed > _HEAD_SPEED, bridge=int(_HEAD_PAUSE * rate)):
        if stop - start >= _SHORTEST_HEAD * rate:
            apex = start + int(np.argmax(speed[start:stop]))
            events.append(_event("head", start, apex, stop - 1, speed[apex], "head"))
    return events


def _speech(active: Activity, rate: float) -> list[dict[str, object]]:
    from scipy.signal import find_peaks

    size = active.size[:, MOUTH]
    mouth = np.sort(size / active.noise[:, MOUTH], axis=1)[:, -2:].mean(axis=1)
    peaks, _ = find_peaks(mouth, prominence=_SYLLABLE, wlen=int(2 * rate) | 1)
    if not len(peaks):
        return []
    events = []
    for group in np.split(peaks, np.flatnonzero(np.diff(peaks) > _SYLLABLE_GAP * rate) + 1):
        if len(group) >= _FEWEST_SYLLABLES:
            apex = int(group[np.argmax(mouth[group])])
            half = int(0.15 * rate)
            onset, offset = max(int(group[0]) - half, 0), min(int(group[-1]) + half, len(mouth) - 1)
            events.append(_event("speech", onset, apex, offset, size[apex].max(), "mouth"))
    return events


def _event(kind: str, onset: int, apex: int, offset: int, score: float, region: str) -> dict[str, object]:
    return dict(zip(EVENT_COLUMNS, (onset, apex, offset, kind, float(score), region, 0.0), strict=True))


def foot(values: np.ndarray, peak: int, level: float, *, farthest: int) -> tuple[int, int]:
    """Return the first and last row around a peak above `level`, at most `farthest` rows from it."""
    onset = offset = peak
    while onset > max(0, peak - farthest) and values[onset - 1] > level:
        onset -= 1
    while offset < min(len(values) - 1, peak + farthest) and values[offset + 1] > level:
        offset += 1
    return onset, offset


def runs(wanted: np.ndarray, *, bridge: int = 0) -> list[tuple[int, int]]:
    """Return the runs [start, stop) of True, those joined that at most `bridge` rows of False part."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]]).astype(np.int8)))
    joined: list[tuple[int, int]] = []
    for start, stop in edges.reshape(-1, 2).tolist():
        if joined and start - joined[-1][1] <= bridge:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined
