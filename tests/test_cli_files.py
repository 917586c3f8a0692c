"""The commands beside `compare`: what they print and write."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toyset.casme2 import TABLE_2014, Toy, write_table
from toyset.commandline import FAST, cache, start, temporary_files
from toyset.study import STUDY, write_maps, write_study

import microexpr
from microexpr.data.catalog import load_data
from microexpr.features.flowmap import FlowMap
from microexpr.features.lbptop import LBPTOP


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path / "CASME2")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "results"


# score


def test_score_gives_the_same_figures_as_compare(console, study, out):
    compared = console("compare", "flow-svm", "lbptop-svm", *FAST, "--data", f"casme2={study}", "--out", out)
    for path in out.glob("runs/*/predictions.csv"):
        name = path.parent.name.rpartition("-")[0]
        answer = console("score", path)
        assert answer.code == 0
        uf1, uar, accuracy = compared.rows[name]
        pooled = answer.rows["all"]
        assert pooled[:2] == ["9", "3"]
        assert uf1.split()[0] == pooled[2]
        assert uar.split()[0] == pooled[3]
        assert accuracy == pooled[4]
        for metric, cell in (("UF1", uf1), ("UAR", uar)):
            low, high = re.findall(r"\[(.*), (.*)\]", cell)[0]
            assert f"{metric} 95% CI over subjects: {low} to {high}" in answer.out


def test_score_of_a_log_written_from_predictions_gives_the_same_figures(console, study, out, tmp_path):
    console("compare", "flow-svm", "--data", f"casme2={study}", "--out", out)
    [path] = out.glob("runs/flow-svm-*/predictions.csv")
    log = tmp_path / "flow.log"
    from_csv = console("score", path, "--to-log", log)
    assert log.read_text().startswith("casme2 sub01\nEP01_00 0 ")
    from_log = console("score", log)
    assert from_log.code == 0
    for name in ("all", "majority class"):
        assert from_log.rows[name] == from_csv.rows[name]
    assert from_log.rows["negative"] == from_csv.rows["negative"][:5]  # a log has no scores, so no AUC


LOG = "casme2 sub01\na 0 0\nb 0 1\nc 1 1\ncasme2 sub02\nd 2 2\ne 0 0\n"


def test_score_of_a_log_by_hand(console, tmp_path):
    """Truth 0 0 1 2 0, prediction 0 1 1 2 0: recall 2/3, 1, 1; F1 4/5, 2/3, 1; majority F1 6/8 of class 0."""
    (tmp_path / "toy.log").write_text(LOG)
    answer = console("score", tmp_path / "toy.log")
    assert answer.rows["all"][:5] == ["5", "2", ".822", ".889", ".800"]
    assert answer.rows["majority class"][:5] == ["5", "2", ".250", ".333", ".600"]
    assert answer.rows["negative"] == [".800", "1.000", ".667", ".800", "3"]


def test_score_of_several_files_gives_a_table_for_each(console, tmp_path):
    paths = [tmp_path / "one.log", tmp_path / "two [old].log"]
    for path in paths:
        path.write_text(LOG)
    answer = console("score", *paths)
    assert answer.code == 0
    assert [line for line in answer.out.splitlines() if line.startswith(str(tmp_path))] == [str(path) for path in paths]
    assert answer.out.count("majority class") == 2


def test_score_takes_the_class_order_that_it_is_given(console, tmp_path):
    (tmp_path / "toy.log").write_text(LOG)
    answer = console("score", tmp_path / "toy.log", "--classes", "[b]anger[/b],fear,:smile:")
    assert answer.rows["[b]anger[/b]"] == [".800", "1.000", ".667", ".800", "3"]
    assert ":smile:" in answer.rows


@pytest.mark.parametrize(("protocol", "is_shared"), [("kfold:3", True), ("holdout:0.6", True), ("loso", False)])
def test_score_flags_figures_from_a_split_that_shares_subjects(console, study, out, protocol, is_shared):
    console("compare", "flow-svm", "--data", f"casme2={study}", "--protocol", protocol, "--out", out)
    answer = console("score", *out.glob("runs/flow-svm-*/predictions.csv"))
    assert ("* subjects shared" in answer.out) == is_shared
    assert ("│ all * " in answer.out) == is_shared


# extract


def test_extract_writes_what_the_transformer_gives(console, study, tmp_path):
    path = tmp_path / "features.npz"
    answer = console("extract", "lbptop", "--data", f"casme2={study}", "--set", "radii=(1,1,1)", "--out", path)
    assert answer.code == 0
    assert answer.out == f"{path}: features of shape (9, 177)\n"
    clips = load_data(f"casme2={study}")
    stored = np.load(path)
    np.testing.assert_array_equal(stored["features"], LBPTOP(radii=(1, 1, 1)).transform(clips.clips))
    assert stored["clip_ids"].tolist() == [f"casme2/{toy.folder}" for toy in STUDY]
    assert stored["subjects"].tolist() == [f"casme2/sub{toy.subject}" for toy in STUDY]
    assert stored["labels"].tolist() == ["negative", "positive", "surprise"] * 3


def test_extract_on_two_jobs_writes_the_same(console, study, tmp_path, monkeypatch):
    stored = []
    for jobs in (1, 2):
        monkeypatch.setenv("MICROEXPR_CACHE", str(tmp_path / f"cache{jobs}"))
        path = tmp_path / f"{jobs}.npz"
        assert console("extract", "flowmap", "--data", f"casme2={study}", "--out", path, "--jobs", jobs).code == 0
        stored.append(np.load(path)["features"])
    np.testing.assert_array_equal(stored[0], stored[1])
    np.testing.assert_array_equal(stored[0], FlowMap().transform(load_data(f"casme2={study}").clips))


def test_extract_takes_stored_maps_as_they_are(console, tmp_path):
    maps = write_maps(tmp_path / "maps")
    console("extract", "flowmap", "--data", f"flowmaps={maps}", "--out", tmp_path / "maps.npz")
    first = np.asarray(Image.open(maps / "maps" / "s01_s01_ne_01 .png"))
    np.testing.assert_array_equal(np.load(tmp_path / "maps.npz")["features"][0].reshape(28, 28, 3), first)


def test_extract_removes_what_a_killed_extract_left(console, tmp_path):
    maps = write_maps(tmp_path / "maps")
    left, other = tmp_path / "x.npz.part-elsewhere-1-1", tmp_path / "y.npz.part-elsewhere-1-1"
    for path in (left, other):
        path.touch()
        os.utime(path, (1, 1))
    console("extract", "flowmap", "--data", f"flowmaps={maps}", "--out", tmp_path / "x.npz")
    assert temporary_files(tmp_path) == [other]


# The others.


def test_methods_lists_every_method_with_what_it_needs(console):
    answer = console("methods")
    assert set(answer.rows) >= {"flow-svm", "lbptop-svm", "majority"}
    assert answer.rows["lbptop-svm"][1] == "frames, not a stored flow map"
    assert answer.rows["majority"][1] == "nothing"


def test_methods_describes_one_with_the_parameters_that_can_be_set(console):
    answer = console("methods", "lbptop-svm")
    assert "See et al." in answer.out
    assert answer.rows["lbptop__blocks"] == ["(5, 5, 1)"]
    assert answer.rows["tim__n_frames"] == ["10"]
    assert "svc__random_state" not in answer.rows


def test_datasets_says_where_to_apply_for_each(console):
    answer = console("datasets")
    assert set(answer.rows) >= {"synthetic", "casme2=DIR", "flowmaps=DIR"}
    assert "http://casme.psych.ac.cn/casme/e2" in answer.out


def test_doctor_finds_versions_and_folders(console):
    answer = console("doctor")
    assert answer.code == 0
    assert answer.rows["microexpr"] == [microexpr.__version__, "ok"]
    assert answer.rows["numpy"] == [np.__version__, "ok"]
    assert str(cache()) in answer.out.replace("\n", "")
    assert {"cores", "threads", "GPU", "temporary folder"} <= set(answer.rows)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"torch": "2.9.1"}, "torch 2.9.1 is installed: networks use a GPU where PyTorch finds one"),
        ({}, "networks need the extra deep, which is not installed: pip install 'microexpr[deep]'"),
    ],
)
def test_doctor_says_whether_networks_can_use_a_gpu(console, monkeypatch, found, said):
    monkeypatch.setattr("microexpr.pipelines.doctor.versions", lambda: found)
    answer = console("doctor")
    assert answer.code == 0
    assert answer.rows["GPU"][0].endswith(said)


def test_doctor_does_not_import_torch(tmp_path):
    code = "import sys; from microexpr.pipelines.doctor import examine; examine(); print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert answer.stdout == "False\n"


def test_doctor_fails_where_the_cache_cannot_be_written(console, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MICROEXPR_CACHE", str(tmp_path / "file" / "cache"))
    answer = console("doctor")
    assert answer.code == 1
    [error] = answer.errors
    assert error.startswith(f"error: cache: {tmp_path / 'file' / 'cache'}: cannot be written")
    assert answer.rows["cache"][1] == "PROBLEM"


def test_version_is_the_packages(console):
    assert console("version").out == f"{microexpr.__version__}\n"


@pytest.mark.parametrize(
    "command",
    ["", "compare", "audit", "score", "synth", "extract", "check", "methods", "datasets", "doctor", "version"],
)
def test_every_command_explains_itself(console, command):
    answer = console(*([command] if command else []), "--help")
    assert answer.code == 0
    assert "Usage: microexpr" in answer.out
    assert answer.out == console(*([command] if command else []), "-h").out


def test_the_module_and_the_script_are_the_same_command(tmp_path):
    script = Path(sys.executable).with_name("microexpr")
    answers = [
        subprocess.run([*command, "version"], capture_output=True, text=True, check=True, cwd=tmp_path).stdout
        for command in ([sys.executable, "-m", "microexpr"], *([[str(script)]] if script.exists() else []))
    ]
    assert set(answers) == {f"{microexpr.__version__}\n"}


def test_a_reader_that_goes_away_is_no_traceback(tmp_path):
    with start("datasets", cwd=tmp_path) as process:
        process.stdout.close()
        err = process.stderr.read()
    assert "Traceback" not in err
    assert "Error" not in err


# check


def test_check_counts_the_clips_of_a_folder_in_order(console, study):
    answer = console("check", f"casme2={study}")
    assert answer.code == 0
    assert "found 9 clips of 3 subjects" in answer.out
    assert "labels megc2019: keeps 9 of 3 subjects (negative 3, positive 3, surprise 3)" in answer.out
    assert answer.out.splitlines()[-1] == f"casme2={study}: in order"


def test_check_says_what_is_amiss_and_fails(console, study):
    write_table(study / TABLE_2014, [*STUDY, Toy("02", "EP02_09", 1, 2, 3, "disgust", "4", ())])
    path = study / "Cropped" / STUDY[0].folder / "reg_img4.png"
    path.write_bytes(path.read_bytes()[:-150])
    answer = console("check", f"casme2={study}", "--read-frames")
    assert answer.code == 1
    assert "casme2/sub02/EP02_09: an annotation without frames" in answer.out
    assert f"{path}: unreadable image" in answer.out
    assert "Traceback" not in answer.out + answer.err


# synth


def test_what_synth_writes_can_be_compared_at_once(console, tmp_path, out):
    written = console("synth", "--out", tmp_path / "new", "--subjects", 3, "--clips", 3)
    assert written.code == 0
    spec = re.findall(r"--data (\S+)", written.out)[0]
    answer = console("compare", "majority", "--data", spec, "--out", out)
    assert answer.code == 0
    assert answer.out.startswith("9 clips, 3 subjects")
