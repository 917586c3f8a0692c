import pickle
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from toyset.clips import Brightness, toy_clips, with_garbage
from toyset.estimators import Spy

from microexpr.classifiers.calibration import SubjectCalibrated
from microexpr.classifiers.fusion import ScoreFusion, _mixture_weights
from microexpr.classifiers.svm import linear_svm
from microexpr.core.digest import canonical_json, digest
from microexpr.core.errors import DataError, ParameterError
from microexpr.pipelines.harness import run
from microexpr.pipelines.views import ClipViews

CLASSES = ["negative", "positive", "surprise"]


class Stated(ClassifierMixin, BaseEstimator):
    """Its probabilities, or decision values, are its rows; it knows the classes it is told, all if told none."""

    def __init__(self, kind="proba", knows=None):
        self.kind = kind
        self.knows = knows

    def fit(self, X, y):
        self.classes_ = np.unique(y) if self.knows is None else np.array(self.knows)
        return self

    def predict(self, X):
        return self.classes_[X.argmax(axis=1)]

    def __getattr__(self, name):
        if name == {"proba": "predict_proba", "score": "decision_function"}.get(self.__dict__.get("kind")):
            return lambda X: np.asarray(X) if np.shape(X)[1] > 1 else np.asarray(X)[:, 0]
        raise AttributeError(name)


class Witness(LogisticRegression):
    """Writes down the subjects it is given."""

    __metadata_request__fit: ClassVar = {"groups": True}
    given: ClassVar[list] = []

    def fit(self, X, y, groups=None):
        self.given.append(None if groups is None else sorted(set(groups)))
        return super().fit(X, y)


def views(**fields):
    """Return a structured array of the given views."""
    joined = np.empty(
        len(next(iter(fields.values()))), [(name, float, np.shape(rows)[1:]) for name, rows in fields.items()]
    )
    for name, rows in fields.items():
        joined[name] = rows
    return joined


def people(n_subjects=6, per_class=4, seed=0):
    """An informative view and a view of noise, classes and subjects."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat([f"s{number}" for number in range(n_subjects)], 3 * per_class)
    labels = np.tile(CLASSES, n_subjects * per_class)
    signal = rng.normal(size=(len(labels), 3)) + 2 * (labels[:, None] == np.array(CLASSES))
    return views(signal=signal, noise=rng.normal(size=(len(labels), 5))), labels, subjects


def learned(**options):
    return ScoreFusion(
        [("signal", LogisticRegression()), ("noise", SubjectCalibrated(linear_svm()))], weights="learned", **options
    )


@parametrize_with_checks(
    [
        ScoreFusion([("linear", LogisticRegression()), ("bayes", GaussianNB())]),
        ScoreFusion([("svm", SVC()), ("bayes", GaussianNB())], weights=(2, 1)),
    ]
)
def test_it_is_a_sound_classifier_of_scikit_learn(estimator, check):
    check(estimator)


def test_fixed_weights_by_hand():
    first = [[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]]
    second = [[0.1, 0.1, 0.8], [0.7, 0.2, 0.1], [0.0, 0.0, 1.0]]
    X = views(first=first, second=second)
    fusion = ScoreFusion([("first", Stated()), ("second", Stated())], weights=(3, 1)).fit(X, CLASSES)
    expected = [[0.4, 0.25, 0.35], [0.25, 0.5, 0.25], [0.15, 0.15, 0.7]]
    np.testing.assert_allclose(fusion.predict_proba(X), expected, atol=1e-12)
    assert fusion.predict(X).tolist() == ["negative", "positive", "surprise"]
    assert fusion.weights_.tolist() == [0.75, 0.25]
    equal = ScoreFusion([("first", Stated()), ("second", Stated())]).fit(X, CLASSES)
    np.testing.assert_allclose(equal.predict_proba(X)[0], [0.3, 0.2, 0.5], atol=1e-12)


def test_each_member_gets_the_field_of_its_name_whatever_the_order():
    X = views(second=[[0.1, 0.9], [0.9, 0.1]], first=[[0.8, 0.2], [0.4, 0.6]])
    fusion = ScoreFusion([("first", Stated()), ("second", Stated())], weights=(1, 0)).fit(X, ["a", "b"])
    np.testing.assert_allclose(fusion.predict_proba(X), X["first"])


def test_decision_values_go_through_a_softmax():
    values = np.log([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1]]) + np.array([[7.0], [-3.0], [0.0]])
    fusion = ScoreFusion([("only", Stated("score"))]).fit(views(only=values), CLASSES)
    np.testing.assert_allclose(fusion.predict_proba(views(only=values))[1], [0.2, 0.2, 0.6])


def test_decision_values_of_two_classes_go_through_a_sigmoid():
    values = np.log([[3.0], [0.25], [1.0]])
    fusion = ScoreFusion([("only", Stated("score"))]).fit(views(only=values), ["a", "b", "b"])
    np.testing.assert_allclose(fusion.predict_proba(views(only=values)), [[0.25, 0.75], [0.8, 0.2], [0.5, 0.5]])


def test_a_class_that_a_member_does_not_know_gets_nothing_from_it():
    X = views(all=[[0.2, 0.3, 0.5]] * 3, two=[[0.9, 0.1]] * 3)
    fusion = ScoreFusion([("all", Stated()), ("two", Stated(knows=["negative", "surprise"]))]).fit(X, CLASSES)
    np.testing.assert_allclose(fusion.predict_proba(X)[0], [0.55, 0.15, 0.3])


def test_plain_rows_go_to_every_member_as_in_scikit_learns_voting():
    X, labels, _ = people()
    members = [("linear", LogisticRegression()), ("bayes", GaussianNB())]
    theirs = VotingClassifier(members, voting="soft", weights=[1, 2]).fit(X["signal"], labels)
    ours = ScoreFusion(members, weights=(1, 2)).fit(X["signal"], labels)
    np.testing.assert_allclose(ours.predict_proba(X["signal"]), theirs.predict_proba(X["signal"]), rtol=1e-12)


def test_learned_weights_favour_the_member_that_knows():
    X, labels, subjects = people()
    fusion = learned().fit(X, labels, groups=subjects)
    assert fusion.weights_.sum() == pytest.approx(1)
    assert fusion.weights_[0] > 0.9
    unseen, truth, _ = people(seed=1)
    assert (fusion.predict(unseen) == truth).mean() > 0.7


def test_learned_weights_come_from_subjects_left_out():
    # The second member knows every training row by heart and nothing else: only left-out rows show it.
    X, labels, subjects = people()
    fusion = ScoreFusion(
        [("signal", LogisticRegression()), ("noise", make_pipeline(StandardScaler(), SVC(C=1e6, gamma=10.0)))],
        weights="learned",
    ).fit(X, labels, groups=subjects)
    assert (fusion.members_[1].predict(X["noise"]) == labels).all()
    assert fusion.weights_[0] > 0.9


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 4), st.integers(5, 40), st.integers(0, 1000))
def test_the_weights_are_the_best_that_a_general_optimiser_finds(n_members, n_rows, seed):
    shares = np.random.default_rng(seed).dirichlet(np.ones(3), (n_rows, n_members))[..., 0]

    def loss(weights):
        return -np.log(np.maximum(shares, 1e-12) @ weights).mean()

    found = minimize(
        loss,
        np.full(n_members, 1 / n_members),
        method="SLSQP",
        bounds=[(1e-9, 1)] * n_members,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    weights = _mixture_weights(shares)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)
    assert loss(weights) <= found.fun + 2e-6


def test_where_the_steps_do_not_suffice_a_warning_says_how_far_the_weights_are_from_the_best():
    # Where one share is 1 - h times the other, a step multiplies the odds of its weight by 1 - h: after 20,000 steps
    # these are exp(-0.4), the weight 0.401, and the loss is above the least by 0.401 h.
    first = np.random.default_rng(0).uniform(0.3, 0.9, 20)
    with pytest.warns(ConvergenceWarning, match="after 20000 steps .* 8e-06 above the least"):
        weights = _mixture_weights(np.column_stack([first, first * (1 - 2e-5)]))
    assert weights[0] > weights[1]


def with_auxiliary(X, labels, subjects):
    """Return the rows with garbage of two more subjects between them, and which row is what."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(labels) + 12)
    more = views(**{name: rng.normal(0, 50, (12, *X[name].shape[1:])) for name in X.dtype.names})
    return (
        np.concatenate([X, more])[order],
        np.append(labels, rng.permutation(CLASSES * 4))[order],
        np.append(subjects, np.repeat(["m0", "m1"], 6))[order],
        np.append(np.zeros(len(labels), int), np.ones(12, int))[order],
    )


def test_scores_of_auxiliary_clips_have_no_part_in_learned_weights():
    # The members' scores do not depend on their fit.
    X, labels, subjects = people()
    X = views(signal=X["signal"], noise=X["signal"][:, ::-1] * 0.1 + people(seed=7)[0]["signal"])
    fusion = ScoreFusion([("signal", Stated("score")), ("noise", Stated("score"))], weights="learned")
    alone = clone(fusion).fit(X, labels, groups=subjects).weights_
    rows, classes, names, domain = with_auxiliary(X, labels, subjects)
    np.testing.assert_allclose(clone(fusion).fit(rows, classes, groups=names, domain=domain).weights_, alone, atol=1e-5)
    assert abs(clone(fusion).fit(rows, classes, groups=names).weights_ - alone).max() > 0.01


def test_auxiliary_clips_are_in_every_inner_training_set():
    X, labels, subjects, domain = with_auxiliary(*people(n_subjects=4))
    Witness.given.clear()
    ScoreFusion([("signal", Witness()), ("noise", GaussianNB())], "learned", 2).fit(
        X, labels, groups=subjects, domain=domain
    )
    assert [len(names) for names in Witness.given] == [4, 4, 6]
    assert all({"m0", "m1"} <= set(names) for names in Witness.given)


def test_the_order_of_the_clips_does_not_change_learned_weights():
    X, labels, subjects = people()
    order = np.random.default_rng(0).permutation(len(labels))
    first = learned().fit(X, labels, groups=subjects).weights_
    second = learned().fit(X[order], labels[order], groups=subjects[order]).weights_
    np.testing.assert_allclose(second, first, atol=1e-4)


class SpyOnWeights(Spy):
    """Its only probabilities are the learned weights of the fusion that it spies on."""

    __metadata_request__fit: ClassVar = {"groups": True}

    def fit(self, X, y, groups=None, domain=None):
        self.inner_ = clone(self.inner).fit(X, y, groups=groups)
        self.classes_ = self.inner_.classes_
        return self

    def predict_proba(self, X):
        return np.tile([*self.inner_.weights_, 0.0], (len(X), 1))


def test_garbage_in_place_of_the_test_clips_leaves_learned_weights_identical():
    clips = toy_clips(n_subjects=4, signal=8.0)
    fusion = ScoreFusion([("linear", linear_svm()), ("bayes", GaussianNB())], weights="learned")
    spied = make_pipeline(Brightness(), SpyOnWeights(fusion))
    honest, garbage = run(spied, clips), run(spied, with_garbage(clips, "toy/s01"))
    own = (honest["fold"] == "toy/s01").to_numpy()
    weights = ["proba_negative", "proba_positive"]
    assert honest.loc[own, weights].to_numpy().tolist() == garbage.loc[own, weights].to_numpy().tolist()
    # The weights are alive: where the garbage is in training, they differ.
    assert (honest.loc[~own, "proba_negative"] != garbage.loc[~own, "proba_negative"]).all()


def test_from_clips_by_views_in_the_harness():
    clips = toy_clips(n_subjects=4)
    described = ClipViews([("plain", Brightness()), ("doubled", Brightness(scale=2.0))])
    fusion = ScoreFusion([("plain", linear_svm()), ("doubled", GaussianNB())], weights="learned", n_splits=3)
    table = run(make_pipeline(described, fusion), clips)
    shares = table[[f"proba_{name}" for name in CLASSES]].to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (table["y_pred"] == table["y_true"]).mean() > 0.8


def test_members_that_want_subjects_get_them():
    X, labels, subjects = people(n_subjects=4)
    Witness.given.clear()
    ScoreFusion([("signal", Witness()), ("noise", GaussianNB())]).fit(X, labels, groups=subjects)
    assert Witness.given == [["s0", "s1", "s2", "s3"]]
    ScoreFusion([("signal", make_pipeline(StandardScaler(), Witness())), ("noise", GaussianNB())], "learned", 2).fit(
        X, labels, groups=subjects
    )
    assert [len(subjects) for subjects in Witness.given[1:]] == [2, 2, 4]


def test_parameters_of_members_are_set_by_name_and_part_of_the_key():
    fusion = ScoreFusion([("texture", make_pipeline(StandardScaler(), SVC())), ("flow", GaussianNB())])
    before = digest(fusion)
    assert '"texture"' in canonical_json(fusion)
    fusion.set_params(texture__svc__C=5.0)
    assert fusion.get_params()["texture__svc__C"] == 5.0
    assert digest(fusion) != before
    fusion.set_params(flow=LogisticRegression(), weights=(1, 2))
    assert [type(member).__name__ for _, member in clone(fusion).members] == ["Pipeline", "LogisticRegression"]
    assert clone(fusion).get_params()["texture__svc__C"] == 5.0
    assert digest(clone(fusion)) == digest(fusion)


def test_a_pickled_copy_predicts_the_same():
    X, labels, subjects = people()
    fusion = learned().fit(X, labels, groups=subjects)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fusion)).predict_proba(X), fusion.predict_proba(X))


def test_a_clip_scores_alike_whatever_is_beside_it():
    X, labels, _ = people()
    fusion = ScoreFusion([("signal", GaussianNB()), ("noise", SVC())], weights=(1, 2)).fit(X, labels)
    alone = np.concatenate([fusion.predict_proba(X[[row]]) for row in range(len(X))])
    np.testing.assert_allclose(alone, fusion.predict_proba(X), rtol=1e-12)


MEMBERS = [("signal", GaussianNB()), ("noise", GaussianNB())]


@pytest.mark.parametrize(
    ("fusion", "message"),
    [
        (ScoreFusion([]), "members must be a list"),
        (ScoreFusion({"a": GaussianNB()}), "members must be a list"),
        (ScoreFusion([GaussianNB()]), r"each must be \(name, classifier\)"),
        (ScoreFusion([("a", GaussianNB()), ("a", GaussianNB())]), "the name 'a'"),
        (ScoreFusion([("a__b", GaussianNB())]), "the name 'a__b'"),
        (ScoreFusion([("weights", GaussianNB())]), "the name 'weights'"),
        (ScoreFusion([("a", StandardScaler())]), "member a must be a classifier"),
        (ScoreFusion([("a", Stated("nothing"))]), "member a must be a classifier"),
        (
            ScoreFusion([("a", SVC(decision_function_shape="ovo"))]),
            "decision_function_shape is 'ovo': it must be 'ovr'",
        ),
        (
            ScoreFusion([("a", make_pipeline(StandardScaler(), SVC(decision_function_shape="ovo")))]),
            "svc__decision_function_shape is 'ovo'",
        ),
        (ScoreFusion(MEMBERS, weights=(1,)), "a tuple of 2 numbers"),
        (ScoreFusion(MEMBERS, weights=(1, -1)), "weight of noise is -1"),
        (ScoreFusion(MEMBERS, weights=(0, 0)), "above 0"),
        (ScoreFusion(MEMBERS, weights="equal"), "weights is 'equal'"),
        (ScoreFusion(MEMBERS, n_splits=1), "n_splits is 1"),
        (ScoreFusion(MEMBERS, weights="learned"), "groups is None"),
    ],
)
def test_a_parameter_that_is_not_allowed_is_named(fusion, message):
    X, labels, _ = people()
    with pytest.raises(ParameterError, match=message):
        fusion.fit(X, labels)


def test_fields_that_are_not_the_members_are_refused():
    X, labels, _ = people()
    with pytest.raises(DataError, match="noise is in one of them only"):
        ScoreFusion(MEMBERS).fit(views(signal=X["signal"]), labels)
    with pytest.raises(DataError, match="signal is in one of them only"):
        ScoreFusion(MEMBERS[1:]).fit(X, labels)
    fitted = ScoreFusion(MEMBERS).fit(X, labels)
    with pytest.raises(DataError, match="either in fit and predict or in neither"):
        fitted.predict(X["signal"])
    with pytest.raises(DataError, match="shape"):
        ScoreFusion(MEMBERS).fit(X.reshape(2, -1), labels[:2])
    with pytest.raises(DataError, match="72 clips and y 71"):
        ScoreFusion(MEMBERS).fit(X, labels[:-1])


@pytest.mark.parametrize("weights", [None, "learned"])
def test_what_does_not_belong_to_the_clips_is_refused(weights):
    X, labels, subjects = people()
    fusion = ScoreFusion(MEMBERS, weights=weights)
    with pytest.raises(DataError, match=r"groups has shape \(71,\)"):
        fusion.fit(X, labels, groups=subjects[1:])
    with pytest.raises(DataError, match=r"domain has shape \(71,\)"):
        fusion.fit(X, labels, groups=subjects, domain=np.zeros(71, int))
    with pytest.raises(DataError, match="y has 1 class"):
        fusion.fit(X, ["positive"] * 72, groups=subjects)


def test_a_view_that_is_not_finite_is_named():
    X, labels, _ = people()
    X["noise"][3, 1] = np.nan
    with pytest.raises(ValueError, match="view noise contains NaN"):
        ScoreFusion(MEMBERS).fit(X, labels)
