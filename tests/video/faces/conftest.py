"""Faces to test on: a synthetic one whose landmarks are known, and the real videos, where they are."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from microexpr.data.synthetic import SyntheticSource

_VIDEOS = Path(__file__).parents[4] / "shared" / "data" / "video"


@lru_cache(maxsize=4)
def _face(subject=0, sway=0.0, n_frames=3):
    source = SyntheticSource(
        {"25": 0.5},
        subject=subject,
        n_frames=n_frames,
        apex=n_frames - 2,
        offset=n_frames - 1,
        size=(420, 360),
        peak=0.2,
        sway=sway,
    )
    frames = source.read()
    frames.setflags(write=False)
    return source, frames


@pytest.fixture(scope="session")
def synthetic():
    """Return (source, frames) of a face of 420 x 360 pixels."""
    return _face


@pytest.fixture
def face(synthetic):
    """A grey frame with one face."""
    return np.array(synthetic()[1][0])


@pytest.fixture
def real_videos():
    """The folder of real videos; the test is skipped where it is absent."""
    if not _VIDEOS.is_dir():
        pytest.skip("the real videos are not beside the checkout")
    return _VIDEOS
