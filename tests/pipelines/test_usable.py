import pytest
from toyset.clips import toy_clips

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import NeedsError
from microexpr.pipelines import registry
from microexpr.pipelines.registry import all_methods, method
from microexpr.pipelines.usable import auxiliary_for, check_auxiliary, usable_clips

CLIPS = toy_clips(n_subjects=2, per_class=1)


def without_apex(clips, names):
    table = clips.table.copy()
    table["apex"] = table["apex"].astype("Int64")
    table.loc[names, "apex"] = None
    return ClipSet(table, clips.sources, classes=clips.classes, labels=clips.labels)


@pytest.fixture
def toy_methods(monkeypatch):
    monkeypatch.setattr(registry, "_METHODS", dict(all_methods()))
    for makes in ("ignored", "optional", "required"):

        @method(makes, reference="toy", needs=("motion",), auxiliary=makes)
        def builder(*, random_state=None):
            """Toy."""


def test_clips_that_have_all_come_back_as_they_are():
    assert usable_clips("flow-svm", CLIPS) is CLIPS


def test_clips_that_lack_something_are_refused_or_left_out_and_listed():
    lacking = CLIPS.table.index[1]
    clips = without_apex(CLIPS, [lacking])
    with pytest.raises(NeedsError, match=r"1 clip has none .*; with_apexes .*; allow_incomplete=True"):
        usable_clips("flow-svm", clips)
    rest = usable_clips("flow-svm", clips, allow_incomplete=True)
    assert list(rest.table.index) == [name for name in CLIPS.table.index if name != lacking]
    [finding] = rest.findings.itertuples()
    assert finding.clip_id == lacking
    assert finding.finding == "flow-svm needs an apex after the onset or a stored flow map"


def test_a_data_set_is_never_left_out_whole():
    other = toy_clips(n_subjects=1, per_class=1, dataset="other")
    clips = CLIPS.concat(without_apex(other, list(other.table.index)))
    with pytest.raises(NeedsError, match=r"3 clips have none .*searches for it$"):
        usable_clips("flow-svm", clips, allow_incomplete=True)


def test_auxiliary_clips_go_to_the_methods_that_learn_from_them(toy_methods):
    assert auxiliary_for("ignored", CLIPS) is None
    assert auxiliary_for("optional", CLIPS) is auxiliary_for("required", CLIPS) is CLIPS
    assert auxiliary_for("optional", None) is None


def test_auxiliary_clips_are_checked_where_they_are_used(toy_methods):
    lacking = without_apex(CLIPS, [CLIPS.table.index[0]])
    check_auxiliary("ignored", lacking)
    check_auxiliary("optional", None)
    check_auxiliary("required", CLIPS)
    with pytest.raises(NeedsError, match="required learns from macro-expressions too"):
        check_auxiliary("required", None)
    for name in ("optional", "required"):
        with pytest.raises(NeedsError, match=f"auxiliary clips: {name} needs an apex after the onset"):
            check_auxiliary(name, lacking)
