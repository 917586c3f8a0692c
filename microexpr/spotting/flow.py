"""The method `flow`: motion of the face's regions against the head, by optical flow, in multiples of its noise."""

__all__ = ["FlowSpotter"]

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from microexpr.core.checks import check_float, check_int
from microexpr.core.errors import ParameterError
from microexpr.spotting._resting import EXPRESSIVE, LIDS, NAMES, RESTING_REACH, Activity, activity, segments
from microexpr.spotting.distractors import foot
from microexpr.spotting.method import EVENT_COLUMNS, FaceFrame, SpottingMethod, empty_events
from microexpr.spotting.motion import RegionMotion

# Seconds around a peak within which it must stand out, and on either side of an apex within which an expression ends.
_AROUND = 2.0
# The part of its height by which a peak must stand out of its surroundings.
_PROMINENCE = 0.6
# The part of the apex's motion at which onset and offset are read off; from there on they are extrapolated.
_FOOT = 0.25
# A lid that moves draws its surroundings along by less than this part of its own motion.
_DRAWN_BY_LIDS = 0.3
_LEAST_LID = 0.012
# A jaw that drops moves at 2 distances between the eyes a second; faster is a hand that passes before the face.
_FASTEST = 2.5


class FlowSpotter(SpottingMethod):
    """Spot expressions by optical flow against the head.

    1. `RegionMotion`: how far each region of the face has moved against the head.
    2. From each displacement subtract where the region rests (median over 4 seconds) and what goes with shifts of the
       head; divide by the region's noise over the last 20 seconds.
    3. A row's score is the mean of the `n_regions` largest of these, over brows, cheeks, nose, mouth, chin and jaw.
       Peaks of at least `threshold` that stand out by .6 of their height are apexes.
    4. The course of an expression is the displacement of all regions projected on that at the apex, each weighted by
       its noise. Onset and offset are where it passes a quarter of its height, extrapolated to its foot as if it rose
       and fell like a cosine.
    5. What overlaps a higher peak's expression, lasts less than `min_duration` or more than `max_duration`, comes with
       a blink and moves less than .3 as far as the lids, or moves faster than any face (2.5 distances between the eyes
       a second: a hand before it) is left out. Up to `micro_duration` is a micro-expression. Its region is the one
       that moved most, in multiples of its noise.

    Parameters
    ----------
    threshold : float > 0
        In multiples of the noise.
    n_regions : int in [1, 16]
    min_duration, max_duration : float > 0, in seconds
        The latter at most 4: longer is posture.
    micro_duration : float > 0, in seconds
        The longest micro-expression.

    Notes
    -----
    Differs from training-free methods in circulation [1]_ in: each region's own noise as unit, where they have fixed
    bounds in pixels; one course from all regions; onset and offset extrapolated. The default threshold and the bounds
    beside it were set on synthetic videos (`make_videos`, seed 0).

    References
    ----------
    .. [1] Y. He, "Research on micro-expression spotting method based on optical flow features", ACM Multimedia, 2021.

    Examples
    --------
    >>> from microexpr.spotting import build_spotter
    >>> build_spotter("flow", threshold=8.0)
    FlowSpotter(threshold=8.0)
    """

    name = "flow"
    version = 1
    decision_params = ("threshold", "n_regions", "min_duration", "max_duration", "micro_duration")
    reads_motion = True
    told_apart = ("blink", "head")

    def __init__(
        self,
        *,
        threshold: float = 6.0,
        n_regions: int = 3,
        min_duration: float = 0.1,
        max_duration: float = 4.0,
        micro_duration: float = 0.5,
    ) -> None:
        self.threshold = threshold
        self.n_regions = n_regions
        self.min_duration = min_duration
        self.max_duration = max_duration
        self.micro_duration = micro_duration

    def check_params(self) -> None:  # noqa: D102
        for name in ("threshold", "min_duration", "max_duration", "micro_duration"):
            if check_float(value := getattr(self, name), name) <= 0:
                raise ParameterError(f"{name} is {value!r}: it must be greater than 0")
        check_int(self.n_regions, "n_regions", minimum=1, maximum=len(EXPRESSIVE))
        check_float(self.max_duration, "max_duration", minimum=self.min_duration, maximum=2 * _AROUND)

    @property
    def columns(self) -> tuple[str, ...]:  # noqa: D102
        return RegionMotion.columns

    def measure(self, faces: Iterable[FaceFrame], *, rate: float) -> Iterator[np.ndarray]:  # noqa: D102
        return RegionMotion().measure(faces, rate=rate)

    def reach(self, rate: float) -> tuple[int, int]:  # noqa: D102
        # A peak stands out of what is around it, and a higher one's expression may overlap it.
        before, after = (int(np.ceil((side + 2 * _AROUND) * rate)) for side in RESTING_REACH)
        return before, after

    def thresholds(self) -> np.ndarray:  # noqa: D102
        return np.array([3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 15.0, 20.0, 30.0])

    def scores(self, rows: np.ndarray, *, rate: float) -> np.ndarray:  # noqa: D102
        found = np.full(len(rows), np.nan)
        for start, stop in segments(rows):
            found[start:stop] = self._scores(activity(rows[start:stop], rate=rate))
        return found

    def decide(self, rows: np.ndarray, *, rate: float) -> pd.DataFrame:  # noqa: D102
        self.check_params()
        tables = [empty_events()]
        for start, stop in segments(rows):
            table = self._segment_events(activity(rows[start:stop], rate=rate), rate)
            table[["onset", "apex", "offset"]] += start
            tables.append(table)
        return pd.concat(tables, ignore_index=True).astype(empty_events().dtypes.to_dict())

    def _scores(self, active: Activity) -> np.ndarray:
        raised = (active.size / active.noise)[:, EXPRESSIVE]
        return np.asarray(np.sort(raised, axis=1)[:, -self.n_regions :].mean(axis=1))

    def _segment_events(self, active: Activity, rate: float) -> pd.DataFrame:
        from scipy.signal import find_peaks

        scores = self._scores(active)
        around = int(_AROUND * rate)
        peaks, facts = find_peaks(scores, height=self.threshold, prominence=0.0, wlen=2 * around + 1)
        peaks = peaks[facts["prominences"] >= _PROMINENCE * scores[peaks]]
        lids = active.size[:, LIDS].min(axis=1)
        size = active.size[:, EXPRESSIVE]
        found = []
        for peak in map(int, peaks):
            onset, apex, offset = self._course(active, peak, around)
            duration = (offset - onset + 1) / rate
            moved = float(np.sort(size[apex])[-self.n_regions :].mean())
            lid = float(lids[onset : offset + 1].max())
            if not self.min_duration <= duration <= self.max_duration:
                continue
            leaps = np.diff(active.motion[max(0, onset - 1) : offset + 2, list(EXPRESSIVE)], axis=0)
            if float(np.hypot(leaps[..., 0], leaps[..., 1]).max()) * rate > _FASTEST:
                continue
            if lid > _LEAST_LID and moved < _DRAWN_BY_LIDS * lid:
                continue
            region = NAMES[EXPRESSIVE[int(np.argmax((size / active.noise[:, EXPRESSIVE])[apex]))]]
            kind = "micro" if duration <= self.micro_duration else "macro"
            found.append((onset, apex, offset, kind, float(scores[peak]), region, duration))
        # Of overlapping ones the highest; whether a row is left out depends on its neighbours alone, not on theirs.
        kept = [
            event
            for event in found
            if not any(
                other[0] <= event[2] and event[0] <= other[2] and (other[4], -other[0]) > (event[4], -event[0])
                for other in found
            )
        ]
        return pd.DataFrame(kept, columns=list(EVENT_COLUMNS)).astype(empty_events().dtypes.to_dict())

    def _course(self, active: Activity, peak: int, around: int) -> tuple[int, int, int]:
        """Return onset, apex and offset of the expression of one peak."""
        start, stop = max(0, peak - around), min(len(active.motion), peak + around + 1)
        regions = list(EXPRESSIVE)
        pattern = active.motion[peak, regions] / active.noise[peak, regions, None] ** 2
        course = np.einsum("trk,rk->t", active.motion[start:stop, regions], pattern)
        apex = peak - start
        near = course[max(0, apex - 2) : apex + 3]
        apex = max(0, apex - 2) + int(np.argmax(near))
        course = course / course[apex]
        first, last = foot(course, apex, _FOOT, farthest=len(course))
        # A raised cosine has come to the fraction f of its height after acos(1 - 2 f) / pi of its rise.
        unseen = float(np.arccos(1.0 - 2.0 * _FOOT) / np.pi)
        left = first - _excess(course, first, first - 1)
        right = last + _excess(course, last, last + 1)
        onset = round(apex - (apex - left) / (1.0 - unseen))
        offset = round(apex + (right - apex) / (1.0 - unseen))
        return max(0, start + onset), start + apex, min(len(active.motion) - 1, start + offset)


def _excess(course: np.ndarray, inner: int, outer: int) -> float:
    """Return how far beyond the last row above the foot the course passes it, in rows."""
    if not 0 <= outer < len(course):
        return 0.0
    return float((course[inner] - _FOOT) / max(course[inner] - course[outer], 1e-9))
