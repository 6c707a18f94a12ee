"""Label smoothing, ramps, and penalties on vectors and under a condition."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.special import expit
from torch import nn

from translate.errors import ConfigurationError
from translate.losses.adversarial import OBJECTIVES, smoothed
from translate.losses.gradient_penalty import GradientPenalty
from translate.losses.penalty import wgan_gp_penalty, zero_centred_penalty
from translate.method import Progress
from translate.ramp import Ramp, constantly

LOGISTIC = ["minimax", "non-saturating"]


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def cross_entropy(scores, target):
    target = torch.full_like(scores, target)
    return torch.nn.functional.binary_cross_entropy_with_logits(scores, target)


@pytest.mark.parametrize("name", LOGISTIC)
@pytest.mark.parametrize("target", [0.9, 0.7])
def test_smoothing_is_cross_entropy_to_the_target_on_real_alone(name, target):
    real, fake = normal(8), normal(8, seed=1) - 2
    objective = smoothed(OBJECTIVES[name], real_target=target)
    expected = cross_entropy(real, target) + cross_entropy(fake, 0.0)
    torch.testing.assert_close(objective.discriminator(real, fake), expected)
    two_sided = cross_entropy(real, target) + cross_entropy(fake, 1 - target)  # what the paper warns of
    assert (objective.discriminator(real, fake) - two_sided).abs() > 0.01


@pytest.mark.parametrize("name", LOGISTIC)
def test_smoothing_leaves_the_generator_alone(name):
    fake = normal(8)
    sides = [
        objective.generator(fake, lambda: fake)
        for objective in (OBJECTIVES[name], smoothed(OBJECTIVES[name], real_target=0.9))
    ]
    assert sides[0] == sides[1]


def test_the_best_smoothed_discriminator_is_target_p_over_p_plus_q():
    p, q = np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.3, 0.6])
    best = torch.from_numpy(0.9 * p / (p + q)).logit().requires_grad_()
    counts = [(10 * density).round().astype(int) for density in (p, q)]
    samples = [best.repeat_interleave(torch.from_numpy(count)) for count in counts]
    (slope,) = torch.autograd.grad(smoothed(OBJECTIVES["minimax"], real_target=0.9).discriminator(*samples), best)
    np.testing.assert_allclose(slope.numpy(), 0, atol=1e-12)
    assert (expit(best.detach().numpy()) < 0.9).all()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_target_1_smooths_nothing(name):
    assert smoothed(OBJECTIVES[name], real_target=1.0) is OBJECTIVES[name]


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name not in LOGISTIC])
def test_smoothing_refuses_scores_that_are_no_log_odds(name):
    with pytest.raises(ConfigurationError, match="non-saturating"):
        smoothed(OBJECTIVES[name], real_target=0.9)


@pytest.mark.parametrize("target", [0.0, 0.5, 1.1])
def test_smoothing_refuses_targets_that_are_none(target):
    with pytest.raises(ConfigurationError, match=r"--config\.game\.real-target is"):
        smoothed(OBJECTIVES["minimax"], real_target=target)


def at(fraction):
    return Progress(images=round(1000 * fraction), total_images=1000)


@pytest.mark.parametrize(
    ("shape", "quarter"), [("linear", 10 - 9 / 4), ("cosine", 10 - 9 * (1 - np.cos(np.pi / 4)) / 2)]
)
def test_ramp_goes_from_start_to_end_and_stays(shape, quarter):
    ramp = Ramp(start=10.0, end=1.0, until_fraction=0.4, shape=shape)
    values = [ramp.at(at(fraction)) for fraction in (0.0, 0.1, 0.2, 0.4, 0.7, 1.0)]
    assert values == pytest.approx([10.0, quarter, 5.5, 1.0, 1.0, 1.0])


def test_ramp_without_a_way_is_its_end():
    assert Ramp(start=10.0, end=1.0, until_fraction=0.0).at(at(0.0)) == 1.0
    assert {constantly(0.3).at(at(fraction)) for fraction in (0.0, 0.5, 1.0)} == {0.3}


@pytest.mark.parametrize(
    "wrong", [{"until_fraction": 1.1}, {"until_fraction": -0.1}, {"end": float("nan")}, {"shape": "square"}]
)
def test_ramp_refuses(wrong):
    with pytest.raises(ConfigurationError):
        Ramp(**({"start": 0.0, "end": 1.0} | wrong))


POINTS, LABELS = normal(5, 2), torch.tensor([0, 2, 1, 1, 0])
SLOPES = normal(3, 2, seed=4)


def conditional(points, label):
    """D(x, y) = v_y x + |x|^2 / 2, whose gradient is v_y + x."""
    return (SLOPES[label] * points).sum(1) + points.square().sum(1) / 2


def test_zero_centred_on_vectors_under_a_condition():
    penalty = zero_centred_penalty(lambda points: conditional(points, LABELS), POINTS)
    torch.testing.assert_close(penalty, (SLOPES[LABELS] + POINTS).square().sum(1).mean())
    others = zero_centred_penalty(lambda points: conditional(points, LABELS.flip(0)), POINTS)
    assert (penalty - others).abs() > 0.01


def test_wgan_gp_on_vectors_under_a_condition():
    fake, share = normal(5, 2, seed=1), torch.rand(5, dtype=torch.float64)
    penalty = wgan_gp_penalty(lambda points: conditional(points, LABELS), POINTS, fake, epsilon=share)
    between = share[:, None] * POINTS + (1 - share[:, None]) * fake
    torch.testing.assert_close(penalty, ((SLOPES[LABELS] + between).norm(dim=1) - 1).square().mean())


class Projection(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 8))
        self.label = nn.Embedding(3, 8)

    def forward(self, points, label):
        features = self.body(points)
        return features.sum(1) + (features * self.label(label)).sum(1)


@pytest.mark.parametrize("kind", ["r1", "r1+r2", "wgan-gp"])
@pytest.mark.parametrize("approximate", [False, True])
def test_every_penalty_teaches_a_conditional_discriminator_of_vectors(kind, approximate):
    torch.manual_seed(0)
    discriminator, real, fake = Projection(), POINTS.float(), POINTS.float().flip(0)
    penalty = GradientPenalty(kind=kind, approximate=approximate)
    terms = penalty.terms(lambda points: discriminator(points, LABELS), real, fake)
    torch.stack(list(terms.values())).sum().backward()
    assert discriminator.body[0].weight.grad.abs().sum() > 0
    assert discriminator.label.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("kind", ["r1", "r1+r2", "wgan-gp"])
@pytest.mark.parametrize("approximate", [False, True])
def test_a_factor_multiplies_gamma(kind, approximate):
    def terms(factor, gamma):
        torch.manual_seed(0)
        penalty = GradientPenalty(kind=kind, approximate=approximate, gamma=gamma)
        return penalty.terms(lambda points: conditional(points, LABELS), POINTS, POINTS.flip(0), factor=factor)

    torch.testing.assert_close(terms(10.0, 0.1), terms(1.0, 1.0))
    assert terms(10.0, 0.1) != terms(1.0, 0.1)


@dataclass(frozen=True)
class Anything:
    fraction: float


def test_a_ramp_asks_for_a_fraction_and_nothing_else():
    assert Ramp(start=0.0, end=1.0, shape="linear").at(Anything(0.25)) == 0.25
