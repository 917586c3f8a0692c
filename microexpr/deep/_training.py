"""The training of a classifier's network: epoch by epoch, stopped early where asked, taken up again after a kill."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from skorch.callbacks import GradientNormClipping
from skorch.helper import predefined_split
from torch import nn

from microexpr.core.progress import progress
from microexpr.deep._loop import Loop, Rows, Settings, StepDecay, epoch_means
from microexpr.deep._randomness import MAX_SEED, Generator
from microexpr.deep._resuming import checkpoint_of, keep, take_up
from microexpr.deep._stopping import Best
from microexpr.deep.devices import channels_last, gpu_errors, keep_freed_memory, one_cpu_thread
from microexpr.deep.network import Network

if TYPE_CHECKING:
    from microexpr.deep.classifier import NetworkClassifier


class Clips(NamedTuple):
    """What a training is given of each clip: its input, its class by number, and 1 where it is an auxiliary one."""

    inputs: np.ndarray
    codes: np.ndarray
    domain: np.ndarray


class Trained(NamedTuple):
    """What there is after an epoch: the network, ready to predict, the epochs its weights have seen, all losses."""

    network: Network
    n_epochs: int
    history: dict[str, list[float]]


def train_epochs(
    model: "NetworkClassifier", clips: Clips, train: np.ndarray, held_out: np.ndarray | None, device: torch.device
) -> Iterator[Trained]:
    """Train a new network of the model's on the clips at positions `train`, stop on `held_out`; yield each epoch."""
    if device.type == "cpu":
        keep_freed_memory()
    weights = _clip_weights(model.class_weight, clips.codes, train)
    seed = int(np.random.default_rng().integers(MAX_SEED)) if model.random_state is None else model.random_state
    generator = Generator(seed, device)
    with generator.used(), gpu_errors(model.batch_size):
        network = channels_last(model._network(clips.inputs.shape[1:], len(model.classes_)))
        # Its first weights too: it may begin from what it learned of clips that are none of these.
        first = [value.numpy() for value in network.state_dict().values()]
        checkpoint = checkpoint_of(model, [*clips, train, *first])
        data = _rows(clips, weights, train, device)
        loop = new_loop(model, network, device, None if held_out is None else _rows(clips, weights, held_out, device))
        loop.initialize()
        loop.notify("on_train_begin", X=data, y=None)
    best = Best()
    history = take_up(checkpoint, loop, generator, best)
    done = len(next(iter(history.values()), []))
    with progress("  epochs", model.epochs, done=done) as advance:
        for epoch in range(done + 1, model.epochs + 1):
            with generator.used(), one_cpu_thread(), gpu_errors(model.batch_size):
                loop.fit_loop(data, epochs=1)
            for name, value in epoch_means(loop.history[-1]).items():
                history.setdefault(name, []).append(value)
            if held_out is not None:
                best.see(history["valid_loss"], loop.module_)
            is_last = epoch == model.epochs or best.is_over(model.patience)
            if not is_last:
                keep(checkpoint, loop, generator, best, history)
            advance(_told(history))
            yield _finished(loop, best, epoch, history) if is_last else Trained(loop.module_.eval(), epoch, history)
            if is_last:
                break
    checkpoint.forget()


def new_loop(model: "NetworkClassifier", network: Network, device: torch.device, held_out: Rows | None) -> Loop:
    """Return the loop that trains a network of the model's by the model's settings."""
    callbacks: list[tuple[str, Any]] = []
    if model._DECAY is not None:
        callbacks.append(("decay", StepDecay(*model._DECAY)))
    if model._CLIP is not None:
        callbacks.append(("clip", GradientNormClipping(model._CLIP)))
    groups = [(pattern, {"weight_decay": model.weight_decay, **own}) for pattern, own in model._groups_of_parameters()]
    loop = Loop(
        network,
        criterion=nn.Identity,  # not asked: the network states its own losses
        optimizer=model._OPTIMIZER,
        optimizer__weight_decay=model.weight_decay,
        optimizer__param_groups=groups,
        lr=model.lr,
        batch_size=model.batch_size,
        train_split=None if held_out is None else predefined_split(held_out),
        callbacks=callbacks,
        device=str(device),
        verbose=0,
    )
    loop.extras = Settings(
        lambda inputs: channels_last(model._prepare(inputs)),
        model._augment,
        model._COPIES,
        model.precision,
        model.epochs,
    )
    return loop


def _rows(clips: Clips, weights: np.ndarray, positions: np.ndarray, device: torch.device) -> Rows:
    return Rows(
        torch.from_numpy(clips.inputs[positions]).to(device),
        torch.from_numpy(clips.codes[positions].astype(np.int64)).to(device),
        torch.from_numpy(weights[positions]).to(device),
        torch.from_numpy(clips.domain[positions]).to(device),
    )


def _clip_weights(class_weight: str | None, codes: np.ndarray, train: np.ndarray) -> np.ndarray:
    if class_weight is None:
        return np.ones(len(codes), np.float32)
    counts = np.bincount(codes[train], minlength=int(codes.max()) + 1)
    return np.asarray((len(train) / (len(counts) * counts))[codes], np.float32)


def _finished(loop: Loop, best: Best, epoch: int, history: dict[str, list[float]]) -> Trained:
    if best.state is not None:
        loop.module_.load_state_dict(best.state)
        epoch = best.epoch
    return Trained(loop.module_.to("cpu").eval(), epoch, history)


def _told(history: Mapping[str, Sequence[float]]) -> str:
    """Return the last epoch's losses by name, short enough for a bar: `top 0.412, bottom 0.520, valid 1.310`."""
    last = {name: losses[-1] for name, losses in history.items()}
    terms = {name.removeprefix("train_"): loss for name, loss in last.items() if name.startswith("train_")}
    if len(terms) == 2:
        del terms["loss"]  # the sum of a single term is that term
    if "valid_loss" in last:
        terms["valid"] = last["valid_loss"]
    return ", ".join(f"{name} {loss:.3f}" for name, loss in terms.items())
