from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microexpr.core.frames import to_grey
from microexpr.features.lbptop import lbptop

GOLDEN = Path(__file__).parent.parent / "golden"
ALL_GREYS = np.arange(256, dtype=np.uint8)
few = settings(max_examples=25, deadline=None)
# The conventions, as far as codes do not depend on where a centre lies.
CONVENTIONS = {
    "zhao2009": {"interpolation": "nearest"},
    "unfolding2016": {"convention": "unfolding2016"},
    "blocks2015": {"convention": "blocks2015"},
}
conventions = st.sampled_from(list(CONVENTIONS))


def golden_clip():
    return np.load(GOLDEN / "clipA.npy")


def clips(values, min_size=(3, 3, 3), max_size=(6, 9, 8)):
    """Clips of any size between two, filled from a seed: shrinking a seed is quicker than shrinking pixels."""

    def fill(shape_and_seed):
        shape, seed = shape_and_seed
        return np.random.default_rng(seed).choice(values, shape)

    sizes = st.tuples(*(st.integers(low, high) for low, high in zip(min_size, max_size, strict=True)))
    return st.tuples(sizes, st.integers(0, 2**32 - 1)).map(fill)


def some_clips():
    return st.one_of(clips(ALL_GREYS[:4]), clips(ALL_GREYS))


def basic(clip, convention, **params):
    return lbptop(clip, radii=(1, 1, 1), bins="basic", **CONVENTIONS[convention], **params)


def moved(move):
    """All codes of 8 neighbours once neighbour p has become `move(p)`, which undoes itself."""
    return [sum((code >> p & 1) << move(p) % 8 for p in range(8)) for code in range(256)]


ACROSS, ALONG = moved(lambda p: 4 - p), moved(lambda p: -p)


# Mirror images


@few
@given(clip=some_clips(), convention=conventions)
def test_a_mirrored_clip_mirrors_the_codes_of_xy_and_xt(clip, convention):
    xy, xt, yt = basic(clip, convention)
    found = basic(clip[:, :, ::-1], convention)
    np.testing.assert_array_equal(found, [xy[ACROSS], xt[ACROSS], yt])


@few
@given(clip=some_clips(), convention=conventions)
def test_a_clip_run_backwards_mirrors_the_codes_of_xt_and_yt(clip, convention):
    xy, xt, yt = basic(clip, convention)
    found = basic(clip[::-1], convention)
    # Time is the first axis of YT in zhao2009, the second of all other planes.
    np.testing.assert_array_equal(found, [xy, xt[ALONG], yt[ACROSS if convention == "zhao2009" else ALONG]])


@few
@given(
    n_frames=st.integers(3, 5),
    blocks=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    seed=st.integers(0, 2**32 - 1),
    convention=conventions,
)
def test_a_mirrored_clip_reverses_the_columns_of_blocks_where_they_divide_the_centres(
    n_frames, blocks, sizes, seed, convention
):
    n_rows, n_columns = blocks
    shape = (n_frames, 2 + n_rows * sizes[0], 2 + n_columns * sizes[1])
    clip = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    plain, found = (by_block(c, convention, blocks) for c in (clip, clip[:, :, ::-1]))
    plain = plain[:, ::-1]
    expected = np.stack([plain[..., 0, ACROSS], plain[..., 1, ACROSS], plain[..., 2, :]], axis=2)
    np.testing.assert_array_equal(found, expected)


def by_block(clip, convention, blocks):
    """Histograms of shape (row, column, plane, 256)."""
    row = basic(clip, convention, blocks=(*blocks, 1))
    if convention == "unfolding2016":
        return row.reshape(3, blocks[1], blocks[0], 256).transpose(2, 1, 0, 3)
    return row.reshape(*blocks, 3, 256)


# Greys


@pytest.mark.parametrize("convention", ["unfolding2016", "blocks2015"])
@given(grey=st.integers(0, 255))
@few
def test_a_constant_clip_has_the_code_of_all_ones_alone(convention, grey):
    histograms = lbptop(np.full((4, 5, 6), grey, np.uint8), radii=(1, 1, 1), bins="basic", convention=convention)
    assert (histograms[:, :255] == 0).all()
    np.testing.assert_allclose(histograms[:, 255], 1 / (3 if convention == "blocks2015" else 1))


@few
@given(grey=st.integers(0, 255))
def test_a_constant_clip_has_the_code_of_all_ones_alone_without_interpolation(grey):
    histograms = lbptop(np.full((4, 5, 6), grey, np.uint8), radii=(1, 1, 1), bins="basic", interpolation="nearest")
    np.testing.assert_array_equal(histograms[:, 255], 1)


@few
@given(clip=clips(ALL_GREYS[:200]), shift=st.integers(1, 55), convention=conventions)
def test_a_shift_of_all_greys_changes_no_code(clip, shift, convention):
    np.testing.assert_array_equal(basic(clip + np.uint8(shift), convention), basic(clip, convention))


@few
@given(
    clip=clips(ALL_GREYS, (5, 8, 8)),
    interpolation=st.sampled_from(["bilinear", "nearest"]),
    neighbors=st.sampled_from([4, 8]),
    bins=st.sampled_from(["u2", "basic"]),
)
def test_each_histogram_sums_to_one(clip, interpolation, neighbors, bins):
    params = {"interpolation": interpolation, "neighbors": neighbors, "bins": bins, "blocks": (2, 2, 2)}
    n_bins = {"basic": 2**neighbors, "u2": {4: 15, 8: 59}[neighbors]}[bins]
    found = lbptop(clip, radii=(1, 1, 1), **params).reshape(8, 3, n_bins)
    np.testing.assert_allclose(found.sum(axis=-1), 1.0, atol=1e-12)


@few
@given(clip=clips(ALL_GREYS, (5, 8, 8)), overlap=st.sampled_from([0.0, 0.4]))
def test_blocks2015_sums_to_one_as_a_whole(clip, overlap):
    found = lbptop(clip, radii=(1, 1, 1), blocks=(2, 2, 2), overlap=overlap, convention="blocks2015")
    np.testing.assert_allclose(found.sum(), 1.0, atol=1e-12)


@pytest.mark.parametrize("params", [{}, {"convention": "unfolding2016"}, {"convention": "blocks2015", "overlap": 0.5}])
def test_frames_of_whole_numbers_give_the_same_as_uint8_or_floats(params):
    clip = golden_clip()
    params = {"radii": (1, 1, 1), "blocks": (2, 2, 1), **params}
    np.testing.assert_array_equal(lbptop(clip.astype(np.float32), **params), lbptop(clip, **params))
    np.testing.assert_array_equal(lbptop(clip.astype(np.int16), **params), lbptop(clip, **params))


def test_colour_frames_count_as_their_luma():
    clip = np.random.default_rng(0).integers(0, 256, (4, 8, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(lbptop(clip, radii=(1, 1, 1)), lbptop(to_grey(clip), radii=(1, 1, 1)))


def test_frames_may_be_read_only_or_strided_and_are_left_alone():
    clip = golden_clip()
    expected = lbptop(clip)
    view = np.concatenate([clip, clip], axis=2)[:, :, :40]
    before = view.copy()
    np.testing.assert_array_equal(lbptop(view), expected)
    np.testing.assert_array_equal(view, before)
    clip.setflags(write=False)
    np.testing.assert_array_equal(lbptop(clip), expected)
