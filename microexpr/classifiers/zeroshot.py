"""Motion maps named by a network that was trained on synthetic motion alone: nothing is learned from any clip."""

__all__ = ["ZeroShotClassifier", "averaged", "prepared_maps"]

from typing import Any, Self

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from microexpr.classifiers.mapscaling import as_maps
from microexpr.core.errors import DataError, ParameterError, join_names
from microexpr.core.motionweights import GAINS, SIGMA, SIZE, MotionWeights, read_motion_weights

# Batch norm's own, torch's default.
_EPSILON = 1e-5
# Maps computed at once: what they need does not grow with a data set.
_BATCH = 64


class ZeroShotClassifier(ClassifierMixin, BaseEstimator):
    """Name motion maps by the network that comes with the package; `fit` learns nothing.

    1. Each channel of a map: minus its mean, divided by a constant, smoothed (Gaussian, sigma 1). 2. Several networks
    of three convolutions and a fully connected layer give probabilities of classes and strengths of action units. 3. So
    they do for the map's mirror image (left to right, 255 - u for u), whose left and right are then swapped; all are
    averaged. 4. A temperature makes the probabilities say how often an answer is right.

    Parameters
    ----------
    model : str or None
        The path of a file that `microexpr pretrain` wrote; None takes the one that comes with the package.

    Attributes
    ----------
    classes_ : ndarray of shape (3,)
        negative, positive, surprise.
    actions_ : tuple of str
        What `action_strengths` gives: `L12` and `R12` (the person's left and right), `25` on the midline.

    Notes
    -----
    X is of shape (n_maps, 28 * 28 * 3), values 0..255, in the order (row, column, channel), channels u, v, strain, as
    `microexpr.features.FlowMap` gives them, of a face that fills the picture: its eyes at a fifth and four fifths of
    the width and .28 of the height. Computed by NumPy: torch is not needed.

    The mirror image of a map has the same probabilities and the mirrored strengths, but for rounding errors.

    The probabilities are calibrated on synthetic maps. On real ones they are too high: see the model's card.

    Examples
    --------
    >>> import numpy as np
    >>> smile = np.zeros((28, 28, 3))
    >>> smile[18:23, 5:9, 1] = smile[18:23, 19:23, 1] = -1.0
    >>> smile[18:23, 5:9, 0], smile[18:23, 19:23, 0] = -0.8, 0.8
    >>> smile[..., 2] = np.hypot(*np.gradient(smile[..., 1]))
    >>> low, high = smile.min(axis=(0, 1)), smile.max(axis=(0, 1))
    >>> model = ZeroShotClassifier().fit()
    >>> model.predict(((smile - low) / (high - low) * 255).reshape(1, -1)).tolist()
    ['positive']
    """

    version = 1

    def __init__(self, model: str | None = None) -> None:
        self.model = model

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        if self.model is not None and not isinstance(self.model, str):
            raise ParameterError(f"model is {self.model!r}: it must be the path of a file, or None")

    def key_facts(self) -> dict[str, object]:
        """Return what else decides the numbers: the weights."""
        return {"weights": self._read().digest()}

    @property
    def classes_(self) -> np.ndarray:
        """What it may answer."""
        return np.array(self._read().classes)

    @property
    def actions_(self) -> tuple[str, ...]:
        """The actions whose strengths it tells."""
        return self._read().actions

    def fit(self, X: object = None, y: object = None) -> Self:
        """Check the parameters and the labels; nothing is learned.

        Raises
        ------
        ParameterError
            If a parameter is not allowed.
        DataError
            If the file cannot be read, or a label is none of its classes.
        """
        self.check_params()
        known = self._read().classes
        if y is not None and (odd := sorted(set(np.asarray(y).astype(str).tolist()) - set(known))):
            raise DataError(
                f"the labels {join_names(odd)} are none of {join_names(known)}: a network that learns from no clip "
                "knows no others"
            )
        return self

    def predict_proba(self, X: object) -> np.ndarray:
        """Return the probability of each class, float64 of shape (n_maps, n_classes), each row of sum 1.

        Raises
        ------
        DataError
            If X is no array of such maps.
        """
        return self._answers(X)[0]

    def predict(self, X: object) -> np.ndarray:
        """Return the most probable class of each map."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def action_strengths(self, X: object) -> np.ndarray:
        """Return how strongly each of `actions_` acts, relative to the strongest one of the map.

        Returns
        -------
        float64 ndarray of shape (n_maps, n_actions), within 0..1
        """
        return self._answers(X)[1]

    def _answers(self, X: object) -> tuple[np.ndarray, np.ndarray]:
        self.check_params()
        weights = self._read()
        maps = as_maps(X, SIZE)
        parts = [averaged(weights, maps[start : start + _BATCH]) for start in range(0, len(maps), _BATCH)]
        shares, strengths = (np.concatenate(part) for part in zip(*parts, strict=True))
        return softmax(np.log(np.maximum(shares, 1e-12)) / weights.temperature, axis=1), strengths

    def _read(self) -> MotionWeights:
        return read_motion_weights(self.model)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


def prepared_maps(maps: np.ndarray) -> np.ndarray:
    """Return maps (n, 28, 28, 3), values 0..255, as the network takes them: float64 of shape (n, 3, 28, 28)."""
    centred = (maps - maps.mean(axis=(1, 2), keepdims=True)) / GAINS
    return np.moveaxis(np.asarray(gaussian_filter(centred, sigma=(0, SIGMA, SIGMA, 0))), 3, 1)


def averaged(weights: MotionWeights, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean probabilities and strengths over networks, the maps (n, 28, 28, 3) and their mirror images."""
    inputs = prepared_maps(maps)
    mirrored = inputs[..., ::-1] * np.array([-1.0, 1.0, 1.0])[:, None, None]
    swapped = [weights.actions.index(_other_side(action)) for action in weights.actions]
    shares, strengths = [], []
    for number in range(weights.n_networks):
        member = {name: tensor[number].astype(np.float64) for name, tensor in weights.tensors.items()}
        plain, other = _run(member, inputs), _run(member, mirrored)
        shares.append(plain[0] + other[0])
        strengths.append(plain[1] + other[1][:, swapped])
    return np.mean(shares, axis=0) / 2, np.mean(strengths, axis=0) / 2


def _run(member: dict[str, np.ndarray], inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return one network's probabilities and strengths."""
    features = _convolved(member, "1", inputs, stride=2)
    features = _convolved(member, "2", features)
    n_maps, n_filters, rows, columns = features.shape
    features = features.reshape(n_maps, n_filters, rows // 2, 2, columns // 2, 2).max(axis=(3, 5))
    features = _convolved(member, "3", features).reshape(n_maps, -1)
    hidden = np.maximum(features @ member["fc.weight"] + member["fc.bias"], 0.0)
    logits = hidden @ member["classes.weight"] + member["classes.bias"]
    return softmax(logits, axis=1), expit(hidden @ member["strengths.weight"] + member["strengths.bias"])


def _convolved(member: dict[str, np.ndarray], layer: str, inputs: np.ndarray, stride: int = 1) -> np.ndarray:
    """Return convolution, batch norm and ReLU."""
    weight = member[f"conv{layer}.weight"]
    half = weight.shape[-1] // 2
    padded = np.pad(inputs, ((0, 0), (0, 0), (half, half), (half, half)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    summed = np.moveaxis(np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3))), 3, 1)
    factor = member[f"bn{layer}.weight"] / np.sqrt(member[f"bn{layer}.running_var"] + _EPSILON)
    shift = member[f"bn{layer}.bias"] + (member[f"conv{layer}.bias"] - member[f"bn{layer}.running_mean"]) * factor
    return np.asarray(np.maximum(summed * factor[:, None, None] + shift[:, None, None], 0.0))


def _other_side(action: str) -> str:
    return action.translate({ord("L"): "R", ord("R"): "L"})
