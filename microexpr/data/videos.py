"""A set of long videos with the true intervals of the expressions in them."""

__all__ = ["KINDS", "VideoSet"]

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from microexpr.core.checks import check_int
from microexpr.core.clipset import ClipSet
from microexpr.core.digest import digest
from microexpr.core.errors import DataError, ParameterError, join_names
from microexpr.core.sources import FrameSource, ImageFilesSource, VideoSource
from microexpr.data.syntheticvideo import SyntheticVideoSource

#: The kinds of expressions that intervals hold.
KINDS = ("micro", "macro")

_POSITIONS = ("onset", "apex", "offset")
_VIDEO_COLUMNS = ("dataset", "subject", "n_frames", "fps", "source")
_INTERVAL_COLUMNS = ("video_id", *_POSITIONS, "kind", "emotion", "aus")


class VideoSet:
    """Long videos, and when an expression is seen in them.

    Parameters
    ----------
    videos : DataFrame indexed by video_id (`casmesq/s15/15_0101`)
        Columns dataset, subject (qualified, `casmesq/s15`), n_frames, fps in frames per second.
    intervals : DataFrame indexed by clip_id (`casmesq/s15/disgust1_1`)
        Columns video_id; onset, apex, offset: zero-based positions in the video's own frames, both ends inclusive
        (an expression from onset 3 to offset 5 lasts 3 frames), missing where the annotation does not say; kind: micro
        or macro; emotion (as the source spells it) and aus, which may be missing. Further columns are kept. A video
        without an interval shows no expression, which spotting needs to know too.
    sources : mapping of video_id -> FrameSource
    findings : DataFrame with columns clip_id, finding, optional
        What the loader found amiss, of clips, videos or rows.

    Raises
    ------
    DataError
        If an id repeats, a subject is not qualified, a video has no source, or an interval has no onset, is of an
        unknown kind or video, out of order, or outside its video.
    """

    def __init__(
        self,
        videos: pd.DataFrame,
        intervals: pd.DataFrame,
        sources: Mapping[str, FrameSource],
        *,
        findings: pd.DataFrame | None = None,
    ) -> None:
        self.videos = _checked_videos(videos, sources)
        self.intervals = _checked_intervals(intervals, self.videos)
        self.sources = {video_id: sources[video_id] for video_id in self.videos.index}
        none = pd.DataFrame({"clip_id": pd.Series(dtype="str"), "finding": pd.Series(dtype="str")})
        self.findings = none if findings is None else findings

    def __len__(self) -> int:
        return len(self.videos)

    def __repr__(self) -> str:
        counts = self.intervals["kind"].value_counts()
        kinds = ", ".join(f"{counts.get(kind, 0)} {kind}" for kind in KINDS)
        return f"VideoSet({len(self)} videos, {self.videos['subject'].nunique()} subjects, intervals: {kinds})"

    def of(self, video_id: str, *, kind: str | None = None) -> pd.DataFrame:
        """Return the intervals of one video, of both kinds or of one, by their onset.

        Raises
        ------
        ParameterError
            If there is no such video or kind.
        """
        if video_id not in self.videos.index:
            raise ParameterError(f"video {video_id!r} does not exist; there are {join_names(self.videos.index)}")
        rows = self.intervals[self.intervals["video_id"] == video_id]
        if kind is not None:
            rows = rows[rows["kind"] == _checked_kinds((kind,))[0]]
        return rows.sort_values("onset", kind="stable")

    def clips(self, kinds: Sequence[str] = ("micro",), *, margin: int = 0) -> ClipSet:
        """Return the intervals cut out as clips; no frame is read.

        Parameters
        ----------
        kinds : sequence of {"micro", "macro"}
        margin : int >= 0, in frames
            How many frames before the onset and after the offset to take along, as far as the video has them.

        Returns
        -------
        ClipSet
            In the order of `intervals`, with the columns video and kind. A clip whose offset is unknown ends at its
            apex, all that the annotation vouches for, and its offset stays missing; one with neither is left out and
            listed in `findings`.

        Raises
        ------
        ParameterError
            If a kind does not exist, or `margin` is no integer >= 0.
        DataError
            If no clip is left.
        """
        check_int(margin, "margin", minimum=0)
        wanted = self.intervals[self.intervals["kind"].isin(_checked_kinds(kinds))]
        rows: dict[str, dict[str, object]] = {}
        sources: dict[str, FrameSource] = {}
        endless: dict[str, str] = {}
        for clip_id, values in zip(wanted.index, wanted.to_dict("records"), strict=True):
            last = next((values[name] for name in ("offset", "apex") if not pd.isna(values[name])), None)
            if last is None:
                endless[clip_id] = "no clip: neither apex nor offset is annotated"
                continue
            video = self.videos.loc[values["video_id"]]
            start = max(int(values["onset"]) - margin, 0)
            stop = min(int(last) + margin, int(video["n_frames"]) - 1) + 1
            positions = {name: None if pd.isna(values[name]) else int(values[name]) - start for name in _POSITIONS}
            kept = {name: value for name, value in values.items() if name not in ("video_id", *_POSITIONS)}
            rows[clip_id] = {
                **{"dataset": video["dataset"], "subject": video["subject"], **kept, **positions},
                **{"n_frames": stop - start, "fps": video["fps"], "video": values["video_id"]},
            }
            sources[clip_id] = _window(self.sources[values["video_id"]], start, stop)
        if not rows:
            why = "; ".join(f"{clip_id}: {reason}" for clip_id, reason in list(endless.items())[:1])
            raise DataError(f"the videos hold no clip of kind {' or '.join(kinds)}{'; ' if why else ''}{why}")
        listed = pd.DataFrame(endless.items(), columns=["clip_id", "finding"], dtype="str")
        findings = pd.concat([self.findings, listed], ignore_index=True)
        return ClipSet(pd.DataFrame.from_dict(rows, orient="index"), sources, findings=findings)


class _Window(FrameSource):
    """The frames [start, stop) of another source."""

    def __init__(self, source: FrameSource, start: int, stop: int) -> None:
        self.source, self.start, self.stop = source, start, stop

    def read(self) -> np.ndarray:
        return self.source.read()[self.start : self.stop]

    def fingerprint(self) -> str:
        return digest({"window": self.source.fingerprint(), "start": self.start, "stop": self.stop})

    def count(self) -> int:
        return self.stop - self.start

    def describe(self) -> str:
        return self.source.describe()


def _window(source: FrameSource, start: int, stop: int) -> FrameSource:
    """Return a source of the frames [start, stop), one that reads no others where that can be."""
    if isinstance(source, ImageFilesSource):
        return ImageFilesSource(source.paths[start:stop])
    if isinstance(source, VideoSource):
        return VideoSource(source.path, start=source.start + start, stop=source.start + stop)
    if isinstance(source, SyntheticVideoSource):
        return source.window(start, stop)
    return _Window(source, start, stop)


def _checked_kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    wanted = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if not wanted or (unknown := [kind for kind in wanted if kind not in KINDS]):
        named = ", ".join(map(repr, unknown)) if wanted else "empty"
        raise ParameterError(f"kinds is {named}: it must hold one or both of {', '.join(map(repr, KINDS))}")
    return wanted


def _checked_videos(videos: pd.DataFrame, sources: Mapping[str, FrameSource]) -> pd.DataFrame:
    table = videos.copy()
    table.index = pd.Index(table.index.astype("str"), name="video_id")
    if table.index.has_duplicates:
        raise DataError(f"video_ids repeat: {join_names(table.index[table.index.duplicated()].unique())}")
    if missing := [video_id for video_id in table.index if video_id not in sources]:
        raise DataError(f"{join_names(missing)}: no source of frames")
    for video_id, dataset, subject in zip(table.index, table["dataset"], table["subject"], strict=True):
        if not str(subject).startswith(f"{dataset}/"):
            raise DataError(f"{video_id}: subject {subject!r} is not qualified; it must begin with {dataset + '/'!r}")
    table["n_frames"] = table["n_frames"].astype("Int64")
    table["fps"] = table["fps"].astype("Float64")
    table["source"] = [sources[video_id].describe() for video_id in table.index]
    return table[[*_VIDEO_COLUMNS, *(name for name in table if name not in _VIDEO_COLUMNS)]]


def _checked_intervals(intervals: pd.DataFrame, videos: pd.DataFrame) -> pd.DataFrame:
    table = intervals.copy()
    table.index = pd.Index(table.index.astype("str"), name="clip_id")
    if table.index.has_duplicates:
        raise DataError(f"clip_ids repeat: {join_names(table.index[table.index.duplicated()].unique())}")
    for name in _INTERVAL_COLUMNS:
        if name not in table:
            table[name] = None
        table[name] = table[name].astype("Int64" if name in _POSITIONS else "str")
    for row in table.itertuples():
        if row.video_id not in videos.index:
            raise DataError(f"{row.Index}: there is no video {row.video_id!r}")
        if row.kind not in KINDS:
            raise DataError(f"{row.Index}: kind {row.kind!r} is neither {' nor '.join(KINDS)}")
        if pd.isna(row.onset):
            raise DataError(f"{row.Index}: an interval needs an onset")
        known = [int(value) for name in _POSITIONS if not pd.isna(value := getattr(row, name))]
        n_frames = int(videos.at[row.video_id, "n_frames"])
        if known != sorted(known) or known[0] < 0 or known[-1] >= n_frames:
            raise DataError(f"{row.Index}: positions {known} are out of order or outside the video's {n_frames} frames")
    return table[[*_INTERVAL_COLUMNS, *(name for name in table if name not in _INTERVAL_COLUMNS)]]
