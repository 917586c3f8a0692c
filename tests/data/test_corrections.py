"""Named repairs of annotations: applied by name, only where the old value stands."""

import pandas as pd
import pytest
from toyset.written import spoil, written

from microexpr.core.errors import DataError, ParameterError
from microexpr.data import corrections as package
from microexpr.data.casme import load_casme
from microexpr.data.casmesq import load_casmesq_videos
from microexpr.data.catalog import load_data
from microexpr.data.corrections import apply_corrections, correction_notes, corrections, read_corrections

HEADER = "dataset,clip,column,old,new,reason\n"


@pytest.fixture
def table():
    rows = {"onset": ["1", "5"], "apex": ["9", "7"], "offset": ["4", "8"], "emotion": ["fear", "fear"]}
    return pd.DataFrame(rows, index=["toy/a/1", "toy/a/2"], dtype="str")


@pytest.fixture
def mine(tmp_path):
    def write(*rows, header=HEADER):
        path = tmp_path / "mine.csv"
        path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        return path

    return write


def test_a_cell_is_changed_in_a_copy_and_the_reason_is_noted(table, mine):
    path = mine("toy,toy/a/1,apex,9,3,a slip of the pen")
    repaired = apply_corrections(table, path)
    assert repaired["apex"].to_list() == ["3", "7"]
    assert table["apex"].to_list() == ["9", "7"]
    assert "corrected" not in table
    note = "apex '9' read as '3' (corrections mine: a slip of the pen)"
    assert correction_notes(repaired) == {"toy/a/1": note}


def test_the_clip_may_be_named_by_a_column(table, mine):
    by_column = table.reset_index(names="clip_id")
    repaired = apply_corrections(by_column, mine("toy,toy/a/2,emotion,fear,sadness,coder's own erratum"))
    assert repaired["emotion"].to_list() == ["fear", "sadness"]
    assert list(correction_notes(repaired)) == ["toy/a/2"]


def test_an_empty_new_value_is_unknown(table, mine):
    repaired = apply_corrections(table, mine("toy,toy/a/1,apex,9,,impossible"))
    assert repaired["apex"].to_list() == ["", "7"]
    assert "read as unknown" in correction_notes(repaired)["toy/a/1"]


def test_an_old_value_may_compare_with_another_cell_of_the_row(table, mine):
    path = mine("toy,toy/a/1,apex,>offset,,after the offset")
    assert correction_notes(apply_corrections(table, path))["toy/a/1"].startswith("apex '9' read as unknown")
    with pytest.raises(DataError, match="apex is '7', the corrections expect '>offset'"):
        apply_corrections(table, mine("toy,toy/a/2,apex,>offset,,after the offset"))
    with pytest.raises(DataError, match="apex is '7', the corrections expect '<onset'"):
        apply_corrections(table, mine("toy,toy/a/2,apex,<onset,,before the onset"))


def test_two_cells_of_a_clip_are_both_noted(table, mine):
    repaired = apply_corrections(table, mine("toy,toy/a/1,apex,9,3,one", "toy,toy/a/1,offset,4,5,two"))
    assert correction_notes(repaired)["toy/a/1"].count("read as") == 2


def test_corrections_of_other_data_sets_are_passed_over(table, mine):
    repaired = apply_corrections(table, mine("samm,samm/006/1,apex,9,3,elsewhere"))
    assert correction_notes(repaired) == {}
    assert correction_notes(table) == {}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("toy,toy/a/1,apex,8,3,why", "toy/a/1: apex is '9', the corrections expect '8'"),
        ("toy,toy/a/9,apex,9,3,why", "clip toy/a/9 is not in the annotation table"),
        ("toy,toy/a/1,peak,9,3,why", "toy/a/1: the annotation table has no column 'peak'"),
        ("toy,toy/a/1,apex,9,3,", "correction 1 (toy/a/1, apex) has no reason"),
        ("toy,other/a/1,apex,9,3,why", "the clip is not of data set 'toy'"),
        (",toy/a/1,apex,9,3,why", "the clip is not of data set ''"),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_clip_column_and_values(table, mine, row, words):
    with pytest.raises(DataError) as caught:
        apply_corrections(table, mine(row))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cell_corrected_twice_is_refused(mine):
    with pytest.raises(DataError, match="the cell is corrected twice"):
        read_corrections(mine("toy,toy/a/1,apex,9,3,why", "toy,toy/a/1,apex,3,9,no"))


def test_a_clip_that_occurs_twice_is_refused(table, mine):
    with pytest.raises(DataError, match="occurs in 2 rows"):
        apply_corrections(pd.concat([table, table]), mine("toy,toy/a/1,apex,9,3,why"))


def test_a_file_that_lacks_a_column_or_is_no_text_is_named(mine, tmp_path):
    with pytest.raises(DataError, match="no column reason"):
        read_corrections(mine(header="dataset,clip,column,old,new\n"))
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not a CSV file in UTF-8"):
        read_corrections(tmp_path / "bad.csv")
    with pytest.raises(DataError, match=r"nowhere\.csv: No such file"):
        read_corrections("/nowhere.csv")


@pytest.mark.parametrize("name", ["no-such", "../corrections/samm-apex", ""])
def test_an_unknown_name_lists_those_there_are(name, table):
    with pytest.raises(ParameterError, match=r"do not exist; there are .*samm-apex"):
        apply_corrections(table, name)


def test_the_packages_own_corrections_can_be_read_and_are_listed_by_data_set():
    assert "samm-apex" in corrections()
    assert "samm-apex" in corrections("samm")
    assert corrections("casme2") == ()
    for name in corrections():
        assert read_corrections(name)
    assert package.__doc__


def test_a_loader_lists_what_was_corrected_among_its_findings(tmp_path):
    expected = written("casme", tmp_path / "data")
    clip_id = expected.table.index[0]
    path = tmp_path / "mine.csv"
    path.write_text(f"{HEADER}casme,{clip_id},emotion,{expected.table['emotion'].iloc[0]},fear,looked again\n")
    assert load_casme(tmp_path / "data").findings.empty
    clips = load_casme(tmp_path / "data", corrections=path)
    assert clips.table.loc[clip_id, "emotion"] == "fear"
    assert clips.findings["clip_id"].to_list() == [clip_id]
    assert "looked again" in clips.findings["finding"].iloc[0]


def test_a_correction_mends_a_contradiction_that_is_refused_without_it(tmp_path):
    written("casmesq", tmp_path / "data", quirks=False)

    def misplace(rows):
        rows[0][3] = 900

    spoil(tmp_path / "data", misplace)
    with pytest.raises(DataError, match="lies before apex 900"):
        load_casmesq_videos(tmp_path / "data")
    path = tmp_path / "mine.csv"
    path.write_text(f"{HEADER}casmesq,casmesq/s15/disgust1_1,apex,>offset,,not in the clip\n")
    videos = load_casmesq_videos(tmp_path / "data", corrections=path)
    assert pd.isna(videos.intervals.loc["casmesq/s15/disgust1_1", "apex"])


def test_load_data_hands_corrections_to_the_data_sets_that_take_them(tmp_path):
    expected = written("casme", tmp_path / "data")
    clip_id = expected.table.index[0]
    path = tmp_path / "mine.csv"
    path.write_text(f"{HEADER}casme,{clip_id},emotion,{expected.table['emotion'].iloc[0]},fear,looked again\n")
    clips = load_data([f"casme={tmp_path / 'data'}", "synthetic:n_subjects=1,clips_per_subject=3"], corrections=path)
    assert clips.table.loc[clip_id, "emotion"] == "fear"
    with pytest.raises(ParameterError, match="none of the data sets takes corrections"):
        load_data("synthetic", corrections=path)
