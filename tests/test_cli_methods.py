"""`compare` with the papers' experiments, auxiliary clips, fusions of named members and variants, end to end."""

import csv
import json

import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, f1_score, recall_score
from toyset.casme2 import Toy
from toyset.commandline import refused
from toyset.study import write_study

from microexpr.pipelines import registry
from microexpr.pipelines.registry import PaperRun, all_methods, method

#: Five subjects, each with a clip of every class.
TOYS = tuple(
    Toy(f"{subject:02d}", f"EP0{subject}_{number:02d}", 1, 4, 6, emotion, "4", range(1, 7))
    for subject in range(1, 6)
    for number, emotion in enumerate(("disgust", "happiness", "surprise"))
)
SYNTHETIC = "synthetic:n_subjects=2,clips_per_subject=3"
MACRO = "synthetic-macro:n_subjects=1,clips_per_subject=3"
NETWORK = (
    *("--set", "flowimage__method=dis", "--set", "flowimage__size=32"),
    *("--set", "nmerclassifier__epochs=1", "--set", "nmerclassifier__batch_size=4"),
)


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path / "CASME2", TOYS)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "results"


def stored(out):
    """What each run's run.json and predictions.csv say, by method and protocol."""
    found = {}
    for path in out.glob("runs/*/predictions.csv"):
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        settings = json.loads((path.parent / "run.json").read_text())
        found[settings["method"], settings["protocol"]] = (settings, rows)
    return found


def shown(value):
    """A score as the tables print it."""
    return f"{value:.3f}".removeprefix("0") if value < 1 else "1.000"


# --protocol paper


@pytest.fixture
def two_papers(monkeypatch):
    """Two methods whose papers have several experiments, one protocol in common."""
    all_methods()
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))

    @method(
        "guess",
        reference="toy",
        paper=(
            PaperRun("holdout:0.8", {"strategy": "prior"}, accuracy=0.625),
            PaperRun("holdout:0.8", {"strategy": "uniform"}, accuracy=0.62, UF1=0.41),
            PaperRun("loso"),
        ),
        caution="it guesses",
    )
    def guess(*, random_state=None):
        """Guess."""
        return DummyClassifier(random_state=random_state)

    @method("other", reference="toy", paper=(PaperRun("kfold:3", {"strategy": "stratified"}, UAR=0.7),))
    def other(*, random_state=None):
        """Guess otherwise."""
        return DummyClassifier(random_state=random_state)


@pytest.fixture
def papers(two_papers, console, study, out):
    return console(
        "compare", "guess", "other", "--data", f"casme2={study}", "--protocol", "paper", "--seed", 3, "--out", out
    )


def test_each_experiment_of_the_papers_stands_beside_ours_and_the_majority(papers, out):
    assert papers.code == 0
    below = papers.out.split("the papers' experiments")[1]
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in below.splitlines() if line[:1] == "│"]
    assert [row[:4] for row in rows] == [
        ["guess[strategy=prior] *", "holdout:0.8", "accuracy", ".625"],
        ["guess[strategy=uniform] *", "holdout:0.8", "accuracy", ".620"],
        ["guess[strategy=uniform] *", "holdout:0.8", "UF1", ".410"],
        ["guess", "loso", "UF1", "-"],
        ["other[strategy=stratified] *", "kfold:3", "UAR", ".700"],
    ]
    files = stored(out)
    for name, protocol, metric, _, ours, majority in rows:
        _, clips = files[name.removesuffix(" *"), protocol]
        truth, answer = [clip["y_true"] for clip in clips], [clip["y_pred"] for clip in clips]
        most = max(sorted(set(truth)), key=truth.count)
        if metric == "accuracy":
            assert ours == shown(accuracy_score(truth, answer))
            assert majority == shown(truth.count(most) / len(truth))
        if metric == "UF1":
            assert ours == shown(f1_score(truth, answer, average="macro", zero_division=0))
            assert majority == shown(f1_score(truth, [most] * len(truth), average="macro", zero_division=0))
        if metric == "UAR":
            # The class that is most frequent in training, fold by fold.
            bar = [clip["y_pred"] for clip in files["majority", protocol][1]]
            assert majority == shown(recall_score(truth, bar, average="macro", zero_division=0))


def test_experiments_that_share_subjects_are_flagged_and_others_are_not(papers, out):
    for table in papers.out.split("subjects, ")[1:]:
        protocol = table.partition(",")[0]
        body = table.split("the papers' experiments")[0]
        assert ("subjects shared" in body) == (protocol != "loso")
        assert ("│ majority *" in body) == (protocol != "loso")
    assert "* subjects shared" in papers.out.split("the papers' experiments")[1]
    flagged = {path.name for path in out.glob("report-*.html") if "subjects shared" in path.read_text()}
    assert flagged == {"report-holdout-0.8.html", "report-kfold-3.html"}


def test_each_protocol_has_a_report_with_its_own_experiments(papers, out):
    written = ["report-holdout-0.8.html", "report-loso.html", "report-kfold-3.html"]
    assert papers.out.splitlines()[-3:] == [str(out / name) for name in written]
    assert {path.name for path in out.glob("*.html")} == set(written)
    holdout, loso, kfold = ((out / name).read_text() for name in written)
    headings = ("<h3>guess[strategy=prior]", "<h3>guess[strategy=uniform]", "<h3>guess<", "<h3>other[")
    assert [heading in holdout for heading in headings] == [True, True, False, False]
    assert [heading in loso for heading in headings] == [False, False, True, False]
    assert [heading in kfold for heading in headings] == [False, False, False, True]
    assert all("<h3>majority" in page for page in (holdout, loso, kfold))


def test_a_variant_of_a_paper_keeps_its_methods_caution(papers, out):
    assert "note: guess[strategy=uniform]: it guesses\n" in papers.out
    assert (out / "report-holdout-0.8.html").read_text().count("Note: it guesses.") == 2


def test_one_experiment_that_cannot_run_refuses_all_before_anything_is_computed(two_papers, console, tmp_path, out):
    small = write_study(tmp_path / "small", TOYS[:9])
    answer = console("compare", "guess", "--data", f"casme2={small}", "--protocol", "paper", "--out", out)
    refused(answer, "holdout:0.8 leaves 2 of 9 clips for testing")
    assert not list(out.glob("runs/*"))


# --auxiliary


def test_macro_expressions_join_the_training_of_a_network(console, out):
    arguments = ("compare", "nmer+emr+adversarial", "--data", SYNTHETIC, "--auxiliary", MACRO, *NETWORK)
    answer = console(*arguments, "--out", out)
    assert answer.code == 0
    assert answer.out.startswith("6 clips, 2 subjects, loso")
    assert "nmer+emr+adversarial, auxiliary: features" in answer.err
    assert "without nmerclassifier__weights the backbone begins at random" in answer.out
    files = stored(out)
    settings, rows = files["nmer+emr+adversarial", "loso"]
    assert settings["auxiliary"] is not None
    assert files["majority", "loso"][0]["auxiliary"] is None
    # Nobody of the auxiliary clips is tested.
    assert {row["subject"] for row in rows} == {"synthetic/sub01", "synthetic/sub02"}
    assert len(rows) == 6
    page = (out / "report.html").read_text()
    assert "Losses by epoch" in page
    assert ">train adversarial</text>" in page


@pytest.mark.parametrize("command", ["compare", "audit"])
def test_a_method_that_needs_macro_expressions_says_so_in_one_line(console, out, command):
    answer = console(command, "nmer+emr+adversarial", "--data", SYNTHETIC, "--out", out)
    refused(answer, "nmer+emr+adversarial learns from macro-expressions too: give it auxiliary clips (--auxiliary)")
    assert not list(out.glob("*/*"))


def test_an_unknown_auxiliary_set_is_refused(console, study, out):
    answer = console("compare", "majority", "--data", f"casme2={study}", "--auxiliary", "sythetic-macro", "--out", out)
    refused(answer, "sythetic-macro", "synthetic-macro")


# Fusions and variants


def test_members_of_a_fusion_are_named_on_the_command_line(console, study, out):
    arguments = ("compare", "fusion", "--set", "members=flow-svm,strain-svm", "--data", f"casme2={study}")
    answer = console(*arguments, "--out", out)
    assert answer.code == 0
    settings, rows = stored(out)["fusion", "loso"]
    assert len(rows) == 15
    spec = json.dumps(settings["estimator"])
    assert "FlowMap" in spec
    assert "OpticalStrain" in spec
    assert "FlowCNN" not in spec
    assert "Set by the user: <code>members=flow-svm,strain-svm</code>" in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ("flow-svm", "members is 'flow-svm': it must name two methods at least"),
        ("flow-svm,nmer+emr+adversarial", "a method that needs auxiliary clips cannot be a member"),
        ("flow-svm,strain-svn", "did you mean 'strain-svm'?"),
    ],
)
def test_members_that_cannot_be_are_refused_in_one_line(console, study, out, members, words):
    answer = console("compare", "fusion", "--set", f"members={members}", "--data", f"casme2={study}", "--out", out)
    refused(answer, words)
    assert not out.exists()


def test_a_variant_stands_beside_its_method(console, study, out):
    variant = "flow-svm[svc__C=0.01]"
    answer = console("compare", "flow-svm", variant, "--data", f"casme2={study}", "--out", out)
    assert answer.code == 0
    assert set(answer.rows) >= {"flow-svm", variant, "majority"}
    constants = {name: json.dumps(settings["estimator"]) for (name, _), (settings, _) in stored(out).items()}
    assert '"C": 0.01' in constants[variant]
    assert '"C": 0.01' not in constants["flow-svm"]
    page = (out / "report.html").read_text()
    assert f"<h3>{variant}</h3>" in page


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("flow-svm[svc__C]", "method 'flow-svm[svc__C]' cannot be read"),
        ("flow-svm[svc__C=0.01", "method 'flow-svm[svc__C=0.01' cannot be read"),
        ("flow-svm[svc__c=0.01]", "has no parameter 'svc__c'; did you mean 'svc__C'?"),
        ("flow-svm[svc__C=-1]", "The 'C' parameter of SVC must be"),
    ],
)
def test_variants_that_cannot_be_are_refused_in_one_line(console, study, out, name, words):
    refused(console("compare", name, "--data", f"casme2={study}", "--out", out), words)
    assert not out.exists()


# A caution, from the record to the page


def test_a_network_that_sees_no_motion_says_so_beside_its_figures(console, study, out):
    tiny = ("--set", "pad__size=(24,20)", "--set", "houltonclassifier__epochs=1", "--set", "houltonclassifier__width=2")
    answer = console("compare", "houlton-cnn", *tiny, "--data", f"casme2={study}", "--out", out)
    assert answer.code == 0
    words = "it sees the apex frame alone: no motion, so figures near the majority row are no surprise"
    [line] = [line for line in answer.out.splitlines() if words in line]
    assert line.startswith("note: houlton-cnn: ")
    assert f"{words}.</p>" in (out / "report.html").read_text()
    assert words in console("methods", "houlton-cnn").out.replace("\n", " ")
