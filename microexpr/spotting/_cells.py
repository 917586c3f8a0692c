"""A grid of cells over the canonical face, and how a face has moved in them since an earlier one."""

__all__ = ["CellGrid", "Reference", "fit_head", "pooled"]

import numpy as np

from microexpr.video.faces.template import eye_centers

_CELL = 8
# Sensor noise gives gradients of its own: blurred away before anything is compared.
_BLUR = 1.0
# Added to the squared gradients, in grey levels a pixel: where a picture tells no more than this, nothing moves.
_LEAST_INFORMATION = 0.5
_ROUNDS = 6
# What lies within this many times the usual residual belongs to the head, with weights that fall to 0 at the double.
_USUAL = 2.0
# Beyond the outline of the landmarks to the top of the forehead, in distances between the eyes.
_FOREHEAD = 0.35
# Half width and height around the middle of an eye where lids move, in distances between the eyes.
_LIDS = (0.36, 0.17)


class CellGrid:
    """Where the cells lie, and which of them are of the head rather than of the eyes or the background.

    Parameters
    ----------
    points : float64 ndarray of shape (68, 2)
        The canonical landmarks.
    size : (height, width)
    """

    def __init__(self, points: np.ndarray, size: tuple[int, int]) -> None:
        import cv2

        height, width = size
        right, left = eye_centers(points)
        self.unit = float(np.hypot(*(left - right)))
        self.middle = (right + left) / 2
        y, x = np.mgrid[_CELL // 2 : height : _CELL, _CELL // 2 : width : _CELL].astype(np.float64)
        self.centers = np.stack([x, y], axis=-1).reshape(-1, 2)
        #: Cells in distances between the eyes, from the point between them.
        self.places = (self.centers - self.middle) / self.unit
        forehead = points[17:27] - [0.0, _FOREHEAD * self.unit]
        hull = cv2.convexHull(np.concatenate([points, forehead]).astype(np.float32))
        inside = [cv2.pointPolygonTest(hull, (float(x), float(y)), True) > -2.0 for x, y in self.centers]
        lids = np.zeros(len(self.centers), bool)
        for eye in (right, left):
            lids |= (np.abs(self.centers - eye) < np.array(_LIDS) * self.unit).all(axis=1)
        self.of_face = np.array(inside)
        self.of_head = self.of_face & ~lids


class Reference:
    """A face that later ones are compared with.

    Parameters
    ----------
    grey : uint8 ndarray of shape (height, width)
    preset : int
        Of OpenCV's dense inverse search: 0 is the fastest, 2 the best.
    """

    def __init__(self, grey: np.ndarray, *, preset: int = 2) -> None:
        import cv2

        self._search = cv2.DISOpticalFlow.create(preset)
        self.picture = _blurred(grey)
        soft = cv2.GaussianBlur(self.picture.astype(np.float32), (0, 0), 1.0)
        along_x, along_y = (cv2.Sobel(soft, cv2.CV_32F, *order) / 8 for order in ((1, 0), (0, 1)))
        self._tensor = (along_x * along_x, along_x * along_y, along_y * along_y)
        #: Mean structure tensor of each cell: xx, xy, yy.
        self.information = np.stack([_cell_means(part) for part in self._tensor], axis=-1)

    def moved(self, grey: np.ndarray) -> np.ndarray:
        """Return information times motion of each cell, float64 (n_cells, 2): where texture is, motion is known.

        Flow in a patch without texture is a guess, along an edge half a guess: weighted by the structure tensor,
        guesses count for nothing wherever cells are pooled.
        """
        flow = self._search.calc(self.picture, _blurred(grey), None)
        xx, xy, yy = self._tensor
        u, v = flow[..., 0], flow[..., 1]
        return np.stack([_cell_means(xx * u + xy * v), _cell_means(xy * u + yy * v)], axis=-1)

    def match(self, grey: np.ndarray, cells: np.ndarray) -> float:
        """Return the correlation of the two pictures over some of the cells."""
        pictures = [_cell_means(picture.astype(np.float32))[cells] for picture in (self.picture, _blurred(grey))]
        if min(float(picture.std()) for picture in pictures) < 1e-3:
            return 0.0
        return float(np.corrcoef(*pictures)[0, 1])


def pooled(
    moved: np.ndarray, information: np.ndarray, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the motion of groups of cells, and how well it is known.

    Least squares over the group: (sum T)^-1 (sum T w) for structure tensors T and motions w.

    Parameters
    ----------
    moved : float64 ndarray of shape (n_cells, 2)
        T w of each cell.
    information : float64 ndarray of shape (n_cells, 3)
        T of each cell.
    groups : float64 ndarray of shape (n_groups, n_cells), or None
        How much each cell counts in each group; None takes each cell by itself.

    Returns
    -------
    motion : float64 ndarray of shape (n_groups, 2), in pixels
    sureness : float64 ndarray of shape (n_groups,)
        Square root of the least eigenvalue of the mean tensor, in grey levels a pixel.
    """
    if groups is not None:
        moved, information = groups @ moved, groups @ information
    n_cells = np.ones(len(moved)) if groups is None else groups.sum(axis=1)
    xx, xy, yy = information.T
    least = _LEAST_INFORMATION * n_cells
    xx, yy = xx + least, yy + least
    first, second = moved.T
    determinant = xx * yy - xy * xy
    motion = np.stack([yy * first - xy * second, xx * second - xy * first], axis=-1) / determinant[:, None]
    smallest = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy * xy)
    return motion, np.sqrt(np.maximum(smallest / n_cells, 0.0))


def fit_head(motion: np.ndarray, weights: np.ndarray, basis: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Fit the motion of the whole head to those of cells, most of which move with it.

    Iteratively reweighted least squares with Tukey's weights: cells that move otherwise are the expression.

    Parameters
    ----------
    motion : float64 ndarray of shape (n_cells, 2), in pixels
    weights : float64 ndarray of shape (n_cells,), >= 0
    basis : float64 ndarray of shape (n_cells, n_terms)
        Each term of the head's motion, at each cell.
    spread : float64 ndarray of shape (n_terms, 2)
        How large each coefficient is likely to be, along x and y, in pixels: infinity where anything is as likely, 0
        where the term is not there.

    Returns
    -------
    float64 ndarray of shape (n_terms, 2)
        Coefficients: the head moves by ``basis @ coefficients``.
    """
    known = weights > 0
    textured = weights > np.median(weights[known]) if known.any() else known
    if not textured.any():
        textured = known
    current = weights.copy()
    coefficients = np.zeros((basis.shape[1], 2))
    usual = 0.0
    for _ in range(_ROUNDS):
        weighted = basis * (current**2)[:, None]
        gram, right = weighted.T @ basis, weighted.T @ motion
        for axis in (0, 1):
            kept = spread[:, axis] > 0.0
            # The residuals' own spread against that of the coefficient: a ridge in the units of both.
            ridge = (usual * current.max()) ** 2 / spread[kept, axis] ** 2
            system = gram[np.ix_(kept, kept)] + np.diag(ridge + 1e-9)
            coefficients[:, axis] = 0.0
            coefficients[kept, axis] = np.linalg.solve(system, right[kept, axis])
        residual = np.hypot(*(motion - basis @ coefficients).T)
        usual = _USUAL * float(np.median(residual[textured])) + 1e-2 if textured.any() else 1e-2
        # A trace of weight everywhere keeps the system solvable.
        current = weights * (np.maximum(1.0 - (residual / (2 * usual)) ** 2, 0.0) ** 2 + 1e-6)
    return coefficients


def _blurred(grey: np.ndarray) -> np.ndarray:
    import cv2

    return np.asarray(cv2.GaussianBlur(grey, (0, 0), _BLUR))


def _cell_means(picture: np.ndarray) -> np.ndarray:
    import cv2

    means = cv2.boxFilter(picture, cv2.CV_32F, (_CELL + 1, _CELL + 1))
    return np.asarray(means[_CELL // 2 :: _CELL, _CELL // 2 :: _CELL], np.float64).reshape(-1)
