"""A descriptor computed in each region of the face, the results one after the other."""

__all__ = ["InRegions"]

from dataclasses import replace

import numpy as np

from microexpr.core.base import ClipTransformer
from microexpr.core.checks import check_choice
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.frames import check_frames
from microexpr.core.sources import ArraySource
from microexpr.features._face_regions import FACE_REGIONS, check_grid, frame_regions, region_boxes

# Rows and columns of regions="grid" where none are given.
_GRID = (5, 5)


class InRegions(ClipTransformer):
    """Apply a descriptor of whole clips to each region of the face.

    The face is found and divided once, in the clip's onset frame (its first where none is given); each region's
    upright bounding box is cut out of all frames and described on its own.

    Parameters
    ----------
    descriptor : ClipTransformer
        Anything that works from frames, `LBPTOP()` say.
    regions : {"kato15", "polikovsky12", "mdmo36", "grid"}
        See `microexpr.video.faces.regions`; "grid" divides the whole picture and looks for no face.
    grid : (rows, columns), ints > 0, or None
        For "grid" alone, where None is (5, 5).

    Notes
    -----
    `transform` returns (n_clips, n_regions * n_features), region by region.

    Examples
    --------
    >>> import numpy as np
    >>> from microexpr.features.lbptop import LBPTOP
    >>> clip = np.random.default_rng(0).integers(0, 256, (12, 40, 30), dtype=np.uint8)
    >>> InRegions(LBPTOP(radii=(1, 1, 1)), regions="grid", grid=(2, 3)).transform([clip]).shape
    (1, 1062)
    """

    version = 1

    def __init__(
        self, descriptor: ClipTransformer, regions: str = "kato15", grid: tuple[int, int] | None = None
    ) -> None:
        self.descriptor = descriptor
        self.regions = regions
        self.grid = grid

    def check_params(self) -> None:  # noqa: D102
        if not isinstance(self.descriptor, ClipTransformer):
            raise ParameterError(f"descriptor is a {type(self.descriptor).__name__}: it must be a ClipTransformer")
        self.descriptor.check_params()
        check_choice(self.regions, "regions", FACE_REGIONS)
        check_grid(self.grid, self.regions, _GRID)

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the descriptors of all regions, one after the other, as one row.

        Raises
        ------
        DataError
            If there is no face to divide, the grid has more rows or columns than the picture, or a region is too small
            for the descriptor; the message names it.
        """
        frames = check_frames(clip.frames(), name=clip.clip_id)
        first = frames[clip.onset or 0]
        grid = check_grid(self.grid, self.regions, _GRID)
        polygons = frame_regions(first, self.regions, grid=grid, name=clip.clip_id)
        rows = []
        for region, (y, x) in region_boxes(polygons, first.shape[:2], name=clip.clip_id).items():
            part = replace(clip, source=ArraySource(np.ascontiguousarray(frames[:, y, x])))
            try:
                rows.append(self.descriptor.transform_clip(part).ravel())
            except DataError as error:
                raise DataError(f"{error} (region {region})") from None
        return np.concatenate(rows)
