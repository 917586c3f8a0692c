"""The model that comes with the package: the network of `zero-shot`, its card, and where it expects a face."""

__all__ = ["FRAMING", "measured_on", "model_at", "shipped_card", "shipped_model"]

import json
import math
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.motionweights import MotionWeights, read_motion_weights
from microexpr.pipelines.framing import Framing
from microexpr.pipelines.modelcards import NOT_FOR, WHY_NOT, figures_of
from microexpr.pipelines.models import Model
from microexpr.pipelines.modelsaving import load_model
from microexpr.pipelines.registry import build, get_method

#: Where the outer corners of the eyes lie in the maps it was trained on: a face that fills the picture, as in stored
#: maps; the size is enough for the optical flow of a pixel.
FRAMING = Framing((172, 140), ((0.1007, 0.272), (0.8993, 0.272)), True)

_METHOD = "zero-shot"
_FIGURES = Path(__file__).parent / "cards" / "zeroshot.json"
_WHY_NOT = (
    "It names a facial movement, which a person may make for many reasons, not what the person feels, thinks or means "
    "to do. It has seen no person at all: its idea of a smile is a drawing. About one answer in four is wrong on "
    "laboratory clips, and more on others."
)
# By how sure it is, answers are counted in so many bins of one width, and from level to level.
_BINS = 10
_LEVELS = (0.0, 0.7, 0.9)


def shipped_model() -> Model:
    """Return the model that comes with the package: fitted on no clip, careful, its card beside it.

    Returns
    -------
    Model
        Of classes negative, positive and surprise. It needs frames (any rate from 25 a second, a face of which the
        eyes are told apart) or a stored flow map; torch is not needed.

    Examples
    --------
    >>> shipped_model().classes
    ('negative', 'positive', 'surprise')
    """
    return Model(
        method=_METHOD,
        estimator=build(_METHOD),
        classes=read_motion_weights().classes,
        needs=get_method(_METHOD).needs,
        framing=FRAMING,
        card=shipped_card(),
        careful=True,
    )


def model_at(path: str | Path | None) -> Model:
    """Return the model of a file: what `microexpr fit` wrote (.mxm) or `microexpr pretrain` (.safetensors).

    Parameters
    ----------
    path : path or None
        None takes the model that comes with the package.

    Raises
    ------
    DataError
        If the file is missing, damaged or of another kind; see `load_model`.
    NeedsError
        If it is a network and the extra `deep` is not installed.
    """
    if path is None:
        return shipped_model()
    if Path(path).suffix != ".safetensors":
        return load_model(path)
    weights = read_motion_weights(path)
    card = {
        **_card(weights),
        "settings": {"set": {"model": Path(path).name}, "all": dict(weights.made)},
        "why_not": WHY_NOT,
        "holds": "Whoever made the file may have trained it on anything: what it says of that is not checked.",
        "made": {},
    }
    estimator = build(_METHOD, zeroshotclassifier__model=str(path))
    return replace(shipped_model(), estimator=estimator, classes=weights.classes, card=card)


@lru_cache(maxsize=1)
def shipped_card() -> dict[str, Any]:
    """Return the card of the model that comes with the package, as `make_card` makes those of others.

    Beside theirs it has `measured_on`, the figures on each data set that it was tried on (see `measured_on`), and
    `errors`, what is known of its errors in words.
    """
    weights = read_motion_weights()
    found = json.loads(_FIGURES.read_text(encoding="utf-8"))
    return {
        **_card(weights),
        "measured": found["all"],
        "measured_on": found,
        "errors": _errors(found["all"]),
        "made": {"date": found["date"], "versions": found["versions"]},
    }


def _card(weights: MotionWeights) -> dict[str, Any]:
    """Return what can be said of weights by themselves, as if nothing had been measured."""
    record = get_method(_METHOD)
    return {
        "method": {
            "name": _METHOD,
            "summary": record.summary,
            "reference": record.reference,
            "caution": record.caution,
            "seed": weights.made.get("seed"),
        },
        "settings": {"set": {}, "all": dict(weights.made)},
        "trained_on": _trained_on(weights),
        "auxiliary": None,
        "measured": "not measured",
        "not_for": list(NOT_FOR),
        "why_not": _WHY_NOT,
        "holds": "The weights were computed from drawn motion; no picture and no number of any person is in them.",
    }


def _trained_on(weights: MotionWeights) -> dict[str, Any]:
    counts: list[Any] = [weights.made.get(name) for name in ("networks", "steps", "maps_a_step")]
    # A stranger's file may say anything.
    n_maps = math.prod(counts) if all(type(count) is int for count in counts) else 0
    return {
        "datasets": [{"name": "synthetic motion", "clips": n_maps, "subjects": 0, "classes": {}, "fps": None}],
        "clips": n_maps,
        "subjects": 0,
        "classes": {},
        "labels": "negative, positive, surprise",
        "apexes_searched": 0,
        "digest": weights.digest(),
    }


def measured_on(predictions: pd.DataFrame, classes: tuple[str, ...]) -> dict[str, Any]:
    """Return figures of a model that was trained on none of these clips.

    Parameters
    ----------
    predictions : DataFrame
        As `microexpr.run` gives them, with `proba_<class>`.
    classes : tuple of str

    Returns
    -------
    dict
        `clips`, `subjects`, `accuracy`, `UF1` and `UAR` (estimate, low, high), `majority`, `per_class`, `confusion`
        (true class -> named class -> clips) and `sureness`: the mean probability of the class that was named, the
        share of right answers, the expected calibration error over ten bins of one width, and the share of right
        answers where that probability is below .7, below .9, and from there on.
    """
    counts = pd.crosstab(predictions["y_true"], predictions["y_pred"]).reindex(
        index=list(classes), columns=list(classes), fill_value=0
    )
    figures: dict[str, Any] = _rounded(
        {
            "protocol": "nothing trained",
            **figures_of(predictions, classes),
            "confusion": {true: {named: int(counts.at[true, named]) for named in classes} for true in classes},
            "sureness": _sureness(predictions, classes),
        }
    )
    return figures


def _rounded(value: Any) -> Any:
    """Return JSON's values with four digits: what a card of another machine can be compared with."""
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return round(float(value), 4) if isinstance(value, float) else value


def _errors(figures: dict[str, Any]) -> str:
    """Say which class is taken for which most often, and whether the model is surer than it is right."""
    mistakes = [
        (number, true, named, figures["per_class"][true]["clips"])
        for true, row in figures["confusion"].items()
        for named, number in row.items()
        if true != named
    ]
    worst = "; ".join(
        f"{number} of {clips} {true} clips were named {named}"
        for number, true, named, clips in sorted(mistakes)[:-4:-1]
    )
    sure = figures["sureness"]
    least, most = sure["levels"][0], sure["levels"][-1]
    return (
        f"{worst}. The probability of the class that it names was {sure['mean']:.2f} in the mean, {sure['right']:.2f} "
        f"of its answers were right ({most['right']:.2f} of those from {most['from']:g} on, {least['right']:.2f} of "
        f"those below {sure['levels'][1]['from']:g}). Calibrated on synthetic motion, it is too sure of itself."
    )


def _sureness(predictions: pd.DataFrame, classes: tuple[str, ...]) -> dict[str, Any]:
    sure = predictions[[f"proba_{name}" for name in classes]].to_numpy().max(axis=1)
    right = predictions["y_true"].eq(predictions["y_pred"]).to_numpy()
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    off = sum(
        (bins == number).mean() * abs(sure[bins == number].mean() - right[bins == number].mean())
        for number in np.unique(bins)
    )
    level = np.searchsorted(_LEVELS, sure, side="right") - 1
    return {
        "mean": float(sure.mean()),
        "right": float(right.mean()),
        "calibration_error": float(off),
        "levels": [
            {
                "from": low,
                "clips": int((level == number).sum()),
                "right": float(right[level == number].mean()),
            }
            for number, low in enumerate(_LEVELS)
            if (level == number).any()
        ],
    }
