"""Drawings of the report, as SVG text that stands in the page."""

__all__ = ["curves_svg", "forest_svg", "roc_svg"]

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from microexpr.pipelines.metrics import RocCurves

# Colours that are told apart in print and by colour-blind readers (Okabe and Ito).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#F0E442")


# Above this many points, lines are drawn as a picture.
_MAX_POINTS = 2000


def roc_svg(curves: RocCurves) -> str:
    """Draw the one-versus-rest ROC curve of each class with its AUC."""
    figure, axes = _axes((3.3, 3.2))
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle=":")
    lines = []
    for colour, (false_rate, true_rate) in zip(_COLOURS * 9, curves.curves.values(), strict=False):
        lines += axes.plot(false_rate, true_rate, color=colour, linewidth=1.5)
    # Named here, not by the lines: a legend passes over the label of a line that begins with an underscore.
    names = [f"{name}, AUC {curves.auc[name]:.3f}" for name in curves.curves]
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="false positive rate", ylabel="true positive rate")
    axes.set_aspect("equal")
    axes.legend(lines, names, loc="lower right", frameon=False, fontsize=8)
    return _svg(figure)


def forest_svg(table: pd.DataFrame, *, metric: str = "UF1") -> str:
    """Draw a metric of each method with its interval, one line a method."""
    figure, axes = _axes((5.4, 0.5 + 0.34 * len(table)))
    for height, (_, row) in enumerate(table.iterrows()):
        axes.plot([row[f"{metric}_low"], row[f"{metric}_high"]], [height, height], color=_COLOURS[0], linewidth=2)
        axes.plot(row[metric], height, "o", color=_COLOURS[0], markersize=6)
    axes.set(xlim=(0, 1), ylim=(len(table) - 0.5, -0.5), xlabel=f"{metric}, pooled, with 95% interval over subjects")
    axes.set_yticks(range(len(table)), labels=list(table.index))
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    return _svg(figure)


def curves_svg(folds: Sequence[Mapping[str, Sequence[float]]]) -> str:
    """Draw the losses of a network by epoch: a thin line a fold, a thick one for their mean while all folds train."""
    figure, axes = _axes((4.4, 2.8))
    names = _worth_a_line(list(dict.fromkeys(name for curves in folds for name in curves)))
    thick = []
    for colour, name in zip(_COLOURS * 9, names, strict=False):
        lines = [np.asarray(curves[name]) for curves in folds if name in curves]
        for losses in lines:
            axes.plot(np.arange(1, len(losses) + 1), losses, color=colour, linewidth=0.4, alpha=0.35)
        shortest = min(len(losses) for losses in lines)
        mean = np.mean([losses[:shortest] for losses in lines], axis=0)
        thick += axes.plot(np.arange(1, shortest + 1), mean, color=colour, linewidth=1.8)
    axes.set(xlabel="epoch", ylabel="loss")
    axes.set_ylim(bottom=0)
    axes.legend(thick, [name.replace("_", " ", 1) for name in names], frameon=False, fontsize=8)
    # Thousands of points a line are drawn as a picture: as paths they would make the page megabytes large.
    if sum(len(losses) for curves in folds for losses in curves.values()) > _MAX_POINTS:
        for line in axes.lines:
            line.set_rasterized(True)
    return _svg(figure)


def _worth_a_line(names: list[str]) -> list[str]:
    """Return the losses without a sum, `train_loss` or `valid_loss`, of a single term: it is that term."""
    kinds = [name.partition("_")[0] for name in names]
    return [name for name, kind in zip(names, kinds, strict=True) if name != f"{kind}_loss" or kinds.count(kind) != 2]


def _axes(size: tuple[float, float]) -> tuple[Any, Any]:
    # Figure, not pyplot: no backend is chosen and no window state is kept.
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_fontsize(9)
    axes.yaxis.label.set_fontsize(9)
    return figure, axes


def _svg(figure: Any) -> str:
    import matplotlib
    import matplotlib.text

    settings: Mapping[str, object] = {"svg.fonttype": "none", "svg.hashsalt": "microexpr", "font.family": "sans-serif"}
    buffer = io.StringIO()
    for words in figure.findobj(matplotlib.text.Text):
        words.set_parse_math(False)  # a class may be called $x$
    with matplotlib.rc_context(settings):  # type: ignore[arg-type]
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
