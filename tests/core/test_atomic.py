"""Files appear whole or not at all, whatever stops the writer."""

import errno
import os
import time
from pathlib import Path

import pytest

from microexpr.core.atomic import remove_stale, write_atomic
from microexpr.core.errors import ResultsError

DAY = 24 * 60 * 60


@pytest.mark.parametrize(
    ("stop", "raised"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (SystemExit(3), SystemExit),
        (OSError(errno.ENOSPC, "No space left on device"), ResultsError),
    ],
)
def test_a_stopped_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, stop, raised):
    path = tmp_path / "file"
    write_atomic(path, b"old")
    write = Path.write_bytes

    def half(self, content):
        write(self, content[: len(content) // 2])
        raise stop

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(raised):
        write_atomic(path, b"new and longer")
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"old"


def test_an_error_names_the_file_and_not_its_temporary_name(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(ResultsError) as caught:
        write_atomic(tmp_path / "folder", b"")
    assert str(caught.value) == f"cannot write {tmp_path / 'folder'}: Is a directory"


def test_a_temporary_file_of_another_machine_goes_after_a_day(tmp_path):
    old, new = tmp_path / "a.part-elsewhere-1-1", tmp_path / "b.part-elsewhere-1-1"
    for path, age in ((old, 2 * DAY), (new, 60)):
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
    assert remove_stale(tmp_path) == 1
    assert list(tmp_path.iterdir()) == [new]


def test_a_file_that_only_looks_like_a_temporary_one_stays(tmp_path):
    for name in ("notes.part-of-the-thesis", "a.part-1", "b.part-elsewhere-x-1", ".part-"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1, 1))
    assert remove_stale(tmp_path) == 0


def test_only_the_temporary_files_of_one_name_are_removed_if_asked(tmp_path):
    for name in ("x.npz", "y.npz"):
        path = tmp_path / f"{name}.part-elsewhere-1-1"
        path.touch()
        os.utime(path, (1, 1))
    assert remove_stale(tmp_path, name="x.npz") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["y.npz.part-elsewhere-1-1"]


def test_a_folder_that_does_not_exist_has_nothing_stale(tmp_path):
    assert remove_stale(tmp_path / "absent") == 0
