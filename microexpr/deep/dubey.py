"""Dubey's 3D-CNN: one convolution over space and time on eighteen small frames."""

__all__ = ["Dubey3DCNN", "DubeyClassifier"]

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from microexpr.core.checks import check_choice
from microexpr.core.errors import DataError
from microexpr.deep._layers import ACTIVATIONS
from microexpr.deep.classifier import NetworkClassifier, check_share
from microexpr.deep.network import Network

# Time, rows, columns.
_KERNEL = (15, 3, 3)
_POOL = 3
_FILTERS = 32
_HIDDEN = 128


class Dubey3DCNN(Network):
    """A convolution of 32 filters 3x3x15, max pool 3x3x3, dropout, a layer of 128, dropout, and the last layer.

    Parameters
    ----------
    input_shape : (int, int, int, int)
        1, and the number of frames (at least 17), rows and columns (at least 5 each).
    n_classes : int
    activation : {"relu", "swish"}
        max(0, x), or x sigmoid(x); after the convolution and after the layer of 128.
    dropout : float in [0, 1)

    Notes
    -----
    Seven layers, as the paper counts them: the activations and the softmax are parts of the layers they follow.
    """

    attention_layer = "maxpool"

    def __init__(
        self, input_shape: tuple[int, ...], n_classes: int, *, activation: str = "relu", dropout: float = 0.5
    ) -> None:
        super().__init__()
        n_places = 1
        for size, kernel in zip(input_shape[1:], _KERNEL, strict=True):
            n_places *= (size - kernel + 1) // _POOL
        self.activation = F.relu if activation == "relu" else F.silu
        self.conv = nn.Conv3d(1, _FILTERS, _KERNEL)
        self.maxpool = nn.MaxPool3d(_POOL)
        self.dropout1 = nn.Dropout(dropout)
        self.flatten = nn.Flatten()
        self.dense1 = nn.Linear(_FILTERS * n_places, _HIDDEN)
        self.dropout2 = nn.Dropout(dropout)
        self.dense2 = nn.Linear(_HIDDEN, n_classes)
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Return logits and the 128 features.

        Parameters
        ----------
        inputs : float32 tensor of shape (n, 1, n_frames, rows, columns), values -0.5..0.5
        """
        features = self.dropout1(self.maxpool(self.activation(self.conv(inputs))))
        embedding = self.dropout2(self.activation(self.dense1(self.flatten(features))))
        return {"logits": self.dense2(embedding), "embedding": embedding}


class DubeyClassifier(NetworkClassifier):
    """Dubey's 3D-CNN on whole clips.

    Parameters
    ----------
    activation : {"relu", "swish"}
        The two that the paper compares: max(0, x) and x sigmoid(x).
    dropout : float in [0, 1)
    epochs, lr, batch_size, weight_decay, class_weight, patience, device, precision, random_state
        See `microexpr.deep.classifier.NetworkClassifier`.

    Notes
    -----
    X is of shape (n_clips, n_frames, rows, columns), grey, values 0..255, as `microexpr.features.Volume` gives it: 18
    frames of 64 x 64 in the paper, at least 17 of 5 x 5. At 18 x 64 x 64 and three classes the network has 1,643,267
    parameters.

    SGD, batches of 16, 100 epochs, dropout .5, categorical cross-entropy.

    Differs from [1]_ in: what its text leaves open. It gives the input, seven layers, the two activations, the loss and
    SGD; filters, kernel, pool, dropout, batches and epochs are settings handed down of it. It names neither learning
    rate nor first weights: here they are what Keras, in whose words it describes its layers, takes by default (0.01
    without momentum; Glorot's uniform weights, biases of 0). It does not say how pixels are scaled: here 0..255 becomes
    -0.5..0.5 for all clips alike.

    References
    ----------
    .. [1] V. Dubey, B. Takkar, P. S. Lamba, "Micro-expression recognition using 3D-CNN", Bharati Vidyapeeth's College
       of Engineering.

    Examples
    --------
    >>> import numpy as np
    >>> clips = np.random.default_rng(0).integers(0, 256, (6, 18, 8, 8), dtype=np.uint8)
    >>> model = DubeyClassifier(epochs=1, random_state=0).fit(clips, ["negative", "positive", "surprise"] * 2)
    >>> model.predict_proba(clips).shape
    (6, 3)
    """

    version = 1
    INPUT_SHAPE = (18, 64, 64)
    _OPTIMIZER = torch.optim.SGD

    def __init__(
        self,
        activation: str = "relu",
        dropout: float = 0.5,
        epochs: int = 100,
        lr: float = 0.01,
        batch_size: int = 16,
        weight_decay: float = 0.0,
        class_weight: str | None = None,
        patience: int | None = None,
        device: str = "auto",
        precision: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.activation = activation
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
        check_choice(self.activation, "activation", ACTIVATIONS)
        check_share(self.dropout, "dropout")

    def _network(self, input_shape: tuple[int, ...], n_classes: int) -> Network:
        return Dubey3DCNN((1, *input_shape), n_classes, activation=self.activation, dropout=self.dropout)

    def _shape(self, X: np.ndarray) -> np.ndarray:
        # What the convolution leaves must fill one window of the pool.
        least = tuple(kernel + _POOL - 1 for kernel in _KERNEL)
        if X.ndim != 4 or any(size < needed for size, needed in zip(X.shape[1:], least, strict=True)):
            raise DataError(
                f"X has shape {X.shape}: it must be grey clips of (n_clips, n_frames, rows, columns), "
                f"at least {least[0]} frames of {least[1]} x {least[2]} pixels"
            )
        return X

    def _prepare(self, inputs: Tensor) -> Tensor:
        return inputs.float().unsqueeze(1) / 255 - 0.5
