"""The page on which a person reviews the events of one video: one file that asks nothing of the network."""

__all__ = ["write_review"]

import base64
import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.checks import check_int
from microexpr.core.digest import digest
from microexpr.core.errors import ResultsError
from microexpr.pipelines.review.cardlines import card_lines
from microexpr.pipelines.review.closeups import CLOSEUP_SETTINGS, Closeup
from microexpr.pipelines.review.elan import link_to
from microexpr.pipelines.review.footage import Footage, film
from microexpr.pipelines.review.scorecurve import reduce_scores
from microexpr.pipelines.review.tables import review_table
from microexpr.pipelines.review.watched import KINDS, Watched

_SCRIPTS = ("events.js", "files.js", "player.js", "timeline.js", "review.js")
_PAYLOADS = "<!--payloads-->"
# Of bytes that become base64 at a time: a multiple of three.
_CHUNK = 3 << 20
_LABELS = ("happiness", "surprise", "disgust", "repression", "sadness", "fear", "anger", "contempt", "others")


def write_review(
    path: str | Path, watched: Watched, *, n_closeups: int = 100, largest_video: int = 60_000_000
) -> list[Path]:
    """Write the page for reviewing the events of a video.

    It holds the video (resized so that its longer side has at most 640 pixels, VP9 in WebM), the scores over time with
    the threshold, and the events. The surest expressions have close-ups: the face in slow motion beside the same face
    magnified (see `microexpr.video.magnify`), and the motion from onset to apex (see `microexpr.video.optical_flow`).
    The reviewer accepts, rejects, relabels, moves, adds, and saves a table (`read_events_csv`) or an ELAN file
    (`read_eaf`). The frames are read once, in order; memory does not grow with the length of the video.

    Parameters
    ----------
    path : path
        Replaced if it is there.
    watched : Watched
    n_closeups : int >= 0
        How many expressions have close-ups, those of the highest scores; others play from the video.
    largest_video : int >= 0, in bytes
        A larger WebM is not put into the page but beside it, as `<stem>_video.webm`.

    Returns
    -------
    list of Path
        The page, and the video if it is a file of its own.

    Raises
    ------
    DataError
        If not one frame of the video can be read. One that breaks off gives a page of what could be read.
    ParameterError
        If a number breaks its rule.
    ResultsError
        If the folder cannot be written; what was there stays then.
    """
    path = Path(path)
    check_int(n_closeups, "n_closeups", minimum=0)
    check_int(largest_video, "largest_video", minimum=0)
    beside = path.with_name(f"{path.stem}_video.webm")
    video_part, page_part = _part_of(beside), _part_of(path)
    table = review_table(watched)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        footage = film(watched, table, video_part, n_closeups=n_closeups)
        is_beside = video_part.stat().st_size > largest_video
        page = _render(watched, table, footage, beside.name if is_beside else "", link_to(watched.video, path.parent))
        head, tail = page.split(_PAYLOADS)
        with page_part.open("wb") as file:
            file.write(head.encode())
            file.writelines(_payloads(footage, None if is_beside else video_part))
            file.write(tail.encode())
        if is_beside:
            os.replace(video_part, beside)
        os.replace(page_part, path)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        for part in (video_part, page_part):
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    return [path, beside] if is_beside else [path]


def _part_of(path: Path) -> Path:
    """Return the name to write under, one of write_atomic's: what a killed process leaves is removed with its own."""
    return path.with_name(f"{path.name}.part-{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}")


def _payloads(footage: Footage, video: Path | None) -> Iterator[bytes]:
    """Yield what the page's script fetches by name, as text that no parser looks into; a film is never held whole."""
    if video is not None:
        with video.open("rb") as file:
            yield from _payload("video", iter(lambda: file.read(_CHUNK), b""))
    for event, closeup in footage.closeups.items():
        yield from _payload(f"clip-{event}", [closeup.clip])
        if closeup.arrows:
            yield from _payload(f"arrows-{event}", [closeup.arrows])


def _payload(name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield f'<script type="text/plain" id="payload-{name}">'.encode()
    yield from map(base64.b64encode, chunks)
    yield b"</script>\n"


def _render(watched: Watched, table: pd.DataFrame, footage: Footage, beside: str, link: dict[str, str]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("microexpr.pipelines.review", "."), autoescape=True, undefined=StrictUndefined
    )
    here = files("microexpr.pipelines.review")
    data = _data(watched, table, footage, beside, link)
    return environment.get_template("review.html").render(
        watched=watched,
        notes=_notes(watched, table, footage, beside),
        card=card_lines(watched.model_card) if watched.model_card else [],
        settings=CLOSEUP_SETTINGS,
        labels=watched.classes or _LABELS,
        kinds=KINDS,
        style=(here / "review.css").read_text(encoding="utf-8"),
        script="\n".join((here / name).read_text(encoding="utf-8") for name in _SCRIPTS),
        # Nothing in a text can end the script that holds it.
        data=json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c"),
        seconds=watched.n_frames / watched.fps,
    )


def _data(watched: Watched, table: pd.DataFrame, footage: Footage, beside: str, link: dict[str, str]) -> dict[str, Any]:
    """Return all that the page's script needs, as JSON knows it."""
    starts, low, high = reduce_scores(watched.score_positions, watched.scores)
    events = [
        {name: None if value != value else value for name, value in row.items()} for row in table.to_dict("records")
    ]
    facts = {"name": watched.name, "fps": float(watched.fps), "n_frames": watched.n_frames, "method": watched.method}
    return {
        **facts,
        "key": digest({**facts, "events": json.dumps(events), "video": link["url"]}),
        "threshold": float(watched.threshold),
        "columns": list(table),
        "classes": list(watched.classes),
        "kinds": list(KINDS),
        "events": events,
        "link": link,
        "beside": beside,
        "size": footage.size,
        "scores": {
            "starts": _packed(starts, "<i4"),
            "low": _packed(low, "<f4"),
            "high": _packed(high, "<f4"),
        },
        "closeups": {event: _facts(closeup) for event, closeup in footage.closeups.items()},
    }


def _packed(array: np.ndarray, kind: str) -> str:
    return base64.b64encode(array.astype(kind).tobytes()).decode()


def _facts(closeup: Closeup) -> dict[str, Any]:
    return {
        **{"found": closeup.found, "every": closeup.every, "has_arrows": bool(closeup.arrows)},
        **{"gain": closeup.gain, "largest": closeup.largest},
    }


def _notes(watched: Watched, table: pd.DataFrame, footage: Footage, beside: str) -> list[str]:
    """Return what a reader must know: of the video, and of what the page leaves out."""
    notes = list(watched.notes)
    if footage.n_frames < watched.n_frames:
        why = f" ({footage.broken})" if footage.broken else ""
        notes.append(
            f"The page shows {footage.n_frames} of {watched.n_frames} frames: the video could not be read on{why}."
        )
    n_expressions = int(table["kind"].isin(("micro", "macro")).sum())
    if len(footage.closeups) < n_expressions:
        notes.append(
            f"{len(footage.closeups)} of {n_expressions} expressions have close-ups, the surest ones; "
            "the others play from the video."
        )
    if beside:
        notes.append(f"The video is too large for the page: it lies beside it as {beside}; keep the two together.")
    return notes
