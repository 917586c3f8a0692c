"""Facial micro-expression recognition: every method under one leave-one-subject-out harness that cannot leak."""

from microexpr.core.lazy import lazy_names

__version__ = "0.1.0"

__all__ = [
    "Clip",
    "ClipSet",
    "all_methods",
    "build",
    "compare",
    "fit_model",
    "load_data",
    "load_model",
    "make_clips",
    "run",
    "shipped_model",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Clip": "microexpr.core.clip",
        "ClipSet": "microexpr.core.clipset",
        "all_methods": "microexpr.pipelines.registry",
        "build": "microexpr.pipelines.registry",
        "compare": "microexpr.pipelines.comparison",
        "fit_model": "microexpr.pipelines.modelfitting",
        "load_data": "microexpr.data.catalog",
        "load_model": "microexpr.pipelines.modelsaving",
        "make_clips": "microexpr.data.synthetic",
        "run": "microexpr.pipelines.harness",
        "shipped_model": "microexpr.pipelines.zeroshot",
    },
)
