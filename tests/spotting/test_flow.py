"""The method `flow`: expressions found where they are, and nothing where there are none."""

from math import ceil

import numpy as np
import pandas as pd
import pytest
from toyset.longfaces import blink, expression, film, head_motion
from toyset.motionrows import NAMES, eventful, hump, move, rest

from microexpr.core.errors import ParameterError
from microexpr.spotting import EVENT_COLUMNS, build_spotter, decide_events, measure_video
from microexpr.spotting.flow import FlowSpotter
from microexpr.spotting.method import empty_events
from microexpr.spotting.motion import RegionMotion

RATE = 30.0
EXPRESSIONS = ("micro", "macro")


def spotted(frames, *, fps=30):
    """Expressions among the events of a video."""
    method = FlowSpotter()
    events = decide_events(method, measure_video(method, frames, fps=fps))
    return events[events["kind"].isin(EXPRESSIONS)].reset_index(drop=True)


def iou(event, onset, offset):
    shared = min(event.offset, offset) - max(event.onset, onset) + 1
    return shared / (event.offset - event.onset + 1 + offset - onset + 1 - shared)


def decided(rows, **params):
    return FlowSpotter(**params).decide(rows, rate=RATE)


# In videos


@pytest.mark.parametrize(
    ("units", "kind", "times", "regions"),
    [
        # The person's left is on the right of the picture.
        (("L12",), "micro", (45, 50, 57), ["left_mouth_corner"]),
        (("R12",), "macro", (45, 55, 70), ["right_mouth_corner"]),
        (("R2",), "macro", (45, 60, 75), ["right_outer_brow"]),
        (("L1", "R1"), "micro", (45, 51, 58), ["between_brows", "left_inner_brow", "right_inner_brow"]),
        (("26",), "macro", (45, 60, 80), ["chin", "lower_lip"]),
    ],
)
def test_an_expression_is_found_where_it_is(units, kind, times, regions):
    onset, apex, offset = times
    [event] = spotted(film(expression(kind, onset, apex, offset, *units), seconds=4)).itertuples()
    assert event.kind == kind
    assert event.region in regions
    assert iou(event, onset, offset) >= 0.7
    assert abs(event.apex - apex) <= 3
    assert event.duration == pytest.approx((event.offset - event.onset + 1) / 30)
    assert event.score >= FlowSpotter().threshold


def test_a_mirrored_video_has_mirrored_regions_at_the_same_times():
    frames = film(expression("micro", 40, 46, 53, "L12"), expression("macro", 80, 95, 115, "R2"), seconds=5).read()
    plain, mirrored = spotted(frames), spotted(np.ascontiguousarray(frames[:, :, ::-1]))
    sides = {"left_mouth_corner": "right_mouth_corner", "right_outer_brow": "left_outer_brow"}
    assert plain["region"].tolist() == list(sides)
    assert mirrored["region"].tolist() == list(sides.values())
    assert mirrored["kind"].tolist() == plain["kind"].tolist() == ["micro", "macro"]
    for name in ("onset", "apex", "offset"):
        assert (mirrored[name] - plain[name]).abs().max() <= 1


def test_a_constant_video_has_no_event():
    assert spotted(np.repeat(film(seconds=0.1).first()[None], 90, axis=0)).empty


def test_a_face_at_rest_has_none():
    assert spotted(film(seconds=3)).empty


def test_blinks_and_turns_of_the_head_are_none():
    source = film(blink(30, 38), head_motion("turn", 50, 80, 6.0), blink(60, 66), blink(95, 104), seconds=4)
    assert spotted(source).empty


def test_an_expression_during_a_blink_is_found():
    source = film(expression("micro", 50, 56, 63, "26"), blink(48, 57), seconds=4)
    [event] = spotted(source).itertuples()
    assert iou(event, 50, 63) >= 0.5


def test_a_hand_that_sweeps_over_the_face_is_none():
    frames = film(seconds=4).read().copy()
    frames[60, 50:110, :60] = 110
    frames[61, 50:110, 50:] = 110
    assert spotted(frames).empty


def test_times_are_frames_at_any_rate():
    source = film(expression("micro", 250, 282, 325, "L12", "R12"), seconds=4, fps=100)
    [event] = spotted(source, fps=100).itertuples()
    assert iou(event, 250, 325) >= 0.7
    # Every third frame is looked at.
    assert event.onset % 3 == event.apex % 3 == event.offset % 3 == 0


# In made-up rows


def test_the_columns_are_those_of_the_motion():
    assert FlowSpotter().columns == RegionMotion.columns
    assert FlowSpotter.reads_motion


@pytest.mark.parametrize(("onset", "apex", "offset"), [(200, 206, 213), (200, 230, 250), (200, 210, 260)])
def test_onset_and_offset_are_extrapolated_to_the_foot(onset, apex, offset):
    rows = rest(500, noise=2e-4)
    # The hump of smoothstep is within 1 % of a raised cosine.
    move(rows, ["chin", "lower_lip", "left_jaw"], hump(onset, apex, offset, 500), (0.0, 0.05))
    [event] = decided(rows).itertuples()
    assert abs(event.onset - onset) <= max(1, 0.06 * (apex - onset))
    assert abs(event.apex - apex) <= 1
    assert abs(event.offset - offset) <= max(1, 0.06 * (offset - apex))


def test_the_score_is_the_mean_of_the_largest_motions_in_units_of_noise():
    rows = rest(900, noise=0.002)
    course = hump(600, 606, 613, 900)
    for name, length in (("chin", 0.06), ("lower_lip", 0.04), ("left_jaw", 0.03)):
        move(rows, [name], course, (0.0, length))
    for n_regions, expected in ((1, 0.06), (2, 0.05), (3, 0.13 / 3)):
        method = FlowSpotter(n_regions=n_regions)
        scores = method.scores(rows, rate=RATE)
        assert scores[606] == pytest.approx(expected / 0.002, rel=0.15)
        [event] = method.decide(rows, rate=RATE).itertuples()
        assert event.score == pytest.approx(scores[604:609].max())


def test_lids_temples_and_the_bridge_of_the_nose_are_of_no_expression():
    rows = rest(500)
    still = [name for name in NAMES if name.endswith(("lid", "temple", "nose_bridge"))]
    move(rows, still, hump(200, 206, 213, 500), (0.0, 0.05))
    assert decided(rows, threshold=4.0).empty


def test_half_a_second_divides_micro_from_macro():
    for offset, kind in ((214, "micro"), (222, "macro")):
        rows = rest(500, noise=2e-4)
        move(rows, ["chin"], hump(200, 207, offset, 500), (0.0, 0.05))
        assert decided(rows)["kind"].tolist() == [kind]
        assert decided(rows, micro_duration=2.0)["kind"].tolist() == ["micro"]


def test_what_is_too_short_or_too_long_is_left_out():
    rows = rest(500, noise=2e-4)
    move(rows, ["chin"], hump(200, 210, 225, 500), (0.0, 0.05))
    [event] = decided(rows).itertuples()
    assert decided(rows, min_duration=event.duration + 0.01).empty
    assert decided(rows, max_duration=event.duration - 0.01).empty
    assert len(decided(rows, min_duration=event.duration, max_duration=event.duration)) == 1


def test_motion_faster_than_a_face_is_none():
    for speed, count in ((2.0, 1), (4.0, 0)):
        rows = rest(500, noise=2e-4)
        step = speed / RATE
        course = np.zeros(500)
        # Up in steps of this size, and down again.
        course[200:209] = [1, 2, 3, 4, 5, 4, 3, 2, 1]
        move(rows, ["chin"], course, (0.0, step))
        assert len(decided(rows)) == count


def test_what_comes_with_a_blink_must_move_by_a_third_of_the_lids():
    for length, count in ((0.015, 1), (0.005, 0)):
        rows = rest(500, noise=2e-4)
        course = hump(200, 206, 213, 500)
        move(rows, ["left_lid", "right_lid"], course, (0.0, 0.03))
        move(rows, ["left_cheek", "right_cheek", "between_brows"], course, (0.0, length))
        assert len(decided(rows)) == count


def test_a_higher_threshold_leaves_a_part_of_the_events():
    rows = eventful(60, rate=RATE, seed=3)
    tables = [decided(rows, threshold=threshold) for threshold in FlowSpotter().thresholds()]
    sizes = [len(table) for table in tables]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]
    for threshold, table in zip(FlowSpotter().thresholds(), tables, strict=True):
        assert (table["score"] >= threshold).all()
        merged = table.merge(tables[0], on=["onset", "offset"])
        assert len(merged) == len(table)


def test_no_two_expressions_overlap():
    table = decided(eventful(60, rate=RATE, seed=4), threshold=3.0).sort_values("onset")
    assert len(table) > 5
    assert (table["onset"].to_numpy()[1:] > table["offset"].to_numpy()[:-1]).all()


def test_segments_are_decided_apart():
    rows = rest(800, noise=2e-4)
    move(rows, ["chin"], hump(600, 606, 613, 800), (0.0, 0.05))
    rows[400:, -1] = 1
    # The number of a segment, and a face that is lost, begin rows that know nothing of earlier ones.
    table = decided(rows)
    alone = decided(rows[400:])
    alone[["onset", "apex", "offset"]] += 400
    pd.testing.assert_frame_equal(table, alone)
    scores = FlowSpotter().scores(np.concatenate([np.full((5, rows.shape[1]), np.nan), rows]), rate=RATE)
    assert np.isnan(scores[:5]).all()
    np.testing.assert_allclose(scores[405:], FlowSpotter().scores(rows[400:], rate=RATE))


def test_an_event_of_a_piece_with_its_reach_is_that_of_the_whole():
    rate, method = 12.0, FlowSpotter(threshold=4.0)
    rows = eventful(200, rate=rate, seed=9)
    whole = method.decide(rows, rate=rate)
    before, after = method.reach(rate)
    assert (before, after) == (ceil(28 * rate), ceil(8.5 * rate))
    inner = whole[(whole["onset"] >= before) & (whole["offset"] < len(rows) - after)]
    assert len(inner) > 10
    for event in inner.itertuples():
        start = event.onset - before
        piece = method.decide(rows[start : event.offset + after + 1], rate=rate)
        [same] = piece[piece["onset"] + start == event.onset].itertuples()
        assert (same.apex + start, same.offset + start, same.kind) == (event.apex, event.offset, event.kind)
        assert same.region == event.region
        assert same.score == pytest.approx(event.score, rel=1e-9)


@pytest.mark.parametrize("n_rows", [0, 1, 2, 3, 20])
def test_few_rows_have_no_event(n_rows):
    table = decided(rest(n_rows))
    pd.testing.assert_frame_equal(table, empty_events())
    assert len(FlowSpotter().scores(rest(n_rows), rate=RATE)) == n_rows
    assert table.columns.tolist() == list(EVENT_COLUMNS)


def test_rows_without_a_face_have_neither_events_nor_scores():
    rows = np.full((30, len(RegionMotion.columns)), np.nan)
    assert decided(rows).empty
    assert np.isnan(FlowSpotter().scores(rows, rate=RATE)).all()


# Parameters


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"threshold": 0}, "threshold is 0: it must be greater than 0"),
        ({"threshold": float("nan")}, "threshold"),
        ({"n_regions": 0}, "n_regions"),
        ({"n_regions": 17}, "n_regions"),
        ({"min_duration": -1.0}, "min_duration is -1.0: it must be greater than 0"),
        ({"min_duration": 2.0, "max_duration": 1.0}, "max_duration"),
        ({"max_duration": 4.5}, "max_duration"),
        ({"micro_duration": 0.0}, "micro_duration is 0.0: it must be greater than 0"),
        ({"micro_duration": "long"}, "micro_duration"),
    ],
)
def test_parameters_out_of_bounds_are_refused(params, message):
    with pytest.raises(ParameterError, match=message):
        build_spotter("flow", **params)
    with pytest.raises(ParameterError, match=message):
        decided(rest(5), **params)


def test_unknown_methods_and_parameters_are_refused():
    with pytest.raises(ParameterError, match=r"flow has no parameter size; it has "):
        build_spotter("flow", size=3)
    with pytest.raises(ParameterError, match="method"):
        build_spotter("tides")


def test_all_regions_may_count():
    assert build_spotter("flow", n_regions=16).n_regions == 16
