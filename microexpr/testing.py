"""Public checks that any loader passes, here and in other people's packages."""

__all__ = ["check_loader"]

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.clip import Clip
from microexpr.core.clipset import ClipSet

_POSITIONS = ("onset", "apex", "offset")


def check_loader(load: Callable[..., ClipSet], *args: Any, **options: Any) -> None:
    """Check that a loader gives a sound ClipSet, and the same one each time.

    `load(*args, **options)` is called twice. Checked are:

    1. It returns a ClipSet of at least one clip.
    2. Every clip_id is text, occurs once and begins with its subject: `casme2/sub01/EP02_01f`.
    3. Every subject is text and begins with its data set: `casme2/sub01`.
    4. Emotions, labels and action units are text or missing; every label is one of the set's classes.
    5. n_frames is known; onset <= apex <= offset, where given, lie inside the clip.
    6. The first, middle and last clip can be read: frames uint8 of shape (n_frames, height, width[, 3]), a flow map
       uint8 of shape (height, width, 3).
    7. Reading such a clip twice gives the same frames.
    8. A pickled clip holds paths, not pixels: at most 1 KiB a frame and 16 KiB in all, whatever their size; and is the
       same clip again when unpickled.
    9. Findings and dropped clips are tables with a reason each; no dropped clip is in the set.
    10. The second call gives the same table and the same digest.

    Parameters
    ----------
    load : callable that returns a ClipSet
    *args, **options
        Passed on to it.

    Raises
    ------
    AssertionError
        At the first check that fails; the message names the clip and the rule.

    Examples
    --------
    >>> from microexpr.data import load_casme2
    >>> check_loader(load_casme2, "CASME2")  # doctest: +SKIP
    """
    clips = load(*args, **options)
    _require(isinstance(clips, ClipSet), f"the loader returned a {type(clips).__name__}, not a ClipSet")
    _require(len(clips) > 0, "the loader returned no clip")
    for row in clips.table.itertuples():
        _check_row(row, clips.classes)
    _require(clips.table.index.is_unique, "clip_ids occur more than once")
    loaded = clips.clips
    for position in sorted({0, len(loaded) // 2, len(loaded) - 1}):
        _check_clip(loaded[position], clips.table["n_frames"].iloc[position])
    _check_reports(clips)
    again = load(*args, **options)
    _require(again.table.equals(clips.table), "a second load gives another table")
    _require(again.digest() == clips.digest(), "a second load gives another digest")


def _require(condition: bool, message: str) -> None:
    # Not the assert statement: the checks must hold under python -O too.
    if not condition:
        raise AssertionError(message)


def _check_row(row: Any, classes: tuple[str, ...]) -> None:
    name = row.Index
    for column in ("dataset", "subject"):
        value = getattr(row, column)
        _require(isinstance(value, str) and value != "", f"{name}: {column} {value!r} is not text")
    _require("/" not in row.dataset, f"{name}: data set {row.dataset!r} holds a '/'")
    begins = row.subject.startswith(f"{row.dataset}/") and len(row.subject) > len(row.dataset) + 1
    _require(begins, f"{name}: subject {row.subject!r} is not qualified by its data set {row.dataset!r}")
    qualified = isinstance(name, str) and name.startswith(f"{row.subject}/") and len(name) > len(row.subject) + 1
    _require(qualified, f"{name!r}: the clip_id is not qualified by its subject {row.subject!r}")
    for column in ("emotion", "label", "aus"):
        value = getattr(row, column)
        _require(pd.isna(value) or isinstance(value, str), f"{name}: {column} {value!r} is not text")
    _require(pd.isna(row.label) or row.label in classes, f"{name}: label {row.label!r} is none of {classes}")
    _require(not pd.isna(row.n_frames), f"{name}: n_frames is missing")
    before = 0
    for position in _POSITIONS:
        value = getattr(row, position)
        if not pd.isna(value):
            inside = before <= value < row.n_frames
            _require(inside, f"{name}: {position} {value} is out of order or outside its {row.n_frames} frames")
            before = value


def _check_clip(clip: Clip, n_frames: int) -> None:
    name = clip.clip_id
    frames = clip.frames() if clip.has_pixels else clip.flow_map()
    _require(frames.dtype == np.uint8, f"{name}: frames of dtype {frames.dtype}, not uint8")
    if clip.has_pixels:
        sound = frames.ndim in (3, 4) and frames.shape[3:] in ((), (3,)) and len(frames) == n_frames
        _require(sound, f"{name}: frames of shape {frames.shape} for n_frames {n_frames}")
    else:
        sound = frames.ndim == 3 and frames.shape[2] == 3
        _require(sound, f"{name}: a flow map of shape {frames.shape}, not (height, width, 3)")
    payload = pickle.dumps(clip)
    limit = 1024 * (16 + int(n_frames))
    _require(len(payload) <= limit, f"{name}: pickled it takes {len(payload)} bytes; does it hold its pixels?")
    copy = pickle.loads(payload)
    _require(copy.fingerprint() == clip.fingerprint(), f"{name}: unpickled it has another fingerprint")
    reread = copy.frames() if clip.has_pixels else copy.flow_map()
    _require(np.array_equal(reread, frames), f"{name}: read a second time its frames differ")


def _check_reports(clips: ClipSet) -> None:
    for report, column in ((clips.findings, "finding"), (clips.dropped, "reason")):
        _require({"clip_id", column} <= set(report), f"the table of {column}s lacks the column clip_id or {column!r}")
        _require(bool(report[column].notna().all()), f"a clip in the table of {column}s has no {column}")
    both = set(clips.dropped["clip_id"]) & set(clips.table.index)
    _require(not both, f"{', '.join(sorted(both))}: dropped, and yet in the set")
