import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import f_classif
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from microexpr.classifiers.laplacian import LaplacianScoreSelector
from microexpr.core.errors import DataError, ParameterError

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def rows(seed, n_rows=12, n_features=5):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_rows, n_features)), rng.integers(0, 3, n_rows)


def naive_scores(X, labels, n_neighbors):
    """The Laplacian scores with full matrices, feature by feature, from He, Cai and Niyogi's formulas."""
    n = len(X)
    square = np.array(
        [[sum((a - b) ** 2 for a, b in zip(X[i], X[j], strict=True)) for j in range(n)] for i in range(n)]
    )
    edge = np.zeros((n, n), bool)
    for i in range(n):
        others = [j for j in range(n) if j != i and (labels is None or labels[i] == labels[j])]
        for j in sorted(others, key=lambda j: square[i, j])[:n_neighbors]:
            edge[i, j] = edge[j, i] = True
    t = square[edge].mean()
    S = np.where(edge, np.exp(-square / t), 0)
    D = np.diag(S.sum(axis=1))
    L = D - S
    one = np.ones(n)
    scores = []
    for f in X.T:
        g = f - (f @ D @ one) / (one @ D @ one) * one
        scores.append((g @ L @ g) / (g @ D @ g))
    return np.array(scores)


# By hand, and the formula


def test_scores_of_four_rows_by_hand():
    # Pairs (0, 1) and (2, 3) are joined, both at squared distance 1 + 1 = 2 = t: all weights are exp(-1) = w. Every
    # degree is w, so D-means are plain means. Feature 0 is 0 1 10 11, mean 5.5: sum over edges of w (difference)^2 is
    # 2 w, and w (5.5^2 + 4.5^2 + 4.5^2 + 5.5^2) = 101 w. Feature 1 is 0 1 0 1, mean .5: 2 w over 4 w / 4 = w.
    X = np.array([[0, 0], [1, 1], [10, 0], [11, 1]])
    for selector in (LaplacianScoreSelector(), LaplacianScoreSelector(n_neighbors=1, supervised=False)):
        np.testing.assert_allclose(selector.fit(X, [0, 0, 1, 1]).scores_, [2 / 101, 2], rtol=1e-12)


@few
@given(seed=seeds, n_neighbors=st.integers(1, 12), supervised=st.booleans())
def test_scores_equal_the_formula(seed, n_neighbors, supervised):
    X, y = rows(seed)
    found = LaplacianScoreSelector(n_neighbors=n_neighbors, supervised=supervised).fit(X, y).scores_
    np.testing.assert_allclose(found, naive_scores(X, y if supervised else None, n_neighbors), rtol=1e-9)


def test_rows_as_near_as_the_last_neighbor_are_joined_too():
    # Row 0 has two rows at distance 1 and one neighbour to choose: both count, whatever the order of the rows. Edges
    # 01 and 02, squared distances 1, w = exp(-1); degrees 2w, w, w, mean 0; 2 w over 2 w.
    X = np.array([[0.0], [1.0], [-1.0]])
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        selector = LaplacianScoreSelector(n_neighbors=1, supervised=False).fit(X[order])
        np.testing.assert_allclose(selector.scores_, [1.0])


# What is selected


def test_the_feature_that_separates_the_classes_has_the_lowest_score():
    X, _ = rows(0, n_rows=40, n_features=6)
    y = np.arange(40) % 2
    X[:, 3] += 4 * y
    selector = LaplacianScoreSelector(n_features=1).fit(X, y)
    np.testing.assert_array_equal(np.flatnonzero(selector.get_support()), [3])
    assert f_classif(X, y)[0].argmax() == 3
    np.testing.assert_array_equal(selector.transform(X), X[:, [3]])


@pytest.mark.parametrize(
    ("n_features", "kept"), [(1, 1), (3, 3), (5, 5), (0.5, 2), (0.1, 1), (1.0, 5), (0.99, 5), ("all", 5)]
)
def test_n_features_is_a_count_or_a_part(n_features, kept):
    X, y = rows(1)
    selector = LaplacianScoreSelector(n_features=n_features).fit(X, y)
    assert selector.transform(X).shape == (12, kept)
    assert selector.scores_[selector.get_support()].max() <= np.sort(selector.scores_)[kept - 1]


def test_a_share_is_rounded_whatever_its_binary_form():
    # 0.29 * 100 is below 29 in doubles.
    X, y = rows(1, n_features=100)
    assert LaplacianScoreSelector(n_features=0.29).fit(X, y).transform(X).shape == (12, 29)


def test_constant_features_come_last_whatever_rounding_makes_of_their_variance():
    X, y = rows(2, n_features=30)
    X[:, :25] = np.random.default_rng(0).normal(size=25)
    selector = LaplacianScoreSelector(n_features=5).fit(X, y)
    np.testing.assert_array_equal(np.isinf(selector.scores_), np.arange(30) < 25)
    np.testing.assert_array_equal(np.flatnonzero(selector.get_support()), np.arange(25, 30))


def test_a_row_alone_in_its_class_does_not_matter():
    X, y = rows(3)
    plain = LaplacianScoreSelector().fit(X, y).scores_
    with_one = LaplacianScoreSelector().fit(np.vstack([X, 1e3 * np.ones(5)]), np.append(y, 9)).scores_
    np.testing.assert_allclose(with_one, plain, rtol=1e-9)


def test_rows_of_one_class_that_are_all_alike_have_the_best_score():
    X = np.repeat([[1.0, 2.0], [5.0, 9.0]], 3, axis=0)
    np.testing.assert_allclose(LaplacianScoreSelector().fit(X, [0, 0, 0, 1, 1, 1]).scores_, 0, atol=1e-12)


def test_labels_do_not_matter_unless_supervised():
    X, y = rows(4)
    selector = LaplacianScoreSelector(supervised=False)
    np.testing.assert_array_equal(selector.fit(X, y).scores_, selector.fit(X).scores_)


# Properties


@few
@given(seed=seeds, supervised=st.booleans())
def test_the_order_of_rows_does_not_matter(seed, supervised):
    X, y = rows(seed)
    order = np.random.default_rng(seed).permutation(len(X))
    selector = LaplacianScoreSelector(n_neighbors=2, supervised=supervised)
    np.testing.assert_allclose(selector.fit(X[order], y[order]).scores_, selector.fit(X, y).scores_, rtol=1e-9)


@few
@given(seed=seeds, factor=st.sampled_from([1e-3, 7.0, 1e4]))
def test_scores_do_not_depend_on_scale_or_origin(seed, factor):
    X, y = rows(seed)
    found = LaplacianScoreSelector().fit(factor * (X - 3), y).scores_
    np.testing.assert_allclose(found, LaplacianScoreSelector().fit(X, y).scores_, rtol=1e-7)


@few
@given(seed=seeds)
def test_names_of_labels_do_not_matter(seed):
    X, y = rows(seed)
    named = np.array(["surprise", "negative", "positive"])[y]
    found = LaplacianScoreSelector().fit(X, named).scores_
    np.testing.assert_array_equal(found, LaplacianScoreSelector().fit(X, y).scores_)


def test_in_a_pipeline_the_subject_left_out_changes_nothing_that_is_learned():
    X, y = rows(5, n_rows=30)
    subjects = np.repeat(np.arange(5), 6)
    garbage = np.random.default_rng(9).normal(scale=1e6, size=X.shape)
    for train, test in LeaveOneGroupOut().split(X, y, subjects):
        scores = []
        for left_out in (X, garbage):
            mixed = X.copy()
            mixed[test] = left_out[test]
            pipeline = make_pipeline(LaplacianScoreSelector(), SVC()).fit(mixed[train], y[train])
            pipeline.predict(mixed[test])
            scores.append(pipeline[0].scores_)
        np.testing.assert_array_equal(*scores)


# Rules


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_features": 0}, "n_features is 0: it must be at least 1"),
        ({"n_features": 0.0}, "n_features is 0.0: a share must be greater than 0"),
        ({"n_features": 1.5}, "n_features is 1.5: it must be at most 1"),
        ({"n_features": float("nan")}, "n_features is nan: it must be a finite number"),
        ({"n_features": True}, "n_features is True: it must be an integer"),
        ({"n_features": 6}, "n_features is 6: it must be at most 5, the features of X"),
        ({"n_features": "half"}, "n_features is 'half': as a string it must be 'all'"),
        ({"n_neighbors": 0}, "n_neighbors is 0: it must be at least 1"),
        ({"supervised": "yes"}, "supervised is 'yes': it must be one of True, False"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        LaplacianScoreSelector(**params).fit(*rows(0))


def test_parameters_are_checked_without_data():
    for params in ({"n_features": 0}, {"n_neighbors": 0}, {"supervised": "yes"}):
        with pytest.raises(ParameterError, match=f"{next(iter(params))} is "):
            LaplacianScoreSelector(**params).check_params()


@pytest.mark.parametrize("supervised", [True, False])
@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0], [np.nan], [2.0]], "contains NaN"),
        ([1.0, 2.0, 3.0], "Expected 2D array"),
        ([["a"], ["b"], ["c"]], "could not convert"),
        ([[1.0]], "minimum of 2"),
    ],
)
def test_data_without_a_score_is_refused_in_one_line(X, message, supervised):
    with pytest.raises(DataError, match=message) as caught:
        LaplacianScoreSelector(supervised=supervised).fit(X, [0, 0, 1][: len(X)])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "message"), [(np.zeros((2, 4)), "4 features.*5"), (np.full((2, 5), np.nan), "contains NaN")]
)
def test_other_data_than_that_of_the_fit_is_refused_in_one_line(asked, message):
    selector = LaplacianScoreSelector().fit(*rows(0))
    with pytest.raises(DataError, match=message) as caught:
        selector.transform(asked)
    assert "\n" not in str(caught.value)


def test_labels_that_are_no_classes_are_refused():
    with pytest.raises(DataError, match="Unknown label type"):
        LaplacianScoreSelector().fit(rows(0)[0], np.arange(12) + 0.5)


def test_rows_that_share_no_label_are_refused():
    with pytest.raises(DataError, match="no two rows of X have the same label"):
        LaplacianScoreSelector().fit(rows(0)[0], np.arange(12))


def test_labels_are_required_if_supervised():
    with pytest.raises(DataError, match="requires y to be passed"):
        LaplacianScoreSelector().fit(rows(0)[0])


def test_nothing_is_selected_before_a_fit():
    with pytest.raises(NotFittedError):
        LaplacianScoreSelector().transform([[1.0, 2.0]])


@parametrize_with_checks([LaplacianScoreSelector(), LaplacianScoreSelector(supervised=False, n_neighbors=2)])
def test_scikit_learn_s_contract(estimator, check):
    check(estimator)
