"""Work spread over a Dask cluster gives the same predictions as work done here."""

import os

import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from toyset.clips import Brightness, toy_clips
from toyset.estimators import process_and_value

from microexpr.core.errors import MicroexprError, ParameterError
from microexpr.pipelines.harness import run
from microexpr.pipelines.parallel import cluster, in_parallel

SVM = make_pipeline(Brightness(), StandardScaler(), SVC(kernel="linear"))


@pytest.fixture(scope="module")
def scheduler():
    """The address of a local cluster of two worker processes."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as local:
        yield local.scheduler_address


def test_a_cluster_gives_identical_predictions(scheduler, tmp_path):
    clips = toy_clips()
    with cluster("dask", scheduler):
        there = run(SVM, clips, store=tmp_path)
    pd.testing.assert_frame_equal(there, run(SVM, clips))


def test_the_work_is_done_by_the_clusters_processes(scheduler):
    with cluster("dask", scheduler):
        answers = dict(in_parallel(process_and_value, [(value,) for value in range(8)], n_jobs=1, prefer="processes"))
    assert {position: value for position, (_, value) in answers.items()} == dict(enumerate(range(8)))
    assert os.getpid() not in {pid for pid, _ in answers.values()}


def test_a_cluster_without_workers_is_refused():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as empty,
        pytest.raises(MicroexprError, match="has no workers; workers with microexpr"),
        cluster("dask", empty.scheduler_address),
    ):
        pass


@pytest.mark.parametrize(
    ("backend", "scheduler", "error", "message"),
    [
        ("ray", None, ParameterError, "must be one of 'local', 'dask'"),
        ("dask", None, ParameterError, "needs the scheduler's address"),
        ("local", "tcp://127.0.0.1:1", ParameterError, "only backend 'dask' takes one"),
        ("dask", "nonsense://x", MicroexprError, "no Dask scheduler answers at nonsense://x"),
    ],
)
def test_a_backend_that_cannot_work_is_refused_in_one_line(backend, scheduler, error, message):
    with pytest.raises(error, match=message), cluster(backend, scheduler):
        pass
