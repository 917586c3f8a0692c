"""Motion of the face's regions against the head, and against how they rest."""

from dataclasses import replace

import numpy as np
import pytest
from naive.spotcells import activity as slow_activity
from toyset.longfaces import expression, film, head_motion
from toyset.motionrows import eventful, hump, move, rest, shift_head

from microexpr.spotting._resting import RESTING_REACH, activity, segments
from microexpr.spotting.front import FACE_SIZE, FaceStream
from microexpr.spotting.motion import REGIONS, RegionMotion
from microexpr.video.faces.align import alignment, canonical_landmarks

NAMES = list(REGIONS)
SEGMENT = RegionMotion.columns.index("segment")
POINTS = canonical_landmarks(FACE_SIZE, padding=0.12)
EYES = [POINTS[low : low + 6].mean(axis=0) for low in (36, 42)]
UNIT = np.hypot(*(EYES[1] - EYES[0]))


def measured(frames, *, fps=30):
    stream = FaceStream(frames, fps=fps)
    return np.array(list(RegionMotion().measure(stream, rate=stream.rate)))


def displacements(rows):
    return rows[:, : 2 * len(NAMES)].reshape(len(rows), len(NAMES), 2)


def true_displacements(source, frame):
    """True motion since frame 0 of each region, in distances between the eyes: what fits its edges best."""
    way = alignment(source.landmarks(0), size=FACE_SIZE, padding=0.12)
    flow = source.true_flow(frame, since=0)
    row, column = np.mgrid[: flow.shape[0], : flow.shape[1]]
    places = (np.stack([column, row], axis=-1) @ way[:, :2].T + way[:, 2] - np.mean(EYES, axis=0)) / UNIT
    x, y = places[..., 0], places[..., 1]
    slopes = np.stack(np.gradient(source.first().astype(float))[::-1], axis=-1)
    found = []
    for west, east, north, south in REGIONS.values():
        inside = (x >= west) & (x <= east) & (y >= north) & (y <= south)
        across = (slopes[inside] * flow[inside]).sum(axis=1)
        found.append(np.linalg.lstsq(slopes[inside], across)[0])
    return np.array(found) @ way[:, :2].T / UNIT


# Against the head


def test_a_region_on_the_left_mirrors_one_on_the_right():
    for name, (west, east, north, south) in REGIONS.items():
        if name.startswith("right_"):
            assert REGIONS[name.replace("right_", "left_")] == (-east, -west, north, south)
            # The person's right is on the left of the picture.
            assert west < 0
    corners = {48: "right_mouth_corner", 54: "left_mouth_corner", 20: "right_inner_brow", 17: "right_outer_brow"}
    for landmark, name in {**corners, 42: "left_lid", 8: "chin", 27: "nose_bridge", 51: "upper_lip"}.items():
        x, y = (POINTS[landmark] - np.mean(EYES, axis=0)) / UNIT
        west, east, north, south = REGIONS[name]
        assert west < x < east
        assert north < y <= south + 1e-9


@pytest.mark.parametrize(
    ("units", "most"),
    [
        (("L12",), "left_mouth_corner"),
        (("R15",), "right_mouth_corner"),
        (("26",), "chin"),
        (("L9", "R9"), "right_nose_wing"),
        (("L1", "R1"), "between_brows"),
        (("L4", "R4"), "left_inner_brow"),
    ],
)
def test_the_displacement_of_a_region_is_that_of_its_skin(units, most):
    source = film(expression("macro", 5, 15, 25, *units), seconds=0.6, sway=0.0, noise=0.5)
    found, true = displacements(measured(source.stream()))[15], true_displacements(source, 15)
    lengths = np.hypot(*true.T)
    assert NAMES[int(np.argmax(lengths))] == most
    place = NAMES.index(most)
    assert np.hypot(*(found - true)[place]) < 0.45 * lengths[place]
    # What rests in truth rests: a distance between the eyes is 41 pixels of the frame.
    assert np.hypot(*found[lengths < 1e-3].T).max() < 0.004
    assert np.median(np.hypot(*(found - true).T)) < 0.001


@pytest.mark.parametrize(("kind", "strength", "left"), [("turn", 5.0, 0.015), ("nod", 5.0, 0.03), ("tilt", 0.07, 0.01)])
def test_motion_of_the_head_leaves_little_in_the_regions(kind, strength, left):
    source = film(head_motion(kind, 5, 35, strength), seconds=1.5)
    rows = measured(source.stream())
    head = rows[:, RegionMotion.columns.index("head_x")], rows[:, RegionMotion.columns.index("head_y")]
    # It shifts by 4 pixels and more, in 41 between the eyes.
    assert np.hypot(*head).max() > 0.08
    assert np.hypot(*np.moveaxis(displacements(rows), 2, 0)).max() < left
    assert np.hypot(*np.moveaxis(displacements(rows)[36:], 2, 0)).max() < 0.01


def test_what_comes_back_is_back_after_any_number_of_references():
    # The reference is renewed every half second: here in the middle of the expression, and twice more.
    source = film(expression("macro", 10, 18, 30, "L12", "R12"), seconds=2.2, sway=0.0)
    moved = np.hypot(*np.moveaxis(displacements(measured(source.stream())), 2, 0))
    assert moved.max() > 0.02
    assert moved[32:].max() < 0.006


def test_a_face_that_begins_anew_begins_at_zero_in_a_segment_of_its_own():
    one, other = film(expression("macro", 5, 15, 40, "26"), seconds=0.6), film(subject=1, seconds=0.4)
    rows = measured([*one.stream(), *other.stream()])
    assert rows[:, SEGMENT].tolist() == [0.0] * 18 + [1.0] * 12
    assert np.abs(displacements(rows)[17]).max() > 0.02
    np.testing.assert_array_equal(displacements(rows)[[0, 18]], 0.0)


def test_rows_without_a_face_are_missing_and_part_segments():
    frames = [*film(seconds=0.3).stream(), *np.full((4, 140, 120), 128, np.uint8), *film(seconds=0.5).stream()]
    rows = measured(frames)
    missing = np.isnan(rows).all(axis=1)
    assert (np.isnan(rows).any(axis=1) == missing).all()
    assert missing[9:13].all()
    assert set(rows[:9, SEGMENT]) == {0.0}
    assert set(rows[16:, SEGMENT]) == {1.0}


def test_a_row_depends_on_no_later_face():
    faces = list(FaceStream(film(seconds=0.7).stream(), fps=30))
    whole = np.array(list(RegionMotion().measure(faces, rate=30)))
    part = np.array(list(RegionMotion().measure(faces[:12], rate=30)))
    np.testing.assert_array_equal(whole[:12], part)


def test_faces_whose_head_is_unknown_are_measured_without_depth():
    faces = [replace(face, head=None) for face in FaceStream(film(seconds=0.3, sway=0.0).stream(), fps=30)]
    rows = np.array(list(RegionMotion().measure(faces, rate=30)))
    assert np.isfinite(rows).all()
    assert np.abs(displacements(rows)).max() < 0.01


# Against how it rests


def test_segments_are_runs_of_one_number():
    rows = np.zeros((10, len(RegionMotion.columns)))
    rows[:, SEGMENT] = [np.nan, 0, 0, np.nan, np.nan, 1, 2, 2, 2, np.nan]
    assert segments(rows) == [(1, 3), (5, 6), (6, 9)]
    assert segments(rows[1:3]) == [(0, 2)]
    assert segments(rows[:1]) == []
    assert segments(rows[:0]) == []


@pytest.mark.parametrize("rate", [5.0, 6.4])
def test_activity_is_that_of_plain_loops(rate):
    rows = eventful(40, rate=rate, seed=5)
    rows[:, SEGMENT] = 0.0
    rows = np.nan_to_num(rows)
    motion, noise, head = slow_activity(displacements(rows), rows[:, 2 * len(NAMES) : 2 * len(NAMES) + 2], rate)
    found = activity(rows, rate=rate)
    np.testing.assert_allclose(found.motion, motion, atol=1e-12)
    np.testing.assert_allclose(found.noise, noise, rtol=1e-9)
    np.testing.assert_allclose(found.head, head, atol=1e-15)
    np.testing.assert_array_equal(found.speed, rows[:, -2])
    np.testing.assert_allclose(found.size, np.linalg.norm(motion, axis=-1), atol=1e-12)


def test_the_activity_of_a_piece_with_its_reach_is_that_of_the_whole():
    rate = 10.0
    rows = eventful(90, rate=rate, seed=2)
    rows[:, SEGMENT] = 0.0
    rows = np.nan_to_num(rows)
    before, after = (int(np.ceil(side * rate)) for side in RESTING_REACH)
    whole = activity(rows, rate=rate)
    for start, stop in ((400, 401), (500, 560), (700, 850)):
        low = start - before
        piece = activity(rows[low : stop + after], rate=rate)
        inner = slice(start - low, stop - low)
        np.testing.assert_allclose(piece.motion[inner], whole.motion[start:stop], atol=1e-12)
        np.testing.assert_allclose(piece.noise[inner], whole.noise[start:stop], rtol=1e-9)
        np.testing.assert_array_equal(piece.head[inner], whole.head[start:stop])


def test_an_expression_stays_and_a_new_rest_goes():
    rate, n_rows = 30.0, 600
    rows = rest(n_rows, noise=1e-4)
    move(rows, ["chin"], hump(200, 210, 225, n_rows), (0.0, 0.05))
    move(rows, ["left_jaw"], (np.arange(n_rows) >= 400).astype(float), (0.03, 0.0))
    size = activity(rows, rate=rate).size
    assert size[210, NAMES.index("chin")] == pytest.approx(0.05, abs=0.003)
    assert size[450:, NAMES.index("left_jaw")].max() < 0.003


def test_what_goes_with_the_head_is_taken_out():
    rate, n_rows = 30.0, 300
    rows = rest(n_rows, noise=1e-5)
    turn = hump(100, 120, 150, n_rows)
    shift_head(rows, turn, (0.2, 0.0), rate=rate)
    # A nose that goes a quarter further than the head: .05 of a distance between the eyes.
    move(rows, ["nose_bridge"], turn, (0.05, 0.0))
    assert activity(rows, rate=rate).size[:, NAMES.index("nose_bridge")].max() < 0.01


def test_noise_is_the_standard_deviation_of_a_component():
    found = activity(rest(1500, noise=0.004), rate=30.0)
    assert found.noise[700:].mean() == pytest.approx(0.004, rel=0.05)
    # A video without noise has errors of interpolation: .0004.
    np.testing.assert_array_equal(activity(np.zeros((60, SEGMENT + 1)), rate=30.0).noise, 4e-4)
