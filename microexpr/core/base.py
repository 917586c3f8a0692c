"""The two kinds of stateless steps: ClipTransformer (clip to array) and ClipMap (clip to clip)."""

__all__ = ["ClipMap", "ClipTransformer", "DerivedSource", "stack"]

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from microexpr.core.clip import Clip, as_clips
from microexpr.core.digest import digest, estimator_spec
from microexpr.core.errors import DataError
from microexpr.core.sources import FrameSource


class _ClipStep(TransformerMixin, BaseEstimator):
    """What both kinds share: nothing is learned, so `fit` only checks the parameters."""

    #: Raised whenever the numbers of the same parameters change; part of every cache key.
    version: ClassVar[int] = 1

    def fit(self, X: object = None, y: object = None) -> Self:
        """Check the parameters; nothing is learned."""
        self.check_params()
        return self

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed; the default allows all."""

    def key_facts(self) -> dict[str, object]:
        """Return what decides the numbers beside the parameters, the content of a model file say; part of every key."""
        return {}

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


class ClipTransformer(_ClipStep, ABC):
    """Turns each clip into one array; row i of the result depends on clip i alone.

    A subclass implements `transform_clip`, checks its parameters in `check_params` and states its `version`.
    """

    @abstractmethod
    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's features; every clip must give the same shape."""

    def transform(self, X: object) -> np.ndarray:
        """Return the features of all clips.

        Parameters
        ----------
        X : list of n Clip, or of n arrays of shape (n_frames, height, width[, 3])

        Returns
        -------
        ndarray of shape (n, ...)

        Raises
        ------
        DataError
            If a clip cannot be read, or two clips give different shapes.
        """
        self.check_params()
        clips = as_clips(X)
        return stack([self.transform_clip(clip) for clip in clips], [clip.clip_id for clip in clips])


class ClipMap(_ClipStep, ABC):
    """Turns each clip into another clip, lazily: the frames are computed when they are read.

    A subclass implements `map_clip` and, where frames move in time, `map_position`.
    """

    @abstractmethod
    def map_clip(self, clip: Clip) -> np.ndarray:
        """Return the frames of the new clip."""

    def map_position(self, position: int, n_frames: int) -> int:
        """Return where the frame at `position` of a clip of `n_frames` lies in the new clip."""
        return position

    def map_apex(self, clip: Clip, n_frames: int) -> int | None:
        """Return the new apex of a clip of `n_frames`, None if unknown; a step that finds the apex overrides this."""
        return None if clip.apex is None else self.map_position(clip.apex, n_frames)

    def count(self, n_frames: int) -> int:
        """Return how many frames the new clip of a clip of `n_frames` has."""
        return n_frames

    def map_fps(self, fps: float, n_frames: int) -> float:
        """Return the frame rate of the new clip of a clip of `n_frames` at `fps`."""
        return fps

    def transform(self, X: object) -> list[Clip]:
        """Return the new clips, their frames not yet computed.

        Parameters
        ----------
        X : list of n Clip, or of n arrays of shape (n_frames, height, width[, 3])

        Returns
        -------
        list of n Clip
        """
        self.check_params()
        return [self._derive(clip) for clip in as_clips(X)]

    def _derive(self, clip: Clip) -> Clip:
        if not clip.has_pixels:
            clip.frames()  # raises, naming the clip
        n_frames = clip.n_frames

        def moved(position: int | None) -> int | None:
            return None if position is None else self.map_position(position, n_frames)

        return replace(
            clip,
            source=DerivedSource(clip, self),
            onset=moved(clip.onset),
            apex=self.map_apex(clip, n_frames),
            offset=moved(clip.offset),
            fps=None if clip.fps is None else self.map_fps(clip.fps, n_frames),
        )


class DerivedSource(FrameSource):
    """The frames that a ClipMap makes of another clip; its fingerprint chains the step to that clip's.

    Parameters
    ----------
    parent : Clip
    step : ClipMap
    """

    def __init__(self, parent: Clip, step: ClipMap) -> None:
        self.parent = parent
        self.step = step

    def read(self) -> np.ndarray:  # noqa: D102
        return self.step.map_clip(self.parent)

    def fingerprint(self) -> str:  # noqa: D102
        return digest({"step": estimator_spec(self.step), "parent": self.parent.fingerprint()})

    def count(self) -> int:  # noqa: D102
        return self.step.count(self.parent.n_frames)

    def describe(self) -> str:  # noqa: D102
        return f"{type(self.step).__name__} of {self.parent.source.describe()}"


def stack(rows: list[np.ndarray], names: list[str]) -> np.ndarray:
    """Stack one array a clip, naming the clip whose array differs in shape."""
    if not rows:
        raise DataError("there is no clip to transform: the list is empty")
    for row, name in zip(rows, names, strict=True):
        if row.shape != rows[0].shape:
            raise DataError(
                f"{name}: features of shape {row.shape}, but {names[0]} gives {rows[0].shape}; "
                "add a step that brings all clips to one size"
            )
    return np.stack(rows)
