"""Feature-level fusion: what several classifiers see before their last step, side by side under one linear SVM."""

__all__ = ["FeatureFusion"]

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from microexpr.classifiers._inner import fit_inner
from microexpr.classifiers._members import MemberClassifier, check_members
from microexpr.classifiers.svm import linear_svm
from microexpr.core.checks import check_float


class FeatureFusion(MemberClassifier):
    """Join the features of several classifiers and classify them by a linear SVM.

    1. Each member is fitted on the training rows. 2. Its features of a row are what its last layer sees (a network's
    `embed`); of a Pipeline, what its steps before the classifier give; of any other classifier the row itself.
    3. Each feature is standardised over the training rows, and each member's block divided by the square root of its
    number of features, so that a block of thousands does not outweigh one of a hundred. 4. A linear SVM, balanced.

    Parameters
    ----------
    members : list of (name, classifier)
        Parameters of a member are set by its name.
    C : float > 0
        The SVM's.
    random_state : int or None

    Attributes
    ----------
    members_ : list of the fitted classifiers, in the order of `members`
    scalers_ : list of StandardScaler, one a member
    svm_ : the fitted SVM
    classes_ : ndarray of shape (n_classes,)
    views_ : tuple of str, or None if the rows are plain

    Notes
    -----
    X as `ScoreFusion` takes it. A network's features of the rows that it was trained on are tidier than those of new
    rows, so the SVM leans on them more than it should: adding scores is the safer fusion. Members and SVM are fitted on
    the same training rows, auxiliary ones (`domain` 1) among them.

    P3 [1]_ names the joining of handcrafted and deep features as future work and says no more: all this is our choice.

    References
    ----------
    .. [1] K. Hata, T. Hirose, H. Takano, "Performance evaluation of micro-expression recognition with various network
       design variations in deep learning".

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> rng = np.random.default_rng(0)
    >>> labels = np.tile(["negative", "positive"], 10)
    >>> features = rng.normal(size=(20, 2)) + 3 * (labels == "positive")[:, None]
    >>> fusion = FeatureFusion([("linear", LogisticRegression()), ("bayes", GaussianNB())])
    >>> fusion.fit(features, labels).decision_function(features).shape
    (20,)
    """

    version = 1

    def __init__(self, members: list[tuple[str, Any]], C: float = 1.0, random_state: int | None = None) -> None:
        self.members = members
        self.C = C
        self.random_state = random_state

    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""
        check_members(self.members, self.get_params(deep=False), scores=False)
        check_float(self.C, "C", minimum=1e-12)

    def fit(self, X: Any, y: object, groups: object = None, domain: object = None) -> Self:
        """Fit all members, then the SVM on their features.

        Parameters
        ----------
        X : array of shape (n_clips, ...), or structured array of shape (n_clips,) with a field for each member
        y : array of shape (n_clips,)
        groups, domain : arrays of shape (n_clips,), optional
            Passed on to members that request them.

        Raises
        ------
        ParameterError
            If a parameter is not allowed.
        DataError
            If fields and members do not match, y has one class, or `groups` or `domain` is not one value a clip.
        """
        inputs, labels, known = self._training(X, y, groups, domain)
        self.members_ = [fit_inner(member, inputs[name], labels, **known) for name, member in self.members]
        blocks = [
            _features(fitted, inputs[name]) for (name, _), fitted in zip(self.members, self.members_, strict=True)
        ]
        self.scalers_ = [StandardScaler().fit(block) for block in blocks]
        svm = linear_svm(C=self.C, class_weight="balanced", random_state=self.random_state)
        self.svm_ = svm.fit(self._joined(blocks), labels)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the SVM's decision values, (n_clips, n_classes), or (n_clips,) of two classes."""
        inputs = self._asked(X)
        blocks = [
            _features(fitted, inputs[name]) for (name, _), fitted in zip(self.members, self.members_, strict=True)
        ]
        return np.asarray(self.svm_.decision_function(self._joined(blocks)))

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of each clip."""
        values = self.decision_function(X)
        best = (values > 0).astype(int) if values.ndim == 1 else values.argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _joined(self, blocks: Sequence[np.ndarray]) -> np.ndarray:
        return np.hstack(
            [
                scaler.transform(block) / np.sqrt(block.shape[1])
                for scaler, block in zip(self.scalers_, blocks, strict=True)
            ]
        )


def _features(fitted: Any, X: np.ndarray) -> np.ndarray:
    """Return what a fitted member sees before its last step, float64 of shape (n_clips, n_features)."""
    steps = [step for _, step in fitted.steps] if isinstance(fitted, Pipeline) else [fitted]
    for step in steps[:-1]:
        X = step.transform(X)
    rows = steps[-1].embed(X) if hasattr(steps[-1], "embed") else X
    return np.asarray(rows, np.float64).reshape(len(rows), -1)
