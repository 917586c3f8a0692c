import numpy as np
import pytest
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import SVC
from toyset.clips import Brightness, toy_clips, with_garbage

from microexpr.core.cache import ArrayCache
from microexpr.core.errors import DataError, ParameterError
from microexpr.features import LBPTOP
from microexpr.pipelines.prefix import extract, feature_key, split_prefix
from microexpr.pipelines.views import ClipViews
from microexpr.video import TIM

CLIPS = toy_clips(n_subjects=2, per_class=1).clips


def _names(estimator):
    return [type(step).__name__ for _, step in estimator.steps]


def test_the_split_is_after_the_step_that_gives_arrays():
    prefix, learner = split_prefix(make_pipeline(TIM(4), Brightness(), StandardScaler(), SVC()))
    assert _names(prefix) == ["TIM", "Brightness"]
    assert _names(learner) == ["StandardScaler", "SVC"]


def test_a_union_of_stateless_branches_belongs_to_the_prefix():
    union = FeatureUnion([("a", Brightness()), ("b", make_pipeline(TIM(4), Brightness(scale=2.0)))])
    prefix, learner = split_prefix(make_pipeline(union, SVC()))
    assert _names(prefix) == ["FeatureUnion"]
    assert _names(learner) == ["SVC"]
    assert extract(prefix, CLIPS, cache=None).shape == (6, 10 + 8)


@pytest.mark.parametrize(
    "estimator",
    [
        SVC(),
        make_pipeline(StandardScaler(), SVC()),
        make_pipeline(FeatureUnion([("a", Brightness()), ("b", make_pipeline(Brightness(), StandardScaler()))]), SVC()),
    ],
)
def test_what_may_learn_is_no_prefix(estimator):
    prefix, learner = split_prefix(estimator)
    assert prefix is None
    assert learner is estimator


def test_stateless_steps_of_others_stay_with_the_learner():
    prefix, learner = split_prefix(make_pipeline(Brightness(), Normalizer(), SVC()))
    assert _names(prefix) == ["Brightness"]
    assert _names(learner) == ["Normalizer", "SVC"]


def test_the_key_follows_steps_parameters_versions_and_content(monkeypatch):
    clip, other = CLIPS[0], with_garbage(toy_clips(n_subjects=2, per_class=1), "toy/s00").clips[0]
    prefixes = [
        make_pipeline(Brightness()),
        make_pipeline(Brightness(scale=2.0)),
        make_pipeline(TIM(4), Brightness()),
        make_pipeline(TIM(5), Brightness()),
    ]
    keys = [feature_key(prefix, clip) for prefix in prefixes] + [feature_key(prefixes[0], other)]
    assert len(set(keys)) == 5
    assert feature_key(make_pipeline(Brightness()), clip) == keys[0]
    monkeypatch.setattr(Brightness, "version", 2)
    assert feature_key(prefixes[0], clip) not in keys


def test_what_a_step_says_of_itself_is_in_the_key(monkeypatch):
    before = feature_key(make_pipeline(Brightness()), CLIPS[0])
    monkeypatch.setattr(Brightness, "key_facts", lambda self: {"model": "abc"})
    assert feature_key(make_pipeline(Brightness()), CLIPS[0]) != before


def test_cached_rows_equal_computed_ones_whatever_the_threads(tmp_path):
    prefix = make_pipeline(TIM(4), Brightness())
    computed = extract(prefix, CLIPS, cache=None)
    cache = ArrayCache(tmp_path)
    for n_jobs in (2, 1):
        np.testing.assert_array_equal(extract(prefix, CLIPS, cache=cache, n_jobs=n_jobs), computed)
    np.testing.assert_array_equal(extract(prefix, CLIPS[::-1], cache=cache), computed[::-1])


def test_parameters_are_checked_before_any_clip_is_read():
    with pytest.raises(ParameterError, match="neighbors"):
        extract(make_pipeline(LBPTOP(neighbors=5)), CLIPS, cache=None)


def test_a_step_that_raises_names_the_clip(monkeypatch):
    def fails(self, clip):
        raise ZeroDivisionError("by nothing\nand more")

    monkeypatch.setattr(Brightness, "transform_clip", fails)
    with pytest.raises(DataError) as caught:
        extract(make_pipeline(Brightness()), CLIPS, cache=None)
    assert str(caught.value) == f"{CLIPS[0].clip_id}: ZeroDivisionError: by nothing"


def test_views_are_extracted_one_by_one_under_the_keys_that_they_have_alone(tmp_path, monkeypatch):
    alone = make_pipeline(TIM(4), Brightness())
    cache = ArrayCache(tmp_path)
    extract(alone, CLIPS, cache=cache)
    views = make_pipeline(ClipViews([("slow", make_pipeline(TIM(4), Brightness())), ("bright", Brightness(scale=2.0))]))
    read = []
    monkeypatch.setattr(Brightness, "transform_clip", _counted(Brightness.transform_clip, read))
    joined = extract(views, CLIPS, cache=cache)
    assert len(read) == len(CLIPS)  # the second view alone: the first was there
    np.testing.assert_array_equal(joined, views.transform(CLIPS))
    assert split_prefix(Pipeline([*views.steps, ("svm", SVC())]))[0].steps[0][0] == "clipviews"


def _counted(function, calls):
    def counting(self, clip):
        calls.append(clip.clip_id)
        return function(self, clip)

    return counting
