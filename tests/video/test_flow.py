import cv2
import numpy as np
import pytest

from microexpr.core.errors import DataError, ParameterError
from microexpr.video import optical_flow, optical_strain, resize_flow


@pytest.mark.parametrize("method", ["tvl1", "farneback", "dis"])
@pytest.mark.parametrize("shift", [(1.5, 0.0), (-1.0, 1.0), (0.0, -2.0)])
def test_a_moved_texture_moves_as_it_was_moved(method, shift):
    texture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (120, 110), dtype=np.uint8), (0, 0), 2.5)
    rows, columns = np.mgrid[:120, :110].astype(np.float32)
    moved = cv2.remap(texture, columns - shift[0], rows - shift[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    flow = optical_flow(texture, moved, method=method)
    assert flow.dtype == np.float64
    error = np.linalg.norm(flow[20:-20, 20:-20] - np.asarray(shift), axis=-1)
    assert error.mean() < 0.15


def test_bad_frames_and_methods_are_refused():
    frame = np.zeros((20, 20), np.uint8)
    with pytest.raises(DataError, match="first is no grey uint8 frame"):
        optical_flow(frame.astype(float), frame)
    with pytest.raises(DataError, match="second is no grey uint8 frame"):
        optical_flow(frame, np.zeros((20, 20, 3), np.uint8))
    with pytest.raises(DataError, match=r"\(20, 20\) and \(20, 21\)"):
        optical_flow(frame, np.zeros((20, 21), np.uint8))
    with pytest.raises(ParameterError, match="method is 'raft'"):
        optical_flow(frame, frame, method="raft")


def test_strain_of_linear_motion_is_what_hand_arithmetic_gives():
    rows, columns = np.mgrid[:6, :7].astype(float)
    # u = .1 x + .2 y, v = .4 x - .3 y: sqrt(.1^2 + .3^2 + (.2 + .4)^2 / 2)
    flow = np.stack([0.1 * columns + 0.2 * rows, 0.4 * columns - 0.3 * rows], axis=-1)
    np.testing.assert_allclose(optical_strain(flow), np.sqrt(0.01 + 0.09 + 0.18), atol=1e-12)


def test_strain_equals_the_tensors_norm_written_out_pixel_by_pixel():
    flow = np.random.default_rng(0).normal(size=(7, 6, 2))
    strain = optical_strain(flow)
    for row in range(1, 6):
        for column in range(1, 5):
            along_x = (flow[row, column + 1] - flow[row, column - 1]) / 2
            along_y = (flow[row + 1, column] - flow[row - 1, column]) / 2
            gradient = np.stack([along_x, along_y], axis=1)
            tensor = (gradient + gradient.T) / 2
            assert strain[row, column] == pytest.approx(np.sqrt((tensor**2).sum()), abs=1e-12)


def test_translation_and_rotation_have_no_strain():
    rows, columns = np.mgrid[:6, :7].astype(float)
    np.testing.assert_allclose(optical_strain(np.full((6, 7, 2), 3.0)), 0)
    np.testing.assert_allclose(optical_strain(np.stack([-0.1 * rows, 0.1 * columns], axis=-1)), 0, atol=1e-15)


def test_the_golden_inputs_strain_is_reproduced():
    from pathlib import Path

    path = Path(__file__).parent.parent / "golden" / "biwoof_inputs.npz"
    golden = np.load(path)
    flow = np.stack([golden["F1_u"], golden["F1_v"]], axis=-1)
    np.testing.assert_allclose(optical_strain(flow), golden["F1_os"], atol=1e-12)


def test_resizing_scales_the_vectors():
    flow = np.full((40, 60, 2), (3.0, -2.0))
    np.testing.assert_allclose(resize_flow(flow, (20, 20)), np.full((20, 20, 2), (1.0, -1.0)))
    np.testing.assert_allclose(resize_flow(flow, (80, 60)), np.full((80, 60, 2), (3.0, -4.0)))


@pytest.mark.parametrize("flow", [np.zeros((5, 5)), np.zeros((1, 5, 2)), np.zeros((5, 5, 3))])
def test_what_is_no_flow_has_no_strain(flow):
    with pytest.raises(DataError, match="flow has shape"):
        optical_strain(flow)


@pytest.mark.parametrize(
    ("flow", "size", "error", "message"),
    [
        (np.zeros((4, 4)), (2, 2), DataError, r"flow has shape \(4, 4\)"),
        (np.full((4, 4, 2), np.nan), (2, 2), DataError, "flow holds NaN"),
        (np.zeros((4, 4, 2)), (0, 2), ParameterError, r"size\[0\] is 0"),
    ],
)
def test_what_cannot_be_resized_is_refused(flow, size, error, message):
    with pytest.raises(error, match=message):
        resize_flow(flow, size)
