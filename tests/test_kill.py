"""Runs that are killed at any moment and started again give what an undisturbed run gives, and leave nothing behind."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from toyset.casme2 import Toy
from toyset.commandline import FAST, Console, snapshot, spawn, start, temporary_files
from toyset.study import write_study

N_KILLS = 20
# A shell shows both as 130. CPython ends itself by the signal if it was inside exec() of a string when that came, as
# many imports are, whatever handled the interrupt.
INTERRUPTED = (130, -signal.SIGINT)

# Python takes longer to import what a run needs than the run itself: done once, twenty kills fall into twenty runs and
# not into twenty imports. Each line asks for one command; the answers are its process and how it ended.
LAUNCHER = """
import os, sys
import cv2, jinja2, matplotlib.backends.backend_svg, matplotlib.figure, openpyxl, rich.progress
import microexpr.data.casme2, microexpr.features._lbptop_kernels
import microexpr.pipelines.comparison, microexpr.pipelines.methods, microexpr.pipelines.report
from microexpr.cli import main

for line in sys.stdin:
    cache, printed, *arguments = line.rstrip().split("\\t")
    child = os.fork()
    if child == 0:
        os.setsid()
        print(os.getpid(), flush=True)
        os.environ["MICROEXPR_CACHE"] = cache
        sys.argv = ["microexpr", *arguments]
        sys.stdout, sys.stderr = open(printed, "w"), open(printed + ".err", "w")
        main()
        sys.exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Launcher:
    """Starts commands and kills them."""

    def __init__(self, folder):
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
        )

    def kill(self, cache, arguments, moment):
        """Start a command, kill it with its workers after `moment(process)`; return its code and what it printed."""
        printed = self._folder / "printed"
        print(cache, printed, *arguments, sep="\t", file=self._process.stdin, flush=True)
        group = int(self._process.stdout.readline())
        moment(group)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
            # Whoever would tidy up the processes' shared memory is among the killed.
            for path in Path("/dev/shm").glob(f"*[_-]{group}[_-]*"):
                path.rmdir() if path.is_dir() else path.unlink()
        return int(self._process.stdout.readline()), printed.read_text()

    def close(self):
        self._process.stdin.close()
        assert self._process.wait(timeout=60) == 0
        self._process.stdout.close()


def command(study, out, jobs=1):
    settings = (*FAST, "--set", "flowmap__method=farneback")
    arguments = ("compare", "flow-svm", "lbptop-svm", *settings, "--data", f"casme2={study}", "--out", out)
    return [*map(str, arguments), "--jobs", str(jobs)]


def results(out, printed):
    """What a finished run shows: every predictions file, and all that it printed."""
    files = {path.parent.name: path.read_bytes() for path in sorted(out.glob("runs/*/predictions.csv"))}
    return files, printed.replace(str(out), "OUT")


def partial_runs(out):
    """The runs that have folds and no table of predictions yet."""
    return [run for run in out.glob("runs/*") if any(run.glob("folds/*")) and not (run / "predictions.csv").exists()]


def n_files(*folders):
    return sum(len(files) for folder in folders for _, _, files in os.walk(folder))


def wait_until(condition, process=None, *, seconds=60):
    """Wait for a condition, but not for ever, nor longer than the process runs."""
    end = time.monotonic() + seconds
    with contextlib.suppress(ProcessLookupError):
        while not condition() and time.monotonic() < end:
            if process is not None:
                os.kill(process, 0)
            time.sleep(0.002)


def living(group):
    """The processes of a group, without those that have ended and wait for whoever started them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                found.append(path.parent.name)
    return found


@pytest.fixture
def study(tmp_path):
    """A clip of each class for twelve subjects: folds and features enough for a kill to fall between two of them."""
    toys = [
        Toy(f"{subject:02d}", f"EP{subject:02d}_{number:02d}", 1, 4, 6, emotion, "4", range(1, 7))
        for subject in range(1, 13)
        for number, emotion in enumerate(("disgust", "happiness", "surprise"))
    ]
    return write_study(tmp_path / "CASME2", toys)


@pytest.fixture
def gone():
    """The mark of a temporary file whose process is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return f".part-{socket.gethostname()}-{process.pid}-1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_run_killed_twenty_times_gives_the_table_of_an_undisturbed_one(study, tmp_path):
    rng = random.Random(4)
    whole = tmp_path / "whole"
    undisturbed = spawn(*command(study, whole), env={**os.environ, "MICROEXPR_CACHE": f"{whole}-cache"}, cwd=tmp_path)
    assert undisturbed.code == 0
    expected = results(whole, undisturbed.out)
    assert len(expected[0]) == 3

    launcher = Launcher(tmp_path)
    calm = tmp_path / "calm"
    began = time.monotonic()
    cache, finished = f"{calm}-cache", (calm / "report.html").exists
    code, printed = launcher.kill(cache, command(study, calm), partial(wait_until, finished))
    duration = time.monotonic() - began
    if code == 0:
        assert results(calm, printed) == expected

    kills, finished, halfway, attempt = 0, 0, 0, 0
    while kills < N_KILLS:
        out = tmp_path / f"killed{finished}"
        before, n_partial = n_files(out, f"{out}-cache"), len(partial_runs(out))
        wanted = rng.randint(1, 60)
        moments = (
            lambda process: time.sleep(rng.uniform(0, duration)),
            # Counted in files, or in runs that are under way, a moment is in the middle of the work on any machine.
            partial(wait_until, lambda: n_files(out, f"{out}-cache") >= before + wanted),  # noqa: B023
            partial(wait_until, lambda: len(partial_runs(out)) > n_partial),  # noqa: B023
        )
        arguments = command(study, out, jobs=2 if attempt % 5 == 4 else 1)
        code, printed = launcher.kill(f"{out}-cache", arguments, moments[attempt % 3])
        attempt += 1
        if code == -signal.SIGKILL:
            kills += 1
            halfway += bool(partial_runs(out))
        else:
            # It got through: what it made must be right, and the other kills begin from nothing.
            assert code == 0
            assert results(out, printed) == expected
            assert not temporary_files(out, Path(f"{out}-cache"))
            finished += 1
    launcher.close()
    assert halfway > 0
    out = tmp_path / f"killed{finished}"
    answer = spawn(*command(study, out), env={**os.environ, "MICROEXPR_CACHE": f"{out}-cache"}, cwd=tmp_path)
    assert answer.code == 0
    assert results(out, answer.out) == expected
    assert not temporary_files(out, Path(f"{out}-cache"))


def test_what_killed_processes_left_is_removed_wherever_it_lies(study, tmp_path, monkeypatch, capsys, gone):
    console = Console(monkeypatch, capsys)
    out, cache = tmp_path / "out", tmp_path / "cache"
    monkeypatch.setenv("MICROEXPR_CACHE", str(cache))
    first = console(*command(study, out))
    [run] = out.glob("runs/flow-svm-*")
    (run / "failures").mkdir(exist_ok=True)
    (cache / "contents" / "ab").mkdir(parents=True)
    files = [out / "report.html", out / "microexpr-results.json", run / "run.json", run / "predictions.csv"]
    files += [*run.glob("folds/*.json"), run / "failures" / "0000-x.json"]
    files += [*list(cache.glob("features/*/*.npy"))[:3], cache / "contents" / "ab" / "x.txt"]
    for path in files:
        path.with_name(f"{path.name}{gone}").write_text("half a fi")
    assert len(temporary_files(out, cache)) == len(files)
    second = console(*command(study, out))
    assert (second.code, second.out) == (0, first.out)
    assert not temporary_files(out, cache)


def test_what_a_run_killed_at_its_first_files_left_is_removed(study, tmp_path, monkeypatch, capsys, gone):
    console = Console(monkeypatch, capsys)
    other, out = tmp_path / "other", tmp_path / "out"
    console(*command(study, other))
    out.mkdir()
    (out / f"microexpr-results.json{gone}").touch()
    assert console(*command(study, out)).code == 0
    assert not temporary_files(out)
    for run in other.glob("runs/*"):
        for path in (out / "runs" / run.name).glob("*.*"):
            path.unlink()
        (out / "runs" / run.name / f"run.json{gone}").touch()
    assert console(*command(study, out)).code == 0
    assert not temporary_files(out)


def interrupt(arguments, folder, pattern):
    """Start a command and interrupt it when files of a pattern appear, as a terminal does: it and its workers."""
    for _ in range(3):
        process = start(*arguments, cwd=folder)
        wait_until(lambda: any(folder.glob(pattern)))
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        printed, errors = process.communicate(timeout=60)
        # An interrupt that falls into a finaliser is lost in CPython: whoever gave it tries again.
        if process.returncode != 0:
            break
        for path in folder.glob(pattern):
            path.unlink()
    assert process.returncode in INTERRUPTED, errors
    assert printed == ""
    assert "Traceback" not in errors
    assert "Warning" not in errors
    wait_until(lambda: not living(process.pid), seconds=20)
    assert not living(process.pid)
    return errors.splitlines()[-1]


@pytest.mark.parametrize(
    ("pattern", "jobs"),
    [("cache/features/*/*.npy", 2), ("out/runs/*/folds/*.json", 1), ("out/runs/*/folds/*.json", 2)],
    ids=["features-2", "folds-1", "folds-2"],
)
def test_an_interrupted_run_says_so_in_one_line_and_goes_on(study, tmp_path, monkeypatch, capsys, pattern, jobs):
    out, cache = tmp_path / "out", tmp_path / "cache"
    monkeypatch.setenv("MICROEXPR_CACHE", str(cache))
    said = interrupt(command(study, out, jobs), tmp_path, pattern)
    assert said == "stopped; the same command goes on from here"
    assert not temporary_files(out, cache)
    before = snapshot(cache)
    assert Console(monkeypatch, capsys)(*command(study, out)).code == 0
    after = snapshot(cache)
    assert {name: after[name] for name in before} == before
    assert not temporary_files(out, cache)


def test_an_interrupted_overwrite_does_not_say_that_the_same_command_goes_on(study, tmp_path):
    said = interrupt([*command(study, tmp_path / "out"), "--mode", "overwrite"], tmp_path, "out/*.json")
    assert said == "stopped; the same command with --mode only-missing goes on from here"
