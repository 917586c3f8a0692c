"""Loading CK+: sequences that end at their apex, emotions in text files, and many sequences without one."""

import shutil

import pytest
from toyset.tables import write_empty, write_numbered

from microexpr.core.errors import DataError
from microexpr.data.catalog import load_data
from microexpr.data.ckplus import load_ckplus
from microexpr.data.layouts import LAYOUTS, write_layout
from microexpr.data.synthetic import make_clips
from microexpr.testing import check_loader

#: Sequences, how many frames they have, and what their emotion file holds (None: there is none).
TOYS = {
    "S005/001": (11, "   3.0000000e+00\n"),
    "S010/001": (3, None),
    "S010/002": (4, "   7.0000000e+00\n"),
    "S011/006": (5, "5"),
}
IMAGES, EMOTIONS = "cohn-kanade-images", "Emotion"


def write_ckplus(root, toys=TOYS, images=IMAGES, emotions=EMOTIONS):
    for folder, (count, text) in toys.items():
        stem = folder.replace("/", "_")
        write_numbered(root / images / folder, [f"{stem}_{number:08d}.png" for number in range(1, count + 1)])
        (root / emotions / folder).mkdir(parents=True)
        if text is not None:
            (root / emotions / folder / f"{stem}_{count:08d}_emotion.txt").write_text(text)
    return root


@pytest.fixture
def root(tmp_path):
    return write_ckplus(tmp_path / "CK+")


def refusal(root, **options):
    with pytest.raises(DataError) as caught:
        load_ckplus(root, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def one_finding(root, clip_id, *words):
    message = refusal(root)
    for word in ("1 finding ", clip_id, "--allow-incomplete", *words):
        assert word in message
    clips = load_ckplus(root, allow_incomplete=True)
    assert clips.findings["clip_id"].to_list() == [clip_id]
    assert clip_id not in clips.table.index


def test_passes_the_checks_of_every_loader(root):
    check_loader(load_ckplus, root)


def test_sequences_end_at_their_apex_and_have_no_offset(root):
    clip = load_ckplus(root).clips[0]
    assert (clip.onset, clip.apex, clip.offset, clip.n_frames, clip.fps) == (0, 10, None, 11, 30.0)
    assert clip.frames()[:, 0, 0].tolist() == list(range(1, 12))


def test_emotion_is_the_number_in_the_file(root):
    table = load_ckplus(root).table
    assert table["emotion"].fillna("-").to_list() == ["disgust", "-", "surprise", "happy"]
    assert table["subject"].to_list() == ["ckplus/S005", "ckplus/S010", "ckplus/S010", "ckplus/S011"]


@pytest.mark.parametrize(
    ("number", "emotion"),
    list(enumerate(("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise"), start=1)),
)
def test_numbers_are_those_of_the_data_sets_text(tmp_path, number, emotion):
    write_ckplus(tmp_path, {"S005/001": (3, f"   {number}.0000000e+00\n")})
    assert load_ckplus(tmp_path).table["emotion"].to_list() == [emotion]


def test_sequence_without_emotion_is_no_finding_and_label_maps_say_why_it_is_dropped(root):
    assert load_ckplus(root).findings.empty
    clips = load_data(f"ckplus={root}", labels="ckplus-7")
    assert clips.y.tolist() == ["disgust", "surprise", "happiness"]
    assert clips.dropped.to_numpy().tolist() == [["ckplus/S010/001", "no emotion is given"]]
    assert load_data(f"ckplus={root}").y.tolist() == ["negative", "surprise", "positive"]


def test_missing_folder_of_one_emotion_is_a_sequence_without_emotion(root):
    shutil.rmtree(root / EMOTIONS / "S005")
    assert load_ckplus(root).table["emotion"].isna().sum() == 2


def test_nested_folders_and_other_annotations_of_the_same_layout_are_told_apart(tmp_path):
    write_ckplus(tmp_path, images="extended/cohn-kanade-images", emotions="Emotion_labels/Emotion")
    write_empty(tmp_path / "FACS_labels/FACS/S005/001", ["S005_001_00000011_facs.txt"])
    write_empty(tmp_path / "Landmarks/Landmarks/S005/001", ["S005_001_00000001_landmarks.txt"])
    (tmp_path / "extended/cohn-kanade-images/S010/.DS_Store").write_bytes(b"x")
    assert len(load_ckplus(tmp_path)) == 4


@pytest.mark.parametrize("text", ["", "three", "0", "8", "3.5", "3 4", "nan"])
def test_file_without_an_emotion_from_1_to_7_is_a_finding(tmp_path, text):
    write_ckplus(tmp_path, {**TOYS, "S005/001": (11, text)})
    one_finding(tmp_path, "ckplus/S005/001", "no emotion from 1 to 7 in", "S005_001_00000011_emotion.txt")


def test_several_emotion_files_are_a_finding(root):
    (root / EMOTIONS / "S005/001/S005_001_00000009_emotion.txt").write_text("3")
    one_finding(root, "ckplus/S005/001", "several emotion files")


def test_emotion_without_frames_empty_folder_and_gap_are_findings(root):
    images = root / IMAGES / "S005/001"
    (images / "S005_001_00000004.png").unlink()
    one_finding(root, "ckplus/S005/001", "frame 4 has no file, the clip's frames run from 1 to 11")
    for path in images.iterdir():
        path.unlink()
    one_finding(root, "ckplus/S005/001", "an empty folder")
    images.rmdir()
    one_finding(root, "ckplus/S005/001", "an emotion without frames")


def test_missing_folders_say_what_was_looked_for(root):
    assert refusal("/nowhere/CK") == "/nowhere/CK: no such folder"
    shutil.rmtree(root / EMOTIONS)
    assert "no emotions of CK+; looked for Emotion/S005/001/S005_001_00000011_emotion.txt" in refusal(root)
    shutil.rmtree(root / IMAGES)
    assert "no frames of CK+; looked for cohn-kanade-images/S005/001/S005_001_00000001.png" in refusal(root)


def test_two_copies_of_the_images_are_refused(root):
    shutil.copytree(root / IMAGES, root / "copy" / IMAGES)
    assert "several folders hold frames of CK+" in refusal(root)


def test_twin_is_read_back_to_the_same_clips(tmp_path):
    arguments = {**LAYOUTS["ckplus"].clips, "duration": (0.2, 0.3)}
    written = write_layout(make_clips(2, 8, size=(48, 40), **arguments), "ckplus", tmp_path)
    read = load_ckplus(tmp_path)
    columns = ["subject", "emotion", "onset", "apex", "offset", "n_frames", "fps", "source"]
    assert read.table[columns].equals(written.table[columns])
    assert read.digest() == written.digest()
    assert read.table["emotion"].isna().to_list() == [False] * 15 + [True]


def test_twin_refuses_emotions_that_ck_plus_does_not_have(tmp_path):
    with pytest.raises(DataError, match="emotion 'others'; CK\\+ has anger"):
        write_layout(make_clips(1, 1, classes=("others",), fps=30.0), "ckplus", tmp_path)
