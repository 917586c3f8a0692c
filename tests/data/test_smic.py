"""Loading SMIC: three cameras, the classic release without a table, and SMIC-E with its table of formulas."""

import pytest
from openpyxl import load_workbook
from toyset.smic import CLIPS, HEADER, NAMES, ROWS, TABLE, write_extended, write_smic
from toyset.tables import write_book, write_empty

from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.data.catalog import load_data
from microexpr.data.layouts import LAYOUTS, write_layout
from microexpr.data.smic import load_smic
from microexpr.data.synthetic import make_clips
from microexpr.testing import check_loader

FIRST = NAMES[0]


@pytest.fixture
def root(tmp_path):
    return write_smic(tmp_path / "SMIC")


@pytest.fixture
def extended(tmp_path):
    return write_extended(tmp_path / "SMIC-E")


def refusal(root, **options):
    with pytest.raises(DataError) as caught:
        load_smic(root, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def one_finding(root, clip_id, *words, **options):
    message = refusal(root, **options)
    for word in ("1 finding ", clip_id, "--allow-incomplete", *words):
        assert word in message
    clips = load_smic(root, allow_incomplete=True, **options)
    assert clips.findings["clip_id"].to_list() == [clip_id]
    assert clip_id not in clips.table.index
    return clips


class TestClassic:
    def test_passes_the_checks_of_every_loader(self, root):
        check_loader(load_smic, root)

    def test_unpadded_folders_get_the_names_of_the_official_list(self, root):
        clips = load_smic(root)
        assert clips.table.index.to_list() == list(NAMES)
        assert clips.table["subject"].to_list() == ["smic/s01"] * 3 + ["smic/s20"]

    def test_padded_folders_get_the_same_names(self, tmp_path):
        padded = {folder.replace("s1", "s01"): numbers for folder, numbers in CLIPS.items()}
        assert load_smic(write_smic(tmp_path, padded)).table.index.to_list() == list(NAMES)

    def test_clips_run_from_the_first_frame_to_the_last_and_have_no_apex(self, root):
        clip = load_smic(root).clips[0]
        assert (clip.onset, clip.apex, clip.offset, clip.fps) == (0, None, 4, 100.0)
        with pytest.raises(NeedsError, match="the apex is unknown"):
            clip.onset_apex()

    def test_frames_are_sorted_by_the_value_of_their_unpadded_number(self, root):
        clips = load_smic(root).clips
        assert clips[0].frames()[:, 0, 0].tolist() == [98, 99, 100, 101, 102]
        assert clips[1].frames()[:, 0, 0].tolist() == [7, 8, 9, 10, 11]

    def test_emotion_is_that_of_the_folder_and_the_label_map_lets_it_pass(self, root):
        assert load_data(f"smic={root}").y.tolist() == ["negative", "negative", "surprise", "positive"]

    @pytest.mark.parametrize(("modality", "fps"), [("HS", 100.0), ("VIS", 25.0), ("NIR", 25.0)])
    def test_camera_decides_the_frame_rate(self, root, modality, fps):
        for camera in ("VIS", "NIR"):
            write_smic(root, below=f"SMIC_all_cropped/{camera}")
        clips = load_smic(root, modality=modality)
        assert set(clips.table["fps"]) == {fps}
        assert set(clips.table["modality"]) == {modality}
        assert f"/{modality}/" in clips.table["source"].iloc[0]

    def test_a_person_is_one_subject_whatever_the_camera(self, root):
        for camera in ("VIS", "NIR"):
            write_smic(root, below=f"SMIC_all_cropped/{camera}")
        together = load_data([f"smic={root}", f"smic:modality=VIS={root}", f"smic:modality=NIR={root}"])
        assert len(together) == 12
        assert sorted(set(together.groups)) == ["smic/s01", "smic/s20"]
        assert "smic/s01/vis_s01_ne_01" in together.table.index

    def test_cropped_frames_are_the_default_where_raw_ones_are_too(self, root):
        write_smic(root, below="SMIC_all_raw/HS")
        assert "SMIC_all_cropped" in load_smic(root).table["source"].iloc[0]
        assert "SMIC_all_raw" in load_smic(root, frames="raw").table["source"].iloc[0]

    def test_raw_frames_alone_are_found(self, tmp_path):
        write_smic(tmp_path, below="SMIC_all_raw/HS")
        assert len(load_smic(tmp_path)) == 4
        assert "no cropped frames of SMIC-HS" in refusal(tmp_path, frames="cropped")

    @pytest.mark.parametrize("below", ["", "SMIC_all_cropped", "SMIC_all_cropped/HS"])
    def test_root_may_be_a_part_of_the_release(self, root, below):
        assert len(load_smic(root / below)) == 4

    def test_non_micro_clips_are_passed_over(self, root):
        write_empty(root / "SMIC_all_cropped/HS/s1/non_micro/s1_long_01", ["image1.bmp"])
        assert len(load_smic(root)) == 4

    def test_uneven_frame_numbers_are_listed_and_the_clip_kept(self, tmp_path):
        write_smic(tmp_path, {**CLIPS, "s1/micro/negative/s1_ne_01": (1, 2, 4)})
        clips = load_smic(tmp_path)
        assert clips.findings["clip_id"].to_list() == [FIRST]
        assert "leave gaps" in clips.findings["finding"].iloc[0]
        assert clips.table.loc[FIRST, "n_frames"] == 3

    def test_clip_in_the_folder_of_another_emotion_is_a_finding(self, tmp_path):
        clips = {folder: numbers for folder, numbers in CLIPS.items() if "s20" not in folder}
        write_smic(tmp_path, {**clips, "s20/micro/negative/s20_po_01": range(3)})
        one_finding(tmp_path, NAMES[3], "its name says positive, but it lies in the folder 'negative'")

    def test_clip_in_the_folder_of_another_subject_is_a_finding(self, root):
        write_smic(root, {"s20/micro/negative/s3_ne_01": range(3)})
        one_finding(root, "smic/s03/s03_ne_01", "a clip of subject s03 in the folder of s20")

    def test_padded_and_unpadded_copies_of_a_clip_are_a_finding(self, root):
        write_smic(root, {"s01/micro/negative/s01_ne_01": range(3)})
        one_finding(root, FIRST, "frames in several folders")

    def test_folder_of_another_name_and_empty_folder_are_findings(self, root):
        write_empty(root / "SMIC_all_cropped/HS/s1/micro/negative/old", ["image1.bmp"])
        one_finding(root, "smic/s01/old", "no name of a clip of SMIC")
        (root / "SMIC_all_cropped/HS/s1/micro/negative/old").rename(root / "SMIC_all_cropped/old")
        for path in (root / "SMIC_all_cropped/HS" / next(iter(CLIPS))).iterdir():
            path.unlink()
        one_finding(root, FIRST, "an empty folder")

    def test_missing_camera_says_what_was_looked_for_and_what_there_is(self, root):
        message = refusal(root, modality="VIS")
        assert "no frames of SMIC-VIS; looked for SMIC_all_cropped/VIS/s1/micro/negative/s1_ne_01/*.bmp" in message
        assert f"there are classic cropped frames of HS in {root / 'SMIC_all_cropped/HS'}" in message

    def test_folders_that_name_no_camera_are_not_guessed(self, tmp_path):
        write_smic(tmp_path, below="all/frames")
        assert "frames of an unnamed camera in" in refusal(tmp_path)

    def test_names_far_above_the_root_say_nothing(self, tmp_path):
        root = write_smic(tmp_path / "VIS" / "raw" / "of a friend" / "SMIC")
        assert len(load_smic(root, frames="cropped")) == 4
        root = write_smic(tmp_path / "HS" / "a" / "b", below="frames")
        assert "frames of an unnamed camera in" in refusal(root)

    def test_two_copies_of_the_release_are_refused(self, root):
        write_smic(root, below="copy/SMIC_all_cropped/HS")
        assert "several folders hold frames of SMIC-HS" in refusal(root)

    @pytest.mark.parametrize("option", ["modality", "edition", "frames"])
    def test_unknown_option_is_a_parameter_error(self, root, option):
        with pytest.raises(ParameterError, match=f"{option} is 'X': it must be one of"):
            load_smic(root, **{option: "X"})


class TestExtended:
    def test_passes_the_checks_of_every_loader(self, extended):
        check_loader(load_smic, extended, edition="extended")

    def test_absolute_frame_numbers_become_positions(self, extended):
        table = load_smic(extended, edition="extended").table
        assert table.index.to_list() == ["smic/s01/s01_ne_01", "smic/s01/s01_ne_02", "smic/s20/s20_sur_01"]
        assert table[["onset", "offset", "n_frames"]].to_numpy().tolist() == [[1, 3, 6], [2, 3, 8], [2, 4, 6]]
        assert table["apex"].isna().all()

    def test_second_expression_of_a_clip_is_kept_beside_the_first(self, extended):
        table = load_smic(extended, edition="extended").table
        assert table.loc["smic/s01/s01_ne_02", ["onset2", "offset2"]].to_list() == [5, 6]
        assert table["onset2"].notna().sum() == 1

    def test_files_numbered_from_one_are_placed_by_the_first_frame_of_the_table(self, tmp_path):
        write_extended(tmp_path, ROWS[:2], renumbered=True)
        table = load_smic(tmp_path, edition="extended").table
        assert table[["onset", "offset"]].to_numpy().tolist() == [[1, 3], [2, 3]]

    def test_sheet_of_another_camera_and_remarks_below_the_table_are_passed_over(self, extended):
        path = extended / "HS_long" / TABLE
        workbook = load_workbook(path)
        workbook["HS"].append([None])
        workbook["HS"].append(["* the onset is the first frame of the movement"])
        for row in (HEADER, (11, "s11_ne_01", None, 5, 6, None, None, 1, 9, "negative")):
            sheet = workbook["VIS"] if "VIS" in workbook.sheetnames else workbook.create_sheet("VIS", 0)
            sheet.append(row)
        workbook.save(path)
        assert len(load_smic(extended, edition="extended")) == 3

    def test_workbook_without_a_sheet_of_the_camera_is_named(self, extended):
        path = extended / "HS_long" / TABLE
        workbook = load_workbook(path)
        workbook["HS"].title = "VIS"
        workbook.save(path)
        assert "no sheet 'HS'; there are 'VIS'" in refusal(extended, edition="extended")

    def test_workbook_of_one_camera_may_call_its_sheet_anything(self, extended):
        write_book(extended / "HS_long" / TABLE, [HEADER, *ROWS], sheet="Sheet1")
        assert len(load_smic(extended, edition="extended")) == 3

    def test_formulas_with_stored_values_are_read(self, tmp_path):
        clips = make_clips(1, 3, size=(48, 40), duration=(0.05, 0.08), **LAYOUTS["smic-e"].clips)
        write_layout(clips, "smic-e", tmp_path)
        sheet = load_workbook(next(tmp_path.rglob("*.xlsx")))["HS"]
        assert str(sheet["D2"].value).startswith("=K2+")
        assert len(load_smic(tmp_path, edition="extended")) == 3

    def test_formulas_without_stored_values_are_named(self, extended):
        path = extended / "HS_long" / TABLE
        workbook = load_workbook(path)
        workbook["HS"]["D2"] = "=H2+1"
        workbook.save(path)
        message = refusal(extended, edition="extended")
        assert "cell D2 of sheet 'HS' is a formula without a stored value; open the workbook" in message

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ((1, "s1_ne_01", None, 17581043, 17581042, None, None), "offset 17581042 lies before onset 17581043"),
            ((1, "s1_ne_01", None, "x", 17581042, None, None), "onset 'x' is no frame number"),
            ((1, "s1_ne_01", None, 17581040, 17589999, None, None), "offset 17589999 has no file"),
            ((1, "s1_ne_01", None, 17581040, 17581041, 17581042, None), "its second expression lacks"),
            ((2, "s1_ne_01", None, 17581040, 17581041, None, None), "subject '2' is not that of its name"),
            (("NaN", "s1_ne_01", None, 17581040, 17581041, None, None), "subject 'NaN' is not that of its name"),
        ],
    )
    def test_contradictory_annotation_is_a_finding(self, tmp_path, row, words):
        write_extended(tmp_path, ROWS)
        write_book(
            tmp_path / "HS_long" / TABLE, [HEADER, (*row, 17581039, 17581044, "negative"), *ROWS[1:]], sheet="HS"
        )
        one_finding(tmp_path, FIRST, words, "row 2 of", edition="extended")

    def test_annotation_without_frames_and_frames_without_annotation_are_findings(self, extended):
        folder = extended / "HS_long/SMIC-HS-E/HS/s01/s1_ne_01"
        folder.rename(folder.with_name("s1_ne_07"))
        message = refusal(extended, edition="extended")
        assert "smic/s01/s01_ne_01: an annotation without frames" in message
        assert "smic/s01/s01_ne_07: frames without an annotation" in message

    def test_clip_annotated_twice_or_with_another_emotion_is_a_finding(self, extended):
        write_book(extended / "HS_long" / TABLE, [HEADER, *ROWS, ROWS[0]], sheet="HS")
        one_finding(extended, FIRST, "annotated more than once (rows 2, 5 of", edition="extended")
        write_book(extended / "HS_long" / TABLE, [HEADER, (*ROWS[0][:9], "surprise"), *ROWS[1:]], sheet="HS")
        one_finding(extended, FIRST, "its name says negative, its row surprise", edition="extended")

    def test_missing_table_and_column_are_named(self, extended):
        write_book(extended / "HS_long" / TABLE, [[*HEADER[:4], "End"], *ROWS], sheet="HS")
        assert "no column 'OffsetF'; the header has" in refusal(extended, edition="extended")
        (extended / "HS_long" / TABLE).unlink()
        assert f"no annotation table of SMIC-HS-E; looked for {TABLE}" in refusal(extended, edition="extended")

    def test_editions_are_told_apart(self, extended):
        assert "there are extended frames of HS in" in refusal(extended)

    def test_row_that_names_no_clip_is_refused(self, extended):
        write_book(extended / "HS_long" / TABLE, [HEADER, *ROWS, (1, "negative 3", None, 5, 6)], sheet="HS")
        assert "row 5: file name 'negative 3' is no clip of SMIC" in refusal(extended, edition="extended")


@pytest.mark.parametrize(
    ("layout", "options"),
    [
        ("smic", {}),
        ("smic-vis", {"modality": "VIS"}),
        ("smic-nir", {"modality": "NIR"}),
        ("smic-e", {"edition": "extended"}),
    ],
)
def test_twin_is_read_back_to_the_same_clips(tmp_path, layout, options):
    arguments = {"duration": (0.05, 0.1), **LAYOUTS[layout].clips}
    written = write_layout(make_clips(2, 4, size=(48, 40), **arguments), layout, tmp_path)
    read = load_smic(tmp_path, **options)
    order = read.table.index.to_list()
    assert sorted(order) == sorted(written.table.index)
    columns = ["subject", "emotion", "onset", "apex", "offset", "n_frames", "fps", "modality", "source"]
    columns += ["onset2", "offset2"] if layout == "smic-e" else []
    assert read.table[columns].equals(written.table.loc[order, columns])
    assert [clip.fingerprint() for clip in read.clips] == [
        clip.fingerprint() for clip in sorted(written.clips, key=lambda clip: order.index(clip.clip_id))
    ]
    if layout == "smic-e":
        assert read.table["onset2"].notna().sum() == 1
