"""What papers report of the handcrafted methods, each figure with its protocol and where it was read.

Surveys put figures of different protocols into one table; that is why each stands here with its own, "not stated" where
the source does not say. None of these papers states the C of its SVM, and few the kernel.
"""

__all__ = ["BIWOOF", "DISTLBPRIP", "GENTLESVM", "HOG3D", "KATO", "LBPTOP", "MDMO", "STLBPIP", "STRAIN"]

from microexpr.pipelines.registry import Published

_REVIEW = "Merghani, Davison, Yap, review, 2018 (arXiv 1805.02397)"
_COMPOSITE = "MEGC2019 composite, 442 clips, 68 subjects, 3 classes"
_LOSO = "leave one subject out"

LBPTOP = (
    Published(
        "UF1 .5882, UAR .5785 (CASME II .7026/.7429, SAMM .3954/.4102, SMIC .2000/.5280)",
        _COMPOSITE,
        f"{_LOSO}, pooled",
        "Table I of Liu, Du, Zheng, Gedeon, FG 2019",
    ),
    Published(
        "accuracy 63.41 %",
        "CASME II, 247 clips, 5 classes",
        f"{_LOSO} by its abstract; later tables mark it leave-one-sample-out",
        "abstract of Yan et al., PLoS ONE 9(1), 2014",
    ),
    Published("accuracy 48.78 %", "SMIC-HS, 164 clips, 3 classes", _LOSO, "ELBPTOP's tables, quoting Li et al. 2013"),
)

HOG3D = (
    Published(
        "recognition of 13 micro-expressions; no accuracy stated where read",
        "its own posed clips, 200 frames a second",
        "not stated where read",
        "abstract of Polikovsky, Kameda, Ohta, ICDP 2009",
    ),
    Published(
        "accuracy 86.35 % (3D-HOG by others)",
        "CASME II, 5 classes of action units",
        "not stated where read",
        "abstract of Davison, Merghani, Yap, Objective classes for micro-facial expression recognition, 2017",
    ),
)

KATO = (
    Published(
        "choosing features helped both descriptors, adding their scores did not; no figures at hand",
        "not stated where read",
        "not stated where read",
        "Hata, Hirose, Takano, Performance evaluation of micro-expression recognition",
    ),
)

MDMO = (
    Published("accuracy 68.86 %", "CASME", "not stated where read (the paper has n-fold and LOSO)", _REVIEW),
    Published("accuracy 67.37 %", "CASME II", "not stated where read (the paper has n-fold and LOSO)", _REVIEW),
    Published("accuracy 80 %", "SMIC", "not stated where read (the paper has n-fold and LOSO)", _REVIEW),
)

BIWOOF = (
    Published("UF1 .6296, UAR .6227", _COMPOSITE, f"{_LOSO}, pooled", "MEGC2019's table of baselines"),
    Published("F1 .61", "CASME II", _LOSO, "abstract of the paper (arXiv 1606.01721)"),
    Published("F1 .62", "SMIC-HS", _LOSO, "abstract of the paper (arXiv 1606.01721)"),
)

STLBPIP = (
    Published("accuracy 59.51 %", "CASME II", _LOSO, _REVIEW),
    Published("accuracy 57.93 %", "SMIC", _LOSO, _REVIEW),
)

DISTLBPRIP = (
    Published("accuracy 64.33 %", "CASME", _LOSO, _REVIEW),
    Published("accuracy 64.78 %", "CASME II", _LOSO, _REVIEW),
    Published("accuracy 63.41 %", "SMIC", _LOSO, _REVIEW),
)

STRAIN = (
    Published(
        "accuracy 52.44 % (strain features joined with strain-weighted LBP-TOP)",
        "SMIC",
        _LOSO,
        f"{_REVIEW}, of Liong et al. 2016",
    ),
    Published(
        "accuracy 63.16 % (strain features joined with strain-weighted LBP-TOP)",
        "CASME II",
        "leave one video out",
        f"{_REVIEW}, of Liong et al. 2016",
    ),
    Published(
        "spotting: 74 % of micro-expressions, 85 % of macro-expressions found",
        "124 micro- and 181 macro-expressions in 65 videos",
        "spotting, no recognition",
        "abstract of Shreve et al., FG 2011",
    ),
)

GENTLESVM = (
    Published(
        "recognition 85.42 %, spotting 95.83 %",
        "not stated in the abstract; Cohn-Kanade by Merghani, Davison, Yap's review",
        "not stated in the abstract",
        "abstract of Wu, Shen, Fu, ACII 2011",
    ),
)
