import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import strain as naive

from microexpr import features
from microexpr.core.errors import DataError
from microexpr.video.strain import optical_strain

few = settings(max_examples=40, deadline=None)


def flows():
    """Flow fields of any size from 2 x 2 on, filled from a seed."""
    sizes = st.tuples(st.integers(2, 9), st.integers(2, 8))
    return st.tuples(sizes, st.integers(0, 2**32 - 1)).map(
        lambda drawn: np.random.default_rng(drawn[1]).normal(size=(*drawn[0], 2))
    )


@few
@given(flow=flows())
def test_strain_equals_its_twin(flow):
    expected = naive.optical_strain(flow[..., 0].tolist(), flow[..., 1].tolist())
    np.testing.assert_allclose(optical_strain(flow), expected, rtol=1e-12)


@pytest.mark.parametrize("shape", [(2, 2), (2, 7), (7, 2), (3, 3), (11, 13)])
def test_strain_equals_its_twin_at_all_borders(shape):
    flow = np.random.default_rng(0).normal(size=(*shape, 2))
    expected = naive.optical_strain(flow[..., 0].tolist(), flow[..., 1].tolist())
    np.testing.assert_allclose(optical_strain(flow), expected, rtol=1e-12)


# Properties


@few
@given(flow=flows())
def test_a_mirrored_flow_has_mirrored_strain(flow):
    np.testing.assert_allclose(optical_strain(flow[:, ::-1] * [-1, 1]), optical_strain(flow)[:, ::-1], rtol=1e-12)
    np.testing.assert_allclose(optical_strain(flow[::-1] * [1, -1]), optical_strain(flow)[::-1], rtol=1e-12)


@few
@given(flow=flows())
def test_exchanging_the_axes_exchanges_them_in_the_strain(flow):
    np.testing.assert_allclose(optical_strain(flow.swapaxes(0, 1)[..., ::-1]), optical_strain(flow).T, rtol=1e-12)


@few
@given(flow=flows())
def test_reversed_motion_has_the_same_strain(flow):
    np.testing.assert_array_equal(optical_strain(-flow), optical_strain(flow))


@few
@given(flow=flows(), shift=st.tuples(st.floats(-9, 9), st.floats(-9, 9)))
def test_motion_of_the_whole_changes_nothing(flow, shift):
    np.testing.assert_allclose(optical_strain(flow + shift), optical_strain(flow), atol=1e-13)


@few
@given(flow=flows(), scale=st.sampled_from([1e-30, 0.3, 7.0, 1e30]))
def test_strain_grows_with_the_motion(flow, scale):
    np.testing.assert_allclose(optical_strain(scale * flow), scale * optical_strain(flow), rtol=1e-12)


@few
@given(shape=st.tuples(st.integers(2, 9), st.integers(2, 8)), u=st.floats(-9, 9), v=st.floats(-9, 9))
def test_a_constant_flow_has_no_strain(shape, u, v):
    assert not optical_strain(np.broadcast_to([u, v], (*shape, 2))).any()


def test_a_rotation_has_no_strain():
    # To first order: u = -a y, v = a x.
    row, column = np.mgrid[:6, :7].astype(float)
    np.testing.assert_allclose(optical_strain(np.stack([-0.1 * row, 0.1 * column], axis=-1)), 0, atol=1e-15)


# Data


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e101, -1e101])
@pytest.mark.parametrize("place", [(0, 0, 0), (3, 2, 1)])
def test_a_single_bad_value_is_refused(value, place):
    flow = np.ones((4, 3, 2))
    flow[place] = value
    with pytest.raises(DataError, match=r"^flow holds NaN, infinity or values beyond 1e\+100$"):
        optical_strain(flow)


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        (np.zeros((4, 3)), r"flow has shape \(4, 3\); it must be \(height, width, 2\)"),
        (np.zeros((4, 3, 3)), r"flow has shape \(4, 3, 3\)"),
        (np.zeros((1, 3, 2)), "at least 2 x 2 pixels"),
        (np.full((4, 3, 2), "a"), "flow of dtype <U1 is no array of numbers"),
        (np.zeros((4, 3, 2), complex), "flow of dtype complex128 is no array of numbers"),
        (np.zeros((4, 3, 2), object), "flow of dtype object is no array of numbers"),
        ([[1, 2], [3]], "flow is no array of shape"),
    ],
)
def test_what_is_no_flow_is_refused_in_one_line(flow, message):
    with pytest.raises(DataError, match=message) as refusal:
        optical_strain(flow)
    assert "\n" not in str(refusal.value)


def test_flow_may_be_single_precision_or_of_whole_numbers_and_is_left_alone():
    flow = np.random.default_rng(0).integers(-5, 6, (5, 6, 2))
    expected = optical_strain(flow.astype(np.float64))
    for dtype in (np.float32, np.int16):
        given_flow = flow.astype(dtype)
        given_flow.setflags(write=False)
        np.testing.assert_array_equal(optical_strain(given_flow), expected)


def test_it_is_one_of_the_features():
    assert features.optical_strain is optical_strain
