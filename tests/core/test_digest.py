import hashlib

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from microexpr.core.digest import array_digest, canonical_json, digest, estimator_spec
from microexpr.core.errors import ParameterError


def test_the_text_is_what_one_would_write_by_hand():
    assert canonical_json({"b": (1, 2.5), "a": None, "c": True}) == '{"a":null,"b":[1,2.5],"c":true}'


def test_the_digest_is_the_sha256_of_the_text():
    assert digest({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (True, 1), ("1", 1), (None, "None"), ((1, 2), (2, 1))])
def test_different_values_have_different_keys(one, other):
    assert digest(one) != digest(other)


@pytest.mark.parametrize(
    ("one", "same"), [(np.int64(3), 3), (np.float64(0.1), 0.1), ((1, 2), [1, 2]), (np.True_, True)]
)
def test_numpy_scalars_and_sequences_are_written_as_their_values(one, same):
    assert digest(one) == digest(same)


def test_not_a_number_and_infinity_have_keys_of_their_own():
    assert len({digest(float("nan")), digest(float("inf")), digest(float("-inf")), digest("nan")}) == 4


@pytest.mark.parametrize("value", [print, object(), np.zeros(2), np.random.default_rng(0), {1: 2}, b"bytes"])
def test_what_cannot_be_written_exactly_is_refused(value):
    with pytest.raises(ParameterError):
        digest(value)


def test_a_nested_estimator_with_a_function_is_refused_by_name():
    with pytest.raises(ParameterError, match="FunctionTransformer"):
        estimator_spec(FunctionTransformer(np.log1p))


def test_nested_parameters_and_splitters_count():
    def search(cost, folds):
        return GridSearchCV(SVC(), {"C": [cost]}, cv=GroupKFold(folds))

    keys = {digest(search(cost, folds)) for cost, folds in [(1, 3), (2, 3), (1, 4), (1, 3)]}
    assert len(keys) == 3


def test_knobs_that_cannot_change_numbers_are_left_out():
    assert digest(GridSearchCV(SVC(), {"C": [1]}, n_jobs=2)) == digest(GridSearchCV(SVC(), {"C": [1]}, n_jobs=None))


def test_an_array_digest_tells_dtype_shape_and_values_apart():
    base = np.arange(6, dtype=np.uint8)
    arrays = [base, base.reshape(2, 3), base.astype(np.int8), base[::-1]]
    assert len({array_digest(array) for array in arrays}) == 4
    assert array_digest(np.asfortranarray(base.reshape(2, 3))) == array_digest(base.reshape(2, 3))


class Asking(SVC):
    """An estimator that may be fitted with the domain."""

    def fit(self, X, y, domain=None):
        return super().fit(X, y)


def test_what_an_estimator_asks_to_be_fitted_with_is_in_its_key():
    with config_context(enable_metadata_routing=True):
        asking, refusing = Asking().set_fit_request(domain=True), Asking().set_fit_request(domain=False)
        assert len({digest(Asking()), digest(asking), digest(refusing)}) == 3
        assert digest(clone(asking)) == digest(asking)
