"""An install without the extra `deep`: networks say what to install, all else works."""

import ast
import subprocess
import sys

from toyset.commandline import TINY, Answer, refused

NEED = "networks need the extra `deep`: pip install 'microexpr[deep]'"
# Runs before the package is imported: as if the modules named first had never been installed.
ABSENT = """
import sys

class Absent:
    names = set(sys.argv.pop(1).split(","))

    def find_spec(self, name, path=None, target=None):
        if name in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""
COMMAND = """
from microexpr.cli import main

main()
"""
# What `build` makes of each method: None, or the kind and text of its error.
OUTCOME = """
from microexpr.pipelines.registry import all_methods, build

def outcome(name):
    try:
        build(name)
    except Exception as error:
        return type(error).__name__, str(error)
"""
EACH_METHOD = OUTCOME + "print({name: outcome(name) for name in all_methods()})"
# Each import fails later than the one before, so that one process can tell of all.
EACH_ABSENCE = """
def without(name):
    Absent.names = {name}
    return outcome("ststnet")

names = ("torch", "skorch", "microexpr.deep.ststnet")
print({name: without(name) for name in names})
"""
NETWORKS = {
    "dubey-3dcnn",
    "flow-cnn",
    "fusion",  # one of its members is a network
    "hata-resnet",
    "houlton-cnn",
    "nmer",
    "nmer+emr",
    "nmer+emr+adversarial",
    "off-apexnet",
    "pretrained-finetune",
    "ststnet",
    "two-stream",
}


def _without(absent, code, *arguments):
    """Run code in a process in which importing the absent modules fails."""
    command = [sys.executable, "-c", ABSENT + code, absent, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return Answer(done.returncode, done.stdout, done.stderr)


def _outcomes(absent, code):
    answer = _without(absent, code)
    assert answer.code == 0, answer.err
    return ast.literal_eval(answer.out)


def test_of_all_methods_the_networks_alone_cannot_be_built():
    outcomes = _outcomes("torch,skorch", EACH_METHOD)
    assert {name for name, outcome in outcomes.items() if outcome is not None} == NETWORKS
    assert {outcomes[name] for name in NETWORKS} == {("MicroexprError", NEED)}


def test_half_an_extra_is_none_and_no_other_absence_is_taken_for_it():
    outcomes = _outcomes("torch", OUTCOME + EACH_ABSENCE)
    assert outcomes.pop("microexpr.deep.ststnet") == (
        "ModuleNotFoundError",
        "No module named 'microexpr.deep.ststnet'",
    )
    assert outcomes == dict.fromkeys(("torch", "skorch"), ("MicroexprError", NEED))


def test_comparing_a_network_is_refused_in_one_line(tmp_path):
    out = tmp_path / "results"
    answer = _without("torch", COMMAND, "compare", "flow-svm", "ststnet", "--data", TINY, "--out", out)
    assert refused(answer) == f"error: {NEED}"
    assert answer.out == ""
    assert not out.exists()


def test_comparing_other_methods_goes_on_working(tmp_path):
    answer = _without(
        "torch",
        COMMAND,
        *("compare", "flow-svm", "--data", TINY, "--set", "flowmap__method=dis", "--out", tmp_path),
    )
    assert answer.code == 0
    assert {"flow-svm", "majority"} <= set(answer.rows)
    assert (tmp_path / "report.html").is_file()


def test_the_model_that_comes_along_needs_no_torch(tmp_path):
    settings = ("--set", "flowmap__method=dis", "--out", tmp_path)
    answer = _without("torch,skorch", COMMAND, "compare", "zero-shot", "--data", TINY, *settings)
    assert answer.code == 0, answer.err
    assert {"zero-shot", "majority"} <= set(answer.rows)
    assert "zero-shot" in _without("torch,skorch", COMMAND, "methods", "zero-shot").out


def test_making_it_anew_without_torch_is_refused_in_one_line(tmp_path):
    answer = _without("torch,skorch", COMMAND, "pretrain", "--out", tmp_path / "a.safetensors")
    assert refused(answer) == f"error: {NEED}"
    assert list(tmp_path.iterdir()) == []


def test_the_list_of_methods_still_holds_the_networks():
    answer = _without("torch", COMMAND, "methods")
    assert answer.code == 0
    assert {*NETWORKS, "flow-svm"} <= set(answer.rows)
