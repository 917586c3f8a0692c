"""A killed training goes on: which file is whose, what goes into it, and how it is taken up."""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.base import BaseEstimator

from microexpr.core.digest import array_digest, digest, estimator_spec
from microexpr.core.resume import checkpoint_folder
from microexpr.deep._checkpoints import Checkpoint, optimizer_tensors, part, restore_optimizer
from microexpr.deep._loop import Loop
from microexpr.deep._randomness import Generator
from microexpr.deep._stopping import Best


def checkpoint_of(model: BaseEstimator, arrays: Sequence[np.ndarray]) -> Checkpoint:
    """Return the checkpoint of a training: told by the model's settings and by all arrays that it begins from."""
    folder = checkpoint_folder()
    # Without a seed, what was begun cannot be told from another training of the same data.
    if folder is None or model.random_state is None:
        return Checkpoint(None)
    digests = [array_digest(array) for array in arrays]
    key = digest({"estimator": estimator_spec(model), "arrays": digests})
    return Checkpoint(folder / f"{key[:32]}.safetensors")


def keep(
    checkpoint: Checkpoint, loop: Loop, generator: Generator, best: Best, history: Mapping[str, Sequence[float]]
) -> None:
    """Keep the state after an epoch, where and when the checkpoint wants it."""
    if not checkpoint.is_due:
        return
    tensors = {f"network.{name}": value for name, value in loop.module_.state_dict().items()}
    tensors |= optimizer_tensors(loop.optimizer_)
    tensors |= {f"best.{name}": value for name, value in (best.state or {}).items()}
    facts = {"history": dict(history), "best": [best.epoch, best.loss, best.seen]}
    checkpoint.write({**tensors, **generator.tensors()}, facts)


def take_up(checkpoint: Checkpoint, loop: Loop, generator: Generator, best: Best) -> dict[str, list[float]]:
    """Bring a training to where its checkpoint left it; return the losses of the epochs that are done."""
    kept = checkpoint.read()
    if kept is None:
        return {}
    tensors, facts = kept
    loop.module_.load_state_dict(part(tensors, "network."))
    restore_optimizer(loop.optimizer_, tensors)
    generator.restore(tensors)
    best.state = part(tensors, "best.") or None
    best.epoch, best.loss, best.seen = facts["best"]
    history: dict[str, list[float]] = facts["history"]
    for _ in next(iter(history.values()), []):
        loop.history.new_epoch()
    return history
