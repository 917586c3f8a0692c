"""Commands on videos and models, as a user types them: what they write, what they say, how they end."""

import numpy as np
import pandas as pd
import pytest
from toyset.commandline import refused
from toyset.films import write_film

from microexpr.data import make_clips, make_videos
from microexpr.pipelines.review import read_events_csv


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    videos = make_videos(1, 1, seconds=9, micro=1, macro=0, speech=False, head_motion=False)
    [source] = videos.sources.values()
    frames = np.repeat(source.read()[..., None], 3, axis=3)
    return write_film(tmp_path_factory.mktemp("films") / "face.mp4", frames, fps=30)


@pytest.fixture
def model(console, tmp_path):
    path = tmp_path / "flow.mxm"
    settings = ("--set", "flowmap__method=dis", "--no-measure")
    data = "synthetic:n_subjects=3,clips_per_subject=3"
    answer = console("fit", "flow-svm", "--data", data, "--out", path, *settings)
    assert answer.code == 0, answer.err
    return path


def test_watch_spots_names_and_writes_where_nobody_says_where(console, film, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = console("watch", film, "--model", model)
    assert answer.code == 0, answer.err
    assert "micro-expression of 0." in answer.out
    table = read_events_csv(tmp_path / "face-events" / "events.csv")
    [label] = table.loc[table["kind"] == "micro", "label"]
    assert label in ("negative", "positive", "surprise")
    assert set(table.loc[table["kind"] != "micro", "label"]) <= {""}
    # It is none that tells action units.
    assert set(table["action_units"]) == {""}


def test_watch_can_leave_the_names_out(console, film, tmp_path):
    assert console("watch", film, "--out", tmp_path / "out", "--no-name").code == 0
    assert set(read_events_csv(tmp_path / "out" / "events.csv")["label"]) == {""}


def test_watch_and_predict_name_by_the_model_that_comes_along(console, film, tmp_path):
    answer = console("watch", film, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    table = read_events_csv(tmp_path / "out" / "events.csv")
    [row] = table[table["kind"] == "micro"].to_dict("records")
    assert row["label"] in ("negative", "positive", "surprise")
    assert row[f"proba_{row['label']}"] > 1 / 3
    assert "12" in row["action_units"]
    assert not any(name.startswith("strength_") for name in row)
    clip = write_film(
        tmp_path / "clip.mp4", make_clips(1, 1, size=(280, 240), margin=2, color=True).clips[0].frames(), fps=200
    )
    named = console("predict", clip, "--out", tmp_path / "named.csv", "--align", "never")
    assert named.code == 0, named.err
    assert "action units" in named.out
    [row] = pd.read_csv(tmp_path / "named.csv").to_dict("records")
    assert row["label"] in ("negative", "positive", "surprise")
    assert 0 <= row["strength_L12"] <= 1
    # Fifteen units, three of them without sides.
    assert sum(name.startswith("strength_") for name in row) == 27
    assert "action_units" not in row


def test_a_shortened_pretrain_gives_a_model_to_ask(console, tmp_path, monkeypatch):
    monkeypatch.setattr("microexpr.pipelines.pretraining._CALIBRATION", 64)
    path = tmp_path / "mine.safetensors"
    answer = console("pretrain", "--out", path, "--networks", "1", "--steps", "2")
    assert answer.code == 0, answer.err
    refused(console("predict", tmp_path / "gone.mp4", "--model", path), "gone.mp4: cannot be opened as a video")
    refused(console("pretrain", "--out", tmp_path / "mine.pt"), "it must end in .safetensors")


def test_a_broken_tail_ends_with_one_line_and_keeps_the_events(console, film, tmp_path):
    broken = tmp_path / "broken.mp4"
    # The index of this kind of file stands at its end: without it nothing can be read, and that is said.
    broken.write_bytes(film.read_bytes()[:-2000])
    refused(console("watch", broken, "--out", tmp_path / "out"), f"{broken}: cannot be opened as a video")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("watch", "gone.mp4"), "gone.mp4: cannot be opened as a video: no such file"),
        (("watch", "gone.mp4", "--model", "a.mxm", "--no-name"), "--no-name and --model a.mxm contradict each other"),
        (("watch", "camera:x"), "it must be camera:0"),
        (("watch", "gone.mp4", "--method", "magic"), "method is 'magic'"),
        (("watch", "gone.mp4", "--threshold", "-1"), "threshold is -1.0"),
        (("watch", "gone.mp4", "--model", "gone.mxm"), "gone.mxm"),
        (("pulse", "gone.mp4"), "gone.mp4: cannot be opened as a video: no such file"),
        (("card", "gone.mxm"), "gone.mxm"),
        (("fit", "flow-svm", "--data", "synthetic", "--out", "flow.pkl"), "it must end in .mxm"),
        (("predict", "gone.mp4", "--model", "gone.mxm"), "gone.mxm"),
    ],
)
def test_what_cannot_be_is_one_line(console, arguments, words):
    refused(console(*arguments), words)


def test_predict_names_each_clip_and_says_which_it_cannot(console, film, model, tmp_path):
    out = tmp_path / "named.csv"
    answer = console("predict", film, tmp_path / "gone.mp4", "--model", model, "--out", out)
    assert answer.code == 1
    assert "gone.mp4: cannot be opened as a video: no such file" in answer.err
    [row] = pd.read_csv(out).itertuples()
    assert row.label in ("negative", "positive", "surprise")
    assert row.apex > row.onset == 0


def test_a_card_says_what_the_model_is_not_for(console, model):
    answer = console("card", model)
    assert answer.code == 0
    assert "Not for: detecting lies" in answer.out
    assert "not measured" in " ".join(answer.out.split())


def test_the_pulse_of_a_grey_video_is_refused(console, film):
    refused(console("pulse", film), f"{film}: the video is grey: a pulse shows in the colour of the skin")
