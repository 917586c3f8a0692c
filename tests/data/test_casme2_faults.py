"""Folders of CASME II with something missing or contradictory: what is said, and what goes on without it."""

import os
import shutil
from dataclasses import replace

import pytest
from openpyxl import load_workbook
from toyset.casme2 import TABLE_2014, TABLE_2019, TOYS, Toy, write_casme2, write_frames, write_table

from microexpr.core.errors import DataError, ParameterError
from microexpr.data.casme2 import load_casme2

FIRST = "casme2/sub01/EP02_01f"


def refusal(root, **options):
    with pytest.raises(DataError) as caught:
        load_casme2(root, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def one_finding(root, clip_id, *words):
    """The folder is refused for one clip; allow_incomplete leaves that clip out and lists the same finding."""
    message = refusal(root)
    for word in (str(root), "1 finding ", clip_id, "--allow-incomplete", *words):
        assert word in message
    clips = load_casme2(root, allow_incomplete=True)
    assert clip_id not in clips.table.index
    assert clips.findings["clip_id"].to_list() == [clip_id]
    assert clips.findings["finding"].iloc[0] in message
    return clips


@pytest.fixture
def root(tmp_path):
    return write_casme2(tmp_path / "CASME2")


# What is missing.


def test_missing_folder_is_named():
    assert refusal("/nowhere/CASME2") == "/nowhere/CASME2: no such folder"


def test_file_in_place_of_the_folder_is_named(root):
    assert "CASME II is a folder" in refusal(root / TABLE_2014)


def test_missing_table_says_what_was_looked_for_and_where(root):
    (root / TABLE_2014).unlink()
    message = refusal(root)
    for word in (str(root), TABLE_2014, TABLE_2019, "3 levels below", "two folders above"):
        assert word in message


def test_missing_table_of_one_year_says_which_there_is(root):
    message = refusal(root, annotation="2019")
    assert TABLE_2019 in message
    assert f"there is {root / TABLE_2014}" in message


def test_missing_annotation_path_is_named(root):
    assert "annotation /nowhere.xlsx: no such file" in refusal(root, annotation="/nowhere.xlsx")


def test_missing_frames_say_what_was_looked_for_and_where(tmp_path):
    write_table(tmp_path / TABLE_2014)
    message = refusal(tmp_path)
    for word in (str(tmp_path), "Cropped/sub01/EP02_01f/reg_img46.jpg", "CASME2_RAW_selected", "3 levels below"):
        assert word in message


def test_missing_frames_of_one_kind_say_which_there_are(root):
    message = refusal(root, frames="raw")
    assert "no raw frames" in message
    assert f"cropped frames in {root / 'Cropped'}" in message


def test_unknown_kind_of_frames_is_a_parameter_error(root):
    with pytest.raises(ParameterError, match="frames is 'both': it must be one of 'cropped', 'raw'"):
        load_casme2(root, frames="both")


@pytest.mark.parametrize("content", [b"", b"no workbook", b"PK\x03\x04 cut off"])
def test_damaged_table_is_named(root, content):
    (root / TABLE_2014).write_bytes(content)
    message = refusal(root)
    assert str(root / TABLE_2014) in message
    assert "not a workbook that can be read" in message


def test_truncated_table_is_named(root):
    whole = (root / TABLE_2014).read_bytes()
    (root / TABLE_2014).write_bytes(whole[: len(whole) // 2])
    assert "not a workbook that can be read" in refusal(root)


def test_xls_table_is_refused(root, tmp_path):
    (tmp_path / "old.xls").write_bytes(b"x")
    assert "old.xls: not an .xlsx workbook" in refusal(root, annotation=tmp_path / "old.xls")


def test_renamed_column_is_named_with_those_there_are(root):
    workbook = load_workbook(root / TABLE_2014)
    workbook.active["E1"] = "Peak"
    workbook.save(root / TABLE_2014)
    message = refusal(root)
    assert "no column 'ApexFrame'; the header has 'Subject', 'Filename'" in message
    assert "'Peak'" in message


def test_table_without_a_header_is_refused(root):
    workbook = load_workbook(root / TABLE_2014)
    workbook.active.delete_rows(1)
    workbook.save(root / TABLE_2014)
    assert "no row holds the columns' names" in refusal(root)


def test_table_without_rows_is_refused(root):
    write_table(root / TABLE_2014, [])
    message = refusal(root, allow_incomplete=True)
    assert "no clip of CASME II is left" in message


def test_two_folders_of_one_kind_are_refused(tmp_path):
    write_table(tmp_path / TABLE_2014)
    write_frames(tmp_path / "one")
    write_frames(tmp_path / "two")
    message = refusal(tmp_path)
    assert "several folders hold cropped frames" in message
    assert str(tmp_path / "one") in message


# Findings.


def test_annotation_without_frames_is_a_finding(root):
    shutil.rmtree(root / "Cropped" / TOYS[0].folder)
    one_finding(root, FIRST, "an annotation without frames", str(root / "Cropped"))


def test_frames_without_an_annotation_are_a_finding(root):
    write_frames(root / "Cropped", [Toy("03", "EP01_2", 1, 2, 3, "surprise", "1", range(1, 4))])
    clips = one_finding(root, "casme2/sub03/EP01_2", "frames without an annotation", TABLE_2014)
    assert len(clips) == len(TOYS)


def test_empty_clip_folder_is_a_finding(root):
    for path in (root / "Cropped" / TOYS[0].folder).iterdir():
        path.unlink()
    one_finding(root, FIRST, "an empty folder, no images in", TOYS[0].folder)


@pytest.mark.parametrize("changed", [{}, {"emotion": "disgust"}])
def test_clip_annotated_twice_is_a_finding(root, changed):
    write_table(root / TABLE_2014, [*TOYS, replace(TOYS[0], **changed)])
    one_finding(root, FIRST, "annotated more than once (rows 2, 8 of CASME2-coding-20140508.xlsx)")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"onset": "eight"}, "onset 'eight' is no frame number (row 2"),
        ({"onset": "/"}, "onset '/' is no frame number"),
        ({"onset": None}, "onset '' is no frame number"),
        ({"offset": 12.5}, "offset '12.5' is no frame number"),
        ({"apex": "10?"}, "apex '10?' is no frame number"),
        ({"apex": -10}, "apex '-10' is no frame number"),
        ({"apex": 7}, "apex 7 lies before onset 8"),
        ({"apex": 13}, "offset 12 lies before apex 13"),
        ({"apex": "/", "onset": 14}, "offset 12 lies before onset 14"),
        ({"onset": 5}, "onset 5 has no file, the clip's frames run from 8 to 12"),
        ({"offset": 99}, "offset 99 has no file, the clip's frames run from 8 to 12"),
        ({"apex": 98, "offset": 99}, "apex 98 has no file, the clip's frames run from 8 to 12"),
        ({"numbers": (8, 9, 10, 12)}, "frame 11 has no file; 1 of the frames from 8 to 12 are missing"),
    ],
)
def test_contradictory_annotation_is_a_finding(tmp_path, changed, words):
    write_casme2(tmp_path, [replace(TOYS[0], **changed), *TOYS[1:]])
    one_finding(tmp_path, FIRST, words)


def test_apex_file_missing_inside_the_clip_is_a_finding(root):
    (root / "Cropped" / TOYS[0].folder / "reg_img10.jpg").unlink()
    one_finding(root, FIRST, "apex 10 has no file")


def test_frame_number_twice_is_a_finding(root):
    clip = root / "Cropped" / TOYS[0].folder
    (clip / "reg_img08.jpg").write_bytes((clip / "reg_img8.jpg").read_bytes())
    one_finding(root, FIRST, "frame 8 occurs twice", "reg_img08.jpg", "reg_img8.jpg")


def test_image_without_a_number_is_a_finding(root):
    (root / "Cropped" / TOYS[0].folder / "preview.jpg").write_bytes(b"x")
    one_finding(root, FIRST, "no frame number in the name of", "preview.jpg")


@pytest.mark.parametrize("subject", [None, "anna", "n/a", "1a"])
def test_row_without_a_subject_number_is_a_finding(root, subject):
    write_table(root / TABLE_2014, [*TOYS, replace(TOYS[0], subject=subject)])
    one_finding(root, "row 8 of CASME2-coding-20140508.xlsx", f"subject {subject or ''!r} is no number")


def test_row_without_a_file_name_is_a_finding(root):
    write_table(root / TABLE_2014, [*TOYS, replace(TOYS[0], filename=None)])
    one_finding(root, "row 8 of CASME2-coding-20140508.xlsx", "the file name is blank")


def test_two_folders_that_differ_in_case_are_a_finding(root):
    folder = root / "Cropped" / TOYS[0].folder
    try:
        (folder.with_name("EP02_01F")).mkdir()
    except FileExistsError:
        pytest.skip("this file system does not tell EP02_01f from EP02_01F")
    one_finding(root, FIRST, "frames in several folders")


def test_many_findings_are_counted_and_the_first_ones_shown(tmp_path):
    write_table(tmp_path / TABLE_2014)
    write_frames(tmp_path / "Cropped", TOYS[:1])
    message = refusal(tmp_path)
    assert "5 findings in CASME II: casme2/sub01/EP19_05f: " in message
    assert "and 2 more" in message
    assert load_casme2(tmp_path, allow_incomplete=True).findings["clip_id"].to_list() == [
        f"casme2/{toy.folder}" for toy in TOYS[1:]
    ]


def test_nothing_left_is_refused_even_if_incomplete_is_allowed(tmp_path):
    write_table(tmp_path / TABLE_2014, TOYS[:1])
    write_frames(tmp_path / "Cropped", TOYS[1:2])
    assert f"no clip of CASME II is left; {FIRST}" in refusal(tmp_path, allow_incomplete=True)


def test_the_clip_that_is_handed_out_cut_short_is_kept_without_offset(tmp_path):
    toy = Toy(16, "EP01_08", 73, 94, 110, "disgust", "4", range(73, 97))
    write_casme2(tmp_path, [*TOYS, toy])
    clips = load_casme2(tmp_path)
    assert (clips.clips[-1].apex, clips.clips[-1].offset) == (21, None)
    assert clips.findings["clip_id"].to_list() == ["casme2/sub16/EP01_08"]
    assert "offset 110 has no file" in clips.findings["finding"].iloc[0]


def test_unreadable_folder_is_named(root, monkeypatch):
    closed = str(root / "Cropped" / "sub01")
    scandir = os.scandir

    def refuse(path):
        if str(path) == closed:
            raise PermissionError(13, "Permission denied", closed)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert refusal(root) == f"{closed}: Permission denied"
