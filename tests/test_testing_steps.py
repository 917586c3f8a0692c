"""The public checks catch the faults they are there for."""

import numpy as np
import pytest
from toyset.clips import Brightness, toy_clips
from toyset.estimators import Follower

from microexpr.core.base import ClipTransformer
from microexpr.core.clip import as_clips
from microexpr.testing import check_clip_transformer, check_method

CLIPS = toy_clips(n_subjects=2).clips


class DependsOnOthers(Brightness):
    def transform(self, X):
        rows = super().transform(X)
        return rows - rows.mean(axis=0)


class ReadsTheName(Brightness):
    def transform_clip(self, clip):
        return np.array([float(len(clip.clip_id))])


class ChangesTheFrames(Brightness):
    def transform_clip(self, clip):
        frames = clip.frames()
        frames[0] = 255 - frames[0]
        return np.zeros(2)


class LearnsInFit(Brightness):
    def fit(self, X=None, y=None):
        self.seen_ = len(as_clips(X))
        return self

    def transform_clip(self, clip):
        return np.array([float(getattr(self, "seen_", 0))])


class HasNoVersion(Brightness):
    version = "1.0"


class GivesNan(Brightness):
    def transform_clip(self, clip):
        return np.array([np.nan])


class TakesAnything(Brightness):
    def transform(self, X):
        return ClipTransformer.transform(self, X) if isinstance(X, list) and X else np.zeros((1, 10))


def test_a_sound_transformer_passes():
    check_clip_transformer(Brightness(), CLIPS)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (DependsOnOthers, "depends on other clips"),
        (ReadsTheName, "reads a clip's name"),
        (ChangesTheFrames, "changes the frames"),
        (LearnsInFit, "fit changes what"),
        (HasNoVersion, "has no integer version"),
        (GivesNan, "not finite numbers"),
        (TakesAnything, "does not refuse an empty list"),
    ],
)
def test_each_fault_is_caught(kind, message):
    with pytest.raises(AssertionError, match=message):
        check_clip_transformer(kind(), toy_clips(n_subjects=2).clips)


def test_a_method_whose_prediction_depends_on_its_neighbours_is_caught(monkeypatch):
    from microexpr.pipelines import registry

    def follower(*, random_state=None):
        """Predict by position."""
        return Follower()

    registry.all_methods()
    monkeypatch.setitem(registry._METHODS, "follower", registry.Method("follower", follower, "none"))
    clips = toy_clips(n_subjects=2)
    with pytest.raises(AssertionError, match="depends on the clips beside it"):
        check_method("follower", clips)
