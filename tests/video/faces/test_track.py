import numpy as np
import pytest

from microexpr.core.errors import DataError, ParameterError
from microexpr.core.sources import VideoSource
from microexpr.video.faces import FaceTracker, find_face, track_faces
from microexpr.video.faces.detect import turn_back


def moving(face, n_frames=10, step=6, lost=()):
    """The face crosses a wall; in the frames `lost` there is only the wall."""
    import cv2

    small = cv2.resize(face, (180, 210), interpolation=cv2.INTER_AREA)
    frames = np.full((n_frames, 300, 420), 110, np.uint8)
    for number in range(n_frames):
        if number not in lost:
            frames[number, 40:250, 60 + step * number : 240 + step * number] = small
    return frames


def test_a_moving_face_is_followed(face):
    track = track_faces(moving(face))
    assert len(track) == 10
    assert track.found.all()
    centers = track.boxes[:, 0] + track.boxes[:, 2] / 2
    np.testing.assert_allclose(np.diff(centers).mean(), 6, atol=0.7)
    assert track.landmarks.shape == (10, 68, 2)
    assert set(track.sources) <= {"eyes", "box"}


def test_the_tracked_box_is_the_one_a_search_of_the_whole_frame_finds(face):
    frames = moving(face)
    tracker = FaceTracker()
    for frame in frames:
        box, whole = tracker.update(frame), find_face(frame)
        assert np.hypot(*np.subtract(box.center, whole.center)) < 0.06 * whole.width
        assert abs(box.width - whole.width) < 0.15 * whole.width


def test_a_short_gap_is_interpolated_and_marked(face):
    track = track_faces(moving(face, lost=(4, 5)), max_gap=2)
    assert np.flatnonzero(~track.found).tolist() == [4, 5]
    assert track.sources[4:6] == ("interpolated",) * 2
    third = (track.landmarks[6] - track.landmarks[3]) / 3
    np.testing.assert_allclose(track.landmarks[4], track.landmarks[3] + third)
    np.testing.assert_allclose(track.boxes[5], track.boxes[3] + 2 / 3 * (track.boxes[6] - track.boxes[3]))


def test_a_gap_at_an_end_holds_the_nearest_place(face):
    track = track_faces(moving(face, lost=(0, 9)))
    np.testing.assert_array_equal(track.landmarks[0], track.landmarks[1])
    np.testing.assert_array_equal(track.boxes[9], track.boxes[8])


def test_a_long_gap_is_refused_by_frame_numbers(face):
    with pytest.raises(DataError, match=r"^v: the face is lost in frames 2 to 4, 8 to 9; gaps of at most 1 frames are"):
        track_faces(moving(face, lost=(2, 3, 4, 6, 8, 9)), max_gap=1, name="v")


def test_a_face_that_turns_in_the_picture_is_followed(face):
    frame = moving(face, n_frames=1)[0]
    frames = [turn_back(frame, -roll)[0] for roll in (0, 10, 20, 30)]
    size = max(max(turned.shape) for turned in frames)
    padded = []
    for turned in frames:
        canvas = np.full((size, size), 110, np.uint8)
        top, left = (size - turned.shape[0]) // 2, (size - turned.shape[1]) // 2
        canvas[top : top + turned.shape[0], left : left + turned.shape[1]] = turned
        padded.append(canvas)
    track = track_faces(padded)
    assert track.found.all()
    assert track.rolls[-1] >= 15


def test_frames_may_come_from_a_generator(face):
    frames = moving(face, n_frames=3)
    np.testing.assert_array_equal(track_faces(frame for frame in frames).boxes, track_faces(frames).boxes)


def test_several_faces_are_refused_with_the_frame(face):
    two = np.concatenate([face, face], axis=1)
    with pytest.raises(DataError, match=r"^frames: frame 0: 2 faces"):
        track_faces([two])
    assert track_faces([two, two], face="largest").found.all()


def test_no_frames_bad_frames_and_bad_parameters_are_refused(face):
    with pytest.raises(DataError, match="there is no frame"):
        track_faces([])
    with pytest.raises(DataError, match=r"^v: frame 1: a frame of dtype float64"):
        track_faces([face, face / 2], name="v")
    with pytest.raises(ParameterError, match="max_gap is -1"):
        track_faces([face], max_gap=-1)
    with pytest.raises(ParameterError, match="face is 'x'"):
        FaceTracker(face="x")


@pytest.mark.real
@pytest.mark.parametrize(("name", "n_frames"), [("single_face.mp4", 72), ("WolfgangLanger_Pexels.mp4", 472)])
def test_the_face_is_found_in_every_frame_of_the_real_videos(real_videos, name, n_frames):
    # On contact sheets both show one face throughout, in the second at times tilted or behind a hand.
    track = track_faces(VideoSource(real_videos / name).read(), max_gap=0)
    assert len(track) == n_frames
    assert track.found.all()
    # No jumps to something else: from frame to frame the middle moves by a fifth of the box at most.
    centers = track.boxes[:, :2] + track.boxes[:, 2:] / 2
    assert (np.linalg.norm(np.diff(centers, axis=0), axis=1) < 0.2 * track.boxes[1:, 2]).all()
    assert np.mean(np.array(track.sources) == "eyes") > 0.8
