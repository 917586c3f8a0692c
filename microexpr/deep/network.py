"""What an architecture tells the training: outputs, losses by name, the features before its last layer."""

__all__ = ["LayerRow", "Network", "layer_table"]

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Network(nn.Module, ABC):
    """A network that classifies.

    A subclass implements `forward`, and overrides `losses` where it has more than one.

    Attributes
    ----------
    progress : float in [0, 1]
        How much of the training is done; the training sets it before each batch.
    attention_layer : str
        Name of the submodule whose feature maps (n, channels, rows, columns) or (n, channels, time, rows, columns)
        Grad-CAM weights; "" where there is none.
    """

    attention_layer = ""

    def __init__(self) -> None:
        super().__init__()
        self.progress = 0.0

    @abstractmethod
    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Return what the network makes of a batch.

        Parameters
        ----------
        inputs : float32 tensor of shape (n, ...), as the classifier prepares them

        Returns
        -------
        dict of str -> tensor
            "logits" (n, n_classes), from which probabilities are computed; "embedding" (n, n_features), what its last
            layer sees; and whatever else `losses` needs.
        """

    def losses(self, outputs: dict[str, Tensor], codes: Tensor, weights: Tensor, domain: Tensor) -> dict[str, Tensor]:
        """Return the terms of the loss by name; their sum is minimised.

        Parameters
        ----------
        outputs : what `forward` returned
        codes : int64 tensor of shape (n,), the classes
        weights : float32 tensor of shape (n,), that of each clip's class, with mean 1 over the training clips
        domain : int64 tensor of shape (n,), 0 for own clips and 1 for auxiliary ones
        """
        return {"class": weighted_cross_entropy(outputs["logits"], codes, weights)}


def weighted_cross_entropy(logits: Tensor, codes: Tensor, weights: Tensor) -> Tensor:
    """Return the mean over the batch of w_i times -log softmax(logits_i)[code_i]."""
    return (F.cross_entropy(logits, codes, reduction="none") * weights).mean()


class LayerRow(NamedTuple):
    """One layer of a table: its name, kind, output shape without the batch, and number of parameters."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    n_parameters: int


def layer_table(network: Network, input_shape: Sequence[int]) -> list[LayerRow]:
    """Return the network's layers in the order in which they compute.

    Parameters
    ----------
    network : Network
    input_shape : sequence of int
        Of one clip's input, without the batch.

    Notes
    -----
    A layer is a module without submodules. One that computes twice stands twice, its parameters counted once.
    """
    rows: list[LayerRow] = []
    seen: set[int] = set()

    def note(name: str, module: nn.Module, output: Tensor) -> None:
        own = 0 if id(module) in seen else sum(parameter.numel() for parameter in module.parameters(recurse=False))
        seen.add(id(module))
        rows.append(LayerRow(name, type(module).__name__, tuple(output.shape[1:]), own))

    handles = [
        module.register_forward_hook(lambda module, _, output, name=name: note(name, module, output))
        for name, module in network.named_modules()
        if next(module.children(), None) is None and not isinstance(module, nn.Identity)
    ]
    was_training = network.training
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, *input_shape))
    finally:
        network.train(was_training)
        for handle in handles:
            handle.remove()
    return rows
