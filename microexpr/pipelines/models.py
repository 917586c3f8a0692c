"""Models: a method trained on all subjects, kept in a file that is safe to load, asked about clips of strangers."""

__all__ = ["Model", "fit_and_save", "fit_model", "load_model", "read_card", "save_model"]

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from microexpr.classifiers._inner import fit_inner, refuse_one_against_one
from microexpr.core.cache import feature_cache
from microexpr.core.clip import Clip, as_clips
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, MicroexprError, NeedsError, ParameterError, join_names, one_line
from microexpr.core.resume import resumable
from microexpr.pipelines.foldruns import resolve_method
from microexpr.pipelines.framing import Framing, measure_framing
from microexpr.pipelines.harness import check_settings, run
from microexpr.pipelines.modelcards import check_measured, how_good, make_card
from microexpr.pipelines.modelfile import read_header, read_model_file, write_model_file
from microexpr.pipelines.needs import NEEDS
from microexpr.pipelines.prefix import extract, for_auxiliary, split_prefix
from microexpr.pipelines.refusing import refuse
from microexpr.pipelines.registry import get_method
from microexpr.pipelines.results import Store
from microexpr.pipelines.usable import auxiliary_for, usable_clips

_CARD_PARTS = {"method": dict, "settings": dict, "trained_on": dict, "not_for": list, "why_not": str, "made": dict}


@dataclass(frozen=True, eq=False)
class Model:
    """A method fitted on all subjects of some data sets.

    Parameters
    ----------
    method : str
        The name under which it was registered.
    estimator : fitted estimator
        Of lists of clips.
    classes : tuple of str
        What it may answer, in the order of the training clips' label map.
    needs : tuple of keys of `NEEDS`
        What a clip must have.
    framing : Framing
        Where faces lie in the training clips; see `frame_clip`.
    card : dict
        What it was trained on, how well it does, what it is not for; see `make_card`.
    careful : bool
        Whether it declines to name clips that it could only guess at; see `microexpr.pipelines.refusing`.
    """

    method: str
    estimator: Any
    classes: tuple[str, ...]
    needs: tuple[str, ...]
    framing: Framing
    card: dict[str, Any]
    careful: bool = False

    def predict(self, clips: object) -> pd.DataFrame:
        """Name clips.

        Parameters
        ----------
        clips : list of n Clip, or of n arrays of shape (n_frames, height, width[, 3])
            Cut to the face as the training clips are; `frame_clip` brings others there.

        Returns
        -------
        DataFrame of n rows
            clip_id, label, `proba_<class>` where the method gives probabilities, and `strength_<action>` where it tells
            how strongly action units act, relative to the strongest of the clip.

        Raises
        ------
        NeedsError
            If a clip lacks what the method needs; the message names it.
        NoAnswer
            If the model is careful and could only guess: nothing moves, or too much, or a map's channels are not in the
            order u, v, strain.
        DataError
            If `clips` is empty, or a clip cannot be read or is not such as the model was trained on.

        Examples
        --------
        >>> from microexpr.data import make_clips
        >>> clips = make_clips(n_subjects=2, clips_per_subject=3)
        >>> fit_model("majority", clips).predict(clips.clips[:1])["label"].tolist()
        ['negative']
        """
        asked = as_clips(clips)
        if not asked:
            raise DataError("there is no clip to name: the list is empty")
        for clip in asked:
            self.check_clip(clip)
            if self.careful:
                refuse(clip, self.framing)
        with threadpool_limits(1):
            try:
                prefix, learner = split_prefix(self.estimator)
                inputs = asked if prefix is None else extract(prefix, asked, cache=None)
                labels = [str(label) for label in learner.predict(inputs)]
                shares = learner.predict_proba(inputs) if hasattr(learner, "predict_proba") else None
                known = [str(label) for label in learner.classes_]
                acting = _strengths(learner, inputs)
            except MicroexprError:
                raise
            # A file made by somebody else may hold numbers that lead nowhere; features of another size end here too.
            except Exception as error:
                raise DataError(f"{asked[0].clip_id}: the model cannot name it: {one_line(error)}") from error
        table = pd.DataFrame({"clip_id": [clip.clip_id for clip in asked], "label": labels})
        if shares is not None:
            for label in self.classes:
                table[f"proba_{label}"] = np.asarray(shares, np.float64)[:, known.index(label)]
        if acting is not None:
            table = pd.concat([table, acting.add_prefix("strength_")], axis=1)
        return table

    def check_clip(self, clip: Clip) -> None:
        """Raise a NeedsError that names the clip if it lacks what the method needs."""
        for need in self.needs:
            what, has = NEEDS[need]
            if not has(clip):
                raise NeedsError(f"{clip.clip_id}: {self.method} needs {what}")

    def cautions(self) -> list[str]:
        """Return what a reader must know beside the model's answers, one sentence each, without full stops."""
        told = ["it names a facial movement, not what a person feels or means; never judge a person by it"]
        measured = self.card.get("measured")
        if isinstance(measured, dict):
            told.append(how_good(measured))
        else:
            told.append("how well it does on people that it has not seen was not measured")
        if caution := self.card["method"].get("caution"):
            told.append(str(caution))
        made_with = self.card["made"].get("versions", {}).get("scikit-learn")
        ours = metadata.version("scikit-learn")
        if isinstance(made_with, str) and made_with.split(".")[:2] != ours.split(".")[:2]:
            told.append(f"it was made with scikit-learn {made_with}, this is {ours}: answers may differ")
        return told


def fit_model(
    method: str,
    clipset: ClipSet,
    *,
    seed: int = 0,
    params: Mapping[str, Any] | None = None,
    auxiliary: ClipSet | None = None,
    scores: pd.DataFrame | None = None,
    n_jobs: int = 1,
    checkpoints: Path | None = None,
) -> Model:
    """Fit a method on all clips, as the harness fits a fold on its training clips.

    Parameters
    ----------
    method : str
        A registered name.
    clipset : ClipSet with labels
    seed : int in [0, 2**32 - 1]
    params : mapping, optional
        Nested parameters, `{"lbptop__blocks": (8, 8, 1)}`.
    auxiliary : ClipSet with labels, optional
        Macro-expressions that join the training, for a method that learns from them.
    scores : DataFrame, optional
        Predictions of the same method on the same clips, leave one subject out, as `microexpr.run` gives them, for the
        card. Without them the card says "not measured".
    n_jobs : int >= 1, or -1 for all cores
        Threads over clips.
    checkpoints : path, optional
        A folder where a network's training may keep its state, so that a killed one goes on from there.

    Returns
    -------
    Model

    Raises
    ------
    ParameterError
        If the method is unknown, or a parameter is not allowed.
    NeedsError
        If the method needs something that a clip lacks.
    DataError
        If a clip cannot be read, the clips cannot be learned from, or `scores` are of something else.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> model = fit_model("flow-svm", make_clips(n_subjects=2, clips_per_subject=3))
    >>> model.classes, model.card["measured"]
    (('negative', 'positive', 'surprise'), 'not measured')
    """
    if not isinstance(method, str):
        raise ParameterError(f"method is a {type(method).__name__}: it must be a registered name")
    check_settings("only-missing", seed, n_jobs)
    auxiliary = auxiliary_for(method, auxiliary)
    params = dict(params or {})
    name, estimator = resolve_method(method, clipset, auxiliary=auxiliary, seed=seed, params=params)
    if scores is not None:
        check_measured(scores, name, seed, clipset)
    fitted = _fit(name, estimator, clipset, auxiliary, n_jobs, checkpoints)
    learned = {str(label) for label in fitted.classes_}
    return Model(
        method=name,
        estimator=fitted,
        classes=tuple(label for label in clipset.classes if label in learned),
        needs=get_method(name).needs,
        framing=measure_framing(clipset.clips),
        card=make_card(name, estimator, clipset, seed=seed, params=params, auxiliary=auxiliary, measured=scores),
    )


def fit_and_save(
    method: str,
    clipset: ClipSet,
    path: str | Path,
    *,
    store: str | Path | None = None,
    measure: bool = True,
    seed: int = 0,
    params: Mapping[str, Any] | None = None,
    auxiliary: ClipSet | None = None,
    n_jobs: int = 1,
    allow_incomplete: bool = False,
) -> Model:
    """Measure a method leave one subject out, fit it on all clips and write the model.

    Parameters
    ----------
    method, clipset, seed, params, auxiliary, n_jobs
        See `fit_model`.
    path : path
        A file ending in .mxm.
    store : path, optional
        Folder of results: folds that are there are not run again, and a killed training goes on.
    measure : bool
        False leaves the measuring out; the card then says so.
    allow_incomplete : bool
        Whether to go on without the clips that lack what the method needs.

    Returns
    -------
    Model

    Raises
    ------
    ParameterError, NeedsError, DataError
        As `fit_model`; a path that does not end in .mxm is refused before anything is computed.
    ResultsError
        If folds fail, or the store or the file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".mxm":
        raise ParameterError(f"out is {str(path)!r}: it must end in .mxm")
    clipset = usable_clips(method, clipset, allow_incomplete=allow_incomplete)
    auxiliary = auxiliary_for(method, auxiliary)
    chosen: dict[str, Any] = {"seed": seed, "params": params, "auxiliary": auxiliary, "n_jobs": n_jobs}
    kept = None if store is None else Store(store)
    scores = run(method, clipset, protocol="loso", store=kept, **chosen) if measure else None
    checkpoints = None if kept is None else kept.folder.absolute() / "checkpoints"
    model = fit_model(method, clipset, scores=scores, checkpoints=checkpoints, **chosen)
    save_model(model, path)
    return model


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


def _fit(
    name: str, estimator: Any, clipset: ClipSet, auxiliary: ClipSet | None, n_jobs: int, checkpoints: Path | None
) -> Any:
    """Return the estimator fitted on all clips, under the conditions of a fold."""
    prefix, learner = split_prefix(estimator)
    cache = feature_cache()
    own: Any = clipset.clips
    if prefix is not None:
        own = extract(prefix, own, cache=cache, n_jobs=n_jobs, description=f"{name}: features")
    labels, groups = clipset.y, clipset.groups
    domain = np.zeros(len(labels), int)
    if auxiliary is not None:
        extra: Any = auxiliary.clips
        if prefix is not None:
            told = f"{name}, auxiliary: features"
            extra = extract(for_auxiliary(prefix), extra, cache=cache, n_jobs=n_jobs, description=told)
        own = [*own, *extra] if prefix is None else np.concatenate([own, extra])
        labels, groups = np.append(labels, auxiliary.y), np.append(groups, auxiliary.groups)
        domain = np.append(domain, np.ones(len(auxiliary), int))
    refuse_one_against_one(learner)
    with threadpool_limits(1), resumable(checkpoints):
        fitted = fit_inner(learner, own, labels, groups=groups, domain=domain)
    return fitted if prefix is None else Pipeline([*prefix.steps, *fitted.steps])


def _strengths(learner: Any, inputs: Any) -> pd.DataFrame | None:
    """Return how strongly action units act, one column each, or None where the classifier does not tell."""
    before, last = (learner[:-1], learner[-1]) if isinstance(learner, Pipeline) else (None, learner)
    if not hasattr(last, "action_strengths"):
        return None
    for _, step in before.steps if before is not None else ():
        inputs = step.transform(inputs)
    return pd.DataFrame(last.action_strengths(inputs), columns=list(last.actions_))


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
