"""Bad input through the command line: one line that names the thing, exit code 1, no traceback, and nothing lost."""

from dataclasses import replace

import pytest
from PIL import Image
from toyset.casme2 import TABLE_2014, Toy, write_table
from toyset.commandline import FAST, TINY, cache, refused, snapshot, temporary_files
from toyset.study import STUDY, write_clip, write_maps, write_study

FIRST = STUDY[0]


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path / "CASME2")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "results"


# Data on disk that is refused before anything is computed.


def no_folder(root):
    return (f"casme2={root / 'nowhere'}",), (f"{root / 'nowhere'}: no such folder",)


def a_file_as_folder(root):
    path = root / "CASME2.zip"
    path.touch()
    return (f"casme2={path}",), (f"{path}: a file; CASME II is a folder",)


def empty_folder(root):
    return (f"casme2={root}",), (f"{root}: no coding table of CASME II", TABLE_2014)


def empty_clip(root):
    write_study(root)
    for path in (root / "Cropped" / FIRST.folder).iterdir():
        path.unlink()
    return (f"casme2={root}",), (f"casme2/{FIRST.folder}: an empty folder, no images in {root}", "--allow-incomplete")


def annotation_without_frames(root):
    write_study(root)
    write_table(root / TABLE_2014, [*STUDY, Toy("02", "EP02_09", 1, 2, 3, "disgust", "4", ())])
    return (f"casme2={root}",), ("casme2/sub02/EP02_09: an annotation without frames", "--allow-incomplete")


def frames_without_annotation(root):
    write_study(root)
    write_clip(root / "Cropped" / "sub02" / "EP02_09", range(1, 4))
    return (f"casme2={root}",), ("casme2/sub02/EP02_09: frames without an annotation", "--allow-incomplete")


def apex_outside_the_clip(root):
    write_study(root, [replace(FIRST, apex=9, offset=9), *STUDY[1:]])
    words = (f"casme2/{FIRST.folder}: apex 9 has no file, the clip's frames run from 1 to 6", "--allow-incomplete")
    return (f"casme2={root}",), words


def apex_after_the_offset(root):
    write_study(root, [replace(FIRST, apex=9), *STUDY[1:]])
    return (f"casme2={root}",), (f"casme2/{FIRST.folder}: offset 6 lies before apex 9",)


def damaged_table(root):
    write_study(root)
    path = root / TABLE_2014
    path.write_bytes(path.read_bytes()[:500])
    return (f"casme2={root}",), (f"{path}: not a workbook that can be read",)


def class_with_one_subject(root):
    write_study(root, [toy for toy in STUDY if toy.emotion != "surprise" or toy.subject == "02"])
    words = ("no training clip of class 'surprise'", "whose clips are all of casme2/sub02")
    return (f"casme2={root}",), words


def one_subject(root):
    write_study(root, STUDY[:3])
    return (f"casme2={root}",), ("loso needs clips of at least 2 subjects; there is only casme2/sub01",)


def one_class(root):
    write_study(root, [toy for toy in STUDY if toy.emotion == "disgust"])
    return (f"casme2={root}",), ("the clips have 1 class; at least 2 are needed",)


def no_clip_with_a_class(root):
    write_study(root, [replace(toy, emotion="others") for toy in STUDY])
    return (f"casme2={root}",), ("label map 'megc2019' leaves none of 9 clips",)


def a_folder_twice(root):
    spec = f"casme2={write_study(root)}"
    return (spec, spec), ("clips occur in more than one of the data sets", f"casme2/{FIRST.folder}")


def maps_without_truth(root):
    (write_maps(root) / "truth.csv").unlink()
    return (f"flowmaps={root}",), ("flow maps without a truth file; looked for truth.csv",)


def truth_without_map(root):
    (write_maps(root) / "maps" / "s01_s01_ne_01 .png").unlink()
    return (f"flowmaps={root}",), ("truth and maps disagree on 1 clip", "smic/s01/s01_ne_01", "--allow-incomplete")


@pytest.mark.parametrize(
    "case",
    [
        no_folder,
        a_file_as_folder,
        empty_folder,
        empty_clip,
        annotation_without_frames,
        frames_without_annotation,
        apex_outside_the_clip,
        apex_after_the_offset,
        damaged_table,
        class_with_one_subject,
        one_subject,
        one_class,
        no_clip_with_a_class,
        a_folder_twice,
        maps_without_truth,
        truth_without_map,
    ],
)
def test_data_that_cannot_be_compared_is_refused_before_anything_is_computed(console, tmp_path, out, case):
    root = tmp_path / "data"
    root.mkdir()
    specs, words = case(root)
    answer = console("compare", "flow-svm", *(part for spec in specs for part in ("--data", spec)), "--out", out)
    refused(answer, *words)
    assert answer.out == ""
    assert not out.exists()
    assert not list(cache().rglob("*.npy"))


def test_a_method_that_needs_pixels_refuses_stored_maps(console, tmp_path, out):
    maps = write_maps(tmp_path / "maps")
    answer = console("compare", "flow-svm", "lbptop-svm", "--data", f"flowmaps={maps}", "--out", out)
    error = refused(answer, "lbptop-svm needs frames, not a stored flow map: 9 clips have none (smic/s01/s01_ne_01, ")
    assert "--allow-incomplete" not in error  # which would leave nothing
    assert not out.exists()


# Clips that turn out bad when they are read: the methods that read them have no score, the others have.


def cut_image(study):
    path = study / "Cropped" / FIRST.folder / "reg_img4.png"
    path.write_bytes(path.read_bytes()[:-150])
    return f"casme2/{FIRST.folder}: {path}: unreadable image"


def no_image(study):
    path = study / "Cropped" / FIRST.folder / "reg_img4.png"
    path.write_text("no image")
    return f"casme2/{FIRST.folder}: {path}: not an image that can be read"


def deep_image(study):
    path = study / "Cropped" / FIRST.folder / "reg_img4.png"
    Image.new("I;16", (20, 24)).save(path)
    return f"casme2/{FIRST.folder}: {path}: an image of mode I;16; 8-bit grey or RGB is needed"


def another_size(study):
    path = study / "Cropped" / FIRST.folder / "reg_img4.png"
    Image.new("L", (20, 25)).save(path)
    return f"casme2/{FIRST.folder}: {path}: frame of shape (25, 20), but the clip's first frame has (24, 20); all"


def tiny_frames(study):
    folder = study / "Cropped" / FIRST.folder
    for path in folder.iterdir():
        Image.new("L", (2, 2)).save(path)
    return f"casme2/{FIRST.folder}: "


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("case", [cut_image, no_image, deep_image, another_size, tiny_frames])
def test_a_bad_clip_is_named_and_what_does_not_read_it_is_scored(console, study, out, case, jobs):
    arguments = ("compare", "flow-svm", "lbptop-svm", *FAST, "--data", f"casme2={study}", "--out", out, "--jobs", jobs)
    assert console(*arguments).code == 0
    before = snapshot(out / "runs")
    words = case(study)
    answer = console(*arguments)
    assert answer.code == 1
    assert "Traceback" not in answer.err
    assert answer.errors
    reported = {name for line in answer.errors for name in line.removeprefix("error: ").split(": ")[0].split(", ")}
    assert reported == {"flow-svm", "lbptop-svm"}
    for line in answer.errors:
        assert words in line
    assert answer.out.count(": no score") == 2
    assert "majority" in answer.rows
    assert "flow-svm has no score" in (out / "report.html").read_text()
    after = snapshot(out / "runs")
    assert {name: after[name] for name in before} == before
    assert not temporary_files(out, cache())


def test_a_clip_of_one_frame_is_named(console, study, out):
    folder = study / "Cropped" / FIRST.folder
    for number in range(2, 7):
        (folder / f"reg_img{number}.png").unlink()
    write_table(study / TABLE_2014, [replace(FIRST, apex=1, offset=1), *STUDY[1:]])
    arguments = ("--data", f"casme2={study}", "--out", out)
    clip = f"casme2/{FIRST.folder}"
    refused(console("compare", "lbptop-svm", *arguments), f"lbptop-svm: {clip}: the clip has 1 frame, 2 are needed")
    refused(console("compare", "flow-svm", *arguments), "needs an apex after the onset", f"1 clip has none ({clip})")


def test_methods_that_fail_for_one_reason_share_its_line(console, study, out):
    words = cut_image(study)
    answer = console("compare", "flow-svm", "lbptop-svm", *FAST, "--data", f"casme2={study}", "--out", out)
    refused(answer, "error: flow-svm, lbptop-svm: ", words)


def test_the_features_of_the_good_clips_are_kept(console, study, out):
    path = study / "Cropped" / STUDY[-1].folder / "reg_img4.png"
    whole = path.read_bytes()
    path.write_bytes(whole[:-150])
    assert console("compare", "flow-svm", "--data", f"casme2={study}", "--out", out).code == 1
    before = snapshot(cache() / "features")
    assert len(before) == len(STUDY) - 1
    path.write_bytes(whole)
    assert console("compare", "flow-svm", "--data", f"casme2={study}", "--out", out).code == 0
    after = snapshot(cache() / "features")
    assert len(after) == len(STUDY)
    assert {name: after[name] for name in before} == before


def test_extract_names_the_bad_clip_and_writes_no_file(console, study, tmp_path):
    words = cut_image(study)
    answer = console("extract", "flowmap", "--data", f"casme2={study}", "--out", tmp_path / "x.npz")
    refused(answer, words)
    assert not (tmp_path / "x.npz").exists()


# What is typed.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "unknown method 'nothing'; there are biwoof-gentleboost, "),
        (["flow-smv"], "unknown method 'flow-smv'; did you mean 'flow-svm'?"),
        (["flow-svm", "flow-svm"], "methods named twice: flow-svm"),
        (["flow-svm", "--set", "flowmap__sise=3"], "none of flow-svm, majority has a parameter 'flowmap__sise'"),
        (["flow-svm", "--set", "flowmap__size"], "setting is 'flowmap__size': it must be written name=value"),
        (["flow-svm", "--set", "svc__C=1", "--set", "svc__C=2"], "setting 'svc__C' is given twice"),
        (["flow-svm", "--set", "flowmap__size=0"], "method 'flow-svm': size is 0: it must be at least 1"),
        (["flow-svm", "--set", "flowmap__size=large"], "method 'flow-svm': size is 'large': it must be an integer"),
        (["flow-svm", "--set", "flowmap__method=magic"], "method is 'magic': it must be one of 'tvl1'"),
        (
            ["flow-svm", "--set", "svc__C=-1"],
            "method 'flow-svm': The 'C' parameter of SVC must be a float in the range",
        ),
        (["flow-svm", "--set", "svc__C={[]: 1}"], "Got '{[]: 1}' instead"),
        (["flow-svm", "--set", "svc__C={1}"], "svc__C is {1}: a value of type set cannot be part of a key"),
        (
            ["lbptop-svm", "--set", "lbptop__blocks=(0,5,1)"],
            "method 'lbptop-svm': blocks[0] is 0: it must be at least 1",
        ),
        (["lbptop-svm", "--set", "lbptop__blocks=5"], "blocks is 5: it must be a tuple of 3 integers"),
        (["lbptop-svm", "--set", "tim__n_frames=1"], "n_frames is 1: it must be at least 2"),
        (["flow-svm", "--labels", "megc2020"], "label map 'megc2020' does not exist; there are megc2019, "),
        (["flow-svm", "--labels", "objective-5"], "label map 'objective-5' "),
        (["flow-svm", "--protocol", "k-fold"], "protocol is 'k-fold': it must be one of loso, lovo, kfold, "),
        (["flow-svm", "--protocol", "loso:3"], "protocol is 'loso:3': loso takes no argument"),
        (["flow-svm", "--protocol", "kfold:1"], "protocol is 'kfold:1': the number of folds must be an integer of at"),
        (["flow-svm", "--protocol", "kfold:9"], "kfold:9 needs 9 clips of each class; 'negative' has 3"),
        (["flow-svm", "--protocol", "kfold-subject:4"], "kfold-subject:4 needs at least 4 subjects; there are 3"),
        (["flow-svm", "--protocol", "holdout:1"], "protocol is 'holdout:1': the training share must lie in (0, 1)"),
        (["flow-svm", "--protocol", "holdout:0.9"], "holdout:0.9 leaves 1 of 9 clips for testing; each of the 3"),
        (["flow-svm", "--protocol", "leave-one-dataset-out"], "needs clips of at least 2 data sets; there is only"),
        (["flow-svm", "--mode", "new"], "mode is 'new': it must be one of 'only-missing', 'overwrite', 'read-only'"),
        (["flow-svm", "--seed", "-1"], "seed is -1: it must be at least 0"),
        (["flow-svm", "--seed", "4294967296", "--protocol", "kfold:2"], "seed is 4294967296: it must be at most"),
        (["flow-svm", "--jobs", "0"], "n_jobs is 0: it must be at least 1, or -1 for all cores"),
        (["flow-svm", "--jobs", "-2"], "n_jobs is -2: it must be at least -1"),
        (["flow-svm", "--backend", "ray"], "backend is 'ray': it must be one of 'local', 'dask'"),
        (["flow-svm", "--backend", "dask"], "needs the scheduler's address, as in --scheduler tcp://"),
        (["flow-svm", "--scheduler", "tcp://x"], "scheduler is 'tcp://x': only backend 'dask' takes one"),
        (
            ["flow-svm", "--data", "imagenet"],
            "data 'imagenet': no data set is called 'imagenet'; there are synthetic, ",
        ),
        (["flow-svm", "--data", "casme2"], "data 'casme2': casme2 is read from a folder; write casme2=DIR"),
        (["flow-svm", "--data", "synthetic:n_subjects=many"], "n_subjects is 'many': it must be an integer"),
        (["flow-svm", "--data", "synthetic:n_subjects=0"], "n_subjects is 0: it must be at least 1"),
        (["flow-svm", "--data", "synthetic:subjects=3"], "synthetic has no option 'subjects'; there are n_subjects, "),
        (["flow-svm", "--data", "synthetic:seed"], "data 'synthetic:seed' cannot be read; write synthetic"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_arguments_that_cannot_be_are_refused_before_anything_is_computed(console, out, arguments, words):
    answer = console("compare", *arguments, "--data", TINY, "--out", out)
    refused(answer, words)
    assert answer.out == ""
    assert not out.exists()
    assert not list(cache().rglob("*.npy"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare"], "Missing argument"),
        (["compare", "majority"], "Missing option '--data'"),
        (["compare", "majority", "--data", "synthetic", "--jobs", "many"], "Invalid value for '--jobs'"),
        (["compare", "majority", "--data", "synthetic", "--unknown"], "No such option: --unknown"),
        (["guess"], "No such command 'guess'"),
        (["score"], "Missing argument"),
        (["extract", "flowmap", "--data", "synthetic"], "Missing option '--out'"),
    ],
)
def test_a_command_that_cannot_be_parsed_is_a_usage_error(console, arguments, words):
    answer = console(*arguments)
    assert answer.code == 2
    assert words in " ".join(answer.err.replace("│", " ").split())
    assert "Traceback" not in answer.err
    assert answer.out == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read {path}: No such file or directory"),
        ("", "{path} is empty: a MEGC log has a header line"),
        ("hello, world\n", "{path}: the first line is neither the header of a predictions file"),
        ("casme2 sub01\na 0 3\n", "{path} line 2: '3' is no class; it must be one of 0 negative, 1 positive"),
        ("casme2 sub01\na 0\n", "{path} line 1: no clip follows 'casme2 sub01'"),
        ("casme2 sub01\na 0 1\na 0 1\n", "{path} line 3: casme2/sub01/a was already on line 2"),
        ("clip_id,y_true\nx,1\n", "{path} line 1: the header lacks the column dataset, subject, y_pred"),
        (b"\xff\xfe\x00", "cannot read {path}: it is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_scored_is_named_with_its_line(console, tmp_path, content, words):
    path = tmp_path / "toy.log"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(console("score", path), words.format(path=path))


def test_score_refuses_a_folder_by_name(console, tmp_path):
    refused(console("score", tmp_path), f"cannot read {tmp_path}: Is a directory")


def test_only_one_file_can_become_a_log(console, tmp_path):
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_text("casme2 sub01\na 0 1\n")
    answer = console("score", tmp_path / "a.log", tmp_path / "b.log", "--to-log", tmp_path / "c.log")
    refused(answer, "2 files are given: exactly one can be written as a log")
    assert answer.out == ""
    assert not (tmp_path / "c.log").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["hog", "--out", "x.npz"],
            "feature is 'hog': it must be one of biwoof, cbptop, flowimage, flowmap, gabor, hog3d, ",
        ),
        (["lbptop", "--out", "x.csv"], "out is 'x.csv': features are written to a file ending in .npz"),
        (["lbptop", "--out", "x.npz", "--set", "block=1"], "feature 'lbptop' has no parameter 'block'; it has "),
        (["lbptop", "--out", "x.npz", "--set", "blocks=(0,1,1)"], "blocks[0] is 0: it must be at least 1"),
    ],
)
def test_what_extract_cannot_do_is_refused(console, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    refused(console("extract", *arguments, "--data", TINY), words)
    assert not list(tmp_path.iterdir())


def test_an_unknown_method_is_not_described(console):
    refused(console("methods", "flow-smv"), "unknown method 'flow-smv'; did you mean 'flow-svm'?")
