"""Clips on disk as CASME II users hold them, read back with openpyxl and Pillow alone."""

import re

import numpy as np
import pytest
from openpyxl import load_workbook
from PIL import Image

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import FlowMapSource
from microexpr.data._layouts.casme2 import objective_class
from microexpr.data.layouts import LAYOUTS, synthesize, write_layout
from microexpr.data.synthetic import make_clips

TABLE = "CASME2-coding-20140508.xlsx"
HEADER = [
    "Subject",
    "Filename",
    None,
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    None,
    "Action Units",
    "Estimated Emotion",
]


def some_clips(n_subjects=2, clips_per_subject=3, **arguments):
    arguments = {"seed": 4, "size": (56, 48), "duration": (0.05, 0.1), **arguments}
    return make_clips(n_subjects, clips_per_subject, **arguments)


def read_table(folder, name=TABLE):
    book = load_workbook(folder / name)
    header, *rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
    book.close()
    return header, rows


def read_frames(folder, stem):
    numbered = {int(re.fullmatch(rf"{stem}(\d+)\.jpg", path.name)[1]): path for path in folder.iterdir()}
    images = {}
    for number in sorted(numbered):
        with Image.open(numbered[number]) as image:
            images[number] = np.asarray(image)
    return images


class TestTable:
    def test_its_columns_are_those_of_the_2014_table(self, tmp_path):
        write_layout(some_clips(), "casme2", tmp_path)
        header, rows = read_table(tmp_path)
        assert header == HEADER
        assert len(rows) == 6
        assert all(row[2] is None and row[6] is None for row in rows)

    def test_subjects_are_text_with_a_leading_zero(self, tmp_path):
        write_layout(some_clips(), "casme2", tmp_path)
        assert [row[0] for row in read_table(tmp_path)[1]] == ["01"] * 3 + ["02"] * 3

    def test_action_units_mix_integers_and_text(self, tmp_path):
        clipset = some_clips(4, 6)
        write_layout(clipset, "casme2", tmp_path)
        cells = [row[7] for row in read_table(tmp_path)[1]]
        assert {type(cell) for cell in cells} == {int, str}
        assert [str(cell) for cell in cells] == clipset.table["aus"].to_list()

    def test_emotions_are_spelt_in_lower_case(self, tmp_path):
        names = ("happiness", "disgust", "repression", "surprise", "others", "sadness", "fear")
        write_layout(some_clips(1, 7, classes=names), "casme2", tmp_path)
        assert {row[8] for row in read_table(tmp_path)[1]} == set(names)

    def test_frame_numbers_place_onset_apex_and_offset_as_the_clips_do(self, tmp_path):
        clipset = some_clips()
        write_layout(clipset, "casme2", tmp_path, quirks=False)
        for cells, row in zip(read_table(tmp_path)[1], clipset.table.itertuples(), strict=True):
            onset, apex, offset = cells[3:6]
            assert (apex - onset, offset - onset) == (row.apex, row.n_frames - 1)

    def test_the_2019_table_adds_objective_classes(self, tmp_path):
        written = write_layout(some_clips(), "casme2-2019", tmp_path)
        header, rows = read_table(tmp_path, "CASME2-coding-20190701.xlsx")
        assert header == [*HEADER, "Objective Classes"]
        assert [str(row[9]) for row in rows] == written.table["objective"].to_list()
        assert not (tmp_path / TABLE).exists()

    @pytest.mark.parametrize(
        ("units", "number"),
        [
            ("12", 1),
            ("R6+L12", 1),
            ("1+2", 2),
            ("25+26", 2),
            ("4+7", 3),
            ("L9", 4),
            ("15+17", 5),
            ("1+2+4", 6),
            ("4+L10", 7),
            ("", 7),
        ],
    )
    def test_objective_classes_follow_the_action_units_whatever_the_side(self, units, number):
        assert objective_class(units) == number


class TestFrames:
    def test_cropped_folders_run_from_the_onset_to_the_offset_in_unpadded_numbers(self, tmp_path):
        write_layout(some_clips(margin=6), "casme2", tmp_path, quirks=False)
        for cells in read_table(tmp_path)[1]:
            images = read_frames(tmp_path / "Cropped" / f"sub{cells[0]}" / cells[1], "reg_img")
            assert list(images) == list(range(cells[3], cells[5] + 1))
        names = [path.stem.removeprefix("reg_img") for path in tmp_path.rglob("*.jpg")]
        assert all(name == str(int(name)) for name in names)

    def test_raw_folders_keep_the_frames_before_the_onset_and_after_the_offset(self, tmp_path):
        clipset = some_clips(margin=6)
        written = write_layout(clipset, "casme2-raw", tmp_path, quirks=False)
        for cells, row in zip(read_table(tmp_path)[1], clipset.table.itertuples(), strict=True):
            images = read_frames(tmp_path / "CASME2_RAW_selected" / f"sub{cells[0]}" / cells[1], "img")
            assert list(images) == list(range(cells[3] - 6, cells[5] + 7))
            assert len(images) == row.n_frames
        assert not (tmp_path / "Cropped").exists()
        assert (written.table["onset"] == 6).all()

    @pytest.mark.parametrize("color", [False, True])
    def test_images_differ_from_the_frames_by_the_loss_of_jpeg_alone(self, tmp_path, color):
        clipset = some_clips(1, 1, color=color)
        write_layout(clipset, "casme2", tmp_path)
        images = np.stack(list(read_frames(tmp_path / "Cropped" / "sub01" / "EP01_01f", "reg_img").values()))
        frames = clipset.clips[0].frames()
        assert images.shape == frames.shape
        assert np.abs(images.astype(int) - frames).mean() < (2.5 if color else 1.5)

    def test_colour_is_not_subsampled(self, tmp_path):
        write_layout(some_clips(1, 1, color=True), "casme2", tmp_path)
        with Image.open(next(tmp_path.rglob("*.jpg"))) as image:
            assert {component[1:3] for component in image.layer} == {(1, 1)}

    def test_clips_begin_at_numbers_that_the_seed_decides(self, tmp_path):
        starts = []
        for place, seed in enumerate([0, 0, 1]):
            write_layout(some_clips(), "casme2", tmp_path / str(place), seed=seed)
            starts.append([row[3] for row in read_table(tmp_path / str(place))[1]])
        assert starts[0] == starts[1] != starts[2]
        assert len(set(starts[0])) > 1


class TestQuirks:
    def test_exactly_one_apex_is_a_slash(self, tmp_path):
        write_layout(some_clips(), "casme2", tmp_path)
        rows = read_table(tmp_path)[1]
        assert [row[1] for row in rows if row[4] == "/"] == ["EP01_03f"]
        assert rows[-1][4] == "/"

    def test_where_there_is_a_subject_4_it_is_the_clip_that_label_maps_leave_out_by_name(self, tmp_path):
        write_layout(some_clips(5, 2), "casme2", tmp_path)
        rows = read_table(tmp_path)[1]
        assert [row[:2] for row in rows if row[4] == "/"] == [["04", "EP12_01f"]]
        assert (tmp_path / "Cropped" / "sub04" / "EP12_01f").is_dir()

    def test_without_quirks_every_apex_is_a_number_and_every_name_the_clips_own(self, tmp_path):
        clipset = some_clips(4, 1)
        write_layout(clipset, "casme2", tmp_path, quirks=False)
        rows = read_table(tmp_path)[1]
        assert all(isinstance(row[4], int) for row in rows)
        assert {row[1] for row in rows} == {"EP01_01f"}

    def test_a_lone_clip_keeps_its_apex(self, tmp_path):
        write_layout(some_clips(1, 1), "casme2", tmp_path)
        assert isinstance(read_table(tmp_path)[1][0][4], int)

    def test_a_clip_without_an_apex_gets_a_slash(self, tmp_path):
        clipset = some_clips(1, 2)
        table = clipset.table.assign(apex=None)
        write_layout(ClipSet(table, clipset.sources), "casme2", tmp_path, quirks=False)
        assert [row[4] for row in read_table(tmp_path)[1]] == ["/", "/"]


class TestWhatIsReturned:
    def test_the_set_says_what_a_loader_should_find(self, tmp_path):
        clipset = some_clips(5, 2)
        written = write_layout(clipset, "casme2", tmp_path)
        assert written.table.index[0] == "casme2/sub01/EP01_01f"
        assert written.table["label"].isna().all()
        assert written.table["emotion"].to_list() == clipset.table["emotion"].to_list()
        assert written.table.index[written.table["apex"].isna()].to_list() == ["casme2/sub04/EP12_01f"]
        known = written.table["apex"].notna().to_numpy()
        assert (written.table["apex"].to_numpy()[known] == clipset.table["apex"].to_numpy()[known]).all()
        assert [len(clip.frames()) for clip in written.clips] == clipset.table["n_frames"].to_list()

    def test_synthesize_writes_colour_clips_and_says_how_to_read_them(self, tmp_path):
        line = synthesize("casme2", tmp_path / "new", n_subjects=1, clips_per_subject=2)
        assert line == (
            f"{tmp_path / 'new'}: 2 synthetic clips of 1 subject; read them with --data casme2={tmp_path / 'new'}"
        )
        with Image.open(next(tmp_path.rglob("*.jpg"))) as image:
            assert image.mode == "RGB"


class TestBadInput:
    def test_a_folder_that_holds_something_is_refused_and_left_alone(self, tmp_path):
        (tmp_path / "mine.txt").write_text("mine")
        with pytest.raises(DataError, match=re.escape(f"{tmp_path}: the folder is not empty")):
            write_layout(some_clips(), "casme2", tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]

    def test_a_file_in_place_of_the_folder_is_refused(self, tmp_path):
        (tmp_path / "taken").write_text("")
        with pytest.raises(DataError, match="taken: cannot be made a folder"):
            write_layout(some_clips(), "casme2", tmp_path / "taken")

    def test_a_folder_that_cannot_be_written_is_named(self, tmp_path, monkeypatch):
        def refuse(self, *args, **kwargs):
            raise OSError(28, "No space left on device", "reg_img1.jpg")

        monkeypatch.setattr(Image.Image, "save", refuse)
        with pytest.raises(DataError, match=r"cannot write reg_img1.jpg: No space left on device"):
            write_layout(some_clips(), "casme2", tmp_path)

    def test_an_unknown_layout_is_named_with_those_there_are(self, tmp_path):
        with pytest.raises(ParameterError, match="layout is 'casme9': it must be one of 'casme2', 'casme2-raw'"):
            write_layout(some_clips(), "casme9", tmp_path / "new")
        assert not (tmp_path / "new").exists()
        assert all(layout.about and layout.loader for layout in LAYOUTS.values())

    @pytest.mark.parametrize(("arguments", "message"), [({"seed": -1}, "seed is -1"), ({"quirks": 1}, "quirks is 1")])
    def test_bad_arguments_are_named(self, tmp_path, arguments, message):
        with pytest.raises(ParameterError, match=message):
            write_layout(some_clips(), "casme2", tmp_path, **arguments)

    @pytest.mark.parametrize("column", ["emotion", "onset", "offset"])
    def test_a_clip_that_lacks_what_the_table_needs_is_named(self, tmp_path, column):
        clipset = some_clips(1, 1)
        broken = ClipSet(clipset.table.assign(**{column: None}), clipset.sources)
        with pytest.raises(DataError, match=f"synthetic/sub01/EP01_01: no {column}"):
            write_layout(broken, "casme2", tmp_path)

    def test_another_frame_rate_is_refused(self, tmp_path):
        with pytest.raises(DataError, match=r"60 frames per second; the data set of this layout has 200"):
            write_layout(some_clips(1, 1, fps=60), "casme2", tmp_path)

    def test_subjects_without_numbers_are_refused(self, tmp_path):
        clipset = some_clips(1, 1)
        broken = ClipSet(clipset.table.assign(subject="synthetic/anna"), clipset.sources)
        with pytest.raises(DataError, match="CASME II numbers its subjects"):
            write_layout(broken, "casme2", tmp_path)

    def test_a_stored_flow_map_has_no_frames_to_write(self, tmp_path):
        clipset = some_clips(1, 1)
        with pytest.raises(NeedsError, match="flow map has no frames"):
            write_layout(ClipSet(clipset.table, [FlowMapSource("map.png")]), "casme2", tmp_path)
