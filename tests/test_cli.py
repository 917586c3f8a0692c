"""`compare`, end to end: what it prints and writes, and that its figures are those of its files."""

import csv
import json
import re
from html.parser import HTMLParser

import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score
from toyset.casme2 import Toy
from toyset.commandline import FAST, TINY, cache, snapshot, spawn, temporary_files
from toyset.study import STUDY, write_maps, write_study

from microexpr.features.flowmap import FlowMap
from microexpr.features.lbptop import LBPTOP

CLASSES = ["negative", "positive", "surprise"]


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path / "CASME2")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "results"


def tables(out):
    """The rows of every predictions.csv below a results folder, by method, read with Python's own csv."""
    found = {}
    for path in sorted(out.glob("runs/*/predictions.csv")):
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        found[rows[0]["method"]] = rows
    return found


def shown(value):
    """A score as the tables print it."""
    return f"{value:.3f}".removeprefix("0") if value < 1 else "1.000"


def expected(rows, classes=CLASSES):
    """UF1, UAR and accuracy of rows, by scikit-learn, as the tables print them."""
    truth, answer = [row["y_true"] for row in rows], [row["y_pred"] for row in rows]
    present = [name for name in classes if name in truth]
    return (
        shown(f1_score(truth, answer, labels=present, average="macro", zero_division=0)),
        shown(recall_score(truth, answer, labels=present, average="macro", zero_division=0)),
        shown(accuracy_score(truth, answer)),
    )


# compare


def test_compare_prints_the_pooled_figures_of_the_files_it_writes(console, study, out):
    answer = console("compare", "flow-svm", "lbptop-svm", "--data", f"casme2={study}", *FAST, "--out", out)
    assert answer.code == 0
    stored = tables(out)
    assert set(stored) == {"flow-svm", "lbptop-svm", "majority"}
    for name, rows in stored.items():
        assert len(rows) == len(STUDY)
        uf1, uar, accuracy = expected(rows)
        cells = answer.rows[name]
        assert cells[0].startswith(f"{uf1} [")
        assert cells[1].startswith(f"{uar} [")
        assert cells[2] == accuracy
    assert answer.out.splitlines()[-1] == str(out / "report.html")
    assert answer.out.startswith("9 clips, 3 subjects, loso, labels megc2019, seed 0\n")


def test_each_clip_is_predicted_once_in_the_fold_of_its_subject(console, study, out):
    console("compare", "flow-svm", "--data", f"casme2={study}", "--out", out)
    for rows in tables(out).values():
        assert [row["clip_id"] for row in rows] == [f"casme2/{toy.folder}" for toy in STUDY]
        assert all(row["fold"] == row["subject"] for row in rows)
        truth = {"disgust": "negative", "happiness": "positive", "surprise": "surprise"}
        assert [row["y_true"] for row in rows] == [truth[toy.emotion] for toy in STUDY]


def test_several_data_sets_are_compared_together_and_shown_apart(console, study, out, tmp_path):
    maps = write_maps(tmp_path / "maps")
    data = ("--data", f"casme2={study}", "--data", f"flowmaps={maps}", "--data", TINY)
    answer = console("compare", "flow-svm", *data, "--out", out)
    assert answer.code == 0
    assert "27 clips, 9 subjects" in answer.out
    [apart] = [line for line in answer.out.splitlines() if line.startswith("┃ UF1/UAR")]
    order = [cell.strip() for cell in apart.strip("┃").split("┃")][1:]
    assert set(order) == {"casme2", "smic", "synthetic"}
    cells = [line for line in answer.out.splitlines() if line.startswith("│ flow-svm")][1].strip("│").split("│")[1:]
    for name, cell in zip(order, cells, strict=True):
        uf1, uar, _ = expected([row for row in tables(out)["flow-svm"] if row["dataset"] == name])
        assert cell.strip() == f"{uf1}/{uar}"


def test_majority_is_always_a_row_and_predicts_one_class_a_fold(console, study, out):
    console("compare", "flow-svm", "--data", f"casme2={study}", "--out", out)
    rows = tables(out)["majority"]
    for subject in {row["subject"] for row in rows}:
        assert len({row["y_pred"] for row in rows if row["subject"] == subject}) == 1


def test_set_reaches_the_method_that_has_the_parameter_and_no_other(console, study, out):
    data = ("--data", f"casme2={study}")
    console("compare", "flow-svm", "lbptop-svm", *data, "--set", "lbptop__blocks=(2,2,1)", "--out", out)
    specs = {}
    for path in out.glob("runs/*/run.json"):
        run = json.loads(path.read_text())
        specs[run["method"]] = json.dumps(run["estimator"])
    assert '"blocks": [2, 2, 1]' in specs["lbptop-svm"]
    assert "blocks" not in specs["flow-svm"]
    before = set(out.glob("runs/*"))
    console("compare", "flow-svm", "lbptop-svm", *data, "--set", "lbptop__blocks=(1,1,1)", "--out", out)
    [new] = set(out.glob("runs/*")) - before
    assert new.name.startswith("lbptop-svm-")


def test_the_papers_protocol_prints_what_papers_report(console, study, out):
    arguments = ("compare", "strain-svm", "--set", "opticalstrain__method=dis", "--data", f"casme2={study}")
    answer = console(*arguments, "--protocol", "paper", "--out", out)
    assert answer.code == 0
    assert "leave one video out" in answer.out
    assert ", loso, " in answer.out
    assert "leave one video out" not in console(*arguments, "--out", out).out


def test_set_of_a_parameter_that_two_methods_have_reaches_both(console, study, out):
    data = ("--data", f"casme2={study}")
    console("compare", "flow-svm", "lbptop-svm", *data, *FAST, "--set", "svc__C=0.5", "--out", out)
    runs = [json.loads(path.read_text()) for path in out.glob("runs/*/run.json")]
    assert sum('"C": 0.5' in json.dumps(run["estimator"]) for run in runs) == 2


def test_labels_choose_the_classes(console, study, out):
    answer = console("compare", "majority", "--data", f"casme2={study}", "--labels", "casme2-5", "--out", out)
    assert "labels casme2-5" in answer.out
    assert {row["y_true"] for row in tables(out)["majority"]} == {"disgust", "happiness", "surprise"}
    # Classes that no clip has are left out of the means, and that is said.
    assert "note: no clip is others or repression: scored over disgust, happiness, surprise" in answer.out


def test_clips_that_the_labels_drop_are_counted(console, tmp_path, out):
    extra = [Toy("03", "EP03_09", 1, 4, 6, "others", "4", range(1, 7))]
    study = write_study(tmp_path / "more", [*STUDY, *extra])
    answer = console("compare", "majority", "--data", f"casme2={study}", "--out", out)
    assert answer.out.startswith("9 clips, 3 subjects")
    assert "1 clip dropped by label map megc2019" in answer.out
    assert "casme2/sub03/EP03_09" in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("protocol", "folds", "n_rows"),
    [
        ("loso", {"casme2/sub01", "casme2/sub02", "casme2/sub03"}, 9),
        ("kfold:3", {"fold1", "fold2", "fold3"}, 9),
        ("kfold-subject:3", {"fold1", "fold2", "fold3"}, 9),
        ("holdout:0.6", {"fold1"}, 4),
    ],
)
def test_each_protocol_runs_and_is_flagged_where_it_shares_subjects(console, study, out, protocol, folds, n_rows):
    answer = console("compare", "flow-svm", "--data", f"casme2={study}", "--protocol", protocol, "--out", out)
    assert answer.code == 0
    for rows in tables(out).values():
        assert {row["fold"] for row in rows} == folds
        assert len(rows) == n_rows
    is_shared = protocol in ("kfold:3", "holdout:0.6")
    assert ("subjects shared" in answer.out) == is_shared
    assert ("│ flow-svm *" in answer.out) == is_shared
    assert ("│ majority *" in answer.out) == is_shared


def test_leave_one_dataset_out_tests_each_data_set(console, study, out, tmp_path):
    data = ("--data", f"casme2={study}", "--data", f"flowmaps={write_maps(tmp_path / 'maps')}")
    answer = console("compare", "flow-svm", *data, "--protocol", "leave-one-dataset-out", "--out", out)
    assert answer.code == 0
    assert all(row["fold"] == row["dataset"] for row in tables(out)["flow-svm"])


def test_the_seed_decides_the_folds_that_are_drawn(console, study, out):
    for seed in (0, 1):
        console(
            "compare", "majority", "--data", f"casme2={study}", "--protocol", "kfold:3", "--seed", seed, "--out", out
        )
    drawn = []
    for path in out.glob("runs/*/predictions.csv"):
        with open(path, newline="", encoding="utf-8") as file:
            drawn.append([row["fold"] for row in csv.DictReader(file)])
    assert len(drawn) == 2
    assert drawn[0] != drawn[1]


def test_two_jobs_write_the_same_bytes_as_one(console, study, tmp_path, monkeypatch):
    written = []
    for jobs in (1, 2):
        monkeypatch.setenv("MICROEXPR_CACHE", str(tmp_path / f"cache{jobs}"))
        folder = tmp_path / f"out{jobs}"
        arguments = ("flow-svm", "lbptop-svm", *FAST, "--data", f"casme2={study}", "--out", folder, "--jobs", jobs)
        answer = console("compare", *arguments)
        assert answer.code == 0
        files = {path.parent.name: path.read_bytes() for path in folder.glob("runs/*/predictions.csv")}
        written.append((files, answer.out.replace(str(folder), "")))
    assert len(written[0][0]) == 3
    assert written[0] == written[1]


def test_a_dask_cluster_gives_the_same_table(console, study, tmp_path):
    distributed = pytest.importorskip("distributed")
    here = console("compare", "flow-svm", "--data", f"casme2={study}", "--out", tmp_path / "here")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as local:
        cluster = ("--backend", "dask", "--scheduler", local.scheduler_address)
        there = console("compare", "flow-svm", "--data", f"casme2={study}", "--out", tmp_path / "there", *cluster)
    assert there.code == 0
    assert there.rows == here.rows


def test_a_second_identical_run_computes_nothing(console, study, out, monkeypatch):
    arguments = ("compare", "flow-svm", "lbptop-svm", *FAST, "--data", f"casme2={study}", "--out", out)
    first = console(*arguments)
    runs, features = snapshot(out / "runs"), snapshot(cache())
    page = (out / "report.html").read_bytes()
    for step in (FlowMap, LBPTOP):
        monkeypatch.setattr(step, "transform_clip", None)  # calling it would fail
    monkeypatch.setattr("microexpr.pipelines.foldruns.run_fold", None)
    second = console(*arguments)
    assert second.code == 0
    assert second.out == first.out
    assert second.err == ""
    assert snapshot(out / "runs") == runs
    assert snapshot(cache()) == features
    assert (out / "report.html").read_bytes() == page
    assert not temporary_files(out, cache())


def test_one_more_method_computes_that_method_only(console, study, out):
    data = ("--data", f"casme2={study}", "--out", out)
    console("compare", "flow-svm", *data)
    before = snapshot(out / "runs")
    answer = console("compare", "flow-svm", "lbptop-svm", *FAST, *data)
    after = snapshot(out / "runs")
    assert {name: after[name] for name in before} == before
    assert all(name.startswith("lbptop-svm-") for name in after.keys() - before.keys())
    assert set(answer.rows) >= {"flow-svm", "lbptop-svm", "majority"}


def test_read_only_shows_what_is_there_and_leaves_nothing_where_there_is_nothing(console, study, out):
    arguments = ("compare", "flow-svm", "--data", f"casme2={study}", "--out", out)
    refused = console(*arguments, "--mode", "read-only")
    assert refused.code == 1
    assert all("folds are missing" in line for line in refused.errors)
    assert not (out / "runs").exists()
    computed = console(*arguments)
    before = snapshot(out / "runs")
    assert console(*arguments, "--mode", "read-only").out == computed.out
    assert snapshot(out / "runs") == before


def test_overwrite_computes_the_folds_again(console, study, out):
    arguments = ("compare", "flow-svm", "--data", f"casme2={study}", "--out", out)
    first = console(*arguments)
    before = {name: status for name, status in snapshot(out / "runs").items() if "/folds/" in name}
    second = console(*arguments, "--mode", "overwrite")
    after = snapshot(out / "runs")
    assert second.out == first.out
    assert before
    assert all(after[name] != status for name, status in before.items())


def test_progress_is_on_standard_error_and_the_table_on_standard_output(console, study, out):
    answer = console("compare", "flow-svm", "--data", f"casme2={study}", "--out", out)
    assert "flow-svm: features" in answer.err
    assert "flow-svm: folds" in answer.err
    assert "features" not in answer.out
    assert not answer.errors


def test_allow_incomplete_goes_on_without_the_clips_that_lack_something(console, tmp_path, out):
    """A clip without an apex, and one without frames; both are named before and after."""
    toys = [*STUDY, Toy("02", "EP02_07", 1, "/", 6, "disgust", "4", range(1, 7))]
    study = write_study(tmp_path / "CASME2", toys)
    arguments = ("compare", "flow-svm", "--data", f"casme2={study}", "--out", out)
    refused = console(*arguments)
    assert refused.code == 1
    needed = "flow-svm needs an apex after the onset or a stored flow map: 1 clip has none (casme2/sub02/EP02_07)"
    assert needed in refused.errors[0]
    assert "--allow-incomplete" in refused.errors[0]
    for path in (study / "Cropped" / STUDY[0].folder).iterdir():
        path.unlink()
    answer = console(*arguments, "--allow-incomplete")
    assert answer.code == 0
    assert answer.out.startswith("8 clips, 3 subjects")
    assert "2 findings in the data" in answer.out
    page = (out / "report.html").read_text()
    for clip_id in ("casme2/sub02/EP02_07", f"casme2/{STUDY[0].folder}"):
        assert clip_id in answer.out
        assert clip_id in page


@pytest.mark.real
def test_flow_svm_on_the_real_maps_gives_the_stated_figures(console, real_maps, out):
    answer = console("compare", "flow-svm", "--data", f"flowmaps={real_maps}", "--out", out)
    assert answer.out.startswith("309 clips, 40 subjects")
    rows = tables(out)["flow-svm"]
    truth, predicted = ([row[column] for row in rows] for column in ("y_true", "y_pred"))
    assert f1_score(truth, predicted, average="macro") == pytest.approx(0.756, abs=0.002)
    assert recall_score(truth, predicted, average="macro") == pytest.approx(0.769, abs=0.002)
    for name, uf1, uar in (("casme2", 0.857, 0.875), ("smic", 0.673, 0.681)):
        part = [row for row in rows if row["dataset"] == name]
        truth, predicted = ([row[column] for row in part] for column in ("y_true", "y_pred"))
        assert f1_score(truth, predicted, average="macro") == pytest.approx(uf1, abs=0.002)
        assert recall_score(truth, predicted, average="macro") == pytest.approx(uar, abs=0.002)


# report.html


class Links(HTMLParser):
    """Collects what a page would fetch."""

    def __init__(self):
        super().__init__()
        self.links = []
        self.tags = set()
        self.style = ""
        self._in_style = False

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self._in_style = tag == "style"
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
                self.links.append((tag, value))
            if name == "style":
                self.style += value or ""

    def handle_data(self, data):
        self.style += data if self._in_style else ""


def test_the_report_is_one_file_that_fetches_nothing(console, study, out):
    console("compare", "flow-svm", "lbptop-svm", *FAST, "--data", f"casme2={study}", "--out", out)
    page = (out / "report.html").read_text()
    found = Links()
    found.feed(page)
    assert not found.tags & {"script", "iframe", "object", "embed", "img", "base"}
    for tag, target in found.links:
        assert target.startswith(("data:", "#")), f"<{tag}> asks for {target}"
    for target in re.findall(r"url\(\s*['\"]?([^)'\"]*)", page):
        assert target.startswith(("data:", "#")), f"url() asks for {target}"
    assert "@import" not in found.style


# What a terminal and a pipe show.


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_terminal_shows_every_figure_whole(console, study, out, tmp_path, monkeypatch, width):
    data = ("--data", f"casme2={study}", "--data", TINY)
    arguments = ("compare", "flow-svm", "lbptop-svm", *FAST, *data, "--protocol", "kfold:3", "--out", out)
    plain = console(*arguments)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    narrow = re.sub(r"\x1b\[[0-9;]*m", "", console(*arguments).out)
    lines = narrow.splitlines()
    assert max(len(line) for line in lines if not line.startswith(str(tmp_path))) <= width
    assert "…" not in narrow
    figures = sorted(re.findall(r"\d?\.\d{3}", plain.out))
    assert figures
    assert sorted(re.findall(r"\d?\.\d{3}", narrow)) == figures


def test_a_pipe_gets_every_line_whole(tmp_path, out):
    study = write_study(
        tmp_path / "a [folder] with a rather long name, so that lines that name it are long [too]" / "CASME2"
    )
    for toy in STUDY[:2]:
        for path in (study / "Cropped" / toy.folder).iterdir():
            path.unlink()
    data = ("--data", f"casme2={study}", "--allow-incomplete")
    answer = spawn("compare", "majority", *data, "--out", out, cwd=tmp_path)
    assert answer.code == 0
    [line] = [line for line in answer.out.splitlines() if "2 findings" in line]
    assert str(study) in line
    assert line.endswith(STUDY[1].folder)
    assert len(line) > 160
