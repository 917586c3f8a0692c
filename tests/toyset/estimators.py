"""Classifiers that tell what they saw, or misbehave; importable by the worker processes of a test."""

import hashlib
import os
import pickle
import signal
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from microexpr.classifiers._inner import fit_inner


class Spy(ClassifierMixin, BaseEstimator):
    """Wraps a classifier; its only probability is a digest of the fitted classifier's whole state."""

    __metadata_request__fit: ClassVar = {"groups": True, "domain": True}

    def __init__(self, inner):
        self.inner = inner

    def fit(self, X, y, groups=None, domain=None):
        self.inner_ = fit_inner(self.inner, X, y, groups=groups, domain=domain)
        self.classes_ = self.inner_.classes_
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))

    def predict_proba(self, X):
        state = hashlib.sha256(pickle.dumps(self.inner_)).digest()
        fraction = int.from_bytes(state[:6], "big") / 2**48
        return np.full((len(X), len(self.classes_)), fraction)


class Witness(ClassifierMixin, BaseEstimator):
    """Its probabilities are the number of training clips, of auxiliary ones, and of training subjects."""

    __metadata_request__fit: ClassVar = {"groups": True, "domain": True}

    def fit(self, X, y, groups=None, domain=None):
        assert len(X) == len(y) == len(groups) == len(domain)
        self.classes_ = np.unique(y)
        self.seen_ = [len(y), int(domain.sum()), len(set(groups))]
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))

    def predict_proba(self, X):
        return np.tile(np.asarray(self.seen_, float), (len(X), 1))


class Failing(ClassifierMixin, BaseEstimator):
    """Raises while the file `trigger` exists, in the folds whose training set has no row brighter than `limit`."""

    def __init__(self, trigger="", limit=1e9):
        self.trigger = trigger
        self.limit = limit

    def fit(self, X, y):
        if os.path.exists(self.trigger) and X.max() < self.limit:
            raise RuntimeError("the disk of the cluster is on fire\nand this is the second line")
        self.classes_ = np.unique(y)
        self.mean_ = float(X.mean())
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


class Noisy(ClassifierMixin, BaseEstimator):
    """Predicts at random from its random state, so that a forgotten seed shows."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.rng_ = np.random.default_rng(self.random_state)
        return self

    def predict(self, X):
        return self.rng_.choice(self.classes_, len(X))


class Follower(ClassifierMixin, BaseEstimator):
    """Gives the second of two clips another class than the first."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[np.arange(len(X)) % 2]


class Dying(ClassifierMixin, BaseEstimator):
    """Ends its process while the file `trigger` exists, in the fold whose training set has `n_train` clips."""

    def __init__(self, trigger="", n_train=0):
        self.trigger = trigger
        self.n_train = n_train

    def fit(self, X, y):
        if os.path.exists(self.trigger) and len(y) == self.n_train:
            os.kill(os.getpid(), signal.SIGKILL)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


def write_into(array):
    """Change an array in place and return its sum."""
    array += 1
    return float(array.sum())


def process_and_value(value):
    """Return the process that ran this, and the value."""
    return os.getpid(), value
