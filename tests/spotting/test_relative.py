"""What holds for the methods `strain`, `mdmd` and `lbp` alike: streaming, gaps, rates, decisions piece by piece."""

import gc
import weakref

import numpy as np
import pandas as pd
import pytest
from toyset.movingfaces import cosine_course, faces, pictures

from microexpr.core.errors import DataError, ParameterError
from microexpr.spotting.lbpchi import LBPDistance
from microexpr.spotting.matching import match_intervals
from microexpr.spotting.mdmd import MDMD
from microexpr.spotting.method import EVENT_COLUMNS, SpottingMethod
from microexpr.spotting.methods import build_spotter
from microexpr.spotting.motion import REGIONS
from microexpr.spotting.strain import OpticalStrain

METHODS = [OpticalStrain, MDMD, LBPDistance]
# At 10 faces a second: lags of 2 and 4 rows.
SHORT = {"lags": (0.2, 0.4)}

each_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


def measured(method, stream, rate=10.0):
    return np.stack(list(method.measure(stream, rate=rate)))


def greys(n_frames, *, seed=0, noise=6.0):
    return list(pictures(np.zeros(n_frames), seed=seed, noise=noise))


def pulse(n_rows, *humps):
    """Rows of both lags from (onset, offset, height) of raised cosines."""
    numbers = np.zeros(n_rows)
    for onset, offset, height in humps:
        numbers += height * cosine_course(n_rows, onset, offset)
    return np.column_stack([numbers, numbers, np.zeros(n_rows), np.ones(n_rows)])


# Measuring


@each_method
def test_rows_come_one_for_each_face_and_a_lag_late_at_most(method):
    taken = []

    def counted():
        for face in faces(greys(15)):
            taken.append(face.position)
            yield face

    late = [len(taken) - place for place, _ in enumerate(method(**SHORT).measure(counted(), rate=10.0), start=1)]
    assert len(late) == 15
    assert max(late) == 4


@each_method
def test_memory_holds_two_lags_of_faces(method):
    alive = []

    def watched():
        for face in faces(pictures(np.zeros(40), noise=6.0)):
            alive.append(weakref.ref(face.grey))
            yield face

    most = 0
    for _ in method(**SHORT).measure(watched(), rate=10.0):
        gc.collect(0)
        most = max(most, sum(one() is not None for one in alive))
    # Those of two lags and the row itself; one more is on its way.
    assert 1 <= most <= 2 * 4 + 2


@each_method
def test_where_faces_are_lacking_on_a_side_there_is_no_number(method):
    rows = measured(method(**SHORT), faces(greys(12)))
    short, long = ~np.isnan(rows[:, 0]), ~np.isnan(rows[:, 1])
    assert np.flatnonzero(short).tolist() == list(range(2, 10))
    assert np.flatnonzero(long).tolist() == list(range(4, 8))
    np.testing.assert_array_equal(np.isnan(rows[:, 2:]), np.isnan(rows[:, :2]))


@each_method
@pytest.mark.parametrize(
    ("gap", "lacking"),
    [
        # A missing or fast face in row 10 cannot be compared, nor any two across it.
        ({"missing": (10,)}, range(8, 13)),
        ({"fast": (10,)}, range(8, 13)),
        # A restart in row 10 can be compared with what follows.
        ({"restarts": (0, 10)}, range(8, 12)),
    ],
    ids=["missing", "fast", "restart"],
)
def test_no_two_faces_are_compared_across_a_gap(method, gap, lacking):
    rows = measured(method(**SHORT), faces(greys(20), **gap))
    expected = {0, 1, 18, 19, *lacking}
    assert set(np.flatnonzero(np.isnan(rows[:, 0])).tolist()) == expected


@each_method
def test_a_head_as_fast_as_allowed_is_no_gap(method):
    rows = measured(method(**SHORT, max_speed=9.0), faces(greys(12), fast=(6,)))
    assert np.isnan(rows[:, 0]).sum() == 4


@each_method
def test_what_follows_a_restart_does_not_depend_on_what_came_before(method):
    first, second, other = greys(9), greys(9, seed=1), greys(9, seed=2)
    joined = measured(method(**SHORT), faces(first + second, restarts=(0, 9)))
    changed = measured(method(**SHORT), faces(other + second, restarts=(0, 9)))
    np.testing.assert_array_equal(joined[9:], changed[9:])
    np.testing.assert_array_equal(joined[9:], measured(method(**SHORT), faces(second)))


@each_method
def test_a_video_shorter_than_the_lags_has_no_numbers_and_no_events(method):
    rows = measured(method(**SHORT), faces(greys(3)))
    assert np.isnan(rows).all()
    assert method(**SHORT).decide(rows, rate=10.0).empty
    assert np.isnan(method(**SHORT).scores(rows, rate=10.0)).all()


@each_method
def test_no_face_at_all_has_no_numbers(method):
    rows = measured(method(**SHORT), faces(greys(12), missing=range(12)))
    assert rows.shape == (12, 4)
    assert np.isnan(rows).all()
    assert list(method(**SHORT).measure(iter(()), rate=10.0)) == []


# Found in pictures


@each_method
@pytest.mark.parametrize(
    ("rate", "times", "lags"),
    [(25.0, (1.0, 1.35, 2.4), (0.4, 0.8)), (50.0, (1.0, 1.35, 2.4), (0.4, 0.8)), (200.0, (0.5, 0.62, 1.1), (0.2, 0.2))],
)
def test_a_clean_expression_is_found_where_it_is_and_what_it_is(method, rate, times, lags):
    onset, offset, n_frames = (round(time * rate) for time in times)
    spotter = method(lags=lags, window=10.0, threshold=0.3)
    rows = measured(spotter, faces(pictures(cosine_course(n_frames, onset, offset), noise=0.5)), rate)
    found = spotter.decide(rows, rate=rate)
    assert found["kind"].to_list() == ["micro"]
    assert len(match_intervals(pd.DataFrame({"onset": [onset], "offset": [offset]}), found, iou=0.5)) == 1
    assert found["score"].item() == pytest.approx(1.0)
    # On the right or in the middle of the lower face.
    assert found["region"].item() in {name for name in REGIONS if not name.startswith("left") and "brow" not in name}
    assert found["duration"].item() == (found["offset"] - found["onset"] + 1).item() / rate


@each_method
@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_a_face_at_rest_has_no_event(method, noise):
    spotter = method(lags=(0.2, 0.4))
    rows = measured(spotter, faces(pictures(np.zeros(60), noise=noise)), 25.0)
    assert spotter.decide(rows, rate=25.0).empty


# Decided from numbers


@each_method
def test_kinds_are_told_apart_by_duration(method):
    # 10 rows of 25 a second are a micro-expression, 20 a macro-expression; a micro in a macro is part of it.
    spotter = method(window=20.0, edge=0.5)
    found = spotter.decide(pulse(300, (60, 69, 1.0), (150, 170, 1.0)), rate=25.0)
    assert found["kind"].to_list() == ["micro", "macro"]
    assert found["region"].to_list() == [spotter.region_names()[0], spotter.region_names()[1]]
    truth = pd.DataFrame({"onset": [60, 150], "offset": [69, 170]})
    assert len(match_intervals(truth, found, iou=0.8)) == 2


@each_method
def test_too_short_and_too_long_is_dropped(method):
    rows = pulse(400, (60, 64, 1.0), (150, 250, 1.0))
    assert len(method(window=20.0, min_duration=0.1, max_duration=9.0).decide(rows, rate=25.0)) == 2
    assert method(window=20.0, min_duration=0.4, max_duration=1.5).decide(rows, rate=25.0).empty


@each_method
def test_what_rises_by_less_than_the_floor_is_no_event(method):
    rows = pulse(300, (60, 69, 0.5), (200, 209, 0.5))
    assert len(method(window=20.0, floor=0.1).decide(rows, rate=25.0)) == 2
    assert method(window=20.0, floor=2.0).decide(rows, rate=25.0).empty


@each_method
def test_thresholds_are_a_part_of_the_way_from_mean_to_maximum(method):
    # The second is half as high as the first.
    rows = pulse(300, (60, 69, 1.0), (200, 209, 0.5))
    for threshold, n_found in ((0.01, 2), (0.4, 2), (0.6, 1), (1.0, 1)):
        found = method(window=24.0, threshold=threshold, edge=0.3).decide(rows, rate=25.0)
        assert len(found) == n_found
        assert (found["score"] >= threshold).all()


@each_method
def test_a_far_away_maximum_does_not_count(method):
    # A window of 4 s: 50 rows each way.
    rows = pulse(300, (60, 69, 1.0), (200, 209, 0.1))
    near = method(window=4.0, threshold=0.5, floor=0.01).decide(rows, rate=25.0)
    assert near["score"].to_list() == [1.0, 1.0]
    far = method(window=24.0, threshold=0.5, floor=0.01).decide(rows, rate=25.0)
    assert len(far) == 1


@each_method
def test_scores_are_shares_of_the_whole_videos_range_where_the_window_holds_it(method):
    spotter = method(window=60.0)
    numbers = np.random.default_rng(0).uniform(0.0, 1.0, (200, 2))
    rows = np.column_stack([numbers, np.zeros((200, 2))])
    scores = spotter.scores(rows, rate=25.0)
    shares = []
    for column, lag in enumerate(spotter.lags):
        contrast = spotter.contrast(numbers[:, column], round(lag * 25))
        mean, largest = np.nanmean(contrast), np.nanmax(contrast)
        share = np.clip((contrast - mean) / (largest - mean), 0, 1)
        shares.append(np.where(contrast - mean < spotter.floor, 0.0, share))
    known = ~np.isnan(scores)
    np.testing.assert_allclose(scores[known], np.fmax(*shares)[known], rtol=1e-12)
    np.testing.assert_array_equal(known, ~np.isnan(shares).all(axis=0))
    assert np.nanmax(scores) == 1.0


@each_method
@pytest.mark.parametrize("seed", range(4))
def test_a_piece_with_margins_of_the_reach_gives_the_events_of_the_whole(method, seed):
    rng = np.random.default_rng(seed)
    rate = 10.0
    spotter = method(lags=(0.2, 0.4), window=3.0, max_duration=0.9, threshold=0.2, floor=0.0, edge=0.3)
    n_rows = 700
    rows = np.column_stack([rng.gamma(1.0, 1.0, (n_rows, 2)), rng.integers(0, 3, (n_rows, 2))])
    rows[:, :2] += np.convolve(rng.gamma(0.3, 3.0, n_rows), np.hanning(7), "same")[:, None]
    rows[rng.integers(0, n_rows, 5)] = np.nan
    whole = spotter.decide(rows, rate=rate)
    assert len(whole) > 40
    assert set(whole["kind"]) == {"micro", "macro"}
    before, after = spotter.reach(rate)
    for start, stop in ((0, 350), (130, 480), (250, 700)):
        piece = spotter.decide(rows[start:stop], rate=rate)
        piece[["onset", "apex", "offset"]] += start
        low = start + before if start else 0
        high = stop - after if stop < n_rows else n_rows
        assert high - low > 100
        inner = [table[(table["onset"] >= low) & (table["offset"] < high)] for table in (piece, whole)]
        assert len(inner[1]) > 3
        pd.testing.assert_frame_equal(*(table.reset_index(drop=True) for table in inner))


@each_method
def test_more_silence_at_both_ends_changes_no_interval(method):
    rows = pulse(300, (60, 69, 1.0), (150, 170, 1.0))
    quiet = np.zeros((80, 4))
    spotter = method(window=4.0)
    alone = spotter.decide(rows, rate=25.0)
    later = spotter.decide(np.concatenate([quiet, rows, quiet]), rate=25.0)
    assert (later["onset"] - 80).to_list() == alone["onset"].to_list()
    assert (later["offset"] - 80).to_list() == alone["offset"].to_list()


# The contract


@each_method
def test_methods_are_built_by_name_and_their_own_defaults_are_allowed(method):
    made = build_spotter(method.name)
    assert type(made) is method
    assert isinstance(made, SpottingMethod)
    made.check_params()
    assert len(made.columns) == 4
    assert tuple(made.decide(np.zeros((0, 4)), rate=30.0).columns) == EVENT_COLUMNS
    assert set(made.region_names()) <= set(REGIONS)
    assert set(made.decision_params) <= set(made.get_params())


@each_method
def test_thresholds_to_choose_from_are_allowed_and_ascend(method):
    thresholds = method().thresholds()
    assert (np.diff(thresholds) > 0).all()
    for threshold in thresholds:
        method(threshold=float(threshold)).check_params()


@each_method
@pytest.mark.parametrize("param", ["window", "floor", "edge", "min_duration", "max_duration", "threshold"])
def test_numbers_do_not_depend_on_what_only_decides(method, param):
    stream = list(faces(greys(9)))
    plain = measured(method(**SHORT), iter(stream))
    other = measured(method(**SHORT, **{param: 0.45}), iter(stream))
    np.testing.assert_array_equal(plain, other)
    assert param in method.decision_params


@each_method
@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"threshold": 0.0}, "threshold is 0.0: it must be greater than 0"),
        ({"threshold": 1.5}, "threshold is 1.5"),
        ({"lags": (0.4,)}, r"lags is \(0.4,\)"),
        ({"lags": (0.0, 1.0)}, r"lags\[0\] is 0.0"),
        ({"lags": (2.0, 1.0)}, "the first must be at most the second"),
        ({"window": 0}, "window is 0"),
        ({"floor": -1.0}, "floor is -1.0"),
        ({"edge": 0.6}, "edge is 0.6"),
        ({"min_duration": 5.0}, "min_duration is 5.0"),
        ({"max_duration": 0.0}, "max_duration is 0.0"),
        ({"max_speed": 0.0}, "max_speed is 0.0"),
    ],
)
def test_parameters_that_are_not_allowed_are_named(method, params, said):
    made = method(**params)
    with pytest.raises(ParameterError, match=said):
        made.check_params()
    with pytest.raises(ParameterError, match=said):
        list(made.measure(faces(greys(2)), rate=10.0))
    with pytest.raises(ParameterError, match=said):
        made.decide(np.zeros((5, 4)), rate=10.0)


@each_method
def test_rows_of_another_width_are_refused(method):
    with pytest.raises(DataError, match=r"rows have shape \(5, 3\); they must be \(n_rows, 4\)"):
        method().decide(np.zeros((5, 3)), rate=10.0)
