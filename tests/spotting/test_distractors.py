"""Blinks, motion of the head, speech: found, and told from expressions."""

from math import ceil

import numpy as np
import pandas as pd
import pytest
from toyset.longfaces import blink, expression, film, head_motion
from toyset.motionrows import eventful, hump, move, rest, shift_head

from microexpr.data import make_videos
from microexpr.spotting import EVENT_COLUMNS, build_spotter, measure_video
from microexpr.spotting.distractors import DISTRACTOR_REACH, DISTRACTORS, find_distractors, foot, runs, sift
from microexpr.spotting.method import empty_events

RATE = 30.0
KINDS = {"blink": ("blink",), "head": ("turn", "nod", "tilt"), "speech": ("speech",)}
LIDS = ["right_lid", "left_lid"]


def found(rows, kind=None):
    """Onset, apex and offset of each distractor, of one kind if it is given."""
    events = find_distractors(rows, rate=RATE)
    if kind is not None:
        events = events[events["kind"] == kind]
    return events[["onset", "apex", "offset"]].values.tolist()


def of_video(source, fps):
    return find_distractors(measure_video(build_spotter("flow"), source, fps=fps).motion, rate=fps)


def overlap(one, other):
    return min(one[1], other[1]) - max(one[0], other[0]) + 1 > 0


# In videos


@pytest.fixture(scope="module")
def told():
    """Per kind: distractors of two videos that are found, how many there are, and found ones that are none."""
    videos = make_videos(2, 1, seconds=15, seed=7)
    counts = {kind: np.zeros(3, int) for kind in DISTRACTORS}
    for video_id, source in videos.sources.items():
        truth = videos.distractors[videos.distractors["video_id"] == video_id]
        events = of_video(source, 30)
        for kind, names in KINDS.items():
            true = truth.loc[truth["kind"].isin(names), ["onset", "offset"]].values.tolist()
            seen = events.loc[events["kind"] == kind, ["onset", "offset"]].values.tolist()
            counts[kind] += [
                sum(any(overlap(interval, other) for other in seen) for interval in true),
                len(true),
                sum(not any(overlap(interval, other) for other in true) for interval in seen),
            ]
    return counts


@pytest.mark.parametrize(("kind", "least"), [("blink", 5), ("head", 1), ("speech", 1)])
def test_the_distractors_of_videos_are_found(told, kind, least):
    hits, there, _ = told[kind]
    assert there >= least
    assert hits >= 0.9 * there


@pytest.mark.parametrize("kind", ["blink", "head", "speech"])
def test_nothing_else_is_taken_for_one(told, kind):
    assert told[kind][2] == 0


def test_a_face_at_rest_has_none():
    assert of_video(film(seconds=3), 30).empty


def test_expressions_are_no_distractors():
    source = film(expression("macro", 30, 45, 60, "L12", "R12"), expression("micro", 75, 80, 87, "L1"), seconds=3.5)
    assert of_video(source, 30).empty


def test_a_blink_is_where_it_is():
    [event] = of_video(film(blink(40, 48), seconds=2.5), 30).itertuples()
    assert (event.kind, event.region) == ("blink", "lids")
    # Both ends lie where the lids have moved by an eighth of their way.
    assert 40 <= event.onset <= 41 < event.apex < 45 <= event.offset <= 48
    assert event.duration == pytest.approx((event.offset - event.onset + 1) / 30)


def test_a_turn_is_where_it_is():
    [event] = of_video(film(head_motion("turn", 30, 66, 6.0), seconds=3), 30).itertuples()
    assert (event.kind, event.region) == ("head", "head")
    assert 28 <= event.onset <= 34
    assert 60 <= event.offset <= 68


# In made-up rows


def test_both_lids_blink():
    n_rows = 300
    rows = rest(n_rows)
    course = hump(100, 104, 112, n_rows)
    move(rows, LIDS, course, (0.0, 0.02))
    [[onset, apex, offset]] = found(rows, "blink")
    # At 12 % of its height, a raised cosine is a fifth of the way up.
    assert onset in (101, 102)
    assert apex in (103, 104, 105)
    assert offset in (109, 110, 111)
    one_lid = rest(n_rows)
    move(one_lid, LIDS[:1], course, (0.0, 0.02))
    assert found(one_lid) == []


def test_lids_that_stay_down_for_longer_are_no_blink():
    n_rows = 300
    for length, count in ((0.5, 1), (1.2, 0)):
        rows = rest(n_rows)
        move(rows, LIDS, hump(100, 100 + 15 * length, 100 + 30 * length, n_rows), (0.0, 0.03))
        assert len(found(rows, "blink")) == count


def test_a_head_that_moves_fast_enough_for_long_enough_is_listed():
    rows = rest(300)
    rows[:, -2] = 0.05
    rows[50:80, -2] = 0.4
    # Pauses of up to .6 seconds belong to it.
    rows[98:120, -2] = 0.3
    rows[105, -2] = 0.6
    # Too short, and too slow.
    rows[200:203, -2] = 0.9
    rows[230:280, -2] = 0.14
    assert [[onset, offset] for onset, _, offset in found(rows, "head")] == [[50, 119]]
    [event] = find_distractors(rows, rate=RATE).itertuples()
    # The median over a fifth of a second knows no single fast frame.
    assert event.score == pytest.approx(0.4)
    assert event.apex < 80


def test_longer_pauses_part_two_motions_of_the_head():
    rows = rest(300)
    rows[:, -2] = 0.05
    rows[50:80, -2] = rows[99:120, -2] = 0.4
    assert [[onset, offset] for onset, _, offset in found(rows, "head")] == [[50, 79], [99, 119]]


@pytest.mark.parametrize(("syllables", "count"), [(3, 0), (4, 1), (8, 1)])
def test_four_syllables_are_speech(syllables, count):
    n_rows = 400
    rows = rest(n_rows)
    for syllable in range(syllables):
        move(
            rows,
            ["lower_lip", "chin"],
            hump(100 + 8 * syllable, 104 + 8 * syllable, 108 + 8 * syllable, n_rows),
            (0, 0.04),
        )
    speech = found(rows, "speech")
    assert len(speech) == count
    for onset, apex, offset in speech:
        # From .15 seconds before the first peak to as much after the last.
        assert abs(onset - 100) <= 2
        assert abs(offset - (104 + 8 * (syllables - 1) + 4)) <= 2
        assert onset <= apex <= offset


def test_movements_a_second_apart_are_no_speech():
    n_rows = 400
    rows = rest(n_rows)
    for start in range(50, 300, 30):
        move(rows, ["lower_lip", "chin"], hump(start, start + 4, start + 8, n_rows), (0, 0.04))
    assert found(rows, "speech") == []


def test_rows_count_from_the_start_across_segments():
    rows = rest(500)
    move(rows, LIDS, hump(380, 384, 392, 500), (0.0, 0.02))
    whole = found(rows)
    rows[:200, :] = np.nan
    rows[200:, -1] = 7
    assert found(rows) == whole


def test_no_rows_or_no_face_have_none():
    for rows in (rest(0), np.full((50, rest(1).shape[1]), np.nan), rest(1), rest(2)):
        events = find_distractors(rows, rate=RATE)
        assert events.empty
        pd.testing.assert_series_equal(events.dtypes, empty_events().dtypes)


def test_what_is_decided_of_a_piece_with_its_reach_is_that_of_the_whole():
    rate = 12.0
    rows = eventful(150, rate=rate, seed=11)
    whole = find_distractors(rows, rate=rate)
    assert {"blink", "head", "speech"} == set(whole["kind"])
    before, after = (ceil(side * rate) for side in DISTRACTOR_REACH)
    inner = whole[(whole["onset"] >= before) & (whole["offset"] < len(rows) - after)]
    assert len(inner) > 20
    for event in inner.iloc[::2].itertuples():
        start = event.onset - before
        piece = find_distractors(rows[start : event.offset + after + 1], rate=rate)
        piece[["onset", "apex", "offset"]] += start
        same = piece[(piece["onset"] == event.onset) & (piece["kind"] == event.kind)]
        assert same[["apex", "offset"]].values.tolist() == [[event.apex, event.offset]]
        assert same["score"].iloc[0] == pytest.approx(event.score, rel=1e-9)


# What is told from what


def table(*rows):
    """Events from (onset, offset, kind, region)."""
    made = [(onset, onset, offset, kind, 1.0, region, 0.1) for onset, offset, kind, region in rows]
    return pd.DataFrame(made, columns=list(EVENT_COLUMNS)).astype(empty_events().dtypes.to_dict())


@pytest.mark.parametrize(
    ("event", "other", "stays"),
    [
        # Of 10 rows, 5 shared are half.
        ((10, 19, "micro", "chin"), (15, 40, "head", "head"), False),
        ((10, 19, "micro", "chin"), (16, 40, "head", "head"), True),
        ((10, 19, "micro", "chin"), (20, 40, "head", "head"), True),
        ((10, 19, "micro", "chin"), (0, 14, "head", "head"), False),
        # Speech makes what the mouth does, and what is nowhere in particular.
        ((10, 19, "micro", "chin"), (0, 40, "speech", "mouth"), False),
        ((10, 19, "macro", "left_mouth_corner"), (0, 40, "speech", "mouth"), False),
        ((10, 19, "micro", "left_inner_brow"), (0, 40, "speech", "mouth"), True),
        ((10, 19, "micro", "face"), (0, 40, "speech", "mouth"), False),
        # A blink makes all but what the mouth does.
        ((10, 19, "micro", "left_inner_brow"), (10, 19, "blink", "lids"), False),
        ((10, 19, "micro", "face"), (10, 19, "blink", "lids"), False),
        ((10, 19, "micro", "chin"), (10, 19, "blink", "lids"), True),
        # A short blink covers less than half of a long expression.
        ((10, 49, "macro", "left_inner_brow"), (20, 26, "blink", "lids"), True),
    ],
)
def test_an_event_goes_where_a_distractor_could_have_made_it(event, other, stays):
    assert len(sift(table(event), table(other))) == stays


def test_what_a_method_tells_apart_itself_leaves_its_events():
    events = table((10, 19, "micro", "left_inner_brow"), (30, 39, "macro", "chin"))
    others = table((10, 19, "blink", "lids"), (25, 45, "head", "head"))
    assert sift(events, others).empty
    assert sift(events, others, told_apart=("blink",))["onset"].tolist() == [10]
    assert sift(events, others, told_apart=("head",))["onset"].tolist() == [30]
    pd.testing.assert_frame_equal(sift(events, others, told_apart=("blink", "head")), events)


def test_rows_that_stay_are_numbered_anew_and_empty_tables_stay_empty():
    events = table((10, 19, "micro", "chin"), (50, 60, "micro", "chin"))
    assert sift(events, table((5, 25, "head", "head"))).index.tolist() == [0]
    pd.testing.assert_frame_equal(sift(events, empty_events()), events)
    pd.testing.assert_frame_equal(sift(empty_events(), events), empty_events())


# Peaks and runs


def test_a_foot_is_the_last_row_above_a_level():
    values = np.array([0, 1, 3, 5, 9, 4, 2, 1, 6])
    assert foot(values, 4, 2.5, farthest=9) == (2, 5)
    assert foot(values, 4, 0.5, farthest=9) == (1, 8)
    assert foot(values, 4, 0.5, farthest=2) == (2, 6)
    assert foot(values, 4, 9.5, farthest=9) == (4, 4)


def test_runs_over_short_breaks_are_joined():
    wanted = np.array([c == "x" for c in "xx..x...xx.x"])
    assert runs(wanted) == [(0, 2), (4, 5), (8, 10), (11, 12)]
    assert runs(wanted, bridge=1) == [(0, 2), (4, 5), (8, 12)]
    assert runs(wanted, bridge=2) == [(0, 5), (8, 12)]
    assert runs(wanted, bridge=3) == [(0, 12)]
    assert runs(np.zeros(0, bool)) == []


def test_the_score_of_a_blink_is_how_far_the_lids_move():
    rows = rest(300, noise=1e-4)
    move(rows, LIDS, hump(100, 104, 112, 300), (0.0, 0.03))
    [event] = find_distractors(rows, rate=RATE).itertuples()
    assert event.score == pytest.approx(0.03, abs=0.001)


def test_the_shift_of_a_head_alone_is_no_expression_of_any_region():
    rows = rest(400)
    shift_head(rows, hump(100, 120, 140, 400), (0.2, 0.0), rate=RATE)
    assert [event.kind for event in find_distractors(rows, rate=RATE).itertuples()] == ["head"]
