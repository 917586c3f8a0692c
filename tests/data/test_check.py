"""What a check of a folder says, for every data set of the catalogue."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toyset.casme2 import TOYS, write_casme2
from toyset.written import spoil, written

from microexpr.core.errors import ParameterError
from microexpr.data.check import check_dataset
from microexpr.data.layouts import LAYOUTS


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_in_order(layout, tmp_path):
    expected = written(layout, tmp_path)
    report = check_dataset(f"{LAYOUTS[layout].loader}={tmp_path}")
    assert report.ok, report.lines()
    assert report.counts["all"].sum() == len(expected) == len(report.clips)
    assert report.lines()[-1].endswith("in order")


def test_counts_are_by_subject_and_emotion(tmp_path):
    report = check_dataset(f"casme2={write_casme2(tmp_path)}")
    assert report.counts.loc["casme2/sub01"].to_dict() == {
        **dict.fromkeys(("others", "repression", "surprise"), 0),
        **{"disgust": 1, "happiness": 1, "all": 2},
    }
    assert "  casme2/sub01: 2 (disgust 1, happiness 1)" in report.lines()


def test_label_maps_say_what_they_keep_and_drop_and_why(tmp_path):
    maps = check_dataset(f"casme2={write_casme2(tmp_path)}").maps
    assert {"megc2019", "casme2-5", "casme2-7", "objective-5"} <= set(maps.index)
    assert "samm-5" not in maps.index
    row = maps.loc["megc2019"]
    assert (row["kept"], row["dropped"], row["subjects"]) == (4, 2, 3)
    assert row["classes"] == "negative 2, positive 1, surprise 1"
    assert "emotion 'others' has no class in megc2019 (1)" in row["why"]
    assert "left out by the megc2019 protocol" in row["why"]
    assert "which the data lacks" in maps.loc["objective-5", "why"]


def test_what_is_missing_and_what_is_contradictory_are_told_apart(tmp_path):
    root = write_casme2(tmp_path, [TOYS[0], replace(TOYS[1], apex=1), *TOYS[2:]])
    shutil.rmtree(root / "Cropped" / TOYS[0].folder)
    report = check_dataset(f"casme2={root}")
    assert not report.ok
    assert sorted(report.findings["kind"]) == ["contradictory", "missing"]
    assert len(report.clips) == len(TOYS) - 2
    assert report.lines()[-1].endswith("2 left out, 0 images unreadable")
    assert any(
        line.startswith("missing: casme2/sub01/EP02_01f: an annotation without frames") for line in report.lines()
    )


def test_damaged_images_are_found_only_when_every_image_is_opened(tmp_path):
    expected = written("casme", tmp_path, quirks=False)
    paths = [Path(path) for path in expected.sources[expected.table.index[0]].paths]
    paths[1].write_bytes(paths[1].read_bytes()[:100])
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(paths[2])
    assert check_dataset(f"casme={tmp_path}").ok
    report = check_dataset(f"casme={tmp_path}", read_frames=True)
    assert not report.ok
    assert report.unreadable["path"].to_list() == [str(paths[1]), str(paths[2])]
    assert "unreadable image" in report.unreadable["finding"].iloc[0]
    assert "frame of shape (5, 5), the clip's first has (34, 32)" in report.unreadable["finding"].iloc[1]


def test_images_of_long_videos_outside_the_intervals_are_opened_too(tmp_path):
    written("casmesq", tmp_path)
    first = tmp_path / "rawpic/s15/15_0101disgustingteeth/img1.jpg"
    first.write_bytes(b"x")
    report = check_dataset(f"casmesq={tmp_path}", read_frames=True)
    assert report.unreadable["clip_id"].to_list() == ["casmesq/s15/15_0101"]
    said = "5 long videos, 1 without an expression; intervals: 6 micro, 2 macro"
    assert report.remarks[0] == said
    assert check_dataset(f"casmesq:kinds=macro={tmp_path}").remarks[0] == said


def test_a_folder_that_cannot_be_loaded_is_a_report(tmp_path):
    report = check_dataset(f"casme2={tmp_path}")
    assert not report.ok
    assert report.clips is None
    assert "no coding table of CASME II" in report.error
    assert report.lines()[1].startswith("nothing could be loaded: ")
    assert report.tables() == {}


def test_what_strikes_the_eye_in_the_whole_set_is_a_remark(tmp_path):
    written("casme3", tmp_path)

    def respell(rows):
        rows[1][7], rows[2][7] = "Others", "others"

    spoil(tmp_path, respell)
    remarks = " ".join(check_dataset(f"casme3={tmp_path}").remarks)
    assert "emotions spelt in several ways, which label maps take as one: Others = others" in remarks
    assert "1 clips last longer than 0.5 s" in remarks


def test_corrections_are_made_when_asked_for_and_noted(tmp_path):
    expected = written("casme", tmp_path / "data", quirks=False)
    clip_id = expected.table.index[0]

    def misplace(rows):
        rows[1][4] = 9999

    spoil(tmp_path / "data", misplace)
    path = tmp_path / "mine.csv"
    path.write_text(f"dataset,clip,column,old,new,reason\ncasme,{clip_id},apex,9999,,impossible\n")
    assert check_dataset(f"casme={tmp_path / 'data'}").findings["kind"].to_list() == ["contradictory"]
    report = check_dataset(f"casme={tmp_path / 'data'}", corrections=str(path))
    assert report.ok
    assert report.notes["clip_id"].to_list() == [clip_id]
    assert "impossible" in " ".join(report.lines())


def test_tables_have_titles_in_reading_order(tmp_path):
    titles = list(check_dataset(f"casme2={write_casme2(tmp_path)}").tables())
    assert titles == ["clips by subject and emotion", "label maps"]


def test_a_spec_or_correction_that_does_not_exist_is_a_parameter_error():
    with pytest.raises(ParameterError, match="no data set is called"):
        check_dataset("imagenet=/nowhere")
    with pytest.raises(ParameterError, match="synthetic takes no corrections"):
        check_dataset("synthetic", corrections="samm-apex")


def test_stored_flow_maps_are_checked_too(tmp_path):
    (tmp_path / "maps").mkdir()
    for name in ("sub01_EP02_01f", "sub02_EP03_01f"):
        Image.fromarray(np.zeros((28, 28, 3), np.uint8)).save(tmp_path / "maps" / f"{name} .png")
    (tmp_path / "truth.csv").write_text("casme2,sub01,EP02_01f,1\ncasme2,sub02,EP03_01f,0\ncasme2,sub03,EP04_01f,2\n")
    report = check_dataset(f"flowmaps={tmp_path}", read_frames=True)
    assert len(report.clips) == 2
    assert report.findings["kind"].to_list() == ["missing"]
    (tmp_path / "maps" / "sub01_EP02_01f .png").write_bytes(b"x")
    assert len(check_dataset(f"flowmaps={tmp_path}", read_frames=True).unreadable) == 1
