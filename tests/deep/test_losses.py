import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from microexpr.deep.losses import apply_attention, arcface_logits, attention_branch_losses, gradient_reversal


def test_reversal_is_the_identity_and_its_gradient_minus_strength_times_the_one_that_comes():
    features = torch.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True)
    reversed_ = gradient_reversal(features, 0.3)
    assert torch.equal(reversed_, features)
    coming = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    reversed_.backward(coming)
    torch.testing.assert_close(features.grad, torch.tensor([[-0.3, -0.6], [-0.9, -1.2]]))


@pytest.mark.parametrize("strength", [0.0, 0.7, 2.0])
def test_a_reversed_loss_teaches_what_follows_downhill_and_what_went_before_uphill(strength):
    generator = torch.Generator().manual_seed(0)
    inputs, before, after = (torch.randn(3, 3, generator=generator, dtype=torch.float64) for _ in range(3))
    before.requires_grad_()
    after.requires_grad_()

    def loss(reverse):
        features = (inputs @ before).tanh()
        return ((gradient_reversal(features, strength) if reverse else features) @ after).square().sum()

    plain = torch.autograd.grad(loss(False), [before, after])
    turned = torch.autograd.grad(loss(True), [before, after])
    torch.testing.assert_close(turned[0], -strength * plain[0])
    torch.testing.assert_close(turned[1], plain[1])


def numpy_arcface(embedding, weight, codes, margin, scale):
    logits = np.empty((len(embedding), len(weight)))
    for row, vector in enumerate(embedding):
        for column, direction in enumerate(weight):
            angle = math.acos(vector @ direction / math.sqrt((vector @ vector) * (direction @ direction)))
            if codes is None or codes[row] != column:
                logits[row, column] = scale * math.cos(angle)
            elif angle + margin < math.pi:
                logits[row, column] = scale * math.cos(angle + margin)
            else:
                logits[row, column] = scale * (math.cos(angle) - margin * math.sin(margin))
    return logits


def test_arcface_widens_the_angle_of_the_true_class_alone():
    # Angles by hand: 60 degrees to the true class, widened by 30 to 90; 30 degrees to the other.
    embedding = torch.tensor([[0.0, 2.0]])
    weight = torch.tensor([[math.sin(math.pi / 3), 0.5], [0.5, math.cos(math.pi / 6)]])
    logits = arcface_logits(embedding, weight, torch.tensor([0]), margin=math.pi / 6, scale=10.0)
    torch.testing.assert_close(logits, torch.tensor([[0.0, 10 * math.sqrt(3) / 2]]), atol=1e-5, rtol=1e-5)
    plain = arcface_logits(embedding, weight, scale=10.0)
    torch.testing.assert_close(plain, torch.tensor([[5.0, 10 * math.sqrt(3) / 2]]))


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.2])
def test_arcface_and_its_loss_are_the_formulas_in_numpy(margin):
    generator = np.random.default_rng(0)
    embedding, weight, codes = (
        generator.normal(size=(40, 3)),
        generator.normal(size=(4, 3)),
        generator.integers(4, size=40),
    )
    expected = numpy_arcface(embedding, weight, codes, margin, 8.0)
    tensors = torch.from_numpy(embedding), torch.from_numpy(weight)
    logits = arcface_logits(*tensors, torch.from_numpy(codes), margin=margin, scale=8.0)
    np.testing.assert_allclose(logits, expected, atol=1e-9)
    np.testing.assert_allclose(
        arcface_logits(*tensors, scale=8.0), numpy_arcface(embedding, weight, None, 0, 8.0), atol=1e-9
    )
    loss = np.mean(np.log(np.exp(expected).sum(1)) - expected[np.arange(40), codes])
    assert F.cross_entropy(logits, torch.from_numpy(codes)).item() == pytest.approx(loss)


def test_the_true_classs_logit_falls_with_the_angle_up_to_pi():
    angles = torch.linspace(0, math.pi, 400, dtype=torch.float64)
    embedding = torch.stack([angles.cos(), angles.sin()], dim=1)
    weight = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    logits = arcface_logits(embedding, weight, torch.zeros(400, dtype=torch.int64))[:, 0]
    assert (logits.diff() < 0).all()
    assert logits[0] == pytest.approx(64 * math.cos(0.5))
    assert logits[-1] == pytest.approx(64 * (-1 - 0.5 * math.sin(0.5)))


def test_lengths_do_not_count_and_gradients_stay_finite_where_the_angle_is_0_or_pi():
    embedding = torch.tensor([[3.0, 0.0], [-2.0, 0.0]], requires_grad=True)
    weight = torch.eye(2)
    codes = torch.tensor([0, 0])
    logits = arcface_logits(embedding, weight, codes)
    torch.testing.assert_close(logits, arcface_logits(5 * embedding, 7 * weight, codes))
    F.cross_entropy(logits, codes).backward()
    assert torch.isfinite(embedding.grad).all()


def test_attention_adds_its_share_of_each_feature():
    features = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    attention = torch.tensor([[[0.0, 0.5]]])
    assert torch.equal(apply_attention(features, attention), torch.tensor([[[[1.0, 3.0]], [[3.0, 6.0]]]]))


def test_both_branches_have_their_weighted_cross_entropy():
    generator = np.random.default_rng(1)
    logits, own = generator.normal(size=(2, 5, 3))
    codes, weights = np.array([0, 2, 1, 1, 0]), np.array([0.5, 2.0, 1.0, 1.0, 0.5])
    losses = attention_branch_losses(*(torch.from_numpy(values) for values in (logits, own, codes, weights)))
    assert losses.keys() == {"class", "attention"}
    for name, values in (("class", logits), ("attention", own)):
        by_clip = [
            -w * math.log(math.exp(row[c]) / np.exp(row).sum())
            for row, c, w in zip(values, codes, weights, strict=True)
        ]
        assert losses[name].item() == pytest.approx(sum(by_clip) / 5)
