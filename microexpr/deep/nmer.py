"""NMER: ResNet-18 on flow images, whose last maps are read in a top and a bottom part."""

__all__ = ["NMER", "NMERClassifier"]

import math
from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from microexpr.core.checks import check_choice, check_float
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.filehash import content_digest
from microexpr.deep._maps import as_maps
from microexpr.deep.augmentation import jitter, random_crop, rotate
from microexpr.deep.classifier import NetworkClassifier, check_share
from microexpr.deep.losses import gradient_reversal
from microexpr.deep.network import Network, weighted_cross_entropy
from microexpr.deep.resnet import ResNet18, load_imagenet

# Of ImageNet's pictures, red, green and blue of 0..1; the checkpoint was trained on pictures scaled so.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
_SMALLEST_SIZE = 28
_DEGREES = 10.0
_JITTER = 0.2
_CROP_RATIO = 8 / 7


class NMER(Network):
    """ResNet-18; top and bottom of its last maps, each averaged, to 64 features and classes; both joined, to classes.

    Parameters
    ----------
    n_classes : int
    dropout : float in [0, 1)
        Of the 64 features of each part.
    adversarial : bool
        Whether a discriminator tells own from auxiliary clips by the 128 joined features, its gradient reversed.

    Notes
    -----
    Of 7 rows, the first 3 are the top; in general floor(3 rows / 7), at least one. A map of a single row is both.
    """

    attention_layer = "backbone.layer4"
    mean: Tensor
    deviation: Tensor

    def __init__(self, n_classes: int, dropout: float = 0.1, adversarial: bool = False) -> None:
        super().__init__()
        self.backbone = ResNet18(None)
        self.top = _part(dropout)
        self.bottom = _part(dropout)
        self.top_classes = nn.Linear(64, n_classes)
        self.bottom_classes = nn.Linear(64, n_classes)
        self.classes = nn.Linear(128, n_classes)
        self.discriminator = None
        if adversarial:
            self.discriminator = nn.Sequential(
                nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1)
            )
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None], persistent=False)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Return the logits of both parts and of both together, and the joined 128 features.

        Parameters
        ----------
        inputs : float32 tensor of shape (n, 3, size, size), values 0..255

        Returns
        -------
        dict of str -> tensor
            "logits" (the joined features'), "top" and "bottom" (n, n_classes); "embedding" (n, 128); with a
            discriminator "domain" (n,), the logit that the clip is auxiliary.
        """
        maps = self.backbone.features((inputs / 255 - self.mean) / self.deviation)
        n_top = max(maps.shape[2] * 3 // 7, 1)
        top = self.top(maps[:, :, :n_top].mean(dim=(2, 3)))
        bottom = self.bottom(maps[:, :, min(n_top, maps.shape[2] - 1) :].mean(dim=(2, 3)))
        joined = torch.cat([top, bottom], dim=1)
        outputs = {
            "logits": self.classes(joined),
            "embedding": joined,
            "top": self.top_classes(top),
            "bottom": self.bottom_classes(bottom),
        }
        if self.discriminator is not None:
            outputs["domain"] = self.discriminator(gradient_reversal(joined, self.strength)).squeeze(1)
        return outputs

    @property
    def strength(self) -> float:
        """Lambda of the reversed gradient, 2 / (1 + exp(-10 p)) - 1 at progress p of the training."""
        return 2 / (1 + math.exp(-10 * self.progress)) - 1

    def losses(self, outputs: dict[str, Tensor], codes: Tensor, weights: Tensor, domain: Tensor) -> dict[str, Tensor]:
        """Return the cross-entropies "top", "bottom" and "joint", and the discriminator's, "adversarial".

        The discriminator minimises its own. Its gradient reaches the features times -lambda, so they, and all before
        them, minimise top + bottom + joint - lambda * adversarial. Clips held out to stop on have no adversarial loss:
        all are own ones, and features that do not tell so are what is sought.
        """
        terms = {
            name: weighted_cross_entropy(outputs[key], codes, weights)
            for name, key in (("top", "top"), ("bottom", "bottom"), ("joint", "logits"))
        }
        if self.discriminator is not None and self.training:
            terms["adversarial"] = F.binary_cross_entropy_with_logits(outputs["domain"], domain.float())
        return terms


def _part(dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 64), nn.Tanh(), nn.Dropout(dropout))


class NMERClassifier(NetworkClassifier):
    """NMER on onset-apex flow images.

    Parameters
    ----------
    adversarial : bool
        Adversarial training against the auxiliary clips' domain; `fit` then needs rows of `domain` 1.
    weights : str or None
        Path of an ImageNet checkpoint of ResNet-18 (see `microexpr.deep.resnet.load_imagenet`), from which the backbone
        starts. With None it starts at random.
    dropout : float in [0, 1)
    backbone_lr : float > 0
        The backbone's learning rate; `lr` is that of all after it.
    epochs, lr, batch_size, weight_decay, class_weight, patience, device, precision, random_state
        See `microexpr.deep.classifier.NetworkClassifier`.

    Notes
    -----
    X is of shape (n_clips, size, size, 3), uint8, size >= 28, as `microexpr.features.FlowImage` gives it.

    Adam at 1e-3, the backbone at 1e-5, halved every 10 epochs; weight decay 1e-6, batches of 32, 100 epochs, the
    gradient's norm cut at 1. Training clips are turned by up to 10 degrees, their brightness and contrast changed by up
    to a fifth, and cropped at random out of 8/7 of their size (224 out of 256). Predictions are those of the joined
    features. What auxiliary clips there are join the training with their classes.

    The paper gives neither rates nor augmentation; these are the settings handed down of its program.

    Differs from [1]_ in: no epoch is chosen by the left-out subject's score (their program does); the number of epochs
    is fixed. Saturation and hue, which colour jitter changes too, mix the channels: these are no colours. Without
    `weights` the backbone starts at random and still learns at 1e-5, the rate for one that starts from ImageNet: raise
    `backbone_lr` then. The discriminator has three layers, 128-64-32-1, with ReLU between (the paper says two, and
    gives no widths); losses are means over the batch, not sums.

    References
    ----------
    .. [1] Y. Liu, H. Du, L. Zheng, T. Gedeon, "A neural micro-expression recognizer", FG, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)
    >>> model = NMERClassifier(epochs=1, random_state=0).fit(images, ["negative", "positive"] * 2)
    >>> model.embed(images).shape
    (4, 128)
    """

    version = 1
    INPUT_SHAPE = (3, 224, 224)

    _DECAY: ClassVar[tuple[int, float] | None] = (10, 0.5)
    _CLIP: ClassVar[float | None] = 1.0

    def __init__(
        self,
        adversarial: bool = False,
        weights: str | None = None,
        dropout: float = 0.1,
        backbone_lr: float = 1e-5,
        epochs: int = 100,
        lr: float = 1e-3,
        batch_size: int = 32,
        weight_decay: float = 1e-6,
        class_weight: str | None = None,
        patience: int | None = None,
        device: str = "auto",
        precision: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.adversarial = adversarial
        self.weights = weights
        self.dropout = dropout
        self.backbone_lr = backbone_lr
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
        check_choice(self.adversarial, "adversarial", (False, True))
        if self.weights is not None and not isinstance(self.weights, str):
            raise ParameterError(f"weights is {self.weights!r}: it must be the path of a checkpoint, a string, or None")
        check_share(self.dropout, "dropout")
        if check_float(self.backbone_lr, "backbone_lr", minimum=0.0) == 0:
            raise ParameterError("backbone_lr is 0: it must be above 0")

    def key_facts(self) -> dict[str, object]:
        """Return the digest of the checkpoint's content, which decides numbers as the parameters do."""
        return {} if self.weights is None else {"weights": content_digest((self.weights,))}

    def fit_epochs(self, X: object, y: object, groups: object = None, domain: object = None) -> Iterator[Self]:
        """Train as the base does; adversarial training without an auxiliary clip is a ParameterError."""
        self.check_params()
        if self.adversarial and not (domain is not None and (np.asarray(domain) == 1).any()):
            raise ParameterError("adversarial is True: it needs auxiliary clips, rows of domain 1 in fit")
        yield from super().fit_epochs(X, y, groups, domain)

    def _network(self, input_shape: tuple[int, ...], n_classes: int) -> Network:
        network = NMER(n_classes, self.dropout, self.adversarial)
        if self.weights is not None:
            load_imagenet(network.backbone, self.weights)
        return network

    def _shape(self, X: np.ndarray) -> np.ndarray:
        maps = as_maps(X)
        if maps.shape[2] < _SMALLEST_SIZE:
            raise DataError(f"X holds images of {maps.shape[2]} x {maps.shape[2]}: they must be at least 28 x 28")
        return maps

    def _augment(self, inputs: Tensor) -> Tensor:
        changed = jitter(rotate(inputs, _DEGREES), brightness=_JITTER, contrast=_JITTER)
        return random_crop(changed, _CROP_RATIO)

    def _groups_of_parameters(self) -> list[tuple[str, dict[str, float]]]:
        return [("backbone.*", {"lr": self.backbone_lr})]
