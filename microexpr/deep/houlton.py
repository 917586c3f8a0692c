"""Houlton's CNN: fourteen convolution modules on the apex frame."""

__all__ = ["HoultonCNN", "HoultonClassifier"]

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from microexpr.core.checks import check_choice, check_int, check_int_tuple
from microexpr.core.errors import DataError, ParameterError
from microexpr.deep._layers import ACTIVATIONS, conv_module, standardised
from microexpr.deep.classifier import NetworkClassifier
from microexpr.deep.network import Network

# The widths of the blocks, in multiples of the first; further blocks are as wide as the last.
_WIDTHS = (1, 2, 4)
_AVERAGED = 4


class HoultonCNN(Network):
    """Blocks of convolution modules with max pools 2x2 between, an average pool 4x4 and one fully connected layer.

    Parameters
    ----------
    input_shape : (int, int, int)
        Channels, rows, columns of the input. Each max pool halves rows and columns, rounding down; the average pool
        quarters them, or averages over all where fewer than 4 are left. The last layer sees what remains: 12 x 12
        places of an input of 400 x 400.
    n_classes : int
    depth : sequence of int >= 1
        The number of modules of each block.
    width : int >= 1
        Filters of the first block; the second has twice as many, those after it four times.
    activation : {"relu", "swish"}
    """

    attention_layer = "features"

    def __init__(
        self,
        input_shape: tuple[int, ...],
        n_classes: int,
        *,
        depth: Sequence[int] = (3, 4, 4, 3),
        width: int = 32,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        channels, rows, columns = input_shape
        layers: list[nn.Module] = []
        for block, n_modules in enumerate(depth):
            if block > 0:
                layers.append(nn.MaxPool2d(2))
                rows, columns = rows // 2, columns // 2
            filters = width * _WIDTHS[min(block, len(_WIDTHS) - 1)]
            for _ in range(n_modules):
                layers += conv_module(channels, filters, activation)
                channels = filters
        window = (min(_AVERAGED, rows), min(_AVERAGED, columns))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AvgPool2d(window)
        self.fc = nn.Linear(channels * (rows // window[0]) * (columns // window[1]), n_classes)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Return logits and the averaged features.

        Parameters
        ----------
        inputs : float32 tensor of shape (n, channels, rows, columns), each clip with mean 0 and deviation 1
        """
        embedding = self.avgpool(self.features(inputs)).flatten(1)
        return {"logits": self.fc(embedding), "embedding": embedding}


class HoultonClassifier(NetworkClassifier):
    """Houlton's CNN on single frames.

    Parameters
    ----------
    depth : tuple of int >= 1
        The number of convolution modules of each block; the default has 14 in all, and 47 layers.
    width : int >= 1
        Filters of the first block; the second has twice as many, those after it four times.
    activation : {"relu", "swish"}
    epochs, lr, batch_size, weight_decay, class_weight, patience, device, precision, random_state
        See `microexpr.deep.classifier.NetworkClassifier`.

    Notes
    -----
    X is of shape (n_clips, channels, rows, columns), values 0..255, as `microexpr.features.Stills` gives it, of any
    number of channels: the apex frame in colour as the paper has it, or onset, apex and offset frame in grey, its
    future work. The paper pads the frames with black to 400 x 400; smaller ones do, of at least 8 x 8 pixels at this
    depth.

    Adam, learning rate 1e-3 divided by 10 every 30 epochs, weight decay 1e-4, batches of 32, 50 epochs.

    Differs from [1]_ in: what the paper leaves open. Its images are "normalized": here each clip's input is brought to
    mean 0 and standard deviation 1, over all its channels at once (so colours, and changes between stacked frames,
    stay) and with the black border. It speaks of 3 pools and of 4 max pools: here they are 3 max pools of 2x2 and an
    average pool of 4x4, which gives its 47 layers. Its text gives neither the filters (32, 64, 128, 128), nor
    where the pools stand, nor the settings of the training but its epochs; nor whether convolutions have a bias, which
    before batch norm changes nothing. "swish" is no part of it.

    References
    ----------
    .. [1] S. Houlton, "Expression classification in microexpressions", Colorado State University, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> frames = np.random.default_rng(0).integers(0, 256, (6, 3, 16, 16), dtype=np.uint8)
    >>> model = HoultonClassifier(width=4, epochs=1, random_state=0).fit(frames, ["negative", "positive"] * 3)
    >>> model.predict_proba(frames).shape
    (6, 2)
    """

    version = 1
    INPUT_SHAPE = (3, 400, 400)
    _DECAY = (30, 0.1)

    def __init__(
        self,
        depth: tuple[int, ...] = (3, 4, 4, 3),
        width: int = 32,
        activation: str = "relu",
        epochs: int = 50,
        lr: float = 1e-3,
        batch_size: int = 32,
        weight_decay: float = 1e-4,
        class_weight: str | None = None,
        patience: int | None = None,
        device: str = "auto",
        precision: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.depth = depth
        self.width = width
        self.activation = activation
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
        n_blocks = len(self.depth) if isinstance(self.depth, (tuple, list)) else len(_WIDTHS)
        if n_blocks == 0:
            raise ParameterError(f"depth is {self.depth!r}: it must hold one block or more")
        check_int_tuple(self.depth, "depth", n_blocks, minimum=1)
        check_int(self.width, "width", minimum=1)
        check_choice(self.activation, "activation", ACTIVATIONS)

    def _network(self, input_shape: tuple[int, ...], n_classes: int) -> Network:
        return HoultonCNN(input_shape, n_classes, depth=self.depth, width=self.width, activation=self.activation)

    def _shape(self, X: np.ndarray) -> np.ndarray:
        least = 2 ** (len(self.depth) - 1)
        if X.ndim != 4 or X.shape[1] < 1 or min(X.shape[2:]) < least:
            raise DataError(
                f"X has shape {X.shape}: it must be frames of (n_clips, channels, rows, columns), "
                f"at least {least} x {least} pixels for {len(self.depth)} blocks"
            )
        return X

    def _prepare(self, inputs: Tensor) -> Tensor:
        return standardised(inputs.float(), (1, 2, 3))
