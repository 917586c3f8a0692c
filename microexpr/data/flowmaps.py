"""Stored onset-apex flow maps, in the three layouts in which users of STSTNet, HTNet and CausalNet hold them."""

__all__ = ["load_flowmaps"]

import csv
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, join_names
from microexpr.core.sources import FlowMapSource

_CLASSES = ("negative", "positive", "surprise")
_DEPTH = 3
_TRUTHS = ("truth.csv", "combined_3_class2_for_optical_flow.csv")
_LAYOUTS = (
    "truth.csv with maps/*.png, combined_3_class2_for_optical_flow.csv with STSNet_whole_norm_u_v_os/*.png, "
    "three_norm_u_v_os/<subject>/{u_train,u_test}/{0,1,2}/*.png"
)
_COLUMNS = {"dataset": ("dataset",), "subject": ("subject", "sub"), "clip": ("clip", "filename_o"), "label": ("label",)}
# How subjects are called in each data set; in the order of the official list.
_SUBJECTS = {"casme2": re.compile(r"sub\d+"), "smic": re.compile(r"s\d+"), "samm": re.compile(r"\d{3}")}
_MAP = re.compile(r"(sub\d+|s\d+|\d{3})_.+")
_MAP_FOLDERS = ("maps", "STSNet_whole_norm_u_v_os")


def load_flowmaps(root: str | Path, *, truth: str | Path | None = None, allow_incomplete: bool = False) -> ClipSet:
    """Load a folder of stored flow maps with their labels; no image is opened.

    Parameters
    ----------
    root : path
        The folder that holds one of these layouts, up to three levels deep; or the folder of the maps itself, with the
        truth file in one of the two folders above.

        - `truth.csv` (no header: data set, subject, clip, label) and `maps/<subject>_<clip> .png`;
        - `combined_3_class2_for_optical_flow.csv` (a header; read are dataset, sub, filename_o, label) and
          `STSNet_whole_norm_u_v_os/<subject>_<clip> .png`;
        - `three_norm_u_v_os/<subject>/{u_train,u_test}/{0,1,2}/<subject>_<clip> .png`: a subject's `u_test` holds its
          own clips in the folder of their class, `u_train` those of all others.

        The space before the extension may be absent.
    truth : path, optional
        The truth file, where it lies elsewhere or has another name.
    allow_incomplete : bool
        Whether to go on without the clips that have a truth but no map, or a map but no truth; `findings` lists them.
        Labels that contradict each other are refused all the same.

    Returns
    -------
    ClipSet
        Of flow-map clips, in the order of the truth file (the third layout: data set, subject, clip). Emotion and label
        are negative (0), positive (1) or surprise (2); the labels are those of `megc2019`.

    Raises
    ------
    DataError
        If the folder, the truth or the maps are missing, the truth file is damaged, or truth and maps disagree.

    Examples
    --------
    >>> clips = load_flowmaps("megc2019_flow")  # doctest: +SKIP
    """
    root = Path(root).expanduser()
    if not root.is_dir():
        raise DataError(f"{root}: {'a file; flow maps are a folder' if root.exists() else 'no such folder'}")
    found = _search(root)
    truth_path = _choose_truth(root, found, truth)
    if found.maps and truth_path:
        records = _read_truth(truth_path)
        faults = _match(records, _index(_choose(root, found.maps, "flow maps")), truth_path)
    elif found.split:
        records, faults = _read_split(_choose(root, found.split, "subjects' folders with u_train and u_test"))
    elif found.maps:
        raise DataError(f"{found.maps[0]}: flow maps without a truth file; looked for {' or '.join(_TRUTHS)}")
    else:
        there = f"; there is {truth_path}, but no map" if truth_path else ""
        raise DataError(f"{root}: no flow maps; looked for {_LAYOUTS}, in this folder and {_DEPTH} levels below{there}")
    if faults and not allow_incomplete:
        listed = join_names((f"{clip_id} ({fault})" for clip_id, fault in faults.items()), 3)
        raise DataError(
            f"{root}: truth and maps disagree on {len(faults)} clip{'s' * (len(faults) > 1)}: {listed}; "
            "allow_incomplete=True (--allow-incomplete) goes on without these clips"
        )
    return _clipset(root, [record for record in records if record.clip_id not in faults], faults)


@dataclass
class _Record:
    """One clip: what the truth says of it and where its map is."""

    dataset: str
    subject: str
    clip: str
    label: int
    path: str = ""

    @property
    def clip_id(self) -> str:
        return f"{self.dataset}/{self.subject}/{self.clip}"


@dataclass
class _Found:
    """What lies in and below a folder (truth files also above it), nearest first."""

    truths: list[Path] = field(default_factory=list)
    maps: list[Path] = field(default_factory=list)
    split: list[Path] = field(default_factory=list)


def _clipset(root: Path, records: list[_Record], faults: dict[str, str]) -> ClipSet:
    if not records:
        raise DataError(
            f"{root}: no flow map is left, {join_names(faults.items(), 1) if faults else 'the truth is empty'}"
        )
    labels = [_CLASSES[record.label] for record in records]
    table = pd.DataFrame(
        {
            "dataset": [record.dataset for record in records],
            "subject": [f"{record.dataset}/{record.subject}" for record in records],
            "emotion": labels,
            "label": labels,
            "n_frames": 0,
        },
        index=[record.clip_id for record in records],
    )
    findings = pd.DataFrame(faults.items(), columns=["clip_id", "finding"], dtype="str")
    sources = [FlowMapSource(record.path) for record in records]
    return ClipSet(table, sources, classes=_CLASSES, labels="megc2019", findings=findings)


def _search(root: Path) -> _Found:
    found = _Found()
    level = [root]
    for depth in range(_DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            names = _entries(folder)
            found.truths += [folder / name for name in _TRUTHS if name in names]
            if any(_MAP.fullmatch(_map_name(name) or "") for name, is_folder in names.items() if not is_folder):
                found.maps.append(folder)
            subfolders = [folder / name for name, is_folder in names.items() if is_folder]
            if any((subfolder / "u_test").is_dir() for subfolder in subfolders):
                found.split.append(folder)
            elif depth < _DEPTH:
                below += subfolders
        level = below
    for above in root.resolve().parents[:2]:
        found.truths += [above / name for name in _TRUTHS if (above / name).is_file()]
    return found


def _entries(folder: Path) -> dict[str, bool]:
    """Return a folder's visible entries by name, and whether each is a folder."""
    try:
        with os.scandir(folder) as entries:
            return {e.name: e.is_dir() for e in sorted(entries, key=lambda e: e.name) if not e.name.startswith(".")}
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}") from None


def _map_name(name: str) -> str | None:
    """Return sub01_EP02_01f for `sub01_EP02_01f .png`, and None for a file that is no PNG."""
    stem, suffix = os.path.splitext(name)
    return stem.strip() if suffix.lower() == ".png" else None


def _choose(root: Path, folders: list[Path], what: str) -> Path:
    # Beside the maps, those who computed them often keep pictures of the same names: the documented folder wins.
    folders = [folder for folder in folders if folder.name in _MAP_FOLDERS] or folders
    if len(folders) > 1:
        raise DataError(f"{root}: several folders hold {what}: {join_names(folders)}; name one of them")
    return folders[0]


def _choose_truth(root: Path, found: _Found, truth: str | Path | None) -> Path | None:
    if truth is not None:
        path = Path(truth).expanduser()
        if not path.is_file():
            raise DataError(f"truth {path}: no such file")
        return path
    nearest = [path for path in found.truths if path.parent == found.truths[0].parent]
    if len(nearest) > 1:
        raise DataError(f"{root}: two truth files, {join_names(nearest)}; keep one of them there")
    return nearest[0] if nearest else None


def _index(folder: Path) -> dict[str, str]:
    """Return the paths of the maps in a folder by `<subject>_<clip>`."""
    maps: dict[str, str] = {}
    for name in _entries(folder):
        if key := _map_name(name):
            if key in maps:
                raise DataError(f"{folder}: two maps of {key}: {Path(maps[key]).name!r} and {name!r}")
            maps[key] = str(folder / name)
    return maps


def _read_truth(path: Path) -> list[_Record]:
    """Read either truth file, every cell as text; a first line with the word dataset is a header."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = [(number, [cell.strip() for cell in cells]) for number, cells in enumerate(csv.reader(file), 1)]
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV text file ({error})") from None
    lines = [(number, cells) for number, cells in lines if any(cells)]
    places = [0, 1, 2, 3]
    if lines and "dataset" in (header := [cell.lower() for cell in lines[0][1]]):
        places = [_place(path, header, names) for names in _COLUMNS.values()]
        lines = lines[1:]
    records: dict[str, _Record] = {}
    for number, cells in lines:
        if len(cells) <= max(places) or not all(cells[place] for place in places):
            raise DataError(
                f"{path}, line {number}: data set, subject, clip and label are needed, not {','.join(cells)!r}"
            )
        dataset, subject, clip, label = (cells[place] for place in places)
        if label not in ("0", "1", "2"):
            raise DataError(f"{path}, line {number}: label {label!r} of {clip}; it must be 0, 1 or 2 ({_CLASSES})")
        record = _Record(dataset.lower(), subject, clip, int(label))
        if record.dataset in _SUBJECTS and not _SUBJECTS[record.dataset].fullmatch(subject):
            raise DataError(f"{path}, line {number}: {subject!r} is no subject of {record.dataset}")
        if record.clip_id in records:
            raise DataError(f"{path}, line {number}: {record.clip_id} occurs twice")
        records[record.clip_id] = record
    return list(records.values())


def _place(path: Path, header: list[str], names: Iterable[str]) -> int:
    for name in names:
        if name in header:
            return header.index(name)
    raise DataError(f"{path}: no column {' or '.join(names)}; the header has {', '.join(header)}")


def _match(records: list[_Record], maps: dict[str, str], truth_path: Path) -> dict[str, str]:
    """Give every record its map; return the clips that lack one, and the maps that lack a truth."""
    faults: dict[str, str] = {}
    claimed: dict[str, str] = {}
    for record in records:
        key = f"{record.subject}_{record.clip}"
        if key in claimed:
            raise DataError(f"{truth_path}: {claimed[key]} and {record.clip_id} have one map, {key}")
        claimed[key] = record.clip_id
        record.path = maps.get(key, "")
        if not record.path:
            faults[record.clip_id] = f"no map {key} .png"
    for key, path in maps.items():
        if key not in claimed:
            faults[key] = f"a map without a truth: {path}"
    return faults


def _read_split(folder: Path) -> tuple[list[_Record], dict[str, str]]:
    """Read subjects' folders: a clip's class is its folder in its own subject's u_test, and in all others' u_train."""
    own: dict[str, _Record] = {}
    others: dict[str, dict[int, str]] = {}
    for subject, is_folder in _entries(folder).items():
        if not is_folder or not (folder / subject / "u_test").is_dir():
            continue
        dataset = next((name for name, pattern in _SUBJECTS.items() if pattern.fullmatch(subject)), None)
        if dataset is None:
            raise DataError(f"{folder / subject}: no subject of casme2 (sub01), smic (s01) or samm (006)")
        for label, key, path in _labelled(folder / subject / "u_test"):
            if not key.startswith(f"{subject}_"):
                raise DataError(f"{path}: a map in u_test of subject {subject}, but of another one")
            if key in own:
                raise DataError(f"{folder}: {key} is in u_test as {own[key].label} and as {label}")
            own[key] = _Record(dataset, subject, key.removeprefix(f"{subject}_"), label, path)
        for label, key, path in _labelled(folder / subject / "u_train"):
            if key.startswith(f"{subject}_"):
                raise DataError(
                    f"{path}: a map of subject {subject} in its own u_train; it would be trained and tested on"
                )
            others.setdefault(key, {}).setdefault(label, path)
    contradictions = [
        f"{key} (test {own[key].label if key in own else 'none'}, train {' and '.join(map(str, sorted(labels)))})"
        for key, labels in others.items()
        if len(labels) > 1 or (key in own and {own[key].label} != set(labels))
    ]
    if contradictions:
        raise DataError(f"{folder}: u_test and u_train disagree on the label of {join_names(contradictions)}")
    faults = {
        key: f"in u_train, but in no u_test: {next(iter(labels.values()))}"
        for key, labels in others.items()
        if key not in own
    }
    order = list(_SUBJECTS)
    return sorted(own.values(), key=lambda one: (order.index(one.dataset), one.subject, one.clip)), faults


def _labelled(folder: Path) -> Iterator[tuple[int, str, str]]:
    """Yield label, `<subject>_<clip>` and path of the maps in a folder's subfolders 0, 1 and 2."""
    if not folder.is_dir():
        return
    for name, is_folder in _entries(folder).items():
        if is_folder and name not in ("0", "1", "2"):
            raise DataError(f"{folder / name}: no folder of a class; these are called 0, 1 and 2")
        if is_folder:
            for key, path in _index(folder / name).items():
                yield int(name), key, path
