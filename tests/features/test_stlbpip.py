import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import stlbpip as naive

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.frames import to_grey
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.features import _lbptop_geometry as geometry
from microexpr.features import _robust_pca
from microexpr.features import _stlbpip_kernels as kernels
from microexpr.features._robust_pca import robust_pca
from microexpr.features.lbptop import lbptop
from microexpr.features.stlbpip import STLBPIP, stlbpip
from microexpr.testing import check_clip_transformer

GOLDEN = Path(__file__).parent.parent / "golden"
few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def clips(min_size=(4, 5, 5), max_size=(7, 13, 12)):
    """Clips of any size between two, filled from a seed with greys below 200, or with few of them."""
    sizes = st.tuples(*(st.integers(low, top) for low, top in zip(min_size, max_size, strict=True)))
    return st.tuples(sizes, seeds, st.sampled_from([2, 4, 200])).map(
        lambda drawn: np.random.default_rng(drawn[1]).integers(0, drawn[2], drawn[0], dtype=np.uint8)
    )


def one_clip(shape=(6, 26, 24), high=200, seed=0):
    return np.random.default_rng(seed).integers(0, high, shape, dtype=np.uint8)


def parts(vector, window):
    """Histograms of the horizontal projections, the vertical ones, XT and YT, of one block."""
    size = 2 ** (window - 1)
    return np.split(vector, [size, 2 * size, 2 * size + 59])


def moved_uniform(move):
    """The bins of uniform codes, and the last one, once neighbour p has become `move(p)`, which undoes itself."""
    uniform = [code for code in range(256) if bin((code ^ (code >> 1 | code << 7)) & 255).count("1") <= 2]
    moved = [sum((code >> p & 1) << move(p) % 8 for p in range(8)) for code in uniform]
    return [*(uniform.index(code) for code in moved), 58]


# The re-implementation's arrays, the slow twin, and LBP-TOP


@pytest.mark.parametrize(("part", "key"), [(2, "A_xt"), (3, "A_yt")])
def test_golden_arrays_are_reproduced(part, key):
    found = parts(stlbpip(np.load(GOLDEN / "clipA.npy")), 9)[part]
    np.testing.assert_allclose(found, np.load(GOLDEN / "stlbpip.npz")[key], rtol=0, atol=1e-12)


@few
@given(clip=clips(), window=st.sampled_from([3, 5]))
def test_histograms_equal_the_twin(clip, window):
    expected = naive.stlbpip(naive.differences(clip), (1, 1), window)
    np.testing.assert_allclose(stlbpip(clip, window=window), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("blocks", "window"), [((2, 3), 7), ((1, 2), 11), ((5, 4), 5), ((3, 1), 3)])
def test_blocks_equal_the_twin_where_sizes_leave_a_remainder(blocks, window):
    clip = one_clip((5, 26, 23))
    expected = naive.stlbpip(naive.differences(clip), blocks, window)
    np.testing.assert_allclose(stlbpip(clip, blocks=blocks, window=window), expected, rtol=0, atol=1e-12)


def test_frames_of_real_values_equal_the_twin():
    clip = np.random.default_rng(0).normal(120, 25, (6, 12, 11))
    expected = naive.stlbpip(naive.differences(clip), (1, 1), 5)
    np.testing.assert_allclose(stlbpip(clip, window=5), expected, rtol=0, atol=1e-12)


def test_xt_and_yt_are_lbp_of_the_projections_as_lbp_top_codes_a_still():
    # Few greys, so that sums stay within those of a picture once the least of them is 0.
    clip = one_clip(high=4).astype(int)
    moved = clip[1:] - clip[0]
    _, _, xt, yt = parts(stlbpip(clip), 9)
    for found, image in ((xt, moved.sum(axis=1)), (yt, moved.sum(axis=2).T)):
        still = np.repeat(image[None] - image.min(), 3, axis=0)
        expected = lbptop(still, radii=(1, 1, 1), convention="unfolding2016")[0]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_discriminative_projects_the_sparse_part_of_all_frames():
    clip = one_clip((6, 12, 11))
    sparse = robust_pca(clip.reshape(6, -1).astype(float))[1].reshape(clip.shape)
    # Rounded to multiples of 2^-20.
    expected = naive.stlbpip(list(np.rint(sparse * 2**20) / 2**20), (2, 1), 5)
    found = stlbpip(clip, blocks=(2, 1), window=5, discriminative=True)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_kernels_run_uncompiled():
    code = (
        "import numpy as np, sys; sys.path.insert(0, 'tests');"
        "from naive import stlbpip as naive; from microexpr.features.stlbpip import stlbpip;"
        "from microexpr.features._robust_pca import robust_pca;"
        "clip = np.random.default_rng(3).integers(0, 9, (5, 8, 7), dtype=np.uint8);"
        "expected = naive.stlbpip(naive.differences(clip), (1, 1), 5);"
        "assert np.allclose(stlbpip(clip, window=5), expected, rtol=0, atol=1e-12);"
        "matrix = clip.reshape(5, -1).astype(float);"
        "assert np.allclose(robust_pca(matrix)[1], naive.robust_pca(matrix)[1], rtol=0, atol=1e-6)"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    root = Path(__file__).parent.parent.parent
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, cwd=root, check=True, timeout=120)


# By hand


def test_the_first_bit_of_a_projection_s_code_is_the_farthest_to_the_left():
    # From the second frame on, row 0 is brighter than all others, which are darker towards the bottom. Window 5, seven
    # rows: centres 2, 3 and 4 have two brighter values before them and two darker after.
    clip = np.zeros((4, 7, 7), np.uint8)
    clip[1:] = np.arange(70, 0, -10, dtype=np.uint8)[:, None]
    horizontal, vertical, _, _ = parts(stlbpip(clip, window=5), 5)
    np.testing.assert_array_equal(np.flatnonzero(horizontal), [0b1100])
    np.testing.assert_array_equal(np.flatnonzero(vertical), [0b1111])


def test_frames_count_equally():
    # Three difference images: in two all rows are alike, in one the rows get darker.
    clip = np.zeros((4, 3, 3), np.uint8)
    clip[2] = np.array([[20], [10], [0]])
    horizontal, _, _, _ = parts(stlbpip(clip, window=3), 3)
    np.testing.assert_allclose(horizontal, [0, 0, 1 / 3, 2 / 3])


@pytest.mark.parametrize("centre", [1.0, -1.0])
@pytest.mark.parametrize(("below", "expected"), [(0.0, 0b11111111), (4.9e-5, 0b10101010), (6e-5, 0b00000000)])
def test_interpolated_values_are_rounded_to_four_decimals(centre, below, expected):
    # The weight of the centre in its diagonal neighbours is 0.085786, so that these are below it by 0.914214 of what
    # the pixels around are: 4.48e-5, which rounds to 0, or 5.49e-5, which does not. Neighbours on the axes are exact.
    image = np.full((3, 3), centre - below)
    image[1, 1] = centre
    patterns = geometry.check_settings((1, 1, 1), 8, (1, 1, 1), "u2", "bilinear", 0.0, "unfolding2016")
    weights = geometry.rounded_weights(geometry.displacements(patterns)[0, 1::2], 1)
    counts = np.zeros(256, np.int64)
    kernels.count_squares(image, weights, counts)
    np.testing.assert_array_equal(np.flatnonzero(counts), [expected])


# Robust PCA


def low_rank_and_sparse(shape=(100, 200), rank=3, share=0.05, seed=0):
    rng = np.random.default_rng(seed)
    low_rank = rng.normal(size=(shape[0], rank)) @ rng.normal(size=(rank, shape[1]))
    return low_rank, np.where(rng.random(shape) < share, rng.choice([-5.0, 5.0], size=shape), 0)


@pytest.mark.parametrize("seed", [0, 1])
def test_robust_pca_recovers_a_low_rank_and_a_sparse_matrix(seed):
    low_rank, sparse = low_rank_and_sparse(seed=seed)
    found_low, found_sparse = robust_pca(low_rank + sparse)
    np.testing.assert_allclose(found_low, low_rank, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found_sparse, sparse, rtol=0, atol=1e-4)
    assert np.linalg.matrix_rank(found_low, tol=1e-4) == 3
    np.testing.assert_array_equal(found_sparse != 0, sparse != 0)


@few
@given(seed=seeds, shape=st.tuples(st.integers(1, 12), st.integers(1, 40)), scale=st.sampled_from([1e-3, 1.0, 255.0]))
def test_robust_pca_equals_its_twin_by_singular_values(seed, shape, scale):
    matrix = scale * np.random.default_rng(seed).normal(size=shape)
    found = robust_pca(matrix)
    expected = naive.robust_pca(matrix)[:2]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * scale)


def test_robust_pca_does_not_depend_on_how_pixels_are_parted(monkeypatch):
    matrix = one_clip().reshape(6, -1).astype(float)
    whole = robust_pca(matrix)
    monkeypatch.setattr(_robust_pca, "_PART", 77)
    np.testing.assert_allclose(robust_pca(matrix), whole, rtol=0, atol=1e-6)


def test_robust_pca_of_zeros_is_zeros():
    np.testing.assert_array_equal(robust_pca(np.zeros((3, 5))), np.zeros((2, 3, 5)))


def test_robust_pca_says_where_it_does_not_converge(monkeypatch):
    monkeypatch.setattr(_robust_pca, "_MAX_STEPS", 4)
    with pytest.raises(DataError, match=r"^frames: robust PCA did not converge in 4 steps$"):
        stlbpip(one_clip(), discriminative=True)


# Properties


@pytest.mark.parametrize("discriminative", [False, True])
def test_a_clip_without_motion_has_the_codes_of_all_ones_alone(discriminative):
    clip = np.repeat(one_clip((1, 26, 24)), 6, axis=0)
    for part in parts(stlbpip(clip, discriminative=discriminative), 9)[:2]:
        assert part[-1] == 1
    for part in parts(stlbpip(clip, discriminative=discriminative), 9)[2:]:
        assert part[57] == 1


@few
@given(shape=st.tuples(st.integers(6, 20), st.integers(9, 30), st.integers(9, 30)), grey=st.integers(0, 255))
def test_a_constant_clip_has_the_codes_of_all_ones_alone(shape, grey):
    clip = np.full(shape, grey, np.uint8)
    for discriminative in (False, True):
        found = parts(stlbpip(clip, discriminative=discriminative), 9)
        assert [part.argmax() for part in found] == [255, 255, 57, 57]
        assert [part.max() for part in found] == [1, 1, 1, 1]


@few
@given(
    shape=st.tuples(st.integers(6, 20), st.integers(5, 14), st.integers(5, 14)),
    seed=seeds,
    high=st.sampled_from([2, 4, 256]),
)
def test_the_sparse_part_of_a_still_clip_is_one_picture_in_all_frames(shape, seed, high):
    clip = np.repeat(one_clip((1, *shape[1:]), high, seed), shape[0], axis=0)
    first = robust_pca(clip.reshape(shape[0], -1).astype(float))[1][0].reshape(shape[1:])
    expected = naive.stlbpip([np.rint(first * 2**20) / 2**20] * shape[0], (1, 1), 5)
    np.testing.assert_allclose(stlbpip(clip, window=5, discriminative=True), expected, rtol=0, atol=1e-12)


@few
@given(clip=clips(), shift=st.integers(1, 55))
def test_a_shift_of_all_greys_changes_nothing(clip, shift):
    np.testing.assert_array_equal(stlbpip(clip + np.uint8(shift), window=5), stlbpip(clip, window=5))


@few
@given(clip=clips())
def test_what_all_frames_share_changes_nothing(clip):
    still = one_clip(clip.shape[1:], high=55)
    np.testing.assert_array_equal(stlbpip(clip + still, window=5), stlbpip(clip, window=5))


@few
@given(clip=clips())
def test_a_mirrored_clip_reverses_the_bits_of_vertical_projections_and_mirrors_xt(clip):
    reversed_bits = [int(f"{code:04b}"[::-1], 2) for code in range(16)]
    horizontal, vertical, xt, yt = parts(stlbpip(clip, window=5), 5)
    found = parts(stlbpip(clip[:, :, ::-1], window=5), 5)
    np.testing.assert_array_equal(found[0], horizontal)
    np.testing.assert_array_equal(found[1], vertical[reversed_bits])
    np.testing.assert_array_equal(found[3], yt)
    np.testing.assert_array_equal(found[2], xt[moved_uniform(lambda p: 4 - p)])


@few
@given(clip=clips())
def test_later_frames_run_backwards_mirror_xt_and_yt_in_time(clip):
    backwards = np.concatenate([clip[:1], clip[:0:-1]])
    horizontal, vertical, xt, yt = parts(stlbpip(clip, window=5), 5)
    found = parts(stlbpip(backwards, window=5), 5)
    np.testing.assert_array_equal(found[0], horizontal)
    np.testing.assert_array_equal(found[1], vertical)
    np.testing.assert_array_equal(found[2], xt[moved_uniform(lambda p: -p)])
    np.testing.assert_array_equal(found[3], yt[moved_uniform(lambda p: 4 - p)])


@few
@given(
    n_frames=st.integers(4, 6),
    blocks=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    size=st.integers(5, 7),
    height=st.integers(15, 18),
    seed=seeds,
)
def test_a_mirrored_clip_reverses_the_columns_of_blocks_where_they_divide_the_width(
    n_frames, blocks, size, height, seed
):
    clip = one_clip((n_frames, height, size * blocks[1]), seed=seed)
    reversed_bits = [int(f"{code:04b}"[::-1], 2) for code in range(16)]
    plain, found = (stlbpip(c, blocks=blocks, window=5).reshape(*blocks, -1) for c in (clip, clip[:, :, ::-1]))
    for row in range(blocks[0]):
        for column in range(blocks[1]):
            horizontal, vertical, xt, yt = parts(plain[row, column], 5)
            mirrored = parts(found[row, blocks[1] - 1 - column], 5)
            expected = [horizontal, vertical[reversed_bits], xt[moved_uniform(lambda p: 4 - p)], yt]
            for part, other in zip(mirrored, expected, strict=True):
                np.testing.assert_array_equal(part, other)


@few
@given(clip=clips((4, 9, 9), (6, 14, 14)), blocks=st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_each_histogram_sums_to_one(clip, blocks):
    for block in stlbpip(clip, blocks=blocks, window=3).reshape(blocks[0] * blocks[1], -1):
        np.testing.assert_allclose([part.sum() for part in parts(block, 3)], 1, atol=1e-12)


def test_blocks_are_the_histograms_of_the_clip_cut_up():
    clip = one_clip((5, 26, 23))
    found = stlbpip(clip, blocks=(2, 2), window=5).reshape(2, 2, -1)
    np.testing.assert_array_equal(found[1, 0], stlbpip(clip[:, 13:, :11], window=5))
    np.testing.assert_array_equal(found[0, 1], stlbpip(clip[:, :13, 11:], window=5))


@pytest.mark.parametrize("discriminative", [False, True])
def test_whole_numbers_of_any_type_give_the_same(discriminative):
    clip = one_clip()
    expected = stlbpip(clip, discriminative=discriminative)
    for dtype in (np.float64, np.float32, np.int16):
        np.testing.assert_array_equal(stlbpip(clip.astype(dtype), discriminative=discriminative), expected)


def test_colour_frames_count_as_their_luma():
    clip = one_clip((5, 12, 11, 3))
    np.testing.assert_array_equal(stlbpip(clip), stlbpip(to_grey(clip)))


@pytest.mark.parametrize("discriminative", [False, True])
def test_frames_may_be_read_only_or_strided_and_are_left_alone(discriminative):
    wide = np.concatenate([one_clip(), one_clip(seed=1)], axis=2)
    view, before = wide[:, :, :24], wide.copy()
    view.setflags(write=False)
    expected = stlbpip(one_clip(), discriminative=discriminative)
    np.testing.assert_array_equal(stlbpip(view, discriminative=discriminative), expected)
    np.testing.assert_array_equal(wide, before)


# Parameters


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"blocks": (5, 5, 1)}, r"blocks is \(5, 5, 1\): it must be a tuple of 2 integers"),
        ({"blocks": (0, 5)}, r"blocks\[0\] is 0: it must be at least 1"),
        ({"window": 8}, "window is 8: it must be odd"),
        ({"window": 1}, "window is 1: it must be at least 3"),
        ({"window": 17}, "window is 17: it must be at most 15"),
        ({"window": 9.0}, "window is 9.0: it must be an integer"),
        ({"discriminative": 1}, "discriminative is 1: it must be one of False, True"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        stlbpip(one_clip(), **params)
    with pytest.raises(ParameterError, match=message):
        STLBPIP(**params).fit([one_clip()])


@pytest.mark.parametrize(
    ("frames", "params", "message"),
    [
        (one_clip((3, 12, 12)), {}, "the clip has 3 frames, 4 are needed"),
        (one_clip((5, 12, 12)), {"discriminative": True}, "the clip has 5 frames, 6 are needed"),
        (one_clip((5, 8, 12)), {}, "8 rows cut into 1 block leave 8 each; window 9 needs 9"),
        (one_clip((5, 12, 20)), {"blocks": (1, 3)}, "20 columns cut into 3 blocks leave 6 each; window 9 needs 9"),
        (one_clip((5, 2, 12)), {"blocks": (3, 1)}, "2 rows cut into 3 blocks leave 0 each"),
        (np.full((5, 12, 12), np.nan), {}, "NaN"),
        (np.zeros((5, 5)), {}, r"shape \(5, 5\) is no clip"),
    ],
)
def test_a_clip_that_cannot_be_described_is_refused_in_one_line(frames, params, message):
    with pytest.raises(DataError, match=f"^frames: .*{message}") as refusal:
        stlbpip(frames, **params)
    assert "\n" not in str(refusal.value)


def test_the_least_frames_and_pixels_are_enough():
    assert np.isfinite(stlbpip(one_clip((4, 9, 9)))).all()
    assert np.isfinite(stlbpip(one_clip((6, 9, 9)), discriminative=True)).all()


# The transformer


def test_transformer_gives_the_function_s_values_as_rows():
    clip = one_clip()
    params = {"blocks": (2, 2), "window": 5, "discriminative": True}
    rows = STLBPIP(**params).fit_transform([clip, clip[:, ::-1]])
    np.testing.assert_array_equal(rows, [stlbpip(clip, **params), stlbpip(clip[:, ::-1], **params)])
    assert STLBPIP().fit_transform([clip]).shape == (1, 2 * 256 + 2 * 59)


@pytest.mark.parametrize("discriminative", [False, True])
def test_transformer_passes_the_public_checks(discriminative):
    clips = [Clip(f"toy/sub01/{seed}", ArraySource(one_clip(seed=seed))) for seed in range(3)]
    check_clip_transformer(STLBPIP(blocks=(2, 1), discriminative=discriminative), clips)


def test_transformer_names_the_clip_it_refuses():
    with pytest.raises(DataError, match="toy/sub01/a: the clip has 2 frames, 4 are needed"):
        STLBPIP().transform([Clip("toy/sub01/a", ArraySource(np.zeros((2, 9, 9), np.uint8)))])
    with pytest.raises(NeedsError, match="toy/sub01/map"):
        STLBPIP().transform([Clip("toy/sub01/map", FlowMapSource("map.png"))])
