import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.video.resize import Pad, Resize, pad_frames, resize_frames

few = settings(max_examples=25, deadline=None)


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_halving_averages_squares_of_four_pixels():
    clip = noise(3, 8, 6).astype(float)
    expected = clip.reshape(3, 4, 2, 3, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(resize_frames(clip, (4, 3)), expected, rtol=1e-12)


def test_doubling_interpolates_at_quarters():
    # Pixel centres of the new row lie at -1/4, 1/4, 3/4, 5/4 of the old one; the border is repeated.
    clip = np.array([[[0.0, 8.0], [0.0, 8.0]]])
    np.testing.assert_allclose(resize_frames(clip, (2, 4)), [[[0, 2, 6, 8], [0, 2, 6, 8]]])


@few
@given(height=st.integers(1, 30), width=st.integers(1, 30), grey=st.integers(0, 255), color=st.sampled_from([(), (3,)]))
def test_a_flat_clip_stays_flat_at_any_size(height, width, grey, color):
    found = resize_frames(np.full((2, 11, 13, *color), grey, np.uint8), (height, width))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.full((2, height, width, *color), grey))


def test_colour_channels_are_resized_each_on_its_own():
    clip = noise(2, 20, 16, 3)
    np.testing.assert_array_equal(resize_frames(clip, (9, 7))[..., 1], resize_frames(clip[..., 1].copy(), (9, 7)))


def test_a_clip_of_that_size_is_left_alone():
    clip = noise(2, 9, 7)
    np.testing.assert_array_equal(resize_frames(clip, (9, 7)), clip)


@few
@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    more=st.tuples(st.integers(0, 7), st.integers(0, 7)),
    value=st.integers(0, 255),
    color=st.sampled_from([(), (3,)]),
)
def test_padding_keeps_the_pixels_and_adds_a_border_of_one_value(height, width, more, value, color):
    clip = noise(2, height, width, *color)
    padded = pad_frames(clip, (height + more[0], width + more[1]), value=value)
    assert padded.dtype == np.uint8
    widths = [(0, 0), *((extra // 2, extra - extra // 2) for extra in more), *((0, 0) for _ in color)]
    np.testing.assert_array_equal(padded, np.pad(clip, widths, constant_values=value))


def test_an_odd_row_and_column_go_below_and_to_the_right():
    padded = pad_frames(np.full((1, 1, 1), 9, np.uint8), (2, 4))
    np.testing.assert_array_equal(padded[0], [[0, 9, 0, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("size", [(7, 20), (20, 6)])
def test_padding_never_crops(size):
    message = rf"^frames: frames of 8 x 7 pixels do not fit in size {size[0]} x {size[1]}"
    with pytest.raises(DataError, match=message):
        pad_frames(noise(2, 8, 7), size)
    clip = Clip("toy/sub01/a", ArraySource(noise(2, 8, 7)))
    with pytest.raises(DataError, match=r"^toy/sub01/a: frames of 8 x 7"):
        Pad(size).transform([clip])[0].frames()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda clip: resize_frames(clip, (0, 5)), r"size\[0\] is 0: it must be at least 1"),
        (lambda clip: resize_frames(clip, 64), "size is 64: it must be a tuple of 2 integers"),
        (lambda clip: Resize((64,)).fit([clip]), "it must be a tuple of 2 integers"),
        (lambda clip: pad_frames(clip, (9, 9.5)), r"size\[1\] is 9.5: it must be an integer"),
        (lambda clip: pad_frames(clip, (9, 9), value=256), "value is 256: it must be at most 255"),
        (lambda clip: Pad(value=-1).fit([clip]), "value is -1: it must be at least 0"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(call, message):
    with pytest.raises(ParameterError, match=message):
        call(noise(2, 8, 7))


@pytest.mark.parametrize("step", [Resize((10, 12)), Pad((10, 12), value=7)])
def test_steps_change_the_size_and_keep_all_else(step):
    frames = noise(5, 8, 7)
    clip = Clip("toy/sub01/a", ArraySource(frames), onset=0, apex=2, offset=4, fps=100.0)
    (mapped,) = clone(step).fit_transform([clip])
    assert mapped.frames().shape == (5, 10, 12)
    assert (mapped.onset, mapped.apex, mapped.offset, mapped.fps, mapped.n_frames) == (0, 2, 4, 100.0, 5)


def test_steps_give_what_their_functions_give():
    frames = noise(5, 8, 7, 3)
    np.testing.assert_array_equal(Resize((5, 9)).transform([frames])[0].frames(), resize_frames(frames, (5, 9)))
    padded = pad_frames(frames, (400, 400))
    np.testing.assert_array_equal(Pad().transform([frames])[0].frames(), padded)


def test_steps_change_the_fingerprint_with_their_parameters():
    steps = [Resize((9, 9)), Resize((9, 10)), Pad((9, 9)), Pad((9, 9), value=1)]
    assert len({step.transform([noise(2, 8, 7)])[0].fingerprint() for step in steps}) == 4


@pytest.mark.parametrize("step", [Resize(), Pad()])
def test_steps_refuse_a_stored_flow_map(step):
    with pytest.raises(NeedsError, match="toy/sub01/map"):
        step.transform([Clip("toy/sub01/map", FlowMapSource("map.png"))])
