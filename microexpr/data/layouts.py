"""Clips written to disk as the users of a data set hold it, so that loaders can be tried before a licence arrives."""

__all__ = ["LAYOUTS", "Layout", "synthesize", "write_layout"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from microexpr.core.checks import check_choice, check_int
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, ParameterError
from microexpr.data._layouts.casme import write_casme
from microexpr.data._layouts.casme2 import write_casme2
from microexpr.data._layouts.casme3 import write_casme3, write_casme3_videos
from microexpr.data._layouts.casmesq import write_casmesq
from microexpr.data._layouts.ckplus import write_ckplus
from microexpr.data._layouts.fourdme import write_4dme
from microexpr.data._layouts.mmew import write_mmew
from microexpr.data._layouts.samm import write_samm
from microexpr.data._layouts.samm_lv import write_samm_lv
from microexpr.data._layouts.smic import write_smic, write_smic_extended
from microexpr.data.synthetic import make_clips

# The emotions of data sets that have others than CASME II, as synthetic clips spell them.
_SEVEN = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
_SAMM = (*_SEVEN, "others")
_MMEW = ("happiness", "surprise", "anger", "disgust", "fear", "sadness", "others")


@dataclass(frozen=True)
class Layout:
    """One way to lay clips out on disk.

    Parameters
    ----------
    about : str
        What is written, in one line.
    loader : str
        The name under which `--data` reads it.
    write : callable (clipset, folder, rng, *, quirks) -> ClipSet
    clips : mapping
        Arguments of `make_clips` that synthetic clips need in order to look like the data set's.
    """

    about: str
    loader: str
    write: Callable[..., ClipSet]
    clips: Mapping[str, Any]


#: The layouts by name.
LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        "casme2": Layout(
            "CASME II: frames cropped to the face, from onset to offset; the table of 2014",
            "casme2",
            write_casme2,
            {"color": True},
        ),
        "casme2-raw": Layout(
            "CASME II: raw frames, some before the onset and after the offset; the table of 2014",
            "casme2",
            partial(write_casme2, raw=True),
            {"color": True, "margin": 15},
        ),
        "casme2-2019": Layout(
            "CASME II: frames cropped to the face; the table of 2019 with objective classes",
            "casme2",
            partial(write_casme2, year="2019"),
            {"color": True},
        ),
        "samm": Layout(
            "SAMM: frames from onset to offset; the table of FACS codes below 13 rows of preamble",
            "samm",
            write_samm,
            {"classes": _SAMM},
        ),
        "samm-typos": Layout(
            "SAMM: the same, with the two impossible apexes of the real table",
            "samm:corrections=samm-apex",
            partial(write_samm, typos=True),
            {"classes": _SAMM},
        ),
        "smic": Layout(
            "SMIC-HS: frames cropped to the face, in folders by emotion; no table, no apex",
            "smic",
            write_smic,
            {"fps": 100.0},
        ),
        **{
            f"smic-{camera.lower()}": Layout(
                f"SMIC-{camera}: frames cropped to the face, in folders by emotion; no table, no apex",
                f"smic:modality={camera}",
                partial(write_smic, modality=camera),
                {"fps": 25.0, "duration": (0.2, 0.5), "color": camera == "VIS"},
            )
            for camera in ("VIS", "NIR")
        },
        "smic-e": Layout(
            "SMIC-HS-E: longer clips; a table with formulas in its cells",
            "smic:edition=extended",
            write_smic_extended,
            {"fps": 100.0, "margin": 10},
        ),
        "ckplus": Layout(
            "CK+: sequences from neutral to apex; emotions in text files, one sequence without",
            "ckplus",
            write_ckplus,
            {"fps": 30.0, "duration": (0.3, 0.8), "peak_motion": (2.0, 3.0), "classes": _SEVEN},
        ),
        "mmew": Layout(
            "MMEW: frames from onset to offset in folders by emotion; the table of micro-expressions",
            "mmew",
            write_mmew,
            {"fps": 90.0, "color": True, "classes": _MMEW},
        ),
        "casme": Layout(
            "CASME: frames cropped to the face in two sections; a table with two apex columns",
            "casme",
            write_casme,
            {"fps": 60.0, "color": True, "classes": ("disgust", "repression", "surprise", "happiness", "others")},
        ),
        "casmesq": Layout(
            "CAS(ME)^2: long videos; a table without a header, with sheets of codes and 0 for unknown",
            "casmesq",
            write_casmesq,
            {"fps": 30.0, "duration": (0.2, 0.5), "margin": 10, "color": True},
        ),
        "casme3": Layout(
            "CAS(ME)^3, part A: clips in folders named by subject, video and onset, beside depth maps",
            "casme3",
            write_casme3,
            {"fps": 30.0, "duration": (0.2, 0.5), "color": True, "classes": _MMEW},
        ),
        **{
            f"casme3-{part.lower()}-videos": Layout(
                f"CAS(ME)^3, part {part}: long videos, beside depth maps",
                "casme3" if part == "A" else f"casme3:part={part}",
                partial(write_casme3_videos, part=part),
                {"fps": 30.0, "duration": (0.2, 0.5), "margin": 10, "color": True, "classes": _MMEW},
            )
            for part in ("A", "C")
        },
        "4dme": Layout(
            "4DME: grey frames in folders named by the table, action units spelt AU4(k)",
            "4dme",
            write_4dme,
            {"fps": 60.0, "margin": 5},
        ),
        "samm-lv": Layout(
            "SAMM long videos: frames of long videos; a table below ten rows of preamble",
            "samm-lv",
            write_samm_lv,
            {"margin": 30},
        ),
    }
)


def write_layout(clipset: ClipSet, layout: str, folder: str | Path, *, seed: int = 0, quirks: bool = True) -> ClipSet:
    """Write clips and their annotation table as users of a data set hold them.

    `casme2` writes ``Cropped/sub01/EP01_01f/reg_img46.jpg`` and ``CASME2-coding-20140508.xlsx``, `casme2-2019` the same
    frames and ``CASME2-coding-20190701.xlsx``, `casme2-raw` ``CASME2_RAW_selected/sub01/EP01_01f/img46.jpg`` and the
    table of 2014. Frame numbers are not padded and begin anywhere; the cropped folders hold the frames from onset to
    offset, the raw ones all. JPEG files have quality 95 and no colour subsampling. The other layouts are as `LAYOUTS`
    describes them; each is read back by the loader it names.

    Parameters
    ----------
    clipset : ClipSet
        Clips with pixels, onset, offset, emotion, and subjects called sub01, sub02, ...
    layout : str
        A key of `LAYOUTS`: casme2, casme2-raw, casme2-2019, samm, smic, ...
    folder : path
        Made if it does not exist; must be empty if it does.
    seed : int >= 0
        Decides at which number the frames of each clip begin.
    quirks : bool
        Whether to write what is odd about the real files too. For CASME II (of two clips or more): the apex of
        one clip is `/`. In the real table that is sub04 EP12_01f; where there is a subject 4, its last clip is
        therefore written under this name, else it is the last clip of all, under its own.

    Returns
    -------
    ClipSet
        The clips as a loader should find them in `folder`: named and placed as written, the apex `/` missing, no
        labels.

    Raises
    ------
    ParameterError
        If the layout is unknown, or `seed` or `quirks` break their rule.
    DataError
        If the folder is not empty or cannot be written, or a clip lacks what the layout needs.
    NeedsError
        If a clip is a stored flow map.

    Examples
    --------
    >>> import tempfile
    >>> clipset = make_clips(n_subjects=2, clips_per_subject=1, duration=(0.1, 0.1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_layout(clipset, "casme2", folder)
    >>> written.table[["onset", "apex", "n_frames"]].isna().sum().to_dict()
    {'onset': 0, 'apex': 1, 'n_frames': 0}
    """
    chosen = LAYOUTS[str(check_choice(layout, "layout", LAYOUTS))]
    rng = np.random.default_rng(check_int(seed, "seed", minimum=0))
    if not isinstance(quirks, bool):
        raise ParameterError(f"quirks is {quirks!r}: it must be True or False")
    return chosen.write(clipset, _empty_folder(folder), rng, quirks=quirks)


def synthesize(
    layout: str, folder: str | Path, *, n_subjects: int = 8, clips_per_subject: int = 6, seed: int = 0
) -> str:
    """Make synthetic clips and write them in a layout; return what was written, for a person to read.

    Parameters
    ----------
    layout, folder
        See `write_layout`.
    n_subjects, clips_per_subject, seed
        See `make_clips`.

    Returns
    -------
    str
        One line.

    Raises
    ------
    ParameterError, DataError
        As `make_clips` and `write_layout` do.

    Examples
    --------
    >>> synthesize("casme2", "CASME2-synthetic", n_subjects=2)  # doctest: +SKIP
    'CASME2-synthetic: 12 synthetic clips of 2 subjects; read them with --data casme2=CASME2-synthetic'
    """
    chosen = LAYOUTS[str(check_choice(layout, "layout", LAYOUTS))]
    clipset = make_clips(n_subjects, clips_per_subject, seed=seed, **chosen.clips)
    write_layout(clipset, layout, folder, seed=seed)
    subjects = f"{n_subjects} subject{'s' * (n_subjects > 1)}"
    return f"{folder}: {len(clipset)} synthetic clips of {subjects}; read them with --data {chosen.loader}={folder}"


def _empty_folder(folder: str | Path) -> Path:
    """Return the folder, made if need be."""
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        if next(path.iterdir(), None) is not None:
            raise DataError(f"{path}: the folder is not empty; give a new or empty one")
    except OSError as error:
        raise DataError(f"{path}: cannot be made a folder to write to: {error.strerror or error}") from error
    return path
