import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microexpr.core.errors import DataError, ParameterError
from microexpr.pipelines.megclog import MEGC_CLASSES, read_any, read_megc_log, read_truth, write_megc_log
from microexpr.pipelines.metrics import scores
from microexpr.pipelines.predictions import KEY_COLUMNS, write_predictions

LOG = """casme2 sub01
EP02_01f 1 1
EP19_05f 0 2
samm 006
006_1_2 0 0
smic s6
s6_sur_01 2 2
"""


def table(*rows):
    """Rows (clip_id, truth, prediction) with the identifiers' parts filled in."""
    return pd.DataFrame(
        [(clip.split("/")[0], clip, clip.rpartition("/")[0], truth, predicted) for clip, truth, predicted in rows],
        columns=list(KEY_COLUMNS),
        dtype="str",
    )


READ = table(
    ("casme2/sub01/EP02_01f", "positive", "positive"),
    ("casme2/sub01/EP19_05f", "negative", "surprise"),
    ("samm/006/006_1_2", "negative", "negative"),
    ("smic/s6/s6_sur_01", "surprise", "surprise"),
)


def read(tmp_path, content, **arguments):
    path = tmp_path / "run.log"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_megc_log(path, **arguments)


def test_log_is_read_as_one_row_per_clip_with_qualified_text_identifiers(tmp_path):
    pd.testing.assert_frame_equal(read(tmp_path, LOG), READ)


@pytest.mark.parametrize(
    "content",
    [
        LOG.replace("\n", "\r\n"),
        LOG.replace("\n", "\r"),
        LOG.replace("\n", "  \t\n"),
        LOG.replace(" ", "\t"),
        LOG.replace(" ", "   "),
        LOG.replace("\n", "\n\n \n"),
        LOG.removesuffix("\n"),
        "\ufeff" + LOG,
        "\n\n" + LOG,
    ],
    ids=["crlf", "cr", "trailing", "tabs", "several blanks", "blank lines", "no last end", "mark", "leading lines"],
)
def test_log_in_other_dress_reads_the_same(tmp_path, content):
    pd.testing.assert_frame_equal(read(tmp_path, content), READ)


def test_log_is_written_as_it_was_read(tmp_path):
    write_megc_log(read(tmp_path, LOG), tmp_path / "again.log")
    assert (tmp_path / "again.log").read_bytes() == LOG.encode()


def test_positions_refer_to_the_given_classes(tmp_path):
    found = read(tmp_path, "smic s1\na 0 1\n", classes=("others", "disgust"))
    assert found[["y_true", "y_pred"]].to_numpy().tolist() == [["others", "disgust"]]


def test_subject_in_two_blocks_is_one_subject(tmp_path):
    found = read(tmp_path, "casme2 sub01\na 0 0\ncasme2 sub02\nb 1 1\ncasme2 sub01\nc 2 2\n")
    assert found["subject"].tolist() == ["casme2/sub01", "casme2/sub02", "casme2/sub01"]


def test_rows_of_one_subject_are_written_in_one_block(tmp_path):
    mixed = table(
        ("d/a/1", "negative", "negative"), ("d/b/2", "positive", "negative"), ("d/a/3", "surprise", "negative")
    )
    write_megc_log(mixed, tmp_path / "x.log")
    assert (tmp_path / "x.log").read_text() == "d a\n1 0 0\n3 2 0\nd b\n2 1 0\n"


NAME = st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="/\ufeff"), min_size=1, max_size=6)


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(
        st.tuples(NAME.filter(lambda name: not name.isdecimal()), NAME.map(lambda name: f"s{name}")),
        st.dictionaries(NAME, st.tuples(*[st.sampled_from(MEGC_CLASSES)] * 2), min_size=1, max_size=3),
        min_size=1,
        max_size=4,
    )
)
def test_any_table_comes_back_exactly(tmp_path_factory, blocks):
    path = tmp_path_factory.mktemp("round") / "x.log"
    rows = table(
        *(
            (f"{dataset}/{subject}/{clip}", *labels)
            for (dataset, subject), clips in blocks.items()
            for clip, labels in clips.items()
        )
    )
    write_megc_log(rows, path)
    pd.testing.assert_frame_equal(read_megc_log(path), rows)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("EP02_01f 1 1\n", "line 1: a clip before the first header"),
        ("casme2 sub01\nEP02_01f 1 1 0\n", "line 2: 4 fields"),
        ("casme2\n", "line 1: 1 fields"),
        ("casme2 sub01\nEP02_01f 1 3\n", "line 2: '3' is no class; it must be one of 0 negative, 1 positive"),
        ("casme2 sub01\nEP02_01f -1 0\n", "line 2: '-1' is no class"),
        ("casme2 sub01\nEP02_01f 1.0 0\n", "line 2: '1.0' is no class"),
        ("casme2 sub01\nEP02_01f happy sad\n", "line 2: 'happy' is no class"),
        ("casme2 sub01\nEP02_01f \u0661 0\n", "is no class"),
        ("casme2 sub01\na 0 0\n\na 1 1\n", "line 4: casme2/sub01/a was already on line 2"),
        ("casme2 sub01\na 0 0\ncasme2 sub02\ncasme2 sub01\na 1 1\n", "line 3: no clip follows 'casme2 sub02'"),
        ("casme2 sub01\na 0 0\ncasme2 sub02\n", "line 3: no clip follows 'casme2 sub02'"),
        ("casme2 sub01\nEP02_01f 1\nEP02_02f 1 1\n", "line 1: no clip follows"),
        ("casme2 sub01\na 1 1\nEP02_01f 1\nb 1 1\n", "line 3: 'EP02_01f 1' opens a data set of the one subject 1"),
        ("casme2 a/b\nc 0 0\n", "line 1: 'casme2 a/b' holds a slash"),
    ],
)
def test_unreadable_logs_are_refused_naming_file_line_and_rule(tmp_path, content, message):
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, content)
    assert str(tmp_path / "run.log") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_subjects_numbered_like_classes_are_read_where_the_log_has_several(tmp_path):
    found = read(tmp_path, "smic 1\na 0 0\nsmic 2\nb 1 1\ncasme 1\nc 0 0\ncasme 2\nd 0 0\n")
    assert found["subject"].tolist() == ["smic/1", "smic/2", "casme/1", "casme/2"]


def test_log_that_is_no_text_is_refused(tmp_path):
    with pytest.raises(DataError, match="not UTF-8 text"):
        read(tmp_path, b"\xff\xfe\x00\x01")
    with pytest.raises(DataError, match="No such file"):
        read_megc_log(tmp_path / "none.log")


def test_classes_of_a_reader_must_be_distinct_names(tmp_path):
    for reader in (read_megc_log, read_truth, read_any):
        (tmp_path / "x").write_text("a b\nc 0 0\n")
        with pytest.raises(ParameterError, match="classes is"):
            reader(tmp_path / "x", ("negative", "negative"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clip_id": "d/a/two words"}, "'two words' of d/a/two words cannot be written"),
        ({"clip_id": "c"}, "identifiers must read dataset/subject/clip"),
        ({"clip_id": "d/a/"}, "a name holds no blanks"),
        ({"subject": "a"}, "identifiers must read dataset/subject/clip"),
        ({"y_pred": "others"}, "y_pred 'others'"),
    ],
)
def test_tables_the_format_cannot_hold_are_refused_and_nothing_is_written(tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        write_megc_log(table(("d/a/c", "negative", "negative")).assign(**change), tmp_path / "x.log")
    assert not list(tmp_path.iterdir())


def test_truth_is_read_from_rows_without_header(tmp_path):
    (tmp_path / "truth.csv").write_bytes(b"\xef\xbb\xbfcasme2,sub01,EP02_01f,1\r\nsamm, 006 ,006_1_2,0 \r\n\r\n,,,\r\n")
    expected = pd.DataFrame(
        {
            "dataset": ["casme2", "samm"],
            "clip_id": ["casme2/sub01/EP02_01f", "samm/006/006_1_2"],
            "subject": ["casme2/sub01", "samm/006"],
            "y_true": ["positive", "negative"],
        }
    )
    pd.testing.assert_frame_equal(read_truth(tmp_path / "truth.csv"), expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("dataset,subject,clip,label\n", "line 1: 'label' is no class"),
        ("casme2,sub01,EP02_01f\n", "line 1: a row of truth is 'dataset,subject,clip,class'"),
        ("casme2,,EP02_01f,1\n", "line 1: a row of truth"),
        ("casme2,sub01,a,0\ncasme2,sub01,a,1\n", "line 2: casme2/sub01/a was already on line 1"),
        ("a/b,c,d,0\n", "line 1: 'a/b,c,d,0' holds a slash"),
        ('a,b,c,"0\n', "not readable as CSV"),
    ],
)
def test_unreadable_truth_is_refused_naming_file_line_and_rule(tmp_path, content, message):
    (tmp_path / "truth.csv").write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_truth(tmp_path / "truth.csv")
    assert str(tmp_path / "truth.csv") in str(caught.value)


def test_either_format_is_recognised_by_its_first_line(tmp_path):
    (tmp_path / "run.csv").write_text("\n" + LOG)
    found, classes = read_any(tmp_path / "run.csv")
    pd.testing.assert_frame_equal(found, READ)
    assert classes == MEGC_CLASSES
    write_predictions(READ, tmp_path / "run.log")
    found, classes = read_any(tmp_path / "run.log")
    pd.testing.assert_frame_equal(found, READ)
    assert classes == MEGC_CLASSES


def test_given_classes_are_used_for_either_format(tmp_path):
    (tmp_path / "run.log").write_text("d s\nc 1 0\n")
    found, classes = read_any(tmp_path / "run.log", ["b", "a"])
    assert (found["y_true"][0], classes) == ("a", ("b", "a"))
    write_predictions(found, tmp_path / "run.csv")
    assert read_any(tmp_path / "run.csv", ["b", "a"])[1] == ("b", "a")
    assert read_any(tmp_path / "run.csv")[1] == ("a", "b")


def test_a_table_that_is_neither_format_is_refused(tmp_path):
    (tmp_path / "truth.csv").write_text("casme2,sub01,EP02_01f,1\n")
    with pytest.raises(DataError, match="neither the header of a predictions file"):
        read_any(tmp_path / "truth.csv")
    (tmp_path / "empty").write_text("")
    with pytest.raises(DataError, match="is empty"):
        read_any(tmp_path / "empty")


def test_quoted_and_partial_headers_are_read_as_predictions(tmp_path):
    (tmp_path / "p.csv").write_text('"clip_id","y_true","y_pred"\na,b,c\n')
    with pytest.raises(DataError, match="line 1: the header lacks the column dataset, subject"):
        read_any(tmp_path / "p.csv")


def test_log_is_scored_pooled(tmp_path):
    # negative TP 1 FN 1: 2/3; positive 1; surprise TP 1 FP 1: 2/3.
    assert scores(read(tmp_path, LOG), MEGC_CLASSES)["UF1"] == pytest.approx(7 / 9)
