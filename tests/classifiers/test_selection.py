import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import f_classif
from sklearn.utils.estimator_checks import parametrize_with_checks

from microexpr.classifiers.selection import VarianceRatioSelector
from microexpr.core.errors import DataError, ParameterError

few = settings(max_examples=40, deadline=None)


def random_problem(seed=0, n_samples=40, n_features=10, n_classes=3):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n_samples) % n_classes)
    return rng.normal(size=(n_samples, n_features)) + 0.5 * y[:, None] * rng.normal(size=n_features), y


@few
@given(seed=st.integers(0, 2**32 - 1), n_samples=st.integers(6, 40), n_classes=st.integers(2, 5))
def test_scores_are_the_analysis_of_variance_up_to_its_factor(seed, n_samples, n_classes):
    X, y = random_problem(seed, n_samples=n_samples, n_classes=n_classes)
    statistic, _ = f_classif(X, y)
    found = VarianceRatioSelector().fit(X, y).scores_ * (n_samples - n_classes) / (n_classes - 1)
    # Where the classes have nearly one mean, what is left of it by rounding has few digits.
    np.testing.assert_allclose(found, statistic, rtol=1e-8, atol=1e-12)


def test_scores_by_hand():
    # Classes of 1 and 3 samples. Means 0 and 4, of all 3: between 1 * 9 + 3 * 1 = 12, within 0 + (4 + 0 + 4) = 8.
    selector = VarianceRatioSelector().fit([[0.0], [2.0], [4.0], [6.0]], ["a", "b", "b", "b"])
    assert selector.scores_.tolist() == [1.5]


def test_a_constant_feature_scores_zero_and_a_separating_one_is_infinite():
    # In binary the mean of several times 0.7 need not be 0.7; the last feature varies within the classes too.
    y = np.repeat([0, 1], [3, 5])
    X = np.column_stack([np.full(8, 0.1), np.where(y == 0, 0.1, 0.7), np.arange(8) % 3])
    selector = VarianceRatioSelector().fit(X, y)
    assert selector.scores_[:2].tolist() == [0, math.inf]
    assert 0 < selector.scores_[2] < 1


@few
@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-300, 300))
def test_scale_does_not_matter(seed, exponent):
    X, y = random_problem(seed)
    plain, scaled = (VarianceRatioSelector().fit(values, y).scores_ for values in (X, X * 10.0**exponent))
    np.testing.assert_allclose(scaled, plain, rtol=1e-9, atol=1e-12)


def test_order_of_samples_and_names_of_classes_do_not_matter():
    X, y = random_problem()
    shuffled = np.random.default_rng(1).permutation(len(y))
    plain = VarianceRatioSelector().fit(X, y).scores_
    other = VarianceRatioSelector().fit(X[shuffled], np.array(["surprise", "fear", "anger"])[y[shuffled]]).scores_
    np.testing.assert_allclose(other, plain, rtol=1e-12)


@pytest.mark.parametrize(
    ("n_features", "n_kept"),
    [(1, 1), (4, 4), (10, 10), ("all", 10), (1.0, 10), (0.29, 3), (0.04, 1), (np.int64(2), 2), (np.float32(0.5), 5)],
)
def test_the_best_are_kept_in_their_order(n_features, n_kept):
    X, y = random_problem()
    selector = VarianceRatioSelector(n_features=n_features).fit(X, y)
    statistic, _ = f_classif(X, y)
    expected = np.sort(np.argsort(-statistic)[:n_kept])
    assert selector.get_support(indices=True).tolist() == expected.tolist()
    np.testing.assert_array_equal(selector.transform(X), X[:, expected])


def test_of_equal_scores_the_first_features_are_kept():
    X, y = random_problem(n_features=2)
    best = VarianceRatioSelector().fit(X, y).scores_.argmax()
    selector = VarianceRatioSelector(n_features=3).fit(np.hstack([X, X, X, X]), y)
    assert selector.get_support(indices=True).tolist() == [best, best + 2, best + 4]


def test_an_infinite_score_comes_before_all_others():
    X, y = random_problem()
    selector = VarianceRatioSelector(n_features=1).fit(np.column_stack([X, y]), y)
    assert selector.get_support(indices=True).tolist() == [10]


@pytest.mark.parametrize(
    ("n_features", "message"),
    [
        (11, "n_features is 11: it must be at most 10, the features of X"),
        (0, "n_features is 0: it must be at least 1"),
        (-1, "n_features is -1: it must be at least 1"),
        (0.0, "n_features is 0.0: a share must be greater than 0"),
        (1.5, "n_features is 1.5: it must be at most 1"),
        (math.nan, "n_features is nan: it must be a finite number"),
        ("half", "n_features is 'half': as a string it must be 'all'"),
        (True, "n_features is True: it must be an integer"),
        (None, "n_features is None: it must be a finite number"),
    ],
)
def test_counts_outside_their_rule_are_refused(n_features, message):
    X, y = random_problem()
    with pytest.raises(ParameterError, match=message):
        VarianceRatioSelector(n_features=n_features).fit(X, y)


@pytest.mark.parametrize("n_features", [0, 2.0, 0.0, "half", None])
def test_counts_are_checked_without_data(n_features):
    with pytest.raises(ParameterError, match="n_features is "):
        VarianceRatioSelector(n_features=n_features).check_params()


def test_a_share_is_rounded_whatever_its_binary_form():
    # 0.29 * 100 is below 29 in doubles.
    X, y = random_problem(n_features=100)
    assert VarianceRatioSelector(n_features=0.29).fit(X, y).transform(X).shape == (40, 29)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [2.0], [3.0]], [0, 0, 0], "y has 1 class"),
        ([[1.0], [2.0], [3.0]], [0, 1, 2], "3 samples of as many classes"),
        ([[1.0], [2.0], [math.nan]], [0, 0, 1], "contains NaN"),
        ([[1.0], [2.0]], [0, 0, 1], "inconsistent numbers of samples"),
        ([1.0, 2.0, 3.0], [0, 0, 1], "Expected 2D array"),
        ([[1.0], [2.0], [3.0]], None, "requires y"),
    ],
)
def test_data_without_a_ratio_is_refused_in_one_line(X, y, message):
    with pytest.raises(DataError, match=message) as caught:
        VarianceRatioSelector().fit(X, y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "message"), [(np.zeros((2, 9)), "9 features.*10"), (np.full((2, 10), math.nan), "contains NaN")]
)
def test_other_data_than_that_of_the_fit_is_refused_in_one_line(asked, message):
    selector = VarianceRatioSelector().fit(*random_problem())
    with pytest.raises(DataError, match=message) as caught:
        selector.transform(asked)
    assert "\n" not in str(caught.value)


def test_the_type_of_the_numbers_is_kept():
    X, y = random_problem()
    assert VarianceRatioSelector().fit(X, y).transform(X.astype(np.float32)).dtype == np.float32


def test_nothing_is_selected_before_a_fit():
    with pytest.raises(NotFittedError):
        VarianceRatioSelector().transform([[1.0, 2.0]])


@parametrize_with_checks([VarianceRatioSelector(), VarianceRatioSelector(n_features=1)])
def test_contract_of_scikit_learn(estimator, check):
    check(estimator)
