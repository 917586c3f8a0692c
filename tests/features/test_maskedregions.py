from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.data.synthetic import make_clips
from microexpr.features.maskedregions import OnlyRegions
from microexpr.video.faces import landmarks, regions

(SYNTHETIC,) = make_clips(n_subjects=1, clips_per_subject=1, size=(140, 120), duration=(0.05, 0.06), fps=100.0).clips
# No black pixel of its own: what is 0 afterwards was made so.
FACE = np.maximum(SYNTHETIC.frames(), 1)
CLIP = replace(SYNTHETIC, source=ArraySource(FACE))


def within(polygons, shape):
    """Whether each pixel is on the same side of all four edges of one of the polygons."""
    y, x = np.indices(shape)
    inside = np.zeros(shape, bool)
    for corners in polygons.values():
        edges = zip(corners, np.roll(corners, -1, axis=0), strict=True)
        sides = np.stack([(x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) for (x0, y0), (x1, y1) in edges])
        inside |= (sides > 0).all(axis=0) | (sides < 0).all(axis=0)
    return inside


def test_pixels_in_no_region_are_black_in_all_frames_and_the_others_stay():
    expected = within(regions(landmarks(FACE[CLIP.onset]), kind="kato15"), (140, 120))
    assert 0.05 < expected.mean() < 0.6
    frames = OnlyRegions().transform([CLIP])[0].frames()
    assert frames.dtype == np.uint8
    np.testing.assert_array_equal(frames, FACE * expected)


def test_regions_are_those_asked_for():
    polygons = regions(landmarks(FACE[CLIP.onset]), kind="polikovsky12")
    frames = OnlyRegions("polikovsky12").transform([CLIP])[0].frames()
    np.testing.assert_array_equal(frames[0] > 0, within(polygons, (140, 120)))


def test_the_onset_frame_decides():
    # A frame without a face comes before it, one after it.
    blank = np.full_like(FACE[:1], 90)
    longer = np.concatenate([blank, FACE[:2], blank])
    clip = Clip("toy/s1/a", ArraySource(longer), onset=1)
    frames = OnlyRegions().transform([clip])[0].frames()
    mask = OnlyRegions().transform([FACE[:1]])[0].frames()[0] > 0
    np.testing.assert_array_equal(frames, longer * mask)


def test_colour_is_blackened_in_all_channels():
    colour = np.stack([FACE, FACE, FACE], axis=3)
    grey = OnlyRegions().transform([FACE])[0].frames()
    np.testing.assert_array_equal(OnlyRegions().transform([colour])[0].frames(), np.stack([grey] * 3, axis=3))


def test_a_grid_leaves_the_picture_whole():
    frames = np.random.default_rng(0).integers(0, 256, (3, 23, 17), dtype=np.uint8)
    np.testing.assert_array_equal(OnlyRegions("grid", grid=(2, 3)).transform([frames])[0].frames(), frames)


def test_the_clip_itself_is_left_as_it_was():
    before = FACE.copy()
    OnlyRegions().transform([CLIP])[0].frames()
    np.testing.assert_array_equal(CLIP.frames(), before)


def test_positions_frame_rate_and_count_stay():
    (mapped,) = clone(OnlyRegions()).fit_transform([replace(CLIP, onset=0, apex=2, offset=3)])
    assert (mapped.onset, mapped.apex, mapped.offset, mapped.fps) == (0, 2, 3, 100.0)
    assert mapped.n_frames == len(FACE)


def test_parameters_change_the_fingerprint():
    steps = [OnlyRegions(), OnlyRegions("mdmo36"), OnlyRegions("grid"), OnlyRegions("grid", grid=(4, 4))]
    assert len({step.transform([CLIP])[0].fingerprint() for step in steps}) == 4


def test_a_picture_without_a_face_is_named():
    clip = Clip("toy/s1/a", ArraySource(np.full((3, 60, 60), 90, np.uint8)))
    with pytest.raises(DataError, match=r"^toy/s1/a: no face"):
        OnlyRegions().transform([clip])[0].frames()


def test_a_stored_flow_map_is_refused():
    with pytest.raises(NeedsError, match="toy/s1/map: a stored flow map has no frames"):
        OnlyRegions().transform([Clip("toy/s1/map", FlowMapSource("map.png"))])


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (OnlyRegions("nose"), "regions is 'nose': it must be one of"),
        (OnlyRegions(grid=(5, 5)), r"grid is \(5, 5\): it must be None, regions='kato15' has no grid"),
        (OnlyRegions("grid", grid=(0, 2)), r"grid\[0\] is 0: it must be at least 1"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=f"^{message}"):
        step.fit([])
