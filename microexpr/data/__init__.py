"""Data sets as their users hold them, each loaded into a ClipSet; their label maps; synthetic clips."""

from microexpr.core.lazy import lazy_names

__all__ = ["datasets", "label_map", "load_casme2", "load_data", "load_flowmaps", "make_clips", "write_layout"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "datasets": "microexpr.data.catalog",
        "label_map": "microexpr.data.labels",
        "load_casme2": "microexpr.data.casme2",
        "load_data": "microexpr.data.catalog",
        "load_flowmaps": "microexpr.data.flowmaps",
        "make_clips": "microexpr.data.synthetic",
        "write_layout": "microexpr.data.layouts",
    },
)
