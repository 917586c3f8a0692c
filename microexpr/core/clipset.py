"""A set of clips: one metadata table that owns all annotations, and the sources of the frames."""

__all__ = ["ClipSet"]

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from microexpr.core.clip import Clip
from microexpr.core.digest import digest
from microexpr.core.errors import DataError, ParameterError, join_names
from microexpr.core.labels import LabelMap
from microexpr.core.sources import FrameSource

_POSITIONS = ("onset", "apex", "offset")
_COLUMNS = ("dataset", "subject", "emotion", "label", *_POSITIONS, "n_frames", "fps", "aus", "source")


class ClipSet:
    """Clips with their annotations.

    Parameters
    ----------
    table : DataFrame indexed by clip_id
        Columns `dataset` and `subject` (qualified, `casme2/sub01`) are required; `emotion` (as the source
        spells it), `label`, `onset`, `apex`, `offset` (zero-based positions in the clip's own frames, missing
        stays missing), `n_frames`, `fps`, `aus` are optional; further columns are kept.
    sources : mapping of clip_id -> FrameSource, or a sequence in the table's order
    classes : sequence of str, optional
        The labels in their order; by default those that occur, sorted.
    labels : str
        The name of the label map that made the labels.
    findings : DataFrame with columns clip_id, finding, optional
        What the loader found amiss: annotations without frames, frames without annotation.
    dropped : DataFrame with columns clip_id, reason, optional
        The clips a label map left out, and why.

    Raises
    ------
    DataError
        If clip_ids repeat, sources do not match the table, a subject is missing or not qualified by its data
        set, or onset, apex and offset are out of order or outside the clip.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        sources: Mapping[str, FrameSource] | Sequence[FrameSource],
        *,
        classes: Sequence[str] | None = None,
        labels: str = "",
        findings: pd.DataFrame | None = None,
        dropped: pd.DataFrame | None = None,
    ) -> None:
        if not isinstance(sources, Mapping):
            if len(sources) != len(table):
                raise DataError(f"{len(sources)} sources for {len(table)} clips; there must be one a clip")
            sources = dict(zip(table.index, sources, strict=True))
        self.table = _checked_table(table, sources)
        self.sources = {clip_id: sources[clip_id] for clip_id in self.table.index}
        self.labels = labels
        self.findings = _or_empty(findings, ("clip_id", "finding"))
        self.dropped = _or_empty(dropped, ("clip_id", "reason"))
        present = sorted(self.table["label"].dropna().unique())
        self.classes: tuple[str, ...] = tuple(present if classes is None else classes)
        if unknown := set(present) - set(self.classes):
            raise DataError(f"labels {join_names(sorted(unknown))} are not among the classes {self.classes}")

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        subjects = self.table["subject"].nunique()
        return f"ClipSet({len(self)} clips, {subjects} subjects, classes={list(self.classes)})"

    @property
    def clips(self) -> list[Clip]:
        """The clips, a plain list in the table's order; the X of every estimator."""
        return [self._clip(row) for row in self.table.itertuples()]

    @property
    def y(self) -> np.ndarray:
        """The labels, str ndarray of shape (n_clips,).

        Raises
        ------
        DataError
            If a clip has no label: relabel the set first.
        """
        labels = self.table["label"]
        if labels.isna().any():
            missing = join_names(self.table.index[labels.isna()])
            raise DataError(f"{int(labels.isna().sum())} clips have no label ({missing}); apply a label map first")
        return np.asarray(labels.to_list(), dtype=str)

    @property
    def groups(self) -> np.ndarray:
        """The qualified subjects, str ndarray of shape (n_clips,)."""
        return np.asarray(self.table["subject"].to_list(), dtype=str)

    def where(self, mask: Sequence[bool] | None = None, **columns: Any) -> "ClipSet":
        """Return the clips of a boolean mask, or whose columns have the given value (or one of a list of values).

        Raises
        ------
        ParameterError
            If a column does not exist, or the mask has another length.
        """
        keep = np.ones(len(self), bool)
        if mask is not None:
            chosen = np.asarray(mask, dtype=bool)
            if chosen.shape != keep.shape:
                raise ParameterError(f"mask has shape {chosen.shape}; it must have one entry a clip, {keep.shape}")
            keep &= chosen
        for column, value in columns.items():
            if column not in self.table:
                raise ParameterError(f"column {column!r} does not exist; there are {join_names(self.table, 20)}")
            values = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)
            keep &= self.table[column].isin(values).to_numpy()
        return self._with(self.table[keep])

    def without(self, findings: Mapping[str, str]) -> "ClipSet":
        """Return the set without the clips of `findings`, which maps their clip_ids to the reason."""
        left_out = pd.DataFrame(findings.items(), columns=["clip_id", "finding"], dtype="str")
        kept = self.table[~self.table.index.isin(left_out["clip_id"])]
        return self._with(kept, findings=pd.concat([self.findings, left_out], ignore_index=True))

    def relabel(self, label_map: LabelMap) -> "ClipSet":
        """Return the clips that `label_map` gives a class, labelled so; the others join `dropped`.

        Raises
        ------
        ParameterError
            If the map does not know a data set of this set.
        """
        labels, reasons = label_map.apply(self.table)
        kept = self.table.assign(label=labels)[labels.notna()]
        left_out = reasons[labels.isna()]
        dropped = pd.DataFrame({"clip_id": left_out.index, "reason": left_out.to_numpy()})
        dropped = pd.concat([self.dropped, dropped], ignore_index=True)
        return self._with(kept, classes=label_map.classes, labels=label_map.name, dropped=dropped)

    def concat(self, *others: "ClipSet") -> "ClipSet":
        """Return this set followed by the others.

        Raises
        ------
        DataError
            If a clip_id occurs twice, or the sets were labelled by different maps.
        """
        sets = (self, *others)
        if len({(one.labels, one.classes) for one in sets}) > 1:
            maps = join_names(f"{one.labels or 'none'} {one.classes}" for one in sets)
            raise DataError(f"the sets are labelled differently ({maps}); relabel them with one map first")
        tables = [one.table for one in sets]
        repeated = pd.Index([clip_id for table in tables for clip_id in table.index])
        if repeated.has_duplicates:
            twice = join_names(repeated[repeated.duplicated()].unique())
            raise DataError(f"clips occur in more than one of the data sets: {twice}")
        sources = {clip_id: source for one in sets for clip_id, source in one.sources.items()}
        return ClipSet(
            pd.concat(tables),
            sources,
            classes=self.classes,
            labels=self.labels,
            findings=pd.concat([one.findings for one in sets], ignore_index=True),
            dropped=pd.concat([one.dropped for one in sets], ignore_index=True),
        )

    def digest(self) -> str:
        """Return a digest of all that a run depends on: every clip's content, subject, data set and label, in order."""
        rows = [
            [clip.clip_id, clip.fingerprint(), clip.dataset, clip.subject, None if pd.isna(label) else label]
            for clip, label in zip(self.clips, self.table["label"], strict=True)
        ]
        return digest({"classes": list(self.classes), "clips": rows})

    def _with(self, table: pd.DataFrame, **changes: Any) -> "ClipSet":
        kept = {"classes": self.classes, "labels": self.labels, "findings": self.findings, "dropped": self.dropped}
        return ClipSet(table, self.sources, **{**kept, **changes})

    def _clip(self, row: Any) -> Clip:
        positions = {name: _optional_int(getattr(row, name)) for name in _POSITIONS}
        fps = None if pd.isna(row.fps) else float(row.fps)
        return Clip(row.Index, self.sources[row.Index], dataset=row.dataset, subject=row.subject, fps=fps, **positions)


def _optional_int(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _or_empty(frame: pd.DataFrame | None, columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series(dtype="str") for column in columns}) if frame is None else frame


def _checked_table(table: pd.DataFrame, sources: Mapping[str, FrameSource]) -> pd.DataFrame:
    for column in ("dataset", "subject"):
        if column not in table:
            raise DataError(f"the clip table has no column {column!r}")
        if table[column].isna().any():
            raise DataError(f"{join_names(table.index[table[column].isna()])}: no {column} in the clip table")
    if table.index.has_duplicates:
        raise DataError(f"clip_ids repeat: {join_names(table.index[table.index.duplicated()].unique())}")
    if missing := [clip_id for clip_id in table.index if clip_id not in sources]:
        raise DataError(f"{join_names(missing)}: no source of frames")
    # An unqualified subject of one data set would be taken for a namesake in another.
    for clip_id, dataset, subject in zip(table.index, table["dataset"], table["subject"], strict=True):
        if not str(subject).startswith(f"{dataset}/"):
            raise DataError(f"{clip_id}: subject {subject!r} is not qualified; it must begin with {dataset + '/'!r}")
    full = table.copy()
    full.index = pd.Index(full.index.astype("str"), name="clip_id")
    for column in _COLUMNS:
        if column not in full:
            full[column] = None
    for column in (*_POSITIONS, "n_frames"):
        full[column] = full[column].astype("Int64")
    full["fps"] = full["fps"].astype("Float64")
    for column in ("dataset", "subject", "emotion", "label", "aus"):
        full[column] = full[column].astype("str")
    full["source"] = [sources[clip_id].describe() for clip_id in full.index]
    _check_positions(full)
    return full[[*_COLUMNS, *(column for column in full if column not in _COLUMNS)]]


def _check_positions(table: pd.DataFrame) -> None:
    for row in table[[*_POSITIONS, "n_frames"]].itertuples():
        known = [(name, int(value)) for name in _POSITIONS if not pd.isna(value := getattr(row, name))]
        for name, position in known:
            if position < 0 or (not pd.isna(row.n_frames) and position >= int(row.n_frames)):
                length = "?" if pd.isna(row.n_frames) else row.n_frames
                raise DataError(f"{row.Index}: {name} {position} lies outside the clip's {length} frames")
        if any(later[1] < earlier[1] for earlier, later in pairwise(known)):
            listed = ", ".join(f"{name} {position}" for name, position in known)
            raise DataError(f"{row.Index}: {listed} are out of order; onset <= apex <= offset must hold")
