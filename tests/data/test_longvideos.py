"""Synthetic long videos: when things happen, what is switched off, keys, and what is refused."""

import hashlib
import pickle
import tracemalloc
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from microexpr.core.errors import ParameterError
from microexpr.data import _longrender
from microexpr.data._timeline import _clear_place
from microexpr.data.longvideos import make_videos
from microexpr.data.synthetic import make_clips
from microexpr.data.syntheticvideo import SyntheticVideoSource
from microexpr.data.videos import VideoSet

SMALL = (48, 42)
SWITCHES = {
    "blinks": {"blink"},
    "speech": {"speech"},
    "head_motion": {"turn", "nod", "tilt"},
    "light_changes": {"light drift", "light step"},
}

# Version 1: two subjects, one video each, seed 7.
GOLDEN = {
    "onsets": [82, 233, 489, 108, 239, 493],
    "aus": ["1+2", "6", "1+R2", "6", "6+12", "1+2+5"],
    "distractors": "6d9db2e4b80a5906",
    "landmarks": "d9b990a4b6138a21",
    "means": [92.81, 125.69],
}


@pytest.fixture(scope="module", params=[10.0, 25.0, 29.97, 200.0])
def crowd(request):
    """Ten minutes of ten faces, by cameras of several rates."""
    return make_videos(10, 1, seed=4, seconds=60.0, fps=request.param, micro=5, macro=3)


def seconds_of(rows, videos):
    fps = videos.videos["fps"].iloc[0]
    return ((rows["offset"] - rows["onset"] + 1) / fps).astype(float)


def pairs_of(rows):
    return sorted(zip(rows["onset"], rows["offset"], strict=True))


class TestTimes:
    def test_each_video_holds_as_many_expressions_of_each_kind_as_asked_for(self, crowd):
        counts = crowd.intervals.groupby(["video_id", "kind"]).size().unstack()
        assert counts.shape == (10, 2)
        assert (counts["micro"] == 5).all()
        assert (counts["macro"] == 3).all()

    def test_micro_expressions_last_less_than_half_a_second_and_macro_expressions_longer(self, crowd):
        lasting = seconds_of(crowd.intervals, crowd).groupby(crowd.intervals["kind"]).agg(["min", "max"])
        assert lasting.at["micro", "min"] >= 0.15
        assert lasting.at["micro", "max"] <= 0.45 + 1e-9
        assert lasting.at["macro", "min"] >= 0.6 - 1e-9
        assert lasting.at["macro", "max"] <= 2.0 + 1e-9

    def test_an_apex_lies_between_onset_and_offset(self, crowd):
        blinks = crowd.distractors[crowd.distractors["kind"] == "blink"]
        for rows in (crowd.intervals, blinks):
            assert ((rows["onset"] < rows["apex"]) & (rows["apex"] < rows["offset"])).all()

    def test_half_a_second_at_rest_lies_around_each_expression(self, crowd):
        n_frames, fps = crowd.videos["n_frames"].iloc[0], crowd.videos["fps"].iloc[0]
        for video_id in crowd.videos.index:
            ends = [(-1, -1), *pairs_of(crowd.of(video_id)), (n_frames, n_frames)]
            rests = [after - before - 1 for (_, before), (after, _) in pairwise(ends)]
            assert min(rests) >= 0.5 * fps - 0.5

    def test_the_tables_are_those_of_any_set_of_videos(self, crowd):
        again = VideoSet(crowd.videos, crowd.intervals, crowd.sources)
        pd.testing.assert_frame_equal(again.intervals, crowd.intervals)
        assert crowd.videos.index[3] == "synthetic-long/sub04/V01"
        assert crowd.intervals.index[8] == "synthetic-long/sub02/V01_E01"
        assert set(crowd.intervals["emotion"]) == {"disgust", "happiness", "repression", "surprise"}
        assert crowd.intervals["aus"].str.fullmatch(r"[LR]?\d+(\+[LR]?\d+)*").all()

    def test_macro_expressions_are_stronger_than_micro_expressions(self, crowd):
        peaks = crowd.intervals.groupby("kind")["peak"].agg(["min", "max"])
        assert 0.8 <= peaks.at["micro", "min"] < peaks.at["micro", "max"] <= 2.0
        assert 2.4 <= peaks.at["macro", "min"] < peaks.at["macro", "max"] <= 3.2

    def test_people_blink_ten_to_twenty_times_a_minute_for_a_tenth_to_four_tenths_of_a_second(self, crowd):
        blinks = crowd.distractors[crowd.distractors["kind"] == "blink"]
        lasting = seconds_of(blinks, crowd)
        assert lasting.between(0.1 - 1e-9, 0.4 + 1e-9).all()
        counts = blinks.groupby("video_id").size()
        assert counts.between(10, 20).all()
        assert len(counts) == 10
        assert counts.nunique() > 3

    @pytest.mark.parametrize(
        ("kinds", "shortest", "longest"), [({"speech"}, 2.0, 6.0), ({"turn", "nod", "tilt"}, 0.8, 2.5)]
    )
    def test_speech_and_motions_of_the_head_last_as_long_as_said(self, crowd, kinds, shortest, longest):
        rows = crowd.distractors[crowd.distractors["kind"].isin(kinds)]
        assert set(rows["kind"]) == kinds
        assert seconds_of(rows, crowd).between(shortest - 1e-9, longest + 1e-9).all()

    def test_speech_keeps_clear_of_the_expressions(self, crowd):
        speech = crowd.distractors[crowd.distractors["kind"] == "speech"]
        assert len(speech) >= 10
        for row in speech.itertuples():
            rows = crowd.of(row.video_id)
            assert ((rows["offset"] < row.onset) | (rows["onset"] > row.offset)).all()

    @pytest.mark.parametrize("kinds", [("blink",), ("speech",), ("nod", "tilt", "turn")], ids="-".join)
    def test_events_of_one_kind_do_not_overlap_and_lie_within_the_video(self, crowd, kinds):
        rows = crowd.distractors[crowd.distractors["kind"].isin(kinds)]
        for _, own in rows.groupby("video_id"):
            placed = pairs_of(own)
            assert all(before < after for (_, before), (after, _) in pairwise(placed))
            assert placed[0][0] >= 0
            assert placed[-1][1] < crowd.videos["n_frames"].iloc[0]

    def test_blinks_and_motions_of_the_head_also_come_during_expressions(self):
        videos = make_videos(20, 1, seconds=60.0, micro=0, macro=10)
        rows = videos.distractors.merge(videos.intervals, on="video_id", suffixes=("", "_shown"))
        both = rows[(rows["onset"] <= rows["offset_shown"]) & (rows["offset"] >= rows["onset_shown"])]
        assert {"blink", "turn", "nod", "tilt"} < set(both["kind"])

    def test_a_place_is_any_that_keeps_clear_each_as_likely(self):
        taken, length, total, gap = [(12, 15), (4, 5)], 2, 24, 1
        used = {frame for onset, offset in taken for frame in range(onset - gap, offset + gap + 1)}
        allowed = [start for start in range(total - length + 1) if not used & set(range(start, start + length))]
        found = [_clear_place((rank + 0.5) / len(allowed), length, total, taken, gap) for rank in range(len(allowed))]
        assert found == allowed
        assert _clear_place(0.5, 13, total, taken, gap) is None


class TestWhatIsDrawnFromWhat:
    def test_the_same_seed_gives_the_same_videos_and_another_seed_others(self):
        one, same, other = (make_videos(2, 1, seed=seed, size=SMALL) for seed in (3, 3, 4))
        pd.testing.assert_frame_equal(one.intervals, same.intervals)
        pd.testing.assert_frame_equal(one.distractors, same.distractors)
        first, again, third = (videos.sources["synthetic-long/sub01/V01"] for videos in (one, same, other))
        assert first.fingerprint() == again.fingerprint() != third.fingerprint()
        _longrender.stage_of.cache_clear()
        assert np.array_equal(first.window(50, 55).read(), again.window(50, 55).read())
        assert np.abs(first.window(50, 55).read().astype(int) - third.window(50, 55).read()).mean() > 5

    def test_more_subjects_and_videos_leave_the_earlier_ones_as_they_were(self):
        few, many = make_videos(2, 1, seed=1), make_videos(4, 3, seed=1)
        rows = many.intervals[many.intervals["video_id"].isin(few.videos.index)]
        pd.testing.assert_frame_equal(few.intervals, rows)
        for video_id, source in few.sources.items():
            assert source.fingerprint() == many.sources[video_id].fingerprint()
        assert len({source.fingerprint() for source in many.sources.values()}) == 12

    @pytest.mark.parametrize("name", SWITCHES)
    def test_switching_one_distractor_off_leaves_all_else_as_it_was(self, name):
        # At this length, that each kind occurs in some video is all but certain.
        whole, part = (make_videos(4, 1, seconds=60.0, **switch) for switch in ({}, {name: False}))
        pd.testing.assert_frame_equal(whole.intervals, part.intervals)
        kept = whole.distractors[~whole.distractors["kind"].isin(SWITCHES[name])].reset_index(drop=True)
        assert len(kept) < len(whole.distractors)
        pd.testing.assert_frame_equal(kept, part.distractors)

    def test_without_distractors_only_expressions_happen(self):
        videos = make_videos(1, 1, **dict.fromkeys(SWITCHES, False))
        assert videos.distractors.empty
        assert [event.kind for event in videos.sources["synthetic-long/sub01/V01"].script.events] == list(
            videos.intervals["kind"]
        )

    def test_a_video_may_show_no_expression(self):
        videos = make_videos(1, 2, micro=0, macro=0, seconds=10.0)
        assert len(videos) == 2
        assert videos.intervals.empty
        assert {"blink"} <= set(videos.distractors["kind"])

    def test_videos_of_one_subject_show_one_face_and_clips_show_others(self):
        quiet = {"noise": 0.0, "flicker": 0.0, **dict.fromkeys(SWITCHES, False)}
        videos = make_videos(1, 2, size=SMALL, **quiet)
        first, second = (source.window(0, 1) for source in videos.sources.values())
        clip = make_clips(1, 1, size=SMALL, noise=0.0, flicker=0.0).clips[0]
        one, two, third = (frames[0] - frames[0].mean() for frames in (first.read(), second.read(), clip.frames()))
        assert np.abs(one - third).mean() > 1.5 * np.abs(one - two).mean()


class TestKeysAndStretches:
    def test_a_stretch_equals_the_same_frames_of_the_whole(self):
        source = make_videos(1, 1, seconds=6.0, size=SMALL).sources["synthetic-long/sub01/V01"]
        whole = source.read()
        assert whole.shape == (180, 48, 42)
        assert whole.dtype == np.uint8
        pieces = [source.window(start, min(start + 37, 180)).read() for start in range(0, 180, 37)]
        assert np.array_equal(np.concatenate(pieces), whole)
        inner = source.window(100, 150).window(10, 12)
        assert inner.count() == 2
        assert np.array_equal(inner.read(), whole[110:112])
        assert np.array_equal(inner.landmarks(1), source.landmarks(111))
        assert np.array_equal(inner.true_flow(1, since=0), source.true_flow(111, since=110))

    def test_clips_cut_out_of_a_video_are_stretches_of_it(self):
        videos = make_videos(1, 1, seconds=8.0, size=SMALL)
        clips = videos.clips(("micro", "macro"), margin=2)
        whole = videos.sources["synthetic-long/sub01/V01"].read()
        for clip, row in zip(clips.clips, videos.intervals.itertuples(), strict=True):
            assert isinstance(clip.source, SyntheticVideoSource)
            assert np.array_equal(clip.frames(), whole[row.onset - 2 : row.offset + 3])
            assert clip.apex == row.apex - row.onset + 2

    def test_an_hour_is_described_without_rendering_and_in_little_memory(self, monkeypatch):
        monkeypatch.setattr(_longrender, "Stage", None)
        monkeypatch.setattr(_longrender, "paint", None)
        tracemalloc.start()
        videos = make_videos(1, 1, seconds=3600.0, micro=60, macro=30)
        source = videos.sources["synthetic-long/sub01/V01"]
        clips = videos.clips()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(clips.digest()) == 64
        assert source.count() == videos.videos["n_frames"].iloc[0] == 108_000
        assert 600 <= (videos.distractors["kind"] == "blink").sum() <= 1200
        assert peak < 20e6  # one frame of the hour in grey is 17 kB, all are 1.8 GB

    def test_frames_read_one_at_a_time_equal_those_read_at_once(self):
        source = make_videos(1, 1, seconds=5, size=SMALL, micro=1, macro=0).sources["synthetic-long/sub01/V01"]
        inner = source.window(3, 140)
        assert np.array_equal(np.stack(list(inner.stream())), inner.read())

    def test_an_hour_begins_without_rendering_it(self):
        source = make_videos(1, 1, seconds=3600, size=SMALL).sources["synthetic-long/sub01/V01"]
        assert next(source.stream()).shape == SMALL

    def test_the_end_of_an_hour_is_rendered_alone(self):
        source = make_videos(1, 1, seconds=3600.0, size=SMALL).sources["synthetic-long/sub01/V01"]
        tracemalloc.start()
        frames = source.window(107_990, 108_000).read()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert frames.shape == (10, 48, 42)
        assert 40 < frames.mean() < 215
        assert peak < 20e6

    def test_a_pickled_source_is_small_and_still_reads_the_same(self):
        source = make_videos(1, 1, size=SMALL).sources["synthetic-long/sub01/V01"].window(20, 24)
        content = pickle.dumps(source)
        assert len(content) < 10_000
        again = pickle.loads(content)
        assert again.fingerprint() == source.fingerprint()
        assert np.array_equal(again.read(), source.read())

    @pytest.mark.parametrize(
        "change",
        [
            {"noise": 1.0},
            {"sway": 0.1},
            {"flicker": 0.0},
            {"fps": 25.0},
            {"size": (140, 121)},
            {"color": True},
            {"seconds": 31.0},
            {"micro": 3},
            {"seed": 1},
            {"macro_motion": (2.0, 2.1)},
            {"blinks": False},
        ],
        ids=str,
    )
    def test_the_fingerprint_changes_with_every_parameter(self, change):
        one, other = (make_videos(1, 1, **given).sources["synthetic-long/sub01/V01"] for given in ({}, change))
        assert one.fingerprint() != other.fingerprint()

    def test_the_fingerprint_changes_with_the_stretch_and_the_version_of_the_renderer(self, monkeypatch):
        source = make_videos(1, 1).sources["synthetic-long/sub01/V01"]
        before = source.fingerprint()
        assert len({before, source.window(0, 5).fingerprint(), source.window(1, 5).fingerprint()}) == 3
        assert source.window(0, 900).fingerprint() == before
        monkeypatch.setattr(_longrender, "VERSION", _longrender.VERSION + 1)
        assert source.fingerprint() != before

    def test_a_source_tells_what_it_is(self):
        source = make_videos(1, 2, seed=5).sources["synthetic-long/sub01/V02"]
        assert source.describe() == "synthetic long video 2 of face 1, seed 5"
        assert repr(source.window(3, 9)) == "SyntheticVideoSource(subject=0, video=1, frames [3, 9))"

    def test_numbers_move_only_with_the_version_of_the_renderer(self):
        # When this fails after a change of the generator: raise _longrender.VERSION and pin the new numbers.
        assert _longrender.VERSION == 1
        videos = make_videos(2, 1, seed=7, seconds=20.0)
        assert videos.intervals["onset"].to_list() == GOLDEN["onsets"]
        assert videos.intervals["aus"].to_list() == GOLDEN["aus"]
        listed = videos.distractors[["kind", "onset", "offset"]].to_csv(index=False)
        assert hashlib.sha256(listed.encode()).hexdigest()[:16] == GOLDEN["distractors"]
        points = [source.landmarks(frame) for source in videos.sources.values() for frame in range(0, 600, 50)]
        spelt = ",".join(f"{value:.3f}" for value in np.ravel(points))
        assert hashlib.sha256(spelt.encode()).hexdigest()[:16] == GOLDEN["landmarks"]
        means = [source.window(300, 301).read().mean() for source in videos.sources.values()]
        assert means == pytest.approx(GOLDEN["means"], abs=0.3)


class TestBadArguments:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"n_subjects": 0}, "n_subjects is 0"),
            ({"videos_per_subject": 1.5}, r"videos_per_subject is 1\.5"),
            ({"seed": -1}, "seed is -1"),
            ({"seconds": float("inf")}, "seconds is inf"),
            ({"seconds": 4.8}, r"seconds is 4\.8: it must be at least 4\.9 for 2 micro- and 1 macro-expressions"),
            ({"fps": 9}, "fps is 9"),
            ({"size": (16, 16)}, "size"),
            ({"micro": -1}, "micro is -1"),
            ({"macro": 0.5}, r"macro is 0\.5"),
            ({"emotions": ("joy",)}, "emotion 'joy' is unknown; there are happiness"),
            ({"emotions": "fear"}, "emotions is 'fear'"),
            ({"micro_motion": (2.0, 1.0)}, "0 < low <= high"),
            ({"micro_motion": 1.0}, r"micro_motion is 1\.0: it must be a pair"),
            ({"macro_motion": (1.0, 3.3)}, r"macro_motion\[1\] is 3\.3"),
            ({"blinks": 1}, "blinks is 1: it must be True or False"),
            ({"color": None}, "color is None"),
            ({"sway": -1.0}, "sway"),
            ({"flicker": 0.6}, "flicker"),
            ({"noise": -0.1}, "noise"),
            ({"dataset": "a/b"}, "dataset is 'a/b'"),
        ],
        ids=lambda value: str(value) if isinstance(value, dict) else "",
    )
    def test_make_videos_names_parameter_value_and_rule(self, arguments, message):
        with pytest.raises(ParameterError, match=message):
            make_videos(**{"n_subjects": 1, "videos_per_subject": 1, **arguments})

    def test_the_shortest_video_that_is_allowed_holds_its_expressions(self):
        for seed in range(20):
            assert len(make_videos(1, 1, seed=seed, seconds=4.9).intervals) == 3

    @pytest.mark.parametrize(("start", "stop"), [(0, 901), (5, 5), (-1, 3), (2, 1), (0.0, 3)])
    def test_a_stretch_outside_the_video_is_refused(self, start, stop):
        source = make_videos(1, 1).sources["synthetic-long/sub01/V01"]
        with pytest.raises(ParameterError, match=r"(start|stop) is"):
            source.window(start, stop)
        with pytest.raises(ParameterError, match=r"(start|stop) is"):
            SyntheticVideoSource(source.script, start=start, stop=stop)

    @pytest.mark.parametrize("frame", [-1, 5, 1.0])
    def test_a_frame_outside_the_stretch_is_refused(self, frame):
        source = make_videos(1, 1).sources["synthetic-long/sub01/V01"].window(20, 25)
        with pytest.raises(ParameterError, match="frame is"):
            source.landmarks(frame)
        with pytest.raises(ParameterError, match="frame is"):
            source.true_flow(frame, since=0)
        with pytest.raises(ParameterError, match="since is"):
            source.true_flow(0, since=frame)
