"""Time of GentleBoost on one core, ours and scikit-learn's AdaBoost on the same stumps, in the same run.

    python benchmarks/bench_gentleboost.py [--rounds N] [--repeats N]

The data are 250 clips of 11,000 normally distributed features, two classes drawn at random; 200 rounds. scikit-learn
has no GentleBoost: the peer is its `AdaBoostClassifier` over `DecisionTreeClassifier(max_depth=1)`, which too searches
the best split of all features in each round, by another criterion. That both do find stumps is seen from the training
accuracy. The claim to check: ours takes at most 1/10 of the peer's time. All times are of the processor, so that other
work on the machine counts little.

The second table doubles clips, features and rounds in turn: if the time grows as their product, as it should, the
time for each (clip, feature, round) stays. Sorting, once a fit, is within it. The third is a problem of four classes
in the size of a whole benchmark: 884 clips, 10,368 features, 100 rounds for each class.
"""

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from microexpr.classifiers.gentleboost import GentleBoostClassifier

N_CLIPS, N_FEATURES, N_ROUNDS = 250, 11_000, 200


def make_problem(n_clips: int, n_features: int, n_classes: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_clips, n_features)), rng.permutation(np.arange(n_clips) % n_classes)


def best_time(work: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=N_ROUNDS, help="rounds of both in the first table")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each of ours; the peer runs once")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with threadpool_limits(1):
        GentleBoostClassifier(n_estimators=1).fit(*make_problem(10, 3))  # compiles, or loads what is compiled
        compare(arguments.rounds, arguments.repeats)
        grow(arguments.repeats)
        print_line("884 x 10,368, 4 classes", 884, 10_368, 100, 1, n_classes=4)


def compare(n_rounds: int, repeats: int) -> None:
    X, y = make_problem(N_CLIPS, N_FEATURES)
    ours = GentleBoostClassifier(n_estimators=n_rounds)
    peer = AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=n_rounds, random_state=0)
    ours_time = best_time(lambda: ours.fit(X, y), repeats)
    peer_time = best_time(lambda: peer.fit(X, y), 1)
    print(f"{N_CLIPS} clips x {N_FEATURES} features, {n_rounds} rounds, two classes; one core; ours best of {repeats}")
    print(f"{'':28}{'s':>10}{'peer / ours':>14}{'stumps':>10}{'accuracy':>10}")
    print(f"{'scikit-learn AdaBoost':28}{peer_time:10.2f}{1:14.0f}{len(peer.estimators_):10}{peer.score(X, y):10.3f}")
    ratio = peer_time / ours_time
    print(f"{'GentleBoost':28}{ours_time:10.2f}{ratio:14.0f}{len(ours.stumps_[0]):10}{ours.score(X, y):10.3f}")


def grow(repeats: int) -> None:
    print(f"{'clips x features x rounds':28}{'s':>10}{'ns for each':>14}")
    for n_clips in (125, 250, 500):
        print_line(f"{n_clips} x 4000 x 50", n_clips, 4000, 50, repeats)
    for n_features in (2000, 4000, 8000):
        print_line(f"250 x {n_features} x 50", 250, n_features, 50, repeats)
    for n_rounds in (50, 100, 200):
        print_line(f"250 x 4000 x {n_rounds}", 250, 4000, n_rounds, repeats)


def print_line(name: str, n_clips: int, n_features: int, n_rounds: int, repeats: int, n_classes: int = 2) -> None:
    boost = GentleBoostClassifier(n_estimators=n_rounds)
    X, y = make_problem(n_clips, n_features, n_classes)
    spent = best_time(lambda: boost.fit(X, y), repeats)
    count = n_clips * n_features * sum(len(stumps) for stumps in boost.stumps_)
    print(f"{name:28}{spent:10.3f}{spent / count * 1e9:14.2f}")


if __name__ == "__main__":
    main()
