"""Time of 3D-HOG on one core, ours and NumPy's, in the same run.

    python benchmarks/bench_hog3d.py [--repeats N]

The clip has 20 frames of 280 x 230 pixels: "polikovsky" in 5 x 5 cells, "icosahedron" in 4 x 4 x 3. The peer computes
the same numbers from the formulas with whole-array NumPy: gradients of all voxels, `arctan2` and `bincount`, or
`add.reduceat` and one projection of all subblocks. The claim to check: at most 1/30 of the peer's time. For the
icosahedron a second peer uses what our kernel uses, that forward differences within a box cancel but for its faces.
"""

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter
from threadpoolctl import threadpool_limits

from microexpr.features.hog3d import hog3d

SHAPE = (20, 280, 230)
GRID = (5, 5)
CELLS = (4, 4, 3)


def make_clip(seed: int = 0) -> np.ndarray:
    """Smooth texture that drifts and changes slowly, with sensor noise of 2 grey levels."""
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(rng.normal(size=SHAPE), (2, 3, 3))
    scaled = (smooth - smooth.min()) / np.ptp(smooth) * 255
    return np.clip(scaled + rng.normal(scale=2.0, size=SHAPE), 0, 255).astype(np.uint8)


def edges(size: int, n_parts: int) -> np.ndarray:
    return np.ceil(np.arange(n_parts + 1) * size / n_parts - 0.5).astype(int)


def peer_polikovsky(clip: np.ndarray) -> np.ndarray:
    along_t, along_y, along_x = np.gradient(clip.astype(np.float64))
    cell_row, cell_column = (
        np.repeat(np.arange(n), np.diff(edges(size, n))) for size, n in zip(SHAPE[1:], GRID, strict=True)
    )
    cell = cell_row[:, None] * GRID[1] + cell_column
    n_cells = GRID[0] * GRID[1]
    planes = []
    for first, second, n_bins in ((along_x, along_y, 8), (along_x, along_t, 12), (along_y, along_t, 12)):
        # From the first axis, either end, to the second; a direction between two bins goes to the lower one.
        angle = np.arctan2(np.abs(second), np.abs(first)) * (n_bins / (2 * np.pi))
        place = np.maximum(np.ceil(angle - (0.5 + 1e-12)), 0).astype(np.intp)
        place = np.where(first < 0, n_bins // 2 - place, place)
        place = np.where(second < 0, -place, place) % n_bins
        votes = np.bincount((cell * n_bins + place).ravel(), np.hypot(first, second).ravel(), n_cells * n_bins)
        histograms = votes.reshape(n_cells, n_bins)
        planes.append(histograms / histograms.sum(axis=1, keepdims=True))
    return np.concatenate(planes, axis=1).ravel()


def subblock_edges() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n_rows, n_columns, n_times = CELLS
    return edges(SHAPE[0], 3 * n_times), edges(SHAPE[1], 3 * n_rows), edges(SHAPE[2], 3 * n_columns)


def peer_icosahedron(clip: np.ndarray) -> np.ndarray:
    values = clip.astype(np.float64)
    sums = []
    for axis in (2, 1, 0):
        total = np.diff(values, axis=axis, append=np.take(values, [-1], axis=axis))
        for other, cuts in enumerate(subblock_edges()):
            total = np.add.reduceat(total, cuts[:-1], axis=other)
        sums.append(total)
    return project(np.stack(sums, axis=-1))


def peer_icosahedron_by_faces(clip: np.ndarray) -> np.ndarray:
    sums = []
    for axis in (2, 1, 0):
        cuts = subblock_edges()[axis]
        last = np.minimum(cuts, SHAPE[axis] - 1)
        total = np.take(clip, last[1:], axis=axis).astype(np.int64) - np.take(clip, cuts[:-1], axis=axis)
        for other, other_cuts in enumerate(subblock_edges()):
            if other != axis:
                total = np.add.reduceat(total, other_cuts[:-1], axis=other)
        sums.append(total)
    return project(np.stack(sums, axis=-1).astype(np.float64))


def project(gradients: np.ndarray) -> np.ndarray:
    golden = 1.6180339887
    axes = np.array(
        [
            *((1, 1, 1), (-1, -1, 1), (-1, 1, 1), (1, -1, 1)),
            *((0, 1 / golden, golden), (0, -1 / golden, golden), (1 / golden, golden, 0), (1 / golden, -golden, 0)),
            *((golden, 0, 1 / golden), (-golden, 0, 1 / golden)),
        ]
    )
    gradients = gradients.transpose(2, 1, 0, 3)
    length = np.linalg.norm(gradients, axis=-1, keepdims=True)
    projected = gradients @ axes.T
    threshold = 0.745355992499930 * np.sqrt(3) * length
    above = np.maximum(np.concatenate([projected - threshold, -projected - threshold], axis=-1), 0)
    votes = above * length / above.sum(axis=-1, keepdims=True)
    vector = votes.reshape(CELLS[1], 3, CELLS[0], 3, CELLS[2], 3, 20).sum(axis=(1, 3, 5)).ravel()
    vector = np.minimum(vector / np.linalg.norm(vector), 0.25)
    return np.asarray(vector / np.linalg.norm(vector))


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
    parser.add_argument("--repeats", type=int, default=50, help="runs of each of ours; the peers run a fifth of them")
    repeats = parser.parse_args().repeats
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with threadpool_limits(1):
        compare(make_clip(), repeats)


def compare(clip: np.ndarray, repeats: int) -> None:
    cases = (
        ("polikovsky", {"cells": (*GRID, 1)}, {"NumPy": peer_polikovsky}),
        ("icosahedron", {"cells": CELLS}, {"NumPy": peer_icosahedron, "NumPy, by faces": peer_icosahedron_by_faces}),
    )
    print(f"clip {SHAPE}; one core; best of {repeats}, of the peers {max(repeats // 5, 2)}")
    print(f"{'':34}{'ms':>10}{'peer / ours':>14}{'difference':>14}")
    for binning, params, peers in cases:
        spent = best_time(lambda b=binning, p=params: hog3d(clip, binning=b, **p), repeats)
        print(f"{binning + ', ours':34}{spent * 1e3:10.2f}")
        found = hog3d(clip, binning=binning, **params)
        for name, peer in peers.items():
            taken = best_time(lambda peer=peer: peer(clip), max(repeats // 5, 2))
            apart = float(np.abs(peer(clip) - found).max())
            print(f"{binning + ', ' + name:34}{taken * 1e3:10.2f}{taken / spent:14.0f}{apart:14.1e}")
            if apart > 1e-7:
                raise SystemExit(f"{binning}: the numbers disagree with NumPy's")


if __name__ == "__main__":
    main()
