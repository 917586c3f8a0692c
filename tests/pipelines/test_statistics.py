import itertools
import math

import numpy as np
import pandas as pd
import pytest
from naive import metrics as naive

from microexpr.core.errors import DataError, ParameterError
from microexpr.pipelines.statistics import bootstrap_interval, compare_all, paired_difference

CLASSES = ("negative", "positive", "surprise")
METRICS = ("UF1", "UAR", "accuracy")


def frame(rows):
    return pd.DataFrame(
        {
            "dataset": "toy",
            "clip_id": [f"{subject}/clip{i}" for i, (subject, _, _) in enumerate(rows)],
            "subject": [subject for subject, _, _ in rows],
            "y_true": [truth for _, truth, _ in rows],
            "y_pred": [prediction for _, _, prediction in rows],
        }
    )


def two_methods(seed, n_subjects=8):
    """Two methods' rows on the same clips, the second worse."""
    rows_a = naive.make_rows(seed, CLASSES, n_subjects=n_subjects, right=0.7)
    generator = np.random.default_rng(seed)
    rows_b = [(s, t, p if generator.random() < 0.6 else str(generator.choice(CLASSES))) for s, t, p in rows_a]
    return rows_a, rows_b


def ends(interval):
    return interval.low, interval.high


def test_all_correct_gives_the_interval_one_one():
    rows = [(s, t, t) for s, t, _ in naive.make_rows(0, CLASSES)]
    for metric in METRICS:
        interval = bootstrap_interval(frame(rows), CLASSES, metric=metric)
        assert (interval.estimate, *ends(interval)) == (1, 1, 1)


def test_all_wrong_gives_the_interval_zero_zero():
    wrong = dict(zip(CLASSES, CLASSES[1:] + CLASSES[:1], strict=True))
    rows = [(s, t, wrong[t]) for s, t, _ in naive.make_rows(0, CLASSES)]
    interval = bootstrap_interval(frame(rows), CLASSES)
    assert (interval.estimate, *ends(interval)) == (0, 0, 0)


def test_estimate_is_the_pooled_score():
    rows = naive.make_rows(5, CLASSES)
    for metric in METRICS:
        interval = bootstrap_interval(frame(rows), CLASSES, metric=metric, n_resamples=10)
        assert interval.estimate == pytest.approx(getattr(naive, metric.lower())(rows, CLASSES))
        assert (interval.n_clips, interval.n_subjects) == (len(rows), 12)


def test_same_seed_gives_the_same_interval_and_another_seed_another():
    table = frame(naive.make_rows(1, CLASSES))
    assert bootstrap_interval(table, CLASSES) == bootstrap_interval(table, CLASSES)
    assert ends(bootstrap_interval(table, CLASSES)) != ends(bootstrap_interval(table, CLASSES, random_state=1))


def test_shuffled_rows_give_the_same_interval():
    table = frame(naive.make_rows(1, CLASSES))
    assert bootstrap_interval(table.sample(frac=1, random_state=3), CLASSES) == bootstrap_interval(table, CLASSES)


@pytest.mark.parametrize("metric", METRICS)
def test_duplicating_each_clip_within_its_subject_leaves_the_interval_unchanged(metric):
    rows = naive.make_rows(2, CLASSES)
    once, twice = frame(rows), frame([row for row in rows for _ in range(2)])
    assert ends(bootstrap_interval(twice, CLASSES, metric=metric)) == ends(
        bootstrap_interval(once, CLASSES, metric=metric)
    )


def test_clips_treated_as_subjects_give_a_narrower_interval_where_subjects_differ():
    rows = [
        (f"toy/s{i}", name, name if i % 2 else CLASSES[(CLASSES.index(name) + 1) % 3])
        for i in range(12)
        for name in CLASSES * 3
    ]
    whole = bootstrap_interval(frame(rows), CLASSES)
    apart = bootstrap_interval(frame([(f"toy/s{i}", t, p) for i, (_, t, p) in enumerate(rows)]), CLASSES)
    assert whole.estimate == apart.estimate
    assert whole.high - whole.low > 2 * (apart.high - apart.low)


@pytest.mark.parametrize("metric", METRICS)
def test_interval_agrees_with_the_slow_twin(metric):
    rows = naive.make_rows(7, CLASSES, n_subjects=20)
    interval = bootstrap_interval(frame(rows), CLASSES, metric=metric, n_resamples=4000, confidence=0.9)
    low, high = naive.bootstrap_quantiles(rows, CLASSES, getattr(naive, metric.lower()), 1500, 0.9, seed=0)
    # Both are Monte Carlo quantiles of one distribution, some 0.2 wide.
    assert interval.low == pytest.approx(low, abs=0.015)
    assert interval.high == pytest.approx(high, abs=0.015)


def test_interval_of_three_subjects_equals_the_quantiles_of_all_27_draws():
    rows = [
        *[("toy/a", "negative", "negative")] * 3,
        ("toy/b", "positive", "negative"),
        ("toy/c", "surprise", "surprise"),
        ("toy/c", "negative", "surprise"),
    ]
    drawn = []
    for people in itertools.product(("toy/a", "toy/b", "toy/c"), repeat=3):
        drawn.append(naive.uf1([row for person in people for row in rows if row[0] == person], CLASSES))
    # Quantiles in the middle of steps of the discrete distribution, so that chance cannot move them.
    steps, counts = np.unique(np.round(drawn, 12), return_counts=True)
    shares = np.cumsum(counts) / 27
    assert shares[0] < 0.05 < 0.95 < 1
    interval = bootstrap_interval(frame(rows), CLASSES, confidence=0.9, n_resamples=20_000)
    assert interval.low == pytest.approx(steps[np.searchsorted(shares, 0.05)])
    assert interval.high == pytest.approx(steps[np.searchsorted(shares, 0.95)])


def test_nominal_95_percent_interval_covers_the_true_accuracy_about_as_often():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(150):
        skill = generator.beta(6, 3, 30)  # a person's share of right answers; its mean is 2/3
        rows = [
            (f"toy/s{i:02d}", "negative", "negative" if generator.random() < skill[i] else "positive")
            for i in range(30)
            for _ in range(5)
        ]
        interval = bootstrap_interval(frame(rows), CLASSES, metric="accuracy", n_resamples=400)
        covered += interval.low <= 2 / 3 <= interval.high
    assert 0.88 <= covered / 150 <= 0.99


def test_higher_confidence_gives_a_wider_interval():
    table = frame(naive.make_rows(3, CLASSES))
    narrow, wide = (bootstrap_interval(table, CLASSES, confidence=level) for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_one_subject_has_an_estimate_and_no_interval():
    interval = bootstrap_interval(frame([("toy/a", "negative", "negative")]), CLASSES)
    assert interval.estimate == 1
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_resample_without_a_class_scores_over_the_classes_it_has():
    # Either subject drawn twice is all right, so every resample scores 1 although it mostly lacks a class.
    rows = [("toy/a", "negative", "negative"), ("toy/b", "positive", "positive")]
    assert ends(bootstrap_interval(frame(rows), CLASSES)) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "uf1"}, "metric is 'uf1'"),
        ({"n_resamples": 0}, "n_resamples is 0"),
        ({"n_resamples": 10.0}, "n_resamples is 10.0"),
        ({"confidence": 95}, "confidence is 95"),
        ({"confidence": 1.0}, "confidence is 1.0"),
        ({"random_state": -1}, "random_state is -1"),
        ({"random_state": None}, "random_state is None"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    table = frame(naive.make_rows(0, CLASSES))
    with pytest.raises(ParameterError, match=message):
        bootstrap_interval(table, CLASSES, **arguments)
    with pytest.raises(ParameterError, match=message):
        paired_difference(table, table, CLASSES, **arguments)


@pytest.mark.parametrize("metric", METRICS)
def test_identical_predictions_differ_by_zero_with_p_one(metric):
    table = frame(naive.make_rows(1, CLASSES, n_subjects=20))
    found = paired_difference(table, table, CLASSES, metric=metric)
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_difference_is_the_difference_of_the_pooled_scores():
    rows_a, rows_b = two_methods(0)
    found = paired_difference(frame(rows_a), frame(rows_b), CLASSES, n_resamples=10, n_permutations=10)
    assert found.score_a == pytest.approx(naive.uf1(rows_a, CLASSES))
    assert found.score_b == pytest.approx(naive.uf1(rows_b, CLASSES))
    assert found.difference == pytest.approx(found.score_a - found.score_b)
    assert (found.n_clips, found.n_subjects) == (len(rows_a), 8)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", range(3))
def test_p_value_equals_full_enumeration_by_the_slow_twin(metric, seed):
    rows_a, rows_b = two_methods(seed, n_subjects=7)
    found = paired_difference(frame(rows_a), frame(rows_b), CLASSES, metric=metric, n_resamples=2)
    expected = naive.exchange_p_value(rows_a, rows_b, CLASSES, getattr(naive, metric.lower()))
    assert found.p_value == pytest.approx(expected)


def test_p_value_of_a_method_better_on_each_of_six_subjects_is_two_in_64():
    rows_a = [(f"toy/s{i}", name, name) for i in range(6) for name in CLASSES]
    rows_b = [(s, t, "negative") for s, t, _ in rows_a]
    assert paired_difference(frame(rows_a), frame(rows_b), CLASSES).p_value == pytest.approx(2 / 64)


def test_random_exchanges_agree_with_all_exchanges():
    rows_a, rows_b = two_methods(4, n_subjects=11)
    exact, sampled = (
        paired_difference(frame(rows_a), frame(rows_b), CLASSES, n_permutations=n).p_value for n in (2048, 2000)
    )
    assert sampled == pytest.approx(exact, abs=0.04)


def test_rows_are_joined_by_clip_and_not_by_position():
    rows_a, rows_b = two_methods(1)
    table_a, table_b = frame(rows_a), frame(rows_b)
    expected = paired_difference(table_a, table_b, CLASSES)
    shuffled = paired_difference(
        table_a.sample(frac=1, random_state=0), table_b.sample(frac=1, random_state=1), CLASSES
    )
    assert shuffled == expected
    assert paired_difference(table_a, table_a.iloc[::-1], CLASSES).p_value == 1


def test_exchanging_the_methods_turns_the_sign_and_keeps_the_p_value():
    rows_a, rows_b = two_methods(2)
    there, back = (
        paired_difference(frame(first), frame(second), CLASSES)
        for first, second in ((rows_a, rows_b), (rows_b, rows_a))
    )
    assert back.difference == -there.difference
    assert back.p_value == there.p_value
    assert ends(back) == pytest.approx((-there.high, -there.low), abs=1e-12)


def test_interval_of_the_difference_draws_the_same_subjects_for_both():
    # On each subject's four clips b makes the errors of a and one more: the difference is 1/4 in every draw.
    pattern_a = ["negative", "negative", "positive", "positive"]
    rows_a, rows_b = [], []
    for i in range(10):
        for j, truth in enumerate(pattern_a):
            right = j >= i % 3
            rows_a.append((f"toy/s{i}", truth, truth if right else "surprise"))
            rows_b.append((f"toy/s{i}", truth, truth if right and j != 3 else "surprise"))
    found = paired_difference(frame(rows_a), frame(rows_b), CLASSES, metric="accuracy")
    assert (found.difference, *ends(found)) == pytest.approx((0.25, 0.25, 0.25))


def test_one_subject_gives_a_difference_without_interval_and_p_one():
    found = paired_difference(
        frame([("toy/a", "negative", "negative")]), frame([("toy/a", "negative", "positive")]), CLASSES
    )
    assert found.difference == 1
    assert found.p_value == 1
    assert math.isnan(found.low)


def test_tables_of_different_clips_are_refused_by_clip():
    table = frame(naive.make_rows(0, CLASSES))
    with pytest.raises(DataError, match=rf"only one of the two tables has the clip {table['clip_id'][3]};"):
        paired_difference(table, table.drop(index=3), CLASSES)


def test_tables_of_different_truths_are_refused_by_clip():
    table = frame(naive.make_rows(0, CLASSES))
    other = table.copy()
    other.loc[2, "y_true"] = next(name for name in CLASSES if name != table["y_true"][2])
    with pytest.raises(DataError, match=rf"differ in y_true of {table['clip_id'][2]}$"):
        paired_difference(table, other.iloc[::-1], CLASSES)


def test_tables_of_different_subjects_are_refused_by_clip():
    table = frame(naive.make_rows(0, CLASSES))
    other = table.copy()
    other.loc[0, "subject"] = "toy/someone"
    with pytest.raises(DataError, match=rf"differ in subject of {table['clip_id'][0]}$"):
        paired_difference(table, other, CLASSES)


def test_compare_all_lists_every_pair_with_adjusted_p_values():
    rows_a, rows_b = two_methods(3)
    tables = {"a": frame(rows_a), "b": frame(rows_b), "right": frame([(s, t, t) for s, t, _ in rows_a])}
    found = compare_all(tables, CLASSES)
    assert list(zip(found["method_a"], found["method_b"], strict=True)) == [("a", "b"), ("a", "right"), ("b", "right")]
    for row in found.itertuples():
        pair = paired_difference(tables[row.method_a], tables[row.method_b], CLASSES)
        assert (row.metric, row.difference, row.low, row.high) == ("UF1", pair.difference, pair.low, pair.high)
        assert row.p_value == pair.p_value
    assert found["p_adjusted"].tolist() == pytest.approx(naive.adjust_benjamini_hochberg(found["p_value"].tolist()))


def test_adjusted_p_values_of_a_hand_worked_list():
    assert naive.adjust_benjamini_hochberg([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.04, 0.04])


def test_compare_all_of_fewer_than_two_methods_is_an_empty_table():
    found = compare_all({"a": frame(naive.make_rows(0, CLASSES))}, CLASSES)
    assert found.empty
    assert "p_adjusted" in found.columns


def test_compare_all_names_the_pair_that_cannot_be_compared():
    table = frame(naive.make_rows(0, CLASSES))
    with pytest.raises(DataError, match=r"^a and b: only one of the two tables"):
        compare_all({"a": table, "b": table.iloc[1:]}, CLASSES)
