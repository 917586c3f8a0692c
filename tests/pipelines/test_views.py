import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from toyset.clips import Brightness, toy_clips

from microexpr.core.clip import Clip
from microexpr.core.digest import digest
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.sources import ArraySource
from microexpr.features import LBPTOP, FlowMap
from microexpr.pipelines.prefix import feature_key, split_prefix
from microexpr.pipelines.registry import build
from microexpr.pipelines.views import ClipViews, gives_arrays
from microexpr.video import TIM

CLIPS = toy_clips(n_subjects=2, per_class=1).clips
VIEWS = ClipViews([("bright", Brightness()), ("short", make_pipeline(TIM(4), Brightness(scale=2.0)))])


def test_each_field_is_what_its_view_gives():
    X = VIEWS.transform(CLIPS)
    assert X.shape == (6,)
    assert X.dtype.names == ("bright", "short")
    np.testing.assert_array_equal(X["bright"], Brightness().transform(CLIPS))
    np.testing.assert_array_equal(X["short"], make_pipeline(TIM(4), Brightness(scale=2.0)).transform(CLIPS))
    assert X["short"].dtype == np.float64


def test_it_can_be_taken_apart_by_rows_joined_and_pickled():
    X = VIEWS.transform(CLIPS)
    joined = np.concatenate([X[[4, 5]], X[:4]])
    np.testing.assert_array_equal(joined["short"], X["short"][[4, 5, 0, 1, 2, 3]])
    again = pickle.loads(pickle.dumps(joined))
    assert again.dtype == X.dtype
    np.testing.assert_array_equal(again["bright"], joined["bright"])


def test_a_clip_alone_gives_its_row():
    X = VIEWS.transform(CLIPS)
    for row, clip in zip(X, CLIPS, strict=True):
        np.testing.assert_array_equal(VIEWS.transform_clip(clip)["short"], row["short"])


def test_arrays_keep_their_shape_and_dtype():
    joined = VIEWS.assemble({"short": np.arange(12).reshape(2, 3, 2), "bright": np.float32([[1], [2]])})
    np.testing.assert_array_equal(joined["short"], np.arange(12).reshape(2, 3, 2))
    assert joined["bright"].dtype == np.float32
    assert joined["bright"].tolist() == [[1.0], [2.0]]
    assert joined.dtype.names == ("bright", "short")


def test_a_single_number_a_clip_is_a_row_of_one():
    assert VIEWS.assemble({"short": np.ones(2), "bright": np.zeros((2, 1))})["short"].shape == (2, 1)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"bright": np.zeros((2, 3))}, "short differs"),
        ({"bright": np.zeros((2, 3)), "short": np.zeros((2, 3)), "other": np.zeros((2, 3))}, "other differs"),
        ({"bright": np.zeros((2, 3)), "short": np.zeros((3, 3))}, "number of clips"),
    ],
)
def test_arrays_that_do_not_match_the_views_are_refused(arrays, message):
    with pytest.raises(DataError, match=message):
        VIEWS.assemble(arrays)


@pytest.mark.parametrize("name", ["lbptop-svm", "flow-svm"])
def test_a_view_has_the_key_of_the_method_that_it_comes_from(name):
    prefix, _ = split_prefix(build(name))
    views = ClipViews([("texture", make_pipeline(TIM(10), LBPTOP(neighbors=4, blocks=(5, 5, 1)))), ("flow", FlowMap())])
    own = views.prefixes()["texture" if name == "lbptop-svm" else "flow"]
    clip = Clip("a", ArraySource(np.zeros((3, 9, 9), np.uint8)))
    assert feature_key(own, clip) == feature_key(prefix, clip)


def test_parameters_are_set_by_the_views_names_and_part_of_the_key():
    views = clone(VIEWS)
    before = digest(views)
    views.set_params(short__tim__n_frames=5)
    assert digest(views) != before
    assert views.transform(CLIPS)["short"].shape == (6, 10)
    assert views.get_params()["bright__scale"] == 1.0
    assert clone(views).get_params()["short__tim__n_frames"] == 5
    # What was cloned is not changed.
    assert VIEWS.transform(CLIPS)["short"].shape == (6, 8)


@pytest.mark.parametrize(
    ("views", "message"),
    [
        ([], "views must be a list"),
        ("flow", "views must be a list"),
        ([Brightness()], r"each must be \(name, view\)"),
        ([("a", Brightness()), ("a", Brightness())], "the name 'a'"),
        ([("a__b", Brightness())], "the name 'a__b'"),
        ([("views", Brightness())], "the name 'views'"),
        ([("", Brightness())], "the name ''"),
        ([("a", StandardScaler())], "view a must be a stateless"),
        ([("a", make_pipeline(Brightness(), StandardScaler()))], "view a must be a stateless"),
        ([("a", TIM())], "view a must be a stateless"),
        ([("a", ClipViews([("b", Brightness())]))], "view a must be a stateless"),
        ([("a", make_pipeline(TIM(4), LBPTOP(neighbors=5)))], "neighbors is 5"),
    ],
)
def test_views_that_are_not_allowed_are_refused_before_any_clip_is_read(views, message):
    with pytest.raises(ParameterError, match=message):
        ClipViews(views).fit()
    with pytest.raises(ParameterError, match=message):
        ClipViews(views).transform(CLIPS)


def test_an_empty_list_is_refused():
    with pytest.raises(DataError, match="no clip"):
        VIEWS.transform([])


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Brightness(), True),
        (FeatureUnion([("a", Brightness()), ("b", make_pipeline(TIM(), Brightness()))]), True),
        (Pipeline([("a", TIM()), ("b", TIM())]), False),
        (make_pipeline(Brightness(), Brightness()), False),
        (FeatureUnion([("a", Brightness()), ("b", StandardScaler())]), False),
        (RandomForestClassifier(), False),
    ],
)
def test_what_is_stateless_and_gives_arrays(step, expected):
    assert gives_arrays(step) is expected
