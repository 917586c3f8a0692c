import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from microexpr.core.atomic import remove_stale, write_atomic
from microexpr.core.cache import ArrayCache
from microexpr.core.errors import ResultsError

KEY = "ab" * 32


def test_an_array_comes_back_as_it_was(tmp_path):
    cache = ArrayCache(tmp_path)
    array = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    cache.put(KEY, array)
    back = cache.get(KEY)
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, array)


def test_an_array_without_axes_comes_back_without_axes(tmp_path):
    cache = ArrayCache(tmp_path)
    cache.put("ab12", np.array(2.5))
    assert cache.get("ab12").shape == ()


def test_an_unknown_key_gives_none(tmp_path):
    assert ArrayCache(tmp_path / "absent").get(KEY) is None


@pytest.mark.parametrize("keep", [0, 5, 100, 150])
def test_a_file_cut_short_counts_as_missing(tmp_path, keep):
    cache = ArrayCache(tmp_path)
    cache.put(KEY, np.arange(100))
    path = cache.path(KEY)
    path.write_bytes(path.read_bytes()[:keep])
    assert cache.get(KEY) is None


def test_a_pickled_object_in_the_cache_is_not_loaded(tmp_path):
    cache = ArrayCache(tmp_path)
    cache.path(KEY).parent.mkdir(parents=True)
    np.save(cache.path(KEY), np.array([{"code": 1}], dtype=object), allow_pickle=True)
    assert cache.get(KEY) is None


def test_writing_leaves_one_file_and_no_temporary_one(tmp_path):
    write_atomic(tmp_path / "deep" / "file", b"one")
    write_atomic(tmp_path / "deep" / "file", b"two")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["file"]
    assert (tmp_path / "deep" / "file").read_bytes() == b"two"


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResultsError, match=r"cannot write .*file.inside: "):
        write_atomic(tmp_path / "file" / "inside", b"")


def test_only_temporary_files_of_dead_processes_are_removed(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host = socket.gethostname()
    for name in (f"a.part-{host}-{gone.pid}-1", f"b.part-{host}-{os.getpid()}-1", "c.part-elsewhere-1-1", "d"):
        (tmp_path / name).touch()
    assert remove_stale(tmp_path) == 1
    assert sorted(path.name[0] for path in tmp_path.iterdir()) == ["b", "c", "d"]
