"""A label map: which class each emotion of each data set becomes, and which clips it drops and why."""

__all__ = ["LabelMap"]

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from microexpr.core.errors import ParameterError


@dataclass(frozen=True)
class LabelMap:
    """A named rule from the emotions a source spells to classes.

    Parameters
    ----------
    name : str
    classes : tuple of str
        In the order of every table, log and confusion matrix.
    emotions : mapping of data set -> mapping of emotion -> class
        Emotions in lower case. The key `*` serves every data set that has no entry of its own.
    excluded : mapping of clip_id -> reason
        Clips the protocol leaves out although their emotion has a class.
    column : str
        The column of the table that is mapped.
    """

    name: str
    classes: tuple[str, ...]
    emotions: Mapping[str, Mapping[str, str]]
    excluded: Mapping[str, str] = field(default_factory=dict)
    column: str = "emotion"

    def apply(self, table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
        """Return the label of each row and, where there is none, why the clip is dropped.

        Parameters
        ----------
        table : DataFrame indexed by clip_id with columns dataset and `column`

        Returns
        -------
        labels, reasons : Series of str, missing where the other is given

        Raises
        ------
        ParameterError
            If the map knows nothing of a data set in the table, or the table lacks the column.
        """
        if self.column not in table:
            raise ParameterError(f"label map {self.name!r} reads the column {self.column!r}, which the data lacks")
        labels: dict[str, str | None] = {}
        reasons: dict[str, str | None] = {}
        for clip_id, dataset, emotion in zip(table.index, table["dataset"], table[self.column], strict=True):
            rules = self.emotions.get(dataset, self.emotions.get("*"))
            if rules is None:
                known = ", ".join(self.emotions)
                raise ParameterError(f"label map {self.name!r} has no rule for data set {dataset!r}; it knows {known}")
            label = None if pd.isna(emotion) else rules.get(str(emotion).strip().lower())
            reason = self.excluded.get(clip_id)
            if reason is None and label is None:
                named = f"{self.column} {emotion!r} has no class in {self.name}"
                reason = f"no {self.column} is given" if pd.isna(emotion) else named
            labels[clip_id] = None if reason else label
            reasons[clip_id] = reason
        return (
            pd.Series(labels, index=table.index, name="label", dtype="str"),
            pd.Series(reasons, index=table.index, name="reason", dtype="str"),
        )
