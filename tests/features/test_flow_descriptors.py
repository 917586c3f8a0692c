import sys

import cv2
import numpy as np
import pytest

from microexpr.core.clip import Clip
from microexpr.core.digest import digest
from microexpr.core.sources import ArraySource
from microexpr.features import MDMO, BiWOOF, FlowMap, OpticalStrain
from microexpr.features.flowmap import flow_map
from microexpr.video.motion import FLOW_VERSION

METHODS = ["dis", "farneback"]


def moved_clip(degrees, pixels=2.0, size=64, n_frames=3):
    """A texture that is `pixels` farther in each frame, in a direction of the picture; 90 degrees is downwards."""
    noise = np.random.default_rng(0).normal(size=(size + 40, size + 40)).astype(np.float32)
    texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX)
    step = pixels * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    rows, columns = np.mgrid[:size, :size].astype(np.float32) + 20
    frames = [
        cv2.remap(texture, columns - np.float32(k * step[0]), rows - np.float32(k * step[1]), cv2.INTER_CUBIC)
        for k in range(n_frames)
    ]
    whole = np.rint(np.clip(frames, 0, 255)).astype(np.uint8)
    return Clip("toy/sub01/a", ArraySource(whole), onset=0, apex=1, offset=n_frames - 1)


# Where motion goes


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", range(8))
def test_the_fullest_bin_of_biwoof_is_where_the_texture_goes(k, method):
    # The middles of the eight bins, which begin at -180 degrees.
    clip = moved_clip(-180 + 22.5 + 45 * k)
    [row] = BiWOOF(blocks=(3, 3), method=method).transform([clip])
    assert row.reshape(9, 8).sum(axis=0).argmax() == k
    # Inside, away from the border that texture comes in over, no other bin has anything to speak of.
    inner = row.reshape(9, 8)[4]
    assert inner[k] > 0.95 * inner.sum()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", range(8))
def test_the_directions_of_mdmo_point_where_the_texture_goes(k, method):
    theta = MDMO(regions="grid", grid=(3, 3), alpha=0.0, method=method).transform([moved_clip(45 * k)])[0, 9:]
    off = np.angle(np.exp(1j * (theta - np.radians(45 * k))))
    assert abs(off[4]) < 0.1
    assert np.abs(off).max() < 0.4


# Stillness


@pytest.mark.parametrize("method", ["tvl1", "farneback", "dis"])
@pytest.mark.parametrize("grey", [0, 77, 255])
def test_a_constant_clip_has_neither_flow_nor_strain(grey, method):
    frames = np.full((3, 30, 26), grey, np.uint8)
    clip = Clip("toy/sub01/a", ArraySource(frames), onset=0, apex=2)
    assert not flow_map(frames[0], frames[2], method=method).any()
    for transformer in (
        FlowMap(method=method),
        OpticalStrain(method=method),
        OpticalStrain(frames="all", method=method),
        BiWOOF(method=method),
        MDMO(regions="grid", method=method),
    ):
        assert not transformer.transform([clip]).any()


# What decides the numbers


@pytest.mark.parametrize("transformer", [FlowMap(), OpticalStrain(), BiWOOF(), MDMO()], ids=lambda t: type(t).__name__)
def test_the_version_of_the_flow_is_part_of_the_key(transformer, monkeypatch):
    before = digest(transformer)
    monkeypatch.setattr(sys.modules[type(transformer).__module__], "FLOW_VERSION", FLOW_VERSION + 1)
    assert digest(transformer) != before
