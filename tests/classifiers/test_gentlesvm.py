import math

import numpy as np
import pytest
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from microexpr.classifiers.gentleboost import GentleBoostClassifier
from microexpr.classifiers.gentlesvm import GentleSVM
from microexpr.core.digest import estimator_spec
from microexpr.core.errors import DataError, ParameterError


def random_problem(seed=0, n_samples=90, n_features=25, n_classes=3):
    """Labels that depend on features 3, 11 and 17 and on chance; feature 17 is on a scale of its own."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    noisy = X[:, 3] + X[:, 11] + X[:, 17] + 0.3 * rng.normal(size=n_samples)
    X[:, 17] = 5 + 1e-3 * X[:, 17]
    return X, np.searchsorted(np.quantile(noisy, np.arange(1, n_classes) / n_classes), noisy)


def standardised(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_features_are_those_of_the_stumps_of_all_classes(n_classes):
    X, y = random_problem(n_classes=n_classes)
    model = GentleSVM(n_estimators=4).fit(X, y)
    boost = GentleBoostClassifier(n_estimators=4, group_ties=True).fit(X, y)
    used = {int(stump["feature"]) for stumps in boost.stumps_ for stump in stumps}
    assert set(model.selected_features_.tolist()) == used
    assert len(used) < X.shape[1]


def test_the_features_come_in_order_of_importance():
    X, y = random_problem()
    model = GentleSVM(n_estimators=10).fit(X, y)
    importances = GentleBoostClassifier(n_estimators=10, group_ties=True).fit(X, y).feature_importances_
    assert (np.diff(importances[model.selected_features_]) <= 0).all()
    assert importances[model.selected_features_].sum() == pytest.approx(1)


def test_the_most_important_are_kept():
    X, y = random_problem()
    all_used = GentleSVM(n_estimators=20).fit(X, y).selected_features_
    three = GentleSVM(n_estimators=20, n_features=3).fit(X, y).selected_features_
    assert three.tolist() == all_used[:3].tolist()
    assert sorted(three.tolist()) == [3, 11, 17]


def test_fewer_are_kept_where_the_stumps_use_fewer():
    X = np.random.default_rng(0).normal(size=(40, 5))
    model = GentleSVM(n_estimators=20, n_features=4).fit(X, X[:, 2] > 0)
    assert model.selected_features_.tolist() == [2]


def test_a_feature_is_not_selected_for_the_order_of_its_samples():
    # Within the zeros of feature 0 the classes stand apart, as they do wherever clips are listed by class.
    y = np.repeat([0, 1], 20)
    X = np.column_stack([np.r_[np.zeros(39), 1.0], y + 0.1 * np.random.default_rng(0).normal(size=40)])
    assert GentleSVM(n_estimators=1).fit(X, y).selected_features_.tolist() == [1]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_a_linear_svm_decides_on_the_standardised_features(n_classes, class_weight):
    X, y = random_problem(n_classes=n_classes)
    y = np.where(np.arange(len(y)) < 10, 0, y)
    model = GentleSVM(n_features=5, n_estimators=10, C=0.5, class_weight=class_weight).fit(X, y)
    selected = standardised(X)[:, model.selected_features_]
    expected = SVC(kernel="linear", C=0.5, class_weight=class_weight).fit(selected, y)
    np.testing.assert_allclose(model.decision_function(X), expected.decision_function(selected), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(model.predict(X), expected.predict(selected))


def test_other_features_do_not_matter_after_the_fit():
    X, y = random_problem()
    model = GentleSVM(n_features=3, n_estimators=10).fit(X, y)
    garbled = np.full_like(X, 1e6)
    garbled[:, model.selected_features_] = X[:, model.selected_features_]
    np.testing.assert_array_equal(model.decision_function(garbled), model.decision_function(X))


def test_new_samples_of_a_learnable_problem_are_recognised():
    X, y = random_problem(n_samples=400)
    model = GentleSVM(n_features=3, n_estimators=30).fit(X[:200], y[:200])
    assert (model.predict(X[200:]) == y[200:]).mean() > 0.8


@pytest.mark.parametrize("class_weight", [None, "balanced", {"fear": 100, "smile": 1}])
def test_constant_features_leave_the_most_frequent_class(class_weight):
    model = GentleSVM(n_estimators=5, class_weight=class_weight).fit(
        np.full((10, 4), 3.0), ["fear"] * 3 + ["smile"] * 7
    )
    assert model.selected_features_.tolist() == []
    assert model.predict([[3, 3, 3, 3], [9, 0, 0, 0]]).tolist() == ["smile", "smile"]
    np.testing.assert_allclose(model.decision_function([[3, 3, 3, 3], [9, 0, 0, 0]]), [0.4, 0.4])


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_constant_features_leave_the_most_frequent_of_three_classes(class_weight):
    y = ["fear"] * 3 + ["joy"] * 5 + ["smile"] * 2
    model = GentleSVM(n_estimators=5, class_weight=class_weight).fit(np.full((10, 4), 3.0), y)
    assert model.predict(np.zeros((2, 4))).tolist() == ["joy", "joy"]
    np.testing.assert_allclose(model.decision_function(np.zeros((1, 4))), [[0.3, 0.5, 0.2]])


def test_of_equally_frequent_classes_constant_features_leave_the_first():
    model = GentleSVM(n_estimators=5).fit(np.full((4, 2), 3.0), ["smile", "smile", "fear", "fear"])
    assert model.predict(np.zeros((1, 2))).tolist() == ["fear"]


def test_features_that_tell_nothing_leave_the_most_frequent_class():
    X = np.array([[0.0], [1.0]] * 4)
    model = GentleSVM(n_estimators=5, class_weight="balanced").fit(X, [0, 0, 0, 0, 0, 0, 1, 1])
    assert model.predict(X).tolist() == [0] * 8


def test_the_key_tells_the_version_of_the_boosting_inside(monkeypatch):
    assert estimator_spec(GentleSVM())["facts"] == {"boost": GentleBoostClassifier.version}
    before = estimator_spec(GentleSVM())
    monkeypatch.setattr(GentleBoostClassifier, "version", GentleBoostClassifier.version + 1)
    assert estimator_spec(GentleSVM()) != before


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_features": 26}, "n_features is 26: it must be at most 25, the features of X"),
        ({"n_features": 0}, "n_features is 0: it must be at least 1"),
        ({"n_features": 0.5}, "n_features is 0.5: it must be an integer"),
        ({"n_estimators": 0}, "n_estimators is 0: it must be at least 1"),
        ({"C": 0}, "C is 0: it must be greater than 0"),
        ({"C": math.inf}, "C is inf: it must be a finite number"),
        ({"class_weight": "even"}, "class_weight is 'even': it must be None, 'balanced' or a dict"),
        ({"class_weight": {"a": -1}}, r"class_weight\['a'\] is -1.0: it must be at least 0"),
    ],
)
def test_parameters_outside_their_rule_are_refused(params, message):
    X, y = random_problem()
    with pytest.raises(ParameterError, match=message):
        GentleSVM(**params).fit(X, y)


def test_parameters_are_checked_without_data():
    for params in ({"n_features": 0}, {"n_estimators": 0}, {"C": 0}, {"class_weight": "even"}):
        with pytest.raises(ParameterError, match=f"{next(iter(params))} is "):
            GentleSVM(**params).check_params()


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [2.0]], [1, 1], "y has 1 class"),
        ([[1.0], [math.nan]], [0, 1], "contains NaN"),
        ([[1.0], [2.0]], [0, 1, 1], "inconsistent numbers of samples"),
    ],
)
def test_data_that_cannot_be_learned_is_refused_in_one_line(X, y, message):
    with pytest.raises(DataError, match=message) as caught:
        GentleSVM().fit(X, y)
    assert "\n" not in str(caught.value)


def test_other_features_than_those_of_the_fit_are_refused():
    X, y = random_problem()
    model = GentleSVM(n_estimators=2).fit(X, y)
    for ask in (model.predict, model.decision_function):
        with pytest.raises(DataError, match="features"):
            ask(X[:, :-1])


@parametrize_with_checks([GentleSVM(n_estimators=10), GentleSVM(n_estimators=10, class_weight="balanced")])
def test_contract_of_scikit_learn(estimator, check):
    check(estimator)
