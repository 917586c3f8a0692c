"""The data sets by name: what each needs, where to apply for it, and how `--data` loads it."""

__all__ = ["Dataset", "datasets", "load_data", "load_videos", "parse_spec"]

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, ParameterError, join_names
from microexpr.data._longvideo_records import RECORDS as _LONG_VIDEO_RECORDS
from microexpr.data._recognition_records import RECORDS
from microexpr.data.labels import label_map

if TYPE_CHECKING:
    from microexpr.data.videos import VideoSet

_NAME = re.compile(r"[\w-]*")
_OPTION = r"\w+=[^=,]*"
# The folder comes last and may hold any sign, '=' and ',' included.
_SPEC = re.compile(rf"[\w-]+(?::(?P<options>{_OPTION}(?:,{_OPTION})*))?(?:=(?P<folder>.+))?", re.DOTALL)


@dataclass(frozen=True)
class Dataset:
    """What the catalogue knows of a data set.

    Parameters
    ----------
    name : str
        As in `--data name=DIR`.
    title : str
    loader : str
        Module and function, `microexpr.data.casme2.load_casme2`; imported at first use.
    needs_folder : bool
        Whether it is read from a folder that the user names.
    needs : str
        What must lie in that folder.
    formats : tuple of str
        The layouts that are read, each as the path of an example.
    access : str
        Where to apply for it.
    licence : str
    labels : str
        The label map that is used unless another is asked for.
    options : mapping of str -> str
        The loader's arguments that a spec may give, `name:option=value`, and their kind: whole, number, names, text,
        folder, or "yes or no".
    required : tuple of str
        The options that must be given.
    videos : str
        Module and function that load its long videos as a `VideoSet`; "" where it has none.
    """

    name: str
    title: str
    loader: str
    needs_folder: bool
    needs: str
    formats: tuple[str, ...]
    access: str
    licence: str
    labels: str = "megc2019"
    options: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    videos: str = ""

    @property
    def usage(self) -> str:
        """How to name it in `--data`."""
        if self.required:
            return f"{self.name}:{','.join(f'{option}=DIR' for option in self.required)}"
        return f"{self.name}=DIR" if self.needs_folder else self.name


_CATALOG: Mapping[str, Dataset] = MappingProxyType(
    {
        one.name: one
        for one in (
            Dataset(
                name="synthetic",
                title="Synthetic faces whose expressions are made of action-unit motions",
                loader="microexpr.data.synthetic.make_clips",
                needs_folder=False,
                needs="nothing: computed on the spot, the same for the same seed",
                formats=(),
                access="free: it comes with this package",
                licence="BSD-3-Clause, as this package",
                options={
                    **{"n_subjects": "whole", "clips_per_subject": "whole", "classes": "names", "seed": "whole"},
                    **{"margin": "whole", "fps": "number", "sway": "number", "flicker": "number", "noise": "number"},
                },
            ),
            Dataset(
                name="casme2",
                title="CASME II: 255 spontaneous micro-expressions of 26 subjects at 200 frames per second",
                loader="microexpr.data.casme2.load_casme2",
                needs_folder=True,
                needs="a coding table (2014 or 2019) and the frames, cropped or raw",
                formats=(
                    "CASME2-coding-20140508.xlsx",
                    "CASME2-coding-20190701.xlsx",
                    "Cropped/sub01/EP02_01f/reg_img46.jpg",
                    "CASME2_RAW_selected/sub01/EP02_01f/img46.jpg",
                ),
                access=(
                    "Institute of Psychology, Chinese Academy of Sciences: fill in the form on the data set's page, "
                    "http://casme.psych.ac.cn/casme/e2, and send the signed licence agreement"
                ),
                licence="for research, not to be passed on; the agreement you sign says the rest",
                options={"annotation": "text", "frames": "text"},
            ),
            *(Dataset(**record) for record in RECORDS),
            *(Dataset(**record) for record in _LONG_VIDEO_RECORDS),
            Dataset(
                name="flowmaps",
                title="Stored 28x28 onset-apex flow maps (u, v, strain) of CASME II, SAMM and SMIC-HS",
                loader="microexpr.data.flowmaps.load_flowmaps",
                needs_folder=True,
                needs="the maps as PNG files and, unless folders tell the class, a truth file",
                formats=(
                    "truth.csv with maps/sub01_EP02_01f .png",
                    "combined_3_class2_for_optical_flow.csv with STSNet_whole_norm_u_v_os/sub01_EP02_01f .png",
                    "three_norm_u_v_os/sub01/u_test/1/sub01_EP02_01f .png",
                ),
                access=(
                    "they are computed from CASME II (Chinese Academy of Sciences), SAMM (Manchester Metropolitan "
                    "University) and SMIC (University of Oulu): apply for those; users of STSTNet and HTNet hold them"
                ),
                licence="derived from data under licence: the terms of the three data sets apply",
                options={"truth": "text"},
            ),
            Dataset(
                name="synthetic-long",
                title="Synthetic long videos: micro- and macro-expressions among blinks, speech and motion of the head",
                loader="microexpr.data.longvideos.make_video_clips",
                videos="microexpr.data.longvideos.make_videos",
                needs_folder=False,
                needs="nothing: computed on the spot, the same for the same seed",
                formats=(),
                access="free: it comes with this package",
                licence="BSD-3-Clause, as this package",
                options={
                    **{"n_subjects": "whole", "videos_per_subject": "whole", "seed": "whole", "seconds": "number"},
                    **{"fps": "number", "micro": "whole", "macro": "whole", "emotions": "names", "kinds": "names"},
                    **dict.fromkeys(("blinks", "speech", "head_motion", "light_changes"), "yes or no"),
                },
            ),
            Dataset(
                name="synthetic-macro",
                title="Synthetic macro-expressions, stronger and slower, of other faces: for --auxiliary",
                loader="microexpr.data.synthetic.make_macro_clips",
                needs_folder=False,
                needs="nothing: computed on the spot, the same for the same seed",
                formats=(),
                access="free: it comes with this package",
                licence="BSD-3-Clause, as this package",
                options={"n_subjects": "whole", "clips_per_subject": "whole", "classes": "names", "seed": "whole"},
            ),
        )
    }
)


def datasets() -> tuple[Dataset, ...]:
    """Return what is known of every data set that can be loaded.

    Examples
    --------
    >>> [dataset.usage for dataset in datasets()][:2]
    ['synthetic', 'casme2=DIR']
    """
    return tuple(_CATALOG.values())


def load_data(
    specs: str | Sequence[str],
    *,
    labels: str | None = None,
    corrections: str | Path | None = None,
    allow_incomplete: bool = False,
) -> ClipSet:
    """Load one or several data sets and label them.

    Parameters
    ----------
    specs : str or sequence of str
        Each `NAME`, `NAME=FOLDER`, or with options between the two: `synthetic:n_subjects=4,seed=1`,
        `synthetic:classes=happiness+surprise`, `casme2:annotation=2019,frames=raw=FOLDER`. A value holds no '=' and
        no ','; several names in one value are joined by '+'. A composite names the folders of its parts as options:
        `megc2019:casme2=DIR,samm=DIR,smic=DIR`. `datasets` lists names and options.
    labels : str, optional
        The label map; by default the data sets' own, megc2019.
    corrections : str or path, optional
        Repairs of the annotations to make first, by name: see `microexpr.data.corrections`.
    allow_incomplete : bool
        Whether to go on without clips whose frames or annotation are missing or contradict each other.

    Returns
    -------
    ClipSet
        The data sets one after the other. `dropped` lists the clips to which the label map gives no class, `findings`
        what is amiss with the folders.

    Raises
    ------
    ParameterError
        If a spec cannot be read, or a data set, option or label map does not exist or cannot go together.
    DataError
        If a folder is missing or cannot be loaded, a clip occurs twice, or the label map leaves nothing of a data set.

    Examples
    --------
    >>> clips = load_data(["casme2=CASME2", "flowmaps=samm_maps"])  # doctest: +SKIP
    """
    listed = [specs] if isinstance(specs, str) else list(specs)
    if not listed:
        raise ParameterError(f"no data given; there are {_usages()}")
    chosen = [parse_spec(spec) for spec in listed]
    maps = [label_map(labels or dataset.labels) for dataset, _ in chosen]
    takers = [dataset.name for dataset, _ in chosen if "corrections" in dataset.options]
    if corrections is not None and not takers:
        raise ParameterError(f"corrections is {str(corrections)!r}: none of the data sets takes corrections")
    sets = []
    for spec, (dataset, arguments), its_map in zip(listed, chosen, maps, strict=True):
        module, _, function = dataset.loader.rpartition(".")
        if dataset.needs_folder or dataset.required:
            arguments = {**arguments, "allow_incomplete": allow_incomplete}
        if corrections is not None and dataset.name in takers:
            arguments = {"corrections": corrections, **arguments}
        loaded = getattr(import_module(module), function)(**arguments)
        labelled = loaded.relabel(its_map)
        if not len(labelled):
            reason = join_names(labelled.dropped["reason"].unique(), 2)
            raise DataError(f"data {spec!r}: label map {its_map.name!r} leaves none of {len(loaded)} clips ({reason})")
        sets.append(labelled)
    return sets[0].concat(*sets[1:])


def load_videos(spec: str, *, allow_incomplete: bool = False) -> "VideoSet":
    """Load the long videos of a data set, with the true intervals of their expressions.

    Parameters
    ----------
    spec : str
        As for `load_data`.
    allow_incomplete : bool
        Whether to go on without what has a finding.

    Raises
    ------
    ParameterError
        If the spec cannot be read, or the data set has no long videos.
    DataError
        If the folder is missing or cannot be loaded.

    Examples
    --------
    >>> videos = load_videos("casmesq=CAS(ME)^2")  # doctest: +SKIP
    """
    dataset, arguments = parse_spec(spec)
    if not dataset.videos:
        there = ", ".join(one.usage for one in _CATALOG.values() if one.videos)
        raise ParameterError(f"data {spec!r}: {dataset.name} has no long videos; there are {there}")
    module, _, function = dataset.videos.rpartition(".")
    load = getattr(import_module(module), function)
    known = inspect.signature(load).parameters
    if foreign := [name for name in arguments if name not in known]:
        raise ParameterError(f"data {spec!r}: long videos are loaded without {join_names(foreign)}")
    if dataset.needs_folder:
        arguments = {**arguments, "allow_incomplete": allow_incomplete}
    videos: VideoSet = load(**arguments)
    return videos


def _usages() -> str:
    return ", ".join(dataset.usage for dataset in _CATALOG.values())


def parse_spec(spec: str) -> tuple[Dataset, dict[str, object]]:
    """Return the data set a spec names and its loader's arguments.

    Raises
    ------
    ParameterError
        If the spec cannot be read, or names a data set or option that does not exist.

    Examples
    --------
    >>> dataset, arguments = parse_spec("synthetic:n_subjects=4")
    >>> dataset.name, arguments
    ('synthetic', {'n_subjects': 4})
    """
    match = _NAME.match(spec)
    name = match[0] if match else ""
    if name not in _CATALOG:
        raise ParameterError(f"data {spec!r}: no data set is called {name or spec!r}; there are {_usages()}")
    dataset = _CATALOG[name]
    parts = _SPEC.fullmatch(spec)
    if parts is None:
        raise ParameterError(
            f"data {spec!r} cannot be read; write {dataset.usage}, or options as in {_example(dataset)}"
        )
    folder = parts["folder"]
    if dataset.needs_folder and folder is None:
        raise ParameterError(f"data {spec!r}: {name} is read from a folder; write {dataset.usage}")
    if folder is not None and not dataset.needs_folder:
        rule = f"write {dataset.usage}" if dataset.required else f"{name} is computed and takes no folder"
        raise ParameterError(f"data {spec!r}: {rule}")
    arguments: dict[str, object] = {} if folder is None else {"root": Path(folder).expanduser()}
    for option in parts["options"].split(",") if parts["options"] else []:
        key, _, value = option.partition("=")
        if key not in dataset.options:
            raise ParameterError(f"data {spec!r}: {name} has no option {key!r}; there are {', '.join(dataset.options)}")
        if key in arguments:
            raise ParameterError(f"data {spec!r}: option {key!r} is given twice")
        arguments[key] = _converted(spec, key, value, dataset.options[key])
    if missing := [option for option in dataset.required if option not in arguments]:
        raise ParameterError(f"data {spec!r}: {name} needs {join_names(missing)}; write {dataset.usage}")
    return dataset, arguments


def _example(dataset: Dataset) -> str:
    if dataset.required:
        optional = next(option for option in dataset.options if option not in dataset.required)
        return f"{dataset.usage},{optional}=VALUE"
    return dataset.usage.replace(dataset.name, f"{dataset.name}:{next(iter(dataset.options))}=VALUE", 1)


def _converted(spec: str, key: str, value: str, kind: str) -> object:
    try:
        if kind == "whole":
            return int(value)
        if kind == "number":
            return float(value)
    except ValueError:
        rule = "an integer" if kind == "whole" else "a number"
        raise ParameterError(f"data {spec!r}: {key} is {value!r}: it must be {rule}") from None
    if kind == "yes or no":
        if value not in ("yes", "no"):
            raise ParameterError(f"data {spec!r}: {key} is {value!r}: it must be yes or no")
        return value == "yes"
    if kind == "folder" and value:
        return Path(value).expanduser()
    names = tuple(value.split("+"))
    if not all(names):
        raise ParameterError(f"data {spec!r}: {key} is {value!r}: a value is needed, several names are joined by '+'")
    return names if kind == "names" else value
