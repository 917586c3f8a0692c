"""Synthetic long videos whose skin has a pulse."""

import numpy as np
import pytest

from microexpr.core.errors import ParameterError
from microexpr.data.longvideos import make_videos

STILL = {"micro": 0, "macro": 0, "sway": 0.0, "flicker": 0.0, "noise": 0.0, "size": (64, 60), "fps": 20.0}
STILL |= {"blinks": False, "speech": False, "head_motion": False, "light_changes": False, "color": True}
NAME = "synthetic-long/sub01/V01"


def test_each_video_has_a_rate_of_its_own_that_the_table_tells():
    rates = make_videos(3, 2, pulse=(50, 140), **STILL).videos["pulse"]
    assert rates.between(50, 140).all()
    assert rates.nunique() == 6
    assert (make_videos(1, 1, pulse=(77, 77), **STILL).videos["pulse"] == 77).all()
    assert "pulse" not in make_videos(1, 1, **STILL).videos


def test_green_beats_most_and_at_the_rate_that_the_table_tells():
    videos = make_videos(1, 1, seconds=10, pulse=(75, 75), pulse_strength=0.02, **STILL)
    means = videos.sources[NAME].read().mean(axis=(1, 2))
    beat = means / means.mean(axis=0) - 1
    # 75 beats a minute are 12.5 in ten seconds: eight seconds hold ten of them.
    spectrum = np.abs(np.fft.rfft(beat[:160], axis=0)) / 80
    assert spectrum[1:].argmax(axis=0).tolist() == [9, 9, 9]
    np.testing.assert_allclose(spectrum[10], 0.02 * np.array([0.33, 0.77, 0.53]) / 0.77, rtol=0.05)
    # The first harmonic has a quarter of the fundamental's height.
    np.testing.assert_allclose(spectrum[20] / spectrum[10], 0.25, atol=0.03)


def test_a_pulse_changes_no_event_and_its_mean_no_brightness():
    plain, beating = (
        make_videos(1, 1, seconds=6, color=True, size=(64, 60), **given) for given in ({}, {"pulse": (60, 60)})
    )
    assert plain.intervals.equals(beating.intervals)
    assert plain.distractors.equals(beating.distractors)
    one, other = (videos.sources[NAME].window(0, 60).read().astype(float) for videos in (plain, beating))
    assert 0 < np.abs(one - other).max() <= 3
    assert abs((one - other).mean()) < 0.1


def test_the_fingerprint_knows_rate_and_strength():
    given = ({}, {"pulse": (60, 60)}, {"pulse": (61, 61)}, {"pulse": (60, 60), "pulse_strength": 0.01})
    assert len({make_videos(1, 1, **STILL, **options).sources[NAME].fingerprint() for options in given}) == 4


def test_the_first_frame_is_rendered_alone():
    source = make_videos(1, 1, seconds=6, **STILL).sources[NAME].window(7, 30)
    np.testing.assert_array_equal(source.first(), source.read()[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pulse": (60, 60)}, "a pulse shows in colour alone"),
        ({"pulse": 60, "color": True}, r"pulse is 60: it must be a pair \(low, high\)"),
        ({"pulse": (90, 60), "color": True}, r"pulse is \(90, 60\): it must be 0 < low <= high"),
        ({"pulse": (60, 400), "color": True}, r"pulse\[1\] is 400\.0: it must be at most 300"),
        ({"pulse": (60, 60), "color": True, "pulse_strength": 0.2}, r"pulse_strength is 0\.2: it must be at most 0\.1"),
    ],
)
def test_what_is_no_pulse_is_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        make_videos(1, 1, **options)
