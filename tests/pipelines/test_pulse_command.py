"""The heart rate of a file, as the command line measures, prints and writes it; and what keeps methods from clips."""

import numpy as np
import pandas as pd
import pytest
from toyset.beating import RATES, beating_clips, beating_frames
from toyset.clips import toy_clips

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, NeedsError, ResultsError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.pipelines import pulse as module
from microexpr.pipelines.harness import run
from microexpr.pipelines.pulse import draw_pulse, measure_pulse
from microexpr.pipelines.registry import get_method, unmet_needs
from microexpr.pipelines.report.pulse_text import print_pulse
from microexpr.pipelines.usable import usable_clips
from microexpr.video.pulse import pulse, pulse_of_traces

SKIN = np.array([168.0, 121.0, 96.0])


def _found(n_frames=360, noise=0.0005):
    beat = np.sin(2 * np.pi * 1.2 * np.arange(n_frames) / 30)[:, None]
    traces = SKIN * (1 - 0.005 * beat * [0.33, 0.77, 0.53])
    return pulse_of_traces(traces * (1 + noise * np.random.default_rng(0).standard_normal(traces.shape)), fps=30.0)


@pytest.fixture
def video(monkeypatch):
    """The name of a video that is read as skin which beats 90 times a minute."""
    monkeypatch.setattr(module, "pulse", lambda path, **options: pulse(beating_frames(90.0), fps=12.0, **options))
    return "face.mp4"


def test_rates_are_written_as_a_table_and_drawn(video, tmp_path):
    found = measure_pulse(video, tmp_path / "new", skin="frame")
    written = pd.read_csv(tmp_path / "new" / "pulse.csv")
    assert list(written) == ["first", "last", "time", "rate", "snr", "quality", "reliable"]
    pd.testing.assert_frame_equal(written, found.windows)
    assert (tmp_path / "new" / "pulse.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((tmp_path / "new").iterdir())) == 2


def test_without_a_folder_nothing_is_written(video, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert abs(measure_pulse(video, skin="frame").rate - 90.0) < 2.0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(video, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"cannot write .*pulse\.csv"):
        measure_pulse(video, tmp_path / "file", skin="frame")


def test_a_file_that_is_missing_is_named():
    with pytest.raises(DataError, match=r"nowhere\.mp4"):
        measure_pulse("nowhere.mp4")


def test_reliable_and_other_windows_are_drawn_apart():
    from matplotlib.figure import Figure

    traces = np.concatenate([_found().traces, SKIN * np.random.default_rng(1).normal(1, 0.02, (600, 3))])
    found = pulse_of_traces(traces, fps=30.0)
    axes = Figure().subplots()
    module._draw_rates(axes, found)
    shown = {line.get_label(): len(line.get_xdata()) for line in axes.get_lines()[1:]}
    n_reliable = int(found.windows["reliable"].sum())
    assert shown == {"reliable": n_reliable, "not reliable": len(found.windows) - n_reliable}
    assert 0 < n_reliable < len(found.windows)


def test_the_drawing_of_the_same_pulse_is_the_same():
    assert draw_pulse(_found()) == draw_pulse(_found())


def test_rate_quality_and_windows_are_printed(capsys):
    found = _found()
    print_pulse(found)
    printed = capsys.readouterr().out
    rate, words = printed.split(maxsplit=1)
    assert float(rate) == pytest.approx(72.0, abs=0.5)
    assert words.startswith("beats per minute, +- 0.0 over the windows, quality 0.9")
    assert ": reliable\n" in printed
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in printed.splitlines() if line[0] == "│"]
    assert [row[0] for row in rows] == ["0.0 to 10.0", "1.0 to 11.0", "2.0 to 12.0"]
    assert [float(row[1]) for row in rows] == pytest.approx([72.0] * 3, abs=0.5)
    assert {row[4] for row in rows} == {"yes"}


def test_of_many_windows_some_are_printed_and_that_is_said(capsys):
    print_pulse(_found(n_frames=30 * 60))
    printed = capsys.readouterr().out
    assert "one in 3 of 51 windows; all are in pulse.csv (--out)" in printed
    assert sum(line.startswith("│") for line in printed.splitlines()) == 17


def test_noise_is_printed_as_not_reliable_with_its_notes(capsys):
    traces = SKIN * np.random.default_rng(2).normal(1, 0.02, (450, 3))
    traces[:60] = np.nan
    print_pulse(pulse_of_traces(traces, fps=30.0))
    printed = capsys.readouterr().out
    assert "not reliable: fewer than half of the windows are" in printed
    assert "note: left out, no face for long enough: frames 0 to 59 (13 % of the video)" in printed


# What pulse-svm needs


def test_clips_too_short_grey_or_without_frames_are_refused_with_the_reason():
    method = get_method("pulse-svm")
    assert unmet_needs(method, beating_clips()) is None
    short = toy_clips(n_subjects=2, per_class=1)
    assert unmet_needs(method, short).startswith(
        "pulse-svm needs 5 seconds of frames and their frame rate: 6 clips have none (toy/s00/ne0,"
    )
    clips = beating_clips()
    for spoil in (lambda frames: frames[..., 0], lambda frames: np.repeat(frames[..., :1], 3, axis=3)):
        sources = {name: ArraySource(spoil(source.read())) for name, source in clips.sources.items()}
        grey = ClipSet(clips.table, sources, classes=clips.classes)
        with pytest.raises(NeedsError, match="pulse-svm needs frames in colour: 9 clips have none"):
            usable_clips("pulse-svm", grey)
    rateless = ClipSet(clips.table.assign(fps=None), clips.sources, classes=clips.classes)
    assert "needs 5 seconds of frames and their frame rate" in unmet_needs(method, rateless)
    stored = ClipSet(
        clips.table.drop(columns=["onset", "apex", "offset", "n_frames"]), [FlowMapSource("m.png")] * len(clips)
    )
    assert "needs frames, not a stored flow map" in unmet_needs(method, stored)


def test_a_clip_that_has_no_colour_is_left_out_where_that_is_allowed():
    clips = beating_clips()
    first = clips.table.index[0]
    sources = {**clips.sources, first: ArraySource(clips.sources[first].read()[..., 0])}
    mixed = ClipSet(clips.table, sources, classes=clips.classes)
    assert list(usable_clips("pulse-svm", mixed, allow_incomplete=True).table.index) == list(clips.table.index[1:])


def test_classes_that_differ_in_their_pulse_are_told_apart_alone_and_in_a_fusion():
    clips = beating_clips(n_subjects=4)
    assert len(set(RATES.values())) == 3
    alone = run("pulse-svm", clips, params={"pulsefeatures__skin": "frame"})
    # Twelve clips, chance is a third; the four features beside the rate are noise here.
    assert (alone["y_true"] == alone["y_pred"]).mean() >= 0.75
    params = {"members": "flow-svm,pulse-svm", "clipviews__pulse-svm__pulsefeatures__skin": "frame"}
    fused = run("fusion", clips, params={**params, "clipviews__flow-svm__flowmap__method": "dis"})
    assert len(fused) == len(clips)
    with pytest.raises(NeedsError, match=r"toy/s00/ne0: the clip lasts 0\.03 seconds; a heart rate needs at least 5"):
        get_method("pulse-svm").builder().steps[0][1].transform(toy_clips(n_subjects=2).clips)
