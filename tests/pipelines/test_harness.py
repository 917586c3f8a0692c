import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold, LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from toyset.clips import Brightness, toy_clips, with_garbage
from toyset.estimators import Failing, Noisy, Spy, Witness

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, NeedsError, ParameterError, ResultsError
from microexpr.core.sources import FlowMapSource
from microexpr.pipelines import registry
from microexpr.pipelines.harness import run
from microexpr.pipelines.results import Store

CLIPS = toy_clips()
SVM = make_pipeline(Brightness(), StandardScaler(), SVC(kernel="linear"))


def _folds(store):
    return sorted(store.glob("runs/*/folds/*.json"))


def test_predictions_equal_scikit_learns_own_loop():
    features = Brightness().transform(CLIPS.clips)
    learner = make_pipeline(StandardScaler(), SVC(kernel="linear"))
    expected = cross_val_predict(learner, features, CLIPS.y, groups=CLIPS.groups, cv=LeaveOneGroupOut())
    values = cross_val_predict(
        learner, features, CLIPS.y, groups=CLIPS.groups, cv=LeaveOneGroupOut(), method="decision_function"
    )
    table = run(SVM, CLIPS)
    assert table["y_pred"].tolist() == expected.tolist()
    np.testing.assert_allclose(table[[f"score_{name}" for name in CLIPS.classes]], values, atol=1e-12)


def test_rows_are_the_clips_in_their_order_with_their_annotations():
    table = run(SVM, CLIPS)
    assert table["clip_id"].tolist() == list(CLIPS.table.index)
    assert table["y_true"].tolist() == CLIPS.y.tolist()
    assert table["fold"].tolist() == table["subject"].tolist() == CLIPS.groups.tolist()
    assert set(table["dataset"]) == {"toy"}


@pytest.mark.parametrize("subject", ["toy/s00", "toy/s04"])
def test_garbage_in_place_of_the_test_clips_leaves_the_fitted_model_identical(subject):
    spied = make_pipeline(Brightness(), Spy(make_pipeline(StandardScaler(), SVC(kernel="linear"))))
    honest = run(spied, CLIPS).set_index("clip_id")
    garbage = run(spied, with_garbage(CLIPS, subject)).set_index("clip_id")
    own = honest["fold"] == subject
    pd.testing.assert_frame_equal(honest[own].drop(columns="run_key"), garbage[own].drop(columns="run_key"))
    # The digest is alive: where the garbage is in training, the model differs.
    assert (honest.loc[~own, "proba_negative"] != garbage.loc[~own, "proba_negative"]).all()


def test_labels_of_the_test_clips_never_reach_the_model():
    spied = make_pipeline(Brightness(), Spy(SVC(kernel="linear")))
    labels = CLIPS.table["label"].copy()
    own = (CLIPS.table["subject"] == "toy/s01").to_numpy()
    labels[own] = labels[own].to_numpy()[::-1]
    lied = toy_clips(labels=labels)
    honest, other = run(spied, CLIPS), run(spied, lied)
    assert honest.loc[own, "proba_negative"].tolist() == other.loc[own, "proba_negative"].tolist()


def test_permuted_labels_give_chance():
    clips = toy_clips(n_subjects=20, per_class=3)
    rng = np.random.default_rng(7)
    shuffled = toy_clips(n_subjects=20, per_class=3, labels=rng.permutation(clips.y))

    def right(table):
        return int((table["y_true"] == table["y_pred"]).sum())

    n_clips = len(clips)
    bound = 3 * np.sqrt(n_clips * (1 / 3) * (2 / 3))
    assert abs(right(run(SVM, shuffled)) - n_clips / 3) < bound
    assert right(run(SVM, clips)) > n_clips / 3 + 2 * bound


def test_the_order_of_the_clips_does_not_matter():
    order = np.random.default_rng(0).permutation(len(CLIPS))
    shuffled = ClipSet(CLIPS.table.iloc[order], CLIPS.sources, classes=CLIPS.classes, labels=CLIPS.labels)
    first = run(SVM, CLIPS).set_index("clip_id")["y_pred"]
    second = run(SVM, shuffled).set_index("clip_id")["y_pred"]
    pd.testing.assert_series_equal(first.sort_index(), second.sort_index())


def test_two_jobs_give_identical_predictions():
    pd.testing.assert_frame_equal(run(SVM, CLIPS, n_jobs=2), run(SVM, CLIPS))


def test_a_second_run_computes_nothing(tmp_path):
    first = run(SVM, CLIPS, store=tmp_path)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    second = run(SVM, CLIPS, store=tmp_path, mode="read-only")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == stamps
    pd.testing.assert_frame_equal(first, second)


def test_missing_and_damaged_folds_are_computed_again_and_only_those(tmp_path):
    first = run(SVM, CLIPS, store=tmp_path)
    gone, cut, kept, *_ = _folds(tmp_path)
    gone.unlink()
    cut.write_text(cut.read_text()[:40])
    before = kept.stat().st_mtime_ns
    next(tmp_path.glob("runs/*/predictions.csv")).unlink()
    pd.testing.assert_frame_equal(run(SVM, CLIPS, store=tmp_path), first)
    assert kept.stat().st_mtime_ns == before
    assert json.loads(cut.read_text())["fold"] == "toy/s01"


def test_a_cut_predictions_file_is_made_anew_from_the_folds(tmp_path):
    first = run(SVM, CLIPS, store=tmp_path)
    path = next(tmp_path.glob("runs/*/predictions.csv"))
    path.write_bytes(path.read_bytes()[:-50])
    pd.testing.assert_frame_equal(run(SVM, CLIPS, store=tmp_path), first)


def test_read_only_refuses_to_compute(tmp_path):
    with pytest.raises(ResultsError, match="5 of 5 folds are missing"):
        run(SVM, CLIPS, store=tmp_path, mode="read-only")


def test_overwrite_computes_all_folds_again(tmp_path):
    run(SVM, CLIPS, store=tmp_path)
    stamps = [path.stat().st_mtime_ns for path in _folds(tmp_path)]
    run(SVM, CLIPS, store=tmp_path, mode="overwrite")
    assert all(now > then for now, then in zip((p.stat().st_mtime_ns for p in _folds(tmp_path)), stamps, strict=True))


@pytest.mark.parametrize("change", ["parameter", "seed", "protocol", "labels", "content"])
def test_whatever_decides_the_predictions_is_in_the_key(change, tmp_path):
    settings = {"parameter": {}, "seed": {"seed": 1}, "protocol": {"protocol": "kfold:2"}}.get(change, {})
    estimator = (
        make_pipeline(Brightness(scale=2.0), *[step for _, step in SVM.steps[1:]]) if change == "parameter" else SVM
    )
    clips = {"content": with_garbage(CLIPS, "toy/s00"), "labels": toy_clips(labels=CLIPS.y[::-1])}.get(change, CLIPS)
    base = run(SVM, CLIPS, store=tmp_path)["run_key"][0]
    assert run(estimator, clips, store=tmp_path, **settings)["run_key"][0] != base


def test_a_failing_fold_is_recorded_beside_and_the_run_has_no_score(tmp_path):
    trigger = tmp_path / "fire"
    trigger.touch()
    failing = make_pipeline(Brightness(), Failing(trigger=str(trigger)))
    store = tmp_path / "store"
    with pytest.raises(ResultsError) as caught:
        run(failing, CLIPS, store=store)
    assert "5 of 5 folds failed" in str(caught.value)
    assert "RuntimeError: the disk of the cluster is on fire" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not _folds(store)
    assert not list(store.glob("runs/*/predictions.csv"))
    failures = sorted(store.glob("runs/*/failures/*.json"))
    assert len(failures) == 5
    assert "second line" in json.loads(failures[0].read_text())["traceback"]
    trigger.unlink()
    assert len(run(failing, CLIPS, store=store)) == len(CLIPS)
    assert not list(store.glob("runs/*/failures/*.json"))


def test_random_states_are_seeded_and_results_repeat():
    noisy = make_pipeline(Brightness(), Noisy())
    first, again, other = (run(noisy, CLIPS, seed=seed)["y_pred"].tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_an_explicit_random_state_is_kept():
    fixed = make_pipeline(Brightness(), Noisy(random_state=5))
    assert run(fixed, CLIPS, seed=0)["y_pred"].tolist() == run(fixed, CLIPS, seed=1)["y_pred"].tolist()


def test_auxiliary_clips_train_every_fold_and_are_never_tested():
    extra = toy_clips(n_subjects=3, dataset="macro", seed=5)
    table = run(make_pipeline(Brightness(), Witness()), CLIPS, auxiliary=extra)
    assert set(table["dataset"]) == {"toy"}
    assert len(table) == len(CLIPS)
    seen = table[[f"proba_{name}" for name in CLIPS.classes]].drop_duplicates().to_numpy()
    assert seen.tolist() == [[24 + len(extra), len(extra), 4 + 3]]


def test_an_auxiliary_subject_who_is_also_tested_is_refused():
    with pytest.raises(DataError, match="subjects of the test sets: toy/s00, toy/s01"):
        run(SVM, CLIPS, auxiliary=toy_clips(n_subjects=2, seed=3))


def test_tuning_inside_the_pipeline_gets_the_training_subjects():
    search = GridSearchCV(SVC(kernel="linear"), {"C": [0.01, 1.0]}, cv=GroupKFold(2))
    table = run(make_pipeline(Brightness(), StandardScaler(), search), CLIPS)
    assert (table["y_true"] == table["y_pred"]).mean() > 0.6


def test_a_classifier_of_clips_without_a_prefix_runs():
    table = run(DummyClassifier(strategy="most_frequent"), CLIPS)
    assert set(table["method"]) == {"DummyClassifier"}
    assert table["y_pred"].nunique() == 1


def test_a_class_that_no_clip_has_ranks_last():
    clips = CLIPS.where(label=["negative", "positive"])
    table = run(SVM, clips)
    assert (table["score_surprise"] == -np.inf).all()
    np.testing.assert_allclose(table["score_negative"], -table["score_positive"])


def test_features_are_computed_once_and_cached(tmp_path, monkeypatch):
    calls = []
    original = Brightness.transform_clip
    monkeypatch.setattr(Brightness, "transform_clip", lambda self, clip: calls.append(1) or original(self, clip))
    run(SVM, CLIPS, protocol="kfold:3")
    run(SVM, CLIPS)
    assert len(calls) == len(CLIPS)


def test_a_store_of_another_version_is_refused(tmp_path):
    (tmp_path / "microexpr-results.json").write_text('{"format": 99}')
    with pytest.raises(ResultsError, match="format 99, this version reads format 1"):
        Store(tmp_path)
    (tmp_path / "microexpr-results.json").write_text("garbage")
    with pytest.raises(ResultsError, match="format unknown"):
        Store(tmp_path)


def test_runs_without_a_marker_are_not_touched(tmp_path):
    (tmp_path / "runs").mkdir()
    with pytest.raises(ResultsError, match="holds runs but no"):
        Store(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"method": "nothing"}, ParameterError, "unknown method 'nothing'"),
        ({"method": "flow-smv"}, ParameterError, "did you mean 'flow-svm'"),
        ({"method": print}, ParameterError, "must be a registered name or a classifier"),
        ({"mode": "sometimes"}, ParameterError, "mode is 'sometimes'"),
        ({"seed": -1}, ParameterError, "seed is -1"),
        ({"n_jobs": 0}, ParameterError, "n_jobs is 0"),
        ({"method": "majority", "params": {"lbptop__blocks": 1}}, ParameterError, "no parameter 'lbptop__blocks'"),
        ({"params": {"C": 1}}, ParameterError, "set them on the classifier itself"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, error, message):
    with pytest.raises(error, match=message) as caught:
        run(**{"method": SVM, "clipset": CLIPS, **arguments})
    assert "\n" not in str(caught.value)


def test_a_method_that_needs_pixels_refuses_stored_maps():
    stored = ClipSet(
        CLIPS.table.drop(columns=["onset", "apex", "offset", "n_frames"]), [FlowMapSource("m.png")] * len(CLIPS)
    )
    with pytest.raises(NeedsError, match="lbptop-svm needs frames, not a stored flow map: 30 clips have none"):
        run("lbptop-svm", stored)


def test_paper_is_the_protocol_of_the_methods_paper(monkeypatch):
    of_a_paper = replace(registry.get_method("majority"), paper=(registry.PaperRun("kfold:3"),))
    monkeypatch.setitem(registry._METHODS, "majority", of_a_paper)
    table = run("majority", CLIPS, protocol="paper")
    pd.testing.assert_frame_equal(table, run("majority", CLIPS, protocol="kfold:3"))
    with pytest.raises(ParameterError, match="only registered methods have the protocol of a paper"):
        run(DummyClassifier(), CLIPS, protocol="paper")


def test_an_error_that_begins_with_an_empty_line_is_still_told(tmp_path):
    search = make_pipeline(Brightness(), GridSearchCV(SVC(), {"C": [-1.0]}))
    with pytest.raises(ResultsError, match=r"fold toy/s00: ValueError: All the \d fits failed"):
        run(search, CLIPS)


def test_columns_of_pairs_of_classes_are_not_taken_for_classes():
    with pytest.raises(ResultsError, match="decision_function_shape"):
        run(make_pipeline(Brightness(), SVC(decision_function_shape="ovo")), CLIPS)
