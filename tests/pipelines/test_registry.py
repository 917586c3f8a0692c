import pytest
from sklearn.dummy import DummyClassifier
from toyset.clips import toy_clips

from microexpr.core.clipset import ClipSet
from microexpr.core.digest import digest
from microexpr.core.errors import ParameterError
from microexpr.core.sources import FlowMapSource
from microexpr.pipelines import registry
from microexpr.pipelines.registry import (
    PaperRun,
    all_methods,
    build,
    get_method,
    method,
    protocol_of,
    settable_params,
    unmet_needs,
    variant,
)


@pytest.fixture(autouse=True)
def _registry_of_its_own(monkeypatch):
    all_methods()
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))


def _builder(*, random_state=None):
    """Guess.

    More words.
    """
    return DummyClassifier(random_state=random_state)


def test_a_registered_builder_is_found_by_name():
    method("guess", reference="nobody, 2026", needs=("pixels",), tiny={"strategy": "uniform"})(_builder)
    record = get_method("guess")
    assert (record.summary, record.reference, record.needs) == ("Guess.", "nobody, 2026", ("pixels",))
    assert build("guess", random_state=3).random_state == 3
    assert "guess" in all_methods()


@pytest.mark.parametrize(
    ("name", "needs", "message"),
    [("majority", (), "'majority' is registered already"), ("new", ("wings",), "needs 'wings': known needs are")],
)
def test_a_record_that_cannot_be_is_refused(name, needs, message):
    with pytest.raises(ParameterError, match=message):
        method(name, reference="", needs=needs)(_builder)


def test_a_builder_without_a_docstring_is_refused():
    with pytest.raises(ParameterError, match="has no docstring"):
        method("new", reference="")(lambda *, random_state=None: DummyClassifier())


def test_near_misses_are_suggested():
    with pytest.raises(ParameterError, match="did you mean 'lbptop-svm'"):
        get_method("lbptop-svn")
    with pytest.raises(ParameterError, match="did you mean 'svc__C'"):
        build("flow-svm", svc_C=1)


def test_parameters_are_set_where_they_belong():
    estimator = build("lbptop-svm", lbptop__blocks=(8, 8, 1), svc__C=2.0)
    assert estimator.named_steps["lbptop"].blocks == (8, 8, 1)
    assert estimator.named_steps["svc"].C == 2.0


def test_steps_plumbing_and_seeds_are_no_settings():
    names = settable_params(build("lbptop-svm"))
    assert "svc__C" in names
    assert not {"svc", "lbptop", "steps", "memory", "svc__random_state", "svc__verbose"} & set(names)


def test_members_and_views_of_a_fusion_are_no_settings_but_theirs_are():
    names = settable_params(build("motion-fusion"))
    assert {"clipviews__biwoof__biwoof__blocks", "scorefusion__weights", "scorefusion__flow__svc__C"} <= set(names)
    assert not [name for name in names if name.endswith(("views", "members", "steps", "biwoof", "flow", "strain"))]
    assert build("motion-fusion", scorefusion__weights="learned").named_steps["scorefusion"].weights == "learned"


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("lbptop-svm", {"lbptop__blocks": (0, 5, 1)}, r"method 'lbptop-svm': blocks\[0\] is 0: it must be at least 1"),
        ("lbptop-svm", {"tim__n_frames": 1}, "method 'lbptop-svm': n_frames is 1: it must be at least 2"),
        ("flow-svm", {"svc__C": 0}, "method 'flow-svm': The 'C' parameter of SVC must be a float in the range"),
        (
            "flow-svm",
            {"svc__C": {1}},
            r"'flow-svm': svc__C is \{1\}: a value of type set cannot be part of a key",
        ),
        ("flow-svm", {"standardscaler__with_mean": "maybe"}, "The 'with_mean' parameter of StandardScaler must be"),
    ],
)
def test_values_that_no_step_takes_are_refused_when_it_is_built(name, params, message):
    with pytest.raises(ParameterError, match=message):
        build(name, **params)


def test_every_method_can_be_built_from_the_values_that_are_shown():
    """What `microexpr methods NAME` lists as settings can be set."""
    for name in all_methods():
        estimator, options = build(name), get_method(name).options
        values = estimator.get_params(deep=True)
        build(name, **options, **{key: values[key] for key in settable_params(estimator)})


def test_needs_tell_which_clips_lack_what():
    clips = toy_clips(n_subjects=2, per_class=1)
    assert unmet_needs(get_method("flow-svm"), clips) is None
    table = clips.table.copy()
    table.loc[table.index[0], "apex"] = None
    without = ClipSet(table, clips.sources, classes=clips.classes)
    reason = "flow-svm needs an apex after the onset or a stored flow map: 1 clip has none (toy/s00/ne0)"
    assert unmet_needs(get_method("flow-svm"), without) == reason
    stored = ClipSet(clips.table.drop(columns=["onset", "apex", "offset", "n_frames"]), [FlowMapSource("m.png")] * 6)
    assert unmet_needs(get_method("flow-svm"), stored) is None
    assert "frames, not a stored flow map" in unmet_needs(get_method("lbptop-svm"), stored)


def _register(name, *protocols):
    method(name, reference="toy", paper=tuple(PaperRun(protocol) for protocol in protocols))(_builder)


def test_paper_stands_for_the_protocol_that_methods_papers_share():
    for name, protocol in (("one", "kfold:5"), ("two", "kfold"), ("three", "loso")):
        _register(name, protocol)
    assert protocol_of("paper", ["one", "two", "majority"]) == "kfold:5"
    assert protocol_of("paper", ["majority"]) == "loso"
    assert protocol_of("kfold", ["three"]) == "kfold:5"
    with pytest.raises(ParameterError, match=r"more than one in these methods' papers \(one kfold:5, three loso\)"):
        protocol_of("paper", ["one", "three"])
    _register("four", "loso", "kfold")
    with pytest.raises(ParameterError, match=r"\(four kfold:5 and loso\)"):
        protocol_of("paper", ["four"])


def test_a_paper_protocol_that_no_splitter_knows_is_refused():
    with pytest.raises(ParameterError, match="protocol is 'bootstrap'"):
        _register("one", "bootstrap")


def test_every_method_says_what_its_paper_reports_or_that_it_has_none():
    for record in all_methods().values():
        assert record.published or record.reference.startswith("no paper"), record.name
        for one in record.published:
            for said in (one.figure, one.data, one.protocol, one.source):
                assert said


def test_settings_that_change_the_key_alone_or_mix_up_classes_are_hidden():
    names = settable_params(build("flow-svm"))
    assert not [name for name in names if name.endswith(("copy", "decision_function_shape", "probability"))]


def test_an_apex_that_is_the_onset_is_no_motion():
    clips = toy_clips(n_subjects=2, per_class=1)
    table = clips.table.copy()
    table.loc[table.index[0], "onset"] = table.loc[table.index[0], "apex"]
    still = ClipSet(table, clips.sources, classes=clips.classes)
    assert "an apex after the onset" in unmet_needs(get_method("flow-svm"), still)


def test_a_variant_is_its_method_under_other_settings():
    name = variant("flow-svm", {"svc__C": 0.01, "flowmap__method": "dis", "flowmap__size": 14})
    assert name == "flow-svm[svc__C=0.01,flowmap__method=dis,flowmap__size=14]"
    chosen = build("flow-svm", random_state=3, svc__C=0.01, flowmap__method="dis", flowmap__size=14)
    assert digest(build(name, random_state=3)) == digest(chosen)
    record = get_method(name)
    assert (record.name, record.needs, record.summary) == (name, ("motion",), get_method("flow-svm").summary)
    assert record.options == {}


def test_values_of_a_variant_come_back_whatever_they_are():
    for value in ("swish", "a path/with, signs", (5, 5, 1), None, 0.25, True, "None"):
        assert _asked(variant("asked", {"value": value})) == repr(value)


def _asked(name):
    @method("asked", reference="no paper")
    def builder(*, value=0, random_state=None):
        """Say what it was asked for."""
        return DummyClassifier(constant=repr(value))

    try:
        return build(name).constant
    finally:
        registry._METHODS.pop("asked")


@pytest.mark.parametrize(
    "name", ["flow-svm[", "flow-svm[]", "flow-svm[3]", "flow-svm[svc__C=1", "flow-svm[svc__C=1+x]"]
)
def test_a_variant_that_cannot_be_read_is_refused(name):
    with pytest.raises(ParameterError, match="cannot be read"):
        get_method(name)


def test_a_variant_with_an_unknown_setting_is_refused():
    with pytest.raises(ParameterError, match="has no parameter 'svc__D'; did you mean 'svc__C'"):
        build("flow-svm[svc__D=1]")


def test_a_variant_cannot_be_something_else_than_its_name_says():
    with pytest.raises(ParameterError, match="svc__C is set by its name and cannot be set again"):
        build("flow-svm[svc__C=0.01]", svc__C=0.1)


def test_options_of_a_builder_are_settings_that_decide_the_steps():
    @method("optional", reference="no paper")
    def builder(*, strategy="prior", random_state=None):
        """Guess."""
        return DummyClassifier(strategy=strategy)

    try:
        assert get_method("optional").options == {"strategy": "prior"}
        assert build("optional", strategy="uniform").strategy == "uniform"
    finally:
        registry._METHODS.pop("optional")


def test_what_a_method_makes_of_auxiliary_clips_is_one_of_three():
    with pytest.raises(ParameterError, match="auxiliary is 'maybe'"):
        method("one", reference="toy", auxiliary="maybe")(_builder)
