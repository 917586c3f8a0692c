"""Time of CBP-TOP, LBP-SIP, STLBP-IP and robust PCA on one core, ours and the obvious NumPy program's, in the same run.

    python benchmarks/bench_lbpkin.py [--repeats N]

No library has these descriptors. The peers are whole-array programs: for CBP-TOP and LBP-SIP shifted views of the clip
and `numpy.bincount` on every block; for robust PCA the same steps by `numpy.linalg.svd`. The clip has 20 frames of
280 x 230 pixels, cut into 5 x 5 blocks; robust PCA, and DiSTLBP-RIP with it, takes 60 such frames. Each result is
compared with the peer's.
"""

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter
from threadpoolctl import threadpool_limits

from microexpr.features._robust_pca import robust_pca
from microexpr.features.cbptop import cbptop
from microexpr.features.lbpsip import lbpsip
from microexpr.features.stlbpip import stlbpip

SHAPE = (20, 280, 230)
BLOCKS = (5, 5, 1)
# The pairs of opposite neighbours on XY, XT and YT: one of each, as moves in (frames, rows, columns).
PAIRS = (
    ((0, 0, 1), (0, -1, 1), (0, -1, 0), (0, -1, -1)),
    ((0, 0, 1), (1, 0, 1), (1, 0, 0), (1, 0, -1)),
    ((1, 0, 0), (1, -1, 0), (0, -1, 0), (-1, -1, 0)),
)
SIX = ((0, 0, 1), (0, -1, 0), (0, 0, -1), (0, 1, 0), (1, 0, 0), (-1, 0, 0))


def make_clip(n_frames: int, seed: int = 0) -> np.ndarray:
    """Smooth texture with a spot that moves, and sensor noise of 2 grey levels."""
    rng = np.random.default_rng(seed)
    face = gaussian_filter(rng.normal(size=SHAPE[1:]), 3)
    face = (face - face.min()) / np.ptp(face) * 200 + 20
    row, column = np.mgrid[: SHAPE[1], : SHAPE[2]]
    centres = 100 + 20 * np.sin(np.linspace(0, np.pi, n_frames))
    spots = [np.exp(-((row - centre) ** 2 + (column - 90) ** 2) / 200) for centre in centres]
    return np.clip(face + 30 * np.array(spots) + rng.normal(scale=2.0, size=(n_frames, *SHAPE[1:])), 0, 255).astype(
        np.uint8
    )


def moved(clip: np.ndarray, move: tuple[int, int, int]) -> np.ndarray:
    return clip[tuple(slice(1 + step, size - 1 + step) for step, size in zip(move, clip.shape, strict=True))]


def block_histograms(codes: np.ndarray, n_bins: int) -> np.ndarray:
    """Histograms of shape (blocks along rows, along columns, bins), each with sum 1."""
    rows, columns = (
        [k * (size // n) for k in range(n)] + [size] for size, n in zip(codes.shape[1:], BLOCKS[:2], strict=True)
    )
    found = np.zeros((*BLOCKS[:2], n_bins))
    for row in range(BLOCKS[0]):
        for column in range(BLOCKS[1]):
            block = codes[:, rows[row] : rows[row + 1], columns[column] : columns[column + 1]]
            found[row, column] = np.bincount(block.ravel(), minlength=n_bins)
    return found / found.sum(axis=-1, keepdims=True)


def peer_cbptop(clip: np.ndarray) -> np.ndarray:
    greys = clip.astype(np.int16)
    centre = moved(greys, (0, 0, 0))
    planes = []
    for pairs in PAIRS:
        codes = np.zeros(centre.shape, np.uint8)
        total = centre.copy()
        for bit, (t, y, x) in enumerate(pairs):
            one, other = moved(greys, (t, y, x)), moved(greys, (-t, -y, -x))
            codes |= (np.abs(one - other) >= 3).astype(np.uint8) << bit
            total += one + other
        codes |= (np.abs(9 * centre - total) >= 27).astype(np.uint8) << 4
        planes.append(block_histograms(codes, 32))
    return np.stack(planes, axis=2).ravel()


def peer_lbpsip(clip: np.ndarray) -> np.ndarray:
    centre = moved(clip, (0, 0, 0))
    bits = [(moved(clip, move) >= centre).astype(np.uint8) for move in SIX]
    spatial = bits[0] | bits[1] << 1 | bits[2] << 2 | bits[3] << 3
    parts = (block_histograms(spatial, 16), block_histograms(bits[4] | bits[5] << 1, 4))
    return np.concatenate(parts, axis=-1).ravel()


def peer_sparse_part(matrix: np.ndarray) -> np.ndarray:
    """Inexact augmented Lagrange multipliers with a singular value decomposition each step."""
    weight = 1 / np.sqrt(max(matrix.shape))
    norm = np.linalg.norm(matrix, 2)
    dual = matrix / max(norm, np.abs(matrix).max() / weight)
    penalty, last_penalty = 1.25 / norm, 1.25e7 / norm
    low_rank, gap = np.zeros(matrix.shape), matrix
    while np.linalg.norm(gap) > 1e-7 * np.linalg.norm(matrix):
        target = matrix - low_rank + dual / penalty
        sparse = target - np.clip(target, -weight / penalty, weight / penalty)
        left, singular, right = np.linalg.svd(matrix - sparse + dual / penalty, full_matrices=False)
        low_rank = (left * np.maximum(singular - 1 / penalty, 0)) @ right
        gap = matrix - low_rank - sparse
        dual += penalty * gap
        penalty = min(1.5 * penalty, last_penalty)
    return sparse


def best_time(work: Callable[[], object], repeats: int) -> float:
    work()  # compiles, or loads what is compiled
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20, help="runs of each; robust PCA runs a tenth of them")
    repeats = parser.parse_args().repeats
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with threadpool_limits(1):
        compare(repeats)


def compare(repeats: int) -> None:
    clip, long_clip = make_clip(SHAPE[0]), make_clip(60)
    matrix = long_clip.reshape(60, -1).astype(float)
    cases: dict[str, tuple[Callable[[], np.ndarray], Callable[[], np.ndarray], float]] = {
        "CBP-TOP": (lambda: cbptop(clip, blocks=BLOCKS), lambda: peer_cbptop(clip), 1e-12),
        "LBP-SIP": (lambda: lbpsip(clip, blocks=BLOCKS), lambda: peer_lbpsip(clip), 1e-12),
        "robust PCA": (lambda: robust_pca(matrix)[1], lambda: peer_sparse_part(matrix), 0.01),
    }
    print(f"clip {SHAPE}, blocks {BLOCKS}; robust PCA of 60 frames; one core; best of {repeats}")
    print(f"{'':24}{'ms':>10}{'peer ms':>10}{'peer / ours':>14}")
    for name, (ours, peer, tolerance) in cases.items():
        slow = name == "robust PCA"
        spent = best_time(ours, max(repeats // 10, 2) if slow else repeats)
        theirs = best_time(peer, 1 if slow else max(repeats // 4, 2))
        print(f"{name:24}{spent * 1e3:10.2f}{theirs * 1e3:10.2f}{theirs / spent:14.1f}")
        if np.abs(ours() - peer()).max() > tolerance:
            raise SystemExit(f"{name}: the results disagree")
    for name, work in {
        "STLBP-IP, 60 frames": lambda: stlbpip(long_clip, blocks=BLOCKS[:2]),
        "DiSTLBP-RIP, 60 frames": lambda: stlbpip(long_clip, blocks=BLOCKS[:2], discriminative=True),
    }.items():
        print(f"{name:24}{best_time(work, 2) * 1e3:10.2f}")


if __name__ == "__main__":
    main()
