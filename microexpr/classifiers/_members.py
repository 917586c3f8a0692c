"""What fusions share: members by name, each of the same rows or of the view that has its name."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d, validate_data

from microexpr.classifiers._inner import check_classifier
from microexpr.core.errors import DataError, ParameterError, join_names
from microexpr.core.training import check_beside, check_classes, check_domain


class MemberClassifier(ClassifierMixin, _BaseComposition):
    """A classifier made of `members`, a list of (name, classifier)."""

    __metadata_request__fit: ClassVar = {"groups": True, "domain": True}

    members: list[tuple[str, Any]]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with `deep` the members by name and theirs as `name__parameter` too."""
        return dict(self._get_params("members", deep=deep))

    def set_params(self, **params: Any) -> Self:
        """Set parameters, members by name, or theirs as `name__parameter`."""
        self._set_params("members", **params)
        return self

    @abstractmethod
    def check_params(self) -> None:
        """Raise a ParameterError if a parameter is not allowed."""

    def _training(
        self, X: Any, y: object, groups: object, domain: object
    ) -> tuple[dict[str, np.ndarray], np.ndarray, dict[str, np.ndarray | None]]:
        """Check what `fit` is given; return each member's rows, the labels, and what is known of the rows."""
        self.check_params()
        self.views_ = tuple(X.dtype.names) if _is_structured(X) else None
        if self.views_ is None:
            X, y = validate_data(self, X, y, allow_nd=True)
        labels = column_or_1d(y)
        check_classification_targets(labels)
        inputs = self._inputs(X)
        if len(labels) != len(X):
            raise DataError(f"X has {len(X)} clips and y {len(labels)} labels; they must be as many")
        self.classes_, _ = check_classes(labels)
        known = {
            "groups": None if groups is None else check_beside(groups, "groups", len(labels)),
            "domain": check_domain(domain, len(labels)),
        }
        return inputs, labels, known

    def _asked(self, X: Any) -> dict[str, np.ndarray]:
        """Check what is to be predicted; return each member's rows."""
        check_is_fitted(self)
        if _is_structured(X) != (self.views_ is not None):
            raise DataError("X is a structured array either in fit and predict or in neither")
        if self.views_ is None:
            X = validate_data(self, X, allow_nd=True, reset=False)
        return self._inputs(X)

    def _inputs(self, X: np.ndarray) -> dict[str, np.ndarray]:
        """Return what each member gets of X, by name."""
        names = [name for name, _ in self.members]
        if not _is_structured(X):
            return dict.fromkeys(names, X)
        fields = list(X.dtype.names or ())
        if X.ndim != 1:
            raise DataError(f"X is a structured array of shape {X.shape}: it must be (n_clips,)")
        if odd := sorted(set(fields) ^ set(names)):
            raise DataError(
                f"X has the fields {join_names(fields)} and the fusion the members {join_names(names)}: "
                f"{join_names(odd)} is in one of them only"
            )
        return {name: check_array(X[name], allow_nd=True, input_name=f"view {name}") for name in names}


def check_members(members: object, own_params: Mapping[str, Any], *, scores: bool = True) -> list[str]:
    """Return the members' names, refusing what is no list of (name, classifier), with `scores` one that scores."""
    if not isinstance(members, list) or not members:
        raise ParameterError("members must be a list of (name, classifier), one at least")
    names = []
    for item in members:
        if not isinstance(item, (tuple, list)) or len(item) != 2 or not isinstance(item[0], str):
            raise ParameterError(f"members holds {item!r}: each must be (name, classifier)")
        name, member = item
        if not name or "__" in name or name in own_params or name in names:
            raise ParameterError(
                f"members holds the name {name!r}: names must differ, and be no parameter or hold '__'"
            )
        check_classifier(member, f"member {name}", scores=scores)
        names.append(name)
    return names


def _is_structured(X: Any) -> bool:
    return isinstance(X, np.ndarray) and X.dtype.names is not None
