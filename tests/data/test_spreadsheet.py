"""Reading columns of a workbook as text."""

import pytest
from openpyxl import Workbook

from microexpr.core.errors import DataError
from microexpr.data.spreadsheet import read_columns


@pytest.fixture
def write(tmp_path):
    def write(*rows):
        workbook = Workbook()
        for row in rows:
            workbook.active.append(row)
        workbook.save(tmp_path / "table.xlsx")
        return tmp_path / "table.xlsx"

    return write


def test_cells_are_text_as_typed(write):
    path = write(["Subject", "Apex"], ["006", 46], [6, "/"], ["NA", None], [1.5, "a,b"])
    assert read_columns(path, ["Subject", "Apex"]).to_numpy().tolist() == [
        ["006", "46"],
        ["6", "/"],
        ["NA", ""],
        ["1.5", "a,b"],
    ]


def test_names_are_compared_without_case_blanks_and_punctuation(write):
    path = write(["SUBJECT ", None, "Onset_Frame"], ["1", None, "2"])
    assert list(read_columns(path, ["Subject", "OnsetFrame"])) == ["Subject", "OnsetFrame"]


def test_first_of_two_columns_of_one_name_counts(write):
    path = write(["Subject", "Apex", "Apex"], ["1", "2", "3"])
    assert read_columns(path, ["Subject", "Apex"])["Apex"].to_list() == ["2"]


def test_optional_columns_come_where_they_exist(write):
    path = write(["Subject", "Apex", "Notes"], ["1", "2", "3"])
    assert list(read_columns(path, ["Subject", "Apex"], optional=["Notes", "Class"])) == ["Subject", "Apex", "Notes"]


def test_rows_are_numbered_as_in_the_sheet_and_blank_ones_left_out(write):
    path = write(["a preamble"], [], ["Subject", "Apex"], ["1", "2"], [], [None, " "], ["3", "4"])
    assert read_columns(path, ["Subject", "Apex"]).index.to_list() == [4, 7]


def test_missing_file_is_named():
    with pytest.raises(DataError, match=r"^/nowhere\.xlsx: no such file$"):
        read_columns("/nowhere.xlsx", ["Subject"])


def test_missing_columns_are_named_together(write):
    path = write(["Subject", "Apex", "Notes"], ["1", "2", "3"])
    with pytest.raises(DataError, match=r"no column 'Onset', 'Offset'; the header has 'Subject', 'Apex', 'Notes'"):
        read_columns(path, ["Subject", "Onset", "Apex", "Offset"])
