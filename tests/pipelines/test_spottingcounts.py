"""Counts of spotting: a hand-worked set of videos, pooling, kinds, missing offsets, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import matching as naive
from toyset.spottingcases import CASES, counts, table, tables, videos_of

from microexpr.core.errors import DataError
from microexpr.core.sources import ArraySource
from microexpr.data.videos import VideoSet
from microexpr.pipelines.spottingmetrics import spotting_scores

# Counts


@pytest.mark.parametrize("video_id", CASES)
def test_each_awkward_case_has_the_counts_worked_by_hand(video_id):
    assert counts(spotting_scores(*tables({video_id: CASES[video_id]}))) == CASES[video_id][2]


def test_counts_are_pooled_over_all_videos():
    scored = spotting_scores(*tables(CASES))
    assert counts(scored) == (6, 7, 5)
    assert (scored["n_true"], scored["n_found"], scored["n_videos"], scored["n_subjects"]) == (11, 13, 6, 3)
    assert scored["precision"] == pytest.approx(6 / 13)
    assert scored["recall"] == pytest.approx(6 / 11)
    assert scored["F1"] == pytest.approx(12 / 24)
    assert scored["by_subject"] == {"toy/a": (2, 1, 2), "toy/b": (1, 5, 3), "toy/c": (3, 1, 0)}


def test_the_pooled_f1_is_not_the_mean_over_videos():
    # One video of one hit (F1 1), and one of one hit, three misses and four false positives (2 / 9).
    true = table([("toy/a/1", 0, 9), *(("toy/a/2", onset, onset + 4) for onset in (0, 20, 40, 60))])
    found = table([("toy/a/1", 0, 9), *(("toy/a/2", onset, onset + 4) for onset in (0, 10, 30, 50, 70))])
    videos = videos_of("toy/a/1", "toy/a/2")
    each = [
        spotting_scores(
            true[true["video_id"] == video_id], found[found["video_id"] == video_id], videos.loc[[video_id]]
        )
        for video_id in videos.index
    ]
    assert np.mean([scored["F1"] for scored in each]) == pytest.approx((1 + 2 / 9) / 2)
    assert spotting_scores(true, found, videos)["F1"] == pytest.approx(4 / 11)


def test_a_video_without_an_expression_counts_by_its_false_positives_alone():
    true, found, _ = tables({"toy/a/plain": CASES["toy/a/plain"]})
    with_silence = spotting_scores(true, found, videos_of("toy/a/plain", "toy/d/empty"))
    assert counts(with_silence) == (1, 1, 1)
    assert with_silence["by_subject"]["toy/d"] == (0, 0, 0)
    with_alarm = spotting_scores(*tables({name: CASES[name] for name in ("toy/a/plain", "toy/b/neutral")}))
    assert counts(with_alarm) == (1, 4, 1)
    assert with_alarm["F1"] == pytest.approx(2 / 7)


ENDS = st.tuples(st.integers(0, 12), st.integers(0, 7)).map(lambda ends: (ends[0], sum(ends)))
BY_VIDEO = st.fixed_dictionaries({name: st.lists(ENDS, max_size=3) for name in ("toy/a/1", "toy/a/2", "toy/b/1")})


@settings(deadline=None, max_examples=40)
@given(BY_VIDEO, BY_VIDEO, st.sampled_from([0.5, 0.25]))
def test_counts_equal_the_slow_twin(true, found, iou):
    rows_true, rows_found = (
        table([(video_id, *ends) for video_id, rows in side.items() for ends in rows]) for side in (true, found)
    )
    assert counts(spotting_scores(rows_true, rows_found, videos_of(*true), iou=iou)) == naive.counts(true, found, iou)


def test_shuffled_rows_give_the_same_scores():
    true, found, videos = tables(CASES)
    # Identical intervals with different labels tie: the order of rows may not settle which is a hit.
    true["label"] = (["fear", "disgust"] * len(true))[: len(true)]
    found["label"] = (["fear", "fear", "disgust"] * len(found))[: len(found)]
    expected = spotting_scores(true, found, videos)
    assert expected["n_recognized"] == 6
    for seed in range(5):
        mixed = (one.sample(frac=1, random_state=seed) for one in (true, found, videos))
        assert spotting_scores(*mixed) == expected


def test_a_lower_least_iou_is_passed_on():
    true, found = table([("toy/a/1", 10, 19)]), table([("toy/a/1", 10, 13)])
    assert counts(spotting_scores(true, found, videos_of("toy/a/1"))) == (0, 1, 1)
    assert counts(spotting_scores(true, found, videos_of("toy/a/1"), iou=0.4)) == (1, 0, 0)


# Kinds, missing offsets


def test_kinds_are_scored_apart_or_together():
    true = table([("toy/a/1", 0, 9), ("toy/a/1", 20, 59)], kind=["micro", "macro"])
    # The first is taken for a macro-expression, the second is right, the third is none.
    found = table([("toy/a/1", 0, 9), ("toy/a/1", 20, 59), ("toy/a/1", 70, 75)], kind=["macro", "macro", "micro"])
    videos = videos_of("toy/a/1")
    assert counts(spotting_scores(true, found, videos)) == (2, 1, 0)
    assert counts(spotting_scores(true, found, videos, kind="macro")) == (1, 1, 0)
    assert counts(spotting_scores(true, found, videos, kind="micro")) == (0, 1, 1)
    # Without a column kind all that was found is taken to be micro.
    assert counts(spotting_scores(true, found.drop(columns="kind"), videos, kind="micro")) == (1, 2, 0)


def test_an_interval_without_an_offset_ends_at_its_apex_and_is_counted():
    true = table([("toy/a/1", 0, 9), ("toy/a/1", 20, 29)]).astype({"offset": "Int64"}).assign(apex=[4, 24])
    true.loc[1, "offset"] = pd.NA
    found = table([("toy/a/1", 0, 9), ("toy/a/1", 20, 24)])
    scored = spotting_scores(true, found, videos_of("toy/a/1"))
    assert counts(scored) == (2, 0, 0)
    assert scored["note"].startswith("1 of the true intervals end at the apex, as no offset is known")
    # Ten frames found where five are vouched for are one half; eleven are less.
    longer = table([("toy/a/1", 0, 9), ("toy/a/1", 20, 30)])
    assert counts(spotting_scores(true, longer, videos_of("toy/a/1"))) == (1, 1, 1)


def test_a_true_interval_without_an_end_is_refused():
    true = table([("toy/a/1", 0, 9)]).astype({"offset": "Int64"})
    true.loc[0, "offset"] = pd.NA
    nothing = table([])
    with pytest.raises(DataError, match="true, row 0: offset is missing"):
        spotting_scores(true, nothing, videos_of("toy/a/1"))
    with pytest.raises(DataError, match="true, row 0: neither offset nor apex is known; an interval needs an end"):
        spotting_scores(true.assign(apex=pd.NA), nothing, videos_of("toy/a/1"))


def test_the_tables_of_a_video_set_are_scored_as_they_are():
    frames = ArraySource(np.zeros((20, 4, 5), dtype=np.uint8))
    rows = [("toy/a/1", 3, 4, 6, "micro", "fear"), ("toy/a/1", 8, 9, None, "micro", None)]
    columns = ["video_id", "onset", "apex", "offset", "kind", "emotion"]
    known = VideoSet(
        videos_of("toy/a/1", "toy/b/1", n_frames=20).assign(dataset="toy", fps=30.0),
        pd.DataFrame(rows, columns=columns, index=["toy/a/1_1", "toy/a/1_2"]),
        {"toy/a/1": frames, "toy/b/1": frames},
    )
    true = known.intervals.assign(label=known.intervals["emotion"])
    found = table([("toy/a/1", 3, 6), ("toy/a/1", 8, 9), ("toy/b/1", 0, 5)], label="fear")
    scored = spotting_scores(true, found, known.videos, kind="micro")
    assert counts(scored) == (2, 1, 0)
    assert (scored["n_recognized"], scored["UF1"]) == (1, 1)


# What is refused


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"onset": 20}, "found, row 5: onset 20 comes after offset 19"),
        ({"offset": 100}, "found, row 5: offset 100 lies outside toy/a/1, which has 100 frames"),
        ({"onset": np.nan}, "found, row 5: onset is missing"),
        ({"offset": None}, "found, row 5: offset is missing"),
        ({"video_id": "toy/a/2"}, "found, row 5: there is no video 'toy/a/2'"),
        ({"video_id": None}, "found, row 5: there is no video"),
        ({"kind": "blink"}, "found, row 5: kind is 'blink': it must be one of 'micro', 'macro'"),
        ({"label": None}, "found, row 5: label is .*: it must be a name"),
        ({"label": 3}, "found, row 5: label is 3: it must be a name"),
    ],
)
def test_an_interval_that_is_none_is_named(changes, words):
    true = table([("toy/a/1", 10, 19)])
    with pytest.raises(DataError, match=words):
        spotting_scores(true, true.set_axis([5]).assign(**changes), videos_of("toy/a/1"))


def test_what_is_wrong_with_the_truth_is_called_true():
    sound = table([("toy/a/1", 10, 19)])
    with pytest.raises(DataError, match="true, row 0: offset 100 lies outside"):
        spotting_scores(sound.assign(offset=100), sound, videos_of("toy/a/1"))
    with pytest.raises(DataError, match="true, row 0: label is '': it must be a name"):
        spotting_scores(sound.assign(label=""), sound, videos_of("toy/a/1"))
    with pytest.raises(DataError, match="true lacks the column kind, which choosing 'micro' needs"):
        spotting_scores(sound, sound, videos_of("toy/a/1"), kind="micro")
    with pytest.raises(DataError, match="true is a NoneType: it must be a DataFrame of intervals"):
        spotting_scores(None, sound, videos_of("toy/a/1"))
    with pytest.raises(DataError, match="true lacks the column video_id"):
        spotting_scores(sound.drop(columns="video_id"), sound, videos_of("toy/a/1"))


@pytest.mark.parametrize(
    ("videos", "words"),
    [
        (["toy/a/1"], "videos is a list: it must be a DataFrame indexed by video_id"),
        (videos_of("toy/a/1").drop(columns="n_frames"), "videos lacks the column n_frames"),
        (videos_of("toy/a/1").iloc[:0], "videos is empty: there is no video to score"),
        (videos_of("toy/a/1", "toy/a/1"), "videos names a video more than once: toy/a/1"),
        (videos_of("toy/a/1").assign(subject=None), "videos has no subject for toy/a/1"),
        (videos_of("toy/a/1", n_frames=np.nan), "videos, toy/a/1: n_frames is .*nan"),
        (videos_of("toy/a/1", n_frames=0), "n_frames is 0: it must be a whole number, at least 1"),
    ],
    ids=["a list", "no frames", "empty", "twice", "no subject", "missing frames", "no frame"],
)
def test_an_impossible_table_of_videos_is_named(videos, words):
    sound = table([("toy/a/1", 10, 19)])
    with pytest.raises(DataError, match=words):
        spotting_scores(sound, sound, videos)
