import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import lbpsip as naive

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.frames import to_grey
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.features import _lbptop_geometry as geometry
from microexpr.features.lbpsip import LBPSIP, lbpsip
from microexpr.features.lbptop import lbptop
from microexpr.testing import check_clip_transformer

few = settings(max_examples=25, deadline=None)


def clips(min_size=(3, 3, 3), max_size=(6, 9, 8), high=256):
    """Clips of any size between two, filled from a seed with greys below `high`, or with four greys only."""
    sizes = st.tuples(*(st.integers(low, top) for low, top in zip(min_size, max_size, strict=True)))
    return st.tuples(sizes, st.integers(0, 2**32 - 1), st.sampled_from([4, high])).map(
        lambda drawn: np.random.default_rng(drawn[1]).integers(0, drawn[2], drawn[0], dtype=np.uint8)
    )


def one_clip(shape=(6, 13, 11), high=12, seed=0):
    return np.random.default_rng(seed).integers(0, high, shape, dtype=np.uint8)


def exchanged(n_codes, one, other):
    """All codes below n_codes, each with bits `one` and `other` exchanged."""
    codes = np.arange(n_codes)
    differ = (codes >> one ^ codes >> other) & 1
    return codes ^ (differ << one | differ << other)


# The slow twin, and LBP-TOP


@few
@given(
    clip=clips((4, 6, 6)),
    radii=st.tuples(st.integers(1, 2), st.integers(1, 2), st.just(1)),
    blocks=st.sampled_from([(1, 1, 1), (2, 1, 2), (1, 2, 1)]),
)
def test_histograms_equal_the_twin(clip, radii, blocks):
    np.testing.assert_array_equal(lbpsip(clip, radii=radii, blocks=blocks), naive.lbpsip(clip, radii, blocks).ravel())


@pytest.mark.parametrize(("radii", "blocks"), [((1, 1, 1), (3, 2, 3)), ((2, 3, 2), (2, 4, 1)), ((1, 1, 3), (2, 5, 2))])
def test_blocks_equal_the_twin_where_sizes_leave_a_remainder(radii, blocks):
    clip = one_clip((9, 13, 11))
    np.testing.assert_array_equal(lbpsip(clip, radii=radii, blocks=blocks), naive.lbpsip(clip, radii, blocks).ravel())


def test_frames_of_real_values_equal_the_twin():
    clip = np.random.default_rng(0).normal(120, 25, (6, 9, 8))
    np.testing.assert_array_equal(lbpsip(clip), naive.lbpsip(clip, (1, 1, 1), (1, 1, 1)).ravel())


@few
@given(clip=clips(max_size=(8, 12, 11)))
def test_bins_are_sums_of_those_of_lbp_top_with_four_neighbours(clip):
    xy, xt, _ = lbptop(clip, radii=(1, 1, 1), neighbors=4, bins="basic", interpolation="nearest")
    in_time = np.zeros(4)
    for code, share in enumerate(xt):
        # Bit 1 of XT is the later frame, bit 3 the earlier one.
        in_time[(code >> 1 & 1) | (code >> 3 & 1) << 1] += share
    np.testing.assert_allclose(lbpsip(clip), np.concatenate([xy, in_time]), rtol=0, atol=1e-14)


def test_counts_do_not_depend_on_how_rows_are_banded(monkeypatch):
    clip = one_clip((6, 30, 20))
    whole = lbpsip(clip, blocks=(3, 2, 1))
    monkeypatch.setattr(geometry, "_BAND_PIXELS", 90)
    np.testing.assert_array_equal(lbpsip(clip, blocks=(3, 2, 1)), whole)


def test_kernel_runs_uncompiled():
    code = (
        "import numpy as np, sys; sys.path.insert(0, 'tests');"
        "from naive import lbpsip as naive; from microexpr.features.lbpsip import lbpsip;"
        "clip = np.random.default_rng(3).integers(0, 9, (5, 6, 7), dtype=np.uint8);"
        "expected = naive.lbpsip(clip, (1, 1, 1), (2, 1, 1)).ravel();"
        "assert np.array_equal(lbpsip(clip, blocks=(2, 1, 1)), expected)"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    root = Path(__file__).parent.parent.parent
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, cwd=root, check=True, timeout=120)


# By hand


@pytest.mark.parametrize(
    ("place", "spatial", "temporal"),
    [
        ((0, 0, 1), 0b0001, 0b00),
        ((0, -1, 0), 0b0010, 0b00),
        ((0, 0, -1), 0b0100, 0b00),
        ((0, 1, 0), 0b1000, 0b00),
        ((1, 0, 0), 0b0000, 0b01),
        ((-1, 0, 0), 0b0000, 0b10),
        ((0, 1, 1), 0b0000, 0b00),
    ],
)
def test_each_of_the_six_points_sets_its_bit(place, spatial, temporal):
    clip = np.full((3, 3, 3), 99, np.uint8)
    clip[1, 1, 1] = 100
    clip[tuple(1 + step for step in place)] = 100
    np.testing.assert_array_equal(np.flatnonzero(lbpsip(clip)), [spatial, 16 + temporal])


# Properties


@few
@given(clip=clips(), grey=st.integers(0, 255))
def test_a_constant_clip_has_the_codes_of_all_ones_alone(clip, grey):
    np.testing.assert_array_equal(lbpsip(np.full_like(clip, grey))[[15, 19]], 1)


@few
@given(clip=clips(high=200), shift=st.integers(1, 55))
def test_a_shift_of_all_greys_changes_nothing(clip, shift):
    np.testing.assert_array_equal(lbpsip(clip + np.uint8(shift)), lbpsip(clip))


@few
@given(clip=clips())
def test_a_mirrored_clip_exchanges_left_and_right(clip):
    found, plain = lbpsip(clip[:, :, ::-1]), lbpsip(clip)
    np.testing.assert_array_equal(found[:16], plain[:16][exchanged(16, 0, 2)])
    np.testing.assert_array_equal(found[16:], plain[16:])


@few
@given(clip=clips())
def test_a_clip_upside_down_exchanges_above_and_below(clip):
    found, plain = lbpsip(clip[:, ::-1]), lbpsip(clip)
    np.testing.assert_array_equal(found[:16], plain[:16][exchanged(16, 1, 3)])
    np.testing.assert_array_equal(found[16:], plain[16:])


@few
@given(clip=clips())
def test_a_clip_run_backwards_exchanges_earlier_and_later(clip):
    found, plain = lbpsip(clip[::-1]), lbpsip(clip)
    np.testing.assert_array_equal(found[:16], plain[:16])
    np.testing.assert_array_equal(found[16:], plain[16:][exchanged(4, 0, 1)])


@few
@given(
    blocks=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2)),
    size=st.integers(1, 4),
    height=st.integers(5, 9),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_mirrored_clip_reverses_the_columns_of_blocks_where_they_divide_the_width(blocks, size, height, seed):
    clip = one_clip((4, height, 2 + size * blocks[1]), seed=seed)
    n_rows, n_columns, n_times = blocks
    plain, found = (lbpsip(c, blocks=blocks).reshape(n_times, n_rows, n_columns, 20) for c in (clip, clip[:, :, ::-1]))
    order = [*exchanged(16, 0, 2), *range(16, 20)]
    np.testing.assert_array_equal(found, plain[:, :, ::-1][..., order])


@few
@given(clip=clips((5, 8, 8)), blocks=st.tuples(*[st.integers(1, 3)] * 3))
def test_both_parts_of_each_block_sum_to_one(clip, blocks):
    found = lbpsip(clip, blocks=blocks).reshape(-1, 20)
    assert len(found) == np.prod(blocks)
    np.testing.assert_allclose(found[:, :16].sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(found[:, 16:].sum(axis=1), 1, atol=1e-12)


def test_whole_numbers_of_any_type_give_the_same():
    clip = one_clip()
    for dtype in (np.float64, np.float32, np.int16):
        np.testing.assert_array_equal(lbpsip(clip.astype(dtype)), lbpsip(clip))


def test_colour_frames_count_as_their_luma():
    clip = one_clip((4, 8, 9, 3), high=256)
    np.testing.assert_array_equal(lbpsip(clip), lbpsip(to_grey(clip)))


def test_frames_may_be_read_only_or_strided_and_are_left_alone():
    wide = np.concatenate([one_clip(), one_clip(seed=1)], axis=2)
    view, before = wide[:, :, :11], wide.copy()
    view.setflags(write=False)
    np.testing.assert_array_equal(lbpsip(view), lbpsip(one_clip()))
    np.testing.assert_array_equal(wide, before)


# Parameters


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"radii": (1, 1)}, r"radii is \(1, 1\): it must be a tuple of 3 integers"),
        ({"radii": (1, 0, 1)}, r"radii\[1\] is 0: it must be at least 1"),
        ({"blocks": (5, 5)}, r"blocks is \(5, 5\): it must be a tuple of 3 integers"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        lbpsip(one_clip(), **params)
    with pytest.raises(ParameterError, match=message):
        LBPSIP(**params).fit([one_clip()])


@pytest.mark.parametrize(
    ("frames", "params", "message"),
    [
        (np.zeros((2, 9, 9), np.uint8), {}, "2 frames of 9 x 9 pixels is too small for radii"),
        (np.zeros((8, 9, 9), np.uint8), {"radii": (1, 1, 4)}, "at least 9 frames of 3 x 3"),
        (np.zeros((9, 9, 4), np.uint8), {"radii": (1, 2, 1)}, "at least 3 frames of 5 x 5"),
        (np.zeros((9, 5, 9), np.uint8), {"blocks": (4, 1, 1)}, "3 rows of centres .* cannot be cut into 4 blocks"),
        (np.full((9, 5, 5), np.nan), {}, "NaN"),
        (np.zeros((5, 5)), {}, r"shape \(5, 5\) is no clip"),
    ],
)
def test_a_clip_that_cannot_be_described_is_refused_in_one_line(frames, params, message):
    with pytest.raises(DataError, match=f"^frames: .*{message}") as refusal:
        lbpsip(frames, **params)
    assert "\n" not in str(refusal.value)


# The transformer


def test_transformer_gives_the_function_s_values_as_rows():
    clip = one_clip()
    params = {"radii": (1, 2, 1), "blocks": (2, 2, 1)}
    rows = LBPSIP(**params).fit_transform([clip, clip[:, ::-1]])
    np.testing.assert_array_equal(rows, [lbpsip(clip, **params), lbpsip(clip[:, ::-1], **params)])
    assert LBPSIP().fit_transform([clip]).shape == (1, 20)


def test_transformer_passes_the_public_checks():
    clips = [Clip(f"toy/sub01/{seed}", ArraySource(one_clip(seed=seed))) for seed in range(3)]
    check_clip_transformer(LBPSIP(blocks=(2, 2, 1)), clips)


def test_transformer_names_the_clip_it_refuses():
    with pytest.raises(DataError, match="toy/sub01/a: a clip of 2 frames"):
        LBPSIP().transform([Clip("toy/sub01/a", ArraySource(np.zeros((2, 9, 9), np.uint8)))])
    with pytest.raises(NeedsError, match="toy/sub01/map"):
        LBPSIP().transform([Clip("toy/sub01/map", FlowMapSource("map.png"))])
