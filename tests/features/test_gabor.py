import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import gabor as naive
from scipy import ndimage
from skimage.filters import gabor_kernel

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.frames import to_grey
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.features.gabor import Gabor, gabor
from microexpr.testing import check_clip_transformer

few = settings(max_examples=8, deadline=None)


def faces(n_frames=2, size=48, seed=0, low=0, high=256):
    return np.random.default_rng(seed).integers(low, high, (n_frames, size, size), dtype=np.uint8)


def maps(frames, n_scales=9, n_orientations=8, **params):
    """Magnitudes as (frame, scale, orientation, row, column)."""
    rows = gabor(frames, n_scales=n_scales, n_orientations=n_orientations, **params)
    side = int(np.sqrt(rows.shape[1] // (n_scales * n_orientations)))
    return rows.reshape(len(rows), n_scales, n_orientations, side, side)


def grating(wavelength, angle, size=48, amplitude=50.0):
    """A wave that advances along `angle`, from the x axis towards the y axis (down)."""
    y, x = np.mgrid[:size, :size]
    return 128 + amplitude * np.cos(2 * np.pi / wavelength * (x * np.cos(angle) + y * np.sin(angle)) + 0.3)


# Other ways to the same numbers


@pytest.mark.parametrize(
    ("scale", "orientation", "row", "column"),
    [
        (0, 0, 5, 7),
        (0, 3, 0, 0),
        (2, 1, 47, 10),
        (4, 2, 20, 47),
        (5, 4, 24, 0),
        (6, 7, 40, 3),
        (8, 5, 13, 31),
        (8, 0, 0, 47),
    ],
)
def test_magnitudes_equal_the_twins_inside_and_at_the_border(scale, orientation, row, column):
    image = faces(1)[0]
    expected = naive.magnitude(image, row, column, scale, orientation)
    assert maps(image[None])[0, scale, orientation, row, column] == pytest.approx(expected, abs=1e-4)


def test_another_bank_equals_the_twins():
    image = faces(1, size=20)[0]
    bank = {"n_orientations": 3, "wavelength": 2.5, "sigma": 2 * np.pi}
    found = maps(image[None], size=20, n_scales=4, **bank)[0]
    for place in [(0, 0, 4, 5), (1, 1, 19, 0), (2, 2, 7, 18), (3, 1, 10, 10)]:
        scale, orientation, row, column = place
        expected = naive.magnitude(image, row, column, scale, orientation, **bank)
        assert found[place] == pytest.approx(expected, abs=1e-4)


def test_all_channels_equal_opencvs_filters():
    image = faces(1)[0].astype(np.float32)
    found = maps(image[None])[0]
    for scale in range(9):
        for orientation in range(8):
            values = naive.kernel(2.0 * 2 ** (scale / 2), np.pi * orientation / 8, np.pi)
            reach = max(x for x, _ in values)
            # filter2D correlates, hence turned by half a turn; it mirrors without repeating the border, as we do.
            turned = np.array([[values[-x, -y] for x in range(-reach, reach + 1)] for y in range(-reach, reach + 1)])
            real, imaginary = (
                cv2.filter2D(image, cv2.CV_32F, part.astype(np.float32)) for part in (turned.real, turned.imag)
            )
            np.testing.assert_allclose(found[scale, orientation], np.hypot(real, imaginary), atol=1e-3)


@pytest.mark.parametrize("scale", [0, 2, 5])
@pytest.mark.parametrize("orientation", [0, 4])
def test_kernels_along_the_axes_are_scikit_images_less_their_mean(scale, orientation):
    # At other angles scikit-image cuts its kernels closer.
    wavelength, angle = 2.0 * 2 ** (scale / 2), np.pi * orientation / 8
    theirs = gabor_kernel(1 / wavelength, theta=angle, sigma_x=wavelength / 2, sigma_y=wavelength / 2, n_stds=3)
    reach = int(np.ceil(1.5 * wavelength - 1e-9))
    assert theirs.shape == (2 * reach + 1, 2 * reach + 1)
    # Theirs is scaled by the integral of the envelope over the plane, ours by its sum over the square.
    envelope = np.abs(theirs)
    kernel = (theirs - envelope * theirs.sum() / envelope.sum()) / envelope.sum()
    image = faces(1)[0].astype(float)
    response = ndimage.convolve(image, kernel.real, mode="mirror") + 1j * ndimage.convolve(
        image, kernel.imag, mode="mirror"
    )
    np.testing.assert_allclose(maps(image[None])[0, scale, orientation], np.abs(response), atol=1e-3)


def test_frames_are_resized_by_averaging_and_not_rounded():
    large = faces(2, size=96)
    small = large.reshape(2, 48, 2, 48, 2).mean(axis=(2, 4))
    assert (small % 1 != 0).any()
    np.testing.assert_allclose(gabor(large), gabor(small), atol=1e-4)


def test_pooling_takes_means_of_cells():
    whole = maps(faces())
    pooled = maps(faces(), pool=4)
    expected = whole.astype(float).reshape(2, 9, 8, 12, 4, 12, 4).mean(axis=(4, 6))
    np.testing.assert_allclose(pooled, expected, rtol=1e-5, atol=1e-5)


# Frequency and orientation


@pytest.mark.parametrize("scale", [2, 3, 4, 5])
@pytest.mark.parametrize("orientation", range(8))
def test_a_grating_answers_most_in_its_own_channel(scale, orientation):
    image = grating(2.0 * 2 ** (scale / 2), np.pi * orientation / 8)
    centre = maps(image[None])[0, :, :, 20:28, 20:28].mean(axis=(2, 3))
    assert np.unravel_index(centre.argmax(), centre.shape) == (scale, orientation)
    # A cosine is two waves of half its amplitude, of which a kernel sees one.
    assert centre.max() == pytest.approx(25, rel=0.02)


def test_a_wave_to_the_right_is_orientation_zero_and_one_down_is_half_of_all():
    right = np.tile(128 + 100 * np.cos(np.pi / 2 * np.arange(48)), (48, 1))
    assert maps(right[None])[0, 2].sum(axis=(1, 2)).argmax() == 0
    assert maps(right.T[None])[0, 2].sum(axis=(1, 2)).argmax() == 4


@few
@given(seed=st.integers(0, 2**32 - 1), n_orientations=st.sampled_from([4, 5, 8]))
def test_a_mirrored_frame_has_its_orientations_exchanged(seed, n_orientations):
    image = faces(1, size=24, seed=seed)
    params = {"size": 24, "n_scales": 5, "n_orientations": n_orientations}
    found = maps(image, **params)[0]
    mirrored = maps(image[:, :, ::-1], **params)[0, :, :, :, ::-1]
    # The angle a becomes pi - a; a wave and its opposite are one.
    exchanged = [(n_orientations - orientation) % n_orientations for orientation in range(n_orientations)]
    np.testing.assert_allclose(mirrored[:, exchanged], found, atol=2e-3)


@few
@given(seed=st.integers(0, 2**32 - 1))
def test_a_transposed_frame_has_its_angles_counted_from_the_other_axis(seed):
    image = faces(1, size=24, seed=seed)
    params = {"size": 24, "n_scales": 5}
    transposed = maps(image.transpose(0, 2, 1), **params)[0].transpose(0, 1, 3, 2)
    exchanged = [(4 - orientation) % 8 for orientation in range(8)]
    np.testing.assert_allclose(transposed[:, exchanged], maps(image, **params)[0], atol=2e-3)


# Brightness


@pytest.mark.parametrize("grey", [0, 200, 255, 0.1])
@pytest.mark.parametrize("side", [30, 48, 97])
def test_a_constant_frame_gives_zero(grey, side):
    frames = np.full((1, side, side), grey, np.uint8 if grey >= 1 else float)
    assert (gabor(frames, pool=4) == 0).all()


@few
@given(shift=st.integers(1, 55), side=st.sampled_from([48, 60]), seed=st.integers(0, 2**32 - 1))
def test_a_change_of_all_greys_by_one_amount_changes_nothing(shift, side, seed):
    frames = faces(1, size=side, seed=seed, high=200)
    np.testing.assert_array_equal(gabor(frames + np.uint8(shift), pool=4), gabor(frames, pool=4))


def test_twice_the_contrast_gives_twice_the_magnitudes():
    frames = faces(high=128)
    np.testing.assert_allclose(gabor(2 * frames, pool=4), 2 * gabor(frames, pool=4), rtol=1e-5, atol=1e-4)


# Frames


def test_rows_do_not_depend_on_the_frames_beside_them():
    frames = faces(5)
    together = gabor(frames, pool=2)
    alone = np.concatenate([gabor(frame[None], pool=2) for frame in frames[::-1]])[::-1]
    np.testing.assert_array_equal(together, alone)


def test_frames_of_whole_numbers_give_the_same_as_uint8_or_floats():
    np.testing.assert_array_equal(gabor(faces().astype(np.float32)), gabor(faces()))


def test_colour_frames_count_as_their_luma():
    frames = np.random.default_rng(0).integers(0, 256, (2, 50, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(gabor(frames, pool=4), gabor(to_grey(frames), pool=4))


def test_frames_may_be_read_only_or_strided_and_are_left_alone():
    frames = faces(4)
    expected = gabor(frames, pool=4)
    frames.setflags(write=False)
    np.testing.assert_array_equal(gabor(frames, pool=4), expected)
    view = np.repeat(frames, 2, axis=2)[:, :, ::2]
    before = view.copy()
    np.testing.assert_array_equal(gabor(view, pool=4), expected)
    np.testing.assert_array_equal(view, before)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((48, 48), np.uint8), r"frames: an array of shape \(48, 48\) is no clip"),
        (np.full((1, 48, 48), np.nan), "frames: frames hold NaN or infinity"),
        (np.zeros((0, 48, 48), np.uint8), "frames: the clip is empty"),
        (np.full((1, 48, 48), "a"), "not numeric"),
    ],
)
def test_what_is_no_clip_is_refused(frames, message):
    with pytest.raises(DataError, match=message):
        gabor(frames)


# Parameters


@pytest.mark.parametrize(
    ("params", "n_features"),
    [({}, 165_888), ({"pool": 4}, 10_368), ({"size": 24, "n_scales": 3, "n_orientations": 5, "pool": 8}, 135)],
)
def test_number_of_features_follows_the_parameters(params, n_features):
    found = gabor(faces(), **params)
    assert found.shape == (2, n_features)
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"size": 7}, "size is 7: it must be at least 8"),
        ({"size": 48.0}, "size is 48.0: it must be an integer"),
        ({"n_scales": 0}, "n_scales is 0: it must be at least 1"),
        ({"n_scales": 11}, "n_scales is 11: the longest wave, 64 pixels, must not exceed size, 48"),
        ({"size": 31, "pool": 1}, "n_scales is 9: the longest wave, 32 pixels, must not exceed size, 31"),
        ({"n_orientations": 0}, "n_orientations is 0: it must be at least 1"),
        ({"wavelength": 1.9}, "wavelength is 1.9: it must be at least 2"),
        ({"sigma": 0.5}, "sigma is 0.5: it must be at least 1"),
        ({"sigma": float("nan")}, "sigma is nan: it must be a finite number"),
        ({"sigma": 11}, "sigma is 11.0: it must be at most 10"),
        ({"pool": 0}, "pool is 0: it must be at least 1"),
        ({"pool": 5}, "pool is 5: it must divide size, 48"),
        ({"pool": True}, "pool is True: it must be an integer"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        gabor(faces(), **params)
    with pytest.raises(ParameterError, match=message):
        Gabor(**params).fit() if "pool" in params else Gabor(pool=1, **params).fit()


def test_a_wave_as_long_as_the_face_is_allowed():
    assert gabor(faces(1, size=32), size=32, pool=8).shape == (1, 72 * 16)


# The transformer


def clips(n_clips=3, n_frames=5):
    frames = np.random.default_rng(1).integers(0, 256, (n_clips, n_frames, 40, 36), dtype=np.uint8)
    return [Clip(f"toy/s/{place}", ArraySource(clip), onset=1, apex=3) for place, clip in enumerate(frames)]


@pytest.mark.parametrize("frames", ["apex", "onset-apex"])
def test_transformer_keeps_the_contract(frames):
    check_clip_transformer(Gabor(frames=frames, size=16, n_scales=3), clips())


def test_rows_are_the_apex_frames():
    [clip] = clips(1)
    np.testing.assert_array_equal(Gabor().transform([clip])[0], gabor(clip.frames()[3:4], pool=4)[0])


def test_rows_are_onset_then_apex():
    [clip] = clips(1)
    found = Gabor(frames="onset-apex", pool=1).transform([clip])
    np.testing.assert_array_equal(found[0], gabor(clip.frames()[[1, 3]]))


def test_all_parameters_reach_the_function():
    params = {"size": 32, "n_scales": 4, "n_orientations": 3, "pool": 2, "wavelength": 3.0, "sigma": 2.0}
    [clip] = clips(1)
    np.testing.assert_array_equal(Gabor(**params).transform([clip])[0], gabor(clip.frames()[3:4], **params)[0])


def test_frames_of_a_video_get_the_rows_that_clips_get():
    [clip] = clips(1)
    transformer = Gabor(frames="onset-apex")
    rows = transformer.transform_frames(clip.frames())
    assert len(rows) == 5
    np.testing.assert_array_equal(rows[[1, 3]], transformer.transform([clip])[0])


def test_a_clip_without_apex_or_pixels_is_refused():
    [clip] = clips(1)
    with pytest.raises(NeedsError, match="toy/s/0: the apex is unknown"):
        Gabor().transform([Clip(clip.clip_id, clip.source)])
    stored = Clip("toy/s/1", FlowMapSource(np.zeros((28, 28, 3), np.uint8)), apex=0)
    with pytest.raises(NeedsError, match="toy/s/1: a stored flow map has no frames"):
        Gabor().transform([stored])


def test_an_unknown_choice_of_frames_is_refused():
    with pytest.raises(ParameterError, match="frames is 'offset': it must be one of 'apex', 'onset-apex'"):
        Gabor(frames="offset").fit()
