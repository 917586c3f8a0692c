"""Motion of regions relative to how the face rests around that time, in pixels of noise."""

__all__ = ["EXPRESSIVE", "LIDS", "MOUTH", "NAMES", "RESTING_REACH", "Activity", "activity", "segments"]

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from microexpr.spotting.motion import REGIONS, RegionMotion

NAMES = tuple(REGIONS)
_N_REGIONS = len(NAMES)

#: Which regions are lids, which of the mouth, and which expressions move: all but lids and what stays with the skull.
LIDS = tuple(place for place, name in enumerate(NAMES) if name.endswith("_lid"))
MOUTH = tuple(place for place, name in enumerate(NAMES) if name.endswith(("lip", "mouth_corner", "jaw", "chin")))
EXPRESSIVE = tuple(place for place, name in enumerate(NAMES) if not name.endswith(("lid", "temple", "nose_bridge")))

_HEAD = RegionMotion.columns.index("head_x")
_SPEED = RegionMotion.columns.index("speed")
_SEGMENT = RegionMotion.columns.index("segment")

# Seconds over which the middle value is where the face rests. An expression lasts less than half of it.
_REST = 4.0
# Seconds over which motion that goes with the head's shift is taken to be parallax.
_WITH_HEAD = 4.0
# No part moves with the head by more than this part of its shift, against the rest.
_LARGEST_PARALLAX = 0.35
# A head shift of less than this tells nothing of parallax: distances between the eyes.
_STILL_HEAD = 0.02
# Seconds before and after, over which the usual motion is noise.
_NOISE = (20.0, 0.5)
# A face of a noiseless video still has errors of interpolation: distances between the eyes.
_LEAST_NOISE = 4e-4
# The median of the length of a vector of two normal numbers of variance 1.
_RAYLEIGH = 1.1774

#: Seconds before and after a row that its activity depends on.
RESTING_REACH = (_NOISE[0] + _REST / 2 + _WITH_HEAD / 2, _NOISE[1] + _REST / 2 + _WITH_HEAD / 2)


@dataclass(frozen=True, eq=False)
class Activity:
    """What moves in rows of one segment.

    Parameters
    ----------
    motion : float64 ndarray of shape (n_rows, n_regions, 2)
        Displacement from where each region rests, in distances between the eyes.
    noise : float64 ndarray of shape (n_rows, n_regions)
        What counts as noise of one component of it.
    head : float64 ndarray of shape (n_rows, 2)
        The head's shift from where it rests.
    speed : float64 ndarray of shape (n_rows,)
        The head's, in distances between the eyes a second.
    """

    motion: np.ndarray
    noise: np.ndarray
    head: np.ndarray
    speed: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """Length of each region's displacement, (n_rows, n_regions)."""
        return np.asarray(np.hypot(self.motion[..., 0], self.motion[..., 1]))


def segments(rows: np.ndarray) -> list[tuple[int, int]]:
    """Return the runs [start, stop) of rows whose faces can be compared."""
    marks = rows[:, _SEGMENT]
    known = ~np.isnan(marks)
    if not len(rows):
        return []
    edges = np.flatnonzero((marks[1:] != marks[:-1]) & (known[1:] | known[:-1])) + 1
    bounds = [0, *map(int, edges), len(rows)]
    return [(start, stop) for start, stop in pairwise(bounds) if known[start]]


def activity(rows: np.ndarray, *, rate: float) -> Activity:
    """Tell motion from rest in the rows of one segment.

    1. Subtract from each displacement its median over 4 seconds around it: drift and new rest positions go.
    2. Subtract what goes with the head's shift, by linear regression over 4 seconds, at most .35 of the shift: parallax
       of a turning head that the fit of the head's motion left over.
    3. The noise of a region is the median length of its displacement from 20 seconds before to half a second after.

    Every window ends where the rows end, so a row's numbers depend on `RESTING_REACH` alone.
    """
    resting = rows[:, : _HEAD + 2] - _medians(rows[:, : _HEAD + 2], before=_REST / 2, after=_REST / 2, rate=rate)
    motion, head = resting[:, :_HEAD], resting[:, _HEAD:]
    width = int(_WITH_HEAD * rate) | 1
    x, y = head[:, 0], head[:, 1]
    xx = _means(x * x, width) + _STILL_HEAD**2
    yy = _means(y * y, width) + _STILL_HEAD**2
    xy = _means(x * y, width)
    with_x, with_y = _means(motion * x[:, None], width), _means(motion * y[:, None], width)
    determinant = xx * yy - xy * xy
    share_x = (yy[:, None] * with_x - xy[:, None] * with_y) / determinant[:, None]
    share_y = (xx[:, None] * with_y - xy[:, None] * with_x) / determinant[:, None]
    share_x, share_y = (np.clip(share, -_LARGEST_PARALLAX, _LARGEST_PARALLAX) for share in (share_x, share_y))
    motion = (motion - share_x * x[:, None] - share_y * y[:, None]).reshape(len(rows), _N_REGIONS, 2)
    size = np.hypot(motion[..., 0], motion[..., 1])
    noise = _medians(size, before=_NOISE[0], after=_NOISE[1], rate=rate) / _RAYLEIGH
    return Activity(motion, np.maximum(noise, _LEAST_NOISE), head, rows[:, _SPEED])


def _medians(values: np.ndarray, *, before: float, after: float, rate: float) -> np.ndarray:
    """Return medians of columns over the rows from `before` seconds ago to `after` seconds from now."""
    earlier, later = int(before * rate), int(after * rate)
    # Missing rows at the end let the trailing window look ahead, and end with the rows.
    longer = np.concatenate([values, np.full((later, values.shape[1]), np.nan)])
    medians = pd.DataFrame(longer).rolling(earlier + later + 1, min_periods=1).median().to_numpy()
    return np.asarray(medians[later:])


def _means(values: np.ndarray, width: int) -> np.ndarray:
    """Return means of columns over `width` rows around each, fewer at the ends."""
    table = pd.DataFrame(values.reshape(len(values), -1))
    return np.asarray(table.rolling(width, center=True, min_periods=1).mean().to_numpy()).reshape(values.shape)
