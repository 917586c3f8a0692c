"""Time of Bi-WOOF and MDMO on one core, after the flow is there: ours and NumPy's, in the same run.

    python benchmarks/bench_flow_descriptors.py [--repeats N]

Bi-WOOF: one flow field of 280 x 230 pixels, 8 x 8 blocks, 8 bins; the peer computes angles with `arctan2` once, strain
with `numpy.gradient`, and calls `numpy.histogram` for each block. The claim to check: about 1/20 of the peer's time,
from the flow alone and with the strain given to both; runs differ by some percent to either side.

MDMO: 30 flow fields of 280 x 230 pixels, 36 regions that cover the picture. Two peers: the plain one selects each
region of each field with its mask and computes angles there; the other computes the angles of a field once and knows
each region's pixels by number. The claim to check: at most 1/20 of the plain one's time; the other's is printed
beside it.

The peers' numbers must agree with ours to 1e-9.
"""

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter
from threadpoolctl import threadpool_limits

from microexpr.features.biwoof import biwoof
from microexpr.features.mdmo import mdmo
from microexpr.video.strain import optical_strain

SHAPE = (280, 230)
N_FRAMES = 30
N_BLOCKS = 8


def make_flows(n_frames: int, seed: int = 0) -> np.ndarray:
    """Smooth random flow of about a pixel, as noisy as measured flow is."""
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(rng.normal(size=(n_frames, *SHAPE, 2)), (0, 8, 8, 0)) * 25
    return smooth + rng.normal(scale=0.05, size=smooth.shape)


def make_regions() -> np.ndarray:
    """The picture cut into 6 x 6 rectangles."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    number = rows * 6 // SHAPE[0] * 6 + columns * 6 // SHAPE[1]
    return np.stack([number == region for region in range(36)])


def peer_biwoof(flow: np.ndarray, strain: np.ndarray | None = None) -> np.ndarray:
    u, v = flow[..., 0], flow[..., 1]
    strain = optical_strain(flow) if strain is None else strain
    magnitude, angle = np.sqrt(u * u + v * v), np.degrees(np.arctan2(v, u))
    edges = np.linspace(-180, 180, 9)
    rows, columns = ([k * (size // N_BLOCKS) for k in range(N_BLOCKS)] + [size] for size in SHAPE)
    found = np.zeros((N_BLOCKS, N_BLOCKS, 8))
    for row in range(N_BLOCKS):
        for column in range(N_BLOCKS):
            block = slice(rows[row], rows[row + 1]), slice(columns[column], columns[column + 1])
            counts, _ = np.histogram(angle[block], bins=edges, weights=magnitude[block])
            found[row, column] = counts * strain[block].mean()
    return found.ravel()


def plain_mdmo(flows: np.ndarray, regions: np.ndarray) -> np.ndarray:
    motions = np.zeros((len(flows), len(regions), 2))
    for frame, flow in enumerate(flows):
        for region, mask in enumerate(regions):
            vectors = flow[mask]
            bins = np.floor(np.arctan2(vectors[:, 1], vectors[:, 0]) / (np.pi / 4) + 0.5).astype(int) % 8
            motions[frame, region] = vectors[bins == np.bincount(bins, minlength=8).argmax()].mean(axis=0)
    return polar(motions)


def quicker_mdmo(flows: np.ndarray, regions: np.ndarray) -> np.ndarray:
    motions = np.zeros((len(flows), len(regions), 2))
    pixels = [np.flatnonzero(mask) for mask in regions]
    for frame, flow in enumerate(flows.reshape(len(flows), -1, 2)):
        all_bins = np.floor(np.arctan2(flow[:, 1], flow[:, 0]) / (np.pi / 4) + 0.5).astype(int) % 8
        for region, places in enumerate(pixels):
            bins = all_bins[places]
            motions[frame, region] = flow[places[bins == np.bincount(bins, minlength=8).argmax()]].mean(axis=0)
    return polar(motions)


def polar(motions: np.ndarray) -> np.ndarray:
    u, v = motions.mean(axis=0).T
    rho = np.hypot(u, v)
    return np.concatenate([0.9 * rho / rho.max(), (1 - 0.9) * np.arctan2(v, u)])


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
    parser.add_argument("--repeats", type=int, default=50, help="runs of ours; the peers run a tenth of them")
    repeats = parser.parse_args().repeats
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with threadpool_limits(1):
        compare(make_flows(N_FRAMES), make_regions(), repeats)


def compare(flows: np.ndarray, regions: np.ndarray, repeats: int) -> None:
    flow = flows[0]
    strain = optical_strain(flow)
    table: list[tuple[str, Callable[[], np.ndarray], Callable[[], np.ndarray]]] = [
        ("biwoof", lambda: biwoof(flow), lambda: peer_biwoof(flow)),
        ("biwoof, strain given", lambda: biwoof(flow, strain=strain), lambda: peer_biwoof(flow, strain)),
        ("mdmo, plain NumPy", lambda: mdmo(flows, regions), lambda: plain_mdmo(flows, regions)),
        ("mdmo, quicker NumPy", lambda: mdmo(flows, regions), lambda: quicker_mdmo(flows, regions)),
    ]
    print(f"flow {SHAPE}; one core; best of {repeats}")
    print(f"{'':24}{'NumPy ms':>12}{'ours ms':>10}{'ratio':>8}")
    for name, ours, peer in table:
        slow = best_time(peer, max(repeats // 10, 2))
        quick = best_time(ours, repeats)
        print(f"{name:24}{slow * 1e3:12.2f}{quick * 1e3:10.3f}{slow / quick:8.1f}")
        if not np.allclose(ours(), peer(), rtol=1e-9, atol=1e-9):
            raise SystemExit(f"{name}: the numbers disagree with NumPy's")


if __name__ == "__main__":
    main()
