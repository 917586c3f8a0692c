"""Levels of a moving window, peaks and their intervals: by hand, against slow twins, piece by piece."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import intervals as naive

from microexpr.core.errors import DataError, ParameterError
from microexpr.spotting.intervals import cosine_skirt, event_table, kind_of, peak_intervals, window_levels
from microexpr.spotting.method import EVENT_COLUMNS, empty_events

NAN = float("nan")
# Halves are exact in binary: sums do not depend on their order. Few values make many ties.
NUMBERS = st.lists(st.one_of(st.integers(0, 12).map(float), st.just(NAN)), min_size=1, max_size=60)


def spans(values, **params):
    params = {"threshold": 1.0, "edge": 0.25, "longest": 30, **params}
    return [tuple(span) for span in peak_intervals(np.array(values, float), **params).tolist()]


# By hand


@pytest.mark.parametrize(
    ("values", "params", "expected"),
    [
        ([0, 1, 4, 8, 4, 1, 0], {}, [(2, 3, 4)]),
        ([0, 2, 4, 8, 4, 2, 0], {}, [(1, 3, 5)]),
        ([0, 2, 4, 8, 4, 2, 0], {"edge": 1.0}, [(3, 3, 3)]),
        ([0, 2, 4, 8, 4, 2, 0], {"threshold": 8.0}, [(1, 3, 5)]),
        ([0, 2, 4, 8, 4, 2, 0], {"threshold": 8.5}, []),
        ([8, 4, 0], {}, [(0, 0, 1)]),
        ([0, 4, 8], {}, [(1, 2, 2)]),
        ([8, 8, 8], {}, [(0, 0, 2)]),
        ([8], {}, [(0, 0, 0)]),
        ([], {}, []),
        ([NAN, NAN], {}, []),
        ([NAN, 8, 6, NAN], {}, [(1, 1, 2)]),
    ],
    ids=[
        *("quarter of the peak", "exactly a quarter", "edge 1", "exactly the threshold", "below the threshold"),
        *("first row", "last row", "plateau", "one row", "no row", "nothing known", "between unknown rows"),
    ],
)
def test_an_interval_is_what_reaches_a_part_of_the_peak(values, params, expected):
    assert spans(values, **params) == expected


@pytest.mark.parametrize("gap", [0.0, NAN])
def test_one_row_below_is_bridged_two_are_not(gap):
    assert spans([0, 8, 4, gap, 4, 0, 0]) == [(1, 1, 4)]
    assert spans([0, 8, 4, gap, gap, 4, 0]) == [(1, 1, 2), (5, 5, 5)]


def test_a_lower_peak_in_the_interval_of_a_higher_one_is_part_of_it():
    assert spans([0, 4, 3, 8, 0]) == [(1, 3, 3)]


def test_a_slope_to_a_higher_peak_ends_the_lower_ones_interval_in_the_valley():
    # A quarter of 16 is not reached in the valley, a quarter of 4 is: the valley is the lower peak's.
    assert spans([0, 4, 3, 2, 3, 16, 0], edge=0.25) == [(1, 1, 3), (5, 5, 5)]


def test_longer_than_the_longest_is_dropped_and_hides_nothing():
    slow = [0, 0, 4, 5, 4, 6, 4, 4, 4, 4, 4]
    assert spans(slow, edge=0.6, threshold=5.0, longest=9) == [(2, 5, 10)]
    assert spans(slow, edge=0.6, threshold=5.0, longest=8) == [(2, 3, 4)]


def test_heights_are_measured_from_the_base():
    assert spans([5, 6, 9, 6, 5], base=5.0) == [(1, 2, 3)]
    assert spans([5, 6, 9, 6, 5], base=0.0) == [(0, 2, 4)]
    assert spans([5, 6, 9, 6, 5], base=np.full(5, 5.0)) == [(1, 2, 3)]


def test_scores_are_what_the_threshold_is_compared_with():
    values = np.array([0.0, 8, 0, 0, 8, 0])
    scores = np.array([0.0, 1, 0, 0, 2, 0])
    found = peak_intervals(values, scores, threshold=2.0, edge=0.25, longest=5)
    assert found.tolist() == [[4, 4, 4]]


def test_widening_adds_a_part_of_the_length_at_both_ends():
    values = [0, 0, 0, 4, 8, 4, 4, 0, 0, 0]
    assert spans(values, widen=0.5) == [(1, 4, 8)]
    assert spans(values, widen=0.5, longest=8) == [(1, 4, 8)]
    assert spans(values, widen=0.5, longest=7) == []
    assert spans([NAN, NAN, 0, 4, 8, 4, 4, NAN, NAN, 0], widen=0.5) == [(2, 4, 6)]
    assert spans([0, 4, 8, 4, 4, 0], widen=0.5) == [(0, 2, 5)]


def test_two_that_would_meet_end_in_the_middle():
    # Rows 4 to 6 lie between: 4 and 5 go to the first, 6 to the second.
    assert spans([0, 0, 4, 8, 0, 0, 0, 8, 4, 0, 0], widen=1.0) == [(0, 3, 5), (6, 7, 10)]


@pytest.mark.parametrize("edge", [0.05, 0.1, 0.2, 0.3, 0.5])
def test_a_cosine_cut_at_its_edge_is_restored(edge):
    way = np.linspace(0.0, 1.0, 20_001)
    above = np.flatnonzero((1 - np.cos(2 * np.pi * way)) / 2 >= edge)
    length = above[-1] - above[0]
    assert length * (1 + 2 * cosine_skirt(edge)) == pytest.approx(20_000, rel=1e-3)


def test_half_a_second_is_a_micro_expression_more_is_none():
    assert kind_of(15, 30.0) == "micro"
    assert kind_of(16, 30.0) == "macro"
    assert kind_of(100, 200.0) == "micro"
    assert kind_of(15, 29.97) == "macro"


def test_the_table_is_by_onset_and_of_the_kinds_of_the_empty_one():
    table = event_table([(9, 9, 9, "micro", 1.0, "chin"), (2, 3, 21, "macro", 0.5, "left_cheek")], rate=10.0)
    assert table["onset"].to_list() == [2, 9]
    assert table["duration"].to_list() == [2.0, 0.1]
    for same in (table, event_table([], rate=10.0)):
        assert tuple(same.columns) == EVENT_COLUMNS
        assert same.dtypes.to_dict() == empty_events().dtypes.to_dict()


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: spans([1.0], edge=1.5), ParameterError, "edge is 1.5"),
        (lambda: spans([1.0], widen=-0.1), ParameterError, "widen is -0.1"),
        (lambda: spans([1.0], longest=0), ParameterError, "longest is 0"),
        (lambda: spans([1.0], threshold=NAN), ParameterError, "threshold is nan"),
        (lambda: spans([[1.0]]), DataError, "values has shape"),
        (lambda: spans([1.0], base=np.zeros(2)), DataError, "1, 1 and 2 rows"),
        (lambda: cosine_skirt(0.6), ParameterError, "edge is 0.6"),
        (lambda: window_levels(np.zeros(3), half=-1), ParameterError, "half is -1"),
        (lambda: window_levels(np.zeros((3, 1)), half=1), DataError, "values has shape"),
    ],
)
def test_what_is_not_allowed_is_named(call, error, said):
    with pytest.raises(error, match=said):
        call()


# Against slow twins


@settings(max_examples=40)
@given(NUMBERS, st.integers(0, 70))
def test_levels_equal_those_of_each_window_alone(values, half):
    found = window_levels(np.array(values), half=half)
    np.testing.assert_allclose(np.transpose(found), np.array(naive.window_levels(values, half)), rtol=1e-12)


def test_levels_of_many_rows_are_those_of_each_window_alone():
    values = np.random.default_rng(0).standard_normal(1300)
    values[100:180] = np.nan
    found = window_levels(values, half=30)
    np.testing.assert_allclose(
        np.transpose(found), np.array(naive.window_levels(values.tolist(), 30)), rtol=1e-9, atol=1e-12
    )


@given(
    NUMBERS,
    st.integers(1, 10),
    st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    st.integers(1, 25),
    st.sampled_from([0.0, 0.25, 1.0]),
)
def test_intervals_equal_those_of_the_slow_twin(values, threshold, edge, longest, widen):
    expected = naive.peak_intervals(values, threshold, edge, longest, widen)
    assert spans(values, threshold=threshold, edge=edge, longest=longest, widen=widen) == expected


# Piece by piece


@given(NUMBERS, st.sampled_from([0.0, 0.25, 1.0]))
def test_intervals_share_no_row_and_hold_their_peak(values, widen):
    last = -1
    for onset, apex, offset in spans(values, widen=widen):
        assert last < onset <= apex <= offset
        last = offset


@given(st.lists(st.integers(0, 12).map(float), min_size=40, max_size=90), st.data())
def test_what_is_found_depends_on_no_row_farther_than_it_says(values, data):
    longest = 4
    params = {"longest": longest, "edge": 0.25, "widen": 0.25}
    whole = spans(values, **params)
    start = data.draw(st.integers(0, len(values) - 1))
    stop = data.draw(st.integers(start + 1, len(values)))
    far = 5 * longest + 1
    low = start + far if start else 0
    high = stop - far if stop < len(values) else len(values)
    piece = [tuple(place + start for place in span) for span in spans(values[start:stop], **params)]
    assert [span for span in piece if low <= span[1] < high] == [span for span in whole if low <= span[1] < high]
