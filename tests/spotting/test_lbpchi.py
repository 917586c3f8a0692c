"""Chi-square distances of local binary patterns: against a slow twin, another library, by hand, and in a stream."""

import cv2
import numpy as np
import pytest
from naive import lbpchi as naive
from toyset.movingfaces import POINTS, SIZE, cosine_course, faces, pictures

from microexpr.core.errors import DataError, ParameterError
from microexpr.spotting._blocks import BlockGrid, block_names
from microexpr.spotting.lbpchi import LBPDistance, block_distances, block_patterns


def labelled(height, width, n_blocks, radius, seed=0):
    labels = np.full((height, width), -1)
    inside = (height - 2 * radius, width - 2 * radius)
    labels[radius:-radius, radius:-radius] = np.random.default_rng(seed).integers(-1, n_blocks, inside)
    return labels


@pytest.mark.parametrize("radius", [1, 2, 3])
@pytest.mark.parametrize("levels", [256, 4])
def test_histograms_equal_the_slow_twin(radius, levels):
    # Of few grey levels many neighbours are equal.
    grey = np.random.default_rng(radius).integers(0, levels, (15, 13), dtype=np.uint8)
    labels = labelled(15, 13, 3, radius)
    expected = naive.histograms(grey.tolist(), labels.tolist(), 3, radius)
    np.testing.assert_allclose(block_patterns(grey, labels, n_blocks=3, radius=radius), expected, rtol=1e-12)


def test_patterns_equal_those_of_scikit_image():
    feature = pytest.importorskip("skimage.feature")
    # It interpolates between pixels, we take the nearest: in a picture of flat squares both see the same.
    grey = np.random.default_rng(0).integers(0, 256, (20, 20), dtype=np.uint8)
    enlarged = np.kron(grey, np.ones((9, 9), np.uint8))
    inner = np.full(enlarged.shape, -1)
    inner[9 + 4 : -9 : 9, 9 + 4 : -9 : 9] = 0
    found = block_patterns(enlarged, inner, n_blocks=1, radius=9)[0]
    codes = feature.local_binary_pattern(enlarged, 8, 9, method="nri_uniform")[inner == 0].astype(int)
    expected = np.bincount(codes, minlength=59) / len(codes)
    # The same 59 bins in another order.
    np.testing.assert_allclose(np.sort(found), np.sort(expected), rtol=1e-12)


def test_distances_equal_the_slow_twin():
    first, second = np.random.default_rng(0).dirichlet(np.full(59, 0.1), (2, 4))
    first[:, 5] = second[:, 5] = 0.0
    expected = [naive.chi_square(*pair) for pair in zip(first.tolist(), second.tolist(), strict=True)]
    np.testing.assert_allclose(block_distances(first, second), expected, rtol=1e-12)


def test_distances_of_equal_and_disjoint_histograms():
    first = np.array([[0.5, 0.5, 0.0, 0.0]])
    assert block_distances(first, first).tolist() == [0.0]
    assert block_distances(first, first[:, ::-1]).tolist() == [2.0]


def test_uniform_patterns_are_fifty_eight():
    assert len(naive.uniform()) == 58
    # No neighbour of the bright pixel is as bright as it; all of its neighbour's are at least as bright as that one.
    grey = np.zeros((7, 7), np.uint8)
    grey[3, 3] = 200
    labels = np.full((7, 7), -1)
    labels[3, 3], labels[3, 2] = 0, 1
    histograms = block_patterns(grey, labels, n_blocks=2)
    # No bit is set: the first uniform pattern. All bits are: the last one.
    assert histograms[0].argmax() == 0
    assert histograms[1].argmax() == 57


def test_brightness_and_contrast_change_nothing():
    grey = np.random.default_rng(0).integers(0, 100, (15, 13), dtype=np.uint8)
    labels = labelled(15, 13, 3, 1)
    brighter = block_patterns(grey * 2 + 30, labels, n_blocks=3)
    np.testing.assert_array_equal(brighter, block_patterns(grey, labels, n_blocks=3))


def test_measuring_in_a_stream_equals_whole_arrays():
    greys = list(pictures(cosine_course(13, 3, 10), noise=1.0))
    rows = np.stack(list(LBPDistance(lags=(0.2, 0.5), blur=1.0).measure(faces(greys), rate=10.0)))
    labels = BlockGrid(POINTS, SIZE, blocks=6, eyes=False, margin=3).labels
    histograms = [
        naive.histograms(cv2.GaussianBlur(grey, (0, 0), 1.0).tolist(), labels.tolist(), 36, 3) for grey in greys
    ]
    for column, lag in ((0, 2), (1, 5)):
        for row in range(lag, 13 - lag):
            three = (histograms[row + step] for step in (-lag, 0, lag))
            assert rows[row, column] == pytest.approx(naive.frame_distance(*three), rel=1e-9)


def test_negative_contrasts_become_zero():
    numbers = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    # By hand: row 2 has both neighbours, 1 - 0; rows 0, 1, 4 and 5 lack one at a lag of 2; row 3 has 0 - 0.
    np.testing.assert_array_equal(LBPDistance().contrast(numbers, 2), [np.nan, np.nan, 1.0, 0.0, np.nan, np.nan])
    lower = LBPDistance().contrast(np.array([1.0, 0.0, 1.0]), 1)
    np.testing.assert_array_equal(lower, [np.nan, 0.0, np.nan])


def test_blocks_are_named_after_what_they_show():
    names = np.array(block_names(6)).reshape(6, 6)
    assert names[0, 0] == "right_outer_brow"
    assert names[0, 5] == "left_outer_brow"
    # Mirrored columns have mirrored names.
    for row in range(6):
        for name, mirrored in zip(names[row, :3], names[row, ::-1][:3], strict=True):
            assert name.removeprefix("right_") == mirrored.removeprefix("left_")
    assert "chin" in names[5]


def test_the_eyes_are_left_out_unless_asked_for():
    closed = BlockGrid(POINTS, SIZE, blocks=6, eyes=False).labels
    whole = BlockGrid(POINTS, SIZE, blocks=6, eyes=True).labels
    eyes = np.rint([POINTS[36:42].mean(axis=0), POINTS[42:48].mean(axis=0)]).astype(int)
    assert (closed[eyes[:, 1], eyes[:, 0]] == -1).all()
    assert (whole[eyes[:, 1], eyes[:, 0]] >= 0).all()
    assert (closed[closed >= 0] == whole[closed >= 0]).all()
    # Blocks are equal, and only what is left over belongs to none.
    counts = np.bincount(whole[whole >= 0], minlength=36)
    assert (counts == counts[0]).all()


def test_what_is_not_allowed_is_named():
    grey = np.zeros((9, 9), np.uint8)
    labels = np.full((9, 9), -1)
    with pytest.raises(DataError, match="grey is float64 of shape"):
        block_patterns(grey.astype(float), labels, n_blocks=1)
    with pytest.raises(DataError, match="within 2 pixels of the border"):
        block_patterns(grey, np.pad(np.zeros((7, 7), int), 1, constant_values=-1), n_blocks=1, radius=2)
    with pytest.raises(DataError, match="or are 1 or more"):
        block_patterns(grey, np.pad(np.ones((7, 7), int), 1, constant_values=-1), n_blocks=1)
    with pytest.raises(ParameterError, match="radius is 0"):
        block_patterns(grey, labels, n_blocks=1, radius=0)
    for params, said in (
        ({"blocks": 0}, "blocks is 0"),
        ({"radius": 0}, "radius is 0"),
        ({"blur": -1.0}, "blur is -1.0"),
        ({"eyes": 1}, "eyes is 1"),
    ):
        with pytest.raises(ParameterError, match=said):
            LBPDistance(**params).check_params()
