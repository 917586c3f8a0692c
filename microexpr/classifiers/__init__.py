"""Classifiers and selectors of arrays, and builders of those that other libraries provide."""

from microexpr.core.lazy import lazy_names

_HOMES = {
    "FeatureFusion": "featurefusion",
    "GentleBoostClassifier": "gentleboost",
    "GentleSVM": "gentlesvm",
    "HistogramSVM": "svm",
    "LaplacianScoreSelector": "laplacian",
    "MapScaling": "mapscaling",
    "MirroredTraining": "mirrored",
    "NeutralClassifier": "neutral",
    "RBFSVM": "svm",
    "ScoreFusion": "fusion",
    "SubjectCalibrated": "calibration",
    "VarianceRatioSelector": "selection",
    "ZeroShotClassifier": "zeroshot",
    "linear_svm": "svm",
}

__all__ = [
    "RBFSVM",
    "FeatureFusion",
    "GentleBoostClassifier",
    "GentleSVM",
    "HistogramSVM",
    "LaplacianScoreSelector",
    "MapScaling",
    "MirroredTraining",
    "NeutralClassifier",
    "ScoreFusion",
    "SubjectCalibrated",
    "VarianceRatioSelector",
    "ZeroShotClassifier",
    "linear_svm",
]

__getattr__, __dir__ = lazy_names(__name__, {name: f"microexpr.classifiers.{home}" for name, home in _HOMES.items()})
