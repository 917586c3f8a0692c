import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from naive import mdmo as naive

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.data import make_clips
from microexpr.data.synthetic import SyntheticSource
from microexpr.features.mdmo import MDMO, mdmo
from microexpr.testing import check_clip_transformer
from microexpr.video.flow import optical_flow

few = settings(max_examples=25, deadline=None)


def naive_of(flows, regions, alpha=0.9):
    return np.array(naive.mdmo(np.asarray(flows, float).tolist(), np.asarray(regions).tolist(), alpha))


def flows_and_regions(values=None):
    """Flows and overlapping regions of any size, filled from a seed: with `values`, or with normal numbers."""

    def fill(shape_and_seed):
        (n_frames, height, width, n_regions), seed = shape_and_seed
        rng = np.random.default_rng(seed)
        shape = (n_frames, height, width, 2)
        flows = rng.normal(size=shape) if values is None else rng.choice(values, shape)
        regions = rng.random((n_regions, height, width)) < 0.4
        regions[:, 0, -1] = True
        return flows, regions

    sizes = st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 8), st.integers(1, 4))
    return st.tuples(sizes, st.integers(0, 2**32 - 1)).map(fill)


def constant(u, v, n_frames=3, shape=(6, 7)):
    flows = np.empty((n_frames, *shape, 2))
    flows[:] = u, v
    return flows


def pointing(degrees, length=2.0):
    return length * np.cos(np.radians(degrees)), length * np.sin(np.radians(degrees))


def whole(shape=(6, 7)):
    return np.ones((1, *shape), bool)


def apart(theta, other):
    """The difference of two angles as angles, -pi to pi."""
    return np.angle(np.exp(1j * (np.asarray(theta) - other)))


def ties(flows, regions):
    """Whether some region has, in some frame, two fullest bins."""
    bins = np.rint(np.degrees(np.arctan2(flows[..., 1], flows[..., 0])) / 45).astype(int) % 8
    for frame in bins:
        for region in regions:
            counts = np.sort(np.bincount(frame[region], minlength=8))
            if counts[-1] == counts[-2]:
                return True
    return False


# The slow twin


@few
@given(data=st.one_of(flows_and_regions(), flows_and_regions(np.array([-3.0, -1.0, -0.0, 0.0, 1.0, 3.0]))))
def test_mdmo_equals_its_twin(data):
    flows, regions = data
    found, expected = mdmo(flows, regions, alpha=0.5), naive_of(flows, regions, alpha=0.5)
    n_regions = len(regions)
    np.testing.assert_allclose(found[:n_regions], expected[:n_regions], rtol=1e-9, atol=1e-12)
    # Vectors that cancel leave a rounding error, whose direction means nothing.
    clear = expected[:n_regions] > 1e-9
    np.testing.assert_allclose(apart(found[n_regions:] / 0.5, expected[n_regions:] / 0.5)[clear], 0, atol=1e-9)


def test_mdmo_equals_its_twin_on_a_larger_field_of_36_regions():
    rng = np.random.default_rng(4)
    flows = rng.normal(size=(3, 31, 37, 2)) + np.array([0.5, -0.3])
    regions = np.zeros((36, 31, 37), bool)
    for k in range(36):
        regions[k, k // 6 * 5 : k // 6 * 5 + 5, k % 6 * 6 : k % 6 * 6 + 7] = True
    np.testing.assert_allclose(mdmo(flows, regions), naive_of(flows, regions), rtol=1e-9, atol=1e-12)


def test_kernels_run_uncompiled():
    code = (
        "import numpy as np, sys; sys.path.insert(0, 'tests');"
        "from naive import mdmo as naive; from microexpr.features.mdmo import mdmo;"
        "rng = np.random.default_rng(3); flows = rng.normal(size=(2, 7, 9, 2)); flows[0, :4] = 0;"
        "regions = rng.random((3, 7, 9)) < 0.5;"
        "expected = naive.mdmo(flows.tolist(), regions.tolist(), 0.9);"
        "assert np.allclose(mdmo(flows, regions), expected, atol=1e-12, rtol=0)"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    root = Path(__file__).parent.parent.parent
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, cwd=root, check=True, timeout=120)


# By hand


@pytest.mark.parametrize("degrees", [*range(-180, 180, 15), 0.01, -0.01, 179.99, -179.99, 22.4, 22.6, -22.4, -22.6])
def test_constant_motion_has_its_own_direction(degrees):
    found = mdmo(constant(*pointing(degrees)), whole(), alpha=0.25)
    assert found[0] == pytest.approx(0.25)
    assert apart(found[1] / 0.75, np.radians(degrees)) == pytest.approx(0, abs=1e-12)
    assert -np.pi < found[1] / 0.75 <= np.pi


@pytest.mark.parametrize("main", range(0, 360, 45))
def test_the_fullest_bin_alone_counts(main):
    flows = constant(*pointing(main + 40.0, 9.0), n_frames=2)
    # 42 pixels: 22 of them on both sides of the main direction, the rest in the next bin.
    flows.reshape(2, 42, 2)[:, :11] = pointing(main + 20.0)
    flows.reshape(2, 42, 2)[:, 11:22] = pointing(main - 20.0)
    rho, theta = mdmo(np.concatenate([flows, constant(*pointing(main, 1.0), n_frames=2)]), whole(), alpha=0.5)
    assert rho == 0.5
    assert apart(theta / 0.5, np.radians(main)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("sides", [(350.0, 10.0), (170.0, -170.0), (1.0, -1.0)])
def test_directions_on_both_sides_of_the_wrap_average_to_the_one_between(sides):
    flows = constant(*pointing(sides[0]))
    flows[:, ::2] = pointing(sides[1])
    theta = mdmo(flows, whole(), alpha=0.0)[1]
    assert apart(theta, np.radians(180.0 if sides[0] == 170.0 else 0.0)) == pytest.approx(0, abs=1e-12)


def test_means_over_frames_are_of_vectors():
    # A long motion to the right and a short one downwards: (3 + 0, 0 + 1) / 2, not the mean of 0 and 90 degrees.
    flows = np.concatenate([constant(3.0, 0.0, n_frames=1), constant(0.0, 1.0, n_frames=1)])
    assert mdmo(flows, whole(), alpha=0.0)[1] == pytest.approx(np.arctan2(1.0, 3.0))


def test_lengths_are_divided_by_the_largest_and_come_first():
    flows = constant(4.0, 0.0, shape=(2, 3))
    flows[:, :, 1] = 0.0, -1.0
    flows[:, :, 2] = -2.0, 0.0
    regions = np.zeros((3, 2, 3), bool)
    for k in range(3):
        regions[k, :, k] = True
    expected = [0.8, 0.2, 0.4, 0.0, 0.2 * -np.pi / 2, 0.2 * np.pi]
    np.testing.assert_allclose(mdmo(flows, regions, alpha=0.8), expected)


def test_of_equally_full_bins_the_first_counts():
    for first, second in ((0, 45), (45, 315), (90, 135), (180, 270), (225, 270)):
        flows = constant(*pointing(second + 3.0), shape=(2, 2))
        flows[:, 0] = pointing(first + 3.0)
        theta = mdmo(flows, whole((2, 2)), alpha=0.0)[1]
        assert apart(theta, np.radians(first + 3.0)) == pytest.approx(0, abs=1e-12)


def test_still_pixels_are_in_no_bin_but_still_frames_count_in_the_mean():
    flows = np.zeros((2, 4, 5, 2))
    flows[0, 1, 2] = 0.0, 2.0
    flows[1, 3] = 0.0, 2.0
    regions = np.zeros((2, 4, 5), bool)
    regions[0, :3] = regions[1, 1:] = True
    # The first region moves in one of two frames, the second in both.
    np.testing.assert_allclose(mdmo(flows, regions, alpha=0.5), [0.25, 0.5, np.pi / 4, np.pi / 4])


def test_a_region_without_motion_has_zeros():
    flows = constant(-1.0, 0.0)
    flows[:, :3] = -0.0
    regions = np.zeros((2, 6, 7), bool)
    regions[0, :3] = regions[1, 3:] = True
    np.testing.assert_allclose(mdmo(flows, regions, alpha=0.5), [0.0, 0.5, 0.0, np.pi / 2])
    assert not mdmo(np.zeros((3, 6, 7, 2)), regions).any()


def test_motion_to_the_left_is_plus_pi_whatever_the_sign_of_zero():
    for v in (0.0, -0.0, -1e-300):
        assert mdmo(constant(-1.0, v), whole(), alpha=0.0)[1] == np.pi


# Properties


@few
@given(data=flows_and_regions(), scale=st.sampled_from([1e-30, 0.25, 3.0, 1e30]))
def test_scaling_the_motion_changes_nothing(data, scale):
    flows, regions = data
    np.testing.assert_allclose(mdmo(scale * flows, regions), mdmo(flows, regions), atol=1e-12)


@few
@given(data=flows_and_regions())
def test_reversed_motion_turns_the_directions_by_180_degrees(data):
    # Two opposite bins may be equally full: one region of one pixel has no ties.
    flows, regions = data
    regions = regions & False
    regions[:, 0, 0] = True
    n_regions = len(regions)
    found, turned = mdmo(flows, regions, alpha=0.5), mdmo(-flows, regions, alpha=0.5)
    np.testing.assert_allclose(turned[:n_regions], found[:n_regions], rtol=1e-12)
    np.testing.assert_allclose(np.abs(apart(turned[n_regions:] * 2, found[n_regions:] * 2)), np.pi)


@few
@given(
    sizes=st.tuples(st.integers(1, 3), st.integers(5, 12), st.integers(5, 13)),
    towards=st.floats(0, 360),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_mirrored_field_has_mirrored_directions_in_mirrored_regions(sizes, towards, seed):
    rng = np.random.default_rng(seed)
    flows = rng.normal(size=(*sizes, 2)) + pointing(towards, 1.0)
    regions = rng.random((4, *sizes[1:])) < 0.5
    regions[:, 0, 0] = True
    # Of equally full bins the first counts, which is another one in the mirror.
    assume(not ties(flows, regions))
    found = mdmo(flows, regions, alpha=0.5)
    mirrored = mdmo(flows[:, :, ::-1] * [-1, 1], regions[:, :, ::-1], alpha=0.5)
    np.testing.assert_allclose(mirrored[:4], found[:4], rtol=1e-12)
    np.testing.assert_allclose(apart(mirrored[4:] * 2, np.pi - found[4:] * 2), 0, atol=1e-12)


def test_the_order_of_frames_does_not_matter():
    rng = np.random.default_rng(0)
    flows, regions = rng.normal(size=(4, 9, 9, 2)), rng.random((3, 9, 9)) < 0.5
    np.testing.assert_allclose(mdmo(flows[::-1], regions), mdmo(flows, regions), atol=1e-12)


def test_a_row_of_one_region_depends_on_its_pixels_alone_but_for_the_largest():
    rng = np.random.default_rng(0)
    flows, regions = rng.normal(size=(2, 9, 9, 2)), rng.random((3, 9, 9)) < 0.5
    theta = mdmo(flows, regions, alpha=0.0)[3:]
    for k in range(3):
        cleared = np.where(regions[k][..., None], flows, 7.0)
        assert mdmo(cleared, regions[k : k + 1], alpha=0.0)[1] == pytest.approx(theta[k])


def test_flows_may_be_single_precision_strided_or_read_only_and_are_left_alone():
    rng = np.random.default_rng(0)
    flows, regions = rng.normal(size=(2, 9, 8, 2)).astype(np.float32), rng.random((3, 9, 8)) < 0.5
    expected = mdmo(flows.astype(np.float64), regions)
    np.testing.assert_allclose(mdmo(flows, regions), expected, rtol=1e-12)
    view = np.repeat(flows.astype(np.float64), 2, axis=2)[:, :, ::2]
    view.setflags(write=False)
    before = view.copy()
    np.testing.assert_array_equal(mdmo(view, np.asfortranarray(regions)), expected)
    np.testing.assert_array_equal(view, before)
    whole_numbers = (flows * 3).astype(np.int16)
    np.testing.assert_array_equal(mdmo(whole_numbers, regions), mdmo(whole_numbers.astype(float), regions))


# Parameters and data


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": -0.1}, "alpha is -0.1: it must be at least 0"),
        ({"alpha": 1.1}, "alpha is 1.1: it must be at most 1"),
        ({"alpha": "a"}, "alpha is 'a': it must be a finite number"),
        ({"regions": "mdmo"}, "regions is 'mdmo': it must be one of 'mdmo36'"),
        ({"grid": (6, 0)}, r"grid\[1\] is 0: it must be at least 1"),
        ({"grid": (6, 6)}, r"grid is \(6, 6\): it must be None, regions='mdmo36' has no grid"),
        ({"grid": (2, 2), "regions": "kato15"}, r"grid is \(2, 2\): it must be None, regions='kato15' has no grid"),
        ({"method": "lk"}, "method is 'lk': it must be one of 'tvl1'"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        MDMO(**params).fit([])
    if "alpha" in params:
        with pytest.raises(ParameterError, match=message):
            mdmo(constant(1.0, 0.0), whole(), **params)


@pytest.mark.parametrize(
    ("flows", "message"),
    [
        (np.zeros((6, 7, 2)), r"shape \(6, 7, 2\) is no flow; it must be numbers of shape \(n_frames, height, width"),
        (np.zeros((3, 6, 7, 3)), "is no flow"),
        (np.zeros((0, 6, 7, 2)), "is no flow"),
        (np.full((3, 6, 7, 2), "a"), "is no flow"),
        ([np.zeros((6, 7, 2)), np.zeros((6, 8, 2))], "flow fields differ in size"),
    ],
)
def test_what_is_no_flow_is_refused(flows, message):
    with pytest.raises(DataError, match=message):
        mdmo(flows, whole())


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        (np.ones((6, 7), bool), r"shape \(6, 7\) are no masks; they must be bool of shape \(n_regions, 6, 7\)"),
        (np.ones((1, 7, 6), bool), "are no masks"),
        (np.ones((0, 6, 7), bool), "are no masks"),
        (np.ones((1, 6, 7), int), "of dtype int64 .* are no masks"),
        ([np.ones((6, 7), bool), np.ones((6, 8), bool)], "regions differ in size"),
        (np.stack([whole()[0], ~whole()[0]]), r"regions \[1\] have no pixel"),
    ],
)
def test_what_are_no_masks_is_refused(regions, message):
    with pytest.raises(DataError, match=message):
        mdmo(constant(1.0, 0.0), regions)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e101])
@pytest.mark.parametrize("place", [(0, 0, 0, 0), (2, 5, 6, 1)])
def test_a_single_bad_value_is_refused_wherever_it_is(value, place):
    flows, regions = constant(1.0, 0.0), whole()
    flows[place] = value
    regions[0, :, 3:] = False
    with pytest.raises(DataError, match="flows: the flow holds NaN, infinity or values beyond 1e\\+100"):
        mdmo(flows, regions)


# The transformer


def test_transformer_takes_the_flow_of_the_onset_to_each_later_frame_up_to_the_offset():
    frames = make_clips(n_subjects=1, clips_per_subject=1, size=(60, 50)).clips[0].frames()[:9]
    clip = Clip("toy/sub01/a", ArraySource(frames), onset=2, offset=6)
    [row] = MDMO(regions="grid", grid=(2, 3), alpha=0.7, method="dis").transform([clip])
    flows = np.stack([optical_flow(frames[2], frames[position], method="dis") for position in (3, 4, 5, 6)])
    rows, columns = np.mgrid[0:60, 0:50] + 0.5
    regions = np.stack([(rows * 2 // 60 == k // 3) & (columns * 3 // 50 == k % 3) for k in range(6)])
    np.testing.assert_allclose(row, mdmo(flows, regions, alpha=0.7), atol=1e-12)


@pytest.mark.parametrize("unit", ["12", "1", "4"])
def test_the_direction_of_a_synthetic_clip_is_where_its_skin_moves(unit):
    source = SyntheticSource({f"L{unit}": 1.0, f"R{unit}": 1.0}, n_frames=8, apex=4, offset=7, peak=2.5, sway=0.0)
    clip = Clip("toy/sub01/a", source, onset=0, apex=4, offset=7)
    [row] = MDMO(regions="grid", alpha=0.5).transform([clip])
    rows, columns = np.mgrid[0:140, 0:120] + 0.5
    regions = np.stack([(rows * 6 // 140 == k // 6) & (columns * 6 // 120 == k % 6) for k in range(36)])
    truth = mdmo(np.stack([source.true_flow(frame) for frame in range(1, 8)]), regions, alpha=0.5)
    strongest = truth[:36].argsort()[-2:]
    np.testing.assert_allclose(apart(row[36:] * 2, truth[36:] * 2)[strongest], 0, atol=0.4)
    assert row[:36][strongest].min() > 0.5 * row[:36].max()


def test_a_grid_may_be_set_before_or_after_its_regions():
    frames = np.random.default_rng(0).integers(0, 256, (3, 12, 12), dtype=np.uint8)
    one = MDMO().set_params(grid=(2, 3)).set_params(regions="grid")
    two = MDMO().set_params(regions="grid").set_params(grid=(2, 3))
    assert one.transform([frames]).shape == two.transform([frames]).shape == (1, 12)


def test_a_grid_may_have_as_many_rows_and_columns_as_the_picture():
    frames = np.random.default_rng(0).integers(0, 256, (3, 12, 10), dtype=np.uint8)
    assert MDMO(regions="grid", grid=(12, 10)).transform([frames]).shape == (1, 240)


def test_regions_of_the_face_are_those_of_the_onset_frame():
    clip = make_clips(n_subjects=1, clips_per_subject=1, size=(140, 120)).clips[0]
    frames = clip.frames()[:3]
    short = Clip("toy/sub01/a", ArraySource(frames))
    assert MDMO().transform([short]).shape == (1, 72)
    assert MDMO(regions="kato15").transform([short]).shape == (1, 30)
    # What comes before the onset is not looked at: there is no face in it.
    later = Clip("toy/sub01/a", ArraySource(np.concatenate([np.zeros_like(frames[:2]), frames])), onset=2)
    np.testing.assert_array_equal(MDMO().transform([later]), MDMO().transform([short]))


def test_a_still_clip_gives_zeros():
    texture = np.random.default_rng(0).integers(0, 256, (40, 36), dtype=np.uint8)
    # Farneback's flow between equal frames is zero only where there is no texture.
    for frame, method in ((texture, "tvl1"), (texture, "dis"), (np.full_like(texture, 77), "farneback")):
        clip = Clip("toy/sub01/a", ArraySource(np.stack([frame] * 3)))
        row = MDMO(regions="grid", method=method).transform([clip])
        assert row.shape == (1, 72)
        assert not row.any()


def test_the_contract_of_transformers_is_kept():
    clips = make_clips(n_subjects=1, clips_per_subject=3, size=(40, 36), duration=(0.05, 0.06)).clips
    check_clip_transformer(MDMO(regions="grid", grid=(2, 2)), clips)


def test_the_clip_is_named_where_it_is_refused():
    frames = np.random.default_rng(0).integers(0, 256, (3, 12, 12), dtype=np.uint8)
    grid = MDMO(regions="grid", grid=(2, 2))
    with pytest.raises(NeedsError, match="toy/sub01/map: a stored flow map has no frames"):
        grid.transform([Clip("toy/sub01/map", FlowMapSource("map.png"))])
    with pytest.raises(DataError, match="toy/sub01/a: there is no frame to compute the flow to"):
        grid.transform([Clip("toy/sub01/a", ArraySource(frames), onset=2)])
    with pytest.raises(DataError, match="toy/sub01/a: the clip has 1 frame, 2 are needed"):
        grid.transform([Clip("toy/sub01/a", ArraySource(frames[:1]))])
    with pytest.raises(DataError, match="toy/sub01/a: 12 rows of pixels cannot be cut into 13 blocks"):
        MDMO(regions="grid", grid=(13, 1)).transform([Clip("toy/sub01/a", ArraySource(frames))])
