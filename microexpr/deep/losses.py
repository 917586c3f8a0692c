"""What networks minimise beside cross-entropy: reversed gradients, angular margins, an attention branch's share."""

__all__ = ["apply_attention", "arcface_logits", "attention_branch_losses", "gradient_reversal"]

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from microexpr.deep.network import weighted_cross_entropy

# Below this, sin theta is taken as this: its derivative is infinite at 0.
_SMALLEST_SINE = 1e-6


def gradient_reversal(features: Tensor, strength: float) -> Tensor:
    """Return the features unchanged; their gradient comes back multiplied by -strength.

    What follows learns to minimise its loss, and what gave the features learns to maximise it.

    Parameters
    ----------
    features : float tensor of any shape
    strength : float >= 0

    Returns
    -------
    float tensor of the features' shape

    References
    ----------
    .. [1] Y. Ganin, E. Ustinova, H. Ajakan, P. Germain, H. Larochelle, F. Laviolette, M. Marchand, V. Lempitsky,
       "Domain-adversarial training of neural networks", JMLR, 2016.

    Examples
    --------
    >>> import torch
    >>> features = torch.ones(2, requires_grad=True)
    >>> gradient_reversal(features, 0.5).sum().backward()
    >>> features.grad
    tensor([-0.5000, -0.5000])
    """
    return _Reversal.apply(features, strength)


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, features: Tensor, strength: float) -> Tensor:
        context.strength = strength
        return features.view_as(features)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -context.strength * gradients[0], None


def arcface_logits(
    embedding: Tensor, weight: Tensor, codes: Tensor | None = None, *, margin: float = 0.5, scale: float = 64.0
) -> Tensor:
    """Return scale * cos(theta), with theta the angle between embedding and class, widened for the true class.

    For the true class it is scale * cos(theta + margin). Where theta + margin exceeds pi, the cosine would rise again:
    there it is scale * (cos(theta) - margin * sin(margin)), which goes on falling.

    Parameters
    ----------
    embedding : float tensor of shape (n, n_features)
    weight : float tensor of shape (n_classes, n_features)
        Each class's direction; its length does not count, nor does the embedding's.
    codes : int64 tensor of shape (n,) or None
        The true classes; None, as when predicting, widens no angle.
    margin : float in [0, pi), in radians
    scale : float > 0

    Returns
    -------
    float tensor of shape (n, n_classes)

    References
    ----------
    .. [1] J. Deng, J. Guo, N. Xue, S. Zafeiriou, "ArcFace: additive angular margin loss for deep face recognition",
       CVPR, 2019.

    Examples
    --------
    >>> import torch
    >>> directions = torch.eye(2)
    >>> arcface_logits(torch.tensor([[3.0, 0.0]]), directions, scale=10.0)
    tensor([[10.,  0.]])
    >>> arcface_logits(torch.tensor([[3.0, 0.0]]), directions, torch.tensor([0]), scale=10.0)
    tensor([[8.7758, 0.0000]])
    """
    cosines = F.linear(F.normalize(embedding), F.normalize(weight))
    if codes is None:
        return scale * cosines
    chosen = codes[:, None]
    cosine = cosines.gather(1, chosen)
    sine = (1 - cosine.square()).clamp(min=_SMALLEST_SINE**2).sqrt()
    widened = cosine * math.cos(margin) - sine * math.sin(margin)
    beyond = cosine <= math.cos(math.pi - margin)
    return scale * cosines.scatter(1, chosen, torch.where(beyond, cosine - margin * math.sin(margin), widened))


def apply_attention(features: Tensor, attention: Tensor) -> Tensor:
    """Return features * (1 + attention): what is attended to counts up to twice, and nothing is lost.

    Parameters
    ----------
    features : float tensor of shape (n, channels, rows, columns)
    attention : float tensor of shape (n, rows, columns), values 0..1

    Returns
    -------
    float tensor of the features' shape

    References
    ----------
    .. [1] H. Fukui, T. Hirakawa, T. Yamashita, H. Fujiyoshi, "Attention branch network: learning of attention
       mechanism for visual explanation", CVPR, 2019.
    """
    return features * (1 + attention[:, None])


def attention_branch_losses(
    logits: Tensor, attention_logits: Tensor, codes: Tensor, weights: Tensor
) -> dict[str, Tensor]:
    """Return the cross-entropies of the perception branch ("class") and of the attention branch ("attention").

    Parameters
    ----------
    logits, attention_logits : float tensor of shape (n, n_classes)
    codes : int64 tensor of shape (n,), the classes
    weights : float tensor of shape (n,), that of each clip

    References
    ----------
    .. [1] H. Fukui, T. Hirakawa, T. Yamashita, H. Fujiyoshi, "Attention branch network: learning of attention
       mechanism for visual explanation", CVPR, 2019.
    """
    return {
        "class": weighted_cross_entropy(logits, codes, weights),
        "attention": weighted_cross_entropy(attention_logits, codes, weights),
    }
