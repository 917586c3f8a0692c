"""The command line as users meet it: in this process, or in one of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from microexpr.cli import main

#: Nine clips of three synthetic subjects, three of each class.
TINY = "synthetic:n_subjects=3,clips_per_subject=3"
#: LBP-TOP on few blocks.
FAST = ("--set", "lbptop__blocks=(2,2,1)")


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines on standard error that say what went wrong."""
        return [line for line in self.err.splitlines() if line.startswith("error: ")]

    @property
    def rows(self) -> dict[str, list[str]]:
        """The cells of the printed tables by their first cell; of rows of one name the first."""
        found: dict[str, list[str]] = {}
        for line in self.out.splitlines():
            if line.startswith("│"):
                name, *cells = (cell.strip() for cell in line.strip("│").split("│"))
                found.setdefault(name.removesuffix(" *"), cells)
        return found


class Console:
    """Runs commands through `main`, as the installed script does."""

    def __init__(self, monkeypatch, capsys) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Answer:
        self._monkeypatch.setattr(sys, "argv", ["microexpr", *map(str, arguments)])
        self._capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        printed = self._capsys.readouterr()
        return Answer(code, printed.out, printed.err)


def start(*arguments: object, **options) -> subprocess.Popen:
    """Start a command as a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "microexpr", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def spawn(*arguments: object, **options) -> Answer:
    """Run a command in a process of its own."""
    with start(*arguments, **options) as process:
        out, err = process.communicate(timeout=120)
    return Answer(process.returncode, out, err)


def refused(answer: Answer, *words: object, code: int = 1) -> str:
    """Check that the answer is one line of error that holds the words, after which comes nothing; return it."""
    assert answer.code == code
    [error] = answer.errors
    assert answer.err.splitlines()[-1] == error
    assert "Traceback" not in answer.err + answer.out
    for word in words:
        assert str(word) in error
    return error


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            status = path.stat()
            found[str(path.relative_to(folder))] = (status.st_size, status.st_mtime_ns)
    return found


def temporary_files(*folders: Path) -> list[Path]:
    """Return what half-written files, under their temporary names, lie below the folders."""
    return [path for folder in folders for path in folder.rglob("*.part-*")]


def cache() -> Path:
    """The cache folder of the running test."""
    return Path(os.environ["MICROEXPR_CACHE"])
