"""CAS(ME)^2: a table without a header, codes on further sheets, 0 for unknown, videos of other subjects' folders."""

import pytest
from openpyxl import load_workbook
from toyset.written import cells_of, spoil, table_of, written

from microexpr.core.errors import DataError
from microexpr.data.casmesq import load_casmesq, load_casmesq_videos
from microexpr.data.catalog import load_data, load_videos


def refusal(folder):
    with pytest.raises(DataError) as caught:
        load_casmesq_videos(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_layout_has_the_quirks_of_the_real_table(tmp_path):
    written("casmesq", tmp_path)
    rows = cells_of(tmp_path)
    assert rows[0][:2] == [1, "disgust1_1"]
    assert {row[7] for row in rows} == {"micro-expression", "macro-expression"}
    assert any(row[3] == 0 for row in rows)
    assert any(row[4] == 0 for row in rows)
    assert cells_of(tmp_path, 1) == [["15", "s15", 1], ["16", "s16", 2]]
    assert cells_of(tmp_path, 2)[0] == ["0101", "disgust1"]
    assert (tmp_path / "rawpic/s15/15_0101disgustingteeth/img1.jpg").is_file()


def test_videos_come_with_all_intervals_and_silent_videos_with_none(tmp_path):
    written("casmesq", tmp_path)
    videos = load_videos(f"casmesq={tmp_path}")
    assert repr(videos) == "VideoSet(5 videos, 2 subjects, intervals: 6 micro, 2 macro)"
    assert [len(videos.of(video_id)) for video_id in videos.videos.index] == [2, 2, 0, 2, 2]
    assert set(videos.videos["fps"]) == {30.0}


def test_positions_are_zero_based_among_the_videos_files(tmp_path):
    written("casmesq", tmp_path)
    found = load_casmesq_videos(tmp_path).intervals
    for row, cells in zip(found.itertuples(), cells_of(tmp_path), strict=True):
        assert row.onset == cells[2] - 1


def test_an_apex_or_offset_of_0_is_unknown(tmp_path):
    written("casmesq", tmp_path)
    found = load_casmesq_videos(tmp_path).intervals
    for name, column in (("apex", 3), ("offset", 4)):
        zeros = [cells[column] == 0 for cells in cells_of(tmp_path)]
        assert found[name].isna().to_list() == zeros
        assert any(zeros)


def test_macro_expressions_are_clips_when_asked_for(tmp_path):
    written("casmesq", tmp_path)
    assert set(load_casmesq(tmp_path, kinds=("macro",)).table["kind"]) == {"macro"}
    both = load_data(f"casmesq:kinds=micro+macro={tmp_path}", labels="micro-macro")
    assert sorted(set(both.y)) == ["macro", "micro"]


def test_the_subjects_own_report_is_kept_beside_the_emotion(tmp_path):
    written("casmesq", tmp_path)
    table = load_casmesq(tmp_path).table
    assert set(table["emotion"]) <= {"negative", "positive", "surprise", "others"}
    assert table["self_report"].notna().all()


def test_the_order_of_the_sheets_does_not_matter(tmp_path):
    expected = written("casmesq", tmp_path)
    book = load_workbook(table_of(tmp_path))
    book.move_sheet("CODE FINAL", 2)
    book.save(table_of(tmp_path))
    assert load_casmesq(tmp_path).table.index.to_list() == expected.table.index.to_list()


def test_codes_typed_as_numbers_find_their_videos(tmp_path):
    expected = written("casmesq", tmp_path)
    spoil(tmp_path, lambda rows: [[int(row[0]), *row[1:]] for row in rows], sheet=2)
    assert len(load_casmesq(tmp_path)) == len(expected)


def test_a_header_that_somebody_added_is_passed_over(tmp_path):
    expected = written("casmesq", tmp_path)
    header = ["subject", "video", "onset", "apex", "offset", "AU", "emotion", "type", "self-report"]
    spoil(tmp_path, lambda rows: [header, *rows])
    assert len(load_casmesq(tmp_path)) == len(expected)


def test_missing_columns_are_counted(tmp_path):
    written("casmesq", tmp_path)
    spoil(tmp_path, lambda rows: [row[:6] for row in rows])
    message = refusal(tmp_path)
    assert "no sheet of codes; it has 9 columns and no header: subject, filename, onset" in message
    assert "the widest sheet has 6" in message


@pytest.mark.parametrize(("sheet", "words"), [(1, "subjects' numbers to folders"), (2, "videos' names to codes")])
def test_a_missing_sheet_of_codes_is_named(tmp_path, sheet, words):
    written("casmesq", tmp_path)
    book = load_workbook(table_of(tmp_path))
    del book[book.sheetnames[sheet]]
    book.save(table_of(tmp_path))
    assert words in refusal(tmp_path)


def test_a_video_in_the_folder_of_another_subject_belongs_to_the_one_its_name_tells(tmp_path):
    expected = written("casmesq", tmp_path)
    wrong = tmp_path / "rawpic/s15/16_0401girlcrashing"
    (tmp_path / "rawpic/s16/16_0401girlcrashing").rename(wrong)
    videos = load_casmesq_videos(tmp_path)
    assert videos.videos.loc["casmesq/s16/16_0401", "subject"] == "casmesq/s16"
    assert videos.findings["clip_id"].to_list() == ["casmesq/s16/16_0401"]
    assert "lies in the folder s15" in videos.findings["finding"].iloc[0]
    assert len(videos.clips()) == len(expected)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (0, 77, "row 1 of CAS(ME)^2code_final.xlsx: subject '77' has no folder among the codes"),
        (1, "sorrow1_1", "video 'sorrow1' has no code"),
        (2, "soon", "onset 'soon' is no frame number"),
        (3, "/?", "apex '/?' is no frame number"),
        (4, 900, "offset 900 has no file"),
        (7, "mini-expression", "type 'mini-expression' is neither micro- nor macro-expression"),
    ],
)
def test_a_row_that_contradicts_itself_is_a_finding(tmp_path, column, value, words):
    written("casmesq", tmp_path)

    def change(rows):
        rows[0][column] = value

    spoil(tmp_path, change)
    assert words in refusal(tmp_path)
    assert len(load_casmesq_videos(tmp_path, allow_incomplete=True).intervals) == 7
