import numpy as np
import pytest
from PIL import Image

import microexpr.video.motion as motion_module
from microexpr.core.clip import Clip
from microexpr.core.config import cache_folder
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.video.flow import optical_flow
from microexpr.video.motion import onset_apex_motion, onset_flows
from microexpr.video.strain import optical_strain

FRAMES = np.random.default_rng(0).integers(0, 256, (5, 40, 32), dtype=np.uint8)


def _clip(**positions):
    return Clip("toy/s1/a", ArraySource(FRAMES), **{"onset": 1, "apex": 3, "offset": 4, **positions})


def test_flow_and_strain_are_those_of_onset_and_apex():
    flow, strain = onset_apex_motion(_clip(), method="dis")
    expected = optical_flow(FRAMES[1], FRAMES[3], method="dis")
    np.testing.assert_array_equal(flow, expected)
    np.testing.assert_array_equal(strain, optical_strain(expected))


def test_a_second_call_computes_no_flow_and_gives_the_same_bits(monkeypatch):
    first = onset_apex_motion(_clip(), method="farneback")
    monkeypatch.setattr(motion_module, "optical_flow", None)
    second = onset_apex_motion(_clip(), method="farneback")
    for before, after in zip(first, second, strict=True):
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after)


def test_other_frames_and_other_methods_have_flow_of_their_own():
    flows = [
        onset_apex_motion(_clip(), method="dis")[0],
        onset_apex_motion(_clip(apex=4), method="dis")[0],
        onset_apex_motion(_clip(onset=0), method="dis")[0],
        onset_apex_motion(_clip(), method="farneback")[0],
    ]
    for position, flow in enumerate(flows):
        assert all(not np.array_equal(flow, other) for other in flows[:position])


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MICROEXPR_CACHE", str(tmp_path / "file"))
    flow, _ = onset_apex_motion(_clip(), method="dis")
    np.testing.assert_array_equal(flow, optical_flow(FRAMES[1], FRAMES[3], method="dis"))


def test_the_cache_keeps_single_precision():
    onset_apex_motion(_clip(), method="dis")
    [file] = (cache_folder() / "motion").rglob("*.npy")
    assert np.load(file).dtype == np.float32


def test_a_stored_map_counts_its_median_as_no_motion(tmp_path):
    stored = np.full((28, 28, 3), (100, 150, 7), np.uint8)
    stored[3, 4] = (130, 120, 200)
    Image.fromarray(stored).save(tmp_path / "m .png")
    flow, strain = onset_apex_motion(Clip("maps/s1/a", FlowMapSource(tmp_path / "m .png")))
    assert flow[3, 4].tolist() == [30.0, -30.0]
    assert np.count_nonzero(flow) == 2
    assert strain[3, 4] == 200.0
    assert strain[0, 0] == 7.0


def test_an_unknown_apex_is_an_error_that_names_the_clip():
    with pytest.raises(NeedsError, match="toy/s1/a: the apex is unknown"):
        onset_apex_motion(_clip(apex=None))


@pytest.mark.parametrize("apex", [0, 1])
def test_an_apex_that_does_not_come_after_the_onset_is_refused(apex):
    with pytest.raises(DataError, match=f"toy/s1/a: the apex {apex} does not come after the onset 1"):
        onset_apex_motion(_clip(apex=apex), method="dis")


def test_an_unknown_method_is_refused():
    with pytest.raises(ParameterError, match="method is 'lucas'"):
        onset_apex_motion(_clip(), method="lucas")


def test_flow_from_the_onset_goes_to_each_position():
    flows = onset_flows(FRAMES, [2, 4], onset=1, method="dis")
    np.testing.assert_array_equal(flows[0], optical_flow(FRAMES[1], FRAMES[2], method="dis"))
    np.testing.assert_array_equal(flows[1], optical_flow(FRAMES[1], FRAMES[4], method="dis"))


@pytest.mark.parametrize(
    ("frames", "positions", "message"),
    [
        (FRAMES, [], "toy: there is no frame to compute the flow to"),
        (FRAMES, [1, 5], "toy: there is no frame 5 among the 5"),
        (FRAMES, [-1], "toy: there is no frame -1 among the 5"),
        (FRAMES.astype(float), [1], "toy: first is no grey uint8 frame"),
        (FRAMES[:, :5], [1], "toy: frames of shape .* at least 8 x 8"),
    ],
)
def test_frames_that_have_no_flow_are_named(frames, positions, message):
    with pytest.raises(DataError, match=message):
        onset_flows(frames, positions, name="toy")
