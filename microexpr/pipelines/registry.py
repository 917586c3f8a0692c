"""The named methods: one record each, from which come the builder, the command line's choices and the tests."""

__all__ = [
    "NEEDS",
    "Method",
    "Published",
    "all_methods",
    "build",
    "clips_lacking",
    "get_method",
    "method",
    "protocol_of",
    "settable_params",
    "unmet_needs",
]

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from sklearn.base import BaseEstimator

from microexpr.core.clip import Clip
from microexpr.core.clipset import ClipSet
from microexpr.core.digest import canonical_json
from microexpr.core.errors import ParameterError, join_names
from microexpr.pipelines.splits import canonical_protocol


def _moves(clip: Clip) -> bool:
    return clip.apex is not None and clip.apex > (clip.onset or 0)


#: What a method can need of every clip, and how to tell that a clip has it.
NEEDS: Mapping[str, tuple[str, Callable[[Clip], bool]]] = {
    "pixels": ("frames, not a stored flow map", lambda clip: clip.has_pixels),
    "motion": ("an apex after the onset or a stored flow map", lambda clip: not clip.has_pixels or _moves(clip)),
}


#: What stands for the protocol of a method's own paper wherever a protocol is named.
_PAPER = "paper"


@dataclass(frozen=True)
class Published:
    """A figure that a paper reports of a method.

    Parameters
    ----------
    figure : str
        As published, with its metric: "accuracy 63.41 %".
    data : str
        Data set, clips and classes, as far as the source says.
    protocol : str
        In the paper's words.
    source : str
        Where the figure was read; a survey's name where the paper itself was not at hand.
    """

    figure: str
    data: str
    protocol: str
    source: str


@dataclass(frozen=True)
class Method:
    """A named pipeline.

    Parameters
    ----------
    name : str
    builder : callable(*, random_state) -> estimator
    reference : str
        Where the method comes from: author, title, venue, year.
    needs : tuple of keys of `NEEDS`
    tiny : mapping of parameter -> value
        Parameters under which tests run the method in a second.
    paper_protocol : str or None
        The protocol of the method's paper, as `microexpr.pipelines.splits.PROTOCOLS` spells it; None if there is no
        paper, or its protocol is not known to us.
    published : tuple of Published
        What papers report of the method.
    """

    name: str
    builder: Callable[..., BaseEstimator]
    reference: str
    needs: tuple[str, ...] = ()
    tiny: Mapping[str, Any] = field(default_factory=dict)
    paper_protocol: str | None = None
    published: tuple[Published, ...] = ()

    @property
    def summary(self) -> str:
        """The first line of the builder's docstring."""
        return (inspect.getdoc(self.builder) or "").splitlines()[0]

    @property
    def description(self) -> str:
        """The builder's whole docstring."""
        return inspect.getdoc(self.builder) or ""


_METHODS: dict[str, Method] = {}


def method(
    name: str,
    *,
    reference: str,
    needs: tuple[str, ...] = (),
    tiny: Mapping[str, Any] | None = None,
    paper_protocol: str | None = None,
    published: tuple[Published, ...] = (),
) -> Callable[[Callable[..., BaseEstimator]], Callable[..., BaseEstimator]]:
    """Register the decorated builder under `name`.

    Raises
    ------
    ParameterError
        If the name is taken, a need or the protocol is unknown, or the builder has no docstring.
    """

    def register(builder: Callable[..., BaseEstimator]) -> Callable[..., BaseEstimator]:
        if name in _METHODS:
            raise ParameterError(f"method {name!r} is registered already")
        for need in needs:
            if need not in NEEDS:
                raise ParameterError(f"method {name!r} needs {need!r}: known needs are {join_names(NEEDS)}")
        if not inspect.getdoc(builder):
            raise ParameterError(f"method {name!r} has no docstring; its first line is the method's summary")
        protocol = None if paper_protocol is None else canonical_protocol(paper_protocol)
        _METHODS[name] = Method(name, builder, reference, needs, dict(tiny or {}), protocol, published)
        return builder

    return register


def all_methods() -> dict[str, Method]:
    """Return all registered methods by name, sorted."""
    import_module("microexpr.pipelines.methods")
    return dict(sorted(_METHODS.items()))


def get_method(name: str) -> Method:
    """Return the record of a method.

    Raises
    ------
    ParameterError
        If there is none of that name; the message lists or suggests names.
    """
    known = all_methods()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {join_names(known, 30)}"
        raise ParameterError(f"unknown method {name!r}; {hint}")
    return known[name]


def protocol_of(protocol: str, methods: Sequence[str]) -> str:
    """Return the protocol to run methods under: what "paper" stands for, or the one spelling of any other.

    Parameters
    ----------
    protocol : str
        A protocol as `microexpr.pipelines.splits.PROTOCOLS` lists, or "paper": "loso" for a method of which no paper's
        protocol is known.
    methods : sequence of str
        Registered names. "majority" goes along with any other.

    Raises
    ------
    ParameterError
        If the protocol or a method is unknown, or "paper" means different protocols for these methods: figures under
        different protocols do not belong into one table.

    Examples
    --------
    >>> protocol_of("paper", ["lbptop-svm", "majority"])
    'loso'
    """
    if protocol != _PAPER:
        return canonical_protocol(protocol)
    named = [name for name in methods if name != "majority"] or list(methods)
    papers = {name: get_method(name).paper_protocol or "loso" for name in named}
    if len(set(papers.values())) > 1:
        said = ", ".join(f"{name} {its}" for name, its in papers.items())
        raise ParameterError(f"protocol is 'paper': these methods' papers have different ones ({said}); run them apart")
    return next(iter(papers.values()))


def build(name: str, *, random_state: int | None = None, **params: Any) -> BaseEstimator:
    """Build a registered method, ready for `fit`.

    Parameters
    ----------
    name : str
    random_state : int or None
    **params
        Nested parameters, `lbptop__blocks=(8, 8, 1)`.

    Raises
    ------
    ParameterError
        If the method or a parameter is unknown, or a value is not allowed.

    Examples
    --------
    >>> build("flow-svm", svc__C=0.01).get_params()["svc__C"]
    0.01
    """
    estimator = get_method(name).builder(random_state=random_state)
    settable = settable_params(estimator)
    for key, value in params.items():
        if key not in settable:
            close = difflib.get_close_matches(key, settable, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"it has {join_names(settable, 40)}"
            raise ParameterError(f"method {name!r} has no parameter {key!r}; {hint}")
        try:
            canonical_json(value)  # refuses what no key can hold
        except ParameterError as error:
            raise ParameterError(f"method {name!r}: {key} is {value!r}: {error}") from None
    estimator.set_params(**params)
    try:
        _check_values(estimator)
    except ParameterError as error:
        raise ParameterError(f"method {name!r}: {error}") from None
    return estimator


def _check_values(estimator: Any) -> None:
    """Raise a ParameterError if a step would refuse its parameters when it is fitted."""
    for step in [estimator, *estimator.get_params(deep=True).values()]:
        if isinstance(step, type):
            continue
        if hasattr(step, "check_params"):
            step.check_params()
        # What scikit-learn's own `fit` begins with; estimators of other libraries are left to their own.
        elif hasattr(step, "_parameter_constraints"):
            try:
                step._validate_params()
            except ValueError as error:
                raise ParameterError(str(error)) from None


def settable_params(estimator: BaseEstimator) -> list[str]:
    """Return the names of the parameters a user may set: those of the steps, not the steps themselves."""
    params = estimator.get_params(deep=True)
    # Plumbing, and what would change a run's key without changing its numbers or make them wrong: columns of pairs of
    # classes, and probabilities from folds that split a person's clips.
    hidden = {"steps", "memory", "verbose", "transform_input", "transformer_list", "members", "views", "copy"}
    hidden |= {"decision_function_shape", "probability"}
    # Knobs that cannot change numbers are no part of a key, so they are no setting of a method either.
    return sorted(
        key
        for key, value in params.items()
        if key.rpartition("__")[2] not in hidden
        and not hasattr(value, "get_params")
        and not key.endswith(("random_state", "__cache_size"))
    )


def unmet_needs(record: Method, clipset: ClipSet) -> str | None:
    """Return why a method cannot run on these clips, or None if it can."""
    lacking = clips_lacking(record, clipset)
    if not lacking:
        return None
    have = "clip has" if len(lacking) == 1 else "clips have"
    return f"{next(iter(lacking.values()))}: {len(lacking)} {have} none ({join_names(lacking, 3)})"


def clips_lacking(record: Method, clipset: ClipSet) -> dict[str, str]:
    """Return the clips that lack the first need of a method that any clip lacks: clip_id -> what is needed."""
    for need in record.needs:
        what, has = NEEDS[need]
        if without := [clip.clip_id for clip in clipset.clips if not has(clip)]:
            return dict.fromkeys(without, f"{record.name} needs {what}")
    return {}
