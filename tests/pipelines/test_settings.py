import pytest

from microexpr.core.errors import ParameterError
from microexpr.pipelines.settings import parse_settings


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=1", 1),
        ("a=1e-3", 0.001),
        ("a=(8, 8,1)", (8, 8, 1)),
        ("a=None", None),
        ("a=True", True),
        ("a=zhao2009", "zhao2009"),
        ("a='1'", "1"),
        ("a=x=y", "x=y"),
        ("a=", ""),
        (" a =1", 1),
        ("a={1: 2}", {1: 2}),
        # What looks like a literal and is none stays a string, however Python says so.
        ("a={[]: 1}", "{[]: 1}"),
        ("a=(1,", "(1,"),
        ("a=" + "(" * 500, "(" * 500),
        ("a=1 if", "1 if"),
    ],
)
def test_values_are_python_literals_or_strings(text, value):
    assert parse_settings([text]) == {"a": value}


def test_nothing_is_executed():
    assert parse_settings(["a=__import__('os').getcwd()"]) == {"a": "__import__('os').getcwd()"}


@pytest.mark.parametrize("text", ["a", "=1", " =1"])
def test_what_is_no_setting_is_refused(text):
    with pytest.raises(ParameterError, match="must be written name=value"):
        parse_settings([text])


def test_a_name_given_twice_is_refused():
    with pytest.raises(ParameterError, match="'a' is given twice"):
        parse_settings(["a=1", "b=2", "a=3"])
