"""Networks' stand-ins that are trained in epochs, and a method of them; importable by worker processes."""

import os
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from toyset.clips import CLASSES

from microexpr.core.base import ClipTransformer


class Level(ClipTransformer):
    """Mean brightness of a clip of `toy_clips`, (1,)."""

    def transform_clip(self, clip):
        return np.array([clip.frames().mean()])


class Planned(ClassifierMixin, BaseEstimator):
    """After epoch e, the first `plan[s][e]` clips of the left-out subject s are right; the rest get the next class.

    It reads the class off the brightness, and s off the training subjects: it is the one of 0, 1, ... that is missing.
    """

    __metadata_request__fit: ClassVar = {"groups": True, "domain": True}

    def __init__(self, plan=(), random_state=None):
        self.plan = plan
        self.random_state = random_state

    def fit(self, X, y, groups, domain):
        for _ in self.fit_epochs(X, y, groups, domain):
            pass
        return self

    def fit_epochs(self, X, y, groups, domain):
        assert len(X) == len(y) == len(groups) == len(domain)
        self.classes_ = np.unique(y)
        [left_out] = set(range(len(self.plan))) - {int(name[-2:]) for name in groups}
        for n_right in self.plan[left_out]:
            self.n_right_ = n_right
            yield self

    def predict(self, X):
        codes = np.digitize(X[:, 0], (102.5, 127.5))
        return np.array(CLASSES)[(codes + (np.arange(len(X)) >= self.n_right_)) % 3]


class Interrupted(Planned):
    """Fails while the file `trigger` exists, in the fold of subject s01 after its first epoch."""

    def __init__(self, plan=(), trigger="", random_state=None):
        super().__init__(plan, random_state)
        self.trigger = trigger

    def fit_epochs(self, X, y, groups, domain):
        for epoch, trained in enumerate(super().fit_epochs(X, y, groups, domain)):
            if epoch == 1 and "toy/s01" not in groups and os.path.exists(self.trigger):
                raise RuntimeError("the power went")
            yield trained


class PerSubject(TransformerMixin, BaseEstimator):
    """Subtracts the mean of the training subjects' means."""

    __metadata_request__fit: ClassVar = {"groups": True}

    def fit(self, X, y=None, groups=None):
        names = np.unique(groups)
        self.mean_ = np.mean([X[groups == name].mean(axis=0) for name in names], axis=0)
        return self

    def transform(self, X):
        return X - self.mean_
