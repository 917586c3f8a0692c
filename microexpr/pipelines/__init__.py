"""Named methods, one leave-one-subject-out harness, one row of results a clip, and every score from those rows."""

from microexpr.core.lazy import lazy_names

__all__ = [
    "ClipViews",
    "Comparison",
    "FrameReader",
    "Published",
    "all_methods",
    "build",
    "compare",
    "compare_spotting",
    "method",
    "run",
    "run_spotting",
    "scores",
    "spotting_interval",
    "spotting_scores",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ClipViews": "microexpr.pipelines.views",
        "Comparison": "microexpr.pipelines.comparison",
        "FrameReader": "microexpr.pipelines.reading",
        "Published": "microexpr.pipelines.registry",
        "all_methods": "microexpr.pipelines.registry",
        "build": "microexpr.pipelines.registry",
        "compare": "microexpr.pipelines.comparison",
        "compare_spotting": "microexpr.pipelines.spottingcomparison",
        "method": "microexpr.pipelines.registry",
        "run": "microexpr.pipelines.harness",
        "run_spotting": "microexpr.pipelines.spottingruns",
        "scores": "microexpr.pipelines.metrics",
        "spotting_interval": "microexpr.pipelines.spottingmetrics",
        "spotting_scores": "microexpr.pipelines.spottingmetrics",
    },
)
