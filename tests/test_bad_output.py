"""Folders that cannot take results or features: one line that names the folder, exit code 1, and nothing lost."""

import errno
import json
import os
import resource
from pathlib import Path

import pytest
from toyset.commandline import cache, refused, snapshot, spawn, temporary_files
from toyset.study import write_study


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path / "CASME2")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "results"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"format": 99}', "holds results of format 99, this version reads format 1; choose another folder"),
        ("garbage", "holds results of format unknown"),
    ],
)
def test_results_of_another_version_are_left_as_they_are(console, study, out, content, words):
    assert console("compare", "majority", "--data", f"casme2={study}", "--out", out).code == 0
    (out / "microexpr-results.json").write_text(content)
    before = snapshot(out)
    refused(console("compare", "majority", "--data", f"casme2={study}", "--out", out), f"{out} {words}")
    assert snapshot(out) == before


def test_a_folder_of_runs_that_says_nothing_of_its_version_is_left_as_it_is(console, study, out):
    (out / "runs" / "mine").mkdir(parents=True)
    answer = console("compare", "majority", "--data", f"casme2={study}", "--out", out)
    refused(answer, f"{out} holds runs but no microexpr-results.json; choose another folder")
    assert snapshot(out) == {}


def test_an_output_folder_below_a_file_is_named(console, study, tmp_path):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "results"
    answer = console("compare", "majority", "--data", f"casme2={study}", "--out", out)
    refused(answer, f"{out / 'microexpr-results.json'}: Not a directory")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux's /proc, where nobody can make a folder")
def test_an_output_folder_that_nobody_can_make_is_named(console, study):
    answer = console("compare", "majority", "--data", f"casme2={study}", "--out", "/proc/microexpr")
    refused(answer, "cannot write /proc/microexpr/microexpr-results.json: ")


def failing_writes(monkeypatch, below, code, *, after=0):
    """From write number `after` on, each write below a folder leaves half a file and fails, as a full disk does."""
    write, done = Path.write_bytes, []

    def limited(self, content):
        if below not in self.parents:
            return write(self, content)
        done.append(self)
        if len(done) <= after:
            return write(self, content)
        write(self, content[: len(content) // 2])
        raise OSError(code, os.strerror(code), str(self))

    monkeypatch.setattr(Path, "write_bytes", limited)


@pytest.mark.parametrize(
    ("code", "words"), [(errno.EROFS, "Read-only file system"), (errno.ENOSPC, "No space left on device")]
)
def test_an_output_folder_that_cannot_be_written_is_named(console, study, out, monkeypatch, code, words):
    failing_writes(monkeypatch, out, code)
    answer = console("compare", "flow-svm", "--data", f"casme2={study}", "--out", out)
    refused(answer, f"cannot write {out / 'microexpr-results.json'}: {words}")
    assert snapshot(out) == {}


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("after", [2, 3, 5])
def test_a_disk_that_fills_up_loses_nothing_that_was_written(console, study, out, monkeypatch, after, jobs):
    """Writes are, in order: the marker, run.json of flow-svm, its folds 0, 1, 2, run.json again, its predictions."""
    arguments = ("compare", "flow-svm", "--data", f"casme2={study}", "--out", out, "--jobs", jobs)
    with monkeypatch.context() as patch:
        failing_writes(patch, out, errno.ENOSPC, after=after)
        answer = console(*arguments)
    assert answer.code == 1
    assert answer.errors[0].startswith(f"error: flow-svm: cannot write {out / 'runs'}/flow-svm-")
    assert all(line.endswith(": No space left on device") for line in answer.errors)
    assert "Traceback" not in answer.err
    assert not temporary_files(out, cache())
    before = {name: status for name, status in snapshot(out).items() if "/folds/" in name}
    assert len(before) == min(after - 2, 3)
    for name in before:
        json.loads((out / name).read_text())
    assert console(*arguments).code == 0
    after_all = snapshot(out)
    assert {name: after_all[name] for name in before} == before


def test_a_full_disk_at_the_report_leaves_table_and_results(console, study, out, monkeypatch):
    arguments = ("compare", "majority", "--data", f"casme2={study}", "--out", out)
    write = Path.write_bytes

    def full(self, content):
        if self.name.startswith("report.html"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
        return write(self, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        answer = console(*arguments)
    refused(answer, f"error: cannot write {out / 'report.html'}: No space left on device")
    assert "majority" in answer.rows
    assert list(out.glob("runs/majority-*/predictions.csv"))


def test_a_real_limit_on_the_size_of_files_is_one_line_too(study, out, tmp_path):
    """The system itself refuses to write past 6,000 bytes: folds fit, the report does not."""

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))

    answer = spawn("compare", "majority", "--data", f"casme2={study}", "--out", out, cwd=tmp_path, preexec_fn=limited)
    refused(answer, f"error: cannot write {out / 'report.html'}: File too large")
    assert "majority" in answer.rows
    assert len(list(out.glob("runs/majority-*/folds/*.json"))) == 3
    assert not temporary_files(out)


def test_a_cache_that_cannot_be_written_is_named_with_the_way_out(console, study, out, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MICROEXPR_CACHE", str(tmp_path / "file" / "cache"))
    answer = console("compare", "flow-svm", "--data", f"casme2={study}", "--out", out)
    refused(answer, f"cannot write {tmp_path / 'file' / 'cache'}/features/", "Not a directory", "MICROEXPR_CACHE names")
    assert "majority" in answer.rows


def test_a_user_without_a_home_is_told_to_name_a_cache(console, study, out, monkeypatch):
    monkeypatch.delenv("MICROEXPR_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    answer = console("compare", "flow-svm", "--data", f"casme2={study}", "--out", out)
    refused(answer, "no cache folder", "set MICROEXPR_CACHE to a writable folder")


def test_a_full_cache_keeps_the_features_that_it_has(console, study, out, monkeypatch):
    with monkeypatch.context() as patch:
        failing_writes(patch, cache(), errno.ENOSPC, after=4)
        answer = console("compare", "flow-svm", "--data", f"casme2={study}", "--out", out)
    refused(answer, "error: flow-svm: cannot write ", "No space left on device")
    before = snapshot(cache() / "features") | snapshot(cache() / "motion")
    assert len(before) == 4
    assert not temporary_files(cache())
    assert console("compare", "flow-svm", "--data", f"casme2={study}", "--out", out).code == 0
    after = snapshot(cache() / "features") | snapshot(cache() / "motion")
    assert {name: after[name] for name in before} == before


def test_a_file_of_features_that_cannot_be_written_is_named(console, study, tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "x.npz"
    answer = console("extract", "flowmap", "--data", f"casme2={study}", "--out", path)
    refused(answer, f"cannot write {path}: ")


@pytest.mark.parametrize("damage", ["cut", "gone", "other"])
def test_a_damaged_run_file_is_written_again(console, study, out, damage):
    arguments = ("compare", "flow-svm", "--data", f"casme2={study}", "--out", out)
    first = console(*arguments)
    for path in out.glob("runs/*/run.json"):
        if damage == "gone":
            path.unlink()
        else:
            path.write_text(path.read_text()[:100] if damage == "cut" else "[]")
    before = {name: status for name, status in snapshot(out / "runs").items() if "/folds/" in name}
    second = console(*arguments)
    assert (second.code, second.out) == (0, first.out)
    after = snapshot(out / "runs")
    assert {name: after[name] for name in before} == before
    assert all("provenance" in json.loads(path.read_text()) for path in out.glob("runs/*/run.json"))
