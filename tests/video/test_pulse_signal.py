"""The pulse signal of POS and CHROM, and the rate in a signal."""

import numpy as np
import pytest
from naive import pulse as naive
from scipy.signal import butter, sosfiltfilt

from microexpr.core.errors import DataError, ParameterError
from microexpr.video.heartrate import heart_rate, reliable_snr, snr_quality
from microexpr.video.pulsesignal import pulse_signal, runs_of

SKIN = np.array([168.0, 121.0, 96.0])
# How strongly R, G and B show the pulse, and how evenly they show light.
BLOOD = np.array([0.33, 0.77, 0.53])


def traces_of(rate, *, fps=30.0, seconds=10.0, strength=0.01, noise=0.0, light=None, seed=0):
    """Colours of skin that beats `rate` times a minute; and the beat itself."""
    rng = np.random.default_rng(seed)
    beat = np.sin(2 * np.pi * rate / 60 * np.arange(round(seconds * fps)) / fps)
    colours = SKIN * (1.0 - strength * beat[:, None] * BLOOD)
    if light is not None:
        colours = colours * light[:, None]
    return colours * (1.0 + noise * rng.standard_normal(colours.shape)), beat


def wandering(n_frames, seed):
    """Light that wanders by some percent, within the band of a pulse too."""
    return 1.0 + 0.03 * np.cumsum(np.random.default_rng(seed).standard_normal(n_frames)) / np.sqrt(n_frames)


@pytest.mark.parametrize(("fps", "length"), [(10.0, 16), (14.0, 23), (20.0, 32)])
def test_pos_is_its_twins_sum_over_the_windows_of_each_frame(fps, length):
    colours, _ = traces_of(71, fps=fps, seconds=5, noise=0.004)
    total, count = naive.pos(colours.tolist(), length)
    np.testing.assert_allclose(pulse_signal(colours, fps=fps), np.divide(total, count), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(("fps", "length"), [(10.0, 16), (14.0, 24), (20.0, 32)])
def test_chrom_equals_its_twin(fps, length):
    colours, _ = traces_of(71, fps=fps, seconds=5, noise=0.004)

    def filtered(values):
        sections = butter(3, (0.7, 4.0), btype="bandpass", fs=fps, output="sos")
        return sosfiltfilt(sections, np.array(values) - np.mean(values), padlen=round(fps)).tolist()

    expected = naive.chrom(colours.tolist(), length, filtered)
    np.testing.assert_allclose(pulse_signal(colours, fps=fps, method="chrom"), expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("fps", [10.0, 25.0, 200.0])
def test_pos_gives_a_known_mixture_the_amplitude_of_its_formula(fps):
    # With x = strength * BLOOD of a small beat: s1 = -(x_G - x_B) beat, s2 = -(x_G + x_B - 2 x_R) beat, so
    # h = s1 + s1 = -2 (x_G - x_B) beat = -2 * 0.01 * 0.24 beat.
    colours, beat = traces_of(75, fps=fps)  # 1.6 seconds hold two whole beats
    np.testing.assert_allclose(pulse_signal(colours, fps=fps), -0.0048 * beat, atol=5e-5)


def test_chrom_gives_a_known_mixture_the_amplitude_of_its_formula():
    # x = -(3 x_R - 2 x_G) beat = 0.0055 beat, y = -(1.5 x_R + x_G - 1.5 x_B) beat = -0.0047 beat, and so
    # h = x - (0.55 / 0.47) y = 2 x = 0.011 beat. At both ends the Hann windows fade, and the filter rings.
    colours, beat = traces_of(75, seconds=20)
    found = pulse_signal(colours, fps=30.0, method="chrom")
    np.testing.assert_allclose(found[100:-100], 0.011 * beat[100:-100], atol=3e-4)


@pytest.mark.parametrize("method", ["pos", "chrom"])
def test_light_that_changes_all_colours_alike_is_no_pulse(method):
    light = wandering(300, seed=2)
    still, _ = traces_of(75, strength=0.0, light=light)
    beating, _ = traces_of(75, light=light)
    change = np.std(pulse_signal(still, fps=30.0, method=method))
    assert change < 0.05 * np.std(pulse_signal(beating, fps=30.0, method=method))


@pytest.mark.parametrize("method", ["pos", "chrom"])
def test_the_signal_does_not_depend_on_how_bright_or_tinted_the_camera_is(method):
    colours, _ = traces_of(66, noise=0.002)
    expected = pulse_signal(colours, fps=30.0, method=method)
    np.testing.assert_allclose(
        pulse_signal(colours * [0.5, 0.8, 1.1], fps=30.0, method=method), expected, rtol=1e-9, atol=1e-14
    )


@pytest.mark.parametrize("method", ["pos", "chrom"])
def test_stretches_between_gaps_are_signals_of_their_own(method):
    colours, _ = traces_of(66, noise=0.002)
    gappy = colours.copy()
    gappy[90:95] = gappy[250:255] = np.nan
    found = pulse_signal(gappy, fps=30.0, method=method)
    np.testing.assert_array_equal(found[:90], pulse_signal(colours[:90], fps=30.0, method=method))
    np.testing.assert_array_equal(found[95:250], pulse_signal(colours[95:250], fps=30.0, method=method))
    assert np.isnan(found[90:95]).all()
    # 45 frames are less than a window of 48.
    assert np.isnan(found[250:]).all()


@pytest.mark.parametrize("method", ["pos", "chrom"])
def test_skin_that_never_changes_has_a_flat_signal(method):
    np.testing.assert_allclose(pulse_signal(np.tile(SKIN, (60, 1)), fps=20.0, method=method), 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("traces", "message"),
    [
        (np.ones((50, 2)), r"traces: an array of shape \(50, 2\) is no colours of skin; it must be \(n_frames, 3\)"),
        (np.ones((0, 3)), "no colours of skin"),
        ([["a"] * 3], "no array of numbers"),
        (np.full((50, 3), np.nan), "there is no skin in any of the 50 frames"),
        (np.tile([1.0, np.nan, 1.0], (50, 1)), "a frame has NaN in some of its colours"),
        (np.tile([1.0, -1.0, 1.0], (50, 1)), "negative or infinite"),
        (np.tile([1.0, np.inf, 1.0], (50, 1)), "negative or infinite"),
        (np.tile([1.0, 0.0, 1.0], (50, 1)), "a colour of the skin is 0 for 1.6 seconds"),
    ],
)
def test_what_is_no_colour_of_skin_is_refused(traces, message):
    for method in ("pos", "chrom"):
        with pytest.raises(DataError, match=message):
            pulse_signal(traces, fps=20.0, method=method)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fps": 9.9}, r"fps is 9\.9: it must be at least 10"),
        ({"fps": 20.0, "method": "ica"}, "method is 'ica': it must be one of 'pos', 'chrom'"),
    ],
)
def test_settings_that_are_not_allowed_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        pulse_signal(np.ones((50, 3)), **options)


def test_runs_are_where_it_is_true():
    assert runs_of(np.array([True, True, False, True, False, False, True])) == [(0, 2), (3, 4), (6, 7)]
    assert runs_of(np.zeros(3, bool)) == []


@pytest.mark.parametrize("rate", [43.0, 48.0, 72.3, 100.0, 151.7, 239.0])
@pytest.mark.parametrize(("fps", "seconds"), [(10.0, 10.0), (29.97, 5.0), (200.0, 12.5)])
def test_the_rate_of_a_sinusoid_is_found_between_the_bins(rate, fps, seconds):
    values = np.sin(2 * np.pi * rate / 60 * np.arange(round(fps * seconds)) / fps + 0.4)
    found, snr = heart_rate(values, fps=fps)
    # Five seconds of a slow beat are few: what mirrors it at 0 Hz reaches into its peak.
    assert abs(found - rate) < (0.2 if seconds > 5 else 1.0)
    assert snr > 12


def test_a_straight_line_under_the_signal_changes_nothing():
    values = np.sin(2 * np.pi * 1.3 * np.arange(300) / 30)
    moved = heart_rate(values + 5.0 + 0.3 * np.arange(300), fps=30.0)
    np.testing.assert_allclose(moved, heart_rate(values, fps=30.0), rtol=1e-6)


def test_the_snr_is_that_of_two_sinusoids_far_apart():
    # The second one, of three tenths of the amplitude, is all the noise there is: 10 log10(1 / 0.09) dB.
    seconds = np.arange(600) / 30
    values = np.sin(2 * np.pi * 1.25 * seconds) + 0.3 * np.sin(2 * np.pi * 3.4 * seconds)
    assert heart_rate(values, fps=30.0)[1] == pytest.approx(10.458, abs=0.05)


def test_the_first_harmonic_counts_as_signal():
    seconds = np.arange(600) / 30
    values = np.sin(2 * np.pi * 1.25 * seconds) + 0.5 * np.sin(2 * np.pi * 2.5 * seconds)
    assert heart_rate(values, fps=30.0)[1] > 30


def test_noise_is_seldom_called_reliable():
    rng = np.random.default_rng(0)
    for seconds, most in ((5.0, 8), (10.0, 2)):
        found = [heart_rate(rng.standard_normal(round(15 * seconds)), fps=15.0)[1] for _ in range(400)]
        assert np.sum(np.array(found) >= reliable_snr(seconds)) <= most


def test_a_signal_that_does_not_change_has_no_rate():
    for values in (np.zeros(100), np.full(100, 3.7), np.arange(100.0)):
        rate, snr = heart_rate(values, fps=20.0)
        assert np.isnan(rate)
        assert snr == -np.inf
        assert snr_quality(snr) == 0.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((100, 3)), r"signal of shape \(100, 3\) is no pulse"),
        (np.full(100, np.nan), "without NaN"),
        (np.ones(99), r"signal lasts 4\.95 seconds; a heart rate needs at least 5 seconds"),
    ],
)
def test_what_is_no_signal_is_refused(values, message):
    with pytest.raises(DataError, match=message):
        heart_rate(values, fps=20.0)
