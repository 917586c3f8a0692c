"""The table of found intervals: written and read back, refused when it is damaged."""

import pandas as pd
import pytest

from microexpr.core.errors import DataError
from microexpr.pipelines.spottedtable import SPOTTED_COLUMNS, read_spotted, spotted_table, write_spotted

ROW = {
    **{"run_key": "0f", "method": "flow", "dataset": "samm", "protocol": "loso", "seed": 3, "fold": "samm/006"},
    **{"video_id": "samm/006/006_1", "subject": "samm/006", "onset": 3, "apex": 5, "offset": 9, "kind": "micro"},
    **{"score": 0.1 + 0.2, "region": 'a "quoted", region', "duration": 7 / 30, "threshold": 1e-17},
}


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "intervals.csv"
    table = spotted_table([ROW, {**ROW, "onset": 4}])
    write_spotted(table, path)
    return table, path


def test_what_is_written_is_read_back_to_the_last_digit(written):
    table, path = written
    pd.testing.assert_frame_equal(read_spotted(path), table, check_exact=True)
    assert read_spotted(path)["score"].iloc[0] == 0.1 + 0.2


def test_names_that_look_like_numbers_or_gaps_stay_text(tmp_path):
    row = {**ROW, "video_id": "006", "region": "NA", "label": "", "proba_1": None}
    table = spotted_table([row], ["label", "proba_1"])
    write_spotted(table, tmp_path / "intervals.csv")
    read = read_spotted(tmp_path / "intervals.csv")
    assert read.loc[0, ["video_id", "region", "label"]].tolist() == ["006", "NA", ""]
    assert read["proba_1"].isna().tolist() == [True]
    pd.testing.assert_frame_equal(read, table)


def test_a_table_without_a_row_keeps_its_kinds(tmp_path):
    table = spotted_table([])
    assert tuple(table.columns) == SPOTTED_COLUMNS
    write_spotted(table, tmp_path / "intervals.csv")
    pd.testing.assert_frame_equal(read_spotted(tmp_path / "intervals.csv"), table)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (",kind,", ",sort,", "the header lacks the column kind"),
        ("samm/006,3,5,9", "samm/006,3.5,5,9", "line 2: onset is '3.5': it must be an integer"),
        ("1e-17", "low", "line 2: threshold is 'low': it must be a number"),
        ("1e-17\n", "1e-17,7\n", "line 2: more or fewer cells than the header's 16"),
        (",1e-17\n", "\n", "line 2: more or fewer cells than the header's 16"),
    ],
)
def test_damage_is_named_with_file_line_and_rule(written, old, new, words):
    _, path = written
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(DataError) as caught:
        read_spotted(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_missing_column_are_named(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        read_spotted(tmp_path / "none.csv")
    with pytest.raises(DataError, match="lacks the column threshold"):
        write_spotted(spotted_table([ROW]).drop(columns="threshold"), tmp_path / "intervals.csv")
