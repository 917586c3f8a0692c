"""Loading CASME II: its quirks, its tables and its layouts."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from openpyxl import Workbook, load_workbook
from toyset.casme2 import TABLE_2014, TABLE_2019, TOYS, write_casme2, write_frames, write_table

from microexpr.core.errors import DataError
from microexpr.data.casme2 import load_casme2, read_coding_table
from microexpr.testing import check_loader

FIRST = "casme2/sub01/EP02_01f"


@pytest.fixture
def root(tmp_path):
    return write_casme2(tmp_path / "CASME2")


# The quirks.


def test_passes_the_checks_of_every_loader(root):
    check_loader(load_casme2, root)


def test_keeps_the_order_of_the_table(root):
    assert load_casme2(root).table.index.to_list() == [f"casme2/{toy.folder}" for toy in TOYS]


@pytest.mark.parametrize("cell", ["1", "01", 1, 1.0, "sub01", " 01 "])
def test_subject_is_the_same_however_its_cell_is_typed(tmp_path, cell):
    toy = replace(TOYS[0], subject=cell)
    write_table(tmp_path / TABLE_2014, [toy])
    write_frames(tmp_path / "Cropped", TOYS[:1])
    assert load_casme2(tmp_path).table["subject"].to_list() == ["casme2/sub01"]


def test_frames_are_sorted_by_the_value_of_their_number(root):
    clip = load_casme2(root).clips[0]
    assert clip.frames()[:, 0, 0].tolist() == [8, 9, 10, 11, 12]


def test_frame_numbers_become_positions_in_the_clips_own_files(root):
    clips = load_casme2(root).table
    assert clips.loc[FIRST, ["onset", "apex", "offset", "n_frames"]].to_list() == [0, 2, 4, 5]


def test_frames_before_the_onset_shift_the_positions(tmp_path):
    write_casme2(tmp_path, [replace(TOYS[0], numbers=range(1, 20))])
    assert load_casme2(tmp_path).table.loc[FIRST, ["onset", "apex", "offset"]].to_list() == [7, 9, 11]


def test_slash_is_a_missing_apex_and_no_finding(root):
    clips = load_casme2(root)
    clip = clips.clips[4]
    assert (clip.onset, clip.apex, clip.offset) == (0, None, 3)
    assert clips.findings.empty


def test_apex_on_the_onset_is_kept(root):
    clip = load_casme2(root).clips[2]
    assert (clip.onset, clip.apex) == (0, 0)


def test_action_units_and_emotions_stay_as_spelt(root):
    table = load_casme2(root).table
    assert table["aus"].to_list() == ["12", "4+L10", "R1+R2", "?", "4", "1+2"]
    assert table["emotion"].to_list() == ["happiness", "disgust", "repression", "others", "disgust", "surprise"]


def test_cells_that_pandas_takes_for_missing_are_text(tmp_path):
    write_casme2(tmp_path, [replace(TOYS[0], aus="NA", emotion="None")])
    row = load_casme2(tmp_path).table.iloc[0]
    assert (row["aus"], row["emotion"]) == ("NA", "None")


def test_blank_action_units_stay_missing(tmp_path):
    write_casme2(tmp_path, [replace(TOYS[0], aus=None)])
    assert load_casme2(tmp_path).table["aus"].isna().all()


def test_frame_rate_is_200(root):
    assert set(load_casme2(root).table["fps"]) == {200.0}


def test_no_image_is_opened_at_load(root):
    for path in root.rglob("*.jpg"):
        path.write_bytes(b"no image")
    clips = load_casme2(root)
    with pytest.raises(DataError, match="not an image that can be read"):
        clips.clips[0].frames()


def test_stray_files_are_passed_over(root):
    clip = root / "Cropped" / TOYS[0].folder
    for name in ("Thumbs.db", ".DS_Store", "._reg_img8.jpg", "desktop.ini", "notes.txt"):
        (clip / name).write_bytes(b"x")
    (clip.parent / "Desktop - Shortcut.lnk").write_bytes(b"x")
    (root / "Cropped" / "Thumbs.db").write_bytes(b"x")
    (root / "~$CASME2-coding-20140508.xlsx").write_bytes(b"locked by Excel")
    assert load_casme2(root).table.loc[FIRST, "n_frames"] == 5


@pytest.mark.parametrize("suffix", [".JPG", ".jpeg", ".bmp", ".png"])
def test_other_image_formats_are_read(tmp_path, suffix):
    write_table(tmp_path / TABLE_2014)
    write_frames(tmp_path / "Cropped", suffix=suffix)
    assert load_casme2(tmp_path).clips[0].frames().shape == (5, 10, 12)


def test_case_of_folders_does_not_matter_and_the_table_names_the_clip(root):
    folder = root / "Cropped" / TOYS[0].folder
    folder.rename(folder.with_name("ep02_01F"))
    (root / "Cropped" / "sub17").rename(root / "Cropped" / "Sub17")
    assert FIRST in load_casme2(root).table.index


# Tables.


def test_2014_table_is_the_default_and_2019_an_option(root):
    write_table(root / TABLE_2019, [replace(toy, emotion="fear") for toy in TOYS], objective=True)
    assert load_casme2(root).table["emotion"].iloc[0] == "happiness"
    later = load_casme2(root, annotation="2019").table
    assert later["emotion"].iloc[0] == "fear"
    assert later["objective"].to_list() == ["1", "4", "5", "7", "4", "2"]


def test_2019_table_is_read_where_it_is_alone(root):
    (root / TABLE_2014).unlink()
    write_table(root / TABLE_2019, objective=True)
    assert load_casme2(root).table["objective"].iloc[0] == "1"


def test_annotation_may_be_a_path(root, tmp_path):
    write_table(tmp_path / "mine.xlsx", [replace(toy, emotion="sadness") for toy in TOYS])
    assert set(load_casme2(root, annotation=tmp_path / "mine.xlsx").table["emotion"]) == {"sadness"}


def test_objective_classes_of_their_own_workbook_are_joined_by_clip(root):
    workbook = Workbook()
    workbook.active.append(["Subject", "Filename", "Objective Class"])
    for toy in reversed(TOYS):
        workbook.active.append([toy.subject, toy.filename, toy.objective])
    workbook.save(root / "CASME2-ObjectiveClasses.xlsx")
    assert load_casme2(root).table["objective"].to_list() == ["1", "4", "5", "7", "4", "2"]


def test_unreadable_objective_classes_are_listed_and_stop_nothing(root):
    (root / "CASME2-ObjectiveClasses.xlsx").write_bytes(b"no workbook")
    clips = load_casme2(root)
    assert len(clips) == len(TOYS)
    assert "not used" in clips.findings["finding"].iloc[0]


def test_preamble_and_further_sheets_are_passed_over(root):
    workbook = load_workbook(root / TABLE_2014)
    workbook.active.insert_rows(1, amount=3)
    workbook.active["A1"] = "CASME II, coded by two coders"
    workbook.create_sheet("Notes", 0).append(["Filename", "remark"])
    workbook.save(root / TABLE_2014)
    assert len(load_casme2(root)) == len(TOYS)


def test_blank_rows_are_passed_over(root):
    workbook = load_workbook(root / TABLE_2014)
    workbook.active.insert_rows(3)
    workbook.active.cell(12, 1, "  ")
    workbook.save(root / TABLE_2014)
    assert len(load_casme2(root)) == len(TOYS)


def test_read_coding_table_numbers_rows_as_the_sheet_does(root):
    table = read_coding_table(root / TABLE_2014)
    assert table.index.to_list() == [2, 3, 4, 5, 6, 7]
    assert table.loc[6].to_dict()["apex"] == "/"


def test_workbook_that_openpyxl_warns_of_is_read_in_silence(root, monkeypatch):
    import openpyxl.reader.excel as reader

    def loud(*args, **kwargs):
        warnings.warn_explicit("no default style", UserWarning, reader.__file__, 1, module="openpyxl.styles.stylesheet")
        return original(*args, **kwargs)

    original = reader.ExcelReader.read
    monkeypatch.setattr(reader.ExcelReader, "read", loud)
    assert len(load_casme2(root)) == len(TOYS)


# Layouts.


def test_raw_layout_is_found(tmp_path):
    write_table(tmp_path / TABLE_2014)
    write_frames(tmp_path / "CASME2_RAW_selected", prefix="img")
    assert "CASME2_RAW_selected" in load_casme2(tmp_path).table["source"].iloc[0]


def test_cropped_frames_are_the_default_where_both_are(root):
    write_frames(root / "CASME2_RAW_selected", prefix="img")
    assert "Cropped" in load_casme2(root).table["source"].iloc[0]
    assert "CASME2_RAW_selected" in load_casme2(root, frames="raw").table["source"].iloc[0]


@pytest.mark.parametrize(
    "nesting", ["Cropped/Cropped", "a/b/cropped-updated", "CASME2_preprocessed_Li Xiaobai/Cropped"]
)
def test_frames_are_found_in_nested_folders_of_other_names(tmp_path, nesting):
    write_table(tmp_path / "annotation" / TABLE_2014)
    write_frames(tmp_path / nesting)
    assert len(load_casme2(tmp_path)) == len(TOYS)


def test_root_may_be_the_folder_of_the_frames_with_the_table_above(root):
    assert len(load_casme2(root / "Cropped")) == len(TOYS)


def test_root_may_be_the_folder_of_the_frames_with_the_table_in_it(tmp_path):
    write_frames(tmp_path)
    write_table(tmp_path / TABLE_2014)
    assert len(load_casme2(tmp_path)) == len(TOYS)


def test_documented_folder_wins_over_another_of_the_same_kind(tmp_path):
    write_table(tmp_path / TABLE_2014)
    write_frames(tmp_path / "CASME2-RAW", prefix="img")
    write_frames(tmp_path / "CASME2_RAW_selected", prefix="img")
    assert "CASME2_RAW_selected" in load_casme2(tmp_path).table["source"].iloc[0]


def test_damaged_image_is_named_when_it_is_read(root):
    path = root / "Cropped" / TOYS[0].folder / "reg_img9.jpg"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"reg_img9\.jpg: unreadable image"):
        load_casme2(root).clips[0].frames()


def test_frames_are_uint8_of_the_files_size(root):
    frames = load_casme2(root).clips[0].frames()
    assert frames.dtype == np.uint8
    assert frames.shape == (5, 10, 12)
