"""Loading stored flow maps: three layouts, and truth and maps that disagree."""

import shutil

import numpy as np
import pytest
from PIL import Image

from microexpr.core.errors import DataError, NeedsError
from microexpr.data.flowmaps import load_flowmaps
from microexpr.testing import check_loader

# Data set, subject, clip, label: as in the official list, the SAMM clip as its users' third data set has it.
TRUTH = (
    ("casme2", "sub01", "EP02_01f", 1),
    ("casme2", "sub01", "EP19_05f", 0),
    ("casme2", "sub26", "EP18_51", 0),
    ("smic", "s01", "s01_ne_01", 0),
    ("smic", "s20", "s20_sur_05", 2),
    ("samm", "006", "006_1_2", 0),
    ("samm", "006", "006_3_5", 2),
)
IDS = [f"{dataset}/{subject}/{clip}" for dataset, subject, clip, _ in TRUTH]
LABELS = ["positive", "negative", "negative", "negative", "surprise", "negative", "surprise"]
COMBINED = "combined_3_class2_for_optical_flow.csv"


def write_map(path, red=10):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((28, 28, 3), (red, 20, 30), np.uint8)).save(path)


def write_maps(folder, *, space=" "):
    for number, (_, subject, clip, _) in enumerate(TRUTH):
        write_map(folder / f"{subject}_{clip}{space}.png", red=number)


def write_plain(root, truth=TRUTH):
    """truth.csv and maps/."""
    write_maps(root / "maps")
    (root / "truth.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in truth))
    return root


def write_combined(root, truth=TRUTH):
    """The table with a header, whose last two columns may be empty, beside the maps."""
    write_maps(root / "STSNet_whole_norm_u_v_os")
    lines = ["dataset,sub,filename_o,label,apex,imagename,sub_filename"]
    lines += [f"{dataset},{subject},{clip},{label},,{subject}_{clip}.jpg," for dataset, subject, clip, label in truth]
    (root / COMBINED).write_text("\n".join(lines) + "\n")
    return root


def write_split(root):
    """One folder a subject: its own clips in u_test, all others' in u_train."""
    for tested in sorted({subject for _, subject, _, _ in TRUTH}):
        for number, (_, subject, clip, label) in enumerate(TRUTH):
            part = "u_test" if subject == tested else "u_train"
            folder = root / "three_norm_u_v_os" / tested / part
            write_map(folder / str(label) / f"{subject}_{clip} .png", red=number)
    return root


LAYOUTS = {"plain": write_plain, "combined": write_combined, "split": write_split}


@pytest.fixture(params=LAYOUTS)
def layout(request, tmp_path):
    return LAYOUTS[request.param](tmp_path / request.param)


@pytest.fixture
def plain(tmp_path):
    return write_plain(tmp_path / "maps_of_all")


def refusal(root, **options):
    with pytest.raises(DataError) as caught:
        load_flowmaps(root, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


# What every layout gives.


def test_passes_the_checks_of_every_loader(layout):
    check_loader(load_flowmaps, layout)


def test_gives_the_clips_in_the_order_of_the_official_list(layout):
    assert load_flowmaps(layout).table.index.to_list() == IDS


def test_gives_the_labels_of_megc2019(layout):
    clips = load_flowmaps(layout)
    assert (clips.labels, clips.classes) == ("megc2019", ("negative", "positive", "surprise"))
    assert clips.y.tolist() == LABELS
    assert clips.table["emotion"].to_list() == LABELS


def test_subjects_are_text_and_qualified(layout):
    assert load_flowmaps(layout).groups.tolist() == [f"{dataset}/{subject}" for dataset, subject, _, _ in TRUTH]


def test_each_clip_has_its_own_map_with_u_in_the_first_channel(layout):
    assert [clip.flow_map()[0, 0].tolist() for clip in load_flowmaps(layout).clips] == [
        [number, 20, 30] for number in range(len(TRUTH))
    ]


def test_clips_have_no_frames_and_say_so(layout):
    with pytest.raises(NeedsError, match="casme2/sub01/EP02_01f: a stored flow map has no frames"):
        load_flowmaps(layout).clips[0].frames()


def test_all_layouts_of_the_same_maps_have_one_digest(tmp_path):
    digests = {load_flowmaps(write(tmp_path / name)).digest() for name, write in LAYOUTS.items()}
    assert len(digests) == 1


def test_no_image_is_opened_at_load(layout):
    for path in layout.rglob("*.png"):
        path.write_bytes(b"no image")
    assert len(load_flowmaps(layout)) == len(TRUTH)


def test_root_may_be_the_parent(layout):
    assert len(load_flowmaps(layout.parent)) == len(TRUTH)


# Layouts and names.


def test_space_before_the_extension_may_be_absent(tmp_path):
    write_plain(tmp_path)
    shutil.rmtree(tmp_path / "maps")
    write_maps(tmp_path / "maps", space="")
    assert len(load_flowmaps(tmp_path)) == len(TRUTH)


def test_root_may_be_the_folder_of_the_maps(plain):
    assert load_flowmaps(plain / "maps").table.index.to_list() == IDS


def test_root_may_be_the_folder_of_the_subjects(tmp_path):
    assert len(load_flowmaps(write_split(tmp_path) / "three_norm_u_v_os")) == len(TRUTH)


def test_table_two_folders_above_the_maps_is_found(tmp_path):
    write_combined(tmp_path)
    (tmp_path / "datasets").mkdir()
    (tmp_path / "STSNet_whole_norm_u_v_os").rename(tmp_path / "datasets" / "STSNet_whole_norm_u_v_os")
    assert len(load_flowmaps(tmp_path)) == len(TRUTH)
    assert len(load_flowmaps(tmp_path / "datasets" / "STSNet_whole_norm_u_v_os")) == len(TRUTH)


def test_table_with_the_maps_wins_over_the_subjects_folders(tmp_path):
    write_split(write_combined(tmp_path))
    assert "STSNet_whole_norm_u_v_os" in load_flowmaps(tmp_path).table["source"].iloc[0]


def test_other_pictures_of_the_same_names_do_not_disturb(plain):
    write_map(plain / "pictures" / "sub01_EP02_01f.png")
    assert load_flowmaps(plain).table["source"].str.contains("/maps/").all()


def test_stray_files_are_passed_over(layout):
    for folder in [path for path in layout.rglob("*") if path.is_dir()]:
        for name in ("Thumbs.db", ".DS_Store", "._sub01_EP02_01f .png"):
            (folder / name).write_bytes(b"x")
    assert len(load_flowmaps(layout)) == len(TRUTH)


def test_truth_may_have_a_header_a_byte_order_mark_and_windows_line_ends(plain):
    text = (plain / "truth.csv").read_text().replace("\n", "\r\n")
    (plain / "truth.csv").write_bytes(b"\xef\xbb\xbfdataset,subject,clip,label\r\n" + text.encode() + b"\r\n")
    assert load_flowmaps(plain).table.index.to_list() == IDS


def test_truth_may_lie_elsewhere(plain, tmp_path):
    elsewhere = tmp_path / "list.csv"
    (plain / "truth.csv").rename(elsewhere)
    assert len(load_flowmaps(plain, truth=elsewhere)) == len(TRUTH)


# What is missing or damaged.


def test_missing_folder_is_named():
    assert refusal("/nowhere/maps") == "/nowhere/maps: no such folder"


def test_file_in_place_of_the_folder_is_named(plain):
    assert "flow maps are a folder" in refusal(plain / "truth.csv")


def test_empty_folder_says_what_was_looked_for(tmp_path):
    message = refusal(tmp_path)
    for word in (str(tmp_path), "truth.csv with maps/*.png", COMBINED, "three_norm_u_v_os", "3 levels below"):
        assert word in message


def test_maps_without_a_truth_say_what_was_looked_for(plain):
    (plain / "truth.csv").unlink()
    message = refusal(plain)
    assert f"{plain / 'maps'}: flow maps without a truth file; looked for truth.csv or {COMBINED}" in message


def test_truth_without_maps_says_so(plain):
    shutil.rmtree(plain / "maps")
    assert f"there is {plain / 'truth.csv'}, but no map" in refusal(plain)


def test_missing_truth_of_another_name_is_named(plain):
    assert refusal(plain, truth="/nowhere.csv") == "truth /nowhere.csv: no such file"


def test_two_folders_of_maps_are_refused(plain):
    shutil.copytree(plain / "maps", plain / "more" / "maps")
    assert "several folders hold flow maps" in refusal(plain)


def test_two_truth_files_are_refused(tmp_path):
    write_combined(write_plain(tmp_path))
    assert "two truth files" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("casme2,sub02,EP01_11f", "line 8: data set, subject, clip and label are needed"),
        ("casme2;sub02;EP01_11f;0", "line 8: data set, subject, clip and label are needed"),
        ("casme2,,EP01_11f,0", "line 8: data set, subject, clip and label are needed"),
        ("casme2,sub02,EP01_11f,3", "line 8: label '3' of EP01_11f; it must be 0, 1 or 2"),
        ("casme2,sub02,EP01_11f,negative", "label 'negative' of EP01_11f"),
        ("casme2,sub01,EP02_01f,1", "line 8: casme2/sub01/EP02_01f occurs twice"),
        ("casme2,sub01,EP02_01f,0", "line 8: casme2/sub01/EP02_01f occurs twice"),
        ("samm,6,006_1_3,0", "line 8: '6' is no subject of samm"),
        ("smic,sub01,EP02_01f,1", "line 8: 'sub01' is no subject of smic"),
        ("other,sub01,EP02_01f,1", "casme2/sub01/EP02_01f and other/sub01/EP02_01f have one map"),
    ],
)
def test_damaged_truth_is_named_with_its_line(plain, line, words):
    with open(plain / "truth.csv", "a") as file:
        file.write(line + "\n")
    message = refusal(plain, allow_incomplete=True)
    assert str(plain / "truth.csv") in message
    assert words in message


def test_truth_that_is_no_text_is_named(plain):
    (plain / "truth.csv").write_bytes(b"\xff\xfe\x00\x00")
    assert "truth.csv: not a CSV text file" in refusal(plain)


def test_empty_truth_is_refused(plain):
    (plain / "truth.csv").write_text("\n")
    assert "disagree on 7 clips" in refusal(plain)
    assert "no flow map is left" in refusal(plain, allow_incomplete=True)


def test_missing_column_is_named(tmp_path):
    write_combined(tmp_path)
    text = (tmp_path / COMBINED).read_text()
    (tmp_path / COMBINED).write_text(text.replace("filename_o", "name", 1))
    assert f"{COMBINED}: no column clip or filename_o; the header has dataset, sub, name" in refusal(tmp_path)


def test_two_maps_of_one_clip_are_refused(plain):
    write_map(plain / "maps" / "sub01_EP02_01f.png")
    assert "two maps of sub01_EP02_01f" in refusal(plain, allow_incomplete=True)


# Truth and maps that disagree.


@pytest.mark.parametrize("write", [write_plain, write_combined])
def test_clip_without_a_map_is_named(tmp_path, write):
    write(tmp_path)
    next(tmp_path.rglob("s01_s01_ne_01 .png")).unlink()
    message = refusal(tmp_path)
    assert str(tmp_path) in message
    assert "truth and maps disagree on 1 clip: smic/s01/s01_ne_01 (no map s01_s01_ne_01 .png)" in message
    assert "--allow-incomplete" in message


@pytest.mark.parametrize("write", [write_plain, write_combined])
def test_map_without_a_truth_is_named(tmp_path, write):
    write(tmp_path, TRUTH[1:])
    assert "disagree on 1 clip: sub01_EP02_01f (a map without a truth: " in refusal(tmp_path)


def test_incomplete_folder_loads_when_asked_for_and_lists_what_it_left_out(plain):
    (plain / "maps" / "s01_s01_ne_01 .png").unlink()
    write_map(plain / "maps" / "sub02_EP01_11f .png")
    clips = load_flowmaps(plain, allow_incomplete=True)
    assert clips.table.index.to_list() == [clip_id for clip_id in IDS if clip_id != "smic/s01/s01_ne_01"]
    assert clips.findings["clip_id"].to_list() == ["smic/s01/s01_ne_01", "sub02_EP01_11f"]


def test_many_disagreements_are_counted(plain):
    shutil.rmtree(plain / "maps")
    write_map(plain / "maps" / "sub01_EP02_01f .png")
    message = refusal(plain)
    assert "disagree on 6 clips" in message
    assert "and 3 more" in message


def move(root, subject, part, before, after, name="sub01_EP02_01f .png"):
    folder = root / "three_norm_u_v_os" / subject / part
    (folder / str(after)).mkdir(exist_ok=True)
    (folder / str(before) / name).rename(folder / str(after) / name)


def test_split_whose_train_label_differs_is_refused(tmp_path):
    move(write_split(tmp_path), "s01", "u_train", 1, 2)
    message = refusal(tmp_path, allow_incomplete=True)
    assert "u_test and u_train disagree on the label of sub01_EP02_01f (test 1, train 1 and 2)" in message


def test_split_whose_test_label_differs_is_refused(tmp_path):
    move(write_split(tmp_path), "sub01", "u_test", 1, 0)
    assert "sub01_EP02_01f (test 0, train 1)" in refusal(tmp_path)


def test_split_with_a_clip_of_two_labels_in_u_test_is_refused(tmp_path):
    write_split(tmp_path)
    write_map(tmp_path / "three_norm_u_v_os/sub01/u_test/0/sub01_EP02_01f .png")
    assert "sub01_EP02_01f is in u_test as 0 and as 1" in refusal(tmp_path)


def test_split_that_trains_on_its_own_subject_is_refused(tmp_path):
    write_split(tmp_path)
    write_map(tmp_path / "three_norm_u_v_os/sub01/u_train/1/sub01_EP02_01f .png")
    assert "a map of subject sub01 in its own u_train" in refusal(tmp_path, allow_incomplete=True)


def test_split_that_tests_on_another_subject_is_refused(tmp_path):
    write_split(tmp_path)
    write_map(tmp_path / "three_norm_u_v_os/sub01/u_test/0/s01_s01_ne_01 .png")
    assert "a map in u_test of subject sub01, but of another one" in refusal(tmp_path)


def test_split_without_the_folder_of_a_subject_is_named(tmp_path):
    shutil.rmtree(write_split(tmp_path) / "three_norm_u_v_os" / "s20")
    assert "disagree on 1 clip: s20_s20_sur_05 (in u_train, but in no u_test" in refusal(tmp_path)
    assert len(load_flowmaps(tmp_path, allow_incomplete=True)) == len(TRUTH) - 1


def test_split_with_a_folder_of_no_class_is_refused(tmp_path):
    write_split(tmp_path)
    write_map(tmp_path / "three_norm_u_v_os/sub01/u_test/3/sub01_EP02_01f .png")
    assert "u_test/3: no folder of a class" in refusal(tmp_path)


def test_split_with_a_folder_of_no_subject_is_refused(tmp_path):
    folder = write_split(tmp_path) / "three_norm_u_v_os"
    (folder / "sub01").rename(folder / "anna")
    assert "anna: no subject of casme2 (sub01), smic (s01) or samm (006)" in refusal(tmp_path)


# The real maps.


@pytest.mark.real
def test_real_maps_are_309_clips_of_40_subjects(real_maps):
    clips = load_flowmaps(real_maps)
    assert len(clips) == 309
    assert clips.table.groupby("dataset")["subject"].nunique().to_dict() == {"casme2": 24, "smic": 16}
    counts = clips.table.groupby(["dataset", "label"]).size().to_dict()
    assert counts == {
        **{("casme2", "negative"): 88, ("casme2", "positive"): 32, ("casme2", "surprise"): 25},
        **{("smic", "negative"): 70, ("smic", "positive"): 51, ("smic", "surprise"): 43},
    }
    first, last = clips.table.iloc[0], clips.table.iloc[-1]
    assert (first.name, first["subject"], first["label"]) == ("casme2/sub01/EP02_01f", "casme2/sub01", "positive")
    assert (last.name, last["subject"], last["label"]) == ("smic/s20/s20_sur_05", "smic/s20", "surprise")
    assert clips.table.loc["smic/s03/s03_ne_05", "source"].endswith("s03_s03_ne_05 .png")


@pytest.mark.real
def test_real_maps_pass_the_checks_of_every_loader(real_maps):
    check_loader(load_flowmaps, real_maps)


@pytest.mark.real
def test_real_maps_are_28_x_28_rgb(real_maps):
    assert {clip.flow_map().shape for clip in load_flowmaps(real_maps).clips} == {(28, 28, 3)}
