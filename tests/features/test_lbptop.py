import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import lbptop as naive
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.features import _lbptop_geometry as geometry
from microexpr.features.lbptop import LBPTOP, lbptop
from microexpr.testing import check_clip_transformer

GOLDEN = Path(__file__).parent.parent / "golden"
DEFAULTS = {
    "radii": (1, 1, 1),
    "neighbors": 8,
    "blocks": (1, 1, 1),
    "bins": "u2",
    "interpolation": "bilinear",
    "overlap": 0.0,
    "convention": "zhao2009",
}


def golden_clip():
    return np.load(GOLDEN / "clipA.npy")


def golden_cases():
    """(file, key, parameters, which of the three planes or None for all) of every array the authors' programs gave."""
    for key in np.load(GOLDEN / "lbptop_2009.npz"):
        _, radii, bilinear, bins = key.split("_")
        word = {"bil0": "nearest", "bil1": "bilinear"}[bilinear]
        yield "lbptop_2009", key, {"radii": tuple(map(int, radii[1:])), "interpolation": word, "bins": bins}, None
    for key in np.load(GOLDEN / "lbptop_unfolding_2016.npz"):
        if key == "u2table":
            continue
        _, radius, blocks, plane = key.split("_")
        params = {"radii": (int(radius[1]),) * 3, "blocks": tuple(map(int, blocks)), "convention": "unfolding2016"}
        yield "lbptop_unfolding_2016", key, params, ("xy", "xt", "yt").index(plane)
    for key in np.load(GOLDEN / "lbptop_blocks_2015.npz"):
        _, radii, blocks, overlap, bins = key.split("_")
        params = {
            "radii": tuple(map(int, radii[1:])),
            "blocks": tuple(map(int, blocks.split("x"))),
            "overlap": int(overlap[2:]) / 100,
            "bins": {"u2": "u2", "none": "basic"}[bins],
            "convention": "blocks2015",
        }
        yield "lbptop_blocks_2015", key, params, None


def naive_of(clip, params):
    return naive.lbptop(clip, **{**DEFAULTS, **params})


def clips(values, min_size=(3, 3, 3), max_size=(6, 9, 8)):
    """Clips of any size between two, filled from a seed: shrinking a seed is quicker than shrinking pixels."""

    def fill(shape_and_seed):
        shape, seed = shape_and_seed
        return np.random.default_rng(seed).choice(values, shape)

    sizes = st.tuples(*(st.integers(low, high) for low, high in zip(min_size, max_size, strict=True)))
    return st.tuples(sizes, st.integers(0, 2**32 - 1)).map(fill)


FEW_GREYS = np.arange(4, dtype=np.uint8)
ALL_GREYS = np.arange(256, dtype=np.uint8)
few = settings(max_examples=25, deadline=None)


# The authors' programs


@pytest.mark.parametrize(("file", "key", "params", "plane"), list(golden_cases()), ids=lambda value: str(value)[:40])
def test_golden_arrays_are_reproduced(file, key, params, plane):
    expected = np.load(GOLDEN / f"{file}.npz")[key]
    found = lbptop(golden_clip(), **params)
    if plane is not None:
        found = found.reshape(3, -1)[plane]
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=0, atol=1e-12)


def test_golden_table_of_uniform_codes_is_reproduced():
    params = geometry.check_settings(**{**DEFAULTS, "convention": "unfolding2016"})
    table = geometry.bin_matrix(params, range(8)).argmax(axis=1)
    np.testing.assert_array_equal(table, np.load(GOLDEN / "lbptop_unfolding_2016.npz")["u2table"])


# The slow twins


@few
@given(
    clip=st.one_of(clips(FEW_GREYS, (4, 6, 6)), clips(ALL_GREYS, (4, 6, 6))),
    radii=st.tuples(st.integers(1, 2), st.integers(1, 2), st.just(1)),
    neighbors=st.sampled_from([4, 8]),
    interpolation=st.sampled_from(["bilinear", "nearest"]),
    bins=st.sampled_from(["u2", "basic"]),
    blocks=st.sampled_from([(1, 1, 1), (2, 1, 2), (1, 2, 1)]),
)
def test_zhao2009_equals_its_twin(clip, radii, neighbors, interpolation, bins, blocks):
    params = {
        "radii": radii,
        "neighbors": neighbors,
        "interpolation": interpolation,
        "bins": bins,
        "blocks": blocks,
    }
    np.testing.assert_array_equal(lbptop(clip, **params), naive_of(clip, params))


@few
@given(
    clip=clips(ALL_GREYS / 7.3 - 0.5),
    interpolation=st.sampled_from(["bilinear", "nearest"]),
    neighbors=st.sampled_from([4, 8]),
)
def test_zhao2009_equals_its_twin_on_real_valued_frames(clip, interpolation, neighbors):
    params = {"interpolation": interpolation, "neighbors": neighbors, "bins": "basic"}
    np.testing.assert_array_equal(lbptop(clip, **{**DEFAULTS, **params}), naive_of(clip, params))


@few
@given(
    clip=st.one_of(clips(FEW_GREYS, (3, 4, 4)), clips(ALL_GREYS, (3, 4, 4)), clips(ALL_GREYS / 7.3 - 0.5, (3, 4, 4))),
    neighbors=st.sampled_from([4, 8]),
    bins=st.sampled_from(["u2", "basic"]),
    blocks=st.sampled_from([(1, 1, 1), (2, 2, 1), (1, 2, 1)]),
)
def test_unfolding2016_equals_its_twin(clip, neighbors, bins, blocks):
    params = {"neighbors": neighbors, "bins": bins, "blocks": blocks, "convention": "unfolding2016"}
    np.testing.assert_array_equal(lbptop(clip, **{**DEFAULTS, **params}), naive_of(clip, params))


@few
@given(
    clip=clips(FEW_GREYS, (5, 8, 8), (8, 12, 11)),
    radii=st.tuples(st.integers(1, 2), st.integers(1, 2), st.just(1)),
    neighbors=st.sampled_from([4, 8]),
    bins=st.sampled_from(["u2", "basic"]),
    blocks=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2)),
    overlap=st.sampled_from([0.0, 0.2, 0.5, 0.7, 0.99]),
)
def test_blocks2015_equals_its_twin(clip, radii, neighbors, bins, blocks, overlap):
    params = {
        "radii": radii,
        "neighbors": neighbors,
        "bins": bins,
        "blocks": blocks,
        "overlap": overlap,
        "convention": "blocks2015",
    }
    np.testing.assert_array_equal(lbptop(clip, **params), naive_of(clip, params))


@pytest.mark.parametrize("convention", ["zhao2009", "unfolding2016"])
@pytest.mark.parametrize(("blocks", "radius"), [((3, 2, 2), 1), ((2, 3, 1), 2)])
def test_blocks_equal_the_twin_where_sizes_leave_a_remainder(convention, blocks, radius):
    clip = np.random.default_rng(5).integers(0, 4, (8, 13, 11), dtype=np.uint8)
    params = {"radii": (radius,) * 3, "blocks": blocks, "convention": convention}
    np.testing.assert_array_equal(lbptop(clip, **params), naive_of(clip, params))


@pytest.mark.parametrize("shape", [(3, 3, 530), (3, 270, 3), (140, 3, 3)])
def test_fractions_lose_digits_with_the_coordinate_as_in_the_twin(shape):
    clip = np.random.default_rng(1).integers(0, 3, shape, dtype=np.uint8)
    np.testing.assert_array_equal(lbptop(clip, radii=(1, 1, 1), bins="basic"), naive_of(clip, {"bins": "basic"}))


@pytest.mark.parametrize("convention", ["zhao2009", "unfolding2016", "blocks2015"])
def test_counts_do_not_depend_on_how_rows_are_banded(convention, monkeypatch):
    params = {"radii": (2, 2, 2), "blocks": (2, 3, 1), "convention": convention}
    whole = lbptop(golden_clip(), **params)
    monkeypatch.setattr(geometry, "_BAND_PIXELS", 90)
    np.testing.assert_array_equal(lbptop(golden_clip(), **params), whole)


def test_kernels_run_uncompiled():
    code = (
        "import numpy as np, sys; sys.path.insert(0, 'tests');"
        "from naive import lbptop as naive; from microexpr.features.lbptop import lbptop;"
        "clip = np.random.default_rng(3).integers(0, 9, (5, 6, 7), dtype=np.uint8);"
        "one = dict(radii=(1, 1, 1), neighbors=8, blocks=(1, 1, 1), bins='u2', overlap=0.0);"
        "cases = [('zhao2009', 'nearest'), ('zhao2009', 'bilinear'), ('unfolding2016', 'bilinear')];"
        "same = [np.array_equal(lbptop(clip, **one, convention=c, interpolation=i),"
        " naive.lbptop(clip, **one, convention=c, interpolation=i)) for c, i in cases];"
        "assert all(same), same"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    root = Path(__file__).parent.parent.parent
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, cwd=root, check=True, timeout=120)


# By hand


@pytest.mark.parametrize(
    ("convention", "expected"),
    [
        # Brighter pixels: right of the centre (bit 0 on XY and XT); one frame later (bit 2 of XT and 0 of YT in 2009,
        # bit 6 of both in the others); one row up (bit 2 of XY; 2, 4, 0 of YT).
        ("zhao2009", (0b101, 0b101, 0b101)),
        ("unfolding2016", (0b101, 0b1000001, 0b1010000)),
        ("blocks2015", (0b101, 0b1000001, 0b1000001)),
    ],
)
def test_bits_of_one_centre_are_where_the_convention_puts_them(convention, expected):
    clip = np.zeros((3, 3, 3), np.uint8)
    clip[1, 1, 1] = 100
    clip[1, 1, 2] = clip[2, 1, 1] = clip[1, 0, 1] = 101
    histograms = lbptop(clip, radii=(1, 1, 1), bins="basic", convention=convention)
    assert tuple(histograms.argmax(axis=1)) == expected


def test_overlap_counts_shared_centres_in_both_blocks():
    # 8 columns of centres, 2 blocks, half of (8 / 2 - 1), rounded up, less 1: one shared column, blocks of 4 (floor
    # of 9 / 2): columns 1-4 and 4-7, the eighth to the last block: 4 + 5 columns are counted for 8.
    clip = np.random.default_rng(0).integers(0, 256, (3, 3, 10), dtype=np.uint8)
    params = {"radii": (1, 1, 1), "blocks": (1, 2, 1), "convention": "blocks2015"}
    counts = lbptop(clip, overlap=0.5, **params).reshape(2, 3, 59).sum(axis=(1, 2))
    np.testing.assert_allclose(counts, [4 / 9, 5 / 9])
    np.testing.assert_allclose(lbptop(clip, **params).reshape(2, 3, 59).sum(axis=(1, 2)), [0.5, 0.5])


def test_unfolding_puts_rows_before_columns_and_planes_first():
    clip = np.random.default_rng(0).integers(0, 256, (3, 6, 6), dtype=np.uint8)
    params = {"radii": (1, 1, 1), "convention": "unfolding2016"}
    by_plane = lbptop(clip, blocks=(2, 2, 1), **params).reshape(3, 2, 2, 59)
    lower_left = lbptop(clip[:, 2:, :4], **params)
    np.testing.assert_array_equal(by_plane[:, 0, 1], lower_left)


def test_zhao_blocks_are_the_histograms_of_the_clip_cut_up():
    clip = np.random.default_rng(0).integers(0, 256, (4, 8, 9), dtype=np.uint8)
    params = {"radii": (1, 1, 1), "interpolation": "nearest"}
    blocks = lbptop(clip, blocks=(2, 3, 2), **params).reshape(2, 2, 3, 3, 59)
    np.testing.assert_array_equal(blocks[1, 1, 2], lbptop(clip[1:, 3:, 4:], **params))
    np.testing.assert_array_equal(blocks[0, 1, 0], lbptop(clip[:3, 3:, :4], **params))


# Parameters


def test_defaults_give_three_rows_of_uniform_bins():
    assert lbptop(golden_clip()).shape == (3, 59)


@pytest.mark.parametrize(
    ("params", "shape"),
    [
        ({"neighbors": 4}, (3, 15)),
        ({"bins": "basic"}, (3, 256)),
        ({"neighbors": 4, "bins": "basic"}, (3, 16)),
        ({"blocks": (2, 3, 2)}, (2 * 3 * 2 * 3 * 59,)),
    ],
)
def test_shape_follows_bins_and_blocks(params, shape):
    assert lbptop(golden_clip(), **params).shape == shape


def test_blocks2015_takes_either_word_for_its_one_way_of_sampling():
    by_default = lbptop(golden_clip(), convention="blocks2015")
    np.testing.assert_array_equal(lbptop(golden_clip(), convention="blocks2015", interpolation="nearest"), by_default)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"radii": (1, 1)}, r"radii is \(1, 1\): it must be a tuple of 3 integers"),
        ({"radii": (1, 0, 1)}, r"radii\[1\] is 0: it must be at least 1"),
        ({"radii": (1, 1, 1.5)}, r"radii\[2\] is 1.5: it must be an integer"),
        ({"neighbors": 6}, "neighbors is 6: it must be one of 8, 4"),
        ({"blocks": (5, 5)}, r"blocks is \(5, 5\): it must be a tuple of 3 integers"),
        ({"blocks": (5, -1, 1)}, r"blocks\[1\] is -1: it must be at least 1"),
        ({"bins": "ri"}, "bins is 'ri': it must be one of 'u2', 'basic'"),
        ({"interpolation": "cubic"}, "interpolation is 'cubic': it must be one of 'bilinear', 'nearest'"),
        ({"convention": "zhao2007"}, "convention is 'zhao2007': it must be one of 'zhao2009'"),
        ({"overlap": -0.1, "convention": "blocks2015"}, "overlap is -0.1: it must be at least 0"),
        ({"overlap": 1.0, "convention": "blocks2015"}, "overlap is 1.0: it must be below 1"),
        ({"overlap": float("nan"), "convention": "blocks2015"}, "overlap is nan: it must be a finite number"),
        ({"overlap": 0.5}, "overlap is 0.5: it must be 0, only convention 'blocks2015'"),
        ({"overlap": 0.5, "radii": (1, 1, 1), "convention": "unfolding2016"}, "overlap is 0.5: it must be 0"),
        ({"convention": "unfolding2016"}, r"radii is \(1, 1, 4\): convention 'unfolding2016' has one radius"),
        (
            {"radii": (2, 2, 2), "interpolation": "nearest", "convention": "unfolding2016"},
            "interpolation is 'nearest': convention 'unfolding2016' is always 'bilinear'",
        ),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        lbptop(golden_clip(), **params)
    with pytest.raises(ParameterError, match=message):
        LBPTOP(**params).fit([golden_clip()])


@pytest.mark.parametrize(
    ("shape", "params", "message"),
    [
        ((8, 9, 9), {}, r"8 frames of 9 x 9 pixels is too small for radii \(1, 1, 4\); at least 9 frames of 3 x 3"),
        (
            (9, 9, 4),
            {"radii": (1, 2, 4)},
            r"9 x 4 pixels is too small for radii \(1, 2, 4\); at least 9 frames of 5 x 5",
        ),
        ((9, 5, 9), {"blocks": (4, 1, 1)}, r"3 rows of centres \(radii \(1, 1, 4\)\) cannot be cut into 4 blocks"),
        ((9, 9, 5), {"blocks": (1, 4, 1)}, "3 columns of centres .* cannot be cut into 4 blocks; each block needs one"),
        ((9, 9, 9), {"blocks": (1, 1, 2)}, "1 frames of centres .* cannot be cut into 2 blocks"),
        (
            (12, 21, 17),
            {"radii": (3, 3, 3), "blocks": (5, 5, 1), "convention": "unfolding2016"},
            "11 columns of centres .* cannot be cut into 5 blocks; convention 'unfolding2016' makes each 3 long",
        ),
        (
            (9, 11, 20),
            {"radii": (1, 1, 1), "blocks": (4, 1, 1), "convention": "unfolding2016"},
            "9 rows of centres .* cannot be cut into 4 blocks; .* leaves the last empty",
        ),
        (
            (4, 9, 9),
            {"radii": (1, 1, 1), "blocks": (1, 1, 2), "convention": "blocks2015"},
            "2 frames of centres .* cannot be cut into 2 blocks; convention 'blocks2015', whose blocks share a frame",
        ),
    ],
)
def test_a_clip_too_small_is_refused_in_one_line(shape, params, message):
    clip = np.zeros(shape, np.uint8)
    with pytest.raises(DataError, match=f"^frames: .*{message}") as refusal:
        lbptop(clip, **params)
    assert "\n" not in str(refusal.value)


@given(length=st.integers(1, 40), n_blocks=st.integers(1, 9))
@settings(deadline=None)
def test_unfolding2016_refuses_exactly_the_sizes_its_program_fails_on(length, n_blocks):
    clip = np.zeros((3, length + 2, 3), np.uint8)
    params = {"radii": (1, 1, 1), "blocks": (n_blocks, 1, 1), "convention": "unfolding2016"}
    if length >= n_blocks and naive.ceil_blocks(length, n_blocks) is not None:
        lbptop(clip, **params)
    else:
        with pytest.raises(DataError):
            lbptop(clip, **params)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((5, 5)), r"shape \(5, 5\) is no clip"),
        (np.zeros((0, 5, 5)), "the clip is empty"),
        (np.full((9, 5, 5), np.nan), "NaN"),
        (np.full((9, 5, 5), "a"), "not numeric"),
    ],
)
def test_what_is_no_clip_is_refused(frames, message):
    with pytest.raises(DataError, match=message):
        lbptop(frames)


# The transformer


def test_transformer_gives_the_function_s_values_as_rows():
    clip = golden_clip()
    params = {"radii": (1, 1, 2), "blocks": (2, 2, 1), "interpolation": "nearest"}
    rows = LBPTOP(**params).fit_transform([clip, clip[:, ::-1]])
    np.testing.assert_array_equal(rows, [lbptop(clip, **params), lbptop(clip[:, ::-1], **params)])
    assert LBPTOP().fit_transform([clip]).shape == (1, 3 * 59)


@pytest.mark.parametrize("convention", ["zhao2009", "unfolding2016", "blocks2015"])
def test_transformer_passes_the_public_checks(convention):
    clip = golden_clip()
    clips = [Clip(f"toy/sub01/{first}", ArraySource(clip[first : first + 9])) for first in range(3)]
    check_clip_transformer(LBPTOP(radii=(1, 1, 1), blocks=(2, 2, 1), convention=convention), clips)


def test_transformer_works_in_a_pipeline_and_clones():
    pipeline = make_pipeline(LBPTOP(radii=(1, 1, 1)), FunctionTransformer())
    assert pipeline.fit_transform([golden_clip()]).shape == (1, 177)
    assert clone(LBPTOP(blocks=(5, 5, 1))).get_params()["blocks"] == (5, 5, 1)


def test_transformer_names_the_clip_it_refuses():
    short = Clip("toy/sub01/a", ArraySource(np.zeros((4, 9, 9), np.uint8)))
    with pytest.raises(DataError, match=re.escape("toy/sub01/a: a clip of 4 frames")):
        LBPTOP().transform([short])
    with pytest.raises(NeedsError, match="toy/sub01/map"):
        LBPTOP().transform([Clip("toy/sub01/map", FlowMapSource("map.png"))])
