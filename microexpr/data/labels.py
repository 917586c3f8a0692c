"""The named label maps: which class each data set's emotions become under each protocol."""

__all__ = ["LABEL_MAPS", "label_map"]

from collections.abc import Mapping
from dataclasses import replace
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


def _for_all_synthetic(one: LabelMap) -> LabelMap:
    """Return a label map under which all synthetic expressions have the classes of the synthetic clips."""
    if "synthetic" not in one.emotions:
        return one
    others = dict.fromkeys(("synthetic-macro", "synthetic-long"), one.emotions["synthetic"])
    return replace(one, emotions={**one.emotions, **others})


_CASME2_5 = ("others", "disgust", "happiness", "repression", "surprise")
_CASME2_7 = (*_CASME2_5, "sadness", "fear")
_SAMM_5 = ("anger", "contempt", "happiness", "surprise", "other")
_SEVEN = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
_MMEW_6 = ("happiness", "surprise", "anger", "disgust", "fear", "sadness")
_MMEW_7 = (*_MMEW_6, "others")
_CASME_4 = ("tense", "disgust", "repression", "surprise")
_CASME_5 = ("happiness", "surprise", "disgust", "repression", "other")
_CASME3_7 = ("anger", "disgust", "fear", "happiness", "others", "sadness", "surprise")
_CASME3 = {**_itself(_CASME3_7), "happy": "happiness", "sad": "sadness", "other": "others"}
_FOUR = ("negative", "positive", "surprise", "others")
_FOURDME_5 = ("negative", "positive", "surprise", "repression", "others")
_NUMERALS = ("I", "II", "III", "IV", "V")
# CASME II numbers its objective classes 1 to 7, SAMM writes Roman numerals. VI and VII belong to no protocol here.
_OBJECTIVE = {spelt: numeral for n, numeral in enumerate(_NUMERALS, 1) for spelt in (str(n), numeral.lower())}

#: The label maps by name.
#:
#: - `megc2019`: the composite's negative / positive / surprise. Clips kept: CASME II 88/32/25 of its 2014 table,
#:   SAMM 92/26/15, SMIC-HS 70/51/43, together 250/109/83 = 442 of 68 subjects. CK+, MMEW and the
#:   other CASME sets and 4DME, which are no part of it, get the same classes: as further training data, CK+ has
#:   175/69/83.
#: - `casme2-5`: others 99, disgust 63, happiness 32, repression 27, surprise 25 = 246 clips of CASME II.
#: - `casme2-7`: the same and sadness 7, fear 2 = 255 clips.
#: - `samm-5`: anger 57, contempt 12, happiness 26, surprise 15, other 26 = 136 clips of SAMM.
#: - `ckplus-7`: anger, contempt, disgust, fear, happiness, sadness, surprise: the 327 labelled sequences of CK+.
#: - `mmew-6`: happiness, surprise, anger, disgust, fear, sadness; `mmew-7`: the same and others, 300 clips of MMEW.
#: - `casme-4`: tense, disgust, repression, surprise, the classes of CASME that have clips enough; `casme-5`: happiness,
#:   surprise, disgust, repression, and as other tense, contempt, sadness, fear.
#: - `casmesq-4`: negative, positive, surprise, others, as CAS(ME)^2 spells them.
#: - `casme3-7`: anger, disgust, fear, happiness, others, sadness, surprise, however CAS(ME)^3 spells them; `casme3-4`:
#:   negative, positive, surprise, others.
#: - `4dme-5`: negative, positive, surprise, repression, others; clips of several emotions have no class.
#: - `micro-macro`: the kind of an expression cut out of a long video; reads the column `kind`.
#: - `objective-5`: the objective classes I to V (from action units, not from the estimated emotion): CASME II 185
#:   clips, SAMM 68; reads the column `objective`.
LABEL_MAPS: Mapping[str, LabelMap] = MappingProxyType(
    {
        one.name: _for_all_synthetic(one)
        for one in (
            LabelMap(
                "megc2019",
                ("negative", "positive", "surprise"),
                {
                    "casme2": _three(_CASME2_NEGATIVE),
                    "samm": _three(_SAMM_NEGATIVE),
                    "smic": dict(_READY),
                    "ckplus": {**_three(_SAMM_NEGATIVE), "happy": "positive"},
                    "mmew": _three(_SAMM_NEGATIVE),
                    "casme": _three((*_CASME2_NEGATIVE, "contempt", "fear", "sadness")),
                    "casmesq": dict(_READY),
                    "casme3": {**_three((*_SAMM_NEGATIVE, "sad")), "happy": "positive"},
                    "4dme": dict(_READY),
                    "synthetic": _three(tuple(sorted({*_CASME2_NEGATIVE, *_SAMM_NEGATIVE}))),
                },
                excluded={
                    "casme2/sub04/EP12_01f": "left out by the megc2019 protocol: its apex is not annotated",
                    "casme2/sub05/EP09_05f": "left out by the megc2019 protocol: its apex is its onset",
                },
            ),
            LabelMap("casme2-5", _CASME2_5, {"casme2": _itself(_CASME2_5), "synthetic": _itself(_CASME2_5)}),
            LabelMap("casme2-7", _CASME2_7, {"casme2": _itself(_CASME2_7), "synthetic": _itself(_CASME2_7)}),
            LabelMap(
                "samm-5", _SAMM_5, {"samm": _itself(_SAMM_5), "synthetic": {**_itself(_SAMM_5), "others": "other"}}
            ),
            LabelMap(
                "ckplus-7", _SEVEN, {"ckplus": {**_itself(_SEVEN), "happy": "happiness"}, "synthetic": _itself(_SEVEN)}
            ),
            LabelMap("mmew-6", _MMEW_6, {"mmew": _itself(_MMEW_6), "synthetic": _itself(_MMEW_6)}),
            LabelMap("mmew-7", _MMEW_7, {"mmew": _itself(_MMEW_7), "synthetic": _itself(_MMEW_7)}),
            LabelMap("casme-4", _CASME_4, {"casme": _itself(_CASME_4)}),
            LabelMap(
                "casme-5",
                _CASME_5,
                {"casme": {**_itself(_CASME_5), **dict.fromkeys(("tense", "contempt", "sadness", "fear"), "other")}},
            ),
            LabelMap("casmesq-4", _FOUR, {"casmesq": _itself(_FOUR)}),
            LabelMap("casme3-7", _CASME3_7, {"casme3": _CASME3}),
            LabelMap(
                "casme3-4",
                _FOUR,
                {
                    "casme3": {
                        **_three((*_SAMM_NEGATIVE, "sad")),
                        **{"happy": "positive", "others": "others", "other": "others"},
                    }
                },
            ),
            LabelMap("4dme-5", _FOURDME_5, {"4dme": _itself(_FOURDME_5)}),
            LabelMap(
                "micro-macro",
                ("micro", "macro"),
                dict.fromkeys(("casmesq", "casme3", "samm", "synthetic-long"), _itself(("micro", "macro"))),
                column="kind",
            ),
            LabelMap(
                "objective-5",
                _NUMERALS,
                {"casme2": _OBJECTIVE, "samm": _OBJECTIVE, "casme3": _OBJECTIVE},
                column="objective",
            ),
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
