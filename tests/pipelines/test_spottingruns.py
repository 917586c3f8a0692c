"""Spotting leave-one-subject-out: thresholds learned from the others, folds kept, rows stored, nothing leaked."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from toyset.estimators import Failing, Witness
from toyset.levels import Heights, LearnedSpotter, LevelSpotter, level_videos, measure_levels

from microexpr.core.cache import feature_cache
from microexpr.core.errors import DataError, ParameterError, ResultsError
from microexpr.data.videos import VideoSet
from microexpr.pipelines import spottingsignals
from microexpr.pipelines.results import Store
from microexpr.pipelines.spottedtable import SPOTTED_COLUMNS, read_spotted
from microexpr.pipelines.spottingfolds import choose_threshold
from microexpr.pipelines.spottingmetrics import spotting_scores
from microexpr.pipelines.spottingruns import run_spotting, spotting_run

# Thresholds are 2, 4, 6, 8, 12. Expressions are 10 levels high, what else happens 5 for a and b, 7 for c.
SHOWN = {
    "casmesq/a/1": [(10, 13, 10), (30, 39, 10), (50, 52, 5)],
    "casmesq/b/1": [(12, 15, 10), (50, 52, 5)],
    "casmesq/c/1": [(20, 23, 10), (50, 52, 7)],
}
TRUE = {
    "casmesq/a/1": [(10, 13, "negative"), (30, 39, "positive")],
    "casmesq/b/1": [(12, 15, "positive")],
    "casmesq/c/1": [(20, 23, "negative")],
}


@pytest.fixture(autouse=True)
def _measure(monkeypatch):
    monkeypatch.setattr(spottingsignals, "measure_video", measure_levels)


@pytest.fixture(scope="module")
def videos():
    return level_videos(SHOWN, TRUE)


@pytest.fixture(scope="module")
def honest(videos, tmp_path_factory):
    """The run of each method on the videos as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROEXPR_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(spottingsignals, "measure_video", measure_levels)
        return {method.name: spotting_run(method, videos) for method in (LevelSpotter(), LearnedSpotter())}


def chosen(run):
    return [record["threshold"] for record in run.records]


# The threshold.


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([[2, 3, 0], [2, 1, 0], [2, 0, 0], [2, 0, 0], [0, 0, 2]], 3.0),  # 3 and 4 tie: the lower of the middle two
        ([[2, 0, 0], [2, 0, 0], [1, 0, 1], [2, 0, 0], [0, 0, 2]], 1.0),  # the widest stretch is 1 and 2
        ([[2, 0, 0], [1, 0, 1], [2, 0, 0], [1, 0, 1], [0, 0, 2]], 1.0),  # of stretches as wide the lower
        ([[0, 9, 2], [0, 5, 2], [0, 3, 2], [0, 1, 2], [0, 0, 2]], 3.0),  # never a hit: all tie at 0
        ([[1, 1, 0], [2, 2, 0], [1, 2, 0], [1, 9, 0], [0, 0, 1]], 1.0),  # equal fractions are ties: 2/3 is 4/6
    ],
)
def test_the_threshold_is_the_middle_of_the_widest_stretch_of_best_f1(counts, expected):
    threshold, curve = choose_threshold(np.arange(1.0, 6.0), np.array(counts))
    assert threshold == expected
    assert curve.tolist() == [2 * tp / (2 * tp + fp + fn) for tp, fp, fn in counts]


def test_without_a_true_expression_there_is_no_threshold():
    with pytest.raises(DataError, match="the training videos hold no expression"):
        choose_threshold(np.array([1.0]), np.array([[0, 4, 0]]))


def test_each_fold_takes_the_threshold_of_the_other_subjects(honest):
    run = honest["level"]
    # Without c, what else happens is 5 high: best at 6 and 8, of which the lower. With c it is 7 high too: best at 8.
    assert chosen(run) == [8.0, 8.0, 6.0]
    assert run.records[2]["train_F1"] == [2 * 3 / (6 + 2), 2 * 3 / (6 + 2), 1.0, 1.0, 0.0]
    # So c's 7 is found in its own fold.
    assert run.table.loc[run.table["fold"] == "casmesq/c", ["onset", "offset"]].to_numpy().tolist() == [
        [20, 23],
        [50, 52],
    ]


def test_rows_say_all_that_was_found(honest):
    table = honest["level"].table
    assert tuple(table.columns) == SPOTTED_COLUMNS
    assert table["video_id"].tolist() == ["casmesq/a/1"] * 2 + ["casmesq/b/1"] + ["casmesq/c/1"] * 2
    first = table.iloc[1]
    assert first[["method", "dataset", "protocol", "seed", "fold", "subject"]].tolist() == [
        *("level", "casmesq", "loso", 0, "casmesq/a", "casmesq/a")
    ]
    assert first[["onset", "apex", "offset", "kind", "score", "region", "duration", "threshold"]].tolist() == [
        *(30, 30, 39, "macro", 10.0, "mouth", 1.0, 8.0)
    ]


def test_the_scores_of_the_rows_are_those_worked_by_hand(honest, videos):
    table = honest["level"].table
    pooled = spotting_scores(videos.intervals, table, videos.videos)
    assert (pooled["TP"], pooled["FP"], pooled["FN"]) == (4, 1, 0)
    assert spotting_scores(videos.intervals, table, videos.videos, kind="macro")["F1"] == 1.0


def test_a_fold_in_which_nothing_is_found_is_a_result(tmp_path):
    quiet = {**SHOWN, "casmesq/d/1": []}
    videos = level_videos(quiet, {**TRUE, "casmesq/d/1": []})
    run = spotting_run(LevelSpotter(), videos, store=tmp_path)
    assert "casmesq/d/1" not in set(run.table["video_id"])
    assert run.records[3]["events"] == []
    pd.testing.assert_frame_equal(
        spotting_run(LevelSpotter(), videos, store=tmp_path, mode="read-only").table, run.table
    )


def test_nothing_found_at_all_is_a_table_with_its_columns(tmp_path):
    videos = level_videos({name: [] for name in SHOWN}, TRUE)
    table = run_spotting(LevelSpotter(), videos, store=tmp_path)
    assert (len(table), tuple(table.columns)) == (0, SPOTTED_COLUMNS)
    pd.testing.assert_frame_equal(read_spotted(next(tmp_path.glob("runs/*/intervals.csv"))), table)


# Nothing of the left-out subject reaches its fold.


def with_other_truth(subject, shown=None):
    """Return the set with garbage as one subject's truth, and other frames if `shown` tells them."""
    garbage = {**TRUE, f"{subject}/1": [(0, 59, "surprise")]}
    return level_videos({**SHOWN, f"{subject}/1": SHOWN[f"{subject}/1"] if shown is None else shown}, garbage)


@pytest.mark.parametrize("subject", ["casmesq/a", "casmesq/c"])
@pytest.mark.parametrize("method", [LevelSpotter(), LearnedSpotter()], ids=["level", "learned"])
def test_garbage_as_the_test_subjects_truth_changes_nothing_in_its_fold(honest, method, subject):
    told, lied = honest[method.name].table, run_spotting(method, with_other_truth(subject))
    own = told["fold"] == subject
    assert own.any()
    pd.testing.assert_frame_equal(
        told[own].drop(columns="run_key").reset_index(drop=True),
        lied[lied["fold"] == subject].drop(columns="run_key").reset_index(drop=True),
    )
    # The lie is told: other folds train on it.
    assert told["run_key"].iloc[0] != lied["run_key"].iloc[0]


@pytest.mark.parametrize("subject", ["casmesq/a", "casmesq/c"])
@pytest.mark.parametrize("method", [LevelSpotter(), LearnedSpotter()], ids=["level", "learned"])
def test_garbage_as_the_test_subjects_frames_leaves_threshold_and_model_identical(honest, method, subject):
    garbage = [(0, 3, 90), (8, 20, 3), (40, 44, 60)]
    number = sorted(SHOWN).index(f"{subject}/1")
    told = honest[method.name].records[number]
    lied = spotting_run(method, with_other_truth(subject, garbage)).records[number]
    assert told["threshold"] == lied["threshold"]
    assert told["train_F1"] == lied["train_F1"]
    assert told["events"] != lied["events"]


def test_a_learned_model_is_that_of_the_training_subjects(videos):
    shown = {**SHOWN, "casmesq/a/1": [(10, 13, 40), (30, 39, 40)]}
    run = spotting_run(LearnedSpotter(), level_videos(shown, TRUE))
    # a's 40 is judged by what b and c are used to, 10; b's 10 by the mean of a's two expressions and c's one.
    assert [event["score"] for event in run.records[0]["events"]] == [4.0, 4.0]
    assert run.records[1]["curves"]["casmesq/b/1"]["high"][12] == pytest.approx(10 / 30, abs=5e-5)


def test_the_threshold_of_a_learned_method_comes_from_videos_it_was_not_fitted_on():
    # Each subject is twice as bright as the one before: fitted on all three others, half the usual height is best;
    # asked about strangers, the dimmest is below it.
    shown = {f"casmesq/{name}/1": [(10, 13, height)] for name, height in zip("abcd", [10, 20, 40, 80], strict=True)}
    true = {video_id: [(10, 13, "negative")] for video_id in shown}
    run = spotting_run(LearnedSpotter(), level_videos(shown, true))
    # Fold d trains on a, b, c. Strangers' heights as parts of the mean of the other two: 10/30, 20/25, 40/15.
    hits = [sum(part >= threshold for part in (10 / 30, 20 / 25, 40 / 15)) for threshold in (0.25, 0.5, 0.75)]
    assert run.records[3]["train_F1"] == [2 * tp / (2 * tp + 3 - tp) for tp in hits]
    assert hits == [3, 2, 2]
    assert run.records[3]["threshold"] == 0.25


def test_a_learned_method_needs_two_training_subjects(videos):
    two = level_videos({name: SHOWN[name] for name in list(SHOWN)[:2]}, {name: TRUE[name] for name in list(SHOWN)[:2]})
    with pytest.raises(ResultsError, match="learned learns: its threshold needs 2 training subjects, there is 1"):
        run_spotting(LearnedSpotter(), two)


# Recognition.

RECOGNIZER = make_pipeline(Heights(), SVC(kernel="linear", C=1000.0))
# Positive expressions are brighter than negative ones, surprise is brighter still.
TOLD = {
    **{f"casmesq/{name}/1": [(10, 13, 10), (30, 33, 30), (40, 42, 60)] for name in "abc"},
    "casmesq/d/1": [(10, 13, 10), (30, 33, 30), (40, 42, 60), (50, 52, 9)],
}
EMOTIONS = {video_id: [(10, 13, "negative"), (30, 33, "positive"), (40, 42, "surprise")] for video_id in TOLD}


def test_found_expressions_are_named_by_a_recognizer_trained_on_the_others():
    videos = level_videos(TOLD, EMOTIONS)
    table = run_spotting(LevelSpotter(), videos, recognizer=RECOGNIZER)
    assert table["label"].tolist() == ["negative", "positive", "surprise"] * 4 + ["negative"]
    true = videos.intervals.assign(label=videos.intervals["emotion"])
    pooled = spotting_scores(true, table, videos.videos)
    # 12 hits, 1 false positive, all hits named rightly: STRS is F1.
    assert pooled["STRS"] == pooled["F1"] == pytest.approx(24 / 25)


def test_the_recognizer_sees_the_training_subjects_clips_alone():
    videos = level_videos(TOLD, EMOTIONS)
    table = run_spotting(LevelSpotter(), videos, recognizer=make_pipeline(Heights(), Witness()))
    # Three clips of each of the three other subjects; none of them auxiliary.
    shares = table[["proba_negative", "proba_positive", "proba_surprise"]].to_numpy().tolist()
    assert shares == [[9.0, 0.0, 3.0]] * 13


def test_garbage_as_the_test_subjects_truth_leaves_the_names_of_its_expressions():
    videos = level_videos(TOLD, EMOTIONS)
    lied = level_videos(
        TOLD, {**EMOTIONS, "casmesq/b/1": [(10, 13, "positive"), (30, 33, "negative"), (40, 42, "surprise")]}
    )
    told, other = (
        run_spotting(LevelSpotter(), one, recognizer=RECOGNIZER).drop(columns="run_key") for one in (videos, lied)
    )
    own = told["fold"] == "casmesq/b"
    pd.testing.assert_frame_equal(told[own], other[own])


def test_what_cannot_be_named_is_unnamed_and_counts_as_wrong(videos):
    # The toy's apex is its first frame, and flow from a frame to itself shows nothing: flow-svm cannot be asked.
    table = run_spotting(LevelSpotter(), videos, recognizer="flow-svm", recognizer_params={"flowmap__method": "dis"})
    assert set(table["label"]) == {"unnamed"}
    pooled = spotting_scores(videos.intervals.assign(label=videos.intervals["emotion"]), table, videos.videos)
    assert (pooled["TP"], pooled["UF1"]) == (4, 0.0)


def test_recognizers_without_probabilities_are_taken(videos):
    table = run_spotting(LevelSpotter(), videos, recognizer=make_pipeline(Heights(), SVC(kernel="linear")))
    assert {"score_negative", "score_positive"} <= set(table)
    table = run_spotting(LevelSpotter(), videos, recognizer=make_pipeline(Heights(), DummyClassifier()))
    assert {"proba_negative", "proba_positive"} <= set(table)


# What is kept.


def folds_of(store):
    return sorted(store.glob("runs/*/folds/*.json"))


def test_a_killed_run_goes_on_where_it_stopped(tmp_path, videos):
    whole = run_spotting(LevelSpotter(), videos, recognizer=RECOGNIZER, store=tmp_path)
    gone, cut, kept = folds_of(tmp_path)
    gone.unlink()
    cut.write_text(cut.read_text()[:40])
    stamp = kept.stat().st_mtime_ns
    next(tmp_path.glob("runs/*/intervals.csv")).unlink()
    pd.testing.assert_frame_equal(run_spotting(LevelSpotter(), videos, recognizer=RECOGNIZER, store=tmp_path), whole)
    assert kept.stat().st_mtime_ns == stamp
    assert json.loads(cut.read_text())["fold"] == "casmesq/b"


def test_a_second_run_computes_nothing(tmp_path, videos, monkeypatch):
    first = run_spotting(LevelSpotter(), videos, store=tmp_path)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr(spottingsignals, "measure_video", None)
    pd.testing.assert_frame_equal(run_spotting(LevelSpotter(), videos, store=tmp_path, mode="read-only"), first)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == stamps


def test_the_stored_table_is_the_one_returned(tmp_path, videos):
    table = run_spotting(LevelSpotter(), videos, recognizer=RECOGNIZER, store=tmp_path)
    pd.testing.assert_frame_equal(read_spotted(next(tmp_path.glob("runs/*/intervals.csv"))), table)


def test_what_is_missing_is_said_when_nothing_may_be_computed(tmp_path, videos):
    Store(tmp_path)
    with pytest.raises(ResultsError, match="level: 3 of 3 folds are missing"):
        run_spotting(LevelSpotter(), videos, store=tmp_path, mode="read-only")


def test_overwrite_computes_anew(tmp_path, videos):
    first = run_spotting(LevelSpotter(), videos, store=tmp_path)
    one = folds_of(tmp_path)[0]
    one.write_text(one.read_text().replace('"threshold": 8.0', '"threshold": 7.5'))
    assert run_spotting(LevelSpotter(), videos, store=tmp_path)["threshold"].iloc[0] == 7.5
    pd.testing.assert_frame_equal(run_spotting(LevelSpotter(), videos, store=tmp_path, mode="overwrite"), first)


def test_two_jobs_give_the_same_rows(videos):
    # Other processes know nothing of the toy's way of measuring: what was measured is there already.
    one = run_spotting(LevelSpotter(), videos, recognizer=RECOGNIZER, n_jobs=1)
    pd.testing.assert_frame_equal(run_spotting(LevelSpotter(), videos, recognizer=RECOGNIZER, n_jobs=2), one)


def test_videos_are_measured_once_for_all_parameters_of_the_decision(videos, monkeypatch):
    asked = []

    def spy(method, frames, *, fps, name):
        asked.append((name, method.gain))
        return measure_levels(method, frames, fps=fps, name=name)

    monkeypatch.setattr(spottingsignals, "measure_video", spy)
    run_spotting(LevelSpotter(), videos)
    run_spotting(LevelSpotter(threshold=3.0, longest_micro=0.2), videos)
    assert asked == [(video_id, 1.0) for video_id in sorted(SHOWN)]
    run_spotting(LevelSpotter(gain=0.9), videos)
    assert len(asked) == 6


def test_other_frames_truth_parameters_and_recognizers_are_other_runs(videos):
    runs = [
        run_spotting(LevelSpotter(), videos),
        run_spotting(LevelSpotter(longest_micro=0.3), videos),
        run_spotting(LevelSpotter(), videos, seed=1),
        run_spotting(LevelSpotter(), videos, recognizer=RECOGNIZER),
        run_spotting(LevelSpotter(), with_other_truth("casmesq/a")),
        run_spotting(LevelSpotter(), level_videos({**SHOWN, "casmesq/b/1": [(12, 15, 11)]}, TRUE)),
    ]
    assert len({table["run_key"].iloc[0] for table in runs}) == len(runs)
    # The method's own threshold is never used, so it makes no other run.
    assert run_spotting(LevelSpotter(threshold=1.0), videos)["run_key"].iloc[0] == runs[0]["run_key"].iloc[0]


# What is refused, and what fails.


def test_one_subject_cannot_be_left_out():
    with pytest.raises(DataError, match="the videos show 1 subject; leaving one out needs 2 at least"):
        run_spotting(LevelSpotter(), level_videos({"casmesq/a/1": []}, {"casmesq/a/1": []}))


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("flow", {"params": {"threshold": 3.0}}, "threshold cannot be set"),
        ("flow", {"params": {"treshold": 3.0}}, "flow has no parameter treshold"),
        ("wave", {}, "method is 'wave': it must be one of 'flow'"),
        (SVC(), {}, "method is a SVC: it must be a name or a SpottingMethod"),
        (LevelSpotter(), {"params": {"gain": 2.0}}, "params are for named methods"),
        (LevelSpotter(), {"labels": "megc2019"}, "only a recognizer names expressions"),
        (LevelSpotter(), {"seed": -1}, "seed is -1"),
        (LevelSpotter(), {"mode": "fast"}, "mode is 'fast'"),
    ],
)
def test_what_is_not_allowed_is_refused_before_anything_is_measured(videos, monkeypatch, method, options, words):
    monkeypatch.setattr(spottingsignals, "measure_video", None)
    with pytest.raises(ParameterError, match=words):
        run_spotting(method, videos, **options)


def test_a_video_that_cannot_be_measured_is_named_and_the_others_are_kept(videos, monkeypatch):
    def failing(method, frames, *, fps, name):
        if name == "casmesq/b/1":
            raise DataError("no face is found in any of the 60 frames")
        return measure_levels(method, frames, fps=fps, name=name)

    monkeypatch.setattr(spottingsignals, "measure_video", failing)
    said = "level: 1 of 3 videos cannot be measured; casmesq/b/1: no face is found in any of the 60 frames"
    with pytest.raises(DataError, match=said):
        run_spotting(LevelSpotter(), videos)
    assert len(list(feature_cache().folder.glob("*/*.npy"))) == 2 * 2


def test_a_video_without_a_frame_rate_is_named(videos):
    table = videos.videos.copy()
    table.loc["casmesq/c/1", "fps"] = pd.NA
    with pytest.raises(DataError, match="casmesq/c/1: its frame rate is unknown"):
        run_spotting(LevelSpotter(), VideoSet(table, videos.intervals, videos.sources))


def test_fewer_frames_than_are_listed_are_told(videos):
    table = videos.videos.assign(n_frames=61)
    with pytest.raises(DataError, match="casmesq/a/1: 60 frames were read, and 61 are listed"):
        run_spotting(LevelSpotter(), VideoSet(table, videos.intervals, videos.sources))


def test_a_fold_that_fails_is_recorded_beside_and_the_run_has_no_rows(tmp_path):
    # Only a holds expressions: leaving it out leaves nothing to learn from.
    videos = level_videos(SHOWN, {**{name: [] for name in SHOWN}, "casmesq/a/1": TRUE["casmesq/a/1"]})
    with pytest.raises(ResultsError, match="1 of 3 folds failed, so it has no score; fold casmesq/a: the training"):
        run_spotting(LevelSpotter(), videos, store=tmp_path)
    assert len(folds_of(tmp_path)) == 2
    [failure] = tmp_path.glob("runs/*/failures/*.json")
    assert "hold no expression" in json.loads(failure.read_text())["error"]
    assert not list(tmp_path.glob("runs/*/intervals.csv"))


def test_a_recognizer_that_fails_fails_its_folds(tmp_path, videos):
    trigger = tmp_path / "trigger"
    trigger.touch()
    recognizer = make_pipeline(Heights(), Failing(trigger=str(trigger)))
    with pytest.raises(ResultsError, match="3 of 3 folds failed, so it has no score; fold casmesq/a: RuntimeError"):
        run_spotting(LevelSpotter(), videos, recognizer=recognizer)
