"""The methods that can work from stored flow maps, on real ones: fixed beforehand, and tuned on inner subject folds.

    python -m benchmarks.real_maps FOLDER [--jobs 2]

FOLDER holds the maps as `--data flowmaps=FOLDER` reads them. Leave one subject out, pooled, 95 % intervals over
subjects, and the paired difference of each row to `flow-svm` on the same subjects. Every row is printed, whatever it
gives; no row chooses anything on the person left out: grids are searched on folds of the training subjects by macro F1,
and the grids stand below.
"""

from typing import Annotated, Any

import typer
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from microexpr.data.catalog import load_data
from microexpr.pipelines.harness import run
from microexpr.pipelines.metrics import scores
from microexpr.pipelines.prefix import split_prefix
from microexpr.pipelines.registry import build
from microexpr.pipelines.statistics import bootstrap_interval, paired_difference

FIXED = (
    "majority",
    "flow-svm",
    "flow-rbf",
    "strain-svm",
    "biwoof-svm",
    "biwoof-gentleboost",
    "motion-fusion",
)
GRIDS: dict[str, dict[str, list[Any]]] = {
    "flow-svm": {"svc__C": [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]},
    "strain-svm": {"svc__C": [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]},
    "biwoof-svm": {"svc__C": [0.01, 0.1, 1.0, 10.0, 100.0]},
    "biwoof-gentleboost": {"gentleboostclassifier__n_estimators": [10, 30, 100]},
    "flow-rbf": {"mirroredtraining__estimator__rbfsvm__C": [0.1, 1.0, 10.0]},
}


def tuned(name: str) -> Any:
    """Return a registered method whose learning part is searched on inner folds of the training subjects."""
    prefix, learner = split_prefix(build(name, random_state=0))
    search = GridSearchCV(learner, GRIDS[name], scoring="f1_macro", cv=StratifiedGroupKFold(5))
    return make_pipeline(*(step for _, step in prefix.steps), search)


def main(folder: str, jobs: Annotated[int, typer.Option()] = 2) -> None:
    """Run all rows and print them as they come."""
    clips = load_data(f"flowmaps={folder}")
    print(f"{len(clips)} maps, {clips.table['subject'].nunique()} subjects")
    rows: dict[str, Any] = {name: build(name, random_state=0) for name in FIXED}
    rows["motion-fusion, weights learned"] = build("motion-fusion", random_state=0, scorefusion__weights="learned")
    rows |= {f"{name}, tuned": tuned(name) for name in GRIDS}
    reference = run("flow-svm", clips, n_jobs=jobs)
    for name, estimator in rows.items():
        table = run(estimator, clips, n_jobs=jobs)
        found = scores(table, clips.classes)
        uf1, uar = (bootstrap_interval(table, clips.classes, metric=metric) for metric in ("UF1", "UAR"))
        line = f"{name:32s} UF1 {found['UF1']:.3f} [{uf1.low:.3f}, {uf1.high:.3f}]"
        line += f"  UAR {found['UAR']:.3f} [{uar.low:.3f}, {uar.high:.3f}]"
        apart = paired_difference(table, reference, clips.classes)
        print(f"{line}  to flow-svm {apart.difference:+.3f} [{apart.low:+.3f}, {apart.high:+.3f}]", flush=True)


if __name__ == "__main__":
    typer.run(main)
