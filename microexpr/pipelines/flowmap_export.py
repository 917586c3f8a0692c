"""Onset-apex flow maps of a data set, written as image files in the layouts that other projects read."""

__all__ = ["EXPORT_LAYOUTS", "export_flowmaps"]

import csv
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from microexpr.core.atomic import write_atomic
from microexpr.core.cache import feature_cache
from microexpr.core.checks import check_choice
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, ParameterError, ResultsError
from microexpr.core.progress import progress
from microexpr.features.flowmap import FlowMap
from microexpr.pipelines.prefix import extract

#: The layouts by name.
EXPORT_LAYOUTS = ("stsnet", "truth", "three_norm")

_LABELS = "megc2019"
# By these names readers tell subjects from other words, and in "three_norm" data sets from each other.
_SUBJECTS = {"casme2": re.compile(r"sub\d+"), "smic": re.compile(r"s\d+"), "samm": re.compile(r"\d{3}")}


def export_flowmaps(
    clipset: ClipSet,
    folder: str | Path,
    *,
    size: int = 28,
    method: str = "tvl1",
    layout: str = "stsnet",
    n_jobs: int = 1,
) -> int:
    """Write the u / v / strain map of every clip as an RGB image, and the truth beside them.

    The maps are those of `microexpr.features.FlowMap`: computed from onset and apex frame, or the stored map as it is.
    They are kept in the cache, so that an export that was interrupted goes on where it was.

    Parameters
    ----------
    clipset : ClipSet labelled by the map `megc2019`
    folder : path
        Created; must be absent or empty.
    size : int > 0, in pixels
    method : {"tvl1", "farneback", "dis"}
        See `microexpr.video.optical_flow`.
    layout : {"stsnet", "truth", "three_norm"}
        - "stsnet": `STSNet_whole_norm_u_v_os/<subject>_<clip> .png`, the space included, and
          `combined_3_class2_for_optical_flow.csv` with the columns dataset, sub, filename_o, label (0 negative,
          1 positive, 2 surprise), apex (in the clip's own frames, from 1; empty for stored maps), imagename and
          sub_filename (both empty);
        - "truth": `maps/<subject>_<clip> .png` and `truth.csv` (no header: data set, subject, clip, label);
        - "three_norm": `three_norm_u_v_os/<subject>/{u_train,u_test}/{0,1,2}/<subject>_<clip> .png`: every map is
          written once for each subject. The data set is nowhere, and readers tell it by the subjects' names: casme2,
          smic and samm only.
    n_jobs : int
        Threads that compute maps.

    Returns
    -------
    int
        The number of maps.

    Raises
    ------
    ParameterError
        If a parameter breaks its rule, or the clips are not labelled by `megc2019`.
    ResultsError
        If `folder` holds something, is a file or cannot be written.
    NeedsError
        If a clip has frames but no apex.
    DataError
        If a clip cannot be read, a name cannot be written so that it is read back, or two clips would have one file.

    Notes
    -----
    Channels are stretched to 0..255 map by map: the strength of the motion is not in the files.
    `microexpr.data.load_flowmaps` reads all three layouts back to the same clips, labels and maps.

    Examples
    --------
    >>> import tempfile
    >>> from microexpr.data import label_map, load_flowmaps, make_clips
    >>> clipset = make_clips(n_subjects=2, clips_per_subject=3).relabel(label_map("megc2019"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_flowmaps(clipset, folder, method="dis"), len(load_flowmaps(folder))
    (6, 6)
    """
    check_choice(layout, "layout", EXPORT_LAYOUTS)
    transformer = FlowMap(size, method).fit()
    if clipset.labels != _LABELS:
        raise ParameterError(
            f"the clips are labelled by {clipset.labels or 'no label map'}: flow maps are exported with the labels of "
            f"{_LABELS}"
        )
    root = Path(folder).expanduser()
    _check_empty(root)
    records = _records(clipset, layout)
    clips = clipset.clips
    for clip in clips:
        # Hours of optical flow should not end at a clip that lacks an apex.
        if clip.has_pixels:
            clip.onset_apex()
    rows = extract(transformer, clips, cache=feature_cache(), n_jobs=n_jobs, description="flow maps")
    maps = rows.reshape(-1, size, size, 3).astype(np.uint8)
    if layout == "three_norm":
        _write_split(root / "three_norm_u_v_os", records, maps)
    else:
        _write_whole(root, layout, records, maps)
    return len(records)


class _Record(NamedTuple):
    """What is written of one clip."""

    dataset: str
    subject: str
    clip: str
    label: int
    apex: str

    @property
    def name(self) -> str:
        # The space is in everybody's file names, and their programs ask for it.
        return f"{self.subject}_{self.clip} .png"


def _check_empty(root: Path) -> None:
    try:
        if root.exists() and os.listdir(root):
            raise ResultsError(f"{root}: the folder is not empty; flow maps are written to one of their own")
    except OSError as error:
        raise ResultsError(f"{root}: {error.strerror}") from None


def _records(clipset: ClipSet, layout: str) -> list[_Record]:
    """Return what is written of each clip; a DataError names the clip that would not be read back."""
    records: list[_Record] = []
    taken: dict[str, str] = {}
    for clip, label in zip(clipset.clips, clipset.y, strict=True):
        subject = clip.subject.removeprefix(f"{clip.dataset}/")
        name = clip.clip_id.removeprefix(f"{clip.subject}/")
        apex = "" if clip.apex is None else str(clip.apex + 1)
        record = _Record(clip.dataset, subject, name, clipset.classes.index(label), apex)
        patterns = [_SUBJECTS[clip.dataset]] if clip.dataset in _SUBJECTS else list(_SUBJECTS.values())
        if layout == "three_norm" and clip.dataset not in _SUBJECTS:
            raise DataError(
                f"{clip.clip_id}: layout 'three_norm' does not say the data set, and {clip.dataset} would be read back "
                f"as one of {', '.join(_SUBJECTS)}; use layout 'stsnet' or 'truth'"
            )
        if not any(pattern.fullmatch(subject) for pattern in patterns):
            raise DataError(f"{clip.clip_id}: subject {subject!r} is not written sub01, s01 or 001, as readers expect")
        if "/" in name or name != name.strip() or clip.dataset != clip.dataset.lower():
            raise DataError(f"{clip.clip_id}: such a name cannot be written as one file name and read back")
        if record.name in taken:
            raise DataError(f"{taken[record.name]} and {clip.clip_id} would have one file, {record.name!r}")
        taken[record.name] = clip.clip_id
        records.append(record)
    return records


def _write_whole(root: Path, layout: str, records: list[_Record], maps: np.ndarray) -> None:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    if layout == "stsnet":
        folder, truth = root / "STSNet_whole_norm_u_v_os", root / "combined_3_class2_for_optical_flow.csv"
        writer.writerow(["dataset", "sub", "filename_o", "label", "apex", "imagename", "sub_filename"])
        writer.writerows([*record, "", ""] for record in records)
    else:
        folder, truth = root / "maps", root / "truth.csv"
        writer.writerows(record[:4] for record in records)
    with progress("files", len(records)) as advance:
        for record, content in zip(records, _encoded(maps), strict=True):
            write_atomic(folder / record.name, content)
            advance()
    write_atomic(truth, table.getvalue().encode())


def _write_split(root: Path, records: list[_Record], maps: np.ndarray) -> None:
    contents = list(_encoded(maps))
    subjects = sorted({record.subject for record in records})
    with progress("files", len(subjects) * len(records)) as advance:
        for tested in subjects:
            for record, content in zip(records, contents, strict=True):
                part = "u_test" if record.subject == tested else "u_train"
                write_atomic(root / tested / part / str(record.label) / record.name, content)
                advance()


def _encoded(maps: np.ndarray) -> Iterator[bytes]:
    """Yield each map as the content of a PNG file."""
    from PIL import Image

    for one in maps:
        buffer = io.BytesIO()
        Image.fromarray(one).save(buffer, format="PNG")
        yield buffer.getvalue()
