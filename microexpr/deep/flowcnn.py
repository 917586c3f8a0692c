"""Small CNNs on a flow map of 28 x 28, several of them trained side by side and averaged."""

__all__ = ["FlowCNN", "FlowCNNClassifier", "StackedLinear"]

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from microexpr.core.checks import check_float, check_int
from microexpr.deep._layers import blurred, standardised
from microexpr.deep._maps import as_maps
from microexpr.deep.augmentation import flip_flow, shift
from microexpr.deep.classifier import NetworkClassifier, check_share
from microexpr.deep.network import Network, weighted_cross_entropy

_SIZE = 28
_CHANNELS = 3
_FILTERS = (16, 32)


class StackedLinear(nn.Module):
    """One fully connected layer for each of several networks, computed at once.

    Parameters
    ----------
    n_networks, n_inputs, n_outputs : int >= 1

    Notes
    -----
    `weight` is (n_networks, n_inputs, n_outputs) and `bias` (n_networks, 1, n_outputs), drawn as torch's `Linear` draws
    them: uniform within 1 / sqrt(n_inputs).
    """

    def __init__(self, n_networks: int, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(n_inputs)
        self.weight = nn.Parameter(torch.empty(n_networks, n_inputs, n_outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(n_networks, 1, n_outputs).uniform_(-bound, bound))

    def forward(self, features: Tensor) -> Tensor:
        """Return (n, n_networks, n_outputs) for features (n, n_networks, n_inputs)."""
        return torch.baddbmm(self.bias, features.transpose(0, 1), self.weight).transpose(0, 1)


class FlowCNN(Network):
    """Networks of two convolutions and a fully connected layer; their probabilities are averaged.

    Each: 1. the map's channels brought to mean 0 and standard deviation 1; 2. convolution 5x5 of 16 filters, stride 2,
    batch norm, ReLU, max pool 2x2; 3. convolution 3x3 of 32 filters, batch norm, ReLU, dropout; 4. fully connected.

    Parameters
    ----------
    n_classes : int
    n_networks : int >= 1
    dropout : float in [0, 1)

    Notes
    -----
    All networks are computed at once, as convolutions in groups: network k owns the k-th part of every layer's filters.
    The loss is the sum of theirs. None sees a number of another, so each trains as it would alone.
    """

    attention_layer = "relu2"

    def __init__(self, n_classes: int, n_networks: int = 1, dropout: float = 0.5) -> None:
        super().__init__()
        first, second = (n_networks * n_filters for n_filters in _FILTERS)
        self.n_networks = n_networks
        self.conv1 = nn.Conv2d(n_networks * _CHANNELS, first, 5, stride=2, padding=2, groups=n_networks)
        self.bn1 = nn.BatchNorm2d(first)
        self.relu1 = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1, groups=n_networks)
        self.bn2 = nn.BatchNorm2d(second)
        self.relu2 = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(dropout)
        self.fc = StackedLinear(n_networks, _FILTERS[1] * (_SIZE // 4) ** 2, n_classes)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Return the logarithm of the averaged probabilities, the networks' own logits, and what their last layers see.

        Parameters
        ----------
        inputs : float32 tensor of shape (n, 3, 28, 28) or (n, n_networks * 3, 28, 28), values 0..255
            One map for all networks, or one for each.

        Returns
        -------
        dict of str -> tensor
            "logits" (n, n_classes), "members" (n, n_networks, n_classes), "embedding" (n, n_networks * 1568).
        """
        maps = standardised(inputs, (2, 3))
        maps = maps.repeat(1, self.n_networks * _CHANNELS // maps.shape[1], 1, 1)
        features = self.maxpool(self.relu1(self.bn1(self.conv1(maps))))
        features = self.dropout(self.relu2(self.bn2(self.conv2(features))))
        embedding = features.flatten(1)
        members = self.fc(embedding.unflatten(1, (self.n_networks, -1)))
        logits = F.log_softmax(members.float(), dim=2).logsumexp(dim=1) - math.log(self.n_networks)
        return {"logits": logits, "members": members, "embedding": embedding}

    def losses(self, outputs: dict[str, Tensor], codes: Tensor, weights: Tensor, domain: Tensor) -> dict[str, Tensor]:
        """Return the sum of the networks' losses as "class"."""
        own = [weighted_cross_entropy(logits, codes, weights) for logits in outputs["members"].unbind(1)]
        return {"class": torch.stack(own).sum()}


class FlowCNNClassifier(NetworkClassifier):
    """Small CNNs on onset-apex flow maps, the mean of their probabilities.

    Parameters
    ----------
    n_networks : int >= 1
        How many are averaged. They differ in first weights, dropout and augmentation, and see the clips in one order.
    dropout : float in [0, 1)
    shift : int >= 0, in pixels
        Each training map is moved up to this far, down or up and to a side, anew in each epoch and for each network.
    sigma : float >= 0, in pixels
        Standard deviation of the Gaussian blur of each map; 0 leaves it out.
    epochs, lr, batch_size, weight_decay, class_weight, patience, device, precision, random_state
        See `microexpr.deep.classifier.NetworkClassifier`.

    Notes
    -----
    No paper. X is of shape (n_clips, 28 * 28 * 3), values 0..255, as `microexpr.features.FlowMap` gives it (u, v,
    strain). Maps are blurred as `flow-rbf` blurs them: differences between neighbouring pixels are mostly errors of the
    flow. Each channel of each map is brought to mean 0 and standard deviation 1, so nothing is learned of the scale.
    Half of the training maps are mirrored (left to right, and 255 - u for u).

    `history_` holds the sum of the networks' losses. One network has 10,659 parameters at three classes.

    Examples
    --------
    >>> import numpy as np
    >>> maps = np.random.default_rng(0).integers(0, 256, (6, 28 * 28 * 3))
    >>> model = FlowCNNClassifier(epochs=1, random_state=0).fit(maps, ["negative", "positive", "surprise"] * 2)
    >>> model.predict_proba(maps).shape
    (6, 3)
    """

    version = 1
    INPUT_SHAPE = (3, 28, 28)

    def __init__(
        self,
        n_networks: int = 5,
        dropout: float = 0.5,
        shift: int = 1,
        sigma: float = 1.0,
        epochs: int = 60,
        lr: float = 1e-3,
        batch_size: int = 32,
        weight_decay: float = 1e-4,
        class_weight: str | None = "balanced",
        patience: int | None = None,
        device: str = "auto",
        precision: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.n_networks = n_networks
        self.dropout = dropout
        self.shift = shift
        self.sigma = sigma
        self.epochs = epochs
        self.lr = lr
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.class_weight = class_weight
        self.patience = patience
        self.device = device
        self.precision = precision
        self.random_state = random_state

    def check_params(self) -> None:  # noqa: D102
        super().check_params()
        check_int(self.n_networks, "n_networks", minimum=1)
        check_share(self.dropout, "dropout")
        check_int(self.shift, "shift", minimum=0)
        check_float(self.sigma, "sigma", minimum=0.0)

    def _network(self, input_shape: tuple[int, ...], n_classes: int) -> Network:
        return FlowCNN(n_classes, self.n_networks, self.dropout)

    def _shape(self, X: np.ndarray) -> np.ndarray:
        return as_maps(X, _SIZE)

    def _prepare(self, inputs: Tensor) -> Tensor:
        return blurred(inputs.float(), self.sigma)

    def _augment(self, inputs: Tensor) -> Tensor:
        # A map of its own for each network: (n * n_networks, 3, rows, columns), then one after the other as channels.
        maps = inputs.repeat_interleave(self.n_networks, dim=0)
        return shift(flip_flow(maps), self.shift).reshape(len(inputs), -1, *inputs.shape[2:])
