import numpy as np
import pytest

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.sources import ArraySource
from microexpr.data.synthetic import make_clips
from microexpr.features._face_regions import frame_regions, region_boxes
from microexpr.features.flowmap import FlowMap
from microexpr.features.lbptop import LBPTOP, lbptop
from microexpr.features.regionwise import InRegions
from microexpr.testing import check_clip_transformer
from microexpr.video import TIM
from microexpr.video.faces import landmarks, regions

CLIPS = make_clips(n_subjects=1, clips_per_subject=3, size=(140, 120), duration=(0.05, 0.08), fps=100.0)
FRAMES = np.random.default_rng(0).integers(0, 256, (9, 23, 17), dtype=np.uint8)
SMALL = LBPTOP(radii=(1, 1, 1))


def test_regions_of_a_grid_are_the_pictures_tiles():
    [row] = InRegions(SMALL, regions="grid", grid=(2, 3)).transform([FRAMES])
    # 23 rows in 2 parts of 11.5, 17 columns in 3 of 5.67: pixel centres decide, and the one on the edge goes below.
    tiles = [FRAMES[:, y, x] for y in (slice(0, 11), slice(11, 23)) for x in (slice(0, 6), slice(6, 11), slice(11, 17))]
    np.testing.assert_array_equal(row, np.concatenate([lbptop(tile, radii=(1, 1, 1)).ravel() for tile in tiles]))


def test_a_grid_covers_the_picture_once():
    covered = np.zeros((23, 17), int)
    for tile in region_boxes(frame_regions(FRAMES[0], "grid", grid=(4, 5)), (23, 17)).values():
        covered[tile] += 1
    assert (covered == 1).all()


@pytest.mark.parametrize(("kind", "count"), [("kato15", 15), ("polikovsky12", 12)])
def test_regions_of_a_face_are_those_around_its_landmarks(kind, count):
    clip = CLIPS.clips[0]
    first = clip.frames()[clip.onset]
    polygons = regions(landmarks(first), kind=kind)
    [row] = InRegions(SMALL, regions=kind).transform([clip])
    assert len(row) == count * 3 * 59
    name = list(polygons)[4]
    left, top = np.ceil(polygons[name].min(axis=0)).astype(int)
    right, bottom = np.ceil(polygons[name].max(axis=0)).astype(int)
    own = lbptop(clip.frames()[:, top:bottom, left:right], radii=(1, 1, 1))
    np.testing.assert_array_equal(row.reshape(count, -1)[4], own.ravel())


def test_frames_interpolated_in_time_have_regions_too():
    assert InRegions(SMALL).transform(TIM(6).transform(CLIPS.clips[:1])).shape == (1, 15 * 177)


def test_it_keeps_the_contract_of_transformers():
    check_clip_transformer(InRegions(SMALL, regions="grid"), CLIPS.clips)


def test_a_picture_without_a_face_is_an_error_that_says_what_to_do():
    with pytest.raises(DataError, match=r"toy/s1/a.*regions='grid' divides the whole picture"):
        InRegions(SMALL).transform([Clip("toy/s1/a", ArraySource(FRAMES), onset=0)])


def test_a_region_too_small_for_the_descriptor_is_named():
    with pytest.raises(DataError, match=r"clip 0: .*\(region row1_column1\)"):
        InRegions(LBPTOP(radii=(3, 3, 1)), regions="grid", grid=(5, 5)).transform([FRAMES])


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ((24, 2), "clip 0: 23 rows of pixels cannot be cut into 24 blocks"),
        ((2, 18), "clip 0: 17 columns of pixels cannot be cut into 18 blocks"),
    ],
)
def test_a_grid_of_more_blocks_than_pixels_is_refused(grid, message):
    with pytest.raises(DataError, match=f"^{message}$"):
        InRegions(SMALL, regions="grid", grid=grid).transform([FRAMES])


def test_a_grid_has_five_rows_and_columns_where_none_are_given():
    larger = np.random.default_rng(0).integers(0, 256, (9, 25, 20), dtype=np.uint8)
    assert InRegions(SMALL, regions="grid").transform([larger]).shape == (1, 25 * 177)


def test_a_region_outside_the_picture_is_named():
    with pytest.raises(DataError, match="toy: the region chin lies outside the 10 x 12 picture"):
        region_boxes({"chin": np.array([(1.0, 11.0), (5.0, 11.0), (5.0, 14.0)])}, (10, 12), name="toy")


@pytest.mark.parametrize(
    ("transformer", "message"),
    [
        (InRegions(SMALL, regions="nose"), "regions is 'nose'"),
        (InRegions(SMALL, grid=(0, 2)), r"grid\[0\] is 0"),
        (InRegions(SMALL, grid=(5, 5)), r"grid is \(5, 5\): it must be None, regions='kato15' has no grid"),
        (InRegions(LBPTOP(neighbors=5)), "neighbors is 5"),
        (InRegions("lbptop"), "descriptor is a str"),
    ],
)
def test_parameters_that_cannot_be_are_refused(transformer, message):
    with pytest.raises(ParameterError, match=message):
        transformer.transform([FRAMES])


def test_the_descriptors_parameters_are_set_through_it():
    assert InRegions(FlowMap()).set_params(descriptor__size=14).descriptor.size == 14
