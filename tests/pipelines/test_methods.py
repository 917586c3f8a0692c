"""Every registered method, every check; a method without tests fails here."""

import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from toyset.beating import beating_clips
from toyset.clips import CLASSES, with_garbage
from toyset.estimators import Spy

from microexpr.classifiers import FeatureFusion, ScoreFusion
from microexpr.core.digest import digest
from microexpr.core.errors import ParameterError
from microexpr.data.synthetic import make_clips, make_macro_clips
from microexpr.pipelines.harness import run
from microexpr.pipelines.prefix import split_prefix
from microexpr.pipelines.registry import all_methods, build, layers_of, unmet_needs
from microexpr.testing import check_clip_transformer, check_method

CLIPS = make_clips(n_subjects=3, clips_per_subject=3, size=(64, 56), duration=(0.08, 0.12), fps=100.0)
MACRO = make_macro_clips(n_subjects=2, clips_per_subject=3, size=(64, 56))
LONG = beating_clips()
METHODS = list(all_methods())


def _clips(name):
    """Return short grey clips, or long ones in colour for what needs them."""
    return LONG if unmet_needs(all_methods()[name], CLIPS) else CLIPS


def _auxiliary(name):
    return MACRO if all_methods()[name].auxiliary == "required" else None


@pytest.mark.parametrize("name", METHODS)
def test_it_is_a_sound_classifier_of_clips(name):
    check_method(name, _clips(name), auxiliary=_auxiliary(name))


@pytest.mark.parametrize("name", METHODS)
def test_its_stateless_beginning_keeps_the_contract(name):
    prefix, _ = split_prefix(build(name, **all_methods()[name].tiny))
    if prefix is None:
        assert name == "majority", f"{name} has no stateless beginning, so nothing of it is cached"
        return
    clips = _clips(name).clips
    features = prefix.transform(clips)
    alone = np.concatenate([prefix.transform([clip]) for clip in clips])
    np.testing.assert_array_equal(features, alone)
    if len(prefix.steps) == 1:
        check_clip_transformer(prefix.steps[0][1], clips)


@pytest.mark.parametrize("name", METHODS)
def test_garbage_in_place_of_the_test_clips_leaves_its_fitted_model_identical(name):
    prefix, learner = split_prefix(build(name, random_state=0, **all_methods()[name].tiny))
    steps = [] if prefix is None else list(prefix.steps)
    spied = Pipeline([*steps, ("spy", Spy(learner))])
    usable = _clips(name)
    subject = usable.groups[0]
    extra = _auxiliary(name)
    honest, garbage = (run(spied, clips, auxiliary=extra) for clips in (usable, with_garbage(usable, subject)))
    own = (honest["fold"] == subject).to_numpy()
    digests = honest[f"proba_{CLASSES[0]}"], garbage[f"proba_{CLASSES[0]}"]
    assert digests[0][own].tolist() == digests[1][own].tolist()
    # The digest sees what was learned: in the other folds the garbage is in the training set.
    # A method that learns nothing is the same in all folds, by its weights.
    if name == "zero-shot":
        assert digests[0].nunique() == digests[1].nunique() == 1
    else:
        assert name == "majority" or (digests[0][~own] != digests[1][~own]).all()


def test_the_networks_of_the_papers_are_there():
    assert set(METHODS) >= {
        "houlton-cnn",
        "dubey-3dcnn",
        "nmer",
        "nmer+emr",
        "nmer+emr+adversarial",
        "hata-resnet",
        "two-stream",
        "off-apexnet",
        "ststnet",
        "fusion",
    }


@pytest.mark.parametrize(
    ("name", "n_layers", "n_parameters"),
    [
        # 14 modules of convolution, batch norm and ReLU, four pools, one fully connected layer.
        ("houlton-cnn", 47, None),
        ("dubey-3dcnn", 7, 1_643_267),
        ("off-apexnet", None, 2_664_475),
        # conv 3 x 16 x 9 + 16, batch norm 32, 400 x 3 + 3.
        ("ststnet", None, 1_683),
        ("nmer", None, 11_242_953),
    ],
)
def test_layers_of_a_network_are_those_of_its_paper(name, n_layers, n_parameters):
    rows = layers_of(build(name))
    assert n_layers is None or len(rows) == n_layers
    assert n_parameters is None or sum(row.n_parameters for row in rows) == n_parameters


@pytest.mark.parametrize(
    "name", ["houlton-cnn", "dubey-3dcnn", "nmer", "hata-resnet", "two-stream", "off-apexnet", "ststnet", "flow-cnn"]
)
def test_layers_are_shown_for_the_input_that_the_method_gives_its_network(name):
    quick = {key: value for key, value in all_methods()[name].tiny.items() if key.endswith("__method")}
    prefix, learner = split_prefix(build(name, **quick))
    network = learner.steps[-1][1]
    assert network._shape(prefix.transform(CLIPS.clips[:1])).shape[1:] == network.INPUT_SHAPE


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


def test_a_fusion_joins_any_methods_by_scores_or_features():
    names = ("flow-svm", "biwoof-svm", "strain-svm")
    for members in (names, "flow-svm, biwoof-svm,strain-svm"):
        views, fused = (step for _, step in build("fusion", members=members, random_state=0).steps)
        assert [name for name, _ in views.views] == [name for name, _ in fused.members] == list(names)
        assert isinstance(fused, ScoreFusion)
    for (name, view), (_, member) in zip(views.views, fused.members, strict=True):
        prefix, learner = split_prefix(build(name, random_state=0))
        assert digest(view) == digest(prefix)
        assert digest(member) == digest(learner)
    assert isinstance(build("fusion", members=names, by="features").steps[-1][1], FeatureFusion)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"members": ("flow-svm",)}, "it must name two methods at least"),
        ({"members": ("flow-svm", "flow-svm")}, "each once"),
        ({"members": ("flow-svm", "majority")}, "'majority': a fusion or a method without features"),
        ({"members": ("flow-svm", "motion-fusion")}, "'motion-fusion': a fusion or a method without features"),
        ({"members": ("flow-svm", "nmer+emr+adversarial")}, "that needs auxiliary clips cannot be a member"),
        ({"members": ("flow-svm", "ststnett")}, "unknown method 'ststnett'; did you mean 'ststnet'"),
        ({"by": "votes"}, "by is 'votes': it must be one of 'scores', 'features'"),
    ],
)
def test_what_cannot_be_fused_is_refused(params, message):
    with pytest.raises(ParameterError, match=message):
        build("fusion", **params)


def test_a_calibrated_fusion_gives_probabilities_to_members_without():
    members = ("flow-rbf", "biwoof-gentleboost", "ststnet")
    fused = build("fusion", members=members, calibrated=True, random_state=0).steps[-1][1]
    kinds = {name: type(member).__name__ for name, member in fused.members}
    assert kinds == {"flow-rbf": "SubjectCalibrated", "biwoof-gentleboost": "Pipeline", "ststnet": "Pipeline"}
    assert len(run("fusion", CLIPS, params={**all_methods()["fusion"].tiny, "calibrated": True})) == len(CLIPS)


@pytest.mark.parametrize("params", [{"by": "features"}, {"scorefusion__weights": "learned"}])
def test_networks_and_handcrafted_methods_are_fused_in_each_way(params):
    settings = {"members": "flow-svm,ststnet", "clipviews__flow-svm__flowmap__method": "dis"}
    settings |= {"clipviews__ststnet__flowmap__method": "dis"}
    fused = "featurefusion" if "by" in params else "scorefusion"
    settings[f"{fused}__ststnet__ststnetclassifier__epochs"] = 1
    check_method("fusion", CLIPS, **settings, **{key: params[key] for key in params if key == "by"})
    table = run("fusion", CLIPS, params={**settings, **params})
    assert len(table) == len(CLIPS)


def test_one_descriptor_under_two_classifiers_is_computed_once():
    for pair in (("lbptop-svm", "lbptop-gentleboost"), ("biwoof-svm", "biwoof-gentleboost")):
        first, second = (digest(split_prefix(build(name))[0]) for name in pair)
        assert first == second
