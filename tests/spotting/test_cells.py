"""Cells over the face: motion where texture is, pooled; the head's share of it."""

import cv2
import numpy as np
import pytest
from naive.spotcells import fit_head as slow_fit_head
from naive.spotcells import pooled_cell

from microexpr.spotting._cells import CellGrid, Reference, fit_head, pooled
from microexpr.video.faces.align import canonical_landmarks

SIZE = (168, 144)
FREE = np.full((3, 2), np.inf)


@pytest.fixture(scope="module")
def grid():
    return CellGrid(canonical_landmarks(SIZE, padding=0.12), SIZE)


def tensors_and_motions(n_cells):
    rng = np.random.default_rng(3)
    gradients = rng.normal(0, 3, (n_cells, 5, 2))
    tensors = np.einsum("cki,ckj->cij", gradients, gradients) / 5
    return tensors, rng.normal(0, 2, (n_cells, 2))


def flattened(tensors, motions):
    return np.einsum("cij,cj->ci", tensors, motions), tensors[:, [0, 0, 1], [0, 1, 1]]


def textured(shift, size=SIZE):
    """Smooth random texture, moved by a shift."""
    picture = cv2.GaussianBlur(np.random.default_rng(0).normal(size=(size[0] + 40, size[1] + 40)), (0, 0), 2.5)
    picture = ((picture - picture.min()) / np.ptp(picture) * 255).astype(np.uint8)
    way = np.array([[1, 0, shift[0] - 20], [0, 1, shift[1] - 20]], float)
    return cv2.warpAffine(picture, way, size[::-1], flags=cv2.INTER_CUBIC)


# Pooling


def test_pooled_motion_is_the_least_squares_solution():
    tensors, motions = tensors_and_motions(12)
    groups = np.random.default_rng(1).integers(0, 3, (4, 12)).astype(float)
    found, sureness = pooled(*flattened(tensors, motions), groups)
    for row, counts in enumerate(groups):
        expected, sure = pooled_cell(tensors, motions, counts, 0.5)
        np.testing.assert_allclose(found[row], expected, rtol=1e-10)
        assert sureness[row] == pytest.approx(sure, rel=1e-10)


def test_cells_by_themselves_are_groups_of_one():
    moved, information = flattened(*tensors_and_motions(7))
    alone, grouped = pooled(moved, information), pooled(moved, information, np.eye(7))
    for one, other in zip(alone, grouped, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)


def test_an_edge_tells_only_of_motion_across_it():
    # Gradients along x alone: motion along y is unknown, taken for none.
    moved, information = flattened(np.array([[[100.0, 0], [0, 0]]]), np.array([[2.0, 7.0]]))
    motion, sureness = pooled(moved, information)
    assert motion[0] == pytest.approx([2 * 100 / 100.5, 0.0])
    assert sureness[0] == pytest.approx(np.sqrt(0.5))


# The reference


@pytest.mark.parametrize("shift", [(1.5, -0.75), (3.0, 2.0), (-0.25, 0.5)])
def test_the_shift_of_a_texture_is_measured(shift):
    reference = Reference(textured((0, 0)))
    motion, _ = pooled(reference.moved(textured(shift)), reference.information)
    errors = np.abs(motion - shift).reshape(21, 18, 2)[1:-1, 1:-1]
    assert np.median(errors) < 0.05
    # Weighted by their texture, errors average out.
    whole, _ = pooled(reference.moved(textured(shift)), reference.information, np.ones((1, 21 * 18)))
    assert whole[0] == pytest.approx(shift, abs=0.06)


def test_what_stands_still_does_not_move():
    reference = Reference(textured((0, 0)))
    np.testing.assert_array_equal(reference.moved(textured((0, 0))), 0.0)


def test_a_picture_without_texture_does_not_move():
    reference = Reference(np.full(SIZE, 90, np.uint8))
    motion, sureness = pooled(reference.moved(np.full(SIZE, 95, np.uint8)), reference.information)
    np.testing.assert_array_equal(motion, 0.0)
    assert sureness == pytest.approx(np.full(21 * 18, np.sqrt(0.5)))


def test_pictures_match_up_to_brightness_and_contrast():
    reference, cells = Reference(textured((0, 0))), np.ones(21 * 18, bool)
    assert reference.match(textured((0, 0)), cells) == pytest.approx(1.0)
    assert reference.match((textured((0, 0)) * 0.7 + 20).astype(np.uint8), cells) > 0.999
    assert reference.match(255 - textured((0, 0)), cells) == pytest.approx(-1.0)
    assert reference.match(np.full(SIZE, 90, np.uint8), cells) == 0.0


# The head


def head_basis(grid):
    return np.column_stack([np.ones(len(grid.places)), grid.places])


MOTION = np.array([[1.5, -0.7], [0.3, 0.1], [-0.2, 0.25]])


@pytest.mark.parametrize("weighted", [True, False])
def test_the_head_is_found_though_a_third_of_the_cells_move_otherwise(grid, weighted):
    rng = np.random.default_rng(0)
    basis = head_basis(grid)
    motion = basis @ MOTION
    odd = rng.permutation(len(motion))[: int(0.3 * len(motion))]
    motion[odd] += rng.normal(5, 1.5, (len(odd), 2))
    weights = rng.uniform(0.5, 2, len(motion)) if weighted else np.ones(len(motion))
    np.testing.assert_allclose(fit_head(motion, weights, basis, FREE), MOTION, atol=1e-6)


def test_cells_that_weigh_nothing_do_not_count(grid):
    basis = head_basis(grid)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(basis))
    motion = basis @ MOTION
    motion[::2] = 99.0
    weights[::2] = 0.0
    np.testing.assert_allclose(fit_head(motion, weights, basis, FREE), MOTION, atol=1e-6)


def test_a_term_without_spread_is_absent(grid):
    basis, weights = head_basis(grid), np.random.default_rng(0).uniform(0.5, 2, len(grid.places))
    spread = FREE.copy()
    spread[2, 0] = 0.0
    found = fit_head(basis @ MOTION, weights, basis, spread)
    assert found[2, 0] == 0.0
    # The other axis keeps its term.
    np.testing.assert_allclose(found[:, 1], MOTION[:, 1], atol=1e-6)


def test_terms_of_finite_spread_are_held_back_as_by_a_ridge(grid):
    rng = np.random.default_rng(4)
    basis, weights = head_basis(grid), rng.uniform(0.5, 2, len(grid.places))
    motion = basis @ MOTION + rng.normal(0, 0.3, (len(basis), 2))
    motion[:60] += 4.0
    spread = np.array([[np.inf, np.inf], [0.02, 0.05], [np.inf, 0.0]])
    found = fit_head(motion, weights, basis, spread)
    np.testing.assert_allclose(found, slow_fit_head(motion, weights, basis, spread), atol=1e-8)
    free = fit_head(motion, weights, basis, FREE)
    assert (np.abs(found[1]) < 0.7 * np.abs(free[1])).all()


def test_without_any_weight_there_is_no_motion(grid):
    basis = head_basis(grid)
    found = fit_head(basis @ MOTION, np.zeros(len(basis)), basis, FREE)
    np.testing.assert_array_equal(found, 0.0)


# The grid


def test_cells_of_the_head_are_those_of_the_face_without_the_lids(grid):
    points = canonical_landmarks(SIZE, padding=0.12)
    eyes = [points[low : low + 6].mean(axis=0) for low in (36, 42)]
    assert grid.unit == pytest.approx(np.hypot(*(eyes[1] - eyes[0])))
    assert not (grid.of_head & ~grid.of_face).any()

    def at(point):
        return int(np.argmin(np.hypot(*(grid.centers - point).T)))

    for eye in eyes:
        assert grid.of_face[at(eye)]
        assert not grid.of_head[at(eye)]
    for landmark in (30, 33, 51, 57):
        assert grid.of_head[at(points[landmark])]
    assert not grid.of_face[at((0, 0))]
    np.testing.assert_allclose(grid.places[at(points[30])], (points[30] - np.mean(eyes, axis=0)) / grid.unit, atol=0.12)
