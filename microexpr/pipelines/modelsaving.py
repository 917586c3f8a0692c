"""Models kept in files that are safe to load: written, read, their cards read alone."""

__all__ = ["load_model", "read_card", "save_model"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from microexpr.core.errors import DataError, join_names
from microexpr.pipelines.framing import Framing
from microexpr.pipelines.modelfile import read_header, read_model_file, write_model_file
from microexpr.pipelines.models import Model
from microexpr.pipelines.needs import NEEDS

_CARD_PARTS = {"method": dict, "settings": dict, "trained_on": dict, "not_for": list, "why_not": str, "made": dict}


def save_model(model: Model, path: str | Path) -> None:
    """Write a model to a file that `load_model` reads; the same model gives the same bytes.

    Parameters
    ----------
    model : Model
    path : path
        A name ending in .mxm. What is there is replaced, whole or not at all.

    Raises
    ------
    ParameterError
        If the path ends otherwise, or the method holds what a model file cannot: a class of your own, a function, the
        path of a file. See `microexpr.pipelines.modelstate`.
    ResultsError
        If the file cannot be written.
    """
    header = {
        "method": model.method,
        "classes": list(model.classes),
        "needs": list(model.needs),
        "framing": model.framing.facts(),
        "careful": model.careful,
        "card": model.card,
    }
    write_model_file(path, header, model.estimator)


def load_model(path: str | Path) -> Model:
    """Read a model. Whoever made the file, no code of it is run and no other file is read.

    Parameters
    ----------
    path : path

    Returns
    -------
    Model

    Raises
    ------
    DataError
        If the file is missing, damaged, no model file, or of another format; if it names a type that a model does not
        hold, or its numbers do not fit each other. Nothing of it has been used then.
    NeedsError
        If it is a network and the extra `deep` is not installed.

    Notes
    -----
    Safe does not mean good: whoever made the file may have trained it on anything, and its card may lie.

    Examples
    --------
    >>> import tempfile
    >>> from microexpr.data import make_clips
    >>> from microexpr.pipelines.modelfitting import fit_model
    >>> clips = make_clips(n_subjects=2, clips_per_subject=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(fit_model("flow-svm", clips), f"{folder}/flow.mxm")
    ...     model = load_model(f"{folder}/flow.mxm")
    >>> model.predict(clips.clips)["label"].tolist() == clips.y.tolist()
    True
    """
    header, estimator = read_model_file(path)
    facts = _checked_header(path, header)
    classes = tuple(facts["classes"])
    if _answers(estimator) != set(classes):
        raise DataError(f"{path}: its header names the classes {join_names(classes)}, which its classifier does not")
    return Model(
        facts["method"], estimator, classes, tuple(facts["needs"]), facts["framing"], facts["card"], facts["careful"]
    )


def read_card(path: str | Path) -> dict[str, Any]:
    """Return the card of a model file without loading the model.

    Raises
    ------
    DataError
        If the file is missing, damaged, no model file, or of another format.
    """
    card: dict[str, Any] = _checked_header(path, read_header(path))["card"]
    return card


def _answers(estimator: Any) -> set[str] | None:
    """Return the classes of what a file holds, or None if that is no fitted classifier."""
    if not all(hasattr(estimator, name) for name in ("predict", "get_params", "classes_")):
        return None
    labels = estimator.classes_
    return set(map(str, labels.tolist())) if isinstance(labels, np.ndarray) and labels.ndim == 1 else None


def _checked_header(path: str | Path, header: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the header says, after checking that it is all there and of the kinds that it must be."""
    classes, needs, card = header.get("classes"), header.get("needs"), header.get("card")
    if not _are_names(classes) or not _are_names([header.get("method")]):
        raise DataError(f"{path}: its header does not say its method and classes")
    if not _are_names(needs) or any(need not in NEEDS for need in needs or ()):
        raise DataError(f"{path}: its header says that it needs {needs!r}: known needs are {', '.join(NEEDS)}")
    if not isinstance(card, dict) or any(not isinstance(card.get(key), kind) for key, kind in _CARD_PARTS.items()):
        raise DataError(f"{path}: its card is incomplete")
    try:
        framing = Framing.from_facts(header.get("framing"))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    # Models are careful since that comes in their header.
    careful = header.get("careful", False)
    if type(careful) is not bool:
        raise DataError(f"{path}: its header says that it is careful: {careful!r}; it must be true or false")
    return {**header, "framing": framing, "careful": careful}


def _are_names(values: object) -> bool:
    """Whether these are different names, without what would command a terminal."""
    if not isinstance(values, list) or not all(isinstance(one, str) and one.isprintable() for one in values):
        return False
    return len(set(values)) == len(values)
