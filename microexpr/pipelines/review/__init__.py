"""The events of one video for the person who reviews them: tables, ELAN, subtitles and one self-contained page."""

from microexpr.pipelines.review.elan import read_eaf, write_eaf
from microexpr.pipelines.review.page import write_review
from microexpr.pipelines.review.tables import read_events_csv, write_events_csv
from microexpr.pipelines.review.vtt import write_vtt
from microexpr.pipelines.review.watched import Watched
from microexpr.pipelines.review.writing import write_all

__all__ = [
    "Watched",
    "read_eaf",
    "read_events_csv",
    "write_all",
    "write_eaf",
    "write_events_csv",
    "write_review",
    "write_vtt",
]
