import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from microexpr.core.base import ClipMap, ClipTransformer
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError
from microexpr.core.sources import ArraySource, FlowMapSource


class Halve(ClipMap):
    """Keeps every second frame."""

    def __init__(self, start=0):
        self.start = start

    def map_clip(self, clip):
        return clip.frames()[self.start :: 2]

    def map_position(self, position, n_frames):
        return position // 2

    def count(self, n_frames):
        return (n_frames - self.start + 1) // 2


class Mean(ClipTransformer):
    """Mean grey value of each frame."""

    def transform_clip(self, clip):
        return clip.frames().mean(axis=(1, 2))


def _clip(n_frames=8, **positions):
    frames = np.arange(n_frames, dtype=np.uint8)[:, None, None] * np.ones((1, 3, 3), np.uint8)
    return Clip("a/1/x", ArraySource(frames), onset=0, offset=n_frames - 1, **positions)


def test_steps_chain_and_work_unfitted():
    features = make_pipeline(Halve(), Mean()).transform([_clip(), _clip()])
    np.testing.assert_array_equal(features, [[0, 2, 4, 6]] * 2)


def test_positions_move_with_the_frames():
    [halved] = Halve().transform([_clip(apex=4)])
    assert (halved.onset, halved.apex, halved.offset, halved.n_frames) == (0, 2, 3, 4)


def test_frames_are_computed_when_read_only():
    clip = Clip("a/1/x", ArraySource(np.zeros((8, 3, 3), np.uint8)), apex=20)
    [halved] = Halve().transform([clip])
    with pytest.raises(DataError, match="apex 20"):
        halved.frames()


def test_the_fingerprint_chains_every_step_and_parameter():
    class Other(Halve):
        """Another step of the same parameters."""

    class Newer(Halve):
        """The same step with other numbers."""

        version = 2

    clip = _clip()
    steps = [Halve(), Halve(start=1), Other(), make_pipeline(Halve(), Halve())]
    prints = {step.transform([clip])[0].fingerprint() for step in steps} | {clip.fingerprint()}
    assert len(prints) == 5
    Newer.__qualname__ = Halve.__qualname__
    assert Newer().transform([clip])[0].fingerprint() != Halve().transform([clip])[0].fingerprint()
    assert Halve().transform([clip])[0].fingerprint() == Halve().transform([_clip()])[0].fingerprint()


def test_features_of_differing_shape_are_refused_by_clip():
    with pytest.raises(DataError, match=r"features of shape \(6,\), but .* gives \(8,\)"):
        Mean().transform([_clip(8), _clip(6)])


def test_a_stored_map_is_refused_by_what_needs_pixels():
    stored = Clip("a/1/m", FlowMapSource("m.png"))
    for step in (Halve(), Mean()):
        with pytest.raises(NeedsError, match="a/1/m"):
            step.transform([stored])


def test_an_empty_list_is_refused():
    with pytest.raises(DataError, match="the list is empty"):
        Mean().transform([])


def test_tags_say_that_nothing_is_learned():
    assert Mean().__sklearn_tags__().requires_fit is False
    assert clone(Halve(start=1)).start == 1
