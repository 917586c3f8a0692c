"""Several methods on the same clips under the same protocol, and the tables that compare them."""

__all__ = ["Comparison", "compare"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from microexpr.core.clip import Clip
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import MicroexprError, ParameterError, join_names
from microexpr.pipelines.harness import check_settings, run
from microexpr.pipelines.metrics import by_dataset, scores
from microexpr.pipelines.registry import build, get_method, protocol_of, settable_params
from microexpr.pipelines.results import Store
from microexpr.pipelines.splits import make_folds, shares_subjects
from microexpr.pipelines.statistics import bootstrap_interval
from microexpr.pipelines.usable import auxiliary_for, check_auxiliary, usable_clips

_MAJORITY = "majority"


@dataclass(frozen=True)
class Comparison:
    """What a comparison gave.

    Parameters
    ----------
    predictions : dict of method -> DataFrame
        Complete runs only, in the order of the table; see `microexpr.pipelines.run`.
    failures : dict of method -> str
        Why a method has no score.
    classes : tuple of str
    clips : DataFrame
        The annotations of the clips compared on.
    dropped, findings : DataFrame
        Clips left out by the label map, and what the loader found amiss.
    labels, protocol : str
    seed : int
    shared_subjects : bool
        Whether the protocol lets a subject's clips into training and test of one fold.
    params : dict
        The parameters set by the user, by method.
    of_paper : bool
        Whether the protocol was asked for as that of the methods' paper.
    pictured : tuple of Clip
        The clips compared on, for drawings of where networks look.
    """

    predictions: dict[str, pd.DataFrame]
    failures: dict[str, str]
    classes: tuple[str, ...]
    clips: pd.DataFrame
    dropped: pd.DataFrame
    findings: pd.DataFrame
    labels: str
    protocol: str
    seed: int
    shared_subjects: bool
    params: dict[str, dict[str, Any]] = field(default_factory=dict)
    of_paper: bool = False
    pictured: tuple[Clip, ...] = ()

    def table(self, *, n_resamples: int = 2000) -> pd.DataFrame:
        """Return one row a method: pooled figures, 95 % intervals over subjects, and figures per data set.

        Returns
        -------
        DataFrame indexed by method
            clips, subjects, UF1, UF1_low, UF1_high, UAR, UAR_low, UAR_high, accuracy, and `<dataset>_UF1`,
            `<dataset>_UAR` where there are several data sets.
        """
        rows = {name: self._row(table, n_resamples) for name, table in self.predictions.items()}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")

    def notes(self) -> list[str]:
        """Return a sentence for all clips, and for each data set, where a class has no clip and is left out."""
        if not self.predictions:
            return []
        predictions = next(iter(self.predictions.values()))
        parts = by_dataset(predictions, self.classes)
        notes = [f"{name}: {note}" for name, note in parts["note"].items() if note and len(parts) > 1]
        pooled = scores(predictions, self.classes)["note"]
        return [pooled, *notes] if pooled else notes

    def _row(self, predictions: pd.DataFrame, n_resamples: int) -> dict[str, object]:
        pooled = scores(predictions, self.classes)
        row: dict[str, object] = {"clips": pooled["n_clips"], "subjects": pooled["n_subjects"]}
        for metric in ("UF1", "UAR"):
            interval = bootstrap_interval(predictions, self.classes, metric=metric, n_resamples=n_resamples)
            row |= {metric: interval.estimate, f"{metric}_low": interval.low, f"{metric}_high": interval.high}
        row["accuracy"] = pooled["accuracy"]
        parts = by_dataset(predictions, self.classes)
        if len(parts) > 1:
            for dataset, part in parts.iterrows():
                row |= {f"{dataset}_UF1": part["UF1"], f"{dataset}_UAR": part["UAR"]}
        return row


def compare(
    methods: Sequence[str],
    clipset: ClipSet,
    *,
    protocol: str = "loso",
    seed: int = 0,
    n_jobs: int = 1,
    mode: str = "only-missing",
    store: str | Path | Store | None = None,
    params: Mapping[str, Any] | None = None,
    allow_incomplete: bool = False,
    auxiliary: ClipSet | None = None,
) -> Comparison:
    """Run methods on the same clips, the majority row always among them.

    Everything that can be refused is refused before anything is computed. A method whose folds fail has no
    score and is listed in `failures`; the others are compared all the same.

    Parameters
    ----------
    methods : sequence of str
        Registered names, each once.
    clipset, protocol, seed, n_jobs, mode, store
        See `microexpr.pipelines.run`; "paper" needs methods whose papers have one protocol.
    params : mapping, optional
        Nested parameters; each is set on every method that has it, but for variants whose name sets it.
    allow_incomplete : bool
        Whether to go on, with all methods, without the clips that lack what one of them needs; `findings` lists them.
    auxiliary : ClipSet with labels, optional
        Macro-expressions that join every training set, for the methods that learn from them.

    Returns
    -------
    Comparison

    Raises
    ------
    ParameterError
        If a method, parameter or protocol is unknown, a value is not allowed, or a method is named twice.
    NeedsError
        If a method needs something that a clip lacks; with `allow_incomplete`, that all clips of a data set lack.
    DataError
        If the protocol cannot split the clips.
    ResultsError
        If the store belongs to another version, or cannot be written.
    """
    check_settings(mode, seed, n_jobs)
    names = _names(methods)
    of_paper = protocol == "paper"
    protocol = protocol_of(protocol, names)
    own_params = _distribute(names, params or {})
    for name in names:
        build(name, **own_params[name])
        clipset = usable_clips(name, clipset, allow_incomplete=allow_incomplete)
        check_auxiliary(name, auxiliary)
    folds = make_folds(clipset, protocol, seed=seed)
    kept = store if isinstance(store, Store) or store is None else Store(store)
    predictions, failures = {}, {}
    for name in names:
        try:
            predictions[name] = run(
                name,
                clipset,
                protocol=protocol,
                seed=seed,
                n_jobs=n_jobs,
                mode=mode,
                store=kept,
                params=own_params[name],
                auxiliary=auxiliary_for(name, auxiliary),
            )
        except MicroexprError as error:
            failures[name] = str(error)
    return Comparison(
        predictions,
        failures,
        clipset.classes,
        clipset.table,
        clipset.dropped,
        clipset.findings,
        clipset.labels,
        protocol,
        seed,
        shares_subjects(folds, clipset.groups),
        {name: chosen for name, chosen in own_params.items() if chosen},
        of_paper,
        tuple(clipset.clips),
    )


def _names(methods: Sequence[str]) -> list[str]:
    if not methods:
        raise ParameterError("no method is named: name at least one")
    if twice := sorted({name for name in methods if list(methods).count(name) > 1}):
        raise ParameterError(f"methods named twice: {join_names(twice)}")
    return list(methods) if _MAJORITY in methods else [*methods, _MAJORITY]


def _distribute(names: Sequence[str], params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Give each method those of the parameters that it has."""
    own = {}
    for name in names:
        record = get_method(name)
        options = {key: value for key, value in params.items() if key in record.options}
        own[name] = {*record.options, *settable_params(build(name, **options))} - record.settled.keys()
    for key in params:
        if not any(key in keys for keys in own.values()):
            known = join_names(sorted(set().union(*own.values())), 40)
            raise ParameterError(f"none of {join_names(names)} has a parameter {key!r}; they have {known}")
    return {name: {key: value for key, value in params.items() if key in own[name]} for name in names}
