"""Random numbers of a training's own: nothing outside it draws from them or is changed by them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from microexpr.deep._checkpoints import part

#: The largest seed of a training; the smallest is 0.
MAX_SEED = 2**32 - 1


class Generator:
    """A stream of torch's random numbers on the CPU and, where the training runs on one, on its GPU."""

    def __init__(self, seed: int, device: torch.device) -> None:
        # Of no other device: asking for its generator would start it, in the process of every fold.
        self._gpus = [torch.cuda.current_device()] if device.type == "cuda" else []
        with torch.random.fork_rng(self._gpus):
            torch.manual_seed(seed)
            self._states = self._current()

    @contextmanager
    def used(self) -> Iterator[None]:
        """Draw from this stream inside the block."""
        with torch.random.fork_rng(self._gpus):
            torch.set_rng_state(self._states[0])
            for gpu, state in zip(self._gpus, self._states[1:], strict=True):
                torch.cuda.set_rng_state(state, gpu)
            try:
                yield
            finally:
                self._states = self._current()

    def tensors(self) -> dict[str, Tensor]:
        """Return the stream's state by name, for a checkpoint."""
        return {f"generator.{number}": state for number, state in enumerate(self._states)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint's state."""
        kept = part(tensors, "generator.")
        # A fold begun on a GPU may go on without one, or the other way round: what both have is taken up.
        self._states = [kept.get(str(number), state) for number, state in enumerate(self._states)]

    def _current(self) -> list[Tensor]:
        return [torch.get_rng_state(), *(torch.cuda.get_rng_state(gpu) for gpu in self._gpus)]


@contextmanager
def own_generator() -> Iterator[None]:
    """Leave the random numbers on the CPU as they were."""
    with torch.random.fork_rng([]):
        yield
