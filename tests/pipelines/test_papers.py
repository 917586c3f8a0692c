import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from toyset.clips import toy_clips

from microexpr.core.errors import ParameterError
from microexpr.pipelines import registry
from microexpr.pipelines.comparison import compare
from microexpr.pipelines.metrics import scores
from microexpr.pipelines.papers import rerun_papers, run_all
from microexpr.pipelines.registry import PaperRun, all_methods, method

CLIPS = toy_clips(n_subjects=6, per_class=2)


@pytest.fixture(autouse=True)
def _with_two_papers(monkeypatch):
    all_methods()
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))

    @method(
        "guess",
        reference="toy",
        paper=(
            PaperRun("kfold:3", {"strategy": "prior"}, accuracy=0.5),
            PaperRun("kfold:3", {"strategy": "uniform"}, accuracy=0.4, UF1=0.3),
            PaperRun("loso"),
        ),
    )
    def guess(*, random_state=None):
        """Guess."""
        return DummyClassifier(random_state=random_state)


def test_each_experiment_runs_under_its_protocol_and_settings():
    results = rerun_papers(["guess", "flow-svm"], CLIPS)
    assert list(results.comparisons) == ["kfold:3", "loso"]
    names = ["guess[strategy=prior]", "guess[strategy=uniform]"]
    assert [*results.comparisons["kfold:3"].predictions] == [*names, "majority"]
    assert [*results.comparisons["loso"].predictions] == ["guess", "flow-svm", "majority"]
    assert results.comparisons["kfold:3"].shared_subjects
    assert all(one.of_paper for one in results.comparisons.values())


def test_published_ours_and_majority_stand_side_by_side():
    results = rerun_papers(["guess"], CLIPS)
    table = results.table()
    assert [*table["metric"]] == ["accuracy", "accuracy", "UF1", "UF1"]
    np.testing.assert_array_equal(table["published"], [0.5, 0.4, 0.3, np.nan])
    assert [*table["subjects_shared"]] == [True, True, True, False]
    uniform = compare(["guess"], CLIPS, protocol="kfold:3", params={"strategy": "uniform"})
    own = scores(uniform.predictions["guess"], CLIPS.classes)
    assert table["ours"][1] == own["accuracy"]
    assert table["ours"][2] == own["UF1"]
    # Always one class of three, each a third of the clips: right in a third, F1 of that class 2/4.
    assert table["majority"][3] == pytest.approx((2 * (1 / 3) / (1 + 1 / 3)) / 3)


def test_one_protocol_is_one_comparison():
    results = run_all(["guess"], CLIPS, protocol="kfold:2")
    assert list(results.comparisons) == ["kfold:2"]
    assert results.failures == {}
    table = results.table()
    assert len(table) == 0
    assert list(table.columns) == list(rerun_papers(["guess"], CLIPS).table().columns)


def test_a_protocol_beside_those_of_the_papers_is_refused():
    with pytest.raises(ParameterError, match="protocol is decided by the papers"):
        rerun_papers(["guess"], CLIPS, protocol="loso")
