"""Where a network looks: Grad-CAM maps of the clips' classes."""

__all__ = ["grad_cam"]

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from microexpr.core.errors import DataError, ParameterError
from microexpr.deep.network import Network


def grad_cam(network: Network, inputs: Tensor, codes: Tensor) -> Tensor:
    """Compute how much each place of the feature maps speaks for a class.

    With A_k the k-th feature map of `network.attention_layer` and y_c the logit of the class,
    w_k = mean over the places of dy_c / dA_k and M = ReLU(sum_k w_k A_k), divided by the maximum of M.

    Parameters
    ----------
    network : Network
        Is left as it was: parameters, gradients, buffers, and the mode of each submodule.
    inputs : tensor of shape (n, ...), as `forward` takes them, on the network's device
    codes : int64 tensor of shape (n,), in [0, n_classes)
        The class asked about, one for each clip.

    Returns
    -------
    float32 tensor of shape (n, rows, columns), in [0, 1], on that device
        At the resolution of the feature maps. The maximum of a map is 1, unless nothing speaks for the class: then the
        map is 0 everywhere.

    Raises
    ------
    ParameterError
        If the network names no attention layer, or one that it does not have.
    DataError
        If `codes` do not fit the inputs or the classes, or the layer does not give one feature map of shape
        (n, channels[, time], rows, columns) in a pass.

    Notes
    -----
    The network computes in evaluation mode, so a clip's map does not depend on the others in the batch.

    Differs from [1]_ in: feature maps with a time axis, of which the paper has none. There the places of the mean are
    those of time, rows and columns, and M is averaged over time before it is divided.

    References
    ----------
    .. [1] R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra, "Grad-CAM: visual explanations from
       deep networks via gradient-based localization", ICCV, 2017.

    Examples
    --------
    >>> from microexpr.deep.ststnet import STSTNet
    >>> tuple(grad_cam(STSTNet(3), torch.rand(2, 3, 28, 28), torch.tensor([0, 2])).shape)
    (2, 10, 10)
    """
    layer = _layer(network)
    seen: list[Tensor] = []

    def keep(module: nn.Module, arguments: object, output: Tensor) -> Tensor:
        # Cut off from what is before: gradients are computed down to here alone, even if all parameters are frozen.
        seen.append(output.detach().requires_grad_())
        # A copy goes on, as the next layer may write into its input.
        return seen[-1].clone()

    handle = layer.register_forward_hook(keep)
    try:
        with _evaluating(network), torch.enable_grad():
            logits = network(inputs)["logits"]
            codes = _checked_codes(codes, len(inputs), logits)
            features = _checked_features(seen, network.attention_layer, len(inputs))
            chosen = logits.gather(1, codes[:, None]).sum()
            (gradients,) = torch.autograd.grad(chosen, features)
    finally:
        handle.remove()
    places = tuple(range(2, features.ndim))
    weights = gradients.float().mean(dim=places, keepdim=True)
    maps = (weights * features.detach().float()).sum(dim=1).relu()
    if maps.ndim == 4:
        maps = maps.mean(dim=1)
    largest = maps.amax(dim=(1, 2), keepdim=True)
    return maps / largest.where(largest > 0, 1.0)


def _layer(network: Network) -> nn.Module:
    name = network.attention_layer
    if not name:
        raise ParameterError(f"{type(network).__name__} has no attention_layer: it has no feature maps to look at")
    try:
        return network.get_submodule(name)
    except AttributeError:
        raise ParameterError(
            f"attention_layer is {name!r}: {type(network).__name__} has no submodule of that name"
        ) from None


def _checked_codes(codes: Tensor, n_clips: int, logits: Tensor) -> Tensor:
    n_classes = logits.shape[1]
    if codes.shape != (n_clips,) or codes.dtype != torch.int64 or bool(((codes < 0) | (codes >= n_classes)).any()):
        raise DataError(
            f"codes are {codes.dtype} of shape {tuple(codes.shape)}: they must be int64, one for each of {n_clips} "
            f"clips, in 0..{n_classes - 1}"
        )
    return codes.to(logits.device)


def _checked_features(seen: list[Tensor], name: str, n_clips: int) -> Tensor:
    shapes = [tuple(features.shape) for features in seen]
    if len(shapes) != 1 or len(shapes[0]) not in (4, 5) or shapes[0][0] != n_clips:
        raise DataError(
            f"attention_layer {name!r} gave {', '.join(map(str, shapes)) or 'nothing'} in a pass over {n_clips} clips: "
            "it must give one feature map of shape (n, channels[, time], rows, columns)"
        )
    return seen[0]


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Have the network in evaluation mode; afterwards each module, frozen ones too, has the mode that it had."""
    modes = [(module, module.training) for module in network.modules()]
    # cuDNN's recurrent layers compute no gradient in evaluation mode; PyTorch's own do.
    is_recurrent = any(isinstance(module, nn.RNNBase) for module in network.modules())
    cudnn = torch.backends.cudnn.enabled
    network.eval()
    try:
        if is_recurrent:
            torch.backends.cudnn.enabled = False
        yield
    finally:
        torch.backends.cudnn.enabled = cudnn
        for module, mode in modes:
            module.training = mode
