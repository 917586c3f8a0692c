"""What truly happened at false positives, in cases worked by hand."""

import pandas as pd
import pytest

from microexpr.pipelines.falsealarms import false_alarms


def table(*rows):
    return pd.DataFrame(rows, columns=["video_id", "onset", "offset"])


def happening(*rows):
    return pd.DataFrame(rows, columns=["video_id", "onset", "offset", "kind"])


NONE_TRUE = table().astype({"onset": "int64", "offset": "int64", "video_id": "str"})


@pytest.mark.parametrize(
    ("onset", "offset", "expected"),
    [
        (30, 35, "nothing"),
        (50, 59, "blink"),  # inside it
        (66, 69, "nothing"),  # between blink and speech
        (60, 79, "speech"),  # 6 frames of the blink, 10 of the speech
        (60, 75, "blink"),  # 6 frames each: the one that is listed first
        (65, 65, "blink"),  # its last frame
    ],
)
def test_what_shares_most_frames_is_named(onset, offset, expected):
    others = happening(("v", 45, 65, "blink"), ("v", 70, 90, "speech"), ("w", 30, 35, "turn"))
    assert false_alarms(NONE_TRUE, table(("v", onset, offset)), others).tolist() == [expected]


def test_an_expression_met_without_a_hit_and_one_found_twice_are_said_to_be_off():
    true = table(("v", 10, 19), ("v", 40, 49))
    found = table(("v", 10, 19), ("v", 14, 19), ("v", 45, 80))
    assert false_alarms(true, found, happening()).tolist() == ["expression, bounds off"] * 2


def test_an_expression_goes_before_a_distractor_that_shares_as_much():
    found = table(("v", 10, 29))
    assert false_alarms(table(("v", 10, 14)), found, happening(("v", 25, 29, "nod"))).tolist() == [
        "expression, bounds off"
    ]
    assert false_alarms(table(("v", 10, 14)), found, happening(("v", 24, 29, "nod"))).tolist() == ["nod"]


def test_hits_are_left_out_and_the_rows_keep_their_names():
    found = table(("v", 10, 19), ("v", 60, 64)).set_index(pd.Index([7, 3]))
    assert false_alarms(table(("v", 10, 19)), found, happening()).to_dict() == {3: "nothing"}


def test_a_drift_of_the_light_explains_nothing():
    assert false_alarms(NONE_TRUE, table(("v", 5, 9)), happening(("v", 0, 99, "light drift"))).tolist() == ["nothing"]


def test_nothing_found_has_no_false_alarm():
    assert len(false_alarms(table(("v", 1, 2)), NONE_TRUE, happening())) == 0
