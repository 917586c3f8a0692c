"""What truly happened where something was found that is no expression."""

__all__ = ["false_alarms"]

import numpy as np
import pandas as pd

from microexpr.spotting import match_intervals

#: What an expression is called that was met and not hit: bounds too far off, or found twice.
MISSED_BOUNDS = "expression, bounds off"
NOTHING = "nothing"

# It lasts as long as the video: everything happens during it.
_ALWAYS = ("light drift",)


def false_alarms(true: pd.DataFrame, found: pd.DataFrame, distractors: pd.DataFrame, *, iou: float = 0.5) -> pd.Series:
    """Return what truly happened at each found interval that hits no true one.

    Of all that happened during a false positive, that which shares most frames with it is named; an expression before a
    distractor that shares as many.

    Parameters
    ----------
    true : DataFrame with one row per true interval
        Columns video_id, onset, offset: zero-based positions, both inclusive.
    found : DataFrame with one row per found interval
        The same columns; expressions only.
    distractors : DataFrame with one row per distractor
        The same columns and kind, as `SyntheticVideoSet.distractors`.
    iou : float in (0, 1]
        The least IoU of a hit.

    Returns
    -------
    Series of str
        Indexed as the rows of `found` that hit nothing: "expression, bounds off" (met with too small an IoU, or found
        twice), a distractor's kind, or "nothing".

    Raises
    ------
    ParameterError, DataError
        As `microexpr.spotting.match_intervals`.

    Examples
    --------
    >>> import pandas as pd
    >>> def table(*rows, **more):
    ...     return pd.DataFrame(rows, columns=["onset", "offset"]).assign(video_id="v", **more)
    >>> found = table((10, 19), (12, 40), (50, 59), (80, 85))
    >>> false_alarms(table((10, 19)), found, table((48, 55), kind="blink")).tolist()
    ['expression, bounds off', 'blink', 'nothing']
    """
    pairs = match_intervals(true, found, iou=iou)
    missed = found.drop(index=found.index[pairs["found"].to_numpy()])
    happened = pd.concat(
        [true.assign(kind=MISSED_BOUNDS), distractors[~distractors["kind"].isin(_ALWAYS)]], ignore_index=True
    )[["video_id", "kind", "onset", "offset"]]
    return pd.Series(
        [_what(row.video_id, int(row.onset), int(row.offset), happened) for row in missed.itertuples()],
        index=missed.index,
        dtype="str",
    )


def _what(video_id: object, onset: int, offset: int, happened: pd.DataFrame) -> str:
    own = happened[happened["video_id"] == video_id]
    ends = own["offset"].to_numpy(dtype=np.int64), own["onset"].to_numpy(dtype=np.int64)
    shared = np.minimum(ends[0], offset) - np.maximum(ends[1], onset) + 1
    if not len(own) or shared.max() < 1:
        return NOTHING
    # Of equal ones the first: true intervals come before distractors.
    return str(own["kind"].iloc[int(np.argmax(shared))])
