"""ResNet-18, with the parameter names of the ImageNet checkpoint that everybody has."""

__all__ = ["BasicBlock", "ResNet18", "initialise", "load_imagenet", "residual_layer"]

import torch
from torch import Tensor, nn

from microexpr.core.checks import check_int
from microexpr.core.errors import DataError
from microexpr.deep.weights import check_weights, read_weights

_COUNTER = "num_batches_tracked"


class BasicBlock(nn.Module):
    """Two convolutions 3x3 beside a shortcut: relu(bn(conv(relu(bn(conv(x))))) + shortcut(x)).

    Parameters
    ----------
    n_inputs, n_outputs : int, channels
    stride : int
        Of the first convolution and the shortcut. The shortcut is a convolution 1x1 with batch norm where stride or
        channels change, and x itself elsewhere.
    """

    def __init__(self, n_inputs: int, n_outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_inputs, n_outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(n_outputs, n_outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or n_inputs != n_outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(n_inputs, n_outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(n_outputs)
            )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the block's maps, (n, n_outputs, rows / stride, columns / stride)."""
        shortcut = inputs if self.downsample is None else self.downsample(inputs)
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(inputs))))) + shortcut)


def residual_layer(n_inputs: int, n_outputs: int, stride: int) -> nn.Sequential:
    """Return two blocks, the first of which changes channels and stride."""
    return nn.Sequential(BasicBlock(n_inputs, n_outputs, stride), BasicBlock(n_outputs, n_outputs))


def initialise(network: nn.Module) -> None:
    """Draw the convolutions' weights from N(0, 2 / fan out); batch norms begin with weight 1 and bias 0."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Conv3d)):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


class ResNet18(nn.Module):
    """Eighteen layers with weights: convolution 7x7, four layers of two residual blocks, average pool, classes.

    Parameters
    ----------
    n_classes : int >= 1 or None
        None leaves the classification layer `fc` out: a backbone.
    in_channels : int >= 1
        Channels of the pictures.
    n_frames : int >= 1 or None
        A number makes the first layer three-dimensional: kernel (n_frames, 7, 7), stride (1, 2, 2), padding (0, 3, 3),
        so that it spans the whole time, of which one step remains and is dropped.

    Raises
    ------
    ParameterError
        If a number is no integer or below 1.

    Notes
    -----
    The names of the parameters are torchvision's: 122 with the counters of the batch norms. With 3 channels and 1000
    classes there are 11,689,512 parameters.

    A first layer that spans all frames computes what one of two dimensions would with the frames as channels; what
    differs is how its weights are drawn, because its fan out counts the frames.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR, 2016.

    Examples
    --------
    >>> import torch
    >>> network = ResNet18(None)
    >>> network.features(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 512, 7, 7])
    """

    def __init__(self, n_classes: int | None = 1000, *, in_channels: int = 3, n_frames: int | None = None) -> None:
        super().__init__()
        check_int(in_channels, "in_channels", minimum=1)
        self.conv1: nn.Conv2d | nn.Conv3d
        if n_frames is None:
            self.conv1 = nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False)
        else:
            kernel = (check_int(n_frames, "n_frames", minimum=1), 7, 7)
            self.conv1 = nn.Conv3d(in_channels, 64, kernel, stride=(1, 2, 2), padding=(0, 3, 3), bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = residual_layer(64, 64, 1)
        self.layer2 = residual_layer(64, 128, 2)
        self.layer3 = residual_layer(128, 256, 2)
        self.layer4 = residual_layer(256, 512, 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        if n_classes is not None:
            self.fc = nn.Linear(512, check_int(n_classes, "n_classes", minimum=1))
        initialise(self)

    def middle(self, inputs: Tensor) -> Tensor:
        """Return what `layer3` gives, (n, 256, height / 16, width / 16), rounded up.

        Parameters
        ----------
        inputs : float32 tensor of shape (n, in_channels, height, width), or (n, in_channels, n_frames, height, width)
            for a three-dimensional first layer
        """
        first = self.conv1(inputs)
        if isinstance(self.conv1, nn.Conv3d):
            first = first.squeeze(2)
        return self.layer3(self.layer2(self.layer1(self.maxpool(self.relu(self.bn1(first))))))

    def features(self, inputs: Tensor) -> Tensor:
        """Return the last maps, those of `layer4`, (n, 512, height / 32, width / 32), rounded up."""
        return self.layer4(self.middle(inputs))

    def pooled(self, maps: Tensor) -> Tensor:
        """Return the mean of each of the last maps, (n, 512)."""
        return self.avgpool(maps).flatten(1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the classes' logits, (n, n_classes), or of a backbone the pooled features, (n, 512)."""
        pooled = self.pooled(self.features(inputs))
        return self.fc(pooled) if hasattr(self, "fc") else pooled


def load_imagenet(backbone: ResNet18, path: str) -> None:
    """Give a backbone the weights of torchvision's ResNet-18, trained on ImageNet.

    The file must hold exactly that network: all 122 names and shapes, the 1000 classes included, or all but the
    counters of the batch norms, which files of before 2018 do not have. The classification layer is then dropped;
    if the backbone has one, it keeps its own weights.

    Parameters
    ----------
    backbone : ResNet18
        With 3 channels and a first layer of two dimensions.
    path : str
        A .pth file of torchvision's, or the same in .safetensors.

    Raises
    ------
    DataError
        If the backbone's first layer is another, or the file is missing, no file of weights, or of another network
        (the first name that is missing, unknown or of another shape is told). Code in a pickle is never run.
    """
    shape = tuple(backbone.conv1.weight.shape)
    if shape != (64, 3, 7, 7):
        raise DataError(f"the first layer has weights of shape {shape}: those of ImageNet fit (64, 3, 7, 7)")
    weights = read_weights(path)
    with torch.device("meta"):
        expected = ResNet18().state_dict()
    counters = {name for name in expected if name.endswith(_COUNTER)}
    if not counters & weights.keys():
        weights |= dict.fromkeys(counters, torch.tensor(0))
    check_weights(weights, expected, path)
    backbone.load_state_dict(
        {name: value for name, value in weights.items() if not name.startswith("fc.")},
        strict=not hasattr(backbone, "fc"),
    )
