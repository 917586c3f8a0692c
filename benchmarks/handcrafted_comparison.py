"""The whole handcrafted comparison: every method that needs no network, 442 synthetic clips, 68 subjects, LOSO.

    python -m benchmarks.handcrafted_comparison [--jobs 2] [--subjects 68]

Each method's features are computed first and its folds run after, so that the time of both is known; what an earlier
method has computed (optical flow from onset to apex, features that two methods share) is not computed again, as in any
comparison. Clips are 20 to 100 frames of 140 x 120 pixels, rendered beforehand into one array file each, as reading
images is the decoder's time, not ours. Takes some ten minutes on two cores, so `make bench` leaves it out.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from microexpr.core.cache import feature_cache
from microexpr.core.clip import Clip
from microexpr.core.clipset import ClipSet
from microexpr.core.filehash import content_digest
from microexpr.core.sources import FrameSource
from microexpr.data.synthetic import make_clips
from microexpr.pipelines.folds import seeded
from microexpr.pipelines.harness import run
from microexpr.pipelines.metrics import scores
from microexpr.pipelines.parallel import in_parallel
from microexpr.pipelines.prefix import extract, split_prefix
from microexpr.pipelines.registry import all_methods, build

# All that are registered so far but the networks.
# A fusion has a network among its members, unless told otherwise.
HANDCRAFTED = [
    name
    for name, record in all_methods().items()
    if record.builder.__module__.split(".")[-1] != "deep" and name != "fusion"
]


def main(
    jobs: Annotated[int, typer.Option(help="Threads over clips, processes over folds.")] = 2,
    subjects: Annotated[int, typer.Option(help="Even; 13 clips for each two.")] = 68,
) -> None:
    """Run the comparison and print the time of each step."""
    with tempfile.TemporaryDirectory() as folder:
        measure(stored(Path(folder), subjects, jobs), jobs)


def measure(clips: ClipSet, jobs: int) -> None:
    print(f"{len(clips)} clips, {clips.table['subject'].nunique()} subjects, {jobs} jobs")
    rows = {}
    for name in HANDCRAFTED:
        start = time.perf_counter()
        prefix, _ = split_prefix(seeded(build(name), 0))
        if prefix is not None:
            extract(prefix, clips.clips, cache=feature_cache(), n_jobs=jobs)
        middle = time.perf_counter()
        table = run(name, clips, n_jobs=jobs)
        end = time.perf_counter()
        rows[name] = {"features": middle - start, "folds": end - middle, "UF1": scores(table, clips.classes)["UF1"]}
        print(
            f"{name:22s} features {middle - start:7.1f} s, folds {end - middle:7.1f} s, UF1 {rows[name]['UF1']:.3f}",
            flush=True,
        )
    spent = pd.DataFrame.from_dict(rows, orient="index")
    total = float(spent.to_numpy().sum())
    print(f"total {total:.0f} s: features {100 * spent['features'].sum() / total:.0f} %, the rest folds")
    shares = (100 * spent.sum(axis=1) / total).sort_values(ascending=False)
    print(", ".join(f"{name} {share:.0f} %" for name, share in shares.items()))


class Stored(FrameSource):
    """Frames in an array file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> np.ndarray:
        return np.load(self.path)

    def fingerprint(self) -> str:
        return content_digest([str(self.path)])

    def count(self) -> int:
        return len(np.load(self.path, mmap_mode="r"))

    def describe(self) -> str:
        return str(self.path)


def stored(folder: Path, n_subjects: int, n_jobs: int) -> ClipSet:
    """Return clips of which every second subject has 6 and the others 7: 442 of 68 subjects, as MEGC2019 has."""
    made = make_clips(n_subjects, 7)
    subjects = sorted(made.table["subject"].unique())
    last = made.table[made.table["subject"].isin(subjects[::2])].groupby("subject").tail(1).index
    made = made.without(dict.fromkeys(last, "left out, so that there are 442"))
    paths = [folder / f"{number}.npy" for number in range(len(made))]
    for _ in in_parallel(render, zip(made.clips, paths, strict=True), n_jobs=n_jobs, prefer="processes"):
        pass
    return ClipSet(made.table, [Stored(path) for path in paths], classes=made.classes, labels=made.labels)


def render(clip: Clip, path: Path) -> None:
    np.save(path, clip.frames())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        os.environ["MICROEXPR_CACHE"] = cache
        typer.run(main)
