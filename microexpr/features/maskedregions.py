"""Clips of which only the regions of the face are left, where they were in the picture."""

__all__ = ["OnlyRegions"]

import numpy as np

from microexpr.core.base import ClipMap
from microexpr.core.checks import check_choice
from microexpr.core.clip import Clip
from microexpr.features._face_regions import FACE_REGIONS, check_grid, region_masks

# Rows and columns of regions="grid" where none are given.
_GRID = (5, 5)


class OnlyRegions(ClipMap):
    """Blacken each pixel of a clip that lies in no region of the face.

    The face is found and divided once, in the clip's onset frame (its first where none is given); pixels outside its
    regions become 0 in all frames.

    Parameters
    ----------
    regions : {"kato15", "polikovsky12", "mdmo36", "grid"}
        See `microexpr.video.faces.regions`; "grid" looks for no face and covers the whole picture, so that nothing is
        blackened.
    grid : (rows, columns), ints > 0, or None
        For "grid" alone, where None is (5, 5).

    Notes
    -----
    Frames keep size, colour and type; onset, apex, offset and frame rate stay.

    Differs from [1]_ in: it crops the face's 15 regions and does not say how they become one input. Here they stay
    where they are, so that an attention map can be drawn over the face.

    References
    ----------
    .. [1] K. Hata, T. Hirose, H. Takano, "Performance evaluation of micro-expression recognition with various network
       design variations in deep learning".

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> clip = make_clips(n_subjects=1, clips_per_subject=1).clips[0]
    >>> (masked,) = OnlyRegions().fit_transform([clip])
    >>> before, after = clip.frames(), masked.frames()
    >>> after.shape == before.shape, bool((after == 0).mean() > 0.3)
    (True, True)
    """

    version = 1

    def __init__(self, regions: str = "kato15", grid: tuple[int, int] | None = None) -> None:
        self.regions = regions
        self.grid = grid

    def check_params(self) -> None:  # noqa: D102
        check_choice(self.regions, "regions", FACE_REGIONS)
        check_grid(self.grid, self.regions, _GRID)

    def map_clip(self, clip: Clip) -> np.ndarray:
        """Return the frames, black outside the regions.

        Raises
        ------
        NeedsError
            If the clip has no pixels.
        DataError
            If the frames cannot be read, there is no face to divide, a region has no pixel, or the grid has more rows
            or columns than the picture.
        """
        frames = clip.frames()
        first = frames[clip.onset or 0]
        grid = check_grid(self.grid, self.regions, _GRID)
        inside = region_masks(first, self.regions, grid=grid, name=clip.clip_id).any(axis=0)
        # The clip's own frames may be somebody's array.
        masked = frames.copy()
        masked[:, ~inside] = 0
        return masked
