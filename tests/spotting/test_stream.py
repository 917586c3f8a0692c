"""Events as they come: the same as of the whole video, whatever ends it."""

import av
import numpy as np
import pandas as pd
import pytest
from toyset.films import write_film
from toyset.longfaces import blink, expression, film, head_motion
from toyset.motionrows import eventful, hump, move, rest

from microexpr.core.errors import DataError, ParameterError
from microexpr.core.sources import ArraySource
from microexpr.spotting import EVENT_COLUMNS, Signals, SpottingStream, build_spotter, decide_events, measure_video, spot
from microexpr.spotting import stream as stream_module
from microexpr.spotting.flow import FlowSpotter
from microexpr.spotting.method import empty_events

ORDER = ["onset", "offset", "kind"]
NOTHING = np.full((140, 120), 128, np.uint8)


@pytest.fixture(scope="module")
def frames():
    """Five seconds: an expression, a turn of the head, a blink, and a longer expression."""
    return film(
        expression("micro", 30, 36, 43, "L12"),
        head_motion("turn", 60, 84, 4.0),
        blink(93, 100),
        expression("macro", 108, 118, 135, "26"),
        seconds=5,
    ).read()


@pytest.fixture(scope="module")
def signals(frames):
    return measure_video(FlowSpotter(), ArraySource(frames), fps=30)


@pytest.fixture(scope="module")
def whole(signals):
    """All events of the video, decided at once."""
    return decide_events(FlowSpotter(), signals)


def joined(pieces):
    return pd.concat([piece.events for piece in pieces], ignore_index=True).sort_values(ORDER, ignore_index=True)


def assert_same(found, expected):
    """The same events; means over a window differ by rounding with the rows that come before it."""
    pd.testing.assert_frame_equal(found, expected.sort_values(ORDER, ignore_index=True), rtol=1e-9, atol=1e-12)


@pytest.fixture
def from_rows(monkeypatch):
    """Streams rows of `RegionMotion` in place of frames, as of one face a frame."""

    def stream(rows, *, fps, **params):
        made = SpottingStream([], fps=fps, **params)

        def measured(method, faces, rate):
            for count, row in enumerate(rows, start=1):
                made.faces.n_frames = count
                yield row, row

        monkeypatch.setattr(stream_module, "_measured", measured)
        return made

    return stream


def of_rows(rows, rate):
    return decide_events(FlowSpotter(), Signals(rows, rows, 1, rate, len(rows)))


# The same events


def test_the_events_are_those_of_the_video(whole):
    assert whole["kind"].tolist() == ["micro", "head", "blink", "macro"]
    for event, (onset, offset) in zip(whole.itertuples(), ((30, 43), (60, 84), (93, 100), (108, 135)), strict=True):
        assert abs(event.onset - onset) <= 3
        assert abs(event.offset - offset) <= 3


def test_pieces_hold_what_the_whole_video_holds(frames, whole):
    assert_same(joined(SpottingStream(iter(frames), fps=30, every=0.1)), whole)


@pytest.mark.parametrize(("seed", "every"), [(0, 4.0), (2, 11.0)])
def test_hours_in_pieces_are_as_at_once(from_rows, seed, every):
    # Rows made up, so that windows of 20 seconds are long past: 90 seconds with gaps and cuts.
    rate = 10.0
    rows = eventful(90, rate=rate, seed=seed)
    expected = of_rows(rows, rate)
    assert len(expected) > 10
    found = joined(from_rows(rows, fps=rate, every=every))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9)


def test_every_frame_is_scored_once_and_as_in_the_whole(from_rows):
    rate = 12.0
    rows = eventful(50, rate=rate, seed=5)
    pieces = list(from_rows(rows, fps=rate, every=5.0))
    assert len(pieces) > 5
    positions = np.concatenate([piece.positions for piece in pieces])
    np.testing.assert_array_equal(positions, np.arange(len(rows)))
    scores = np.concatenate([piece.scores for piece in pieces])
    expected = FlowSpotter().scores(rows, rate=rate)
    np.testing.assert_array_equal(np.isnan(scores), np.isnan(expected))
    np.testing.assert_allclose(scores, expected, rtol=1e-9)


def test_memory_does_not_grow_with_the_video(from_rows, monkeypatch):
    rate, sizes = 10.0, []
    rows = rest(round(90 * rate))
    method = FlowSpotter()
    decide = method.decide
    method.decide = lambda rows, rate: sizes.append(len(rows)) or decide(rows, rate=rate)
    list(from_rows(rows, fps=rate, method=method, every=6.0))
    # Rows that decide about the next event, before and after it, and those of one piece.
    assert max(sizes) <= (28 + 8.5 + 6 + 1) * rate
    assert len(sizes) > 10


def test_talk_without_end_keeps_no_more_than_a_minute(from_rows):
    rate, sizes = 15.0, []
    rows = rest(round(150 * rate), noise=2e-4)
    for onset in range(10, len(rows) - 10, 5):
        move(rows, ["lower_lip", "chin"], hump(onset, onset + 2, onset + 4, len(rows)), (0.0, 0.04))
    method = FlowSpotter()
    decide = method.decide
    method.decide = lambda rows, rate: sizes.append(len(rows)) or decide(rows, rate=rate)
    list(from_rows(rows, fps=rate, method=method, every=10.0))
    assert max(sizes) <= (28 + 60 + 8.5 + 10 + 1) * rate


def test_an_event_comes_at_the_latest_so_long_after_its_end(from_rows):
    rate, every = 10.0, 4.0
    stream = from_rows(eventful(90, rate=rate, seed=7), fps=rate, every=every)
    assert stream.latency == pytest.approx(8.5 + every, abs=0.2)
    delays = [(stream.faces.n_frames - event.offset) / rate for piece in stream for event in piece.events.itertuples()]
    assert len(delays) > 10
    assert max(delays) <= stream.latency + 1 / rate


def test_frames_of_a_fast_camera_are_told_as_such():
    source = film(expression("micro", 250, 282, 325, "L12", "R12"), seconds=4, fps=100)
    [piece] = SpottingStream(source.stream(), fps=100)
    assert piece.positions.tolist() == list(range(0, 400, 3))
    [event] = piece.events.itertuples()
    assert abs(event.onset - 250) < 10
    assert abs(event.offset - 325) < 10
    assert event.duration == pytest.approx((event.offset - event.onset + 1) / 100)


# What ends before its time


def breaking(frames, error):
    yield from frames
    raise error


@pytest.mark.parametrize(
    "error",
    [DataError("film.avi: breaks off after frame 59: Invalid data"), OSError(19, "No such device"), OSError("gone")],
)
def test_what_came_before_a_break_is_found(frames, error):
    stream = SpottingStream(breaking(frames[:60], error), fps=30)
    found = joined(stream)
    assert stream.stopped == str(error)
    assert stream.faces.n_frames == 60
    [event] = found.itertuples()
    assert event.kind == "micro"
    assert abs(event.onset - 30) <= 3


def test_a_stream_that_ends_well_has_not_stopped(frames):
    stream = SpottingStream(frames[:10], fps=30)
    list(stream)
    assert stream.stopped is None


def test_a_frame_of_another_size_ends_the_video(frames):
    stream = SpottingStream([*frames[:10], frames[10][:-2]], fps=30, name="film")
    list(stream)
    assert stream.stopped == "film: frame 10 is of size (138, 120), the first one of (140, 120)"


def test_spot_warns_of_a_break_and_returns_what_it_found(frames):
    with pytest.warns(UserWarning, match=r"^camera: gone; events up to there are returned$"):
        found = spot(breaking(frames[:60], OSError("camera: gone")), fps=30)
    assert "micro" in set(found["kind"])


@pytest.mark.parametrize("error", [DataError("camera:0: no frame"), OSError("gone")])
def test_a_source_without_any_frame_is_refused_by_what_it_says(error):
    stream = SpottingStream(breaking([], error), fps=30, name="camera:0")
    with pytest.raises(DataError, match=r"^camera:0: .*(no frame|gone)"):
        list(stream)


def test_other_errors_are_not_hidden(frames):
    with pytest.raises(ZeroDivisionError):
        list(SpottingStream(breaking(frames[:5], ZeroDivisionError()), fps=30))


def test_one_frame_before_a_break_has_no_event(frames):
    stream = SpottingStream(breaking(frames[:1], OSError("gone")), fps=30)
    [piece] = stream
    assert piece.events.empty
    assert piece.positions.tolist() == [0]
    assert stream.stopped == "gone"


@pytest.mark.parametrize(("n_frames", "said"), [(0, "0 frames"), (1, "1 frame")])
def test_motion_needs_two_frames(frames, n_frames, said):
    for run in (
        lambda: spot(frames[:n_frames], fps=30, name="film"),
        lambda: measure_video(FlowSpotter(), iter(frames[:n_frames]), fps=30, name="film"),
    ):
        with pytest.raises(DataError, match=rf"^film: the video has {said}; motion needs 2 at least$"):
            run()


def test_two_frames_have_no_event(frames):
    pd.testing.assert_frame_equal(spot(frames[:2], fps=30), empty_events())


def test_a_video_without_a_face_is_refused():
    with pytest.raises(DataError, match=r"^film: no face is found in any of the 40 frames$"):
        spot([NOTHING] * 40, fps=30, name="film")
    with pytest.raises(DataError, match=r"^film: no face is found in any of the 40 frames$"):
        measure_video(FlowSpotter(), [NOTHING] * 40, fps=30, name="film")


def test_a_break_before_any_face_says_both():
    with pytest.raises(DataError, match=r"^video: no face is found in any of the 5 frames \(gone\)$"):
        list(SpottingStream(breaking([NOTHING] * 5, OSError("gone")), fps=30))


def test_a_face_for_a_part_of_the_time_is_enough(frames):
    [event] = spot([*[NOTHING] * 10, *frames[:60], *[NOTHING] * 10], fps=30).itertuples()
    assert event.kind == "micro"
    assert abs(event.onset - 40) <= 3


# Where frames come from


def test_spot_takes_files_sources_arrays_and_iterables(frames, whole, tmp_path):
    part = frames[:50]
    expected = spot(part, fps=30)
    assert "micro" in set(expected["kind"])
    for video in (list(part), iter(part), ArraySource(part)):
        pd.testing.assert_frame_equal(spot(video, fps=30), expected)
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        coded = container.add_stream("ffv1", rate=30)
        coded.height, coded.width, coded.pix_fmt = 140, 120, "gray"
        for frame in part:
            container.mux(coded.encode(av.VideoFrame.from_ndarray(frame, format="gray")))
        container.mux(coded.encode(None))
    pd.testing.assert_frame_equal(spot(path), expected)
    faster = spot(str(path), fps=50)
    assert faster["duration"].max() < expected["duration"].max()


def test_a_file_that_breaks_off_is_named(frames, tmp_path):
    path = write_film(tmp_path / "film.avi", np.repeat(frames[:30, ..., None], 3, axis=3), fps=30)
    path.write_bytes(path.read_bytes()[: int(0.8 * path.stat().st_size)])
    with pytest.warns(UserWarning, match=r"film\.avi: breaks off after frame \d+: .*; events up to there are"):
        spot(path)


def test_the_rate_of_bare_frames_must_be_told(frames):
    for video in (frames, iter(frames), ArraySource(frames)):
        with pytest.raises(ParameterError, match=r"^fps is None: frames do not say how many there are a second$"):
            spot(video)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"every": 0}, "every is 0: it must be greater than 0"),
        ({"fps": 1}, "fps is 1"),
        ({"method": "tides"}, "method"),
        ({"method": FlowSpotter(threshold=-2)}, "threshold is -2"),
        ({"face": "all"}, "face"),
    ],
)
def test_parameters_out_of_bounds_are_refused_before_a_frame_is_read(params, message):
    with pytest.raises(ParameterError, match=message):
        SpottingStream(breaking([], AssertionError("read")), **{"fps": 30, **params})


def test_slow_cameras_are_measured_too(frames):
    found = spot(frames[::6], fps=5)
    assert (found["duration"] >= 0.2).all()


# The measured video


def test_a_measured_video_is_decided_again_for_any_threshold(signals):
    assert (signals.stride, signals.rate, signals.n_frames) == (1, 30.0, 150)
    assert signals.rows.shape == signals.motion.shape == (150, len(FlowSpotter().columns))
    high = decide_events(build_spotter("flow", threshold=1000.0), signals)
    assert set(high["kind"]) == {"blink", "head"}
    assert high.columns.tolist() == list(EVENT_COLUMNS)


def test_a_damaged_source_cannot_be_measured_in_part(frames):
    with pytest.raises(DataError, match="breaks off"):
        measure_video(FlowSpotter(), breaking(frames[:20], DataError("film: breaks off")), fps=30)
