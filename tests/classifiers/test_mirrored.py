import pickle
from typing import ClassVar

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from microexpr.classifiers.mapscaling import MapScaling
from microexpr.classifiers.mirrored import MirroredTraining, mirror_maps
from microexpr.classifiers.svm import RBFSVM
from microexpr.core.digest import digest
from microexpr.core.errors import DataError, ParameterError
from microexpr.features.flowmap import flow_map

LABELS = ["negative", "positive", "surprise", "negative", "positive", "surprise"]


def maps(n_maps=6, size=28, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n_maps, size * size * 3)).astype(np.float32)


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what it is fitted on."""

    __metadata_request__fit: ClassVar = {"groups": True, "domain": True}

    def fit(self, X, y, groups=None, domain=None):
        self.classes_ = np.unique(y)
        self.seen_ = (X, y, groups, domain)
        return self

    def predict(self, X):
        self.asked_ = X
        return np.repeat(self.classes_[:1], len(X))


def test_mirroring_by_hand():
    # One row of two pixels: (u, v, strain) = (10, 1, 2), (20, 3, 4).
    above = [10, 1, 2, 20, 3, 4]
    below = [0, 5, 6, 255, 7, 8]
    expected = [235, 3, 4, 245, 1, 2, 0, 7, 8, 255, 5, 6]
    assert mirror_maps([above + below], size=2).tolist() == [expected]


def test_mirroring_twice_gives_the_maps_back():
    np.testing.assert_array_equal(mirror_maps(mirror_maps(maps())), maps())


def test_the_mirrored_map_is_the_map_of_the_mirrored_face():
    rng = np.random.default_rng(0)
    onset = gaussian_filter(rng.random((84, 84)) * 255, 2)
    onset = np.clip((onset - onset.min()) / np.ptp(onset) * 255, 0, 255).astype(np.uint8)
    rows, columns = np.mgrid[:84, :84]
    bump = 2 * np.exp(-((rows - 30) ** 2 + (columns - 25) ** 2) / 150)
    apex = onset[rows, np.clip(np.rint(columns - bump), 0, 83).astype(int)]
    own = flow_map(onset, apex, method="farneback").reshape(1, -1)
    other = flow_map(onset[:, ::-1], apex[:, ::-1], method="farneback").reshape(1, -1)
    mirrored = mirror_maps(own)
    assert np.abs(mirrored - other).mean() < 4
    assert np.corrcoef(mirrored[0], other[0].astype(float))[0, 1] > 0.99
    assert np.abs(mirrored - own).mean() > 10


def test_training_sees_each_map_and_its_mirror_with_class_subject_and_domain():
    model = MirroredTraining(Recorder())
    model.fit(maps(), LABELS, groups=["s1", "s1", "s1", "s2", "s2", "s2"], domain=[0, 0, 0, 1, 1, 1])
    X, y, groups, domain = model.estimator_.seen_
    np.testing.assert_array_equal(X[:6], maps())
    np.testing.assert_array_equal(X[6:], mirror_maps(maps()))
    assert y.tolist() == LABELS * 2
    assert groups.tolist() == ["s1", "s1", "s1", "s2", "s2", "s2"] * 2
    assert domain.tolist() == [0, 0, 0, 1, 1, 1] * 2


def test_prediction_sees_the_map_alone():
    model = MirroredTraining(Recorder()).fit(maps(), LABELS)
    model.predict(maps(2, seed=1))
    np.testing.assert_array_equal(model.estimator_.asked_, maps(2, seed=1))


def test_it_is_the_classifier_fitted_on_both():
    both = np.concatenate([maps(), mirror_maps(maps())])
    theirs = SVC(gamma=1e-8).fit(both, LABELS * 2)
    ours = MirroredTraining(SVC(gamma=1e-8)).fit(maps(), LABELS)
    np.testing.assert_array_equal(ours.decision_function(maps(seed=1)), theirs.decision_function(maps(seed=1)))
    assert ours.classes_.tolist() == theirs.classes_.tolist()


def test_it_has_the_scores_that_its_classifier_has():
    assert hasattr(MirroredTraining(SVC()), "decision_function")
    assert not hasattr(MirroredTraining(SVC()), "predict_proba")
    model = MirroredTraining(GaussianNB()).fit(maps(), LABELS)
    np.testing.assert_allclose(model.predict_proba(maps()).sum(axis=1), 1)


def test_a_symmetric_kernel_machine_answers_a_map_and_its_mirror_alike():
    model = MirroredTraining(make_pipeline(MapScaling(), RBFSVM())).fit(maps(), LABELS)
    unseen = maps(seed=1)
    np.testing.assert_allclose(model.decision_function(mirror_maps(unseen)), model.decision_function(unseen), atol=1e-2)


def test_clones_pickles_and_keys():
    model = MirroredTraining(make_pipeline(MapScaling(size=4), RBFSVM(C=2.0)), size=4)
    assert digest(clone(model)) == digest(model)
    assert model.get_params()["estimator__rbfsvm__C"] == 2.0
    fitted = model.fit(maps(size=4), LABELS)
    again = pickle.loads(pickle.dumps(fitted))
    assert again.predict(maps(size=4)).tolist() == fitted.predict(maps(size=4)).tolist()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((2, 13)), r"\(2, 13\): flow maps are \(n_maps, size \* size \* 3\)"),
        (np.zeros((2, 24)), r"\(2, 24\)"),
        (np.zeros((2, 0)), r"\(2, 0\)"),
        (np.zeros(2352), r"\(2352,\)"),
        (np.full((1, 2352), -0.5), "outside 0..255"),
        (np.full((1, 2352), 256.0), "outside 0..255"),
        (np.full((1, 2352), np.nan), "outside 0..255"),
        ([["a"] * 2352], "no array of numbers"),
    ],
)
def test_what_are_no_maps_is_refused(rows, message):
    for use in (mirror_maps, MapScaling().transform, lambda X: MirroredTraining(SVC()).fit(X, LABELS)):
        with pytest.raises(DataError, match=message):
            use(rows)


def test_a_size_that_is_stated_is_asked_of_the_maps():
    for use in (
        lambda X: mirror_maps(X, size=28),
        MapScaling(size=28).transform,
        lambda X: MirroredTraining(SVC(), size=28).fit(X, LABELS),
    ):
        with pytest.raises(DataError, match=r"\(6, 12\): flow maps are \(n_maps, 2352\) of size 28"):
            use(maps(size=2))


@pytest.mark.parametrize("size", [1, 4, 32])
def test_the_size_is_taken_from_the_width(size):
    rows = maps(size=size)
    np.testing.assert_array_equal(mirror_maps(rows), mirror_maps(rows, size=size))
    np.testing.assert_array_equal(MapScaling().transform(rows), MapScaling(size=size).transform(rows))
    model = MirroredTraining(Recorder()).fit(rows, LABELS)
    np.testing.assert_array_equal(model.estimator_.seen_[0][6:], mirror_maps(rows, size=size))
    assert (model.size_, model.n_features_in_) == (size, size * size * 3)


def test_maps_of_another_size_than_in_fit_are_refused():
    model = MirroredTraining(SVC()).fit(maps(size=4), LABELS)
    with pytest.raises(DataError, match=r"\(6, 12\): flow maps are \(n_maps, 48\) of size 4"):
        model.predict(maps(size=2))


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"y": LABELS[:5]}, r"y has shape \(5,\): it must hold one value for each of 6"),
        ({"y": ["positive"] * 6}, "y has 1 class, .*positive"),
        ({"groups": ["s1"] * 7}, r"groups has shape \(7,\): it must hold one value for each of 6"),
        ({"groups": [["s1"], ["s2", "s3"]]}, "groups is no array"),
        ({"domain": [0, 1]}, r"domain has shape \(2,\): it must hold one value for each of 6"),
        ({"domain": [0, 1, 2, 0, 0, 0]}, "domain holds 2"),
    ],
)
def test_what_does_not_belong_to_the_maps_is_refused_with_the_callers_own_numbers(known, message):
    with pytest.raises(DataError, match=message) as caught:
        MirroredTraining(Recorder()).fit(maps(size=2), **({"y": LABELS} | known))
    assert "\n" not in str(caught.value)


def test_what_is_no_classifier_is_refused():
    with pytest.raises(ParameterError, match="estimator must be a classifier"):
        MirroredTraining(MapScaling()).fit(maps(size=2), LABELS)


def test_a_size_that_is_not_allowed_is_named():
    for use in (MirroredTraining(SVC(), size=0).check_params, MapScaling(size=0).check_params):
        with pytest.raises(ParameterError, match="size is 0"):
            use()
    with pytest.raises(ParameterError, match="size is 0"):
        MirroredTraining(SVC(), size=0).fit(maps(), LABELS)
    for sigma in (-1.0, "1"):
        with pytest.raises(ParameterError, match="sigma is"):
            MapScaling(sigma=sigma).fit()


def test_scaling_channel_by_channel():
    for row, scaled in zip(maps(3), MapScaling().transform(maps(3)), strict=True):
        for channel in range(3):
            own = row.reshape(28, 28, 3)[..., channel].astype(float)
            unit = own / np.linalg.norm(own)
            expected = gaussian_filter(unit - unit.mean(), 1.0)
            np.testing.assert_allclose(scaled.reshape(28, 28, 3)[..., channel], expected, atol=1e-15)


def test_without_blur_each_channel_has_mean_zero_and_the_contrast_of_unit_length():
    scaled = MapScaling(size=4, sigma=0.0).transform([list(range(1, 49))]).reshape(4, 4, 3)
    np.testing.assert_allclose(scaled.mean(axis=(0, 1)), 0, atol=1e-15)
    # Channel 0 is 1, 4, ..., 46: squares sum to 11,896, neighbours are 3 apart.
    np.testing.assert_allclose(np.diff(scaled[..., 0].ravel()), 3 / np.sqrt(11896))


def test_the_contrast_of_a_channel_does_not_matter_and_a_channel_of_zeros_stays():
    dim = maps(2).reshape(-1, 28, 28, 3) // 2
    dim[..., 2] = 0
    bright = dim * [2.0, 1.5, 1.0]
    first, second = (MapScaling().transform(values.reshape(2, -1)) for values in (dim, bright))
    np.testing.assert_allclose(first, second, atol=1e-15)
    np.testing.assert_array_equal(first.reshape(2, 28, 28, 3)[..., 2], 0)


def test_scaling_and_mirroring_can_be_exchanged():
    # Of the mirrored u, 255 - u has another length, so only v and strain can be compared.
    scaled = MapScaling().transform(maps()).reshape(-1, 28, 28, 3)[:, :, ::-1]
    mirrored = MapScaling().transform(mirror_maps(maps())).reshape(-1, 28, 28, 3)
    np.testing.assert_allclose(mirrored[..., 1:], scaled[..., 1:], atol=1e-12)


def test_scaling_needs_no_fit_and_rows_do_not_depend_on_each_other():
    together = MapScaling().transform(maps())
    alone = np.concatenate([MapScaling().transform(row[np.newaxis]) for row in maps()])
    np.testing.assert_array_equal(together, alone)
    assert together.dtype == np.float64
