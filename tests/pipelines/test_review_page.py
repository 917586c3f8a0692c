"""The page of one video: its frames, its close-ups, its scores, and what becomes of bad videos and full disks."""

import base64
import io
import json
import re
import resource

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from toyset.films import RAMP, decoded, ramp, write_film
from toyset.watchedcases import NAN, events, no_events, watched

from microexpr.core.errors import DataError, ParameterError, ResultsError
from microexpr.data import make_videos
from microexpr.pipelines.review import read_eaf, read_events_csv, write_all, write_review
from microexpr.pipelines.review.closeups import CloseupFilm
from microexpr.pipelines.review.scorecurve import reduce_scores

N_FRAMES = 60


def _expressions(*spans, score=1.0):
    rows = [(onset, apex, offset, "micro", score, "mouth", (offset - onset + 1) / 25) for onset, apex, offset in spans]
    return pd.DataFrame(rows, columns=["onset", "apex", "offset", "kind", "score", "region", "duration"])


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_film(tmp_path_factory.mktemp("films") / "ramp.mp4", ramp(N_FRAMES))


def _watched(film, *, table=None, n_frames=N_FRAMES, **changed):
    table = _expressions((20, 22, 25)) if table is None else table
    return watched(film, table=table, n_frames=n_frames, fps=25.0, size=(64, 80), **changed)


def _parts(path):
    """Return what the page's script reads, and the films and pictures in the page."""
    text = path.read_text()
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1])
    payloads = re.findall(r'<script type="text/plain" id="payload-(.*?)">(.*?)</script>', text)
    return data, {name: base64.b64decode(content) for name, content in payloads}


def test_each_frame_of_the_video_is_shown_at_its_time(film, tmp_path):
    path = tmp_path / "review.html"
    assert write_review(path, _watched(film)) == [path]
    frames, times = decoded(io.BytesIO(_parts(path)[1]["video"]))
    assert frames.shape == (N_FRAMES, 64, 80, 3)
    assert times == pytest.approx(np.arange(N_FRAMES) / 25, abs=0.0006)
    assert np.abs(frames.mean(axis=(1, 2, 3)) - (20 + RAMP * np.arange(N_FRAMES))).max() < RAMP / 2


def test_large_frames_are_shrunk_in_proportion(tmp_path):
    film = write_film(tmp_path / "wide.mp4", ramp(3, size=(200, 1000)))
    write_review(tmp_path / "review.html", _watched(film, n_frames=3, table=no_events()))
    data, payloads = _parts(tmp_path / "review.html")
    assert decoded(io.BytesIO(payloads["video"]))[0].shape == (3, 128, 640, 3)
    assert data["size"] == [128, 640]


def test_a_page_asks_nothing_of_the_network_and_texts_stay_texts(film, tmp_path):
    name = '</title></script><script>alert("x")</script>'
    write_review(tmp_path / "review.html", _watched(film, name=name, notes=("<i>note</i>",), model_card={"<u>": name}))
    text = (tmp_path / "review.html").read_text()
    assert not re.search(r"(src|href|action)\s*=\s*[\"']?(https?:)?//", text)
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text
    assert "alert(&#34;x&#34;)" in text
    assert '<script>alert("x")' not in text
    assert "<i>note" not in text
    assert _parts(tmp_path / "review.html")[0]["name"] == name


def test_a_close_up_is_the_event_four_times_slower_with_a_fifth_of_a_second_around(film, tmp_path):
    write_review(tmp_path / "review.html", _watched(film))
    data, payloads = _parts(tmp_path / "review.html")
    frames, times = decoded(io.BytesIO(payloads["clip-E001"]))
    # Frames 15 to 30; no face is in them, so the whole frame is shown, its longer side at 240 pixels, twice.
    assert frames.shape == (16, 192, 480, 3)
    assert times[1] == pytest.approx(4 / 25, abs=0.0006)
    assert np.abs(frames[:, :, :240].mean(axis=(1, 2, 3)) - (20 + RAMP * np.arange(15, 31))).max() < RAMP
    assert data["closeups"]["E001"]["found"] is False


def test_a_close_up_shows_the_largest_face(tmp_path):
    source = make_videos(1, 1, seed=3, seconds=3, fps=25, micro=1, macro=0, color=True).sources[
        "synthetic-long/sub01/V01"
    ]
    film = write_film(tmp_path / "face.mp4", source.window(0, 30).read())
    found = watched(film, table=_expressions((10, 13, 16)), n_frames=30, fps=25.0)
    write_review(tmp_path / "review.html", found)
    data, payloads = _parts(tmp_path / "review.html")
    assert data["closeups"]["E001"]["found"] is True
    frames, _ = decoded(io.BytesIO(payloads["clip-E001"]))
    assert max(frames.shape[1], frames.shape[2] // 2) == 240


def _texture(height=96, width=96):
    noise = np.random.default_rng(5).normal(size=(height, width))
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(noise, 2.5)
    grey = np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _closeup(frames, onset, apex, offset, *, fps=25.0):
    film = CloseupFilm(onset, apex, offset, fps=fps, n_frames=len(frames))
    for position in range(film.start, film.stop):
        film.add(position, frames[position])
    return film.develop()


def test_arrows_measure_what_moves_and_not_what_all_moves_by():
    still = _texture()
    moved = still.copy()
    moved[30:66, 30:66] = still[30:66, 28:64]
    moved = np.roll(moved, 1, axis=0)
    closeup = _closeup(np.stack([still] * 10 + [moved] * 10), 8, 10, 12)
    # Two pixels of 96 are five of 240; their edge is blurred.
    assert closeup.largest == pytest.approx(5.0, abs=1.0)
    picture = np.asarray(Image.open(io.BytesIO(closeup.arrows)).convert("RGB")).astype(int)
    assert picture.shape == (480, 480, 3)
    yellow = (picture[..., 0] > 180) & (picture[..., 1] > 150) & (picture[..., 2] < 110)
    rows, columns = np.nonzero(yellow)
    assert len(rows) > 20
    assert (np.abs(rows - 240) < 130).all()
    assert (np.abs(columns - 240) < 130).all()


def test_what_does_not_move_is_not_magnified_and_has_no_arrow():
    closeup = _closeup(np.stack([_texture()] * 20), 8, 10, 12)
    frames, _ = decoded(io.BytesIO(closeup.clip))
    assert np.abs(frames[:, :, :240].astype(int) - frames[:, :, 240:]).mean() < 2
    assert closeup.largest == 0.0


def test_what_moves_is_magnified():
    still = _texture()
    frames = np.stack([np.roll(still, shift, axis=1) for shift in [0] * 8 + [1] * 12])
    shown = decoded(io.BytesIO(_closeup(frames, 8, 10, 12).clip))[0][-4:].astype(int)
    first = decoded(io.BytesIO(_closeup(frames, 8, 10, 12).clip))[0][0].astype(int)
    change = np.abs(shown - first).mean(axis=(0, 1, 3))
    assert change[240:].mean() > 1.3 * change[:240].mean()


def test_an_apex_at_the_onset_has_no_arrows():
    assert _closeup(np.stack([_texture()] * 20), 8, 8, 12).arrows == b""


@pytest.mark.parametrize(("fps", "every"), [(25.0, 1), (200.0, 1), (1000.0, 5)])
def test_a_close_up_shows_no_more_frames_than_a_screen(fps, every):
    frames = np.broadcast_to(np.full((16, 16, 3), 90, np.uint8), (600, 16, 16, 3))
    closeup = _closeup(frames, 250, 260, 270, fps=fps)
    length = 21 + 2 * round(0.2 * fps)
    assert closeup.every == every
    assert closeup.n_frames == -(-length // every)


def test_the_surest_expressions_have_close_ups_and_the_page_says_so(film, tmp_path):
    table = pd.concat(
        [
            _expressions((5, 6, 8), score=1.0),
            _expressions((15, 16, 18), score=3.0),
            _expressions((25, 26, 28), score=2.0),
            _expressions((35, 36, 38), score=9.0).assign(kind="blink"),
        ],
        ignore_index=True,
    )
    write_review(tmp_path / "review.html", _watched(film, table=table), n_closeups=2)
    data, payloads = _parts(tmp_path / "review.html")
    assert sorted(data["closeups"]) == ["E002", "E003"]
    assert {"clip-E002", "clip-E003"} < set(payloads)
    assert "2 of 3 expressions have close-ups" in (tmp_path / "review.html").read_text()


def test_of_very_many_at_once_some_play_from_the_video(film, tmp_path):
    table = pd.concat([_expressions((20, 22, 25))] * 12, ignore_index=True)
    write_review(tmp_path / "review.html", _watched(film, table=table))
    assert len(_parts(tmp_path / "review.html")[0]["closeups"]) == 8


def test_a_large_video_lies_beside_the_page(film, tmp_path):
    path = tmp_path / "review.html"
    assert write_review(path, _watched(film), largest_video=100) == [path, tmp_path / "review_video.webm"]
    data, payloads = _parts(path)
    assert data["beside"] == "review_video.webm"
    assert "video" not in payloads
    assert "it lies beside it as review_video.webm" in path.read_text()
    assert len(decoded(tmp_path / "review_video.webm")[0]) == N_FRAMES
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["review.html", "review_video.webm"]


def test_a_video_that_breaks_off_gives_a_page_of_what_could_be_read(film, tmp_path):
    path = tmp_path / "review.html"
    write_review(path, _watched(film, n_frames=90, table=_expressions((20, 22, 25), (55, 58, 80))))
    assert "The page shows 60 of 90 frames: the video could not be read on" in path.read_text()
    data, payloads = _parts(path)
    assert data["n_frames"] == 90
    assert len(decoded(io.BytesIO(payloads["video"]))[0]) == N_FRAMES
    assert len(decoded(io.BytesIO(payloads["clip-E002"]))[0]) == N_FRAMES - 50


def test_no_more_frames_are_shown_than_were_watched(film, tmp_path):
    write_review(tmp_path / "review.html", _watched(film, n_frames=40))
    assert len(decoded(io.BytesIO(_parts(tmp_path / "review.html")[1]["video"]))[0]) == 40


def test_what_is_no_video_is_refused_once_the_tables_are_there(tmp_path):
    (tmp_path / "no.mp4").write_bytes(b"no video at all")
    with pytest.raises(DataError, match=r"no\.mp4: not one frame can be read: "):
        write_all(tmp_path / "out", _watched(tmp_path / "no.mp4"))
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["events.csv", "events.eaf", "events.vtt"]


def test_all_files_tell_the_same_events(film, tmp_path):
    table = events().assign(onset=lambda rows: rows["onset"] // 2, apex=lambda rows: rows["apex"] // 2)
    table["offset"] //= 2
    paths = write_all(tmp_path / "out", _watched(film, table=table))
    assert [path.name for path in paths] == ["events.csv", "events.eaf", "events.vtt", "review.html"]
    back = read_events_csv(paths[0])
    pd.testing.assert_frame_equal(read_eaf(paths[1]), back, check_exact=True)
    shown = pd.DataFrame(_parts(paths[3])[0]["events"])
    assert list(shown) == list(back)
    assert set(shown["action_units"]) == {"", "12", "R6+12", "1+2+R5"}
    pd.testing.assert_frame_equal(shown.astype(back.dtypes), back, check_exact=True)


@pytest.mark.parametrize("largest_video", [10**9, 0], ids=["inside", "beside"])
def test_a_full_disk_is_one_line_and_leaves_what_was_there(film, tmp_path, largest_video):
    (tmp_path / "review.html").write_text("before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(ResultsError) as refusal:
            write_review(tmp_path / "review.html", _watched(film), largest_video=largest_video)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "cannot write" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["review.html"]
    assert (tmp_path / "review.html").read_text() == "before"


@pytest.mark.parametrize("settings", [{"n_closeups": -1}, {"largest_video": 1.5}])
def test_numbers_that_break_their_rule_are_refused(film, tmp_path, settings):
    with pytest.raises(ParameterError, match=f"{next(iter(settings))} is "):
        write_review(tmp_path / "review.html", _watched(film), **settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("most", [1, 7, 64, 999, 1000])
def test_reduced_scores_keep_every_peak_and_trough(most):
    rng = np.random.default_rng(most)
    positions = np.cumsum(rng.integers(1, 4, 1000))
    scores = np.where(rng.random(1000) < 0.2, NAN, rng.normal(size=1000))
    starts, low, high = reduce_scores(positions, scores, most=most)
    assert len(starts) == len(low) == len(high) <= most
    each = -(-1000 // most)
    for place, start in enumerate(starts):
        assert start == positions[place * each]
        rows = [score for score in scores[place * each : (place + 1) * each] if score == score]
        assert low[place] == (min(rows) if rows else pytest.approx(NAN, nan_ok=True))
        assert high[place] == (max(rows) if rows else pytest.approx(NAN, nan_ok=True))


def test_no_scores_are_no_scores():
    starts, low, high = reduce_scores(np.zeros(0, np.int64), np.zeros(0))
    assert len(starts) == len(low) == len(high) == 0
