import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import cbptop as naive

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.frames import to_grey
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.features import _lbptop_geometry as geometry
from microexpr.features.cbptop import CBPTOP, cbptop
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


def mirrored_code(code):
    """The code with the two diagonal pairs (bits 1 and 3) exchanged."""
    return code & 0b10101 | (code & 0b00010) << 2 | (code & 0b01000) >> 2


# The slow twin


@few
@given(
    clip=clips((4, 6, 6)),
    radii=st.tuples(st.integers(1, 2), st.integers(1, 2), st.just(1)),
    threshold=st.sampled_from([1, 1.5, 2, 3.0, 20]),
    blocks=st.sampled_from([(1, 1, 1), (2, 1, 2), (1, 2, 1)]),
)
def test_histograms_equal_the_twin(clip, radii, threshold, blocks):
    found = cbptop(clip, radii=radii, threshold=threshold, blocks=blocks)
    np.testing.assert_array_equal(found.ravel(), naive.cbptop(clip, radii, threshold, blocks).ravel())


@pytest.mark.parametrize(("radii", "blocks"), [((1, 1, 1), (3, 2, 3)), ((2, 3, 2), (2, 4, 1)), ((1, 1, 3), (2, 5, 2))])
def test_blocks_equal_the_twin_where_sizes_leave_a_remainder(radii, blocks):
    clip = one_clip((9, 13, 11))
    found = cbptop(clip, radii=radii, threshold=3, blocks=blocks)
    np.testing.assert_array_equal(found, naive.cbptop(clip, radii, 3, blocks).ravel())


def test_frames_of_real_values_equal_the_twin_on_quarters_of_greys():
    clip = one_clip(high=40).astype(np.uint8)
    found = cbptop(clip / 4 - 0.25, threshold=1.25)
    np.testing.assert_array_equal(found, naive.cbptop(clip, (1, 1, 1), 5, (1, 1, 1))[0, 0, 0])


def test_counts_do_not_depend_on_how_rows_are_banded(monkeypatch):
    clip = one_clip((6, 30, 20))
    whole = cbptop(clip, blocks=(3, 2, 1))
    monkeypatch.setattr(geometry, "_BAND_PIXELS", 90)
    np.testing.assert_array_equal(cbptop(clip, blocks=(3, 2, 1)), whole)


def test_kernel_runs_uncompiled():
    code = (
        "import numpy as np, sys; sys.path.insert(0, 'tests');"
        "from naive import cbptop as naive; from microexpr.features.cbptop import cbptop;"
        "clip = np.random.default_rng(3).integers(0, 9, (5, 6, 7), dtype=np.uint8);"
        "expected = naive.cbptop(clip, (1, 1, 1), 2, (2, 1, 1)).ravel();"
        "assert np.array_equal(cbptop(clip, threshold=2, blocks=(2, 1, 1)), expected)"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    root = Path(__file__).parent.parent.parent
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, cwd=root, check=True, timeout=120)


# By hand


def test_each_pair_sets_its_bit_on_its_planes():
    # The only centre has grey 100. A pair is one pixel at 106: the mean is 100 2/3 then.
    places = {
        (0, 0, 1): (0b00001, 0b00001, 0),
        (0, -1, 1): (0b00010, 0, 0),
        (0, -1, 0): (0b00100, 0, 0b00100),
        (0, -1, -1): (0b01000, 0, 0),
        (1, 0, 0): (0, 0b00100, 0b00001),
        (1, 0, 1): (0, 0b00010, 0),
        (1, 0, -1): (0, 0b01000, 0),
        (1, -1, 0): (0, 0, 0b00010),
        (-1, -1, 0): (0, 0, 0b01000),
    }
    for place, expected in places.items():
        clip = np.full((3, 3, 3), 100, np.uint8)
        clip[tuple(1 + step for step in place)] = 106
        assert tuple(cbptop(clip, threshold=6).argmax(axis=1)) == expected, place


@pytest.mark.parametrize(("centre", "set_"), [(109, True), (91, True), (108, False), (92, False)])
def test_the_mean_includes_the_centre(centre, set_):
    # 109 beside eight pixels of 100: the mean of nine is 101, so the centre is off by 8; of eight it would be 9.
    clip = np.full((3, 3, 3), 100, np.uint8)
    clip[1, 1, 1] = centre
    np.testing.assert_array_equal(cbptop(clip, threshold=8)[:, 16 if set_ else 0], 1)


@pytest.mark.parametrize("difference", [3, 230, 255])
def test_a_difference_that_equals_the_threshold_counts(difference):
    clip = np.zeros((3, 3, 3), np.uint8)
    clip[1, 1, 2] = difference
    assert cbptop(clip, threshold=difference)[0, 1] == 1
    assert cbptop(clip, threshold=difference + 0.01)[0, 0] == 1


# Properties


@few
@given(clip=clips(), grey=st.integers(1, 255), threshold=st.sampled_from([0.5, 3, 300]))
def test_a_constant_clip_has_the_code_zero_alone(clip, grey, threshold):
    np.testing.assert_array_equal(cbptop(np.full_like(clip, grey), threshold=threshold)[:, 0], 1)


@few
@given(clip=clips(high=200), shift=st.integers(1, 55))
def test_a_shift_of_all_greys_changes_nothing(clip, shift):
    np.testing.assert_array_equal(cbptop(clip + np.uint8(shift)), cbptop(clip))


@few
@given(clip=clips())
def test_the_negative_of_a_clip_has_the_same_histograms(clip):
    np.testing.assert_array_equal(cbptop(255 - clip), cbptop(clip))


@few
@given(clip=clips())
def test_a_mirrored_clip_exchanges_the_diagonals_of_xy_and_xt(clip):
    order = [mirrored_code(code) for code in range(32)]
    found, plain = cbptop(clip[:, :, ::-1]), cbptop(clip)
    np.testing.assert_array_equal(found[:2], plain[:2, order])
    np.testing.assert_array_equal(found[2], plain[2])


@few
@given(clip=clips())
def test_a_clip_run_backwards_exchanges_the_diagonals_of_xt_and_yt(clip):
    order = [mirrored_code(code) for code in range(32)]
    found, plain = cbptop(clip[::-1]), cbptop(clip)
    np.testing.assert_array_equal(found[0], plain[0])
    np.testing.assert_array_equal(found[1:], plain[1:, order])


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
    order = [mirrored_code(code) for code in range(32)]
    plain, found = (
        cbptop(c, blocks=blocks).reshape(n_times, n_rows, n_columns, 3, 32) for c in (clip, clip[:, :, ::-1])
    )
    plain = plain[:, :, ::-1]
    np.testing.assert_array_equal(found[..., :2, :], plain[..., :2, order])
    np.testing.assert_array_equal(found[..., 2, :], plain[..., 2, :])


@few
@given(clip=clips((5, 8, 8)), blocks=st.tuples(*[st.integers(1, 3)] * 3))
def test_each_histogram_sums_to_one(clip, blocks):
    found = cbptop(clip, blocks=blocks).reshape(-1, 32)
    assert len(found) == 3 * np.prod(blocks)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)


def test_whole_numbers_of_any_type_give_the_same():
    clip = one_clip()
    for dtype in (np.float64, np.float32, np.int16):
        np.testing.assert_array_equal(cbptop(clip.astype(dtype)), cbptop(clip))


def test_colour_frames_count_as_their_luma():
    clip = one_clip((4, 8, 9, 3), high=256)
    np.testing.assert_array_equal(cbptop(clip), cbptop(to_grey(clip)))


def test_frames_may_be_read_only_or_strided_and_are_left_alone():
    wide = np.concatenate([one_clip(), one_clip(seed=1)], axis=2)
    view, before = wide[:, :, :11], wide.copy()
    view.setflags(write=False)
    np.testing.assert_array_equal(cbptop(view), cbptop(one_clip()))
    np.testing.assert_array_equal(wide, before)


# Parameters


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"radii": (1, 1)}, r"radii is \(1, 1\): it must be a tuple of 3 integers"),
        ({"radii": (1, 0, 1)}, r"radii\[1\] is 0: it must be at least 1"),
        ({"blocks": (5, 5)}, r"blocks is \(5, 5\): it must be a tuple of 3 integers"),
        ({"threshold": 0}, "threshold is 0: it must be above 0"),
        ({"threshold": -1.0}, "threshold is -1.0: it must be above 0"),
        ({"threshold": float("nan")}, "threshold is nan: it must be a finite number"),
        ({"threshold": "3"}, "threshold is '3': it must be a finite number"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        cbptop(one_clip(), **params)
    with pytest.raises(ParameterError, match=message):
        CBPTOP(**params).fit([one_clip()])


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
        cbptop(frames, **params)
    assert "\n" not in str(refusal.value)


# The transformer


def test_transformer_gives_the_function_s_values_as_rows():
    clip = one_clip()
    params = {"radii": (1, 2, 1), "threshold": 5, "blocks": (2, 2, 1)}
    rows = CBPTOP(**params).fit_transform([clip, clip[:, ::-1]])
    np.testing.assert_array_equal(rows, [cbptop(clip, **params), cbptop(clip[:, ::-1], **params)])
    assert CBPTOP().fit_transform([clip]).shape == (1, 96)


def test_transformer_passes_the_public_checks():
    clips = [Clip(f"toy/sub01/{seed}", ArraySource(one_clip(seed=seed))) for seed in range(3)]
    check_clip_transformer(CBPTOP(blocks=(2, 2, 1)), clips)


def test_transformer_names_the_clip_it_refuses():
    with pytest.raises(DataError, match="toy/sub01/a: a clip of 2 frames"):
        CBPTOP().transform([Clip("toy/sub01/a", ArraySource(np.zeros((2, 9, 9), np.uint8)))])
    with pytest.raises(NeedsError, match="toy/sub01/map"):
        CBPTOP().transform([Clip("toy/sub01/map", FlowMapSource("map.png"))])
