"""Time of the histogram kernels on one core, ours and scikit-learn's or NumPy's, in the same run.

    python benchmarks/bench_histogram_kernels.py [--repeats N]

442 histograms, as many as MEGC2019 has clips, of 885 bins (15 of 59) and of 13,275 (225 of 59). The peer of the
chi-square distance is scikit-learn's `additive_chi2_kernel`, of the intersection the plain NumPy sum of `minimum` row
by row. Both compute all pairs, ours the half that symmetry leaves. They must agree to 1e-12.
"""

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
from sklearn.metrics.pairwise import additive_chi2_kernel
from threadpoolctl import threadpool_limits

from microexpr.classifiers.kernels import chi2_distances, intersection_kernel

N_HISTOGRAMS = 442
SIZES = (885, 13_275)


def make_histograms(n_bins: int, seed: int = 0) -> np.ndarray:
    """Histograms that sum to 1, many bins nearly empty."""
    return np.random.default_rng(seed).dirichlet(np.full(n_bins, 0.1), N_HISTOGRAMS)


def peer_distances(rows: np.ndarray) -> np.ndarray:
    return -additive_chi2_kernel(rows, rows)


def peer_intersections(rows: np.ndarray) -> np.ndarray:
    return np.array([np.minimum(row, rows).sum(axis=1) for row in rows])


def best_time(work: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, repeats: int) -> float:
    work(rows[:2])  # compiles, or loads what is compiled
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work(rows)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    pairs = {
        "chi-square distance": (chi2_distances, peer_distances),
        "intersection": (intersection_kernel, peer_intersections),
    }
    print(f"{N_HISTOGRAMS} histograms against each other; one core; best of {repeats}")
    print(f"{'':24}{'bins':>8}{'ours, ms':>12}{'peer, ms':>12}{'peer / ours':>14}")
    with threadpool_limits(1):
        for n_bins in SIZES:
            rows = make_histograms(n_bins)
            for name, (ours, peer) in pairs.items():
                np.testing.assert_allclose(ours(rows), peer(rows), rtol=1e-12, atol=1e-12)
                own, other = best_time(ours, rows, repeats), best_time(peer, rows, repeats)
                print(f"{name:24}{n_bins:8}{own * 1e3:12.1f}{other * 1e3:12.1f}{other / own:14.1f}")


if __name__ == "__main__":
    main()
