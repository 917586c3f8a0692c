"""Scores of spotting: what is undefined, recognition on hits, and intervals over subjects."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from toyset.spottingcases import CASES, counts, table, tables, videos_of

from microexpr.core.errors import DataError, ParameterError
from microexpr.pipelines.spottingmetrics import spotting_interval, spotting_scores

# What is undefined


def test_nothing_true_and_nothing_found_has_no_f1():
    nothing = table([], label=[])
    scored = spotting_scores(nothing, nothing, videos_of("toy/a/1"))
    assert counts(scored) == (0, 0, 0)
    assert all(math.isnan(scored[name]) for name in ("F1", "precision", "recall", "STRS", "UF1", "UAR", "accuracy"))
    assert scored["note"].startswith("nothing is true and nothing was found: there is no F1")


def test_nothing_found_has_an_f1_of_0_and_no_precision():
    scored = spotting_scores(table([("toy/a/1", 0, 9)], label="fear"), table([], label=[]), videos_of("toy/a/1"))
    assert (scored["F1"], scored["recall"], scored["STRS"]) == (0, 0, 0)
    assert math.isnan(scored["precision"])
    assert scored["note"] == "nothing was found: there is no precision; there is no hit: recognition is not scored"


def test_nothing_true_has_an_f1_of_0_and_no_recall():
    scored = spotting_scores(table([], label=[]), table([("toy/a/1", 0, 9)], label="fear"), videos_of("toy/a/1"))
    assert (scored["F1"], scored["precision"], scored["STRS"]) == (0, 0, 0)
    assert math.isnan(scored["recall"])
    assert scored["note"].startswith("nothing is true: there is no recall")


def test_tables_without_rows_need_no_types():
    empty = pd.DataFrame(columns=["video_id", "onset", "offset"])
    assert counts(spotting_scores(empty, empty, videos_of("toy/a/1"))) == (0, 0, 0)


# Recognition on hits


def labelled(pairs):
    """One video a pair of labels: a hit of that truth and answer; None in place of the answer is a miss."""
    video_ids = [f"toy/s{position}/1" for position in range(len(pairs))]
    true = table([(video_id, 10, 19) for video_id in video_ids], label=[truth for truth, _ in pairs])
    answers = [(video_id, answer) for video_id, (_, answer) in zip(video_ids, pairs, strict=True) if answer]
    found = table([(name, 10, 19) for name, _ in answers], label=[answer for _, answer in answers])
    return true, found, videos_of(*video_ids)


def test_recognition_is_scored_on_the_hits_and_multiplied_with_the_f1_of_spotting():
    # Hits: fear 2 right and 1 taken for disgust; disgust 1 right. Two misses of fear.
    pairs = [("fear", "fear"), ("fear", "fear"), ("fear", "disgust"), ("disgust", "disgust"), *[("fear", None)] * 2]
    scored = spotting_scores(*labelled(pairs))
    assert counts(scored) == (4, 0, 2)
    assert scored["n_recognized"] == 4
    assert scored["F1"] == pytest.approx(8 / 10)
    # F1 of fear 4 / 5, of disgust 2 / 3; recall 2 / 3 and 1.
    assert scored["UF1"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert scored["UAR"] == pytest.approx((2 / 3 + 1) / 2)
    assert scored["accuracy"] == pytest.approx(3 / 4)
    assert scored["STRS"] == pytest.approx(8 / 10 * (4 / 5 + 2 / 3) / 2)
    assert (scored["absent"], scored["note"]) == ((), "")


def test_a_label_without_a_hit_is_left_out_of_the_means_and_named():
    pairs = [("fear", "fear"), ("fear", "surprise"), ("disgust", None)]
    scored = spotting_scores(*labelled(pairs))
    # Fear: one right, one missed. Surprise is nobody's label, an error of fear alone.
    assert scored["UF1"] == pytest.approx(2 / 3)
    assert scored["UAR"] == scored["accuracy"] == 0.5
    assert scored["absent"] == ("disgust",)
    assert scored["note"] == "no hit is disgust: recognition is scored over fear"


def test_labels_of_what_is_no_hit_do_not_count():
    true, found, videos = labelled([("fear", "fear")])
    alarm = table([("toy/s0/1", 50, 59)], label="disgust")
    scored = spotting_scores(true, pd.concat([alarm, found]), videos)
    assert (scored["UF1"], scored["accuracy"], scored["n_recognized"]) == (1, 1, 1)
    assert scored["STRS"] == scored["F1"] == pytest.approx(2 / 3)


def test_a_right_label_does_not_choose_the_partner():
    true = table([("toy/a/1", 10, 19)], label="fear")
    found = table([("toy/a/1", 10, 18), ("toy/a/1", 10, 17)], label=["disgust", "fear"])
    assert spotting_scores(true, found, videos_of("toy/a/1"))["accuracy"] == 0


def test_a_hit_without_a_true_label_counts_for_spotting_alone():
    scored = spotting_scores(*labelled([("fear", "fear"), (None, "disgust"), (None, "fear")]))
    assert (scored["F1"], scored["UF1"], scored["n_recognized"], scored["STRS"]) == (1, 1, 1, 1)
    assert scored["note"] == "2 of 3 hits have no true label: recognition is scored without them"
    nameless = spotting_scores(*labelled([(None, "fear")]))
    assert nameless["F1"] == 1
    assert math.isnan(nameless["STRS"])
    assert nameless["note"] == "no hit has a true label: recognition is not scored"


def test_without_labels_spotting_is_scored_and_recognition_is_not():
    true, found, videos = labelled([("fear", "fear")])
    for one, other, words in (
        (true.drop(columns="label"), found, "no column label in true"),
        (true, found.drop(columns="label"), "no column label in found"),
        (true.drop(columns="label"), found.drop(columns="label"), "no column label in true and found"),
    ):
        scored = spotting_scores(one, other, videos)
        assert scored["F1"] == 1
        assert all(math.isnan(scored[name]) for name in ("UF1", "UAR", "accuracy", "STRS"))
        assert scored["note"] == f"{words}: recognition is not scored"


# Subjects drawn


def test_the_interval_of_three_subjects_equals_the_quantiles_of_all_27_draws():
    true, found, videos = tables(CASES)
    by_subject = [(2, 1, 2), (1, 5, 3), (3, 1, 0)]
    drawn = []
    for people in itertools.product(by_subject, repeat=3):
        hits, alarms, misses = map(sum, zip(*people, strict=True))
        drawn.append(2 * hits / (2 * hits + alarms + misses))
    steps, numbers = np.unique(np.round(drawn, 12), return_counts=True)
    shares = np.cumsum(numbers) / 27
    # 0.07 and 0.93 lie within steps, so that chance cannot move the quantiles.
    assert np.abs(shares - 0.07).min() > 0.02
    assert np.abs(shares - 0.93).min() > 0.02
    interval = spotting_interval(true, found, videos, confidence=0.86, n_resamples=20_000)
    assert interval.low == pytest.approx(steps[np.searchsorted(shares, 0.07)])
    assert interval.high == pytest.approx(steps[np.searchsorted(shares, 0.93)])
    assert (interval.metric, interval.estimate, interval.n_clips, interval.n_subjects) == ("F1", 0.5, 11, 3)


def test_strs_of_a_draw_multiplies_both_scores_of_the_same_subjects():
    # One subject hits and names rightly, the other misses one of two and names wrongly.
    true = table([("toy/a/1", 0, 9), ("toy/b/1", 0, 9), ("toy/b/1", 20, 29)], label="fear")
    found = table([("toy/a/1", 0, 9), ("toy/b/1", 0, 9)], label=["fear", "disgust"])
    videos = videos_of("toy/a/1", "toy/b/1")
    interval = spotting_interval(true, found, videos, metric="STRS", confidence=0.9)
    # Both: F1 4 / 5, UF1 2 / 3. One alone: 1 and 1, or 2 / 3 and 0; each in a quarter of the draws.
    assert interval.estimate == pytest.approx(spotting_scores(true, found, videos)["STRS"]) == pytest.approx(8 / 15)
    assert (interval.low, interval.high) == (0, 1)
    narrow = spotting_interval(true, found, videos, metric="STRS", confidence=0.3)
    assert (narrow.low, narrow.high) == (pytest.approx(8 / 15), pytest.approx(8 / 15))


def test_a_draw_without_a_hit_has_an_strs_of_0():
    true = table([("toy/a/1", 0, 9), ("toy/b/1", 0, 9)], label="fear")
    found = table([("toy/a/1", 0, 9)], label="fear")
    interval = spotting_interval(true, found, videos_of("toy/a/1", "toy/b/1"), metric="STRS", confidence=0.9)
    assert (interval.low, interval.high) == (0, 1)
    assert interval.estimate == pytest.approx(2 / 3)


def test_the_ends_are_nan_where_they_cannot_be_known():
    true, found, videos = tables({"toy/a/plain": CASES["toy/a/plain"]})
    alone = spotting_interval(true, found, videos)
    assert alone.estimate == 0.5
    assert math.isnan(alone.low)
    assert math.isnan(alone.high)
    # A quarter of the draws are of the empty subject alone: nothing true, nothing found.
    hollow = spotting_interval(true, found, videos_of("toy/a/plain", "toy/b/empty"))
    assert hollow.estimate == 0.5
    assert math.isnan(hollow.low)
    assert math.isnan(hollow.high)


def test_the_same_seed_gives_the_same_interval():
    arguments = tables(CASES)
    assert spotting_interval(*arguments, random_state=3) == spotting_interval(*arguments, random_state=3)


# What is refused


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"iou": 0}, "iou is 0: it must be greater than 0"),
        ({"kind": "mini"}, "kind is 'mini': it must be one of 'micro', 'macro'"),
        ({"metric": "UF1"}, "metric is 'UF1': it must be one of 'F1', 'STRS'"),
        ({"n_resamples": 0}, "n_resamples is 0"),
        ({"confidence": 1}, "confidence is 1: it must lie between 0 and 1"),
        ({"random_state": -1}, "random_state is -1"),
    ],
)
def test_a_parameter_outside_its_rule_is_named(params, words):
    with pytest.raises(ParameterError, match=words):
        spotting_interval(*tables(CASES), **params)


def test_strs_without_labels_has_no_interval():
    with pytest.raises(DataError, match="STRS needs labels: no column label in true and found"):
        spotting_interval(*tables(CASES), metric="STRS")
