"""OFF-ApexNet: horizontal and vertical onset-apex flow in a stream each, joined by two wide layers."""

__all__ = ["OFFApexNet", "OFFApexNetClassifier"]

import numpy as np
from torch import Tensor, nn

from microexpr.deep._maps import as_maps
from microexpr.deep.classifier import NetworkClassifier, check_share
from microexpr.deep.network import Network

_SIZE = 28
_STREAMS = 2
_FILTERS = (6, 16)
_HIDDEN = 1024


class OFFApexNet(Network):
    """A stream for u and one for v, joined by three fully connected layers.

    Each stream: convolution 5x5 of 6 filters, ReLU, max pool 2x2; convolution 5x5 of 16 filters, ReLU, max pool 2x2.

    Parameters
    ----------
    n_classes : int
    dropout : float in [0, 1)
        After each of the two layers of 1024.

    Notes
    -----
    The two streams are computed side by side, as one convolution in two groups. Of `conv1` and `conv2`, the first half
    of the filters is the stream of u, the second that of v.
    """

    attention_layer = "pool2"

    def __init__(self, n_classes: int, dropout: float = 0.5) -> None:
        super().__init__()
        first, second = (_STREAMS * n_filters for n_filters in _FILTERS)
        self.conv1 = nn.Conv2d(_STREAMS, first, 5, padding=2, groups=_STREAMS)
        self.relu1 = nn.ReLU(inplace=True)
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(first, second, 5, padding=2, groups=_STREAMS)
        self.relu2 = nn.ReLU(inplace=True)
        self.pool2 = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(second * (_SIZE // 4) ** 2, _HIDDEN)
        self.relu3 = nn.ReLU(inplace=True)
        self.dropout1 = nn.Dropout(dropout)
        self.fc2 = nn.Linear(_HIDDEN, _HIDDEN)
        self.relu4 = nn.ReLU(inplace=True)
        self.dropout2 = nn.Dropout(dropout)
        self.fc3 = nn.Linear(_HIDDEN, n_classes)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Return logits and the last 1024 features.

        Parameters
        ----------
        inputs : float32 tensor of shape (n, 2, 28, 28), values 0..1
        """
        features = self.pool1(self.relu1(self.conv1(inputs)))
        features = self.pool2(self.relu2(self.conv2(features))).flatten(1)
        features = self.dropout1(self.relu3(self.fc1(features)))
        embedding = self.dropout2(self.relu4(self.fc2(features)))
        return {"logits": self.fc3(embedding), "embedding": embedding}


class OFFApexNetClassifier(NetworkClassifier):
    """OFF-ApexNet on onset-apex flow maps.

    Parameters
    ----------
    dropout : float in [0, 1)
        After each of the two layers of 1024.
    epochs, lr, batch_size, weight_decay, class_weight, patience, device, precision, random_state
        See `microexpr.deep.classifier.NetworkClassifier`.

    Notes
    -----
    X is of shape (n_clips, 28 * 28 * 3), values 0..255, as `microexpr.features.FlowMap` gives it; of its channels u, v
    and strain, u and v are used. Values are divided by 255. With three classes the network has 2,664,475 parameters.

    Differs from [1]_ in: the training. Adam, learning rate 1e-4, batches of 256, and dropout after both layers of 1024
    are not verified against the paper. The 100 epochs are ours; the paper's may be up to 3000 (not verified).

    References
    ----------
    .. [1] Y. S. Gan, S.-T. Liong, W.-C. Yau, Y.-C. Huang, L.-K. Tan, "OFF-ApexNet on micro-expression recognition
       system", Signal Processing: Image Communication 74, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> maps = np.random.default_rng(0).integers(0, 256, (6, 28 * 28 * 3))
    >>> model = OFFApexNetClassifier(epochs=1, random_state=0).fit(maps, ["negative", "positive", "surprise"] * 2)
    >>> model.predict_proba(maps).shape
    (6, 3)
    """

    version = 1
    INPUT_SHAPE = (3, 28, 28)

    def __init__(
        self,
        dropout: float = 0.5,
        epochs: int = 100,
        lr: float = 1e-4,
        batch_size: int = 256,
        weight_decay: float = 0.0,
        class_weight: str | None = None,
        patience: int | None = None,
        device: str = "auto",
        precision: str = "auto",
        random_state: int | None = None,
    ) -> None:
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
        check_share(self.dropout, "dropout")

    def _network(self, input_shape: tuple[int, ...], n_classes: int) -> Network:
        return OFFApexNet(n_classes, self.dropout)

    def _shape(self, X: np.ndarray) -> np.ndarray:
        return as_maps(X, _SIZE)

    def _prepare(self, inputs: Tensor) -> Tensor:
        return inputs[:, :_STREAMS].float() / 255
