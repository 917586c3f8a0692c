"""Support vector machines as the field uses them, built from scikit-learn's."""

__all__ = ["linear_svm"]

from sklearn.svm import SVC


def linear_svm(*, C: float = 1.0, class_weight: str | None = None, random_state: int | None = None) -> SVC:
    """Return a linear SVM (LIBSVM, one against one), the classifier of the handcrafted baselines.

    Parameters
    ----------
    C : float > 0
        Penalty of margin violations.
    class_weight : {None, "balanced"}
        "balanced" weights each class by the inverse of its frequency in the training set.
    random_state : int or None
        Without effect on this deterministic classifier; taken so that every builder takes it.
    """
    return SVC(kernel="linear", C=C, class_weight=class_weight, random_state=random_state)
