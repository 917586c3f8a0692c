"""Files of the motion network's weights: read back, the same bytes, and what is refused."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from microexpr.core.errors import DataError
from microexpr.core.motionweights import MotionWeights, member_shapes, read_motion_weights, write_motion_weights


def weights(n_networks=2):
    rng = np.random.default_rng(0)
    shapes = member_shapes(3, 5)
    tensors = {name: rng.standard_normal((n_networks, *shape)).astype(np.float32) for name, shape in shapes.items()}
    return MotionWeights(tensors, ("a", "b", "c"), ("L1", "R1", "L2", "R2", "25"), 0.75, {"seed": 3})


def test_the_file_that_comes_with_the_package():
    shipped = read_motion_weights()
    assert shipped.classes == ("negative", "positive", "surprise")
    assert shipped.n_networks == 5
    assert shipped.made["real_clips"] == 0


def test_what_is_written_is_read_and_gives_the_same_bytes(tmp_path):
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    write_motion_weights(weights(), first)
    read = read_motion_weights(first)
    write_motion_weights(read, second)
    assert first.read_bytes() == second.read_bytes()
    assert (read.classes, read.actions, read.temperature, read.made) == (
        ("a", "b", "c"),
        ("L1", "R1", "L2", "R2", "25"),
        0.75,
        {"seed": 3},
    )
    assert read.digest() == weights().digest()
    assert read.digest() != weights(1).digest()


def test_one_network_has_as_many_weights_as_its_layers_by_hand():
    convolutions = (75 * 16 + 16) + (144 * 32 + 32) + (288 * 32 + 32)
    norms = 4 * (16 + 32 + 32)
    layers = (49 * 32 * 48 + 48) + (48 * 3 + 3) + (48 * 27 + 27)
    assert sum(np.prod(shape) for shape in member_shapes(3, 27).values()) == convolutions + norms + layers


def header(**changes):
    facts = {"format": 1, "classes": ["a", "b", "c"], "actions": ["25"] * 5, "temperature": 1.0, "made": {}} | changes
    return {"microexpr": json.dumps(facts)}


@pytest.mark.parametrize(
    ("change", "metadata", "message"),
    [
        ({}, None, "holds no weights of the motion network"),
        ({}, header(format=2), "has format 2: this version reads format 1"),
        ({}, header(temperature=0.0), "both must be > 0"),
        ({}, header(classes=["a"]), "classes.weight is float32 of shape"),
        ({}, header(actions=["25"] * 4 + ["smile"]), "it has an action 'smile': each must be named like L12"),
        ({"fc.bias": np.zeros((2, 47), np.float32)}, header(), r"fc.bias is float32 of shape \(2, 47\)"),
        ({"fc.bias": np.zeros((2, 48))}, header(), "fc.bias is float64"),
        ({"fc.bias": np.full((2, 48), np.nan, np.float32)}, header(), "fc.bias holds NaN or infinity"),
        ({"more": np.zeros(2, np.float32)}, header(), "the file's differ in 'more'"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, change, metadata, message):
    path = tmp_path / "odd.safetensors"
    save_file({**weights().tensors, **change}, path, metadata=metadata)
    with pytest.raises(DataError, match=message):
        read_motion_weights(path)


def test_a_missing_file_and_one_of_something_else(tmp_path):
    with pytest.raises(DataError, match="is not there"):
        read_motion_weights(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(DataError, match="holds no weights"):
        read_motion_weights(tmp_path / "text.safetensors")
