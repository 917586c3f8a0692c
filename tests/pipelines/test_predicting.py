"""Clips on disk named by a model: videos, folders of frames, flow maps, and what is wrong with others."""

from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest
from toyset.films import write_film

from microexpr.core.errors import NoAnswer, ParameterError, ResultsError
from microexpr.data import make_clips
from microexpr.pipelines import predicting
from microexpr.pipelines.modelfitting import fit_model
from microexpr.pipelines.models import Model
from microexpr.pipelines.predicting import predict_files, prepare_file, write_named
from microexpr.pipelines.report.model_text import print_named

CLIPS = make_clips(n_subjects=3, clips_per_subject=3, duration=(0.12, 0.16), fps=100.0)
FAST = {"flowmap__method": "dis"}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """One of motion, one of all frames, one that needs nothing but tells probabilities."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROEXPR_CACHE", str(tmp_path_factory.mktemp("cache")))
        return {
            "motion": fit_model("flow-svm", CLIPS, params=FAST),
            "pixels": fit_model("lbptop-svm", CLIPS, params={"lbptop__blocks": (2, 2, 1)}),
            "shares": fit_model("majority", CLIPS),
        }


def _folder(path, frames, *, name="img{}.png"):
    path.mkdir()
    for number, frame in enumerate(frames):
        cv2.imwrite(str(path / name.format(number)), frame)
    return path


def _rgb(frames):
    return np.repeat(frames[..., np.newaxis], 3, axis=-1)


def test_a_folder_is_named_as_the_clip_is(models, tmp_path):
    for clip in CLIPS.clips[:3]:
        # More than ten frames, so that img10 comes before img2 in the order of the alphabet.
        assert clip.n_frames > 10
        folder = _folder(tmp_path / clip.clip_id.replace("/", "-"), clip.frames())
        named = predict_files(models["motion"], [folder], apex=clip.apex, onset=clip.onset)
        [row] = named.table.to_dict("records")
        assert row["label"] == models["motion"].predict([clip])["label"].iloc[0]
        assert (row["clip_id"], row["onset"], row["apex"]) == (str(folder), clip.onset, clip.apex)
        assert row["notes"] == ""


def test_frames_of_a_folder_are_ordered_by_number(models, tmp_path):
    clip = CLIPS.clips[0]
    folder = _folder(tmp_path / "clip", clip.frames())
    prepared = prepare_file(folder, models["shares"])
    assert np.array_equal(prepared.clip.frames(), clip.frames())


def test_a_video_has_its_rate_and_its_first_frame_for_an_onset(models, tmp_path):
    film = write_film(tmp_path / "clip.mp4", _rgb(CLIPS.clips[0].frames()), fps=50)
    prepared = prepare_file(film, models["shares"])
    assert (prepared.clip.fps, prepared.clip.onset, prepared.clip.apex) == (50.0, 0, None)
    assert prepared.clip.n_frames == CLIPS.clips[0].n_frames


def test_a_face_in_a_room_is_aligned_unless_told_not_to(models, tmp_path):
    frames = CLIPS.clips[0].frames()
    room = np.full((len(frames), 240, 320), 90, np.uint8)
    room[:, 40:180, 120:240] = frames
    folder = _folder(tmp_path / "room", room)
    prepared = prepare_file(folder, models["pixels"])
    assert prepared.notes == ("aligned",)
    assert prepared.clip.frames().shape[1:] == (140, 120)
    left = prepare_file(folder, models["pixels"], align="never")
    assert left.notes == ()
    assert left.clip.frames().shape[1:] == (240, 320)


def test_where_the_place_in_training_is_unknown_the_note_says_so(models, tmp_path):
    model = replace(models["shares"], framing=replace(models["shares"].framing, size=(280, 230), measured=False))
    folder = _folder(tmp_path / "clip", CLIPS.clips[0].frames())
    assert prepare_file(folder, model).notes == ("aligned to the usual place, that of training is unknown",)


def test_an_apex_is_searched_where_the_method_needs_one(models, tmp_path):
    clip = CLIPS.clips[0]
    folder = _folder(tmp_path / "clip", clip.frames())
    found = prepare_file(folder, models["motion"])
    assert found.notes == ("apex searched",)
    assert 0 < found.clip.apex < clip.n_frames
    assert prepare_file(folder, models["pixels"]).clip.apex is None


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"onset": 99}, "onset 99 lies outside the clip's"),
        ({"apex": 99}, "apex 99 lies outside the clip's"),
        ({"onset": 5, "apex": 5}, "apex 5 must come after the onset 5"),
        ({"apex": 0}, "apex 0 must come after the onset 0"),
    ],
)
def test_positions_that_cannot_be_fail_that_clip(options, match, models, tmp_path):
    folder = _folder(tmp_path / "clip", CLIPS.clips[0].frames())
    named = predict_files(models["motion"], [folder], **options)
    assert len(named.table) == 0
    assert match in named.failures[str(folder)]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"align": "maybe"}, "align is 'maybe'"),
        ({"onset": -1}, "onset is -1"),
        ({"apex": 1.5}, "apex is 1.5"),
        ({"find_apex": "eyes"}, "find_apex is 'eyes'"),
    ],
)
def test_options_that_are_not_allowed_stop_everything(options, match, models):
    with pytest.raises(ParameterError, match=match):
        predict_files(models["motion"], ["clip.mp4"], **options)


def test_no_clip_is_an_error(models):
    with pytest.raises(ParameterError, match="no clip is named"):
        predict_files(models["motion"], [])


def test_clips_that_cannot_be_named_do_not_stop_the_others(models, tmp_path):
    good = CLIPS.clips[0].frames()
    wall = np.full((4, 140, 120), 90, np.uint8)
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty").mkdir()
    paths = {
        "no such file": tmp_path / "none.mp4",
        "cannot be opened as a video": tmp_path / "text.mp4",
        "no images in": tmp_path / "empty",
        "it has 1 frame: a clip has 2 at least": _folder(tmp_path / "one", good[:1]),
        "no face is found in its first frame": _folder(tmp_path / "wall", wall),
        "no frame number in the name": _folder(tmp_path / "names", good[:1], name="first.png"),
        "unreadable image|not an image": _folder(tmp_path / "broken", good[:3]),
    }
    (tmp_path / "broken" / "img1.png").write_bytes(b"no picture")
    sound = _folder(tmp_path / "sound", good)
    named = predict_files(models["motion"], [*paths.values(), sound])
    assert named.table["clip_id"].tolist() == [str(sound)]
    assert list(named.failures) == [str(path) for path in paths.values()]
    for match, path in paths.items():
        said = named.failures[str(path)]
        assert any(part in said for part in match.split("|")), said
        assert str(path) in said
        assert "\n" not in said


def _small(path):
    """Write frames whose eyes are some 19 pixels apart."""
    frames = CLIPS.clips[0].frames()
    room = np.full((len(frames), 200, 240), 90, np.uint8)
    for there, frame in zip(room, frames, strict=True):
        there[60:102, 80:116] = cv2.resize(frame, (36, 42), interpolation=cv2.INTER_AREA)
    return _folder(path, room)


def test_a_clip_without_an_answer_has_a_row_that_says_why(models, tmp_path, capsys):
    small, sound = _small(tmp_path / "small"), _folder(tmp_path / "sound", CLIPS.clips[0].frames())
    named = predict_files(models["shares"], [small, sound])
    assert named.failures == {}
    first, second = named.table.to_dict("records")
    assert (first["clip_id"], first["label"]) == (str(small), "no answer")
    assert first["notes"].startswith("its face is too small: the outer corners of the eyes lie")
    assert all(pd.isna(first[name]) for name in named.table if name not in ("clip_id", "label", "notes"))
    alone = predict_files(models["shares"], [sound]).table
    assert list(named.table) == list(alone)
    pd.testing.assert_frame_equal(named.table.iloc[1:].reset_index(drop=True), alone)
    print_named(named, models["shares"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "no answer" in printed
    assert "its face is too" in printed
    write_named(named, tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["label"].tolist() == ["no answer", second["label"]]


def test_clips_may_all_be_without_an_answer(models, tmp_path):
    named = predict_files(models["shares"], [_small(tmp_path / "one"), _small(tmp_path / "two")])
    assert list(named.table) == ["clip_id", "label", "onset", "apex", "notes"]
    assert named.table["label"].tolist() == ["no answer", "no answer"]
    assert named.table[["onset", "apex"]].dtypes.tolist() == ["Int64", "Int64"]


def test_a_still_clip_has_no_answer_where_an_apex_would_be_searched_for(models, tmp_path):
    still = _folder(tmp_path / "still", np.repeat(CLIPS.clips[0].frames()[:1], 5, axis=0))
    [row] = predict_files(models["motion"], [still]).table.to_dict("records")
    assert (row["label"], row["notes"]) == ("no answer", "it shows no motion: all 5 frames are the same")
    assert predict_files(models["shares"], [still]).table["label"].tolist() != ["no answer"]


def test_what_a_model_declines_loses_the_name_of_the_clip(models, tmp_path, monkeypatch):
    def decline(_, clips):
        raise NoAnswer(f"{clips[0].clip_id}: motion too large: a cut")

    monkeypatch.setattr(Model, "predict", decline)
    folder = _folder(tmp_path / "clip", CLIPS.clips[0].frames())
    named = predict_files(models["shares"], [folder])
    assert named.table[["clip_id", "label", "notes"]].values.tolist() == [
        [str(folder), "no answer", "motion too large: a cut"]
    ]
    assert named.failures == {}


def test_a_video_of_one_frame_is_refused(models, tmp_path):
    film = write_film(tmp_path / "one.mp4", _rgb(CLIPS.clips[0].frames()[:1]))
    named = predict_files(models["motion"], [film])
    assert "it has 1 frame: a clip has 2 at least" in named.failures[str(film)]


def test_a_long_video_is_refused_while_it_is_read(models, tmp_path, monkeypatch):
    monkeypatch.setattr(predicting, "_MOST_FRAMES", 5)
    film = write_film(tmp_path / "long.mp4", _rgb(CLIPS.clips[0].frames()))
    named = predict_files(models["motion"], [film])
    assert "it has more than 5 frames: a clip shows one expression; `microexpr watch`" in named.failures[str(film)]


def _map(path, seed=0):
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 256, (28, 28, 3), dtype=np.uint8))
    return path


def test_a_flow_map_goes_to_a_method_of_motion_alone(models, tmp_path):
    stored = _map(tmp_path / "map.png")
    [row] = predict_files(models["motion"], [stored]).table.to_dict("records")
    assert row["label"] in CLIPS.classes
    assert pd.isna(row["onset"])
    assert pd.isna(row["apex"])
    failed = predict_files(models["pixels"], [stored]).failures[str(stored)]
    assert "lbptop-svm needs frames, not a stored flow map" in failed
    failed = predict_files(models["motion"], [stored], apex=3).failures[str(stored)]
    assert "a stored flow map has no frames, so onset and apex cannot be given" in failed


def test_a_photograph_is_no_flow_map(models, tmp_path):
    face = tmp_path / "face.png"
    cv2.imwrite(str(face), _rgb(CLIPS.clips[0].frames()[:1])[0])
    assert "it shows a face, so it is a picture" in predict_files(models["motion"], [face]).failures[str(face)]
    photograph = tmp_path / "face.jpg"
    cv2.imwrite(str(photograph), CLIPS.clips[0].frames()[0])
    said = predict_files(models["motion"], [photograph]).failures[str(photograph)]
    assert "a single picture shows no motion" in said
    grey = tmp_path / "grey.png"
    cv2.imwrite(str(grey), np.zeros((28, 28), np.uint8))
    assert "a grey image; a flow map has three channels" in predict_files(models["motion"], [grey]).failures[str(grey)]


def test_the_table_is_printed_with_its_cautions_and_written(models, tmp_path, capsys):
    folder = _folder(tmp_path / "clip", CLIPS.clips[0].frames())
    named = predict_files(models["shares"], [folder])
    print_named(named, models["shares"])
    printed = capsys.readouterr().out
    # Of nine clips three are of each class: the first of them is always named, with all of the probability.
    assert "negative" in printed
    assert "1.000" in printed
    assert "never judge a person by it" in printed
    assert "was not measured" in printed
    write_named(named, tmp_path / "out.csv")
    read = pd.read_csv(tmp_path / "out.csv")
    assert list(read) == [
        "clip_id",
        "label",
        "proba_negative",
        "proba_positive",
        "proba_surprise",
        "onset",
        "apex",
        "notes",
    ]
    assert read["clip_id"].tolist() == [str(folder)]


def test_a_table_that_cannot_be_written_is_an_error(models, tmp_path):
    folder = _folder(tmp_path / "clip", CLIPS.clips[0].frames())
    named = predict_files(models["shares"], [folder])
    with pytest.raises(ResultsError, match=r"cannot write .*img0\.png"):
        write_named(named, folder / "img0.png" / "out.csv")
