"""3D-HOG: histograms of the orientations of space-time gradients, in planes or on a polyhedron."""

__all__ = ["HOG3D", "hog3d"]

import numpy as np

from microexpr.core.base import ClipTransformer
from microexpr.core.checks import check_choice
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError
from microexpr.core.frames import check_frames, to_grey
from microexpr.features import _hog3d_geometry as geometry
from microexpr.features._face_regions import FACE_REGIONS, region_masks


def hog3d(
    frames: object,
    *,
    binning: str = "polikovsky",
    cells: tuple[int, int, int] | None = None,
    masks: np.ndarray | None = None,
    box: tuple[int, int, int, int, int, int] | None = None,
    orientation: str = "full",
) -> np.ndarray:
    """Compute histograms of the orientations of space-time gradients (3D-HOG).

    The name stands for two descriptors that share nothing but the idea; `binning` says which.

    ``polikovsky`` [1]_: 1. At each voxel the gradient (g_x, g_y, g_t) by central differences, one-sided at the borders.
    2. In each region, three histograms of its direction: of (g_x, g_y) in the plane XY, 8 bins; of (g_x, g_t) in XT
    and of (g_y, g_t) in YT, 12 bins each. Bin k of n is centred on the angle 2 pi k / n from the first towards the
    second component; a voxel votes with the vector's length in the plane. 3. Each histogram is divided by its sum.

    ``icosahedron`` and ``dodecahedron`` [2]_: 1. Forward differences at each voxel, zero at the last column, row or
    frame. 2. Each cell is cut into 3 x 3 x 3 subblocks; g is the sum of the differences over one. 3. g is projected on
    the 10 or 6 axes p_i through the centres of opposite faces: q_i = p_i . g, and only what exceeds
    s = |p_i| |g| c counts, c being the cosine between neighbouring axes (sqrt(5) / 3 or 1 / sqrt(5)):
    h_i = max(q_i - s, 0), and h_(i + n) = max(-q_i - s, 0) for the opposite face. 4. h |g| / sum(h) is added to the
    cell's histogram. 5. The histograms of all cells make one vector: its Euclidean length is made 1, values are cut
    at 0.25, and its length is made 1 again.

    Parameters
    ----------
    frames : uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        Colour becomes luma first. Real-valued frames, as interpolation in time gives them, are taken as they are:
        0..255, an overshoot of 1 at most allowed.
    binning : {"polikovsky", "icosahedron", "dodecahedron"}
    cells : (int, int, int), each > 0, or None
        Numbers of cells along (rows, columns, time). None is (4, 4, 3) for the polyhedra, as in [2]_; for
        ``polikovsky`` (5, 5, 1), and (1, 1, 1) with masks, which divide the picture themselves: (1, 1, n) is allowed.
    masks : bool ndarray of shape (n_regions, height, width), or None
        Regions of the picture instead of cells; they may overlap. For ``polikovsky`` alone.
    box : (x, y, t, width, height, length), ints >= 0, in pixels and frames, or None
        The part of the clip to describe. Gradients at its borders see the pixels outside, where those of a clip cut
        out beforehand do not. Not with masks.
    orientation : {"full", "half"}
        "half" counts opposite directions in one bin, the first of the two: half as many bins.

    Returns
    -------
    float64 ndarray, values in 0..1
        ``polikovsky``: shape (n_regions * n_times * 32,), or 16 for "half"; slowest to fastest: region (or row and
        column of the cell), time, bins of XY, XT, YT. Polyhedra: shape (n_cells * n_bins,), n_bins being 20 or 12, or
        half of it; slowest to fastest: column, row, time, bin. Where nothing changes, zeros.

    Raises
    ------
    ParameterError
        If a parameter is not allowed, or contradicts the binning or the masks.
    DataError
        If `frames` is no clip, holds values that are no grey levels, or is too small for the cells (``polikovsky``
        needs 2 frames of 2 x 2 pixels at least, the polyhedra 3 frames, rows and columns a cell); if masks do not fit
        it, or one is empty; if the box reaches beyond it.

    Notes
    -----
    Sizes that the number of parts does not divide: part k of n of a length L begins at k L / n, rounded (a half down).
    This is ours for both.

    ``polikovsky``: [1]_ divides a face filmed at 200 frames a second into 12 regions and describes each by the
    orientations of its 3-D gradients, with 8, 12 and 12 bins in the three planes. How it takes differences, which way
    bins are turned, how it weighs, scales and divides in time, was not at hand: that is our choice here. So are
    central differences (they make the descriptor of a mirrored or reversed clip a permutation of the clip's),
    bins centred on the axes (a still region's XT gradients lie within bins, not between two), the whole circle,
    and one histogram over the whole clip. Its figures are not reproduced. A direction exactly between two bins
    counts for the one nearer to the plane's first axis. For uint8 frames the lengths of vectors are rounded to single
    precision before they are summed in double: 1e-7 of a bin.

    A mirrored or reversed clip has no such exact counterpart on the polyhedra: a forward difference is then taken
    between other pixels than before.

    The polyhedra follow the published program of [2]_ from gradients on, its golden ratio of 10 decimals included;
    "full" equals it to the last digits. Differs from it in: gradients, which here are forward differences summed over
    whole pixels of the clip at its own scale; the program's own reader of videos, with its scales, is not part of this.

    References
    ----------
    .. [1] S. Polikovsky, Y. Kameda, Y. Ohta, "Facial micro-expressions recognition using high speed camera and
       3D-gradient descriptor", ICDP, 2009.
    .. [2] A. Kläser, M. Marszałek, C. Schmid, "A spatio-temporal descriptor based on 3D-gradients", BMVC, 2008.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (12, 30, 24), dtype=np.uint8)
    >>> hog3d(clip).shape
    (800,)
    >>> hog3d(clip, binning="icosahedron").shape
    (960,)
    """
    divider = None if masks is None else "masks"
    settings = geometry.check_settings(binning, cells, box, orientation, divider)
    return _describe(check_frames(frames, grey_levels=True), settings, masks, "frames")


class HOG3D(ClipTransformer):
    """3D-HOG of each clip as one row; see `hog3d`.

    Parameters
    ----------
    binning : {"polikovsky", "icosahedron", "dodecahedron"}
    regions : {"polikovsky12", "kato15", "mdmo36", "grid"} or None
        What ``polikovsky`` divides the picture into: regions of the face, found in the clip's onset frame (its first
        where none is given) and the same in all frames; "grid" is the cells and needs no face. None is "polikovsky12".
        The polyhedra always have the grid: None or "grid".
    cells : (int, int, int), each > 0, or None
        Along (rows, columns, time). With regions of the face (1, 1, n), n histograms in time to a region. None is
        (1, 1, 1) with them, (5, 5, 1) for ``polikovsky`` with the grid, and (4, 4, 3) for the polyhedra.
    orientation : {"full", "half"}

    Notes
    -----
    `transform` returns float64 of shape (n_clips, n_features), each row in `hog3d`'s order: 12 regions make
    12 * n * 32 features. The number does not depend on the clip's length or size.

    [1]_ shows its 12 regions in a picture only: see `microexpr.video.faces.regions` for ours.

    References
    ----------
    .. [1] S. Polikovsky, Y. Kameda, Y. Ohta, "Facial micro-expressions recognition using high speed camera and
       3D-gradient descriptor", ICDP, 2009.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (12, 30, 24), dtype=np.uint8)
    >>> HOG3D(regions="grid", cells=(2, 3, 1)).fit_transform([clip, clip[3:, ::2]]).shape
    (2, 192)
    >>> HOG3D(binning="dodecahedron", cells=(2, 2, 1)).fit_transform([clip]).shape
    (1, 48)
    """

    version = 1

    def __init__(
        self,
        binning: str = "polikovsky",
        regions: str | None = None,
        cells: tuple[int, int, int] | None = None,
        orientation: str = "full",
    ) -> None:
        self.binning = binning
        self.regions = regions
        self.cells = cells
        self.orientation = orientation

    def check_params(self) -> None:  # noqa: D102
        self._settings()

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's histograms, float64 of shape (n_features,).

        Raises
        ------
        NeedsError
            If the clip has no pixels.
        DataError
            If the frames cannot be read, are no grey levels, are too few or too small, or there is no face to divide.
        """
        settings, kind = self._settings()
        frames = check_frames(clip.frames(), name=clip.clip_id, grey_levels=True)
        masks = None if kind == "grid" else region_masks(frames[clip.onset or 0], kind, name=clip.clip_id)
        return _describe(frames, settings, masks, clip.clip_id)

    def _settings(self) -> tuple[geometry.Settings, str]:
        check_choice(self.binning, "binning", geometry.BINNINGS)
        kind = self.regions
        if kind is None:
            kind = "polikovsky12" if self.binning == "polikovsky" else "grid"
        check_choice(kind, "regions", FACE_REGIONS)
        divider = None if kind == "grid" else f"regions={kind!r}"
        return geometry.check_settings(self.binning, self.cells, None, self.orientation, divider), kind


def _describe(frames: np.ndarray, settings: geometry.Settings, masks: object, name: str) -> np.ndarray:
    grey = np.ascontiguousarray(to_grey(frames))
    if settings.binning == "polikovsky":
        return _plane_histograms(grey, settings, masks, name)
    return _polyhedron_vector(grey, settings, name)


def _plane_histograms(grey: np.ndarray, settings: geometry.Settings, masks: object, name: str) -> np.ndarray:
    """Return the histograms of all regions, one after the other."""
    from microexpr.features import _hog3d_kernels as kernels

    if min(grey.shape) < 2:
        n_frames, height, width = grey.shape
        raise DataError(
            f"{name}: a clip of {n_frames} frames of {height} x {width} pixels has no gradients; "
            "2 frames of 2 x 2 are needed"
        )
    times, rows, columns = geometry.cut(grey.shape, settings, name)
    if masks is None:
        row_runs, runs = geometry.cell_runs(rows, columns, grey.shape[1])
        n_regions = settings.cells[0] * settings.cells[1]
    else:
        row_runs, runs, n_regions = geometry.mask_runs(masks, grey.shape, name)
    n_times = settings.cells[2]
    # Doubled differences of bytes, and sums of two squares of them, are exact in single precision.
    slopes = geometry.plane_slopes().astype(np.float32 if grey.dtype == np.uint8 else np.float64)
    votes = np.zeros((n_times * n_regions * 3, kernels.COPIES, 16))
    kernels.vote(grey, times, row_runs, runs, n_regions, slopes, votes)
    votes = votes.sum(axis=1).reshape(n_times, n_regions, 3, 16)
    planes = []
    for plane, n_bins in enumerate(geometry.PLANE_BINS):
        histograms = _fold(votes[:, :, plane] @ geometry.plane_matrix(n_bins), settings)
        totals = histograms.sum(axis=-1, keepdims=True)
        planes.append(histograms / np.where(totals > 0, totals, 1.0))
    return np.concatenate(planes, axis=-1).swapaxes(0, 1).ravel()


def _polyhedron_vector(grey: np.ndarray, settings: geometry.Settings, name: str) -> np.ndarray:
    """Return the histograms of all cells as one vector of length 1."""
    from microexpr.features import _hog3d_kernels as kernels

    times, rows, columns = geometry.cut(grey.shape, settings, name)
    gradients = np.zeros((len(columns) - 1, len(rows) - 1, len(times) - 1, 3))
    kernels.sum_gradients(grey, times, rows, columns, gradients)
    axes, share = geometry.polyhedron(settings.binning)
    projected = gradients @ axes.T
    length = np.sqrt((gradients**2).sum(axis=-1, keepdims=True))
    above = np.maximum(np.concatenate([projected, -projected], axis=-1) - share * length, 0.0)
    totals = above.sum(axis=-1, keepdims=True)
    votes = above * (length / np.where(totals > 0, totals, 1.0))
    n_rows, n_columns, n_times = settings.cells
    parts = geometry.SUBBLOCKS
    votes = votes.reshape(n_columns, parts, n_rows, parts, n_times, parts, -1).sum(axis=(1, 3, 5))
    return _unit(np.minimum(_unit(_fold(votes, settings).ravel()), 0.25))


def _fold(histograms: np.ndarray, settings: geometry.Settings) -> np.ndarray:
    """Add up the bins of opposite directions, which lie half a histogram apart, if they are to be one."""
    if settings.orientation == "full":
        return histograms
    half = histograms.shape[-1] // 2
    return histograms[..., :half] + histograms[..., half:]


def _unit(vector: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vector)
    return np.asarray(vector / length if length > 0 else vector)
