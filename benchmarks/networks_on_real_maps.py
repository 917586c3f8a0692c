"""The networks that can work from stored flow maps, on real ones, several seeds each, beside `flow-svm` and `flow-rbf`.

    python -m benchmarks.networks_on_real_maps FOLDER [--jobs 2] [--seeds 5] [--store results/real-maps] [--method NAME]

FOLDER holds the maps as `--data flowmaps=FOLDER` reads them. Leave one subject out, last epoch, settings as they stand
below. A row is the mean over seeds; its 95 % interval, and that of the paired difference to `flow-svm`, resample the
subjects, the same for all seeds. What was computed is kept under `--store`: the same command goes on where it stopped.
"""

from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from microexpr.data.catalog import load_data
from microexpr.pipelines.harness import run
from microexpr.pipelines.metrics import figures, group_confusions

REFERENCE = "flow-svm"
#: Without ImageNet's weights and a GPU, `nmer` is run smaller than its paper has it, its random backbone as fast as its
#: heads. All else is each method's own default.
METHODS: dict[str, dict[str, Any]] = {
    "flow-rbf": {},
    "flow-cnn": {},
    "off-apexnet": {},
    "ststnet": {},
    "fusion": {},
    "nmer": {
        "flowimage__size": 56,
        "nmerclassifier__epochs": 10,
        "nmerclassifier__backbone_lr": 1e-3,
    },
}
#: Nothing in these depends on a seed.
_SEEDLESS = ("flow-svm", "flow-rbf")
_N_RESAMPLES = 2000


def main(
    folder: str,
    jobs: Annotated[int, typer.Option()] = 2,
    seeds: Annotated[int, typer.Option()] = 5,
    store: Annotated[str, typer.Option()] = "results/real-maps",
    method: Annotated[list[str] | None, typer.Option()] = None,
) -> None:
    """Run all rows, seed by seed, and print them."""
    clips = load_data(f"flowmaps={folder}")
    names = method or list(METHODS)
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in (REFERENCE, *names)}
    for seed in range(seeds):
        for name in tables:
            if seed == 0 or name not in _SEEDLESS:
                params = METHODS.get(name, {})
                tables[name].append(run(name, clips, seed=seed, n_jobs=jobs, store=store, params=params))
        print(f"after {seed + 1} seeds of {seeds}", flush=True)
        show(tables, clips.classes)


def show(tables: dict[str, list[pd.DataFrame]], classes: tuple[str, ...]) -> None:
    """Print a row for each method: mean over seeds, interval over subjects, paired difference to the reference."""
    counted = {
        name: np.stack([group_confusions(table, classes, "subject")[1] for table in of_seeds])
        for name, of_seeds in tables.items()
    }
    n_subjects = counted[REFERENCE].shape[1]
    times = np.random.default_rng(0).multinomial(n_subjects, np.full(n_subjects, 1 / n_subjects), size=_N_RESAMPLES)
    for name, matrices in counted.items():
        line = f"{name:12s} {len(matrices)} seed{'s' if len(matrices) > 1 else ' '}"
        for metric in ("UF1", "UAR"):
            each = figures(matrices.sum(axis=1))[metric]
            drawn = _resampled(matrices, times, metric)
            low, high = np.quantile(drawn, (0.025, 0.975))
            line += f"  {metric} {each.mean():.3f} [{low:.3f}, {high:.3f}] ({each.min():.3f}-{each.max():.3f})"
        apart = _resampled(matrices, times, "UF1") - _resampled(counted[REFERENCE], times, "UF1")
        mean = figures(matrices.sum(axis=1))["UF1"].mean() - figures(counted[REFERENCE].sum(axis=1))["UF1"].mean()
        low, high = np.quantile(apart, (0.025, 0.975))
        print(f"{line}  to {REFERENCE} {mean:+.3f} [{low:+.3f}, {high:+.3f}]", flush=True)


def _resampled(matrices: np.ndarray, times: np.ndarray, metric: str) -> np.ndarray:
    """Return the metric's mean over seeds in each resample of the subjects; matrices (seeds, subjects, C, C)."""
    pooled = np.einsum("rs,ksij->krij", times, matrices)
    return figures(pooled)[metric].mean(axis=0)


if __name__ == "__main__":
    typer.run(main)
