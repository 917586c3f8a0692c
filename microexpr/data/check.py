"""What a folder of data holds, what is amiss with it, and what each label map would make of it."""

__all__ = ["Report", "check_dataset"]

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module

import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, ParameterError, join_names
from microexpr.core.progress import progress
from microexpr.core.sources import FrameSource, ImageFilesSource, read_image
from microexpr.data.catalog import parse_spec
from microexpr.data.labels import LABEL_MAPS
from microexpr.data.videos import VideoSet

# The longest a micro-expression lasts, in seconds, by the definition that the data sets use.
_LONGEST = 0.5
_MISSING = re.compile(
    r"without|has no file|have no file|no images|missing|no such|no map|no truth|cannot be used|no clip:"
)


@dataclass(frozen=True)
class Report:
    """The result of `check_dataset`.

    Parameters
    ----------
    spec, title : str
        What was checked.
    clips : ClipSet or None
        The clips that can be used, without labels; None where nothing could be loaded.
    counts : DataFrame indexed by subject
        The number of clips of each emotion as the source spells it, `(none)` where there is none, and `all`.
    findings : DataFrame with columns clip_id, finding, kind
        What is left out because of it; kind is missing or contradictory.
    notes : DataFrame with columns clip_id, finding
        What is to be known of clips that are used all the same, corrections among it.
    remarks : tuple of str
        What is to be known of the set as a whole.
    maps : DataFrame indexed by label map
        Columns kept, subjects, classes (`negative 88, positive 32`), dropped, why.
    unreadable : DataFrame with columns clip_id, path, finding
        Images that cannot be read, or differ from the others of their clip in size or colour; empty unless asked for.
    error : str
        Why nothing could be loaded; "" where something was.
    """

    spec: str
    title: str
    clips: ClipSet | None = None
    counts: pd.DataFrame = field(default_factory=pd.DataFrame)
    findings: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: pd.DataFrame = field(default_factory=pd.DataFrame)
    remarks: tuple[str, ...] = ()
    maps: pd.DataFrame = field(default_factory=pd.DataFrame)
    unreadable: pd.DataFrame = field(default_factory=pd.DataFrame)
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether all is there, readable and free of contradictions."""
        return not (self.error or len(self.findings) or len(self.unreadable))

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that have rows, by their title, in the order to be read in."""
        listed = {
            "clips by subject and emotion": self.counts,
            "left out": self.findings,
            "notes": self.notes,
            "unreadable": self.unreadable,
            "label maps": self.maps,
        }
        return {title: table for title, table in listed.items() if len(table)}

    def lines(self) -> list[str]:
        """Return the report as lines of text, for a terminal or a log.

        Examples
        --------
        >>> check_dataset("synthetic:n_subjects=2,clips_per_subject=3").lines()[1:3]
        ['found 6 clips of 2 subjects', '  synthetic/sub01: 3 (disgust 1, happiness 1, surprise 1)']
        """
        lines = [f"{self.spec}: {self.title}"]
        if self.clips is None:
            return [*lines, f"nothing could be loaded: {self.error}"]
        lines.append(f"found {len(self.clips)} clips of {self.clips.table['subject'].nunique()} subjects")
        for subject, row in self.counts.iterrows():
            spelt = ", ".join(f"{name} {count}" for name, count in row.items() if count and name != "all")
            lines.append(f"  {subject}: {row['all']} ({spelt})")
        lines += [f"remark: {remark}" for remark in self.remarks]
        lines += [f"note: {row.clip_id}: {row.finding}" for row in self.notes.itertuples()]
        lines += [f"{row.kind}: {row.clip_id}: {row.finding}" for row in self.findings.itertuples()]
        lines += [f"unreadable: {row.clip_id}: {row.finding}" for row in self.unreadable.itertuples()]
        for row in self.maps.itertuples():
            kept = f"keeps {row.kept} of {row.subjects} subjects ({row.classes})" if row.kept else "keeps none"
            lines.append(f"labels {row.Index}: {kept}" + (f"; drops {row.dropped}: {row.why}" if row.why else ""))
        left_out, damaged = len(self.findings), len(self.unreadable)
        verdict = "in order" if self.ok else f"{left_out} left out, {damaged} images unreadable"
        return [*lines, f"{self.spec}: {verdict}"]


def check_dataset(spec: str, *, read_frames: bool = False, corrections: str | None = None) -> Report:
    """Say what a folder of data holds, what is amiss with it, and what each label map would make of it.

    Parameters
    ----------
    spec : str
        `NAME=DIR`, with options as `load_data` takes them.
    read_frames : bool
        Whether to open every image, those of long videos included; without, only their names are looked at.
    corrections : str, optional
        Repairs of the annotation to make first, by name: see `microexpr.data.corrections`.

    Returns
    -------
    Report
        Plain tables; `ok` tells whether all is in order, `lines()` is the report as text. That a folder cannot be
        loaded is a report too, not an exception.

    Raises
    ------
    ParameterError
        If the spec cannot be read, or the corrections do not exist or the data set takes none.

    Examples
    --------
    >>> report = check_dataset("synthetic:n_subjects=2,clips_per_subject=3")
    >>> report.ok, report.counts["all"].to_dict()
    (True, {'synthetic/sub01': 3, 'synthetic/sub02': 3})
    """
    dataset, arguments = parse_spec(spec)
    if corrections is not None:
        if "corrections" not in dataset.options:
            raise ParameterError(f"data {spec!r}: {dataset.name} takes no corrections")
        arguments = {**arguments, "corrections": corrections}
    if dataset.needs_folder or dataset.required:
        arguments = {**arguments, "allow_incomplete": True}
    module, _, function = dataset.loader.rpartition(".")
    try:
        clips: ClipSet = getattr(import_module(module), function)(**arguments)
    except DataError as error:
        return Report(spec, dataset.title, error=str(error))
    used = set(clips.table.index)
    sources: dict[str, FrameSource] = dict(clips.sources)
    remarks = _remarks(clips.table)
    if dataset.videos:
        videos = _videos(dataset.videos, arguments)
        if videos is not None:
            used |= set(videos.videos.index) | set(videos.intervals.index)
            sources = dict(videos.sources) if read_frames else sources
            silent = len(videos) - videos.intervals["video_id"].nunique()
            kinds = ", ".join(f"{count} {kind}" for kind, count in videos.intervals["kind"].value_counts().items())
            remarks = (f"{len(videos)} long videos, {silent} without an expression; intervals: {kinds}", *remarks)
    kept = clips.findings["clip_id"].isin(used) & ~clips.findings["finding"].str.startswith("no clip:")
    faults = clips.findings[~kept].reset_index(drop=True)
    kinds_of = ["missing" if _MISSING.search(finding) else "contradictory" for finding in faults["finding"]]
    return Report(
        spec,
        dataset.title,
        clips=clips,
        counts=_counts(clips.table),
        findings=faults.assign(kind=pd.Series(kinds_of, dtype="str")),
        notes=clips.findings[kept].reset_index(drop=True),
        remarks=remarks,
        maps=_maps(clips.table),
        unreadable=pd.DataFrame(_unreadable(sources) if read_frames else (), columns=["clip_id", "path", "finding"]),
    )


def _videos(loader: str, arguments: Mapping[str, object]) -> VideoSet | None:
    """Load the long videos; None where there are none, as the data set may be held as clips alone."""
    module, _, function = loader.rpartition(".")
    load = getattr(import_module(module), function)
    known = inspect.signature(load).parameters
    try:
        videos: VideoSet = load(**{name: value for name, value in arguments.items() if name in known})
    except DataError:
        return None
    return videos


def _counts(table: pd.DataFrame) -> pd.DataFrame:
    counts = pd.crosstab(table["subject"], table["emotion"].fillna("(none)"))
    counts.columns.name = None
    return counts.assign(all=counts.sum(axis=1))


def _remarks(table: pd.DataFrame) -> tuple[str, ...]:
    """Return what strikes the eye in the whole table and is no fault of a single clip."""
    remarks = []
    spellings: dict[str, set[str]] = {}
    for emotion in table["emotion"].dropna().unique():
        spellings.setdefault(str(emotion).strip().lower(), set()).add(str(emotion))
    several = [" = ".join(sorted(spelt)) for spelt in spellings.values() if len(spelt) > 1]
    if several:
        remarks.append(f"emotions spelt in several ways, which label maps take as one: {join_names(several)}")
    for name in ("apex", "offset", "emotion"):
        if missing := int(table[name].isna().sum()):
            remarks.append(f"{missing} of {len(table)} clips have no {name}")
    micro = table[table["kind"] == "micro"] if "kind" in table else table
    seconds = ((micro["offset"] - micro["onset"]) / micro["fps"]).dropna()
    if len(long := seconds[seconds > _LONGEST]):
        remarks.append(
            f"{len(long)} clips last longer than {_LONGEST} s from onset to offset, the longest {long.idxmax()} with "
            f"{float(long.max()):.1f} s"
        )
    return tuple(remarks)


def _maps(table: pd.DataFrame) -> pd.DataFrame:
    """Return what each label map that knows a data set of the table keeps and drops."""
    rows = {}
    for label_map in LABEL_MAPS.values():
        known = table if "*" in label_map.emotions else table[table["dataset"].isin(list(label_map.emotions))]
        if known.empty:
            continue
        try:
            labels, reasons = label_map.apply(known)
        except ParameterError:
            why = f"it reads the column {label_map.column!r}, which the data lacks"
            rows[label_map.name] = {"kept": 0, "subjects": 0, "classes": "", "dropped": len(known), "why": why}
            continue
        counts = labels.value_counts()
        rows[label_map.name] = {
            "kept": int(labels.notna().sum()),
            "subjects": int(known["subject"][labels.notna()].nunique()),
            "classes": ", ".join(f"{name} {counts.get(name, 0)}" for name in label_map.classes),
            "dropped": int(labels.isna().sum()),
            "why": "; ".join(f"{reason} ({count})" for reason, count in reasons.value_counts().items()),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _unreadable(sources: dict[str, FrameSource]) -> list[tuple[str, str, str]]:
    """Open every image; return those that cannot be read or do not fit their clip."""
    found = []
    with progress("reading images", len(sources)) as advance:
        for clip_id, source in sources.items():
            found += [(clip_id, path, finding) for path, finding in _damage(source)]
            advance()
    return found


def _damage(source: FrameSource) -> Iterator[tuple[str, str]]:
    if not isinstance(source, ImageFilesSource):
        try:
            source.read() if source.has_pixels else source.read_map()  # type: ignore[attr-defined]
        except DataError as error:
            yield source.describe(), str(error)
        return
    shape = None
    for path in source.paths:
        try:
            frame = read_image(path)
        except DataError as error:
            yield path, str(error)
            continue
        shape = shape or frame.shape
        if frame.shape != shape:
            yield path, f"{path}: frame of shape {frame.shape}, the clip's first has {shape}"
