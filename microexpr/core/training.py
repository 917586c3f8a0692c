"""What a fit is given beside the rows: classes, subjects and domain; and folds of the training subjects."""

__all__ = ["check_beside", "check_classes", "check_domain", "check_groups", "subject_folds"]

import numpy as np
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold

from microexpr.core.errors import DataError, ParameterError, join_names


def check_classes(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted classes of y and each sample's index into them, or raise a DataError if there is one class."""
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise DataError(f"y has 1 class, {classes.tolist()[0]!r}: there must be at least 2 classes")
    return classes, codes


def check_groups(groups: object, n_rows: int, purpose: str) -> np.ndarray:
    """Return the subjects of the training rows, refusing that they are not given."""
    if groups is None:
        raise ParameterError(f"groups is None: {purpose} needs each training clip's subject, fit(X, y, groups=...)")
    return check_beside(groups, "groups", n_rows)


def check_domain(domain: object, n_rows: int) -> np.ndarray | None:
    """Return what the training rows are, 0 for the data set's own and 1 for auxiliary ones; None stays None."""
    if domain is None:
        return None
    values = check_beside(domain, "domain", n_rows)
    if odd := sorted(set(values.tolist()) - {0, 1}, key=str):
        raise DataError(f"domain holds {odd[0]!r}: it must hold 0 for own clips and 1 for auxiliary ones")
    return values


def check_beside(values: object, name: str, n_rows: int) -> np.ndarray:
    """Return what is known of the rows beside X as an array, refusing that it is not one value for each row."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError(f"{name} is no array: it must hold one value for each of {n_rows} clips") from None
    if array.shape != (n_rows,):
        raise DataError(f"{name} has shape {array.shape}: it must hold one value for each of {n_rows} clips")
    return array


def subject_folds(
    y: np.ndarray, groups: np.ndarray, n_splits: int, purpose: str, domain: np.ndarray | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split the training rows by subject so that every inner training set has every class.

    There are as many folds as the class with the fewest subjects allows, at most `n_splits`. Where stratified folds
    leave an inner training set without a class, each subject is a fold of its own: that always works.

    Auxiliary rows (`domain` 1) are in every inner training set and in no test half, and their subjects do not count.
    """
    own = np.arange(len(y)) if domain is None else np.flatnonzero(domain == 0)
    if shared := np.intersect1d(groups[own], np.delete(groups, own)).tolist():
        raise DataError(f"subjects have both own and auxiliary clips: {join_names(shared)}")
    own_y, own_groups = y[own], groups[own]
    n_subjects = {label: len(np.unique(own_groups[own_y == label])) for label in np.unique(y)}
    if few := [label for label, count in n_subjects.items() if count < 2]:
        counted = "" if len(own) == len(y) else ", auxiliary clips not counted"
        raise DataError(
            f"{purpose} needs clips of at least 2 training subjects for each class; "
            f"of {join_names(few)} there are those of fewer{counted}"
        )
    rows = np.zeros((len(own), 1))
    stratified = StratifiedGroupKFold(min(n_splits, *n_subjects.values()))
    folds = list(stratified.split(rows, own_y, own_groups))
    if not all(len(np.unique(own_y[train])) == len(n_subjects) and len(test) for train, test in folds):
        folds = list(LeaveOneGroupOut().split(rows, own_y, own_groups))
    return [(np.delete(np.arange(len(y)), own[test]), own[test]) for _, test in folds]
