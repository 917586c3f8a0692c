"""A video watched whole: what is found is written, and kept whatever ends the video or the disk."""

import io
import re

import numpy as np
import pandas as pd
import pytest
from toyset.films import write_film

from microexpr.core.errors import DataError, ResultsError
from microexpr.data import make_videos
from microexpr.pipelines import watching
from microexpr.pipelines.review import read_eaf, read_events_csv
from microexpr.pipelines.watching import watch
from microexpr.pipelines.zeroshot import shipped_model
from microexpr.spotting import EVENT_COLUMNS, spot

FPS = 30


@pytest.fixture(scope="module")
def truth():
    return make_videos(1, 1, seconds=9, micro=1, macro=0, speech=False, head_motion=False)


@pytest.fixture(scope="module")
def frames(truth):
    [source] = truth.sources.values()
    return np.repeat(source.read()[..., None], 3, axis=3)


@pytest.fixture(scope="module")
def film(frames, tmp_path_factory):
    return write_film(tmp_path_factory.mktemp("films") / "face.mp4", frames, fps=FPS)


class Camera:
    """A camera that gives some frames and then fails."""

    def __init__(self, frames, error, *, color):
        self.frames, self.error = frames, error
        self.name, self.fps, self.size, self.uneven, self.n_declared = "camera:0", float(FPS), (140, 120), 0, None
        assert color

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def __iter__(self):
        yield from self.frames
        raise self.error


@pytest.fixture
def camera(monkeypatch, frames):
    def plug_in(error):
        monkeypatch.setattr(watching, "OpenVideo", lambda video, *, color: Camera(frames[:240], error, color=color))

    return plug_in


def expressions(events):
    return events.loc[events["kind"].isin(("micro", "macro")), ["onset", "apex", "offset", "kind"]].values.tolist()


def test_the_files_hold_what_spot_finds(film, tmp_path):
    done = watch(film, tmp_path)
    assert [path.name for path in done.paths] == ["events.csv", "events.eaf", "events.vtt", "review.html"]
    assert done.stopped is None
    found = spot(film)
    assert len(expressions(found)) == 1
    table = read_events_csv(tmp_path / "events.csv")
    for name in EVENT_COLUMNS:
        assert table[name].to_list() == found[name].to_list()
    assert expressions(read_eaf(tmp_path / "events.eaf")) == expressions(found)


def test_the_action_units_of_an_expression_stand_in_all_files(film, truth, tmp_path):
    watch(film, tmp_path, model=shipped_model())
    table = read_events_csv(tmp_path / "events.csv")
    pd.testing.assert_frame_equal(read_eaf(tmp_path / "events.eaf"), table, check_exact=True)
    is_micro = table["kind"] == "micro"
    assert set(table.loc[~is_micro, "action_units"]) == {""}
    [told] = table.loc[is_micro, "action_units"]
    # What moves most in this face is the corners of the mouth, beside the lids.
    assert truth.intervals["aus"].tolist() == ["7+12"]
    assert re.fullmatch(r"[LR]?\d+(\+[LR]?\d+)*", told)
    assert "12" in re.findall(r"\d+", told)
    assert f'"action_units": "{told}"' in (tmp_path / "review.html").read_text(encoding="utf-8")


def test_events_are_told_as_they_come(film, tmp_path):
    told = []
    done = watch(film, tmp_path, tell=lambda events, fps: told.append((len(events), fps)))
    assert sum(count for count, _ in told) == len(done.watched.events)
    assert {fps for _, fps in told} == {FPS}


def test_a_video_through_a_pipe_is_recorded_beside_its_events(film, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", type("Pipe", (), {"buffer": io.BytesIO(film.read_bytes())}))
    done = watch("-", tmp_path / "out")
    assert (tmp_path / "out" / "recording.webm").stat().st_size > 0
    assert str(done.watched.video).endswith("recording.webm")
    assert expressions(done.watched.events) == expressions(spot(film))


@pytest.mark.parametrize("error", [DataError("camera:0: breaks off after frame 239: No such device"), OSError("gone")])
def test_a_camera_that_vanishes_leaves_what_was_found(camera, tmp_path, truth, error):
    camera(error)
    done = watch("camera:0", tmp_path)
    assert done.stopped == str(error)
    assert done.watched.n_frames == 240
    [(onset, _, offset, kind)] = expressions(read_events_csv(tmp_path / "events.csv"))
    [true] = truth.intervals.itertuples()
    assert kind == "micro"
    assert abs(onset - true.onset) <= 2
    assert abs(offset - true.offset) <= 2
    assert str(error) in (tmp_path / "review.html").read_text(encoding="utf-8")


def test_an_interruption_ends_the_video_and_keeps_what_was_found(camera, tmp_path):
    camera(KeyboardInterrupt())
    done = watch("camera:0", tmp_path)
    assert done.stopped == "camera:0: stopped by the user after frame 239"
    assert len(expressions(read_events_csv(tmp_path / "events.csv"))) == 1


def test_a_broken_tail_leaves_what_was_found(frames, tmp_path):
    whole = write_film(tmp_path / "whole.avi", frames, fps=FPS).read_bytes()
    broken = tmp_path / "broken.avi"
    broken.write_bytes(whole[: int(0.9 * len(whole))])
    done = watch(broken, tmp_path / "out")
    assert done.stopped is not None
    assert f"breaks off after frame {done.watched.n_frames - 1}" in done.stopped
    assert 200 < done.watched.n_frames < len(frames)
    assert len(expressions(read_events_csv(tmp_path / "out" / "events.csv"))) == 1


def test_a_cut_between_people_is_noted(frames, tmp_path):
    other = make_videos(2, 1, seconds=4, micro=0, macro=0).sources["synthetic-long/sub02/V01"].read()
    both = np.concatenate([frames[:90], np.repeat(other[..., None], 3, axis=3)])
    done = watch(write_film(tmp_path / "cut.mp4", both, fps=FPS), tmp_path / "out")
    assert any("at frame 90" in note for note in done.watched.notes)
    assert not any(event.onset < 90 <= event.offset for event in done.watched.events.itertuples())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda frames: frames[:1], "1 frame; motion needs 2"),
        (lambda frames: np.full((20, 140, 120, 3), 90, np.uint8), "no face is found in any of the 20 frames"),
    ],
)
def test_a_video_of_one_frame_or_without_a_face_is_refused(frames, tmp_path, make, words):
    film = write_film(tmp_path / "film.mp4", make(frames), fps=FPS)
    with pytest.raises(DataError, match=words):
        watch(film, tmp_path / "out")


def test_a_full_disk_keeps_the_last_table_and_says_where_it_stopped(frames, tmp_path, monkeypatch):
    written = []

    def write_until_full(path, watched):
        if written:
            raise ResultsError(f"cannot write {path}: No space left on device")
        written.append(len(watched.events))

    monkeypatch.setattr(watching, "write_events_csv", write_until_full)
    film = write_film(tmp_path / "twice.mp4", np.concatenate([frames, frames[::-1]]), fps=FPS)
    with pytest.raises(ResultsError, match=r"No space left on device; \d+ frames were watched"):
        watch(film, tmp_path)
    assert written
