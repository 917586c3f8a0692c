"""Loading SAMM: its quirks, its two impossible apexes, and spreadsheets that are amiss."""

import shutil
from dataclasses import replace

import pytest
from openpyxl import Workbook, load_workbook
from toyset.samm import HEADER, TABLE, TOYS, TYPOS, write_frames, write_samm, write_table

from microexpr.core.errors import DataError, ParameterError
from microexpr.data.catalog import load_data
from microexpr.data.layouts import LAYOUTS, write_layout
from microexpr.data.samm import load_samm
from microexpr.data.synthetic import make_clips
from microexpr.testing import check_loader

FIRST = "samm/006/006_1_2"


@pytest.fixture
def root(tmp_path):
    return write_samm(tmp_path / "SAMM")


def refusal(root, **options):
    with pytest.raises(DataError) as caught:
        load_samm(root, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def one_finding(root, clip_id, *words):
    """The folder is refused for one clip; allow_incomplete leaves that clip out and lists the same finding."""
    message = refusal(root)
    for word in ("1 finding ", clip_id, "--allow-incomplete", *words):
        assert word in message
    clips = load_samm(root, allow_incomplete=True)
    assert clips.findings["clip_id"].to_list() == [clip_id]
    return clips


def test_passes_the_checks_of_every_loader(root):
    check_loader(load_samm, root)


def test_keeps_the_order_of_the_table_below_its_preamble(root):
    assert load_samm(root).table.index.to_list() == [f"samm/{toy.folder}" for toy in TOYS]


@pytest.mark.parametrize("cell", ["006", 6, 6.0, "6", " 006 "])
def test_subject_keeps_its_leading_zeros_however_its_cell_is_typed(tmp_path, cell):
    write_samm(tmp_path, [replace(TOYS[0], subject=cell)])
    assert load_samm(tmp_path).table["subject"].to_list() == ["samm/006"]


def test_subject_6_of_samm_is_not_subject_6_of_another_set(root):
    assert all(subject.startswith("samm/") for subject in load_samm(root).groups)


def test_padded_frame_numbers_become_positions(root):
    table = load_samm(root).table
    assert table.loc["samm/006/006_1_3", ["onset", "apex", "offset", "n_frames"]].to_list() == [0, 1, 3, 4]
    assert table.loc["samm/007/007_3_1", ["onset", "apex", "offset", "n_frames"]].to_list() == [1, 2, 3, 5]


def test_frames_are_sorted_by_the_value_of_their_number(root):
    assert load_samm(root).clips[0].frames()[:, 0, 0].tolist() == [98, 99, 100, 101, 102]


def test_action_units_emotions_and_classes_stay_as_spelt(root):
    table = load_samm(root).table
    assert table["aus"].to_list() == ["4A/B", "12", "A/L12", "(R6 or R12)+R15"]
    assert table["emotion"].to_list() == ["Anger", "Happiness", "Other", "Surprise"]
    assert table["objective"].to_list() == ["III", "I", "VII", "II"]
    assert set(table["fps"]) == {200.0}


def test_label_maps_read_its_spelling(root):
    assert load_data(f"samm={root}").y.tolist() == ["negative", "positive", "surprise"]
    assert load_data(f"samm={root}", labels="samm-5").y.tolist() == ["anger", "happiness", "other", "surprise"]
    assert load_data(f"samm={root}", labels="objective-5").y.tolist() == ["III", "I", "II"]


def test_table_may_carry_the_date_of_its_release_or_be_named(root, tmp_path):
    (root / TABLE).rename(root / "SAMM_20181215_Micro_FACS_Codes_v2.xlsx")
    assert len(load_samm(root)) == len(TOYS)
    (root / "SAMM_20181215_Micro_FACS_Codes_v2.xlsx").rename(tmp_path / "mine.xlsx")
    assert len(load_samm(root, annotation=tmp_path / "mine.xlsx")) == len(TOYS)
    assert f"annotation {root / 'other.xlsx'}: no such file" in refusal(root, annotation=root / "other.xlsx")


def test_root_may_be_the_folder_of_the_frames_with_the_table_above(tmp_path):
    write_table(tmp_path / TABLE)
    write_frames(tmp_path / "SAMM" / "frames")
    assert len(load_samm(tmp_path / "SAMM" / "frames")) == len(TOYS)
    assert len(load_samm(tmp_path)) == len(TOYS)


# The two apexes.


@pytest.mark.parametrize(
    ("toy", "words"),
    [(TYPOS[0], "offset 43 lies before apex 99"), (TYPOS[1], "apex 31 lies before onset 50")],
    ids=["after the offset", "before the onset"],
)
def test_impossible_apex_is_a_finding_that_names_the_corrections(tmp_path, toy, words):
    write_samm(tmp_path, [*TOYS, toy])
    one_finding(tmp_path, f"samm/{toy.folder}", words, "samm:corrections=samm-apex=DIR")


def test_corrections_read_both_apexes_as_unknown_and_say_so(tmp_path):
    write_samm(tmp_path, [*TOYS, *TYPOS])
    clips = load_samm(tmp_path, corrections="samm-apex")
    assert [clip.apex for clip in clips.clips] == [2, 1, 2, 2, None, None]
    assert clips.findings["clip_id"].to_list() == [f"samm/{toy.folder}" for toy in TYPOS]
    assert clips.findings["finding"].str.contains("samm-apex").all()
    check_loader(load_samm, tmp_path, corrections="samm-apex")


def test_corrections_refuse_a_table_that_is_right_already(tmp_path):
    write_samm(tmp_path, [*TOYS, replace(TYPOS[0], apex=41), TYPOS[1]])
    assert "samm-apex" in refusal(tmp_path, corrections="samm-apex")


def test_unknown_corrections_are_a_parameter_error(root):
    with pytest.raises(ParameterError, match="corrections 'samm' do not exist; there are"):
        load_samm(root, corrections="samm")


# What is amiss.


def test_missing_folder_table_and_frames_say_what_was_looked_for(root):
    assert refusal("/nowhere/SAMM") == "/nowhere/SAMM: no such folder"
    assert "a file; SAMM is a folder" in refusal(root / TABLE)
    for folder in ("006", "007", "028"):
        shutil.rmtree(root / folder)
    assert f"no frames of SAMM; looked for 006/006_1_2/006_05562.jpg in {'this folder'}" in refusal(root)
    (root / TABLE).unlink()
    assert f"no annotation table of SAMM; looked for {TABLE}" in refusal(root)


def test_two_folders_of_frames_are_refused(root):
    write_frames(root / "copy")
    assert "several folders hold frames of SAMM" in refusal(root)


def test_annotation_without_frames_and_frames_without_annotation_are_findings(root):
    shutil.rmtree(root / TOYS[0].folder)
    one_finding(root, FIRST, "an annotation without frames")
    write_frames(root, [TOYS[0], replace(TOYS[0], filename="009_1_1")])
    one_finding(root, "samm/009/009_1_1", "frames without an annotation in", TABLE)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"onset": 103}, "apex 100 lies before onset 103"),
        ({"offset": 97, "apex": "/"}, "offset 97 lies before onset 98"),
        ({"onset": None}, "onset '' is no frame number"),
        ({"offset": 999}, "offset 999 has no file, the clip's frames run from 98 to 102"),
        ({"numbers": (98, 99, 100, 102)}, "frame 101 has no file"),
    ],
)
def test_contradictory_annotation_is_a_finding(tmp_path, changed, words):
    write_samm(tmp_path, [replace(TOYS[0], **changed), *TOYS[1:]])
    one_finding(tmp_path, FIRST, words)


@pytest.mark.parametrize("subject", [None, "nan", "NaN", "6a"])
def test_row_without_a_subject_is_a_finding(root, subject):
    write_table(root / TABLE, [*TOYS, replace(TOYS[0], subject=subject)])
    one_finding(root, f"row 19 of {TABLE}", f"subject {subject or ''!r} is no number")


def test_renamed_column_is_named_with_those_there_are(root):
    header = ["Peak Frame" if name == "Apex Frame" else name for name in HEADER]
    write_table(root / TABLE, header=header)
    assert "no column 'Apex Frame'; the header has 'Subject', 'Filename', 'Inducement Code'" in refusal(root)


def test_missing_column_is_named(root):
    workbook = load_workbook(root / TABLE)
    workbook.active.delete_cols(4)
    workbook.save(root / TABLE)
    assert "no column 'Onset Frame'; the header has" in refusal(root)


def test_extra_sheet_is_passed_over_unless_it_holds_the_table_too(root):
    workbook = load_workbook(root / TABLE)
    workbook.create_sheet("Notes", 0).append(["Filename", "remark"])
    workbook.save(root / TABLE)
    assert len(load_samm(root)) == len(TOYS)
    workbook.copy_worksheet(workbook["Sheet1"]).title = "my copy"
    workbook.save(root / TABLE)
    assert "several sheets hold the table: 'Sheet1', 'my copy'; keep one of them" in refusal(root)


def test_xls_in_place_of_xlsx_is_named(root):
    (root / TABLE).rename(root / "SAMM_Micro_FACS_Codes_v2.xls")
    assert "not an .xlsx workbook" in refusal(root)
    (root / "SAMM_Micro_FACS_Codes_v2.xls").rename(root / TABLE)
    (root / TABLE).write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    assert "is it damaged, or an .xls under another name?" in refusal(root)


def test_table_without_rows_is_refused(root):
    Workbook().save(root / TABLE)
    assert "no row holds the columns' names" in refusal(root)
    write_table(root / TABLE, [])
    for toy in TOYS:
        shutil.rmtree(root / toy.folder, ignore_errors=True)
    assert "no clip of SAMM is left" in refusal(root, allow_incomplete=True)


# The synthetic twin.


@pytest.mark.parametrize("layout", ["samm", "samm-typos"])
def test_twin_is_read_back_to_the_same_clips(tmp_path, layout):
    clips = make_clips(2, 8, size=(48, 40), duration=(0.05, 0.08), **LAYOUTS[layout].clips)
    written = write_layout(clips, layout, tmp_path)
    read = load_samm(tmp_path, corrections="samm-apex" if layout == "samm-typos" else None)
    columns = ["subject", "emotion", "onset", "apex", "offset", "n_frames", "fps", "aus", "objective", "source"]
    assert read.table[columns].equals(written.table[columns])
    assert read.digest() == written.digest()
    assert int(read.table["apex"].isna().sum()) == (2 if layout == "samm-typos" else 0)


def test_twin_holds_the_quirks_of_the_table(tmp_path):
    clips = make_clips(2, 4, size=(48, 40), duration=(0.05, 0.08), **LAYOUTS["samm"].clips)
    write_layout(clips, "samm", tmp_path)
    rows = list(load_workbook(tmp_path / TABLE).active.iter_rows(values_only=True))
    assert rows[13][:2] == ("Subject", "Filename")
    assert {row[0] for row in rows[14:]} == {"006", "007"}
    assert {type(row[8]) for row in rows[14:]} == {int, str} or any("A" in str(row[8]) for row in rows[14:])
    assert all(len(path.stem) == len("006_05562") for path in tmp_path.rglob("*.jpg"))


def test_emotion_that_samm_does_not_have_is_named(tmp_path):
    clips = make_clips(1, 1, classes=("repression",))
    with pytest.raises(DataError, match="emotion 'repression'; SAMM has anger"):
        write_layout(clips, "samm", tmp_path)
