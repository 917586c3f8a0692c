"""ELAN's files and subtitles: read by other libraries, and read back."""

import pandas as pd
import pytest
import webvtt
from pympi import Elan
from toyset.eafschema import check_eaf
from toyset.watchedcases import CLASSES, events, no_events, watched

from microexpr.core.errors import DataError, ResultsError
from microexpr.pipelines.review import read_eaf, write_eaf, write_vtt
from microexpr.pipelines.review.tables import review_table


@pytest.fixture
def video(tmp_path):
    (tmp_path / "videos").mkdir()
    path = tmp_path / "videos" / "a video.mp4"
    path.touch()
    return path


@pytest.mark.parametrize("fps", [29.97, 25.0, 200.0, 1000.0, 7.3])
def test_frames_and_all_else_come_back_exactly(video, tmp_path, fps):
    found = watched(video, fps=fps)
    path = write_eaf(tmp_path / "events.eaf", found)
    check_eaf(path)
    pd.testing.assert_frame_equal(read_eaf(path), review_table(found), check_exact=True)


@pytest.mark.parametrize(
    "table", [no_events(), events(named=False), events().iloc[:0]], ids=["none", "unnamed", "named"]
)
def test_files_without_events_or_classes_come_back(video, tmp_path, table):
    found = watched(video, table=table)
    path = write_eaf(tmp_path / "events.eaf", found)
    check_eaf(path)
    pd.testing.assert_frame_equal(read_eaf(path), review_table(found), check_exact=True)


def test_another_reader_finds_tiers_times_and_the_video_beside(video, tmp_path):
    path = write_eaf(tmp_path / "out" / "events.eaf", watched(video, fps=25.0))
    eaf = Elan.Eaf(str(path))
    assert eaf.get_annotation_data_for_tier("micro") == [(400, 680, "E002"), (840, 880, "E004")]
    assert eaf.get_annotation_data_for_tier("micro 2") == [(480, 840, "E003")]
    assert eaf.get_annotation_data_for_tier("micro apex") == [(480, 520, "apex"), (840, 880, "apex")]
    assert eaf.get_annotation_data_for_tier("macro") == [(2440, 3600, "E007")]
    labels = eaf.get_ref_annotation_data_for_tier("macro label")
    assert [(start, end, value) for start, end, value, _ in labels] == [(2440, 3600, CLASSES[1])]
    [medium] = eaf.get_linked_files()
    assert medium["MEDIA_URL"] == medium["RELATIVE_MEDIA_URL"] == "../videos/a video.mp4"
    assert medium["MIME_TYPE"] == "video/mp4"


def test_the_action_units_are_a_tier_of_their_own(video, tmp_path):
    eaf = Elan.Eaf(str(write_eaf(tmp_path / "events.eaf", watched(video, fps=25.0))))
    told = eaf.get_ref_annotation_data_for_tier("micro action units")
    assert [(start, end, value) for start, end, value, _ in told] == [(400, 680, "R6+12"), (840, 880, "12")]
    # What overlaps E002 and has none; blinks have none either.
    assert "micro 2 action units" not in eaf.tiers
    assert "blink action units" not in eaf.tiers


def test_a_file_from_before_there_were_action_units_is_read(video, tmp_path):
    path = write_eaf(tmp_path / "events.eaf", watched(video, fps=25.0))
    before = read_eaf(path)
    eaf = Elan.Eaf(str(path))
    eaf.remove_tiers(["micro action units", "macro action units"])
    Elan.to_eaf(str(path), eaf)
    expected = before.assign(action_units=pd.Series([""] * 7, dtype="str"))
    pd.testing.assert_frame_equal(read_eaf(path), expected, check_exact=True)


def _reviewed(path):
    """Change a file as a reviewer does in ELAN."""
    eaf = Elan.Eaf(str(path))
    [first] = [own for own, (_, _, value, _) in eaf.tiers["micro"][0].items() if value == "E002"]
    start, end, value, svg = eaf.tiers["micro"][0][first]
    eaf.timeslots[start] = 371  # frame 9.275 at 25 frames per second
    eaf.tiers["micro"][0][first] = (start, end, value, svg)
    eaf.add_ref_annotation("micro review", "micro", 500, "accepted")
    eaf.add_ref_annotation("micro reviewer label", "micro", 500, "sadness")
    eaf.add_ref_annotation("micro comment", "micro", 500, "seen twice")
    eaf.add_annotation("macro", 1000, 1390, "")
    eaf.add_ref_annotation("macro reviewer label", "macro", 1200, "surprise")
    eaf.add_tier("words")
    eaf.add_annotation("words", 0, 3000, "hello")
    Elan.to_eaf(str(path), eaf)


def test_what_a_reviewer_does_in_elan_comes_back(video, tmp_path):
    path = write_eaf(tmp_path / "events.eaf", watched(video, fps=25.0))
    before = read_eaf(path).set_index("event")
    _reviewed(path)
    after = read_eaf(path).set_index("event")
    said = after.loc["E002", ["onset", "apex", "offset", "review", "reviewer_label", "comment"]]
    assert said.tolist() == [9, 12, 16, "accepted", "sadness", "seen twice"]
    assert after.loc["E002", "duration"] == 8 / 25
    # 1000 ms to 1390 ms: frame 25 to the end of frame 34, the nearest edge to frame 34.75.
    added = after.loc["A001", ["kind", "onset", "apex", "offset", "review", "label", "reviewer_label"]]
    assert added.tolist() == ["macro", 25, 29, 34, "added", "", "surprise"]
    kept = [name for name in before.index if name != "E002"]
    pd.testing.assert_frame_equal(after.loc[kept], before.loc[kept])
    assert len(after) == len(before) + 1


def test_an_event_of_no_own_name_gets_one_that_is_free(video, tmp_path):
    path = write_eaf(tmp_path / "events.eaf", watched(video, fps=25.0, table=no_events()))
    eaf = Elan.Eaf(str(path))
    eaf.add_annotation("micro", 0, 40, "A001")
    eaf.add_annotation("micro", 80, 120, "")
    Elan.to_eaf(str(path), eaf)
    assert read_eaf(path)["event"].tolist() == ["A001", "A002"]


def test_the_frame_rate_can_be_given_where_the_file_has_lost_it(video, tmp_path):
    path = write_eaf(tmp_path / "events.eaf", watched(video))
    path.write_text(path.read_text().replace("microexpr:fps", "other"))
    with pytest.raises(DataError, match="does not say its frame rate; pass fps"):
        read_eaf(path)
    assert read_eaf(path, fps=29.97)["onset"].tolist() == [0, 10, 12, 21, 24, 40, 61]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<HEADER", "<<HEADER", "no file of ELAN's"),
        ("29.97", "fast", "must be a number and a list"),
        ('{"score"', '["score"', "are no JSON object"),
        (' TIME_VALUE="334"', "", "has no time; an event needs both its ends"),
        ("E003<", "E002<", "the event E002 is there more than once"),
    ],
)
def test_a_spoiled_file_is_refused_in_one_line(video, tmp_path, old, new, words):
    path = write_eaf(tmp_path / "events.eaf", watched(video))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DataError) as refusal:
        read_eaf(path)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_files_that_are_missing_or_cannot_be_written_are_named(video, tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*none\.eaf"):
        read_eaf(tmp_path / "none.eaf")
    for write in (write_eaf, write_vtt):
        with pytest.raises(ResultsError, match="cannot write"):
            write(video / "events", watched(video))


def test_subtitles_say_what_was_found_and_when(video, tmp_path):
    path = write_vtt(tmp_path / "events.vtt", watched(video, fps=25.0))
    captions = {caption.identifier: caption for caption in webvtt.read(path)}
    assert list(captions) == ["E001", "E002", "E003", "E004", "E005", "E006", "E007"]
    assert (captions["E002"].start, captions["E002"].end) == ("00:00:00.400", "00:00:00.680")
    assert captions["E002"].raw_text == "micro: happiness 70%, score 0.333, left brow; inner"
    assert captions["E003"].raw_text == (
        'micro: odd "x", &lt;y&gt; &amp; --&gt; z 86%, score 2e-07, a "region", &lt;b&gt;'
    )
    assert captions["E006"].raw_text == "blink"


def test_subtitles_of_hours_and_of_nothing(video, tmp_path):
    late = events().iloc[[1]].assign(onset=[90000], apex=[90001], offset=[90010])
    path = write_vtt(tmp_path / "late.vtt", watched(video, fps=25.0, n_frames=100000, table=late))
    [caption] = webvtt.read(path)
    assert (caption.start, caption.end) == ("01:00:00.000", "01:00:00.440")
    path = write_vtt(tmp_path / "none.vtt", watched(video, table=no_events()))
    assert path.read_text().startswith("WEBVTT")
    assert list(webvtt.read(path)) == []
