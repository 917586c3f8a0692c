"""What the catalogue knows of SAMM, SMIC, CK+, MMEW and the composite of MEGC 2019."""

__all__ = ["RECORDS"]

from typing import Any

_RESEARCH = "for research, not to be passed on; the agreement you sign says the rest"

#: The arguments of `microexpr.data.catalog.Dataset`.
RECORDS: tuple[dict[str, Any], ...] = (
    {
        "name": "samm",
        "title": "SAMM: 159 spontaneous micro-movements of 29 subjects at 200 frames per second",
        "loader": "microexpr.data.samm.load_samm",
        "needs_folder": True,
        "needs": "the table of FACS codes and the frames",
        "formats": ("SAMM_Micro_FACS_Codes_v2.xlsx", "006/006_1_2/006_05562.jpg"),
        "access": (
            "Manchester Metropolitan University: the release agreement on the data set's page, "
            "http://www2.docm.mmu.ac.uk/STAFF/M.Yap/dataset.php"
        ),
        "licence": _RESEARCH,
        "options": {"annotation": "text", "corrections": "text"},
    },
    {
        "name": "smic",
        "title": "SMIC: 164 micro-expressions of 16 subjects at 100 frames per second (HS), 71 of 8 at 25 (VIS, NIR)",
        "loader": "microexpr.data.smic.load_smic",
        "needs_folder": True,
        "needs": "the frames; for the extended release, SMIC-E, its annotation table too",
        "formats": (
            "SMIC_all_cropped/HS/s1/micro/negative/s1_ne_01/*.bmp",
            "SMIC-HS-E_annotation.xlsx with SMIC-HS-E/HS/s01/s1_ne_01/*.bmp",
        ),
        "access": "University of Oulu, Center for Machine Vision and Signal Analysis: ask for its licence agreement",
        "licence": _RESEARCH,
        "options": {"modality": "text", "edition": "text", "frames": "text", "annotation": "text"},
    },
    {
        "name": "ckplus",
        "title": "CK+: 593 posed expressions of 123 subjects from neutral to peak, 327 with an emotion",
        "loader": "microexpr.data.ckplus.load_ckplus",
        "needs_folder": True,
        "needs": "the images and the emotion files",
        "formats": (
            "cohn-kanade-images/S005/001/S005_001_00000001.png",
            "Emotion/S005/001/S005_001_00000011_emotion.txt",
        ),
        "access": "University of Pittsburgh, Affect Analysis Group: http://www.jeffcohn.net/Resources/",
        "licence": _RESEARCH,
    },
    {
        "name": "mmew",
        "title": "MMEW: 300 spontaneous micro-expressions of 30 subjects at 90 frames per second",
        "loader": "microexpr.data.mmew.load_mmew",
        "needs_folder": True,
        "needs": "the table of micro-expressions and their frames",
        "formats": ("MMEW_Micro_Exp.xlsx", "Micro_Expression/happiness/S01-01-001/1.jpg"),
        "access": "Shandong University: http://www.dpailab.com/database.html, with the signed licence agreement",
        "licence": _RESEARCH,
        "options": {"annotation": "text", "corrections": "text"},
    },
    {
        "name": "megc2019",
        "title": "The composite of MEGC 2019: 442 clips of 68 subjects of CASME II, SAMM and SMIC-HS",
        "loader": "microexpr.data.megc2019.load_megc2019",
        "needs_folder": False,
        "needs": "the folders of CASME II (its table of 2014), SAMM and SMIC; their counts are checked",
        "formats": (),
        "access": "apply for its three data sets",
        "licence": "the terms of the three data sets apply",
        "options": {
            **{"casme2": "folder", "samm": "folder", "smic": "folder"},
            **{"table": "text", "corrections": "text", "strict": "yes or no"},
        },
        "required": ("casme2", "samm", "smic"),
    },
)
