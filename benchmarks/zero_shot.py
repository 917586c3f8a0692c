"""The model that was trained on no clip: its figures on real maps, and what it makes of rendered faces.

    python -m benchmarks.zero_shot real FOLDER [--card FILE]
    python -m benchmarks.zero_shot rendered
    python -m benchmarks.zero_shot changes
    python -m benchmarks.zero_shot finetune FOLDER [--jobs 2] [--seed 0]
    python -m benchmarks.zero_shot speed

`real` names the maps in FOLDER (as `--data flowmaps=FOLDER` reads them): nothing is trained, every clip is answered.
With --card the figures are written for the model's card. `rendered` shows each action unit alone on ten faces,
`changes` the same clips under other light, size, frame rate and noise. `finetune` compares the network fine-tuned
inside each fold with the same one from random weights at twice the epochs. `speed` draws maps on one core, and names
them.
"""

import json
import timeit
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from threadpoolctl import threadpool_limits

from microexpr.classifiers import ZeroShotClassifier
from microexpr.core.clip import Clip
from microexpr.core.errors import DataError
from microexpr.core.sources import ArraySource
from microexpr.data import make_clips
from microexpr.data.actionunits import GAIN, MIDLINE, UNITS, unit_of
from microexpr.data.catalog import load_data
from microexpr.data.synthetic import SyntheticSource
from microexpr.data.syntheticmotion import make_motion_maps
from microexpr.features import FlowMap
from microexpr.pipelines.framing import frame_clip
from microexpr.pipelines.harness import run
from microexpr.pipelines.metrics import scores
from microexpr.pipelines.provenance import versions
from microexpr.pipelines.statistics import bootstrap_interval
from microexpr.pipelines.zeroshot import FRAMING, measured_on

# No subject of `make_clips` at a usual seed; no map that the network learned from shows a rendered face at all.
SEED = 777

app = typer.Typer(add_completion=False)


@app.command()
def real(folder: str, card: Annotated[Path | None, typer.Option()] = None) -> None:
    """Print UF1 and UAR with 95 % intervals over subjects, all and by data set."""
    clips = load_data(f"flowmaps={folder}")
    table = run("zero-shot", clips)
    found: dict[str, Any] = {"all": measured_on(table, clips.classes)}
    for name, part in table.groupby("dataset"):
        found[str(name)] = measured_on(part, clips.classes)
    for name, figures in found.items():
        both = "  ".join(
            f"{key} {figures[key]['estimate']:.3f} [{figures[key]['low']:.3f}, {figures[key]['high']:.3f}]"
            for key in ("UF1", "UAR")
        )
        print(f"{name:8s} {figures['clips']:4d} clips  {both}")
        print(f"         {figures['confusion']}")
        print(f"         {figures['sureness']}")
    if card is not None:
        known = versions()
        found |= {"date": datetime.now(UTC).date().isoformat(), "versions": known}
        card.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


@app.command()
def finetune(folder: str, jobs: Annotated[int, typer.Option()] = 2, seed: Annotated[int, typer.Option()] = 0) -> None:
    """Print leave-one-subject-out figures of both."""
    clips = load_data(f"flowmaps={folder}")
    for name, params in (
        ("pretrained-finetune", {}),
        ("pretrained-finetune", {"motionnetclassifier__start": "random", "motionnetclassifier__epochs": 60}),
    ):
        table = run(name, clips, params=params, seed=seed, n_jobs=jobs)
        figures = scores(table, clips.classes)
        low, high = (getattr(bootstrap_interval(table, clips.classes, metric="UF1"), end) for end in ("low", "high"))
        print(
            f"{name} {params}: UF1 {figures['UF1']:.3f} [{low:.3f}, {high:.3f}], UAR {figures['UAR']:.3f}", flush=True
        )


@app.command()
def speed() -> None:
    """Print how many maps a second are drawn, and how many are named, on one core: the best of five."""
    model = ZeroShotClassifier()
    rows = make_motion_maps(256).maps.reshape(256, -1)
    with threadpool_limits(1):
        for what, work, number in (
            ("drawn", lambda: make_motion_maps(5120, seed=1), 5120),
            ("named", lambda: model.predict_proba(rows), len(rows)),
        ):
            work()
            print(f"{what} {number / min(timeit.repeat(work, number=1, repeat=5)):,.0f} maps a second")


@app.command()
def rendered(subjects: Annotated[int, typer.Option()] = 10, peak: Annotated[float, typer.Option()] = 1.5) -> None:
    """Print the rank of each action unit that acts alone, and how much else changes the answers."""
    model = ZeroShotClassifier()
    ranks: dict[str, list[int]] = {unit: [] for unit in UNITS}
    with threadpool_limits(1):
        for unit, row in single_units(subjects, peak):
            ranks[unit].append(rank_of(unit, model.action_strengths(row)[0], model.actions_))
    for unit, found in ranks.items():
        print(f"AU{unit:3s} first {found.count(1)}, second {found.count(2)} of {len(found)} faces: {found}")
    every = [rank for found in ranks.values() for rank in found]
    print(f"first {np.mean(np.array(every) == 1):.3f}, first or second {np.mean(np.array(every) <= 2):.3f}")


@app.command()
def changes(n_clips: Annotated[int, typer.Option()] = 30) -> None:
    """Print how often other light, size, frame rate or noise leave the class as it was, and how far answers move."""
    clips = make_clips(-(-n_clips // 3), 3, seed=SEED, size=(280, 240), peak_motion=(0.5, 2.0)).clips[:n_clips]
    model = ZeroShotClassifier()
    with threadpool_limits(1):
        plain = [answers(model, clip.frames(), clip) for clip in clips]
        for name, change in CHANGES.items():
            rows = []
            for clip, first in zip(clips, plain, strict=True):
                frames, positions = change(clip.frames(), (clip.onset, clip.apex))
                second = answers(model, frames, replace(clip, onset=positions[0], apex=positions[1]))
                if first is not None and second is not None:
                    moved = [np.abs(before - after).max() for before, after in zip(first, second, strict=True)]
                    rows.append((first[0].argmax() == second[0].argmax(), *moved))
            same, shares, strengths = np.mean(rows, axis=0)
            most = np.max(rows, axis=0)
            print(
                f"{name:24s} {len(rows)} clips: same class {same:.3f}; largest change of a probability "
                f"{shares:.3f} in the mean, {most[1]:.3f} at most; of a strength {strengths:.3f}, {most[2]:.3f}",
                flush=True,
            )


Change = Callable[[np.ndarray, tuple[int, int]], tuple[np.ndarray, tuple[int, int]]]


def answers(model: ZeroShotClassifier, frames: np.ndarray, clip: Clip) -> tuple[np.ndarray, np.ndarray] | None:
    """Return probabilities and strengths, or None where no face is found."""
    asked = replace(clip, source=ArraySource(padded(frames)), offset=None)
    try:
        framed, _ = frame_clip(asked, FRAMING, align="always")
    except DataError:
        return None
    row = FlowMap().transform([framed])
    return model.predict_proba(row)[0], model.action_strengths(row)[0]


def lit(gain: float, offset: float) -> Change:
    return lambda frames, at: (np.clip(gain * frames + offset, 0, 255).astype(np.uint8), at)


def resized(factor: float) -> Change:
    import cv2

    def change(frames: np.ndarray, at: tuple[int, int]) -> tuple[np.ndarray, tuple[int, int]]:
        kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        return np.stack([cv2.resize(one, None, fx=factor, fy=factor, interpolation=kind) for one in frames]), at

    return change


def every(step: int) -> Change:
    """Keep every `step`-th frame; the apex is the nearest that is left."""
    return lambda frames, at: (frames[::step], (at[0] // step, max(round(at[1] / step), at[0] // step + 1)))


def noisy(sigma: float) -> Change:
    rng = np.random.default_rng(0)
    return lambda frames, at: (
        np.clip(np.rint(frames + rng.normal(0.0, sigma, frames.shape)), 0, 255).astype(np.uint8),
        at,
    )


CHANGES: dict[str, Change] = {
    "darker (.7)": lit(0.7, 0),
    "brighter (+30)": lit(1.0, 30),
    "less contrast (.6, +50)": lit(0.6, 50),
    "half as large": resized(0.5),
    "1.5 times as large": resized(1.5),
    "100 frames a second": every(2),
    "50 frames a second": every(4),
    "25 frames a second": every(8),
    "noise of 3 grey levels": noisy(3.0),
}


def single_units(subjects: int, peak: float) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each unit and its map on each face; faces that no detector finds so close are left out."""
    for subject in range(subjects):
        for unit in UNITS:
            actions = {unit: 1.0} if unit in MIDLINE else {f"L{unit}": 1.0, f"R{unit}": 1.0}
            source = SyntheticSource(
                actions,
                seed=SEED,
                subject=subject,
                n_frames=3,
                onset=0,
                apex=1,
                offset=2,
                peak=2 * peak * GAIN.get(unit, 1.0),  # lids move less than the rest of a face
                size=(280, 240),
            )
            clip = Clip(f"AU{unit} on face {subject}", ArraySource(padded(source.read())), onset=0, apex=1, offset=2)
            try:
                framed, _ = frame_clip(clip, FRAMING, align="always")
            except DataError as error:
                print(error)
                continue
            yield unit, FlowMap().transform([framed])


def padded(frames: np.ndarray) -> np.ndarray:
    """Return frames with a border, as a face detector wants to see more than a face."""
    return np.pad(frames, ((0, 0), (60, 60), (60, 60)), mode="edge")


def rank_of(unit: str, strengths: np.ndarray, actions: tuple[str, ...]) -> int:
    """Return the rank of a unit by the stronger of its two sides, 1 the strongest."""
    by_unit = {
        one: max(value for action, value in zip(actions, strengths, strict=True) if unit_of(action) == one)
        for one in UNITS
    }
    return 1 + sum(value > by_unit[unit] for value in by_unit.values())


if __name__ == "__main__":
    app()
