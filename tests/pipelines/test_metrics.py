import math

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
from naive import metrics as naive

from microexpr.core.errors import DataError, ParameterError
from microexpr.pipelines import metrics

CLASSES = ("negative", "positive", "surprise")
SEEDS = range(8)
NAMES = {"n": "negative", "p": "positive", "s": "surprise"}


def frame(rows):
    return pd.DataFrame(
        {
            "dataset": [subject.split("/")[0] for subject, _, _ in rows],
            "clip_id": [f"{subject}/clip{i}" for i, (subject, _, _) in enumerate(rows)],
            "subject": [subject for subject, _, _ in rows],
            "y_true": [truth for _, truth, _ in rows],
            "y_pred": [prediction for _, _, prediction in rows],
        }
    )


def spell(**subjects):
    """Rows from `a="nn np"`: subject toy/a, truth and prediction by initial."""
    return [
        (f"toy/{subject}", NAMES[pair[0]], NAMES[pair[1]])
        for subject, text in subjects.items()
        for pair in text.split()
    ]


# Three subjects of which two lack a class. Pooled: negative TP 3 FP 1 FN 0, positive TP 1 FP 0 FN 1, surprise TP 1.
TRAP = spell(a="nn nn pn", b="pp ss", c="nn")


def test_pooled_scores_equal_hand_arithmetic():
    found = metrics.scores(frame(TRAP), CLASSES)
    assert found["n_clips"] == 6
    assert found["n_subjects"] == 3
    assert found["UF1"] == pytest.approx((6 / 7 + 2 / 3 + 1) / 3)
    assert found["UAR"] == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert found["accuracy"] == pytest.approx(5 / 6)
    assert found["macro_precision"] == pytest.approx((3 / 4 + 1 + 1) / 3)
    assert found["weighted_f1"] == pytest.approx((3 * 6 / 7 + 2 * 2 / 3 + 1) / 6)
    assert found["absent"] == ()
    assert found["note"] == ""


def test_only_pooling_gives_the_score_where_three_ways_of_averaging_differ():
    # Subject a: negative 2*2/(2*2+1) = 4/5, positive 0; subjects b and c have no error.
    pooled = 53 / 63
    over_subjects = (2 / 5 + 1 + 1) / 3
    zero_filled = (4 / 15 + 2 / 3 + 1 / 3) / 3
    assert naive.uf1(TRAP, CLASSES) == pytest.approx(pooled)
    assert naive.uf1_averaged_over_subjects(TRAP, CLASSES) == pytest.approx(over_subjects)
    assert naive.uf1_averaged_with_zero_fill(TRAP, CLASSES) == pytest.approx(zero_filled)
    assert pooled > over_subjects + 0.04 > zero_filled + 0.4
    assert metrics.scores(frame(TRAP), CLASSES)["UF1"] == pytest.approx(pooled)
    # The mean of the per-subject column is the mistake, not the score.
    assert metrics.by_subject(frame(TRAP), CLASSES)["UF1"].mean() == pytest.approx(over_subjects)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("figure", ["UF1", "UAR", "accuracy", "macro_precision", "weighted_f1"])
def test_scores_equal_the_slow_twin(seed, figure):
    rows = naive.make_rows(seed, CLASSES)
    expected = getattr(naive, figure.lower())(rows, CLASSES)
    assert metrics.scores(frame(rows), CLASSES)[figure] == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("seed", SEEDS)
def test_scores_equal_scikit_learn_over_the_classes_present(seed):
    table = frame(naive.make_rows(seed, CLASSES, n_subjects=3))
    truth, predicted = table["y_true"], table["y_pred"]
    labels = [name for name in CLASSES if name in set(truth)]
    found = metrics.scores(table, CLASSES)

    def check(name, function, average):
        expected = function(truth, predicted, labels=labels, average=average, zero_division=0)
        assert found[name] == pytest.approx(expected, abs=1e-14)

    check("UF1", sklearn.metrics.f1_score, "macro")
    check("UAR", sklearn.metrics.recall_score, "macro")
    check("macro_precision", sklearn.metrics.precision_score, "macro")
    check("weighted_f1", sklearn.metrics.f1_score, "weighted")
    assert found["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(truth, predicted))


def test_shuffled_rows_give_the_same_scores():
    table = frame(naive.make_rows(3, CLASSES))
    assert metrics.scores(table.sample(frac=1, random_state=1), CLASSES) == metrics.scores(table, CLASSES)


def test_absent_class_is_left_out_of_the_means_and_named():
    found = metrics.scores(frame(spell(a="nn np", b="pp pp")), CLASSES)
    # negative TP 1 FN 1: 2/3; positive TP 2 FP 1: 4/5.
    assert found["UF1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert found["absent"] == ("surprise",)
    assert found["note"] == "no clip is surprise: scored over negative, positive"


def test_prediction_of_an_absent_class_is_a_miss_of_the_true_class():
    found = metrics.scores(frame(spell(a="nn ns", b="pp")), CLASSES)
    assert found["UF1"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["UAR"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["macro_precision"] == 1
    assert found["accuracy"] == pytest.approx(2 / 3)


def test_class_never_predicted_has_precision_and_f1_zero():
    found = metrics.per_class(frame(spell(a="nn pn", b="nn")), ("negative", "positive"))
    assert found.loc["positive", ["precision", "recall", "f1"]].tolist() == [0, 0, 0]
    assert metrics.scores(frame(spell(a="nn pn", b="nn")), ("negative", "positive"))["UF1"] == pytest.approx(4 / 5 / 2)


def test_one_subject_with_one_class_scores_over_that_class():
    found = metrics.scores(frame(spell(a="ss ss sn")), CLASSES)
    assert found["UF1"] == pytest.approx(4 / 5)
    assert found["UAR"] == pytest.approx(2 / 3)
    assert found["absent"] == ("negative", "positive")


@pytest.mark.parametrize("seed", SEEDS)
def test_per_class_figures_equal_the_slow_twin(seed):
    rows = naive.make_rows(seed, CLASSES)
    found = metrics.per_class(frame(rows), CLASSES)
    assert list(found.columns) == ["accuracy", "precision", "recall", "f1", "support"]
    assert list(found.index) == list(CLASSES)
    for name in naive.present(rows, CLASSES):
        assert found.loc[name, "accuracy"] == pytest.approx(naive.one_versus_rest_accuracy(rows, name))
        assert found.loc[name, "precision"] == pytest.approx(naive.precision(rows, name))
        assert found.loc[name, "recall"] == pytest.approx(naive.recall(rows, name))
        assert found.loc[name, "f1"] == pytest.approx(naive.f1(rows, name))
        assert found.loc[name, "support"] == sum(1 for _, truth, _ in rows if truth == name)


def test_means_of_the_per_class_columns_are_the_scores_when_a_class_is_absent():
    table = frame(spell(a="nn ns np", b="pp pn"))
    per_class, pooled = metrics.per_class(table, CLASSES), metrics.scores(table, CLASSES)
    assert per_class.loc["surprise", "support"] == 0
    assert per_class.loc["surprise", "accuracy"] == pytest.approx(4 / 5)
    assert per_class.loc["surprise", ["precision", "recall", "f1"]].isna().all()
    assert per_class["f1"].mean() == pytest.approx(pooled["UF1"])
    assert per_class["recall"].mean() == pytest.approx(pooled["UAR"])
    assert per_class["precision"].mean() == pytest.approx(pooled["macro_precision"])


def test_confusion_has_truth_in_rows_and_prediction_in_columns():
    found = metrics.confusion(frame(spell(a="np np ns pp")), CLASSES)
    assert found.loc["negative", "positive"] == 2
    assert found.to_numpy().tolist() == [[0, 2, 1], [0, 1, 0], [0, 0, 0]]
    assert (found.index.name, found.columns.name) == ("y_true", "y_pred")


@pytest.mark.parametrize("seed", SEEDS)
def test_confusion_equals_twin_and_scikit_learn(seed):
    rows = naive.make_rows(seed, CLASSES)
    table = frame(rows)
    found = metrics.confusion(table, CLASSES).to_numpy()
    assert found.tolist() == naive.confusion(rows, CLASSES)
    np.testing.assert_array_equal(
        found, sklearn.metrics.confusion_matrix(table["y_true"], table["y_pred"], labels=list(CLASSES))
    )


def test_by_dataset_scores_each_data_set_pooled_over_its_subjects():
    rows = [*naive.make_rows(1, CLASSES), *((f"smic/{row[0][4:]}", *row[1:]) for row in naive.make_rows(2, CLASSES))]
    found = metrics.by_dataset(frame(rows), CLASSES)
    assert list(found.index) == ["smic", "toy"]
    for dataset in found.index:
        own = [row for row in rows if row[0].startswith(f"{dataset}/")]
        assert found.loc[dataset, "UF1"] == pytest.approx(naive.uf1(own, CLASSES))
        assert found.loc[dataset, "n_clips"] == len(own)
        assert found.loc[dataset, "n_subjects"] == 12


def test_by_subject_keeps_subjects_of_the_same_number_apart_and_names_absent_classes():
    rows = [("casme2/s6", "negative", "negative"), ("smic/s6", "positive", "negative")]
    found = metrics.by_subject(frame(rows), CLASSES)
    assert list(found.index) == ["casme2/s6", "smic/s6"]
    assert found["UF1"].tolist() == [1, 0]
    assert found["n_subjects"].tolist() == [1, 1]
    assert found.loc["smic/s6", "absent"] == ("negative", "surprise")
    assert found.loc["smic/s6", "note"] == "no clip is negative or surprise: scored over positive"


def test_majority_row_answers_the_most_frequent_class_of_the_whole_table():
    found = metrics.majority_row(frame(spell(a="pn ns nn", b="pn np ss")), CLASSES)
    # 3 negative of 6: F1 = 6/9.
    assert found["UF1"] == pytest.approx(2 / 3 / 3)
    assert found["UAR"] == pytest.approx(1 / 3)
    assert found["accuracy"] == pytest.approx(1 / 2)


def test_majority_tie_goes_to_the_first_class_in_class_order():
    table = frame(spell(a="np pn"))
    assert set(metrics.majority_predictions(table, CLASSES)["y_pred"]) == {"negative"}
    assert set(metrics.majority_predictions(table, ("surprise", "positive", "negative"))["y_pred"]) == {"positive"}


def test_majority_predictions_drop_the_class_columns():
    table = frame(TRAP).assign(proba_negative=0.5, proba_positive=0.3, proba_surprise=0.2)
    assert list(metrics.majority_predictions(table, CLASSES).columns) == list(frame(TRAP).columns)


def with_columns(rows, prefix, seed=0, classes=CLASSES):
    values = np.round(np.random.default_rng(seed).random((len(rows), len(classes))), 1)
    return frame(rows).assign(**{f"{prefix}_{name}": values[:, i] for i, name in enumerate(classes)})


def test_roc_of_a_hand_worked_table():
    table = frame(spell(a="nn nn pn pp")).assign(score_negative=[3.0, 1.0, 2.0, -1.0], score_positive=[0, 1, 2, 3])
    found = metrics.roc_curves(table, ("negative", "positive"))
    # negative: 3 beats both, 1 beats only -1: 3 of 4 pairs; positive: all 4 pairs.
    assert found.auc == {"negative": pytest.approx(3 / 4), "positive": pytest.approx(1)}
    assert found.macro_auc == pytest.approx(7 / 8)
    false_rate, true_rate = found.curves["negative"]
    assert list(zip(false_rate, true_rate, strict=True)) == [(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("prefix", ["proba", "score"])
def test_roc_areas_equal_the_share_of_ordered_pairs(seed, prefix):
    rows = naive.make_rows(seed, CLASSES)
    table = with_columns(rows, prefix, seed)
    found = metrics.roc_curves(table, CLASSES)
    for name in CLASSES:
        expected = naive.area_under_curve(list(table["y_true"] == name), list(table[f"{prefix}_{name}"]))
        assert found.auc[name] == pytest.approx(expected)
    assert found.macro_auc == pytest.approx(sum(found.auc.values()) / 3)


def test_roc_depends_on_the_order_of_values_alone():
    table = with_columns(naive.make_rows(1, CLASSES), "score")
    moved = table.assign(score_negative=np.exp(20 * table["score_negative"]) - 7)
    found, again = metrics.roc_curves(table, CLASSES), metrics.roc_curves(moved, CLASSES)
    assert found.auc == again.auc
    np.testing.assert_array_equal(found.curves["negative"], again.curves["negative"])


def test_roc_takes_minus_infinity_as_the_lowest_value():
    table = frame(spell(a="nn pp")).assign(score_negative=[0.0, -np.inf], score_positive=[-np.inf, 0.0])
    assert metrics.roc_curves(table, ("negative", "positive")).macro_auc == 1


def test_roc_is_none_without_class_columns():
    assert metrics.roc_curves(frame(TRAP), CLASSES) is None


def test_roc_leaves_out_absent_classes_and_names_them():
    found = metrics.roc_curves(with_columns(spell(a="nn pp np"), "proba"), CLASSES)
    assert found.undefined == ("surprise",)
    assert set(found.curves) == {"negative", "positive"}


def test_roc_of_one_class_has_no_curve():
    found = metrics.roc_curves(with_columns(spell(a="nn np"), "proba"), CLASSES)
    assert found.curves == {}
    assert math.isnan(found.macro_auc)


def test_roc_refuses_nan_naming_clip_and_column():
    table = with_columns(TRAP, "proba")
    table.loc[2, "proba_positive"] = np.nan
    with pytest.raises(DataError, match=r"NaN in proba_positive for toy/a/clip2$"):
        metrics.roc_curves(table, CLASSES)


def test_roc_refuses_a_missing_class_column():
    table = with_columns(TRAP, "proba").drop(columns="proba_surprise")
    with pytest.raises(DataError, match="lack the column proba_surprise"):
        metrics.roc_curves(table, CLASSES)


def test_roc_refuses_text():
    with pytest.raises(DataError, match="text in score_negative"):
        metrics.roc_curves(frame(spell(a="nn")).assign(score_negative=["high"]), ("negative",))


ALL = [
    metrics.scores,
    metrics.per_class,
    metrics.confusion,
    metrics.roc_curves,
    metrics.by_dataset,
    metrics.by_subject,
    metrics.majority_row,
]


@pytest.mark.parametrize("function", ALL)
def test_duplicate_clips_are_refused_by_name(function):
    table = frame(TRAP)
    table.loc[4, "clip_id"] = table.loc[1, "clip_id"]
    with pytest.raises(DataError, match=r"more than once: toy/a/clip1;"):
        function(table, CLASSES)


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("column", ["y_true", "y_pred"])
def test_labels_outside_the_classes_are_refused_by_name(function, column):
    table = frame(TRAP)
    table.loc[3, column] = "others"
    with pytest.raises(DataError, match=rf"{column} 'others' \(toy/b/clip3\), which is none of the classes negative"):
        function(table, CLASSES)


@pytest.mark.parametrize("column", ["subject", "y_pred", "y_true", "clip_id", "dataset"])
def test_missing_values_and_columns_are_refused(column):
    table = frame(TRAP)
    with pytest.raises(DataError, match=f"lack the column {column}"):
        metrics.scores(table.drop(columns=column), CLASSES)
    table.loc[0, column] = None
    with pytest.raises(DataError, match=f"no {column} for"):
        metrics.scores(table, CLASSES)


def test_empty_table_is_refused():
    with pytest.raises(DataError, match="empty"):
        metrics.scores(frame(TRAP).iloc[:0], CLASSES)


@pytest.mark.parametrize("classes", ["negative", (), ("negative", "negative"), (0, 1), ("negative", "")])
def test_classes_must_be_distinct_names(classes):
    with pytest.raises(ParameterError, match="classes is"):
        metrics.scores(frame(TRAP), classes)


def test_figures_score_many_matrices_like_one():
    matrices = np.random.default_rng(0).integers(0, 5, (4, 5, 3, 3)) + np.eye(3, dtype=int)
    many = metrics.figures(matrices)
    for place in np.ndindex(4, 5):
        one = metrics.figures(matrices[place])
        assert all(many[name][place] == one[name] for name in one)


def test_categorical_and_object_columns_score_like_text():
    table = frame(naive.make_rows(4, CLASSES))
    for other in (table.astype(object), table.astype(dict.fromkeys(table.columns, "category"))):
        assert metrics.scores(other, CLASSES) == metrics.scores(table, CLASSES)
        pd.testing.assert_frame_equal(metrics.by_subject(other, CLASSES), metrics.by_subject(table, CLASSES))
