from dataclasses import replace

import numpy as np
import pytest
from naive import evm as naive
from sklearn.base import clone

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.video.emr import EMR
from microexpr.video.evm import EVM

FRAMES = np.random.default_rng(0).integers(60, 200, (12, 20, 16), dtype=np.uint8)
CLIP = Clip("toy/s1/a", ArraySource(FRAMES), onset=1, apex=6, offset=10, fps=200.0)


def test_micro_expressions_are_magnified_as_is_usual_for_them():
    (mapped,) = EMR().transform([CLIP])
    usual = {"alpha": 16, "lambda_c": 16, "method": "butterworth", "low": 0.3, "high": 4, "fps": 200}
    expected = naive.magnify(FRAMES.astype(float), **usual)
    frames = mapped.frames()
    assert frames.dtype == np.uint8
    # Less than a level apart where sums end near a half.
    np.testing.assert_allclose(frames, np.clip(expected, 0, 255), rtol=0, atol=0.5 + 1e-9)
    assert not np.array_equal(frames, FRAMES)


@pytest.mark.parametrize(
    "params",
    [
        {"alpha": 5.0},
        {"lambda_c": 3.0},
        {"method": "iir", "r1": 0.9, "r2": 0.2},
        {"low": 1.0},
        {"high": 8.0},
        {"fps": 30.0},
    ],
)
def test_parameters_reach_the_magnification(params):
    usual = {"alpha": 16, "lambda_c": 16, "method": "butterworth", "low": 0.3, "high": 4}
    frames = EMR(**params).transform([CLIP])[0].frames()
    np.testing.assert_array_equal(frames, EVM(**{**usual, **params}).transform([CLIP])[0].frames())
    assert not np.array_equal(frames, EMR().transform([CLIP])[0].frames())


def test_chroma_reaches_the_magnification():
    colour = np.random.default_rng(1).integers(60, 200, (5, 20, 16, 3), dtype=np.uint8)
    clip = Clip("toy/s1/c", ArraySource(colour), fps=200.0)
    frames = EMR(chroma=1.0).transform([clip])[0].frames()
    # With full chroma, each channel is magnified on its own.
    green = EMR().transform([replace(clip, source=ArraySource(colour[..., 1]))])[0].frames()
    np.testing.assert_allclose(frames[..., 1].astype(int), green, atol=1)
    assert np.abs(EMR().transform([clip])[0].frames()[..., 1].astype(int) - green).max() > 10


def test_micro_expressions_keep_their_positions_and_frame_rate():
    (mapped,) = EMR().transform([CLIP])
    assert (mapped.onset, mapped.apex, mapped.offset, mapped.fps, mapped.n_frames) == (1, 6, 10, 200.0, 12)
    assert EMR().transform([replace(CLIP, apex=None)])[0].apex is None


@pytest.mark.parametrize(("onset", "apex", "middle"), [(1, 6, 4), (1, 7, 4), (2, 4, 3), (0, 3, 2), (None, 5, 3)])
def test_the_apex_of_macro_expressions_becomes_the_frame_halfway_rounded_half_up(onset, apex, middle):
    (mapped,) = EMR(domain=1).transform([replace(CLIP, onset=onset, apex=apex)])
    assert (mapped.onset, mapped.apex, mapped.offset, mapped.fps, mapped.n_frames) == (onset, middle, 10, 200.0, 12)


def test_the_frames_of_macro_expressions_stay_as_they_are():
    np.testing.assert_array_equal(EMR(domain=1).transform([CLIP])[0].frames(), FRAMES)


def test_macro_expressions_need_no_frame_rate_and_micro_expressions_do():
    unknown = replace(CLIP, fps=None)
    np.testing.assert_array_equal(EMR(domain=1).transform([unknown])[0].frames(), FRAMES)
    with pytest.raises(NeedsError, match=r"^toy/s1/a: the frame rate is unknown"):
        EMR().transform([unknown])[0].frames()


@pytest.mark.parametrize(("onset", "apex"), [(3, 4), (3, 3), (4, 3), (None, 1), (None, 0)])
def test_a_macro_expression_without_a_frame_between_is_refused_by_name(onset, apex):
    message = f"^toy/s1/a: no frame lies between the onset {onset or 0} and the apex {apex}"
    with pytest.raises(DataError, match=message):
        EMR(domain=1).transform([replace(CLIP, onset=onset, apex=apex)])


def test_a_macro_expression_without_an_apex_is_refused_by_name():
    with pytest.raises(NeedsError, match=r"^toy/s1/a: the apex is unknown"):
        EMR(domain=1).transform([replace(CLIP, apex=None)])


@pytest.mark.parametrize("domain", [0, 1])
def test_a_stored_flow_map_is_refused(domain):
    with pytest.raises(NeedsError, match="toy/s1/map: a stored flow map has no frames"):
        EMR(domain=domain).transform([Clip("toy/s1/map", FlowMapSource("map.png"))])


def test_the_domain_is_set_on_a_copy_and_changes_the_fingerprint():
    micro = EMR(alpha=8.0)
    macro = clone(micro).set_params(domain=1)
    assert (micro.domain, macro.domain, macro.alpha) == (0, 1, 8.0)
    steps = [micro, macro, EMR(), EMR(domain=1)]
    assert len({step.transform([CLIP])[0].fingerprint() for step in steps}) == 4


def test_another_version_of_the_magnification_changes_the_fingerprint(monkeypatch):
    before = EMR().transform([CLIP])[0].fingerprint()
    monkeypatch.setattr(EVM, "version", EVM.version + 1)
    assert EMR().transform([CLIP])[0].fingerprint() != before


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"domain": 2}, "domain is 2: it must be at most 1"),
        ({"domain": -1}, "domain is -1: it must be at least 0"),
        ({"domain": True}, "domain is True: it must be an integer"),
        ({"alpha": -1.0}, "alpha is -1.0: it must be at least 0"),
        ({"method": "ideal", "domain": 1}, "method is 'ideal': it must be one of"),
        ({"fps": 2.0}, "high is 4.0: it must be below fps, 2.0"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message):
    with pytest.raises(ParameterError, match=f"^{message}"):
        EMR(**params).fit([])
