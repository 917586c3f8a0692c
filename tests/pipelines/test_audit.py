"""The audit against hand arithmetic, scikit-learn and the harness's own predictions, and where it keeps its results."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from toyset.clips import CLASSES, toy_clips
from toyset.epochs import Interrupted, Level, PerSubject, Planned

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import NeedsError, ParameterError, ResultsError
from microexpr.data import make_clips
from microexpr.deep import STSTNetClassifier
from microexpr.features import FlowMap
from microexpr.pipelines import registry
from microexpr.pipelines.audit import audit
from microexpr.pipelines.comparison import compare
from microexpr.pipelines.harness import run
from microexpr.pipelines.registry import all_methods, method
from microexpr.pipelines.report.text import print_audit

CLIPS = toy_clips(n_subjects=3, per_class=1)
# Clips right of three, by subject and epoch. Best: epoch 2 of s00; epochs 1 to 3 alike of s01; epoch 3 of s02.
PLAN = ((1, 3, 2), (2, 2, 2), (0, 1, 3))
PLANNED = make_pipeline(Level(), Planned(PLAN))


@pytest.fixture(scope="module")
def planned():
    return audit(PLANNED, CLIPS)


@pytest.fixture
def toy_net(monkeypatch):
    """A registered method that is a network, three epochs long."""
    all_methods()
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))

    @method("toy-net", reference="no paper", needs=("motion",))
    def toy(*, random_state=None):
        """STSTNet for three epochs."""
        network = STSTNetClassifier(epochs=3, lr=0.01, device="cpu", random_state=random_state)
        return make_pipeline(FlowMap(method="dis"), network)

    return "toy-net"


@pytest.fixture(scope="module")
def synthetic():
    return make_clips(3, 3, size=(48, 42), fps=30.0)


def _folds(folder):
    return sorted(folder.glob("folds/*.json"))


def _stamps(folder):
    return {path: path.stat().st_mtime_ns for path in _folds(folder)}


# What is reported


def test_honest_is_the_last_epoch_and_leaked_the_first_of_the_best(planned):
    table = planned.table
    assert list(table) == ["clip_id", "subject", "y_true", "honest", "leaked", "leaked_epoch"]
    assert table["clip_id"].tolist() == list(CLIPS.table.index)
    assert table["y_true"].tolist() == ["negative", "positive", "surprise"] * 3
    right, wrong = ["negative", "positive", "surprise"], ["negative", "positive", "negative"]
    assert table["honest"].tolist() == wrong + wrong + right
    assert table["leaked"].tolist() == right + wrong + right
    assert table["leaked_epoch"].tolist() == [2] * 3 + [1] * 3 + [3] * 3


def test_the_figures_are_those_computed_by_hand(planned):
    figures = planned.figures()
    # Honest: two surprises taken for negative. F1 3/4, 1, 1/2; recalls 1, 1, 1/3.
    np.testing.assert_allclose(figures.loc["honest", ["UF1", "UAR", "accuracy"]].astype(float), [3 / 4, 7 / 9, 7 / 9])
    # Leaked: one. F1 6/7, 1, 4/5; recalls 1, 1, 2/3.
    np.testing.assert_allclose(figures.loc["leaked", ["UF1", "UAR", "accuracy"]].astype(float), [31 / 35, 8 / 9, 8 / 9])
    expected = [31 / 35 - 3 / 4, 1 / 9, 1 / 9]
    np.testing.assert_allclose(figures.loc["inflation", ["UF1", "UAR", "accuracy"]].astype(float), expected)


def test_folds_whose_best_epoch_is_not_the_last_are_counted(planned):
    assert (planned.n_earlier, planned.n_folds) == (2, 3)


def _answers(epoch, plan=PLAN):
    """What `Planned` predicts after an epoch, over all subjects."""
    classes = np.array(CLASSES)
    right = np.arange(3) < np.array([row[min(epoch, len(row) - 1)] for row in plan])[:, None]
    return np.where(right, classes, np.roll(classes, -1)).ravel()


def test_the_curve_is_pooled_uf1_by_epoch(planned):
    expected = [f1_score(CLIPS.y, _answers(epoch), average="macro") for epoch in range(3)]
    assert planned.curve.index.tolist() == [1, 2, 3]
    np.testing.assert_allclose(planned.curve, expected)
    assert planned.curve[3] == planned.figures().loc["honest", "UF1"]


def test_a_fold_that_ends_earlier_stays_at_its_last_epoch_in_the_curve():
    plan = ((3,), (0, 1, 2, 1), (1, 2))
    audited = audit(make_pipeline(Level(), Planned(plan)), CLIPS)
    expected = [f1_score(CLIPS.y, _answers(epoch, plan), average="macro") for epoch in range(4)]
    np.testing.assert_allclose(audited.curve, expected)
    assert audited.table["leaked_epoch"].tolist() == [1] * 3 + [3] * 3 + [2] * 3
    assert audited.n_earlier == 1


def test_two_jobs_give_the_same_audit(planned):
    pd.testing.assert_frame_equal(audit(PLANNED, CLIPS, n_jobs=2).table, planned.table)


# It is the training of an honest run


@pytest.mark.parametrize("seed", [0, 5])
def test_honest_predictions_of_a_network_are_those_of_the_harness(toy_net, synthetic, seed):
    params = {"ststnetclassifier__dropout": 0.25}
    honest = run(toy_net, synthetic, seed=seed, params=params)
    audited = audit(toy_net, synthetic, seed=seed, params=params)
    assert audited.table["clip_id"].tolist() == honest["clip_id"].tolist()
    assert audited.table["honest"].tolist() == honest["y_pred"].tolist()
    assert audited.curve.index.tolist() == [1, 2, 3]
    # The three epochs do not answer alike, so that the last could not be taken for another.
    assert audited.curve.nunique() > 1
    assert honest["y_pred"].nunique() > 1


def test_steps_before_the_network_are_fitted_on_training_clips_as_in_the_harness(synthetic):
    network = STSTNetClassifier(epochs=2, lr=0.01, device="cpu")
    estimator = make_pipeline(FlowMap(method="dis"), PerSubject(), StandardScaler(), network)
    honest = run(estimator, synthetic, seed=3)["y_pred"].tolist()
    assert len(set(honest)) > 1
    assert audit(estimator, synthetic, seed=3).table["honest"].tolist() == honest


def test_labels_of_the_test_clips_change_nothing_but_the_choice(synthetic):
    network = STSTNetClassifier(epochs=3, lr=0.01, device="cpu")
    estimator = make_pipeline(FlowMap(method="dis"), network)
    own = (synthetic.table["subject"] == "synthetic/sub01").to_numpy()
    lied = synthetic.table.copy()
    lied.loc[own, "label"] = np.roll(lied.loc[own, "label"], 1)
    other = ClipSet(lied, synthetic.sources, classes=synthetic.classes, labels=synthetic.labels)
    first, second = audit(estimator, synthetic).table[own], audit(estimator, other).table[own]
    assert first["y_true"].tolist() != second["y_true"].tolist()
    assert first["honest"].tolist() == second["honest"].tolist()


def test_auxiliary_clips_join_the_training_as_in_the_harness(toy_net, synthetic):
    extra = make_clips(2, 3, size=(48, 42), fps=30.0, dataset="extra", seed=1)
    joined = run(toy_net, synthetic, auxiliary=extra)["y_pred"].tolist()
    assert joined != run(toy_net, synthetic)["y_pred"].tolist()
    assert audit(toy_net, synthetic, auxiliary=extra).table["honest"].tolist() == joined


def test_of_a_protocol_that_tests_some_clips_those_are_reported(toy_net, synthetic, capsys):
    honest = run(toy_net, synthetic, protocol="holdout:0.6")
    audited = audit(toy_net, synthetic, protocol="holdout:0.6")
    assert len(audited.table) == 4
    assert audited.table["clip_id"].tolist() == honest["clip_id"].tolist()
    assert audited.table["honest"].tolist() == honest["y_pred"].tolist()
    print_audit(audited)
    printed = capsys.readouterr().out
    assert "│ honest: the last *" in printed
    assert "subjects shared" in printed


# What is kept


def test_an_audit_is_kept_apart_from_the_runs(tmp_path, toy_net, synthetic):
    audited = audit(toy_net, synthetic, out=tmp_path)
    assert audited.folder.parent == tmp_path
    assert audited.folder.name.startswith("audit-toy-net-")
    assert len(audited.folder.name) == len("audit-toy-net-") + 16
    assert not (tmp_path / "runs").exists()
    with pytest.raises(ResultsError, match="3 of 3 folds are missing"):
        run(toy_net, synthetic, store=tmp_path, mode="read-only")
    compared = compare([toy_net], synthetic, store=tmp_path)
    assert list(compared.predictions) == [toy_net, "majority"]
    assert compared.predictions[toy_net]["y_pred"].tolist() == audited.table["honest"].tolist()


def test_the_files_hold_the_table_and_the_curve(tmp_path, planned):
    folder = audit(PLANNED, CLIPS, out=tmp_path).folder
    pd.testing.assert_frame_equal(pd.read_csv(folder / "audit.csv"), planned.table, check_dtype=False)
    curve = pd.read_csv(folder / "curve.csv", index_col="epoch")["UF1"]
    pd.testing.assert_series_equal(curve, planned.curve, check_index_type=False)
    facts = json.loads((folder / "run.json").read_text())
    assert facts["protocol"] == "loso"
    assert "numpy" in facts["provenance"]["versions"]


def test_an_audit_goes_on_with_the_folds_that_are_missing(tmp_path, planned):
    folder = audit(PLANNED, CLIPS, out=tmp_path).folder
    gone, cut, kept = _folds(folder)
    gone.unlink()
    cut.write_text(cut.read_text()[:40])
    before = kept.stat().st_mtime_ns
    (folder / "audit.csv").unlink()
    again = audit(PLANNED, CLIPS, out=tmp_path)
    pd.testing.assert_frame_equal(again.table, planned.table)
    assert again.folder == folder
    assert kept.stat().st_mtime_ns == before
    stamps = _stamps(folder)
    assert len(stamps) == 3
    audit(PLANNED, CLIPS, out=tmp_path)
    assert _stamps(folder) == stamps


def test_a_failed_fold_is_named_and_the_others_are_kept(tmp_path, planned):
    trigger = tmp_path / "trigger"
    trigger.touch()
    estimator = make_pipeline(Level(), Interrupted(PLAN, str(trigger)))
    with pytest.raises(ResultsError, match=r"1 of 3 folds failed.*fold toy/s01: RuntimeError: the power went"):
        audit(estimator, CLIPS, out=tmp_path / "out")
    [folder] = (tmp_path / "out").glob("audit-*")
    assert [json.loads(path.read_text())["fold"] for path in _folds(folder)] == ["toy/s00", "toy/s02"]
    assert not (folder / "audit.csv").exists()
    stamps = _stamps(folder)
    trigger.unlink()
    pd.testing.assert_frame_equal(audit(estimator, CLIPS, out=tmp_path / "out").table, planned.table)
    assert stamps.items() <= _stamps(folder).items()


def test_other_settings_are_another_audit(tmp_path):
    folders = {
        audit(PLANNED, CLIPS, out=tmp_path).folder,
        audit(PLANNED, CLIPS, out=tmp_path, seed=1).folder,
        audit(make_pipeline(Level(), Planned(PLAN[::-1])), CLIPS, out=tmp_path).folder,
    }
    assert len(folders) == 3


# What is refused


@pytest.mark.parametrize(("name", "learner"), [("flow-svm", "SVC"), ("majority", "DummyClassifier")])
def test_a_method_that_is_not_trained_in_epochs_is_refused(tmp_path, name, learner):
    with pytest.raises(ParameterError, match=f"^method '{name}' cannot be audited: its {learner} is not trained in ep"):
        audit(name, CLIPS, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_unknown_methods_seeds_and_clips_without_an_apex_are_refused(toy_net):
    with pytest.raises(ParameterError, match="did you mean 'toy-net'"):
        audit("toy-nett", CLIPS)
    with pytest.raises(ParameterError, match="seed is -1"):
        audit(toy_net, CLIPS, seed=-1)
    table = CLIPS.table.copy()
    table["apex"] = None
    with pytest.raises(NeedsError, match="toy-net needs an apex"):
        audit(toy_net, ClipSet(table, CLIPS.sources, classes=CLIPS.classes))


# What is printed


def test_the_table_is_printed_with_its_warning(planned, capsys):
    print_audit(planned)
    printed = capsys.readouterr().out
    rows = {}
    for line in printed.splitlines():
        if line.startswith("│"):
            name, *cells = (cell.strip() for cell in line.strip("│").split("│"))
            rows[name] = cells
    assert printed.startswith("Pipeline: 9 clips, 3 subjects, loso, labels toy, seed 0\n")
    assert rows["honest: the last"] == [".750", ".778", ".778"]
    assert rows["leaked: the best on the fold's test clips"] == [".886", ".889", ".889"]
    assert rows["inflation: leaked - honest"] == ["+.136", "+.111", "+.111"]
    assert "in 2 of 3 folds the best epoch is not the last" in printed
    assert "the leaked figures are a lie" in printed
    assert "subjects shared" not in printed
