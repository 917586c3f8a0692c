"""What was found in a video, as the table that a reviewer fills in."""

import csv

import numpy as np
import pandas as pd
import pytest
from toyset.watchedcases import CLASSES, NAN, events, no_events, watched

from microexpr.core.errors import DataError, MicroexprError, ParameterError, ResultsError
from microexpr.pipelines.review import read_events_csv, write_events_csv
from microexpr.pipelines.review.tables import review_columns, review_table


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "a video.mp4"
    path.touch()
    return path


def test_the_table_says_what_hand_arithmetic_says(video):
    table = review_table(watched(video, fps=25.0))
    assert list(table["event"]) == ["E001", "E002", "E003", "E004", "E005", "E006", "E007"]
    assert list(table["kind"]) == ["head", "micro", "micro", "micro", "speech", "blink", "macro"]
    assert list(table["onset"]) == [0, 10, 12, 21, 24, 40, 61]
    assert list(table["onset_s"]) == [0.0, 0.4, 0.48, 0.84, 0.96, 1.6, 2.44]
    assert list(table["offset_s"]) == [0.2, 0.64, 0.8, 0.84, 2.32, 2.0, 3.56]
    # From the beginning of the onset frame to the end of the offset frame.
    assert list(table["duration"]) == [0.24, 0.28, 0.36, 0.04, 1.4, 0.44, 1.16]
    assert list(table["label"]) == ["", CLASSES[0], CLASSES[1], CLASSES[0], "", "", CLASSES[1]]
    assert list(table["action_units"]) == ["", "R6+12", "", "12", "", "", "1+2+R5"]
    assert (table[["review", "reviewer_label", "comment"]] == "").all(axis=None)


def test_a_written_table_reads_back_to_the_last_bit(video, tmp_path):
    found = watched(video)
    path = write_events_csv(tmp_path / "new" / "events.csv", found)
    pd.testing.assert_frame_equal(read_events_csv(path), review_table(found), check_exact=True)


def test_action_units_stand_after_the_label_and_stay_texts(video, tmp_path):
    path = write_events_csv(tmp_path / "events.csv", watched(video))
    rows = list(csv.reader(path.read_text().splitlines()))
    place = rows[0].index("label") + 1
    assert rows[0][place : place + 2] == ["action_units", f"proba_{CLASSES[0]}"]
    assert [row[place] for row in rows[1:]] == ["", "R6+12", "", "12", "", "", "1+2+R5"]


def test_a_reviewed_table_from_before_there_were_action_units_is_read(video, tmp_path):
    path = write_events_csv(tmp_path / "events.csv", watched(video))
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    rows[2][-3:] = ["accepted", "sadness", "seen twice"]
    place = rows[0].index("action_units")
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([*row[:place], *row[place + 1 :]] for row in rows)
    expected = review_table(watched(video)).assign(action_units=pd.Series([""] * 7, dtype="str"))
    expected.loc[1, ["review", "reviewer_label", "comment"]] = ["accepted", "sadness", "seen twice"]
    pd.testing.assert_frame_equal(read_events_csv(path), expected, check_exact=True)


@pytest.mark.parametrize(
    "table", [no_events(), events(named=False), events().iloc[:0]], ids=["none", "unnamed", "named"]
)
def test_tables_without_events_or_classes_read_back(video, tmp_path, table):
    found = watched(video, table=table)
    back = read_events_csv(write_events_csv(tmp_path / "events.csv", found))
    pd.testing.assert_frame_equal(back, review_table(found), check_exact=True)
    assert list(back) == review_columns(found.classes)


def test_other_readers_of_csv_see_the_same(video, tmp_path):
    path = write_events_csv(tmp_path / "events.csv", watched(video))
    frame = pd.read_csv(path, keep_default_na=False, dtype="str")
    assert list(frame["region"]) == ["", "left brow; inner", 'a "region", <b>', "", "mouth", "", "mouth"]
    assert frame["score"].tolist() == ["0.5", "0.3333333333333333", "2e-07", "12345678.901234567", "", "", "2.5"]


def test_what_a_person_fills_in_comes_back(video, tmp_path):
    path = write_events_csv(tmp_path / "events.csv", watched(video))
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    rows[2][-3:] = ["accepted", "NA", "sure,\nseen twice"]
    added = ["A001", "micro", "30", "31", "33", "1", "1.1", "1.2", "", "", "", "", "", "", "", "added", "sadness", ""]
    # As a spreadsheet saves it: a mark of the byte order, other ends of lines.
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, lineterminator="\r\n").writerows([*rows, added])
    back = read_events_csv(path).set_index("event")
    assert back.loc["E002", ["review", "reviewer_label", "comment"]].tolist() == ["accepted", "NA", "sure,\nseen twice"]
    assert back.loc["A001", ["onset", "apex", "offset"]].tolist() == [30, 31, 33]
    assert np.isnan(back.loc["A001", ["score", f"proba_{CLASSES[0]}"]].astype(float)).all()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("micro,10,", "micro,ten,", "row 3: onset is 'ten': it must be a whole number"),
        ("micro,10,", "micro,10.0,", "row 3: onset is '10.0': it must be a whole number"),
        ("micro,10,", "micro,13,", "event E002: onset 13, apex 12, offset 16 are out of order"),
        ("micro,10,", "smile,10,", "event E002: kind is 'smile': it must be one of 'micro', 'macro', 'blink'"),
        ("E003", "E002", "the event E002 is there more than once"),
        ("0.3333333333333333", "high", "row 3: score is 'high': it must be a number, or empty"),
        (",review,", ",verdict,", "no table of events: it lacks the column review"),
        ("E001,", "E001,,", "row 2: 19 cells, but 18 columns"),
        ("event,", "event,mood,", "each must be one of the table's, and there once"),
        ("event,", "event,event,", "each must be one of the table's, and there once"),
    ],
)
def test_a_spoiled_table_is_refused_in_one_line(video, tmp_path, old, new, words):
    path = write_events_csv(tmp_path / "events.csv", watched(video))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DataError) as refusal:
        read_events_csv(path)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert str(path) in str(refusal.value)


def test_a_review_that_is_none_is_refused(video, tmp_path):
    path = write_events_csv(tmp_path / "events.csv", watched(video))
    lines = path.read_text().splitlines()
    lines[1] = lines[1].removesuffix(",,") + "maybe,,"
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match="review is 'maybe': it must be one of '', 'accepted', 'rejected', 'added'"):
        read_events_csv(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'a,"b'], ids=["empty", "bytes", "open quote"])
def test_what_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "events.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match="no table of events"):
        read_events_csv(path)
    with pytest.raises(DataError, match="cannot read"):
        read_events_csv(tmp_path / "none.csv")


def test_a_folder_that_cannot_be_written_keeps_what_is_there(video, tmp_path):
    path = tmp_path / "events.csv"
    path.mkdir()
    with pytest.raises(ResultsError, match="cannot write"):
        write_events_csv(path, watched(video))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a video.mp4", "events.csv"]


def _changed(**columns):
    return {"table": events().assign(**columns)}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"n_frames": 89}, "row 0: offset 89 lies beyond the 89 frames"),
        (_changed(apex=9), "row 0: apex 9 lies outside of onset 61 to offset 89"),
        (_changed(kind="smile"), "kind is 'smile'"),
        (_changed(onset=-1), "onset is -1: it must be a whole number of frames"),
        (_changed(onset=2.0), "onset holds float64: it must hold int64"),
        (_changed(score="high"), "score holds"),
        (_changed(score=np.inf), "score holds infinity"),
        ({"table": events().drop(columns="region")}, "events lacks the column region"),
        (_changed(proba_happiness=1.5), "proba_happiness holds 1.5: a probability lies in [0, 1]"),
        ({"scores": np.zeros(3)}, "there are 3 scores and 45 score_positions"),
        ({"scores": np.full(45, np.inf)}, "scores holds infinity"),
        ({"scores": np.zeros(45, np.float32)}, "scores must be an array of one axis and of float64"),
        ({"score_positions": np.zeros(45, np.int64)}, "score_positions must ascend within the 90 frames"),
        ({"fps": 0.0}, "fps is 0.0: it must be greater than 0"),
        ({"fps": 1001.0}, "fps is 1001.0: it must be at most 1000"),
        ({"fps": NAN}, "fps is nan"),
        ({"threshold": NAN}, "threshold is nan"),
        ({"name": " "}, "name is ' ': it must be text"),
        ({"notes": "it broke off"}, "notes is 'it broke off': it must be a tuple of texts"),
        ({"model_card": "good"}, "model_card is a str: it must be a mapping or None"),
        ({"size": (140,)}, "size is (140,)"),
    ],
)
def test_what_contradicts_itself_is_refused(video, changed, words):
    with pytest.raises(MicroexprError) as refusal:
        watched(video, **changed)
    assert words in str(refusal.value)
    assert isinstance(refusal.value, DataError | ParameterError)


def test_a_video_that_is_no_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        watched(tmp_path / "gone.mp4")
