"""Optical strain over time: against the slow twin of the strain tensor, masks, and in a stream."""

import numpy as np
import pytest
from naive import strain as naive
from toyset.movingfaces import POINTS, SIZE, cosine_course, faces, pictures

from microexpr.core.errors import ParameterError
from microexpr.spotting.motion import REGIONS
from microexpr.spotting.strain import OpticalStrain, strain_regions
from microexpr.video.flow import optical_flow


def region_means(first, second):
    """Mean strain of each region between two pictures, by the slow twin."""
    flow = optical_flow(first, second, method="dis")
    strain = np.array(naive.optical_strain(flow[..., 0].tolist(), flow[..., 1].tolist()))
    return np.array([strain[mask].mean() for mask in strain_regions(POINTS, SIZE).values()])


def test_measuring_in_a_stream_equals_whole_arrays():
    greys = list(pictures(cosine_course(8, 1, 6), noise=1.0))
    rows = np.stack(list(OpticalStrain(lags=(0.2, 0.3), smooth=0.0).measure(faces(greys), rate=10.0)))
    for column, lag in ((0, 2), (1, 3)):
        strained = [region_means(greys[row], greys[row + lag]) for row in range(8 - lag)]
        for row in range(lag, 8 - lag):
            strains = [min(pair) for pair in zip(strained[row - lag], strained[row], strict=True)]
            assert rows[row, column] == pytest.approx(sum(strains), rel=1e-9)
            assert rows[row, 2 + column] == int(np.argmax(strains))


def test_an_expression_is_seen_once_not_again_when_it_is_gone():
    # From row 8 to row 12; a lag of 6 rows later, faces are compared with it.
    greys = list(pictures(cosine_course(30, 8, 12)))
    rows = np.stack(list(OpticalStrain(lags=(0.6, 0.6)).measure(faces(greys), rate=10.0)))[:, 0]
    assert np.nanargmax(rows) == 10
    assert np.nanmax(rows[14:]) < 0.1 * np.nanmax(rows)


def test_the_region_that_is_strained_most_is_named():
    # The skin about the corner of the mouth is pulled up, and folded above.
    greys = list(pictures(cosine_course(13, 4, 8)))
    spotter = OpticalStrain(lags=(0.4, 0.4))
    rows = np.stack(list(spotter.measure(faces(greys), rate=10.0)))
    assert spotter.region_names()[int(rows[6, 2])] in ("right_nose_wing", "right_mouth_corner", "right_cheek")


def test_eyes_mouth_and_outline_are_masked():
    masks = strain_regions(POINTS, SIZE)
    anywhere = np.any(list(masks.values()), axis=0)
    inner_lips = POINTS[60:68].mean(axis=0)
    for x, y in (POINTS[36:42].mean(axis=0), POINTS[42:48].mean(axis=0), inner_lips, POINTS[8], POINTS[0], POINTS[16]):
        assert not anywhere[round(y), round(x)]
    for place, name in ((48, "right_mouth_corner"), (54, "left_mouth_corner"), (51, "upper_lip"), (57, "lower_lip")):
        x, y = POINTS[place]
        assert masks[name][round(y), round(x)]
    assert set(masks) == {name for name in REGIONS if not name.endswith(("lid", "temple"))}
    assert all(mask.sum() >= 10 for mask in masks.values())


def test_smoothing_lessens_the_strain_of_noise():
    greys = list(pictures(np.zeros(9), noise=4.0))
    plain, smooth = (
        np.nanmean(np.stack(list(OpticalStrain(lags=(0.2, 0.2), smooth=smooth).measure(faces(greys), rate=10.0)))[:, 0])
        for smooth in (0.0, 0.2)
    )
    assert smooth < 0.5 * plain


def test_what_is_not_allowed_is_named():
    for params, said in (({"smooth": -1.0}, "smooth is -1.0"), ({"flow": "x"}, "flow is 'x'")):
        with pytest.raises(ParameterError, match=said):
            OpticalStrain(**params).check_params()
