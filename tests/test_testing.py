"""check_loader: it passes what is sound and names what is not."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from microexpr.core.clipset import ClipSet
from microexpr.core.sources import ArraySource, FrameSource
from microexpr.testing import check_loader


class Painted(FrameSource):
    """Frames computed when read, so that a pickled clip is small."""

    def __init__(self, seed=0, shape=(4, 80, 60), dtype=np.uint8):
        self.seed, self.shape, self.dtype = seed, shape, dtype

    def read(self):
        return np.random.default_rng(self.seed).integers(0, 255, self.shape).astype(self.dtype)

    def fingerprint(self):
        return f"painted-{self.seed}"

    def count(self):
        return self.shape[0]

    def describe(self):
        return "painted"


class Noisy(Painted):
    """Frames that no two readings share."""

    def read(self):
        return np.random.default_rng().integers(0, 255, self.shape).astype(np.uint8)


def sound(**columns):
    table = pd.DataFrame(
        {"dataset": "toy", "subject": ["toy/a", "toy/b"], "emotion": "fear", "n_frames": 4, "onset": 0, "offset": 3},
        index=["toy/a/1", "toy/b/1"],
    ).assign(**columns)
    return ClipSet(table, [Painted(0), Painted(1)])


def complaint(load):
    with pytest.raises(AssertionError) as caught:
        check_loader(load)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def broken(column, value):
    clips = sound()
    clips.table[column] = clips.table[column].astype(object)
    clips.table.loc["toy/a/1", column] = value
    return clips


def test_sound_loader_passes():
    check_loader(sound)


def test_arguments_are_passed_on():
    check_loader(lambda root, *, label: sound(label=label), "folder", label="fear")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("dataset", "", "toy/a/1: data"),
        ("subject", 1, "toy/a/1: subject 1 is not text"),
        ("subject", "a", "subject 'a' is not qualified by its data set 'toy'"),
        ("subject", "toy/", "subject 'toy/' is not qualified"),
        ("subject", "toy/b", "'toy/a/1': the clip_id is not qualified by its subject 'toy/b'"),
        ("emotion", 4, "toy/a/1: emotion 4 is not text"),
        ("aus", 12, "toy/a/1: aus 12 is not text"),
        ("label", "joy", "toy/a/1: label 'joy' is none of ()"),
        ("n_frames", pd.NA, "toy/a/1: n_frames is missing"),
        ("offset", 4, "toy/a/1: offset 4 is out of order or outside its 4 frames"),
        ("onset", -1, "toy/a/1: onset -1 is out of order"),
        ("n_frames", 5, "toy/a/1: frames of shape (4, 80, 60) for n_frames 5"),
    ],
)
def test_faulty_row_is_named(column, value, words):
    clips = broken(column, value)
    assert words.replace("toy/a/1: data", "toy/a/1: dataset '' is not text") in complaint(lambda: clips)


def test_something_else_than_a_clipset_is_named():
    assert complaint(lambda: [1]) == "the loader returned a list, not a ClipSet"


def test_empty_set_is_named():
    assert complaint(lambda: sound().where([False, False])) == "the loader returned no clip"


def test_frames_that_are_not_uint8_are_named():
    clips = sound()
    clips.sources["toy/b/1"] = Painted(dtype=np.float64)
    assert "toy/b/1: frames of dtype float64, not uint8" in complaint(lambda: clips)


def test_pixels_in_the_pickle_are_named():
    clips = sound()
    clips.sources["toy/a/1"] = ArraySource(np.zeros((4, 200, 200), np.uint8))
    assert "toy/a/1: pickled it takes" in complaint(lambda: clips)


def test_frames_that_change_between_readings_are_named():
    clips = sound()
    clips.sources["toy/a/1"] = Noisy()
    assert "its frames differ" in complaint(lambda: clips)


def test_loader_that_changes_its_order_is_named():
    states = iter((False, True))
    assert "another table" in complaint(lambda: sound() if not next(states) else sound(emotion="joy"))


def test_loader_that_changes_its_frames_is_named():
    states = iter((0, 1))

    def load():
        clips = sound()
        clips.sources["toy/a/1"] = Painted(seed=7 + next(states))
        return clips

    assert "another digest" in complaint(load)


def test_report_without_reasons_is_named():
    clips = sound()
    clips.findings = pd.DataFrame({"clip_id": ["toy/c/1"]})
    assert "the table of findings lacks" in complaint(lambda: clips)


def test_clip_both_dropped_and_kept_is_named():
    clips = sound()
    clips.dropped = pd.DataFrame({"clip_id": ["toy/a/1"], "reason": ["no class"]})
    assert "toy/a/1: dropped, and yet in the set" in complaint(lambda: clips)


def test_look_alike_of_a_clipset_is_refused():
    assert "not a ClipSet" in complaint(lambda: SimpleNamespace(table=sound().table))
