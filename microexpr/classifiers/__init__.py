"""Classifiers of arrays, and builders of those that other libraries provide."""

from microexpr.core.lazy import lazy_names

__all__ = ["linear_svm"]

__getattr__, __dir__ = lazy_names(__name__, {"linear_svm": "microexpr.classifiers.svm"})
