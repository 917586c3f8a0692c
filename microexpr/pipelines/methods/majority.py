"""The bar below every method: always the most frequent class."""

from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier

from microexpr.pipelines.registry import method


@method("majority", reference="no paper; the row that every table should show")
def majority(*, random_state: int | None = None) -> BaseEstimator:
    """Always predict the training clips' most frequent class."""
    return DummyClassifier(strategy="most_frequent", random_state=random_state)
