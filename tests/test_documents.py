"""What the README and the examples tell people to type works as typed."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from toyset.films import write_film

from microexpr.data import make_videos

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.fixture(autouse=True)
def _one_cache(tmp_path_factory, monkeypatch):
    """One cache for this file's tests, whichever process runs them: they read the same synthetic clips."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if os.environ.get("PYTEST_XDIST_WORKER") else folder
    monkeypatch.setenv("MICROEXPR_CACHE", str(shared / "documents-cache"))


def _run(arguments, folder):
    answer = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, env={**os.environ}, timeout=300)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_the_readmes_python_runs(tmp_path):
    [block] = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    printed = _run([sys.executable, "-c", block], tmp_path)
    assert "synthetic/sub01/EP01_" in printed


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_the_examples_run(path, tmp_path):
    assert _run([sys.executable, str(path)], tmp_path).strip()


def _colour_face():
    videos = make_videos(1, 1, seconds=8, micro=1, macro=0, color=True, pulse=(60.0, 80.0))
    [source] = videos.sources.values()
    return source.read()


def test_the_readmes_commands_run_in_their_order(tmp_path):
    block = re.findall(r"```sh\n(microexpr.*?)```", README, flags=re.DOTALL)[0]
    commands = [line for line in block.splitlines() if "=DIR" not in line]
    assert len(commands) >= 14
    film = write_film(tmp_path / "film.mp4", _colour_face(), fps=30)
    script = "set -e\n" + "\n".join(commands).replace("microexpr ", f"{shlex.quote(sys.executable)} -m microexpr ")
    script = script.replace("VIDEO", shlex.quote(str(film)))
    printed = _run(["bash", "-c", script], tmp_path)
    assert "report.html" in printed


def test_every_method_and_data_set_of_the_readme_exists():
    from microexpr.data.catalog import datasets
    from microexpr.pipelines.registry import all_methods
    from microexpr.pipelines.splits import PROTOCOLS

    rows = dict(re.findall(r"^\| (methods|protocols|data) \| (.*) \|$", README, flags=re.MULTILINE))
    assert set(re.findall(r"`([a-z0-9+-]+)`", rows["methods"])) == set(all_methods())
    assert set(re.findall(r"`([a-z-]+)[`\[]", rows["protocols"])) == set(PROTOCOLS)
    assert set(re.findall(r"`([a-z0-9-]+)`", rows["data"])) == {record.name for record in datasets()}
