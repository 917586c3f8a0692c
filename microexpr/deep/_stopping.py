"""Early stopping: which training subjects are held out for it, and when a training has had enough."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from microexpr.core.training import check_groups, subject_folds

_PURPOSE = "early stopping"
# Of five folds of subjects, one is held out to stop on.
_FOLDS = 5


def hold_out(
    labels: np.ndarray, subjects: np.ndarray | None, domains: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of clips to train on and of those to stop on, no subject in both."""
    subjects = check_groups(subjects, len(labels), _PURPOSE)
    train, held_out = subject_folds(labels, subjects, _FOLDS, _PURPOSE, domains)[0]
    return train, held_out


class Best:
    """The epoch at which the held-out training subjects' loss was least, and the weights then."""

    def __init__(self) -> None:
        self.epoch = 0
        self.loss = float("inf")
        self.seen = 0
        self.state: dict[str, Tensor] | None = None

    def see(self, losses: Sequence[float], network: nn.Module) -> None:
        """Look at the held-out losses of all epochs so far, and at the network after the last."""
        self.seen = len(losses)
        if losses[-1] < self.loss:
            self.loss, self.epoch = losses[-1], len(losses)
            self.state = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}

    def is_over(self, patience: int | None) -> bool:
        """Whether the loss has not fallen for `patience` epochs; never, for None."""
        return patience is not None and self.state is not None and self.seen - self.epoch >= patience
