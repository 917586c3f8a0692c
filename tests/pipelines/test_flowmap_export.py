"""Flow maps written in each layout are read back to the same clips, labels and maps."""

import csv

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, NeedsError, ParameterError, ResultsError
from microexpr.core.sources import ArraySource
from microexpr.data import label_map, load_flowmaps
from microexpr.features.flowmap import flow_map
from microexpr.pipelines.flowmap_export import EXPORT_LAYOUTS, export_flowmaps
from microexpr.testing import check_loader

# Data set, subject, clip, emotion; in the order of the official list, which "three_norm" does not hold.
CLIPS = (
    ("casme2", "sub01", "EP02_01f", "happiness"),
    ("casme2", "sub01", "EP19_05f", "disgust"),
    ("casme2", "sub02", "EP01_11f", "repression"),
    ("smic", "s01", "s01_ne_01", "negative"),
    ("samm", "006", "006_1_2", "anger"),
    ("samm", "007", "007_3_1", "surprise"),
)
LABELS = ["positive", "negative", "negative", "negative", "negative", "surprise"]


def clips_of(rows=CLIPS, **columns):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "dataset": [row[0] for row in rows],
            "subject": [f"{row[0]}/{row[1]}" for row in rows],
            "emotion": [row[3] for row in rows],
            "onset": 1,
            "apex": 3,
            "n_frames": 5,
            **columns,
        },
        index=[f"{row[0]}/{row[1]}/{row[2]}" for row in rows],
    )
    return ClipSet(table, [ArraySource(rng.integers(0, 256, (5, 40, 36), dtype=np.uint8)) for _ in rows])


def labelled(rows=CLIPS, **columns):
    return clips_of(rows, **columns).relabel(label_map("megc2019"))


@pytest.mark.parametrize("layout", EXPORT_LAYOUTS)
def test_each_layout_is_read_back_to_the_same_clips_labels_and_maps(layout, tmp_path):
    clips = labelled()
    assert export_flowmaps(clips, tmp_path / "out", method="dis", layout=layout) == len(CLIPS)
    read = load_flowmaps(tmp_path / "out")
    assert read.table.index.to_list() == clips.table.index.to_list()
    assert read.groups.tolist() == clips.groups.tolist()
    assert (read.y.tolist(), read.classes) == (LABELS, clips.classes)
    for clip, stored in zip(clips.clips, read.clips, strict=True):
        frames = clip.frames()
        np.testing.assert_array_equal(stored.flow_map(), flow_map(frames[1], frames[3], method="dis"))


@pytest.mark.parametrize("layout", EXPORT_LAYOUTS)
def test_each_layout_passes_the_checks_of_every_loader(layout, tmp_path):
    export_flowmaps(labelled(), tmp_path, method="dis", layout=layout)
    check_loader(load_flowmaps, tmp_path)


def test_maps_that_were_stored_are_exported_as_they_are(tmp_path):
    export_flowmaps(labelled(), tmp_path / "first", method="dis", layout="truth")
    stored = load_flowmaps(tmp_path / "first")
    export_flowmaps(stored, tmp_path / "second", layout="stsnet")
    assert load_flowmaps(tmp_path / "second").digest() == stored.digest()


def test_file_names_have_the_space_that_readers_ask_for(tmp_path):
    export_flowmaps(labelled(CLIPS[:1]), tmp_path, method="dis")
    path = tmp_path / "STSNet_whole_norm_u_v_os" / "sub01_EP02_01f .png"
    with Image.open(path) as image:
        assert (image.mode, image.size) == ("RGB", (28, 28))


def test_the_table_has_the_columns_that_readers_ask_for(tmp_path):
    export_flowmaps(labelled(CLIPS[:2]), tmp_path, method="dis")
    with open(tmp_path / "combined_3_class2_for_optical_flow.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["dataset", "sub", "filename_o", "label", "apex", "imagename", "sub_filename"],
        # The apex, position 3, is the fourth frame.
        ["casme2", "sub01", "EP02_01f", "1", "4", "", ""],
        ["casme2", "sub01", "EP19_05f", "0", "4", "", ""],
    ]


def test_the_truth_is_in_the_official_lists_format(tmp_path):
    export_flowmaps(labelled(CLIPS[-2:]), tmp_path, method="dis", layout="truth")
    assert (tmp_path / "truth.csv").read_bytes() == b"samm,006,006_1_2,0\nsamm,007,007_3_1,2\n"


def test_each_subject_is_tested_on_its_own_maps_and_trained_on_all_others(tmp_path):
    export_flowmaps(labelled(), tmp_path, method="dis", layout="three_norm")
    root = tmp_path / "three_norm_u_v_os"
    own = {str(path.relative_to(root / "sub01")) for path in (root / "sub01").rglob("*.png")}
    assert own == {
        "u_test/1/sub01_EP02_01f .png",
        "u_test/0/sub01_EP19_05f .png",
        "u_train/0/sub02_EP01_11f .png",
        "u_train/0/s01_s01_ne_01 .png",
        "u_train/0/006_006_1_2 .png",
        "u_train/2/007_007_3_1 .png",
    }
    assert len(list(root.rglob("*.png"))) == 5 * len(CLIPS)


def test_the_size_may_be_another(tmp_path):
    export_flowmaps(labelled(), tmp_path, method="dis", size=14)
    assert load_flowmaps(tmp_path).clips[0].flow_map().shape == (14, 14, 3)


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ResultsError, match="the folder is not empty"):
        export_flowmaps(labelled(), tmp_path, method="dis")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ResultsError, match="out: Not a directory"):
        export_flowmaps(labelled(), tmp_path / "out", method="dis")


def test_other_labels_are_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"labelled by no label map: flow maps are exported with .* megc2019"):
        export_flowmaps(clips_of(), tmp_path)
    five = clips_of(CLIPS[:3]).relabel(label_map("casme2-5"))
    with pytest.raises(ParameterError, match="labelled by casme2-5"):
        export_flowmaps(five, tmp_path)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"layout": "htnet"}, "layout is 'htnet': it must be one of 'stsnet', 'truth', 'three_norm'"),
        ({"method": "raft"}, "method is 'raft'"),
        ({"size": 0}, "size is 0: it must be at least 1"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(params, message, tmp_path):
    with pytest.raises(ParameterError, match=message):
        export_flowmaps(labelled(), tmp_path / "out", **params)
    assert not (tmp_path / "out").exists()


def test_a_clip_without_apex_is_refused_before_anything_is_written(tmp_path):
    clips = labelled(apex=[3, 3, 3, 3, 3, None])
    with pytest.raises(NeedsError, match="samm/007/007_3_1: the apex is unknown"):
        export_flowmaps(clips, tmp_path / "out", method="dis")
    assert not (tmp_path / "out").exists()


def test_two_clips_of_one_file_name_are_refused(tmp_path):
    rows = [("casme2", "sub01", "EP02_01", "happiness"), ("synthetic", "sub01", "EP02_01", "happiness")]
    with pytest.raises(DataError, match="casme2/sub01/EP02_01 and synthetic/sub01/EP02_01 would have one file"):
        export_flowmaps(labelled(rows), tmp_path, method="dis")


def test_a_layout_that_would_lose_the_data_set_is_refused(tmp_path):
    rows = [("synthetic", "sub01", "EP02_01", "happiness")]
    with pytest.raises(DataError, match="layout 'three_norm' does not say the data set"):
        export_flowmaps(labelled(rows), tmp_path, method="dis", layout="three_norm")
    export_flowmaps(labelled(rows), tmp_path, method="dis", layout="truth")
    assert load_flowmaps(tmp_path).table.index.to_list() == ["synthetic/sub01/EP02_01"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("casme2", "s01", "EP02_01", "happiness"), "subject 's01' is not written sub01, s01 or 001"),
        (("synthetic", "anna", "EP02_01", "happiness"), "subject 'anna' is not written"),
        (("casme2", "sub01", "a/b", "happiness"), "such a name cannot be written as one file name"),
        (("casme2", "sub01", "a ", "happiness"), "such a name cannot be written as one file name"),
    ],
)
def test_names_that_would_not_be_read_back_are_refused(row, message, tmp_path):
    with pytest.raises(DataError, match=message):
        export_flowmaps(labelled([row]), tmp_path / "out", method="dis")
    assert not (tmp_path / "out").exists()
