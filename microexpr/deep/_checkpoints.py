"""The state of a training after an epoch, kept so that a killed one goes on: tensors and JSON, never a pickle."""

import contextlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from microexpr.core.atomic import write_atomic
from microexpr.core.errors import ResultsError

# A checkpoint of a small network takes longer to write than its epoch takes to compute.
_SECONDS_BETWEEN = 5.0


class Checkpoint:
    """One training's file.

    Parameters
    ----------
    path : path or None
        None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._written = time.monotonic()

    def read(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the tensors and facts kept, or None where there is no sound file."""
        if self.path is None or not self.path.exists():
            return None
        try:
            tensors = load_file(self.path)
            facts = json.loads(bytes(tensors.pop("facts").tolist()))
        except (SafetensorError, OSError, KeyError, ValueError):
            return None
        return tensors, facts

    @property
    def is_due(self) -> bool:
        """Whether there is a file to keep, and the state in it is older than five seconds."""
        return self.path is not None and time.monotonic() - self._written >= _SECONDS_BETWEEN

    def write(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Keep the state of an epoch; where it cannot be written, a kill costs the epochs so far and nothing else."""
        if self.path is None:
            return
        text = torch.tensor(list(json.dumps(facts).encode()), dtype=torch.uint8)
        content = save({**{name: value.contiguous() for name, value in tensors.items()}, "facts": text})
        with contextlib.suppress(ResultsError):
            write_atomic(self.path, content)
        self._written = time.monotonic()

    def forget(self) -> None:
        """Remove the file of a training that is over."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimizer's state as tensors named `optimizer.<parameter>.<name>`."""
    return {
        f"optimizer.{number}.{name}": value
        for number, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
        if value is not None
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give the optimizer back what `optimizer_tensors` returned; its settings are those that it has."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, number, key = name.split(".", 2)
            state.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return those of the tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
