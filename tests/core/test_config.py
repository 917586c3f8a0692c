"""Where the cache lies, by what the environment says."""

from pathlib import Path

import pytest

from microexpr.core.config import cache_folder
from microexpr.core.errors import ResultsError


def test_the_variable_of_its_own_comes_first(monkeypatch):
    monkeypatch.setenv("MICROEXPR_CACHE", "/a/b")
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert cache_folder() == Path("/a/b")


def test_then_the_systems_cache_and_then_the_home(monkeypatch):
    monkeypatch.delenv("MICROEXPR_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert cache_folder() == Path("/c/microexpr")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/anna")
    assert cache_folder() == Path("/home/anna/.cache/microexpr")


def test_without_a_home_the_variable_is_asked_for(monkeypatch):
    monkeypatch.delenv("MICROEXPR_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(ResultsError, match="set MICROEXPR_CACHE to a writable folder"):
        cache_folder()
