"""What all tests share: a cache folder of their own, and where the real material lies, if it does."""

from pathlib import Path

import pytest
from toyset.commandline import Console

_SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MICROEXPR_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def console(monkeypatch, capsys):
    """Runs commands in this process and returns what they print."""
    return Console(monkeypatch, capsys)


@pytest.fixture
def real_maps():
    """The folder of real flow maps; the test is skipped where it is absent."""
    folder = _SHARED / "megc2019_flow"
    if not folder.is_dir():
        pytest.skip("the real flow maps are not beside the checkout")
    return folder
