"""End-point error and time of each optical flow, and the error of apex search, on clips whose motion is known.

    python benchmarks/bench_motion.py [--clips N]

Flow: synthetic clips of 140 x 120 pixels (eight subjects, peaks of 0.5 to 3 pixels, head sway, flicker and sensor
noise), from the onset to the apex frame. The end-point error is the mean over pixels of the distance between the found
and the true vector. The peer is OpenCV's own call with its default parameters on the same pair: the claim is that
ours gives the same vectors and takes no longer. "zero" finds no motion at all: what an estimate has to beat.

Apex: the mean distance in frames between found and true apex, by divide and conquer and by the greatest value, on the
same clips and on clean ones (without sway, flicker and noise). "middle" takes the middle frame. The true apex lies
uniformly between 0.3 and 0.6 of the clip, which is kind to it.
"""

import argparse
import os
import time
from collections.abc import Callable

import cv2
import numpy as np

from microexpr.core.clip import Clip
from microexpr.data import make_clips
from microexpr.data.synthetic import SyntheticSource
from microexpr.video import find_apex, optical_flow
from microexpr.video.flow import FLOW_METHODS

N_SUBJECTS = 8


def plain(method: str) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return OpenCV's call as its own documentation has it."""
    if method == "tvl1":
        return lambda first, second: cv2.optflow.DualTVL1OpticalFlow_create().calc(first, second, None)
    if method == "farneback":
        return lambda first, second: cv2.calcOpticalFlowFarneback(first, second, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    return lambda first, second: cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(first, second, None)


def end_point_error(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.linalg.norm(found - true, axis=-1).mean())


def timed(work: Callable[[], np.ndarray], repeats: int) -> tuple[np.ndarray, float]:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - start)
    return found, min(times)


def compare_flows(clips: list[Clip]) -> None:
    pairs = []
    for clip in clips:
        assert isinstance(clip.source, SyntheticSource)
        onset, apex = clip.onset_apex()
        frames = clip.frames()
        pairs.append((frames[onset], frames[apex], clip.source.true_flow(apex)))
    still = np.mean([end_point_error(np.zeros_like(true), true) for _, _, true in pairs])
    largest = np.mean([np.linalg.norm(true, axis=-1).max() for _, _, true in pairs])
    print(
        f"onset to apex of {len(pairs)} clips; true motion on average {still:.3f} px, at most {largest:.2f} px a clip"
    )
    print(f"{'':12}{'error, px':>10}{'ms':>8}{'OpenCV, px':>13}{'ms':>8}{'largest difference':>20}")
    for method in FLOW_METHODS:
        call = plain(method)
        errors, times, differences = [], [], []
        for first, second, true in pairs:
            repeats = 2 if method == "tvl1" else 10
            ours, spent = timed(lambda a=first, b=second, m=method: optical_flow(a, b, method=m), repeats)
            theirs, their_time = timed(lambda a=first, b=second, f=call: f(a, b), repeats)
            errors.append((end_point_error(ours, true), end_point_error(theirs, true)))
            times.append((spent, their_time))
            differences.append(np.abs(ours - theirs).max())
        (error, peer_error), (spent, peer_time) = np.mean(errors, axis=0), 1e3 * np.mean(times, axis=0)
        row = f"{error:10.4f}{spent:8.2f}{peer_error:13.4f}{peer_time:8.2f}{max(differences):20.2g}"
        print(f"{method:12}{row}")
    print(f"{'zero':12}{still:10.4f}")


def compare_searches(noisy: list[Clip], clean: list[Clip]) -> None:
    print(
        f"\napex of {len(noisy)} clips, {np.mean([clip.n_frames for clip in noisy]):.0f} frames on average; mean error"
    )
    print(f"{'':32}{'divide and conquer':>20}{'argmax':>9}{'clean, d. and c.':>18}{'argmax':>9}{'ms a clip':>11}")
    cases = [("lbp", "farneback")] + [
        (feature, flow) for feature in ("flow", "strain") for flow in ("farneback", "dis")
    ]
    for feature, flow in cases:
        for smoothing in (0.0, 3.0):
            errors = []
            start = time.perf_counter()
            for clips in (noisy, clean):
                for search in ("divide_and_conquer", "argmax"):
                    errors.append(mean_error(clips, feature=feature, flow=flow, search=search, smoothing=smoothing))
            spent = 1e3 * (time.perf_counter() - start) / (4 * len(noisy))
            name = feature if feature == "lbp" else f"{feature}, {flow}"
            name += f", smoothing {smoothing:g}" if smoothing else ""
            print(f"{name:32}{errors[0]:20.1f}{errors[1]:9.1f}{errors[2]:18.1f}{errors[3]:9.1f}{spent:11.0f}")
    middle = [np.mean([abs(clip.apex - (clip.n_frames - 1) / 2) for clip in clips]) for clips in (noisy, clean)]
    print(f"{'middle':32}{middle[0]:20.1f}{middle[0]:9.1f}{middle[1]:18.1f}{middle[1]:9.1f}")


def mean_error(clips: list[Clip], **params: object) -> float:
    found = [find_apex(clip.frames(), **params) for clip in clips]  # type: ignore[arg-type]
    return float(np.mean([abs(apex - clip.apex) for apex, clip in zip(found, clips, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=3, help=f"clips of each of the {N_SUBJECTS} subjects")
    count = parser.parse_args().clips
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    noisy = make_clips(N_SUBJECTS, count).clips
    clean = make_clips(N_SUBJECTS, count, sway=0.0, flicker=0.0, noise=0.0).clips
    compare_flows(noisy)
    compare_searches(noisy, clean)


if __name__ == "__main__":
    main()
