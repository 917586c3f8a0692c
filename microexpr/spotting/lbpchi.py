"""Chi-square distances of local binary patterns: a face looks unlike what it was and what it will be."""

__all__ = ["LBPDistance", "block_distances", "block_patterns"]

from collections.abc import Iterable, Iterator

import numpy as np

from microexpr.core.checks import check_choice, check_float, check_int
from microexpr.core.errors import DataError
from microexpr.spotting._blocks import BlockGrid, block_names
from microexpr.spotting._lagged import neighbourhoods
from microexpr.spotting._relative import RelativeMethod, against_neighbors, whole_rows
from microexpr.spotting.method import FaceFrame

_NEIGHBORS = 8


def block_patterns(grey: np.ndarray, labels: np.ndarray, *, n_blocks: int, radius: int = 1) -> np.ndarray:
    """Compute histograms of uniform local binary patterns, one for each block.

    Bit p of a pixel's pattern is 1 where its neighbour at the angle 2 pi p / 8 on a circle, the pixel nearest to it, is
    not darker. The 58 patterns that change at most twice around the circle have a bin each, by their value; the others
    share the last one. Each histogram sums to 1.

    Parameters
    ----------
    grey : uint8 ndarray of shape (height, width)
    labels : int64 ndarray of shape (height, width)
        Which block a pixel is of, 0 to n_blocks - 1; -1 for none, as pixels nearer than `radius` to the border are.
    n_blocks : int > 0
    radius : int > 0, in pixels

    Returns
    -------
    float64 ndarray of shape (n_blocks, 59)
        Zeros for a block without a pixel.

    Raises
    ------
    DataError
        If `grey` is no grey uint8 picture of the size of `labels`, or a label is too near to the border or too large.
    ParameterError
        If a parameter is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.full((5, 5), -1)
    >>> labels[2, 2] = 0
    >>> flat = block_patterns(np.zeros((5, 5), np.uint8), labels, n_blocks=1)
    >>> flat.shape, int(flat.argmax())
    ((1, 59), 57)
    """
    check_int(n_blocks, "n_blocks", minimum=1)
    check_int(radius, "radius", minimum=1)
    if grey.ndim != 2 or grey.dtype != np.uint8 or grey.shape != labels.shape:
        raise DataError(f"grey is {grey.dtype} of shape {grey.shape}; it must be uint8 of the labels' {labels.shape}")
    inside = labels[radius:-radius, radius:-radius]
    if (labels >= 0).sum() != (inside >= 0).sum() or (labels >= n_blocks).any():
        raise DataError(f"labels lie within {radius} pixels of the border, or are {n_blocks} or more")
    from microexpr.spotting._lbp_kernels import count_patterns

    angles = 2 * np.pi * np.arange(_NEIGHBORS) / _NEIGHBORS
    rows, columns = (np.rint(radius * way).astype(np.int64) for way in (-np.sin(angles), np.cos(angles)))
    counts = np.zeros((n_blocks, 59))
    count_patterns(np.ascontiguousarray(grey), labels.astype(np.int64), rows, columns, _uniform_bins(), counts)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)


def block_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Compute the chi-square distance of each block's two histograms: sum of (a - b)^2 / (a + b), 0 / 0 as 0.

    Parameters
    ----------
    first, second : float64 ndarray of shape (n_blocks, n_bins), >= 0

    Returns
    -------
    float64 ndarray of shape (n_blocks,)
        In [0, 2] for histograms that sum to 1.

    Examples
    --------
    >>> import numpy as np
    >>> block_distances(np.array([[1.0, 0.0, 0.0]]), np.array([[0.5, 0.5, 0.0]])).round(4).tolist()
    [0.6667]
    """
    total = first + second
    return np.asarray(((first - second) ** 2 / np.where(total > 0.0, total, 1.0)).sum(axis=1))


class LBPDistance(RelativeMethod):
    """Spot expressions by the chi-square distance of local binary patterns [1]_.

    1. Histograms of uniform patterns in 6 x 6 blocks of each face. 2. At each of two lags k, for micro- and for
       macro-expressions: the chi-square distance of each block of face i from the average of faces i - k and i + k; F_i
       is the mean of the largest third of the blocks. 3. C_i = F_i - (F_(i-k) + F_(i+k)) / 2, negative ones become 0.
    4. Peaks of C_i of at least mean + threshold * (max - mean) are expressions.

    Parameters
    ----------
    threshold : float in (0, 1]
        p of [1]_, which tries all of them.
    lags : (float, float), > 0, in seconds
        k for micro- and for macro-expressions. [1]_ has the first, half of the longest micro-expression's length.
    blocks : int > 0
        Along each side of the box around the landmarks.
    radius : int > 0, in pixels
        Of the patterns.
    blur : float >= 0, in pixels
        Standard deviation of a Gaussian before the patterns; 0 for none, as in [1]_.
    eyes : bool
        Whether the pixels around the eyes count, as in [1]_. Blinks are found then.
    window, floor, edge, min_duration, max_duration, max_speed
        See `MDMD`; `floor` is a chi-square distance.

    Notes
    -----
    Differs from [1]_ in: the second lag; the window of a minute instead of the whole video for mean and maximum, the
    same for videos of up to half a window; the noise floor; the interval, which in [1]_ is all rows within half an
    interval of a peak and here goes down to a part of the peak; neighbours are the nearest pixels, not interpolated;
    pictures are blurred, as patterns of noise are patterns too; the lids are left out by default. Radius, blur, floor,
    edge and threshold were set on synthetic videos (`make_videos`, seed 0), which have less texture than skin.

    References
    ----------
    .. [1] X. Li, X. Hong, A. Moilanen, X. Huang, T. Pfister, G. Zhao, M. Pietikainen, "Towards reading hidden emotions:
       a comparative study of spontaneous micro-expression spotting and recognition methods", IEEE Transactions on
       Affective Computing, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> method = LBPDistance(lags=(0.2, 0.4), window=4.0)
    >>> rows = np.zeros((120, 4))
    >>> rows[60:66, 0] = [0.05, 0.15, 0.2, 0.2, 0.15, 0.05]
    >>> method.decide(rows, rate=30.0)[["onset", "offset", "kind"]]
       onset  offset   kind
    0     59      66  micro
    """

    name = "lbp"
    version = 1

    def __init__(
        self,
        *,
        threshold: float = 0.1,
        lags: tuple[float, float] = (0.4, 1.3),
        blocks: int = 6,
        radius: int = 3,
        blur: float = 2.0,
        eyes: bool = False,
        window: float = 60.0,
        floor: float = 0.02,
        edge: float = 0.2,
        min_duration: float = 0.1,
        max_duration: float = 4.0,
        max_speed: float = 1.0,
    ) -> None:
        self.threshold = threshold
        self.lags = lags
        self.blocks = blocks
        self.radius = radius
        self.blur = blur
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
        check_int(self.radius, "radius", minimum=1)
        check_float(self.blur, "blur", minimum=0.0)
        check_choice(self.eyes, "eyes", (True, False))

    def measure(self, faces: Iterable[FaceFrame], *, rate: float) -> Iterator[np.ndarray]:  # noqa: D102
        self.check_params()
        lags = [whole_rows(lag, rate) for lag in self.lags]
        grid: BlockGrid | None = None

        def patterns(face: FaceFrame) -> np.ndarray:
            nonlocal grid
            picture = np.asarray(face.grey)
            if grid is None:
                grid = BlockGrid(face.points, picture.shape, blocks=self.blocks, eyes=self.eyes, margin=self.radius)
            if self.blur > 0.0:
                import cv2

                picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), self.blur))
            return block_patterns(picture, grid.labels, n_blocks=grid.n_blocks, radius=self.radius)

        for around in neighbourhoods(faces, keep=patterns, before=lags[1], after=lags[1], max_speed=self.max_speed):
            row = np.full(4, np.nan)
            for column, lag in enumerate(lags):
                if (ends := around.pair(-lag, lag)) is not None and (halves := around.pair(-lag, 0)) is not None:
                    distances = block_distances(halves[1].value, (ends[0].value + ends[1].value) / 2)
                    largest = np.argsort(-distances, kind="stable")
                    row[column] = distances[largest[: max(1, round(len(distances) / 3))]].mean()
                    row[2 + column] = largest[0]
            yield row

    def contrast(self, numbers: np.ndarray, lag: int) -> np.ndarray:
        """Return C of each row."""
        return np.maximum(against_neighbors(numbers, lag), 0.0)

    def region_names(self) -> tuple[str, ...]:
        """Return what the blocks are called."""
        return block_names(self.blocks)


def _uniform_bins() -> np.ndarray:
    """Return the bin of each of the 256 patterns: the uniform ones by value, then one for all others."""
    bits = (np.arange(256)[:, None] >> np.arange(_NEIGHBORS)) & 1
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    return np.where(uniform, np.cumsum(uniform) - 1, uniform.sum())
