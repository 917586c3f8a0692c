"""What the terminal says of a method and of its paper's experiments, and the sentences that stand beside figures."""

import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, f1_score
from toyset.clips import toy_clips
from toyset.commandline import Answer

from microexpr.core.errors import ResultsError
from microexpr.pipelines import comparison as module
from microexpr.pipelines import registry
from microexpr.pipelines.comparison import compare
from microexpr.pipelines.harness import run
from microexpr.pipelines.papers import rerun_papers
from microexpr.pipelines.registry import PaperRun, all_methods, get_method, method, variant
from microexpr.pipelines.report.html import write_report
from microexpr.pipelines.report.text import print_comparison, print_method, print_methods, print_papers
from microexpr.pipelines.results import Store

CLIPS = toy_clips(n_subjects=6, per_class=2)
CAUTION = "it guesses <at> random & sees nothing"


@pytest.fixture(autouse=True)
def _toy_methods(monkeypatch):
    all_methods()
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))

    @method(
        "guess",
        reference="toy",
        paper=(
            PaperRun("kfold:3", {"strategy": "prior"}, accuracy=0.5),
            PaperRun("kfold:3", {"strategy": "uniform"}, accuracy=0.4, UF1=1.0),
            PaperRun("loso"),
        ),
        auxiliary="optional",
        caution=CAUTION,
    )
    def guess(*, random_state=None):
        """Guess."""
        return DummyClassifier(random_state=random_state)


@pytest.fixture
def printed(capsys):
    """Call a function of `text` and return what it printed."""

    def call(function, *arguments):
        capsys.readouterr()
        function(*arguments)
        return Answer(0, capsys.readouterr().out, "")

    return call


def shown(value):
    return f"{value:.3f}".removeprefix("0") if value < 1 else "1.000"


def cells(answer):
    """The cells of all rows of the printed tables, flags of shared subjects apart."""
    rows = [line.strip("│").split("│") for line in answer.out.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in row] for row in rows]


# print_papers


def test_published_ours_and_majority_of_each_experiment_are_one_row(printed):
    results = rerun_papers(["guess"], CLIPS)
    answer = printed(print_papers, results)
    ours = {
        (name, protocol): table
        for protocol, one in results.comparisons.items()
        for name, table in one.predictions.items()
    }
    prior, uniform, loso = (
        (table["y_true"], table["y_pred"])
        for table in (
            ours["guess[strategy=prior]", "kfold:3"],
            ours["guess[strategy=uniform]", "kfold:3"],
            ours["guess", "loso"],
        )
    )
    third, majority = ".333", shown(0.5 / 3)  # one class of three, always: right in a third; F1 1/2, 0, 0
    assert cells(answer) == [
        ["guess[strategy=prior] *", "kfold:3", "accuracy", ".500", shown(accuracy_score(*prior)), third],
        ["guess[strategy=uniform] *", "kfold:3", "accuracy", ".400", shown(accuracy_score(*uniform)), third],
        ["guess[strategy=uniform] *", "kfold:3", "UF1", "1.000", shown(f1_score(*uniform, average="macro")), majority],
        ["guess", "loso", "UF1", "-", shown(f1_score(*loso, average="macro", zero_division=0)), majority],
    ]
    assert answer.out.count("* subjects shared: this protocol puts clips of one person into training and test") == 1


def test_where_no_protocol_shares_subjects_there_is_no_warning(printed):
    answer = printed(print_papers, rerun_papers(["flow-svm"], CLIPS))
    assert [row[0] for row in cells(answer)] == ["flow-svm"]
    assert "subjects shared" not in answer.out


def test_an_experiment_that_failed_has_a_dash(printed, monkeypatch):
    def failing(name, *args, **kwargs):
        if name == "guess[strategy=prior]":
            raise ResultsError("the tape broke")
        return run(name, *args, **kwargs)

    monkeypatch.setattr(module, "run", failing)
    results = rerun_papers(["guess"], CLIPS)
    answer = printed(print_papers, results)
    assert answer.rows["guess[strategy=prior]"] == ["kfold:3", "accuracy", ".500", "-", ".333"]
    assert results.failures == {"guess[strategy=prior]": "the tape broke"}


# print_method


def test_a_network_is_shown_layer_by_layer(printed):
    answer = printed(print_method, get_method("ststnet"))
    # Streams of 3, 5 and 8 filters of 3x3 on 3 channels; 5 x 5 x 16 features to 3 classes.
    weights = 16 * (3 * 3 * 3) + 16
    assert answer.rows["conv"] == ["Conv2d", "16 x 30 x 30", f"{weights}"]
    assert answer.rows["bn"] == ["BatchNorm2d", "16 x 30 x 30", "32"]
    assert answer.rows["avgpool"] == ["AvgPool2d", "16 x 5 x 5", "0"]
    assert answer.rows["fc"] == ["Linear", "3", "1,203"]
    assert f"7 layers, {weights + 32 + 1203:,} parameters, with 3 classes" in answer.out


def test_a_method_without_a_network_has_no_layers(printed):
    out = printed(print_method, get_method("flow-svm")).out
    assert "layer" not in out
    assert "Macro-expressions" not in out
    assert "Note:" not in out


def test_a_method_says_what_it_makes_of_macro_expressions_and_its_papers_protocols(printed):
    out = printed(print_method, get_method("guess")).out
    assert "Macro-expressions (--auxiliary): optional\n" in out
    assert "--protocol paper: kfold:3, loso\n" in out
    assert "published figures: none" in out


# What a reader must know beside the figures


def test_a_caution_is_told_with_the_method(printed):
    assert f"\nNote: {CAUTION}\n" in printed(print_method, get_method("guess")).out


def test_a_caution_is_told_once_a_method_under_the_table(printed):
    both = compare(["guess", variant("guess", {"strategy": "uniform"}), "flow-svm"], CLIPS)
    out = printed(print_comparison, both).out
    assert [line for line in out.splitlines() if line.startswith("note: ")] == [
        f"note: guess: {CAUTION}",
        f"note: guess[strategy=uniform]: {CAUTION}",
    ]


def test_without_a_caution_nothing_is_told(printed):
    assert "note:" not in printed(print_comparison, compare(["flow-svm"], CLIPS)).out


def test_the_report_shows_a_caution_beside_its_method_and_escapes_it(tmp_path):
    compared = compare(["guess", "flow-svm"], CLIPS, store=tmp_path)
    text = write_report(compared, Store(tmp_path)).read_text()
    note = '<p class="note">Note: it guesses &lt;at&gt; random &amp; sees nothing.</p>'
    own, others = text.split("<h3>flow-svm")
    assert own.split("<h3>guess")[1].count(note) == 1
    assert text.count('class="note"') == 1
    assert "Note:" not in others


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("houlton-cnn", "it sees the apex frame alone: no motion, so figures near the majority row are no surprise"),
        ("nmer", "without nmerclassifier__weights the backbone begins at random"),
        ("nmer+emr", "without nmerclassifier__weights the backbone begins at random"),
        ("nmer+emr+adversarial", "without nmerclassifier__weights the backbone begins at random"),
    ],
)
def test_methods_that_are_near_the_majority_row_for_a_known_reason_say_so(name, words):
    assert words in get_method(name).caution


def test_a_caution_is_one_sentence_whose_full_stop_the_page_adds():
    for record in all_methods().values():
        assert "\n" not in record.caution
        assert not record.caution.endswith(".")


def test_the_list_of_methods_holds_no_cautions(printed):
    assert CAUTION not in printed(print_methods, all_methods().values()).out
