import numpy as np
import pytest

from microexpr.core.checks import check_choice, check_float, check_int, check_int_tuple
from microexpr.core.errors import DataError, MicroexprError, ParameterError, join_names
from microexpr.core.frames import check_frames


@pytest.mark.parametrize("value", [True, 1.0, "1", None, np.float64(2)])
def test_what_is_no_integer_is_refused_with_name_value_and_rule(value):
    with pytest.raises(ParameterError) as caught:
        check_int(value, "size")
    assert str(caught.value) == f"size is {value!r}: it must be an integer"


def test_bounds_are_inclusive():
    assert check_int(np.int32(3), "size", minimum=3, maximum=3) == 3
    with pytest.raises(ParameterError, match="size is 2: it must be at least 3"):
        check_int(2, "size", minimum=3)
    with pytest.raises(ParameterError, match=r"share is 1.5: it must be at most 1"):
        check_float(1.5, "share", maximum=1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "x", True])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(ParameterError, match="finite number"):
        check_float(value, "share")


def test_a_choice_is_compared_by_type_too():
    assert check_choice("a", "mode", ("a", "b")) == "a"
    with pytest.raises(ParameterError, match="mode is 'c': it must be one of 'a', 'b'"):
        check_choice("c", "mode", ("a", "b"))
    with pytest.raises(ParameterError):
        check_choice(True, "neighbors", (1, 4))


@pytest.mark.parametrize("value", [(1, 2), (1, 2, 3, 4), 5, "123"])
def test_tuples_have_their_length(value):
    with pytest.raises(ParameterError, match="it must be a tuple of 3 integers"):
        check_int_tuple(value, "blocks", 3)


def test_an_element_is_named_by_its_place():
    with pytest.raises(ParameterError, match=r"blocks\[1\] is 0: it must be at least 1"):
        check_int_tuple((1, 0, 1), "blocks", 3, minimum=1)


def test_long_lists_of_names_are_cut():
    assert join_names("abcdefg", 3) == "a, b, c and 4 more"
    assert issubclass(ParameterError, MicroexprError)


def test_a_choice_out_of_an_array_is_the_choice():
    assert check_choice(np.int64(8), "neighbors", (8, 4)) == 8
    assert check_choice(np.str_("u2"), "bins", ("u2", "basic")) == "u2"
    with pytest.raises(ParameterError, match="flag is 1: it must be one of True, False"):
        check_choice(np.int64(1), "flag", (True, False))


def test_real_valued_frames_may_have_to_be_grey_levels():
    frames = np.full((2, 3, 4), 255.9)
    assert check_frames(frames, grey_levels=True) is frames
    assert check_frames(frames * 2).max() > 500
    for wrong in (frames * 2, frames - 300, (frames * 100).astype(np.int32)):
        with pytest.raises(DataError, match=r"toy: frames hold values from .* to .*; grey levels are within 0..255"):
            check_frames(wrong, name="toy", grey_levels=True)
