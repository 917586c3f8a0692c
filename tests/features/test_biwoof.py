import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import biwoof as naive
from PIL import Image

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.data import make_clips
from microexpr.data.synthetic import SyntheticSource
from microexpr.features.biwoof import BiWOOF, biwoof
from microexpr.testing import check_clip_transformer
from microexpr.video.flow import optical_flow
from microexpr.video.strain import optical_strain

GOLDEN = Path(__file__).parent.parent / "golden"
few = settings(max_examples=40, deadline=None)


def golden_inputs():
    inputs = np.load(GOLDEN / "biwoof_inputs.npz")
    return np.dstack([inputs["F1_u"], inputs["F1_v"]]), inputs["F1_os"]


def naive_of(flow, strain, blocks, n_bins=8, convention="paper"):
    found = naive.biwoof(
        flow[..., 0].tolist(), flow[..., 1].tolist(), np.asarray(strain).tolist(), *blocks, n_bins, convention
    )
    return np.array(found)


def flows(values=None, min_size=(4, 4), max_size=(13, 11)):
    """Flow fields of any size between two, filled from a seed: with `values`, or with normal numbers."""

    def fill(shape_and_seed):
        shape, seed = shape_and_seed
        rng = np.random.default_rng(seed)
        return rng.normal(size=(*shape, 2)) if values is None else rng.choice(values, (*shape, 2))

    sizes = st.tuples(*(st.integers(low, high) for low, high in zip(min_size, max_size, strict=True)))
    return st.tuples(sizes, st.integers(0, 2**32 - 1)).map(fill)


def pointing(degrees, shape=(9, 12)):
    """A constant flow of length 2 in a direction; 90 degrees is downwards."""
    flow = np.empty((*shape, 2))
    flow[:] = 2 * np.cos(np.radians(degrees)), 2 * np.sin(np.radians(degrees))
    return flow


# The authors' program


@pytest.mark.parametrize("n_blocks", [5, 8])
def test_golden_arrays_are_reproduced(n_blocks):
    flow, strain = golden_inputs()
    expected = np.load(GOLDEN / "biwoof.npz")[f"biwoof_F1_b{n_blocks}"]
    found = biwoof(flow, strain=strain, blocks=(n_blocks, n_blocks), convention="liong2018")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_blocks", [5, 8])
def test_golden_sums_of_strain_weigh_the_blocks(n_blocks):
    flow, strain = golden_inputs()
    found = biwoof(flow, strain=strain, blocks=(n_blocks, n_blocks), convention="liong2018")
    # A block's bins sum to 1 before they are weighted, so their sums are the weights but for one factor.
    weights = found.reshape(-1, 8).sum(axis=1)
    expected = np.load(GOLDEN / "biwoof.npz")[f"biwoof_F1_b{n_blocks}_sumos"].ravel()
    np.testing.assert_allclose(weights / weights.sum(), expected / expected.sum(), atol=1e-12)


# The slow twin


@few
@given(
    flow=st.one_of(flows(), flows(np.arange(-2.0, 3.0)), flows(np.array([-1.5, -0.0, 0.0, 1.5]))),
    n_rows=st.integers(1, 4),
    n_columns=st.integers(1, 4),
    n_bins=st.sampled_from([1, 4, 5, 8, 12]),
)
def test_paper_equals_its_twin(flow, n_rows, n_columns, n_bins):
    strain = np.random.default_rng(1).random(flow.shape[:2])
    found = biwoof(flow, strain=strain, blocks=(n_rows, n_columns), n_bins=n_bins)
    np.testing.assert_allclose(found, naive_of(flow, strain, (n_rows, n_columns), n_bins), rtol=1e-12, atol=1e-12)


@few
@given(
    flow=st.one_of(flows(), flows(np.arange(-2.0, 3.0)), flows(np.array([-1.5, -0.0, 0.0, 1.5]))),
    n_blocks=st.integers(2, 4),
)
def test_liong2018_equals_its_twin(flow, n_blocks):
    strain = np.random.default_rng(1).random(flow.shape[:2])
    blocks = (n_blocks, n_blocks)
    found = biwoof(flow, strain=strain, blocks=blocks, convention="liong2018")
    np.testing.assert_allclose(found, naive_of(flow, strain, blocks, convention="liong2018"), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("convention", ["paper", "liong2018"])
def test_vectors_a_rounding_away_from_an_edge_are_where_the_angle_puts_them(convention):
    tiny = np.finfo(float).eps
    steps = np.concatenate([1 + tiny * np.arange(-4, 5), [1 - 1e-11, 1 + 1e-11, 1 - 1e-13, 1 + 1e-13]])
    small = np.array([0.0, -0.0, 1e-300, 1e-17, 1e-16, 3e-16, 1e-13, 1e-11])
    ends = [
        (s * a, t * b)
        for a, b in [(1.0, x) for x in steps] + [(1.0, x) for x in small]
        for s in (1, -1)
        for t in (1, -1)
    ]
    ends += [(v, u) for u, v in ends]
    for u, v in ends:
        flow = np.tile([u, v], (4, 4, 1))
        found = biwoof(flow, strain=np.ones((4, 4)), blocks=(2, 2), convention=convention)
        expected = naive_of(flow, np.ones((4, 4)), (2, 2), convention=convention)
        np.testing.assert_allclose(found, expected, atol=1e-12, err_msg=f"{u!r}, {v!r}")


def test_strain_is_optical_strain_to_the_last_bit_where_none_is_given():
    for shape in ((50, 45), (2, 2), (2, 7), (5, 2), (3, 3)):
        flow = np.random.default_rng(2).normal(size=(*shape, 2))
        for n_blocks in (1, 2):
            given_strain = biwoof(flow, strain=optical_strain(flow), blocks=(n_blocks, n_blocks))
            np.testing.assert_array_equal(biwoof(flow, blocks=(n_blocks, n_blocks)), given_strain)


def test_kernels_run_uncompiled():
    code = (
        "import numpy as np, sys; sys.path.insert(0, 'tests');"
        "from naive import biwoof as naive; from microexpr.features.biwoof import biwoof;"
        "from microexpr.video.strain import optical_strain;"
        "flow = np.random.default_rng(3).integers(-2, 3, (7, 9, 2)).astype(float); strain = optical_strain(flow);"
        "lists = [x.tolist() for x in (flow[..., 0], flow[..., 1], strain)];"
        "cases = [('paper', 8), ('paper', 5), ('liong2018', 8)];"
        "same = [np.allclose(biwoof(flow, blocks=(3, 3), n_bins=n, convention=c),"
        " naive.biwoof(*lists, 3, 3, n, c), rtol=0, atol=1e-12) for c, n in cases];"
        "assert all(same), same"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    root = Path(__file__).parent.parent.parent
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, cwd=root, check=True, timeout=120)


# By hand


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        *((-180 + 45 * k + part, k) for k in range(8) for part in (1.0, 22.5, 44.0)),
        (0.0, 4),
        (90.0, 6),
        (180.0, 7),
        (179.999, 7),
        (-179.999, 0),
        (0.001, 4),
        (-0.001, 3),
    ],
)
def test_constant_motion_is_in_the_bin_of_its_direction_alone(degrees, expected):
    flow = pointing(degrees)
    if degrees == 180.0:
        flow[..., 1] = 0.0
    histograms = biwoof(flow, strain=np.full((9, 12), 0.5), blocks=(3, 3)).reshape(9, 8)
    # 3 x 4 pixels of length 2 and strain 0.5.
    np.testing.assert_allclose(histograms[:, expected], 12.0)
    np.testing.assert_allclose(histograms.sum(axis=1), 12.0)


def test_motion_straight_to_the_left_has_one_orientation_whatever_the_sign_of_zero():
    flow = np.zeros((8, 8, 2))
    flow[..., 0] = -1.0
    negative = flow.copy()
    negative[..., 1] = -0.0
    for n_bins in (8, 6):
        options = {"strain": np.ones((8, 8)), "blocks": (1, 1), "n_bins": n_bins}
        assert biwoof(flow, **options).argmax() == n_bins - 1
        np.testing.assert_array_equal(biwoof(negative, **options), biwoof(flow, **options))


def test_liong2018_counts_135_degrees_in_the_eighth_bin_and_nothing_beyond():
    flow = np.zeros((4, 4, 2))
    flow[..., 0], flow[..., 1] = -1.0, 1.0
    options = {"strain": np.ones((4, 4)), "blocks": (2, 2), "convention": "liong2018"}
    np.testing.assert_allclose(biwoof(flow, **options).reshape(4, 8)[:, 7], 0.5)
    flow[..., 0] = -1.1
    assert not biwoof(flow, **options).any()


def test_the_last_block_takes_the_remainder_and_weighs_by_its_mean_strain():
    flow = np.ones((5, 7, 2)) * np.array([1.0, 0.5])
    strain = np.arange(35.0).reshape(5, 7)
    histograms = biwoof(flow, strain=strain, blocks=(2, 3)).reshape(2, 3, 8)[..., 4]
    # Rows 0-1 and 2-4, columns 0-1, 2-3 and 4-6.
    expected = [[4 * 4.0, 4 * 6.0, 6 * 8.5], [6 * 21.5, 6 * 23.5, 9 * 26.0]]
    np.testing.assert_allclose(histograms, np.multiply(expected, np.sqrt(1.25)))


# Properties


@few
@given(flow=flows(min_size=(12, 12), max_size=(12, 12)))
def test_a_mirrored_flow_permutes_blocks_and_bins(flow):
    mirrored = flow[:, ::-1] * [-1, 1]
    found = biwoof(mirrored, blocks=(3, 4)).reshape(3, 4, 8)
    expected = biwoof(flow, blocks=(3, 4)).reshape(3, 4, 8)[:, ::-1][..., [3, 2, 1, 0, 7, 6, 5, 4]]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@few
@given(flow=flows(), n_bins=st.sampled_from([2, 6, 8]))
def test_reversed_motion_turns_the_bins_by_180_degrees(flow, n_bins):
    turned = np.roll(biwoof(flow, blocks=(2, 3), n_bins=n_bins).reshape(6, n_bins), n_bins // 2, axis=1)
    np.testing.assert_allclose(biwoof(-flow, blocks=(2, 3), n_bins=n_bins).reshape(6, n_bins), turned, rtol=1e-12)


@few
@given(flow=flows(), scale=st.sampled_from([0.25, 3.0, 1e-40, 1e40]))
def test_scaling_the_motion_scales_paper_by_its_square_and_leaves_liong2018(flow, scale):
    options = {"blocks": (3, 3)}
    np.testing.assert_allclose(biwoof(scale * flow, **options), scale**2 * biwoof(flow, **options), rtol=1e-9)
    options["convention"] = "liong2018"
    np.testing.assert_allclose(biwoof(scale * flow, **options), biwoof(flow, **options), atol=1e-12)


@few
@given(flow=flows())
def test_liong2018_has_unit_length(flow):
    found = biwoof(flow, strain=np.ones(flow.shape[:2]), blocks=(2, 2), convention="liong2018")
    np.testing.assert_allclose(np.linalg.norm(found), 1.0 if found.any() else 0.0)


@pytest.mark.parametrize("convention", ["paper", "liong2018"])
def test_no_motion_gives_zeros(convention):
    for flow in (np.zeros((9, 10, 2)), np.full((9, 10, 2), -0.0)):
        found = biwoof(flow, blocks=(2, 2), convention=convention)
        assert found.shape == (32,)
        assert not found.any()


@pytest.mark.parametrize("convention", ["paper", "liong2018"])
def test_a_still_block_is_zero_and_the_others_are_not(convention):
    flow = np.zeros((8, 8, 2))
    flow[5:, 5:] = np.random.default_rng(0).random((3, 3, 2)) + 0.1
    found = biwoof(flow, strain=np.ones((8, 8)), blocks=(2, 2), convention=convention).reshape(4, 8)
    assert found.any(axis=1).tolist() == [False, False, False, True]
    assert np.isfinite(found).all()


def test_flow_may_be_single_precision_strided_or_read_only_and_is_left_alone():
    flow, strain = golden_inputs()
    expected = biwoof(flow.astype(np.float32).astype(np.float64))
    np.testing.assert_array_equal(biwoof(flow.astype(np.float32)), expected)
    view = np.repeat(flow, 2, axis=1)[:, ::2]
    view.setflags(write=False)
    before = view.copy()
    np.testing.assert_array_equal(biwoof(view, strain=np.asfortranarray(strain)), biwoof(flow, strain=strain))
    np.testing.assert_array_equal(view, before)


# Parameters and data


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"blocks": 8}, "blocks is 8: it must be a tuple of 2 integers"),
        ({"blocks": (8, 0)}, r"blocks\[1\] is 0: it must be at least 1"),
        ({"n_bins": 0}, "n_bins is 0: it must be at least 1"),
        ({"n_bins": 7.5}, "n_bins is 7.5: it must be an integer"),
        ({"convention": "liong"}, "convention is 'liong': it must be one of 'paper', 'liong2018'"),
        ({"convention": "liong2018", "n_bins": 9}, "n_bins is 9: it must be 8 for convention 'liong2018'"),
        ({"convention": "liong2018", "blocks": (5, 6)}, r"blocks is \(5, 6\): it must be \(n, n\) with n > 1"),
        ({"convention": "liong2018", "blocks": (1, 1)}, r"blocks is \(1, 1\): it must be \(n, n\) with n > 1"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        biwoof(golden_inputs()[0], **params)
    with pytest.raises(ParameterError, match=message):
        BiWOOF(**params).fit([])


def test_an_unknown_flow_method_is_refused():
    with pytest.raises(ParameterError, match="method is 'lk': it must be one of 'tvl1'"):
        BiWOOF(method="lk").fit([])


@pytest.mark.parametrize(
    ("flow", "strain", "message"),
    [
        (np.zeros((9, 9)), None, r"flow has shape \(9, 9\); it must be \(height, width, 2\)"),
        (np.zeros((9, 9, 3)), None, r"flow has shape \(9, 9, 3\)"),
        (np.zeros((1, 9, 2)), None, "at least 2 x 2 pixels"),
        (np.zeros((0, 9, 2)), None, "no array of numbers"),
        (np.full((9, 9, 2), "a"), None, "no array of numbers"),
        ([[1, 2], [3]], None, "flow is no array of shape"),
        (np.zeros((7, 9, 2)), None, "7 rows of pixels cannot be cut into 8 blocks"),
        (np.zeros((9, 7, 2)), None, "7 columns of pixels cannot be cut into 8 blocks"),
        (np.zeros((9, 9, 2)), np.zeros((9, 8)), r"strain has shape \(9, 8\); it must be that of the flow, \(9, 9\)"),
        (np.zeros((9, 9, 2)), np.full((9, 9), np.nan), "strain holds NaN"),
        (np.zeros((9, 9, 2)), np.full((9, 9), -1.0), "strain holds NaN, or values that are negative"),
        (np.zeros((9, 9, 2)), np.full((9, 9), np.inf), "strain holds NaN"),
    ],
)
def test_what_is_no_flow_or_no_strain_is_refused(flow, strain, message):
    with pytest.raises(DataError, match=message) as refusal:
        biwoof(flow, strain=strain)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e101])
@pytest.mark.parametrize("n_bins", [8, 6])
@pytest.mark.parametrize("place", [(0, 0, 0), (11, 12, 1), (6, 3, 1)])
def test_a_single_bad_value_of_flow_is_refused(value, n_bins, place):
    flow = np.ones((12, 13, 2))
    flow[place] = value
    for strain in (None, np.ones((12, 13))):
        with pytest.raises(DataError, match="flow: flow holds NaN, infinity or values beyond 1e\\+100"):
            biwoof(flow, strain=strain, n_bins=n_bins)


# The transformer


def test_transformer_gives_the_function_s_values_of_onset_and_apex():
    clip = make_clips(n_subjects=1, clips_per_subject=1, size=(70, 60)).clips[0]
    frames = clip.frames()
    flow = optical_flow(frames[clip.onset], frames[clip.apex], method="dis")
    [row] = BiWOOF(blocks=(5, 6), n_bins=6, method="dis").transform([clip])
    np.testing.assert_array_equal(row, biwoof(flow, blocks=(5, 6), n_bins=6))
    [row] = BiWOOF(convention="liong2018", method="dis").transform([clip])
    np.testing.assert_array_equal(row, biwoof(flow, convention="liong2018"))


@pytest.mark.parametrize("unit", ["12", "1", "4"])
def test_the_fullest_bin_of_a_synthetic_clip_is_where_its_skin_moves(unit):
    source = SyntheticSource({f"L{unit}": 1.0, f"R{unit}": 1.0}, n_frames=12, apex=6, offset=11, peak=2.5, sway=0.0)
    clip = Clip("toy/sub01/a", source, onset=0, apex=6, offset=11)
    [row] = BiWOOF(blocks=(4, 4), n_bins=6, method="farneback").transform([clip])
    expected = biwoof(source.true_flow(6), blocks=(4, 4), n_bins=6).reshape(16, 6)
    block = expected.sum(axis=1).argmax()
    assert row.reshape(16, 6)[block].argmax() == expected[block].argmax()


def test_a_still_clip_gives_zeros():
    frame = np.random.default_rng(0).integers(0, 256, (40, 36), dtype=np.uint8)
    clip = Clip("toy/sub01/a", ArraySource(np.stack([frame] * 3)), onset=0, apex=2)
    for convention in ("paper", "liong2018"):
        [row] = BiWOOF(convention=convention).transform([clip])
        assert row.shape == (512,)
        assert not row.any()


def test_a_stored_map_is_read_as_flow_from_its_medians_with_its_own_strain(tmp_path):
    stored = np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8)
    Image.fromarray(stored).save(tmp_path / "map.png")
    [row] = BiWOOF(blocks=(4, 4)).transform([Clip("toy/sub01/map", FlowMapSource(tmp_path / "map.png"))])
    u, v, strain = (stored[..., channel].astype(float) for channel in range(3))
    flow = np.dstack([u - np.median(u), v - np.median(v)])
    np.testing.assert_allclose(row, naive_of(flow, strain, (4, 4)), rtol=1e-12)


def test_the_contract_of_transformers_is_kept():
    check_clip_transformer(BiWOOF(method="dis"), make_clips(n_subjects=1, clips_per_subject=3, size=(40, 36)).clips)


def test_the_clip_is_named_where_it_is_refused():
    frames = np.random.default_rng(0).integers(0, 256, (3, 12, 12), dtype=np.uint8)
    with pytest.raises(NeedsError, match="toy/sub01/a: the apex is unknown"):
        BiWOOF().transform([Clip("toy/sub01/a", ArraySource(frames))])
    with pytest.raises(DataError, match="toy/sub01/a: 12 rows of pixels cannot be cut into 13 blocks"):
        BiWOOF(blocks=(13, 13), method="dis").transform([Clip("toy/sub01/a", ArraySource(frames), onset=0, apex=1)])
