import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import hog3d as naive

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.data import make_clips
from microexpr.features import _hog3d_geometry as geometry
from microexpr.features._face_regions import frame_regions
from microexpr.features.hog3d import HOG3D, hog3d
from microexpr.testing import check_clip_transformer
from microexpr.video.faces import region_masks

GOLDEN = Path(__file__).parent.parent / "golden"
ROOT = Path(__file__).parent.parent.parent
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


def cell_masks(clip, n_rows, n_columns):
    rows = naive.bounds(0, clip.shape[1], n_rows)
    columns = naive.bounds(0, clip.shape[2], n_columns)
    masks = np.zeros((n_rows * n_columns, *clip.shape[1:]), bool)
    for row in range(n_rows):
        for column in range(n_columns):
            masks[row * n_columns + column, rows[row] : rows[row + 1], columns[column] : columns[column + 1]] = True
    return masks


def split(vector, n_regions, n_times):
    """The histograms of XY, XT and YT, each of shape (region, time, bin)."""
    return np.split(vector.reshape(n_regions, n_times, 32), [8, 20], axis=-1)


def plane_bins(clip):
    """The bins of XY, XT, YT that a clip whose gradient is one and the same everywhere votes for."""
    return [tuple(np.flatnonzero(plane[0, 0])) for plane in split(hog3d(clip, cells=(1, 1, 1)), 1, 1)]


def ramp(along_x, along_y, along_t):
    time, row, column = np.mgrid[:4, :4, :4]
    return (100 + along_x * column + along_y * row + along_t * time).astype(np.float64)


# The author's program and the slow twins


@pytest.mark.parametrize(("binning", "key"), [("icosahedron", "ico_full"), ("dodecahedron", "dod_full")])
def test_golden_vectors_are_reproduced(binning, key):
    found = hog3d(golden_clip(), binning=binning, box=(1, 0, 0, 36, 48, 18))
    np.testing.assert_allclose(found, np.load(GOLDEN / "hog3d_klaeser.npz")[key], rtol=0, atol=1e-15)


@few
@given(
    clip=clips((6, 9, 6), (8, 11, 10)),
    cells=st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2)),
    binning=st.sampled_from(POLYHEDRA),
    orientation=st.sampled_from(["full", "half"]),
    real=st.booleans(),
)
def test_polyhedra_equal_their_twin(clip, cells, binning, orientation, real):
    clip = clip / 7.3 - 0.2 if real else clip
    found = hog3d(clip, binning=binning, cells=cells, orientation=orientation)
    expected = naive.klaeser(clip.tolist(), binning, cells, orientation)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@few
@given(
    clip=st.one_of(clips((2, 3, 2), (6, 7, 8)), clips((2, 3, 2), (6, 7, 8), high=4)),
    n_times=st.integers(1, 2),
    orientation=st.sampled_from(["full", "half"]),
    real=st.booleans(),
)
def test_polikovsky_equals_its_twin(clip, n_times, orientation, real):
    clip = clip / 7.3 - 0.2 if real else clip
    masks = random_masks(clip)
    found = hog3d(clip, masks=masks, cells=(1, 1, n_times), orientation=orientation)
    expected = naive.polikovsky(clip.tolist(), masks.tolist(), n_times, orientation)
    # Lengths of whole numbers are of single precision.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 if real else 1e-7)


@few
@given(clip=clips((3, 5, 4), (5, 9, 9)), n_rows=st.integers(1, 5), n_columns=st.integers(1, 4))
def test_polikovsky_cells_equal_the_twin_where_they_do_not_divide_the_size(clip, n_rows, n_columns):
    found = hog3d(clip, cells=(n_rows, n_columns, 3))
    expected = naive.polikovsky(clip.tolist(), cell_masks(clip, n_rows, n_columns).tolist(), 3)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("binning", POLYHEDRA)
def test_a_box_equals_the_twin_s(binning):
    clip, box = random_clip((9, 13, 12)), (2, 1, 3, 7, 12, 5)
    found = hog3d(clip, binning=binning, box=box, cells=(3, 2, 1))
    np.testing.assert_allclose(found, naive.klaeser(clip.tolist(), binning, (3, 2, 1), box=box), rtol=0, atol=1e-12)


def test_a_box_of_polikovsky_equals_the_twin_s_region_and_frames():
    clip = random_clip((8, 9, 10))
    mask = np.zeros((1, 9, 10), bool)
    mask[0, 1:6, 3:9] = True
    found = hog3d(clip, box=(3, 1, 2, 6, 5, 5), cells=(1, 1, 2))
    expected = naive.polikovsky(clip.tolist(), mask.tolist(), 2, frame_range=(2, 7))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7)


def test_kernels_run_uncompiled():
    code = (
        "import numpy as np, sys; sys.path.insert(0, 'tests');"
        "from naive import hog3d as naive; from microexpr.features.hog3d import hog3d;"
        "clip = np.random.default_rng(3).integers(0, 256, (5, 6, 7), dtype=np.uint8);"
        "whole = np.ones((1, 6, 7), bool);"
        "one = [hog3d(frames, cells=(1, 1, 2)) - naive.polikovsky(clip.tolist(), whole.tolist(), 2)"
        " for frames in (clip, clip.astype(float))];"
        "two = [hog3d(frames, binning='icosahedron', cells=(2, 1, 1)) - naive.klaeser(clip, 'icosahedron', (2, 1, 1))"
        " for frames in (clip, clip.astype(float))];"
        "assert all(np.abs(apart).max() < 1e-7 for apart in one + two), (one, two)"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, cwd=ROOT, check=True, timeout=120)


# By hand


@pytest.mark.parametrize(
    ("gradient", "expected"),
    [
        ((1, 0, 0), [(0,), (0,), ()]),
        ((-1, 0, 0), [(4,), (6,), ()]),
        ((0, 1, 0), [(2,), (), (0,)]),
        ((0, -1, 0), [(6,), (), (6,)]),
        ((0, 0, 1), [(), (3,), (3,)]),
        ((0, 0, -1), [(), (9,), (9,)]),
        # Angles: XY 45; XT 45, between bins 1 and 2, nearer to x: 1; YT 45 likewise.
        ((1, 1, 1), [(1,), (1,), (1,)]),
        # XY 135; XT 135, as its mirror image: 5; YT -45: 11 in YT's own count.
        ((-1, 1, -1), [(3,), (7,), (11,)]),
        # XY atan(1/3) = 18.4: 0; XT atan(2/3) = 33.7: 1; YT atan(2) = 63.4: 2.
        ((3, 1, 2), [(0,), (1,), (2,)]),
        # XY 26.6: 1; XT atan(4/2) = 63.4: 2; YT atan(4/1) = 76: 3.
        ((2, 1, 4), [(1,), (2,), (3,)]),
    ],
)
def test_a_ramp_votes_for_the_bin_of_its_direction(gradient, expected):
    assert plane_bins(ramp(*gradient)) == expected


def test_a_voxel_votes_with_the_length_of_its_gradient():
    clip = np.zeros((2, 2, 4))
    clip[:, :, 2:] = [[0, 3], [1, 4]]
    # Gradients (x, y): upper right (3, 1), bin 0; lower, second from the left, (0.5, 0), bin 0; upper, third, (1.5, 1),
    # at 34 degrees, bin 1.
    mask = np.array([[[0, 0, 1, 1], [0, 1, 0, 0]]], bool)
    xy = split(hog3d(clip, masks=mask), 1, 1)[0].ravel()
    votes = np.array([np.sqrt(10) + 0.5, np.sqrt(3.25), 0, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(xy, votes / votes.sum())


def test_a_ramp_along_an_axis_of_the_icosahedron_votes_for_that_axis_alone():
    axes, _ = geometry.polyhedron("icosahedron")
    for number, axis in enumerate(axes):
        frames = 100 + np.einsum("a,atyx->tyx", axis[::-1], np.mgrid[:10, :9, :9].astype(float))
        box = (0, 0, 0, 6, 6, 6)
        up = hog3d(frames, binning="icosahedron", cells=(1, 1, 1), box=box)
        down = hog3d(200 - frames, binning="icosahedron", cells=(1, 1, 1), box=box)
        assert (up.argmax(), down.argmax()) == (number, number + 10)
        np.testing.assert_allclose(np.sort(up)[-2:], [0, 1], atol=1e-9)


# Parameters and bad data


@pytest.mark.parametrize(
    ("params", "size"),
    [
        ({}, 5 * 5 * 32),
        ({"orientation": "half"}, 5 * 5 * 16),
        ({"masks": np.ones((2, 48, 40), bool)}, 2 * 32),
        ({"masks": np.ones((2, 48, 40), bool), "cells": (1, 1, 3)}, 2 * 3 * 32),
        ({"binning": "icosahedron"}, 4 * 4 * 3 * 20),
        ({"binning": "icosahedron", "orientation": "half"}, 4 * 4 * 3 * 10),
        ({"binning": "dodecahedron", "cells": (1, 2, 1)}, 2 * 12),
    ],
)
def test_size_follows_binning_cells_and_orientation(params, size):
    assert hog3d(golden_clip(), **params).shape == (size,)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"binning": "cube"}, "binning is 'cube': it must be one of 'polikovsky', 'icosahedron', 'dodecahedron'"),
        ({"cells": (4, 4)}, r"cells is \(4, 4\): it must be a tuple of 3 integers"),
        ({"cells": (4, 0, 3)}, r"cells\[1\] is 0: it must be at least 1"),
        ({"orientation": "signed"}, "orientation is 'signed': it must be one of 'full', 'half'"),
        ({"box": (0, 0, 0, 5, 5)}, r"box is .*: it must be a tuple of 6 integers"),
        ({"box": (0, -1, 0, 5, 5, 5)}, r"box\[1\] is -1: it must be at least 0"),
        ({"box": (0, 0, 0, 5, 0, 5)}, r"box is .*: its height must be at least 1"),
        ({"masks": np.ones((1, 48, 40), bool), "cells": (2, 1, 1)}, r"cells is \(2, 1, 1\): it must be \(1, 1, n\)"),
        (
            {"masks": np.ones((1, 48, 40), bool), "box": (0, 0, 0, 5, 5, 5)},
            "box is .*: it must be None, the picture is divided by masks",
        ),
        ({"masks": np.ones((1, 48, 40), bool), "binning": "icosahedron"}, "masks: it must not be given"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        hog3d(golden_clip(), **params)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"binning": "cube"}, "binning is 'cube'"),
        ({"regions": "eyes"}, "regions is 'eyes': it must be one of"),
        ({"cells": (5, 5, 1)}, r"cells is \(5, 5, 1\): it must be \(1, 1, n\), the picture is divided by regions="),
        ({"binning": "icosahedron", "regions": "kato15"}, "regions='kato15': it must not be given"),
        ({"orientation": 1}, "orientation is 1"),
    ],
)
def test_the_transformer_refuses_parameters_against_the_rules(params, message):
    with pytest.raises(ParameterError, match=message):
        HOG3D(**params).fit([golden_clip()])


@pytest.mark.parametrize(
    ("shape", "params", "message"),
    [
        ((1, 9, 9), {}, "a clip of 1 frames of 9 x 9 pixels has no gradients; 2 frames of 2 x 2"),
        ((9, 9, 1), {"cells": (1, 1, 1)}, "9 frames of 9 x 1 pixels has no gradients"),
        ((9, 4, 9), {}, "4 rows cannot be cut into 5 cells of 1 or more; 5 rows are needed"),
        ((8, 12, 12), {"binning": "icosahedron"}, "8 frames cannot be cut into 3 cells of 3 or more; 9 frames are"),
        ((9, 12, 11), {"binning": "dodecahedron"}, "11 columns cannot be cut into 4 cells of 3 or more"),
        (
            (9, 12, 12),
            {"box": (8, 0, 0, 5, 9, 9)},
            r"the box .* \(8, 0, 0, 5, 9, 9\) reaches beyond a clip of 9 frames",
        ),
        ((9, 12, 12), {"box": (0, 4, 0, 9, 9, 9)}, "reaches beyond"),
        ((9, 12, 12), {"box": (0, 0, 1, 9, 9, 9)}, "reaches beyond"),
        (
            (9, 12, 12),
            {"masks": np.ones((1, 12, 11), bool)},
            r"masks are bool of shape \(1, 12, 11\); they must be bool",
        ),
        ((9, 12, 12), {"masks": np.ones((12, 12), bool)}, "masks are bool of shape"),
        ((9, 12, 12), {"masks": np.ones((1, 12, 12))}, "masks are float64 of shape"),
        ((9, 12, 12), {"masks": np.zeros((0, 12, 12), bool)}, "masks are bool of shape"),
        ((9, 12, 12), {"masks": [[[True]], [[True, False]]]}, "masks differ in size"),
        ((9, 12, 12), {"masks": np.arange(2)[:, None, None] < np.ones((12, 12))}, r"masks\[1\] holds no pixel"),
    ],
)
def test_data_that_does_not_fit_is_refused_in_one_line(shape, params, message):
    with pytest.raises(DataError, match=f"^frames: .*{message}") as refusal:
        hog3d(np.zeros(shape, np.uint8), **params)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((5, 5)), r"shape \(5, 5\) is no clip"),
        (np.zeros((0, 5, 5)), "the clip is empty"),
        (np.full((9, 5, 5), np.nan), "NaN"),
        (np.full((9, 5, 5), -1e200), "values from -1e\\+200 to -1e\\+200; grey levels are within"),
    ],
)
def test_what_is_no_clip_is_refused(frames, message):
    with pytest.raises(DataError, match=message):
        hog3d(frames)


# The transformer


@pytest.mark.parametrize("params", [{"regions": "grid"}, {"binning": "icosahedron"}, {"binning": "dodecahedron"}])
def test_the_transformer_gives_the_function_s_values_as_rows(params):
    clip = golden_clip()
    binning = params.get("binning", "polikovsky")
    rows = HOG3D(**params, orientation="half").fit_transform([clip, clip[:15, ::-1, :30]])
    other = hog3d(clip[:15, ::-1, :30], binning=binning, orientation="half")
    np.testing.assert_array_equal(rows, [hog3d(clip, binning=binning, orientation="half"), other])


def test_the_transformer_describes_twelve_regions_of_the_onset_frame_s_face():
    frames = make_clips(n_subjects=1, clips_per_subject=1).clips[0].frames()
    moved = Clip("moved", ArraySource(np.concatenate([np.zeros_like(frames[:1]), frames])), onset=1)
    masks = region_masks(frame_regions(frames[0], "polikovsky12"), frames.shape[1:3])
    [row] = HOG3D(cells=(1, 1, 2)).transform([moved])
    assert row.shape == (12 * 2 * 32,)
    np.testing.assert_array_equal(row, hog3d(moved.frames(), masks=masks, cells=(1, 1, 2)))


@pytest.mark.parametrize(
    "transformer",
    [HOG3D(), HOG3D(regions="grid", cells=(2, 2, 2)), HOG3D(binning="icosahedron", cells=(2, 2, 1))],
    ids=["face", "grid", "icosahedron"],
)
def test_the_transformer_keeps_the_contract(transformer):
    frames = make_clips(n_subjects=1, clips_per_subject=1).clips[0].frames()[:6]
    parts = [frames, frames[1:], frames[::-1]]
    clips = [Clip(f"a/b/{number}", ArraySource(part), onset=0) for number, part in enumerate(parts)]
    check_clip_transformer(transformer, clips)


def test_the_transformer_names_the_clip_it_refuses():
    short = Clip("toy/sub01/a", ArraySource(np.zeros((4, 20, 20), np.uint8)))
    with pytest.raises(DataError, match=re.escape("toy/sub01/a: 4 frames cannot be cut")):
        HOG3D(binning="icosahedron").transform([short])
    with pytest.raises(DataError, match=r"toy/sub01/a: .*regions='grid' divides the whole picture instead"):
        HOG3D().transform([short])
    with pytest.raises(NeedsError, match="toy/sub01/map"):
        HOG3D().transform([Clip("toy/sub01/map", FlowMapSource("map.png"))])
