import threading

import cv2
import numpy as np
import pytest

from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.frames import to_grey
from microexpr.core.sources import VideoSource, read_image
from microexpr.video.faces import FaceBox, detect_faces, find_face
from microexpr.video.faces.detect import turn_back


def on_a_wall(face, height=480, width=640, left=200):
    wall = np.full((height, width), 100, np.uint8)
    small = cv2.resize(face, (240, 280), interpolation=cv2.INTER_AREA)
    wall[100:380, left : left + 240] = small
    return wall


def test_the_box_holds_eyes_and_mouth_of_a_known_face(synthetic):
    for subject in range(4):
        source, frames = synthetic(subject)
        box = find_face(frames[0])
        inner = source.landmarks(0)[36:68]
        assert (inner > [box.x, box.y]).all()
        assert (inner < [box.x + box.width, box.y + box.height]).all()


def test_grey_and_colour_give_the_same_box_and_so_does_a_second_search(face):
    colour = np.repeat(face[..., None], 3, axis=2)
    assert detect_faces(face) == detect_faces(colour) == detect_faces(face)


@pytest.mark.parametrize("cut", [(1, 0), (0, 1), (3, 5)])
def test_odd_sizes_are_no_obstacle(face, cut):
    assert len(detect_faces(face[: -cut[0] or None, : -cut[1] or None])) == 1


def test_two_faces_are_refused_by_position_and_the_largest_can_be_chosen(face):
    frame = np.full((480, 700), 100, np.uint8)
    frame[60:410, :300] = cv2.resize(face, (300, 350), interpolation=cv2.INTER_AREA)
    frame[100:380, 400:640] = cv2.resize(face, (240, 280), interpolation=cv2.INTER_AREA)
    found = detect_faces(frame)
    assert len(found) == 2
    assert found[0].width > found[1].width
    with pytest.raises(DataError, match=r"^clip7: 2 faces \(\d+ pixels wide around x=1\d\d, y=.*x=5\d\d, y=.*largest"):
        find_face(frame, name="clip7")
    assert find_face(frame, face="largest") == found[0]


def test_no_face_says_so():
    noise = np.random.default_rng(0).integers(0, 256, (200, 300), dtype=np.uint8)
    with pytest.raises(DataError, match=r"^frame: no face is found \(faces under 25 pixels are not searched for\)$"):
        find_face(noise)


def test_upside_down_says_so(face):
    with pytest.raises(DataError, match="one upside down; turn the frames by 180 degrees"):
        find_face(on_a_wall(face)[::-1, ::-1])


@pytest.mark.parametrize(("roll", "way"), [(30, "clockwise"), (-30, "counter-clockwise")])
def test_a_turned_face_says_how_far_and_is_found_if_allowed(face, roll, way):
    turned, _ = turn_back(on_a_wall(face), -roll)
    with pytest.raises(DataError, match=f"one turned {way} by about (30|60) degrees"):
        find_face(turned)
    assert abs(find_face(turned, max_roll=45).roll - roll) <= 15


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda face: np.repeat(face[..., None], 4, axis=2), "has an alpha channel; drop it"),
        (lambda face: face.astype(np.uint16) * 257, "a frame of dtype uint16; faces are searched in 8-bit frames"),
        (lambda face: face / 255.0, "a frame of dtype float64"),
        (lambda face: face[:20, :20], "a frame of 20 x 20 pixels; a face needs at least 24 x 24"),
        (lambda face: face[None, :, :, None], "it must be"),
        (lambda face: face.tolist(), "a list is no frame"),
    ],
    ids=["rgba", "16-bit", "float", "tiny", "4-d", "list"],
)
def test_what_is_no_8_bit_frame_is_refused_by_name(face, spoil, message):
    with pytest.raises(DataError, match=f"^clip7: .*{message}"):
        find_face(spoil(face), name="clip7")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"backend": "yolo"}, "backend is 'yolo'"),
        ({"min_size": 10}, "min_size is 10"),
        ({"max_roll": 200}, "max_roll is 200"),
        ({"face": "left"}, "face is 'left'"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_by_name(face, params, message):
    with pytest.raises(ParameterError, match=message):
        find_face(face, **params)


def test_an_opencv_without_cascades_says_what_to_install(face, monkeypatch):
    from microexpr.video.faces import _cascades

    monkeypatch.setattr(_cascades, "_loaded", threading.local())
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(NeedsError, match="brings no Haar cascade 'frontalface_alt2'; install"):
        detect_faces(face)


def test_the_centre_of_a_box_counts_pixel_centres():
    assert FaceBox(10, 20, 5, 5).center == (12, 22)


@pytest.mark.real
@pytest.mark.parametrize(("name", "position"), [("single_face.mp4", 0), ("WolfgangLanger_Pexels.mp4", 240)])
def test_a_real_face_turned_or_upside_down_says_so(real_videos, name, position):
    frame = VideoSource(real_videos / name, start=position, stop=position + 1).read()[0]
    grey = to_grey(frame[None])[0]
    assert find_face(frame).width > 150
    with pytest.raises(DataError, match="one upside down"):
        find_face(frame[::-1, ::-1])
    for roll, way in ((30, "clockwise"), (-30, "counter-clockwise")):
        turned, _ = turn_back(grey, -roll)
        with pytest.raises(DataError, match=f"one turned {way} by about 30 degrees"):
            find_face(turned)
        assert find_face(turned, max_roll=30).roll == roll


@pytest.mark.real
def test_several_real_faces_are_named_and_none_is_chosen_silently(real_videos):
    frame = read_image(real_videos / "multi_face.jpg")
    # Five people; one wears mirrored sunglasses and is not found.
    assert len(detect_faces(frame)) >= 4
    with pytest.raises(DataError, match=r"^frame: [45] faces \("):
        find_face(frame)
    assert find_face(frame, face="largest").width >= 115
