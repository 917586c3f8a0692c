from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import evm as naive
from sklearn.base import clone

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.video.evm import EVM, _laplacian_pyramid, magnify

GOLDEN = Path(__file__).parent.parent / "golden"

few = settings(max_examples=15, deadline=None)


def golden_clip():
    return np.load(GOLDEN / "clipA.npy") / 255


def golden(name):
    return np.load(GOLDEN / "evm.npz")[name]


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def test_golden_pyramid_is_reproduced():
    levels = _laplacian_pyramid(golden_clip()[0])
    assert [list(level.shape) for level in levels] == golden("A_pind").tolist()
    values = np.concatenate([level.ravel(order="F") for level in levels])
    np.testing.assert_allclose(values, golden("A_pyr0"), rtol=0, atol=1e-12)


def test_golden_frames_of_iir_are_reproduced():
    found = magnify(golden_clip(), alpha=10, lambda_c=16, method="iir", r1=0.4, r2=0.05)
    np.testing.assert_allclose(found, golden("A_iir_a10_l16_r04_005"), rtol=0, atol=1e-12)


def test_golden_frames_of_butterworth_are_reproduced():
    found = magnify(golden_clip(), alpha=20, lambda_c=16, method="butterworth", low=0.4, high=3, fps=30)
    np.testing.assert_allclose(found, golden("A_butter_a20_l16_f04_3_sr30"), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        ((37, 53), [(37, 53), (19, 27), (10, 14), (5, 7)]),
        ((48, 40), [(48, 40), (24, 20), (12, 10), (6, 5), (3, 3)]),
        ((9, 40), [(9, 40), (5, 20)]),
        ((4, 40), [(4, 40)]),
        # Sizes are halved rounding up, but how often is counted rounding down: 5 would allow one more.
        ((19, 19), [(19, 19), (10, 10), (5, 5)]),
    ],
)
def test_pyramid_has_the_levels_of_the_program(size, sizes):
    assert [level.shape for level in _laplacian_pyramid(noise(*size))] == sizes


@few
@given(
    height=st.integers(10, 23),
    width=st.integers(10, 23),
    alpha=st.floats(0, 60),
    lambda_c=st.floats(1, 100),
    rates=st.sampled_from([(0.4, 0.05), (1.0, 0.3)]),
    seed=st.integers(0, 99),
)
def test_iir_equals_its_twin(height, width, alpha, lambda_c, rates, seed):
    clip = noise(3, height, width, seed=seed)
    params = {"alpha": alpha, "lambda_c": lambda_c, "method": "iir", "r1": rates[0], "r2": rates[1]}
    np.testing.assert_allclose(magnify(clip, **params), naive.magnify(clip, **params), rtol=0, atol=1e-10)


@few
@given(
    height=st.integers(10, 23),
    width=st.integers(10, 23),
    band=st.sampled_from([(0.4, 3.0, 30.0), (0.3, 4.0, 200.0), (5.0, 24.0, 25.0)]),
    seed=st.integers(0, 99),
)
def test_butterworth_equals_its_twin(height, width, band, seed):
    clip = noise(4, height, width, seed=seed)
    low, high, fps = band
    params = {"alpha": 20, "lambda_c": 16, "method": "butterworth", "low": low, "high": high, "fps": fps}
    np.testing.assert_allclose(magnify(clip, **params), naive.magnify(clip, **params), rtol=0, atol=1e-10)


@pytest.mark.parametrize("params", [{}, {"method": "butterworth", "fps": 30}])
@few
@given(height=st.integers(10, 40), width=st.integers(10, 40), grey=st.integers(0, 255), color=st.booleans())
def test_a_still_clip_stays_as_it_is(params, height, width, grey, color):
    frame = noise(height, width, 3, seed=grey) * 255 if color else noise(height, width, seed=grey) * 255
    still = np.repeat(frame[None], 4, axis=0)
    np.testing.assert_allclose(magnify(still, alpha=20, lambda_c=16, **params), still, rtol=0, atol=1e-9)


def test_the_first_frame_stays_to_the_bit():
    clip = noise(4, 20, 24)
    np.testing.assert_array_equal(magnify(clip, alpha=50, lambda_c=4)[0], clip[0])


def test_no_gain_leaves_the_clip_where_no_level_has_waves_shorter_than_the_cut():
    # 96 x 80: the finest level that is amplified has lambda = 41.65 / 16 = 2.6 pixels.
    clip = noise(4, 96, 80)
    np.testing.assert_allclose(magnify(clip, alpha=0, lambda_c=2.6), clip, rtol=0, atol=1e-12)
    assert not np.allclose(magnify(clip, alpha=0, lambda_c=2.7), clip, rtol=0, atol=1e-6)


def test_two_levels_have_nothing_between_them_and_three_have():
    # 10 x 10 has levels of 10, 5 and 3 pixels; only the middle one is amplified.
    assert not np.allclose(magnify(noise(3, 10, 10), alpha=10, lambda_c=1), noise(3, 10, 10))
    with pytest.raises(DataError, match=r"^frames: frames of 9 x 30 pixels have no level .* at least 10 x 10$"):
        magnify(noise(3, 9, 30), alpha=10, lambda_c=1)


@few
@given(scale=st.floats(0.1, 255), offset=st.floats(-50, 50))
def test_grey_levels_may_have_any_scale_and_zero(scale, offset):
    clip = noise(4, 20, 24)
    found = magnify(scale * clip + offset, alpha=10, lambda_c=16)
    np.testing.assert_allclose(found, scale * magnify(clip, alpha=10, lambda_c=16) + offset, rtol=0, atol=1e-9)


def test_uint8_frames_give_results_in_grey_levels():
    clip = np.load(GOLDEN / "clipA.npy")
    found = magnify(clip, alpha=10, lambda_c=16)
    np.testing.assert_allclose(found / 255, golden("A_iir_a10_l16_r04_005"), rtol=0, atol=1e-12)


def test_grey_in_three_channels_is_magnified_as_grey():
    clip = noise(4, 20, 24)
    found = magnify(np.repeat(clip[..., None], 3, axis=-1), alpha=10, lambda_c=16, chroma=0.1)
    expected = magnify(clip, alpha=10, lambda_c=16)
    np.testing.assert_allclose(found, np.repeat(expected[..., None], 3, axis=-1), rtol=0, atol=1e-10)


def test_full_chroma_magnifies_each_channel_on_its_own():
    clip = noise(4, 20, 24, 3)
    found = magnify(clip, alpha=10, lambda_c=16, chroma=1)
    np.testing.assert_allclose(found[..., 2], magnify(clip[..., 2], alpha=10, lambda_c=16), rtol=0, atol=1e-10)


def test_without_chroma_the_luma_is_magnified_and_colour_differences_stay():
    clip = noise(4, 20, 24, 3)
    change = magnify(clip, alpha=10, lambda_c=16, chroma=0) - clip
    np.testing.assert_allclose(change[..., 0], change[..., 1], rtol=0, atol=1e-10)
    luma = clip @ np.linalg.inv([[1, 0.956, 0.621], [1, -0.272, -0.647], [1, -1.106, 1.703]])[0]
    np.testing.assert_allclose(change[..., 0], magnify(luma, alpha=10, lambda_c=16) - luma, rtol=0, atol=1e-10)


def test_small_motion_becomes_larger():
    column = np.arange(64.0)
    shifts = 0.05 * np.sin(2 * np.pi * np.arange(40) / 20)
    clip = np.stack([np.repeat(np.sin((column - shift) / 4)[None], 64, axis=0) for shift in shifts])
    found = magnify(clip, alpha=10, lambda_c=16)
    assert found[10:].std(axis=0).mean() > 3 * clip[10:].std(axis=0).mean()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": -1}, "alpha is -1.0: it must be at least 0"),
        ({"alpha": float("nan")}, "alpha is nan: it must be a finite number"),
        ({"lambda_c": 0}, "lambda_c is 0: it must be greater than 0"),
        ({"method": "ideal"}, "method is 'ideal': it must be one of 'iir', 'butterworth'"),
        ({"r1": 1.5}, "r1 is 1.5: it must be at most 1"),
        ({"r2": 0}, "r2 is 0: it must be greater than 0"),
        ({"r1": 0.1, "r2": 0.2}, "r2 is 0.2: it must be below r1, 0.1"),
        ({"low": 0}, "low is 0: it must be greater than 0"),
        ({"low": 5}, "low is 5: it must be below high"),
        ({"method": "butterworth", "fps": 0}, "fps is 0: it must be greater than 0"),
        ({"method": "butterworth", "fps": 2.0}, "high is .*: it must be below fps, 2.0"),
        ({"chroma": 2}, "chroma is 2.0: it must be at most 1"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        magnify(noise(3, 20, 20), **{"alpha": 10, "lambda_c": 16, **params})
    with pytest.raises(ParameterError, match=message):
        EVM(**params).fit([])


def test_butterworth_needs_a_frame_rate():
    with pytest.raises(ParameterError, match="fps is None: method 'butterworth' needs"):
        magnify(noise(3, 20, 20), alpha=10, lambda_c=16, method="butterworth")


def step_clip(**fields):
    frames = np.load(GOLDEN / "clipA.npy")
    return Clip("toy/sub01/a", ArraySource(frames), onset=1, apex=7, offset=18, **fields)


def test_step_rounds_and_cuts_the_golden_frames_to_uint8():
    expected = 255 * golden("A_iir_a10_l16_r04_005")
    # Overshoot is there to be cut.
    assert expected.max() > 255.5
    frames = EVM(alpha=10, lambda_c=16).fit_transform([step_clip()])[0].frames()
    assert frames.dtype == np.uint8
    np.testing.assert_array_equal(frames, np.rint(np.clip(expected, 0, 255)))


def test_step_takes_each_clips_own_frame_rate():
    step = EVM(alpha=20, method="butterworth", low=0.4, high=3)
    frames = step.transform([step_clip(fps=30.0)])[0].frames()
    expected = 255 * golden("A_butter_a20_l16_f04_3_sr30")
    np.testing.assert_array_equal(frames, np.rint(np.clip(expected, 0, 255)))
    assert not np.array_equal(frames, step.transform([step_clip(fps=200.0)])[0].frames())
    fixed = clone(step).set_params(fps=30)
    np.testing.assert_array_equal(frames, fixed.transform([step_clip(fps=200.0)])[0].frames())


def test_step_names_the_clip_whose_frame_rate_is_unknown_or_too_low():
    step = EVM(method="butterworth")
    with pytest.raises(NeedsError, match=r"^toy/sub01/a: the frame rate is unknown"):
        step.transform([step_clip()])[0].frames()
    with pytest.raises(ParameterError, match=r"high is 4.0: it must be below fps, 3.0"):
        step.transform([step_clip(fps=3.0)])[0].frames()


def test_step_names_the_clip_that_is_too_small():
    small = replace(step_clip(), source=ArraySource(np.zeros((20, 8, 8), np.uint8)))
    with pytest.raises(DataError, match=r"^toy/sub01/a: frames of 8 x 8 pixels"):
        EVM().transform([small])[0].frames()


def test_step_keeps_positions_and_frame_rate():
    clip = step_clip(fps=30.0)
    (mapped,) = EVM().transform([clip])
    assert (mapped.onset, mapped.apex, mapped.offset, mapped.fps, mapped.n_frames) == (1, 7, 18, 30.0, 20)


def test_step_changes_the_fingerprint_with_its_parameters():
    steps = [EVM(), EVM(alpha=11), EVM(lambda_c=17), EVM(method="butterworth"), EVM(chroma=0.0)]
    assert len({step.transform([step_clip()])[0].fingerprint() for step in steps}) == len(steps)


def test_step_refuses_a_stored_flow_map():
    with pytest.raises(NeedsError, match="toy/sub01/map"):
        EVM().transform([Clip("toy/sub01/map", FlowMapSource("map.png"))])
