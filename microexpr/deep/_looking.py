"""Where a network looks: its own attention map where it has one, else Grad-CAM of the class that it predicts."""

import torch
from torch import Tensor
from torch.nn import functional as F

from microexpr.deep.attention import grad_cam
from microexpr.deep.network import Network

# Finer maps would only be larger files: a face is drawn no larger than a hand.
_MAX_SIDE = 28


def attention_maps(network: Network, inputs: Tensor) -> Tensor:
    """Return maps (n, rows, columns) in [0, 1], at most 28 on a side, of inputs as the network takes them."""
    with torch.inference_mode():
        outputs = network(inputs)
    if "attention" in outputs:
        maps = outputs["attention"].clone()
    else:
        maps = grad_cam(network, inputs, outputs["logits"].argmax(dim=1).clone())
    shape = tuple(min(side, _MAX_SIDE) for side in maps.shape[1:])
    if shape != tuple(maps.shape[1:]):
        maps = F.adaptive_avg_pool2d(maps[:, None], shape)[:, 0]
    return maps
