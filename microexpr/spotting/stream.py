"""Events of a video of any length: as they come, or of a whole one at once."""

__all__ = ["Piece", "Signals", "SpottingStream", "decide_events", "measure_video", "spot"]

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import tee
from pathlib import Path

import numpy as np
import pandas as pd

from microexpr.core.checks import check_float
from microexpr.core.errors import DataError, MicroexprError, ParameterError, one_line
from microexpr.core.sources import FrameSource
from microexpr.spotting.distractors import DISTRACTOR_REACH, find_distractors, sift
from microexpr.spotting.front import FaceStream
from microexpr.spotting.method import SpottingMethod, empty_events
from microexpr.spotting.methods import build_spotter
from microexpr.spotting.motion import RegionMotion

# Seconds of rows that come between two decisions.
_EVERY = 4.0
# Speech that goes on is listed in pieces of at most about this many seconds: what is kept in memory is bounded.
_LONGEST = 60.0
_POSITIONS = ["onset", "apex", "offset"]


@dataclass(frozen=True, eq=False)
class Piece:
    """What has been decided of a video since the last piece.

    Parameters
    ----------
    events : DataFrame
        Columns `EVENT_COLUMNS`, by onset; positions are frames of the video.
    positions : int64 ndarray of shape (n,)
        Frames whose scores are final now.
    scores : float64 ndarray of shape (n,)
        What the method compares with its threshold; NaN where there is no face.
    """

    events: pd.DataFrame
    positions: np.ndarray
    scores: np.ndarray


class SpottingStream:
    """Spot expressions in frames as they come; memory does not grow with their number.

    Iterating yields a `Piece` every few seconds of video. An event comes once it is certain, with its final numbers:
    `latency` seconds after its end at the latest. What is yielded does not depend on the length of the pieces, but for
    speech and motion of the head that lasts longer than half a minute, which may be listed in parts.

    Parameters
    ----------
    frames : iterable of uint8 ndarray of shape (height, width) or (height, width, 3)
    fps : float >= 5, in frames per second
    method : str or SpottingMethod
        See `build_spotter`.
    face : {"largest", "only"}
    name : str
        What messages call the video.
    every : float > 0, in seconds
        Of video, from one decision to the next.

    Attributes
    ----------
    faces : FaceStream
        Its `rate`, `stride`, `n_frames` and `restarts`.
    latency : float
        Seconds of video after the end of an event at which it is yielded at the latest.
    stopped : str or None
        Why the frames ended before their time: what a source said that broke off. What came before is yielded.

    Raises
    ------
    ParameterError
        If a parameter is not allowed.
    DataError
        While iterating, if the first frame cannot be read, there are fewer than 2 frames, or no face in any.

    Examples
    --------
    >>> from microexpr.data import make_videos
    >>> videos = make_videos(1, 1, seconds=9, micro=1, macro=0, head_motion=False)
    >>> frames = videos.sources["synthetic-long/sub01/V01"].read()
    >>> [len(piece.events) for piece in SpottingStream(frames, fps=30)]
    [0, 5]
    """

    def __init__(
        self,
        frames: Iterable[np.ndarray],
        *,
        fps: float,
        method: str | SpottingMethod = "flow",
        face: str = "largest",
        name: str = "video",
        every: float = _EVERY,
    ) -> None:
        self.method = build_spotter(method) if isinstance(method, str) else method
        self.method.check_params()
        if (seconds := check_float(every, "every")) <= 0:
            raise ParameterError(f"every is {every!r}: it must be greater than 0")
        self.faces = FaceStream(frames, fps=fps, face=face, name=name)
        self.name = name
        self.stopped: str | None = None
        rate = self.faces.rate
        before, after = self.method.reach(rate)
        self._before = max(before, int(np.ceil(DISTRACTOR_REACH[0] * rate)))
        self._after = max(after, int(np.ceil(DISTRACTOR_REACH[1] * rate)))
        self._every = max(1, round(seconds * rate))
        self.latency = (self._after + self._every) / rate

    def __iter__(self) -> Iterator[Piece]:
        rate = self.faces.rate
        rows: list[np.ndarray] = []
        motions: list[np.ndarray] = []
        # Rows count from the start of the video; those before `first` are forgotten, those before `final` decided.
        first = final = due = 0
        seen = False
        for motion, row in _measured(self.method, self._until_broken(), rate):
            motions.append(motion)
            rows.append(row)
            seen = seen or not np.isnan(motion[-1])
            due += 1
            if due < self._every or len(rows) <= self._after:
                continue
            due = 0
            horizon = first + len(rows) - self._after
            if horizon <= final:
                continue
            events, scores = self._decided(rows, motions, rate)
            yield self._piece(events, scores, first, final, horizon)
            final = horizon
            open_onsets = events["onset"][events["offset"] + first >= final] + first
            keep_from = min(final, *map(int, open_onsets)) - self._before if len(open_onsets) else final - self._before
            keep_from = max(keep_from, final - self._before - int(_LONGEST * rate), first)
            del rows[: keep_from - first], motions[: keep_from - first]
            first = keep_from
        if self.faces.n_frames < 2 and self.stopped is None:
            raise DataError(_too_few(self.name, self.faces.n_frames))
        if not seen:
            until = "" if self.stopped is None else f" ({self.stopped})"
            raise DataError(f"{self.name}: no face is found in any of the {self.faces.n_frames} frames{until}")
        events, scores = self._decided(rows, motions, rate)
        yield self._piece(events, scores, first, final, first + len(rows))

    def _until_broken(self) -> Iterator:
        """Yield faces until the source breaks; what it says is kept, unless there has been no frame at all."""
        try:
            yield from self.faces
        except (MicroexprError, OSError) as error:
            if not self.faces.n_frames:
                if isinstance(error, MicroexprError):
                    raise
                raise DataError(f"{self.name}: no frame can be read: {one_line(error)}") from error
            self.stopped = str(error)

    def _decided(
        self, rows: list[np.ndarray], motions: list[np.ndarray], rate: float
    ) -> tuple[pd.DataFrame, np.ndarray]:
        known = np.array(rows)
        return _all_events(self.method, known, np.array(motions), rate), self.method.scores(known, rate=rate)

    def _piece(self, events: pd.DataFrame, scores: np.ndarray, first: int, final: int, horizon: int) -> Piece:
        """Return what lies in the rows [final, horizon), as frames."""
        ends = events["offset"] + first
        new = events[(ends >= final) & (ends < horizon)].reset_index(drop=True)
        new[_POSITIONS] += first
        positions = np.arange(final, horizon, dtype=np.int64) * self.faces.stride
        return Piece(
            _as_frames(new, self.faces.stride, self.faces.fps), positions, scores[final - first : horizon - first]
        )


@dataclass(frozen=True, eq=False)
class Signals:
    """What was measured of one video, from which events are decided for any threshold.

    Parameters
    ----------
    rows : float64 ndarray of shape (n_rows, n_columns)
        Of the method.
    motion : float64 ndarray of shape (n_rows, n_motion_columns)
        Of `RegionMotion`: blinks, motion of the head and speech are told by it.
    stride : int
        Row r is of frame r * stride.
    rate : float
        Rows per second.
    n_frames : int
    """

    rows: np.ndarray
    motion: np.ndarray
    stride: int
    rate: float
    n_frames: int


def measure_video(
    method: SpottingMethod, frames: FrameSource | Iterable[np.ndarray], *, fps: float, name: str = "video"
) -> Signals:
    """Measure a whole video.

    Parameters
    ----------
    method : SpottingMethod
    frames : FrameSource, or iterable of frames
    fps : float >= 5, in frames per second
    name : str

    Returns
    -------
    Signals

    Raises
    ------
    DataError
        If a frame cannot be read, there are fewer than 2 frames, or no face in any.
    """
    faces = FaceStream(frames.stream() if isinstance(frames, FrameSource) else frames, fps=fps, name=name)
    pairs = list(_measured(method, faces, faces.rate))
    if faces.n_frames < 2:
        raise DataError(_too_few(name, faces.n_frames))
    motion, rows = (np.array(part) for part in zip(*pairs, strict=True))
    if np.isnan(motion[:, -1]).all():
        raise DataError(f"{name}: no face is found in any of the {faces.n_frames} frames")
    return Signals(rows, motion, faces.stride, faces.rate, faces.n_frames)


def decide_events(method: SpottingMethod, signals: Signals) -> pd.DataFrame:
    """Return all events of a measured video: columns `EVENT_COLUMNS`, by onset, positions in frames."""
    events = _all_events(method, signals.rows, signals.motion, signals.rate)
    return _as_frames(events, signals.stride, signals.rate * signals.stride)


def spot(
    video: str | Path | FrameSource | np.ndarray | Iterable[np.ndarray],
    *,
    method: str | SpottingMethod = "flow",
    fps: float | None = None,
    face: str = "largest",
    name: str | None = None,
) -> pd.DataFrame:
    """Find the expressions in a long video.

    Parameters
    ----------
    video : path, FrameSource, or iterable of uint8 frames of shape (height, width) or (height, width, 3)
        A path may be `-` (standard input) or `camera:0`. Frames are read one at a time.
    method : {"flow", "strain", "mdmd", "lbp"} or SpottingMethod
        See `build_spotter`.
    fps : float >= 5, in frames per second, or None
        None takes what a file says.
    face : {"largest", "only"}
        Which face to follow where there are several.
    name : str or None
        What messages call the video; None takes its path.

    Returns
    -------
    DataFrame
        One row per event, by onset: onset, apex and offset (int64, zero-based frames, both ends inclusive); kind
        (`micro`: up to half a second, `macro`: longer, or `blink`, `head`, `speech`, which are no expressions); score
        (float64); region (str, where the face moved most); duration (float64, in seconds).

    Raises
    ------
    ParameterError
        If a parameter is not allowed, or `fps` is missing where no file tells it.
    DataError
        If the video cannot be opened, has fewer than 2 frames, or shows no face.

    Warns
    -----
    UserWarning
        If the video breaks off: events up to there are returned, and the warning says where it stopped.

    Examples
    --------
    >>> from microexpr.data import make_videos
    >>> videos = make_videos(1, 1, seconds=9, micro=1, macro=0, head_motion=False)
    >>> found = spot(videos.sources["synthetic-long/sub01/V01"], fps=30)
    >>> found["kind"].to_list()
    ['speech', 'blink', 'micro', 'blink', 'blink']
    >>> found.loc[found["kind"] == "micro", ["onset", "offset"]].values.tolist()
    [[128, 135]]
    >>> videos.intervals[["onset", "offset"]].values.tolist()
    [[127, 135]]
    """
    from microexpr.video.opening import OpenVideo

    if isinstance(video, str | Path):
        with OpenVideo(video) as opened:
            return _spotted(opened, opened.fps if fps is None else fps, method, face, name or opened.name)
    if fps is None:
        raise ParameterError("fps is None: frames do not say how many there are a second")
    frames = video.stream() if isinstance(video, FrameSource) else video
    described = video.describe() if isinstance(video, FrameSource) else "video"
    return _spotted(frames, fps, method, face, name or described)


def _spotted(
    frames: Iterable[np.ndarray], fps: float, method: str | SpottingMethod, face: str, name: str
) -> pd.DataFrame:
    stream = SpottingStream(frames, fps=fps, method=method, face=face, name=name)
    pieces = [piece.events for piece in stream]
    if stream.stopped is not None:
        warnings.warn(f"{stream.stopped}; events up to there are returned", stacklevel=3)
    found = pd.concat(pieces, ignore_index=True)
    return found.sort_values(["onset", "offset", "kind"], kind="stable").reset_index(drop=True)


def _too_few(name: str, n_frames: int) -> str:
    return f"{name}: the video has {n_frames} frame{'' if n_frames == 1 else 's'}; motion needs 2 at least"


def _measured(method: SpottingMethod, faces: Iterable, rate: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the row of `RegionMotion` and the method's own for each face."""
    if method.reads_motion:
        for row in RegionMotion().measure(faces, rate=rate):
            yield row, row
        return
    # The method's rows may come late: tee keeps the faces between the two, no more.
    ours, its_own = tee(faces)
    yield from zip(RegionMotion().measure(ours, rate=rate), method.measure(its_own, rate=rate), strict=True)


def _all_events(method: SpottingMethod, rows: np.ndarray, motion: np.ndarray, rate: float) -> pd.DataFrame:
    """Return expressions and distractors, by onset, in rows."""
    others = find_distractors(motion, rate=rate)
    found = sift(method.decide(rows, rate=rate), others, told_apart=method.told_apart)
    events = pd.concat([found, others], ignore_index=True).astype(empty_events().dtypes.to_dict())
    return events.sort_values(["onset", "offset", "kind"], kind="stable").reset_index(drop=True)


def _as_frames(events: pd.DataFrame, stride: int, fps: float) -> pd.DataFrame:
    """Return events in rows as events in frames."""
    table = events.copy()
    table[_POSITIONS] *= stride
    table["duration"] = (table["offset"] - table["onset"] + 1) / fps
    return table
