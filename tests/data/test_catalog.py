"""The catalogue: how data sets are named, loaded together and labelled."""

import pandas as pd
import pytest
from toyset.casme2 import TOYS, write_casme2

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, ParameterError
from microexpr.data import synthetic
from microexpr.data.catalog import datasets, load_data
from microexpr.data.labels import LABEL_MAPS
from microexpr.testing import check_loader

SMALL = "synthetic:n_subjects=2,clips_per_subject=3"


@pytest.fixture
def casme2(tmp_path):
    return write_casme2(tmp_path / "CASME2")


@pytest.fixture
def asked(monkeypatch):
    """The arguments make_clips is called with; it returns its smallest set."""
    calls = []
    make_clips = synthetic.make_clips

    def spy(**arguments):
        calls.append(arguments)
        return make_clips(n_subjects=1, clips_per_subject=3)

    monkeypatch.setattr(synthetic, "make_clips", spy)
    return calls


def refusal(kind, specs, **options):
    with pytest.raises(kind) as caught:
        load_data(specs, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


# Loading.


def test_synthetic_passes_the_checks_of_every_loader():
    check_loader(load_data, SMALL)


def test_casme2_is_loaded_from_its_folder_and_labelled(casme2):
    clips = load_data(f"casme2={casme2}")
    assert (clips.labels, clips.classes) == ("megc2019", ("negative", "positive", "surprise"))
    assert clips.y.tolist() == ["positive", "negative", "negative", "surprise"]
    check_loader(load_data, f"casme2={casme2}")


def test_clips_without_a_class_are_listed_with_the_reason(casme2):
    dropped = load_data(f"casme2={casme2}").dropped.set_index("clip_id")["reason"]
    assert dropped["casme2/sub02/EP09_01"] == "emotion 'others' has no class in megc2019"
    assert dropped["casme2/sub04/EP12_01f"].startswith("left out by the megc2019 protocol")
    assert len(dropped) == 2


def test_another_label_map_is_used_when_asked_for(casme2):
    clips = load_data(f"casme2={casme2}", labels="casme2-5")
    assert len(clips) == len(TOYS)
    assert clips.y.tolist() == ["happiness", "disgust", "repression", "others", "disgust", "surprise"]


def test_several_data_sets_become_one(casme2):
    together = load_data([f"casme2={casme2}", SMALL])
    alone = [load_data(f"casme2={casme2}"), load_data(SMALL)]
    assert together.table.index.to_list() == [clip_id for one in alone for clip_id in one.table.index]
    assert together.dropped["clip_id"].to_list() == [clip_id for one in alone for clip_id in one.dropped["clip_id"]]
    assert together.digest() == alone[0].concat(alone[1]).digest()


def test_one_spec_may_be_a_list_of_one():
    assert load_data([SMALL]).digest() == load_data(SMALL).digest()


def test_findings_are_kept_when_incomplete_folders_are_allowed(casme2):
    for path in (casme2 / "Cropped" / TOYS[1].folder).iterdir():
        path.unlink()
    assert "--allow-incomplete" in refusal(DataError, f"casme2={casme2}")
    clips = load_data([f"casme2={casme2}", SMALL], allow_incomplete=True)
    assert clips.findings["clip_id"].to_list() == ["casme2/sub01/EP19_05f"]


def test_folder_may_hold_signs_that_separate_options(tmp_path):
    root = write_casme2(tmp_path / "a=b,c=d: e")
    assert len(load_data(f"casme2={root}")) == 4
    assert len(load_data(f"casme2:frames=cropped,annotation=2014={root}")) == 4


def test_home_folder_is_understood(casme2, monkeypatch):
    monkeypatch.setenv("HOME", str(casme2.parent))
    assert len(load_data("casme2=~/CASME2")) == 4


@pytest.mark.real
def test_real_maps_are_loaded_by_name(real_maps):
    clips = load_data(f"flowmaps={real_maps}")
    assert (len(clips), clips.table["subject"].nunique(), len(clips.dropped)) == (309, 40, 0)


# Options.


def test_options_reach_the_loader_as_numbers_and_names(asked):
    load_data("synthetic:n_subjects=4,clips_per_subject=3,seed=1,classes=happiness+surprise,noise=0.5")
    assert asked == [
        {"n_subjects": 4, "clips_per_subject": 3, "seed": 1, "classes": ("happiness", "surprise"), "noise": 0.5}
    ]


def test_no_option_leaves_the_loaders_defaults(asked):
    load_data("synthetic")
    assert asked == [{}]


def test_every_option_is_an_argument_of_its_loader():
    import inspect
    from importlib import import_module

    for dataset in datasets():
        module, _, function = dataset.loader.rpartition(".")
        parameters = inspect.signature(getattr(import_module(module), function)).parameters
        assert set(dataset.options) <= set(parameters)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("", "no data set is called ''; there are synthetic, casme2=DIR, "),
        ("imagenet", "no data set is called 'imagenet'; there are synthetic, casme2=DIR, "),
        ("casme1=/data", "no data set is called 'casme1'"),
        ("CASME2=/data", "no data set is called 'CASME2'"),
        ("/data/CASME2", "no data set is called '/data/CASME2'"),
        ("casme2", "casme2 is read from a folder; write casme2=DIR"),
        ("casme2:frames=raw", "casme2 is read from a folder; write casme2=DIR"),
        ("casme2=", "cannot be read; write casme2=DIR, or options as in casme2:annotation=VALUE=DIR"),
        ("synthetic=/data", "synthetic is computed and takes no folder"),
        ("synthetic:", "cannot be read; write synthetic, or options as in synthetic:n_subjects=VALUE"),
        ("synthetic:seed", "cannot be read"),
        ("synthetic:seed=1,", "cannot be read"),
        ("synthetic seed=1", "cannot be read"),
        ("synthetic:subjects=4", "synthetic has no option 'subjects'; there are n_subjects, clips_per_subject"),
        ("synthetic:seed=1,seed=2", "option 'seed' is given twice"),
        ("synthetic:n_subjects=four", "n_subjects is 'four': it must be an integer"),
        ("synthetic:n_subjects=4.5", "n_subjects is '4.5': it must be an integer"),
        ("synthetic:n_subjects=", "n_subjects is '': it must be an integer"),
        ("synthetic:noise=much", "noise is 'much': it must be a number"),
        ("synthetic:classes=happiness+", "classes is 'happiness+': a value is needed"),
        ("casme2:root=/a=/b", "casme2 has no option 'root'"),
        ("casme2:annotation==/data", "annotation is '': a value is needed"),
        ("synthetic:n_subjects=0", "n_subjects is 0: it must be at least 1"),
    ],
)
def test_spec_that_cannot_be_read_is_a_parameter_error(spec, words):
    assert words in refusal(ParameterError, spec)


def test_nothing_asked_for_is_a_parameter_error():
    usages = ", ".join(dataset.usage for dataset in datasets())
    assert refusal(ParameterError, []) == f"no data given; there are {usages}"


def test_missing_folder_is_named():
    assert refusal(DataError, "casme2=/nowhere/CASME2") == "/nowhere/CASME2: no such folder"
    assert refusal(DataError, "flowmaps=/nowhere/maps") == "/nowhere/maps: no such folder"


def test_unknown_label_map_is_refused_before_anything_is_loaded():
    message = refusal(ParameterError, "casme2=/nowhere", labels="megc2020")
    assert "label map 'megc2020' does not exist" in message


def test_data_set_without_a_rule_in_the_label_map_is_named(monkeypatch):
    table = pd.DataFrame({"dataset": ["other"], "subject": ["other/a"], "emotion": ["fear"]}, index=["other/a/1"])
    source = synthetic.make_clips(n_subjects=1, clips_per_subject=1).clips[0].source
    monkeypatch.setattr(synthetic, "make_clips", lambda: ClipSet(table, [source]))
    assert "has no rule for data set 'other'" in refusal(ParameterError, "synthetic")


def test_label_map_that_leaves_nothing_is_named():
    message = refusal(DataError, "synthetic:n_subjects=1,clips_per_subject=2,classes=others")
    assert "label map 'megc2019' leaves none of 2 clips (emotion 'others' has no class in megc2019)" in message


def test_clip_of_two_data_sets_is_named(casme2):
    message = refusal(DataError, [f"casme2={casme2}", f"casme2={casme2}"])
    assert "clips occur in more than one of the data sets: casme2/sub01/EP02_01f" in message


# The catalogue itself.


@pytest.mark.parametrize("dataset", datasets(), ids=lambda dataset: dataset.name)
def test_record_says_what_a_newcomer_asks(dataset):
    assert dataset.labels in LABEL_MAPS
    for text in (dataset.title, dataset.needs, dataset.access, dataset.licence):
        assert text
        assert "\n" not in text
    if dataset.required:
        assert dataset.usage == f"{dataset.name}:{','.join(f'{option}=DIR' for option in dataset.required)}"
    else:
        assert dataset.usage == (f"{dataset.name}=DIR" if dataset.needs_folder else dataset.name)
    assert bool(dataset.formats) == dataset.needs_folder


def test_importing_the_catalogue_imports_no_loader():
    import subprocess
    import sys

    code = (
        "import sys, microexpr.data.catalog as c; c.datasets(); "
        "print([m for m in ('cv2', 'PIL', 'openpyxl', 'microexpr.data.synthetic', 'microexpr.data.casme2') "
        "if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
