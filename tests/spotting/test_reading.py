import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microexpr.core.errors import DataError, ParameterError
from microexpr.spotting import read_expressions

LETTERS = {".": "neutral", "h": "happiness", "s": "surprise"}


def read(letters, *, fps=10, **params):
    """Rows (onset, offset, duration, label, micro) of labels written as letters, a point for neutral."""
    found = read_expressions([LETTERS[letter] for letter in letters], fps=fps, **params)
    return [tuple(row) for row in found.itertuples(index=False)]


# By hand


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("..hhh..", [(2, 4, 0.3, "happiness", True)]),
        ("hh..", [(0, 1, 0.2, "happiness", True)]),
        ("..hh", [(2, 3, 0.2, "happiness", True)]),
        ("h", [(0, 0, 0.1, "happiness", True)]),
        (".h.", [(1, 1, 0.1, "happiness", True)]),
        ("hhss", [(0, 1, 0.2, "happiness", True), (2, 3, 0.2, "surprise", True)]),
        ("h.h", [(0, 0, 0.1, "happiness", True), (2, 2, 0.1, "happiness", True)]),
        ("hhhhhhhh", [(0, 7, 0.8, "happiness", False)]),
        (".hhhhhh.s", [(1, 6, 0.6, "happiness", False), (8, 8, 0.1, "surprise", True)]),
        ("....", []),
    ],
)
def test_runs_of_one_label_are_expressions(letters, expected):
    assert read(letters) == expected


def test_an_expression_as_long_as_the_bound_is_still_micro():
    assert [row[4] for row in read(".hhhhh.hhhhhh.")] == [True, False]
    assert read("hhh", fps=10, max_duration=0.3)[0][4] is True
    assert read("hhh", fps=10, max_duration=0.29)[0][4] is False


def test_the_frame_rate_decides_what_is_micro():
    assert [read("h" * 20, fps=fps)[0][2:5:2] for fps in (200, 30)] == [(0.1, True), (20 / 30, False)]


def test_runs_of_too_few_frames_are_left_out():
    assert [row[:2] for row in read("h.hh.hhh", min_frames=2)] == [(2, 3), (5, 7)]
    # What is left out is not joined with what is around it.
    assert [row[:2] for row in read("hhshh", min_frames=2)] == [(0, 1), (3, 4)]


def test_neutral_may_have_another_name():
    assert read_expressions(["rest", "neutral"], fps=1, neutral="rest")["label"].tolist() == ["neutral"]


def test_columns_have_their_types_even_without_a_row():
    for letters in ("h.s", "..."):
        found = read_expressions([LETTERS[letter] for letter in letters], fps=10)
        assert found.columns.tolist() == ["onset", "offset", "duration", "label", "micro"]
        assert found.dtypes.astype(str).tolist() == ["int64", "int64", "float64", "str", "bool"]


def test_labels_may_be_a_list_an_array_or_a_series():
    labels = ["neutral", "happiness", "happiness"]
    whole = read_expressions(labels, fps=10)
    for other in (np.array(labels), np.array(labels, object), pd.Series(labels, index=[5, 6, 7]), tuple(labels)):
        pd.testing.assert_frame_equal(read_expressions(other, fps=10), whole)


# Properties


@given(letters=st.text("..hs", min_size=1, max_size=40), min_frames=st.integers(1, 4))
def test_expressions_cover_each_long_enough_run_once(letters, min_frames):
    rows = read(letters, min_frames=min_frames)
    covered = ["."] * len(letters)
    for onset, offset, duration, label, micro in rows:
        assert offset - onset + 1 >= min_frames
        assert duration == (offset - onset + 1) / 10
        assert micro == (duration <= 0.5)
        assert onset == 0 or LETTERS[letters[onset - 1]] != label
        assert offset == len(letters) - 1 or LETTERS[letters[offset + 1]] != label
        covered[onset : offset + 1] = letters[onset : offset + 1]
    if min_frames == 1:
        assert "".join(covered) == letters
    assert rows == sorted(rows)


# Refusals


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "labels is empty: there is no frame to read"),
        (np.array([], dtype=str), "labels is empty"),
        (["neutral", None], r"labels\[1\] is None: it must be text"),
        (["neutral", float("nan")], r"labels\[1\] is nan: it must be text"),
        ([0, 1], r"labels\[0\] is 0: it must be text"),
        ("neutral", "labels is a str: a sequence of one label for each frame is needed"),
        (5, "labels is a int"),
    ],
)
def test_labels_of_another_form_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        read_expressions(labels, fps=10)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"fps": 0}, "fps is 0.0: it must be greater than 0"),
        ({"fps": -25}, "fps is -25.0: it must be greater than 0"),
        ({"fps": float("nan")}, "fps is nan: it must be a finite number"),
        ({"fps": None}, "fps is None: it must be a finite number"),
        ({"max_duration": 0}, "max_duration is 0.0: it must be greater than 0"),
        ({"min_frames": 0}, "min_frames is 0: it must be at least 1"),
        ({"min_frames": 1.5}, "min_frames is 1.5: it must be an integer"),
        ({"neutral": None}, "neutral is None: it must be the name of a class"),
    ],
)
def test_a_parameter_against_the_rules_is_refused(params, message):
    with pytest.raises(ParameterError, match=message):
        read_expressions(["neutral"], **{"fps": 10, **params})
