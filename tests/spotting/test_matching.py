"""Intervals matched one to one: a table of awkward cases by hand, and every way of pairing on small random ones."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import matching as naive

from microexpr.core.errors import DataError, ParameterError
from microexpr.spotting.matching import check_intervals, match_intervals


def intervals(*ends, **columns):
    return pd.DataFrame(ends, columns=["onset", "offset"]).assign(**columns)


def pairs(true, found, **params):
    """Pairs (row of true, row of found, IoU as a fraction) of lists of intervals."""
    table = match_intervals(intervals(*true), intervals(*found), **params)
    return [(int(row.true), int(row.found), Fraction(row.iou).limit_denominator(1000)) for row in table.itertuples()]


# By hand. Frames are counted inclusively: (10, 19) are ten.


@pytest.mark.parametrize(
    ("true", "found", "expected"),
    [
        ([(10, 19)], [(10, 19)], [(0, 0, Fraction(1))]),
        ([(7, 7)], [(7, 7)], [(0, 0, Fraction(1))]),
        ([(10, 19)], [(12, 21)], [(0, 0, Fraction(8, 12))]),
        ([(10, 19)], [(10, 29)], [(0, 0, Fraction(1, 2))]),
        ([(10, 19)], [(10, 14)], [(0, 0, Fraction(1, 2))]),
        ([(10, 19)], [(10, 13)], []),
        ([(10, 19)], [(10, 30)], []),
        ([(10, 19)], [(20, 29)], []),
        ([(10, 19)], [(19, 28)], []),
        ([(10, 19)], [(40, 49)], []),
        ([(10, 19)], [], []),
        ([], [(10, 19)], []),
        ([], [], []),
    ],
    ids=[
        *("the same", "one frame", "overlap", "exactly one half, longer", "exactly one half, shorter"),
        *("just below one half, shorter", "just below one half, longer", "touching", "one frame shared", "apart"),
        *("none found", "none true", "neither"),
    ],
)
def test_a_pair_shares_at_least_half_of_the_frames_of_either(true, found, expected):
    assert pairs(true, found) == expected


def test_one_interval_over_two_true_ones_is_one_hit():
    # Five of ten frames with each: both may be its partner, one is.
    assert len(pairs([(10, 14), (15, 19)], [(10, 19)])) == 1
    # Seven of ten with the second.
    assert pairs([(10, 12), (13, 19)], [(10, 19)]) == [(1, 0, Fraction(7, 10))]


def test_an_interval_over_everything_hits_nothing():
    assert pairs([(10, 19), (30, 39), (50, 59)], [(0, 99)]) == []


def test_two_found_over_one_true_are_one_hit_the_better_one():
    assert pairs([(10, 19)], [(10, 15), (10, 18)]) == [(0, 1, Fraction(9, 10))]
    assert len(pairs([(10, 19)], [(10, 14), (15, 19)])) == 1


def test_identical_intervals_twice_are_partners_of_two():
    assert [pair[:2] for pair in pairs([(10, 19)], [(10, 19), (10, 19)])] in ([(0, 0)], [(0, 1)])
    assert len(pairs([(10, 19), (10, 19)], [(10, 19)])) == 1
    both = pairs([(10, 19), (10, 19)], [(10, 19), (10, 19)])
    assert [pair[0] for pair in both] == [0, 1]
    assert sorted(pair[1] for pair in both) == [0, 1]


def test_most_pairs_come_before_the_largest_iou():
    # The best pair, 9/10, would leave the second true interval (5/9 with the same one, 2/10 with the other) alone.
    assert pairs([(0, 9), (0, 4)], [(0, 8), (3, 9)]) == [(0, 1, Fraction(7, 10)), (1, 0, Fraction(5, 9))]


def test_among_as_many_pairs_the_total_iou_decides():
    # A micro- within a macro-expression, both found: crossed, the pairs would be of 6/10 each.
    assert pairs([(0, 9), (2, 7)], [(2, 7), (0, 9)]) == [(0, 1, Fraction(1)), (1, 0, Fraction(1))]


def test_the_least_iou_is_a_parameter_and_met_by_equality():
    assert pairs([(10, 19)], [(10, 10)], iou=0.1) == [(0, 0, Fraction(1, 10))]
    assert pairs([(10, 19)], [(10, 10)], iou=0.11) == []
    assert pairs([(0, 2)], [(0, 1)], iou=2 / 3) == [(0, 0, Fraction(2, 3))]
    assert pairs([(10, 19)], [(10, 18)], iou=1) == []


def test_intervals_of_different_videos_never_meet():
    true = intervals((10, 19), (10, 19), video_id=["a", "b"])
    found = intervals((10, 19), (12, 19), (10, 19), video_id=["b", "b", "c"])
    table = match_intervals(true, found)
    assert table.to_numpy().tolist() == [[1, 0, 1]]


def test_rows_are_named_by_position_whatever_the_index():
    true = intervals((10, 19), (30, 39)).set_axis(["toy/a", "toy/b"])
    found = intervals((30, 39), (10, 19)).set_axis([7, 7])
    table = match_intervals(true, found)
    assert table[["true", "found"]].to_numpy().tolist() == [[0, 1], [1, 0]]
    assert table.dtypes.astype(str).to_dict() == {"true": "int64", "found": "int64", "iou": "float64"}
    assert match_intervals(true, found.iloc[:0]).dtypes.equals(table.dtypes)


# Every way of pairing


SPANS = st.tuples(st.integers(0, 12), st.integers(0, 7)).map(lambda ends: (ends[0], sum(ends)))
LISTS = st.lists(SPANS, max_size=4)


@settings(deadline=None, max_examples=150)
@given(LISTS, LISTS, st.sampled_from([Fraction(1, 2), Fraction(1, 10), Fraction(1, 3), Fraction(3, 4), Fraction(1)]))
def test_number_of_pairs_and_total_iou_are_the_best_of_all_matchings(true, found, least):
    chosen = pairs(true, found, iou=float(least))
    assert len({row for row, _, _ in chosen}) == len({column for _, column, _ in chosen}) == len(chosen)
    for row, column, ratio in chosen:
        assert ratio == naive.iou(true[row], found[column]) >= least
    assert (len(chosen), sum(ratio for _, _, ratio in chosen)) == naive.best(true, found, least)


@settings(deadline=None, max_examples=40)
@given(LISTS, LISTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_which_intervals_are_partners(true, found, chance):
    def partners(one, other):
        return sorted((one[row], other[column]) for row, column, _ in pairs(one, other))

    mixed_true, mixed_found = chance.sample(true, len(true)), chance.sample(found, len(found))
    assert partners(mixed_true, mixed_found) == partners(true, found)


@settings(deadline=None, max_examples=40)
@given(LISTS, LISTS)
def test_true_and_found_exchanged_give_as_many_pairs(true, found):
    assert len(pairs(true, found)) == len(pairs(found, true))


def test_many_overlapping_intervals_are_matched_to_their_own():
    # Each is nearest to itself, and shares 9/11 with its neighbours.
    onsets = np.arange(300)
    true = intervals(*zip(onsets, onsets + 9, strict=True))
    order = np.random.default_rng(0).permutation(300)
    table = match_intervals(true, true.iloc[order])
    np.testing.assert_array_equal(order[table["found"]], table["true"])
    assert (table["iou"] == 1).all()
    assert len(table) == 300


# What is refused


@pytest.mark.parametrize(
    ("onset", "offset", "words"),
    [
        (5, 4, r"found, row 'x': onset 5 comes after offset 4"),
        (None, 4, "found, row 'x': onset is missing"),
        (np.nan, 4, "onset is missing"),
        (3, pd.NA, "found, row 'x': offset is missing; an interval needs both its ends"),
        (-1, 4, "onset is -1"),
        (1.5, 4, r"onset is .*1.5.*: it must be a whole number of frames, at least 0"),
        (1, np.inf, "offset is .*inf"),
        ("1", 4, "onset is '1'"),
        (True, 4, "onset is True"),
    ],
)
def test_an_impossible_interval_is_named(onset, offset, words):
    table = pd.DataFrame({"onset": [onset], "offset": [offset]}, index=["x"], dtype=object)
    with pytest.raises(DataError, match=words):
        match_intervals(intervals((1, 2)), table)
    with pytest.raises(DataError, match=words.replace("found", "true")):
        match_intervals(table, intervals((1, 2)))


def test_whole_numbers_of_any_type_are_frames():
    nullable = pd.DataFrame({"onset": [3, 8], "offset": [5, 8]}, dtype="Int64")
    for table in (nullable, nullable.astype("float64"), nullable.astype("object"), nullable.astype("uint8")):
        assert check_intervals(table, "found").tolist() == [[3, 5], [8, 8]]
    assert check_intervals(nullable.iloc[:0], "found").shape == (0, 2)


@pytest.mark.parametrize("iou", [0, 0.0, -0.5, 1.01, float("nan"), "half", None, True])
def test_a_least_iou_outside_its_bounds_is_refused(iou):
    with pytest.raises(ParameterError, match="iou is"):
        match_intervals(intervals((1, 2)), intervals((1, 2)), iou=iou)


def test_tables_that_are_none_or_lack_columns_are_refused():
    sound = intervals((1, 2))
    with pytest.raises(DataError, match="found is a list: it must be a DataFrame of intervals"):
        match_intervals(sound, [(1, 2)])
    with pytest.raises(DataError, match="true lacks the column offset"):
        match_intervals(sound[["onset"]], sound)
    with pytest.raises(DataError, match="found lacks the column video_id, which true has"):
        match_intervals(sound.assign(video_id="a"), sound)
    with pytest.raises(DataError, match="true lacks the column video_id, which found has"):
        match_intervals(sound, sound.assign(video_id="a"))
    with pytest.raises(DataError, match="true, row 0: video_id is missing"):
        match_intervals(sound.assign(video_id=None), sound.assign(video_id="a"))
