"""Optical strain over time: the skin of a region is stretched against what it was before, and will be after."""

__all__ = ["OpticalStrain", "strain_regions"]

from collections.abc import Iterable, Iterator

import numpy as np

from microexpr.core.checks import check_choice, check_float
from microexpr.spotting._blocks import eyelids
from microexpr.spotting._lagged import Kept, neighbourhoods
from microexpr.spotting._relative import RelativeMethod, whole_rows
from microexpr.spotting.method import FaceFrame
from microexpr.spotting.motion import REGIONS
from microexpr.video.faces.regions import region_masks
from microexpr.video.faces.template import eye_centers
from microexpr.video.flow import FLOW_METHODS, optical_flow
from microexpr.video.strain import optical_strain

_REGIONS = tuple(name for name in REGIONS if not name.endswith(("lid", "temple")))
_INNER_LIPS = slice(60, 68)
# Flow across the outline of a face is half the background's: pixels nearer to it than this do not count, in distances
# between the eyes.
_OUTLINE = 0.15


def strain_regions(points: np.ndarray, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """Return the pixels of the regions that strain is averaged over; eyes, inside of the mouth and outline are masked.

    Parameters
    ----------
    points : float64 ndarray of shape (68, 2), in pixels
        The canonical landmarks.
    shape : (height, width), in pixels

    Returns
    -------
    dict of str -> bool ndarray of shape (height, width)
        Those of `REGIONS`, without the lids and temples.

    Raises
    ------
    DataError
        If a region holds no pixel of the picture.

    Examples
    --------
    >>> from microexpr.video.faces.align import canonical_landmarks
    >>> masks = strain_regions(canonical_landmarks((168, 144)), (168, 144))
    >>> len(masks), masks["chin"].shape
    (17, (168, 144))
    """
    right, left = eye_centers(points)
    unit = np.hypot(*(left - right))
    corners = {name: np.array(REGIONS[name])[[[0, 2], [1, 2], [1, 3], [0, 3]]] * unit for name in _REGIONS}
    masks = region_masks({name: box + (right + left) / 2 for name, box in corners.items()}, shape)
    masks &= _well_inside(points, shape) & ~eyelids(points, shape) & ~_inside_mouth(points, shape)
    return dict(zip(_REGIONS, masks, strict=True))


class OpticalStrain(RelativeMethod):
    """Spot expressions by optical strain [1]_.

    1. At each of two lags k, for micro- and for macro-expressions: optical flow between faces k apart, and the mean
       magnitude of its strain in each region of `strain_regions`.
    2. A region is as strained in face i as in the lesser of the two flows from face i - k and to face i + k.
    3. F_i is the sum over the regions.
    4. Peaks of F_i of at least mean + threshold * (max - mean) are expressions: micro-expressions if they last at most
       half a second, else macro-expressions.

    Parameters
    ----------
    threshold : float in (0, 1]
        A part of the way from the mean to the maximum.
    lags : (float, float), > 0, in seconds
        k for micro- and for macro-expressions.
    smooth : float >= 0, in distances between the eyes
        Standard deviation of a Gaussian over the flow: derivatives of noise are noise. 0 for none, as in [1]_.
    flow : {"dis", "farneback", "tvl1"}
        See `optical_flow`.
    window, floor, edge, min_duration, max_duration, max_speed
        See `MDMD`; `floor` is a strain, summed over the regions.

    Notes
    -----
    [1]_ measures strain over the stretches of a video in chin, mouth, cheeks and forehead, normalises it, and takes
    peaks above a threshold, micro-expressions by their duration. Differs from it in: both flows, one from before and
    one to after, must see a region strained, as either alone sees each expression twice, when it comes and, a lag
    later, when it is gone; regions are those of `strain_regions`, the forehead only as far down as the brows; the flow
    is smoothed; mean and maximum of a window of a minute; the noise floor; the interval, which goes down to a part of
    the peak and is widened; two lags.

    The default lags, floor, edge and threshold were set on synthetic videos (`make_videos`, seed 0).

    References
    ----------
    .. [1] M. Shreve, S. Godavarthy, D. Goldgof, S. Sarkar, "Macro- and micro-expression spotting in long videos
       using spatio-temporal strain", FG, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> method = OpticalStrain(lags=(0.2, 0.4), window=4.0)
    >>> rows = np.zeros((120, 4))
    >>> rows[60:66, 0] = [0.1, 0.3, 0.4, 0.4, 0.3, 0.1]
    >>> method.decide(rows, rate=30.0)[["onset", "offset", "kind"]]
       onset  offset   kind
    0     59      66  micro
    """

    name = "strain"
    version = 1

    def __init__(
        self,
        *,
        threshold: float = 0.2,
        lags: tuple[float, float] = (0.4, 2.0),
        smooth: float = 0.06,
        flow: str = "dis",
        window: float = 60.0,
        floor: float = 0.04,
        edge: float = 0.1,
        min_duration: float = 0.1,
        max_duration: float = 4.0,
        max_speed: float = 1.0,
    ) -> None:
        self.threshold = threshold
        self.lags = lags
        self.smooth = smooth
        self.flow = flow
        self.window = window
        self.floor = floor
        self.edge = edge
        self.min_duration = min_duration
        self.max_duration = max_duration
        self.max_speed = max_speed

    def check_params(self) -> None:  # noqa: D102
        super().check_params()
        check_float(self.smooth, "smooth", minimum=0.0)
        check_choice(self.flow, "flow", FLOW_METHODS)

    def measure(self, faces: Iterable[FaceFrame], *, rate: float) -> Iterator[np.ndarray]:  # noqa: D102
        self.check_params()
        lags = [whole_rows(lag, rate) for lag in self.lags]
        weights: np.ndarray | None = None
        for around in neighbourhoods(
            faces, keep=lambda face: face.grey, before=lags[1], after=lags[1], max_speed=self.max_speed
        ):
            row = np.full(4, np.nan)
            for column, lag in enumerate(lags):
                later = around.pair(0, lag)
                if later is None:
                    continue
                if weights is None:
                    weights = _weights(later[0].points, later[0].value.shape)
                # Kept for the row a lag later, which looks back.
                later[0].memo[lag] = self._strain(*later, weights)
                if around.pair(-lag, lag) is not None and (earlier := around.pair(-lag, 0)) is not None:
                    strains = np.minimum(earlier[0].memo[lag], later[0].memo[lag])
                    row[column], row[2 + column] = strains.sum(), strains.argmax()
            yield row

    def _strain(self, first: Kept, second: Kept, weights: np.ndarray) -> np.ndarray:
        """Return the mean strain of each region between two faces."""
        flow = optical_flow(first.value, second.value, method=self.flow)
        if self.smooth > 0.0:
            import cv2

            unit = np.hypot(*np.subtract(*eye_centers(first.points)))
            flow = np.asarray(cv2.GaussianBlur(flow, (0, 0), self.smooth * unit))
        return weights @ optical_strain(flow).ravel()

    def contrast(self, numbers: np.ndarray, lag: int) -> np.ndarray:
        """Return the strain as it is."""
        return numbers

    def contrast_reach(self, lag: int) -> int:
        """Return 0: a row's strain is its own."""
        return 0

    def region_names(self) -> tuple[str, ...]:
        """Return the names of the regions that strain is summed over."""
        return _REGIONS


def _weights(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the share of each pixel in the mean over each region, (n_regions, height * width)."""
    masks = strain_regions(points, shape)
    flat = np.stack([masks[name].ravel() for name in _REGIONS]).astype(np.float64)
    return np.asarray(flat / np.maximum(flat.sum(axis=1, keepdims=True), 1.0))


def _inside_mouth(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the pixels between the lips."""
    import cv2

    inside = np.zeros(shape, np.uint8)
    cv2.fillPoly(inside, [np.rint(points[_INNER_LIPS]).astype(np.int32)], 1)
    return inside.astype(bool)


def _well_inside(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the pixels of the face that are not near its outline."""
    import cv2

    # The brows' upper edge is no outline: the forehead goes on above it.
    raised = points[17:27] - [0.0, 2 * _OUTLINE * np.hypot(*np.subtract(*eye_centers(points)))]
    hull = cv2.convexHull(np.rint(np.concatenate([points, raised])).astype(np.int32))
    face = cv2.fillConvexPoly(np.zeros(shape, np.uint8), hull, 1)
    return np.asarray(cv2.distanceTransform(np.pad(face, 1), cv2.DIST_L2, 5))[1:-1, 1:-1] > _OUTLINE * np.hypot(
        *np.subtract(*eye_centers(points))
    )
