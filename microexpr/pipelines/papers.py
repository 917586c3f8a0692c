"""The experiments of the methods' own papers, run again: published, ours and the majority class side by side."""

__all__ = ["PaperResults", "rerun_papers", "run_all"]

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import ParameterError
from microexpr.pipelines.comparison import Comparison, compare
from microexpr.pipelines.metrics import scores
from microexpr.pipelines.registry import PaperRun, get_method, protocol_of, variant

_METRICS = ("accuracy", "UF1", "UAR")
_FIGURES = ("published", "ours", "majority")


@dataclass(frozen=True)
class PaperResults:
    """What the reruns gave.

    Parameters
    ----------
    comparisons : dict of protocol -> Comparison
        One for each protocol of the papers; methods under a paper's own settings stand in them as variants.
    runs : dict of protocol -> list of (variant's name, PaperRun)
    """

    comparisons: dict[str, Comparison]
    runs: dict[str, list[tuple[str, PaperRun]]]

    def table(self) -> pd.DataFrame:
        """Return published, ours and the majority class, one row for each experiment and metric.

        Returns
        -------
        DataFrame
            method, protocol, metric, published (NaN where the paper reports none of that metric), ours (NaN where the
            run failed), majority (the comparison's own row), subjects_shared. An experiment of which nothing is
            published has the row of UF1. Without experiments of papers, no row.
        """
        rows = []
        for protocol, named in self.runs.items():
            comparison = self.comparisons[protocol]
            for name, run in named:
                predictions = comparison.predictions.get(name)
                published = {metric: getattr(run, metric) for metric in _METRICS}
                for metric in [key for key, value in published.items() if value is not None] or ["UF1"]:
                    ours = None if predictions is None else dict(scores(predictions, comparison.classes))
                    bar = comparison.predictions.get("majority")
                    majority = None if bar is None else dict(scores(bar, comparison.classes))
                    rows.append(
                        {
                            "method": name,
                            "protocol": protocol,
                            "metric": metric,
                            "published": published[metric],
                            "ours": None if ours is None else ours[metric],
                            "majority": None if majority is None else majority[metric],
                            "subjects_shared": comparison.shared_subjects,
                        }
                    )
        table = pd.DataFrame(rows, columns=["method", "protocol", "metric", *_FIGURES, "subjects_shared"])
        return table.astype(dict.fromkeys(_FIGURES, float))

    @property
    def failures(self) -> dict[str, str]:
        """Why methods have no score, over all protocols."""
        return {name: reason for one in self.comparisons.values() for name, reason in one.failures.items()}


def rerun_papers(methods: Sequence[str], clipset: ClipSet, **settings: Any) -> PaperResults:
    """Run each method as its paper does: under each of its protocols and settings.

    Parameters
    ----------
    methods : sequence of str
        Registered names; one of which no paper's protocol is known runs under "loso", and "majority" runs beside all.
    clipset : ClipSet with labels
    **settings
        Of `microexpr.compare`, but for `protocol`.

    Raises
    ------
    ParameterError
        If `protocol` is among the settings.
    MicroexprError
        What `microexpr.compare` raises.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> results = rerun_papers(["majority"], make_clips(n_subjects=3, clips_per_subject=3))
    >>> list(results.comparisons)
    ['loso']
    """
    if "protocol" in settings:
        raise ParameterError("protocol is decided by the papers: leave it out")
    runs: dict[str, list[tuple[str, PaperRun]]] = {}
    for method in [name for name in methods if name != "majority"] or methods:  # it goes along with all others
        for run in get_method(method).paper or (PaperRun(protocol_of("paper", [method])),):
            named = runs.setdefault(run.protocol, [])
            if (name := variant(method, run.params)) not in [known for known, _ in named]:
                named.append((name, run))
    comparisons = {
        protocol: replace(
            compare([name for name, _ in named], clipset, protocol=protocol, **settings),
            of_paper=True,
        )
        for protocol, named in runs.items()
    }
    return PaperResults(comparisons, runs)


def run_all(methods: Sequence[str], clipset: ClipSet, *, protocol: str, **settings: Any) -> PaperResults:
    """Run methods under one protocol, or, where it is "paper", under those of their papers.

    Parameters
    ----------
    methods, clipset, protocol, **settings
        See `microexpr.compare`.
    """
    if protocol == "paper":
        return rerun_papers(methods, clipset, **settings)
    comparison = compare(methods, clipset, protocol=protocol, **settings)
    return PaperResults({comparison.protocol: comparison}, {})
