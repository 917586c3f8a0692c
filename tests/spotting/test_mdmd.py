"""MDMD: against a slow twin of the published program's description, by hand, and in a stream."""

import numpy as np
import pytest
from naive import mdmd as naive
from toyset.movingfaces import POINTS, SIZE, cosine_course, faces, pictures

from microexpr.core.errors import DataError, ParameterError
from microexpr.spotting._blocks import BlockGrid
from microexpr.spotting.mdmd import MDMD, directional_difference
from microexpr.video.flow import optical_flow


def grid(blocks, size):
    """Labels of blocks x blocks blocks from the upper left on; what is left over has none."""
    labels = np.full((size, size), -1)
    whole = size // blocks
    for row in range(blocks):
        for column in range(blocks):
            labels[row * whole : (row + 1) * whole, column * whole : (column + 1) * whole] = row * blocks + column
    return labels


def flows(seed, size, *, whole=False):
    rng = np.random.default_rng(seed)
    pair = rng.normal(0.3, 1.0, (2, size, size, 2))
    # Whole numbers put vectors on the axes, and nothing at all in some.
    return np.rint(pair) if whole else pair


# Against the slow twin


@pytest.mark.parametrize("angles", ["atan", "atan2"])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(("blocks", "size"), [(6, 38), (2, 5), (1, 3)])
def test_difference_equals_the_slow_twin(angles, whole, blocks, size):
    for seed in range(3):
        flow, later = flows(seed, size, whole=whole)
        found, _ = directional_difference(flow, later, grid(blocks, size), n_blocks=blocks**2, angles=angles)
        assert found == pytest.approx(naive.difference(flow.tolist(), later.tolist(), blocks, angles), rel=1e-12)


def test_contrast_equals_the_slow_twin():
    numbers = np.random.default_rng(0).uniform(0, 1, 40)
    numbers[20] = np.nan
    # k = 6: neighbours 5 rows away.
    expected = [np.nan if value is None else value for value in naive.contrast(numbers.tolist(), 5)]
    np.testing.assert_allclose(MDMD().contrast(numbers, 6), expected, rtol=1e-12)


@pytest.mark.parametrize("eyes", [True, False])
def test_measuring_in_a_stream_equals_whole_arrays(eyes):
    greys = list(pictures(cosine_course(14, 3, 11), noise=1.0))
    rows = np.stack(list(MDMD(lags=(0.2, 0.5), eyes=eyes).measure(faces(greys), rate=10.0)))
    labels = BlockGrid(POINTS, SIZE, blocks=6, eyes=eyes)
    for column, lag in ((0, 2), (1, 5)):
        for row in range(lag, 14 - lag):
            ends = [optical_flow(greys[row - lag], greys[other], method="dis") for other in (row, row + lag)]
            difference, block = directional_difference(*ends, labels.labels, n_blocks=36)
            assert rows[row, column] == pytest.approx(difference / labels.unit, rel=1e-12)
            assert rows[row, 2 + column] == block


# By hand


@pytest.mark.parametrize(
    ("vector", "atan", "atan2"),
    [
        ((1, 1), 0, 0),
        ((-1, -1), 0, 2),
        ((1, -1), 3, 3),
        ((-1, 1), 3, 1),
        ((0, 1), 0, 1),
        # atan(0 / -1) is -0, which is not below 0.
        ((0, -1), 0, 3),
        ((1, 0), 1, 0),
        ((-1, 0), 3, 2),
    ],
)
def test_a_vector_is_in_one_quadrant(vector, atan, atan2):
    assert naive.quadrant_of(*map(float, vector), "atan") == atan
    assert naive.quadrant_of(*map(float, vector), "atan2") == atan2
    known = {0: (1, 1), 1: (-1, 1), 2: (-1, -1), 3: (1, -1)}
    for quadrant, other in known.items():
        flow = np.array([[vector, vector, other]], float) * [[[9], [9], [1]]]
        found, _ = directional_difference(flow, np.zeros_like(flow), np.zeros((1, 3), int), n_blocks=1, angles="atan2")
        large = 9 * np.hypot(*vector)
        # Two such vectors and one of a known quadrant: of three together, or of the two, the largest one counts.
        assert found == pytest.approx(large)
        # One such vector and two of a known quadrant: it counts only together with them.
        flow = np.array([[vector, other, other]], float) * [[[9], [1], [1]]]
        found, _ = directional_difference(flow, np.zeros_like(flow), np.zeros((1, 3), int), n_blocks=1, angles="atan2")
        assert found == pytest.approx(large if quadrant == atan2 else np.sqrt(2))


def test_the_largest_third_of_the_main_direction_counts():
    # Six pixels to the lower right of lengths 1 to 6, five to the upper left of length 100: 6 and 5 are a third of six.
    lengths = np.array([1, 2, 3, 4, 5, 6, -100, -100, -100, -100, -100.0])
    flow = np.stack([lengths * 0.6, lengths * 0.8], axis=-1)[None]
    found, _ = directional_difference(flow, np.zeros_like(flow), np.zeros((1, 11), int), n_blocks=1, angles="atan2")
    assert found == pytest.approx(5.5)
    # atan takes opposite directions for one: of eleven, the four longest.
    found, _ = directional_difference(flow, np.zeros_like(flow), np.zeros((1, 11), int), n_blocks=1, angles="atan")
    assert found == pytest.approx(100.0)


def test_what_is_still_away_later_is_no_difference():
    flow = np.full((6, 6, 2), 0.7)
    found, _ = directional_difference(flow, flow, grid(2, 6), n_blocks=4)
    assert found == 0.0


def test_nothing_moves_is_zero_and_no_pixel_is_unknown():
    still = np.zeros((6, 6, 2))
    assert directional_difference(still, still, grid(2, 6), n_blocks=4) == (0.0, 0)
    nothing, block = directional_difference(still, still, np.full((6, 6), -1), n_blocks=4)
    assert np.isnan(nothing)
    assert block == 0


def test_blocks_without_a_pixel_do_not_count():
    # Of three blocks, one third is one; the fourth has no pixel.
    flow = np.zeros((4, 4, 2))
    flow[:2, :2, 0] = 3.0
    labels = grid(2, 4)
    labels[labels == 3] = -1
    assert directional_difference(flow, np.zeros_like(flow), labels, n_blocks=4) == (pytest.approx(3.0), 0)


def test_numbers_are_in_distances_between_the_eyes():
    greys = list(pictures(cosine_course(13, 4, 8), motion=(0.0, -2.0)))
    peak = np.stack(list(MDMD(lags=(0.4, 0.6)).measure(faces(greys), rate=10.0)))[6, 0]
    unit = np.hypot(*(POINTS[36:42].mean(axis=0) - POINTS[42:48].mean(axis=0)))
    # The largest thirds of blocks and pixels move by a part of the two pixels.
    assert 0.2 < peak * unit < 2.0


def test_what_is_not_allowed_is_named():
    flow = np.zeros((4, 4, 2))
    with pytest.raises(DataError, match="one size is needed"):
        directional_difference(flow, flow, np.zeros((4, 5), int), n_blocks=1)
    with pytest.raises(ParameterError, match="angles is 'degrees'"):
        directional_difference(flow, flow, np.zeros((4, 4), int), n_blocks=1, angles="degrees")
    for params, said in (
        ({"blocks": 0}, "blocks is 0"),
        ({"angles": "x"}, "angles is 'x'"),
        ({"flow": "x"}, "flow is 'x'"),
        ({"eyes": 1}, "eyes is 1"),
    ):
        with pytest.raises(ParameterError, match=said):
            MDMD(**params).check_params()
