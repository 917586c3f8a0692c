"""The classifier around every network: what users call, what a subclass says, how it predicts and is pickled."""

__all__ = ["NetworkClassifier", "check_share"]

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from microexpr.core.checks import check_choice, check_float, check_int
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.training import check_beside, check_classes, check_domain
from microexpr.deep._looking import attention_maps
from microexpr.deep._randomness import MAX_SEED, own_generator
from microexpr.deep._stopping import hold_out
from microexpr.deep._training import Clips, train_epochs
from microexpr.deep.devices import (
    DEVICES,
    PRECISIONS,
    channels_last,
    choose_device,
    gpu_errors,
    one_cpu_thread,
    resolved_precision,
)
from microexpr.deep.network import LayerRow, Network, layer_table

# At most so many clips at a time are predicted: what they need does not grow with a data set.
_PREDICT_BATCH = 64


class NetworkClassifier(ClassifierMixin, BaseEstimator, ABC):
    """Train a network for a fixed number of epochs and classify with it.

    A subclass has explicit arguments, the ones below among them, and implements `_network` and `_shape`; `_augment`,
    `_groups_of_parameters` and `_OPTIMIZER` where its paper differs.

    Parameters
    ----------
    epochs : int >= 1
        All are run, whatever the losses do, unless `patience` is given.
    lr : float > 0
        The learning rate.
    batch_size : int >= 1, in clips
    weight_decay : float >= 0
    class_weight : None or "balanced"
        "balanced" weights each clip by n_clips / (n_classes * clips of its class).
    patience : int >= 1 or None
        None trains for `epochs`. A number holds out a fifth of the *training subjects* (a larger share where a class
        has clips of fewer than five, a single subject where no other split leaves all classes to train on), stops when
        their loss has not fallen for that many epochs, and takes the weights of the epoch at which it was least; it
        needs `groups`.
    device : {"auto", "cpu", "cuda", "mps"}
        "auto" is CUDA, else MPS, else the CPU. No part of a run's key.
    precision : {"auto", "float32", "bfloat16"}
        "auto" is bfloat16 (autocast) on CUDA and float32 elsewhere.
    random_state : int in [0, 2**32 - 1] or None
        Weights, order of the clips, dropout and augmentation. The same number gives the same predictions on a CPU.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    network_ : Network
        On the CPU, in evaluation mode.
    history_ : dict of str -> list of float
        Per epoch `train_<loss>` by name, and `valid_<loss>` with `patience`.
    n_epochs_ : int
        How many epochs the weights have seen.
    input_shape_ : tuple of int
        Shape of one clip's input.
    computed_on_ : str
        Device and precision of the training, "cpu, float32".

    Notes
    -----
    `fit` requests `groups` and `domain` by metadata routing. Rows of `domain` 1 (auxiliary clips) join the training as
    any other unless a subclass says otherwise; they never decide when to stop.

    On a CPU one thread computes: folds run side by side in processes, and sums in one order give the same numbers.
    Inside the harness the state after an epoch is kept, so that a killed fold goes on from there.
    """

    version: ClassVar[int] = 1
    __metadata_request__fit: ClassVar = {"groups": True, "domain": True}

    #: Shape of one clip's input in the method's paper, or ours where it is silent; channels first.
    INPUT_SHAPE: ClassVar[tuple[int, ...]] = ()

    #: torch.optim's class.
    _OPTIMIZER: ClassVar[type[torch.optim.Optimizer]] = torch.optim.Adam
    #: Epochs after which the learning rate is multiplied by the factor; None keeps it.
    _DECAY: ClassVar[tuple[int, float] | None] = None
    #: Largest norm of the gradient; None does not clip it.
    _CLIP: ClassVar[float | None] = None
    #: How often each training clip comes in an epoch, augmented anew each time.
    _COPIES: ClassVar[int] = 1

    epochs: int
    lr: float
    batch_size: int
    weight_decay: float
    class_weight: str | None
    patience: int | None
    device: str
    precision: str
    random_state: int | None

    # What a subclass says

    @abstractmethod
    def _network(self, input_shape: tuple[int, ...], n_classes: int) -> Network:
        """Return a new network, its weights drawn from torch's generator."""

    @abstractmethod
    def _shape(self, X: np.ndarray) -> np.ndarray:
        """Return X as (n, channels, ...), uint8 or float32; a DataError names the shape that does not fit."""

    def _prepare(self, inputs: Tensor) -> Tensor:
        """Turn a batch of `_shape`'s rows into the network's input."""
        return inputs.float()

    def _augment(self, inputs: Tensor) -> Tensor:
        """Change a training batch at random, by torch's generator."""
        return inputs

    def _groups_of_parameters(self) -> list[tuple[str, dict[str, float]]]:
        """Return (pattern of parameter names, settings of the optimizer) where they differ from the rest."""
        return []

    # What users call

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        check_int(self.epochs, "epochs", minimum=1)
        check_int(self.batch_size, "batch_size", minimum=1)
        if check_float(self.lr, "lr", minimum=0.0) == 0:
            raise ParameterError("lr is 0: it must be above 0")
        check_float(self.weight_decay, "weight_decay", minimum=0.0)
        check_choice(self.class_weight, "class_weight", (None, "balanced"))
        check_choice(self.device, "device", DEVICES)
        check_choice(self.precision, "precision", PRECISIONS)
        if self.patience is not None:
            check_int(self.patience, "patience", minimum=1)
        if self.random_state is not None:
            check_int(self.random_state, "random_state", minimum=0, maximum=MAX_SEED)

    def fit(self, X: object, y: object, groups: object = None, domain: object = None) -> Self:
        """Train on all rows.

        Parameters
        ----------
        X : ndarray of shape (n_clips, ...)
            What the classifier's clip transformer gives.
        y : array of shape (n_clips,)
        groups : array of shape (n_clips,), optional
            Subjects; needed by `patience`.
        domain : int array of shape (n_clips,), optional
            0 for own clips, 1 for auxiliary ones.

        Raises
        ------
        ParameterError
            If a parameter is not allowed, `patience` lacks `groups`, or there is no such device.
        DataError
            If X has another shape or holds NaN, y has one class, or there are too few subjects to stop early.
        MicroexprError
            If the loss is not finite (the epoch is named), or the GPU's memory is too small.
        """
        for _ in self.fit_epochs(X, y, groups, domain):
            pass
        return self

    def fit_epochs(self, X: object, y: object, groups: object = None, domain: object = None) -> Iterator[Self]:
        """Train as `fit` does, yielding the classifier after each epoch, ready to predict.

        What is done between epochs does not change the training. It is for looking at it: see
        `microexpr.pipelines.audit`.
        """
        self.check_params()
        rows = self._checked_rows(X)
        labels = np.asarray(y)
        try:
            check_classification_targets(labels)
        except ValueError as error:
            raise DataError(" ".join(str(error).split())) from None
        if labels.shape != (len(rows),):
            raise DataError(f"y has shape {labels.shape}: it must hold one label for each of {len(rows)} clips")
        self.classes_, codes = check_classes(labels)
        domains = check_domain(domain, len(rows))
        subjects = None if groups is None else check_beside(groups, "groups", len(rows))
        train, held_out = np.arange(len(labels)), None
        if self.patience is not None:
            train, held_out = hold_out(labels, subjects, domains)
        self.input_shape_ = tuple(rows.shape[1:])
        device = choose_device(self.device)
        self.computed_on_ = f"{device.type}, {resolved_precision(device, self.precision)}"
        own = np.zeros(len(rows), np.int64) if domains is None else np.asarray(domains, np.int64)
        for trained in train_epochs(self, Clips(rows, codes, own), train, held_out, device):
            self.history_ = trained.history
            self.network_ = trained.network
            self.n_epochs_ = trained.n_epochs
            yield self

    def predict_proba(self, X: object) -> np.ndarray:
        """Return the probability of each class, float64 of shape (n_clips, n_classes), each row of sum 1."""
        logits = self._run(X, "logits").astype(np.float64)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def predict(self, X: object) -> np.ndarray:
        """Return the most probable class of each clip."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def embed(self, X: object) -> np.ndarray:
        """Return what the last layer sees of each clip, float64 of shape (n_clips, n_features)."""
        return self._run(X, "embedding").astype(np.float64)

    def layers(self, input_shape: Sequence[int] | None = None, n_classes: int = 3) -> list[LayerRow]:
        """Return the layers of the network, untrained.

        Parameters
        ----------
        input_shape : sequence of int, optional
            Of one clip's input, channels first; by default the paper's.
        n_classes : int
        """
        self.check_params()
        shape = tuple(self.INPUT_SHAPE if input_shape is None else input_shape)
        with own_generator():
            network = self._network(shape, n_classes)
        prepared = self._prepare(torch.zeros(1, *shape))
        return layer_table(network, prepared.shape[1:])

    def attention(self, X: object) -> np.ndarray:
        """Return where the network looks in each clip: its own attention map, or else Grad-CAM of the predicted class.

        Returns
        -------
        float32 ndarray of shape (n_clips, rows, columns), values 0..1
            Over the network's input; at most 28 rows and columns.
        """
        check_is_fitted(self, "network_")
        rows = self._input_rows(X)
        device = choose_device(self.device)
        parts = []
        size = min(self.batch_size, _PREDICT_BATCH)
        with self._evaluating(device), one_cpu_thread(), gpu_errors(size):
            for batch in torch.from_numpy(rows).split(size):
                maps = attention_maps(self.network_, self._prepare(batch.to(device)))
                parts.append(maps.cpu())
        return np.asarray(torch.cat(parts).numpy(), np.float32)

    # How it predicts

    def _run(self, X: object, output: str) -> np.ndarray:
        """Return one of the network's outputs for each clip."""
        check_is_fitted(self, "network_")
        rows = self._input_rows(X)
        device = choose_device(self.device)
        size = min(self.batch_size, _PREDICT_BATCH)
        with self._evaluating(device), torch.inference_mode(), one_cpu_thread(), gpu_errors(size):
            parts = [
                self.network_(channels_last(self._prepare(batch.to(device))))[output].float().cpu()
                for batch in torch.from_numpy(rows).split(size)
            ]
        return np.asarray(torch.cat(parts).numpy())

    def _checked_rows(self, X: object) -> np.ndarray:
        values = np.asarray(X)
        if values.dtype.kind not in "uif" or values.ndim < 2 or len(values) == 0:
            raise DataError(f"X is {values.dtype} of shape {values.shape}: it must be numbers of shape (n_clips, ...)")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise DataError("X holds NaN or infinity")
        rows = self._shape(values)
        return np.ascontiguousarray(rows, dtype=np.uint8 if rows.dtype == np.uint8 else np.float32)

    def _input_rows(self, X: object) -> np.ndarray:
        rows = self._checked_rows(X)
        if rows.shape[1:] != self.input_shape_:
            raise DataError(f"X has clips of shape {rows.shape[1:]}: the network was fitted on {self.input_shape_}")
        # torch warns of memory that must not be written to, such as a file's that is mapped.
        return rows if rows.flags.writeable else rows.copy()

    @contextmanager
    def _evaluating(self, device: torch.device) -> Iterator[None]:
        """Have the network on the device, in evaluation mode, and leave it where it was."""
        before = next(self.network_.parameters()).device
        self.network_.eval().to(device)
        try:
            yield
        finally:
            self.network_.to(before)

    # How it is pickled

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the network's weights as arrays: the same bytes for the same network."""
        state = dict(super().__getstate__())
        if "network_" in state:
            weights = state.pop("network_").state_dict()
            state["weights_of_network"] = {name: value.cpu().contiguous().numpy() for name, value in weights.items()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        weights = state.pop("weights_of_network", None)
        super().__setstate__(state)
        if weights is not None:
            with own_generator():
                self.network_ = channels_last(self.blank_network())
            self.network_.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in weights.items()})
            self.network_.eval()

    def blank_network(self) -> Network:
        """Return a network of the fitted one's shape with weights at random, whatever it was begun from."""
        blank = clone(self)
        # A training that began from a file of weights has moved on from them; the file may be gone.
        if "weights" in blank.get_params(deep=False):
            blank.set_params(weights=None)
        return blank._network(self.input_shape_, len(self.classes_))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags


def check_share(value: object, name: str) -> float:
    """Return a share in [0, 1), such as that of a dropout; a ParameterError otherwise."""
    share = check_float(value, name, minimum=0.0)
    if share >= 1:
        raise ParameterError(f"{name} is {value!r}: it must be below 1")
    return share
