"""The synthetic twins of the recognition sets: written, loaded by the spec told, compared leave-one-subject-out."""

import os

import pytest

from microexpr.data.catalog import load_data
from microexpr.data.layouts import LAYOUTS, synthesize, write_layout
from microexpr.data.synthetic import make_clips
from microexpr.pipelines import run
from microexpr.testing import check_loader

NAMES = ("samm", "samm-typos", "smic", "smic-vis", "smic-nir", "smic-e", "ckplus", "mmew")


def twin(folder, layout, n_subjects=2, clips_per_subject=8):
    """Write the twin small; return the spec that reads it."""
    arguments = {**LAYOUTS[layout].clips, "size": (48, 40), "duration": (0.1, 0.12)}
    write_layout(make_clips(n_subjects, clips_per_subject, **arguments), layout, folder)
    return f"{LAYOUTS[layout].loader}={folder}"


@pytest.mark.parametrize("layout", NAMES)
def test_twin_passes_the_checks_of_every_loader_and_runs_under_loso(tmp_path, layout):
    spec = twin(tmp_path / "data", layout)
    check_loader(load_data, spec)
    clips = load_data(spec)
    predictions = run("majority", clips, protocol="loso")
    assert sorted(predictions["clip_id"]) == sorted(clips.table.index)
    assert predictions["subject"].nunique() == 2


@pytest.mark.parametrize("layout", NAMES)
def test_line_of_synthesize_tells_the_spec(tmp_path, layout, monkeypatch):
    monkeypatch.setattr("microexpr.data.layouts.make_clips", lambda *_, **__: make_clips(1, 1, **small(layout)))
    line = synthesize(layout, tmp_path / "new", n_subjects=1, clips_per_subject=1)
    assert line.endswith(f"read them with --data {LAYOUTS[layout].loader}={tmp_path / 'new'}")


def small(layout):
    return {**LAYOUTS[layout].clips, "size": (48, 40), "duration": (0.1, 0.12)}


def test_twins_of_several_sets_are_compared_as_one(tmp_path):
    together = load_data([twin(tmp_path / name, name) for name in ("samm", "smic", "smic-vis")])
    assert set(together.table["dataset"]) == {"samm", "smic"}
    assert together.table["subject"].nunique() == 4
    assert run("majority", together, protocol="loso")["fold"].nunique() == 4


@pytest.mark.parametrize("layout", NAMES)
def test_loading_opens_no_image_and_lists_each_folder_a_few_times_at_most(tmp_path, layout, monkeypatch):
    spec = twin(tmp_path / "data", layout)
    for path in (tmp_path / "data").rglob("*"):
        if path.suffix in (".jpg", ".png", ".bmp"):
            path.write_bytes(b"no image")
    listed: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(str(path)) or scandir(path))
    assert len(load_data(spec)) > 0
    assert max(map(listed.count, listed)) <= 4
