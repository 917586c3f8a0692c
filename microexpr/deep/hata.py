"""ResNet-18 on one or three grey frames; with switches for attention branch, ArcFace and fine-tuning."""

__all__ = ["AttentionBranch", "HataClassifier", "HataNet"]

import math
from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np
import torch
from sklearn.base import clone
from torch import Tensor, nn

from microexpr.core.checks import check_choice, check_float, check_int
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.training import check_beside, check_domain
from microexpr.deep.augmentation import flip, jitter, rotate
from microexpr.deep.classifier import NetworkClassifier
from microexpr.deep.losses import apply_attention, arcface_logits, attention_branch_losses
from microexpr.deep.network import Network, weighted_cross_entropy
from microexpr.deep.resnet import ResNet18, initialise, residual_layer

_SMALLEST_SIZE = 28
_DEGREES = 10.0
_CONTRAST = 0.2


class AttentionBranch(nn.Module):
    """Two residual blocks, then a map for each class, of which come both the branch's own logits and where to look.

    Parameters
    ----------
    n_classes : int

    References
    ----------
    .. [1] H. Fukui, T. Hirakawa, T. Yamashita, H. Fujiyoshi, "Attention branch network: learning of attention
       mechanism for visual explanation", CVPR, 2019.
    """

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        # As the perception branch's last layer, but keeping the resolution.
        self.layer = residual_layer(256, 512, 1)
        self.bn = nn.BatchNorm2d(512)
        self.class_maps = nn.Conv2d(512, n_classes, 1, bias=False)
        self.class_bn = nn.BatchNorm2d(n_classes)
        self.relu = nn.ReLU(inplace=True)
        self.classes = nn.Conv2d(n_classes, n_classes, 1, bias=False)
        self.map = nn.Conv2d(n_classes, 1, 1, bias=False)
        self.map_bn = nn.BatchNorm2d(1)
        self.sigmoid = nn.Sigmoid()
        initialise(self)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Return the branch's logits (n, n_classes) and the attention (n, rows, columns), 0..1.

        Parameters
        ----------
        maps : float32 tensor of shape (n, 256, rows, columns), those of `layer3`
        """
        of_classes = self.relu(self.class_bn(self.class_maps(self.bn(self.layer(maps)))))
        attention = self.sigmoid(self.map_bn(self.map(of_classes))).squeeze(1)
        return self.classes(of_classes).mean(dim=(2, 3)), attention


class _ArcFaceHead(nn.Module):
    """A direction for each class, compared by angles."""

    def __init__(self, n_classes: int, margin: float, scale: float) -> None:
        super().__init__()
        self.margin = margin
        self.scale = scale
        self.weight = nn.Parameter(nn.init.xavier_normal_(torch.empty(n_classes, 512)))

    def forward(self, embedding: Tensor, codes: Tensor | None = None) -> Tensor:
        return arcface_logits(embedding, self.weight, codes, margin=self.margin, scale=self.scale)


class HataNet(Network):
    """ResNet-18 whose features the attention branch weights, classified linearly or by angles.

    Parameters
    ----------
    n_classes : int
    n_frames : int >= 1
        1 has a first layer of two dimensions; more have one of three, which spans them all.
    abn : bool
        Whether there is an attention branch after `layer3`.
    arcface : bool
        Whether the classes are told by angles, in training with a margin.
    margin : float in [0, pi), in radians
    scale : float > 0
    """

    attention_layer = "backbone.layer4"
    #: Layers whose weights mean particular classes.
    of_classes = ("head.", "branch.class_maps.", "branch.class_bn.", "branch.classes.", "branch.map.", "branch.map_bn.")

    def __init__(
        self,
        n_classes: int,
        n_frames: int = 1,
        *,
        abn: bool = True,
        arcface: bool = False,
        margin: float = 0.5,
        scale: float = 64.0,
    ) -> None:
        super().__init__()
        self.n_frames = n_frames
        self.backbone = ResNet18(None, in_channels=1, n_frames=None if n_frames == 1 else n_frames)
        self.branch = AttentionBranch(n_classes) if abn else None
        self.head: nn.Module = _ArcFaceHead(n_classes, margin, scale) if arcface else nn.Linear(512, n_classes)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Return logits, the 512 pooled features, and with an attention branch what it gives.

        Parameters
        ----------
        inputs : float32 tensor of shape (n, n_frames, height, width), values 0..255

        Returns
        -------
        dict of str -> tensor
            "logits" (n, n_classes), without a margin; "embedding" (n, 512); and with an attention branch "attention"
            (n, height / 16, width / 16), rounded up, values 0..1, and "attention_logits" (n, n_classes).
        """
        scaled = inputs / 127.5 - 1
        maps = self.backbone.middle(scaled if self.n_frames == 1 else scaled[:, None])
        outputs = {}
        if self.branch is not None:
            outputs["attention_logits"], outputs["attention"] = self.branch(maps)
            maps = apply_attention(maps, outputs["attention"])
        embedding = self.backbone.pooled(self.backbone.layer4(maps))
        return {"logits": self.head(embedding), "embedding": embedding, **outputs}

    def losses(self, outputs: dict[str, Tensor], codes: Tensor, weights: Tensor, domain: Tensor) -> dict[str, Tensor]:
        """Return the cross-entropy "class", with ArcFace's margin where it is on, and the branch's, "attention"."""
        logits = outputs["logits"]
        if isinstance(self.head, _ArcFaceHead) and self.training:
            logits = self.head(outputs["embedding"], codes)
        if self.branch is None:
            return {"class": weighted_cross_entropy(logits, codes, weights)}
        return attention_branch_losses(logits, outputs["attention_logits"], codes, weights)


class HataClassifier(NetworkClassifier):
    """ResNet-18 with switches, on the apex frame or on onset, middle and apex.

    Parameters
    ----------
    abn : bool
        Attention branch network: features are multiplied by 1 + a map of where to look, and the branch has a loss of
        its own.
    arcface : bool
        ArcFace: the classes are told by angles, those of the training clips widened by `margin`.
    finetune : bool
        Train on the auxiliary clips (rows of `domain` 1, the macro-expressions) for `pretrain_epochs`, then on the own
        clips alone for `epochs`. With False, auxiliary clips are left out: the paper's other conditions have none.
    pretrain_epochs : int >= 1
    margin : float in [0, pi), in radians
        ArcFace's.
    scale : float > 0
        ArcFace's: what the cosines are multiplied by.
    epochs, lr, batch_size, weight_decay, class_weight, patience, device, precision, random_state
        See `microexpr.deep.classifier.NetworkClassifier`.

    Notes
    -----
    X is of shape (n_clips, 1 or 3, height, width), uint8, as `microexpr.features.Stills` gives it in grey. One frame
    has a first layer of two dimensions, three one of three dimensions without padding in time.

    Plain gradient descent at 1e-3, batches of 16, 100 epochs; each training clip comes ten times an epoch, turned,
    mirrored and its contrast changed anew each time.

    `attention` gives the branch's map, at a sixteenth of the frames' size, rounded up.

    When the network is fine-tuned, all that it learned of macro-expressions goes on; only where their classes are
    others, the layers that mean classes begin anew. `patience` stops the second training alone.

    Where [1]_ is silent, these are ours: the depth of the ResNet (18, at random), turns of up to 10 degrees, half of
    the clips mirrored, contrast changed by up to a fifth, no momentum, grey 0..255 scaled to -1..1, as many epochs on
    the macro-expressions as on the own clips, and ArcFace's margin .5 and scale 64, those of its authors. The attention
    branch is [2]_'s: after the third layer of blocks, a residual layer, batch norm, a map for each class, and of them
    one map by a convolution 1x1, batch norm and sigmoid; 1 + map weights the features, so that nothing is lost.

    Differs from [1]_ in: the tenfold clips are drawn anew in each epoch, not once.

    References
    ----------
    .. [1] K. Hata, T. Hirose, H. Takano, "Performance evaluation of micro-expression recognition with various network
       design variations in deep learning".
    .. [2] H. Fukui, T. Hirakawa, T. Yamashita, H. Fujiyoshi, "Attention branch network: learning of attention mechanism
       for visual explanation", CVPR, 2019.
    .. [3] J. Deng, J. Guo, N. Xue, S. Zafeiriou, "ArcFace: additive angular margin loss for deep face recognition",
       CVPR, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> apexes = np.random.default_rng(0).integers(0, 256, (4, 1, 32, 32)).astype(np.uint8)
    >>> model = HataClassifier(epochs=1, random_state=0).fit(apexes, ["negative", "positive"] * 2)
    >>> model.attention(apexes).shape
    (4, 2, 2)
    """

    version = 1
    INPUT_SHAPE = (3, 112, 112)

    _OPTIMIZER: ClassVar[type[torch.optim.Optimizer]] = torch.optim.SGD
    _COPIES: ClassVar[int] = 10

    def __init__(
        self,
        abn: bool = True,
        arcface: bool = False,
        finetune: bool = False,
        pretrain_epochs: int = 100,
        margin: float = 0.5,
        scale: float = 64.0,
        epochs: int = 100,
        lr: float = 1e-3,
        batch_size: int = 16,
        weight_decay: float = 0.0,
        class_weight: str | None = None,
        patience: int | None = None,
        device: str = "auto",
        precision: str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.abn = abn
        self.arcface = arcface
        self.finetune = finetune
        self.pretrain_epochs = pretrain_epochs
        self.margin = margin
        self.scale = scale
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
        for name in ("abn", "arcface", "finetune"):
            check_choice(getattr(self, name), name, (False, True))
        check_int(self.pretrain_epochs, "pretrain_epochs", minimum=1)
        if check_float(self.margin, "margin", minimum=0.0) >= math.pi:
            raise ParameterError(f"margin is {self.margin!r}: it must be below pi")
        if check_float(self.scale, "scale", minimum=0.0) == 0:
            raise ParameterError("scale is 0: it must be above 0")

    def fit_epochs(self, X: object, y: object, groups: object = None, domain: object = None) -> Iterator[Self]:
        """Train as the base does; with `finetune`, the epochs yielded are those on the own clips.

        Raises
        ------
        ParameterError, DataError, MicroexprError
            As `fit`; with `finetune` also where there are no auxiliary clips, or none but auxiliary ones.
        """
        self.check_params()
        if domain is None and not self.finetune:
            yield from super().fit_epochs(X, y, groups)
            return
        rows = self._checked_rows(X)
        labels = check_beside(y, "y", len(rows))
        domains = check_domain(domain, len(rows))
        subjects = None if groups is None else check_beside(groups, "groups", len(rows))
        macro = np.zeros(len(rows), bool) if domains is None else domains == 1
        if self.finetune and not macro.any():
            raise ParameterError("finetune is True: it needs auxiliary clips, rows of domain 1 in fit")
        if macro.all():
            raise DataError("domain is 1 of all clips: own clips, rows of domain 0, are what it trains on")
        if self.finetune:
            self._start = self._learned(rows[macro], labels[macro], np.unique(labels[~macro]))
        own_subjects = None if subjects is None else subjects[~macro]
        try:
            for fitted in super().fit_epochs(rows[~macro], labels[~macro], own_subjects):
                # They are in the network by now, and no part of what is fitted.
                self.__dict__.pop("_start", None)
                yield fitted
        finally:
            self.__dict__.pop("_start", None)

    def _learned(self, rows: np.ndarray, labels: np.ndarray, own_classes: np.ndarray) -> dict[str, Tensor]:
        """Return the weights after training on macro-expressions, without those of classes that are not the own."""
        first = clone(self).set_params(finetune=False, epochs=self.pretrain_epochs, patience=None)
        state = first.fit(rows, labels).network_.state_dict()
        if np.array_equal(first.classes_, own_classes):
            return state
        return {name: value for name, value in state.items() if not name.startswith(HataNet.of_classes)}

    def _network(self, input_shape: tuple[int, ...], n_classes: int) -> Network:
        network = HataNet(
            n_classes,
            input_shape[0],
            abn=self.abn,
            arcface=self.arcface,
            margin=self.margin,
            scale=self.scale,
        )
        if start := getattr(self, "_start", None):
            network.load_state_dict({**network.state_dict(), **start})
        return network

    def _shape(self, X: np.ndarray) -> np.ndarray:
        if X.ndim != 4 or X.shape[1] not in (1, 3) or min(X.shape[2:]) < _SMALLEST_SIZE:
            raise DataError(
                f"X has shape {X.shape}: it must be grey frames, (n_clips, 1 or 3, height, width) of 28 x 28 or more"
            )
        return X

    def _augment(self, inputs: Tensor) -> Tensor:
        return jitter(flip(rotate(inputs, _DEGREES)), contrast=_CONTRAST)
