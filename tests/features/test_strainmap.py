import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.data import make_clips
from microexpr.data.synthetic import SyntheticSource
from microexpr.features.strainmap import OpticalStrain, pooled_strain, strain_image
from microexpr.testing import check_clip_transformer
from microexpr.video.flow import optical_flow
from microexpr.video.strain import optical_strain


def area_averages(picture, size):
    """Average over each new pixel's area, as weights of the old ones along rows and columns."""
    height, width = picture.shape
    return overlaps(height, size) @ picture @ overlaps(width, size).T


def overlaps(length, size):
    """How much of each new pixel each old one covers, of shape (size, length)."""
    weights = np.zeros((size, length))
    for new in range(size):
        start, stop = new * length / size, (new + 1) * length / size
        for old in range(length):
            weights[new, old] = max(min(stop, old + 1) - max(start, old), 0) / (stop - start)
    return weights


def stored_clip(folder, pixels):
    Image.fromarray(pixels).save(folder / "map.png")
    return Clip("toy/sub01/map", FlowMapSource(folder / "map.png"))


# The functions


@settings(max_examples=25, deadline=None)
@given(height=st.integers(5, 30), width=st.integers(5, 30), size=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_shrinking_averages_over_the_area_of_each_new_pixel(height, width, size, seed):
    strain = np.random.default_rng(seed).random((height, width))
    # OpenCV sums with weights of single precision.
    np.testing.assert_allclose(strain_image(strain, size=size), area_averages(strain, size), rtol=1e-5)


def test_enlarging_interpolates_linearly():
    found = strain_image(np.array([[0.0, 4.0], [8.0, 12.0]]), size=4)
    # New centres are at -1/4, 1/4, 3/4 and 5/4 of the old ones; outside these the border goes on.
    steps = np.array([0.0, 0.25, 0.75, 1.0])
    np.testing.assert_allclose(found, 8 * steps[:, None] + 4 * steps)


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(4, 20), st.integers(4, 20)),
    size=st.integers(1, 24),
    scale=st.sampled_from([1e-3, 7.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_mirrored_flow_has_a_mirrored_image_and_one_scaled_a_scaled_image(shape, size, scale, seed):
    flow = np.random.default_rng(seed).normal(size=(*shape, 2))
    found, mirrored, scaled = (
        strain_image(optical_strain(field), size=size) for field in (flow, flow[:, ::-1] * [-1, 1], scale * flow)
    )
    # OpenCV sums with weights of single precision.
    np.testing.assert_allclose(mirrored, found[:, ::-1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(scaled, scale * found, rtol=1e-9)


def test_pooling_is_the_mean_over_time_divided_by_its_largest_and_resized():
    strains = np.random.default_rng(0).random((4, 12, 9))
    mean = strains.mean(axis=0)
    np.testing.assert_allclose(pooled_strain(strains, size=3), area_averages(mean / mean.max(), 3), rtol=1e-5)


@settings(max_examples=15, deadline=None)
@given(scale=st.sampled_from([1e-9, 0.3, 7.0]), repeats=st.integers(1, 3))
def test_pooling_does_not_depend_on_scale_nor_on_the_number_of_frames(scale, repeats):
    strains = np.random.default_rng(0).random((4, 12, 9))
    found = pooled_strain(np.concatenate([scale * strains] * repeats), size=5)
    np.testing.assert_allclose(found, pooled_strain(strains, size=5), rtol=1e-9)


def test_no_strain_pools_to_zeros():
    assert not pooled_strain(np.zeros((3, 8, 8)), size=4).any()


@pytest.mark.parametrize(
    ("strain", "message"),
    [
        (np.zeros((2, 3, 3, 3)), "must be numbers of shape"),
        (np.full((4, 4), "a"), "must be numbers of shape"),
        (np.zeros((0, 4)), "must be numbers of shape"),
        ([[1, 2], [3]], "strain is no array of shape"),
    ],
)
def test_what_is_no_strain_is_refused(strain, message):
    for function in (strain_image, pooled_strain):
        with pytest.raises(DataError, match=message):
            function(strain)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e-9])
def test_a_single_bad_value_is_refused(value):
    strains = np.ones((2, 4, 4))
    strains[1, 2, 3] = value
    with pytest.raises(DataError, match="strain holds NaN, infinity or negative values"):
        pooled_strain(strains)
    with pytest.raises(DataError, match="strain holds NaN, infinity or negative values"):
        strain_image(strains[1])


# The transformer


def test_apex_gives_the_strain_from_onset_to_apex():
    clip = make_clips(n_subjects=1, clips_per_subject=1, size=(70, 60), margin=2).clips[0]
    frames = clip.frames()
    strain = optical_strain(optical_flow(frames[clip.onset], frames[clip.apex], method="dis"))
    [row] = OpticalStrain(size=14, method="dis").transform([clip])
    assert row.dtype == np.float64
    np.testing.assert_allclose(row.reshape(14, 14), area_averages(strain, 14), rtol=1e-4)


def test_all_pools_each_two_successive_frames_from_onset_to_offset():
    frames = make_clips(n_subjects=1, clips_per_subject=1, size=(70, 60)).clips[0].frames()[:8]
    pairs = [(3, 4), (4, 5), (5, 6)]
    strain = np.mean([optical_strain(optical_flow(frames[a], frames[b], method="dis")) for a, b in pairs], axis=0)
    [row] = OpticalStrain(size=10, frames="all", method="dis").transform(
        [Clip("toy/sub01/a", ArraySource(frames), onset=3, offset=6)]
    )
    np.testing.assert_allclose(row.reshape(10, 10), area_averages(strain / strain.max(), 10), rtol=1e-4)


def test_all_takes_the_whole_clip_where_onset_and_offset_are_not_given():
    frames = make_clips(n_subjects=1, clips_per_subject=1, size=(50, 44)).clips[0].frames()[:5]
    step = OpticalStrain(frames="all", method="dis")
    whole = Clip("toy/sub01/a", ArraySource(frames), onset=0, offset=4)
    np.testing.assert_array_equal(step.transform([Clip("b", ArraySource(frames))]), step.transform([whole]))


@pytest.mark.parametrize("frames", ["apex", "all"])
def test_strain_of_a_synthetic_clip_is_largest_where_its_skin_is_strained(frames):
    source = SyntheticSource({"L12": 1.0, "R12": 1.0}, n_frames=8, apex=4, offset=7, peak=2.5, sway=0.0, noise=0.5)
    clip = Clip("toy/sub01/a", source, onset=0, apex=4, offset=7)
    [row] = OpticalStrain(size=7, frames=frames, method="farneback").transform([clip])
    truth = strain_image(optical_strain(source.true_flow(4)), size=7).ravel()
    assert np.corrcoef(row, truth)[0, 1] > 0.7


def test_a_stored_map_gives_its_third_channel_as_it_is(tmp_path):
    stored = np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8)
    clip = stored_clip(tmp_path, stored)
    [row] = OpticalStrain().transform([clip])
    np.testing.assert_array_equal(row.reshape(28, 28), stored[..., 2])
    with pytest.raises(DataError, match="toy/sub01/map: the stored map is 28 x 28, size is 50"):
        OpticalStrain(size=50).transform([clip])
    with pytest.raises(NeedsError, match="toy/sub01/map: a stored flow map has no frames"):
        OpticalStrain(frames="all").transform([clip])


@pytest.mark.parametrize("frames", ["apex", "all"])
def test_a_still_clip_gives_zeros(frames):
    frame = np.random.default_rng(0).integers(0, 256, (40, 36), dtype=np.uint8)
    clip = Clip("toy/sub01/a", ArraySource(np.stack([frame] * 3)), onset=0, apex=1)
    row = OpticalStrain(frames=frames, method="dis").transform([clip])
    assert row.shape == (1, 784)
    assert not row.any()


@pytest.mark.parametrize("frames", ["apex", "all"])
def test_the_contract_of_transformers_is_kept(frames):
    clips = make_clips(n_subjects=1, clips_per_subject=3, size=(40, 36), duration=(0.05, 0.06)).clips
    check_clip_transformer(OpticalStrain(size=10, frames=frames, method="dis"), clips)


def test_the_clip_is_named_where_it_is_refused():
    frames = np.random.default_rng(0).integers(0, 256, (3, 12, 12), dtype=np.uint8)
    with pytest.raises(NeedsError, match="toy/sub01/a: the apex is unknown"):
        OpticalStrain().transform([Clip("toy/sub01/a", ArraySource(frames))])
    with pytest.raises(DataError, match="toy/sub01/a: onset 2 and offset 2 leave no two successive frames"):
        OpticalStrain(frames="all").transform([Clip("toy/sub01/a", ArraySource(frames), onset=2)])
    with pytest.raises(DataError, match="toy/sub01/a: the clip has 1 frame, 2 are needed"):
        OpticalStrain(frames="all").transform([Clip("toy/sub01/a", ArraySource(frames[:1]))])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"size": 0}, "size is 0: it must be at least 1"),
        ({"frames": "onset"}, "frames is 'onset': it must be one of 'apex', 'all'"),
        ({"method": "lk"}, "method is 'lk': it must be one of 'tvl1'"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        OpticalStrain(**params).fit([])
    if "size" in params:
        for function in (strain_image, pooled_strain):
            with pytest.raises(ParameterError, match=message):
                function(np.ones((4, 4)), **params)
