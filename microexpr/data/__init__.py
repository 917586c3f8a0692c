"""Data sets as their users hold them, each loaded into a ClipSet; their label maps; synthetic clips and videos."""

from microexpr.core.lazy import lazy_names

__all__ = [
    "check_dataset",
    "datasets",
    "label_map",
    "load_4dme",
    "load_casme",
    "load_casme2",
    "load_casme3",
    "load_casmesq",
    "load_ckplus",
    "load_data",
    "load_flowmaps",
    "load_megc2019",
    "load_mmew",
    "load_samm",
    "load_samm_lv",
    "load_smic",
    "load_videos",
    "make_clips",
    "make_macro_clips",
    "make_videos",
    "write_layout",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "datasets": "microexpr.data.catalog",
        "label_map": "microexpr.data.labels",
        "load_casme2": "microexpr.data.casme2",
        "load_data": "microexpr.data.catalog",
        "load_flowmaps": "microexpr.data.flowmaps",
        "load_4dme": "microexpr.data.fourdme",
        "load_casme": "microexpr.data.casme",
        "load_casme3": "microexpr.data.casme3",
        "load_casmesq": "microexpr.data.casmesq",
        "load_samm_lv": "microexpr.data.samm_lv",
        "load_videos": "microexpr.data.catalog",
        "check_dataset": "microexpr.data.check",
        "load_samm": "microexpr.data.samm",
        "load_smic": "microexpr.data.smic",
        "load_ckplus": "microexpr.data.ckplus",
        "load_mmew": "microexpr.data.mmew",
        "load_megc2019": "microexpr.data.megc2019",
        "make_clips": "microexpr.data.synthetic",
        "make_macro_clips": "microexpr.data.synthetic",
        "make_videos": "microexpr.data.longvideos",
        "write_layout": "microexpr.data.layouts",
    },
)
