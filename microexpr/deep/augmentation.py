"""Random changes of training batches: a whole batch at once, each clip by numbers of its own.

The numbers are drawn on the CPU from torch's generator, so that a seed changes the clips alike on every device.
"""

__all__ = ["flip", "flip_flow", "jitter", "random_crop", "rotate", "shift"]

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from microexpr.core.checks import check_float, check_int
from microexpr.core.errors import DataError


def rotate(batch: Tensor, degrees: float) -> Tensor:
    """Turn each clip about its centre by an angle drawn from [-degrees, degrees], interpolating linearly.

    Parameters
    ----------
    batch : float tensor of shape (n, channels, height, width)
    degrees : float in [0, 180]

    Returns
    -------
    float tensor of the batch's shape

    Raises
    ------
    ParameterError
        If `degrees` is out of bounds.
    DataError
        If the batch has another shape or is not of floats.

    Notes
    -----
    What comes from outside the picture is the nearest edge: in a flow map, black corners would be motion. The vectors
    of a flow map move with their pixels and keep their directions, as those of an image's colours do.
    """
    _check_batch(batch)
    check_float(degrees, "degrees", minimum=0.0, maximum=180.0)
    height, width = batch.shape[2:]
    angles = _drawn(batch, -math.radians(degrees), math.radians(degrees))
    cos, sin, none = torch.cos(angles), torch.sin(angles), torch.zeros_like(angles)
    # affine_grid counts half widths and half heights: without the ratios a picture that is not square would shear.
    across = torch.stack([cos, -sin * (height / width), none], dim=1)
    down = torch.stack([sin * (width / height), cos, none], dim=1)
    grid = F.affine_grid(torch.stack([across, down], dim=1), list(batch.shape), align_corners=False)
    return F.grid_sample(batch, grid, mode="bilinear", padding_mode="border", align_corners=False)


def jitter(batch: Tensor, *, brightness: float = 0.0, contrast: float = 0.0) -> Tensor:
    """Change each clip's brightness, then its contrast: b x, then m + c (b x - m) with m the clip's mean of b x.

    b is drawn from [1 - brightness, 1 + brightness] and c from [1 - contrast, 1 + contrast]; values are cut to 0..255
    after each of the two.

    Parameters
    ----------
    batch : float tensor of shape (n, channels, height, width), values 0..255
    brightness, contrast : float in [0, 1]

    Returns
    -------
    float tensor of the batch's shape, values 0..255

    Raises
    ------
    ParameterError
        If `brightness` or `contrast` is out of bounds.
    DataError
        If the batch has another shape or is not of floats.

    Notes
    -----
    Saturation and hue are left alone. They mix the three colours of a pixel, and the channels here are no colours:
    turning the hue of a flow map would make vertical motion of horizontal one.
    """
    _check_batch(batch)
    for value, name in ((brightness, "brightness"), (contrast, "contrast")):
        check_float(value, name, minimum=0.0, maximum=1.0)
    brighter = (batch * _each(_drawn(batch, 1 - brightness, 1 + brightness))).clamp(0, 255)
    mean = brighter.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean, brighter, _each(_drawn(batch, 1 - contrast, 1 + contrast))).clamp(0, 255)


def random_crop(batch: Tensor, ratio: float) -> Tensor:
    """Enlarge each clip `ratio` times, linearly, and cut its own size back out of it at a place drawn at random.

    Parameters
    ----------
    batch : float tensor of shape (n, channels, height, width)
    ratio : float >= 1
        8 / 7 is the usual crop of 224 x 224 out of 256 x 256.

    Returns
    -------
    float tensor of the batch's shape

    Raises
    ------
    ParameterError
        If `ratio` is below 1.
    DataError
        If the batch has another shape or is not of floats.
    """
    _check_batch(batch)
    check_float(ratio, "ratio", minimum=1.0)
    height, width = batch.shape[2:]
    larger = (round(height * ratio), round(width * ratio))
    enlarged = F.interpolate(batch, larger, mode="bilinear", align_corners=False)
    rows = _window(batch, height, larger[0])
    columns = _window(batch, width, larger[1])
    return _taken(enlarged, rows, columns)


def shift(batch: Tensor, pixels: int) -> Tensor:
    """Move each clip down and to the right by whole pixels, each number drawn from -pixels, ..., pixels.

    Parameters
    ----------
    batch : float tensor of shape (n, channels, height, width)
    pixels : int >= 0

    Returns
    -------
    float tensor of the batch's shape

    Raises
    ------
    ParameterError
        If `pixels` is out of bounds.
    DataError
        If the batch has another shape or is not of floats.

    Notes
    -----
    What comes from outside the picture is the nearest edge, as in `rotate`.
    """
    _check_batch(batch)
    check_int(pixels, "pixels", minimum=0)
    height, width = batch.shape[2:]
    return _taken(batch, _moved(batch, height, pixels), _moved(batch, width, pixels))


def flip(batch: Tensor, share: float = 0.5) -> Tensor:
    """Mirror each clip left to right with probability `share`.

    Parameters
    ----------
    batch : float tensor of shape (n, channels, height, width)
    share : float in [0, 1]

    Returns
    -------
    float tensor of the batch's shape

    Raises
    ------
    ParameterError
        If `share` is out of bounds.
    DataError
        If the batch has another shape or is not of floats.
    """
    _check_batch(batch)
    return _mirror(batch, batch.flip(-1), share)


def flip_flow(batch: Tensor, share: float = 0.5) -> Tensor:
    """Mirror each flow map left to right with probability `share`; what moved left then moves right.

    Parameters
    ----------
    batch : float tensor of shape (n, channels, height, width), values 0..255
        Channel 0 is the horizontal motion u; its mirror image is 255 - u.
    share : float in [0, 1]

    Returns
    -------
    float tensor of the batch's shape, values 0..255

    Raises
    ------
    ParameterError
        If `share` is out of bounds.
    DataError
        If the batch has another shape or is not of floats.
    """
    _check_batch(batch)
    mirrored = batch.flip(-1)
    return _mirror(batch, torch.cat([255 - mirrored[:, :1], mirrored[:, 1:]], dim=1), share)


def _mirror(batch: Tensor, mirrored: Tensor, share: float) -> Tensor:
    check_float(share, "share", minimum=0.0, maximum=1.0)
    return torch.where(_each(_drawn(batch, 0.0, 1.0) < share), mirrored, batch)


def _drawn(batch: Tensor, low: float, high: float) -> Tensor:
    """Return a number of [low, high) for each clip."""
    return (low + (high - low) * torch.rand(len(batch))).to(batch.device)


def _each(values: Tensor) -> Tensor:
    """Lay one value for each clip out beside the batch."""
    return values[:, None, None, None]


def _window(batch: Tensor, size: int, larger: int) -> Tensor:
    """Return for each clip the positions of `size` neighbours among `larger`, from a place drawn at random."""
    starts = torch.randint(larger - size + 1, (len(batch), 1))
    return (starts + torch.arange(size)).to(batch.device)


def _moved(batch: Tensor, size: int, pixels: int) -> Tensor:
    """Return for each clip which of `size` positions each one shows after a move; beyond the edge, the edge."""
    moves = torch.randint(-pixels, pixels + 1, (len(batch), 1))
    return (torch.arange(size) - moves).clamp(0, size - 1).to(batch.device)


def _taken(batch: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return of each clip the given rows and columns."""
    clips = torch.arange(len(batch), device=batch.device)[:, None, None, None]
    channels = torch.arange(batch.shape[1], device=batch.device)[None, :, None, None]
    return batch[clips, channels, rows[:, None, :, None], columns[:, None, None, :]]


def _check_batch(batch: Tensor) -> None:
    if batch.ndim != 4 or not batch.is_floating_point():
        raise DataError(
            f"batch is {batch.dtype} of shape {tuple(batch.shape)}: it must be floats of (n, channels, height, width)"
        )
