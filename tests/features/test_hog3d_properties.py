from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import hog3d as naive

from microexpr.core.frames import to_grey
from microexpr.features.hog3d import hog3d

GOLDEN = Path(__file__).parent.parent / "golden"
POLYHEDRA = ["icosahedron", "dodecahedron"]
BINNINGS = ["polikovsky", *POLYHEDRA]
few = settings(max_examples=15, deadline=None)


def golden_clip():
    return np.load(GOLDEN / "clipA.npy")


def random_clip(shape=(9, 12, 12), seed=0, high=256):
    return np.random.default_rng(seed).integers(0, high, shape, dtype=np.uint8)


def clips(min_size, max_size, high=256):
    """Clips of any size between two, filled from a seed: shrinking a seed is quicker than shrinking pixels."""
    sizes = st.tuples(*(st.integers(low, top) for low, top in zip(min_size, max_size, strict=True)))
    return st.builds(random_clip, sizes, st.integers(0, 2**32 - 1), st.just(high))


def random_masks(clip, n_regions=3, seed=0):
    masks = np.random.default_rng(seed).random((n_regions, *clip.shape[1:])) > 0.5
    masks[:, 0, 0] = True
    return masks


def split(vector, n_regions, n_times):
    """The histograms of XY, XT and YT, each of shape (region, time, bin)."""
    return np.split(vector.reshape(n_regions, n_times, 32), [8, 20], axis=-1)


# What changes nothing, and what permutes bins


@pytest.mark.parametrize("binning", BINNINGS)
@pytest.mark.parametrize("orientation", ["full", "half"])
@given(grey=st.sampled_from([0, 7, 255, 0.1, -0.3, 254.9]))
@few
def test_a_constant_clip_gives_zeros(binning, orientation, grey):
    dtype = np.uint8 if isinstance(grey, int) else np.float64
    found = hog3d(np.full((9, 12, 12), grey, dtype), binning=binning, orientation=orientation)
    assert not found.any()


@few
@given(clip=clips((9, 12, 12), (10, 14, 13), high=200), shift=st.integers(1, 56), binning=st.sampled_from(BINNINGS))
def test_a_shift_of_all_greys_changes_nothing(clip, shift, binning):
    np.testing.assert_array_equal(hog3d(clip + np.uint8(shift), binning=binning), hog3d(clip, binning=binning))


@few
@given(clip=clips((9, 12, 12), (10, 14, 13), high=50), factor=st.integers(2, 5), binning=st.sampled_from(BINNINGS))
def test_contrast_changes_nothing(clip, factor, binning):
    found = hog3d(clip * np.uint8(factor), binning=binning)
    np.testing.assert_allclose(found, hog3d(clip, binning=binning), rtol=0, atol=1e-7)


@few
@given(clip=clips((9, 12, 12), (10, 14, 13)))
def test_each_plane_histogram_sums_to_one(clip):
    for plane in split(hog3d(clip), 25, 1):
        np.testing.assert_allclose(plane.sum(axis=-1), 1)


@few
@given(clip=clips((9, 12, 12), (10, 14, 13)), binning=st.sampled_from(POLYHEDRA))
def test_a_polyhedron_s_vector_has_length_one(clip, binning):
    np.testing.assert_allclose(np.linalg.norm(hog3d(clip, binning=binning)), 1)


@few
@given(clip=clips((3, 5, 4), (5, 9, 9), high=6), seed=st.integers(0, 99))
def test_mirroring_left_and_right_permutes_the_bins_of_polikovsky(clip, seed):
    masks = random_masks(clip, seed=seed)
    xy, xt, yt = split(hog3d(clip, masks=masks), 3, 1)
    found = split(hog3d(clip[:, :, ::-1], masks=masks[:, :, ::-1]), 3, 1)
    expected = [xy[..., (4 - np.arange(8)) % 8], xt[..., (6 - np.arange(12)) % 12], yt]
    for plane, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(plane, other, rtol=0, atol=1e-12)


@few
@given(
    cells=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2)),
    size=st.integers(2, 4),
    height=st.integers(3, 7),
    seed=st.integers(0, 2**32 - 1),
)
def test_mirroring_permutes_the_cells_of_polikovsky_where_they_divide_the_width(cells, size, height, seed):
    n_rows, n_columns, n_times = cells
    clip = random_clip((4, height, size * n_columns), seed, high=6)
    plain, found = (hog3d(c, cells=cells).reshape(n_rows, n_columns, n_times, 32) for c in (clip, clip[:, :, ::-1]))
    across = [*((4 - np.arange(8)) % 8), *(8 + (6 - np.arange(12)) % 12), *range(20, 32)]
    np.testing.assert_allclose(found, plain[:, ::-1][..., across], rtol=0, atol=1e-12)


@few
@given(clip=clips((3, 5, 4), (5, 9, 9), high=6), seed=st.integers(0, 99))
def test_mirroring_up_and_down_permutes_the_bins_of_polikovsky(clip, seed):
    masks = random_masks(clip, seed=seed)
    xy, xt, yt = split(hog3d(clip, masks=masks), 3, 1)
    found = split(hog3d(clip[:, ::-1], masks=masks[:, ::-1]), 3, 1)
    expected = [xy[..., -np.arange(8) % 8], xt, yt[..., (6 - np.arange(12)) % 12]]
    for plane, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(plane, other, rtol=0, atol=1e-12)


@few
@given(clip=clips((4, 5, 4), (4, 9, 9), high=6), seed=st.integers(0, 99))
def test_reversed_time_permutes_bins_and_blocks_of_polikovsky(clip, seed):
    masks = random_masks(clip, seed=seed)
    xy, xt, yt = split(hog3d(clip, masks=masks, cells=(1, 1, 2)), 3, 2)
    found = split(hog3d(clip[::-1], masks=masks, cells=(1, 1, 2)), 3, 2)
    opposite = -np.arange(12) % 12
    expected = [xy[:, ::-1], xt[:, ::-1, opposite], yt[:, ::-1, opposite]]
    for plane, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(plane, other, rtol=0, atol=1e-12)


@few
@given(clip=clips((9, 12, 12), (10, 14, 13)), binning=st.sampled_from(POLYHEDRA))
def test_a_negative_clip_swaps_opposite_faces(clip, binning):
    bins = hog3d(clip, binning=binning, cells=(2, 2, 2)).reshape(8, 2, -1)
    negative = hog3d(255 - clip, binning=binning, cells=(2, 2, 2)).reshape(8, 2, -1)
    np.testing.assert_allclose(negative, bins[:, ::-1], rtol=0, atol=1e-15)


@few
@given(clip=clips((6, 6, 6), (9, 9, 9)), binning=st.sampled_from(POLYHEDRA))
def test_exchanging_the_clip_s_axes_in_turn_permutes_the_faces(clip, binning):
    axes = np.array(naive.AXES[binning])
    both = np.concatenate([axes, -axes])
    # New columns are old frames, new rows old columns, new frames old rows: (x, y, t) becomes (t, x, y).
    turned = both[:, [2, 0, 1]]
    place = np.abs(both[:, None] - turned[None]).sum(axis=-1).argmin(axis=1)
    found = hog3d(clip.transpose(1, 2, 0), binning=binning, cells=(1, 2, 2)).reshape(2, 1, 2, -1)
    expected = hog3d(clip, binning=binning, cells=(2, 1, 2)).reshape(1, 2, 2, -1)
    np.testing.assert_allclose(found, expected.transpose(2, 0, 1, 3)[..., place], rtol=0, atol=1e-12)


@few
@given(clip=clips((9, 12, 12), (10, 14, 13)))
def test_half_the_circle_is_the_sum_of_opposite_bins(clip):
    full, half = hog3d(clip), hog3d(clip, orientation="half")
    expected = [plane.reshape(25, 2, -1).sum(axis=1) for plane in split(full, 25, 1)]
    np.testing.assert_allclose(half.reshape(25, 16), np.concatenate(expected, axis=1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("binning", BINNINGS)
def test_frames_of_whole_numbers_give_the_same_as_uint8_or_floats(binning):
    clip = golden_clip()
    for dtype in (np.float32, np.int16):
        found = hog3d(clip.astype(dtype), binning=binning)
        np.testing.assert_allclose(found, hog3d(clip, binning=binning), rtol=0, atol=1e-7)


@pytest.mark.parametrize("binning", BINNINGS)
def test_colour_frames_count_as_their_luma(binning):
    clip = random_clip((9, 12, 13, 3))
    np.testing.assert_array_equal(hog3d(clip, binning=binning), hog3d(to_grey(clip), binning=binning))


@pytest.mark.parametrize("binning", BINNINGS)
def test_frames_may_be_read_only_or_strided_and_are_left_alone(binning):
    clip = golden_clip()
    expected = hog3d(clip, binning=binning)
    view = np.concatenate([clip, clip], axis=2)[:, :, :40]
    view.setflags(write=False)
    np.testing.assert_array_equal(hog3d(view, binning=binning), expected)
    np.testing.assert_array_equal(view, clip)
