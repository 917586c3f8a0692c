"""Synthetic clips: what is drawn from what, their table and keys, and what is refused."""

import pickle
import re

import numpy as np
import pytest
from scipy.stats import binomtest

from microexpr.core.errors import ParameterError
from microexpr.data import _render
from microexpr.data.actionunits import EMOTIONS, notation
from microexpr.data.synthetic import CLASSES, SyntheticSource, make_clips

BRIEF = (0.02, 0.02)


class TestWhatIsDrawnFromWhat:
    def test_the_same_seed_gives_the_same_clips(self):
        first, second = (make_clips(2, 2, seed=3, duration=BRIEF) for _ in range(2))
        assert first.table.equals(second.table)
        assert all(np.array_equal(a.frames(), b.frames()) for a, b in zip(first.clips, second.clips, strict=True))

    def test_another_seed_gives_other_clips(self):
        first, second = (make_clips(1, 1, seed=seed, duration=BRIEF).clips[0].frames() for seed in (3, 4))
        assert np.abs(first.astype(int) - second).mean() > 5

    def test_more_subjects_and_clips_leave_the_earlier_ones_as_they_were(self):
        few, many = make_clips(2, 4, seed=1), make_clips(5, 9, seed=1)
        assert few.table.equals(many.table.loc[few.table.index])
        for clip_id, source in few.sources.items():
            assert source.fingerprint() == many.sources[clip_id].fingerprint()

    def test_the_onset_frame_is_the_same_to_the_bit_whatever_the_class(self):
        sets = [make_clips(3, 2, (name,), seed=2, duration=BRIEF) for name in ("negative", "happiness", "fear")]
        for clips in zip(*(one.clips for one in sets), strict=True):
            onsets = [clip.frames()[clip.onset] for clip in clips]
            apexes = [clip.frames()[clip.apex] for clip in clips]
            assert all(np.array_equal(onsets[0], other) for other in onsets[1:])
            assert not any(np.array_equal(apexes[0], other) for other in apexes[1:])

    def test_duration_timing_strength_and_sway_are_the_same_whatever_the_class(self):
        one, other = make_clips(3, 4, ("disgust",), seed=2), make_clips(3, 4, ("surprise",), seed=2)
        columns = ["onset", "apex", "offset", "n_frames"]
        assert one.table[columns].equals(other.table[columns])
        for clip_id, source in one.sources.items():
            twin = other.sources[clip_id]
            assert source.shot.peak == twin.shot.peak
            assert np.array_equal(source.time_course(), twin.time_course())
            assert all(np.array_equal(*pair) for pair in zip(*map(_render.sway, (source.shot, twin.shot)), strict=True))

    def test_a_classifier_on_the_onset_frame_scores_chance(self):
        clipset = make_clips(10, 9, seed=11, size=(56, 48), duration=BRIEF)
        rows = np.stack([clip.frames()[clip.onset].ravel() for clip in clipset.clips])
        hits = (predict_by_subject(rows, clipset) == clipset.y).sum()
        assert binomtest(int(hits), len(clipset), 1 / 3, alternative="greater").pvalue > 0.01

    def test_a_classifier_on_the_flow_from_onset_to_apex_beats_chance_by_far(self):
        import cv2

        clipset = make_clips(8, 6, seed=11, duration=BRIEF)
        rows = []
        for clip in clipset.clips:
            frames = clip.frames()
            flow = cv2.calcOpticalFlowFarneback(frames[clip.onset], frames[clip.apex], None, 0.5, 3, 15, 3, 5, 1.2, 0)
            small = cv2.resize(flow, (28, 28), interpolation=cv2.INTER_AREA)
            rows.append((small / np.abs(small).max()).ravel())
        hits = (predict_by_subject(np.array(rows), clipset) == clipset.y).sum()
        assert binomtest(int(hits), len(clipset), 1 / 3, alternative="greater").pvalue < 1e-4
        assert hits < len(clipset)


def predict_by_subject(rows, clipset):
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    model = make_pipeline(StandardScaler(), SVC(kernel="linear", C=1e-3))
    return cross_val_predict(model, rows.astype(float), clipset.y, groups=clipset.groups, cv=LeaveOneGroupOut())


class TestTable:
    def test_names_positions_and_labels_are_what_a_cropped_casme2_clip_has(self):
        clipset = make_clips(2, 5)
        assert clipset.table.index[4] == "synthetic/sub01/EP02_01"
        assert clipset.table.index[5] == "synthetic/sub02/EP01_01"
        assert (clipset.table["onset"] == 0).all()
        assert (clipset.table["offset"] == clipset.table["n_frames"] - 1).all()
        assert clipset.table["n_frames"].between(20, 100).all()
        assert (clipset.table["fps"] == 200).all()
        assert clipset.classes == ("negative", "positive", "surprise")

    def test_a_margin_adds_neutral_frames_on_both_sides(self):
        plain, wide = make_clips(1, 3, seed=2), make_clips(1, 3, seed=2, margin=7)
        assert (wide.table["onset"] == 7).all()
        assert (wide.table["apex"] == plain.table["apex"] + 7).all()
        assert (wide.table["n_frames"] == plain.table["n_frames"] + 14).all()
        course = wide.clips[0].source.time_course()
        assert np.abs(np.concatenate([course[:8], course[-8:]])).max() < 1e-12

    def test_clips_have_the_frames_the_table_declares(self):
        for clip, row in zip((clipset := make_clips(1, 3)).clips, clipset.table.itertuples(), strict=True):
            assert len(clip.frames()) == row.n_frames == clip.n_frames

    def test_classes_are_balanced_within_each_subject(self):
        table = make_clips(6, 8).table
        counts = table.groupby("subject")["label"].value_counts().unstack(fill_value=0)
        assert (counts.max(axis=1) - counts.min(axis=1) <= 1).all()

    def test_the_order_of_the_classes_differs_between_subjects(self):
        labels = make_clips(6, 6).y.reshape(6, 6)
        assert len({tuple(row) for row in labels}) > 1

    def test_composite_classes_hold_the_emotions_of_casme2(self):
        table = make_clips(12, 9).table
        members = table.groupby("label")["emotion"].agg(lambda column: set(column)).to_dict()
        assert members == {
            "negative": {"disgust", "repression"},
            "positive": {"happiness"},
            "surprise": {"surprise"},
        }

    def test_every_emotion_can_be_a_class(self):
        clipset = make_clips(2, len(EMOTIONS), tuple(EMOTIONS))
        assert set(clipset.y) == set(EMOTIONS) == set(CLASSES) - {"negative", "positive"}
        assert (clipset.table["emotion"] == clipset.table["label"]).all()

    def test_action_units_are_written_as_casme2_writes_them(self):
        assert notation(["L1", "R1", "L2", "R2"]) == "1+2"
        assert notation(["R10", "L4", "R4"]) == "4+R10"
        assert notation(["25", "L12"]) == "L12+25"
        units = make_clips(10, 9).table["aus"]
        assert all(re.fullmatch(r"[LR]?\d+(\+[LR]?\d+)*", text) for text in units)
        assert units.str.contains("[LR]").any()

    def test_the_data_set_name_qualifies_clips_and_subjects(self):
        clipset = make_clips(1, 1, dataset="twin")
        assert clipset.table.index[0] == "twin/sub01/EP01_01"
        assert clipset.groups[0] == "twin/sub01"

    def test_slow_cameras_give_at_least_an_onset_an_apex_and_an_offset(self):
        table = make_clips(2, 4, fps=25).table
        assert table["n_frames"].between(3, 13).all()
        assert ((table["apex"] > table["onset"]) & (table["apex"] < table["offset"])).all()


class TestKeys:
    def test_nothing_is_rendered_for_the_table_the_keys_and_the_digest(self, monkeypatch):
        monkeypatch.setattr(_render, "frames", None)
        monkeypatch.setattr(_render, "paint", None)
        clipset = make_clips(20, 10)
        assert len({clip.fingerprint() for clip in clipset.clips}) == 200
        assert len(clipset.digest()) == 64

    def test_a_pickled_clip_is_small_and_still_reads_the_same(self):
        clip = make_clips(1, 1, duration=BRIEF).clips[0]
        frames = clip.frames()
        content = pickle.dumps(clip)
        assert len(content) < 10_000
        again = pickle.loads(content)
        assert again.fingerprint() == clip.fingerprint()
        assert np.array_equal(again.frames(), frames)

    @pytest.mark.parametrize(
        "change",
        [
            {"actions": {"L12": 1.0}},
            {"actions": {"L12": 1.0, "R12": 0.4}},
            {"seed": 1},
            {"subject": 1},
            {"clip": 1},
            {"n_frames": 61},
            {"onset": 1},
            {"apex": 25},
            {"offset": 58},
            {"peak": 1.6},
            {"size": (140, 121)},
            {"fps": 100.0},
            {"sway": 0.1},
            {"flicker": 0.1},
            {"noise": 1.0},
            {"color": True},
        ],
        ids=str,
    )
    def test_the_fingerprint_changes_with_every_parameter(self, change):
        plain = {"actions": {"L12": 1.0, "R12": 0.5}}
        assert SyntheticSource(**plain).fingerprint() != SyntheticSource(**{**plain, **change}).fingerprint()

    def test_the_fingerprint_changes_with_the_version_of_the_generator(self, monkeypatch):
        before = SyntheticSource({"25": 1.0}).fingerprint()
        monkeypatch.setattr(_render, "VERSION", _render.VERSION + 1)
        assert SyntheticSource({"25": 1.0}).fingerprint() != before

    def test_the_order_of_the_actions_does_not_matter(self):
        one, other = ({"L12": 1.0, "25": 0.5}, {"25": 0.5, "L12": 1.0})
        assert SyntheticSource(one).fingerprint() == SyntheticSource(other).fingerprint()


class TestBadArguments:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"n_subjects": 0}, "n_subjects is 0"),
            ({"clips_per_subject": 2.5}, r"clips_per_subject is 2\.5"),
            ({"seed": -1}, "seed is -1"),
            ({"classes": ("joy",)}, "class 'joy' is unknown; there are negative, positive, happiness, surprise"),
            ({"classes": ()}, "classes is"),
            ({"classes": "surprise"}, "classes is 'surprise'"),
            ({"classes": ("negative", "disgust")}, "disgust would belong to more than one class"),
            ({"size": (16, 16)}, "size"),
            ({"size": 128}, "size is 128"),
            ({"fps": 0}, "fps is 0"),
            ({"dataset": "a/b"}, "dataset is 'a/b'"),
            ({"duration": (0.5, 0.1)}, "low must not exceed high"),
            ({"duration": 0.3}, r"duration is 0\.3"),
            ({"peak_motion": (0.0, 1.0)}, r"peak_motion\[0\]"),
            ({"peak_motion": (1.0, 9.0)}, "high must be at most"),
            ({"sway": -1.0}, "sway"),
            ({"flicker": 2.0}, "flicker"),
            ({"noise": float("nan")}, "noise"),
            ({"margin": -1}, "margin is -1"),
            ({"color": 1}, "color is 1"),
        ],
        ids=lambda value: str(value) if isinstance(value, dict) else "",
    )
    def test_make_clips_names_parameter_value_and_rule(self, arguments, message):
        with pytest.raises(ParameterError, match=message):
            make_clips(**{"n_subjects": 1, "clips_per_subject": 1, **arguments})

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"actions": {}}, "actions is"),
            ({"actions": {"12": 1.0}}, "action '12' is unknown; there are L1, R1"),
            ({"actions": {"L12": 1.5}}, "the strength of L12"),
            ({"actions": {"L12": 0.0}}, "the strength of L12 is 0"),
            ({"apex": 0}, "apex is 0"),
            ({"apex": 60}, "apex is 60"),
            ({"onset": 24}, "onset is 24"),
            ({"offset": 60}, "offset is 60"),
            ({"peak": 0.0}, "peak"),
            ({"peak": 4.0}, "the skin would fold over"),
            ({"actions": {"L7": 1.0}, "peak": 2.0}, "at most 1.28 for L7"),
        ],
        ids=lambda value: str(value) if isinstance(value, dict) else "",
    )
    def test_a_source_names_parameter_value_and_rule(self, arguments, message):
        with pytest.raises(ParameterError, match=message):
            SyntheticSource(**{"actions": {"L12": 1.0}, **arguments})

    @pytest.mark.parametrize("frame", [-1, 60, 1.0])
    def test_a_frame_outside_the_clip_is_refused(self, frame):
        source = SyntheticSource({"L12": 1.0})
        with pytest.raises(ParameterError, match="frame is"):
            source.true_flow(frame)
        with pytest.raises(ParameterError, match="frame is"):
            source.landmarks(frame)
