import numpy as np
import pytest

from microexpr.core.clip import Clip
from microexpr.core.errors import DataError
from microexpr.core.sources import FrameSource
from microexpr.features import CBPTOP, HOG3D, LBPSIP, LBPTOP, STLBPIP, Gabor, cbptop, gabor, hog3d, lbpsip, lbptop
from microexpr.features import stlbpip as stlbpip_function

# Every descriptor of frames: its function, its transformer and what both are called with.
DESCRIPTORS = {
    "lbptop": (lbptop, LBPTOP, {}, {}),
    "cbptop": (cbptop, CBPTOP, {}, {}),
    "lbpsip": (lbpsip, LBPSIP, {}, {}),
    "stlbpip": (stlbpip_function, STLBPIP, {}, {}),
    "stlbpip sparse": (stlbpip_function, STLBPIP, {"discriminative": True}, {}),
    "hog3d planes": (hog3d, HOG3D, {}, {"regions": "grid"}),
    "hog3d polyhedra": (hog3d, HOG3D, {"binning": "icosahedron"}, {}),
    "gabor": (gabor, Gabor, {"size": 16, "n_scales": 3}, {}),
}
every_descriptor = pytest.mark.parametrize("name", DESCRIPTORS)


class Computed(FrameSource):
    """Frames that nobody has looked at before they are described."""

    def __init__(self, frames):
        self.frames = frames

    def read(self):
        return self.frames

    def fingerprint(self):
        return "computed"

    def count(self):
        return len(self.frames)

    def describe(self):
        return "computed frames"


def whole_clip(dtype=np.float64):
    return np.random.default_rng(0).integers(0, 256, (9, 16, 14)).astype(dtype)


def with_one_value(value):
    # In the apex frame, which is all that Gabor looks at.
    clip = whole_clip()
    clip[4, 7, 5] = value
    return clip


@every_descriptor
@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (with_one_value(-50.0), "frames hold values from -50 to 25[0-9]; grey levels are within 0..255"),
        (with_one_value(300.0), "frames hold values from [0-9] to 300; grey levels are within 0..255"),
        (with_one_value(-1.001), "grey levels are within 0..255"),
        (with_one_value(256.001), "grey levels are within 0..255"),
        (with_one_value(np.nan), "frames hold NaN or infinity"),
        (16 * whole_clip(np.int32), "grey levels are within 0..255"),
    ],
    ids=["-50", "300", "-1.001", "256.001", "NaN", "int32"],
)
def test_what_are_no_grey_levels_is_refused_in_one_line_that_names_the_clip(name, frames, message):
    function, transformer, params, own = DESCRIPTORS[name]
    with pytest.raises(DataError, match=f"^frames: .*{message}$") as refusal:
        function(frames, **params)
    assert "\n" not in str(refusal.value)
    clip = Clip("toy/sub01/a", Computed(frames), onset=0, apex=4)
    with pytest.raises(DataError, match=f"^toy/sub01/a: .*{message}$") as refusal:
        transformer(**params, **own).transform([clip])
    assert "\n" not in str(refusal.value)


@every_descriptor
def test_an_overshoot_of_interpolation_is_taken(name):
    function, transformer, params, own = DESCRIPTORS[name]
    frames = with_one_value(255.9)
    frames[4, 0, 0] = -0.9
    assert np.isfinite(function(frames, **params)).all()
    clip = Clip("toy/sub01/a", Computed(frames), onset=0, apex=4)
    assert np.isfinite(transformer(**params, **own).transform([clip])).all()
