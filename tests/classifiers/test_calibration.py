import pickle
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import log_loss
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from toyset.clips import Brightness, toy_clips, with_garbage
from toyset.estimators import Spy

from microexpr.classifiers.calibration import SubjectCalibrated
from microexpr.classifiers.svm import RBFSVM, linear_svm
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.training import subject_folds
from microexpr.pipelines.harness import run


def people(n_subjects=8, per_class=4, *, signal=1.0, seed=0):
    """Rows, classes and subjects; column 0 tells who it is, so that an inner fold that shares a subject shows."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat([f"s{number:02d}" for number in range(n_subjects)], 3 * per_class)
    labels = np.tile(["negative", "positive", "surprise"], n_subjects * per_class)
    features = rng.normal(size=(len(labels), 6))
    for position, name in enumerate(("negative", "positive", "surprise"), start=1):
        features[labels == name, position] += signal
    features[:, 0] = [int(subject[1:]) for subject in subjects]
    return features, labels, subjects


class Recorder(ClassifierMixin, BaseEstimator):
    """Writes down which subjects (column 0) it is fitted on and which it scores."""

    fits: ClassVar[list] = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen_ = (set(X[:, 0]), [])
        self.fits.append(self.seen_)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))

    def decision_function(self, X):
        self.seen_[1].append(set(X[:, 0]))
        return X[:, 1:4]


class NeedsGroups(Recorder):
    """Wants the subjects itself."""

    __metadata_request__fit: ClassVar = {"groups": True}
    given: ClassVar[list] = []

    def fit(self, X, y, groups=None):
        self.given.append(np.array_equal([int(subject[1:]) for subject in groups], X[:, 0]))
        return super().fit(X, y)


def test_probabilities_sum_to_one_and_the_largest_is_predicted():
    features, labels, subjects = people()
    model = SubjectCalibrated(linear_svm()).fit(features, labels, groups=subjects)
    shares = model.predict_proba(people(seed=1)[0])
    assert shares.shape == (96, 3)
    assert (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert model.predict(people(seed=1)[0]).tolist() == model.classes_[shares.argmax(axis=1)].tolist()


def test_it_is_scikit_learns_calibration_with_folds_of_subjects():
    features, labels, subjects = people()
    folds = subject_folds(labels, subjects, 5, "")
    theirs = CalibratedClassifierCV(SVC(), method="sigmoid", cv=folds, ensemble=False).fit(features, labels)
    ours = SubjectCalibrated(SVC()).fit(features, labels, groups=subjects)
    np.testing.assert_allclose(ours.predict_proba(features), theirs.predict_proba(features), rtol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("machine", [SVC(), GaussianNB()])
def test_it_is_that_with_decision_values_and_with_probabilities(machine, n_classes):
    features, labels, subjects = people()
    kept = np.isin(labels, ["negative", "positive", "surprise"][:n_classes])
    features, labels, subjects = features[kept], labels[kept], subjects[kept]
    folds = subject_folds(labels, subjects, 5, "")
    theirs = CalibratedClassifierCV(machine, method="sigmoid", cv=folds, ensemble=False).fit(features, labels)
    ours = SubjectCalibrated(machine).fit(features, labels, groups=subjects)
    np.testing.assert_array_equal(ours.predict_proba(features), theirs.predict_proba(features))


def test_a_kernel_matrix_is_cut_in_rows_and_columns():
    features, labels, subjects = people()
    gram = rbf_kernel(features, gamma=0.1)
    given = SubjectCalibrated(SVC(kernel="precomputed")).fit(gram, labels, groups=subjects)
    own = SubjectCalibrated(SVC(gamma=0.1)).fit(features, labels, groups=subjects)
    np.testing.assert_allclose(given.predict_proba(gram), own.predict_proba(features), rtol=1e-6)


def with_auxiliary(features, labels, subjects, *, seed=0):
    """Return the rows with garbage of two more subjects between them, and which row is what."""
    rng = np.random.default_rng(seed)
    more = rng.normal(0, 50, (18, features.shape[1]))
    more[:, 0] = np.repeat([90, 91], 9)
    order = rng.permutation(len(labels) + 18)
    rows = np.concatenate([features, more])[order]
    classes = np.append(labels, rng.permutation(np.repeat(np.unique(labels), 6)))[order]
    names = np.append(subjects, np.repeat(["m90", "m91"], 9))[order]
    return rows, classes, names, np.append(np.zeros(len(labels), int), np.ones(18, int))[order]


def test_auxiliary_clips_are_in_every_inner_training_set_and_in_no_test_half():
    features, labels, subjects, domain = with_auxiliary(*people())
    Recorder.fits.clear()
    model = SubjectCalibrated(Recorder(), n_splits=4).fit(features, labels, groups=subjects, domain=domain)
    assert len(model.folds_) == 4
    assert all(not domain[test].any() and domain[train].sum() == 18 for train, test in model.folds_)
    assert sorted(np.concatenate([test for _, test in model.folds_])) == np.flatnonzero(domain == 0).tolist()
    inner = [(fitted, scored) for fitted, scored in Recorder.fits if scored]
    assert all({90, 91} <= fitted and not {90, 91} & scored for fitted, [scored] in inner)
    assert {90, 91} < Recorder.fits[-1][0]


def test_scores_of_auxiliary_clips_have_no_part_in_the_sigmoids():
    # The Recorder's scores do not depend on its fit.
    features, labels, subjects = people()
    alone = SubjectCalibrated(Recorder(), n_splits=8).fit(features, labels, groups=subjects)
    rows, classes, names, domain = with_auxiliary(features, labels, subjects)
    beside = SubjectCalibrated(Recorder(), n_splits=8).fit(rows, classes, groups=names, domain=domain)
    np.testing.assert_allclose(beside.predict_proba(features), alone.predict_proba(features), rtol=1e-4)
    mixed = SubjectCalibrated(Recorder(), n_splits=8).fit(rows, classes, groups=names)
    assert np.abs(mixed.predict_proba(features) - alone.predict_proba(features)).max() > 0.1


def test_subjects_of_auxiliary_clips_do_not_count():
    features, labels, subjects, domain = with_auxiliary(*people())
    kept = (labels != "surprise") | (subjects == "s03") | (domain == 1)
    with pytest.raises(DataError, match=r"of surprise there are those of fewer, auxiliary clips not counted"):
        SubjectCalibrated(linear_svm()).fit(features[kept], labels[kept], groups=subjects[kept], domain=domain[kept])


def test_who_has_own_and_auxiliary_clips_is_named():
    features, labels, subjects, domain = with_auxiliary(*people())
    subjects[subjects == "m91"] = "s03"
    with pytest.raises(DataError, match="both own and auxiliary clips: s03"):
        SubjectCalibrated(linear_svm()).fit(features, labels, groups=subjects, domain=domain)


def test_in_the_harness_auxiliary_clips_join_training_alone():
    pipeline = make_pipeline(Brightness(), SubjectCalibrated(linear_svm()))
    macro = toy_clips(n_subjects=2, dataset="macro", seed=1)
    table = run(pipeline, toy_clips(n_subjects=4), auxiliary=macro)
    assert (table["y_pred"] == table["y_true"]).mean() > 0.8


def test_no_inner_fit_scores_a_subject_that_it_saw():
    features, labels, subjects = people()
    Recorder.fits.clear()
    SubjectCalibrated(Recorder(), n_splits=4).fit(features, labels, groups=subjects)
    inner = [(fitted, scored) for fitted, scored in Recorder.fits if scored]
    assert len(inner) == 4
    assert all(not fitted & scored for fitted, [scored] in inner)
    assert set().union(*(scored for _, [scored] in inner)) == set(range(8))
    assert any(fitted == set(range(8)) for fitted, _ in Recorder.fits)


def test_who_wants_the_subjects_inside_gets_them():
    features, labels, subjects = people(n_subjects=4)
    NeedsGroups.given.clear()
    SubjectCalibrated(NeedsGroups(), n_splits=2).fit(features, labels, groups=subjects)
    assert NeedsGroups.given == [True] * 3


def test_its_log_loss_on_unseen_subjects_is_below_that_of_the_bare_softmax():
    features, labels, subjects = people()
    unseen, truth, _ = people(seed=5)
    machine = make_pipeline(StandardScaler(), SVC(C=1000.0, gamma=0.02))
    calibrated = SubjectCalibrated(machine).fit(features, labels, groups=subjects).predict_proba(unseen)
    values = clone(machine).fit(features, labels).decision_function(unseen)
    assert log_loss(truth, calibrated) < log_loss(truth, softmax(values, axis=1)) - 0.01


def test_in_the_harness_the_test_subject_is_not_used():
    clips = toy_clips(n_subjects=4)
    spied = make_pipeline(Brightness(), SpyOnGroups(SubjectCalibrated(linear_svm())))
    honest, garbage = run(spied, clips), run(spied, with_garbage(clips, "toy/s01"))
    own = (honest["fold"] == "toy/s01").to_numpy()
    assert honest.loc[own, "proba_negative"].tolist() == garbage.loc[own, "proba_negative"].tolist()
    assert (honest.loc[~own, "proba_negative"] != garbage.loc[~own, "proba_negative"]).all()


class SpyOnGroups(Spy):
    """Hands the subjects to what it spies on."""

    def fit(self, X, y, groups=None, domain=None):
        self.inner_ = clone(self.inner).fit(X, y, groups=groups)
        self.classes_ = self.inner_.classes_
        return self


def test_in_a_pipeline_of_the_harness_it_gets_the_subjects():
    table = run(make_pipeline(Brightness(), SubjectCalibrated(RBFSVM())), toy_clips(n_subjects=4))
    shares = table[["proba_negative", "proba_positive", "proba_surprise"]].to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (table["y_pred"] == table["y_true"]).mean() > 0.8


def test_the_rarest_class_decides_how_many_folds_there_are():
    features, labels, subjects = people()
    kept = (labels != "surprise") | np.isin(subjects, ["s00", "s03", "s06"])
    model = SubjectCalibrated(linear_svm()).fit(features[kept], labels[kept], groups=subjects[kept])
    assert len(model.folds_) == 3


def test_a_class_of_one_subject_is_an_error_that_names_it():
    features, labels, subjects = people()
    kept = (labels != "surprise") | (subjects == "s03")
    with pytest.raises(DataError, match=r"at least 2 training subjects.*of surprise"):
        SubjectCalibrated(linear_svm()).fit(features[kept], labels[kept], groups=subjects[kept])


@settings(max_examples=40, deadline=None)
@given(st.integers(8, 40), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_folds_never_share_a_subject_nor_lack_a_class_in_training(n_clips, n_splits, seed):
    rng = np.random.default_rng(seed)
    # The first eight rows give each class two subjects, any two.
    labels = np.append(np.repeat(np.arange(4), 2), rng.integers(0, 4, n_clips - 8))
    pairs = [rng.choice(8, 2, replace=False) for _ in range(4)]
    groups = np.append(np.concatenate(pairs), rng.integers(0, 8, n_clips - 8))
    folds = subject_folds(labels, groups, n_splits, "")
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(len(labels)))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
        assert set(labels[train]) == set(labels)
    # The order of the clips does not matter.
    order = rng.permutation(len(labels))
    moved = subject_folds(labels[order], groups[order], n_splits, "")
    assert [set(groups[test]) for _, test in folds] == [set(groups[order][test]) for _, test in moved]


def test_where_stratified_folds_would_lack_a_class_each_subject_is_a_fold():
    groups = np.array([0, 1, 1, 1, 2, 2, 3])
    labels = np.array(list("abbcabc"))
    assert len(subject_folds(labels, groups, 2, "")) == 4


def test_without_subjects_it_refuses():
    features, labels, subjects = people()
    with pytest.raises(ParameterError, match="groups is None"):
        SubjectCalibrated(linear_svm()).fit(features, labels)
    with pytest.raises(DataError, match=r"groups has shape \(95,\)"):
        SubjectCalibrated(linear_svm()).fit(features, labels, groups=subjects[:-1])
    with pytest.raises(ParameterError, match="n_splits is 1"):
        SubjectCalibrated(linear_svm(), n_splits=1).fit(features, labels, groups=subjects)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (StandardScaler(), "estimator must be a classifier with"),
        (SVC, "estimator must be a classifier with"),
        (make_pipeline(StandardScaler(), SVC(decision_function_shape="ovo")), "svc__decision_function_shape is 'ovo'"),
    ],
)
def test_an_estimator_without_scores_of_classes_is_refused(estimator, message):
    features, labels, subjects = people()
    with pytest.raises(ParameterError, match=message):
        SubjectCalibrated(estimator).fit(features, labels, groups=subjects)


def test_data_that_do_not_fit_are_an_error_of_one_line():
    features, labels, subjects = people()
    model = SubjectCalibrated(linear_svm())
    hole = features.copy()
    hole[3, 2] = np.nan
    for rows, classes, message in (
        (features[:-1], labels, "X has 95 clips and y 96 labels"),
        (hole, labels, "X holds NaN"),
        (features, np.repeat("positive", 96), "y has 1 class"),
        (features, np.column_stack([labels, labels]), "y should be a 1d array"),
        (features, np.linspace(0, 1, 96), "Unknown label type"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            model.fit(rows, classes, groups=subjects)
        assert "\n" not in str(caught.value)


def test_it_knows_how_many_features_it_was_fitted_with_if_its_classifier_does():
    features, labels, subjects = people()
    assert SubjectCalibrated(linear_svm()).fit(features, labels, groups=subjects).n_features_in_ == 6
    assert not hasattr(SubjectCalibrated(Recorder()).fit(features, labels, groups=subjects), "n_features_in_")
    assert not hasattr(SubjectCalibrated(linear_svm()), "n_features_in_")


def test_two_classes_and_a_pickled_copy():
    features, labels, subjects = people()
    kept = labels != "surprise"
    model = SubjectCalibrated(linear_svm()).fit(features[kept], labels[kept], groups=subjects[kept])
    shares = model.predict_proba(features)
    assert shares.shape == (len(features), 2)
    assert (shares[labels == "positive", 1] > 0.5).mean() > 0.7
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(features), shares)
