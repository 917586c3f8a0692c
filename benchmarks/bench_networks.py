"""Training throughput of every network, ours and plain PyTorch loops with the same network, in the same run.

    python -m benchmarks.bench_networks [--seconds N]
    python -m benchmarks.bench_networks --loso FOLDER [--epochs N]

Ours is `fit_epochs`: skorch's loop behind explicit arguments. The peers are loops as released programs have them, with
the same network, optimizer, augmentation and number format, one thread: (a) a DataLoader over a TensorDataset, layout
NCHW; (b) whole tensors without a DataLoader, channels last, as ours. The peers' inputs are prepared beforehand; ours
prepares each batch. All three train by turns; the best epoch of each counts. Times on a CPU are of the processor, so
that other work on the machine counts little. The claim to check: ours is no slower than (a) at the papers' inputs. On
a CPU our layout loses where a ResNet's last maps have 4 x 4 places or fewer, as with pictures of 112 pixels. That (b)
does the same work is seen from its loss in the first epoch, which is ours.

Inputs and batches are the papers', but for the inputs of Houlton's, Liu's and Hata's networks on a CPU, which are
smaller. With a GPU the same is printed for it, in bfloat16 and at the papers' inputs, with the share of the card's
peak: FLOPs of the forward and backward passes, counted by torch, in the time of ours.

The last figure decides whether folds should train together: five small networks in one, as `FlowCNN` has them, beside
five trainings one after the other.

`--loso` is apart, as it takes minutes: a whole `ststnet`, leave one subject out, on the flow maps in FOLDER by the
harness, from the files to the predictions, beside loop (a) over the same folds; two processes each.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from sklearn.model_selection import LeaveOneGroupOut

from benchmarks.plain_loop import PlainLoop, plain_fold
from microexpr import deep
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import MicroexprError
from microexpr.data.catalog import load_data
from microexpr.deep.classifier import NetworkClassifier
from microexpr.deep.devices import one_cpu_thread
from microexpr.deep.flowcnn import FlowCNNClassifier
from microexpr.features import FlowMap
from microexpr.pipelines.harness import run

CLASSES = ("negative", "positive", "surprise")
#: Clips of MEGC2019.
N_CLIPS = 442
#: Products and sums a second in bfloat16, without sparsity, by the cards' data sheets.
PEAKS = {"NVIDIA H100 80GB HBM3": 989e12, "NVIDIA H200": 989e12, "NVIDIA A100": 312e12}


@dataclass(frozen=True)
class Case:
    """How one network is measured: batches of an epoch on a CPU, its side there, kind of input."""

    n_batches: int
    cpu_side: int | None = None
    dtype: type = np.uint8
    maps: bool = False


CASES = {
    "STSTNetClassifier": Case(4, dtype=np.float32, maps=True),
    "OFFApexNetClassifier": Case(2, dtype=np.float32, maps=True),
    "FlowCNNClassifier": Case(8, dtype=np.float32, maps=True),
    "DubeyClassifier": Case(2),
    "TwoStreamClassifier": Case(2, dtype=np.float32),
    "HoultonClassifier": Case(2, cpu_side=64),
    "NMERClassifier": Case(2, cpu_side=112, maps=True),
    "HataClassifier": Case(2, cpu_side=112),
}
GPU_FACTOR = 4


def problem(case: Case, kind: type[NetworkClassifier], device: str) -> tuple[NetworkClassifier, np.ndarray, np.ndarray]:
    """Return a classifier, random clips that fill whole batches (nearly, where each comes ten times), and classes."""
    model = kind(epochs=10**6, device=device, random_state=0)
    n_batches, shape = case.n_batches, kind.INPUT_SHAPE
    if device == "cpu" and case.cpu_side is not None:
        shape = (*shape[:-2], case.cpu_side, case.cpu_side)
    if device != "cpu":
        n_batches *= GPU_FACTOR
    n_clips = n_batches * model.batch_size // kind._COPIES
    X = np.random.default_rng(0).integers(0, 256, (n_clips, *shape), dtype=np.uint8).astype(case.dtype)
    model.class_weight = None  # the plain loops have none
    return model, np.ascontiguousarray(np.moveaxis(X, 1, 3)) if case.maps else X, np.arange(n_clips) % len(CLASSES)


def timed(work: Callable[[], object], device: str) -> float:
    clock = time.process_time if device == "cpu" else time.perf_counter
    synchronise(device)
    start = clock()
    work()
    synchronise(device)
    return clock() - start


def synchronise(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def by_turns(works: dict[str, Callable[[], object]], device: str, seconds: float) -> dict[str, float]:
    """Return the best time of each, all run by turns twice at least and for so many seconds."""
    best = dict.fromkeys(works, float("inf"))
    begun, n_turns = time.perf_counter(), 0
    while n_turns < 2 or time.perf_counter() - begun < seconds:
        for name, work in works.items():
            best[name] = min(best[name], timed(work, device))
        n_turns += 1
    return best


def measure(name: str, device: str, seconds: float) -> None:
    """Print one network's row."""
    kind = getattr(deep, name)
    model, X, codes = problem(CASES[name], kind, device)
    with one_cpu_thread():
        # The first epoch of each warms up.
        ours = model.fit_epochs(X, codes)
        next(ours)
        loaded = PlainLoop(model, X, codes, device, loader=True)
        loaded.epoch()
        taken = PlainLoop(model, X, codes, device, loader=False)
        check_same(name, model.history_["train_loss"][0], taken.epoch(), device)
        works = {"ours": lambda: next(ours), "loaded": loaded.epoch, "taken": taken.epoch}
        best = by_turns(works, device, seconds)
    n_rows = len(codes) * kind._COPIES
    rates = {which: n_rows / spent for which, spent in best.items()}
    shown = "x".join(map(str, model.input_shape_))
    line = f"{name.removesuffix('Classifier'):12}{shown:>12}{model.batch_size:>6}"
    line += "".join(f"{rates[which]:12.1f}" for which in works)
    line += "".join(f"{rates['ours'] / rates[which]:10.2f}" for which in ("loaded", "taken"))
    if device == "cuda":
        line += share_of_peak(taken.flops(), best["ours"] / (n_rows / model.batch_size))
    print(line, flush=True)


def check_same(name: str, ours: float, plain: float, device: str) -> None:
    tolerance = 1e-3 if device == "cpu" else 0.05  # on a GPU sums come in no fixed order, in bfloat16
    if not abs(ours - plain) <= tolerance * abs(plain):
        raise SystemExit(f"{name}: the first epoch's loss is {ours:g}, the plain loop's {plain:g}")


def share_of_peak(n_flops: int, seconds: float) -> str:
    rate, card = n_flops / seconds, torch.cuda.get_device_name()
    peak = next((value for known, value in PEAKS.items() if card == known or card.startswith(f"{known}-")), None)
    return f"{rate / 1e12:10.2f}" + (f"{rate / peak:9.1%}" if peak else f"{'?':>9}")


def throughput(device: str, seconds: float) -> None:
    where = "GPU, " + torch.cuda.get_device_name() if device == "cuda" else "CPU, one thread"
    print(f"{where}: clips a second in training, best epoch of each; ratio: ours / peer's")
    head = f"{'network':12}{'input':>12}{'batch':>6}{'ours':>12}{'(a) loader':>12}{'(b) tensors':>12}"
    head += f"{'ours/(a)':>10}{'ours/(b)':>10}"
    print(head + (f"{'TFLOP/s':>10}{'of peak':>9}" if device == "cuda" else ""))
    for name in CASES:
        measure(name, device, seconds)


def stacked(device: str, seconds: float, n_networks: int = 5) -> None:
    """Print the time of an epoch of several small networks trained as one and of as many one after the other."""
    X = np.random.default_rng(0).integers(0, 256, (N_CLIPS, 28 * 28 * 3)).astype(np.float32)
    codes = np.arange(N_CLIPS) % len(CLASSES)

    def training(n_together: int, seed: int):
        model = FlowCNNClassifier(n_networks=n_together, epochs=10**6, device=device, random_state=seed)
        return model.fit_epochs(X, codes)

    alone = [training(1, seed) for seed in range(n_networks)]
    together = training(n_networks, 0)
    works = {"alone": lambda: [next(one) for one in alone], "together": lambda: next(together)}
    for work in works.values():
        work()
    best = by_turns(works, device, seconds)
    print(
        f"{device}: an epoch of {n_networks} FlowCNN networks on {N_CLIPS} clips: one after the other "
        f"{1e3 * best['alone']:.0f} ms, in one {1e3 * best['together']:.0f} ms, "
        f"{best['alone'] / best['together']:.2f} times as fast",
        flush=True,
    )


# A whole leave-one-subject-out


def loso(folder: str, epochs: int) -> None:
    """Print the time of `ststnet` by the harness and by loop (a), both from the files on, two processes each."""
    clips = load_data(f"flowmaps={folder}")
    n_folds = clips.table["subject"].nunique()
    print(f"ststnet, {len(clips)} clips, {n_folds} folds, {epochs} epochs, batches of 256, two processes on the CPU")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["MICROEXPR_CACHE"] = cache
        params = {"ststnetclassifier__epochs": epochs, "ststnetclassifier__device": "cpu"}
        results = {
            "ours": lambda: run("ststnet", clips, n_jobs=2, params=params)["y_pred"].to_numpy(),
            "(a)": lambda: plain_loso(clips, epochs),
        }
        for name, work in results.items():
            # Both start their own processes.
            get_reusable_executor().shutdown(wait=True)
            start = time.perf_counter()
            predicted = work()
            spent = time.perf_counter() - start
            print(f"{name:6}{spent:8.1f} s, accuracy {np.mean(predicted == clips.y):.3f}", flush=True)


def plain_loso(clips: ClipSet, epochs: int) -> np.ndarray:
    X = FlowMap(size=28).transform(clips.clips)
    classes, codes = np.unique(clips.y, return_inverse=True)
    folds = list(LeaveOneGroupOut().split(X, codes, clips.groups))
    parts = Parallel(n_jobs=2)(delayed(plain_fold)(X[train], codes[train], X[test], epochs) for train, test in folds)
    predicted = np.empty(len(codes), np.int64)
    for (_, test), part in zip(folds, parts, strict=True):
        predicted[test] = part
    return classes[predicted]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6.0, help="for each network, after its first epoch")
    parser.add_argument("--loso", metavar="FOLDER", help="flow maps, as `--data flowmaps=FOLDER` reads them")
    parser.add_argument("--epochs", type=int, default=500, help="of --loso")
    options = parser.parse_args()
    if options.loso is not None:
        loso(options.loso, options.epochs)
        return
    if set(CASES) != {name for name in deep.__all__ if name.endswith("Classifier")}:
        raise SystemExit(f"CASES holds {', '.join(CASES)}: it must hold all networks of microexpr.deep")
    throughput("cpu", options.seconds)
    stacked("cpu", options.seconds)
    if not torch.cuda.is_available():
        print("no GPU that this PyTorch can use: its figures are left out")
        return
    try:
        throughput("cuda", options.seconds)
        stacked("cuda", options.seconds)
    except (RuntimeError, MicroexprError, SystemExit) as error:
        print(f"on the GPU: {error}")


if __name__ == "__main__":
    main()
