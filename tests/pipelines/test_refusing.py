"""Clips of which a model says nothing rather than guess."""

import cv2
import numpy as np
import pytest

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, MicroexprError, NeedsError, NoAnswer
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.data import make_clips
from microexpr.data.syntheticmotion import make_motion_maps
from microexpr.pipelines import refusing
from microexpr.pipelines.framing import Framing
from microexpr.pipelines.refusing import reason_of, refuse

# Eyes half of the width apart: 30 pixels in pictures of 70 x 60.
FRAMING = Framing((140, 120), ((0.25, 0.4), (0.75, 0.4)), True)
FIRST, OTHER = (
    clip.frames()[0] for clip in make_clips(2, 1, seed=3, duration=(0.02, 0.03), size=(70, 60), sway=0.0).clips
)


def _pair(first, second, **positions):
    return Clip("pair", ArraySource(np.stack([first, second])), **{"onset": 0, "apex": 1, **positions})


def _stored(path, channels):
    cv2.imwrite(str(path), channels[..., ::-1])
    return Clip("stored", FlowMapSource(path))


def test_a_sound_map_passes_and_one_out_of_order_does_not(tmp_path):
    [channels] = make_motion_maps(1, seed=6).maps
    refuse(_stored(tmp_path / "sound.png", channels), FRAMING)
    with pytest.raises(NoAnswer, match=r"^stored: its channels are not in the order u, v, strain: the first one looks"):
        refuse(_stored(tmp_path / "turned.png", channels[..., ::-1]), FRAMING)
    with pytest.raises(NoAnswer, match=r"^stored: it shows no motion: "):
        refuse(_stored(tmp_path / "empty.png", np.zeros((28, 28, 3), np.uint8)), FRAMING)


def test_a_cut_and_a_still_have_no_answer():
    with pytest.raises(NoAnswer, match=r"^pair: motion too large: "):
        refuse(_pair(FIRST, OTHER), FRAMING)
    with pytest.raises(NoAnswer, match=r"^pair: it shows no motion: at most 0 pixels"):
        refuse(_pair(FIRST, FIRST), FRAMING)


def test_the_distance_of_the_eyes_is_that_in_the_clips_own_pictures(monkeypatch):
    asked = []
    monkeypatch.setattr(refusing, "clip_fault", lambda clip, *, eye_distance: asked.append(eye_distance))
    refuse(_pair(FIRST, OTHER), FRAMING)
    refuse(_pair(FIRST, OTHER), Framing((280, 230), ((0.2, 0.3), (0.8, 0.5)), True))
    # .5 of 60; .6 of 60 across and .2 of 70 down.
    assert asked == pytest.approx([30.0, np.hypot(36.0, 14.0)])


def test_a_clip_without_apex_is_an_error_and_not_a_refusal():
    with pytest.raises(NeedsError, match="pair: the apex is unknown") as caught:
        refuse(_pair(FIRST, OTHER, apex=None), FRAMING)
    assert not isinstance(caught.value, NoAnswer)


def test_a_refusal_is_an_error_of_the_data():
    assert issubclass(NoAnswer, DataError)
    assert issubclass(NoAnswer, MicroexprError)


def test_the_reason_is_what_comes_behind_the_name():
    assert reason_of(NoAnswer("a: b.png: it shows no motion"), "a: b.png") == "it shows no motion"
    assert reason_of(NoAnswer("it shows no motion"), "a.png") == "it shows no motion"
