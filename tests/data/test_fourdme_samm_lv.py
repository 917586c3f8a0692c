"""4DME and the SAMM long videos: cameras, notations, preamble, kinds."""

import shutil

import pytest
from toyset.written import cells_of, spoil, written

from microexpr.core.errors import DataError
from microexpr.data.catalog import load_data
from microexpr.data.fourdme import load_4dme
from microexpr.data.samm_lv import load_samm_lv, load_samm_lv_videos


def test_action_units_and_joined_emotions_stay_verbatim(tmp_path):
    written("4dme", tmp_path)
    table = load_4dme(tmp_path).table
    rows = cells_of(tmp_path)[1:]
    assert table["aus"].to_list() == [row[6] for row in rows]
    assert "(k)" in table["aus"].iloc[0]
    assert table["emotion"].iloc[0].endswith("&Others")


def test_the_grey_camera_is_the_default_and_others_an_option(tmp_path):
    written("4dme", tmp_path)
    shutil.rmtree(tmp_path / "rgb_micro")
    shutil.copytree(tmp_path / "gray_micro", tmp_path / "rgb_micro")
    assert load_4dme(tmp_path).table["source"].str.contains("gray_micro").all()
    other = load_4dme(tmp_path, frames="rgb").table
    assert other["source"].str.contains("rgb_micro").all()
    assert set(other["fps"]) == {30.0}
    with pytest.raises(DataError, match=r"no depth frames of 4DME; .*there is gray_micro, rgb_micro"):
        load_4dme(tmp_path, frames="depth")


def test_names_that_repeat_are_told_apart_by_the_subjects_folder(tmp_path):
    expected = written("4dme", tmp_path, quirks=False)
    frames = tmp_path / "gray_micro"
    for number in (1, 2):
        for count in range(1, 5):
            (frames / f"sub{number}").mkdir(exist_ok=True)
            (frames / f"{number}_{count}").rename(frames / f"sub{number}" / f"clip{count}")

    def rename(rows):
        for row in rows[1:]:
            row[1] = f"clip{row[1][2:]}"

    spoil(tmp_path, rename)
    clips = load_4dme(tmp_path)
    assert len(clips) == len(expected)
    assert clips.table.index[0] == "4dme/sub01/clip1"


def test_frames_without_an_annotation_are_a_finding(tmp_path):
    written("4dme", tmp_path, quirks=False)
    shutil.copytree(tmp_path / "gray_micro/1_1", tmp_path / "gray_micro/1_99")
    with pytest.raises(DataError, match="4dme/gray_micro/1_99: frames without an annotation"):
        load_4dme(tmp_path)


def test_ten_rows_of_preamble_are_passed_over(tmp_path):
    written("samm-lv", tmp_path)
    rows = cells_of(tmp_path)
    assert rows[10][:4] == ["Subject", "Filename", "Inducement Code", "Onset"]
    assert {row[7] for row in rows[11:]} == {"Macro", "Micro - 1/2"}
    assert rows[11][0] == "001"
    videos = load_samm_lv_videos(tmp_path)
    assert repr(videos) == "VideoSet(5 videos, 2 subjects, intervals: 6 micro, 2 macro)"
    assert set(videos.intervals["type"]) == {"Macro", "Micro - 1/2"}


def test_an_apex_of_minus_1_is_unknown(tmp_path):
    written("samm-lv", tmp_path)
    cells = [row[4] for row in cells_of(tmp_path)[11:]]
    assert -1 in cells
    assert load_samm_lv_videos(tmp_path).intervals["apex"].isna().to_list() == [cell == -1 for cell in cells]


def test_people_of_the_long_videos_are_those_of_samm(tmp_path):
    written("samm-lv", tmp_path / "long")
    written("samm", tmp_path / "short")
    long, short = load_samm_lv(tmp_path / "long"), load_data(f"samm={tmp_path / 'short'}")
    assert {one.partition("/")[0] for one in (*long.groups, *short.groups)} == {"samm"}


def test_kinds_are_the_classes_of_clips_without_an_emotion(tmp_path):
    written("samm-lv", tmp_path)
    clips = load_data(f"samm-lv={tmp_path}")
    assert (clips.labels, clips.classes) == ("micro-macro", ("micro", "macro"))
    with pytest.raises(DataError, match="no emotion is given"):
        load_data(f"samm-lv={tmp_path}", labels="megc2019")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (0, "009", "subject '009' is not that of its file name"),
        (1, "clip", "row 12 of SAMM_LongVideos_V2_Release.xlsx: file name 'clip' is not like 006_1_2"),
        (7, "Mini", "type 'Mini' is neither Micro nor Macro"),
        (3, -1, "onset '-1' is no frame number"),
        (5, 99999, "offset 99999 has no file"),
    ],
)
def test_a_row_that_contradicts_itself_is_a_finding(tmp_path, column, value, words):
    written("samm-lv", tmp_path)

    def change(rows):
        rows[11][column] = value

    spoil(tmp_path, change)
    with pytest.raises(DataError) as caught:
        load_samm_lv(tmp_path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
