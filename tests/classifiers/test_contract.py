"""What every classifier and selector of this package has, so that a method can be built and its runs told apart."""

import inspect

import pytest

from microexpr import classifiers
from microexpr.core.errors import ParameterError
from microexpr.pipelines.registry import build

CLASSES = [name for name in classifiers.__all__ if inspect.isclass(getattr(classifiers, name))]


def test_there_are_classes_to_check():
    assert {"GentleSVM", "MapScaling", "RBFSVM", "VarianceRatioSelector"} <= set(CLASSES)
    assert "linear_svm" not in CLASSES


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_checks_its_parameters_without_data(name):
    check = inspect.signature(getattr(classifiers, name).check_params)
    assert list(check.parameters) == ["self"]


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_has_a_version_for_the_key(name):
    version = vars(getattr(classifiers, name)).get("version")
    assert type(version) is int
    assert version >= 1


@pytest.mark.parametrize(
    ("method", "key", "value", "message"),
    [
        ("lbptop-gentleboost", "gentleboostclassifier__n_estimators", 0, "n_estimators is 0: it must be at least 1"),
        ("gentlesvm", "neutralclassifier__estimator__C", -1, "C is -1: it must be greater than 0"),
        ("gentlesvm", "neutralclassifier__estimator__n_estimators", 0, "n_estimators is 0: it must be at least 1"),
        ("gentlesvm", "neutralclassifier__neutral", "", "neutral is '': it must be the name of a class"),
        ("distlbprip-svm", "laplacianscoreselector__n_features", 0, "n_features is 0: it must be at least 1"),
        (
            "kato-fusion",
            "scorefusion__lbptop__varianceratioselector__n_features",
            2.0,
            "n_features is 2.0: it must be",
        ),
    ],
)
def test_a_method_is_not_built_with_a_parameter_that_is_not_allowed(method, key, value, message):
    with pytest.raises(ParameterError, match=message):
        build(method, **{key: value})
