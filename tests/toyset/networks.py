"""What a test asks of every network's classifier; each function raises unless it holds."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from microexpr.core.errors import DataError

EIGHT = ["negative", "positive", "negative", "surprise", "positive", "surprise", "negative", "positive"]


def noise(*shape, seed=0):
    """Return eight clips of random grey levels."""
    return np.random.default_rng(seed).integers(0, 256, (8, *shape), dtype=np.uint8)


def learns_eight_clips(model, X):
    """Raise unless the training accuracy becomes 1."""
    assert model.fit(X, EIGHT).predict(X).tolist() == EIGHT


def obeys_its_seed(model, X):
    """Raise unless one seed gives one result, bit by bit, and another seed another."""
    first = model.fit(X, EIGHT).predict_proba(X)
    np.testing.assert_array_equal(clone(model).fit(X, EIGHT).predict_proba(X), first)
    other = clone(model).set_params(random_state=model.random_state + 1).fit(X, EIGHT).predict_proba(X)
    assert np.abs(other - first).max() > 1e-6


def predicts_without_chance(model, X):
    """Raise unless dropout is off in predictions, and a clip's prediction does not hang on its neighbours."""
    model.fit(X, EIGHT)
    together = model.predict_proba(X)
    with torch.random.fork_rng():
        torch.manual_seed(17)
        np.testing.assert_array_equal(model.predict_proba(X), together)
    alone = np.concatenate([model.predict_proba(X[clip : clip + 1]) for clip in range(len(X))])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    dropped = [module.p for module in model.network_.modules() if isinstance(module, torch.nn.Dropout)]
    assert min(dropped, default=0.5) > 0, "there is no dropout to be off"


def refuses_shape(model, X, message):
    """Raise unless fit and predict name a shape that is not the network's."""
    for use in (lambda: model.fit(X, EIGHT[: len(X)]), lambda: model.predict(X)):
        with pytest.raises(DataError, match=message) as caught:
            use()
        assert "\n" not in str(caught.value)
