"""The motion network made from nothing: trained on synthetic motion, calibrated on more of it, written to a file."""

__all__ = ["pretrain", "recipe"]

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from microexpr.core.atomic import write_atomic
from microexpr.core.checks import check_int
from microexpr.core.digest import digest
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.motionweights import MotionWeights, read_motion_weights, write_motion_weights
from microexpr.core.progress import progress
from microexpr.data.syntheticmotion import ACTIONS, CLASSES, GENERATOR_VERSION, make_motion_maps
from microexpr.pipelines.fromdeep import from_deep

# Maps a step, the share of them that show one action unit alone, and maps to calibrate on.
_BATCH = 256
_ALONE = 0.4
_CALIBRATION = 4096
# Seeds of maps: each network has so many steps of its own, calibration comes before all.
_MOST_STEPS = 100_000


def recipe(*, n_networks: int = 5, steps: int = 400, seed: int = 0) -> dict[str, Any]:
    """Return what decides the weights, as their file's `made` says it."""
    return {
        "generator": GENERATOR_VERSION,
        "networks": n_networks,
        "steps": steps,
        "maps_a_step": _BATCH,
        "alone": _ALONE,
        "seed": seed,
        "real_clips": 0,
    }


def pretrain(out: str | Path, *, n_networks: int = 5, steps: int = 400, seed: int = 0) -> MotionWeights:
    """Train the motion network on synthetic motion alone and write it to a file.

    1. Each network learns classes and strengths of action units from maps drawn as it trains, none of them twice (see
    `microexpr.data.make_motion_maps`). 2. A temperature is chosen by which the averaged probabilities of 4,096 maps
    that none has seen have the least cross-entropy. 3. All is written to `out`.

    A network that is done is kept beside `out` (`OUT.part0`, `OUT.part1`, ...): a killed run goes on with the next one.

    Parameters
    ----------
    out : path
        A name ending in .safetensors; what is there is replaced, whole or not at all.
    n_networks : int >= 1
    steps : int in [1, 100000]
        Of each network, 256 maps a step.
    seed : int >= 0

    Returns
    -------
    MotionWeights

    Raises
    ------
    ParameterError
        If an argument breaks its rule.
    ResultsError
        If a file cannot be written.
    MicroexprError
        If the extra `deep` is not installed.

    Notes
    -----
    On one machine the same arguments give the same bytes; on another, sums in another order give other weights.
    """
    out = Path(out)
    if out.suffix != ".safetensors":
        raise ParameterError(f"out is {str(out)!r}: it must end in .safetensors")
    check_int(n_networks, "n_networks", minimum=1)
    check_int(steps, "steps", minimum=1, maximum=_MOST_STEPS)
    check_int(seed, "seed", minimum=0)
    # A folder that cannot be written is better known now than in a minute.
    probe = out.with_name(f"{out.name}.begun")
    write_atomic(probe, b"")
    probe.unlink()
    members, parts = [], []
    for number in range(n_networks):
        # The recipe of one network does not depend on how many there are.
        made = {**recipe(n_networks=1, steps=steps, seed=seed), "member": number}
        parts.append(out.with_name(f"{out.name}.part{number}"))
        member = _kept(parts[-1], made)
        if member is None:
            member = MotionWeights(_trained(number, n_networks, steps, seed), CLASSES, ACTIONS, 1.0, made)
            write_motion_weights(member, parts[-1])
        members.append(member)
    tensors = {
        name: np.concatenate([member.tensors[name] for member in members]) for name in sorted(members[0].tensors)
    }
    made = recipe(n_networks=n_networks, steps=steps, seed=seed)
    weights = MotionWeights(tensors, CLASSES, ACTIONS, 1.0, made)
    weights = replace(weights, temperature=_temperature(weights, seed))
    write_motion_weights(weights, out)
    for part in parts:
        part.unlink(missing_ok=True)
    return weights


def _trained(number: int, n_networks: int, steps: int, seed: int) -> dict[str, np.ndarray]:
    train_member = from_deep("train_member")

    def draw(step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return _drawn(_BATCH, (1 + number) * _MOST_STEPS + step, seed, _ALONE)

    own_seed = int(digest({"seed": seed, "member": number})[:8], 16)
    with progress(f"network {number + 1} of {n_networks}", steps) as advance:
        trained: dict[str, np.ndarray] = train_member(
            draw, n_classes=len(CLASSES), n_actions=len(ACTIONS), steps=steps, seed=own_seed, advance=advance
        )
    return trained


def _drawn(n_maps: int, number: int, seed: int, alone: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from threadpoolctl import threadpool_limits

    own_seed = int(digest({"seed": seed, "maps": number})[:12], 16)
    # Matrices are small here: threads of a linear algebra library would wait for each other.
    with threadpool_limits(1):
        drawn = make_motion_maps(n_maps, own_seed, alone=alone)
    codes = np.full(len(drawn), -1)
    for code, name in enumerate(CLASSES):
        codes[drawn.labels == name] = code
    return drawn.maps, codes, drawn.strengths


def _temperature(weights: MotionWeights, seed: int) -> float:
    """Return the temperature of least cross-entropy on maps that no network has seen."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    from microexpr.classifiers.zeroshot import averaged

    maps, codes, _ = _drawn(_CALIBRATION, 0, seed, 0.0)
    shares, _ = averaged(weights, maps.astype(np.float64))
    logarithms = np.log(np.maximum(shares, 1e-12))

    def loss(logarithm: float) -> float:
        own = log_softmax(logarithms / np.exp(logarithm), axis=1)[np.arange(len(codes)), codes]
        return -float(own.mean())

    found = minimize_scalar(loss, bounds=(np.log(0.2), np.log(5.0)), method="bounded")
    return round(float(np.exp(found.x)), 4)


def _kept(path: Path, made: dict[str, Any]) -> MotionWeights | None:
    """Return a network that an earlier run has finished, if it was made in just the same way."""
    try:
        weights = read_motion_weights(path)
    except DataError:
        return None
    return weights if weights.made == made else None
