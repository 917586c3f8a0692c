"""The spotting method `gentlesvm`: every frame labelled as neutral or not, runs of the latter expressions."""

__all__ = ["FrameLabels"]

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Self

import numpy as np
import pandas as pd

from microexpr.classifiers.gentlesvm import GentleSVM
from microexpr.core.checks import check_float, check_int
from microexpr.core.errors import DataError, ParameterError
from microexpr.features.gabor import Gabor
from microexpr.spotting.distractors import runs
from microexpr.spotting.intervals import event_table, kind_of
from microexpr.spotting.method import FaceFrame, SpottingMethod

_CLASSES = ("neutral", "expression")
# Neutral rows keep this far from every expression, in seconds: what annotations call its end is still a little of it.
_CLEARANCE = 0.3
# Faces described at once: the filters are set up once for all of them.
_BATCH = 32


class FrameLabels(SpottingMethod):
    """Spot expressions by a classifier of single frames, trained on other people's videos.

    1. Gabor magnitudes of each face, 48 x 48 pixels, averaged over `pool` x `pool`.
    2. `fit`: GentleBoost selects features and an SVM learns on them to tell the apex rows of expressions from
       `n_neutral` rows of each video that lie evenly over its rest.
    3. The SVM's score, its median over three rows, is compared with `threshold`. Runs above it, those joined that one
       row parts, are expressions if they last from `min_duration` to `max_duration`; up to half a second they are
       micro-expressions.

    Parameters
    ----------
    threshold : float
        Of the SVM's score; 0 is its own border.
    pool : int > 0, in pixels
    n_neutral : int > 0
    n_estimators : int > 0
        Rounds of boosting.
    min_duration, max_duration : floats > 0, in seconds

    Notes
    -----
    Differs from [1]_ in: two classes, where the paper tells six emotions and neutral (`FrameReader` does; which
    expression it is is a recognizer's affair here); magnitudes averaged; trained on videos of the same kind, not on
    posed pictures; the face followed and held still.

    A single frame says nothing of motion: a face that looks surprised at rest is surprised all the time.

    References
    ----------
    .. [1] Q. Wu, X. Shen, X. Fu, "The machine knows what you are hiding: an automatic micro-expression recognition
       system", ACII, 2011.

    Examples
    --------
    >>> FrameLabels(pool=12).columns[:2]
    ('gabor_0', 'gabor_1')
    """

    name = "gentlesvm"
    version = 1
    decision_params = ("threshold", "n_neutral", "n_estimators", "min_duration", "max_duration")
    is_learned = True

    def __init__(
        self,
        *,
        threshold: float = 0.0,
        pool: int = 8,
        n_neutral: int = 20,
        n_estimators: int = 100,
        min_duration: float = 0.1,
        max_duration: float = 4.0,
    ) -> None:
        self.threshold = threshold
        self.pool = pool
        self.n_neutral = n_neutral
        self.n_estimators = n_estimators
        self.min_duration = min_duration
        self.max_duration = max_duration

    def check_params(self) -> None:  # noqa: D102
        check_float(self.threshold, "threshold")
        self._gabor().check_params()
        check_int(self.n_neutral, "n_neutral", minimum=1)
        check_int(self.n_estimators, "n_estimators", minimum=1)
        if check_float(self.min_duration, "min_duration") <= 0:
            raise ParameterError(f"min_duration is {self.min_duration!r}: it must be greater than 0")
        check_float(self.max_duration, "max_duration", minimum=self.min_duration)

    @property
    def columns(self) -> tuple[str, ...]:  # noqa: D102
        gabor = self._gabor()
        n_features = (gabor.size // self.pool) ** 2 * gabor.n_scales * gabor.n_orientations
        return tuple(f"gabor_{number}" for number in range(n_features))

    def measure(self, faces: Iterable[FaceFrame], *, rate: float) -> Iterator[np.ndarray]:
        """Yield the Gabor magnitudes of each face, float32 to halve what is kept; NaN where there is none."""
        gabor, waiting = self._gabor(), iter(faces)
        while batch := [face.grey for face in islice(waiting, _BATCH)]:
            found = np.full((len(batch), len(self.columns)), np.nan, np.float32)
            seen = [place for place, grey in enumerate(batch) if grey is not None]
            if seen:
                found[seen] = gabor.transform_frames(np.stack([grey for grey in batch if grey is not None]))
            yield from found

    def fit(self, rows: Sequence[np.ndarray], expressions: Sequence[pd.DataFrame], *, rates: Sequence[float]) -> Self:
        """Learn from videos whose expressions are known; see `SpottingMethod.fit`.

        An expression without an apex is represented by its middle.

        Raises
        ------
        ParameterError
            If a parameter is not allowed.
        DataError
            If no video has an expression with a face, or no row without one.
        """
        self.check_params()
        chosen: dict[str, list[np.ndarray]] = {name: [] for name in _CLASSES}
        for own, table, rate in zip(rows, expressions, rates, strict=True):
            resting = ~np.isnan(own[:, 0])
            clearance = int(np.ceil(_CLEARANCE * rate))
            for row in table.itertuples():
                last = row.apex if pd.isna(row.offset) else row.offset
                apex = (row.onset + last) // 2 if pd.isna(row.apex) else row.apex
                if not np.isnan(own[int(apex), 0]):
                    chosen["expression"].append(own[int(apex)])
                resting[max(0, int(row.onset) - clearance) : int(last) + clearance + 1] = False
            places = np.flatnonzero(resting)
            evenly = np.linspace(0, len(places) - 1, min(self.n_neutral, len(places))).round().astype(int)
            chosen["neutral"] += list(own[places[evenly]])
        if empty := [name for name, faces in chosen.items() if not faces]:
            raise DataError(f"gentlesvm: the training videos hold no {empty[0]} face to learn from")
        labels = np.repeat(_CLASSES, [len(chosen[name]) for name in _CLASSES])
        # The class of the higher name is above 0: 'expression' < 'neutral', so the sign is turned in `scores`.
        self.classifier_ = GentleSVM(n_estimators=self.n_estimators, class_weight="balanced").fit(
            np.concatenate([np.stack(chosen[name]) for name in _CLASSES]), labels
        )
        return self

    def reach(self, rate: float) -> tuple[int, int]:  # noqa: D102
        rows = int(np.ceil(self.max_duration * rate)) + 4
        return rows, rows

    def thresholds(self) -> np.ndarray:  # noqa: D102
        return np.linspace(-1.5, 1.5, 13)

    def scores(self, rows: np.ndarray, *, rate: float) -> np.ndarray:  # noqa: D102
        if not hasattr(self, "classifier_"):
            raise DataError("gentlesvm has not learned from any video yet; it is trained by `microexpr spot`")
        found = np.full(len(rows), np.nan)
        seen = ~np.isnan(rows[:, 0])
        if seen.any():
            found[seen] = -self.classifier_.decision_function(rows[seen])
        # Edges are repeated, and a missing neighbour makes a missing median.
        padded = np.pad(found, 1, mode="edge")
        return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 3), axis=1))

    def decide(self, rows: np.ndarray, *, rate: float) -> pd.DataFrame:  # noqa: D102
        scores = self.scores(rows, rate=rate) if len(rows) else np.zeros(0)
        # Missing scores are above nothing.
        events = []
        for start, stop in runs(scores > self.threshold, bridge=1):
            duration = (stop - start) / rate
            if self.min_duration <= duration <= self.max_duration and not np.isnan(scores[start:stop]).any():
                apex = start + int(np.argmax(scores[start:stop]))
                events.append((start, apex, stop - 1, kind_of(stop - start, rate), float(scores[apex]), "face"))
        return event_table(events, rate=rate)

    def _gabor(self) -> Gabor:
        return Gabor(frames="onset-apex", pool=self.pool)
