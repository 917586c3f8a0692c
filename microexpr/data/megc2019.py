"""The composite of MEGC 2019 from the folders of its three data sets, checked against the official counts."""

__all__ = ["load_megc2019"]

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from microexpr.core.checks import check_choice
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, ParameterError, join_names
from microexpr.data._folders import checked_root, search
from microexpr.data.casme2 import load_casme2
from microexpr.data.labels import label_map
from microexpr.data.samm import load_samm
from microexpr.data.smic import load_smic

_TITLES = {"casme2": "CASME II", "samm": "SAMM", "smic": "SMIC-HS"}
#: Clips of each class (negative, positive, surprise) and subjects, by data set, in the challenge's list.
_CLIPS = {"casme2": (88, 32, 25), "samm": (92, 26, 15), "smic": (70, 51, 43)}
_SUBJECTS = {"casme2": 24, "samm": 28, "smic": 16}
_TABLES = ("2014", "2019")
# The table of 2019 relabels three clips of subject 24: no list of the challenge tells their classes.
_CLIPS_2019 = 148
_TABLE_NAMES = {year: re.compile(rf"casme.*coding.*{year}.*\.xlsx", re.IGNORECASE) for year in _TABLES}
_SUBJECT_FOLDER = re.compile(r"sub\D*\d+", re.IGNORECASE)


def load_megc2019(
    casme2: str | Path,
    samm: str | Path,
    smic: str | Path,
    *,
    table: str = "2014",
    corrections: str | Path | None = None,
    strict: bool = True,
    allow_incomplete: bool = False,
) -> ClipSet:
    """Load CASME II, SAMM and SMIC-HS as the one data set of MEGC 2019: 442 clips, 68 subjects, three classes.

    Each is read by its own loader and labelled by the map `megc2019`. What is kept is compared with the challenge's
    list: the number of clips (145, 133, 164), of subjects (24, 28, 16) and of clips of each class, and the two clips of
    CASME II that are left out, sub04 EP12_01f (no apex) and sub05 EP09_05f (its apex is its onset).

    Parameters
    ----------
    casme2, samm, smic : path
        As for `load_casme2`, `load_samm` and `load_smic`; of SMIC the cropped clips of the high-speed camera.
    table : {"2014", "2019"}
        The coding table of CASME II. The challenge's list follows that of 2014; that of 2019 relabels three clips of
        subject 24 and gives 148 clips instead of 145, so it is used only when asked for.
    corrections : str or path, optional
        Repairs of annotations; two clips of the 133 of SAMM need `samm-apex`.
    strict : bool
        Whether to refuse folders whose counts are not the official ones. If not, each deviation is listed in the set's
        `findings` instead.
    allow_incomplete : bool
        Whether to go on without clips whose frames or annotation are missing or contradict each other; they are then
        missing in the counts.

    Returns
    -------
    ClipSet
        CASME II, SAMM, SMIC, in the order of their loaders; labels negative, positive, surprise. `dropped` lists the
        clips that are left out, and why.

    Raises
    ------
    ParameterError
        If `table` is none of those, `strict` is no bool, or there are no such corrections.
    DataError
        If one of the three cannot be loaded, only the table of 2019 is there and was not asked for, or (if `strict`)
        the counts are not the official ones; the message says which.

    References
    ----------
    .. [1] J. See, M. H. Yap, J. Li, X. Hong, S.-J. Wang, "MEGC 2019: the second facial micro-expressions grand
       challenge", FG, 2019.

    Examples
    --------
    >>> clips = load_megc2019("CASME2", "SAMM", "SMIC", corrections="samm-apex")  # doctest: +SKIP
    """
    check_choice(table, "table", _TABLES)
    if not isinstance(strict, bool):
        raise ParameterError(f"strict is {strict!r}: it must be True or False")
    rules = label_map("megc2019")
    sets = [
        _load_casme2(casme2, table, allow_incomplete=allow_incomplete),
        load_samm(samm, corrections=corrections, allow_incomplete=allow_incomplete),
        load_smic(smic, allow_incomplete=allow_incomplete),
    ]
    composite = sets[0].relabel(rules).concat(*(one.relabel(rules) for one in sets[1:]))
    deviations = _deviations(composite, table, rules.excluded)
    if deviations and strict:
        raise DataError(
            f"not the composite of MEGC 2019: {'; '.join(deviations)}; strict=False (megc2019:strict=no,...) loads it "
            "all the same"
        )
    if not deviations:
        return composite
    listed = pd.DataFrame({"clip_id": "megc2019", "finding": deviations}, dtype="str")
    composite.findings = pd.concat([composite.findings, listed], ignore_index=True)
    return composite


def _load_casme2(root: str | Path, table: str, *, allow_incomplete: bool) -> ClipSet:
    """Load CASME II with one of its two tables; say why that of 2019 does not stand in for the other."""
    folder = checked_root(root, _TITLES["casme2"])
    if table == "2014":
        found = search(folder, _TABLE_NAMES, _SUBJECT_FOLDER)
        if found.of("2019") and not found.of("2014"):
            raise DataError(
                f"{folder}: MEGC 2019 follows the coding table of 2014, and here is only that of 2019, which relabels "
                f"three clips of subject 24 and gives {_CLIPS_2019} clips instead of 145; table='2019' "
                "(megc2019:table=2019,...) uses it"
            )
    return load_casme2(folder, annotation=table, allow_incomplete=allow_incomplete)


def _deviations(composite: ClipSet, table: str, excluded: Iterable[str]) -> list[str]:
    """Return how the composite differs from the official list, one line each."""
    found = []
    for dataset, title in _TITLES.items():
        part = composite.table[composite.table["dataset"] == dataset]
        counts = tuple(int((part["label"] == label).sum()) for label in composite.classes)
        subjects = part["subject"].nunique()
        later = dataset == "casme2" and table == "2019"
        wanted = _CLIPS_2019 if later else sum(_CLIPS[dataset])
        if len(part) != wanted:
            found.append(f"{title} has {len(part)} clips, not {wanted}")
        elif counts != _CLIPS[dataset] and not later:
            found.append(f"{title} has {_joined(counts)} clips of the classes, not {_joined(_CLIPS[dataset])}")
        if subjects != _SUBJECTS[dataset]:
            found.append(f"{title} has {subjects} subjects, not {_SUBJECTS[dataset]}")
    named = set(composite.dropped["clip_id"])
    if missing := [clip_id for clip_id in excluded if clip_id not in named]:
        found.append(f"{join_names(missing)}, which the challenge leaves out, not among the clips")
    return found


def _joined(counts: tuple[int, ...]) -> str:
    return "/".join(map(str, counts))
