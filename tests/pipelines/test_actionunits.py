"""Which action units are said to act."""

import pytest

from microexpr.pipelines.actionunits import acting_units

NAN = float("nan")


@pytest.mark.parametrize(
    ("strengths", "units"),
    [
        ({}, ""),
        ({"L12": 1.0, "R12": 1.0}, "12"),
        ({"L12": 1.0, "R12": 0.2}, "L12"),
        ({"L10": 0.6, "L4": 1.0, "R4": 0.9, "25": 0.4}, "4+L10+25"),
        # A third is enough, less is not; each side is asked for itself.
        ({"17": 1.0, "L1": 1 / 3, "R1": 0.333}, "L1+17"),
        ({"L12": 0.0, "R12": 0.0}, ""),
        ({"L12": NAN, "R12": NAN}, ""),
    ],
)
def test_what_acts_at_a_third_or_more_is_written_as_casme_ii_does(strengths, units):
    row = {"clip_id": "a/b", "label": "positive", "proba_positive": 0.9}
    assert acting_units(row | {f"strength_{action}": value for action, value in strengths.items()}) == units
