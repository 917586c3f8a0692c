"""Long videos with their true intervals, and clips cut out of them."""

import pickle

import numpy as np
import pandas as pd
import pytest

from microexpr.core.errors import DataError, ParameterError
from microexpr.core.sources import ArraySource, VideoSource
from microexpr.data.catalog import datasets, load_data, load_videos
from microexpr.data.longvideos import make_videos
from microexpr.data.videos import VideoSet


def videos_of(**changes):
    """One video of 20 frames, frame t as grey as t, and a silent one."""
    frames = np.broadcast_to(np.arange(20, dtype=np.uint8)[:, None, None], (20, 4, 5)).copy()
    videos = pd.DataFrame(
        {"dataset": "toy", "subject": ["toy/a", "toy/b"], "n_frames": 20, "fps": 30.0}, index=["toy/a/1", "toy/b/1"]
    )
    rows = {
        "toy/a/1_1": {"onset": 3, "apex": 4, "offset": 6, "kind": "micro", "emotion": "fear"},
        "toy/a/1_2": {"onset": 8, "apex": 9, "offset": None, "kind": "micro", "emotion": None},
        "toy/a/1_3": {"onset": 1, "apex": None, "offset": 12, "kind": "macro", "emotion": "fear"},
        "toy/a/1_4": {"onset": 15, "apex": None, "offset": None, "kind": "micro", "emotion": "fear"},
    }
    intervals = pd.DataFrame.from_dict(rows, orient="index").assign(video_id="toy/a/1")
    for name, value in changes.items():
        intervals[name] = value
    return VideoSet(videos, intervals, dict.fromkeys(videos.index, ArraySource(frames)))


def test_both_ends_of_an_interval_belong_to_its_clip():
    clip = videos_of().clips().clips[0]
    assert clip.frames()[:, 0, 0].tolist() == [3, 4, 5, 6]
    assert (clip.onset, clip.apex, clip.offset, clip.fps) == (0, 1, 3, 30.0)


def test_a_margin_shifts_the_positions_and_stops_at_the_videos_ends():
    clip = videos_of().clips(margin=5).clips[0]
    assert clip.frames()[:, 0, 0].tolist() == list(range(12))
    assert (clip.onset, clip.apex, clip.offset) == (3, 4, 6)


def test_a_clip_without_an_offset_ends_at_its_apex():
    clip = videos_of().clips().clips[1]
    assert clip.frames()[:, 0, 0].tolist() == [8, 9]
    assert (clip.apex, clip.offset) == (1, None)


def test_a_clip_with_neither_apex_nor_offset_is_listed_and_left_out():
    clips = videos_of().clips()
    assert clips.table.index.to_list() == ["toy/a/1_1", "toy/a/1_2"]
    assert clips.findings["clip_id"].to_list() == ["toy/a/1_4"]


def test_kinds_are_chosen():
    assert videos_of().clips(["macro"]).table["kind"].to_list() == ["macro"]
    assert len(videos_of().clips(["micro", "macro"])) == 3
    for kinds in (["mini"], []):
        with pytest.raises(ParameterError, match="kinds is"):
            videos_of().clips(kinds)
    with pytest.raises(DataError, match="no clip of kind macro"):
        videos_of(kind="micro").clips(["macro"])


def test_intervals_of_one_video_come_by_their_onset():
    videos = videos_of()
    assert videos.of("toy/a/1")["onset"].to_list() == [1, 3, 8, 15]
    assert videos.of("toy/a/1", kind="macro")["onset"].to_list() == [1]
    assert videos.of("toy/b/1").empty
    with pytest.raises(ParameterError, match="video 'toy/c/1' does not exist"):
        videos.of("toy/c/1")


def test_the_set_says_what_it_holds():
    assert repr(videos_of()) == "VideoSet(2 videos, 2 subjects, intervals: 3 micro, 1 macro)"
    assert len(videos_of()) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"video_id": "toy/c/1"}, "there is no video"),
        ({"kind": "mini"}, "kind 'mini' is neither micro nor macro"),
        ({"onset": None}, "an interval needs an onset"),
        ({"onset": 14}, "out of order or outside"),
        ({"offset": 20}, "outside the video's 20 frames"),
    ],
)
def test_an_impossible_interval_is_named(changes, words):
    with pytest.raises(DataError, match=words):
        videos_of(**changes)


def test_an_unqualified_subject_and_a_video_without_a_source_are_refused():
    sound = videos_of()
    with pytest.raises(DataError, match="subject 'a' is not qualified"):
        VideoSet(sound.videos.assign(subject="a"), sound.intervals, sound.sources)
    with pytest.raises(DataError, match="no source of frames"):
        VideoSet(sound.videos, sound.intervals, {})


def test_a_video_file_is_cut_by_frame_numbers():
    sound = videos_of()
    source = VideoSource("video.mp4", start=100)
    clips = VideoSet(sound.videos, sound.intervals, dict.fromkeys(sound.videos.index, source)).clips()
    assert (clips.sources["toy/a/1_1"].start, clips.sources["toy/a/1_1"].stop) == (103, 107)


def test_clips_of_one_video_have_fingerprints_of_their_own_and_survive_pickling():
    one, two = videos_of().clips().clips
    assert one.fingerprint() != two.fingerprint()
    assert pickle.loads(pickle.dumps(one)).fingerprint() == one.fingerprint()
    assert one.source.describe() == "array (20, 4, 5)"


def test_a_data_set_without_long_videos_is_named_with_those_that_have_them():
    with pytest.raises(ParameterError, match="synthetic has no long videos; there are casmesq=DIR"):
        load_videos("synthetic")
    with pytest.raises(ParameterError, match="long videos are loaded without kinds"):
        load_videos("casmesq:kinds=micro=/nowhere")


FROM_FOLDERS = [one for one in datasets() if one.videos and one.needs_folder]


@pytest.mark.parametrize("dataset", FROM_FOLDERS, ids=lambda one: one.name)
def test_a_missing_folder_of_videos_is_named(dataset):
    with pytest.raises(DataError, match="/nowhere: no such folder"):
        load_videos(f"{dataset.name}=/nowhere")


def test_synthetic_long_videos_are_made_by_name():
    spec = "synthetic-long:n_subjects=2,videos_per_subject=1,seed=4,seconds=12,macro=0,head_motion=no"
    asked = make_videos(2, 1, 4, seconds=12, macro=0, head_motion=False)
    for allowed in (False, True):
        loaded = load_videos(spec, allow_incomplete=allowed)
        pd.testing.assert_frame_equal(loaded.intervals, asked.intervals)
        pd.testing.assert_frame_equal(loaded.distractors, asked.distractors)
        assert not set(loaded.distractors["kind"]) & {"turn", "nod", "tilt"}


def test_clips_of_synthetic_long_videos_are_loaded_and_labelled_by_name():
    spec = "synthetic-long:n_subjects=2,videos_per_subject=1,kinds=micro+macro,emotions=happiness+surprise"
    clips = load_data(spec)
    assert len(clips) == 2 * (2 + 1)
    assert clips.y.tolist() == ["positive" if one == "happiness" else one for one in clips.table["emotion"]]
    assert load_data(spec, labels="micro-macro").y.tolist() == clips.table["kind"].tolist()
