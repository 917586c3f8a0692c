"""Spotting methods compared: the table, what happened at false positives, the terminal, and the page."""

import re

import numpy as np
import pandas as pd
import pytest
from toyset.levels import LevelSpotter, level_videos, measure_levels

from microexpr.core.errors import DataError, ParameterError, ResultsError
from microexpr.pipelines import spotters, spottingcomparison, spottingruns, spottingsignals
from microexpr.pipelines.report.spotting_html import render_spotting, write_spotting_report
from microexpr.pipelines.report.spottingruns_text import print_spotting
from microexpr.pipelines.report.words import figure
from microexpr.pipelines.spotters import all_spotters, build_any_spotter, spotter_summary
from microexpr.pipelines.spottingcomparison import compare_spotting
from microexpr.pipelines.spottingmetrics import spotting_interval, spotting_scores
from microexpr.spotting import SPOTTERS
from microexpr.spotting.methods import with_params

SHOWN = {
    "casmesq/a/1": [(10, 13, 10), (30, 39, 10), (50, 52, 5)],
    "casmesq/b/1": [(12, 15, 10), (50, 52, 5)],
    "casmesq/c<i>/1": [(20, 23, 10), (50, 52, 7), (56, 57, 7)],
}
TRUE = {
    "casmesq/a/1": [(10, 13, "negative"), (30, 39, "positive")],
    "casmesq/b/1": [(12, 15, "positive")],
    "casmesq/c<i>/1": [(20, 23, "negative")],
}


def build(name, **params):
    return with_params(LevelSpotter(), params) if name == "level" else build_any_spotter(name, **params)


@pytest.fixture(autouse=True)
def _toys(monkeypatch):
    monkeypatch.setattr(spottingsignals, "measure_video", measure_levels)
    for module in (spottingcomparison, spottingruns, spotters):
        monkeypatch.setattr(module, "build_any_spotter", build)


@pytest.fixture
def videos():
    made = level_videos(SHOWN, TRUE)
    rows = [("casmesq/c<i>/1", "blink", 49, 53), ("casmesq/c<i>/1", "light drift", 0, 59)]
    made.distractors = pd.DataFrame(rows, columns=["video_id", "kind", "onset", "offset"])
    return made


def seen(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_the_table_holds_the_figures_of_the_metrics(videos):
    compared = compare_spotting(["level"], videos)
    row = compared.table().loc["level"]
    found, true = compared.found["level"], videos.intervals
    # c's own fold takes 6: its 7s are false positives.
    assert row[["n_true", "n_found", "TP", "FP", "FN"]].tolist() == [4, 6, 4, 2, 0]
    assert (row["F1"], row["precision"], row["recall"]) == (0.8, 4 / 6, 1.0)
    for name, kind in (("F1", None), ("micro_F1", "micro"), ("macro_F1", "macro")):
        interval = spotting_interval(true, found, videos.videos, kind=kind)
        ends = row[[name, f"{name}_low", f"{name}_high"]].to_numpy(dtype=float)
        np.testing.assert_array_equal(ends, [interval.estimate, interval.low, interval.high])
    assert np.isnan(row["STRS"])


def test_a_recognizer_adds_strs(videos):
    compared = compare_spotting(["level"], videos, recognizer="majority")
    named = compared.true
    assert named["label"].tolist() == ["negative", "positive", "positive", "negative"]
    pooled = spotting_scores(named, compared.found["level"], videos.videos)
    assert compared.table().loc["level", "STRS"] == pooled["STRS"] == pooled["F1"] * pooled["UF1"]
    assert (compared.recognizer, compared.labels) == ("majority", "megc2019")


def test_false_positives_are_counted_by_what_happened(videos):
    compared = compare_spotting(["level"], videos)
    assert compared.alarms()["level"].to_dict() == {"blink": 1, "nothing": 1}
    del videos.distractors
    assert compare_spotting(["level"], videos).alarms().empty


def test_blinks_and_the_like_are_no_expressions(videos):
    compared = compare_spotting(["level"], videos)
    table = compared.runs["level"].table
    table.loc[table.index[0], "kind"] = "blink"
    assert compared.scores("level")["TP"] == 3
    assert len(compared.expressions("level")) == len(table) - 1


def test_one_method_that_fails_leaves_the_others(videos, monkeypatch):
    real = spottingcomparison.spotting_run

    def failing(name, *arguments, **options):
        if name == "flow":
            raise ResultsError("flow: no face")
        return real(name, *arguments, **options)

    monkeypatch.setattr(spottingcomparison, "spotting_run", failing)
    compared = compare_spotting(["flow", "level"], videos)
    assert (list(compared.found), compared.failures) == (["level"], {"flow": "flow: no face"})


@pytest.mark.parametrize(
    ("methods", "options", "words"),
    [
        ([], {}, "no method is named"),
        (["level", "level"], {}, "methods named twice: level"),
        (["wave"], {}, "method is 'wave'"),
        (["level"], {"params": {"gian": 2.0}}, "none of level has a parameter 'gian'; they have gain, longest_micro"),
        (["level"], {"recognizer": "waves"}, "waves"),
        (["level"], {"labels": "megc2019"}, "only a recognizer names expressions"),
        (["flow"], {"params": {"n_regions": 0}}, "n_regions is 0"),
    ],
)
def test_what_is_not_allowed_is_refused_before_anything_is_measured(videos, monkeypatch, methods, options, words):
    monkeypatch.setattr(spottingsignals, "measure_video", None)
    with pytest.raises(ParameterError, match=words):
        compare_spotting(methods, videos, **options)


def test_one_subject_is_refused(monkeypatch):
    monkeypatch.setattr(spottingsignals, "measure_video", None)
    with pytest.raises(DataError, match="the videos show 1 subject"):
        compare_spotting(["level"], level_videos({"casmesq/a/1": []}, {"casmesq/a/1": []}))


def test_parameters_go_to_whoever_has_them(videos):
    params = {"longest_micro": 2.0, "svc__C": 0.5, "flowmap__method": "dis"}
    compared = compare_spotting(["level"], videos, recognizer="flow-svm", params=params)
    assert compared.params == {
        "level": {"longest_micro": 2.0},
        "flow-svm": {"svc__C": 0.5, "flowmap__method": "dis"},
    }
    assert set(compared.found["level"]["kind"]) == {"micro"}


# The terminal.


def test_the_terminal_shows_each_method_with_its_figures(videos, capsys):
    compared = compare_spotting(["level"], videos, recognizer="majority")
    print_spotting(compared)
    printed = capsys.readouterr().out
    row = compared.table().loc["level"]
    assert "3 videos, 3 subjects, 4 true expressions, loso, seed 0" in printed
    assert f".800 [{figure(row['F1_low'])}, {figure(row['F1_high'])}]" in printed
    assert "4/2/0" in printed
    assert f"{figure(row['STRS'])} [" in printed
    assert re.search(r"blink +│ 1", printed)


# The page.


def test_the_page_shows_the_figures_and_asks_nothing_of_the_network(videos, tmp_path):
    compared = compare_spotting(["level"], videos, recognizer="majority", store=tmp_path)
    path = write_spotting_report(compared, tmp_path)
    assert path == tmp_path / "spotting.html"
    html = path.read_text()
    assert not re.search(r"(src|href|action)\s*=\s*[\"']?(https?:)?//", html)
    assert "<script" not in html
    shown, row = seen(html), compared.table().loc["level"]
    assert f"level .800 [{figure(row['F1_low'])}, {figure(row['F1_high'])}] {figure(4 / 6)} 1.000" in shown
    assert f"{figure(row['UF1'])} {figure(row['STRS'])} [" in shown
    assert "blink 1" in shown
    assert "0 of the videos show none" in shown
    assert compared.runs["level"].facts["run_key"][:16] in shown


def test_the_page_needs_no_store_and_escapes_names(videos):
    html = render_spotting(compare_spotting(["level"], videos))
    assert "casmesq/c&lt;i&gt;/1" in html
    assert "c<i>/1" not in html


def test_each_video_is_drawn_with_what_is_true_and_what_was_found(videos):
    html = render_spotting(compare_spotting(["level"], videos))
    drawings = html[html.index("<h2>Videos") : html.index("<h2>Methods")].split("<h3>")[1:]
    # Most errors first.
    assert ["c&lt;i&gt;" in drawings[0], len(drawings)] == [True, 3]
    hits, alarms = [
        [one.lower().count(colour) for one in drawings] for colour in ("stroke: #009e73", "stroke: #d55e00")
    ]
    # One hit in c and b, two in a; two false positives in c, and in each drawing the dashed threshold.
    assert sorted(hits) == [1, 1, 2]
    assert [number - 1 for number in alarms] == [2, 0, 0]


def test_a_comparison_without_a_complete_run_has_no_report(videos, monkeypatch):
    def failing(*arguments, **options):
        raise ResultsError("no")

    monkeypatch.setattr(spottingcomparison, "spotting_run", failing)
    with pytest.raises(ResultsError, match="nothing to report"):
        render_spotting(compare_spotting(["level"], videos))


# The methods by name.


def test_every_method_has_a_summary_and_can_be_built():
    assert all_spotters() == (*SPOTTERS, "gentlesvm")
    for name in all_spotters():
        assert spotter_summary(name).startswith("Spot expressions by ")
        assert "_" not in spotter_summary(name)
        assert build_any_spotter(name).name == name
