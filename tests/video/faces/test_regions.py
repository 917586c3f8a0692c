import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microexpr.core.errors import DataError, ParameterError
from microexpr.video.faces import canonical_landmarks, draw, landmarks, mirror_landmarks, region_masks, regions

COUNTS = {"mdmo36": 36, "kato15": 15, "polikovsky12": 12, "grid": 25}
few = settings(max_examples=25, deadline=None)


def some_face(seed=0):
    """A face that no template made: jittered and turned a little."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(-0.4, 0.4)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return canonical_landmarks() @ turn.T + rng.normal(0, 1.0, (68, 2)) + rng.uniform(20, 90, 2)


def other_side(name):
    for here, there in (("right_", "left_"), ("left_", "right_")):
        if name.startswith(here):
            return there + name.removeprefix(here)
    return name


def corner_set(polygon):
    return sorted(map(tuple, np.round(polygon, 6)))


@pytest.mark.parametrize("kind", COUNTS)
def test_each_kind_has_its_number_of_regions_and_none_is_empty(kind):
    found = regions(canonical_landmarks(), kind=kind)
    assert len(found) == COUNTS[kind]
    masks = region_masks(found, (280, 230))
    assert masks.shape == (COUNTS[kind], 280, 230)
    assert masks.sum(axis=(1, 2)).min() > 20


@pytest.mark.parametrize("kind", ["mdmo36", "kato15", "polikovsky12"])
@few
@given(seed=st.integers(0, 99))
def test_a_mirrored_face_has_mirrored_regions(kind, seed):
    points = some_face(seed)
    found, mirrored = regions(points, kind=kind), regions(mirror_landmarks(points, 400), kind=kind)
    for name, polygon in found.items():
        expected = np.asarray(polygon) * [-1, 1] + [399, 0]
        np.testing.assert_allclose(corner_set(mirrored[other_side(name)]), corner_set(expected), atol=1e-5)


@pytest.mark.parametrize("kind", COUNTS)
@few
@given(seed=st.integers(0, 99), angle=st.floats(-1, 1), scale=st.floats(0.5, 3))
def test_a_turned_and_scaled_face_has_turned_and_scaled_regions(kind, seed, angle, scale):
    points = some_face(seed)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found, turned = regions(points, kind=kind), regions(points @ turn.T + 5, kind=kind)
    for name, polygon in found.items():
        np.testing.assert_allclose(turned[name], polygon @ turn.T + 5, atol=1e-8)


@pytest.mark.parametrize("kind", ["mdmo36", "kato15", "polikovsky12"])
def test_right_is_the_persons_right_on_the_left_of_the_picture(kind):
    found = regions(canonical_landmarks(), kind=kind)
    rights = [name for name in found if name.startswith("right_")]
    assert rights
    for name in rights:
        assert found[name][:, 0].mean() < found[other_side(name)][:, 0].mean()


def test_quadrilaterals_do_not_cross_themselves():
    for polygon in regions(canonical_landmarks()).values():
        edges = np.roll(polygon, -1, axis=0) - polygon
        following = np.roll(edges, -1, axis=0)
        turns = np.sign(edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0])
        # Simple ones have at most one corner that points inwards.
        assert abs(turns.sum()) >= 2


def test_mdmo_corners_are_the_landmarks_of_the_mesh():
    points = some_face()
    found = regions(points)
    assert list(found)[:6] == [
        *("right_forehead_outer", "right_forehead_inner", "right_forehead_middle"),
        *("left_forehead_middle", "left_forehead_inner", "left_forehead_outer"),
    ]
    np.testing.assert_allclose(found["right_eye_outer"], points[[36, 17, 19, 38]])
    np.testing.assert_allclose(found["left_eye_outer"], points[[45, 26, 24, 43]])
    np.testing.assert_allclose(found["right_nose_wing"][0], (points[4] + points[33]) / 2)
    apart = np.linalg.norm(points[42:48].mean(axis=0) - points[36:42].mean(axis=0))
    raised = np.linalg.norm(found["right_forehead_outer"][1] - points[17])
    assert raised == pytest.approx(0.25 * apart)


@pytest.mark.parametrize("kind", ["mdmo36", "grid"])
def test_regions_that_share_an_edge_share_no_pixel(kind):
    found = regions(canonical_landmarks(), kind=kind)
    assert region_masks(found, (280, 230)).sum(axis=0).max() == 1


def test_masks_equal_a_point_by_point_twin():
    from matplotlib.path import Path

    polygon = some_face()[[0, 17, 8, 30, 16]]
    (mask,) = region_masks({"odd": polygon}, (400, 340))
    rows, columns = np.mgrid[:400, :340]
    twin = Path(np.vstack([polygon, polygon[:1]]), closed=True).contains_points(
        np.column_stack([columns.flat, rows.flat])
    )
    # The two fill rules differ where a polygon crosses itself; this one does not.
    assert np.mean(mask.ravel() != twin) < 1e-4


def test_a_region_without_pixels_is_refused_by_name():
    found = regions(canonical_landmarks())
    chosen = {name: found[name] for name in ("right_jaw_upper", "left_temple")}
    with pytest.raises(DataError, match=r"no pixel of the 20 x 20 picture lies in the regions right_jaw_upper, left_"):
        region_masks(chosen, (20, 20))


def test_bad_landmarks_and_parameters_are_refused():
    with pytest.raises(DataError, match=r"shape \(66, 2\); 68 points"):
        regions(np.zeros((66, 2)))
    with pytest.raises(DataError, match="eyes lie in one point"):
        regions(np.zeros((68, 2)))
    with pytest.raises(ParameterError, match="kind is 'roi9'"):
        regions(canonical_landmarks(), kind="roi9")
    with pytest.raises(ParameterError, match=r"grid\[0\] is 0"):
        regions(canonical_landmarks(), kind="grid", grid=(0, 3))


def test_drawing_leaves_the_frame_alone_and_marks_every_region(face):
    before = face.copy()
    points = landmarks(face)
    found = regions(points)
    picture = draw(face, points, found, scale=2)
    np.testing.assert_array_equal(face, before)
    assert picture.shape == (840, 720, 3)
    x, y = np.round(2 * (points.points[30] + 0.5) - 0.5).astype(int)
    assert picture[y, x].tolist() == [0, 255, 0]
    for polygon in found.values():
        middle = (polygon[0] + polygon[1]) / 2
        x, y = np.round(2 * (middle + 0.5) - 0.5).astype(int)
        # Coloured somewhere beside the middle of the first edge.
        assert np.ptp(picture[y - 2 : y + 3, x - 2 : x + 3].astype(int), axis=2).max() > 60
