"""Evaluation protocols: which clips each fold trains on and which it tests."""

__all__ = ["PROTOCOLS", "Fold", "canonical_protocol", "make_folds", "parse_protocol", "shares_subjects"]

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import (
    LeaveOneGroupOut,
    LeaveOneOut,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
)

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, ParameterError, join_names


@dataclass(frozen=True, eq=False)
class Fold:
    """One fold: its name and the positions of its training and test clips, int ndarrays."""

    name: str
    train: np.ndarray
    test: np.ndarray


#: Protocol -> (what it does, its argument's default and rule; None where it takes none).
PROTOCOLS: Mapping[str, tuple[str, str | None]] = {
    "loso": ("each subject once the test set (leave one subject out)", None),
    "lovo": ("each clip once the test set (leave one video out); subjects shared", None),
    "kfold": ("k class-stratified folds of clips, shuffled; subjects shared", "5"),
    "kfold-subject": ("k folds of subjects, classes balanced as far as subjects allow", "5"),
    "holdout": ("one class-stratified split of clips, the given share for training; subjects shared", "0.7"),
    "leave-one-dataset-out": ("each data set once the test set", None),
}


def parse_protocol(text: str) -> tuple[str, float | None]:
    """Split a protocol as users write it, `kfold:5`, into its name and argument.

    Raises
    ------
    ParameterError
        If the protocol is unknown or its argument is not allowed.
    """
    name, colon, argument = text.partition(":")
    if text == "paper":
        raise ParameterError(f"protocol is {text!r}: only registered methods have the protocol of a paper")
    if name not in PROTOCOLS:
        raise ParameterError(f"protocol is {text!r}: it must be one of {join_names(PROTOCOLS, 20)}")
    default = PROTOCOLS[name][1]
    if default is None:
        if colon:
            raise ParameterError(f"protocol is {text!r}: {name} takes no argument")
        return name, None
    try:
        value = float(argument if colon else default)
    except ValueError:
        value = float("nan")
    if name == "holdout":
        if not 0 < value < 1:
            raise ParameterError(f"protocol is {text!r}: the training share must lie in (0, 1), as in holdout:0.7")
    elif not (value.is_integer() and value >= 2):
        raise ParameterError(f"protocol is {text!r}: the number of folds must be an integer of at least 2")
    return name, value


def canonical_protocol(text: str) -> str:
    """Return the one spelling of a protocol: `kfold` and `kfold:5` are the same."""
    name, value = parse_protocol(text)
    return name if value is None else f"{name}:{value:g}"


def make_folds(clipset: ClipSet, protocol: str, *, seed: int = 0) -> list[Fold]:
    """Split a set of clips into folds.

    Parameters
    ----------
    clipset : ClipSet with labels
    protocol : str
        A key of `PROTOCOLS`, with `:argument` where it takes one.
    seed : int
        Shuffles the protocols that shuffle.

    Returns
    -------
    list of Fold
        Named after the subject, clip or data set left out, or `fold1`, `fold2`, ...

    Raises
    ------
    ParameterError
        If the protocol is unknown.
    DataError
        If there are too few classes, subjects, clips or data sets for it, or a fold's training clips lack a class.
    """
    name, value = parse_protocol(protocol)
    labels = clipset.y
    if (n_classes := len(np.unique(labels))) < 2:
        raise DataError(f"the clips have {n_classes} class; at least 2 are needed to compare methods")
    folds = list(_SPLITTERS[name](clipset, 0.0 if value is None else value, seed))
    _check_classes(folds, labels, clipset.groups)
    return folds


def shares_subjects(folds: list[Fold], groups: np.ndarray) -> bool:
    """Whether a subject has clips both in a fold's training set and in its test set."""
    return any(np.intersect1d(groups[fold.train], groups[fold.test]).size for fold in folds)


def _loso(clipset: ClipSet, value: float, seed: int) -> Iterator[Fold]:
    yield from _leave_one_out(clipset.groups, "loso", "subjects")


def _lovo(clipset: ClipSet, value: float, seed: int) -> Iterator[Fold]:
    for train, [test] in LeaveOneOut().split(clipset.y):
        yield Fold(str(clipset.table.index[test]), train, np.array([test]))


def _leave_one_dataset_out(clipset: ClipSet, value: float, seed: int) -> Iterator[Fold]:
    datasets = clipset.table["dataset"].to_numpy(dtype=str)
    yield from _leave_one_out(datasets, "leave-one-dataset-out", "data sets")


def _leave_one_out(groups: np.ndarray, protocol: str, what: str) -> Iterator[Fold]:
    if len(np.unique(groups)) < 2:
        raise DataError(f"{protocol} needs clips of at least 2 {what}; there is only {groups[0]}")
    for train, test in LeaveOneGroupOut().split(groups, groups=groups):
        yield Fold(str(groups[test[0]]), train, test)


def _kfold(clipset: ClipSet, value: float, seed: int) -> Iterator[Fold]:
    labels, n_folds = clipset.y, int(value)
    _check_counts(labels, f"kfold:{n_folds}", n_folds)
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    yield from _numbered(splitter.split(labels, labels))


def _kfold_subject(clipset: ClipSet, value: float, seed: int) -> Iterator[Fold]:
    labels, groups, n_folds = clipset.y, clipset.groups, int(value)
    if (n_subjects := len(np.unique(groups))) < n_folds:
        raise DataError(f"kfold-subject:{n_folds} needs at least {n_folds} subjects; there are {n_subjects}")
    _check_counts(labels, f"kfold-subject:{n_folds}", n_folds)
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    yield from _numbered(splitter.split(labels, labels, groups))


def _holdout(clipset: ClipSet, value: float, seed: int) -> Iterator[Fold]:
    labels = clipset.y
    protocol, n_classes = f"holdout:{value:g}", len(np.unique(labels))
    _check_counts(labels, protocol, 2)
    # As scikit-learn rounds them.
    n_train = int(value * len(labels))
    for n_clips, purpose in ((n_train, "training"), (len(labels) - n_train, "testing")):
        if n_clips < n_classes:
            raise DataError(
                f"{protocol} leaves {n_clips} of {len(labels)} clips for {purpose}; "
                f"each of the {n_classes} classes needs at least 1"
            )
    splitter = StratifiedShuffleSplit(1, train_size=value, random_state=seed)
    yield from _numbered(splitter.split(labels, labels))


def _numbered(splits: Iterable[tuple[np.ndarray, np.ndarray]]) -> Iterator[Fold]:
    for number, (train, test) in enumerate(splits, start=1):
        yield Fold(f"fold{number}", np.sort(train), np.sort(test))


_SPLITTERS: Mapping[str, Callable[[ClipSet, float, int], Iterator[Fold]]] = {
    "loso": _loso,
    "lovo": _lovo,
    "kfold": _kfold,
    "kfold-subject": _kfold_subject,
    "holdout": _holdout,
    "leave-one-dataset-out": _leave_one_dataset_out,
}


def _check_counts(labels: np.ndarray, protocol: str, n_folds: int) -> None:
    values, counts = np.unique(labels, return_counts=True)
    if counts.min() < n_folds:
        scarce = str(values[counts.argmin()])
        raise DataError(f"{protocol} needs {n_folds} clips of each class; {scarce!r} has {counts.min()}")


def _check_classes(folds: list[Fold], labels: np.ndarray, groups: np.ndarray) -> None:
    for fold in folds:
        lacking = np.setdiff1d(labels, labels[fold.train])
        if lacking.size:
            subjects = np.unique(groups[labels == lacking[0]])
            raise DataError(
                f"fold {fold.name}: no training clip of class {str(lacking[0])!r}, whose clips are all of "
                f"{join_names(subjects)}; a class needs clips on both sides: drop it with a label map, or add data"
            )
