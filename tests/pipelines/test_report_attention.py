"""Pictures of attention, against pixels computed by hand."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from toyset.clips import CLASSES, Brightness, toy_clips

from microexpr.core.clip import Clip
from microexpr.core.sources import ArraySource, FlowMapSource, ImageFilesSource
from microexpr.pipelines import registry
from microexpr.pipelines.comparison import Comparison
from microexpr.pipelines.registry import all_methods, method
from microexpr.pipelines.report.attention import attention_pictures, blend
from microexpr.video import Pad

CLIPS = toy_clips(n_subjects=1, per_class=3)
IDS = [clip.clip_id for clip in CLIPS.clips]
NOTHING = np.zeros((2, 2))
# A warm spot in one corner, so that the map's place is seen.
SPOT = np.array([[1.0, 0.0], [0.0, 0.0]])


@pytest.fixture(autouse=True)
def _toy_methods(monkeypatch):
    all_methods()
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))

    @method("plain", reference="no paper")
    def plain(*, random_state=None):
        """Read the brightness."""
        return make_pipeline(Brightness(), SVC())

    @method("padded", reference="no paper")
    def padded(*, random_state=None):
        """Read the brightness of padded frames."""
        return make_pipeline(Pad(size=(18, 20)), Brightness(), SVC())


def compared(predicted, clips=None, *, name="plain", params=None):
    """A comparison of one method with such predictions of CLIPS, in their order."""
    table = pd.DataFrame({"clip_id": IDS, "y_true": CLIPS.y, "y_pred": predicted})
    return Comparison(
        {name: table},
        {},
        CLASSES,
        CLIPS.table,
        CLIPS.dropped,
        CLIPS.findings,
        "toy",
        "loso",
        0,
        False,
        {} if params is None else {name: params},
        pictured=tuple(CLIPS.clips if clips is None else clips),
    )


def records(attention=NOTHING, ids=IDS):
    """The folds' records, a clip a fold."""
    return [{"clip_ids": [clip_id], "attention": [np.asarray(attention).tolist()]} for clip_id in ids]


def pixels(picture):
    """Read a data URI."""
    head, _, text = picture.partition(",")
    assert head == "data:image/png;base64"
    return np.array(Image.open(io.BytesIO(base64.b64decode(text))))


def grey(face):
    """A face in grey, three channels."""
    return np.repeat(face[..., np.newaxis], 3, axis=2)


# blend


def test_where_the_map_is_0_the_picture_stays_grey():
    face = np.random.default_rng(0).integers(0, 256, (180, 130), dtype=np.uint8)
    np.testing.assert_array_equal(blend(face, np.zeros((7, 5))), grey(face))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # 40 % of 101 and 60 % of yellow, (255, 255, 0).
        (1.0, (0.4 * 101 + 153, 0.4 * 101 + 153, 0.4 * 101)),
        # Half way the colour is orange, (255, 128, 0), and its share half of 60 %.
        (0.5, (0.7 * 101 + 0.3 * 255, 0.7 * 101 + 0.3 * 128, 0.7 * 101)),
        # Beyond 0..1 the map counts as its bound.
        (-0.5, (101, 101, 101)),
        (1.5, (0.4 * 101 + 153, 0.4 * 101 + 153, 0.4 * 101)),
    ],
)
def test_the_colours_share_is_six_tenths_of_the_map(value, expected):
    picture = blend(np.full((180, 90), 101, np.uint8), np.full((3, 3), value))
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, np.broadcast_to(np.rint(expected), (180, 90, 3)))


def test_the_map_is_stretched_over_the_whole_picture():
    picture = blend(np.full((90, 60), 101, np.uint8), [[0.0], [1.0]])
    assert picture.shape == (180, 120, 3)
    # Two rows of the map: their middles lie at 45 and 135 of 180 pixels, beyond which there is nothing to mix.
    np.testing.assert_array_equal(picture[:45], np.full((45, 120, 3), 101))
    np.testing.assert_array_equal(picture[135:], np.broadcast_to([193, 193, 40], (45, 120, 3)))
    blue = picture[45:135, 0, 2].astype(int)
    assert (np.diff(blue) <= 0).all()


@pytest.mark.parametrize(("shape", "width"), [((12, 10), 150), ((400, 300), 135), ((1000, 1), 1)])
def test_pictures_are_180_pixels_high_and_keep_their_shape(shape, width):
    assert blend(np.zeros(shape, np.uint8), NOTHING).shape == (180, width, 3)


# Which clips are drawn


def test_of_each_class_the_first_clip_that_is_right_is_drawn_or_else_the_first():
    # Three clips a class: the third alone right; the second and third right; none right.
    predicted = ["surprise", "positive", "negative"] + ["negative", "positive", "positive"] + ["negative"] * 3
    drawn = attention_pictures(compared(predicted), "plain", records())
    assert [(one["clip_id"], one["truth"], one["predicted"]) for one in drawn] == [
        (IDS[2], "negative", "negative"),
        (IDS[4], "positive", "positive"),
        (IDS[6], "surprise", "negative"),
    ]


def test_clips_without_a_map_are_not_drawn():
    drawn = attention_pictures(compared(CLIPS.y), "plain", records(ids=[IDS[1], IDS[5]]))
    assert [one["clip_id"] for one in drawn] == [IDS[1], IDS[5]]


def test_a_method_without_attention_has_no_pictures():
    assert attention_pictures(compared(CLIPS.y), "plain", [{"clip_ids": IDS}]) == []
    assert attention_pictures(compared(CLIPS.y), "plain", []) == []


# What is drawn


def test_each_clip_is_drawn_with_its_own_map_over_its_apex():
    maps = {clip_id: SPOT * number / 9 for number, clip_id in enumerate(IDS)}
    folds = [{"clip_ids": IDS[:4], "attention": [maps[name].tolist() for name in IDS[:4]]}]
    folds += [{"clip_ids": IDS[4:], "attention": [maps[name].tolist() for name in IDS[4:]]}]
    drawn = attention_pictures(compared(CLIPS.y), "plain", folds)
    assert [one["clip_id"] for one in drawn] == [IDS[0], IDS[3], IDS[6]]
    for one in drawn:
        face = CLIPS.sources[one["clip_id"]].read()[2]  # the apex of toy clips
        np.testing.assert_array_equal(pixels(one["picture"]), blend(face, maps[one["clip_id"]]))


def test_without_an_apex_the_middle_frame_is_drawn():
    frames = np.stack([np.full((180, 60), 10 * number, np.uint8) for number in range(7)])
    clips = [Clip(IDS[0], ArraySource(frames))]
    [drawn] = attention_pictures(compared(CLIPS.y, clips), "plain", records(ids=IDS[:1]))
    np.testing.assert_array_equal(pixels(drawn["picture"]), np.full((180, 60, 3), 30))


def test_frames_in_colour_are_drawn_in_grey():
    frames = np.full((5, 180, 60, 3), (100, 50, 200), np.uint8)
    clips = [Clip(IDS[0], ArraySource(frames), apex=2)]
    [drawn] = attention_pictures(compared(CLIPS.y, clips), "plain", records(ids=IDS[:1]))
    # Luma: .299 * 100 + .587 * 50 + .114 * 200 = 82.05.
    np.testing.assert_array_equal(pixels(drawn["picture"]), np.full((180, 60, 3), 82))


@pytest.mark.parametrize(("params", "size"), [(None, (18, 20)), ({"pad__size": (36, 24)}, (36, 24))])
def test_clips_are_drawn_as_the_methods_clip_steps_leave_them(params, size):
    drawn = attention_pictures(compared(CLIPS.y, name="padded", params=params), "padded", records(SPOT))
    assert len(drawn) == 3
    for one in drawn:
        face = np.zeros(size, np.uint8)
        top, left = (size[0] - 12) // 2, (size[1] - 10) // 2
        face[top : top + 12, left : left + 10] = CLIPS.sources[one["clip_id"]].read()[2]
        np.testing.assert_array_equal(pixels(one["picture"]), blend(face, SPOT))


def test_a_stored_flow_map_is_drawn_as_the_size_of_its_motion(tmp_path):
    stored = np.full((180, 90, 3), 120, np.uint8)  # the median: no motion
    stored[:40, :20, :2] += np.array([30, 40], np.uint8)  # 50 long
    stored[90:120, 30:60, 1] += np.uint8(100)  # 100 long, the most
    stored[150:, :, 2] = 255  # strain is no motion
    Image.fromarray(stored).save(tmp_path / "map.png")
    clips = [Clip(IDS[0], FlowMapSource(tmp_path / "map.png"))]
    [drawn] = attention_pictures(compared(CLIPS.y, clips), "plain", records(ids=IDS[:1]))
    expected = np.zeros((180, 90), np.uint8)
    expected[:40, :20] = 127  # half of 255, cut
    expected[90:120, 30:60] = 255
    np.testing.assert_array_equal(pixels(drawn["picture"]), grey(expected))


def test_a_stored_map_without_motion_is_black(tmp_path):
    Image.fromarray(np.full((180, 90, 3), 77, np.uint8)).save(tmp_path / "map.png")
    clips = [Clip(IDS[0], FlowMapSource(tmp_path / "map.png"))]
    [drawn] = attention_pictures(compared(CLIPS.y, clips), "plain", records(ids=IDS[:1]))
    np.testing.assert_array_equal(pixels(drawn["picture"]), np.zeros((180, 90, 3)))


def test_clips_that_cannot_be_read_any_more_have_no_picture_and_the_others_have_theirs(tmp_path):
    gone = Clip(IDS[0], ImageFilesSource([tmp_path / "frame1.png", tmp_path / "frame2.png"]), apex=1)
    clips = [gone, *CLIPS.clips[4:]]  # and the first of the second class is not at hand at all
    drawn = attention_pictures(compared(CLIPS.y, clips), "plain", records())
    assert [one["clip_id"] for one in drawn] == [IDS[6]]
