"""Where a network computes: the device, its number formats and layout, and what goes wrong there."""

__all__ = [
    "DEVICES",
    "PRECISIONS",
    "autocast",
    "channels_last",
    "choose_device",
    "gpu_errors",
    "keep_freed_memory",
    "one_cpu_thread",
    "resolved_precision",
]

import ctypes
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import nn

from microexpr.core.checks import check_choice
from microexpr.core.errors import MicroexprError, ParameterError

# glibc's names for what mallopt sets.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16")


def choose_device(device: str) -> torch.device:
    """Return the device that `device` names; "auto" is CUDA, else MPS, else the CPU.

    Raises
    ------
    ParameterError
        If the name is unknown, or names a device that this machine does not have.
    """
    check_choice(device, "device", DEVICES)
    if device == "cpu":
        return torch.device("cpu")
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if device == "auto":
        return torch.device("cuda" if has_cuda else "mps" if has_mps else "cpu")
    if not (has_cuda if device == "cuda" else has_mps):
        reason = "no GPU that this PyTorch can use" if device == "cuda" else "no Apple GPU that this PyTorch can use"
        raise ParameterError(f"device is {device!r}: there is {reason}; device='cpu' or 'auto' works everywhere")
    return torch.device(device)


def resolved_precision(device: torch.device, precision: str) -> str:
    """Return "float32" or "bfloat16"; "auto" is bfloat16 on CUDA and float32 elsewhere."""
    check_choice(precision, "precision", PRECISIONS)
    if precision == "auto":
        return "bfloat16" if device.type == "cuda" else "float32"
    return precision


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Return the context in which a network's forward pass runs; see `resolved_precision`."""
    if resolved_precision(device, precision) == "bfloat16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def channels_last(item: Any) -> Any:
    """Lay 4-D tensors out as (n, rows, columns, channels): the same numbers, mostly faster, on small maps slower."""
    if isinstance(item, nn.Module):
        # Weight by weight: a module as a whole refuses where some are of 3-D convolutions.
        for weight in item.parameters():
            weight.data = channels_last(weight.data)
        return item
    return item.contiguous(memory_format=torch.channels_last) if item.ndim == 4 else item


@cache
def keep_freed_memory() -> None:
    """Have glibc keep freed blocks of up to 32 MiB for this process instead of returning each to the system.

    A training step allocates the same blocks as the one before. Got anew from the system, their pages are cleared and
    mapped in every step, which takes a sixth of the time of STSTNet's. Elsewhere than under glibc this does nothing.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 32 * 2**20)
        mallopt(_M_TRIM_THRESHOLD, 256 * 2**20)


@contextmanager
def one_cpu_thread() -> Iterator[None]:
    """Compute with one thread: folds run side by side in processes, and sums in one order give the same numbers."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def gpu_errors(batch_size: int) -> Iterator[None]:
    """Turn running out of the device's memory into one line that says which batch size to try."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        smaller = max(batch_size // 2, 1)
        advice = f"try batch_size={smaller}" if smaller < batch_size else "the network needs a GPU with more memory"
        raise MicroexprError(f"out of GPU memory at batch_size {batch_size}; {advice}") from error
