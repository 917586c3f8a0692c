"""The events of one video for the person who reviews them: tables, ELAN, subtitles and one self-contained page."""

from microexpr.pipelines.review.elan import read_eaf, write_eaf
from microexpr.pipelines.review.tables import read_events_csv, write_events_csv
from microexpr.pipelines.review.vtt import write_vtt
from microexpr.pipelines.review.watched import Watched

__all__ = ["Watched", "read_eaf", "read_events_csv", "write_eaf", "write_events_csv", "write_vtt"]
