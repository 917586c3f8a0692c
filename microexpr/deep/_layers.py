"""Pieces that several networks are made of: activations, modules of a convolution, scaling clip by clip."""

__all__ = ["ACTIVATIONS", "activation_layer", "conv_module", "standardised"]

from collections.abc import Sequence

from torch import Tensor, nn

ACTIVATIONS = ("relu", "swish")


def activation_layer(activation: str) -> nn.Module:
    """Return max(0, x) for "relu", x sigmoid(x) for "swish"."""
    return nn.ReLU(inplace=True) if activation == "relu" else nn.SiLU()


def conv_module(n_inputs: int, n_filters: int, activation: str = "relu") -> list[nn.Module]:
    """Return a 3x3 convolution (stride 1, padding 1), batch norm and the activation.

    The convolution has no bias: batch norm takes it away again and has one of its own.
    """
    convolution = nn.Conv2d(n_inputs, n_filters, 3, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(n_filters), activation_layer(activation)]


def standardised(batch: Tensor, axes: Sequence[int]) -> Tensor:
    """Return the batch with mean 0 and standard deviation 1 over the axes; what is constant over them becomes 0."""
    centred = batch - batch.mean(dim=tuple(axes), keepdim=True)
    spread = centred.square().mean(dim=tuple(axes), keepdim=True).sqrt()
    return centred / spread.where(spread > 0, 1.0)
