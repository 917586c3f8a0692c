"""The motion network made from nothing: the same bytes each time, going on after a kill, the shipped file's recipe."""

import numpy as np
import pytest

from microexpr.classifiers.zeroshot import ZeroShotClassifier
from microexpr.core.errors import ParameterError, ResultsError
from microexpr.core.motionweights import read_motion_weights
from microexpr.data.syntheticmotion import make_motion_maps
from microexpr.pipelines import pretraining
from microexpr.pipelines.pretraining import pretrain, recipe


@pytest.fixture(autouse=True)
def few_to_calibrate_on(monkeypatch):
    monkeypatch.setattr(pretraining, "_CALIBRATION", 256)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(pretraining, "_BATCH", 16)


def test_two_runs_give_the_same_bytes_and_another_seed_gives_others(quick, tmp_path):
    files = [tmp_path / f"{name}.safetensors" for name in "abc"]
    for path, seed in zip(files, (0, 0, 1), strict=True):
        pretrain(path, n_networks=1, steps=3, seed=seed)
    first, second, other = (path.read_bytes() for path in files)
    assert first == second != other
    assert sorted(tmp_path.iterdir()) == files


def test_a_killed_run_goes_on_with_the_next_network(quick, tmp_path, monkeypatch):
    whole, killed = tmp_path / "whole.safetensors", tmp_path / "killed.safetensors"
    pretrain(whole, n_networks=2, steps=2)
    trained = pretraining._trained
    done = []

    def interrupted(number, *args):
        if number == 1 and "killed" not in done:
            done.append("killed")
            raise KeyboardInterrupt
        done.append(number)
        return trained(number, *args)

    monkeypatch.setattr(pretraining, "_trained", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pretrain(killed, n_networks=2, steps=2)
    assert not killed.exists()
    pretrain(killed, n_networks=2, steps=2)
    assert done == [0, "killed", 1]
    assert killed.read_bytes() == whole.read_bytes()


def test_a_folder_that_cannot_be_written_is_refused_before_training(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(pretraining, "_trained", None)
    with pytest.raises(ResultsError, match=r"cannot write .*net\.safetensors\.begun"):
        pretrain(tmp_path / "file" / "net.safetensors")


def test_a_part_of_another_recipe_is_not_taken(quick, tmp_path):
    out = tmp_path / "a.safetensors"
    pretrain(tmp_path / "other.safetensors", n_networks=1, steps=3)
    (tmp_path / "other.safetensors").rename(tmp_path / "a.safetensors.part0")
    weights = pretrain(out, n_networks=1, steps=2)
    assert weights.made["steps"] == 2


def test_the_shipped_file_says_the_recipe_that_the_command_has():
    assert read_motion_weights().made == recipe()


def test_a_shortened_run_of_the_recipe_answers_as_the_shipped_network(tmp_path):
    """A sixteenth of the steps: already most maps are named alike, and the same actions stand out."""
    short = tmp_path / "short.safetensors"
    pretrain(short, n_networks=1, steps=30)
    drawn = make_motion_maps(300, seed=21)
    rows = drawn.maps.reshape(300, -1)
    ours, shipped = ZeroShotClassifier(str(short)), ZeroShotClassifier()
    assert (ours.predict(rows) == shipped.predict(rows)).mean() > 0.6
    alike = np.corrcoef(ours.action_strengths(rows).ravel(), shipped.action_strengths(rows).ravel())[0, 1]
    assert alike > 0.4


@pytest.mark.parametrize(
    ("out", "options", "message"),
    [
        ("net.pt", {}, "it must end in .safetensors"),
        ("net.safetensors", {"steps": 0}, "steps is 0: it must be at least 1"),
        ("net.safetensors", {"n_networks": 0}, "n_networks is 0: it must be at least 1"),
        ("net.safetensors", {"seed": -1}, "seed is -1: it must be at least 0"),
    ],
)
def test_arguments_are_checked(tmp_path, out, options, message):
    with pytest.raises(ParameterError, match=message):
        pretrain(tmp_path / out, **options)
