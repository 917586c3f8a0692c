"""Time the harness adds to each fold, and time to read a warm cache.

    python benchmarks/bench_harness.py

Overhead: a data set of 442 clips x 2352 features, 68 subjects, leave one subject out, a trivial classifier, results
kept on disk. The peer is the same loop by scikit-learn alone (`cross_val_predict`), which keeps nothing. The claim:
less than 20 ms a fold.

Cache: the features of 1,000 clips, 2352 float32 values each, of clips that lie on disk as files (70 frames of
140 x 120). The claim: less than 2 s from clips to array, fingerprints of all files included. The peer is one
`numpy.load` of the same array in one file: the least that any cache could take.
"""

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline

from microexpr.core.base import ClipTransformer
from microexpr.core.cache import ArrayCache
from microexpr.core.clip import Clip
from microexpr.core.clipset import ClipSet
from microexpr.core.sources import ArraySource, ImageFilesSource
from microexpr.pipelines.harness import run
from microexpr.pipelines.prefix import extract

N_CLIPS, N_SUBJECTS, N_FEATURES = 442, 68, 2352


class Frame(ClipTransformer):
    """The first frame's first values as float32: a feature that costs nothing but reading."""

    def transform_clip(self, clip: Clip) -> np.ndarray:
        return clip.frames()[0].ravel()[:N_FEATURES].astype(np.float32)


def clips_in_memory() -> ClipSet:
    rng = np.random.default_rng(0)
    subjects = [f"toy/s{number % N_SUBJECTS:02d}" for number in range(N_CLIPS)]
    table = pd.DataFrame(
        {"dataset": "toy", "subject": subjects, "label": [("a", "b", "c")[n // 2 % 3] for n in range(N_CLIPS)]},
        index=[f"{subject}/{number}" for number, subject in enumerate(subjects)],
    )
    frames = rng.integers(0, 255, (N_CLIPS, 1, 49, 48), dtype=np.uint8)
    return ClipSet(table, [ArraySource(one) for one in frames])


def overhead() -> None:
    clips = clips_in_memory()
    trivial = DummyClassifier(strategy="most_frequent")
    features = Frame().transform(clips.clips)
    start = time.perf_counter()
    cross_val_predict(trivial, features, clips.y, groups=clips.groups, cv=LeaveOneGroupOut())
    peer = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        run(make_pipeline(Frame(), trivial), clips, store=f"{folder}/warm")
        start = time.perf_counter()
        run(make_pipeline(Frame(), trivial), clips, store=f"{folder}/timed")
        spent = time.perf_counter() - start
    each, peer_each = 1e3 * spent / N_SUBJECTS, 1e3 * peer / N_SUBJECTS
    print(f"overhead a fold, {N_CLIPS} x {N_FEATURES}: {each:.1f} ms; scikit-learn's own loop {peer_each:.1f} ms")


def warm_cache(n_clips: int = 1000, n_frames: int = 70) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clips = list(clips_on_disk(Path(folder) / "frames", n_clips, n_frames))
        cache = ArrayCache(Path(folder) / "cache")
        start = time.perf_counter()
        features = extract(Frame(), clips, cache=cache)
        cold = time.perf_counter() - start
        start = time.perf_counter()
        again = extract(Frame(), clips, cache=cache)
        warm = time.perf_counter() - start
        np.testing.assert_array_equal(features, again)
        np.save(Path(folder) / "all.npy", features)
        start = time.perf_counter()
        np.load(Path(folder) / "all.npy")
        peer = time.perf_counter() - start
    print(f"{n_clips} clips of {n_frames} files: cold {cold:.1f} s, warm {warm:.2f} s; one numpy.load {peer:.3f} s")


def clips_on_disk(folder: Path, n_clips: int, n_frames: int):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(n_clips):
        own = folder / f"{number}"
        own.mkdir()
        first = own / "img0.bmp"
        Image.fromarray(rng.integers(0, 255, (140, 120), dtype=np.uint8)).save(first)
        paths = [first, *(own / f"img{frame}.bmp" for frame in range(1, n_frames))]
        for path in paths[1:]:
            os.link(first, path)
        yield Clip(f"toy/s/{number}", ImageFilesSource(paths), onset=0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        os.environ["MICROEXPR_CACHE"] = cache
        overhead()
        warm_cache()
