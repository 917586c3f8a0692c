"""Every registered method, every check; a method without tests fails here."""

import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from toyset.clips import CLASSES, with_garbage
from toyset.estimators import Spy

from microexpr.data.synthetic import make_clips
from microexpr.pipelines.harness import run
from microexpr.pipelines.prefix import split_prefix
from microexpr.pipelines.registry import all_methods, build
from microexpr.testing import check_clip_transformer, check_method

CLIPS = make_clips(n_subjects=3, clips_per_subject=3, size=(64, 56), duration=(0.08, 0.12), fps=100.0)
METHODS = list(all_methods())


@pytest.mark.parametrize("name", METHODS)
def test_it_is_a_sound_classifier_of_clips(name):
    check_method(name, CLIPS)


@pytest.mark.parametrize("name", METHODS)
def test_its_stateless_beginning_keeps_the_contract(name):
    prefix, _ = split_prefix(build(name, **all_methods()[name].tiny))
    if prefix is None:
        assert name == "majority", f"{name} has no stateless beginning, so nothing of it is cached"
        return
    features = prefix.transform(CLIPS.clips)
    alone = np.concatenate([prefix.transform([clip]) for clip in CLIPS.clips])
    np.testing.assert_array_equal(features, alone)
    if len(prefix.steps) == 1:
        check_clip_transformer(prefix.steps[0][1], CLIPS.clips)


@pytest.mark.parametrize("name", METHODS)
def test_garbage_in_place_of_the_test_clips_leaves_its_fitted_model_identical(name):
    prefix, learner = split_prefix(build(name, random_state=0, **all_methods()[name].tiny))
    steps = [] if prefix is None else list(prefix.steps)
    spied = Pipeline([*steps, ("spy", Spy(learner))])
    subject = CLIPS.groups[0]
    honest, garbage = run(spied, CLIPS), run(spied, with_garbage(CLIPS, subject))
    own = (honest["fold"] == subject).to_numpy()
    assert honest.loc[own, f"proba_{CLASSES[0]}"].tolist() == garbage.loc[own, f"proba_{CLASSES[0]}"].tolist()


def test_the_named_methods_of_this_version_are_there():
    assert {"flow-svm", "lbptop-svm", "majority"} <= set(METHODS)
