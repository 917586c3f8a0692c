"""Loading MMEW: clips sorted by emotion, un-padded frame numbers, subjects as numbers."""

import shutil

import pytest
from openpyxl import load_workbook
from toyset.tables import write_book, write_empty, write_numbered

from microexpr.core.errors import DataError
from microexpr.data.catalog import load_data
from microexpr.data.layouts import LAYOUTS, write_layout
from microexpr.data.mmew import load_mmew
from microexpr.data.synthetic import make_clips
from microexpr.testing import check_loader

TABLE = "MMEW_Micro_Exp.xlsx"
HEADER = (
    *("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion"),
    "remarks",
)
ROWS = (
    (1, "S01-01-001", 1, 5, 11, "6+12", "happiness", None),
    (1, "S01-02-001", 1, 2, 4, 5, "surprise", "glasses"),
    (10, "S10-04-001", 2, 3, 5, "12L", "others", None),
    ("S30", "S30-07-001", 1, 2, 3, "?", "anger", None),
)
COUNTS = {"S01-01-001": 11, "S01-02-001": 4, "S10-04-001": 6, "S30-07-001": 3}
FIRST = "mmew/S01/S01-01-001"


def write_mmew(root, rows=ROWS):
    write_book(root / TABLE, [HEADER, *rows])
    for row in rows:
        folder = root / "Micro_Expression" / str(row[6]) / str(row[1])
        write_numbered(folder, [f"{number}.jpg" for number in range(1, COUNTS[str(row[1])] + 1)])
    return root


@pytest.fixture
def root(tmp_path):
    return write_mmew(tmp_path / "MMEW_Final")


def refusal(root, **options):
    with pytest.raises(DataError) as caught:
        load_mmew(root, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def one_finding(root, clip_id, *words):
    message = refusal(root)
    for word in ("1 finding ", clip_id, "--allow-incomplete", *words):
        assert word in message
    assert load_mmew(root, allow_incomplete=True).findings["clip_id"].to_list() == [clip_id]


def test_passes_the_checks_of_every_loader(root):
    check_loader(load_mmew, root)


def test_subjects_are_the_same_however_their_cell_is_typed(root):
    table = load_mmew(root).table
    assert table.index.to_list() == [FIRST, "mmew/S01/S01-02-001", "mmew/S10/S10-04-001", "mmew/S30/S30-07-001"]
    assert table["subject"].nunique() == 3


def test_frames_are_sorted_by_the_value_of_their_unpadded_number(root):
    assert load_mmew(root).clips[0].frames()[:, 0, 0].tolist() == pytest.approx(list(range(1, 12)), abs=1)


def test_frame_numbers_become_positions_and_cells_stay_as_spelt(root):
    table = load_mmew(root).table
    assert table[["onset", "apex", "offset"]].to_numpy().tolist() == [[0, 4, 10], [0, 1, 3], [1, 2, 4], [0, 1, 2]]
    assert table["aus"].to_list() == ["6+12", "5", "12L", "?"]
    assert table["remarks"].fillna("-").to_list() == ["-", "glasses", "-", "-"]
    assert set(table["fps"]) == {90.0}


def test_label_maps_know_its_emotions(root):
    assert load_data(f"mmew={root}", labels="mmew-7").y.tolist() == ["happiness", "surprise", "others", "anger"]
    assert load_data(f"mmew={root}", labels="mmew-6").dropped["clip_id"].to_list() == ["mmew/S10/S10-04-001"]
    assert load_data(f"mmew={root}").y.tolist() == ["positive", "surprise", "negative"]


def test_macro_expressions_are_passed_over(root):
    write_empty(root / "Macro_Expression/S01/anger", ["S01-07-001.jpg"])
    assert "several folders hold frames" not in str(load_mmew(root))
    assert len(load_mmew(root)) == 4


def test_frames_in_the_folder_of_another_emotion_are_a_finding(root):
    folder = root / "Micro_Expression"
    shutil.move(folder / "happiness/S01-01-001", folder / "anger/S01-01-001")
    one_finding(root, FIRST, "emotion 'happiness' in the table, but its frames are in")


def test_frames_without_annotation_and_annotation_without_frames_are_findings(root):
    write_empty(root / "Micro_Expression/anger/S02-07-001", ["1.jpg"])
    one_finding(root, "mmew/S02/S02-07-001", "frames without an annotation")
    shutil.rmtree(root / "Micro_Expression/anger/S02-07-001")
    shutil.rmtree(root / "Micro_Expression/happiness/S01-01-001")
    one_finding(root, FIRST, "an annotation without frames")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((1, "S01-01-001", 9, 5, 11, "12", "happiness", None), "apex 5 lies before onset 9"),
        ((1, "S01-01-001", 1, 5, 12, "12", "happiness", None), "offset 12 has no file"),
        ((1, "S01-01-001", None, 5, 11, "12", "happiness", None), "onset '' is no frame number"),
    ],
)
def test_contradictory_annotation_is_a_finding(tmp_path, row, words):
    write_mmew(tmp_path, [row, *ROWS[1:]])
    one_finding(tmp_path, FIRST, words)


def test_row_without_a_subject_is_a_finding(root):
    write_book(root / TABLE, [HEADER, *ROWS, ("NaN", "S02-01-001", 1, 2, 3, "12", "happiness", None)])
    one_finding(root, f"row 6 of {TABLE}", "subject 'NaN' is no number")


def test_renamed_column_is_named_and_remarks_may_be_absent(root):
    write_book(root / TABLE, [HEADER[:7], *(row[:7] for row in ROWS)])
    assert len(load_mmew(root)) == 4
    write_book(root / TABLE, [["Who", *HEADER[1:]], *ROWS])
    assert "no column 'Subject'; the header has 'Who', 'Filename'" in refusal(root)


def test_missing_table_and_frames_say_what_was_looked_for(root):
    (root / TABLE).rename(root / "MMEW_Micro_Exp.xls")
    assert "MMEW_Micro_Exp.xls: not an .xlsx workbook; open it in a spreadsheet program" in refusal(root)
    (root / "MMEW_Micro_Exp.xls").rename(root.parent / TABLE.lower())
    assert len(load_mmew(root)) == 4
    (root.parent / TABLE.lower()).rename(root / "annotations.xlsx")
    assert f"no annotation table of MMEW; looked for {TABLE}" in refusal(root)
    (root / "annotations.xlsx").rename(root / TABLE)
    shutil.rmtree(root / "Micro_Expression")
    assert "no frames of MMEW; looked for Micro_Expression/happiness/S01-01-001/1.jpg" in refusal(root)


def test_twin_is_read_back_to_the_same_clips(tmp_path):
    arguments = {**LAYOUTS["mmew"].clips, "duration": (0.1, 0.2)}
    written = write_layout(make_clips(2, 8, size=(48, 40), **arguments), "mmew", tmp_path)
    read = load_mmew(tmp_path)
    columns = ["subject", "emotion", "onset", "apex", "offset", "n_frames", "fps", "aus", "remarks", "source"]
    assert read.table[columns].equals(written.table[columns])
    assert read.digest() == written.digest()
    cells = [row[0] for row in load_workbook(tmp_path / TABLE).active.iter_rows(min_row=2, values_only=True)]
    assert set(cells) == {1, 2}


def test_twin_refuses_emotions_that_mmew_does_not_have(tmp_path):
    with pytest.raises(DataError, match="emotion 'repression'; MMEW has happiness"):
        write_layout(make_clips(1, 1, classes=("repression",), fps=90.0), "mmew", tmp_path)
