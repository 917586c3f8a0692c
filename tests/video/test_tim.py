from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import tim as naive
from sklearn.base import clone

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.video.tim import TIM, tim

GOLDEN = Path(__file__).parent.parent / "golden"


def golden_clip():
    return np.load(GOLDEN / "clipA.npy")


def small_clip(n_frames, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n_frames, 4, 3), dtype=np.uint8)


few = settings(max_examples=25, deadline=None)


@pytest.mark.parametrize("n_frames", [5, 10, 20])
def test_golden_frames_are_reproduced(n_frames):
    expected = np.load(GOLDEN / "tim.npz")[f"A_n{n_frames}"]
    np.testing.assert_allclose(tim(golden_clip(), n_frames), expected, rtol=0, atol=1e-10)


@few
@given(n_old=st.integers(2, 9), n_frames=st.integers(2, 12), seed=st.integers(0, 99))
def test_both_methods_equal_their_twins(n_old, n_frames, seed):
    clip = small_clip(n_old, seed)
    np.testing.assert_allclose(tim(clip, n_frames), naive.tim(clip, n_frames), rtol=0, atol=1e-10)
    np.testing.assert_allclose(tim(clip, n_frames, method="linear"), naive.linear(clip, n_frames), rtol=0, atol=1e-10)


@pytest.mark.parametrize("method", ["laplacian", "linear"])
@few
@given(n_old=st.integers(2, 40), n_frames=st.integers(2, 40), grey=st.integers(0, 255))
def test_a_constant_clip_stays_constant(method, n_old, n_frames, grey):
    found = tim(np.full((n_old, 2, 2), grey, np.uint8), n_frames, method=method)
    np.testing.assert_allclose(found, grey, atol=1e-10)


@pytest.mark.parametrize("method", ["laplacian", "linear"])
@few
@given(n_old=st.integers(2, 12), n_frames=st.integers(2, 12), seed=st.integers(0, 99))
def test_first_and_last_frame_stay_and_time_can_run_backwards(method, n_old, n_frames, seed):
    clip = small_clip(n_old, seed)
    found = tim(clip, n_frames, method=method)
    np.testing.assert_allclose(found[[0, -1]], clip[[0, -1]], atol=1e-10)
    np.testing.assert_allclose(tim(clip[::-1], n_frames, method=method), found[::-1], atol=1e-10)


@pytest.mark.parametrize("method", ["laplacian", "linear"])
def test_as_many_frames_as_before_are_the_same_frames(method):
    clip = small_clip(7)
    np.testing.assert_allclose(tim(clip, 7, method=method), clip, atol=1e-10)


def test_repeated_frames_are_no_obstacle():
    clip = small_clip(4)
    clip[2] = clip[1]
    np.testing.assert_allclose(tim(clip, 9), naive.tim(clip, 9), atol=1e-10)


def test_colour_channels_are_interpolated_each_on_its_own():
    clip = np.random.default_rng(0).integers(0, 256, (6, 4, 3, 3), dtype=np.uint8)
    found = tim(clip, 4)
    assert found.shape == (4, 4, 3, 3)
    np.testing.assert_allclose(found[..., 1], tim(clip[..., 1].copy(), 4), atol=1e-10)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_frames": 1}, "n_frames is 1: it must be at least 2"),
        ({"n_frames": 2.0}, "n_frames is 2.0: it must be an integer"),
        ({"n_frames": 5, "method": "cubic"}, "method is 'cubic': it must be one of 'laplacian', 'linear'"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        tim(small_clip(3), **params)
    with pytest.raises(ParameterError, match=message):
        TIM(**params).fit([small_clip(3)])


def test_a_single_frame_is_refused():
    with pytest.raises(DataError, match=r"^frames: the clip has 1 frame, 2 are needed$"):
        tim(small_clip(1), 5)
    alone = Clip("toy/sub01/a", ArraySource(small_clip(1)), onset=0, apex=0, offset=0)
    (mapped,) = TIM(5).transform([alone])
    with pytest.raises(DataError, match=r"^toy/sub01/a: the clip has 1 frame, 2 are needed$"):
        mapped.frames()


def test_a_stored_flow_map_is_refused():
    with pytest.raises(NeedsError, match="toy/sub01/map"):
        TIM(5).transform([Clip("toy/sub01/map", FlowMapSource("map.png"))])


def test_step_rounds_and_cuts_the_golden_frames_to_uint8():
    expected = np.load(GOLDEN / "tim.npz")["A_n10"]
    # Overshoot is there to be cut.
    assert expected.min() < 0
    assert expected.max() > 255
    (mapped,) = TIM(10).fit_transform([golden_clip()])
    frames = mapped.frames()
    assert frames.dtype == np.uint8
    np.testing.assert_array_equal(frames, np.vectorize(naive.to_uint8)(expected))


@pytest.mark.parametrize("method", ["laplacian", "linear"])
def test_step_rounds_halves_up(method):
    clip = np.zeros((2, 1, 256), np.uint8)
    clip[0], clip[1] = np.arange(256), np.arange(256) + 1 - np.arange(256) // 255
    (mapped,) = TIM(3, method=method).transform([clip])
    np.testing.assert_array_equal(mapped.frames()[1], clip[1])


def test_step_moves_onset_apex_and_offset_with_their_frames():
    clip = Clip("toy/sub01/a", ArraySource(small_clip(21)), onset=0, apex=9, offset=20, fps=200.0)
    (mapped,) = TIM(11).transform([clip])
    # Apex: 9 * 10 / 20 = 4.5, up to 5.
    assert (mapped.onset, mapped.apex, mapped.offset) == (0, 5, 10)
    assert mapped.n_frames == len(mapped.frames()) == 11


@few
@given(n_old=st.integers(2, 60), n_frames=st.integers(2, 60), data=st.data())
def test_step_moves_positions_to_the_nearest_new_frame(n_old, n_frames, data):
    position = data.draw(st.integers(0, n_old - 1))
    exact = position * (n_frames - 1) / (n_old - 1)
    found = TIM(n_frames).map_position(position, n_old)
    assert abs(found - exact) <= 0.5 + 1e-9
    assert 0 <= found < n_frames


def test_step_keeps_an_unknown_apex_unknown():
    clip = Clip("toy/sub01/a", ArraySource(small_clip(21)), onset=0, offset=20)
    assert TIM(11).transform([clip])[0].apex is None


def test_step_clones_and_its_parameters_change_the_fingerprint():
    clip = golden_clip()
    prints = {step.transform([clip])[0].fingerprint() for step in (TIM(10), TIM(11), TIM(10, "linear"))}
    assert len(prints) == 3
    assert clone(TIM(7)).get_params() == {"n_frames": 7, "method": "laplacian"}
