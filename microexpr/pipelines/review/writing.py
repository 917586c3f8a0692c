"""All files for the person who reviews one video, what matters most first."""

__all__ = ["write_all"]

from pathlib import Path

from microexpr.pipelines.review.elan import write_eaf
from microexpr.pipelines.review.page import write_review
from microexpr.pipelines.review.tables import write_events_csv
from microexpr.pipelines.review.vtt import write_vtt
from microexpr.pipelines.review.watched import Watched


def write_all(folder: str | Path, watched: Watched) -> list[Path]:
    """Write the events of a video as a table, an ELAN file, subtitles and a page to review them on.

    `events.csv`, `events.eaf`, `events.vtt` and `review.html`, in this order: whatever goes wrong later, what was found
    is on the disk.

    Parameters
    ----------
    folder : path
        Made if need be; files of the same names are replaced.
    watched : Watched

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    DataError
        If not one frame of the video can be read, as the page needs; the other files are there then.
    ResultsError
        If the folder cannot be written; the files written before stay.
    """
    folder = Path(folder)
    return [
        write_events_csv(folder / "events.csv", watched),
        write_eaf(folder / "events.eaf", watched),
        write_vtt(folder / "events.vtt", watched),
        *write_review(folder / "review.html", watched),
    ]
