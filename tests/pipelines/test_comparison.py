import pandas as pd
import pytest
from toyset.clips import toy_clips

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, NeedsError, ParameterError, ResultsError
from microexpr.pipelines import comparison as module
from microexpr.pipelines.comparison import compare
from microexpr.pipelines.harness import run
from microexpr.pipelines.metrics import scores
from microexpr.pipelines.statistics import bootstrap_interval

CLIPS = toy_clips(n_subjects=4)


def test_the_majority_row_is_always_there_and_named_once():
    assert list(compare(["majority"], CLIPS).predictions) == ["majority"]
    assert list(compare(["flow-svm"], CLIPS, params={"flowmap__method": "dis"}).predictions) == ["flow-svm", "majority"]


def test_the_table_is_computed_from_the_predictions():
    both = CLIPS.concat(toy_clips(n_subjects=3, dataset="other", seed=1))
    compared = compare(["majority"], both)
    row = compared.table(n_resamples=200).loc["majority"]
    table = run("majority", both)
    interval = bootstrap_interval(table, both.classes, metric="UAR", n_resamples=200)
    assert row["UF1"] == scores(table, both.classes)["UF1"]
    assert (row["UAR"], row["UAR_low"], row["UAR_high"]) == (interval.estimate, interval.low, interval.high)
    part = table[table["dataset"] == "other"]
    assert row["other_UF1"] == scores(part, both.classes)["UF1"]
    assert (row["clips"], row["subjects"]) == (42, 7)


def test_a_parameter_goes_to_the_methods_that_have_it():
    compared = compare(["flow-svm"], CLIPS, params={"flowmap__method": "dis", "svc__C": 0.1})
    assert compared.params == {"flow-svm": {"flowmap__method": "dis", "svc__C": 0.1}}


def test_what_the_name_of_a_variant_sets_stays_as_named():
    compared = compare(["flow-svm[svc__C=0.01]", "flow-svm"], CLIPS, params={"flowmap__method": "dis", "svc__C": 5.0})
    assert compared.params == {
        "flow-svm[svc__C=0.01]": {"flowmap__method": "dis"},
        "flow-svm": {"flowmap__method": "dis", "svc__C": 5.0},
    }


@pytest.mark.parametrize(
    ("methods", "options", "error", "message"),
    [
        ([], {}, ParameterError, "name at least one"),
        (["majority", "majority"], {}, ParameterError, "named twice: majority"),
        (["majority", "nothing"], {}, ParameterError, "unknown method 'nothing'"),
        (["majority"], {"params": {"svc__C": 1}}, ParameterError, "none of majority has a parameter 'svc__C'"),
        (["majority"], {"protocol": "loo"}, ParameterError, "protocol is 'loo'"),
        (["majority"], {"mode": "x"}, ParameterError, "mode is 'x'"),
        (["majority"], {"seed": -1, "protocol": "kfold:2"}, ParameterError, "seed is -1"),
        (["majority"], {"seed": 2**32}, ParameterError, "seed is 4294967296: it must be at most 4294967295"),
        (["majority"], {"n_jobs": 0}, ParameterError, "n_jobs is 0"),
        (["majority"], {"protocol": "kfold:20"}, DataError, "kfold:20 needs 20 clips of each class"),
        (["flow-svm"], {"params": {"flowmap__size": 0}}, ParameterError, "method 'flow-svm': size is 0"),
        (["flow-svm"], {"params": {"svc__C": -1}}, ParameterError, "method 'flow-svm': The 'C' parameter"),
    ],
)
def test_all_that_can_be_refused_is_refused_before_anything_runs(
    methods, options, error, message, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "run", lambda *args, **kwargs: pytest.fail("something ran"))
    with pytest.raises(error, match=message):
        compare(methods, CLIPS, store=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_method_that_fails_is_listed_and_the_others_are_scored(monkeypatch):
    def failing(name, *args, **kwargs):
        if name == "flow-svm":
            raise ResultsError("flow-svm: 1 of 4 folds failed")
        return run(name, *args, **kwargs)

    monkeypatch.setattr(module, "run", failing)
    compared = compare(["flow-svm", "majority"], CLIPS)
    assert compared.failures == {"flow-svm": "flow-svm: 1 of 4 folds failed"}
    assert list(compared.table(n_resamples=50).index) == ["majority"]


def test_clips_without_an_apex_are_refused_or_left_out_by_name():
    table = CLIPS.table.copy()
    table.loc["toy/s00/ne0", "apex"] = None
    lacking = ClipSet(table, CLIPS.sources, classes=CLIPS.classes, labels="toy")
    params = {"flowmap__method": "dis"}
    with pytest.raises(NeedsError, match=r"toy/s00/ne0.*--allow-incomplete"):
        compare(["flow-svm"], lacking, params=params)
    compared = compare(["flow-svm"], lacking, params=params, allow_incomplete=True)
    assert all(len(table) == len(CLIPS) - 1 for table in compared.predictions.values())
    assert compared.findings["clip_id"].tolist() == ["toy/s00/ne0"]


def test_a_data_set_is_not_left_out_whole():
    table = CLIPS.table.assign(apex=None)
    lacking = ClipSet(table, CLIPS.sources, classes=CLIPS.classes, labels="toy")
    with pytest.raises(NeedsError, match="24 clips have none") as caught:
        compare(["flow-svm"], lacking.concat(toy_clips(dataset="other", seed=1)), allow_incomplete=True)
    assert "--allow-incomplete" not in str(caught.value)


def test_the_parameters_of_one_method_are_checked_even_if_it_is_named_last(monkeypatch):
    monkeypatch.setattr(module, "run", lambda *args, **kwargs: pytest.fail("something ran"))
    with pytest.raises(ParameterError, match="'flow-svm'"):
        compare(["majority", "flow-svm"], CLIPS, params={"flowmap__method": "magic"})


def test_methods_may_come_in_any_order_and_keep_it():
    compared = compare(["majority", "flow-svm"], CLIPS, params={"flowmap__method": "dis"})
    assert list(compared.predictions) == list(compared.table(n_resamples=50).index) == ["majority", "flow-svm"]


def test_a_protocol_that_shares_subjects_is_marked():
    assert compare(["majority"], CLIPS, protocol="kfold:3").shared_subjects is True
    assert compare(["majority"], CLIPS).shared_subjects is False


def test_a_class_without_clips_is_noted():
    compared = compare(["majority"], CLIPS.where(label=["negative", "positive"]))
    assert compared.notes() == ["no clip is surprise: scored over negative, positive"]
    assert isinstance(compared.table(n_resamples=50), pd.DataFrame)
