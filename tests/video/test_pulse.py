"""The colour of skin in videos of faces, and the heart rate in it."""

import sys
import tracemalloc

import av
import numpy as np
import pytest
from toyset.beating import beating_frames

from microexpr.core.errors import DataError, ParameterError
from microexpr.data.longvideos import make_videos
from microexpr.video.faces import landmarks, region_masks, regions
from microexpr.video.pulse import pulse, pulse_of_traces
from microexpr.video.skin import skin_traces

FPS = 12.0
SKIN = np.array([168.0, 121.0, 96.0])
# More than people who sit still before a camera do, and a cheap camera.
ROUGH = {"sway": 0.8, "noise": 3.0, "flicker": 0.02}


def face_video(rate, *, seconds=10.0, fps=FPS, seed=0, **options):
    """Frames of a synthetic face whose heart beats `rate` times a minute."""
    quiet = {"micro": 0, "macro": 0, "blinks": False, "speech": False, "head_motion": False, "light_changes": False}
    videos = make_videos(1, 1, seed, seconds=seconds, fps=fps, color=True, pulse=(rate, rate), **{**quiet, **options})
    return videos.sources["synthetic-long/sub01/V01"].read()


def skin_like(rate, *, n_frames=300, fps=30.0, noise=0.002, seed=0):
    """Mean colours of skin that beats."""
    beat = np.sin(2 * np.pi * rate / 60 * np.arange(n_frames) / fps)[:, None]
    level = 1 - 0.005 * beat * [0.33, 0.77, 0.53]
    return SKIN * (level + noise * np.random.default_rng(seed).standard_normal((n_frames, 3)))


@pytest.fixture(scope="module")
def face():
    return face_video(72.0)


@pytest.fixture(scope="module")
def written(face, tmp_path_factory):
    return _write(tmp_path_factory.mktemp("videos") / "face.mkv", face)


@pytest.fixture(scope="module")
def colours(face):
    return skin_traces(face, fps=FPS)


# A true rate, found again


@pytest.mark.parametrize("rate", [48.0, 90.0, 150.0])
def test_the_rate_of_a_face_that_sways_under_noise_and_flicker_is_found(rate):
    frames = face_video(rate, seed=int(rate), blinks=True, **ROUGH)
    found = skin_traces(frames, fps=FPS)
    for method in ("pos", "chrom"):
        assert abs(pulse_of_traces(found, fps=FPS, method=method).rate - rate) < 2.0, method


@pytest.mark.parametrize("method", ["pos", "chrom"])
def test_a_clear_pulse_is_reliable_and_a_face_without_one_is_not(method, colours):
    found = pulse_of_traces(colours, fps=FPS, method=method)
    assert abs(found.rate - 72.0) < 0.5
    assert found.reliable
    assert found.quality > 0.8
    still = make_videos(1, 1, 0, seconds=10, fps=FPS, micro=0, macro=0, color=True, head_motion=False)
    without = pulse(still.sources["synthetic-long/sub01/V01"], fps=FPS, method=method)
    assert not without.reliable


def test_a_rate_that_changes_is_followed_window_by_window():
    traces = np.concatenate([skin_like(60, n_frames=600), skin_like(96, n_frames=600, seed=1)])
    rates = pulse_of_traces(traces, fps=30.0).windows.set_index("time")["rate"]
    np.testing.assert_allclose(rates[rates.index < 15], 60, atol=1)
    np.testing.assert_allclose(rates[rates.index > 25.1], 96, atol=1)


def test_the_frame_rate_says_how_fast_it_is():
    traces = skin_like(60)
    assert pulse_of_traces(traces, fps=45.0).rate == pytest.approx(
        1.5 * pulse_of_traces(traces, fps=30.0).rate, rel=0.01
    )


def test_a_file_tells_its_own_frame_rate(written):
    found = pulse(written)
    assert found.fps == FPS
    assert found.notes == ()
    assert abs(found.rate - 72.0) < 2.0


def test_only_skin_may_be_looked_at():
    found = pulse(beating_frames(90.0), fps=12.0, skin="frame")
    assert abs(found.rate - 90.0) < 2.0


# Skin traces


def test_skin_is_forehead_and_cheeks(face, colours):
    # Found here in one frame, pixel by pixel; what lies on the edges may differ.
    points = landmarks(face[0])
    named = {**regions(points, kind="polikovsky12"), **regions(points, kind="kato15")}
    parts = {name: named[name] for name in ("forehead", "right_cheek", "left_cheek")}
    inside = region_masks(parts, face.shape[1:3]).any(axis=0)
    np.testing.assert_allclose(colours[0], face[0][inside].mean(axis=0), atol=1.0)
    assert colours.shape == (120, 3)


def test_a_frames_colour_depends_on_no_later_frame(face, colours):
    np.testing.assert_array_equal(skin_traces(face[:40], fps=FPS), colours[:40])


def test_memory_does_not_grow_with_the_video_but_for_three_numbers_a_frame():
    def of(n_frames):
        frame = np.full((40, 40, 3), SKIN, np.uint8)
        tracemalloc.start()
        skin_traces((frame.copy() for _ in range(n_frames)), fps=FPS, skin="frame")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    of(10)
    # A frame has 4800 bytes; three numbers have 24, and twice that while they become an array.
    assert of(4000) - of(1000) < 3000 * 3 * 24


def test_frames_without_a_face_have_no_colour_from_when_it_was_last_seen(face, colours):
    gone = face.copy()
    gone[60:90] = 90
    found = skin_traces(gone, fps=FPS)
    missing = np.isnan(found[:, 0])
    np.testing.assert_array_equal(found[:60], colours[:60])
    assert missing[60:90].all()
    # Looked for three times a second: found again within half of one.
    assert not missing[96:].any()


def test_a_face_that_is_hidden_for_a_moment_keeps_its_place(face):
    hidden = face.copy()
    hidden[60:64] = [200, 150, 120]
    found = skin_traces(hidden, fps=FPS)
    np.testing.assert_allclose(found[61:63], [[200, 150, 120]] * 2)


def test_another_face_elsewhere_is_kept_apart_by_a_frame_without_colour(face):
    wide = np.full((60, 140, 300, 3), 90, np.uint8)
    wide[:30, :, :120] = face[:30]
    wide[30:, :, 180:] = face[30:60]
    missing = np.flatnonzero(np.isnan(skin_traces(wide, fps=FPS)[:, 0]))
    assert len(missing)
    assert (missing >= 30).all()
    assert (missing < 34).all()


# What is left out


def test_windows_never_reach_over_a_gap_and_what_is_left_out_is_said():
    traces = skin_like(72, n_frames=1200)
    traces[400:410] = traces[500:505] = np.nan
    found = pulse_of_traces(traces, fps=30.0)
    rows = found.windows
    assert rows["first"].to_list() == [0, 30, 60, 90, *range(505, 901, 30)]
    assert (rows["last"] - rows["first"] == 299).all()
    assert found.notes == ("left out, no face for long enough: frames 400 to 504 (9 % of the video)",)
    assert abs(found.rate - 72) < 0.5


def test_a_stretch_of_five_to_ten_seconds_is_one_window():
    found = pulse_of_traces(skin_like(72, n_frames=170), fps=30.0)
    assert found.windows[["first", "last", "time"]].to_numpy().tolist() == [[0, 169, 84.5 / 30]]


def test_the_rate_is_the_median_of_the_reliable_windows():
    rng = np.random.default_rng(3)
    noise = SKIN * (1 + 0.02 * rng.standard_normal((900, 3)))
    found = pulse_of_traces(np.concatenate([skin_like(84, n_frames=600), noise]), fps=30.0)
    sure = found.windows[found.windows["reliable"]]
    assert 0 < len(sure) < len(found.windows)
    assert found.rate == sure["rate"].median()
    assert abs(found.rate - 84) < 1
    assert found.variability == pytest.approx(np.std(sure["rate"]))


def test_of_a_file_that_breaks_off_the_beginning_is_measured(tmp_path, written):
    content, path = written.read_bytes(), tmp_path / "broken.mkv"
    path.write_bytes(content[: int(0.8 * len(content))])
    found = pulse(path)
    assert len(found.traces) == pytest.approx(0.8 * 120, abs=3)
    assert abs(found.rate - 72.0) < 2.0


def test_where_a_video_vanishes_is_said(monkeypatch, face):
    class Vanishing:
        name, fps, uneven = "camera:0", FPS, 2

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def __iter__(self):
            yield from face[:80]
            raise DataError("camera:0: breaks off after frame 79: no such device")

    monkeypatch.setattr(sys.modules["microexpr.video.pulse"], "OpenVideo", lambda video, color: Vanishing())
    found = pulse("camera:0")
    assert len(found.traces) == 80
    assert found.notes == (
        "stopped after 80 frames: camera:0: breaks off after frame 79: no such device",
        "2 of 80 frames came late: rates are as if frames were evenly spaced",
    )


# What is refused


def test_grey_video_is_refused_in_one_line(tmp_path, face):
    with pytest.raises(DataError, match=r"^video: frame 0 is grey: a pulse shows in the colour of the skin; [^\n]*$"):
        pulse(face[..., 0], fps=FPS)
    stored = np.repeat(face[:20, ..., :1], 3, axis=3)
    with pytest.raises(DataError, match=r"face\.mkv: the video is grey: a pulse shows in the colour"):
        pulse(_write(tmp_path / "face.mkv", stored), fps=FPS)


def test_a_video_without_a_face_is_refused():
    with pytest.raises(DataError, match="video: no face is found in any of the 9 frames"):
        pulse(np.full((9, 120, 160, 3), 90, np.uint8), fps=30.0)


def test_a_video_that_is_too_short_is_refused(face):
    with pytest.raises(DataError, match=r"video: the video lasts 4\.17 seconds; a heart rate needs at least 5"):
        pulse(face[:50], fps=FPS)
    traces = skin_like(72)
    traces[140:160] = np.nan
    message = r"traces: a face is seen for no more running than 4\.67 seconds; a heart rate needs at least 5"
    with pytest.raises(DataError, match=message):
        pulse_of_traces(traces, fps=30.0)


def test_a_still_picture_has_no_pulse():
    with pytest.raises(DataError, match="the skin's colour never changes"):
        pulse_of_traces(np.tile(SKIN, (300, 1)), fps=30.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "fps is None: frames do not say"),
        ({"fps": 5.0}, r"fps is 5\.0: it must be at least 10"),
        ({"fps": 12.0, "method": "ica"}, "method is 'ica': it must be one of 'pos', 'chrom'"),
        ({"fps": 12.0, "window": 4.0}, r"window is 4\.0: it must be at least 5"),
        ({"fps": 12.0, "step": 0.0}, r"step is 0\.0: it must be greater than 0"),
        ({"fps": 12.0, "skin": "hand"}, "skin is 'hand': it must be one of 'face', 'frame'"),
    ],
)
def test_settings_that_are_not_allowed_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        pulse(beating_frames(72.0), **options)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "there is no frame to find skin in"),
        (np.zeros((3, 40, 40, 4), np.uint8), "frame 0: a frame of shape .* has an alpha channel"),
        (np.zeros((3, 40, 40, 3)), "frame 0: a frame of dtype float64"),
        ([[1, 2]], "frame 0: a list is no frame"),
    ],
)
def test_what_is_no_video_is_refused(frames, message):
    for skin in ("face", "frame"):
        with pytest.raises(DataError, match=message):
            skin_traces(frames, fps=30.0, skin=skin)


def _write(path, frames):
    """Write frames without loss."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=round(FPS))
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "bgr0"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path
