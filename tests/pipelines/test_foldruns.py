import pytest
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from toyset.clips import Brightness, toy_clips
from toyset.estimators import Failing

from microexpr.core.cache import feature_cache
from microexpr.core.digest import digest
from microexpr.core.errors import ResultsError
from microexpr.pipelines.foldruns import resolve_method, run_missing, run_settings, stored_records
from microexpr.pipelines.harness import run
from microexpr.pipelines.results import Store
from microexpr.pipelines.splits import make_folds

CLIPS = toy_clips(n_subjects=3, per_class=1)
FOLDS = make_folds(CLIPS, "loso", seed=0)
SVM = make_pipeline(Brightness(), SVC(kernel="linear"))


def filled(stored, estimator=SVM, kept=None):
    return run_missing(
        "toy", estimator, CLIPS, FOLDS, stored, auxiliary=None, kept=kept, cache=feature_cache(), n_jobs=1
    )


@pytest.fixture
def kept(tmp_path):
    found = Store(tmp_path).find("0" * 64, "toy")
    found.open({})
    return found


def test_records_come_in_the_folds_order_whichever_were_missing():
    whole = filled([None] * 3)
    assert [record["clip_ids"] for record in whole] == [list(CLIPS.table.index[fold.test]) for fold in FOLDS]
    for missing in ([0], [1], [2], [0, 2]):
        stored = [None if number in missing else record for number, record in enumerate(whole)]
        assert [record["y_pred"] for record in filled(stored)] == [record["y_pred"] for record in whole]


def test_a_fold_that_has_a_record_is_not_run_again():
    mark = {"y_pred": ["kept"], "clip_ids": []}
    records = filled([None, mark, None])
    assert records[1] is mark
    assert all(record["y_pred"] != ["kept"] for record in (records[0], records[2]))


def test_where_nothing_is_missing_no_clip_is_read(monkeypatch):
    monkeypatch.setattr(Brightness, "transform_clip", None)  # calling it would fail
    marks = [{"y_pred": [str(number)]} for number in range(3)]
    assert filled(marks) == marks


def test_each_fold_is_kept_at_once_and_found_again(kept):
    assert stored_records(kept, CLIPS, FOLDS) == [None] * 3
    records = filled([None] * 3, kept=kept)
    again = stored_records(kept, CLIPS, FOLDS)
    assert [record["y_pred"] for record in again] == [record["y_pred"] for record in records]
    (kept.folder / "folds").joinpath(sorted(path.name for path in kept.folder.glob("folds/*"))[1]).unlink()
    assert [record is None for record in stored_records(kept, CLIPS, FOLDS)] == [False, True, False]


def test_a_fold_that_fails_is_written_down_and_the_others_are_kept(kept, tmp_path):
    trigger = tmp_path / "trigger"
    trigger.touch()
    # Without the subject that has the brightest clip, and in no other fold.
    features = Brightness().transform(CLIPS.clips)
    brightest = features.max(axis=1).argmax()
    limit = float(features.max())
    failing = make_pipeline(Brightness(), Failing(str(trigger), limit))
    with pytest.raises(
        ResultsError, match=r"toy: 1 of 3 folds failed, so it has no score; fold toy/s0\d: RuntimeError"
    ):
        filled([None] * 3, failing, kept)
    left = [record is None for record in stored_records(kept, CLIPS, FOLDS)]
    assert left == [brightest in fold.test for fold in FOLDS]
    assert len(list(kept.folder.glob("failures/*.json"))) == 1
    trigger.unlink()
    assert all(filled(stored_records(kept, CLIPS, FOLDS), failing, kept))
    assert not list(kept.folder.glob("failures/*.json"))


def test_without_a_store_nothing_is_kept():
    assert stored_records(None, CLIPS, FOLDS) == [None] * 3


def test_the_keys_of_runs_are_digests_of_their_settings():
    name, estimator = resolve_method("majority", CLIPS, auxiliary=None, seed=4, params={})
    settings = run_settings(name, estimator, CLIPS, FOLDS, protocol="loso", seed=4, auxiliary=None)
    assert set(run("majority", CLIPS, seed=4)["run_key"]) == {digest({"schema": 1, **settings})}
    assert (settings["method"], settings["seed"], settings["shared_subjects"]) == ("majority", 4, False)


def test_a_protocol_that_shares_subjects_says_so_in_the_settings():
    name, estimator = resolve_method("majority", CLIPS, auxiliary=None, seed=0, params={})
    folds = make_folds(CLIPS, "kfold:3", seed=0)
    settings = run_settings(name, estimator, CLIPS, folds, protocol="kfold:3", seed=0, auxiliary=None)
    assert settings["shared_subjects"] is True


def test_an_estimator_is_seeded_and_named_after_its_class():
    forest = SVC(probability=False, random_state=None)
    name, seeded = resolve_method(forest, CLIPS, auxiliary=None, seed=7, params={})
    assert (name, seeded.random_state, forest.random_state) == ("SVC", 7, None)
