"""CAS(ME)^3: names that repeat, spelling that varies, long clips, depth maps beside, part C without an apex."""

import pytest
from toyset.written import cells_of, spoil, table_of, written

from microexpr.core.errors import DataError, ParameterError
from microexpr.data.casme3 import load_casme3, load_casme3_videos
from microexpr.data.catalog import load_data


def test_subject_and_file_name_repeat_and_the_onset_tells_clips_apart(tmp_path):
    written("casme3", tmp_path)
    rows = cells_of(tmp_path)[1:]
    assert len({(row[0], row[1]) for row in rows}) < len(rows)
    table = load_casme3(tmp_path).table
    assert table.index.to_list() == [f"casme3/{row[0]}/{row[1]}_{row[2]}" for row in rows]


def test_emotions_stay_as_spelt_and_label_maps_take_the_spellings_as_one(tmp_path):
    written("casme3", tmp_path)
    rows = cells_of(tmp_path)[1:]
    assert load_casme3(tmp_path).table["emotion"].to_list() == [row[7] for row in rows]
    clips = load_data(f"casme3={tmp_path}", labels="casme3-7")
    assert len(clips) == len(rows)


def test_clips_of_seconds_are_kept(tmp_path):
    written("casme3", tmp_path)
    table = load_casme3(tmp_path).table
    assert (table["n_frames"] / table["fps"]).max() >= 2


def test_depth_maps_of_the_same_names_are_passed_over(tmp_path):
    for layout in ("casme3", "casme3-a-videos"):
        written(layout, tmp_path / layout)
        assert [path for path in (tmp_path / layout).rglob("depth") if path.is_dir()]
        assert not load_casme3(tmp_path / layout).table["source"].str.contains("/depth").any()


def test_clips_are_preferred_and_videos_an_option(tmp_path):
    written("casme3", tmp_path, quirks=False)
    with pytest.raises(DataError, match="no frames of CAS"):
        load_casme3(tmp_path, frames="videos")
    with pytest.raises(DataError, match=r"looked for part_A/spNO\.1/a/color/126\.jpg"):
        load_casme3_videos(tmp_path)
    with pytest.raises(ParameterError, match="frames is 'both'"):
        load_casme3(tmp_path, frames="both")
    with pytest.raises(ParameterError, match="part is 'B'"):
        load_casme3(tmp_path, part="B")


def test_part_c_has_no_apex_and_keeps_the_full_width_comma(tmp_path):
    written("casme3-c-videos", tmp_path)
    assert "，" in cells_of(tmp_path)[1][4]
    table = load_casme3(tmp_path, part="C").table
    assert table["apex"].isna().all()
    assert table["aus"].iloc[0] == "1，2"
    assert table["subject"].unique().tolist() == ["casme3/C01", "casme3/C02"]


def test_the_table_of_one_part_is_not_taken_for_the_others(tmp_path):
    written("casme3-c-videos", tmp_path)
    with pytest.raises(DataError, match="no annotation table of CAS"):
        load_casme3(tmp_path, part="A")


def test_the_table_of_macro_expressions_is_not_taken_for_its_own(tmp_path):
    written("casme3", tmp_path)
    table = table_of(tmp_path)
    table.rename(table.with_name("cas(me)3_part_A_MaE_label_JpgIndex_v2.xlsx"))
    with pytest.raises(DataError, match="no annotation table of CAS"):
        load_casme3(tmp_path)


def test_the_same_clip_twice_is_a_finding_in_clips_and_in_videos(tmp_path):
    for layout in ("casme3", "casme3-a-videos"):
        written(layout, tmp_path / layout)
        spoil(tmp_path / layout, lambda rows: [*rows, rows[1]])
        with pytest.raises(DataError, match="annotated more than once"):
            load_casme3(tmp_path / layout)


def test_objective_classes_are_read_where_there_are(tmp_path):
    written("casme3", tmp_path)
    assert len(load_data(f"casme3={tmp_path}", labels="objective-5")) > 0


def test_a_subject_of_part_c_with_two_videos_needs_the_tables_word_which(tmp_path):
    import shutil

    written("casme3-c-videos", tmp_path)
    shutil.copytree(tmp_path / "part_C/01/a", tmp_path / "part_C/01/b")
    with pytest.raises(DataError, match="the table names no video and the subject has 2"):
        load_casme3(tmp_path, part="C")
