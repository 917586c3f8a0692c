"""Every registered method, every check; a method without tests fails here."""

import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from toyset.clips import CLASSES, with_garbage
from toyset.estimators import Spy

from microexpr.core.digest import digest
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
    digests = honest[f"proba_{CLASSES[0]}"], garbage[f"proba_{CLASSES[0]}"]
    assert digests[0][own].tolist() == digests[1][own].tolist()
    # The digest sees what was learned: in the other folds the garbage is in the training set.
    assert name == "majority" or (digests[0][~own] != digests[1][~own]).all()


def test_the_handcrafted_methods_of_the_literature_are_there():
    assert set(METHODS) >= {
        "lbptop-svm",
        "hog3d-svm",
        "mdmo-svm",
        "biwoof-svm",
        "stlbpip-svm",
        "kato-fusion",
        "gentlesvm",
        "lbptop-gentleboost",
        "biwoof-gentleboost",
        "strain-svm",
        "flow-svm",
        "handcrafted-fusion",
        "majority",
    }


@pytest.mark.parametrize(
    ("fusion", "methods"),
    [
        (
            "handcrafted-fusion",
            {"lbptop": "lbptop-svm", "hog3d": "hog3d-svm", "biwoof": "biwoof-svm", "flow": "flow-svm"},
        ),
        ("motion-fusion", {"flow": "flow-svm", "strain": "strain-svm", "biwoof": "biwoof-svm"}),
    ],
)
def test_members_of_a_fusion_are_the_methods_that_it_names(fusion, methods):
    views, fused = (step for _, step in build(fusion, random_state=0).steps)
    assert [name for name, _ in views.views] == list(methods)
    for (name, view), (_, member) in zip(views.views, fused.members, strict=True):
        prefix, learner = split_prefix(build(methods[name], random_state=0))
        assert digest(view) == digest(prefix)
        assert digest(member) == digest(learner)


def test_one_descriptor_under_two_classifiers_is_computed_once():
    for pair in (("lbptop-svm", "lbptop-gentleboost"), ("biwoof-svm", "biwoof-gentleboost")):
        first, second = (digest(split_prefix(build(name))[0]) for name in pair)
        assert first == second
