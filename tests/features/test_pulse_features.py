import numpy as np
import pytest
from toyset.beating import beating_clips, beating_frames

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, MicroexprError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.features.pulse import PULSE_FEATURES, PulseFeatures, pulse_features
from microexpr.testing import check_clip_transformer


def described(frames, **options):
    values = pulse_features(frames, fps=12.0, skin="frame", **options)
    return dict(zip(PULSE_FEATURES, values, strict=True))


def test_an_even_pulse_is_described():
    # POS makes 2 (G - B) of the mixture: 2 * 0.02 * 0.24 sin, whose standard deviation is 0.0068.
    found = described(beating_frames(90.0, seconds=8.0, size=(60, 60)))
    assert found["rate"] == pytest.approx(90.0, abs=1.0)
    assert found["variability"] < 0.5
    assert abs(found["change"]) < 1.0
    assert found["quality"] > 0.9
    assert found["amplitude"] == pytest.approx(0.68, rel=0.15)


def test_a_pulse_that_gets_faster_has_a_change_and_variability():
    frames = np.concatenate([beating_frames(60.0), beating_frames(90.0, seed=1)])
    found = described(frames)
    assert found["change"] == pytest.approx(30.0, abs=3.0)
    assert found["variability"] > 5.0


@pytest.mark.parametrize("method", ["pos", "chrom"])
def test_twice_the_strength_is_twice_the_amplitude(method):
    weak, strong = (
        described(beating_frames(75.0, strength=strength, size=(80, 80)), method=method)["amplitude"]
        for strength in (0.02, 0.04)
    )
    assert strong == pytest.approx(2 * weak, rel=0.1)


def test_the_transformer_keeps_its_contract():
    check_clip_transformer(PulseFeatures(skin="frame"), beating_clips(n_subjects=1).clips)


@pytest.mark.parametrize(
    ("clip", "kind", "message"),
    [
        (
            Clip("casme2/sub01/a", ArraySource(beating_frames(72.0, seconds=4.5)), fps=12.0),
            NeedsError,
            r"^casme2/sub01/a: the clip lasts 4\.50 seconds; a heart rate needs at least 5$",
        ),
        (
            Clip("casme2/sub01/a", ArraySource(beating_frames(72.0))),
            NeedsError,
            "^casme2/sub01/a: the frame rate is unknown",
        ),
        (
            Clip("casme2/sub01/a", ArraySource(beating_frames(72.0)[..., 1]), fps=12.0),
            DataError,
            "^casme2/sub01/a: frame 0 is grey",
        ),
        (Clip("casme2/sub01/a", FlowMapSource("map.png"), fps=12.0), NeedsError, "^casme2/sub01/a: a stored flow map"),
    ],
    ids=["short", "without a rate", "grey", "stored map"],
)
def test_what_has_no_pulse_to_read_is_refused_by_its_clips_name(clip, kind, message):
    assert issubclass(kind, MicroexprError)
    with pytest.raises(kind, match=message):
        PulseFeatures(skin="frame").transform([clip])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"method": "green"}, "method is 'green'"),
        ({"window": 4.9}, r"window is 4\.9: it must be at least 5"),
        ({"skin": "hand"}, "skin is 'hand'"),
    ],
)
def test_parameters_that_are_not_allowed_are_refused(params, message):
    with pytest.raises(ParameterError, match=message):
        PulseFeatures(**params).fit()
