import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from microexpr.deep._layers import activation_layer, blurred, conv_module, standardised


def test_activations_by_hand():
    values = torch.tensor([-2.0, 0.0, 3.0])
    np.testing.assert_array_equal(activation_layer("relu")(values.clone()), [0, 0, 3])
    # x / (1 + exp(-x))
    np.testing.assert_allclose(activation_layer("swish")(values), [-2 / (1 + np.exp(2)), 0, 3 / (1 + np.exp(-3))], 1e-6)


def test_a_module_is_a_convolution_batch_norm_and_an_activation():
    convolution, norm, activation = conv_module(2, 5, "swish")
    assert convolution.weight.shape == (5, 2, 3, 3)
    assert convolution.bias is None
    assert norm.num_features == 5
    assert isinstance(activation, torch.nn.SiLU)
    assert convolution(torch.zeros(1, 2, 7, 4)).shape == (1, 5, 7, 4)


def test_standardising_is_numpys_and_constants_become_0():
    batch = np.random.default_rng(0).uniform(0, 255, (3, 2, 4, 5)).astype(np.float32)
    batch[1, 0] = 7
    for axes in ((1, 2, 3), (2, 3)):
        expected = batch - batch.mean(axes, keepdims=True)
        spread = batch.std(axes, keepdims=True)
        expected /= np.where(spread > 0, spread, 1)
        np.testing.assert_allclose(standardised(torch.from_numpy(batch), axes), expected, atol=1e-5)
    assert not standardised(torch.from_numpy(batch), (2, 3))[1, 0].any()


@pytest.mark.parametrize(("sigma", "shape"), [(1.0, (28, 28)), (0.7, (9, 14)), (2.5, (6, 5))])
def test_the_blur_is_that_of_scipy(sigma, shape):
    images = np.random.default_rng(0).normal(size=(2, 3, *shape))
    expected = gaussian_filter(images, (0, 0, sigma, sigma), mode="reflect", truncate=4.0)
    np.testing.assert_allclose(blurred(torch.from_numpy(images), sigma).numpy(), expected, atol=1e-12)


def test_no_blur_leaves_the_images_as_they_are():
    images = torch.rand(2, 3, 5, 5)
    assert blurred(images, 0.0) is images
