"""Pieces that several networks are made of: activations, modules of a convolution, scaling and blur clip by clip."""

__all__ = ["ACTIVATIONS", "activation_layer", "blurred", "conv_module", "standardised"]

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

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


def blurred(batch: Tensor, sigma: float) -> Tensor:
    """Return images (n, channels, rows, columns) blurred by a Gaussian cut off at 4 sigma, mirrored at their border."""
    if sigma == 0:
        return batch
    radius = int(4 * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1, dtype=batch.dtype, device=batch.device)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    n_channels = batch.shape[1]
    for axis, shape in ((2, (-1, 1)), (3, (1, -1))):
        side = batch.shape[axis]
        # Edge pixels come twice, as the border of scipy's filter has them: 2 1 0 | 0 1 2.
        places = torch.arange(-radius, side + radius, device=batch.device) % (2 * side)
        places = torch.where(places < side, places, 2 * side - 1 - places)
        weight = kernel.reshape(1, 1, *shape).repeat(n_channels, 1, 1, 1)
        batch = functional.conv2d(batch.index_select(axis, places), weight, groups=n_channels)
    return batch
