"""STSTNet: three shallow streams of convolutions on a flow map of 28 x 28."""

__all__ = ["STSTNet", "STSTNetClassifier"]

import numpy as np
from torch import Tensor, nn

from microexpr.deep._maps import as_maps
from microexpr.deep.classifier import NetworkClassifier, check_share
from microexpr.deep.network import Network

_STREAMS = (3, 5, 8)


class STSTNet(Network):
    """Three streams side by side of 3, 5 and 8 filters 3x3: ReLU, batch norm, max pool, dropout; then an average pool.

    Parameters
    ----------
    n_classes : int
    dropout : float in [0, 1)

    Notes
    -----
    All streams see the whole input and nothing mixes their channels, so the three are computed as one of 16 filters:
    the same sums in a fourth of the time. Of `conv` and `bn`, the first 3 filters are the first stream's, the next 5
    the second's, the last 8 the third's.
    """

    attention_layer = "dropout"

    def __init__(self, n_classes: int, dropout: float = 0.5) -> None:
        super().__init__()
        width = sum(_STREAMS)
        self.conv = nn.Conv2d(3, width, 3, padding=2)
        self.relu = nn.ReLU(inplace=True)
        self.bn = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, stride=3, padding=1)
        self.dropout = nn.Dropout(dropout)
        self.avgpool = nn.AvgPool2d(2, stride=2)
        self.fc = nn.Linear(5 * 5 * width, n_classes)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Return logits and the 400 pooled features.

        Parameters
        ----------
        inputs : float32 tensor of shape (n, 3, 28, 28), values 0..255
        """
        features = self.dropout(self.maxpool(self.bn(self.relu(self.conv(inputs)))))
        embedding = self.avgpool(features).flatten(1)
        return {"logits": self.fc(embedding), "embedding": embedding}


class STSTNetClassifier(NetworkClassifier):
    """STSTNet on onset-apex flow maps.

    Parameters
    ----------
    dropout : float in [0, 1)
    epochs, lr, batch_size, weight_decay, class_weight, patience, device, precision, random_state
        See `microexpr.deep.classifier.NetworkClassifier`.

    Notes
    -----
    X is of shape (n_clips, 28 * 28 * 3), values 0..255, as `microexpr.features.FlowMap` gives it (u, v, strain).

    Adam, learning rate 5e-5, batches of 256, 500 epochs, as the paper has them; the authors' PyTorch program runs 800.

    Differs from [1]_ in: the order of the clips is drawn anew each epoch (their program keeps it).

    References
    ----------
    .. [1] S.-T. Liong, Y. S. Gan, J. See, H.-Q. Khor, Y.-C. Huang, "Shallow triple stream three-dimensional CNN
       (STSTNet) for micro-expression recognition", FG, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> maps = np.random.default_rng(0).integers(0, 256, (6, 28 * 28 * 3))
    >>> model = STSTNetClassifier(epochs=1, random_state=0).fit(maps, ["negative", "positive", "surprise"] * 2)
    >>> model.predict_proba(maps).shape
    (6, 3)
    """

    version = 1
    INPUT_SHAPE = (3, 28, 28)

    def __init__(
        self,
        dropout: float = 0.5,
        epochs: int = 500,
        lr: float = 5e-5,
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
        return STSTNet(n_classes, self.dropout)

    def _shape(self, X: np.ndarray) -> np.ndarray:
        return as_maps(X, 28)
