"""The named methods: one record each, from which come the builder, the command line's choices and the tests."""

__all__ = [
    "AUXILIARY",
    "NEEDS",
    "Method",
    "PaperRun",
    "Published",
    "all_methods",
    "build",
    "clips_lacking",
    "get_method",
    "layers_of",
    "method",
    "protocol_of",
    "settable_params",
    "unmet_needs",
    "variant",
]

import ast
import difflib
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from sklearn.base import BaseEstimator

from microexpr.core.checks import check_choice
from microexpr.core.clipset import ClipSet
from microexpr.core.digest import canonical_json
from microexpr.core.errors import ParameterError, join_names
from microexpr.pipelines.needs import NEEDS
from microexpr.pipelines.splits import canonical_protocol

#: What a method makes of auxiliary clips: nothing, or they join the training where there are any, or it needs them.
AUXILIARY = ("ignored", "optional", "required")

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
class PaperRun:
    """One experiment of a method's paper: protocol and settings, and what it reports of just that.

    Parameters
    ----------
    protocol : str
        As `microexpr.pipelines.splits.PROTOCOLS` spells it.
    params : mapping of parameter -> value
        Settings of the method in this experiment, where they are not its own.
    accuracy, UF1, UAR : float in [0, 1] or None
        The published figures.
    """

    protocol: str
    params: Mapping[str, Any] = field(default_factory=dict)
    accuracy: float | None = None
    UF1: float | None = None
    UAR: float | None = None


@dataclass(frozen=True)
class Method:
    """A named pipeline.

    Parameters
    ----------
    name : str
    builder : callable(*, random_state, **options) -> estimator
        Keyword arguments beside `random_state` are options: settings that decide which steps there are.
    reference : str
        Where the method comes from: author, title, venue, year.
    needs : tuple of keys of `NEEDS`
    tiny : mapping of parameter -> value
        Parameters under which tests run the method in a second.
    paper : tuple of PaperRun
        The experiments of the method's paper; empty if there is no paper, or its protocol is not known to us.
    published : tuple of Published
        What papers report of the method.
    auxiliary : one of `AUXILIARY`
    caution : str
        What a reader must know beside the figures, whatever the settings: a sentence without its full stop; mostly
        empty.
    settled : mapping of parameter -> value
        Of a variant, what its name sets; nothing else may set it.
    """

    name: str
    builder: Callable[..., BaseEstimator]
    reference: str
    needs: tuple[str, ...] = ()
    tiny: Mapping[str, Any] = field(default_factory=dict)
    paper: tuple[PaperRun, ...] = ()
    published: tuple[Published, ...] = ()
    auxiliary: str = "ignored"
    caution: str = ""
    settled: Mapping[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """The builder's keyword arguments beside `random_state`, with their defaults."""
        known = inspect.signature(self.builder).parameters
        return {name: parameter.default for name, parameter in known.items() if name != "random_state"}

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
    paper: tuple[PaperRun, ...] = (),
    published: tuple[Published, ...] = (),
    auxiliary: str = "ignored",
    caution: str = "",
) -> Callable[[Callable[..., BaseEstimator]], Callable[..., BaseEstimator]]:
    """Register the decorated builder under `name`.

    Raises
    ------
    ParameterError
        If the name is taken, a need, a protocol or what it makes of auxiliary clips is unknown, or the builder has no
        docstring.
    """

    def register(builder: Callable[..., BaseEstimator]) -> Callable[..., BaseEstimator]:
        if name in _METHODS:
            raise ParameterError(f"method {name!r} is registered already")
        for need in needs:
            if need not in NEEDS:
                raise ParameterError(f"method {name!r} needs {need!r}: known needs are {join_names(NEEDS)}")
        if not inspect.getdoc(builder):
            raise ParameterError(f"method {name!r} has no docstring; its first line is the method's summary")
        check_choice(auxiliary, "auxiliary", AUXILIARY)
        runs = tuple(replace(one, protocol=canonical_protocol(one.protocol)) for one in paper)
        _METHODS[name] = Method(name, builder, reference, needs, dict(tiny or {}), runs, published, auxiliary, caution)
        return builder

    return register


def all_methods() -> dict[str, Method]:
    """Return all registered methods by name, sorted."""
    import_module("microexpr.pipelines.methods")
    return dict(sorted(_METHODS.items()))


def get_method(name: str) -> Method:
    """Return the record of a method, or of a variant of it, `flow-svm[svc__C=0.01]`; see `variant`.

    Raises
    ------
    ParameterError
        If there is none of that name, the message lists or suggests names; or if a variant cannot be read.
    """
    known = all_methods()
    base, bracket, settings = name.partition("[")
    if bracket:
        return _variant_record(get_method(base), name, settings)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {join_names(known, 30)}"
        raise ParameterError(f"unknown method {name!r}; {hint}")
    return known[name]


def variant(name: str, params: Mapping[str, Any]) -> str:
    """Return the name of a method with other settings, which stands wherever a method's name does.

    Examples
    --------
    >>> variant("flow-svm", {"svc__C": 0.01})
    'flow-svm[svc__C=0.01]'
    >>> build("flow-svm[svc__C=0.01]").get_params()["svc__C"]
    0.01
    """
    if not params:
        return name
    settings = ",".join(f"{key}={value if _is_word(value) else repr(value)}" for key, value in params.items())
    return f"{name}[{settings}]"


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier() and value not in ("None", "True", "False")


def _variant_record(base: Method, name: str, settings: str) -> Method:
    """Return the record of a method under the settings of a variant's name, `svc__C=0.01]`."""
    try:
        call = ast.parse(f"f({settings.removesuffix(']')})", mode="eval").body
        if not settings.endswith("]") or not isinstance(call, ast.Call) or call.args or not call.keywords:
            raise ValueError
        params = {
            str(item.arg): item.value.id if isinstance(item.value, ast.Name) else ast.literal_eval(item.value)
            for item in call.keywords
            if item.arg is not None
        }
    except (SyntaxError, ValueError):
        raise ParameterError(
            f"method {name!r} cannot be read: settings of a variant are written as in flow-svm[svc__C=0.01,...]"
        ) from None

    @functools.wraps(base.builder)
    def builder(*, random_state: int | None = None) -> BaseEstimator:
        return build(base.name, random_state=random_state, **params)

    # What `wraps` leaves behind would show the options of the method itself, which are settled here.
    del builder.__wrapped__
    return replace(base, name=name, builder=builder, paper=(), settled=params)


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
    papers = {name: sorted({one.protocol for one in get_method(name).paper}) or ["loso"] for name in named}
    if len({protocol for protocols in papers.values() for protocol in protocols}) > 1:
        said = ", ".join(f"{name} {' and '.join(its)}" for name, its in papers.items())
        raise ParameterError(
            f"protocol is 'paper': there is more than one in these methods' papers ({said}); name one, or run "
            "`microexpr compare` with --protocol paper, which runs each"
        )
    return next(iter(papers.values()))[0]


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
    record = get_method(name)
    if settled := sorted(record.settled.keys() & params):
        raise ParameterError(f"method {name!r}: {settled[0]} is set by its name and cannot be set again")
    options = {key: params.pop(key) for key in list(params) if key in record.options}
    try:
        estimator = record.builder(random_state=random_state, **options)
    except ParameterError as error:
        raise ParameterError(f"method {name!r}: {error}") from None
    settable = [*record.options, *settable_params(estimator)]
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
    # What set a clip is of is the harness's to say.
    hidden |= {"domain"}
    # Knobs that cannot change numbers are no part of a key, so they are no setting of a method either.
    return sorted(
        key
        for key, value in params.items()
        if key.rpartition("__")[2] not in hidden
        and not hasattr(value, "get_params")
        and not key.endswith(("random_state", "__cache_size"))
    )


def layers_of(estimator: BaseEstimator) -> list[Any]:
    """Return the layers of the network that ends a pipeline, for its paper's input and 3 classes; empty without one."""
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    return list(last.layers()) if hasattr(last, "layers") else []


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
