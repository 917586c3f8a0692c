"""The network that reads motion maps, trained on synthetic motion: to be fine-tuned on real maps, or pretrained."""

__all__ = ["MotionNet", "MotionNetClassifier"]

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from microexpr.core.checks import check_choice, check_int
from microexpr.core.motionweights import GAINS, SIGMA, SIZE, MotionWeights, member_shapes, read_motion_weights
from microexpr.deep._layers import blurred
from microexpr.deep._maps import as_maps
from microexpr.deep.augmentation import flip_flow, shift
from microexpr.deep.classifier import NetworkClassifier, check_share
from microexpr.deep.flowcnn import StackedLinear
from microexpr.deep.network import Network, weighted_cross_entropy

_STARTS = ("shipped", "random")


class MotionNet(Network):
    """Networks of three convolutions and a fully connected layer, side by side; their probabilities are averaged.

    Each: 1. convolution 5x5 of 16 filters, stride 2, batch norm, ReLU; 2. convolution 3x3 of 32 filters, batch norm,
    ReLU, max pool 2x2; 3. convolution 3x3 of 32 filters, batch norm, ReLU, dropout; 4. fully connected to 48, ReLU;
    5. one layer for the classes, one for the strengths of action units.

    Parameters
    ----------
    n_classes, n_actions : int >= 1
    n_networks : int >= 1
    dropout : float in [0, 1)
    noise : float >= 0
        Standard deviation of what is added to each value of a prepared map in training.

    Notes
    -----
    As in `microexpr.deep.flowcnn.FlowCNN`, network k owns the k-th part of every layer's filters.
    """

    attention_layer = "bn3"

    def __init__(
        self, n_classes: int, n_actions: int, n_networks: int = 1, dropout: float = 0.6, noise: float = 0.3
    ) -> None:
        super().__init__()
        self.noise = noise
        shapes = member_shapes(n_classes, n_actions)
        self.n_networks = n_networks
        self.shapes = shapes

        def convolution(number: int, stride: int = 1) -> nn.Conv2d:
            n_filters, n_inputs, width, _ = shapes[f"conv{number}.weight"]
            inputs, filters = n_networks * n_inputs, n_networks * n_filters
            return nn.Conv2d(inputs, filters, width, stride=stride, padding=width // 2, groups=n_networks)

        self.conv1 = convolution(1, stride=2)
        self.bn1 = nn.BatchNorm2d(self.conv1.out_channels)
        self.conv2 = convolution(2)
        self.bn2 = nn.BatchNorm2d(self.conv2.out_channels)
        self.conv3 = convolution(3)
        self.bn3 = nn.BatchNorm2d(self.conv3.out_channels)
        self.dropout = nn.Dropout(dropout)
        self.fc = StackedLinear(n_networks, *shapes["fc.weight"])
        self.classes = StackedLinear(n_networks, *shapes["classes.weight"])
        self.strengths = StackedLinear(n_networks, *shapes["strengths.weight"])

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Return the logarithm of the averaged probabilities, the networks' own logits, and what their last layers see.

        Parameters
        ----------
        inputs : float32 tensor of shape (n, 3, 28, 28), values 0..255

        Returns
        -------
        dict of str -> tensor
            "logits" (n, n_classes), "members" (n, n_networks, n_classes), "strengths" (n, n_networks, n_actions),
            logits too, and "embedding" (n, n_networks * 48).
        """
        maps = prepared(inputs).repeat(1, self.n_networks, 1, 1)
        features = maps + self.noise * torch.randn_like(maps) if self.training else maps
        features = F.relu(self.bn1(self.conv1(features)))
        features = F.max_pool2d(F.relu(self.bn2(self.conv2(features))), 2)
        features = self.dropout(F.relu(self.bn3(self.conv3(features))))
        hidden = F.relu(self.fc(features.flatten(1).unflatten(1, (self.n_networks, -1))))
        members = self.classes(hidden)
        logits = F.log_softmax(members.float(), dim=2).logsumexp(dim=1) - math.log(self.n_networks)
        return {
            "logits": logits,
            "members": members,
            "strengths": self.strengths(hidden),
            "embedding": hidden.flatten(1),
        }

    def losses(self, outputs: dict[str, Tensor], codes: Tensor, weights: Tensor, domain: Tensor) -> dict[str, Tensor]:
        """Return the sum of the networks' losses as "class"."""
        own = [weighted_cross_entropy(logits, codes, weights) for logits in outputs["members"].unbind(1)]
        return {"class": torch.stack(own).sum()}

    def take(self, weights: MotionWeights, *, classes: bool = True) -> None:
        """Take over weights; `classes=False` leaves the layer of the classes as it is."""
        state = self.state_dict()
        for name, array in weights.tensors.items():
            if classes or not name.startswith("classes."):
                state[name] = torch.from_numpy(array.reshape(state[name].shape).copy())
        self.load_state_dict(state)

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the weights as `MotionWeights` holds them: float32, the networks first."""
        state = self.state_dict()
        return {
            name: state[name].detach().cpu().numpy().reshape(self.n_networks, *shape)
            for name, shape in self.shapes.items()
        }


def prepared(maps: Tensor) -> Tensor:
    """Return maps (n, 3, 28, 28), values 0..255, as the network takes them: as `ZeroShotClassifier` does."""
    gains = torch.tensor(GAINS, dtype=maps.dtype, device=maps.device).reshape(1, -1, 1, 1)
    return blurred((maps - maps.mean(dim=(2, 3), keepdim=True)) / gains, SIGMA)


class MotionNetClassifier(NetworkClassifier):
    """The motion network on onset-apex flow maps, fine-tuned from the weights that come with the package.

    Parameters
    ----------
    start : {"shipped", "random"}
        "shipped" begins from weights that were trained on synthetic motion alone; "random" learns everything from the
        clips, for comparison (twice the epochs or more).
    n_networks : int >= 1
        How many are averaged, where `start` is "random"; the shipped weights are of 5.
    dropout : float in [0, 1)
    shift : int >= 0, in pixels
        Each training map is moved up to this far, down or up and to a side, anew in each epoch.
    epochs, lr, batch_size, weight_decay, class_weight, patience, device, precision, random_state
        See `microexpr.deep.classifier.NetworkClassifier`.

    Notes
    -----
    No paper. X is of shape (n_clips, 28 * 28 * 3), values 0..255, as `microexpr.features.FlowMap` gives it (u, v,
    strain). Half of the training maps are mirrored (left to right, and 255 - u for u). Where the labels are not
    negative, positive and surprise, the layer of the classes begins from random weights.

    Examples
    --------
    >>> import numpy as np
    >>> maps = np.random.default_rng(0).integers(0, 256, (6, 28 * 28 * 3))
    >>> model = MotionNetClassifier(epochs=1, random_state=0).fit(maps, ["negative", "positive", "surprise"] * 2)
    >>> model.predict_proba(maps).shape
    (6, 3)
    """

    version = 1
    INPUT_SHAPE = (3, SIZE, SIZE)

    def __init__(
        self,
        start: str = "shipped",
        n_networks: int = 5,
        dropout: float = 0.6,
        shift: int = 1,
        epochs: int = 30,
        lr: float = 1e-3,
        batch_size: int = 32,
        weight_decay: float = 1e-4,
        class_weight: str | None = "balanced",
        patience: int | None = None,
        device: str = "auto",
        precision: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.start = start
        self.n_networks = n_networks
        self.dropout = dropout
        self.shift = shift
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
        check_choice(self.start, "start", _STARTS)
        check_int(self.n_networks, "n_networks", minimum=1)
        check_share(self.dropout, "dropout")
        check_int(self.shift, "shift", minimum=0)

    def key_facts(self) -> dict[str, object]:
        """Return what else decides the numbers: the weights that the training begins from."""
        return {"weights": read_motion_weights().digest()} if self.start == "shipped" else {}

    def _network(self, input_shape: tuple[int, ...], n_classes: int) -> Network:
        network = self._blank(n_classes)
        if self.start == "shipped":
            weights = read_motion_weights()
            # Of a network that is only looked at (`layers`) no classes are known.
            known = getattr(self, "classes_", np.array(weights.classes))
            network.take(weights, classes=tuple(known) == weights.classes)
        return network

    def blank_network(self) -> Network:
        """Return a network of the fitted one's shape with weights at random, whatever it was begun from."""
        return self._blank(len(self.classes_))

    def _blank(self, n_classes: int) -> MotionNet:
        if self.start == "random":
            return MotionNet(n_classes, 1, self.n_networks, self.dropout)
        weights = read_motion_weights()
        return MotionNet(n_classes, len(weights.actions), weights.n_networks, self.dropout)

    def _shape(self, X: np.ndarray) -> np.ndarray:
        return as_maps(X, SIZE)

    def _augment(self, inputs: Tensor) -> Tensor:
        return shift(flip_flow(inputs), self.shift)
