"""A video watched from its first frame to its last: expressions spotted, named by a model, written for a reviewer."""

__all__ = ["Watching", "watch"]

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from microexpr.core.errors import ResultsError
from microexpr.core.progress import progress
from microexpr.pipelines.review import Watched, write_all
from microexpr.pipelines.review.tables import write_events_csv
from microexpr.spotting import Piece, SpottingMethod, SpottingStream, build_spotter
from microexpr.video.opening import OpenVideo

if TYPE_CHECKING:
    from microexpr.pipelines.models import Model

# A reviewer's notes name the first few frames at which the face was lost, not hundreds.
_MOST_NAMED = 5


@dataclass(frozen=True, eq=False)
class Watching:
    """What came of watching a video.

    Parameters
    ----------
    watched : Watched
    paths : list of Path
        What was written.
    stopped : str or None
        Why the video ended before its time; what was found up to there is in `watched` and in the files.
    """

    watched: Watched
    paths: list[Path]
    stopped: str | None


def watch(
    video: str | Path,
    out: str | Path,
    *,
    model: "Model | None" = None,
    method: str | SpottingMethod = "flow",
    face: str = "largest",
    fps: float | None = None,
    tell: Callable[..., None] | None = None,
) -> Watching:
    """Spot the expressions of a video, name them, and write what a person needs to review them.

    1. Frames are read one at a time; `events.csv` is written anew whenever events come. A camera's or a pipe's video is
       recorded beside it (`recording.webm`).
    2. With a model, each expression is cut out and named, in a second pass through the video.
    3. `events.csv`, `events.eaf`, `events.vtt` and `review.html` are written.

    Memory does not grow with the length of the video, but for the scores, 16 bytes a face.

    Parameters
    ----------
    video : path, `-` (standard input) or `camera:0`
    out : path
        A folder, made if need be; files of the same names are replaced.
    model : Model or None
        None spots only.
    method, face
        See `spot`.
    fps : float > 0, in frames per second, or None
        None takes what the file says.
    tell : callable, optional
        Called with each table of new events, as they come, and with `fps`.

    Returns
    -------
    Watching

    Raises
    ------
    DataError
        If the video cannot be opened, has fewer than 2 frames, or shows no face.
    ParameterError
        If a parameter is not allowed.
    ResultsError
        If the folder cannot be written, a full disk for instance: files written before stay, the message says at which
        frame.

    Notes
    -----
    Stopping a camera or a file by Ctrl-C ends the video there; what was found is written as usual.
    """
    from threadpoolctl import threadpool_limits

    out = Path(out)
    spotter = build_spotter(method) if isinstance(method, str) else method
    with OpenVideo(video, color=not _is_file(video)) as opened:
        frames = _Frames(opened, None if _is_file(video) else out / "recording.webm", fps)
        stream = SpottingStream(frames, fps=frames.fps, method=spotter, face=face, name=opened.name)
        kept = _Kept(opened, frames, stream, spotter)
        try:
            # Matrices are small here: threads of a linear algebra library would wait for each other.
            with threadpool_limits(1), progress("spotting", opened.n_declared or 0) as advance:
                frames.advance = advance
                for piece in stream:
                    kept.add(piece)
                    if len(piece.events):
                        if frames.recording is None:
                            write_events_csv(out / "events.csv", kept.watched())
                        if tell is not None:
                            tell(piece.events, fps=frames.fps)
        except ResultsError as error:
            raise ResultsError(f"{error}; {stream.faces.n_frames} frames were watched") from error
        finally:
            frames.close()
        stopped = frames.interrupted or stream.stopped
    watched = kept.watched()
    if model is not None:
        from microexpr.pipelines.naming import name_events

        watched = name_events(watched, model)
    return Watching(watched, write_all(out, watched), stopped)


class _Frames:
    """The frames of an open video, recorded on the way where they come but once, and ended by Ctrl-C."""

    def __init__(self, opened: OpenVideo, recording: Path | None, fps: float | None) -> None:
        self.fps = opened.fps if fps is None else fps
        self.recording = recording
        self.interrupted: str | None = None
        self.size = opened.size
        self.advance: Callable[..., None] = lambda: None
        self._opened = opened
        self._webm: Any = None

    def __iter__(self) -> Iterator[np.ndarray]:
        n_frames = 0
        try:
            for frame in self._opened:
                n_frames += 1
                self.size = (frame.shape[0], frame.shape[1])
                if self.recording is not None:
                    self._record(frame)
                yield frame
                self.advance()
        except KeyboardInterrupt:
            self.interrupted = f"{self._opened.name}: stopped by the user after frame {n_frames - 1}"

    def close(self) -> None:
        """Finish the recording."""
        if self._webm is not None:
            try:
                self._webm.close()
            except OSError as error:
                raise ResultsError(f"cannot write {self.recording}: {error.strerror or error}") from error

    def _record(self, frame: np.ndarray) -> None:
        from microexpr.pipelines.review.webm import Webm, even_size

        try:
            if self._webm is None:
                assert self.recording is not None
                self.recording.parent.mkdir(parents=True, exist_ok=True)
                size = even_size(self.size, max(self.size))
                self._webm = Webm(str(self.recording), size=size, fps=self.fps, bits=0.2)
            self._webm.add(frame)
        except OSError as error:
            raise ResultsError(f"cannot write {self.recording}: {error.strerror or error}") from error


class _Kept:
    """What has been found so far."""

    def __init__(self, opened: OpenVideo, frames: _Frames, stream: SpottingStream, method: SpottingMethod) -> None:
        self._opened, self._frames, self._stream, self._method = opened, frames, stream, method
        self._pieces: list[Piece] = []

    def add(self, piece: Piece) -> None:
        self._pieces.append(piece)

    def watched(self) -> Watched:
        """Return it as a reviewer gets it."""
        events = pd.concat([piece.events for piece in self._pieces], ignore_index=True)
        source = self._frames.recording or self._opened.name
        return Watched(
            video=source,
            name=Path(self._opened.name).name,
            fps=self._frames.fps,
            n_frames=self._stream.faces.n_frames,
            size=self._frames.size,
            events=events.sort_values(["onset", "offset", "kind"], kind="stable", ignore_index=True),
            scores=np.concatenate([piece.scores for piece in self._pieces]),
            score_positions=np.concatenate([piece.positions for piece in self._pieces]),
            threshold=self._method.threshold,
            method=self._method.name,
            notes=tuple(self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        stopped = self._frames.interrupted or self._stream.stopped
        if stopped is not None:
            yield f"Watched up to there: {stopped}."
        if self._opened.uneven:
            yield (
                f"{self._opened.uneven} frames came late: frames are missing or the rate is not constant, "
                "and times are approximate."
            )
        if restarts := self._stream.faces.restarts:
            named = ", ".join(map(str, restarts[:_MOST_NAMED]))
            more = f" and {len(restarts) - _MOST_NAMED} more" if len(restarts) > _MOST_NAMED else ""
            yield f"The face was lost or another one came at frame {named}{more}; nothing is spotted across that."


def _is_file(video: str | Path) -> bool:
    return str(video) != "-" and not str(video).startswith("camera:")
