import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import gentleboost as naive
from scipy.special import expit
from sklearn.exceptions import NotFittedError
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from microexpr.classifiers.gentleboost import GentleBoostClassifier
from microexpr.core.errors import DataError, ParameterError

few = settings(max_examples=40, deadline=None)


def random_problem(seed=0, n_samples=60, n_features=6, n_classes=2):
    """Values without ties, labels that depend on them and on chance."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    noisy = X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=n_samples)
    return X, np.searchsorted(np.quantile(noisy, np.arange(1, n_classes) / n_classes), noisy)


def as_rows(stumps):
    return [tuple(stump)[:4] for stump in stumps]


def assert_same_stumps(found, expected, atol=1e-10):
    assert [stump[0] for stump in as_rows(found)] == [stump[0] for stump in expected]
    np.testing.assert_allclose(as_rows(found), expected, rtol=0, atol=atol)


def training_losses(X, y, stumps, weights=None):
    """The weighted mean of exp(-z F) before the first round and after each, z being -1 and 1."""
    z = np.where(y == np.unique(y)[1], 1.0, -1.0)
    answers = [[naive.answer(stump, values) for stump in as_rows(stumps)] for values in X]
    sums = np.cumsum(np.column_stack([np.zeros(len(X)), answers]), axis=1)
    return np.average(np.exp(-z[:, None] * sums), axis=0, weights=weights)


# The slow twins


@pytest.mark.parametrize("seed", range(3))
def test_stumps_are_the_programs(seed):
    X, y = random_problem(seed, n_samples=120, n_features=15)
    stumps = GentleBoostClassifier(n_estimators=20).fit(X, y).stumps_
    assert len(stumps) == 1
    assert_same_stumps(stumps[0], naive.program(X.T.tolist(), (2 * y - 1).tolist(), 20))


@pytest.mark.parametrize("seed", range(3))
def test_stumps_are_the_programs_with_ties_and_sample_weights(seed):
    X, y = random_problem(seed, n_samples=80, n_features=8)
    X = np.round(X * 2) / 2
    weights = np.random.default_rng(seed).uniform(0.1, 3, len(y))
    found = GentleBoostClassifier(n_estimators=15).fit(X, y, sample_weight=weights).stumps_[0]
    assert_same_stumps(found, naive.program(X.T.tolist(), (2 * y - 1).tolist(), 15, weights))


@few
@given(
    n_samples=st.integers(2, 12),
    n_features=st.integers(1, 4),
    n_values=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
    smallest=st.sampled_from([1.0, 1e-4, 1e-40]),
    group_ties=st.booleans(),
)
def test_stumps_are_the_best_by_definition(n_samples, n_features, n_values, seed, smallest, group_ties):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, n_values, (n_samples, n_features)).astype(float)
    y = rng.permutation(np.arange(n_samples) % 2) * 2 - 1
    weights = rng.choice([1.0, 2.0, smallest], n_samples)
    found = GentleBoostClassifier(n_estimators=4, group_ties=group_ties).fit(X, y, sample_weight=weights).stumps_[0]
    expected = naive.by_definition(X.T.tolist(), y.tolist(), 4, weights.tolist(), group_ties)
    assert_same_stumps(found, expected)


def test_kernels_without_compilation_give_the_same():
    X, y = random_problem(n_samples=25, n_features=3)
    code = (
        "import numpy as np, sys\n"
        "from microexpr.classifiers.gentleboost import GentleBoostClassifier\n"
        "X, y = np.array(eval(sys.argv[1])), eval(sys.argv[2])\n"
        "for ties in (False, True):\n"
        "    print(GentleBoostClassifier(5, group_ties=ties).fit(X, y).stumps_[0].tolist())\n"
    )
    command = [sys.executable, "-W", "error", "-c", code, repr(X.tolist()), repr(y.tolist())]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    compiled = [GentleBoostClassifier(5, group_ties=ties).fit(X, y).stumps_[0].tolist() for ties in (False, True)]
    for line, expected in zip(answer.stdout.splitlines(), compiled, strict=True):
        np.testing.assert_allclose(eval(line), expected, rtol=0, atol=1e-13)


# By hand, and another library


def test_first_stump_by_hand():
    boost = GentleBoostClassifier(n_estimators=1).fit([[1.0], [2.0], [3.0], [4.0]], [-1, -1, 1, -1])
    # Cut after 2: means -1 and 0, error 1/2; a constant, -1/2, has 3/4; the other cuts have 2/3.
    assert boost.stumps_[0].tolist() == [(0, 2.5, 1.0, -1.0, 0.25)]
    np.testing.assert_array_equal(boost.decision_function([[2.5], [2.6]]), [-1.0, 0.0])


def test_weights_after_the_first_round_by_hand():
    boost = GentleBoostClassifier(n_estimators=2).fit([[1.0], [2.0], [3.0], [4.0]], [-1, -1, 1, -1])
    # f was -1, -1, 0, 0: the weights are 1/e, 1/e, 1, 1. The cut after 3 isolates the last sample.
    left = (1 - 2 / math.e) / (1 + 2 / math.e)
    np.testing.assert_allclose(boost.stumps_[0][1].tolist()[:4], [0, 3.5, -1 - left, left], rtol=0, atol=1e-14)


@pytest.mark.parametrize("seed", range(4))
def test_first_stump_is_the_regression_tree_of_depth_one(seed):
    X, y = random_problem(seed, n_samples=200, n_features=10)
    weights = np.random.default_rng(seed).uniform(0.1, 2, len(y))
    tree = DecisionTreeRegressor(max_depth=1).fit(X, 2.0 * y - 1, sample_weight=weights)
    boost = GentleBoostClassifier(n_estimators=1).fit(X, y, sample_weight=weights)
    assert boost.stumps_[0]["feature"][0] == tree.tree_.feature[0]
    np.testing.assert_allclose(boost.decision_function(X), tree.predict(X), rtol=0, atol=1e-10)
    reduction = tree.tree_.impurity[0] - np.average((2 * y - 1 - tree.predict(X)) ** 2, weights=weights)
    np.testing.assert_allclose(boost.stumps_[0]["reduction"][0], reduction, rtol=1e-10)


def test_samples_beyond_sixteen_bits_are_told_apart():
    # In two bytes sample 65,536 would be sample 0 again.
    n_samples = 70_000
    values = np.random.default_rng(0).permutation(n_samples).astype(float)
    boost = GentleBoostClassifier(n_estimators=1).fit(values[:, None], values > 50_000)
    assert boost.stumps_[0].tolist()[0][:4] == pytest.approx((0, 50_000.5, 2.0, -1.0), abs=1e-9)


# Scores and classes


@pytest.mark.parametrize("n_classes", [2, 4])
def test_scores_are_sums_of_stumps(n_classes):
    X, y = random_problem(n_classes=n_classes)
    boost = GentleBoostClassifier(n_estimators=12).fit(X, y)
    expected = [
        [sum(naive.answer(stump, values) for stump in as_rows(stumps)) for stumps in boost.stumps_] for values in X
    ]
    np.testing.assert_allclose(boost.decision_function(X), np.squeeze(expected), rtol=0, atol=1e-10)


def test_several_classes_are_each_boosted_against_the_rest():
    X, y = random_problem(n_classes=3)
    names = np.array(["disgust", "happiness", "surprise"])[y]
    boost = GentleBoostClassifier(n_estimators=7).fit(X, names)
    assert boost.decision_function(X).shape == (len(X), 3)
    for name, stumps, scores in zip(boost.classes_, boost.stumps_, boost.decision_function(X).T, strict=True):
        alone = GentleBoostClassifier(n_estimators=7).fit(X, names == name)
        assert stumps.tolist() == alone.stumps_[0].tolist()
        np.testing.assert_array_equal(scores, alone.decision_function(X))


def test_the_class_is_that_of_the_largest_score():
    X, y = random_problem(n_classes=3)
    names = np.array(["disgust", "happiness", "surprise"])
    boost = GentleBoostClassifier(n_estimators=7).fit(X, names[y])
    np.testing.assert_array_equal(boost.predict(X), names[boost.decision_function(X).argmax(axis=1)])


def test_two_classes_are_told_by_the_sign():
    X, y = random_problem()
    boost = GentleBoostClassifier(n_estimators=7).fit(X, y)
    np.testing.assert_array_equal(boost.predict(X), boost.decision_function(X) > 0)
    assert (boost.predict(X) == y).mean() > 0.8


def test_probabilities_of_two_classes_follow_the_link():
    X, y = random_problem()
    boost = GentleBoostClassifier(n_estimators=9).fit(X, y)
    scores = boost.decision_function(X)
    expected = np.exp(scores) / (np.exp(scores) + np.exp(-scores))
    np.testing.assert_allclose(boost.predict_proba(X), np.column_stack([1 - expected, expected]), rtol=0, atol=1e-12)


def test_probabilities_of_several_classes_are_scaled_to_one():
    X, y = random_problem(n_classes=4)
    boost = GentleBoostClassifier(n_estimators=9).fit(X, y)
    links = expit(2 * boost.decision_function(X))
    expected = links / links.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(boost.predict_proba(X), expected, rtol=0, atol=1e-12)


def test_probabilities_stay_finite_where_all_links_vanish():
    # Each class has a feature of its own; a sample with none is of no class, the surer the more rounds.
    X = np.repeat(np.eye(3), 2, axis=0)
    boost = GentleBoostClassifier(n_estimators=600, group_ties=True).fit(X, X.argmax(axis=1))
    scores = boost.decision_function([[0, 0, 0]])
    assert scores.max() < -400
    np.testing.assert_allclose(boost.predict_proba([[0, 0, 0]]), [[1 / 3] * 3], rtol=1e-6)


def test_scores_are_rounded_so_that_equal_sums_are_equal():
    X, y = random_problem(n_classes=3)
    scores = GentleBoostClassifier(n_estimators=12).fit(X, y).decision_function(X)
    assert scores.tolist() == [[float(f"{score:.11f}") for score in row] for row in scores]
    # Each class has a feature of its own: a sample with none is of every class equally little.
    X = np.repeat(np.eye(3), 10, axis=0)
    weights = np.random.default_rng(0).uniform(0.1, 1, len(X))
    boost = GentleBoostClassifier(n_estimators=50, group_ties=True).fit(X, X.argmax(axis=1), weights)
    assert boost.decision_function([[0, 0, 0]]).tolist() == [[-50.0] * 3]
    assert boost.predict([[0, 0, 0]]).tolist() == [0]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_stages_are_the_classifiers_of_fewer_rounds(n_classes):
    X, y = random_problem(n_classes=n_classes)
    stages = list(GentleBoostClassifier(n_estimators=6).fit(X, y).staged_predict(X))
    assert len(stages) == 6
    for n_rounds, stage in enumerate(stages, start=1):
        shorter = GentleBoostClassifier(n_estimators=n_rounds).fit(X, y)
        np.testing.assert_array_equal(stage, shorter.predict(X))


def test_a_class_that_ended_early_keeps_its_score_in_later_stages():
    X, y = random_problem(n_classes=3)
    boost = GentleBoostClassifier(n_estimators=60, tol=0.004).fit(X, y)
    assert len({len(stumps) for stumps in boost.stumps_}) > 1
    stages = list(boost.staged_predict(X))
    assert len(stages) == max(len(stumps) for stumps in boost.stumps_)
    np.testing.assert_array_equal(stages[-1], boost.predict(X))


# Importances


def test_importances_are_the_sums_of_reductions_scaled_to_one():
    X, y = random_problem(n_classes=3)
    boost = GentleBoostClassifier(n_estimators=10).fit(X, y)
    sums = [0.0] * X.shape[1]
    for stumps in boost.stumps_:
        for stump in stumps:
            sums[stump["feature"]] += stump["reduction"]
    np.testing.assert_allclose(boost.feature_importances_, np.array(sums) / sum(sums), rtol=1e-12)
    assert boost.feature_importances_.argmax() == 0


def test_the_reduction_is_that_of_the_weighted_squared_error():
    X, y = random_problem()
    boost = GentleBoostClassifier(n_estimators=8).fit(X, y)
    z, weights = 2.0 * y - 1, np.ones(len(y))
    for stump in boost.stumps_[0]:
        answers = np.array([naive.answer(tuple(stump)[:4], values) for values in X])
        constant = np.average(z, weights=weights)
        expected = np.average((z - constant) ** 2 - (z - answers) ** 2, weights=weights)
        assert stump["reduction"] == pytest.approx(expected, abs=1e-12)
        weights = weights * np.exp(-z * answers)


def test_there_are_no_importances_before_a_fit():
    with pytest.raises(NotFittedError, match="not fitted"):
        GentleBoostClassifier().feature_importances_  # noqa: B018


# Sample weights


def test_a_weight_counts_as_so_many_samples():
    X, y = random_problem()
    weights = np.random.default_rng(1).integers(0, 4, len(y))
    weighted = GentleBoostClassifier(n_estimators=10).fit(X, y, sample_weight=weights).stumps_[0]
    repeated = GentleBoostClassifier(n_estimators=10).fit(X.repeat(weights, axis=0), y.repeat(weights)).stumps_[0]
    assert_same_stumps(weighted, as_rows(repeated))


def test_the_scale_of_the_weights_does_not_matter():
    X, y = random_problem()
    weights = np.random.default_rng(1).uniform(1, 2, len(y))
    plain = GentleBoostClassifier(n_estimators=10, tol=1e-3).fit(X, y, sample_weight=weights).stumps_[0]
    for scale in (1e-250, 5e307):
        scaled = GentleBoostClassifier(n_estimators=10, tol=1e-3).fit(X, y, sample_weight=weights * scale).stumps_[0]
        assert_same_stumps(scaled, as_rows(plain))


def test_neither_data_nor_weights_are_changed():
    X, y = random_problem()
    weights = np.linspace(1, 2, len(y))
    copies = X.copy(), weights.copy()
    GentleBoostClassifier(n_estimators=3).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(X, copies[0])
    np.testing.assert_array_equal(weights, copies[1])


# Order, ties, constants


@few
@given(seed=st.integers(0, 2**32 - 1), n_levels=st.integers(2, 8))
def test_with_grouped_ties_the_order_of_the_samples_does_not_matter(seed, n_levels):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, n_levels, (30, 4)).astype(float)
    y = np.arange(30) % 3
    shuffled = rng.permutation(30)
    first = GentleBoostClassifier(n_estimators=5, group_ties=True).fit(X, y)
    second = GentleBoostClassifier(n_estimators=5, group_ties=True).fit(X[shuffled], y[shuffled])
    np.testing.assert_allclose(first.decision_function(X), second.decision_function(X), rtol=0, atol=1e-9)


def test_without_ties_the_order_of_the_samples_does_not_matter():
    X, y = random_problem()
    shuffled = np.random.default_rng(1).permutation(len(y))
    first = GentleBoostClassifier(n_estimators=20).fit(X, y).stumps_[0]
    second = GentleBoostClassifier(n_estimators=20).fit(X[shuffled], y[shuffled]).stumps_[0]
    assert_same_stumps(first, as_rows(second))


def test_without_ties_grouping_them_changes_nothing():
    X, y = random_problem()
    first = GentleBoostClassifier(n_estimators=20).fit(X, y).stumps_[0]
    assert first.tolist() == GentleBoostClassifier(n_estimators=20, group_ties=True).fit(X, y).stumps_[0].tolist()


def test_of_equal_features_the_first_is_taken():
    X, y = random_problem()
    boost = GentleBoostClassifier(n_estimators=10).fit(np.hstack([X, X]), y)
    assert_same_stumps(boost.stumps_[0], as_rows(GentleBoostClassifier(n_estimators=10).fit(X, y).stumps_[0]))


@pytest.mark.parametrize("n_samples", range(3, 40))
def test_of_equal_splits_of_a_feature_the_first_is_taken(n_samples):
    # A cut after the first sample is as good as one before the last; rounding makes now one, now the other better.
    y = [0] + [1] * (n_samples - 2) + [0]
    boost = GentleBoostClassifier(n_estimators=1).fit(np.arange(n_samples)[:, None], y)
    assert boost.stumps_[0]["threshold"].tolist() == [0.5]


def test_a_constant_feature_is_not_chosen():
    # By the order of its samples, the program would take it to separate the classes without error.
    X, y = random_problem()
    sort = np.argsort(y, kind="stable")
    X = np.hstack([np.full((len(y), 1), 7.0), X])
    boost = GentleBoostClassifier(n_estimators=10).fit(X[sort], y[sort])
    assert (boost.stumps_[0]["feature"] > 0).all()
    assert boost.feature_importances_[0] == 0


@pytest.mark.parametrize("group_ties", [False, True])
def test_if_all_features_are_constant_the_frequencies_decide(group_ties):
    boost = GentleBoostClassifier(n_estimators=50, group_ties=group_ties).fit(np.ones((10, 3)), [0] * 3 + [1] * 7)
    np.testing.assert_allclose(boost.predict_proba([[1, 1, 1], [5, -5, 5]]), [[0.3, 0.7]] * 2, rtol=1e-9)
    assert boost.feature_importances_.tolist() == [0, 0, 0]


def test_features_that_tell_nothing_give_the_frequencies():
    X = np.array([[0.0], [1.0]] * 4)
    boost = GentleBoostClassifier(n_estimators=50, group_ties=True).fit(X, [0, 0, 0, 0, 0, 0, 1, 1])
    assert (boost.stumps_[0]["feature"] == -1).all()
    np.testing.assert_allclose(boost.predict_proba(X)[:, 1], 0.25, rtol=1e-9)


def test_neighbouring_doubles_are_split():
    # Their midpoint rounds to the upper one; a threshold there would leave both on the same side.
    low = np.nextafter(1.0, 2.0)
    high = np.nextafter(low, 2.0)
    assert 0.5 * low + 0.5 * high == high
    boost = GentleBoostClassifier(n_estimators=1).fit([[low], [high]], [0, 1])
    assert boost.predict([[low], [high]]).tolist() == [0, 1]


def test_the_largest_doubles_have_a_midpoint():
    boost = GentleBoostClassifier(n_estimators=1).fit([[1.5e308], [1.7e308]], [0, 1])
    assert boost.stumps_[0]["threshold"].tolist() == [1.6e308]


# When boosting ends


def test_boosting_ends_when_the_weights_have_vanished():
    boost = GentleBoostClassifier(n_estimators=2000).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    # Each round divides all weights by e. The least normal double is exp(-708.4), and the sum of 4 weights falls
    # below it when each is below exp(-709.8), after 710 rounds.
    assert len(boost.stumps_[0]) == 710
    np.testing.assert_allclose(boost.decision_function([[0.0], [3.0]]), [-710, 710], rtol=1e-12)


def test_vanished_weights_of_some_samples_do_no_harm():
    X, y = random_problem(n_samples=30)
    weights = np.where(np.arange(30) % 3 == 0, 1.0, 1e-250)
    boost = GentleBoostClassifier(n_estimators=300).fit(X, y, sample_weight=weights)
    for stumps in boost.stumps_:
        assert (np.abs(stumps["b"]) <= 1 + 1e-3).all()
        assert (np.abs(stumps["a"] + stumps["b"]) <= 1 + 1e-3).all()


@pytest.mark.parametrize("tol", [0.05, 0.01, 0.002])
@pytest.mark.parametrize("weighted", [False, True])
def test_tol_stops_after_the_first_round_that_gains_less(tol, weighted):
    X, y = random_problem()
    weights = np.random.default_rng(1).choice([1.0, 2.0, 30.0], len(y)) if weighted else None
    full = GentleBoostClassifier(n_estimators=100).fit(X, y, weights).stumps_[0]
    gains = -np.diff(training_losses(X, y, full, weights))
    expected = int(np.argmax(gains < tol)) + 1
    assert 1 < expected < 100
    stopped = GentleBoostClassifier(n_estimators=100, tol=tol).fit(X, y, weights).stumps_[0]
    assert stopped.tolist() == full[:expected].tolist()


def test_the_training_loss_falls():
    X, y = random_problem()
    losses = training_losses(X, y, GentleBoostClassifier(n_estimators=60).fit(X, y).stumps_[0])
    assert losses[0] == 1
    assert (np.diff(losses) < 0).all()


# What is refused


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_estimators": 0}, "n_estimators is 0: it must be at least 1"),
        ({"n_estimators": 2.5}, "n_estimators is 2.5: it must be an integer"),
        ({"group_ties": 1}, "group_ties is 1: it must be one of False, True"),
        ({"tol": -1e-3}, "tol is -0.001: it must be at least 0"),
        ({"tol": math.nan}, "tol is nan: it must be a finite number"),
    ],
)
def test_parameters_outside_their_rule_are_refused(params, message):
    X, y = random_problem()
    with pytest.raises(ParameterError, match=message):
        GentleBoostClassifier(**params).fit(X, y)
    with pytest.raises(ParameterError, match=message):
        GentleBoostClassifier(**params).check_params()


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [2.0]], [1, 1], "y has 1 class"),
        ([[1.0], [math.nan]], [0, 1], "contains NaN"),
        ([[1.0], [math.inf]], [0, 1], "contains infinity"),
        ([[1.0], [2.0]], [0, 1, 1], "inconsistent numbers of samples"),
        ([1.0, 2.0], [0, 1], "Expected 2D array"),
        ([[1.0], [2.0]], [0.5, 1.5], "Unknown label type"),
        (np.empty((2, 0)), [0, 1], "0 feature"),
    ],
)
def test_data_that_cannot_be_boosted_is_refused_in_one_line(X, y, message):
    with pytest.raises(DataError, match=message) as caught:
        GentleBoostClassifier().fit(X, y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 1.0], r"has shape \(2,\): it must have shape \(3,\)"),
        ([1.0, -1.0, 1.0], "finite weights, at least 0"),
        ([1.0, math.nan, 1.0], "finite weights, at least 0"),
        ([0.0, 0.0, 0.0], "not all zero"),
        ([1.0, 1.0, 0.0], "y has 1 class"),
    ],
)
def test_weights_that_cannot_count_are_refused(weights, message):
    with pytest.raises(DataError, match=message):
        GentleBoostClassifier().fit([[1.0], [2.0], [3.0]], [0, 0, 1], sample_weight=weights)


def test_other_features_than_those_of_the_fit_are_refused():
    X, y = random_problem()
    boost = GentleBoostClassifier(n_estimators=2).fit(X, y)
    for ask in (boost.predict, boost.decision_function, boost.predict_proba, lambda X: next(boost.staged_predict(X))):
        with pytest.raises(DataError, match="features"):
            ask(X[:, :-1])
        with pytest.raises(DataError, match="NaN") as caught:
            ask(X * np.nan)
        assert "\n" not in str(caught.value)


@parametrize_with_checks(
    [GentleBoostClassifier(n_estimators=10), GentleBoostClassifier(n_estimators=10, group_ties=True)]
)
def test_contract_of_scikit_learn(estimator, check):
    check(estimator)
