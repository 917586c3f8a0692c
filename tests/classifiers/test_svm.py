import pickle

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.base import clone
from sklearn.metrics import pairwise
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from microexpr.classifiers.svm import RBFSVM, HistogramSVM, linear_svm
from microexpr.core.digest import digest
from microexpr.core.errors import DataError, ParameterError

LABELS = np.repeat(["negative", "positive", "surprise"], [20, 12, 8])


def rows(seed=0):
    """Histograms of 30 bins, each class with more in some of them."""
    rng = np.random.default_rng(seed)
    counts = rng.random((40, 30)) * (rng.random((40, 30)) < 0.7)
    counts[LABELS == "positive", :5] += 0.3
    counts[LABELS == "surprise", 5:9] += 0.4
    return counts / counts.sum(axis=1, keepdims=True)


def _expected_failures(estimator):
    if not isinstance(estimator, HistogramSVM):
        return {}
    return {"check_class_weight_classifiers": "it fits on negative numbers, whatever the estimator's tags say"}


@parametrize_with_checks(
    [RBFSVM(), RBFSVM(gamma=0.1, class_weight="balanced"), HistogramSVM(), HistogramSVM("intersection")],
    expected_failed_checks=_expected_failures,
)
def test_they_are_sound_classifiers_of_scikit_learn(estimator, check):
    check(estimator)


def test_the_width_is_one_over_the_median_squared_distance():
    machine = RBFSVM().fit(rows(), LABELS)
    assert machine.gamma_ == pytest.approx(1 / np.median(pdist(rows(), "sqeuclidean")), rel=1e-10)


def test_the_median_survives_an_offset_that_is_large_beside_the_distances():
    machine = RBFSVM().fit(rows() + 1e6, LABELS)
    assert machine.gamma_ == pytest.approx(1 / np.median(pdist(rows() + 1e6, "sqeuclidean")), rel=1e-6)


@pytest.mark.parametrize("weight", [None, "balanced"])
def test_it_is_the_rbf_machine_of_that_width(weight):
    gamma = 1 / np.median(pdist(rows(), "sqeuclidean"))
    theirs = SVC(C=3.0, gamma=gamma, class_weight=weight).fit(rows(), LABELS)
    ours = RBFSVM(C=3.0, class_weight=weight).fit(rows(), LABELS)
    np.testing.assert_allclose(ours.decision_function(rows(1)), theirs.decision_function(rows(1)), atol=1e-8)
    assert ours.predict(rows(1)).tolist() == theirs.predict(rows(1)).tolist()


@pytest.mark.parametrize("weight", [None, "balanced"])
def test_the_histogram_machine_has_scikit_learns_chi_square_kernel(weight):
    distances = -pairwise.additive_chi2_kernel(rows(), rows())
    gamma = 1 / distances[np.triu_indices(40, 1)].mean()
    theirs = SVC(kernel=lambda one, other: pairwise.chi2_kernel(one, other, gamma=gamma), C=2.0, class_weight=weight)
    theirs.fit(rows(), LABELS)
    ours = HistogramSVM(C=2.0, class_weight=weight).fit(rows(), LABELS)
    assert ours.gamma_ == pytest.approx(gamma, rel=1e-12)
    np.testing.assert_allclose(ours.decision_function(rows(1)), theirs.decision_function(rows(1)), atol=1e-8)
    assert ours.predict(rows(1)).tolist() == theirs.predict(rows(1)).tolist()


def test_a_given_width_is_taken():
    given = RBFSVM(gamma=7), HistogramSVM(gamma=7)
    assert [machine.fit(rows(), LABELS).gamma_ for machine in given] == [7.0, 7.0]


def test_the_histogram_machine_has_the_intersection_kernel():
    def smaller(one, other):
        return np.minimum(one[:, np.newaxis], other).sum(axis=-1)

    theirs = SVC(kernel=smaller, C=2.0).fit(rows(), LABELS)
    ours = HistogramSVM("intersection", C=2.0).fit(rows(), LABELS)
    np.testing.assert_allclose(ours.decision_function(rows(1)), theirs.decision_function(rows(1)), atol=1e-8)


@pytest.mark.parametrize("machine", [RBFSVM(), HistogramSVM()])
def test_equal_rows_give_the_width_one(machine):
    same = np.full((6, 4), 0.1)
    assert clone(machine).fit(same, LABELS[17:23]).gamma_ == 1.0


@pytest.mark.parametrize("machine", [RBFSVM(), HistogramSVM(), HistogramSVM("intersection")])
def test_a_row_is_answered_alike_whatever_is_beside_it(machine):
    fitted = pickle.loads(pickle.dumps(clone(machine).fit(rows(), LABELS)))
    together = fitted.decision_function(rows(1))
    alone = np.concatenate([fitted.decision_function(row[np.newaxis]) for row in rows(1)])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("kernel", ["chi2", "intersection"])
def test_negative_numbers_are_refused(kernel):
    machine = HistogramSVM(kernel)
    with pytest.raises(DataError, match="Negative"):
        machine.fit(-rows(), LABELS)
    machine.fit(rows(), LABELS)
    with pytest.raises(DataError, match="Negative"):
        machine.predict(-rows())


@pytest.mark.parametrize(
    ("machine", "message"),
    [
        (RBFSVM(C=0), "C is 0"),
        (RBFSVM(C="1"), "C is '1'"),
        (RBFSVM(gamma="mean"), "gamma is 'mean'.*'median'"),
        (RBFSVM(gamma=0.0), r"gamma is 0\.0"),
        (RBFSVM(class_weight="even"), "class_weight is 'even'"),
        (HistogramSVM("rbf"), "kernel is 'rbf'"),
        (HistogramSVM(gamma="median"), "gamma is 'median'.*'mean'"),
        (HistogramSVM(C=-1), "C is -1"),
        (HistogramSVM("intersection", gamma=0.5), "gamma is 0.5: it must be 'mean' with kernel 'intersection'"),
        (RBFSVM(class_weight={"negative": -1}), r"class_weight\['negative'\] is -1"),
    ],
)
def test_a_parameter_that_is_not_allowed_is_named(machine, message):
    with pytest.raises(ParameterError, match=message):
        machine.fit(rows(), LABELS)
    with pytest.raises(ParameterError, match=message):
        machine.check_params()


@pytest.mark.parametrize("machine", [RBFSVM(), HistogramSVM(), HistogramSVM("intersection")])
@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [2.0]], ["a", "a"], "y has 1 class"),
        ([[1.0], [np.nan]], ["a", "b"], "contains NaN"),
        ([[1.0], [2.0]], ["a", "b", "b"], "inconsistent numbers of samples"),
        ([1.0, 2.0], ["a", "b"], "Expected 2D array"),
        ([[1.0], [2.0]], [0.5, 1.5], "Unknown label type"),
    ],
)
def test_data_that_cannot_be_learned_is_refused_in_one_line(machine, X, y, message):
    with pytest.raises(DataError, match=message) as caught:
        clone(machine).fit(X, y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("machine", [RBFSVM(), HistogramSVM(), HistogramSVM("intersection")])
@pytest.mark.parametrize(("asked", "message"), [(rows()[:, 1:], "29 features.*30"), (rows() * np.nan, "contains NaN")])
def test_other_data_than_that_of_the_fit_is_refused_in_one_line(machine, asked, message):
    fitted = clone(machine).fit(rows(), LABELS)
    for ask in (fitted.predict, fitted.decision_function):
        with pytest.raises(DataError, match=message) as caught:
            ask(asked)
        assert "\n" not in str(caught.value)


def test_their_parameters_make_a_key():
    keys = [digest(machine) for machine in (RBFSVM(), RBFSVM(C=2.0), HistogramSVM(), HistogramSVM("intersection"))]
    assert len(set(keys)) == 4


def test_the_linear_machine_is_scikit_learns():
    machine = linear_svm(C=0.5, class_weight="balanced", random_state=3)
    assert {"C": 0.5, "kernel": "linear", "class_weight": "balanced", "random_state": 3}.items() <= (
        machine.get_params().items()
    )
