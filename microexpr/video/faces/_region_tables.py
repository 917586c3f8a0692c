"""Which landmarks bound which region: the right half of the face; the left half mirrors it."""

__all__ = ["KATO15", "MDMO36", "MDMO36_ORDER", "POLIKOVSKY12"]

# A corner is a landmark, the middle between two, or a point above one ("^19") or above the middle of two ("^21+22").
Corner = int | tuple[int, int] | str

# The mesh's inner nodes: middles between the jaw and eye, nose or lower lip.
_CHEEK_UPPER = (2, 41)
_CHEEK = (3, 29)
_CHEEK_LOWER = (4, 33)
_JAW_MOUTH = (5, 59)
_JAW_LIP = (6, 58)
_CHIN = (8, 57)

MDMO36: dict[str, tuple[Corner, ...]] = {
    "forehead_outer": (17, "^17", "^19", 19),
    "forehead_inner": (19, "^19", "^21", 21),
    "forehead_middle": (21, "^21", "^21+22", 27),
    "temple": (1, 0, 17, 36),
    "eye_outer": (36, 17, 19, 38),
    "eye_inner": (38, 19, 21, 39),
    "nose_root": (39, 21, 27, 28),
    "cheek_outer": (3, 2, _CHEEK_UPPER, _CHEEK),
    "cheek_upper": (_CHEEK, _CHEEK_UPPER, 41, 39),
    "nose_side": (_CHEEK, 39, 28, 29),
    "nose_wing": (_CHEEK_LOWER, _CHEEK, 29, 33),
    "upper_lip": (_JAW_MOUTH, _CHEEK_LOWER, 33, 59),
    "lower_lip_outer": (_JAW_LIP, _JAW_MOUTH, 59, 58),
    "lower_lip_inner": (_CHIN, _JAW_LIP, 58, 57),
    "cheek_lower": (4, 3, _CHEEK, _CHEEK_LOWER),
    "jaw_upper": (5, 4, _CHEEK_LOWER, _JAW_MOUTH),
    "jaw_lower": (6, 5, _JAW_MOUTH, _JAW_LIP),
    "chin": (8, 6, _JAW_LIP, _CHIN),
}

# Rows of the mesh from the forehead down; most run across the face, from the person's right to the left.
MDMO36_ORDER: tuple[str, ...] = (
    *("right_forehead_outer", "right_forehead_inner", "right_forehead_middle"),
    *("left_forehead_middle", "left_forehead_inner", "left_forehead_outer"),
    *("right_temple", "right_eye_outer", "right_eye_inner", "right_nose_root"),
    *("left_nose_root", "left_eye_inner", "left_eye_outer", "left_temple"),
    *("right_cheek_outer", "right_cheek_upper", "right_nose_side"),
    *("left_nose_side", "left_cheek_upper", "left_cheek_outer"),
    *("right_nose_wing", "left_nose_wing"),
    *("right_upper_lip", "left_upper_lip"),
    *("right_lower_lip_outer", "right_lower_lip_inner", "left_lower_lip_inner", "left_lower_lip_outer"),
    *("right_cheek_lower", "left_cheek_lower"),
    *("right_jaw_upper", "left_jaw_upper"),
    *("right_jaw_lower", "right_chin", "left_chin", "left_jaw_lower"),
)

# A rectangle around landmarks, and its margins above, to the person's right, below and to the left, in distances
# between the eyes. An entry `right_` stands for its mirror image `left_` too, which follows it.
Rectangle = tuple[tuple[int, ...], tuple[float, float, float, float]]

KATO15: dict[str, Rectangle] = {
    "right_brow": ((17, 18, 19, 20, 21), (0.12, 0.05, 0.08, 0.0)),
    "brows_between": ((21, 22, 27), (0.12, 0.0, 0.0, 0.0)),
    "right_eye": ((36, 37, 38, 39, 40, 41), (0.10, 0.12, 0.12, 0.06)),
    "nose_root": ((39, 42, 28, 29), (0.05, -0.05, 0.0, -0.05)),
    "right_cheek": ((36, 40, 31), (-0.18, 0.15, 0.0, -0.05)),
    "right_nose_fold": ((31, 33, 48), (0.15, -0.02, -0.15, 0.0)),
    "right_mouth_corner": ((48, 49, 59), (0.10, 0.20, 0.10, 0.0)),
    "upper_lip": ((33, 49, 53, 62), (0.0, 0.0, 0.0, 0.0)),
    "lower_lip": ((59, 55, 57, 62), (0.0, 0.0, 0.08, 0.0)),
    "chin": ((6, 10, 57, 8), (-0.10, -0.05, 0.0, -0.05)),
}

POLIKOVSKY12: dict[str, Rectangle] = {
    "forehead": ((18, 19, 24, 25), (0.35, 0.0, -0.08, 0.0)),
    "right_brow": ((17, 18, 19, 20, 21), (0.08, 0.05, 0.08, 0.0)),
    "brows_between": ((21, 22, 27), (0.08, 0.0, 0.05, 0.0)),
    "right_eye": ((36, 37, 38, 39, 40, 41), (0.08, 0.10, 0.06, 0.05)),
    "right_below_eye": ((36, 39, 40, 29), (-0.10, 0.10, 0.12, -0.17)),
    "nose": ((31, 35, 28, 33), (0.0, 0.10, 0.05, 0.10)),
    "right_mouth_corner": ((48, 49, 59), (0.12, 0.20, 0.12, 0.05)),
    "chin": ((6, 10, 57, 8), (-0.05, 0.0, 0.0, 0.0)),
}
