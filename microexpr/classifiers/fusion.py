"""Score-level fusion: several classifiers, of the same rows or each of its own view, and one weighted sum."""

__all__ = ["ScoreFusion"]

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from microexpr.classifiers._inner import class_scores, fit_inner
from microexpr.classifiers._members import MemberClassifier, check_members
from microexpr.core.checks import check_float, check_int
from microexpr.core.errors import ParameterError
from microexpr.core.training import check_groups, subject_folds

_PURPOSE = "learning weights inside the training subjects"
# A share of 0 for the true class is taken as this, so that one clip cannot make the loss infinite.
_SMALLEST_SHARE = 1e-12
# How much the mean log likelihood of the learned weights may fall short of the best, at most.
_TOLERANCE = 1e-7
_MAX_STEPS = 20_000


class ScoreFusion(MemberClassifier):
    """Sum the scores of several classifiers, weighted, and predict the class of the largest sum.

    s_c(x) = sum over members m of w_m s_mc(x), where w_m >= 0 sum to 1 and s_mc are member m's probabilities, or, where
    it has none, its decision values after a softmax (of two classes: a sigmoid).

    Parameters
    ----------
    members : list of (name, classifier)
        Each with `predict_proba` or `decision_function`; not an SVM with `decision_function_shape="ovo"`, whose scores
        are of pairs of classes. Parameters of a member are set by its name: `svc__C`.
    weights : None, "learned", or tuple of numbers >= 0
        None weights all members alike. A tuple has one number a member and is divided by its sum. "learned" takes the
        weights under which the mixture of the members' scores has the least log loss on left-out training subjects;
        it needs `groups`.
    n_splits : int >= 2
        The most inner folds of "learned"; fewer where a class has clips of fewer subjects. Without effect unless
        `weights` is "learned", though part of the record's key always.

    Attributes
    ----------
    weights_ : float64 ndarray of shape (n_members,), sum 1
    members_ : list of the fitted classifiers, in the order of `members`
    classes_ : ndarray of shape (n_classes,)
    views_ : tuple of str, or None if the rows are plain

    Notes
    -----
    X is an array of shape (n_clips, ...), which every member gets; or a structured array of shape (n_clips,) as
    `microexpr.pipelines.views.ClipViews` gives, whose fields have the members' names: each gets its own field.

    `fit` requests `groups` and `domain` by metadata routing and passes them on to members that request them.

    The softmax needs no training, keeps the order of the classes within a clip, and puts all members on one scale, 0..1
    with sum 1, so that none outvotes the others by the size of its numbers alone. It is no calibration: for that, make
    the member a `SubjectCalibrated`. A class that a member does not know gets 0 from it.

    "learned": the members are fitted on all but one inner fold of subjects and score that fold; the log loss of the
    weighted sum of these scores is convex in the weights, so its minimum does not depend on a start or a seed, where
    the macro F1 is a staircase with many equal maxima. It is found by expectation maximisation for the weights of a
    mixture [2]_, which stops where the mean log loss is at most 1e-7 above the least one; where 20,000 steps are not
    enough, as may happen with members that are almost alike, a ConvergenceWarning says how much it may still be above.
    Auxiliary clips (`domain` 1, such as macro-expressions that join training) are in every inner training set, and
    their scores have no part in the loss. Then all members are fitted on all training clips. The papers on fused
    micro-expression descriptors state fixed weights or none; all of this is our choice.

    References
    ----------
    .. [1] J. Kittler, M. Hatef, R. P. W. Duin, J. Matas, "On combining classifiers", IEEE TPAMI 20(3), 1998.
    .. [2] A. P. Dempster, N. M. Laird, D. B. Rubin, "Maximum likelihood from incomplete data via the EM algorithm",
       J. R. Stat. Soc. B 39(1), 1977.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> rng = np.random.default_rng(0)
    >>> labels = np.tile(["negative", "positive"], 10)
    >>> features = rng.normal(size=(20, 2)) + 3 * (labels == "positive")[:, None]
    >>> fusion = ScoreFusion([("linear", LogisticRegression()), ("bayes", GaussianNB())], weights=(3, 1))
    >>> fusion.fit(features, labels).weights_.tolist()
    [0.75, 0.25]
    """

    version = 1
    __metadata_request__fit: ClassVar = {"groups": True, "domain": True}

    def __init__(
        self, members: list[tuple[str, Any]], weights: tuple[float, ...] | str | None = None, n_splits: int = 5
    ) -> None:
        self.members = members
        self.weights = weights
        self.n_splits = n_splits

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        names = check_members(self.members, self.get_params(deep=False))
        check_int(self.n_splits, "n_splits", minimum=2)
        if isinstance(self.weights, str):
            if self.weights != "learned":
                raise ParameterError(f"weights is {self.weights!r}: it must be None, 'learned' or a tuple of numbers")
        elif self.weights is not None:
            _fixed_weights(self.weights, names)

    def fit(self, X: Any, y: object, groups: object = None, domain: object = None) -> Self:
        """Find the weights, then fit all members on all training clips.

        Parameters
        ----------
        X : array of shape (n_clips, ...), or structured array of shape (n_clips,) with a field for each member
        y : array of shape (n_clips,)
        groups : array of shape (n_clips,), optional
            The subject of each clip.
        domain : int array of shape (n_clips,), optional
            0 for the data set's own clips, 1 for auxiliary ones; all are own if it is not given.

        Raises
        ------
        ParameterError
            If a parameter is not allowed, or weights are to be learned without `groups`.
        DataError
            If fields and members do not match, y has one class, or `groups` or `domain` is not one value a clip. If
            weights are to be learned and a class has own clips of fewer than two subjects, or a subject both own and
            auxiliary clips.
        ValueError
            If X or y is not what classifiers take: not finite, of different lengths, no classes.
        """
        inputs, labels, known = self._training(X, y, groups, domain)
        names = [name for name, _ in self.members]
        if isinstance(self.weights, str):
            subjects = check_groups(groups, len(labels), _PURPOSE)
            self.weights_ = _mixture_weights(self._left_out_shares(inputs, labels, subjects, known))
        else:
            self.weights_ = _fixed_weights((1.0,) * len(names) if self.weights is None else self.weights, names)
        self.members_ = [fit_inner(member, inputs[name], labels, **known) for name, member in self.members]
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the weighted sums, float64 of shape (n_clips, n_classes), each row of sum 1."""
        inputs = self._asked(X)
        total = np.zeros((len(next(iter(inputs.values()))), len(self.classes_)))
        # Added up member by member and not by a matrix product, whose last digits depend on the number of rows.
        for weight, (name, _), fitted in zip(self.weights_, self.members, self.members_, strict=True):
            total += weight * class_scores(fitted, inputs[name], self.classes_)
        return total

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of the largest weighted sum of each clip."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _left_out_shares(
        self,
        inputs: Mapping[str, np.ndarray],
        labels: np.ndarray,
        subjects: np.ndarray,
        known: Mapping[str, np.ndarray | None],
    ) -> np.ndarray:
        """Return what each member, fitted on other subjects, gives each own clip's true class, (n_own, n_members)."""
        columns = np.searchsorted(self.classes_, labels)
        shares = np.empty((len(labels), len(self.members)))
        folds = subject_folds(labels, subjects, self.n_splits, _PURPOSE, known["domain"])
        for train, test in folds:
            inner_known = {key: None if values is None else values[train] for key, values in known.items()}
            for position, (name, member) in enumerate(self.members):
                fitted = fit_inner(member, inputs[name][train], labels[train], **inner_known)
                scores = class_scores(fitted, inputs[name][test], self.classes_)
                shares[test, position] = scores[np.arange(len(test)), columns[test]]
        return shares[np.sort(np.concatenate([test for _, test in folds]))]


def _fixed_weights(weights: object, names: Sequence[str]) -> np.ndarray:
    if not isinstance(weights, (tuple, list)) or len(weights) != len(names):
        raise ParameterError(f"weights is {weights!r}: it must be a tuple of {len(names)} numbers, one for each member")
    pairs = zip(weights, names, strict=True)
    numbers = np.array([check_float(weight, f"weight of {name}", minimum=0.0) for weight, name in pairs])
    if not numbers.any():
        raise ParameterError(f"weights is {weights!r}: one of them at least must be above 0")
    return numbers / numbers.sum()


def _mixture_weights(shares: np.ndarray) -> np.ndarray:
    """Return the weights on the simplex that maximise the mean of log(shares @ weights), by EM from equal ones."""
    shares = np.maximum(shares, _SMALLEST_SHARE)
    weights = np.full(shares.shape[1], 1.0 / shares.shape[1])
    for _ in range(_MAX_STEPS):
        slopes = (shares / (shares @ weights)[:, np.newaxis]).mean(axis=0)
        # The likelihood is concave: no weights are better than these by more than the largest slope exceeds 1.
        gap = slopes.max() - 1.0
        if gap <= _TOLERANCE:
            return weights
        weights = weights * slopes
        weights /= weights.sum()
    warnings.warn(
        f"after {_MAX_STEPS} steps the mean log loss of the learned weights may still be {gap:.1g} above the least",
        ConvergenceWarning,
        stacklevel=3,
    )
    return weights
