"""CASME: two apexes, names that repeat, sections, neighbours of like names."""

import shutil

import pandas as pd
import pytest
from toyset.written import cells_of, spoil, table_of, written

from microexpr.core.errors import DataError, ParameterError
from microexpr.data.casme import load_casme


def test_the_layout_has_the_quirks_of_the_real_table(tmp_path):
    written("casme", tmp_path)
    header, *rows = cells_of(tmp_path)
    assert header == ["Subject", "Filename", None, "OnsetF", "ApexF1", "ApexF2", "OffsetF", None, "AU", "Emotion"]
    assert all(isinstance(row[0], str) for row in rows)
    names = [row[1] for row in rows]
    assert len(set(names)) < len(names)
    assert {row[5] is None for row in rows} == {True, False}


def test_the_first_apex_counts_and_the_second_is_a_column(tmp_path):
    written("casme", tmp_path)
    table = load_casme(tmp_path).table
    rows = cells_of(tmp_path)[1:]
    for found, cells in zip(table.itertuples(), rows, strict=True):
        onset, first, second = cells[3:6]
        assert found.apex == first - onset
        assert pd.isna(found.apex2) if second is None else found.apex2 == second - onset
    assert table["apex2"].notna().sum() == 3
    assert str(table["apex2"].dtype) == "Int64"


def test_a_second_apex_outside_the_clip_is_a_note_and_missing(tmp_path):
    expected = written("casme", tmp_path)

    def misplace(rows):
        rows[1][5], rows[2][5] = 9999, "late"

    spoil(tmp_path, misplace)
    clips = load_casme(tmp_path)
    assert len(clips) == len(expected)
    assert clips.findings["clip_id"].to_list() == expected.table.index[:2].to_list()
    assert clips.table["apex2"].iloc[:2].isna().all()


def test_sections_lie_in_two_folders_and_are_told_by_them(tmp_path):
    written("casme", tmp_path)
    table = load_casme(tmp_path).table
    assert table.groupby("subject")["section"].first().to_dict() == {"casme/sub01": "A", "casme/sub02": "B"}


def test_sections_may_be_missing(tmp_path):
    written("casme", tmp_path)
    for section in ("Section A", "Section B"):
        for subject in (tmp_path / "Cropped" / section).iterdir():
            shutil.move(subject, tmp_path / "Cropped" / subject.name)
        (tmp_path / "Cropped" / section).rmdir()
    assert load_casme(tmp_path).table["section"].isna().all()


def test_raw_frames_are_an_option(tmp_path):
    written("casme", tmp_path)
    shutil.copytree(tmp_path / "Cropped", tmp_path / "raw")
    for path in (tmp_path / "raw").rglob("reg_img*"):
        path.rename(path.with_name(path.name.removeprefix("reg_")))
    assert "Cropped" in load_casme(tmp_path).table["source"].iloc[0]
    assert "Cropped" not in load_casme(tmp_path, frames="raw").table["source"].iloc[0]
    shutil.rmtree(tmp_path / "raw")
    with pytest.raises(DataError, match=r"no raw frames of CASME; .*there are cropped frames in"):
        load_casme(tmp_path, frames="raw")
    with pytest.raises(ParameterError, match="frames is 'both'"):
        load_casme(tmp_path, frames="both")


@pytest.mark.parametrize("name", ["CASME2-coding-20140508.xlsx", "CASME II coding.xlsx", "CAS(ME)^2code_final.xlsx"])
def test_tables_of_its_namesakes_are_not_taken_for_its_own(tmp_path, name):
    written("casme", tmp_path)
    table_of(tmp_path).rename(tmp_path / name)
    with pytest.raises(DataError, match=r"no annotation table of CASME; looked for CASME-coding\.xlsx"):
        load_casme(tmp_path)
    assert len(load_casme(tmp_path, annotation=tmp_path / name)) == 8


def test_a_name_twice_within_a_subject_is_a_finding(tmp_path):
    written("casme", tmp_path)
    spoil(tmp_path, lambda rows: [*rows, rows[1]])
    with pytest.raises(DataError, match="annotated more than once"):
        load_casme(tmp_path)
