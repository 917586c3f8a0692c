"""Public checks that any loader, clip transformer and method passes, here and in other people's packages."""

__all__ = ["check_clip_transformer", "check_loader", "check_method"]

import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.clip import Clip
from microexpr.core.clipset import ClipSet
from microexpr.core.digest import digest
from microexpr.core.errors import MicroexprError

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


def check_clip_transformer(transformer: Any, clips: Sequence[Clip]) -> None:
    """Check that a transformer of clips keeps the contract that caching and the harness rely on.

    1. It has an integer `version`, and its parameters can be written as a key.
    2. A clone and an unpickled copy give the same rows, bit for bit.
    3. `fit` returns the transformer and leaves nothing behind: the rows before and after are the same.
    4. The result is a finite numeric ndarray with one row a clip; of a structured one, every field is.
    5. Row i depends on clip i alone: alone, reversed or repeated, the clips give the same rows.
    6. A clip's name, subject and data set do not matter.
    7. The frames are not changed.
    8. An empty list and a bare clip are refused with an error of this package.

    Parameters
    ----------
    transformer : ClipTransformer
    clips : sequence of at least 3 Clip that it can transform

    Raises
    ------
    AssertionError
        At the first check that fails.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> from microexpr.features import FlowMap
    >>> check_clip_transformer(FlowMap(method="dis"), make_clips(n_subjects=1, clips_per_subject=3).clips)
    """
    from sklearn.base import clone

    clips = list(clips)
    name = type(transformer).__name__
    _require(len(clips) >= 3, f"{len(clips)} clips are too few to check with; at least 3 are needed")
    _require(type(getattr(transformer, "version", None)) is int, f"{name} has no integer version")
    digest(transformer)
    before = [digest([clip.fingerprint()]) for clip in clips]
    rows = transformer.transform(clips)
    _require(isinstance(rows, np.ndarray) and len(rows) == len(clips), f"{name} does not give one row a clip")
    _require(_are_finite_numbers(rows), f"{name} gives rows that are not finite numbers")
    _require([digest([clip.fingerprint()]) for clip in clips] == before, f"{name} changes the frames it is given")
    _require(_same(clone(transformer).transform(clips), rows), f"a clone of {name} gives other rows")
    copy = pickle.loads(pickle.dumps(transformer))
    _require(_same(copy.transform(clips), rows), f"an unpickled {name} gives other rows")
    fitted = clone(transformer)
    _require(fitted.fit(clips) is fitted, f"fit of {name} does not return it")
    _require(_same(fitted.transform(clips), rows), f"fit changes what {name} gives")
    alone = np.concatenate([transformer.transform([clip]) for clip in clips])
    _require(_same(alone, rows), f"a row of {name} depends on other clips")
    _require(_same(transformer.transform(clips[::-1])[::-1], rows), f"rows of {name} depend on the clips' order")
    renamed = [replace(clip, clip_id=f"x/y/{number}", subject="x/y", dataset="x") for number, clip in enumerate(clips)]
    _require(_same(transformer.transform(renamed), rows), f"{name} reads a clip's name, subject or data set")
    bad_inputs: tuple[object, ...] = ([], clips[0])
    for wrong in bad_inputs:
        _require(_refuses(transformer.transform, wrong), f"{name} does not refuse an empty list or a bare clip")


def check_method(name: str, clips: ClipSet, *, auxiliary: ClipSet | None = None, **params: Any) -> None:
    """Check that a registered method is a sound classifier of clips.

    1. It builds from its name and a random state, and its parameters can be written as a key.
    2. `fit` on the clips and `predict` give one of the classes for each clip; probabilities, where it has them, are
       within 0..1 and sum to 1.
    3. Two builds with one random state predict the same, as do a clone and an unpickled fitted copy.
    4. A clip's prediction does not depend on the clips predicted beside it.
    5. An unknown parameter is refused.

    Parameters
    ----------
    name : str
    clips : ClipSet with labels, a few clips of each class, that the method can run on
    auxiliary : ClipSet with labels, optional
        Macro-expressions that join the training, for a method that needs them.
    **params
        Nested parameters; by default the record's own `tiny` ones, under which tests take a second.

    Raises
    ------
    AssertionError
        At the first check that fails.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> check_method("majority", make_clips(n_subjects=2, clips_per_subject=3))
    """
    from sklearn.base import clone

    from microexpr.pipelines.registry import build, get_method

    record = get_method(name)
    params = params or dict(record.tiny)
    _require(bool(record.summary and record.reference), f"{name} lacks a summary or a reference")
    _require(_refuses(build, name, no__such_parameter=1), f"{name} does not refuse an unknown parameter")
    estimator = build(name, random_state=0, **params)
    digest(estimator)
    fitted = _fitted(clone(estimator), clips, auxiliary)
    predicted = fitted.predict(clips.clips)
    _require(len(predicted) == len(clips), f"{name} does not give one prediction a clip")
    _require(set(map(str, predicted)) <= set(clips.y), f"{name} predicts something that is no class")
    if hasattr(fitted, "predict_proba"):
        shares = fitted.predict_proba(clips.clips)
        sound = bool((shares >= 0).all()) and bool(np.allclose(shares.sum(axis=1), 1))
        _require(sound, f"probabilities of {name} are negative or do not sum to 1")
    again = _fitted(build(name, random_state=0, **params), clips, auxiliary)
    _require(list(again.predict(clips.clips)) == list(predicted), f"the same seed gives other predictions of {name}")
    copy = pickle.loads(pickle.dumps(fitted))
    _require(list(copy.predict(clips.clips)) == list(predicted), f"an unpickled {name} predicts otherwise")
    alone = [fitted.predict([clip])[0] for clip in clips.clips]
    _require(alone == list(predicted), f"a prediction of {name} depends on the clips beside it")


def _fitted(estimator: Any, clips: ClipSet, auxiliary: ClipSet | None) -> Any:
    """Return the estimator fitted on the clips, and on auxiliary ones beside them as the harness would do it."""
    if auxiliary is None:
        return estimator.fit(clips.clips, clips.y)
    from sklearn.pipeline import Pipeline

    from microexpr.classifiers._inner import fit_inner
    from microexpr.pipelines.prefix import for_auxiliary, split_prefix

    prefix, learner = split_prefix(estimator)
    _require(prefix is not None, "a method with auxiliary clips has no stateless beginning that tells them apart")
    assert prefix is not None
    rows = np.concatenate([prefix.transform(clips.clips), for_auxiliary(prefix).transform(auxiliary.clips)])
    domain = np.repeat([0, 1], [len(clips), len(auxiliary)])
    groups = np.append(clips.groups, auxiliary.groups)
    learner = fit_inner(learner, rows, np.append(clips.y, auxiliary.y), groups=groups, domain=domain)
    return Pipeline([*prefix.steps, *learner.steps])


def _are_finite_numbers(rows: np.ndarray) -> bool:
    parts = [rows] if rows.dtype.names is None else [rows[name] for name in rows.dtype.names]
    return all(part.dtype.kind in "uif" and bool(np.isfinite(part).all()) for part in parts)


def _same(rows: np.ndarray, others: np.ndarray) -> bool:
    return bool(rows.dtype == others.dtype and np.array_equal(rows, others))


def _refuses(function: Callable[..., Any], *args: Any, **options: Any) -> bool:
    try:
        function(*args, **options)
    except MicroexprError:
        return True
    return False


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
