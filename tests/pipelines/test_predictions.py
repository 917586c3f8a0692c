import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microexpr.core.errors import DataError, ParameterError, ResultsError
from microexpr.pipelines.predictions import (
    COLUMNS,
    KEY_COLUMNS,
    check_classes,
    check_predictions,
    class_columns,
    infer_classes,
    predictions_csv,
    read_predictions,
    write_predictions,
)

CLASSES = ("negative", "positive")


def run_table():
    """A run as the harness stores it."""
    return pd.DataFrame(
        {
            "run_key": "0f" * 32,
            "method": "flow-svm",
            "dataset": ["casme2", "samm", "smic"],
            "labels": "megc2019",
            "protocol": "loso",
            "seed": 0,
            "fold": ["6", "006", "s6"],
            "clip_id": ["casme2/6/a", "samm/006/006_1_2", "smic/s6/b"],
            "subject": ["casme2/6", "samm/006", "smic/s6"],
            "y_true": ["negative", "positive", "negative"],
            "y_pred": ["negative", "negative", "positive"],
            "proba_negative": [0.1 + 0.2, 1 / 3, 5e-324],
            "proba_positive": [1e300, np.nan, -0.0],
        }
    )


def test_run_comes_back_exactly(tmp_path):
    table = run_table()
    write_predictions(table, tmp_path / "predictions.csv")
    found = read_predictions(tmp_path / "predictions.csv")
    pd.testing.assert_frame_equal(found, table, check_exact=True)
    assert tuple(found.columns[: len(COLUMNS)]) == COLUMNS
    assert np.signbit(found["proba_positive"][2])


def test_written_again_the_file_is_the_same_to_the_byte(tmp_path):
    write_predictions(run_table(), tmp_path / "a.csv")
    write_predictions(read_predictions(tmp_path / "a.csv"), tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]


def test_text_that_looks_like_a_number_or_like_nothing_stays_text(tmp_path):
    table = run_table().assign(fold=["007", "NA", ""], y_true=["NA", "1", "1.0"], y_pred=["None", "nan", "true"])
    write_predictions(table, tmp_path / "p.csv")
    pd.testing.assert_frame_equal(read_predictions(tmp_path / "p.csv"), table)


def test_float32_comes_back_as_the_double_it_equals(tmp_path):
    values = np.array([0.1, 1 / 3, 2.5], dtype=np.float32)
    write_predictions(run_table().assign(proba_negative=values), tmp_path / "p.csv")
    found = read_predictions(tmp_path / "p.csv")["proba_negative"]
    assert found.dtype == np.float64
    assert found.tolist() == values.astype(np.float64).tolist()


def test_infinite_scores_come_back(tmp_path):
    table = run_table()[list(KEY_COLUMNS)].assign(score_negative=[np.inf, -np.inf, 0.0])
    write_predictions(table, tmp_path / "p.csv")
    assert read_predictions(tmp_path / "p.csv")["score_negative"].tolist() == [np.inf, -np.inf, 0.0]


def test_line_ends_commas_and_quotes_inside_text_come_back(tmp_path):
    table = run_table().assign(fold=["a\rb", "a\r\nb", 'a,"b"\nc'])
    write_predictions(table, tmp_path / "p.csv")
    pd.testing.assert_frame_equal(read_predictions(tmp_path / "p.csv"), table, check_exact=True)


@settings(deadline=None, max_examples=100)
@given(values=st.lists(st.floats(width=64), min_size=3, max_size=3), text=st.text(min_size=1))
def test_any_float_and_any_text_come_back(tmp_path_factory, values, text):
    path = tmp_path_factory.mktemp("round") / "p.csv"
    table = run_table().assign(proba_negative=values, method=text)
    write_predictions(table, path)
    pd.testing.assert_frame_equal(read_predictions(path), table, check_exact=True)


def test_key_columns_alone_are_enough_and_their_order_is_kept(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("y_pred,y_true,subject,clip_id,dataset\nb,a,d/s,d/s/c,d\n")
    assert read_predictions(path).iloc[0].to_dict() == {
        "y_pred": "b",
        "y_true": "a",
        "subject": "d/s",
        "clip_id": "d/s/c",
        "dataset": "d",
    }


def test_byte_order_mark_windows_line_ends_and_blank_lines_are_read(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes("\ufeffdataset,clip_id,subject,y_true,y_pred\r\n\r\nd,d/s/c,d/s,a,b\r\n".encode())
    assert read_predictions(path)["y_pred"].tolist() == ["b"]


HEADER = "dataset,clip_id,subject,y_true,y_pred"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n \n", "line 2: the header lacks"),
        ("dataset,clip_id,subject,y_true\nd,c,s,a\n", "line 1: the header lacks the column y_pred"),
        (f"{HEADER},y_true\n", "line 1: the header repeats the column y_true"),
        (f"{HEADER}\nd,c,s,a,b\nd,c,s,a\n", "line 3: 4 cells, where the header has 5"),
        (f"{HEADER}\nd,c,s,a,b,c\n", "line 2: 6 cells, where the header has 5"),
        (f"{HEADER},proba_a\nd,c,s,a,b,high\n", "line 2: proba_a is 'high'; it must be a number"),
        (f"{HEADER},seed\nd,c,s,a,b,1.5\n", "line 2: seed is '1.5'; it must be an integer"),
        (f'{HEADER}\nd,c,s,a,"b\n', "not readable as CSV"),
    ],
)
def test_unreadable_files_are_refused_naming_file_line_and_rule(tmp_path, content, message):
    path = tmp_path / "p.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_folders_and_other_encodings_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*none\.csv: No such file"):
        read_predictions(tmp_path / "none.csv")
    with pytest.raises(DataError, match="Is a directory"):
        read_predictions(tmp_path)
    (tmp_path / "utf16.csv").write_bytes(HEADER.encode("utf-16"))
    with pytest.raises(DataError, match="not UTF-8 text"):
        read_predictions(tmp_path / "utf16.csv")


def test_header_alone_is_an_empty_table(tmp_path):
    (tmp_path / "p.csv").write_text(f"{HEADER},proba_a\n")
    found = read_predictions(tmp_path / "p.csv")
    assert found.empty
    assert list(found.columns) == [*KEY_COLUMNS, "proba_a"]


def test_writing_refuses_missing_columns_and_text():
    with pytest.raises(DataError, match="lack the column y_pred"):
        predictions_csv(run_table().drop(columns="y_pred"))
    table = run_table()
    table.loc[1, "fold"] = None
    with pytest.raises(DataError, match="no fold for samm/006/006_1_2"):
        predictions_csv(table)


def test_writing_into_a_file_taken_for_a_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match="cannot write"):
        write_predictions(run_table(), tmp_path / "file" / "p.csv")


def test_writing_leaves_the_table_as_it_was():
    table = run_table().astype({"proba_negative": np.float32})
    before = table.copy()
    predictions_csv(table)
    pd.testing.assert_frame_equal(table, before)


def test_class_columns_are_probabilities_before_scores_before_none():
    table = run_table()
    assert class_columns(table) == {"negative": "proba_negative", "positive": "proba_positive"}
    both = table.assign(score_negative=0.0)
    assert class_columns(both) == class_columns(table)
    plain = table[list(KEY_COLUMNS)]
    assert class_columns(plain.assign(score_x=1.0)) == {"x": "score_x"}
    assert class_columns(plain) == {}


def test_classes_are_inferred_from_columns_first_then_from_labels_by_name():
    table = run_table()[list(KEY_COLUMNS)]
    assert infer_classes(table) == ("negative", "positive")
    assert infer_classes(table.assign(score_surprise=0.0, score_positive=0.0)) == ("surprise", "positive", "negative")


def test_check_classes_returns_a_tuple():
    assert check_classes(list(CLASSES)) == CLASSES
    with pytest.raises(ParameterError, match="distinct class names"):
        check_classes("negative")


def test_check_predictions_returns_the_classes_of_a_good_table():
    assert check_predictions(run_table(), list(CLASSES)) == CLASSES
    with pytest.raises(DataError, match=r"y_pred 'positive' \(smic/s6/b\), which is none of the classes negative, x$"):
        check_predictions(run_table().assign(y_true="x"), ("negative", "x"))
