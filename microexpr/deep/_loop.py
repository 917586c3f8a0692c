"""skorch's training loop over whole tensors, with losses by name and a check that they stay finite."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor
from torch.utils.data import Dataset

from microexpr.core.errors import MicroexprError
from microexpr.deep.devices import autocast


class Rows(Dataset):
    """Training or validation clips: the inputs and what the losses need of each, all on the network's device."""

    def __init__(self, inputs: Tensor, codes: Tensor, weights: Tensor, domain: Tensor) -> None:
        self.inputs = inputs
        self.targets = {"codes": codes, "weights": weights, "domain": domain}

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, positions: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return some of the clips as a batch."""
        return self.inputs[positions], {name: values[positions] for name, values in self.targets.items()}


@dataclass(frozen=True)
class Settings:
    """What the classifier adds to skorch's own settings."""

    prepare: Callable[[Tensor], Tensor]
    augment: Callable[[Tensor], Tensor]
    copies: int
    precision: str
    epochs: int


class Loop(NeuralNet):
    """skorch's loop for a `Network`; `extras` must be set before it trains.

    Batches of whole tensors replace skorch's DataLoader, whose work clip by clip takes longer than a small network's
    step.
    """

    extras: Settings

    def get_default_callbacks(self) -> list[Any]:
        return []

    def get_dataset(self, X: Any, y: Any = None) -> Any:
        return X

    def get_iterator(self, dataset: Rows, training: bool = False) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        n_rows = len(dataset)
        device = dataset.inputs.device
        if not training:
            for batch in torch.arange(n_rows).split(self.batch_size):
                inputs, targets = dataset.take(batch.to(device))
                yield self.extras.prepare(inputs), targets
            return
        order = torch.cat([torch.randperm(n_rows) for _ in range(self.extras.copies)])
        batches = split_batches(order, self.batch_size)
        for number, batch in enumerate(batches):
            inputs, targets = dataset.take(batch.to(device))
            self.module_.progress = (len(self.history) - 1 + number / len(batches)) / self.extras.epochs
            yield self.extras.augment(self.extras.prepare(inputs)), targets

    def infer(self, x: Any, **fit_params: Any) -> dict[str, Tensor]:
        with autocast(torch.device(self.device), self.extras.precision):
            outputs = self.module_(x)
        return {name: values.float() for name, values in outputs.items()}

    def get_loss(self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False) -> Tensor:
        terms = self.module_.losses(y_pred, **y_true)
        total = torch.stack(list(terms.values())).sum()
        prefix = "train" if training else "valid"
        for name, value in terms.items():
            self.history.record_batch(f"{prefix}_{name}", value.item())
        value = total.item()
        if not math.isfinite(value):
            shown = ", ".join(f"{name} {term.item():g}" for name, term in terms.items())
            raise MicroexprError(
                f"the loss is {value} in epoch {len(self.history)} ({shown}): training stopped; a smaller lr may help"
            )
        return total


class StepDecay(Callback):
    """Multiply the learning rates of the optimizer by `factor` after each `step` epochs; told by the epoch alone."""

    def __init__(self, step: int, factor: float) -> None:
        self.step = step
        self.factor = factor

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        for group in net.optimizer_.param_groups:
            group.setdefault("initial_lr", group["lr"])
            group["lr"] = group["initial_lr"] * self.factor ** ((len(net.history) - 1) // self.step)


def split_batches(order: Tensor, batch_size: int) -> list[Tensor]:
    """Split positions into batches; a single one left over joins the batch before: of one clip there is no variance."""
    batches = list(order.split(batch_size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def epoch_means(epoch: Mapping[str, Any]) -> dict[str, float]:
    """Return the means over the clips of what skorch's history holds of one epoch's batches, by name."""
    means: dict[str, float] = {}
    for prefix in ("train", "valid"):
        batches = [batch for batch in epoch["batches"] if f"{prefix}_batch_size" in batch]
        sizes = [batch[f"{prefix}_batch_size"] for batch in batches]
        names = [name for name in (batches[0] if batches else {}) if name.startswith(f"{prefix}_")]
        for name in names:
            if name != f"{prefix}_batch_size":
                weighted = [batch[name] * size for batch, size in zip(batches, sizes, strict=True)]
                means[name] = math.fsum(weighted) / sum(sizes)
    return means
