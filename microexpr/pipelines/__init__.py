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
    "method",
    "run",
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
        "method": "microexpr.pipelines.registry",
        "run": "microexpr.pipelines.harness",
        "scores": "microexpr.pipelines.metrics",
        "spotting_interval": "microexpr.pipelines.spottingmetrics",
        "spotting_scores": "microexpr.pipelines.spottingmetrics",
    },
)
