"""Expression magnification and reduction (EMR): micro- and macro-expressions brought to a like intensity."""

__all__ = ["EMR"]

import numpy as np

from microexpr.core.base import ClipMap
from microexpr.core.checks import check_int
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError
from microexpr.video.evm import EVM


class EMR(ClipMap):
    """Magnify the motion of micro-expressions; take the frame halfway to the apex of macro-expressions as their apex.

    Of domain 0 (micro-expressions), each clip's frames are magnified by `EVM` and its apex stays. Of domain 1
    (macro-expressions), the frames stay and the apex becomes the frame in the middle between onset and apex, rounded
    half up. The first frame counts as the onset where none is given.

    Parameters
    ----------
    alpha : float >= 0
        This and those below it but the last are of domain 0 only; see `EVM`.
    lambda_c : float > 0, in pixels
    method : {"iir", "butterworth"}
    r1, r2 : floats, 0 < r2 < r1 <= 1
        Of "iir" only, a frame.
    low, high : floats, 0 < low < high < fps, in Hz
        Of "butterworth" only.
    fps : float > 0, in frames per second, or None
        Of "butterworth" only. None takes the frame rate of each clip.
    chroma : float in [0, 1]
        Of colour clips only.
    domain : {0, 1}
        0 for micro-expressions, 1 for macro-expressions. It is a setting of the step, the same for all clips that it
        is given: nothing is read from a clip.

    Notes
    -----
    Frames are uint8; onset, offset and frame rate stay. The new apex of domain 1 is known before any frame is read: an
    unknown apex, or one with no frame between it and the onset, is refused by `transform`.

    Differs from [1]_ in: it magnifies with the program of [2]_ and does not give its parameters. The defaults are
    in use for micro-expressions at 200 frames per second: gain 16, `lambda_c` 16, a band of 0.3 to 4 Hz by the
    Butterworth filters, which need a frame rate.

    References
    ----------
    .. [1] Y. Liu, H. Du, L. Zheng, T. Gedeon, "A neural micro-expression recognizer", FG, 2019.
    .. [2] H.-Y. Wu, M. Rubinstein, E. Shih, J. Guttag, F. Durand, W. Freeman, "Eulerian video magnification for
       revealing subtle changes in the world", ACM Transactions on Graphics 31(4), 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from microexpr.core.clip import Clip
    >>> from microexpr.core.sources import ArraySource
    >>> frames = np.random.default_rng(0).integers(0, 256, (12, 40, 30), dtype=np.uint8)
    >>> clip = Clip("a", ArraySource(frames), onset=0, apex=7, offset=11, fps=200.0)
    >>> EMR().transform([clip])[0].apex, EMR(domain=1).transform([clip])[0].apex
    (7, 4)
    """

    version = 1

    def __init__(
        self,
        alpha: float = 16.0,
        lambda_c: float = 16.0,
        method: str = "butterworth",
        r1: float = 0.4,
        r2: float = 0.05,
        low: float = 0.3,
        high: float = 4.0,
        fps: float | None = None,
        chroma: float = 0.1,
        domain: int = 0,
    ) -> None:
        self.alpha = alpha
        self.lambda_c = lambda_c
        self.method = method
        self.r1 = r1
        self.r2 = r2
        self.low = low
        self.high = high
        self.fps = fps
        self.chroma = chroma
        self.domain = domain

    def check_params(self) -> None:  # noqa: D102
        check_int(self.domain, "domain", minimum=0, maximum=1)
        self._magnification().check_params()

    def key_facts(self) -> dict[str, object]:  # noqa: D102
        return {"evm": EVM.version}

    def map_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's frames, magnified in domain 0 and as they are in domain 1.

        Raises
        ------
        NeedsError
            If the clip has no pixels, or domain 0 needs a frame rate and neither clip nor step has one.
        ParameterError
            If the clip's frame rate is not above `high`, in domain 0.
        DataError
            If the frames cannot be read; in domain 0, if they are smaller than 10 x 10 pixels.
        """
        return clip.frames() if self.domain else self._magnification().map_clip(clip)

    def map_apex(self, clip: Clip, n_frames: int) -> int | None:
        """Return the clip's apex in domain 0, and the frame halfway to it in domain 1.

        Raises
        ------
        NeedsError
            If the apex is unknown, in domain 1.
        DataError
            If no frame lies between onset and apex, in domain 1.
        """
        if not self.domain:
            return clip.apex
        onset, apex = clip.onset_apex()
        if apex - onset < 2:
            raise DataError(
                f"{clip.clip_id}: no frame lies between the onset {onset} and the apex {apex}; reduction needs one"
            )
        return (onset + apex + 1) // 2

    def _magnification(self) -> EVM:
        return EVM(**{name: value for name, value in self.get_params(deep=False).items() if name != "domain"})
