"""Time of Gabor magnitudes per frame on one core, ours and OpenCV's, in the same run.

    python benchmarks/bench_gabor.py [--frames N]

Frames have 48 x 48 pixels, the bank 9 scales and 8 orientations. The peers take the same kernels: OpenCV's `filter2D`
once for the real and once for the imaginary part of each, and products of Fourier transforms (`scipy.fft`) of the
mirrored frame, at single precision. Both are ready-made banks: no time goes into kernels. The claim to check: ours is
no slower than OpenCV's, and gives the same magnitudes.
"""

import argparse
import os
import time
from collections.abc import Callable

import cv2
import numpy as np
import scipy.fft
from threadpoolctl import threadpool_limits

from microexpr.features.gabor import gabor

SIZE, N_SCALES, N_ORIENTATIONS = 48, 9, 8


def make_kernels() -> list[np.ndarray]:
    """Return the kernels that `gabor` documents, complex, by scale and orientation."""
    kernels = []
    for scale in range(N_SCALES):
        rate = 2 * np.pi / 2 ** (1 + scale / 2)
        reach = int(np.ceil(3 * np.pi / rate))
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        envelope = np.exp(-(rate**2) * (x**2 + y**2) / (2 * np.pi**2))
        envelope /= envelope.sum()
        for orientation in range(N_ORIENTATIONS):
            angle = np.pi * orientation / N_ORIENTATIONS
            wave = envelope * np.exp(1j * rate * (x * np.cos(angle) + y * np.sin(angle)))
            kernels.append(wave - envelope * wave.sum())
    return kernels


def by_opencv(kernels: list[np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    # filter2D correlates, hence turned by half a turn.
    turned = [kernel[::-1, ::-1] for kernel in kernels]
    parts = [(turn.real.astype(np.float32), turn.imag.astype(np.float32)) for turn in turned]

    def magnitudes(frame: np.ndarray) -> np.ndarray:
        image = frame.astype(np.float32)
        return np.stack(
            [
                cv2.magnitude(cv2.filter2D(image, cv2.CV_32F, real), cv2.filter2D(image, cv2.CV_32F, imaginary))
                for real, imaginary in parts
            ]
        )

    return magnitudes


def by_fourier(kernels: list[np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    # Mirrored at both ends, a frame repeats after 2 * SIZE - 2 pixels: a transform of that length has no border.
    period = 2 * SIZE - 2
    spectra = []
    for kernel in kernels:
        reach = len(kernel) // 2
        wrapped = np.zeros((period, period), complex)
        places = np.arange(-reach, reach + 1) % period
        np.add.at(wrapped, (places[:, None], places[None, :]), kernel)
        spectra.append(scipy.fft.fft2(wrapped))
    bank = np.array(spectra, np.complex64)

    def magnitudes(frame: np.ndarray) -> np.ndarray:
        image = np.pad(frame.astype(np.float32), ((0, SIZE - 2), (0, SIZE - 2)), mode="reflect")
        return np.abs(scipy.fft.ifft2(scipy.fft.fft2(image) * bank)[:, :SIZE, :SIZE])

    return magnitudes


def best_time(work: Callable[[np.ndarray], np.ndarray], frames: np.ndarray) -> float:
    work(frames[0])
    times = []
    for frame in frames:
        start = time.perf_counter()
        work(frame)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=50)
    n_frames = parser.parse_args().frames
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(1):
            compare(np.random.default_rng(0).integers(0, 256, (n_frames, SIZE, SIZE), dtype=np.uint8))
    finally:
        cv2.setNumThreads(threads)


def compare(frames: np.ndarray) -> None:
    kernels = make_kernels()
    opencv = by_opencv(kernels)
    cases = {
        "OpenCV filter2D": opencv,
        "scipy.fft": by_fourier(kernels),
        "ours": lambda frame: gabor(frame[None]),
        "ours, pool=4": lambda frame: gabor(frame[None], pool=4),
    }
    spent = {name: best_time(work, frames) for name, work in cases.items()}
    peer = spent["OpenCV filter2D"]
    print(f"frames of {SIZE} x {SIZE}, {len(kernels)} kernels; one core; best of {len(frames)} frames")
    print(f"{'':20}{'ms a frame':>12}{'OpenCV / it':>14}")
    for name, seconds in spent.items():
        print(f"{name:20}{seconds * 1e3:12.2f}{peer / seconds:14.2f}")
    expected = opencv(frames[0])
    for name in ("scipy.fft", "ours"):
        apart = float(np.abs(cases[name](frames[0]).reshape(expected.shape) - expected).max())
        print(f"largest difference from OpenCV's, {name}: {apart:.1e} of {expected.max():.0f}")
        if apart > 1e-3:
            raise SystemExit("the magnitudes disagree with OpenCV's")


if __name__ == "__main__":
    main()
