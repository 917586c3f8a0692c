"""Two streams: a network on the pixels of one frame and one on the clip's stacked flow, with one classifier."""

__all__ = ["TwoStreamClassifier", "TwoStreamNet"]

import numpy as np
import torch
from torch import Tensor, nn

from microexpr.core.checks import check_int
from microexpr.core.errors import DataError
from microexpr.deep._layers import conv_module, standardised
from microexpr.deep.classifier import NetworkClassifier, check_share
from microexpr.deep.network import Network

# The widths of a stream's four modules, in multiples of the first.
_WIDTHS = (1, 2, 4, 4)
_N_POOLS = len(_WIDTHS) - 1
_LEAST_SIZE = 2**_N_POOLS
# Micro-expressions move some tenths of a pixel from frame to frame: times ten, flow is of the size of the pixels.
_FLOW_SCALE = 10.0


class TwoStreamNet(Network):
    """A stream for pixels and one for flow, joined by one fully connected layer.

    Each stream: four modules of convolution 3x3, batch norm and ReLU, max pools 2x2 between, average over all places.

    Parameters
    ----------
    n_channels : int >= 3
        One of pixels, the others of flow.
    n_classes : int
    width : int >= 1
        Filters of a stream's modules: width, 2 width, 4 width, 4 width.
    dropout : float in [0, 1)
        Before the last layer, which sees 4 width features of each stream.
    """

    attention_layer = "temporal"

    def __init__(self, n_channels: int, n_classes: int, *, width: int = 32, dropout: float = 0.5) -> None:
        super().__init__()
        self.spatial = _stream(1, width)
        self.temporal = _stream(n_channels - 1, width)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2 * _WIDTHS[-1] * width, n_classes)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Return logits and the features of both streams, those of the pixels first.

        Parameters
        ----------
        inputs : float32 tensor of shape (n, n_channels, rows, columns)
            Channel 0 the pixels, of mean 0 and deviation 1; then the flow, in tenths of a pixel.
        """
        streams = [self.spatial(inputs[:, :1]), self.temporal(inputs[:, 1:])]
        embedding = self.dropout(torch.cat([self.avgpool(features).flatten(1) for features in streams], dim=1))
        return {"logits": self.fc(embedding), "embedding": embedding}


class TwoStreamClassifier(NetworkClassifier):
    """A spatial and a temporal network with one classifier.

    Parameters
    ----------
    width : int >= 1
        Filters of the first module of each stream; its last has four times as many.
    dropout : float in [0, 1)
    epochs, lr, batch_size, weight_decay, class_weight, patience, device, precision, random_state
        See `microexpr.deep.classifier.NetworkClassifier`.

    Notes
    -----
    X is of shape (n_clips, 1 + 2 * n_flows, rows, columns), as `microexpr.features.FrameAndFlow` gives it: channel 0 a
    frame, values 0..255; then u and v, in pixels, of the flow between consecutive frames. Flows are stacked as
    channels, in the manner of [2]_. At least 8 x 8 pixels.

    The pixels of each clip are brought to mean 0 and standard deviation 1. Flow is multiplied by 10 for all clips
    alike, so that how far something moved is kept.

    Differs from [1]_ in: all that it leaves open, which is the whole architecture and training. It says that one
    network sees pixels, one stacked flow, and that one classifier joins their features. Layers, widths, Adam with
    learning rate 1e-3, weight decay 1e-4, batches of 32, 60 epochs and dropout .5 are ours. Its spatial network was
    trained on ImageNet's faces beforehand; this one was not.

    References
    ----------
    .. [1] S. Venneti, "Revealing true emotions through micro-expressions: a machine learning approach", Software
       Engineering Institute, Carnegie Mellon University.
    .. [2] K. Simonyan, A. Zisserman, "Two-stream convolutional networks for action recognition in videos", NIPS, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> stacks = np.random.default_rng(0).normal(size=(6, 1 + 2 * 4, 16, 16))
    >>> model = TwoStreamClassifier(width=4, epochs=1, random_state=0).fit(stacks, ["disgust", "surprise"] * 3)
    >>> model.predict_proba(stacks).shape
    (6, 2)
    """

    version = 1
    INPUT_SHAPE = (21, 64, 64)

    def __init__(
        self,
        width: int = 32,
        dropout: float = 0.5,
        epochs: int = 60,
        lr: float = 1e-3,
        batch_size: int = 32,
        weight_decay: float = 1e-4,
        class_weight: str | None = None,
        patience: int | None = None,
        device: str = "auto",
        precision: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.width = width
        self.dropout = dropout
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
        check_int(self.width, "width", minimum=1)
        check_share(self.dropout, "dropout")

    def _network(self, input_shape: tuple[int, ...], n_classes: int) -> Network:
        return TwoStreamNet(input_shape[0], n_classes, width=self.width, dropout=self.dropout)

    def _shape(self, X: np.ndarray) -> np.ndarray:
        if X.ndim != 4 or X.shape[1] < 3 or X.shape[1] % 2 == 0 or min(X.shape[2:]) < _LEAST_SIZE:
            raise DataError(
                f"X has shape {X.shape}: it must be a frame and flows of (n_clips, 1 + 2 * n_flows, rows, columns), "
                f"at least {_LEAST_SIZE} x {_LEAST_SIZE} pixels"
            )
        return X

    def _prepare(self, inputs: Tensor) -> Tensor:
        values = inputs.float()
        return torch.cat([standardised(values[:, :1], (1, 2, 3)), _FLOW_SCALE * values[:, 1:]], dim=1)


def _stream(n_channels: int, width: int) -> nn.Sequential:
    """Return four modules with max pools 2x2 between."""
    layers: list[nn.Module] = []
    for number, multiple in enumerate(_WIDTHS):
        if number > 0:
            layers.append(nn.MaxPool2d(2))
        layers += conv_module(n_channels, multiple * width)
        n_channels = multiple * width
    return nn.Sequential(*layers)
