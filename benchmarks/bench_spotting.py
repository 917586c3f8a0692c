"""Speed and memory of spotting, from a file on disk to events, on one core.

    python -m benchmarks.bench_spotting [--seconds 30] [--memory]

Speed: a synthetic face 360 pixels wide sways, blinks, speaks and shows expressions in 640 x 480 pixels, at 30 and at
200 frames a second; the files are H.264. The peer is what any spotter must do at the least: decode the file and run
OpenCV's Farneback flow with its usual parameters from each frame to the next over the face's box, at the 28 or more
faces a second that `flow` looks at. The claim to check: at 30 frames a second, twice as fast as the video plays.

Memory (`--memory`, half an hour): the largest resident size of a process that spots in a video of 10 minutes, and in
one of 60. The claim to check: less than 10 % apart.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from microexpr.data import make_videos
from microexpr.spotting import SpottingStream, build_spotter
from microexpr.video.opening import OpenVideo

_FACE = (420, 360)


def frames_of(seconds: float, fps: float, size: tuple[int, int], face: tuple[int, int]) -> Iterator[np.ndarray]:
    videos = make_videos(1, 1, seconds=seconds, fps=fps, size=face, micro=1, macro=1)
    [source] = videos.sources.values()
    rng = np.random.default_rng(0)
    wall = cv2.resize(rng.integers(60, 200, (24, 32), dtype=np.uint8), size[::-1], interpolation=cv2.INTER_CUBIC)
    top, left = (size[0] - face[0]) // 2, (size[1] - face[1]) // 2
    for frame in source.stream():
        picture = wall.copy()
        picture[top : top + face[0], left : left + face[1]] = frame
        yield picture


def write_video(path: Path, frames: Iterator[np.ndarray], fps: float, repeats: int = 1) -> None:
    listed = list(frames) if repeats > 1 else frames
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=round(fps), options={"preset": "veryfast", "crf": "20"})
        stream.pix_fmt = "yuv420p"
        written = 0
        for _ in range(repeats):
            for frame in listed:
                if not written:
                    stream.height, stream.width = frame.shape
                written += 1
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="gray")))
        container.mux(stream.encode(None))


def spot_file(path: Path, method: str = "flow") -> tuple[int, int]:
    with OpenVideo(path) as opened:
        stream = SpottingStream(opened, fps=opened.fps, method=method)
        n_events = sum(len(piece.events) for piece in stream)
        return stream.faces.n_frames, n_events


def plain_loop(path: Path, stride: int) -> int:
    top, left = (480 - _FACE[0]) // 2, (640 - _FACE[1]) // 2
    before, count = None, 0
    with av.open(str(path)) as container:
        for count, frame in enumerate(container.decode(video=0)):
            if count % stride:
                continue
            grey = frame.to_ndarray(format="gray")[top : top + _FACE[0], left : left + _FACE[1]]
            if before is not None:
                cv2.calcOpticalFlowFarneback(before, grey, None, 0.5, 3, 15, 3, 5, 1.2, 0)
            before = grey
    return count + 1


def speed(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for fps, length in ((30.0, seconds), (200.0, seconds / 3)):
            path = Path(folder) / f"{fps:.0f}.mp4"
            write_video(path, frames_of(length, fps, (480, 640), _FACE), fps)
            spot_file(path)
            start = time.perf_counter()
            n_frames, n_events = spot_file(path)
            ours = time.perf_counter() - start
            start = time.perf_counter()
            plain_loop(path, max(1, int(fps // 28)))
            peer = time.perf_counter() - start
            print(
                f"640x480, {fps:.0f} frames/s, {n_frames} frames: flow {n_frames / ours:.0f} frames/s, "
                f"{n_frames / fps / ours:.1f} times as fast as it plays, {n_events} events; "
                f"decoding and Farneback alone {n_frames / peer:.0f} frames/s"
            )
        others = [name for name in ("strain", "mdmd", "lbp") if _exists(name)]
        path = Path(folder) / "30.mp4"
        for name in others:
            start = time.perf_counter()
            n_frames, _ = spot_file(path, name)
            print(f"  {name}: {n_frames / (time.perf_counter() - start):.0f} frames/s")


def _exists(name: str) -> bool:
    from microexpr.spotting import SPOTTERS

    return name in SPOTTERS and build_spotter(name) is not None


def memory() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sizes = []
        for minutes in (10, 60):
            path = Path(folder) / f"{minutes}.mp4"
            write_video(path, frames_of(60, 30.0, (176, 144), (140, 120)), 30.0, repeats=minutes)
            command = [sys.executable, "-m", "benchmarks.bench_spotting", "--measure", str(path)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            sizes.append(float(said.split()[-1]))
            print(f"{minutes} minutes of 30 frames/s: {said.strip()} MiB at most", flush=True)
        print(f"the longer one takes {100 * (sizes[1] / sizes[0] - 1):+.1f} % of memory")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if arguments.measure is not None:
        n_frames, n_events = spot_file(arguments.measure)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{n_frames} frames, {n_events} events, {peak:.1f}")
    elif arguments.memory:
        memory()
    else:
        speed(arguments.seconds)
