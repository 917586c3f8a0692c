"""The upper lids of a synthetic face as they close: a sheet of skin that is drawn down over a resting eyeball."""

__all__ = ["Eyelids"]

import numpy as np

from microexpr.data._face import smooth_outline

# From the crease, where the skin rests, to the edge of the lid, in design units: the brow lies higher.
_HEIGHT = 6.0
# The lashes belong to the lid: its edge lies this far below the line through the landmarks.
_LASHES = 0.5
# A closed lid covers the lower one by so much.
_OVERLAP = 0.3


class Eyelids:
    """The lids of the face with these landmarks; all is in design units.

    The skin between crease and edge is stretched evenly, and what lies below the edge does not move. `closure` is the
    part of the way from open to closed: 0 leaves everything as it is.

    Parameters
    ----------
    points : float64 ndarray of shape (68, 2)
    """

    def __init__(self, points: np.ndarray) -> None:
        across, edge, travel = [], [], []
        for eye in (points[36:42], points[42:48]):
            upper = smooth_outline(eye[:4], closed=False)
            lower = smooth_outline(eye[[3, 4, 5, 0]], closed=False)[::-1]
            bottom = np.interp(upper[:, 0], lower[:, 0], lower[:, 1])
            across.append(upper[:, 0])
            edge.append(upper[:, 1] + _LASHES)
            travel.append(np.maximum(bottom + _OVERLAP - edge[-1], 0.0))
        # Both eyes are one curve: between them, and beyond their corners, nothing travels.
        self._across, self._edge, self._travel = map(np.concatenate, (across, edge, travel))

    def lowered(self, points: np.ndarray, closure: float) -> np.ndarray:
        """Return where points (..., 2) of the skin come to lie; points of the eyeball stay."""
        edge, travel = self._at(points[..., 0])
        share = np.clip((points[..., 1] - edge) / _HEIGHT + 1.0, 0.0, 1.0)
        lowered = np.array(points, dtype=float)
        lowered[..., 1] += np.where(points[..., 1] <= edge, closure * travel * share, 0.0)
        return lowered

    def raised(self, x: np.ndarray, y: np.ndarray, closure: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the height that the skin seen at (x, y) has in the open eye, and how far below it the edge lies.

        The second is negative on the eyeball, for which the first means nothing.
        """
        edge, travel = self._at(x)
        crease = edge - _HEIGHT
        stretch = 1.0 + closure * travel / _HEIGHT
        skin = np.where(y > crease, crease + (y - crease) / stretch, y)
        return skin, edge + closure * travel - y

    def _at(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.interp(x, self._across, self._edge), np.interp(x, self._across, self._travel)
