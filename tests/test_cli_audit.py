"""`audit`, end to end: what it prints and writes, and that its figures are those of its file."""

import csv
import json
from dataclasses import replace

import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score
from sklearn.pipeline import make_pipeline
from toyset.commandline import refused, snapshot
from toyset.study import write_study

from microexpr.deep import STSTNetClassifier
from microexpr.features import FlowMap
from microexpr.pipelines import registry
from microexpr.pipelines.registry import all_methods, method


@pytest.fixture(autouse=True)
def _toy_net(monkeypatch):
    all_methods()
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))

    @method("toy-net", reference="no paper", needs=("motion",))
    def toy(*, random_state=None):
        """STSTNet for three epochs."""
        return make_pipeline(FlowMap(method="dis"), STSTNetClassifier(epochs=3, lr=0.01, random_state=random_state))


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path / "CASME2")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "results"


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def shown(value):
    """A score as the tables print it."""
    return f"{value:.3f}".removeprefix("0") if value < 1 else "1.000"


def test_audit_prints_the_pooled_figures_of_the_file_it_writes(console, study, out):
    answer = console("audit", "toy-net", "--data", f"casme2={study}", "--out", out)
    assert answer.code == 0
    [folder] = out.glob("audit-toy-net-*")
    assert answer.out.startswith("toy-net: 9 clips, 3 subjects, loso, labels megc2019, seed 0\n")
    assert answer.out.splitlines()[-1] == str(folder / "audit.csv")
    rows = rows_of(folder / "audit.csv")
    assert list(rows[0]) == ["clip_id", "subject", "y_true", "honest", "leaked", "leaked_epoch"]
    truth = [row["y_true"] for row in rows]
    for kind, printed in (("honest", "honest: the last"), ("leaked", "leaked: the best on the fold's test clips")):
        predicted = [row[kind] for row in rows]
        assert answer.rows[printed] == [
            shown(f1_score(truth, predicted, average="macro")),
            shown(recall_score(truth, predicted, average="macro")),
            shown(accuracy_score(truth, predicted)),
        ]
    right = {kind: sum(row[kind] == row["y_true"] for row in rows) for kind in ("honest", "leaked")}
    assert right["leaked"] >= right["honest"]
    last = float(rows_of(folder / "curve.csv")[-1]["UF1"])
    assert shown(last) == answer.rows["honest: the last"][0]
    assert f"3 {shown(last)}\n" in answer.out
    assert "the leaked figures are a lie" in answer.out


def test_honest_predictions_are_those_that_compare_writes_beside_it(console, study, out):
    data = ("--data", f"casme2={study}", "--seed", 7, "--out", out)
    console("audit", "toy-net", *data)
    assert not (out / "runs").exists()
    assert console("compare", "toy-net", *data).code == 0
    [run] = out.glob("runs/toy-net-*")
    [folder] = out.glob("audit-*")
    honest = [(row["clip_id"], row["honest"]) for row in rows_of(folder / "audit.csv")]
    assert honest == [(row["clip_id"], row["y_pred"]) for row in rows_of(run / "predictions.csv")]


def test_a_second_audit_trains_nothing(console, study, out):
    arguments = ("audit", "toy-net", "--data", f"casme2={study}", "--out", out)
    first = console(*arguments)
    before = {path: stamp for path, stamp in snapshot(out).items() if "/folds/" in path}
    assert len(before) == 3
    assert console(*arguments).out == first.out
    assert before.items() <= snapshot(out).items()


def test_settings_and_protocol_reach_the_method(console, study, out):
    data = ("--data", f"casme2={study}", "--out", out)
    answer = console("audit", "toy-net", *data, "--protocol", "kfold:3", "--set", "ststnetclassifier__epochs=2")
    assert answer.code == 0
    assert ", kfold:3, " in answer.out
    assert "subjects shared" in answer.out
    [folder] = out.glob("audit-*")
    assert [row["epoch"] for row in rows_of(folder / "curve.csv")] == ["1", "2"]


MACRO = "synthetic-macro:n_subjects=1,clips_per_subject=3"


@pytest.mark.parametrize(("makes", "joins"), [("optional", True), ("ignored", False)])
def test_macro_expressions_join_the_training_as_in_compare(console, study, out, monkeypatch, makes, joins):
    monkeypatch.setitem(registry._METHODS, "toy-net", replace(registry._METHODS["toy-net"], auxiliary=makes))
    data = ("--data", f"casme2={study}", "--out", out)
    assert console("audit", "toy-net", *data, "--auxiliary", MACRO).code == 0
    [folder] = out.glob("audit-*")
    assert (json.loads((folder / "run.json").read_text())["auxiliary"] is not None) == joins
    console("compare", "toy-net", *data, "--auxiliary", MACRO)
    [run] = out.glob("runs/toy-net-*")
    honest = [(row["clip_id"], row["honest"]) for row in rows_of(folder / "audit.csv")]
    assert honest == [(row["clip_id"], row["y_pred"]) for row in rows_of(run / "predictions.csv")]


def test_a_method_that_needs_macro_expressions_says_so_in_one_line(console, study, out, monkeypatch):
    monkeypatch.setitem(registry._METHODS, "toy-net", replace(registry._METHODS["toy-net"], auxiliary="required"))
    answer = console("audit", "toy-net", "--data", f"casme2={study}", "--out", out)
    refused(answer, "toy-net learns from macro-expressions too: give it auxiliary clips (--auxiliary)")
    assert not out.exists()


def test_a_dask_cluster_gives_the_same_audit(console, study, tmp_path):
    distributed = pytest.importorskip("distributed")
    arguments = ("audit", "toy-net", "--data", f"casme2={study}", "--set", "ststnetclassifier__epochs=2")
    here = console(*arguments, "--out", tmp_path / "here")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as local:
        cluster = ("--backend", "dask", "--scheduler", local.scheduler_address)
        there = console(*arguments, "--out", tmp_path / "there", *cluster)
    assert there.code == 0
    assert there.out.splitlines()[:-1] == here.out.splitlines()[:-1]


def test_a_cluster_that_cannot_be_is_refused_in_one_line(console, study, out):
    arguments = ("audit", "toy-net", "--data", f"casme2={study}", "--out", out)
    refused(console(*arguments, "--backend", "dask"), "backend 'dask' needs the scheduler's address")
    refused(console(*arguments, "--scheduler", "tcp://127.0.0.1:8786"), "only backend 'dask' takes one")
    assert not out.exists()


def test_what_cannot_be_audited_is_refused_in_one_line(console, study, out):
    data = ("--data", f"casme2={study}", "--out", out)
    refused(console("audit", "flow-svm", *data), "'flow-svm' cannot be audited: its SVC is not trained in epochs")
    refused(console("audit", "toy-nett", *data), "did you mean 'toy-net'?")
    refused(console("audit", "toy-net", *data, "--set", "epochs=2"), "toy-net", "has no parameter 'epochs'")
    assert not out.exists()
