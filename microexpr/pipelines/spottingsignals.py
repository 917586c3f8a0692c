"""What spotting methods measure of a set of videos: once for each video, in parallel, kept under explicit keys."""

__all__ = ["measure_all", "method_facts"]

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from microexpr.core.cache import ArrayCache
from microexpr.core.digest import digest, estimator_spec
from microexpr.core.errors import DataError, MicroexprError, one_line
from microexpr.core.progress import progress
from microexpr.core.sources import FrameSource
from microexpr.data.videos import VideoSet
from microexpr.pipelines.parallel import in_parallel
from microexpr.spotting import Signals, SpottingMethod, measure_video
from microexpr.spotting.front import FRONT_VERSION, FaceStream
from microexpr.spotting.motion import RegionMotion

# Raised when the layout of the key itself changes.
_SCHEMA = 1


def method_facts(method: SpottingMethod, *, without: Sequence[str]) -> dict[str, object]:
    """Return all that decides what a method gives, but for the parameters named, for a key.

    Raises
    ------
    ParameterError
        If a parameter cannot be written down exactly.
    """
    facts = estimator_spec(method)
    params = facts["params"]
    assert isinstance(params, dict)
    kept = {name: value for name, value in params.items() if name not in without}
    return {**facts, "params": kept, "front": FRONT_VERSION, "motion": RegionMotion.version}


def measure_all(
    method: SpottingMethod, videos: VideoSet, *, cache: ArrayCache | None, n_jobs: int = 1
) -> dict[str, Signals]:
    """Measure each video once, taking from the cache what it holds.

    A key holds the method with its version and those parameters that `measure` depends on, the versions of the front
    end and of the regions' motion, the frames' content and their rate: not the threshold, so that any number of
    thresholds is tried on one measurement. What is measured of the regions' motion serves all methods.

    Parameters
    ----------
    method : SpottingMethod
    videos : VideoSet
        Its truth is not looked at.
    cache : ArrayCache or None
        None measures everything and keeps nothing.
    n_jobs : int >= 1, or -1 for all cores
        Processes over videos.

    Returns
    -------
    dict of video_id -> Signals

    Raises
    ------
    DataError
        If a video does not say its frame rate, or cannot be measured: the others are measured and kept first.
    ResultsError
        If the cache cannot be written.

    Examples
    --------
    >>> from microexpr.data import make_videos
    >>> from microexpr.spotting import build_spotter
    >>> videos = make_videos(1, 1, seconds=3, micro=1, macro=0)
    >>> [signals.rows.shape for signals in measure_all(build_spotter("flow"), videos, cache=None).values()]
    [(90, 48)]
    """
    table = videos.videos
    if unknown := [video_id for video_id in table.index if np.isnan(_fps(videos, video_id))]:
        raise DataError(f"{unknown[0]}: its frame rate is unknown, and spotting needs it")
    found: dict[str, Signals] = {}
    keys: dict[str, tuple[str, str]] = {}
    for video_id in table.index:
        if cache is not None:
            keys[video_id] = _keys(method, videos.sources[video_id], _fps(videos, video_id))
            kept = [cache.get(key) for key in keys[video_id]]
            if kept[0] is not None and kept[1] is not None:
                found[video_id] = _signals(kept[0], kept[1], videos, video_id)
    missing = [video_id for video_id in table.index if video_id not in found]
    tasks = ((method, videos.sources[video_id], _fps(videos, video_id), video_id) for video_id in missing)
    failures: list[str] = []
    with (
        progress(f"{method.name}: measuring", len(table), done=len(found)) as advance,
        closing(in_parallel(_measure, tasks, n_jobs=n_jobs, prefer="processes")) as results,
    ):
        for place, measured in results:
            video_id = missing[place]
            if isinstance(measured, str):
                failures.append(measured)
            elif measured.n_frames != int(table.at[video_id, "n_frames"]):
                failures.append(
                    f"{video_id}: {measured.n_frames} frames were read, and {table.at[video_id, 'n_frames']} are listed"
                )
            else:
                found[video_id] = measured
                if cache is not None:
                    for key, array in zip(keys[video_id], (measured.rows, measured.motion), strict=True):
                        cache.put(key, array)
            advance()
    if failures:
        raise DataError(f"{method.name}: {len(failures)} of {len(table)} videos cannot be measured; {failures[0]}")
    return {video_id: found[video_id] for video_id in table.index}


def _measure(method: SpottingMethod, source: FrameSource, fps: float, video_id: str) -> Signals | str:
    """Return what is measured of one video, or why it cannot be."""
    try:
        with threadpool_limits(1):
            return measure_video(method, source, fps=fps, name=video_id)
    except MicroexprError as error:
        return str(error) if video_id in str(error) else f"{video_id}: {error}"
    # A method may be the user's code: what it raises must not take the other videos down.
    except Exception as error:  # noqa: BLE001
        return f"{video_id}: {one_line(error)}"


def _keys(method: SpottingMethod, source: FrameSource, fps: float) -> tuple[str, str]:
    """Return the keys of a video's rows and of its regions' motion."""
    what: dict[str, Any] = {"schema": _SCHEMA, "source": source.fingerprint(), "fps": fps}
    motion = digest({**what, "front": FRONT_VERSION, "motion": RegionMotion.version})
    if method.reads_motion:
        return motion, motion
    return digest({**what, "method": method_facts(method, without=method.decision_params)}), motion


def _signals(rows: np.ndarray, motion: np.ndarray, videos: VideoSet, video_id: str) -> Signals:
    faces = FaceStream((), fps=_fps(videos, video_id))
    return Signals(rows, motion, faces.stride, faces.rate, int(videos.videos.at[video_id, "n_frames"]))


def _fps(videos: VideoSet, video_id: str) -> float:
    value = videos.videos.at[video_id, "fps"]
    return float("nan") if pd.isna(value) else float(value)
