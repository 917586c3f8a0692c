"""Drawings of spotting runs: what was found in a video beside what is true, and how thresholds were chosen."""

__all__ = ["FoundInVideo", "thresholds_svg", "video_svg"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from microexpr.pipelines.report.figures import _axes, _svg

# Okabe and Ito's: told apart in print and by colour-blind readers.
_SHADES = {"micro": "#E69F00", "macro": "#56B4E9"}
_HIT, _ALARM, _OTHER = "#009E73", "#D55E00", "#777777"
_INK = "#1c2430"


@dataclass(frozen=True, eq=False)
class FoundInVideo:
    """What one method gave for one video.

    Parameters
    ----------
    method : str
    curve : mapping
        positions, low and high, as a fold's record has them.
    threshold : float
    hits, alarms, others : DataFrames with columns onset, offset
        Expressions found that hit a true one, those that do not, and what was found to be no expression.
    """

    method: str
    curve: Mapping[str, Sequence[Any]]
    threshold: float
    hits: pd.DataFrame
    alarms: pd.DataFrame
    others: pd.DataFrame


def video_svg(found: Sequence[FoundInVideo], true: pd.DataFrame, *, fps: float, n_frames: int) -> str:
    """Draw a video by time: true expressions as shaded stretches, each method's scores, and bars for what it found.

    Parameters
    ----------
    found : sequence of FoundInVideo
    true : DataFrame with columns onset, offset, kind
    fps : float > 0
    n_frames : int > 0
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 0.45 + 1.15 * len(found)), layout="constrained")
    rows = figure.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
    for axes, one in zip(rows, found, strict=True):
        for interval in true.itertuples():
            axes.axvspan(
                interval.onset / fps, (interval.offset + 1) / fps, color=_SHADES[str(interval.kind)], alpha=0.45, lw=0
            )
        base, top = _draw_scores(axes, one, fps)
        below = top - base
        for table, colour, height in (
            (one.hits, _HIT, -0.08),
            (one.alarms, _ALARM, -0.08),
            (one.others, _OTHER, -0.18),
        ):
            for interval in table.itertuples():
                axes.plot(
                    [interval.onset / fps, (interval.offset + 1) / fps],
                    [base + height * below, base + height * below],
                    color=colour,
                    linewidth=3,
                    solid_capstyle="butt",
                )
        axes.set(xlim=(0, n_frames / fps), ylim=(base - 0.26 * below, top))
        axes.set_ylabel(one.method, fontsize=9, color=_INK)
        axes.tick_params(labelsize=7)
        axes.set_yticks([float(f"{one.threshold:.3g}")])
        axes.spines[["top", "right"]].set_visible(False)
    rows[-1].set_xlabel("seconds", fontsize=9)
    return _svg(figure)


def _draw_scores(axes: Any, one: FoundInVideo, fps: float) -> tuple[float, float]:
    """Draw scores and threshold; return the least and largest score that is shown."""
    low, high = (np.array([np.nan if value is None else value for value in one.curve[key]]) for key in ("low", "high"))
    times = np.asarray(one.curve["positions"]) / fps
    axes.fill_between(times, low, high, color=_INK, alpha=0.35, linewidth=0)
    axes.plot(times, high, color=_INK, linewidth=0.8)
    axes.axhline(one.threshold, color=_ALARM, linewidth=0.8, linestyle="--")
    known = np.concatenate([low[np.isfinite(low)], high[np.isfinite(high)], [0.0]])
    # One towering peak would flatten all others; a classifier's scores lie on both sides of 0.
    least, most = np.quantile(known, [0.005, 0.995])
    base = min(float(least), one.threshold, 0.0)
    top = max(float(most), one.threshold)
    return base, top + max(0.2 * (top - base), 1e-9)


def thresholds_svg(records: Sequence[Mapping[str, Any]]) -> str:
    """Draw F1 on the training videos by threshold, a thin line a fold, with the threshold that each fold chose."""
    figure, axes = _axes((3.6, 2.6))
    for record in records:
        axes.plot(record["thresholds"], record["train_F1"], color="#0072B2", linewidth=0.5, alpha=0.5)
        chosen = record["thresholds"].index(record["threshold"])
        axes.plot(record["threshold"], record["train_F1"][chosen], "o", color=_ALARM, markersize=4, alpha=0.6)
    axes.set(xlabel="threshold", ylabel="F1, training videos")
    axes.set_ylim(bottom=0)
    return _svg(figure)
