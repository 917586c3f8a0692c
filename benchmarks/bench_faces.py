"""Time of following a face on one core, ours and OpenCV's plain call, in the same run.

    python benchmarks/bench_faces.py [--video PATH] [--repeats N]

The video is 640 x 480: the first 60 frames of PATH resized, or by default a synthetic face that sways across a textured
wall. The peer is `CascadeClassifier.detectMultiScale` with the same cascade on every whole frame: as it comes, and with
our smallest face size. Ours is the tracker alone, and with the 68 landmarks of every frame, once the first frame's face
is found. The claim to check: at least 60 frames per second.
"""

import argparse
import os
import time
from collections.abc import Callable

import cv2
import numpy as np

from microexpr.data.synthetic import SyntheticSource
from microexpr.video.faces import FaceTracker, detect_faces, landmarks

HEIGHT, WIDTH, N_FRAMES = 480, 640, 60


def synthetic_video(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    wall = cv2.resize(rng.integers(60, 200, (24, 32), dtype=np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    source = SyntheticSource(
        {"L12": 1.0, "R12": 1.0}, n_frames=N_FRAMES, apex=24, offset=59, peak=2.0, size=(280, 240), sway=1.0
    )
    frames = np.repeat(wall[None], N_FRAMES, axis=0)
    for number, face in enumerate(source.read()):
        left = 200 + round(30 * np.sin(number / 10))
        frames[number, 100:380, left : left + 240] = face
    return frames


def read_video(path: str) -> np.ndarray:
    from microexpr.core.frames import to_grey
    from microexpr.core.sources import VideoSource

    grey = to_grey(VideoSource(path).read()[:N_FRAMES])
    return np.stack([cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for frame in grey])


def rate(work: Callable[[np.ndarray], object], frames: np.ndarray, repeats: int) -> float:
    """The best frames per second of `repeats` runs."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        for frame in frames:
            work(frame)
        best = min(best, time.perf_counter() - start)
    return len(frames) / best


def compare(frames: np.ndarray, repeats: int) -> None:
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_alt2.xml")
    tracker = FaceTracker(face="largest")
    start = time.perf_counter()
    if tracker.update(frames[0]) is None:
        raise SystemExit("no face in the first frame")
    first = time.perf_counter() - start
    found = sum(tracker.update(frame) is not None for frame in frames)
    alone = sum(len(cascade.detectMultiScale(frame)) == 1 for frame in frames)
    plain = rate(cascade.detectMultiScale, frames, max(repeats // 3, 1))
    bounded = rate(lambda frame: cascade.detectMultiScale(frame, 1.1, 5, minSize=(60, 60)), frames, repeats)
    whole = rate(detect_faces, frames, repeats)
    followed = rate(tracker.update, frames, repeats)
    marked = rate(lambda frame: landmarks(frame, tracker.update(frame)), frames, repeats)
    print(f"{len(frames)} frames of {WIDTH} x {HEIGHT}, one core, best of {repeats}; first frame {first * 1e3:.1f} ms")
    print(f"face found in {found} of {len(frames)} frames; plain OpenCV finds it, and nothing else, in {alone}")
    print(f"{'':44}{'frames/s':>10}{'of plain':>10}")
    rows = {
        "OpenCV detectMultiScale(frame)": plain,
        "OpenCV detectMultiScale(..., minSize=(60, 60))": bounded,
        "detect_faces": whole,
        "FaceTracker.update": followed,
        "FaceTracker.update and landmarks": marked,
    }
    for name, value in rows.items():
        print(f"{name:44}{value:10.1f}{value / plain:10.1f}")
    if marked < 60:
        raise SystemExit("fewer than 60 frames per second")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", help="a video of one face; a synthetic one without it")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    compare(read_video(options.video) if options.video else synthetic_video(), options.repeats)


if __name__ == "__main__":
    main()
