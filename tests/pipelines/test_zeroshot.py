"""The model that comes with the package: what it makes of rendered faces and maps, its card, and when it declines."""

import numpy as np
import pandas as pd
import pytest

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NoAnswer
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.data import make_clips
from microexpr.data.synthetic import SyntheticSource
from microexpr.data.syntheticmotion import make_motion_maps
from microexpr.features import flow_map
from microexpr.pipelines.framing import frame_clip
from microexpr.pipelines.harness import run
from microexpr.pipelines.metrics import scores
from microexpr.pipelines.modelsaving import load_model, save_model
from microexpr.pipelines.pretraining import pretrain
from microexpr.pipelines.zeroshot import FRAMING, measured_on, model_at, shipped_card, shipped_model

UNITS = ("1", "2", "4", "5", "6", "7", "9", "10", "12", "14", "15", "17", "20", "25", "26")
SMILE = {"L12": 1.0, "R12": 1.0, "L6": 0.7, "R6": 0.7}
# No face of these is among those that the network's maps were drawn from.
SEED = 991


def rendered(actions, subject=0, peak=3.0, **options):
    """Return a clip of a face of twice the usual size, brought to where the model expects it, from its landmarks."""
    source = SyntheticSource(
        actions,
        seed=SEED,
        subject=subject,
        n_frames=3,
        onset=0,
        apex=1,
        offset=2,
        peak=peak,
        size=(280, 240),
        **options,
    )
    frames = np.pad(source.read(), ((0, 0), (60, 60), (60, 60)), mode="edge")
    clip = Clip("face", ArraySource(frames, name="face"), onset=0, apex=1, offset=2)
    return frame_clip(clip, FRAMING, align="always")[0]


def by_unit(row):
    return {
        unit: max(row[name] for name in row.index if name.removeprefix("strength_").strip("LR") == unit)
        for unit in UNITS
    }


@pytest.fixture(scope="module")
def model():
    return shipped_model()


@pytest.mark.parametrize("unit", UNITS)
def test_each_action_unit_alone_is_ranked_first_or_second(model, unit):
    actions = {unit: 1.0} if unit in ("17", "25", "26") else {f"L{unit}": 1.0, f"R{unit}": 1.0}
    # Lids move less than the rest of a face at the same strength.
    clip = rendered(actions, peak=1.2 if unit in ("5", "7") else 3.0)
    strengths = by_unit(model.predict([clip]).filter(like="strength_").iloc[0])
    assert sum(value > strengths[unit] for value in strengths.values()) <= 1, strengths


def test_one_side_is_told_from_the_other(model):
    row = model.predict([rendered({"L12": 1.0})]).iloc[0]
    assert row["strength_L12"] - row["strength_R12"] > 0.3


def test_a_clip_and_its_map_give_the_same_answer(model, tmp_path):
    clip = rendered(SMILE)
    frames = clip.frames()
    from PIL import Image

    Image.fromarray(flow_map(frames[0], frames[1])).save(tmp_path / "map.png")
    stored = Clip("map", FlowMapSource(tmp_path / "map.png"))
    answers = model.predict([clip, stored]).drop(columns="clip_id")
    assert answers["label"].tolist() == ["positive", "positive"]
    pd.testing.assert_series_equal(answers.iloc[0], answers.iloc[1], check_names=False)


def test_light_changes_little(model):
    clip = rendered(SMILE)
    darker = Clip("darker", ArraySource((0.7 * clip.frames()).astype(np.uint8)), onset=0, apex=1, offset=2)
    shares = model.predict([clip, darker]).filter(like="proba_").to_numpy()
    assert np.abs(shares[0] - shares[1]).max() < 0.15


@pytest.mark.parametrize(
    ("apex", "reason"),
    [
        (lambda frame: frame, "nothing moves|no motion"),
        (lambda frame: np.roll(frame, 25, axis=1), "too large|moves"),
        (lambda frame: frame[::-1], "cut|another picture|left after"),
    ],
    ids=["no motion", "the head moves", "a cut"],
)
def test_it_declines_what_is_no_expression(model, apex, reason):
    frame = rendered(SMILE).frames()[0]
    clip = Clip("odd", ArraySource(np.stack([frame, apex(frame)])), onset=0, apex=1)
    with pytest.raises(NoAnswer, match=f"odd: .*({reason})"):
        model.predict([clip])


def test_a_map_in_the_wrong_order_is_named(model, tmp_path):
    from PIL import Image

    [channels] = make_motion_maps(1, seed=5).maps
    Image.fromarray(channels[..., ::-1].copy()).save(tmp_path / "bgr.png")
    with pytest.raises(NoAnswer, match="not in the order u, v, strain: the first"):
        model.predict([Clip("bgr", FlowMapSource(tmp_path / "bgr.png"))])


def test_the_harness_runs_it_without_training():
    clips = make_clips(n_subjects=3, clips_per_subject=3)
    table = run("zero-shot", clips, params={"flowmap__method": "dis"})
    assert set(table["y_pred"]) <= {"negative", "positive", "surprise"}
    figures = measured_on(table, clips.classes)
    assert figures["UF1"]["estimate"] == pytest.approx(scores(table, clips.classes)["UF1"], abs=1e-4)
    assert sum(sum(row.values()) for row in figures["confusion"].values()) == len(clips) == figures["clips"]


def test_sureness_by_hand():
    classes = ("a", "b")
    sure, right = [0.95, 0.97, 0.55, 0.65], [True, False, True, True]
    table = pd.DataFrame(
        {
            "dataset": "d",
            "clip_id": list("pqrs"),
            "subject": ["s1", "s1", "s2", "s2"],
            "y_true": ["a" if hit else "b" for hit in right],
            "y_pred": "a",
            "proba_a": sure,
            "proba_b": 1 - np.array(sure),
        }
    )
    found = measured_on(table, classes)["sureness"]
    # Bins .9 to 1: .96 sure, half right; .5 to .6 and .6 to .7: one each, right.
    off = (2 * abs(0.96 - 0.5) + abs(0.55 - 1) + abs(0.65 - 1)) / 4
    assert found.pop("levels") == [{"from": 0.0, "clips": 2, "right": 1.0}, {"from": 0.9, "clips": 2, "right": 0.5}]
    assert found == {"mean": 0.78, "right": 0.75, "calibration_error": pytest.approx(off, abs=1e-4)}


def test_the_card_says_what_it_was_made_from_and_not_for():
    card = shipped_card()
    assert card["trained_on"]["subjects"] == 0
    assert card["trained_on"]["clips"] == 5 * 400 * 256
    assert "detecting lies, intent or guilt" in card["not_for"]
    assert set(card["measured_on"]) >= {"all", "casme2", "smic"}
    for figures in (card["measured_on"][name] for name in ("all", "casme2", "smic")):
        assert figures["UF1"]["low"] < figures["UF1"]["estimate"] < figures["UF1"]["high"]
        assert sum(sum(row.values()) for row in figures["confusion"].values()) == figures["clips"]


def test_it_can_be_kept_as_a_model_file_and_stays_careful(model, tmp_path):
    save_model(model, tmp_path / "kept.mxm")
    kept = load_model(tmp_path / "kept.mxm")
    clip = rendered(SMILE)
    pd.testing.assert_frame_equal(kept.predict([clip]), model.predict([clip]))
    still = Clip("still", ArraySource(np.stack([clip.frames()[0]] * 2)), onset=0, apex=1)
    with pytest.raises(NoAnswer, match="still: "):
        kept.predict([still])


def test_another_file_of_weights_is_taken_and_its_card_measures_nothing(tmp_path, monkeypatch):
    from microexpr.pipelines import pretraining

    monkeypatch.setattr(pretraining, "_CALIBRATION", 64)
    path = tmp_path / "mine.safetensors"
    pretrain(path, n_networks=1, steps=2)
    mine = model_at(path)
    assert mine.card["measured"] == "not measured"
    assert not {"errors", "measured_on"} & set(mine.card)
    assert "may have trained it on anything" in mine.card["holds"]
    assert mine.card["trained_on"]["clips"] == 2 * 256
    clip = rendered(SMILE)
    assert not np.allclose(*(one.predict([clip]).filter(like="proba_").to_numpy() for one in (mine, shipped_model())))
    assert model_at(None).method == "zero-shot"
    with pytest.raises(DataError, match="is not there"):
        model_at(tmp_path / "gone.safetensors")
