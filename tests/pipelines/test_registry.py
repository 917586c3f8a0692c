import pytest
from sklearn.dummy import DummyClassifier
from toyset.clips import toy_clips

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import ParameterError
from microexpr.core.sources import FlowMapSource
from microexpr.pipelines import registry
from microexpr.pipelines.registry import all_methods, build, get_method, method, settable_params, unmet_needs


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


def test_needs_tell_which_clips_lack_what():
    clips = toy_clips(n_subjects=2, per_class=1)
    assert unmet_needs(get_method("flow-svm"), clips) is None
    table = clips.table.copy()
    table.loc[table.index[0], "apex"] = None
    without = ClipSet(table, clips.sources, classes=clips.classes)
    reason = "flow-svm needs an apex or a stored flow map: 1 clip has none (toy/s00/ne0)"
    assert unmet_needs(get_method("flow-svm"), without) == reason
    stored = ClipSet(clips.table.drop(columns=["onset", "apex", "offset", "n_frames"]), [FlowMapSource("m.png")] * 6)
    assert unmet_needs(get_method("flow-svm"), stored) is None
    assert "frames, not a stored flow map" in unmet_needs(get_method("lbptop-svm"), stored)
