"""Events as a file of ELAN, the annotation program: written for a reviewer, and read back."""

__all__ = ["milliseconds", "read_eaf", "write_eaf"]

import io
import json
import math
import mimetypes
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from microexpr.core.atomic import write_atomic
from microexpr.core.errors import DataError, one_line
from microexpr.pipelines.review.tables import check_review, review_table, with_times
from microexpr.pipelines.review.watched import KINDS, Watched
from microexpr.spotting.method import EXPRESSIONS

_FPS, _CLASSES = "microexpr:fps", "microexpr:classes"
# What ELAN calls the ways in which a tier hangs from another one.
_WITHIN, _BESIDE = "Included_In", "Symbolic_Association"
_TEXTS = ("label", "action units", "review", "reviewer label", "comment")


def milliseconds(frame: int, fps: float) -> int:
    """Return when a frame begins, rounded to milliseconds, halves up."""
    return math.floor(1000 * frame / fps + 0.5)


def write_eaf(path: str | Path, watched: Watched) -> Path:
    """Write the events of a video as an ELAN annotation file (EAF 3.0).

    Each kind of event is a tier: `micro`, `macro`, `blink`, `head`, `speech`; an annotation bears the event's name and
    reaches from its onset frame to the end of its offset frame. ELAN allows no overlap within a tier: what overlaps an
    earlier event of its kind stands in a tier `micro 2`, and so on. Below each tier hang, where they hold something,
    and below those of expressions always:

    1. `micro apex`: the apex frame;
    2. `micro label` and `micro action units`: what the model said; `micro review`: `accepted`, `rejected` or `added`;
       `micro reviewer label` and `micro comment`: what the reviewer says;
    3. `micro details`: score, region and class probabilities, as JSON.

    Parameters
    ----------
    path : path
        Replaced if it is there. The video is linked relative to it.
    watched : Watched

    Returns
    -------
    Path

    Raises
    ------
    ResultsError
        If the file cannot be written; what was there stays then.

    Notes
    -----
    Times are whole milliseconds: up to 1000 frames per second, frames come back as they were.

    References
    ----------
    .. [1] Max Planck Institute for Psycholinguistics, "ELAN annotation format EAF, schema version 3.0", 2017.
    """
    path = Path(path)
    document = _document(review_table(watched), watched, link_to(watched.video, path.parent))
    write_atomic(path, document)
    return path


def read_eaf(path: str | Path, *, fps: float | None = None) -> pd.DataFrame:
    """Read the events of an ELAN annotation file, reviewed there or not.

    Parameters
    ----------
    path : path
        As `write_eaf` or the review page wrote it, annotations moved, added, removed or filled in by a person. Tiers of
        other names are left alone.
    fps : float > 0 or None
        None takes the one that `write_eaf` noted in the file.

    Returns
    -------
    DataFrame
        See `review_table`; events by onset. An edge that a person has moved comes to the nearest frame. An annotation
        without details was added by a person: its review is `added` unless one is given, and without an apex of its
        own it has its middle frame.

    Raises
    ------
    DataError
        If the file is missing or none of ELAN's, its frame rate is unknown, or an event contradicts itself.
    """
    eaf = _parsed(path)
    noted = dict(eaf.properties)
    try:
        rate = float(noted[_FPS]) if fps is None else float(fps)
        classes = json.loads(noted.get(_CLASSES, "[]"))
    except KeyError:
        raise DataError(f"{path}: the file does not say its frame rate; pass fps") from None
    except ValueError:
        raise DataError(f"{path}: the properties {_FPS} and {_CLASSES} must be a number and a list") from None
    rows: list[dict[str, Any]] = []
    for tier in eaf.tiers:
        kind, _, lane = tier.partition(" ")
        if kind in KINDS and (not lane or lane.isdecimal()):
            rows += _rows_of(eaf, tier, kind, rate, str(path))
    taken = {row["event"] for row in rows}
    free = (name for number in range(1, len(rows) + 1) if (name := f"A{number:03d}") not in taken)
    for row in rows:
        row["event"] = row["event"] or next(free)
    rows.sort(key=lambda row: (row["onset"], row["offset"], row["event"]))
    columns = [
        "event",
        "kind",
        "onset",
        "apex",
        "offset",
        "score",
        "region",
        "label",
        "action_units",
        *(f"proba_{name}" for name in classes),
    ]
    table = pd.DataFrame(rows, columns=[*columns, "review", "reviewer_label", "comment"])
    return check_review(with_times(table, rate), str(path))


def link_to(video: str | Path, folder: Path) -> dict[str, str]:
    """Return how a file in `folder` names the video: ELAN's attributes of a medium."""
    full = Path(video).resolve()
    try:
        relative = Path(os.path.relpath(full, folder.resolve())).as_posix()
        # ELAN takes the text as a path: nothing is escaped.
        url = relative if relative.startswith("..") else f"./{relative}"
    except ValueError:  # on another drive
        url = full.as_uri()
    return {"url": url, "mime": mimetypes.guess_type(full.name)[0] or "unknown"}


def _document(table: pd.DataFrame, watched: Watched, link: dict[str, str]) -> bytes:
    from pympi import Elan

    eaf = Elan.Eaf(author="microexpr")
    eaf.remove_tier("default")
    eaf.remove_linguistic_type("default-lt")
    schema = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
    date = datetime.now(UTC).isoformat(timespec="seconds")
    eaf.adocument.update({"DATE": date, "VERSION": "3.0", "FORMAT": "3.0", "xsi:noNamespaceSchemaLocation": schema})
    eaf.header.update({"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    # The absolute place is none of a reader's business, and wrong on another machine.
    eaf.add_linked_file(link["url"], relpath=link["url"], mimetype=link["mime"])
    eaf.add_linguistic_type("event")
    eaf.add_linguistic_type("within event", constraints=_WITHIN)
    eaf.add_linguistic_type("of event", constraints=_BESIDE, timealignable=False)
    for kind in KINDS:
        rows = table[table["kind"] == kind].to_dict("records")
        for lane, members in enumerate(lanes(rows), start=1):
            _add_tier(eaf, kind if lane == 1 else f"{kind} {lane}", members, watched)
    eaf.properties = [
        (_FPS, repr(float(watched.fps))),
        (_CLASSES, json.dumps(watched.classes)),
        ("lastUsedAnnotationId", eaf.maxaid),
    ]
    _order_slots(eaf)
    buffer = io.BytesIO()
    from xml.etree import ElementTree

    ElementTree.ElementTree(Elan.to_adocument(eaf)).write(buffer, encoding="UTF-8", xml_declaration=True)
    return buffer.getvalue()


def lanes(rows: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Share rows out so that none overlaps another of its share; there is one share at least."""
    shares: list[list[dict[str, Any]]] = [[]]
    for row in sorted(rows, key=lambda row: (row["onset"], row["offset"], row["event"])):
        for share in shares:
            if not share or share[-1]["offset"] < row["onset"]:
                share.append(row)
                break
        else:
            shares.append([row])
    return shares


def _add_tier(eaf: Any, tier: str, rows: Sequence[dict[str, Any]], watched: Watched) -> None:
    """Add a tier of events and those that hang from it."""
    eaf.add_tier(tier, ling="event")
    for row in rows:
        eaf.add_annotation(tier, *_span(row["onset"], row["offset"], watched.fps), row["event"])
    parents = list(eaf.tiers[tier][0])
    always = tier in EXPRESSIONS
    if rows or always:
        eaf.add_tier(f"{tier} apex", ling="within event", parent=tier)
        for row in rows:
            eaf.add_annotation(f"{tier} apex", *_span(row["apex"], row["apex"], watched.fps), "apex")
    texts = {name: [row[name.replace(" ", "_")] for row in rows] for name in _TEXTS}
    texts["details"] = [_details(row) for row in rows]
    for name, values in texts.items():
        if any(values) or (always and name != "details"):
            eaf.add_tier(f"{tier} {name}", ling="of event", parent=tier)
            for parent, value in zip(parents, values, strict=True):
                if value:
                    own = eaf.generate_annotation_id()
                    eaf.annotations[own] = f"{tier} {name}"
                    eaf.tiers[f"{tier} {name}"][1][own] = (parent, value, None, None)


def _span(first: int, last: int, fps: float) -> tuple[int, int]:
    start = milliseconds(first, fps)
    return start, max(milliseconds(last + 1, fps), start + 1)


def _details(row: dict[str, Any]) -> str:
    kept = {name: value for name, value in row.items() if name in ("score", "region") or name.startswith("proba_")}
    return json.dumps({name: value for name, value in kept.items() if value == value}, ensure_ascii=False)


def _order_slots(eaf: Any) -> None:
    """Number the time slots by time: their order in the file is that of time."""
    order = sorted(eaf.timeslots, key=lambda slot: (eaf.timeslots[slot], int(slot[2:])))
    names = {slot: f"ts{number}" for number, slot in enumerate(order, start=1)}
    eaf.timeslots = {names[slot]: eaf.timeslots[slot] for slot in order}
    for aligned, *_ in eaf.tiers.values():
        for own, (start, end, *rest) in aligned.items():
            aligned[own] = (names[start], names[end], *rest)


def _parsed(path: str | Path) -> Any:
    from pympi import Elan

    try:
        return Elan.Eaf(str(path), suppress_version_warning=True)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # the reader raises bare ones too
        raise DataError(f"{path}: no file of ELAN's ({one_line(error)})") from error


def _rows_of(eaf: Any, tier: str, kind: str, fps: float, name: str) -> list[dict[str, Any]]:
    """Return the events of one tier, with what the tiers below it say of them."""
    texts: dict[str, dict[str, str]] = {}
    for child in (*_TEXTS, "details"):
        held = eaf.tiers.get(f"{tier} {child}", ({}, {}))[1]
        texts[child] = {parent: value for parent, value, *_ in held.values()}
    apexes = [_frame(eaf, slot, fps, name) for slot, *_ in eaf.tiers.get(f"{tier} apex", ({},))[0].values()]
    rows = []
    for own, (start, end, value, _) in eaf.tiers[tier][0].items():
        onset = _frame(eaf, start, fps, name)
        offset = max(_frame(eaf, end, fps, name) - 1, onset)
        inside = [apex for apex in apexes if onset <= apex <= offset]
        details = _read_details(texts["details"].get(own), f"{name}, event {value}")
        said = {child.replace(" ", "_"): texts[child].get(own, "") for child in _TEXTS}
        if own not in texts["details"]:
            said["review"] = said["review"] or "added"
        apex = inside[0] if inside else (onset + offset) // 2
        rows.append({"event": value, "kind": kind, "onset": onset, "apex": apex, "offset": offset, **details, **said})
    return rows


def _frame(eaf: Any, slot: str, fps: float, name: str) -> int:
    time = eaf.timeslots.get(slot)
    if time is None:
        raise DataError(f"{name}: the time slot {slot} has no time; an event needs both its ends")
    return math.floor(time * fps / 1000 + 0.5)


def _read_details(text: str | None, place: str) -> dict[str, Any]:
    empty = {"score": math.nan, "region": ""}
    try:
        details = json.loads(text or "{}")
        return {**empty, **details}
    except (TypeError, ValueError):
        raise DataError(f"{place}: details {text!r} are no JSON object") from None
