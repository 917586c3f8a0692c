"""The store of runs: a folder a run, a file a fold; what is there is never computed again."""

__all__ = ["Run", "Store"]

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from microexpr.core.atomic import remove_stale, write_atomic
from microexpr.core.errors import ResultsError

# Raised when files of an older store can no longer be read.
_FORMAT = 1
_MARKER = "microexpr-results.json"


class Store:
    """A results folder.

    Parameters
    ----------
    folder : path
        Created when absent.

    Raises
    ------
    ResultsError
        If the folder belongs to another version's results, or cannot be written.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        marker = self.folder / _MARKER
        remove_stale(self.folder)
        try:
            text = marker.read_text()
        except FileNotFoundError:
            if (self.folder / "runs").exists():
                raise ResultsError(f"{self.folder} holds runs but no {_MARKER}; choose another folder") from None
            write_atomic(marker, _json({"format": _FORMAT}))
            return
        except OSError as error:
            raise ResultsError(f"cannot read {marker}: {error.strerror}") from None
        try:
            found = json.loads(text)["format"]
        except (ValueError, KeyError, TypeError):
            found = "unknown"
        if found != _FORMAT:
            raise ResultsError(
                f"{self.folder} holds results of format {found}, this version reads format {_FORMAT}; "
                "choose another folder, or read it with the version that wrote it"
            )

    def find(self, key: str, method: str) -> "Run":
        """Return the run of `key` without touching its folder, which may not exist."""
        return Run(self.folder / "runs" / f"{_file_name(method)}-{key[:16]}", key)


class Run:
    """One run: `run.json`, `folds/*.json`, `failures/*.json`, and once it is complete its table.

    That is `predictions.csv` where clips are named, `intervals.csv` where expressions are spotted in videos.

    `checkpoints/` holds what unfinished folds of networks keep.

    Parameters
    ----------
    folder : path
    key : str
        The run key, 64 hexadecimal digits.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder
        self.key = key

    @property
    def predictions_path(self) -> Path:
        """Where the table of predictions lies once the run is complete."""
        return self.folder / "predictions.csv"

    @property
    def intervals_path(self) -> Path:
        """Where the table of intervals found in videos lies once the run is complete."""
        return self.folder / "intervals.csv"

    @property
    def is_described(self) -> bool:
        """Whether `run.json` says what the run ran on, as it does once the run is complete."""
        return "provenance" in (_read(self.folder / "run.json") or {})

    def open(self, settings: Mapping[str, object]) -> None:
        """Create the folder with `run.json` where it is new; remove what killed processes left.

        Raises
        ------
        ResultsError
            If the folder holds a run of another key.
        """
        path = self.folder / "run.json"
        if path.exists():
            found = _read(path)
            if found is not None and found.get("run_key") != self.key:
                raise ResultsError(f"{self.folder} holds the run {found.get('run_key')}, not {self.key}")
        for folder in (self.folder, self.folder / "folds", self.folder / "failures", self.checkpoints):
            remove_stale(folder)
        self.describe(settings)

    def describe(self, facts: Mapping[str, object], *, replace: bool = False) -> None:
        """Add `facts` to `run.json`, keeping (or replacing) those that are there already."""
        path = self.folder / "run.json"
        known = _read(path) or {}
        merged = {"run_key": self.key, **known, **facts} if replace else {"run_key": self.key, **facts, **known}
        if merged != known:
            write_atomic(path, _json(merged))

    def read_settings(self) -> dict[str, Any]:
        """Return what `run.json` says.

        Raises
        ------
        ResultsError
            If it is missing or damaged.
        """
        found = _read(self.folder / "run.json")
        if found is None:
            raise ResultsError(f"{self.folder / 'run.json'} is missing or damaged")
        return found

    def fold(self, number: int, name: str, tested: Sequence[str], *, named: str = "clip_ids") -> dict[str, Any] | None:
        """Return the record of a fold, or None if it is missing, damaged or of other clips (or videos: `named`)."""
        record = _read(self._path("folds", number, name))
        if record is None or record.get("run_key") != self.key or record.get(named) != list(tested):
            return None
        return record

    @property
    def checkpoints(self) -> Path:
        """Where folds that take long keep how far they are; empty once the run is complete."""
        return self.folder / "checkpoints"

    def records(self) -> list[dict[str, Any]]:
        """Return the records of all folds that are kept, in the folds' order."""
        kept = [_read(path) for path in sorted((self.folder / "folds").glob("*.json"))]
        return [record for record in kept if record is not None and record.get("run_key") == self.key]

    def write_fold(self, number: int, name: str, record: Mapping[str, object]) -> None:
        """Keep the record of a fold and forget its earlier failure."""
        write_atomic(self._path("folds", number, name), _json({"run_key": self.key, "fold": name, **record}))
        self._path("failures", number, name).unlink(missing_ok=True)

    def write_failure(self, number: int, name: str, record: Mapping[str, object]) -> Path:
        """Keep why a fold failed; return the file."""
        path = self._path("failures", number, name)
        write_atomic(path, _json({"run_key": self.key, "fold": name, **record}))
        return path

    def clear(self) -> None:
        """Forget all folds and the table, so that the run is computed anew."""
        for path in (self.predictions_path, self.intervals_path):
            path.unlink(missing_ok=True)
        for kind in ("folds", "failures"):
            for path in (self.folder / kind).glob("*.json"):
                path.unlink(missing_ok=True)
        self.clear_checkpoints()

    def clear_checkpoints(self) -> None:
        """Remove what unfinished folds have kept."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def _path(self, kind: str, number: int, name: str) -> Path:
        return self.folder / kind / f"{number:04d}-{_file_name(name)}.json"


def _file_name(name: str) -> str:
    """Return `name` without what a file system may refuse."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name)


def _json(value: Mapping[str, object]) -> bytes:
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode()


def _read(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file, or None if it is missing or damaged."""
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror}") from None
    return found if isinstance(found, dict) else None
