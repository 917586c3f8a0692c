"""Models: fitted on all subjects, written, read back to the bit, and the card that goes with them."""

import json
import zipfile
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from toyset.clips import Brightness, toy_clips

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, NeedsError, ParameterError, ResultsError
from microexpr.core.sources import FlowMapSource
from microexpr.data import make_clips, make_macro_clips
from microexpr.pipelines import registry
from microexpr.pipelines.harness import run
from microexpr.pipelines.modelcards import NOT_FOR, make_card
from microexpr.pipelines.modelfitting import fit_and_save, fit_model
from microexpr.pipelines.modelsaving import load_model, read_card, save_model
from microexpr.pipelines.modelstate import STORABLE
from microexpr.pipelines.registry import all_methods, build, get_method, method

SMALL = {"clips_per_subject": 3, "size": (64, 56), "duration": (0.08, 0.12), "fps": 100.0}
CLIPS = make_clips(n_subjects=3, **SMALL)
FAST = {"flowmap__method": "dis"}
# Two methods that need no more than this, whose members learn on inner folds.
MEMBERS = {"members": ("flow-svm", "strain-svm"), "clipviews__flow-svm__flowmap__method": "dis"}
NETWORKS = {
    "members": ("flow-svm", "flow-cnn"),
    "clipviews__flow-svm__flowmap__method": "dis",
    "clipviews__flow-cnn__flowmap__method": "dis",
    "scorefusion__flow-cnn__flowcnnclassifier__epochs": 1,
}
INNER = {"calibrated": True, "scorefusion__weights": "learned", "scorefusion__n_splits": 2}
# Each kind of fitted state once; that every method's steps may be stored is another test.
STORED = (
    ("biwoof-gentleboost", {"biwoof__method": "dis", "gentleboostclassifier__n_estimators": 10}),
    ("distlbprip-svm", {"stlbpip__blocks": (2, 2)}),
    ("flow-cnn", {**FAST, "flowcnnclassifier__epochs": 1, "flowcnnclassifier__n_networks": 2}),
    ("flow-rbf", FAST),
    ("flow-svm", FAST),
    ("fusion", {**MEMBERS, **INNER}),
    ("fusion", {**MEMBERS, "by": "features"}),
    ("fusion", {**NETWORKS, "scorefusion__flow-cnn__flowcnnclassifier__n_networks": 1}),
    ("gentlesvm", {"gabor__n_scales": 1, "gabor__pool": 8, "neutralclassifier__estimator__n_estimators": 5}),
    ("majority", {}),
    ("mdmo-svm", {"mdmo__regions": "grid", "mdmo__grid": (2, 2), "mdmo__method": "dis"}),
    ("ststnet", {**FAST, "ststnetclassifier__epochs": 2}),
)


def _same(model, other, clips):
    pd.testing.assert_frame_equal(model.predict(clips), other.predict(clips), check_exact=True)
    if hasattr(model.estimator, "decision_function"):
        assert np.array_equal(model.estimator.decision_function(clips), other.estimator.decision_function(clips))


@pytest.mark.parametrize(("name", "params"), STORED, ids=[f"{place}-{name}" for place, (name, _) in enumerate(STORED)])
def test_a_model_read_back_predicts_the_same_to_the_bit(name, params, tmp_path):
    clips = make_clips(n_subjects=6, **SMALL) if "calibrated" in params else CLIPS
    model = fit_model(name, clips, params=params)
    save_model(model, tmp_path / "one.mxm")
    loaded = load_model(tmp_path / "one.mxm")
    assert (loaded.method, loaded.classes, loaded.needs) == (name, CLIPS.classes, get_method(name).needs)
    assert (loaded.framing, loaded.card) == (model.framing, model.card)
    _same(model, loaded, CLIPS.clips)
    save_model(loaded, tmp_path / "two.mxm")
    assert (tmp_path / "one.mxm").read_bytes() == (tmp_path / "two.mxm").read_bytes()


@pytest.mark.parametrize("name", list(all_methods()))
def test_every_step_of_every_method_may_be_stored(name):
    steps = [one for one in build(name).get_params(deep=True).values() if hasattr(one, "get_params")]
    kinds = {type(step) for step in [build(name), *steps]}
    public = {path.rpartition(".")[2] for path in STORABLE}
    assert not {kind.__name__ for kind in kinds if not kind.__module__.startswith("microexpr.deep.")} - public


def test_a_model_answers_as_a_fold_of_all_other_subjects_does():
    rest, asked = CLIPS.where(CLIPS.table["subject"] != "synthetic/sub01"), CLIPS.where(subject="synthetic/sub01")
    model = fit_model("flow-cnn", rest, params=dict(get_method("flow-cnn").tiny))
    folds = run("flow-cnn", CLIPS, params=get_method("flow-cnn").tiny)
    expected = folds[folds["fold"] == "synthetic/sub01"].reset_index(drop=True)
    answers = model.predict(asked.clips)
    assert answers["label"].tolist() == expected["y_pred"].tolist()
    for label in CLIPS.classes:
        assert answers[f"proba_{label}"].to_numpy() == pytest.approx(expected[f"proba_{label}"].to_numpy(), abs=1e-6)


@pytest.fixture
def toy(monkeypatch):
    """A method of classes that no model file may hold, which counts its own and its auxiliary training rows."""
    monkeypatch.setattr(registry, "_METHODS", dict(all_methods()))

    class Counting(SVC):
        __metadata_request__fit: ClassVar = {"domain": True, "groups": True}

        def fit(self, X, y, domain=None, groups=None):
            self.counts_, self.groups_ = np.bincount(domain).tolist(), sorted(set(groups))
            return super().fit(X, y)

    @method("toy-brightness", reference="no paper; a test", auxiliary="optional")
    def build_toy(*, random_state=None):
        """Brightness with an SVM."""
        return make_pipeline(Brightness(), Counting())


@pytest.mark.usefixtures("toy")
def test_auxiliary_clips_join_the_training():
    own, extra = toy_clips(n_subjects=3), toy_clips(n_subjects=2, per_class=1, dataset="other")
    model = fit_model("toy-brightness", own, auxiliary=extra)
    assert model.estimator.steps[-1][1].counts_ == [18, 6]
    assert model.estimator.steps[-1][1].groups_ == ["other/s00", "other/s01", "toy/s00", "toy/s01", "toy/s02"]
    assert (model.card["trained_on"]["clips"], model.card["auxiliary"]["clips"]) == (18, 6)


def test_auxiliary_clips_of_a_method_that_ignores_them_are_not_on_its_card():
    model = fit_model("majority", CLIPS, auxiliary=make_macro_clips(n_subjects=2, clips_per_subject=3))
    assert model.card["auxiliary"] is None


def test_probabilities_stand_where_the_method_gives_them():
    assert list(fit_model("flow-svm", CLIPS, params=FAST).predict(CLIPS.clips[:1])) == ["clip_id", "label"]
    table = fit_model("majority", CLIPS).predict(CLIPS.clips[:2])
    assert list(table)[2:] == ["proba_negative", "proba_positive", "proba_surprise"]
    assert table.iloc[:, 2:].sum(axis=1).tolist() == [1.0, 1.0]


def test_the_card_counts_what_was_trained_on():
    model = fit_model("flow-svm", CLIPS, params=FAST, seed=4)
    trained = model.card["trained_on"]
    assert (trained["clips"], trained["subjects"]) == (9, 3)
    assert trained["classes"] == {"negative": 3, "positive": 3, "surprise": 3}
    assert [part["name"] for part in trained["datasets"]] == ["synthetic"]
    assert trained["digest"] == CLIPS.digest()
    assert model.card["settings"]["set"] == FAST
    assert model.card["settings"]["all"]["svc__C"] == 1e-3
    assert model.card["method"]["seed"] == 4
    assert model.card["measured"] == "not measured"
    assert tuple(model.card["not_for"]) == NOT_FOR
    assert "was not measured" in " ".join(model.cautions())


def test_the_card_has_the_figures_of_the_run():
    # Of three clips a class each person's first is named wrongly, the next class in its stead.
    scores = run("flow-svm", CLIPS, params=FAST)
    truth = scores["y_true"].tolist()
    first = scores.groupby("subject").head(1).index
    following = {"negative": "positive", "positive": "surprise", "surprise": "negative"}
    scores["y_pred"] = [following[label] if row in first else label for row, label in enumerate(truth)]
    model = fit_model("flow-svm", CLIPS, params=FAST, scores=scores)
    measured = model.card["measured"]
    wrong = [truth[row] for row in first]
    f1 = []
    for label in CLIPS.classes:
        missed, false = wrong.count(label), [following[one] for one in wrong].count(label)
        f1.append(2 * (3 - missed) / (2 * (3 - missed) + missed + false))
        assert measured["per_class"][label]["recall"] == pytest.approx((3 - missed) / 3)
    assert measured["UF1"]["estimate"] == pytest.approx(np.mean(f1))
    assert measured["UAR"]["estimate"] == pytest.approx(6 / 9)
    assert measured["UF1"]["low"] <= measured["UF1"]["estimate"] <= measured["UF1"]["high"]
    assert measured["majority"]["UAR"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("column", "value"), [("method", "flow-rbf"), ("seed", 1), ("protocol", "kfold:5"), ("labels", "casme2-5")]
)
def test_figures_of_another_run_are_refused(column, value):
    scores = run("majority", CLIPS)
    scores[column] = value
    with pytest.raises(DataError, match=f"predictions have the {column} {value!r}: it must be"):
        fit_model("majority", CLIPS, scores=scores)


def test_figures_of_other_clips_are_refused():
    with pytest.raises(DataError, match=r"predictions and the model's clips differ in synthetic/sub03/"):
        fit_model("majority", CLIPS, scores=run("majority", CLIPS).iloc[:-1])


def test_fitting_measures_first_and_goes_on_from_the_store(tmp_path, monkeypatch):
    fit_and_save("flow-svm", CLIPS, tmp_path / "flow.mxm", store=tmp_path / "results", params=FAST)
    card = read_card(tmp_path / "flow.mxm")
    [predictions] = (tmp_path / "results" / "runs").glob("*/predictions.csv")
    assert card["measured"]["run_key"] == pd.read_csv(predictions)["run_key"].iloc[0]

    def never(*_, **__):
        raise AssertionError("a fold was run again")

    monkeypatch.setattr("microexpr.pipelines.foldruns.run_fold", never)
    fit_and_save("flow-svm", CLIPS, tmp_path / "again.mxm", store=tmp_path / "results", params=FAST)
    assert (tmp_path / "flow.mxm").read_bytes() == (tmp_path / "again.mxm").read_bytes()


def test_fitting_measures_nothing_if_told_so(tmp_path):
    one_subject = CLIPS.where(subject="synthetic/sub01")
    model = fit_and_save("majority", one_subject, tmp_path / "one.mxm", measure=False)
    assert model.card["measured"] == "not measured"
    assert load_model(tmp_path / "one.mxm").predict(CLIPS.clips).shape == (9, 5)


def test_clips_that_lack_what_the_method_needs_are_left_out_if_allowed(tmp_path):
    table = CLIPS.table.copy()
    table.loc[table.index[0], "apex"] = None
    lacking = ClipSet(table, CLIPS.sources, classes=CLIPS.classes)
    known = {"measure": False, "params": FAST}
    with pytest.raises(NeedsError, match=r"--find-apex"):
        fit_and_save("flow-svm", lacking, tmp_path / "flow.mxm", **known)
    model = fit_and_save("flow-svm", lacking, tmp_path / "flow.mxm", **known, allow_incomplete=True)
    assert model.card["trained_on"]["clips"] == 8


def test_a_network_of_a_machine_without_torch_says_what_is_missing(tmp_path, monkeypatch):
    save_model(fit_model("ststnet", CLIPS, params={**FAST, "ststnetclassifier__epochs": 1}), tmp_path / "net.mxm")
    monkeypatch.setattr("microexpr.pipelines.modelstate.find_spec", lambda name: None if name == "torch" else name)
    with pytest.raises(NeedsError, match=r"needs the extra `deep`, pip install 'microexpr\[deep\]'"):
        load_model(tmp_path / "net.mxm")


def test_a_wrong_suffix_is_refused_before_anything_is_computed(tmp_path, monkeypatch):
    monkeypatch.setattr("microexpr.pipelines.modelfitting.run", None)
    with pytest.raises(ParameterError, match=r"out is '.*model\.pkl': it must end in \.mxm"):
        fit_and_save("flow-svm", CLIPS, tmp_path / "model.pkl")
    with pytest.raises(ParameterError, match=r"must end in \.mxm"):
        save_model(fit_model("majority", CLIPS), tmp_path / "model.zip")


def test_a_folder_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"cannot write .*model\.mxm"):
        save_model(fit_model("majority", CLIPS), tmp_path / "file" / "model.mxm")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.usefixtures("toy")
def test_a_class_of_ones_own_cannot_be_stored(tmp_path):
    model = fit_model("toy-brightness", toy_clips(n_subjects=3))
    with pytest.raises(ParameterError, match=r"toyset\.clips\.Brightness cannot be stored in a model file"):
        save_model(model, tmp_path / "toy.mxm")
    assert not list(tmp_path.iterdir())


def test_a_method_by_name_only():
    with pytest.raises(ParameterError, match="method is a Pipeline: it must be a registered name"):
        fit_model(build("flow-svm"), CLIPS)


def test_a_clip_without_what_the_method_needs_is_named():
    model = fit_model("flow-svm", CLIPS, params=FAST)
    blind = replace(CLIPS.clips[0], apex=None)
    with pytest.raises(NeedsError, match=f"{blind.clip_id}: flow-svm needs an apex after the onset"):
        model.predict([blind])
    with pytest.raises(NeedsError, match="map: lbptop-svm needs frames"):
        replace(model, method="lbptop-svm", needs=("pixels",)).predict(
            [replace(blind, clip_id="map", source=FlowMapSource("map.png"))]
        )


def test_no_clip_is_an_error():
    with pytest.raises(DataError, match="there is no clip to name"):
        fit_model("majority", CLIPS).predict([])


def test_a_clip_of_another_size_is_an_error_that_names_it():
    model = fit_model("two-stream", CLIPS, params=dict(get_method("two-stream").tiny))
    model.estimator.set_params(frameandflow__size=(12, 12))
    with pytest.raises(DataError, match=r"the network was fitted on"):
        model.predict(CLIPS.clips[:1])


def test_another_version_of_scikit_learn_is_told(tmp_path):
    model = fit_model("majority", CLIPS)
    versions = {**model.card["made"]["versions"], "scikit-learn": "0.1.0"}
    old = replace(model, card={**model.card, "made": {**model.card["made"], "versions": versions}})
    assert not [told for told in model.cautions() if "scikit-learn" in told]
    assert [told for told in old.cautions() if "made with scikit-learn 0.1.0" in told]


def test_a_network_is_stored_without_the_path_of_its_first_weights(tmp_path, monkeypatch):
    from microexpr import deep

    save, seen = deep.save_network, []
    monkeypatch.setattr(deep, "save_network", lambda net, path: (seen.append(net.weights), save(net, path)))
    model = fit_model("ststnet", CLIPS, params={**FAST, "ststnetclassifier__epochs": 1})
    network = model.estimator.steps[-1][1]
    network.weights = "/home/me/imagenet.pth"
    save_model(model, tmp_path / "net.mxm")
    assert seen == [None]
    assert network.weights == "/home/me/imagenet.pth"


def test_the_card_has_the_name_of_a_file_without_its_folder():
    params = {"nmerclassifier__weights": "/home/me/imagenet.pth"}
    known = {"seed": 0, "params": params, "auxiliary": None, "measured": None}
    card = make_card("nmer", build("nmer", **params), CLIPS, **known)
    assert "/home/me" not in json.dumps(card)
    assert card["settings"]["all"]["nmerclassifier__weights"] == "imagenet.pth"


def test_the_file_is_a_plain_archive(tmp_path):
    save_model(fit_model("flow-svm", CLIPS, params=FAST), tmp_path / "flow.mxm")
    with zipfile.ZipFile(tmp_path / "flow.mxm") as archive:
        header = json.loads(archive.read("model.json"))
        names = archive.namelist()
    assert header["format"] == 1
    assert header["method"] == "flow-svm"
    assert {name.partition("/")[0] for name in names} == {"model.json", "estimator.json", "arrays"}
