"""Spotting in long videos, leave-one-subject-out: one row for each interval found, by a threshold learned elsewhere."""

__all__ = ["SpottingRun", "run_spotting", "spotting_run"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.digest import digest, estimator_spec
from microexpr.core.errors import ParameterError, ResultsError
from microexpr.data.videos import VideoSet
from microexpr.pipelines.folds import seeded
from microexpr.pipelines.harness import check_settings
from microexpr.pipelines.provenance import provenance
from microexpr.pipelines.results import Store
from microexpr.pipelines.spottedtable import spotted_table, write_spotted
from microexpr.pipelines.spotters import build_any_spotter
from microexpr.pipelines.spottingfolds import UNNAMED
from microexpr.pipelines.spottingsignals import method_facts
from microexpr.pipelines.spottingtruth import NamingSet, naming_set, true_intervals
from microexpr.pipelines.spottingwork import SubjectFold, left_out, run_missing_folds
from microexpr.spotting import EVENT_COLUMNS, SpottingMethod

# Raised when the same settings would give other rows for reasons that no `version` tells.
_SCHEMA = 1
_PROTOCOL = "loso"


@dataclass(frozen=True, eq=False)
class SpottingRun:
    """A complete run.

    Parameters
    ----------
    table : DataFrame
        As `run_spotting` returns it.
    records : list of dict
        Of the folds, in the order of their subjects; see `run_spotting_fold`.
    facts : dict
        What decided the rows, and what it ran on, as `run.json` says it.
    """

    table: pd.DataFrame
    records: list[dict[str, Any]]
    facts: dict[str, Any]


def run_spotting(
    method: str | SpottingMethod,
    videos: VideoSet,
    *,
    recognizer: str | Any | None = None,
    labels: str | None = None,
    seed: int = 0,
    n_jobs: int = 1,
    mode: str = "only-missing",
    store: str | Path | Store | None = None,
    params: Mapping[str, Any] | None = None,
    recognizer_params: Mapping[str, Any] | None = None,
    allow_incomplete: bool = False,
) -> pd.DataFrame:
    """Evaluate a spotting method: the threshold from all other subjects' videos, the events of each subject's by it.

    1. Each video is measured once, in parallel, through the feature cache; no truth is looked at.
    2. Each fold leaves one subject out. The threshold of the largest F1 (hits at an IoU of .5, micro- and macro-
       expressions together) pooled over the other subjects' videos is chosen; see `spottingfolds.choose_threshold`. A
       method that learns is fitted on those videos. The left-out subject's truth is not given to the fold.
    3. A recognizer is fitted on the true expressions of the other subjects' videos, cut from onset to offset, and names
       those found: clips from the onset found to the offset found, with the apex found.
    4. Each fold is kept at once. A killed run goes on where it stopped.

    Parameters
    ----------
    method : str or SpottingMethod
        A name as `build_any_spotter` takes it, or a method itself.
    videos : VideoSet
    recognizer : str or scikit-learn classifier, optional
        A registered method of recognition, or any unfitted classifier of lists of clips.
    labels : str, optional
        The label map for the recognizer; None takes megc2019.
    seed : int in [0, 2**32 - 1]
        Seeds every `random_state` that is None.
    n_jobs : int >= 1, or -1 for all cores
        Processes over videos and folds; the rows do not depend on it.
    mode : {"only-missing", "overwrite", "read-only"}
        As in `microexpr.pipelines.run`.
    store : path or Store, optional
        Where folds are kept. None keeps nothing but what was measured.
    params : mapping, optional
        Parameters of a named method, but for its threshold.
    recognizer_params : mapping, optional
        Nested parameters of a registered recognizer.
    allow_incomplete : bool
        Whether the recognizer may learn without the clips that lack what it needs.

    Returns
    -------
    DataFrame, one row for each interval found
        `SPOTTED_COLUMNS`: run_key, method, dataset, protocol, seed, fold, video_id, subject; onset, apex, offset
        (frames), kind, score, region, duration; threshold. With a recognizer label (`unnamed` where it could not be
        asked, "" for what is no expression) and `proba_<class>` or `score_<class>`. Kinds other than micro and macro
        (blink, head, speech) are listed and are no expressions: leave them out of scores. A fold in which nothing is
        found has no row.

    Raises
    ------
    ParameterError
        If a name or value is not allowed.
    DataError
        If there are fewer than 2 subjects, or a video cannot be measured.
    NeedsError
        If the recognizer needs something that a clip lacks.
    ResultsError
        If folds failed, or the store cannot be read or written.

    Notes
    -----
    Counts at every threshold are made once for each video and pooled over each fold's training videos, which gives
    what counting within each fold would. A method that learns is counted in inner folds instead: on videos that it was
    fitted on, its threshold would be chosen too high or too low.

    Examples
    --------
    >>> from microexpr.data import make_videos
    >>> videos = make_videos(2, 1, seconds=3, micro=1, macro=0, head_motion=False, speech=False)
    >>> found = run_spotting("flow", videos)
    >>> found.loc[found["kind"] == "micro", ["subject", "onset", "offset"]].values.tolist()
    [['synthetic-long/sub01', 40, 48], ['synthetic-long/sub02', 65, 73]]
    """
    return spotting_run(
        method,
        videos,
        recognizer=recognizer,
        labels=labels,
        seed=seed,
        n_jobs=n_jobs,
        mode=mode,
        store=store,
        params=params,
        recognizer_params=recognizer_params,
        allow_incomplete=allow_incomplete,
    ).table


def spotting_run(
    method: str | SpottingMethod,
    videos: VideoSet,
    *,
    recognizer: str | Any | None = None,
    labels: str | None = None,
    seed: int = 0,
    n_jobs: int = 1,
    mode: str = "only-missing",
    store: str | Path | Store | None = None,
    params: Mapping[str, Any] | None = None,
    recognizer_params: Mapping[str, Any] | None = None,
    allow_incomplete: bool = False,
) -> SpottingRun:
    """Do what `run_spotting` does, and return with the table what it was made of."""
    check_settings(mode, seed, n_jobs)
    spotter = _resolve_spotter(method, seed, params or {})
    naming = None
    if recognizer is not None:
        naming = naming_set(
            recognizer,
            videos,
            labels=labels or "megc2019",
            seed=seed,
            params=recognizer_params or {},
            allow_incomplete=allow_incomplete,
        )
    elif labels is not None or recognizer_params:
        raise ParameterError(f"labels is {labels!r}: only a recognizer names expressions, and there is none")
    truth = true_intervals(videos, labels=None if naming is None else naming.clips.labels)
    folds = left_out(videos)
    settings = _settings(spotter, videos, truth, naming, seed)
    key = digest({"schema": _SCHEMA, **settings})
    kept = None
    if store is not None:
        name = spotter.name if naming is None else f"{spotter.name}-{naming.name}"
        kept = (store if isinstance(store, Store) else Store(store)).find(key, name)
        if mode != "read-only":
            kept.open(settings)
        if mode == "overwrite":
            kept.clear()
    records = [
        None if kept is None else kept.fold(number, fold.subject, fold.video_ids, named="video_ids")
        for number, fold in enumerate(folds)
    ]
    if (n_missing := records.count(None)) and mode == "read-only":
        where = "" if kept is None else f" in {kept.folder}"
        raise ResultsError(
            f"{spotter.name}: {n_missing} of {len(folds)} folds are missing{where}, and mode is 'read-only'"
        )
    if n_missing:
        records = run_missing_folds(spotter, videos, truth, naming, folds, records, kept, n_jobs)
    complete = [record for record in records if record is not None]
    table = _table(complete, folds, videos, naming, {**settings, "run_key": key})
    if kept is not None and not n_missing and kept.intervals_path.exists() and kept.is_described:
        return SpottingRun(table, complete, kept.read_settings())
    seconds = sum(record["seconds"] for record in complete)
    facts: dict[str, Any] = {"provenance": provenance(), "fold_seconds": round(seconds, 3)}
    if kept is not None:
        kept.describe(facts, replace=True)
        write_spotted(table, kept.intervals_path)
    return SpottingRun(table, complete, {"run_key": key, **settings, **facts})


def _resolve_spotter(method: str | SpottingMethod, seed: int, params: Mapping[str, Any]) -> SpottingMethod:
    if "threshold" in params:
        raise ParameterError("threshold cannot be set: each fold chooses it on its training subjects' videos")
    if isinstance(method, str):
        spotter = build_any_spotter(method, **params)
    elif not isinstance(method, SpottingMethod):
        raise ParameterError(f"method is a {type(method).__name__}: it must be a name or a SpottingMethod")
    elif params:
        raise ParameterError("params are for named methods; set them on the method itself")
    else:
        spotter = method
    spotter.check_params()
    copy: SpottingMethod = seeded(spotter, seed)
    return copy


def _settings(
    spotter: SpottingMethod, videos: VideoSet, truth: pd.DataFrame, naming: NamingSet | None, seed: int
) -> dict[str, Any]:
    """Return all that decides the rows; keys are digests of it."""
    table = videos.videos
    shown = [
        [video_id, videos.sources[video_id].fingerprint(), row.subject, int(row.n_frames), str(row.fps)]
        for video_id, row in zip(table.index, table.itertuples(), strict=True)
    ]
    # Apexes count too: a method that learns may use them.
    spans = [
        [clip_id, row.video_id, int(row.onset), None if pd.isna(row.apex) else int(row.apex), int(row.offset), row.kind]
        for clip_id, row in zip(truth.index, truth.itertuples(), strict=True)
    ]
    recognized = None
    if naming is not None:
        recognized = {
            "name": naming.name,
            "estimator": estimator_spec(naming.estimator),
            "classes": list(naming.clips.classes),
            "clips": naming.clips.digest(),
        }
    return {
        "method": spotter.name,
        "spotter": method_facts(spotter, without=("threshold",)),
        "recognizer": recognized,
        "labels": None if naming is None else naming.clips.labels,
        "protocol": _PROTOCOL,
        "seed": seed,
        "videos": digest(shown),
        "truth": digest(spans),
    }


def _table(
    records: Sequence[Mapping[str, Any]],
    folds: Sequence[SubjectFold],
    videos: VideoSet,
    naming: NamingSet | None,
    settings: Mapping[str, Any],
) -> pd.DataFrame:
    """Return the folds' events as rows, in the order of the videos and of their onsets."""
    rows: list[dict[str, Any]] = []
    kinds = {record["score_kind"] for record in records} - {None}
    classes = () if naming is None else naming.clips.classes
    columns = [f"{kind}_{name}" for kind in sorted(kinds) for name in classes]
    constant = {name: settings[name] for name in ("run_key", "method", "protocol", "seed")}
    for fold, record in zip(folds, records, strict=True):
        for event in record["events"]:
            row = {**constant, "fold": fold.subject, "threshold": record["threshold"], "video_id": event["video_id"]}
            row |= {name: videos.videos.at[event["video_id"], name] for name in ("dataset", "subject")}
            row |= {name: event[name] for name in EVENT_COLUMNS}
            if naming is not None:
                row["label"] = event["label"]
                # A class that the training clips lack ranks below all others.
                nothing = 0.0 if "proba" in kinds else -np.inf
                named = event["label"] not in ("", UNNAMED)
                row |= {name: event.get(name, nothing if named else np.nan) for name in columns}
            rows.append(row)
    places = {video_id: place for place, video_id in enumerate(videos.videos.index)}
    rows.sort(key=lambda row: (places[row["video_id"]], row["onset"], row["offset"], row["kind"]))
    return spotted_table(rows, [] if naming is None else ["label", *columns])
