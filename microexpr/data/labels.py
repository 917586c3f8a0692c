"""The named label maps: which class each data set's emotions become under each protocol."""

__all__ = ["LABEL_MAPS", "label_map"]

from collections.abc import Mapping
from types import MappingProxyType

from microexpr.core.errors import ParameterError
from microexpr.core.labels import LabelMap

# Sets that come with these labels (flow maps, the official lists) spell them as emotions: every rule lets them pass.
_READY = {"negative": "negative", "positive": "positive", "surprise": "surprise"}
_CASME2_NEGATIVE = ("disgust", "repression")
_SAMM_NEGATIVE = ("anger", "contempt", "disgust", "fear", "sadness")


def _three(negative: tuple[str, ...]) -> dict[str, str]:
    """Return the composite's three-class rule with the given negative emotions."""
    return {**dict.fromkeys(negative, "negative"), "happiness": "positive", **_READY}


def _itself(classes: tuple[str, ...]) -> dict[str, str]:
    """Return the rule that keeps these emotions as they are."""
    return {emotion: emotion for emotion in classes}


_CASME2_5 = ("others", "disgust", "happiness", "repression", "surprise")
_CASME2_7 = (*_CASME2_5, "sadness", "fear")
_NUMERALS = ("I", "II", "III", "IV", "V")
# CASME II numbers its objective classes 1 to 7, SAMM writes Roman numerals. VI and VII belong to no protocol here.
_OBJECTIVE = {spelt: numeral for n, numeral in enumerate(_NUMERALS, 1) for spelt in (str(n), numeral.lower())}

#: The label maps by name.
#:
#: - `megc2019`: the composite's negative / positive / surprise. Clips kept: CASME II 88/32/25 of its 2014 table,
#:   SAMM 92/26/15, SMIC-HS 70/51/43, together 250/109/83 = 442 of 68 subjects.
#: - `casme2-5`: others 99, disgust 63, happiness 32, repression 27, surprise 25 = 246 clips of CASME II.
#: - `casme2-7`: the same and sadness 7, fear 2 = 255 clips.
#: - `objective-5`: the objective classes I to V (from action units, not from the estimated emotion): CASME II 185
#:   clips, SAMM 68; reads the column `objective`.
LABEL_MAPS: Mapping[str, LabelMap] = MappingProxyType(
    {
        one.name: one
        for one in (
            LabelMap(
                "megc2019",
                ("negative", "positive", "surprise"),
                {
                    "casme2": _three(_CASME2_NEGATIVE),
                    "samm": _three(_SAMM_NEGATIVE),
                    "smic": dict(_READY),
                    "synthetic": _three(tuple(sorted({*_CASME2_NEGATIVE, *_SAMM_NEGATIVE}))),
                },
                excluded={
                    "casme2/sub04/EP12_01f": "left out by the megc2019 protocol: its apex is not annotated",
                    "casme2/sub05/EP09_05f": "left out by the megc2019 protocol: its apex is its onset",
                },
            ),
            LabelMap("casme2-5", _CASME2_5, {"casme2": _itself(_CASME2_5), "synthetic": _itself(_CASME2_5)}),
            LabelMap("casme2-7", _CASME2_7, {"casme2": _itself(_CASME2_7), "synthetic": _itself(_CASME2_7)}),
            LabelMap("objective-5", _NUMERALS, {"casme2": _OBJECTIVE, "samm": _OBJECTIVE}, column="objective"),
        )
    }
)


def label_map(name: str) -> LabelMap:
    """Return the label map called `name`.

    Parameters
    ----------
    name : str
        A key of `LABEL_MAPS`.

    Raises
    ------
    ParameterError
        If there is no such map; the message lists those there are.

    Examples
    --------
    >>> label_map("megc2019").classes
    ('negative', 'positive', 'surprise')
    """
    if name not in LABEL_MAPS:
        raise ParameterError(f"label map {name!r} does not exist; there are {', '.join(LABEL_MAPS)}")
    return LABEL_MAPS[name]
