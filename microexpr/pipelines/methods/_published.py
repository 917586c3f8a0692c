"""What papers report of the methods, each figure with its protocol and where it was read.

Surveys put figures of different protocols into one table; that is why each stands here with its own, "not stated" where
the source does not say. None of the papers of handcrafted methods states the C of its SVM, and few the kernel.
"""

__all__ = [
    "BIWOOF",
    "DISTLBPRIP",
    "DUBEY",
    "GENTLESVM",
    "HATA",
    "HOG3D",
    "HOULTON",
    "KATO",
    "LBPTOP",
    "MDMO",
    "NMER",
    "OFFAPEXNET",
    "STLBPIP",
    "STRAIN",
    "STSTNET",
    "TWOSTREAM",
]

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

STSTNET = (
    Published(
        "UF1 .7353, UAR .7605 (that UAR is a macro precision: the recall of its own log is .7186)",
        _COMPOSITE,
        f"{_LOSO}, pooled",
        "MEGC2019's table, and the log that comes with its program",
    ),
)

OFFAPEXNET = (Published("UF1 .7196, UAR .7096", _COMPOSITE, f"{_LOSO}, pooled", "MEGC2019's table"),)

NMER = (
    Published(
        "part + EMR: UF1 .7663, UAR .7531 (SMIC .7001/.6859, CASME II .8615/.8398, SAMM .7180/.6994)",
        _COMPOSITE,
        f"{_LOSO}, pooled; its program keeps the epoch that is best on the left-out subject",
        "Table I of the paper",
    ),
    Published(
        "part + EMR + adversarial: UF1 .7885, UAR .7824 (SMIC .7461/.7530, CASME II .8293/.8209, SAMM .7754/.7152)",
        _COMPOSITE,
        f"{_LOSO}, pooled; its program keeps the epoch that is best on the left-out subject",
        "Table I of the paper",
    ),
)

HOULTON = (
    Published(
        "training accuracy about 95 %, test accuracy swings",
        "CASME II, 254 clips, 7 emotions",
        "one shuffled split, 70 % for training",
        "the paper",
    ),
    Published(
        "accuracy 45 % at best; always answering 'others' gives 39.0 %",
        "CASME II, 254 clips, 7 emotions",
        "5-fold, clips shuffled",
        "the paper",
    ),
)

DUBEY = (
    Published(
        "ReLU: accuracy 62.5, 54.1, 42.1, 48.1 %; on its 80/20 split always answering 'negative' gives 65.6 %",
        "SMIC-HS, 158 clips, 3 classes",
        "random splits 80/20, 70/30, 60/40, 50/50 of clips",
        "Table 2 of the paper",
    ),
    Published(
        "Swish: accuracy 62, 56.2, 47.7, 53.1 %",
        "SMIC-HS, 158 clips, 3 classes",
        "random splits 80/20, 70/30, 60/40, 50/50 of clips",
        "Table 2 of the paper",
    ),
)

HATA = (
    Published(
        "accuracy 66.17 % at best (15 regions, three frames, attention); 60.37 to 65.40 % for the other designs",
        "SAMM",
        "5-fold, classes spread evenly, subjects not kept apart",
        "Tables 5 and 6 of the paper",
    ),
)

TWOSTREAM = (Published("accuracy 67.7 %", "CASME, 5 classes", "not stated", "the article"),)
