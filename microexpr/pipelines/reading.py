"""Videos read frame by frame: a classifier of single faces, and the expressions that its labels make up."""

__all__ = ["FrameReader"]

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from microexpr.classifiers.gentlesvm import GentleSVM
from microexpr.classifiers.neutral import NeutralClassifier
from microexpr.core.base import ClipMap
from microexpr.core.checks import check_int
from microexpr.core.clip import Clip, as_clip, as_clips
from microexpr.core.errors import ParameterError
from microexpr.features.gabor import Gabor
from microexpr.spotting.reading import read_expressions


class FrameReader(BaseEstimator):
    """Label each frame of a video by its Gabor magnitudes, and read off the expressions.

    `fit` trains `NeutralClassifier(estimator)` on the onset and apex frames of labelled clips; `read` labels every
    frame of a video and passes the labels to `microexpr.spotting.read_expressions`.

    Parameters
    ----------
    estimator : classifier with `decision_function` or `predict_proba`, or None
        Of rows of Gabor magnitudes. None is the paper's, boosting that selects features for an SVM: `GentleSVM` as in
        the method `gentlesvm`. A clone is fitted.
    features : Gabor or None
        With frames="onset-apex"; None is `Gabor(frames="onset-apex")`, as in the method `gentlesvm`.
    crop : ClipMap or None
        A step that cuts the face out of each clip or video and brings it to one place, `Align((96, 96))` say; None
        where frames are such faces already.
    neutral : str
    max_duration : float > 0, in seconds
        See `read_expressions`.
    min_frames : int > 0
        See `read_expressions`.
    batch_size : int > 0, in frames
        How many frames are described at a time: memory grows with it, not with the length of the video (whose frames
        themselves are held as they are). Without effect on the labels.

    Attributes
    ----------
    classifier_ : the fitted NeutralClassifier
    frame_classes_ : ndarray of str
        All that a frame may be labelled, `neutral` among them.

    Notes
    -----
    The frames stand each on its own, without that person's neutral face beside it: what differs from face to face is
    far larger than a micro-expression. Expect labels of weak expressions of unseen people to be wrong often.

    Differs from [1]_ in: training on onset and apex frames of the clips given, where that system learned from posed
    expressions; faces found in the first frame of each video alone (`Align`), where it found them in every frame; what
    `Gabor` and `read_expressions` state.

    References
    ----------
    .. [1] Q. Wu, X. Shen, X. Fu, "The machine knows what you are hiding: an automatic micro-expression recognition
       system", ACII, 2011.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from microexpr.data import make_clips
    >>> clips = make_clips(2, 2, ("happiness", "surprise"), size=(48, 42), fps=20.0)
    >>> features = Gabor(frames="onset-apex", pool=8)
    >>> reader = FrameReader(SVC(kernel="linear"), features=features).fit(clips.clips, clips.y)
    >>> reader.read(clips.clips[0]).columns.tolist()
    ['onset', 'offset', 'duration', 'label', 'micro']
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        features: Gabor | None = None,
        crop: ClipMap | None = None,
        neutral: str = "neutral",
        max_duration: float = 0.5,
        min_frames: int = 1,
        batch_size: int = 64,
    ) -> None:
        self.estimator = estimator
        self.features = features
        self.crop = crop
        self.neutral = neutral
        self.max_duration = max_duration
        self.min_frames = min_frames
        self.batch_size = batch_size

    def fit(self, clips: Sequence[Clip], y: Sequence[str]) -> Self:
        """Train on the onset and apex frames of clips.

        Parameters
        ----------
        clips : sequence of n Clip with an apex
        y : sequence of n str

        Raises
        ------
        ParameterError
            If a parameter is not allowed.
        NeedsError
            If a clip has no pixels or no apex.
        DataError
            If a clip cannot be read, or y is not one label a clip, none of them `neutral`.
        """
        features = self._features()
        # Refuses wrong rules now, not after all clips have been described.
        read_expressions([self.neutral], fps=1.0, **self._rules())
        check_int(self.batch_size, "batch_size", minimum=1)
        faces = as_clips(clips) if self.crop is None else self.crop.transform(clips)
        estimator = GentleSVM(class_weight="balanced") if self.estimator is None else self.estimator
        classifier = NeutralClassifier(estimator, neutral=self.neutral)
        self.classifier_ = classifier.fit(features.transform(faces), y)
        self.frame_classes_ = self.classifier_.frame_classes_
        return self

    def predict_frames(self, video: object) -> np.ndarray:
        """Return the label of each frame.

        Parameters
        ----------
        video : Clip, or uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)

        Returns
        -------
        ndarray of str, shape (n_frames,)

        Raises
        ------
        NeedsError
            If the video has no pixels.
        DataError
            If it cannot be read, or no face can be cut out of it.
        """
        check_is_fitted(self)
        clip = as_clip(video)
        if self.crop is not None:
            [clip] = self.crop.transform([clip])
        frames = clip.frames()
        features = self._features()
        step = check_int(self.batch_size, "batch_size", minimum=1)
        batches = [frames[start : start + step] for start in range(0, len(frames), step)]
        labels = [self.classifier_.predict_frames(features.transform_frames(batch)) for batch in batches]
        return np.concatenate(labels)

    def read(self, video: object, *, fps: float | None = None) -> pd.DataFrame:
        """Return the expressions of a video; see `read_expressions` for the columns.

        Parameters
        ----------
        video : Clip, or uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        fps : float > 0 or None, in frames per second
            None takes the clip's own.

        Raises
        ------
        ParameterError
            If the frame rate is neither given nor known, or not allowed.
        NeedsError, DataError
            As `predict_frames`.
        """
        check_is_fitted(self)
        clip = as_clip(video)
        rate = clip.fps if fps is None else fps
        if rate is None:
            raise ParameterError(f"fps is None: {clip.clip_id} does not say its frame rate, so it must be given")
        read_expressions([self.neutral], fps=rate, **self._rules())
        return read_expressions(self.predict_frames(clip), fps=rate, **self._rules())

    def _features(self) -> Gabor:
        features = Gabor(frames="onset-apex") if self.features is None else self.features
        if not isinstance(features, Gabor) or features.frames != "onset-apex":
            raise ParameterError(f"features is {features!r}: it must be Gabor(frames='onset-apex', ...)")
        if self.crop is not None and not isinstance(self.crop, ClipMap):
            raise ParameterError(f"crop is {self.crop!r}: it must be a ClipMap, Align() say, or None")
        return features

    def _rules(self) -> dict[str, Any]:
        return {"neutral": self.neutral, "max_duration": self.max_duration, "min_frames": self.min_frames}
