"""Apex search: the frame in which an expression is strongest, from how much each frame differs from the onset."""

__all__ = ["APEX_FEATURES", "ApexSearch", "apex_curve", "find_apex"]

from typing import NamedTuple

import numpy as np

from microexpr.core.base import ClipMap
from microexpr.core.checks import check_choice, check_float, check_int, check_int_tuple
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.frames import check_frames, to_grey
from microexpr.video.flow import FLOW_METHODS, optical_flow
from microexpr.video.strain import optical_strain

#: What frames can be compared by.
APEX_FEATURES = ("lbp", "flow", "strain")

_SEARCHES = ("divide_and_conquer", "argmax")
# Weighting by the inverse of the distance makes least squares least distances; the small motion keeps it finite.
_REWEIGHTINGS = 3
_SMALL_MOTION = 0.05
# Neighbours from the right, counter-clockwise on the screen: (row, column).
_RING = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))


def apex_curve(
    frames: object,
    *,
    onset: int = 0,
    offset: int | None = None,
    feature: str = "lbp",
    blocks: tuple[int, int] = (6, 6),
    flow: str = "farneback",
) -> np.ndarray:
    """Compute how much each frame from onset to offset differs from the onset frame.

    With h and h0 the 59-bin histograms of uniform local binary patterns (8 neighbours, the 3 x 3 square) of one block
    in a frame and in the onset frame, and w the optical flow from the onset to the frame:

    - "lbp": the mean over blocks of 1 - sum(h h0) / sqrt(sum(h^2) sum(h0^2));
    - "flow": the mean over pixels of |w - s|, s being the similarity (shift, turn and scale of the picture, which is
      what the head does) closest to w: least squares, then three times weighted by 1 / (|w - s| + 0.05 pixels);
    - "strain": the mean over pixels of the optical strain of w.

    Frames that equal the onset frame get 0.

    Parameters
    ----------
    frames : uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
    onset : int >= 0, zero-based position
    offset : int > onset, zero-based position, or None for the last frame
    feature : {"lbp", "flow", "strain"}
    blocks : (rows, columns), ints > 0
        Of "lbp" only; block k of n takes pixels floor(k size / n) to floor((k + 1) size / n).
    flow : {"tvl1", "farneback", "dis"}
        Of "flow" and "strain" only; see `optical_flow`.

    Returns
    -------
    float64 ndarray of shape (offset - onset + 1,)
        From 0 (the onset). No unit, in pixels, no unit.

    Raises
    ------
    ParameterError
        If a parameter breaks its rule.
    DataError
        If `frames` is no uint8 clip, has no frame after the onset, or is too small for the blocks or the flow.

    Notes
    -----
    Differs from [1]_ in: blocks of a grid over the whole frame in place of three regions around eyebrows and mouth; the
    flow's magnitude, which the paper does not use.

    References
    ----------
    .. [1] S.-T. Liong, J. See, K. Wong, A. C. Le Ngo, Y.-H. Oh, R. Phan, "Automatic apex frame spotting in
       micro-expression database", ACPR, 2015.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> clip = make_clips(n_subjects=1, clips_per_subject=1).clips[0]
    >>> curve = apex_curve(clip.frames(), feature="strain")
    >>> len(curve) == clip.n_frames, float(curve[0])
    (True, 0.0)
    """
    settings = _check_settings(feature, blocks, flow, "argmax", 0.0)
    return _curve(_stretch(check_frames(frames), onset, offset, "frames"), settings, "frames")


def find_apex(
    frames: object,
    *,
    onset: int = 0,
    offset: int | None = None,
    feature: str = "lbp",
    blocks: tuple[int, int] = (6, 6),
    flow: str = "farneback",
    search: str = "divide_and_conquer",
    smoothing: float = 0.0,
) -> int:
    """Find the apex between onset and offset.

    1. `apex_curve`. 2. Its peaks: frames after the onset with a value greater than that of the frame before and not
    less than that of the frame after, where there is one. 3. The stretch from onset to offset is halved (the first half
    is the longer one), and the half whose peaks have the greater sum is kept (the first one of equals), until one peak
    is left: that is the apex. With search="argmax", the apex is the first frame with the greatest value.

    Parameters
    ----------
    frames : uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
    onset : int >= 0, zero-based position
    offset : int > onset, zero-based position, or None for the last frame
    feature : {"lbp", "flow", "strain"}
    blocks : (rows, columns), ints > 0
        Of "lbp" only.
    flow : {"tvl1", "farneback", "dis"}
        Of "flow" and "strain" only.
    search : {"divide_and_conquer", "argmax"}
    smoothing : float >= 0, in frames
        Standard deviation of a Gaussian that smooths the curve, without its first value, before the search; 0 leaves
        it as it is. Sensor noise makes a peak of every third frame.

    Returns
    -------
    int
        Zero-based position in `frames`, onset < apex <= offset.

    Raises
    ------
    ParameterError
        If a parameter breaks its rule.
    DataError
        If `frames` is no uint8 clip, has no frame after the onset, is too small for the blocks or the flow, or no
        frame differs from the onset.

    Notes
    -----
    Differs from [1]_ in: the features, see `apex_curve`; and the last frame may be a peak. The paper leaves peaks,
    odd halves and ties open.

    References
    ----------
    .. [1] S.-T. Liong, J. See, K. Wong, A. C. Le Ngo, Y.-H. Oh, R. Phan, "Automatic apex frame spotting in
       micro-expression database", ACPR, 2015.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> clip = make_clips(n_subjects=1, clips_per_subject=1, noise=0, flicker=0, sway=0).clips[0]
    >>> abs(find_apex(clip.frames(), feature="flow") - clip.apex) <= 2
    True
    """
    settings = _check_settings(feature, blocks, flow, search, smoothing)
    return _find(check_frames(frames), onset, offset, settings, "frames")


class ApexSearch(ClipMap):
    """Give each clip that has no apex the one that `find_apex` finds; the frames stay.

    Parameters
    ----------
    feature : {"lbp", "flow", "strain"}
    blocks : (rows, columns), ints > 0
        Of "lbp" only.
    flow : {"tvl1", "farneback", "dis"}
        Of "flow" and "strain" only.
    search : {"divide_and_conquer", "argmax"}
    smoothing : float >= 0, in frames
    overwrite : bool
        Whether to search in clips that have an apex too, and replace it.

    Notes
    -----
    The search runs from the clip's onset (the first frame, where none is given) to its offset (the last). `transform`
    reads the frames of the clips it searches; those of clips that keep their apex are read when asked.
    The defaults are the paper's. Where there is sensor noise, `feature="strain", smoothing=3.0` errs about half as
    much; `benchmarks/bench_motion.py` has the figures.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from microexpr.data import make_clips
    >>> clip = make_clips(n_subjects=1, clips_per_subject=1).clips[0]
    >>> unknown = replace(clip, apex=None)
    >>> [found, kept] = ApexSearch(feature="strain").fit_transform([unknown, clip])
    >>> found.onset < found.apex <= found.offset, kept.apex == clip.apex
    (True, True)
    """

    version = 1

    def __init__(
        self,
        feature: str = "lbp",
        blocks: tuple[int, int] = (6, 6),
        flow: str = "farneback",
        search: str = "divide_and_conquer",
        smoothing: float = 0.0,
        overwrite: bool = False,
    ) -> None:
        self.feature = feature
        self.blocks = blocks
        self.flow = flow
        self.search = search
        self.smoothing = smoothing
        self.overwrite = overwrite

    def check_params(self) -> None:  # noqa: D102
        self._settings()
        if not isinstance(self.overwrite, bool):
            raise ParameterError(f"overwrite is {self.overwrite!r}: it must be True or False")

    def map_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's frames as they are."""
        return clip.frames()

    def map_apex(self, clip: Clip, n_frames: int) -> int | None:
        """Return the clip's own apex, or the one found where it has none.

        Raises
        ------
        DataError
            If the frames cannot be read, or the search finds nothing in them.
        """
        if clip.apex is not None and not self.overwrite:
            return clip.apex
        onset = 0 if clip.onset is None else clip.onset
        return _find(clip.frames(), onset, clip.offset, self._settings(), clip.clip_id)

    def _settings(self) -> "_Settings":
        return _check_settings(self.feature, self.blocks, self.flow, self.search, self.smoothing)


class _Settings(NamedTuple):
    """Checked parameters of `find_apex`."""

    feature: str
    blocks: tuple[int, ...]
    flow: str
    search: str
    smoothing: float


def _check_settings(feature: str, blocks: tuple[int, int], flow: str, search: str, smoothing: float) -> _Settings:
    return _Settings(
        feature=str(check_choice(feature, "feature", APEX_FEATURES)),
        blocks=check_int_tuple(blocks, "blocks", 2, minimum=1),
        flow=str(check_choice(flow, "flow", FLOW_METHODS)),
        search=str(check_choice(search, "search", _SEARCHES)),
        smoothing=check_float(smoothing, "smoothing", minimum=0.0),
    )


def _stretch(frames: np.ndarray, onset: int, offset: int | None, name: str) -> np.ndarray:
    """Return the frames from onset to offset, grey."""
    check_int(onset, "onset", minimum=0)
    last = len(frames) - 1 if offset is None else check_int(offset, "offset", minimum=0)
    if last >= len(frames):
        raise DataError(f"{name}: offset {last} lies outside the clip's {len(frames)} frames")
    if onset >= last:
        raise DataError(f"{name}: no frame lies after the onset {onset} and up to {last}; there is nothing to search")
    if frames.dtype != np.uint8:
        raise DataError(f"{name}: frames of dtype {frames.dtype}; apex search needs uint8")
    return to_grey(frames[onset : last + 1])


def _find(frames: np.ndarray, onset: int, offset: int | None, settings: _Settings, name: str) -> int:
    curve = _curve(_stretch(frames, onset, offset, name), settings, name)
    if curve.max() <= 0:
        raise DataError(f"{name}: no frame differs from the onset {onset} in {settings.feature}; there is no apex")
    if settings.smoothing:
        from scipy.ndimage import gaussian_filter1d

        # The onset's 0 is no measurement: other frames differ from it by noise at the least.
        curve[1:] = gaussian_filter1d(curve[1:], settings.smoothing, mode="nearest")
    return onset + (int(curve.argmax()) if settings.search == "argmax" else _divide(curve))


def _divide(curve: np.ndarray) -> int:
    """Return the peak that halving ends at."""
    after = np.append(curve[1:], -np.inf)
    peaks = 1 + np.flatnonzero((curve[1:] > curve[:-1]) & (curve[1:] >= after[1:]))
    start, stop = 0, len(curve)
    while len(peaks) > 1:
        middle = start + (stop - start + 1) // 2
        early = peaks < middle
        if curve[peaks[early]].sum() >= curve[peaks[~early]].sum():
            stop, peaks = middle, peaks[early]
        else:
            start, peaks = middle, peaks[~early]
    return int(peaks[0])


def _curve(frames: np.ndarray, settings: _Settings, name: str) -> np.ndarray:
    if settings.feature == "lbp":
        return _pattern_curve(frames, settings.blocks, name)
    values = [0.0]
    for frame in frames[1:]:
        # Between equal frames, flow is 0 but for its noise.
        if np.array_equal(frame, frames[0]):
            values.append(0.0)
            continue
        field = optical_flow(frames[0], frame, method=settings.flow)
        if settings.feature == "strain":
            values.append(float(optical_strain(field).mean()))
        else:
            values.append(float(_motion_within(field).mean()))
    return np.array(values)


def _motion_within(field: np.ndarray) -> np.ndarray:
    """Return how far each vector is from the similarity that most of the field follows."""
    height, width = field.shape[:2]
    # As complex numbers, a similarity is shift + turn * place.
    place = np.arange(width) + 1j * np.arange(height)[:, None]
    motion = field[..., 0] + 1j * field[..., 1]
    weights = np.ones((height, width))
    for _ in range(1 + _REWEIGHTINGS):
        shares = weights / weights.sum()
        from_centre = place - (shares * place).sum()
        relative = motion - (shares * motion).sum()
        turn = (shares * from_centre.conj() * relative).sum() / (shares * np.abs(from_centre) ** 2).sum()
        distance = np.abs(relative - turn * from_centre)
        weights = 1.0 / (distance + _SMALL_MOTION)
    return np.asarray(distance)


def _pattern_curve(frames: np.ndarray, blocks: tuple[int, ...], name: str) -> np.ndarray:
    height, width = frames.shape[1] - 2, frames.shape[2] - 2
    if height < blocks[0] or width < blocks[1]:
        raise DataError(
            f"{name}: frames of {height + 2} x {width + 2} pixels, without their border, cannot be cut into "
            f"{blocks[0]} x {blocks[1]} blocks"
        )
    row_block, column_block = (
        np.repeat(np.arange(count), np.diff(np.arange(count + 1) * size // count))
        for size, count in zip((height, width), blocks, strict=True)
    )
    first_bin = 59 * (row_block[:, None] * blocks[1] + column_block)
    bin_of_code = _uniform_bins()
    n_blocks = blocks[0] * blocks[1]
    histograms = np.array(
        [np.bincount((first_bin + bin_of_code[_codes(frame)]).ravel(), minlength=59 * n_blocks) for frame in frames],
        dtype=np.float64,
    ).reshape(len(frames), n_blocks, 59)
    squares = (histograms**2).sum(axis=2)
    similar = (histograms * histograms[0]).sum(axis=2) / np.sqrt(squares * squares[0])
    # Counts are whole numbers: equal histograms give 1 but for the last digit.
    return np.asarray(np.maximum(1.0 - similar, 0.0).round(12).mean(axis=1))


def _codes(frame: np.ndarray) -> np.ndarray:
    """Return the local binary patterns of all pixels but the border's."""
    height, width = frame.shape
    centre = frame[1:-1, 1:-1]
    codes = np.zeros(centre.shape, np.uint8)
    for bit, (down, right) in enumerate(_RING):
        neighbour = frame[1 + down : height - 1 + down, 1 + right : width - 1 + right]
        codes |= (neighbour >= centre).astype(np.uint8) << bit
    return codes


def _uniform_bins() -> np.ndarray:
    """Return the bin of each code: uniform ones in ascending order, all others in the last."""
    bits = np.arange(256)[:, None] >> np.arange(8) & 1
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    return np.where(uniform, np.cumsum(uniform) - 1, 58)
