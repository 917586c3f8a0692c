"""The package as a whole: what importing it costs, and that its public names are there."""

import importlib
import subprocess
import sys

import pytest

HEAVY = ("torch", "skorch", "numba", "cv2", "sklearn", "scipy", "pandas", "matplotlib", "typer")


def _loaded(statement):
    code = f"import sys; {statement}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return answer.stdout.split()


def test_importing_the_package_loads_nothing_heavy():
    assert _loaded("import microexpr") == []


def test_the_command_line_starts_without_the_libraries_of_numbers():
    assert set(_loaded("import microexpr.cli")) <= {"typer"}


@pytest.mark.parametrize(
    "statement",
    [
        "import microexpr.deep; dir(microexpr.deep)",
        "from microexpr.pipelines.registry import all_methods; assert 'ststnet' in all_methods()",
        "import microexpr.cli, typer.testing as tests;"
        "assert tests.CliRunner().invoke(microexpr.cli.app, ['methods']).exit_code == 0",
    ],
    ids=["the room of networks", "the registry", "the list of methods"],
)
def test_torch_is_loaded_for_a_network_alone(statement):
    assert not {"torch", "skorch"} & set(_loaded(statement))


@pytest.mark.parametrize("module", ["features.lbptop", "features.flowmap", "video.flow"])
def test_features_load_their_kernels_at_first_use(module):
    assert not {"numba", "cv2"} & set(_loaded(f"import microexpr.{module}"))


def test_functions_named_as_their_modules_stay_functions():
    code = (
        "from microexpr.features.lbptop import LBPTOP; from microexpr.video.tim import TIM;"
        "import microexpr.features, microexpr.video;"
        "assert callable(microexpr.features.lbptop) and callable(microexpr.video.tim)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("package", ["", ".video", ".features", ".classifiers", ".deep", ".data", ".pipelines"])
def test_public_names_exist(package):
    module = importlib.import_module(f"microexpr{package}")
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name).__doc__
    with pytest.raises(AttributeError):
        _ = module.absent_name
    assert set(module.__all__) <= set(dir(module))
