"""A network's training as a plain PyTorch loop, as released programs write it: the peer of `bench_networks`."""

from collections.abc import Iterator
from fnmatch import fnmatch
from math import prod

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

from microexpr.deep.classifier import NetworkClassifier
from microexpr.deep.devices import autocast, one_cpu_thread
from microexpr.deep.ststnet import STSTNetClassifier


class PlainLoop:
    """The training of a classifier's network.

    Parameters
    ----------
    model : NetworkClassifier
        Unfitted; its settings and its augmentation are the loop's.
    X : ndarray, as the classifier takes it
    codes : int64 ndarray of shape (n_clips,)
    device : str
    loader : bool
        Whether batches come from a DataLoader, layout NCHW, or out of whole tensors, channels last.
    """

    def __init__(
        self, model: NetworkClassifier, X: np.ndarray, codes: np.ndarray, device: str, *, loader: bool
    ) -> None:
        self.model, self.device = model, torch.device(device)
        rows = torch.from_numpy(np.ascontiguousarray(model._shape(X)))
        # As our training begins: the first epoch then draws the same numbers as ours.
        torch.manual_seed(model.random_state)
        self.network = model._network(tuple(rows.shape[1:]), len(np.unique(codes))).to(self.device).train()
        self.optimizer = model._OPTIMIZER(self._groups(), lr=model.lr, weight_decay=model.weight_decay)
        self.inputs = model._prepare(rows)
        self.codes = torch.from_numpy(codes)
        self.weights = torch.ones(model.batch_size, device=self.device)
        self.domain = torch.zeros(model.batch_size, dtype=torch.int64, device=self.device)
        self.loader = None
        if loader:
            repeated = TensorDataset(
                self.inputs.repeat(model._COPIES, *[1] * (self.inputs.ndim - 1)), self.codes.repeat(model._COPIES)
            )
            self.loader = DataLoader(repeated, model.batch_size, shuffle=True)
            return
        for weight in self.network.parameters():
            weight.data = channels_last(weight.data)
        self.inputs, self.codes = self.inputs.to(self.device), self.codes.to(self.device)

    def _groups(self) -> list[dict[str, object]]:
        special = self.model._groups_of_parameters()
        groups: list[dict[str, object]] = [{"params": [], **settings} for _, settings in special] + [{"params": []}]
        for name, weight in self.network.named_parameters():
            number = next((n for n, (pattern, _) in enumerate(special) if fnmatch(name, pattern)), -1)
            groups[number]["params"].append(weight)
        return groups

    def epoch(self) -> float:
        """Train for one epoch and return its mean loss."""
        batches = self._loaded() if self.loader is not None else self._taken()
        sums = [self.step(self.model._augment(inputs), codes) * len(codes) for inputs, codes in batches]
        return sum(sums) / (len(self.codes) * self.model._COPIES)

    def _loaded(self) -> Iterator[tuple[Tensor, Tensor]]:
        for inputs, codes in self.loader:
            yield inputs.to(self.device), codes.to(self.device)

    def _taken(self) -> Iterator[tuple[Tensor, Tensor]]:
        orders = [torch.randperm(len(self.codes)) for _ in range(self.model._COPIES)]
        for batch in torch.cat(orders).to(self.device).split(self.model.batch_size):
            yield channels_last(self.inputs[batch]), self.codes[batch]

    def step(self, inputs: Tensor, codes: Tensor) -> float:
        self.optimizer.zero_grad()
        loss = self.loss(inputs, codes)
        loss.backward()
        if self.model._CLIP is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.model._CLIP)
        self.optimizer.step()
        return loss.item()

    def loss(self, inputs: Tensor, codes: Tensor) -> Tensor:
        with autocast(self.device, self.model.precision):
            outputs = self.network(inputs)
        outputs = {name: values.float() for name, values in outputs.items()}
        n_clips = len(codes)
        return sum(self.network.losses(outputs, codes, self.weights[:n_clips], self.domain[:n_clips]).values())

    def flops(self) -> int:
        """Count the products and sums of one step's forward and backward passes."""
        counter = FlopCounterMode(display=False, custom_mapping={torch.ops.aten.convolution_backward: conv_backward})
        inputs, codes = next(iter(self._loaded() if self.loader is not None else self._taken()))
        with counter:
            self.loss(self.model._augment(inputs), codes).backward()
        return counter.get_total_flops()


def conv_backward(grad_shape, x_shape, w_shape, *others, out_shape: object = None, **kwargs: object) -> int:
    """Count a convolution's backward pass: each gradient takes as much as the forward pass, groups or not."""
    output_mask = others[-1]  # torch's own formula counts the weights of a grouped convolution as those of a whole one
    return 2 * grad_shape[0] * prod(grad_shape[2:]) * prod(w_shape) * sum(output_mask[:2])


def channels_last(item: Tensor) -> Tensor:
    return item.contiguous(memory_format=torch.channels_last) if item.ndim == 4 else item


def plain_fold(X: np.ndarray, codes: np.ndarray, X_test: np.ndarray, epochs: int) -> np.ndarray:
    """Train STSTNet with a DataLoader on one fold and return the codes of its test clips."""
    model = STSTNetClassifier(device="cpu", random_state=0)
    with one_cpu_thread():
        training = PlainLoop(model, X, codes, "cpu", loader=True)
        for _ in range(epochs):
            training.epoch()
        with torch.inference_mode():
            inputs = model._prepare(torch.from_numpy(np.ascontiguousarray(model._shape(X_test))))
            return training.network.eval()(inputs)["logits"].argmax(dim=1).numpy()
