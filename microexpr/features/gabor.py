"""Gabor magnitudes of single frames: how strongly each place answers to waves of each length and direction."""

__all__ = ["Gabor", "gabor"]

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from microexpr.core.base import ClipTransformer
from microexpr.core.checks import check_choice, check_float, check_int
from microexpr.core.clip import Clip
from microexpr.core.errors import ParameterError
from microexpr.core.frames import check_frames, to_grey
from microexpr.video.resize import resize_frames

_FRAMES = ("apex", "onset-apex")
# A kernel ends three standard deviations of its envelope from its centre.
_REACH = 3.0


def gabor(
    frames: object,
    *,
    size: int = 48,
    n_scales: int = 9,
    n_orientations: int = 8,
    wavelength: float = 2.0,
    sigma: float = np.pi,
    pool: int = 1,
) -> np.ndarray:
    """Compute the magnitudes of complex Gabor responses of each frame.

    1. Grey frames are resized to `size` x `size` (averaging where they shrink), without rounding. 2. Each is convolved
    with n_scales * n_orientations kernels. Scale s has waves of the length w = `wavelength` * 2^(s / 2), orientation o
    waves that advance along the angle a = pi o / n_orientations, from the x axis towards the y axis (down). With
    k = 2 pi / w, a pixel (x, y) of the kernel is ::

        g(x, y) * (exp(i k (x cos a + y sin a)) - c),    g(x, y) = exp(-k^2 (x^2 + y^2) / (2 sigma^2)) / N

    over the square |x|, |y| <= ceil(3 sigma / k); N makes the envelope g sum to 1, and c makes the kernel itself sum
    to 0. Beyond its border a frame goes on as its mirror image, the border's own pixels not repeated. 3. The
    features are the absolute values of the responses, or their means over cells of `pool` x `pool` pixels.

    Parameters
    ----------
    frames : uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)
        Faces cut out of their pictures. Colour becomes luma first. Real-valued frames, as interpolation in time gives
        them, are taken as they are: 0..255, an overshoot of 1 at most allowed.
    size : int >= 8, in pixels
        Height and width that frames are brought to.
    n_scales : int > 0
        Half an octave apart; the longest wave must not exceed `size`.
    n_orientations : int > 0
    wavelength : float >= 2, in pixels
        The shortest wave; with the default, 9 scales go from 2 to 32 pixels.
    sigma : float in [1, 10], in radians
        Standard deviation of the envelope, in radians of the wave's phase: sigma / 2 pi wavelengths. pi gives a
        bandwidth of about one octave, 2 pi of about half an octave.
    pool : int > 0, in pixels
        Side of the cells whose mean is taken; must divide `size`. 1 keeps every pixel.

    Returns
    -------
    float32 ndarray of shape (n_frames, n_scales * n_orientations * (size / pool)^2)
        In grey levels, >= 0: a wave of amplitude A that fills the frame gives about A / 2 in its own channel. The order
        is scale, orientation, row, column, from slowest to fastest: the defaults give 9 * 8 * 48 * 48 = 165,888
        features, `pool=4` gives 10,368.

    Raises
    ------
    ParameterError
        If a parameter is not allowed.
    DataError
        If `frames` is no clip, or holds values that are no grey levels.

    Notes
    -----
    The kernels have no response to even brightness: a constant frame gives 0, and a change of all grey levels by one
    amount changes nothing. A wave of 2 pixels is the shortest there is; along rows and columns its kernel is real,
    so there its magnitude depends on where the wave begins.

    From [1]_, as it is cited: single frames, 9 scales and 8 orientations; faces of 48 x 48 pixels are those of a
    program that follows it. Lengths of 2 to 32 pixels in steps of half an octave are those of the system of [2]_; that
    [1]_ shares them is our reading. The kernel is that of [3]_ divided by 2 pi, so that its envelope sums to 1. Our
    choices: sigma (2 pi in [3]_; its waves of 32 pixels would then be wider than the face), where kernels end, and the
    mirrored border.

    There is no compiled loop: kernels are separable, so that convolving is a product of matrices, which BLAS does.

    Differs from [3]_ in: c is found from the sampled kernel, so that it sums to 0 exactly; there,
    c = exp(-sigma^2 / 2), the limit for long waves. Differs from [1]_ in: `pool`, which that system does not have.

    References
    ----------
    .. [1] Q. Wu, X. Shen, X. Fu, "The machine knows what you are hiding: an automatic micro-expression recognition
       system", ACII, 2011.
    .. [2] M. S. Bartlett, G. Littlewort, M. Frank, C. Lainscsek, I. Fasel, J. Movellan, "Fully automatic facial
       action recognition in spontaneous behavior", FG, 2006.
    .. [3] M. Lades, J. C. Vorbrüggen, J. Buhmann, J. Lange, C. von der Malsburg, R. P. Würtz, W. Konen, "Distortion
       invariant object recognition in the dynamic link architecture", IEEE Transactions on Computers 42(3), 1993.

    Examples
    --------
    >>> import numpy as np
    >>> faces = np.random.default_rng(0).integers(0, 256, (3, 96, 80), dtype=np.uint8)
    >>> gabor(faces).shape
    (3, 165888)
    >>> gabor(faces, pool=4).reshape(3, 9, 8, 12, 12).shape
    (3, 9, 8, 12, 12)
    """
    bank = _check_settings(size, n_scales, n_orientations, wavelength, sigma, pool)
    return _magnitudes(check_frames(frames, grey_levels=True), bank, pool)


class Gabor(ClipTransformer):
    """Gabor magnitudes of each clip's apex frame, or of its onset and apex frame; see `gabor`.

    Parameters
    ----------
    frames : {"apex", "onset-apex"}
        "apex" describes the apex frame alone; "onset-apex" the onset frame, which shows the neutral face, and the apex
        frame, in two rows. The first frame counts as the onset where none is given.
    size : int >= 8, in pixels
    n_scales : int > 0
    n_orientations : int > 0
    pool : int > 0, in pixels
        1 keeps every pixel, as the paper of `gabor`'s Notes does; 4 leaves one value in 16, so that boosting, which
        looks through all features in each round, stays affordable.
    wavelength : float >= 2, in pixels
    sigma : float in [1, 10], in radians

    Notes
    -----
    `transform` returns float32 of shape (n_clips, n_features) or, with "onset-apex", (n_clips, 2, n_features): rows
    onset, apex, as `microexpr.classifiers.NeutralClassifier` takes them.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> clips = make_clips(n_subjects=1, clips_per_subject=2).clips
    >>> Gabor().fit_transform(clips).shape
    (2, 10368)
    >>> Gabor(frames="onset-apex", pool=8).fit_transform(clips).shape
    (2, 2, 2592)
    """

    version = 1

    def __init__(
        self,
        frames: str = "apex",
        size: int = 48,
        n_scales: int = 9,
        n_orientations: int = 8,
        pool: int = 4,
        wavelength: float = 2.0,
        sigma: float = np.pi,
    ) -> None:
        self.frames = frames
        self.size = size
        self.n_scales = n_scales
        self.n_orientations = n_orientations
        self.pool = pool
        self.wavelength = wavelength
        self.sigma = sigma

    def check_params(self) -> None:  # noqa: D102
        check_choice(self.frames, "frames", _FRAMES)
        self._bank()

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's features, float32 of shape (n_features,), or (2, n_features) with "onset-apex".

        Raises
        ------
        NeedsError
            If the clip has no pixels or no apex.
        DataError
            If the frames cannot be read, or are no grey levels.
        """
        wanted = [*clip.onset_apex()] if self.frames == "onset-apex" else [clip.onset_apex()[1]]
        chosen = check_frames(clip.frames()[wanted], name=clip.clip_id, grey_levels=True)
        rows = _magnitudes(chosen, self._bank(), self.pool)
        return rows if self.frames == "onset-apex" else rows[0]

    def transform_frames(self, frames: object) -> np.ndarray:
        """Return the features of every frame given, whatever the clip they are from.

        Parameters
        ----------
        frames : uint8 ndarray of shape (n_frames, height, width) or (n_frames, height, width, 3)

        Returns
        -------
        float32 ndarray of shape (n_frames, n_features)
            Each row as `transform` gives it for the same frame, bit for bit.

        Raises
        ------
        ParameterError
            If a parameter is not allowed.
        DataError
            If `frames` is no clip, or holds values that are no grey levels.
        """
        self.check_params()
        return _magnitudes(check_frames(frames, grey_levels=True), self._bank(), self.pool)

    def _bank(self) -> "_Bank":
        return _check_settings(self.size, self.n_scales, self.n_orientations, self.wavelength, self.sigma, self.pool)


@dataclass(frozen=True)
class _Bank:
    """All kernels as matrices: a Gabor kernel is one along the row times one along the column, less a blur.

    The mirrored border is folded into the matrices, so that products with them convolve a frame to its edge.

    across : float32 (size, 2 * n_kernels * size), what a frame is multiplied with, real parts before imaginary ones
    down : complex64 (n_kernels, size, size), what multiplies the results
    blur_across, blur_down : float32 (size, n_scales * size) and (n_scales, size, size), the envelopes alone
    even : float32 (n_scales, n_orientations, 1, 1), c of each kernel
    """

    across: np.ndarray
    down: np.ndarray
    blur_across: np.ndarray
    blur_down: np.ndarray
    even: np.ndarray


def _magnitudes(frames: np.ndarray, bank: _Bank, pool: int) -> np.ndarray:
    """Return the features of checked frames, float32 (n_frames, n_features)."""
    n_scales = len(bank.even)
    n_kernels, size, _ = bank.down.shape
    cells = size // pool
    # Means over cells as products too: numpy's mean over two short axes is slow.
    mean = np.repeat(np.eye(cells, dtype=np.float32) / pool, pool, axis=1)
    rows = np.empty((len(frames), n_kernels, cells, cells), np.float32)
    half = np.empty((n_kernels, size, size), np.complex64)
    response = np.empty_like(half)
    magnitude = np.empty(half.shape, np.float32)
    # One frame at a time: the features of a frame then do not depend on the frames beside it, to the last bit.
    for grey, row in zip(to_grey(frames), rows, strict=True):
        # Kernels do not see even brightness; without it, rounding is least, and a constant frame gives 0 exactly.
        [small] = resize_frames((grey - np.float64(grey[0, 0]))[None], (size, size)).astype(np.float32)
        parts = (small @ bank.across).reshape(size, 2, n_kernels, size).transpose(1, 2, 0, 3)
        half.real, half.imag = parts
        np.matmul(bank.down, half, out=response)
        blur = bank.blur_down @ (small @ bank.blur_across).reshape(size, n_scales, size).transpose(1, 0, 2)
        response.real -= (bank.even * blur[:, None]).reshape(response.shape)
        np.abs(response, out=magnitude)
        row[:] = magnitude if pool == 1 else mean @ (magnitude @ mean.T)
    return rows.reshape(len(rows), -1)


def _check_settings(
    size: object, n_scales: object, n_orientations: object, wavelength: object, sigma: object, pool: object
) -> _Bank:
    """Check all parameters and return their bank of kernels."""
    side = check_int(size, "size", minimum=8)
    scales = check_int(n_scales, "n_scales", minimum=1)
    orientations = check_int(n_orientations, "n_orientations", minimum=1)
    shortest = check_float(wavelength, "wavelength", minimum=2.0)
    width = check_float(sigma, "sigma", minimum=1.0, maximum=10.0)
    cell = check_int(pool, "pool", minimum=1)
    if side % cell:
        raise ParameterError(f"pool is {pool!r}: it must divide size, {size!r}")
    longest = shortest * 2.0 ** ((scales - 1) / 2)
    if longest > side * (1 + 1e-9):
        raise ParameterError(
            f"n_scales is {n_scales!r}: the longest wave, {longest:.4g} pixels, must not exceed size, {size!r}"
        )
    return _make_bank(side, scales, orientations, shortest, width)


@lru_cache(maxsize=4)
def _make_bank(size: int, n_scales: int, n_orientations: int, wavelength: float, sigma: float) -> _Bank:
    angles = np.pi * np.arange(n_orientations) / n_orientations
    # cos(pi / 2) is 6e-17: snapped, so that waves straight down are exactly even along the row.
    steps = np.round(np.stack([np.cos(angles), np.sin(angles)]), 15)
    across, down, blur, even = [], [], [], []
    for scale in range(n_scales):
        rate = 2 * np.pi / (wavelength * 2.0 ** (scale / 2))
        radius = int(np.ceil(_REACH * sigma / rate))
        offsets = np.arange(-radius, radius + 1)
        envelope = np.exp(-((rate * offsets / sigma) ** 2) / 2)
        envelope /= envelope.sum()
        waves = envelope * np.exp(1j * rate * steps[..., None] * offsets)
        # The sum of the kernel is the product of its sums along both axes; real, as offsets lie symmetrically.
        even.append(waves.sum(axis=-1).real.prod(axis=0))
        across.append(_as_matrices(waves[0], size))
        down.append(_as_matrices(waves[1], size))
        blur.append(_as_matrices(envelope[None], size)[0])
    # A matrix takes pixels of its row to one result; along the row it multiplies from the right, hence transposed.
    rightward = np.concatenate(across).transpose(2, 0, 1)
    blurs = np.array(blur, np.float32)
    return _Bank(
        across=np.stack([rightward.real, rightward.imag], axis=1).reshape(size, -1).astype(np.float32),
        down=np.concatenate(down).astype(np.complex64),
        blur_across=np.ascontiguousarray(blurs.transpose(2, 0, 1)).reshape(size, -1),
        blur_down=blurs,
        even=np.array(even, np.float32)[..., None, None],
    )


def _as_matrices(kernels: np.ndarray, size: int) -> np.ndarray:
    """Return matrices (n_kernels, size, size) that convolve `size` pixels with kernels, mirrored at both ends."""
    radius = kernels.shape[1] // 2
    # result[p] = sum over d of kernel[d] * pixel[p - d], with pixels mirrored as in 3 2 1 0 1 2 3.
    sources = np.abs(
        (np.arange(size)[:, None] - np.arange(-radius, radius + 1) + size - 1) % (2 * size - 2) - (size - 1)
    )
    matrices = np.zeros((len(kernels), size, size), kernels.dtype)
    targets = np.broadcast_to(np.arange(size)[:, None], sources.shape)
    for matrix, kernel in zip(matrices, kernels, strict=True):
        np.add.at(matrix, (targets, sources), np.broadcast_to(kernel, sources.shape))
    return matrices
