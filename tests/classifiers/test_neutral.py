import pickle
from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from microexpr.classifiers.neutral import NeutralClassifier
from microexpr.core.errors import DataError, ParameterError
from microexpr.pipelines.folds import FoldTask, run_fold

# "aaa" and "zzz" sort before and after "neutral": no class may depend on where the added one stands.
CLASSES = ("aaa", "middle", "zzz")


def pairs(n_clips=30, n_features=6, classes=CLASSES, signal=2.0, seed=0):
    """Onset rows are noise; in apex rows, the feature of the clip's class is raised."""
    rng = np.random.default_rng(seed)
    places = np.arange(n_clips) % len(classes)
    X = rng.normal(0, 1, (n_clips, 2, n_features))
    X[np.arange(n_clips), 1, places] += signal
    return X, np.array(classes)[places]


class Recorder(LogisticRegression):
    """Keeps what it is trained on."""

    def fit(self, X, y):
        self.seen_ = (X.copy(), y.copy())
        return super().fit(X, y)


def test_the_estimator_sees_onsets_as_neutral_and_apexes_as_their_class():
    X, y = pairs(4)
    rows, labels = NeutralClassifier(Recorder()).fit(X, y).estimator_.seen_
    np.testing.assert_array_equal(rows, [*X[:, 0], *X[:, 1]])
    assert labels.tolist() == ["neutral"] * 4 + y.tolist()


@pytest.mark.parametrize("neutral", ["neutral", "0", "~"])
def test_classes_leave_neutral_out_wherever_it_sorts(neutral):
    fitted = NeutralClassifier(SVC(), neutral=neutral).fit(*pairs())
    assert fitted.classes_.tolist() == list(CLASSES)
    assert sorted(fitted.frame_classes_) == sorted([*CLASSES, neutral])


@pytest.mark.parametrize(
    "estimator", [SVC(), LogisticRegression(), GaussianNB(), make_pipeline(StandardScaler(), SVC())]
)
@pytest.mark.parametrize("neutral", ["neutral", "0", "~"])
def test_predictions_are_the_best_class_beside_neutral(estimator, neutral):
    X, y = pairs(signal=1.0)
    fitted = NeutralClassifier(estimator, neutral=neutral).fit(X, y)
    scores = (
        fitted.estimator_.decision_function(X[:, 1])
        if hasattr(fitted.estimator_, "decision_function")
        else fitted.estimator_.predict_proba(X[:, 1])
    )
    expected = []
    for row in scores:
        ranked = sorted(zip(row, fitted.frame_classes_, strict=True), reverse=True)
        expected.append(next(name for _, name in ranked if name != neutral))
    assert fitted.predict(X).tolist() == expected
    assert neutral in fitted.predict_frames(X[:, 1]).tolist()


def test_a_clear_signal_is_learned():
    X, y = pairs(60, signal=6.0)
    new_X, new_y = pairs(60, signal=6.0, seed=1)
    fitted = NeutralClassifier(LogisticRegression()).fit(X, y)
    assert fitted.score(new_X, new_y) > 0.95
    assert (fitted.predict_frames(new_X[:, 0]) == "neutral").mean() > 0.9
    assert (fitted.predict_frames(new_X[:, 1]) == new_y).mean() > 0.9


def test_only_the_apex_row_decides():
    X, y = pairs()
    fitted = NeutralClassifier(SVC()).fit(X, y)
    other = X.copy()
    other[:, 0] = 99.0
    np.testing.assert_array_equal(fitted.predict(other), fitted.predict(X))


def test_one_class_beside_neutral_is_always_predicted():
    X, y = pairs(10, classes=("happiness",))
    fitted = NeutralClassifier(SVC()).fit(X, y)
    assert set(fitted.predict(X)) == {"happiness"}
    assert set(fitted.predict_frames(np.concatenate([X[:, 0], X[:, 1]]))) == {"happiness", "neutral"}
    assert fitted.decision_function(X).shape == (10, 1)


@pytest.mark.parametrize("classes", [("m",), ("z",)])
def test_one_class_scores_by_its_own_side_of_the_border(classes):
    X, y = pairs(20, classes=classes, signal=8.0)
    fitted = NeutralClassifier(LogisticRegression()).fit(X, y)
    assert (fitted.decision_function(X)[:, 0] > 0).all()


def test_two_classes_have_one_score_the_second_less_the_first():
    X, y = pairs(classes=("happiness", "surprise"))
    fitted = NeutralClassifier(SVC()).fit(X, y)
    scores = fitted.decision_function(X)
    assert scores.shape == (30,)
    np.testing.assert_array_equal(fitted.classes_[(scores > 0).astype(int)], fitted.predict(X))


def test_three_classes_have_the_estimators_scores():
    X, y = pairs()
    fitted = NeutralClassifier(SVC()).fit(X, y)
    theirs = fitted.estimator_.decision_function(X[:, 1])
    np.testing.assert_array_equal(fitted.decision_function(X), theirs[:, [0, 1, 3]])


def test_probabilities_are_conditional_on_there_being_an_expression():
    X, y = pairs()
    fitted = NeutralClassifier(GaussianNB()).fit(X, y)
    theirs = fitted.estimator_.predict_proba(X[:, 1])[:, [0, 1, 3]]
    found = fitted.predict_proba(X)
    np.testing.assert_allclose(found, theirs / theirs.sum(axis=1, keepdims=True))
    np.testing.assert_array_equal(fitted.classes_[found.argmax(axis=1)], fitted.predict(X))


def test_a_row_that_is_neutral_beyond_doubt_has_equal_shares():
    X = np.zeros((4, 2, 1))
    X[:2, 1], X[2:, 1] = 1.0, 2.0
    fitted = NeutralClassifier(DecisionTreeClassifier(random_state=0)).fit(X, ["a", "a", "b", "b"])
    np.testing.assert_array_equal(fitted.predict_proba(np.zeros((1, 2, 1))), [[0.5, 0.5]])


def test_probabilities_are_there_only_if_the_estimator_has_them():
    X, y = pairs()
    for estimator, has in ((SVC(), False), (GaussianNB(), True)):
        assert hasattr(NeutralClassifier(estimator), "predict_proba") is has
        assert hasattr(NeutralClassifier(estimator).fit(X, y), "predict_proba") is has


# Subjects and domains


class Asking(Recorder):
    """Keeps the subjects and domains it is trained with, too."""

    __metadata_request__fit: ClassVar = {"groups": True, "domain": True}

    def fit(self, X, y, groups=None, domain=None):
        self.known_ = (groups, domain)
        return super().fit(X, y)


def test_the_estimator_is_told_subject_and_domain_of_both_rows():
    X, y = pairs(4)
    fitted = NeutralClassifier(Asking()).fit(X, y, groups=["s1", "s1", "s2", "s3"], domain=[0, 0, 1, 1])
    groups, domain = fitted.estimator_.known_
    assert groups.tolist() == ["s1", "s1", "s2", "s3"] * 2
    assert domain.tolist() == [0, 0, 1, 1] * 2


def test_an_estimator_that_does_not_ask_is_told_nothing():
    X, y = pairs(4)
    told = NeutralClassifier(SVC()).fit(X, y, groups=["s1", "s1", "s2", "s3"], domain=[0, 0, 1, 1])
    np.testing.assert_array_equal(told.decision_function(X), NeutralClassifier(SVC()).fit(X, y).decision_function(X))


@pytest.mark.parametrize("wrapped", [False, True])
def test_folds_inside_the_training_set_keep_subjects_together_in_the_harness(wrapped):
    X, y = pairs(24)
    groups = np.repeat(["s1", "s2", "s3", "s4"], 6)
    grid = {"C": [0.1, 10.0]}
    search = GridSearchCV(SVC(), grid, cv=GroupKFold(2))
    record = run_fold(
        NeutralClassifier(make_pipeline(search) if wrapped else search),
        FoldTask(X, y, X, groups, np.zeros(24, int)),
    )
    assert "error" not in record
    by_hand = GridSearchCV(SVC(), grid, cv=GroupKFold(2)).fit(
        np.concatenate([X[:, 0], X[:, 1]]), np.r_[["neutral"] * 24, y], groups=np.tile(groups, 2)
    )
    scores = by_hand.decision_function(X[:, 1])[:, by_hand.classes_ != "neutral"]
    np.testing.assert_allclose(np.transpose([record["scores"][name] for name in CLASSES]), scores, rtol=1e-12)


@pytest.mark.parametrize("name", ["groups", "domain"])
def test_a_subject_or_domain_too_few_is_refused(name):
    X, y = pairs(4)
    with pytest.raises(DataError, match=rf"{name} has shape \(3,\): one value for each of the 4 clips"):
        NeutralClassifier(SVC()).fit(X, y, **{name: [0, 0, 1]})


# scikit-learn's contract, checked by hand: its own checks pass over three-dimensional input


def test_clone_pickle_and_a_second_fit_give_the_same():
    X, y = pairs()
    classifier = NeutralClassifier(SVC(C=0.5), neutral="none")
    first = classifier.fit(X, y).decision_function(X)
    copies = [clone(classifier).fit(X, y), pickle.loads(pickle.dumps(classifier)), classifier.fit(X, y)]
    for copy in copies:
        np.testing.assert_array_equal(copy.decision_function(X), first)


def test_fit_leaves_the_estimator_and_the_data_alone():
    X, y = pairs()
    before = X.copy()
    estimator = SVC()
    NeutralClassifier(estimator).fit(X, y)
    assert not hasattr(estimator, "classes_")
    np.testing.assert_array_equal(X, before)


def test_parameters_reach_the_estimator():
    classifier = NeutralClassifier(SVC()).set_params(estimator__C=7.0, neutral="rest")
    assert classifier.get_params()["estimator__C"] == 7.0
    assert classifier.fit(*pairs()).estimator_.C == 7.0


def test_input_is_declared_three_dimensional():
    tags = NeutralClassifier(SVC()).__sklearn_tags__()
    assert (tags.input_tags.three_d_array, tags.input_tags.two_d_array) == (True, False)
    assert tags.estimator_type == "classifier"


def test_shuffled_clips_give_the_same_predictions():
    X, y = pairs()
    order = np.random.default_rng(0).permutation(len(y))
    new, _ = pairs(seed=1)
    one = NeutralClassifier(GaussianNB()).fit(X, y).predict(new)
    assert NeutralClassifier(GaussianNB()).fit(X[order], y[order]).predict(new).tolist() == one.tolist()


# Refusals


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((4, 6)), r"X has shape \(4, 6\); \(n, 2, n_features\) is needed"),
        (np.zeros((4, 3, 6)), r"X has shape \(4, 3, 6\)"),
        (np.zeros((0, 2, 6)), r"X has shape \(0, 2, 6\)"),
        (np.full((4, 2, 6), np.nan), "X holds NaN or infinity"),
        (np.full((4, 2, 6), "a"), "X is of dtype <U1; numbers are needed"),
        ([[[1, 2], [3]]], "X: rows differ in length"),
    ],
)
def test_x_of_another_form_is_refused(X, message):
    with pytest.raises(DataError, match=message):
        NeutralClassifier(SVC()).fit(X, ["a", "b", "a", "b"])
    with pytest.raises(DataError, match=message):
        NeutralClassifier(SVC()).fit(*pairs()).predict(X)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "b"], r"y has shape \(2,\): one label for each of the 4 clips"),
        (["a", "b", "neutral", "b"], "a class of y is called 'neutral', as the class of onset frames"),
        ([0, 1, 0, 1], "y holds 0: labels must be text"),
        (np.array(["a", None, "b", "a"], object), "y holds None: labels must be text"),
    ],
)
def test_y_of_another_form_is_refused(y, message):
    with pytest.raises(DataError, match=message):
        NeutralClassifier(SVC()).fit(pairs(4)[0], y)


def test_another_number_of_features_is_refused():
    fitted = NeutralClassifier(SVC()).fit(*pairs())
    with pytest.raises(DataError, match="X has 5 features a row, but was fitted with 6"):
        fitted.predict(np.zeros((1, 2, 5)))
    for rows in (np.zeros((3, 5)), np.zeros(6), np.zeros((0, 6)), np.zeros((1, 2, 6))):
        with pytest.raises(DataError, match=r"rows have shape .*; \(m, 6\) is needed"):
            fitted.predict_frames(rows)


@pytest.mark.parametrize(
    ("estimator", "params", "message"),
    [
        (NearestCentroid, {"neutral": ""}, "neutral is '': it must be the name of a class"),
        (NearestCentroid, {"neutral": 0}, "neutral is 0: it must be the name of a class"),
        (lambda: "svm", {}, "estimator is 'svm': it must be a classifier"),
        (StandardScaler, {}, r"estimator is StandardScaler\(\): it must be a classifier"),
        (lambda: SVC, {}, "estimator is .*SVC.*: it must be a classifier"),
    ],
)
def test_a_parameter_against_the_rules_is_refused(estimator, params, message):
    with pytest.raises(ParameterError, match=message):
        NeutralClassifier(estimator(), **params).fit(*pairs())
    with pytest.raises(ParameterError, match=message):
        NeutralClassifier(estimator(), **params).check_params()


class LabelsOnly(NearestCentroid):
    decision_function = predict_proba = property()


def test_an_estimator_without_scores_is_refused():
    with pytest.raises(ParameterError, match="must have decision_function or predict_proba"):
        NeutralClassifier(LabelsOnly()).fit(*pairs())


@pytest.mark.parametrize(
    ("estimator", "key"),
    [
        (SVC(decision_function_shape="ovo"), "decision_function_shape"),
        (make_pipeline(StandardScaler(), SVC(decision_function_shape="ovo")), "svc__decision_function_shape"),
    ],
)
def test_scores_of_pairs_of_classes_are_refused(estimator, key):
    # With two classes beside neutral there are three pairs, as many as classes: their number tells nothing.
    X, y = pairs(classes=("happiness", "surprise"))
    with pytest.raises(ParameterError, match=f"{key} is 'ovo'"):
        NeutralClassifier(estimator).fit(X, y)
    with pytest.raises(ParameterError, match=f"{key} is 'ovo'"):
        NeutralClassifier(estimator).check_params()


class OneAgainstOne(ClassifierMixin, BaseEstimator):
    """Scores pairs of classes and has no parameter that says so."""

    def fit(self, X, y):
        self.svm_ = SVC(decision_function_shape="ovo").fit(X, y)
        self.classes_ = self.svm_.classes_
        return self

    def predict(self, X):
        return self.svm_.predict(X)

    def decision_function(self, X):
        return self.svm_.decision_function(X)


def test_another_number_of_scores_than_of_classes_is_refused():
    # Of three classes beside neutral, one against one gives six scores.
    X, y = pairs()
    fitted = NeutralClassifier(OneAgainstOne()).fit(X, y)
    with pytest.raises(ParameterError, match="gives 6 scores for 4 classes"):
        fitted.predict(X)


def test_a_classifier_with_a_decision_function_alone_will_do():
    fitted = NeutralClassifier(Perceptron()).fit(*pairs())
    assert set(fitted.predict(pairs()[0])) <= set(CLASSES)
