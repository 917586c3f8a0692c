import pickle

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from microexpr.classifiers.featurefusion import FeatureFusion
from microexpr.core.errors import DataError, ParameterError

CLASSES = ["negative", "positive", "surprise"]


class Embedding(LogisticRegression):
    """What its last layer sees of a row is the row's sum and its first value squared."""

    def embed(self, X):
        flat = X.reshape(len(X), -1)
        return np.column_stack([flat.sum(axis=1), flat[:, 0] ** 2])


@parametrize_with_checks([FeatureFusion([("linear", LogisticRegression()), ("bayes", GaussianNB())])])
def test_it_is_a_sound_classifier_of_scikit_learn(estimator, check):
    check(estimator)


def _views(n_clips=30, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.array([CLASSES[number % 3] for number in range(n_clips)])
    X = np.empty(n_clips, [("flow", np.float64, (4,)), ("texture", np.float32, (2, 3))])
    codes = np.arange(n_clips) % 3
    X["flow"] = rng.normal(size=(n_clips, 4)) + codes[:, None]
    X["texture"] = rng.normal(size=(n_clips, 2, 3)) - 2 * codes[:, None, None]
    return X, labels


def test_it_is_a_linear_svm_on_standardised_blocks_of_equal_weight():
    X, labels = _views()
    members = [("flow", make_pipeline(MinMaxScaler(), LogisticRegression())), ("texture", _Flat())]
    fusion = FeatureFusion(members, C=0.5).fit(X, labels)
    # By hand: the scaler's output for the pipeline, the rows themselves for what is no pipeline.
    flow = StandardScaler().fit_transform(MinMaxScaler().fit_transform(X["flow"])) / 2.0
    texture = StandardScaler().fit_transform(X["texture"].reshape(30, 6).astype(float)) / np.sqrt(6)
    svm = SVC(kernel="linear", C=0.5, class_weight="balanced").fit(np.hstack([flow, texture]), labels)
    np.testing.assert_allclose(
        fusion.decision_function(X), svm.decision_function(np.hstack([flow, texture])), atol=1e-9
    )
    assert list(fusion.predict(X)) == list(svm.predict(np.hstack([flow, texture])))


class _Flat(GaussianNB):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X.reshape(len(X), -1), y)


def test_of_a_network_the_features_are_what_its_last_layer_sees():
    X, labels = _views()
    fusion = FeatureFusion([("flow", Embedding()), ("texture", _Flat())]).fit(X, labels)
    seen = np.column_stack([X["flow"].sum(axis=1), X["flow"][:, 0] ** 2])
    np.testing.assert_allclose(fusion.scalers_[0].mean_, seen.mean(axis=0))
    assert fusion.scalers_[1].mean_.shape == (6,)


def test_rows_to_predict_change_nothing_that_was_learned():
    X, labels = _views()
    fusion = FeatureFusion([("flow", Embedding()), ("texture", _Flat())]).fit(X, labels)
    before = pickle.dumps(fusion)
    fusion.predict(_views(seed=1)[0])
    assert pickle.dumps(fusion) == before


def test_wrong_members_and_views_are_refused():
    X, labels = _views()
    with pytest.raises(ParameterError, match=r"members must be a list of \(name, classifier\)"):
        FeatureFusion([]).fit(X, labels)
    with pytest.raises(ParameterError, match="C is 0"):
        FeatureFusion([("flow", GaussianNB())], C=0).fit(X, labels)
    with pytest.raises(DataError, match="texture is in one of them only"):
        FeatureFusion([("flow", GaussianNB())]).fit(X, labels)
