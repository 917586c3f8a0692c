"""The networks' inputs, still plain arrays: still frames, whole clips, flow images, and a frame with stacked flow."""

__all__ = ["FlowImage", "FrameAndFlow", "Stills", "Volume", "frame_and_flow"]

import numpy as np

from microexpr.core.base import ClipTransformer
from microexpr.core.checks import check_choice, check_int, check_int_tuple
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.frames import check_frames, to_grey
from microexpr.features.flowmap import clip_flow_map
from microexpr.video.flow import FLOW_METHODS, optical_flow, resize_flow
from microexpr.video.motion import FLOW_VERSION
from microexpr.video.resize import resize_frames

_POSITIONS = ("onset", "middle", "apex", "offset")
_STILLS = ("middle", "apex")


class Stills(ClipTransformer):
    """A few frames of each clip, as channels of one picture.

    Parameters
    ----------
    positions : tuple of {"onset", "middle", "apex", "offset"}, at least one
        Which frames, in this order. "onset" is the first frame where none is given; "middle" lies halfway between
        onset and apex, rounded half up. Apex and offset are never guessed.
    colour : bool
        False: one grey channel a frame. True: R, G and B of each frame; a grey clip's are three times the same.

    Notes
    -----
    `transform` returns uint8 of shape (n_clips, n_positions, height, width), or (n_clips, 3 * n_positions, height,
    width) with `colour`: R, G, B of the first position, then of the second. All clips need frames of one size: `Pad`
    or `Resize` stands before this step.

    The apex frame alone is the input of [1]_ and one of two of [2]_, whose other is onset, middle and apex. Both leave
    open how half a frame is rounded; [1]_ asks for onset, apex and offset under future work.

    References
    ----------
    .. [1] S. Houlton, "Expression classification in microexpressions", Colorado State University.
    .. [2] K. Hata, T. Hirose, H. Takano, "Performance evaluation of micro-expression recognition with various network
       design variations in deep learning".

    Examples
    --------
    >>> import numpy as np
    >>> from microexpr.core.clip import Clip
    >>> from microexpr.core.sources import ArraySource
    >>> frames = np.random.default_rng(0).integers(0, 256, (9, 60, 50), dtype=np.uint8)
    >>> clips = [Clip("a", ArraySource(frames), onset=0, apex=5, offset=8)]
    >>> Stills().transform(clips).shape
    (1, 1, 60, 50)
    >>> three = Stills(("onset", "middle", "apex")).transform(clips)
    >>> bool((three[0] == frames[[0, 3, 5]]).all())
    True
    """

    version = 1

    def __init__(self, positions: tuple[str, ...] = ("apex",), colour: bool = False) -> None:
        self.positions = positions
        self.colour = colour

    def check_params(self) -> None:  # noqa: D102
        if not isinstance(self.positions, (tuple, list)) or not self.positions:
            raise ParameterError(f"positions is {self.positions!r}: it must be a tuple of at least one position")
        for number, position in enumerate(self.positions):
            check_choice(position, f"positions[{number}]", _POSITIONS)
        if not isinstance(self.colour, bool):
            raise ParameterError(f"colour is {self.colour!r}: it must be True or False")

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's frames as channels, uint8 of shape (n_channels, height, width).

        Raises
        ------
        NeedsError
            If the clip has no pixels, or a position is unknown.
        DataError
            If the frames cannot be read, or are not uint8.
        """
        frames = _uint8_frames(clip)
        chosen = frames[[_position(clip, name) for name in self.positions]]
        if not self.colour:
            return to_grey(chosen)
        if chosen.ndim == 3:
            return np.repeat(chosen, 3, axis=0)
        return np.ascontiguousarray(np.moveaxis(chosen, 3, 1)).reshape(-1, *chosen.shape[1:3])


class Volume(ClipTransformer):
    """All frames of each clip, grey.

    Notes
    -----
    `transform` returns uint8 of shape (n_clips, n_frames, height, width). All clips need as many frames of one size:
    `TIM` and `Resize` stand before this step, `TIM(18)` and `Resize((64, 64))` for the input of [1]_, which does not
    say how its clips come to have 18 frames.

    References
    ----------
    .. [1] V. Dubey, B. Takkar, P. S. Lamba, "Micro-expression recognition using 3D-CNN".

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from microexpr.video import TIM, Resize
    >>> clips = [np.zeros((23, 140, 120), np.uint8), np.zeros((30, 150, 110, 3), np.uint8)]
    >>> make_pipeline(TIM(18), Resize((64, 64)), Volume()).fit_transform(clips).shape
    (2, 18, 64, 64)
    """

    version = 1

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's frames, uint8 of shape (n_frames, height, width).

        Raises
        ------
        NeedsError
            If the clip has no pixels.
        DataError
            If the frames cannot be read, or are not uint8.
        """
        return to_grey(_uint8_frames(clip))


class FlowImage(ClipTransformer):
    """Onset-apex flow and strain of each clip as a picture, whatever the size of a stored map.

    Parameters
    ----------
    size : int > 0, in pixels
        Height and width of the picture.
    method : {"tvl1", "farneback", "dis"}
        The optical flow of clips that have frames; stored maps are as their maker computed them.

    Notes
    -----
    `transform` returns uint8 of shape (n_clips, size, size, 3), channels u, v, strain, each stretched to 0..255: of
    clips with frames the `flow_map`. A stored map of another size is resized and not stretched again: averaging over
    the area where none of its sides grows, else interpolating linearly. It becomes square.

    Differs from [1]_ in: what it leaves open, which optical flow it computes and how that becomes a picture of three
    channels. A network made for pictures of 224 x 224 pixels on the flow of onset and apex is its own.

    References
    ----------
    .. [1] Y. Liu, H. Du, L. Zheng, T. Gedeon, "A neural micro-expression recognizer", FG, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from microexpr.core.clip import Clip
    >>> from microexpr.core.sources import ArraySource
    >>> frames = np.random.default_rng(0).integers(0, 255, (9, 60, 50), dtype=np.uint8)
    >>> FlowImage(method="dis").transform([Clip("a", ArraySource(frames), onset=0, apex=4)]).shape
    (1, 224, 224, 3)
    """

    version = 1

    def __init__(self, size: int = 224, method: str = "tvl1") -> None:
        self.size = size
        self.method = method

    def check_params(self) -> None:  # noqa: D102
        check_int(self.size, "size", minimum=1)
        check_choice(self.method, "method", FLOW_METHODS)

    def key_facts(self) -> dict[str, object]:  # noqa: D102
        return {"flow": FLOW_VERSION}

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's picture, uint8 of shape (size, size, 3).

        Raises
        ------
        NeedsError
            If the clip has frames but no apex.
        DataError
            If the apex does not come after the onset, or the frames or the stored map cannot be read.
        """
        channels = clip_flow_map(clip, size=self.size, method=self.method)
        return resize_frames(channels[None], (self.size, self.size))[0]


def frame_and_flow(
    frames: object, *, size: tuple[int, int] = (64, 64), still: int | None = None, method: str = "farneback"
) -> np.ndarray:
    """Stack one frame of a clip and the optical flow between each two successive frames.

    1. Frames in grey. 2. Optical flow from each frame to the next, at full size. 3. The frame and all flow resized to
    `size`, the vectors scaled with it: shrinking averages over the area of each new pixel, enlarging interpolates
    linearly.

    Parameters
    ----------
    frames : uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3), n_frames >= 2
        At least 8 x 8 pixels.
    size : (height, width), ints > 0, in pixels
    still : int in [0, n_frames) or None
        Zero-based position of the frame; None is the clip's middle, n_frames // 2.
    method : {"tvl1", "farneback", "dis"}
        See `microexpr.video.optical_flow`.

    Returns
    -------
    float32 ndarray of shape (1 + 2 * (n_frames - 1), *size)
        Channel 0 the frame, 0..255; then u (to the right) and v (downwards) of the first pair, of the second and so
        on, in pixels of `size`.

    Raises
    ------
    ParameterError
        If a parameter breaks its rule.
    DataError
        If `frames` is no uint8 clip, a single frame, or smaller than 8 x 8 pixels.

    Notes
    -----
    A network of one stream for a still frame and one for stacked flow in the order u1, v1, u2, v2 ... is that of [1]_;
    [2]_ applies two such streams to micro-expressions.

    Differs from [1]_ in: no sampling of stretches (a clip is short enough to be stacked whole), no removal of the mean
    flow, and flow that is neither cut nor stored as bytes. [2]_ names neither size nor flow.

    References
    ----------
    .. [1] K. Simonyan, A. Zisserman, "Two-stream convolutional networks for action recognition in videos", NIPS, 2014.
    .. [2] S. Venneti, "Revealing true emotions through micro-expressions: a machine learning approach", Software
       Engineering Institute, Carnegie Mellon University.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.random.default_rng(0).integers(0, 256, (10, 60, 50), dtype=np.uint8)
    >>> frame_and_flow(clip).shape
    (19, 64, 64)
    """
    values = _check_uint8(check_frames(frames, min_frames=2), "frames")
    check_int_tuple(size, "size", 2, minimum=1)
    check_choice(method, "method", FLOW_METHODS)
    middle = len(values) // 2
    chosen = middle if still is None else check_int(still, "still", minimum=0, maximum=len(values) - 1)
    return _frame_and_flow(values, size, chosen, method, "frames")


class FrameAndFlow(ClipTransformer):
    """A frame of each clip and the flow between its successive frames, as channels; see `frame_and_flow`.

    Parameters
    ----------
    size : (height, width), ints > 0, in pixels
    still : {"middle", "apex"}
        The frame: the middle of the clip's frames, n_frames // 2, whatever its onset and apex; or the apex.
    method : {"tvl1", "farneback", "dis"}

    Notes
    -----
    `transform` returns float32 of shape (n_clips, 1 + 2 * (n_frames - 1), *size). All clips need as many frames: `TIM`
    stands before this step.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from microexpr.video import TIM
    >>> random = np.random.default_rng(0)
    >>> clips = [random.integers(0, 256, (n_frames, 60, 50), dtype=np.uint8) for n_frames in (12, 15)]
    >>> make_pipeline(TIM(5), FrameAndFlow(size=(32, 32))).fit_transform(clips).shape
    (2, 9, 32, 32)
    """

    version = 1

    def __init__(self, size: tuple[int, int] = (64, 64), still: str = "middle", method: str = "farneback") -> None:
        self.size = size
        self.still = still
        self.method = method

    def check_params(self) -> None:  # noqa: D102
        check_int_tuple(self.size, "size", 2, minimum=1)
        check_choice(self.still, "still", _STILLS)
        check_choice(self.method, "method", FLOW_METHODS)

    def key_facts(self) -> dict[str, object]:  # noqa: D102
        return {"flow": FLOW_VERSION}

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's channels, float32 of shape (1 + 2 * (n_frames - 1), *size).

        Raises
        ------
        NeedsError
            If the clip has no pixels, or `still` is "apex" and the apex is unknown.
        DataError
            If the frames cannot be read, are not uint8 or too small, or there is only one.
        """
        frames = check_frames(_uint8_frames(clip), name=clip.clip_id, min_frames=2)
        chosen = len(frames) // 2 if self.still == "middle" else _position(clip, "apex")
        return _frame_and_flow(frames, self.size, chosen, self.method, clip.clip_id)


def _frame_and_flow(frames: np.ndarray, size: tuple[int, int], still: int, method: str, name: str) -> np.ndarray:
    grey = to_grey(frames)
    channels = np.empty((1 + 2 * (len(grey) - 1), *size), np.float32)
    channels[0] = resize_frames(grey[still][None], size)[0]
    for number in range(len(grey) - 1):
        try:
            flow = optical_flow(grey[number], grey[number + 1], method=method)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
        channels[1 + 2 * number : 3 + 2 * number] = np.moveaxis(resize_flow(flow, size), 2, 0)
    return channels


def _uint8_frames(clip: Clip) -> np.ndarray:
    return _check_uint8(clip.frames(), clip.clip_id)


def _check_uint8(frames: np.ndarray, name: str) -> np.ndarray:
    # Which numbers a network should see for values between grey levels is not ours to guess.
    if frames.dtype != np.uint8:
        raise DataError(f"{name}: frames of dtype {frames.dtype}; a network's input needs uint8")
    return frames


def _position(clip: Clip, name: str) -> int:
    """Return where the frame called `name` is; a NeedsError if the clip does not say."""
    onset = 0 if clip.onset is None else clip.onset
    if name == "onset":
        return onset
    known = clip.offset if name == "offset" else clip.apex
    if known is None:
        thing = "apex, and with it the middle," if name == "middle" else name
        raise NeedsError(f"{clip.clip_id}: the {thing} is unknown; add a step that finds it, or use a method without")
    return (onset + known + 1) // 2 if name == "middle" else known
