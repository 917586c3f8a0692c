"""What the catalogue knows of CASME, CAS(ME)^2, CAS(ME)^3, 4DME and the SAMM long videos."""

__all__ = ["RECORDS"]

from typing import Any

_RESEARCH = "for research, not to be passed on; the agreement you sign says the rest"
_CASME = "Institute of Psychology, Chinese Academy of Sciences: the licence agreement on the data set's page, "

#: The arguments of `microexpr.data.catalog.Dataset`.
RECORDS: tuple[dict[str, Any], ...] = (
    {
        "name": "casme",
        "title": "CASME: 189 spontaneous micro-expressions of 19 subjects at 60 frames per second",
        "loader": "microexpr.data.casme.load_casme",
        "needs_folder": True,
        "needs": "the coding table and the frames, cropped or raw",
        "formats": ("CASME-coding.xlsx", "Cropped/sub01/EP01_5/reg_img46.jpg", "Section A/sub01/EP01_5/img46.jpg"),
        "access": f"{_CASME}http://casme.psych.ac.cn/casme/e1",
        "licence": _RESEARCH,
        "options": {"annotation": "text", "frames": "text", "corrections": "text"},
    },
    {
        "name": "casmesq",
        "title": "CAS(ME)^2: long videos of 22 subjects at 30 frames per second, 57 micro- and 300 macro-expressions",
        "loader": "microexpr.data.casmesq.load_casmesq",
        "videos": "microexpr.data.casmesq.load_casmesq_videos",
        "needs_folder": True,
        "needs": "the coding table with its sheets of codes, and the frames of the long videos",
        "formats": ("CAS(ME)^2code_final.xlsx", "rawpic/s15/15_0101disgustingteeth/img1.jpg"),
        "access": f"{_CASME}http://casme.psych.ac.cn/casme/e3",
        "licence": _RESEARCH,
        "options": {"kinds": "names", "annotation": "text", "corrections": "text"},
    },
    {
        "name": "casme3",
        "title": "CAS(ME)^3: 860 micro-expressions of part A (films), those of part C (mock crime), at 30 per second",
        "loader": "microexpr.data.casme3.load_casme3",
        "videos": "microexpr.data.casme3.load_casme3_videos",
        "needs_folder": True,
        "needs": "the table of a part, and its clips or long videos",
        "formats": (
            "annotation/cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx",
            "Part_A_ME_clip/frame/spNO.1_a_126/126.jpg",
            "part_A/spNO.1/a/color/126.jpg",
            "annotation/CAS(ME)3_part_C_ME.xlsx",
            "part_C/01/a/color/126.jpg",
        ),
        "access": f"{_CASME}http://casme.psych.ac.cn/casme/e4",
        "licence": _RESEARCH,
        "options": {"part": "text", "frames": "text", "annotation": "text", "corrections": "text"},
    },
    {
        "name": "4dme",
        "title": "4DME: spontaneous micro-expressions recorded by several cameras, the grey one at 60 per second",
        "loader": "microexpr.data.fourdme.load_4dme",
        "needs_folder": True,
        "needs": "the table, and a folder of images for each clip it names",
        "formats": ("4DME_annotation.xlsx", "gray_micro/1_0_12/1.jpg"),
        "access": "University of Oulu, Center for Machine Vision and Signal Analysis: ask for its licence agreement",
        "licence": _RESEARCH,
        "options": {"frames": "text", "annotation": "text", "corrections": "text"},
    },
    {
        "name": "samm-lv",
        "title": "SAMM long videos: 147 videos at 200 frames per second with 159 micro- and 343 macro-expressions",
        "loader": "microexpr.data.samm_lv.load_samm_lv",
        "videos": "microexpr.data.samm_lv.load_samm_lv_videos",
        "needs_folder": True,
        "needs": "the table and the frames of the long videos",
        "formats": ("SAMM_LongVideos_V2_Release.xlsx", "SAMM_longvideos/006_1/006_1_0001.jpg"),
        "access": (
            "Manchester Metropolitan University: the release agreement on the data set's page, "
            "http://www2.docm.mmu.ac.uk/STAFF/M.Yap/dataset.php"
        ),
        "licence": _RESEARCH,
        "labels": "micro-macro",
        "options": {"kinds": "names", "annotation": "text", "corrections": "text"},
    },
)
