"""Every table of the report, read back from the page and computed again by pandas and scikit-learn."""

import html
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score
from toyset.clips import CLASSES, toy_clips

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import ResultsError
from microexpr.pipelines import comparison as module
from microexpr.pipelines import registry
from microexpr.pipelines.comparison import compare
from microexpr.pipelines.harness import run
from microexpr.pipelines.metrics import RocCurves
from microexpr.pipelines.registry import all_methods, method
from microexpr.pipelines.report.figures import forest_svg, roc_svg
from microexpr.pipelines.report.html import write_report
from microexpr.pipelines.results import Store

CLIPS = toy_clips(n_subjects=4).concat(toy_clips(n_subjects=3, dataset="other", seed=1))
PARAMS = {"flowmap__method": "dis"}


class Page(HTMLParser):
    """Reads the tables of a page: heading -> list of tables -> rows -> texts of the cells."""

    def __init__(self, text):
        super().__init__()
        self.sections = {}
        self._texts = []
        self._heading = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag in ("h2", "h3", "td", "th"):
            self._texts = []
        elif tag == "table":
            self.sections.setdefault(self._heading, []).append([])
        elif tag == "tr":
            self.sections[self._heading][-1].append([])

    def handle_data(self, data):
        self._texts.append(data)

    def handle_endtag(self, tag):
        if tag in ("h2", "h3"):
            self._heading = " ".join("".join(self._texts).split())
        elif tag in ("td", "th"):
            self.sections[self._heading][-1][-1].append(" ".join("".join(self._texts).split()))

    def rows(self, heading, table=0):
        """The rows of a table below its header, by their first cell."""
        return {row[0]: row[1:] for row in self.sections[heading][table][1:]}


def report(tmp_path, clips=CLIPS, methods=("flow-svm",), **options):
    options.setdefault("params", PARAMS)
    compared = compare(list(methods), clips, store=tmp_path, **options)
    text = write_report(compared, Store(tmp_path)).read_text()
    return compared, text, Page(text)


def shown(value):
    return f"{value:.3f}".removeprefix("0") if value < 1 else "1.000"


def uf1(table):
    present = [name for name in CLASSES if (table["y_true"] == name).any()]
    return f1_score(table["y_true"], table["y_pred"], labels=present, average="macro", zero_division=0)


def uar(table):
    present = [name for name in CLASSES if (table["y_true"] == name).any()]
    return recall_score(table["y_true"], table["y_pred"], labels=present, average="macro", zero_division=0)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    return report(tmp_path_factory.mktemp("results"))


@pytest.fixture
def _registry_of_its_own(monkeypatch):
    all_methods()
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))


def test_scores_are_pooled(honest):
    compared, _, page = honest
    rows = page.rows("Scores")
    assert list(rows) == ["flow-svm", "majority"]
    for name, table in compared.predictions.items():
        assert rows[name][0].split()[0] == shown(uf1(table))
        assert rows[name][1].split()[0] == shown(uar(table))
        assert rows[name][2:] == [shown(accuracy_score(table["y_true"], table["y_pred"])), "42", "7"]


def test_confusion_matrices_count_the_clips(honest):
    compared, _, page = honest
    for name, table in compared.predictions.items():
        counts = pd.crosstab(table["y_true"], table["y_pred"]).reindex(index=CLASSES, columns=CLASSES, fill_value=0)
        rows = page.rows(name, 0)
        assert page.sections[name][0][0] == ["", *CLASSES]
        for label, row in counts.iterrows():
            # A count and its share of the row stand in one cell.
            assert rows[label] == [f"{count}{100 * count / row.sum():.0f}%" for count in row]


def test_areas_under_the_curves_are_scikit_learns(honest):
    compared, text, page = honest
    table = compared.predictions["flow-svm"]
    for label in CLASSES:
        area = roc_auc_score(table["y_true"] == label, table[f"score_{label}"])
        assert page.rows("flow-svm", 1)[label][-1] == shown(area)
        assert f"{label}, AUC {area:.3f}" in text


def test_figures_of_each_data_set_are_of_its_clips_alone(honest):
    compared, _, page = honest
    counted, figures = page.sections["Data sets"]
    assert counted[1:] == [["other", "3", "6", "6", "6", "18"], ["toy", "4", "8", "8", "8", "24"]]
    expected = []
    for name, table in compared.predictions.items():
        for dataset, part in table.groupby("dataset"):
            accuracy = accuracy_score(part["y_true"], part["y_pred"])
            expected.append([name, dataset, str(len(part)), shown(uf1(part)), shown(uar(part)), shown(accuracy)])
    assert figures[1:] == expected


def test_shares_of_each_subject_are_of_its_clips(honest):
    compared, _, page = honest
    rows = page.rows("Subjects")
    assert len(rows) == 7
    for subject, cells in rows.items():
        shares = []
        for table in compared.predictions.values():
            part = table[table["subject"] == subject]
            shares.append(f"{100 * np.mean(part['y_true'] == part['y_pred']):.0f}%")
        assert cells == ["6", *shares]


def test_paired_differences_are_of_the_pooled_uf1(honest):
    compared, _, page = honest
    [(names, cells)] = page.rows("Paired differences").items()
    first, second = names.split(" − ")
    difference = uf1(compared.predictions[first]) - uf1(compared.predictions[second])
    assert cells[0] == f"{difference:+.3f}"
    low, high = map(float, cells[1].strip("[]").split(","))
    assert low <= difference <= high


def test_clips_that_all_get_wrong_show_what_each_said(honest):
    compared, _, page = honest
    table = compared.predictions["flow-svm"].set_index("clip_id")
    wrong = table[table["y_true"] != table["y_pred"]]
    assert page.rows("Clips that every method gets wrong") == {
        clip_id: [row["y_true"], row["y_pred"]] for clip_id, row in wrong.iterrows()
    }


def test_provenance_names_the_run_of_each_method(honest):
    compared, _, page = honest
    rows = page.rows("Provenance")
    for name, table in compared.predictions.items():
        assert rows[name][0] == table["run_key"][0][:16]


@pytest.mark.parametrize(("protocol", "is_shared"), [("loso", False), ("kfold:3", True), ("holdout:0.6", True)])
def test_every_table_of_figures_from_a_split_that_shares_subjects_says_so(tmp_path, protocol, is_shared):
    _, text, page = report(tmp_path, protocol=protocol)
    assert ("too high for people the model has not seen" in text) == is_shared
    flagged = {
        heading
        for heading, tables in page.sections.items()
        for table in tables
        if any("subjects shared" in cell for row in table for cell in row)
    }
    assert flagged == ({"Scores", "Paired differences", "Data sets", "Subjects"} if is_shared else set())
    flagged_methods = {heading for heading in page.sections if heading.endswith("subjects shared")}
    assert len(flagged_methods) == (2 if is_shared else 0)


def test_why_a_method_has_no_score_is_said_and_escaped(tmp_path, monkeypatch):
    def failing(name, *args, **kwargs):
        if name == "flow-svm":
            raise ResultsError("the <disk> & the tape")
        return run(name, *args, **kwargs)

    monkeypatch.setattr(module, "run", failing)
    _, text, page = report(tmp_path)
    assert "flow-svm has no score: the &lt;disk&gt; &amp; the tape" in text
    assert list(page.rows("Scores")) == ["majority"]


@pytest.mark.usefixtures("_registry_of_its_own")
def test_names_of_methods_classes_and_clips_are_escaped_everywhere(tmp_path):
    def builder(*, random_state=None):
        """Guess <at> random & hope."""
        return DummyClassifier(strategy="uniform", random_state=random_state)

    method("a<b>/&c", reference="<nobody>, 2026")(builder)
    table = toy_clips().table.copy()
    table["label"] = table["label"].replace({"negative": "<s>&neg", "positive": "$pos$", "surprise": "_sur"})
    table["subject"] = table["subject"].str.replace("s01", "s01<i>")
    table.index = [f"{name}<u>" for name in table.index]
    clips = ClipSet(table, list(toy_clips().sources.values()), classes=("<s>&neg", "$pos$", "_sur"), labels="<map>")
    clips = clips.without({table.index[0]: "gone & <forgotten>"})
    _, text, page = report(tmp_path, clips, methods=["a<b>/&c"], params={})
    for bad in ("<b>/", "<s>&", "<i>", "<u>", "<at>", "<nobody>", "<map>", "<forgotten>"):
        assert bad not in text
    assert "a<b>/&c" in page.rows("Scores")
    assert page.sections["a<b>/&c"][0][0] == ["", "<s>&neg", "$pos$", "_sur"]
    assert "gone &amp; &lt;forgotten&gt;" in text


def test_drawings_show_names_as_they_are():
    """No mathematics between dollar signs, and no name left out for its first letter."""
    line = (np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    names = ["_other", "$x$", r"$\broken$", "<b>&"]
    drawn = roc_svg(RocCurves(dict.fromkeys(names, line), dict.fromkeys(names, 0.5), 0.5, ()))
    table = pd.DataFrame({"UF1": 0.5, "UF1_low": 0.1, "UF1_high": 0.9}, index=names)
    for picture in (drawn, forest_svg(table)):
        # Not the comments, in which the drawing library repeats every text.
        texts = [html.unescape(text.split(", AUC")[0]) for text in re.findall(r"<text[^>]*>(.*?)</text>", picture)]
        assert [text for text in texts if text in names] == names


@pytest.mark.usefixtures("_registry_of_its_own")
@pytest.mark.parametrize(("n_methods", "folded"), [(5, False), (6, True)])
def test_many_pairs_of_methods_are_folded_away(tmp_path, n_methods, folded):
    def builder(*, random_state=None):
        """Guess."""
        return DummyClassifier(strategy="uniform", random_state=random_state)

    names = [f"guess{number}" for number in range(n_methods)]
    for name in names:
        method(name, reference="no paper")(builder)
    _, text, page = report(tmp_path, toy_clips(n_subjects=3), methods=names, params={})
    assert len(page.rows("Paired differences")) == n_methods * (n_methods + 1) // 2
    assert ("<summary>21 pairs</summary>" in text) == folded
