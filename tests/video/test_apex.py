from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import apex as naive
from scipy.ndimage import gaussian_filter1d, map_coordinates
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource, FrameSource
from microexpr.features.flowmap import FlowMap
from microexpr.video import TIM, optical_flow, optical_strain
from microexpr.video.apex import APEX_FEATURES, ApexSearch, _divide, _motion_within, apex_curve, find_apex

few = settings(max_examples=20, deadline=None)


def moving_clip(amplitudes, size=(48, 44), seed=0):
    """A texture that a hill in the middle pushes to the right, by each amplitude in pixels."""
    rng = np.random.default_rng(seed)
    texture = gaussian_filter1d(gaussian_filter1d(rng.normal(size=size), 1.5, 0), 1.5, 1)
    rows, columns = np.mgrid[: size[0], : size[1]].astype(float)
    hill = np.exp(-((rows - size[0] / 2) ** 2 + (columns - size[1] / 2) ** 2) / 60)
    frames = [map_coordinates(texture, [rows, columns - by * hill], order=3, mode="nearest") for by in amplitudes]
    return np.clip(128 + 200 * np.array(frames), 0, 255).astype(np.uint8)


def rise_and_fall(n_frames, apex, largest=2.0):
    before = np.linspace(0, largest, apex + 1)
    after = np.linspace(largest, 0, n_frames - apex)
    return np.append(before, after[1:])


class Unread(FrameSource):
    """Frames that must not be read."""

    def read(self):
        raise AssertionError("the frames were read")

    def fingerprint(self):
        return "unread"

    def count(self):
        return 20

    def describe(self):
        return "unread"


@pytest.mark.parametrize("feature", APEX_FEATURES)
@pytest.mark.parametrize("search", ["divide_and_conquer", "argmax"])
@pytest.mark.parametrize("apex", [4, 9])
def test_the_apex_of_a_single_movement_is_found(feature, search, apex):
    clip = moving_clip(rise_and_fall(14, apex))
    # LBP codes saturate once texture has moved by a pixel: one frame either way.
    tolerance = 1 if feature == "lbp" else 0
    assert abs(find_apex(clip, feature=feature, search=search, blocks=(4, 4)) - apex) <= tolerance


@few
@given(n_frames=st.integers(4, 16), data=st.data())
def test_flow_finds_the_known_apex(n_frames, data):
    apex = data.draw(st.integers(1, n_frames - 2))
    clip = moving_clip(rise_and_fall(n_frames, apex, largest=0.5 * max(apex, n_frames - 1 - apex)))
    assert find_apex(clip, feature="flow") == apex


def test_an_expression_that_never_fades_has_its_apex_at_the_end():
    assert find_apex(moving_clip(np.linspace(0, 2, 8)), feature="flow") == 7


def test_the_search_stays_between_onset_and_offset():
    clip = moving_clip(np.concatenate([rise_and_fall(9, 4, largest=3.0), rise_and_fall(9, 3)]))
    assert find_apex(clip, feature="flow") == 4
    assert find_apex(clip, feature="flow", onset=9) == 12
    assert find_apex(clip, feature="flow", onset=0, offset=3) == 3


@few
@given(
    seed=st.integers(0, 99),
    size=st.tuples(st.integers(8, 13), st.integers(8, 13)),
    blocks=st.sampled_from([(1, 1), (2, 3), (6, 6)]),
    n_levels=st.sampled_from([3, 256]),
)
def test_pattern_curve_equals_its_twin(seed, size, blocks, n_levels):
    clip = np.random.default_rng(seed).integers(0, n_levels, (4, *size), dtype=np.uint8)
    found = apex_curve(clip, feature="lbp", blocks=blocks)
    np.testing.assert_allclose(found, naive.pattern_curve(clip, blocks), rtol=0, atol=1e-10)


def test_pattern_difference_is_what_hand_arithmetic_gives():
    # One centre a frame. Flat: all neighbours >= centre; a bright centre: none. Histograms share no bin: difference 1.
    flat, bright = np.zeros((3, 3), np.uint8), np.zeros((3, 3), np.uint8)
    bright[1, 1] = 9
    np.testing.assert_array_equal(apex_curve(np.stack([flat, bright, flat]), blocks=(1, 1)), [0, 1, 0])


@pytest.mark.parametrize("flow", ["farneback", "dis"])
def test_flow_and_strain_curves_are_means_of_their_fields(flow):
    clip = moving_clip([0, 1.0, 2.0])
    fields = [optical_flow(clip[0], frame, method=flow) for frame in clip[1:]]
    strain = [0.0] + [optical_strain(field).mean() for field in fields]
    np.testing.assert_allclose(apex_curve(clip, feature="strain", flow=flow), strain, rtol=1e-12)
    within = [0.0] + [naive.motion_within(field).mean() for field in fields]
    np.testing.assert_allclose(apex_curve(clip, feature="flow", flow=flow), within, rtol=1e-8)


@few
@given(shift=st.floats(-3, 3), turn=st.floats(-0.1, 0.1), scale=st.floats(0.9, 1.1))
def test_what_the_head_does_is_no_motion(shift, turn, scale):
    rows, columns = np.mgrid[:20, :17].astype(float)
    u = shift + (scale * np.cos(turn) - 1) * columns - scale * np.sin(turn) * rows
    v = -shift + scale * np.sin(turn) * columns + (scale * np.cos(turn) - 1) * rows
    field = np.stack([u, v], axis=-1)
    np.testing.assert_allclose(_motion_within(field), 0, atol=1e-9)
    field[8:11, 5:8] += (1.5, 2.0)
    moved = _motion_within(field)
    np.testing.assert_allclose(moved[8:11, 5:8], 2.5, atol=0.05)
    assert np.delete(moved, np.s_[8:11], axis=0).max() < 0.05


@few
@given(curve=st.lists(st.integers(0, 5), min_size=1, max_size=40).filter(any))
def test_halving_equals_its_twin(curve):
    values = [0.0, *map(float, curve)]
    assert _divide(np.array(values)) == naive.divide_and_conquer(values)


@few
@given(rise=st.lists(st.floats(0.01, 1), min_size=1, max_size=9), fall=st.lists(st.floats(0.01, 1), max_size=9))
def test_halving_finds_the_only_peak(rise, fall):
    curve = np.cumsum([0.0, *rise, *(-step for step in fall)])
    assert _divide(curve) == len(rise)


def test_halving_keeps_the_half_with_more_not_the_highest_peak():
    # Peaks 4 at 1 against 3 + 3 at 5 and 7: the paper's search takes the second half, its first peak of equals.
    assert _divide(np.array([0.0, 4, 0, 0, 0, 3, 0, 3])) == 5


def test_smoothing_takes_the_noise_out_of_the_curve():
    clip = moving_clip(rise_and_fall(20, 8))
    noisy = np.clip(clip + np.random.default_rng(1).normal(0, 12, clip.shape), 0, 255).astype(np.uint8)
    smooth = apex_curve(noisy, feature="flow")
    smooth[1:] = gaussian_filter1d(smooth[1:], 2.0, mode="nearest")
    assert find_apex(noisy, feature="flow", smoothing=2.0) == naive.divide_and_conquer(list(smooth))
    assert abs(find_apex(noisy, feature="flow", smoothing=2.0) - 8) <= 2


def test_colour_clips_are_searched_in_their_luma():
    clip = moving_clip(rise_and_fall(9, 4))
    assert find_apex(np.repeat(clip[..., None], 3, axis=-1), feature="flow") == 4


@pytest.mark.parametrize("feature", APEX_FEATURES)
def test_a_still_clip_has_no_apex(feature):
    still = np.repeat(moving_clip([0]), 5, axis=0)
    with pytest.raises(DataError, match=f"^frames: no frame differs from the onset 0 in {feature}; there is no apex$"):
        find_apex(still, feature=feature)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"feature": "clm"}, "feature is 'clm': it must be one of 'lbp', 'flow', 'strain'"),
        ({"blocks": (0, 6)}, r"blocks\[0\] is 0: it must be at least 1"),
        ({"flow": "raft"}, "flow is 'raft': it must be one of"),
        ({"search": "binary"}, "search is 'binary': it must be one of 'divide_and_conquer', 'argmax'"),
        ({"smoothing": -1.0}, "smoothing is -1.0: it must be at least 0"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=message):
        find_apex(moving_clip([0, 1]), **params)
    with pytest.raises(ParameterError, match=message):
        ApexSearch(**params).fit([])


def test_positions_outside_the_clip_are_refused():
    clip = moving_clip([0, 1, 2])
    with pytest.raises(DataError, match="offset 3 lies outside the clip's 3 frames"):
        find_apex(clip, offset=3)
    with pytest.raises(DataError, match="no frame lies after the onset 2 and up to 2"):
        find_apex(clip, onset=2)
    with pytest.raises(ParameterError, match="onset is -1"):
        find_apex(clip, onset=-1)


def test_frames_that_cannot_be_compared_are_refused():
    with pytest.raises(DataError, match="dtype float64; apex search needs uint8"):
        find_apex(moving_clip([0, 1]).astype(float))
    with pytest.raises(DataError, match="frames of 7 x 9 pixels, without their border, cannot be cut into 6 x 6"):
        find_apex(np.zeros((3, 7, 9), np.uint8))


def unknown_apex(**fields):
    return Clip("toy/sub01/a", ArraySource(moving_clip(rise_and_fall(12, 5))), onset=0, offset=11, **fields)


def test_step_sets_a_missing_apex_and_leaves_the_frames():
    clip = unknown_apex(fps=200.0)
    (found,) = ApexSearch(feature="flow").fit_transform([clip])
    assert (found.onset, found.apex, found.offset, found.fps) == (0, 5, 11, 200.0)
    assert clip.apex is None
    np.testing.assert_array_equal(found.frames(), clip.frames())


def test_step_searches_the_whole_clip_where_onset_and_offset_are_missing():
    clip = replace(unknown_apex(), onset=None, offset=None)
    assert ApexSearch(feature="flow").transform([clip])[0].apex == 5


def test_step_keeps_a_known_apex_and_does_not_read_its_clip():
    clip = Clip("toy/sub01/a", Unread(), onset=0, apex=3, offset=19)
    assert ApexSearch().transform([clip])[0].apex == 3


def test_step_replaces_a_known_apex_only_when_told_to():
    clip = unknown_apex(apex=2)
    assert ApexSearch(feature="flow").transform([clip])[0].apex == 2
    assert ApexSearch(feature="flow", overwrite=True).transform([clip])[0].apex == 5
    with pytest.raises(ParameterError, match="overwrite is 'yes'"):
        ApexSearch(overwrite="yes").fit([])


def test_step_gives_what_needs_an_apex_its_apex():
    clip = unknown_apex()
    with pytest.raises(NeedsError, match="the apex is unknown"):
        FlowMap(method="dis").transform([clip])
    expected = FlowMap(method="dis").transform([replace(clip, apex=5)])
    found = make_pipeline(ApexSearch(feature="flow"), FlowMap(method="dis")).transform([clip])
    np.testing.assert_array_equal(found, expected)


def test_a_found_apex_moves_with_later_steps():
    (mapped,) = make_pipeline(ApexSearch(feature="flow"), TIM(23)).transform([unknown_apex()])
    assert mapped.apex == 10


def test_step_names_the_clip_in_which_nothing_is_found():
    still = replace(unknown_apex(), source=ArraySource(np.zeros((12, 20, 20), np.uint8)))
    with pytest.raises(DataError, match=r"^toy/sub01/a: no frame differs"):
        ApexSearch().transform([still])


def test_step_changes_the_fingerprint_with_its_parameters():
    clip = unknown_apex(apex=5)
    steps = [ApexSearch(), ApexSearch(feature="flow"), ApexSearch(blocks=(5, 5)), ApexSearch(overwrite=True)]
    prints = {step.transform([clip])[0].fingerprint() for step in steps} | {clip.fingerprint()}
    assert len(prints) == 5
    assert clone(steps[1]).transform([clip])[0].fingerprint() in prints


def test_step_refuses_a_stored_flow_map():
    with pytest.raises(NeedsError, match="toy/sub01/map"):
        ApexSearch().transform([Clip("toy/sub01/map", FlowMapSource("map.png"))])
