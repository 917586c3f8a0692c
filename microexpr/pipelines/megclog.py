"""The log format of the Micro-Expression Grand Challenge: predictions by subject, classes as numbers."""

__all__ = ["MEGC_CLASSES", "read_any", "read_megc_log", "read_truth", "write_megc_log"]

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from microexpr.core.atomic import write_atomic
from microexpr.core.errors import DataError, join_names
from microexpr.pipelines.predictions import (
    KEY_COLUMNS,
    check_classes,
    check_predictions,
    infer_classes,
    read_predictions,
    read_text,
)

MEGC_CLASSES = ("negative", "positive", "surprise")
"""The classes 0, 1 and 2 of the challenge."""


def read_megc_log(path: str | Path, classes: Sequence[str] = MEGC_CLASSES) -> pd.DataFrame:
    """Read the predictions of a MEGC log.

    A header line, `casme2 sub01`, opens the block of a subject; each line below it, `EP02_01f 1 1`, names a clip, its
    true class and the predicted one as positions in `classes`. Any line ends, tabs, trailing blanks and blank lines
    are read. A subject may have several blocks.

    Returns
    -------
    DataFrame
        Columns `dataset`, `clip_id` (`casme2/sub01/EP02_01f`), `subject` (`casme2/sub01`), `y_true`, `y_pred`, all
        text, in the log's order.

    Raises
    ------
    ParameterError
        If `classes` is no sequence of distinct names.
    DataError
        If the file cannot be read, or a line is neither header nor clip, comes before the first header, names a class
        that is no position in `classes`, or repeats a clip; or a header has no clips. The message names file, line
        and rule.

    Notes
    -----
    A clip line that lost its last number looks like a header. It is refused where it shows: when no clip follows, or
    when it would open a data set of one subject whose name is a class number.
    """
    names = check_classes(classes)
    source = Path(path)
    rows: list[tuple[str, ...]] = []
    lines: dict[str, int] = {}
    headers: list[tuple[int, str, str]] = []
    is_open = False
    for line, fields in _fields(read_text(source)):
        place = f"{source} line {line}"
        if len(fields) == 2:
            if is_open:
                raise DataError(_empty(source, headers[-1]))
            dataset, subject = fields
            if "/" in dataset + subject:
                raise DataError(f"{place}: {' '.join(fields)!r} holds a slash; data set and subject must not")
            headers.append((line, dataset, subject))
            is_open = True
        elif len(fields) == 3:
            if not headers:
                raise DataError(f"{place}: a clip before the first header line ('casme2 sub01')")
            clip, truth, prediction = fields
            _, dataset, subject = headers[-1]
            clip_id = f"{dataset}/{subject}/{clip}"
            if clip_id in lines:
                raise DataError(f"{place}: {clip_id} was already on line {lines[clip_id]}; a clip comes once")
            lines[clip_id] = line
            labels = (_label(truth, names, place), _label(prediction, names, place))
            rows.append((dataset, clip_id, f"{dataset}/{subject}", *labels))
            is_open = False
        else:
            raise DataError(
                f"{place}: {len(fields)} fields; a header has two ('casme2 sub01'), a clip three ('EP02_01f 1 1')"
            )
    if is_open:
        raise DataError(_empty(source, headers[-1]))
    if not rows:
        raise DataError(f"{source} is empty: a MEGC log has a header line and clips for each subject")
    _check_headers(source, headers, len(names))
    return pd.DataFrame(rows, columns=list(KEY_COLUMNS), dtype="str")


def write_megc_log(predictions: pd.DataFrame, path: str | Path, classes: Sequence[str] = MEGC_CLASSES) -> None:
    """Write predictions as a MEGC log, one block a subject, whole or not at all.

    Subjects come in the order of their first clip, clips in the table's order; `read_megc_log` brings back the same
    rows.

    Raises
    ------
    ParameterError
        If `classes` is no sequence of distinct names.
    DataError
        If the table cannot be scored over `classes`, an identifier is not `dataset/subject/clip`, or a name holds
        blanks, which the format cannot write.
    ResultsError
        If the file cannot be written.
    """
    names = check_predictions(predictions, classes)
    numbers = {name: str(position) for position, name in enumerate(names)}
    blocks: dict[str, list[str]] = {}
    for row in predictions[list(KEY_COLUMNS)].itertuples(index=False):
        dataset, clip_id, subject = str(row.dataset), str(row.clip_id), str(row.subject)
        person = subject.removeprefix(f"{dataset}/")
        clip = clip_id.removeprefix(f"{subject}/")
        if subject != f"{dataset}/{person}" or clip_id != f"{subject}/{clip}" or "/" in dataset + person:
            raise DataError(
                f"clip {clip_id} of subject {subject} in {dataset} cannot be written to a MEGC log: "
                "identifiers must read dataset/subject/clip"
            )
        for name in (dataset, person, clip):
            if name.split() != [name]:
                raise DataError(f"{name!r} of {clip_id} cannot be written to a MEGC log: a name holds no blanks")
        block = blocks.setdefault(subject, [f"{dataset} {person}"])
        block.append(f"{clip} {numbers[str(row.y_true)]} {numbers[str(row.y_pred)]}")
    write_atomic(Path(path), "".join(f"{line}\n" for block in blocks.values() for line in block).encode())


def read_truth(path: str | Path, classes: Sequence[str] = MEGC_CLASSES) -> pd.DataFrame:
    """Read the truth of a list without header, rows `casme2,sub01,EP02_01f,1`.

    Returns
    -------
    DataFrame
        Columns `dataset`, `clip_id`, `subject`, `y_true`, all text, in the file's order.

    Raises
    ------
    ParameterError
        If `classes` is no sequence of distinct names.
    DataError
        If the file cannot be read, a row has other than four non-empty cells, a class is no position in `classes`, or
        a clip comes twice.
    """
    names = check_classes(classes)
    source = Path(path)
    rows: list[tuple[str, ...]] = []
    lines: dict[str, int] = {}
    reader = csv.reader(io.StringIO(read_text(source), newline=""), strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            place = f"{source} line {reader.line_num}"
            if len(cells) != 4 or not all(cells):
                raise DataError(f"{place}: a row of truth is 'dataset,subject,clip,class', without a header")
            dataset, subject, clip, truth = cells
            if "/" in dataset + subject:
                raise DataError(f"{place}: {','.join(cells)!r} holds a slash; data set and subject must not")
            clip_id = f"{dataset}/{subject}/{clip}"
            if clip_id in lines:
                raise DataError(f"{place}: {clip_id} was already on line {lines[clip_id]}; a clip comes once")
            lines[clip_id] = reader.line_num
            rows.append((dataset, clip_id, f"{dataset}/{subject}", _label(truth, names, place)))
    except csv.Error as error:
        raise DataError(f"{source} line {reader.line_num}: not readable as CSV ({error})") from None
    if not rows:
        raise DataError(f"{source} is empty: rows 'dataset,subject,clip,class' are expected")
    return pd.DataFrame(rows, columns=["dataset", "clip_id", "subject", "y_true"], dtype="str")


def read_any(path: str | Path, classes: Sequence[str] | None = None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a predictions CSV or a MEGC log, whichever the file's first line shows it to be.

    Parameters
    ----------
    path : path
    classes : sequence of str, optional
        The class order. By default `MEGC_CLASSES` for a log and `infer_classes` for a CSV file.

    Returns
    -------
    predictions : DataFrame
    classes : tuple of str

    Raises
    ------
    ParameterError
        If `classes` is no sequence of distinct names.
    DataError
        If the file is neither, or cannot be read as what it is.
    """
    source = Path(path)
    first = next((line for line in _split_lines(read_text(source)) if line.strip()), "")
    cells = {cell.strip().strip('"') for cell in first.split(",")}
    if cells.isdisjoint(KEY_COLUMNS):
        if "," in first:
            raise DataError(
                f"{source}: the first line is neither the header of a predictions file "
                f"({','.join(KEY_COLUMNS)}) nor of a MEGC log ('casme2 sub01')"
            )
        names = MEGC_CLASSES if classes is None else check_classes(classes)
        return read_megc_log(source, names), names
    predictions = read_predictions(source)
    return predictions, infer_classes(predictions) if classes is None else check_classes(classes)


def _split_lines(text: str) -> list[str]:
    """Split at line ends of any system, and at nothing else."""
    return re.split(r"\r\n|\r|\n", text)


def _fields(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield number and fields of each line that is not blank."""
    for number, line in enumerate(_split_lines(text), start=1):
        if fields := line.split():
            yield number, fields


def _label(text: str, names: tuple[str, ...], place: str) -> str:
    """Return the class at the position written as `text`."""
    if not (text.isascii() and text.isdecimal()) or int(text) >= len(names):
        known = ", ".join(f"{position} {name}" for position, name in enumerate(names))
        raise DataError(f"{place}: {text!r} is no class; it must be one of {known}")
    return names[int(text)]


def _empty(source: Path, header: tuple[int, str, str]) -> str:
    line, dataset, subject = header
    return (
        f"{source} line {line}: no clip follows '{dataset} {subject}'; "
        "a subject has at least one, and a clip line has three fields"
    )


def _check_headers(source: Path, headers: list[tuple[int, str, str]], n_classes: int) -> None:
    """Refuse a header that is most likely a clip line without its prediction."""
    subjects: dict[str, set[str]] = {}
    for _, dataset, subject in headers:
        subjects.setdefault(dataset, set()).add(subject)
    known = {str(position) for position in range(n_classes)}
    for line, dataset, subject in headers[1:]:
        if subject in known and len(subjects[dataset]) == 1 and dataset != headers[0][1]:
            raise DataError(
                f"{source} line {line}: '{dataset} {subject}' opens a data set of the one subject {subject}; "
                f"a clip line has three fields (data sets here: {join_names(subjects)})"
            )
