"""The spotting method that labels frames: what it learns from, and the runs it makes of scores."""

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from microexpr.core.errors import DataError, ParameterError
from microexpr.data import make_videos
from microexpr.features.gabor import Gabor
from microexpr.pipelines.framespotting import FrameLabels
from microexpr.spotting import measure_video

RATE = 30.0


class Known:
    """A classifier whose score is minus the first number: what is large there is no neutral face."""

    def decision_function(self, rows):
        return -rows[:, 0].astype(float)


def spotter(**params):
    made = FrameLabels(pool=24, **params)
    made.classifier_ = Known()
    return made


def rows_of(scores):
    rows = np.zeros((len(scores), 288), np.float32)
    rows[:, 0] = scores
    rows[np.isnan(scores)] = np.nan
    return rows


def found(scores, **params):
    table = spotter(**params).decide(rows_of(np.array(scores, float)), rate=RATE)
    return table[["onset", "apex", "offset", "kind"]].values.tolist()


def test_a_run_above_the_threshold_is_an_expression():
    scores = [-1.0] * 10 + [1.0, 2.0, 3.0, 2.0, 1.0] + [-1.0] * 10
    # The median over three rows keeps the run and flattens its top.
    assert found(scores) == [[10, 11, 14, "micro"]]
    assert found(scores, threshold=1.5) == [[11, 11, 13, "micro"]]
    assert found(scores, threshold=2.5) == []


def test_half_a_second_is_a_micro_expression_and_more_a_macro_expression():
    for n_rows, kind in ((15, "micro"), (16, "macro")):
        [[onset, _, offset, its_kind]] = found([-1.0] * 5 + [1.0] * n_rows + [-1.0] * 5)
        assert (offset - onset + 1, its_kind) == (n_rows, kind)


def test_a_single_row_is_no_expression_and_does_not_part_one():
    assert found([-1.0] * 5 + [1.0] + [-1.0] * 5) == []
    assert found([-1.0] * 5 + [1.0] * 4 + [-1.0] + [1.0] * 4 + [-1.0] * 5) == [[5, 5, 13, "micro"]]


def test_what_lasts_too_long_is_a_face_at_rest():
    assert found([-1.0] * 5 + [1.0] * 125 + [-1.0] * 5) == []


def test_rows_without_a_face_end_a_run():
    assert found([-1.0] * 5 + [1.0] * 4 + [np.nan] * 3 + [1.0] * 4 + [-1.0] * 5) == [
        [5, 5, 7, "micro"],
        [13, 13, 15, "micro"],
    ]


def test_it_learns_apexes_against_rows_clear_of_expressions():
    """Apex rows and a few beside them hold 1, neutral rows 0: only these may be learned from."""
    rng = np.random.default_rng(0)
    rows = rng.normal(0.0, 0.01, (3, 90, 288)).astype(np.float32)
    rows[:, 40, 0] += 1.0
    rows[:, 41:50, 0] += 500.0
    table = pd.DataFrame({"onset": [35], "apex": [40], "offset": [45], "kind": ["micro"]})
    learned = FrameLabels(pool=24, n_neutral=8).fit(list(rows), [table] * 3, rates=[RATE] * 3)
    scores = learned.scores(rows[0], rate=RATE)
    assert scores[:30].max() < 0 < learned.scores(np.repeat(rows[0][40:41], 3, axis=0), rate=RATE).min()


def test_a_missing_apex_is_the_middle_and_a_missing_offset_the_apex():
    rows = np.zeros((1, 60, 288), np.float32)
    rows[:, :, 1] = np.arange(60)
    rows[:, 32, 0] = 1.0
    for apex, offset in ((None, 34), (32, None)):
        table = pd.DataFrame({"onset": [30], "apex": [apex], "offset": [offset], "kind": ["micro"]}).astype(
            {"apex": "Int64", "offset": "Int64"}
        )
        learned = FrameLabels(pool=24).fit(list(rows), [table], rates=[RATE])
        assert learned.scores(np.repeat(rows[0][32:33], 3, axis=0), rate=RATE).min() > 0


def test_rows_are_the_magnitudes_of_each_face():
    video = make_videos(1, 1, seconds=3, micro=0, macro=0)
    [source] = video.sources.values()
    with threadpool_limits(1):
        signals = measure_video(FrameLabels(pool=24), source, fps=30)
        from microexpr.spotting.front import FaceStream

        faces = [face.grey for face in FaceStream(source.read(), fps=30)]
        expected = Gabor(frames="onset-apex", pool=24).transform_frames(np.stack(faces))
    np.testing.assert_array_equal(signals.rows, expected)


def test_apexes_in_another_video_of_a_known_face_score_above_its_rest():
    quiet = {"blinks": False, "speech": False, "head_motion": False, "light_changes": False}
    videos = make_videos(1, 4, seconds=6, micro=0, macro=2, macro_motion=(3.0, 3.2), emotions=("happiness",), **quiet)
    method = FrameLabels()
    with threadpool_limits(1):
        measured = [measure_video(method, source, fps=30) for source in videos.sources.values()]
        *known, second = (videos.of(name) for name in videos.videos.index)
        method.fit([signals.rows for signals in measured[:-1]], known, rates=[RATE] * 3)
        scores = method.scores(measured[-1].rows, rate=RATE)
    resting = np.ones(len(scores), bool)
    for event in second.itertuples():
        resting[event.onset : event.offset + 1] = False
    assert scores[second["apex"].astype(int)].min() > np.quantile(scores[resting], 0.9)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"pool": 7}, "pool"),
        ({"n_neutral": 0}, "n_neutral"),
        ({"min_duration": 0.0}, "min_duration"),
        ({"max_duration": 0.05}, "max_duration"),
    ],
)
def test_wrong_parameters_are_refused(params, words):
    with pytest.raises(ParameterError, match=words):
        FrameLabels(**params).check_params()


def test_unlearned_or_without_anything_to_learn_it_says_so():
    with pytest.raises(DataError, match="has not learned"):
        FrameLabels().decide(np.zeros((9, 2592), np.float32), rate=RATE)
    nothing = pd.DataFrame({"onset": [], "apex": [], "offset": [], "kind": []})
    with pytest.raises(DataError, match="no expression face"):
        FrameLabels(pool=24).fit([np.zeros((9, 288), np.float32)], [nothing], rates=[RATE])
