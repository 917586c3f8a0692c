"""Work spread over threads, processes or a Dask cluster: the same answers, and nothing left when it is stopped."""

import os
import threading

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from toyset.clips import Brightness, toy_clips
from toyset.estimators import Dying, process_and_value, write_into

from microexpr.core.errors import MicroexprError, ParameterError
from microexpr.pipelines.harness import run
from microexpr.pipelines.parallel import cluster, in_parallel

SVM = make_pipeline(Brightness(), StandardScaler(), SVC(kernel="linear"))


def test_functions_may_write_into_what_they_are_given():
    """As joblib shares large arrays, they would be read-only in other processes and only there."""
    n_values = 400_000
    tasks = [(np.zeros(n_values),) for _ in range(3)]
    answers = dict(in_parallel(write_into, tasks, n_jobs=2, prefer="processes"))
    assert answers == dict.fromkeys(range(3), float(n_values))


def test_a_worker_that_dies_is_an_error_and_the_folds_before_are_kept(tmp_path):
    """The last fold leaves out a subject of fewer clips, so its training set alone has as many."""
    clips = toy_clips(n_subjects=6).where([True] * 33 + [False] * 3)
    trigger = tmp_path / "fire"
    trigger.touch()
    dying = make_pipeline(Brightness(), Dying(trigger=str(trigger), n_train=30))
    with pytest.raises(MicroexprError, match="a worker process died") as caught:
        run(dying, clips, store=tmp_path / "out", n_jobs=2)
    assert "\n" not in str(caught.value)
    trigger.unlink()
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("out/runs/*/folds/*.json")}
    assert len(run(dying, clips, store=tmp_path / "out", n_jobs=2)) == 33
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("out/runs/*/folds/*.json")}
    assert {name: after[name] for name in before} == before


def test_threads_have_ended_when_the_work_is_stopped():
    before, begun, go = set(threading.enumerate()), [], threading.Event()

    def work(value):
        begun.append(value)
        if value > 0:
            go.wait(20)

    results = in_parallel(work, [(value,) for value in range(20)], n_jobs=2, prefer="threads")
    next(results)
    assert set(threading.enumerate()) > before
    # Stopping waits for the two calls under way; they end when this lets them, after what waits has been cancelled.
    release = threading.Timer(1.0, go.set)
    release.start()
    results.close()
    release.join()
    assert set(threading.enumerate()) == before
    # The first call and the two under way: those that waited behind them are not begun.
    assert len(begun) <= 3


def test_an_error_in_a_thread_ends_the_others_and_comes_out():
    before = set(threading.enumerate())
    tasks = [(1.0,), (0.0,), *[(1.0,)] * 50]
    with pytest.raises(ZeroDivisionError):
        list(in_parallel((1.0).__truediv__, tasks, n_jobs=2, prefer="threads"))
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize("n_jobs", [1, 2, -1])
def test_every_task_of_many_is_done_once_in_threads(n_jobs):
    answers = list(in_parallel(abs, [(-value,) for value in range(100)], n_jobs=n_jobs, prefer="threads"))
    assert sorted(answers) == [(value, value) for value in range(100)]


def test_stopping_early_says_nothing():
    """joblib would warn of the work that is thrown away; here that is an error, as all warnings are."""
    results = in_parallel(process_and_value, [(value,) for value in range(8)], n_jobs=2, prefer="processes")
    next(results)
    results.close()


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
