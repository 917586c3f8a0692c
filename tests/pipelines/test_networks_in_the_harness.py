"""Networks in the harness: auxiliary clips, going on after a kill, and what a fold keeps for the report."""

import os
import signal
import subprocess
import sys
import time
from typing import ClassVar

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from toyset.clips import Brightness, toy_clips

from microexpr.core.base import ClipMap
from microexpr.core.errors import DataError, NeedsError
from microexpr.data import make_clips, make_macro_clips
from microexpr.deep.ststnet import STSTNet
from microexpr.pipelines import registry
from microexpr.pipelines.comparison import compare
from microexpr.pipelines.harness import run
from microexpr.pipelines.prefix import for_auxiliary
from microexpr.pipelines.registry import all_methods, build, method
from microexpr.pipelines.report.html import write_report
from microexpr.pipelines.results import Store

CLIPS = make_clips(n_subjects=3, clips_per_subject=3, size=(64, 56), duration=(0.08, 0.12), fps=100.0)
MACRO = make_macro_clips(n_subjects=2, clips_per_subject=3, size=(64, 56))
FAST = {"flowmap__method": "dis", "ststnetclassifier__epochs": 2}


class Brighter(ClipMap):
    """Adds more to auxiliary clips."""

    version = 1

    def __init__(self, domain=0):
        self.domain = domain

    def map_clip(self, clip):
        return np.minimum(clip.frames() // 2 + 100 * self.domain, 255).astype(np.uint8)


class Brightest(SVC):
    """Its decision values are the brightest own and the brightest auxiliary training row."""

    __metadata_request__fit: ClassVar = {"domain": True}

    def fit(self, X, y, domain=None):
        super().fit(X, y)
        self.seen_ = [X[domain == 0].max(), X[domain == 1].max()]
        return self

    def decision_function(self, X):
        return np.tile([*self.seen_, 0.0], (len(X), 1))


def test_steps_with_a_domain_know_auxiliary_clips():
    own, extra = toy_clips(n_subjects=3, per_class=1), toy_clips(n_subjects=2, per_class=1, dataset="other")
    result = run(make_pipeline(Brighter(), Brightness(), Brightest()), own, auxiliary=extra)
    first, second = (result[f"score_{label}"] for label in own.classes[:2])
    assert (second > first + 50).all()


def test_of_a_pipeline_all_nested_domains_are_set():
    pipeline = make_pipeline(Brighter(), Brightness())
    assert for_auxiliary(pipeline).get_params()["brighter__domain"] == 1
    assert pipeline.get_params()["brighter__domain"] == 0


def test_a_method_that_needs_auxiliary_clips_says_so():
    with pytest.raises(NeedsError, match=r"nmer\+emr\+adversarial learns from macro-expressions too: give it"):
        run("nmer+emr+adversarial", CLIPS)
    with pytest.raises(NeedsError, match="learns from macro-expressions too"):
        compare(["nmer+emr+adversarial"], CLIPS)


def test_auxiliary_clips_of_an_unknown_class_are_refused():
    with pytest.raises(DataError, match="auxiliary clips have the class 'fear'"):
        run("flow-svm", CLIPS, auxiliary=make_macro_clips(n_subjects=1, clips_per_subject=1, classes=("fear",)))


def test_a_comparison_gives_auxiliary_clips_to_those_that_learn_from_them(monkeypatch):
    monkeypatch.setattr(registry, "_METHODS", dict(all_methods()))
    for name, makes in (("with", "optional"), ("without", "ignored")):

        @method(name, reference="no paper", auxiliary=makes)
        def builder(*, random_state=None):
            """Write down what it saw."""
            from toyset.estimators import Witness

            return make_pipeline(Brightness(), Witness())

    own, extra = toy_clips(n_subjects=3, per_class=1), toy_clips(n_subjects=2, per_class=1, dataset="other")
    predictions = compare(["with", "without"], own, auxiliary=extra).predictions
    # Witness tells the number of training clips, of auxiliary ones, and of subjects.
    columns = [f"proba_{label}" for label in own.classes]
    seen = {name: predictions[name][columns].iloc[0].tolist() for name in ("with", "without")}
    assert seen == {"with": [12.0, 6.0, 4.0], "without": [6.0, 0.0, 2.0]}


def test_the_three_of_the_ablation_run_beside_each_other():
    names = ["nmer", "nmer+emr", "nmer+emr+adversarial"]
    result = compare(names, CLIPS, auxiliary=MACRO, params=dict(all_methods()["nmer"].tiny))
    assert result.failures == {}
    assert [*result.predictions] == [*names, "majority"]


def test_predictions_are_the_same_whatever_the_jobs():
    first = run("ststnet", CLIPS, params=FAST)
    second = run("ststnet", CLIPS, params=FAST, n_jobs=2)
    assert first.equals(second)
    assert not first.equals(run("ststnet", CLIPS, params=FAST, seed=1))


def test_a_fold_keeps_curves_and_attention(tmp_path):
    table = run("ststnet", CLIPS, params=FAST, store=tmp_path)
    records = Store(tmp_path).find(table["run_key"].iloc[0], "ststnet").records()
    assert [len(record["curves"]["train_class"]) for record in records] == [2, 2, 2]
    for record in records:
        maps = np.array(record["attention"])
        assert maps.shape == (len(record["clip_ids"]), 10, 10)
        assert 0 <= maps.min() <= maps.max() <= 1
    assert not list((tmp_path / "runs").glob("*/checkpoints"))


def test_a_network_without_feature_maps_is_scored_without_attention(tmp_path, monkeypatch):
    expected = run("ststnet", CLIPS, params=FAST)
    monkeypatch.setattr(STSTNet, "attention_layer", "")
    table = run("ststnet", CLIPS, params=FAST, store=tmp_path)
    assert table.equals(expected)
    records = Store(tmp_path).find(table["run_key"].iloc[0], "ststnet").records()
    assert ["attention" in record for record in records] == [False] * 3
    assert len(records[0]["curves"]["train_class"]) == 2


def test_the_report_shows_curves_and_attention(tmp_path):
    result = compare(["ststnet"], CLIPS, params=FAST, store=tmp_path)
    page = write_report(result, Store(tmp_path)).read_text()
    assert "Losses by epoch" in page
    assert page.count("data:image/png;base64,") == len(CLIPS.classes)
    assert "mind its licence" in page


_LONG = """
import sys
from microexpr.data import make_clips
from microexpr.deep import _checkpoints
from microexpr.pipelines.harness import run
_checkpoints._SECONDS_BETWEEN = 0.0
clips = make_clips(n_subjects=3, clips_per_subject=3, size=(64, 56), duration=(0.08, 0.12), fps=100.0)
params = {"flowmap__method": "dis", "ststnetclassifier__epochs": int(sys.argv[2])}
run("ststnet", clips, store=sys.argv[1], params=params)
"""


def test_a_killed_fold_goes_on_from_its_last_epoch(tmp_path):
    n_epochs = 150
    process = subprocess.Popen(
        [sys.executable, "-c", _LONG, str(tmp_path), str(n_epochs)], env={**os.environ, "PYTHONWARNINGS": "ignore"}
    )
    kept = None
    deadline = time.monotonic() + 60
    while kept is None and time.monotonic() < deadline and process.poll() is None:
        kept = next(tmp_path.glob("runs/*/checkpoints/*.safetensors"), None)
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert kept is not None, "no checkpoint was written within a minute"
    params = {**FAST, "ststnetclassifier__epochs": n_epochs}
    resumed = run("ststnet", CLIPS, store=tmp_path, params=params)
    assert not list(tmp_path.glob("runs/*/checkpoints"))
    whole = run("ststnet", CLIPS, params=params)
    assert resumed.equals(whole)


def test_two_builds_of_a_network_have_one_key():
    from microexpr.core.digest import digest

    assert digest(build("ststnet", random_state=0)) == digest(build("ststnet", random_state=0))
    assert digest(build("ststnet", random_state=0)) == digest(
        build("ststnet", random_state=0).set_params(ststnetclassifier__device="cpu")
    )
