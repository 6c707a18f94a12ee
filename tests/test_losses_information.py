"""InfoGAN's bound against the mutual information of tables and of Gaussian channels, which are known."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from translate.losses.information import ENTROPY_OF_UNIFORM, categorical_information, continuous_information

# What a generator makes of three codes: p(x | c) over four outcomes, in tenths, so that plain means are expectations.
TENTHS = torch.tensor([[7, 1, 1, 1], [1, 6, 2, 1], [0, 1, 2, 7]])
CODES = torch.arange(3).repeat_interleave(10)
MADE = torch.cat([torch.arange(4).repeat_interleave(row) for row in TENTHS])


def mutual_information():
    joint = TENTHS.numpy() / 30
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    there = joint > 0
    return (joint[there] * np.log(joint[there] / independent[there])).sum()


def posterior_logits():
    joint = TENTHS.double() / 30
    return (joint / joint.sum(0)).T.clamp(min=1e-300).log()


def test_the_right_posterior_reaches_the_mutual_information():
    bound = categorical_information(posterior_logits()[MADE], CODES)
    assert bound.item() == pytest.approx(mutual_information())


@pytest.mark.parametrize("seed", range(5))
def test_any_other_q_stays_below(seed):
    logits = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    mixed = posterior_logits().clamp(min=-20) + 0.5 * logits
    assert categorical_information(mixed[MADE], CODES).item() < mutual_information()


@pytest.mark.parametrize("classes", [2, 10])
def test_the_ceiling_is_log_k_and_ignorance_is_0(classes):
    codes = torch.arange(classes)
    known = categorical_information(1e4 * torch.eye(classes), codes)
    assert known.item() == pytest.approx(math.log(classes))
    assert categorical_information(torch.zeros(classes, classes), codes).item() == pytest.approx(0, abs=1e-6)


def test_control_a_second_softmax_never_comes_near_the_ceiling():
    codes = torch.arange(10)
    twice = categorical_information((1e4 * torch.eye(10)).softmax(1), codes)
    assert twice.item() < 0.5 * math.log(10)


@pytest.mark.parametrize("std", [1.0, 0.3])
def test_continuous_bound_in_loops(std):
    generator = torch.Generator().manual_seed(0)
    means, codes = (torch.rand(6, 2, dtype=torch.float64, generator=generator) * 2 - 1 for _ in range(2))
    expected = norm.logpdf(codes.numpy(), means.numpy(), std).sum(1).mean() + 2 * np.log(2)
    assert continuous_information(means, codes, std=std).item() == pytest.approx(expected)


def test_entropy_of_a_uniform_code():
    assert pytest.approx(torch.distributions.Uniform(-1.0, 1.0).entropy().item()) == ENTROPY_OF_UNIFORM


def test_a_gaussian_channel_reaches_its_capacity():
    """c ~ N(0, 1), x = c + N(0, s^2): I = log(1 + 1/s^2) / 2, reached by Q = N(x / (1 + s^2), s^2 / (1 + s^2))."""
    s, count = 0.5, 400_000
    generator = torch.Generator().manual_seed(0)
    codes, noise = (torch.randn(count, 1, dtype=torch.float64, generator=generator) for _ in range(2))
    means = (codes + s * noise) / (1 + s**2)
    entropy = norm.entropy()
    capacity = 0.5 * math.log(1 + 1 / s**2)
    best = continuous_information(means, codes, std=s / math.sqrt(1 + s**2), entropy=float(entropy))
    assert best.item() == pytest.approx(capacity, abs=5e-3)
    assert continuous_information(means, codes, entropy=float(entropy)).item() < capacity - 0.1  # another Q


def test_gradient_is_a_squared_errors():
    means = torch.tensor([[0.2, -0.4]], requires_grad=True)
    codes = torch.tensor([[0.5, 0.1]])
    (-continuous_information(means, codes, std=0.5)).backward()
    torch.testing.assert_close(means.grad, (means.detach() - codes) / 0.25)


def test_guesses_and_codes_must_match():
    with pytest.raises(ValueError, match="different shapes"):
        continuous_information(torch.zeros(4, 1), torch.zeros(4))
