"""Main directional maximal difference (MDMD): a face moves away from what it was, and later is back."""

__all__ = ["MDMD", "directional_difference"]

from collections.abc import Iterable, Iterator

import numpy as np

from microexpr.core.checks import check_choice, check_int
from microexpr.core.errors import DataError
from microexpr.spotting._blocks import BlockGrid, block_names
from microexpr.spotting._lagged import Kept, neighbourhoods
from microexpr.spotting._relative import RelativeMethod, against_neighbors, whole_rows
from microexpr.spotting.method import FaceFrame
from microexpr.video.flow import FLOW_METHODS, optical_flow

ANGLES = ("atan", "atan2")


def directional_difference(
    flow: np.ndarray, later: np.ndarray, labels: np.ndarray, *, n_blocks: int, angles: str = "atan"
) -> tuple[float, int]:
    """Compute by how much a face has moved more at a middle frame than at a later one.

    1. In each block, the main direction is the one of four quadrants that most vectors of `flow` point into; of equal
       ones the first. 2. d = |flow| - |later| of its pixels; a block's value is the mean of the largest third of
       d, round(m / 3) of m pixels. 3. The result is the mean of the largest third of the blocks' values.

    Parameters
    ----------
    flow, later : float64 ndarray of shape (height, width, 2)
        u and v from an earlier frame to the middle one, and from the earlier frame to the later one.
    labels : int64 ndarray of shape (height, width)
        Which block a pixel is of, 0 to n_blocks - 1; -1 for none.
    n_blocks : int > 0
    angles : {"atan", "atan2"}
        How the direction is taken; see `MDMD`.

    Returns
    -------
    difference : float
        In the unit of the flow; NaN if no block has a pixel.
    block : int
        The block of the largest value; the first of equal ones.

    Raises
    ------
    DataError
        If flows and labels are not of one size.
    ParameterError
        If a parameter is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> flow = np.zeros((4, 8, 2))
    >>> flow[:, 4:] = (0.3, 0.4)
    >>> labels = np.repeat(np.repeat([[0, 1]], 4, axis=0), 4, axis=1)
    >>> difference, block = directional_difference(flow, np.zeros((4, 8, 2)), labels, n_blocks=2)
    >>> round(difference, 6), block
    (0.5, 1)
    """
    check_choice(angles, "angles", ANGLES)
    check_int(n_blocks, "n_blocks", minimum=1)
    if flow.shape != (*labels.shape, 2) or later.shape != flow.shape:
        raise DataError(
            f"flows of shape {flow.shape} and {later.shape} over labels of {labels.shape}: one size is needed"
        )
    counted = labels >= 0
    block = labels[counted]
    quadrant = _quadrants(flow[counted], angles)
    difference = np.hypot(*flow[counted].T) - np.hypot(*later[counted].T)
    values = np.full(n_blocks, np.nan)
    pointed = quadrant >= 0
    votes = np.bincount(4 * block[pointed] + quadrant[pointed], minlength=4 * n_blocks).reshape(n_blocks, 4)
    main = votes.argmax(axis=1)
    # A block in which nothing moves has no direction, and no difference.
    values[np.bincount(block, minlength=n_blocks) > 0] = 0.0
    chosen = pointed & (quadrant == main[block])
    # By block, the largest difference first.
    order = np.lexsort((-difference[chosen], block[chosen]))
    ranked = difference[chosen][order]
    start = 0
    for place, n_pixels in enumerate(votes.max(axis=1).tolist()):
        if n_pixels:
            values[place] = ranked[start : start + _third(n_pixels)].mean()
        start += n_pixels
    known = np.flatnonzero(~np.isnan(values))
    if not known.size:
        return float("nan"), 0
    largest = known[np.argsort(-values[known], kind="stable")]
    return float(values[largest[: _third(len(known))]].mean()), int(largest[0])


class MDMD(RelativeMethod):
    """Spot expressions by main directional maximal differences [1]_ [2]_.

    1. At each of two lags k, for micro- and for macro-expressions, optical flow from face i - k to face i and from face
       i - k to face i + k. 2. F_i = `directional_difference` of the two over 6 x 6 blocks and four directions: large
       where a face has moved away and is back k later. 3. C_i = F_i - (F_(i-m) + F_(i+m)) / 2 with m = k - 1.
    4. Peaks of C_i of at least mean + threshold * (max - mean) are expressions.

    Parameters
    ----------
    threshold : float in (0, 1]
        p of [2]_.
    lags : (float, float), > 0, in seconds
        k for micro- and for macro-expressions: 12 and 39 frames at 30 a second in [2]_.
    blocks : int > 0
        Along each side of the box around the landmarks.
    angles : {"atan", "atan2"}
        "atan" takes atan(u / v) for the direction, as the program to [2]_ does: opposite directions are one, so that
        two of the four bins stay empty but for vectors along an axis. "atan2" tells all four quadrants apart.
    flow : {"dis", "farneback", "tvl1"}
        See `optical_flow`.
    eyes : bool
        Whether the pixels around the eyes count, as in [2]_. Blinks are found then.
    window : float > 0, in seconds
        Mean and maximum are those of the contrasts at most half a window away.
    floor : float >= 0, in distances between the eyes
        What exceeds the mean by less is noise.
    edge : float in [0, 0.5]
        An expression lasts while its contrast is at least mean + edge * (peak - mean), and as much longer as what rises
        and falls as a cosine is seen below that; see `peak_intervals` and `cosine_skirt`.
    min_duration, max_duration : float, in seconds
        Shorter and longer ones are dropped.
    max_speed : float > 0, in distances between the eyes a second
        No two faces are compared if the head moves faster between them.

    Notes
    -----
    Differs from [2]_ in: the flow (there robust local optical flow); lags in seconds; F is in distances between the
    eyes; the mean and maximum of a window of a minute instead of the whole video, the same for videos of up to half a
    window; the noise floor; the interval, which there is the run of rows above the threshold and here goes down to
    a part of the peak, so that a strong expression is not cut short and a weak threshold does not make it long; both
    lags are decided together: the short one finds micro-, the long one macro-expressions, and a micro-expression in
    a macro-expression is part of it; the lids are left out by default. Its lengths of 7 to 16 frames are ours only
    as `min_duration`. A row in which nothing moves has F = 0 (there no number). Floor and edge were set on synthetic
    videos (`make_videos`, seed 0).

    References
    ----------
    .. [1] S.-J. Wang, S. Wu, X. Qian, J. Li, X. Fu, "A main directional maximal difference analysis for spotting facial
       movements from long-term videos", Neurocomputing, 2017.
    .. [2] Y. He, S.-J. Wang, J. Li, M. H. Yap, "Spotting macro- and micro-expression intervals in long video
       sequences", FG, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> method = MDMD(lags=(0.2, 0.4), window=4.0)
    >>> rows = np.zeros((120, 4))
    >>> rows[60:66, 0] = [0.02, 0.05, 0.06, 0.06, 0.05, 0.02]
    >>> method.decide(rows, rate=30.0)[["onset", "offset", "kind"]]
       onset  offset   kind
    0     60      65  micro
    """

    name = "mdmd"
    version = 1

    def __init__(
        self,
        *,
        threshold: float = 0.01,
        lags: tuple[float, float] = (0.4, 1.3),
        blocks: int = 6,
        angles: str = "atan",
        flow: str = "dis",
        eyes: bool = False,
        window: float = 60.0,
        floor: float = 0.008,
        edge: float = 0.2,
        min_duration: float = 0.1,
        max_duration: float = 4.0,
        max_speed: float = 1.0,
    ) -> None:
        self.threshold = threshold
        self.lags = lags
        self.blocks = blocks
        self.angles = angles
        self.flow = flow
        self.eyes = eyes
        self.window = window
        self.floor = floor
        self.edge = edge
        self.min_duration = min_duration
        self.max_duration = max_duration
        self.max_speed = max_speed

    def check_params(self) -> None:  # noqa: D102
        super().check_params()
        check_int(self.blocks, "blocks", minimum=1)
        check_choice(self.angles, "angles", ANGLES)
        check_choice(self.flow, "flow", FLOW_METHODS)
        check_choice(self.eyes, "eyes", (True, False))

    def measure(self, faces: Iterable[FaceFrame], *, rate: float) -> Iterator[np.ndarray]:  # noqa: D102
        self.check_params()
        lags = [whole_rows(lag, rate) for lag in self.lags]
        grid: BlockGrid | None = None
        for around in neighbourhoods(
            faces, keep=lambda face: face.grey, before=lags[1], after=lags[1], max_speed=self.max_speed
        ):
            row = np.full(4, np.nan)
            for column, lag in enumerate(lags):
                if (ends := around.pair(-lag, lag)) is None or (halves := around.pair(-lag, 0)) is None:
                    continue
                if grid is None:
                    grid = BlockGrid(ends[0].points, ends[0].value.shape, blocks=self.blocks, eyes=self.eyes)
                flow, later = self._flow(*halves), self._flow(*ends)
                difference, block = directional_difference(
                    flow, later, grid.labels, n_blocks=grid.n_blocks, angles=self.angles
                )
                row[column], row[2 + column] = difference / grid.unit, block
            yield row

    def _flow(self, first: Kept, second: Kept) -> np.ndarray:
        return optical_flow(first.value, second.value, method=self.flow)

    def contrast(self, numbers: np.ndarray, lag: int) -> np.ndarray:
        """Return C of each row."""
        return against_neighbors(numbers, max(1, lag - 1))

    def region_names(self) -> tuple[str, ...]:
        """Return what the blocks are called."""
        return block_names(self.blocks)


def _quadrants(flow: np.ndarray, angles: str) -> np.ndarray:
    """Return the quadrant, 0 to 3, of each vector (n, 2): [0, 90), [90, 180), [-180, -90), [-90, 0); -1 for none."""
    u, v = flow.T
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = np.degrees(np.arctan(u / v)) if angles == "atan" else np.degrees(np.arctan2(v, u))
    angle[(u == 0) & (v == 0)] = np.nan
    angle[angle == 180.0] = -180.0
    with np.errstate(invalid="ignore"):
        return np.select([(angle >= 0) & (angle < 90), angle >= 90, angle < -90, angle < 0], [0, 1, 2, 3], -1)


def _third(number: int) -> int:
    """Return a third of a number, rounded, at least one."""
    return max(1, round(number / 3))
