import numpy as np
import pandas as pd
import pytest
from toyset.clips import toy_clips

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.sources import ArraySource
from microexpr.pipelines.splits import PROTOCOLS, canonical_protocol, make_folds, shares_subjects

CLIPS = toy_clips(n_subjects=6).concat(toy_clips(n_subjects=4, dataset="other", seed=1))


@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_training_and_test_clips_never_overlap(protocol):
    for fold in make_folds(CLIPS, protocol):
        assert np.intersect1d(fold.train, fold.test).size == 0
        assert fold.test.size


@pytest.mark.parametrize("protocol", ["loso", "lovo", "kfold:4", "kfold-subject:3", "leave-one-dataset-out"])
def test_every_clip_is_tested_once(protocol):
    tested = np.concatenate([fold.test for fold in make_folds(CLIPS, protocol)])
    assert sorted(tested) == list(range(len(CLIPS)))


def test_loso_leaves_out_each_qualified_subject():
    folds = make_folds(CLIPS, "loso")
    assert [fold.name for fold in folds] == sorted(set(CLIPS.groups))
    for fold in folds:
        assert set(CLIPS.groups[fold.test]) == {fold.name}
        assert fold.name not in set(CLIPS.groups[fold.train])


def test_subjects_of_the_same_number_in_two_data_sets_are_two_people():
    assert len(make_folds(CLIPS, "loso")) == 10


def test_leave_one_dataset_out_tests_a_data_set_at_a_time():
    assert [fold.name for fold in make_folds(CLIPS, "leave-one-dataset-out")] == ["other", "toy"]


@pytest.mark.parametrize(
    ("protocol", "shared"),
    [
        ("loso", False),
        ("kfold-subject:3", False),
        ("leave-one-dataset-out", False),
        ("lovo", True),
        ("kfold:5", True),
        ("holdout:0.7", True),
    ],
)
def test_protocols_that_share_subjects_are_known(protocol, shared):
    assert shares_subjects(make_folds(CLIPS, protocol), CLIPS.groups) is shared


def test_lovo_leaves_out_each_clip_and_is_named_after_it():
    folds = make_folds(CLIPS, "lovo")
    assert [fold.name for fold in folds] == list(CLIPS.table.index)
    for number, fold in enumerate(folds):
        assert fold.test.tolist() == [number]
        assert fold.train.tolist() == [other for other in range(len(CLIPS)) if other != number]


def test_holdout_trains_on_the_share_and_keeps_the_classes():
    [fold] = make_folds(CLIPS, "holdout:0.7")
    assert len(fold.train) == round(0.7 * len(CLIPS))
    counts = np.unique(CLIPS.y[fold.test], return_counts=True)[1]
    assert counts.tolist() == [6, 6, 6]


def test_seeds_shuffle_and_repeat():
    first, again, other = (make_folds(CLIPS, "kfold:5", seed=seed)[0].test.tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("kfold", "kfold:5"), ("kfold:5", "kfold:5"), ("holdout:.70", "holdout:0.7"), ("loso", "loso")],
)
def test_a_protocol_has_one_spelling(text, canonical):
    assert canonical_protocol(text) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("looso", "must be one of loso, lovo, kfold"),
        ("loso:3", "takes no argument"),
        ("kfold:1", "at least 2"),
        ("kfold:2.5", "integer"),
        ("kfold:", "integer"),
        ("holdout:1", r"must lie in \(0, 1\)"),
        ("holdout:x", r"must lie in \(0, 1\)"),
    ],
)
def test_a_protocol_that_is_none_is_refused(text, message):
    with pytest.raises(ParameterError, match=message):
        make_folds(CLIPS, text)


def _labelled(labels, subjects):
    table = pd.DataFrame(
        {"dataset": "a", "subject": [f"a/{name}" for name in subjects], "label": labels},
        index=[f"a/{i}" for i in range(len(labels))],
    )
    return ClipSet(table, [ArraySource(np.zeros((2, 3, 3), np.uint8))] * len(labels))


@pytest.mark.parametrize(
    ("labels", "subjects", "protocol", "message"),
    [
        ("xxyy", "1212", "leave-one-dataset-out", "at least 2 data sets; there is only a"),
        ("xxyy", "1111", "loso", "at least 2 subjects; there is only a/1"),
        ("xxxx", "1234", "loso", "the clips have 1 class"),
        ("xxxy", "1232", "loso", "fold a/2: no training clip of class 'y', whose clips are all of a/2"),
        ("xxyy", "1234", "kfold:3", "kfold:3 needs 3 clips of each class; 'x' has 2"),
        ("xxxyyy", "112112", "kfold-subject:3", "at least 3 subjects; there are 2"),
        ("xxxy", "1232", "holdout:0.5", "holdout:0.5 needs 2 clips of each class; 'y' has 1"),
        ("xxxyyy", "123123", "holdout:0.9", "holdout:0.9 leaves 1 of 6 clips for testing; each of the 2 classes needs"),
        ("xxxyyy", "123123", "holdout:0.2", "holdout:0.2 leaves 1 of 6 clips for training; each of the 2 classes"),
    ],
)
def test_clips_that_a_protocol_cannot_split_are_refused(labels, subjects, protocol, message):
    with pytest.raises(DataError, match=message):
        make_folds(_labelled(list(labels), list(subjects)), protocol)
