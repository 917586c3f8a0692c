"""Training of the motion network on maps that are drawn while it trains, so that it never sees one twice."""

__all__ = ["train_member"]

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, LRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR

from microexpr.deep._maps import as_maps
from microexpr.deep._randomness import Generator
from microexpr.deep.devices import keep_freed_memory, one_cpu_thread
from microexpr.deep.motionnet import MotionNet

_LR = 2e-3
_WEIGHT_DECAY = 0.05
_SMOOTHING = 0.05
# How much the strengths of action units count beside the classes.
_SHARE_OF_STRENGTHS = 1.5

#: What gives the maps of a step: uint8 (n, 28, 28, 3), int64 codes of classes (-1: none) and float32 strengths.
Draw = Callable[[int], tuple[np.ndarray, np.ndarray, np.ndarray]]


def train_member(
    draw: Draw, *, n_classes: int, n_actions: int, steps: int, seed: int, advance: Callable[..., None]
) -> dict[str, np.ndarray]:
    """Train one network.

    Parameters
    ----------
    draw : callable(int) -> (maps, codes, strengths)
        Called with 0, 1, ... `steps` - 1. Maps uint8 of shape (n, 28, 28, 3); codes int64 of shape (n,), -1 where a map
        has no class; strengths float32 of shape (n, n_actions), within 0..1.
    n_classes, n_actions : int >= 1
    steps : int >= 1
    seed : int in [0, 2**32 - 1]
    advance : callable
        Called after each step with what a progress bar shall say.

    Returns
    -------
    dict of str -> float32 ndarray of shape (1, ...)
        As `microexpr.core.motionweights.MotionWeights` holds them. The same arguments give the same numbers on the same
        machine: one thread computes.

    Notes
    -----
    Cross-entropy of the classes (labels smoothed by .05) plus 1.5 times the binary cross-entropy of the strengths;
    AdamW, weight decay .05, one cycle of the learning rate up to 2e-3.
    """
    keep_freed_memory()
    generator = Generator(seed, torch.device("cpu"))
    with generator.used(), one_cpu_thread():
        loop = _Loop(
            MotionNet(n_classes, n_actions),
            criterion=nn.Identity,  # not asked: the loss is computed below
            optimizer=torch.optim.AdamW,
            optimizer__weight_decay=_WEIGHT_DECAY,
            lr=_LR,
            max_epochs=1,
            train_split=None,
            callbacks=[
                ("cycle", LRScheduler(OneCycleLR, step_every="batch", max_lr=_LR, total_steps=steps)),
                ("told", _Told(advance)),
            ],
            verbose=0,
        )
        loop.extras = (draw, steps)
        loop.fit(None)
    return loop.module_.eval().tensors()


class _Loop(NeuralNet):
    """skorch's loop over batches that are drawn as they are needed."""

    extras: tuple[Draw, int]

    def get_default_callbacks(self) -> list[Any]:
        return []

    def get_dataset(self, X: Any, y: Any = None) -> Any:
        return X

    def get_iterator(self, dataset: Any, training: bool = False) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        draw, steps = self.extras
        for step in range(steps):
            maps, codes, strengths = draw(step)
            inputs = torch.from_numpy(np.ascontiguousarray(as_maps(maps))).float()
            yield inputs, {"codes": torch.from_numpy(codes), "strengths": torch.from_numpy(strengths)}

    def get_loss(self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False) -> Tensor:
        [logits], [acting] = y_pred["members"].unbind(1), y_pred["strengths"].unbind(1)
        named = F.cross_entropy(logits, y_true["codes"], ignore_index=-1, label_smoothing=_SMOOTHING)
        return named + _SHARE_OF_STRENGTHS * F.binary_cross_entropy_with_logits(acting, y_true["strengths"])


class _Told(Callback):
    """Tell the mean loss of the last steps."""

    def __init__(self, advance: Callable[..., None]) -> None:
        self.advance = advance
        self.mean = float("nan")

    def on_batch_end(self, net: Any, **kwargs: Any) -> None:
        loss = net.history[-1, "batches", -1, "train_loss"]
        self.mean = loss if self.mean != self.mean else 0.98 * self.mean + 0.02 * loss
        self.advance(f"loss {self.mean:.3f}")
