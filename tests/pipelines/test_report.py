"""The report shows the figures that the metrics give, warns where it must, and asks nothing of the network."""

import re
from dataclasses import replace

import pytest
from toyset.clips import CLASSES, toy_clips

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import ResultsError
from microexpr.pipelines.comparison import compare
from microexpr.pipelines.metrics import per_class, scores
from microexpr.pipelines.registry import get_method
from microexpr.pipelines.report.html import render_report, write_report
from microexpr.pipelines.report.words import figure
from microexpr.pipelines.results import Store

CLIPS = toy_clips(n_subjects=4)
PARAMS = {"flowmap__method": "dis"}


def _report(tmp_path, clips=CLIPS, **options):
    compared = compare(["flow-svm"], clips, store=tmp_path, params=PARAMS, **options)
    path = write_report(compared, Store(tmp_path))
    assert path == tmp_path / "report.html"
    return compared, path.read_text()


def _cells(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_every_figure_is_that_of_the_metrics(tmp_path):
    compared, html = _report(tmp_path)
    shown = _cells(html)
    for name, predictions in compared.predictions.items():
        pooled, row = scores(predictions, CLASSES), compared.table().loc[name]
        assert f"{figure(pooled['UF1'])} [{figure(row['UF1_low'])}, {figure(row['UF1_high'])}]" in shown
        assert f"weighted F1 {figure(pooled['weighted_f1'])}" in shown
        for label, line in per_class(predictions, CLASSES).iterrows():
            figures = " ".join(figure(line[key]) for key in ("accuracy", "precision", "recall", "f1"))
            assert f"{label} {int(line['support'])} {figures}" in shown


def test_nothing_is_asked_of_the_network_and_nothing_is_run(tmp_path):
    _, html = _report(tmp_path)
    assert not re.search(r"(src|href|action)\s*=\s*[\"']?(https?:)?//", html)
    assert not re.search(r"url\((?!#)", html)
    assert "@import" not in html
    assert "<script" not in html


def test_shared_subjects_are_flagged_beside_every_method(tmp_path):
    _, honest = _report(tmp_path / "a")
    _, shared = _report(tmp_path / "b", protocol="kfold:3")
    assert "subjects shared" not in honest
    assert 'role="alert"' in shared
    scored = shared[shared.index("<h2>Scores</h2>") : shared.index("<h2>Paired")]
    rows = re.findall(r"<tr>.*?</tr>", scored, flags=re.DOTALL)[1:]
    assert len(rows) == 2
    assert all("subjects shared" in row for row in rows)


def test_what_papers_report_stands_beside_ours_with_its_data_and_protocol(tmp_path):
    compared = compare(["strain-svm"], CLIPS, store=tmp_path, params={"opticalstrain__method": "dis"})
    shown = _cells(write_report(compared, Store(tmp_path)).read_text())
    for one in get_method("strain-svm").published:
        assert f"{one.figure} {one.data} {one.protocol} {one.source}" in shown
    assert shown.count("compare with care") == 1


def test_clips_that_every_method_gets_wrong_are_listed(tmp_path):
    compared, html = _report(tmp_path)
    table = compared.predictions["flow-svm"]
    wrong = set(table.loc[table["y_true"] != table["y_pred"], "clip_id"])
    listed = html[html.index("<h2>Clips that every") : html.index("<h2>Provenance")]
    assert wrong
    assert set(re.findall(r"toy/s\d\d/\w+", listed)) == wrong


def test_findings_and_dropped_clips_are_shown_with_their_reason(tmp_path):
    left_out = CLIPS.without({"toy/s00/ne0": "the frames are gone"})
    _, html = _report(tmp_path, left_out)
    assert "toy/s00/ne0" in html
    assert "the frames are gone" in html


def test_names_are_escaped(tmp_path):
    table = CLIPS.table.copy()
    table["label"] = table["label"].replace("negative", "<b>&neg")
    odd = ClipSet(table, CLIPS.sources, classes=("<b>&neg", "positive", "surprise"), labels="toy")
    _, html = _report(tmp_path, odd)
    assert "<b>&neg" not in html
    assert "&lt;b&gt;&amp;neg" in html


def test_a_comparison_without_a_complete_run_has_no_report():
    compared = replace(compare(["majority"], CLIPS), predictions={})
    with pytest.raises(ResultsError, match="no method has a complete run"):
        render_report(compared, {})


@pytest.mark.parametrize(("value", "text"), [(0.7563, ".756"), (1.0, "1.000"), (0.0, ".000"), (float("nan"), "-")])
def test_scores_have_three_digits(value, text):
    assert figure(value) == text
