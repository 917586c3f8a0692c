"""Several spotting methods on the same long videos, leave-one-subject-out, and the table that compares them."""

__all__ = ["SpottingComparison", "compare_spotting"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from microexpr.core.errors import MicroexprError, ParameterError, join_names
from microexpr.data.videos import KINDS, VideoSet
from microexpr.pipelines.falsealarms import false_alarms
from microexpr.pipelines.harness import check_settings
from microexpr.pipelines.registry import build, get_method, settable_params
from microexpr.pipelines.results import Store
from microexpr.pipelines.spotters import build_any_spotter
from microexpr.pipelines.spottingmetrics import SpottingScores, spotting_interval, spotting_scores
from microexpr.pipelines.spottingruns import SpottingRun, spotting_run
from microexpr.pipelines.spottingtruth import naming_set, true_intervals
from microexpr.pipelines.spottingwork import left_out
from microexpr.spotting import EXPRESSIONS


@dataclass(frozen=True)
class SpottingComparison:
    """What a comparison of spotting methods gave.

    Parameters
    ----------
    runs : dict of method -> SpottingRun
        Complete ones only, in the order of the table.
    failures : dict of method -> str
        Why a method has no score.
    videos : DataFrame
        As `VideoSet.videos`: all that were searched.
    true : DataFrame
        The true intervals; see `true_intervals`.
    findings : DataFrame
        What the loader found amiss.
    seed : int
    recognizer, labels : str or None
    distractors : DataFrame or None
        What truly distracts, where the data set knows.
    params : dict
        The parameters set by the user, by method.
    """

    runs: dict[str, SpottingRun]
    failures: dict[str, str]
    videos: pd.DataFrame
    true: pd.DataFrame
    findings: pd.DataFrame
    seed: int
    recognizer: str | None = None
    labels: str | None = None
    distractors: pd.DataFrame | None = None
    params: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def found(self) -> dict[str, pd.DataFrame]:
        """The intervals that each method found; see `run_spotting`."""
        return {name: run.table for name, run in self.runs.items()}

    def expressions(self, method: str) -> pd.DataFrame:
        """Return the intervals that a method found to be expressions."""
        table = self.found[method]
        return table[table["kind"].isin(EXPRESSIONS)]

    def scores(self, method: str, *, kind: str | None = None) -> SpottingScores:
        """Return a method's figures, of all expressions or of one kind; see `spotting_scores`."""
        return spotting_scores(self.true, self.expressions(method), self.videos, kind=kind)

    def table(self, *, n_resamples: int = 2000) -> pd.DataFrame:
        """Return one row a method: pooled figures, with 95 % intervals over subjects.

        Returns
        -------
        DataFrame indexed by method
            n_true, n_found, TP, FP, FN, precision, recall; F1 of all expressions, `micro_F1` and `macro_F1`, each with
            `_low` and `_high`; UF1 on the hits and STRS, the latter with `_low` and `_high`: NaN without a recognizer.
        """
        rows = {name: self._row(name, n_resamples) for name in self.found}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")

    def alarms(self) -> pd.DataFrame:
        """Return how many false positives each method has where what happened.

        Returns
        -------
        DataFrame indexed by what truly happened, a column a method
            See `false_alarms`; empty where the data set knows no distractors.
        """
        if self.distractors is None:
            return pd.DataFrame(columns=list(self.found), dtype="int64")
        counts = {
            name: false_alarms(self.true, self.expressions(name), self.distractors).value_counts()
            for name in self.found
        }
        table = pd.DataFrame(counts).fillna(0).astype("int64")
        order = table.sum(axis=1).sort_values(ascending=False, kind="stable").index
        return table.loc[order].rename_axis("what happened")

    def _row(self, name: str, n_resamples: int) -> dict[str, Any]:
        pooled = self.scores(name)
        row: dict[str, Any] = {
            key: pooled[key]
            for key in ("n_true", "n_found", "TP", "FP", "FN", "precision", "recall", "n_recognized", "UF1")
        }
        found = self.expressions(name)
        for kind in (None, *KINDS):
            interval = spotting_interval(self.true, found, self.videos, kind=kind, n_resamples=n_resamples)
            row |= _ends("F1" if kind is None else f"{kind}_F1", interval)
        row |= dict.fromkeys(("STRS", "STRS_low", "STRS_high"), float("nan"))
        if self.recognizer is not None:
            row |= _ends(
                "STRS", spotting_interval(self.true, found, self.videos, metric="STRS", n_resamples=n_resamples)
            )
        return row


def compare_spotting(
    methods: Sequence[str],
    videos: VideoSet,
    *,
    recognizer: str | None = None,
    labels: str | None = None,
    seed: int = 0,
    n_jobs: int = 1,
    mode: str = "only-missing",
    store: str | Path | Store | None = None,
    params: Mapping[str, Any] | None = None,
    allow_incomplete: bool = False,
) -> SpottingComparison:
    """Run spotting methods on the same videos.

    Everything that can be refused is refused before anything is computed. A method that fails has no score and is
    listed in `failures`; the others are compared all the same.

    Parameters
    ----------
    methods : sequence of str
        Names as `microexpr.pipelines.spotters.all_spotters` lists them, each once.
    videos, recognizer, labels, seed, n_jobs, mode, store, allow_incomplete
        See `run_spotting`; the recognizer is a registered method.
    params : mapping, optional
        Parameters; each is set on every spotting method that has it, and on the recognizer.

    Returns
    -------
    SpottingComparison

    Raises
    ------
    ParameterError
        If a method or parameter is unknown, a value is not allowed, or a method is named twice.
    NeedsError
        If the recognizer needs something that a clip lacks.
    DataError
        If there are fewer than 2 subjects.
    ResultsError
        If the store belongs to another version, or cannot be written.
    """
    check_settings(mode, seed, n_jobs)
    if not methods:
        raise ParameterError("no method is named: name at least one")
    if twice := sorted({name for name in methods if list(methods).count(name) > 1}):
        raise ParameterError(f"methods named twice: {join_names(twice)}")
    own, its_own = _distribute(methods, recognizer, params or {})
    for name in methods:
        build_any_spotter(name, **own[name])
    if recognizer is not None:
        labels = labels or "megc2019"
        naming_set(recognizer, videos, labels=labels, seed=seed, params=its_own, allow_incomplete=allow_incomplete)
    elif labels is not None:
        raise ParameterError(f"labels is {labels!r}: only a recognizer names expressions, and there is none")
    left_out(videos)
    kept = store if isinstance(store, Store) or store is None else Store(store)
    runs, failures = {}, {}
    for name in methods:
        try:
            runs[name] = spotting_run(
                name,
                videos,
                recognizer=recognizer,
                labels=labels,
                seed=seed,
                n_jobs=n_jobs,
                mode=mode,
                store=kept,
                params=own[name],
                recognizer_params=its_own,
                allow_incomplete=allow_incomplete,
            )
        except MicroexprError as error:
            failures[name] = str(error)
    return SpottingComparison(
        runs,
        failures,
        videos.videos,
        true_intervals(videos, labels=labels),
        videos.findings,
        seed,
        recognizer,
        labels,
        getattr(videos, "distractors", None),
        {name: chosen for name, chosen in {**own, recognizer or "": its_own}.items() if chosen},
    )


def _distribute(
    methods: Sequence[str], recognizer: str | None, params: Mapping[str, Any]
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Give each spotting method, and the recognizer, those of the parameters that it has."""
    known = {name: set(build_any_spotter(name).get_params()) - {"random_state"} for name in methods}
    its: set[str] = set()
    if recognizer is not None:
        record = get_method(recognizer)
        options = {key: value for key, value in params.items() if key in record.options}
        its = {*record.options, *settable_params(build(recognizer, **options))} - record.settled.keys()
    for key in params:
        if key not in its and not any(key in names for names in known.values()):
            there = join_names(sorted(set().union(its, *known.values()) - {"threshold"}), 40)
            named = join_names([*methods, *([recognizer] if recognizer else [])])
            raise ParameterError(f"none of {named} has a parameter {key!r}; they have {there}")
    own = {name: {key: value for key, value in params.items() if key in known[name]} for name in methods}
    return own, {key: value for key, value in params.items() if key in its}


def _ends(name: str, interval: Any) -> dict[str, float]:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
